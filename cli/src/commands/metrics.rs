//! `daybook metrics`: rates, errors and durations of the last hours; also for Prometheus.

use daybook::query::analyses::prometheus::{self, StoreMetrics};
use daybook::query::analyses::{Metrics, MetricsReport};

use super::asking::ask;
use super::whole_file;
use crate::args::{MetricsInput, Zone, is_dash};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::table::{self, Column, Look, Text};

/// Computes, and prints or writes.
pub fn run(context: &Context<'_>, input: &MetricsInput) -> Result<(), Failure> {
    let window_minutes = input.window_minutes;
    let metrics = ask(context, &input.filter, |store, filter, options| {
        Ok(store.metrics(&Metrics { filter, window_minutes }, options)?)
    })?;
    let (report, of_store) = (&metrics.window, &metrics.store);
    if let Some(file) = &input.prometheus {
        let text = prometheus::text(report, of_store);
        if is_dash(file) {
            let mut data = context.printer.data();
            data.write(text.as_bytes())?;
            return data.finish();
        }
        whole_file::write(file, text.as_bytes())?;
        context.printer.note(&format!("wrote `{}`", file.display()));
        return Ok(());
    }
    if context.printer.json() {
        return context.printer.object(&metrics);
    }
    let look = Look { width: context.printer.width(), color: context.printer.stdout().color };
    let mut data = context.printer.styled();
    data.write(numbers(report, of_store, context.global.zone).as_bytes())?;
    if !report.sources.is_empty() {
        data.write(b"\n")?;
        data.write(sources(report, look).as_bytes())?;
    }
    data.finish()
}

fn numbers(report: &MetricsReport, store: &StoreMetrics, zone: Zone) -> String {
    let entities = report.most_changed.iter().take(5).map(|entity| {
        let of_type = entity.entity_type.as_deref().unwrap_or_default();
        let name = format!("{of_type}:{}", entity.entity_id);
        format!("{} ({})", escape::visible(&name), human::count(entity.changes))
    });
    let lines = [
        ("window", format!("{} to {}", zone.restate(&report.from), zone.restate(&report.to))),
        ("events", format!("{}, {:.2} a minute", human::count(report.events), report.actions_per_minute)),
        ("changes", format!("{}, {:.2} an hour", human::count(report.changes), report.changes_per_hour)),
        ("errors", format!("{} ({})", human::count(report.errors), human::share(report.error_rate))),
        ("actors", human::count(report.actors)),
        ("sessions", human::count(report.sessions)),
        ("most changed", entities.collect::<Vec<_>>().join(", ")),
        (
            "store",
            format!("{} in {}", human::bytes(store.bytes), human::counted(store.files, "file", "files")),
        ),
        (
            "waiting",
            format!(
                "{} in the write-ahead log, {}",
                human::counted(store.wal_events, "event", "events"),
                human::bytes(store.wal_bytes)
            ),
        ),
        ("quarantined", human::count(store.quarantined)),
    ];
    lines.iter().map(|(name, value)| format!("{name:<12} {value}").trim_end().to_string() + "\n").collect()
}

fn sources(report: &MetricsReport, look: Look) -> String {
    let columns = [
        Column::text("source"),
        Column::number("events"),
        Column::number("errors"),
        Column::number("success"),
        Column::number("mean ms"),
        Column::number("p95"),
    ];
    let rows = report.sources.iter().map(|source| -> Vec<Text> {
        vec![
            Some(escape::visible(&source.source).into_owned()),
            Some(human::count(source.events)),
            Some(human::count(source.errors)),
            Some(human::share(source.success_rate)),
            source.duration_ms.mean.map(|ms| format!("{ms:.1}")),
            source.duration_ms.p95.map(|ms| format!("{ms:.1}")),
        ]
    });
    table::render(&columns, &rows.collect::<Vec<_>>(), look)
}
