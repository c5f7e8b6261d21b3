//! Templates: the list, one of them with what stands in its parameters, and what differs.

use daybook::mine::{ParameterProfile, ValueCount};
use daybook::query::analyses::{TemplateChange, TemplateCount, TemplatesReport};

use super::findings::{command, write};
use super::tables::{count, section, sections, visible};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::printer::paint;
use crate::table::{self, Column, Look, Text};

/// The templates, or what differs.
pub fn templates(context: &Context<'_>, report: &TemplatesReport, is_one: bool) -> Result<(), Failure> {
    match (&report.compared, report.templates.first()) {
        (Some(changes), _) => sections(context, &[compared(context, changes)], "nothing differs")?,
        (None, Some(template)) if is_one => one(context, template, report.events)?,
        (None, _) => sections(context, &[listed(context, report)], "no event with a template matches")?,
    }
    if !is_one && report.compared.is_none() && report.found > report.templates.len() as u64 {
        context.printer.note(&format!("the first {}; `--limit N` shows more", report.templates.len()));
    }
    if report.templates.iter().any(|template| template.sampled < template.events)
        && report.compared.is_none()
        && !is_one
    {
        context.printer.note("parameters are those of a sample; `--template ID` shows those of one");
    }
    for note in &report.notes {
        context.printer.note(note);
    }
    Ok(())
}

fn named(id: &str, template: &Option<String>) -> Text {
    visible(template.as_deref().unwrap_or(id))
}

fn compared(context: &Context<'_>, changes: &[TemplateChange]) -> String {
    let row = |change: &TemplateChange| {
        let ([one, other], [of_one, of_other]) = (change.events, change.shares);
        vec![
            Some(change.change.to_string()),
            count(one),
            count(other),
            Some(human::share(of_one)),
            Some(human::share(of_other)),
            Some(format!("{:.1e}", change.p)),
            visible(&change.id),
            named(&change.id, &change.template),
        ]
    };
    let rows: Vec<Vec<Text>> = changes.iter().map(row).collect();
    let columns = [
        Column::text("change"),
        Column { rank: 1, ..Column::number("first") },
        Column { rank: 1, ..Column::number("second") },
        Column { rank: 2, ..Column::number("of first") },
        Column { rank: 2, ..Column::number("of second") },
        Column { rank: 3, ..Column::number("p") },
        Column { rank: 4, rigid: true, ..Column::text("id") },
        Column::text("template"),
    ];
    section(context, "What differs", &columns, &rows)
}

fn listed(context: &Context<'_>, report: &TemplatesReport) -> String {
    let row = |template: &TemplateCount| {
        vec![
            count(template.events),
            named(&template.id, &template.template),
            template
                .parameters
                .is_empty()
                .then(String::new)
                .or_else(|| visible(&briefly(&template.parameters))),
            time(context, &template.first),
            time(context, &template.last),
            template.level.as_deref().and_then(visible),
            template.source.as_deref().and_then(visible),
            visible(&template.id),
            template.example.as_deref().and_then(visible),
        ]
    };
    let rows: Vec<Vec<Text>> = report.templates.iter().map(row).collect();
    let columns = [
        Column::number("events"),
        Column::text("template"),
        Column { rank: 3, ..Column::text("parameters") },
        Column { rank: 2, rigid: true, ..Column::text("first") },
        Column { rank: 2, rigid: true, ..Column::text("last") },
        Column { rank: 4, ..Column::text("level") },
        Column { rank: 4, ..Column::text("source") },
        Column { rank: 1, rigid: true, ..Column::text("id") },
        Column { rank: 5, ..Column::text("example") },
    ];
    let title = format!(
        "{} of {}",
        human::counted(report.found, "template", "templates"),
        human::counted(report.events, "event", "events")
    );
    section(context, &title, &columns, &rows)
}

