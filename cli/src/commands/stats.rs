//! `daybook stats`: how much there is of what.

use daybook::query::analyses::{Counts, Durations, Stats, StatsReport};

use super::asking::ask;
use crate::args::{FilterInput, Zone};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::table::{self, Column, Look, Text};

/// So many values of a column are shown to people.
const SHOWN: usize = 10;

/// Counts, and prints.
pub fn run(context: &Context<'_>, input: &FilterInput) -> Result<(), Failure> {
    let report = ask(context, input, |store, filter, options| Ok(store.ask(&Stats { filter }, options)?))?;
    if context.printer.json() {
        return context.printer.object(&report);
    }
    let look = Look { width: context.printer.width(), color: context.printer.stdout().color };
    let mut data = context.printer.styled();
    data.write(totals(&report, context.global.zone).as_bytes())?;
    data.write(counts(&report).as_bytes())?;
    if report.duration_ms.count > 0 {
        data.write(b"\n")?;
        data.write(durations(&report.duration_ms, look).as_bytes())?;
    }
    data.finish()
}

fn totals(report: &StatsReport, zone: Zone) -> String {
    let span = match (&report.from, &report.to) {
        (Some(from), Some(to)) => format!("{} to {}", zone.restate(from), zone.restate(to)),
        _ => "no events".to_string(),
    };
    let lines = [
        ("events", human::count(report.total)),
        ("period", span),
        ("last 24 h", human::count(report.recent_24h)),
        ("successful", human::count(report.successful)),
        ("failed", format!("{} ({})", human::count(report.failed), human::share(report.error_rate))),
    ];
    lines.iter().map(|(name, value)| format!("{name:<12} {value}\n")).collect()
}

fn counts(report: &StatsReport) -> String {
    let lists = [
        ("kind", &report.by_kind, "by_kind"),
        ("level", &report.by_level, "by_level"),
        ("source", &report.by_source, "by_source"),
        ("actor", &report.by_actor, "by_actor"),
        ("entity type", &report.by_entity_type, "by_entity_type"),
        ("status", &report.by_status, "by_status"),
    ];
    let list = |(title, counts, key): (&str, &Counts, &str)| {
        let left_out = report.left_out.get(key).copied().unwrap_or(0);
        let more = (counts.0.len().saturating_sub(SHOWN) as u64).saturating_add(left_out);
        one_list(title, counts, more)
    };
    lists.into_iter().filter(|(_, counts, _)| !counts.0.is_empty()).map(list).collect()
}

fn one_list(title: &str, counts: &Counts, more: u64) -> String {
    let shown: Vec<(String, &String)> =
        counts.0.iter().take(SHOWN).map(|(value, count)| (human::count(*count), value)).collect();
    let width = shown.iter().map(|(count, _)| count.len()).max().unwrap_or(0);
    let mut text = format!("\nby {title}\n");
    for (count, value) in shown {
        text.push_str(&format!("  {count:>width$}  {}\n", escape::visible(value)));
    }
    if more > 0 {
        let others = human::counted(more, "other value", "other values");
        text.push_str(&format!("  {:>width$}  and {others}\n", ""));
    }
    text
}

fn durations(all: &Durations, look: Look) -> String {
    let columns = [
        Column::text("source"),
        Column::text("kind"),
        Column::number("events"),
        Column::number("mean ms"),
        Column::number("p50"),
        Column::number("p95"),
        Column::number("p99"),
    ];
    let row = |source: Option<String>, kind: Option<String>, of: &Durations| -> Vec<Text> {
        let shown = |text: Option<String>| text.map(|text| escape::visible(&text).into_owned());
        let mut row = vec![shown(source), shown(kind), Some(human::count(of.count))];
        row.extend([of.mean, of.p50, of.p95, of.p99].map(|ms| ms.map(|ms| format!("{ms:.1}"))));
        row
    };
    let mut rows = vec![row(Some("all".to_string()), Some(String::new()), all)];
    let groups = all.by_source_and_kind.iter().take(2 * SHOWN);
    rows.extend(groups.map(|group| row(group.source.clone(), group.kind.clone(), &group.durations)));
    table::render(&columns, &rows, look)
}
