//! `daybook session` and `trace`: the events that belong together, in order.

use daybook::query::analyses::{Counts, Course, Session, Trace};

use super::asking::ask;
use super::events;
use crate::args::{CourseInput, Zone};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::table::Look;

/// Asks, and prints.
pub fn run(context: &Context<'_>, input: &CourseInput) -> Result<(), Failure> {
    let (id, limit) = (input.id.clone(), input.asked.limit);
    let (title, course) = match &input.session {
        Some(gaps) => {
            let (gap_minutes, pause_minutes) = (gaps.ends, gaps.listed);
            let report = ask(context, &input.asked.filter, |store, filter, options| {
                Ok(store.ask(&Session { id, filter, limit, gap_minutes, pause_minutes }, options)?)
            })?;
            if context.printer.json() {
                return context.printer.object(&report);
            }
            let how = if report.inferred { " (inferred from its actor and the gaps)" } else { "" };
            (format!("session      {}{how}\n", escape::visible(&report.session)), report.course)
        }
        None => {
            let report = ask(context, &input.asked.filter, |store, filter, options| {
                Ok(store.ask(&Trace { id, filter, limit }, options)?)
            })?;
            if context.printer.json() {
                return context.printer.object(&report);
            }
            (format!("trace        {}\n", escape::visible(&report.id)), report.course)
        }
    };
    print(context, &title, &course)
}

fn print(context: &Context<'_>, title: &str, course: &Course) -> Result<(), Failure> {
    if course.count == 0 {
        context.printer.note("no event matches");
        return Ok(());
    }
    let zone = context.global.zone;
    let look = Look { width: context.printer.width(), color: context.printer.stdout().color };
    let mut data = context.printer.styled();
    data.write(title.as_bytes())?;
    data.write(summary(course, zone).as_bytes())?;
    data.write(b"\n")?;
    data.write(events::table(&course.events, zone, look).as_bytes())?;
    data.finish()?;
    if course.more {
        context.printer.note(&format!("the first {} events; `--limit N` shows more", course.count));
    }
    Ok(())
}

fn summary(course: &Course, zone: Zone) -> String {
    let time = |time: &Option<String>| time.as_deref().map(|time| zone.restate(time)).unwrap_or_default();
    let mut lines = vec![
        ("period", format!("{} to {}", time(&course.from), time(&course.to))),
        ("duration", human::seconds(course.duration_ms / 1000.0)),
        (
            "events",
            format!("{}, {}", human::count(course.count), human::counted(course.errors, "error", "errors")),
        ),
        ("outcome", course.outcome.unwrap_or_default().to_string()),
    ];
    for (name, counts) in [("actors", &course.actors), ("sources", &course.sources)] {
        if !counts.0.is_empty() {
            lines.push((name, listed(counts)));
        }
    }
    for gap in &course.gaps {
        let length = human::seconds(gap.duration_ms / 1000.0);
        lines.push(("gap", format!("{length} after {}", zone.restate(&gap.from))));
    }
    lines.iter().map(|(name, value)| format!("{name:<12} {value}\n")).collect()
}

fn listed(counts: &Counts) -> String {
    let one =
        |(value, count): &(String, u64)| format!("{} ({})", escape::visible(value), human::count(*count));
    counts.0.iter().take(10).map(one).collect::<Vec<_>>().join(", ")
}