/// A time to the second, in the zone that was asked for.
fn time(context: &Context<'_>, time: &Option<String>) -> Text {
    let whole = |time: &str| match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_string(),
    };
    time.as_deref().map(|time| context.global.zone.restate(&whole(time)))
}

/// `number ~4,000, path 12`: kinds, and how many different values.
fn briefly(parameters: &[ParameterProfile]) -> String {
    let one = |parameter: &ParameterProfile| format!("{} {}", parameter.kind, distinct(parameter));
    parameters.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How many different values, with two digits that count where it is an estimate.
fn distinct(parameter: &ParameterProfile) -> String {
    if parameter.exact {
        return human::count(parameter.distinct);
    }
    let digits = parameter.distinct.max(1).ilog10().saturating_sub(1);
    let unit = 10_u64.saturating_pow(digits);
    format!("~{}", human::count(parameter.distinct.saturating_add(unit / 2) / unit * unit))
}

/// One template, whole.
fn one(context: &Context<'_>, template: &TemplateCount, events: u64) -> Result<(), Failure> {
    let color = context.printer.stdout().color;
    let text = template.template.as_deref().unwrap_or(&template.id);
    let share = human::share(template.events as f64 / events.max(1) as f64);
    let exactly = |time: &Option<String>| time.as_deref().map(|time| context.global.zone.restate(time));
    let lines = [
        ("template", visible(&template.id)),
        ("events", Some(format!("{} ({share} of those with a template)", human::count(template.events)))),
        ("first", exactly(&template.first)),
        ("last", exactly(&template.last)),
        ("level", template.level.as_deref().and_then(visible)),
        ("source", template.source.as_deref().and_then(visible)),
        ("example", template.example.as_deref().and_then(visible)),
        ("show", Some(command(context, &template.show))),
    ];
    let mut all = format!("{}\n\n", paint(color, "1", &escape::visible(text)));
    for (name, value) in lines {
        all.extend(value.map(|value| format!("{name:<12} {value}\n")));
    }
    if !template.parameters.is_empty() {
        let looked_at = if template.sampled < template.events {
            format!("of a sample of {} messages", human::count(template.sampled))
        } else {
            "of all messages".to_string()
        };
        all.push_str(&format!("\n{}\n", paint(color, "1", &format!("Parameters, {looked_at}"))));
        all.push_str(&parameters(context, &template.parameters));
    }
    write(context, &all)
}

fn parameters(context: &Context<'_>, parameters: &[ParameterProfile]) -> String {
    let row = |(number, parameter): (usize, &ParameterProfile)| {
        let kind = match parameter.kind_share {
            share if share < 0.995 => format!("{} ({})", parameter.kind, human::share(share)),
            _ => parameter.kind.to_string(),
        };
        let values: Vec<String> = parameter.top.iter().map(value).collect();
        let plain =
            |number: f64| if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number}") };
        let range = parameter.range.map(|[least, middle, most]| {
            format!("{} to {}, half up to {}", plain(least), plain(most), plain(middle))
        });
        vec![
            Some(number.to_string()),
            Some(parameter.after.as_deref().and_then(visible).unwrap_or_default()),
            Some(kind),
            Some(distinct(parameter)),
            Some(range.unwrap_or_default()),
            visible(&values.join(", ")),
        ]
    };
    let rows: Vec<Vec<Text>> = (1..).zip(parameters).map(row).collect();
    let columns = [
        Column::number("no."),
        Column { rank: 1, ..Column::text("after") },
        Column::text("kind"),
        Column { numeric: true, ..Column::text("distinct") },
        Column { rank: 3, ..Column::text("range") },
        Column { rank: 2, ..Column::text("top values") },
    ];
    let look = Look { width: context.printer.width(), color: context.printer.stdout().color };
    table::render(&columns, &rows, look)
}

/// A value with its share.
fn value(top: &ValueCount) -> String {
    let value = if top.value.is_empty() { "\"\"" } else { &top.value };
    format!("{value} ({})", human::share(top.share))
}
