//! `daybook sessions`: the sessions, the last ones first.

use daybook::query::analyses::{SessionSummary, Sessions};

use super::asking::ask;
use crate::args::{SessionsInput, Zone};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::table::{self, Column, Look, Text};

/// Asks, and prints a line for each.
pub fn run(context: &Context<'_>, input: &SessionsInput) -> Result<(), Failure> {
    let (limit, gap_minutes) = (input.asked.limit, input.gap_minutes);
    let report = ask(context, &input.asked.filter, |store, filter, options| {
        Ok(store.ask(&Sessions { filter, limit, gap_minutes }, options)?)
    })?;
    if context.printer.json() {
        return context.printer.object(&report);
    }
    if report.sessions.is_empty() {
        context.printer.note("no event matches");
        return Ok(());
    }
    let columns = [
        Column { rigid: true, ..Column::text("from") },
        Column { rank: 1, ..Column::text("session") },
        Column { rank: 2, ..Column::text("actor") },
        Column { rank: 5, ..Column::text("source") },
        Column { rank: 3, ..Column::number("events") },
        Column { rank: 4, ..Column::number("errors") },
        Column { rank: 4, ..Column::text("duration") },
        Column { rank: 3, ..Column::text("outcome") },
    ];
    let zone = context.global.zone;
    let rows: Vec<Vec<Text>> = report.sessions.iter().map(|session| row(session, zone)).collect();
    let look = Look { width: context.printer.width(), color: context.printer.stdout().color };
    let mut data = context.printer.styled();
    data.write(table::render(&columns, &rows, look).as_bytes())?;
    data.finish()?;
    if report.more {
        context.printer.note(&format!("the last {limit}; `--limit N` shows more"));
    }
    Ok(())
}

fn row(session: &SessionSummary, zone: Zone) -> Vec<Text> {
    let visible = |text: &String| escape::visible(text).into_owned();
    let actor = session.actor.as_ref().map(|actor| match session.actors {
        0 | 1 => visible(actor),
        several => format!("{} and {}", visible(actor), several - 1),
    });
    vec![
        session.from.as_deref().map(|from| zone.restate(from)),
        Some(visible(&session.session)),
        actor,
        session.source.as_ref().map(visible),
        Some(human::count(session.events)),
        Some(human::count(session.errors)),
        Some(human::seconds(session.duration_ms / 1000.0)),
        Some(session.outcome.to_string()),
    ]
}
