//! `daybook info`: what is in the store, what keeping it takes, and what is due.

use daybook::{Info, KeepReport};
use serde::Serialize;

use super::maintain;
use crate::args::Zone;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;

/// So many days and columns are shown.
const SHOWN: usize = 7;

/// Both reports as one object.
#[derive(Serialize)]
struct All<'a> {
    #[serde(flatten)]
    info: &'a Info,
    keep: &'a KeepReport,
}

/// Prints the numbers of the store.
pub fn run(context: &Context<'_>) -> Result<(), Failure> {
    let store = context.open()?;
    let info = store.info()?;
    let keep = store.keeping()?;
    for warning in &info.warnings {
        context.printer.warn(warning);
    }
    if context.printer.json() {
        context.printer.object(&All { info: &info, keep: &keep })?;
    } else {
        let mut data = context.printer.styled();
        data.write(text(&info, context.global.zone).as_bytes())?;
        data.write(text_of_keeping(&keep).as_bytes())?;
        data.finish()?;
    }
    store.close()?;
    Ok(())
}

fn text(info: &Info, zone: Zone) -> String {
    let span = match (&info.from, &info.to) {
        (Some(from), Some(to)) => format!("{} to {}", zone.restate(from), zone.restate(to)),
        _ => "no events yet".to_string(),
    };
    let lines = [
        ("store", escape::visible(&info.path).into_owned()),
        ("events", human::count(info.events)),
        ("period", span),
        ("days", human::count(info.days)),
        (
            "on disk",
            format!("{} in {}", human::bytes(info.bytes), human::counted(info.files, "file", "files")),
        ),
        ("waiting", format!("{} in the write-ahead log", human::counted(info.wal_events, "event", "events"))),
        ("quarantined", human::count(info.quarantined)),
        ("version", format!("{} (format {})", info.version, info.format)),
    ];
    lines.iter().map(|(name, value)| format!("{name:<12} {value}\n")).collect()
}

fn text_of_keeping(keep: &KeepReport) -> String {
    let mut lines = Vec::new();
    for (number, quota) in keep.quotas.iter().enumerate() {
        let name = if number == 0 { "quota" } else { "" };
        let which = if quota.filter.is_empty() { "all events" } else { &quota.filter };
        let (used, most) = (human::bytes(quota.bytes), human::bytes(quota.max_bytes));
        lines.push((name, format!("{}: {:.1} % of {most} ({used})", escape::visible(which), quota.percent)));
    }
    let due = maintain::text(&keep.due).replace('\n', "; ");
    lines.push(("due", due));
    let columns = keep.columns.iter().take(SHOWN);
    let columns: Vec<String> = columns
        .map(|column| format!("{} {}", escape::visible(&column.name), human::bytes(column.bytes)))
        .collect();
    if !columns.is_empty() {
        lines.push(("columns", columns.join(", ")));
    }
    for (number, day) in keep.by_day.iter().rev().take(SHOWN).enumerate() {
        let name = if number == 0 { "by day" } else { "" };
        let (events, files) =
            (human::counted(day.events, "event", "events"), human::counted(day.files, "file", "files"));
        lines.push((name, format!("{}: {events}, {} in {files}", day.day, human::bytes(day.bytes))));
    }
    let more = keep.by_day.len().saturating_sub(SHOWN) as u64;
    if more > 0 {
        lines.push((
            "",
            format!("and {}, which `--json` has", human::counted(more, "earlier day", "earlier days")),
        ));
    }
    lines.iter().map(|(name, value)| format!("{name:<12} {value}\n")).collect()
}
