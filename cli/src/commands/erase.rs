//! `daybook erase`: takes out one person's data, with everything older.

use chrono::Utc;
use daybook::query::filter::{Context as Reading, Filter};
use daybook::{EraseReceipt, EraseRequest, Error, ErrorKind};

use crate::args::EraseInput;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::progress::ProgressLine;

/// Erases; fails if something that matches may be left.
pub fn run(context: &Context<'_>, input: EraseInput) -> Result<(), Failure> {
    let store = context.open()?;
    let zone = context.global.zone;
    let offset = move |instant_us: i64| zone.offset_at(instant_us);
    let reading = Reading::new(Utc::now().timestamp_micros()).with_zone(&offset);
    let EraseInput { filter: text, reason, redact, dry_run } = input;
    let filter = Filter::parse(&text, &reading).map_err(|error| error.into_error(&text))?;
    let request = EraseRequest { filter, text, reason, redact, dry_run };
    let progress = ProgressLine::new(context.printer, "erasing");
    let receipt = store.erase(&request, &progress)?;
    drop(progress);
    store.close()?;
    if context.printer.json() {
        context.printer.object(&receipt)?;
    } else {
        context.printer.receipt(&text_of(&receipt))?;
    }
    if dry_run || receipt.is_complete() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Busy, "something that matches may be left in the store")
        .with_hint("what was done stays; do it again when the processes that write to the store have ended")
        .into())
}

fn text_of(receipt: &EraseReceipt) -> String {
    let (would, were) = if receipt.dry_run { ("would be ", "would be ") } else { ("", "were ") };
    let events = human::counted(receipt.events, "event", "events");
    let mut lines = vec![match receipt.redacted.as_slice() {
        [] => format!("{events} {would}erased"),
        fields => format!("{} {would}blanked in {events}", escape::visible(&fields.join(", "))),
    }];
    if receipt.rejects > 0 {
        lines.push(format!(
            "{} of the quarantine {would}erased",
            human::counted(receipt.rejects, "record", "records")
        ));
    }
    if receipt.quarantine_skipped {
        lines
            .push("the quarantine was not looked through: the filter names no value to look for".to_string());
    }
    if !receipt.dry_run {
        lines.push(format!(
            "{} and {} of older versions {were}removed, {} forgotten",
            human::counted(receipt.files_removed, "file", "files"),
            human::counted(receipt.commits_removed, "commit", "commits"),
            human::counted(receipt.templates, "template", "templates"),
        ));
    }
    if receipt.events_waiting > 0 {
        let events = human::counted(receipt.events_waiting, "event", "events");
        lines.push(match receipt.dry_run {
            true => format!("{events} more in the write-ahead log"),
            false => format!("{events} that match in the log of a process that is running"),
        });
    }
    if receipt.files_waiting > 0 {
        let files = human::counted(receipt.files_waiting, "file", "files");
        lines.push(format!(
            "{files} that no commit names stayed: somebody is writing them, or a crash left them"
        ));
    }
    for archive in &receipt.archives {
        lines.push(format!("in an archive: {}", text_of(archive).replace('\n', "; ")));
    }
    if !receipt.dry_run {
        lines.push("backups, exports, archives and other copies are out of reach: see to them".to_string());
    }
    lines.join("\n")
}
