//! `daybook compact`: merges the small files of each day.

use daybook::{CompactReceipt, CompactRequest};

use crate::context::Context;
use crate::failure::Failure;
use crate::human;
use crate::progress::ProgressLine;

/// Compacts one day, or all.
pub fn run(context: &Context<'_>, request: &CompactRequest) -> Result<(), Failure> {
    let store = context.open()?;
    let progress = ProgressLine::new(context.printer, "compacting");
    let receipt = store.compact(request, &progress)?;
    drop(progress);
    store.close()?;
    if context.printer.json() {
        context.printer.object(&receipt)
    } else {
        context.printer.receipt(&text(&receipt))
    }
}

/// What was done, in sentences.
pub fn text(receipt: &CompactReceipt) -> String {
    let mut lines = vec![line(receipt)];
    if receipt.files_removed > 0 {
        let files = human::counted(receipt.files_removed, "file", "files");
        lines.push(format!("{files} that no version needs any more removed"));
    }
    if receipt.files_waiting > 0 {
        lines.push(format!(
            "{} with {} stay for readers of older versions: `keep.versions_days` in daybook.toml says how long",
            human::counted(receipt.files_waiting, "old file", "old files"),
            human::bytes(receipt.bytes_waiting),
        ));
    }
    lines.join("\n")
}

fn line(receipt: &CompactReceipt) -> String {
    if receipt.days == 0 {
        return "nothing to compact: each day's files are merged already".to_string();
    }
    let days = human::counted(receipt.days, "day", "days");
    let files = human::counted(receipt.files_before, "file", "files");
    let (after, before) = (human::count(receipt.files_after), human::bytes(receipt.bytes_before));
    match receipt.bytes_after {
        Some(bytes) => format!(
            "{days} compacted in {}: {files} became {after}, {before} became {}",
            human::seconds(receipt.seconds),
            human::bytes(bytes),
        ),
        None => format!("{days} would be compacted: {files} with {before} would become {after}"),
    }
}
