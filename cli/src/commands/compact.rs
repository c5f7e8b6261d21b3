//! `daybook compact`: merges the small files of each day.

use chrono::NaiveDate;
use daybook::{CompactReceipt, CompactRequest};

use crate::context::Context;
use crate::failure::Failure;
use crate::human;
use crate::progress::ProgressLine;

/// Compacts one day, or all.
pub fn run(context: &Context<'_>, day: Option<NaiveDate>) -> Result<(), Failure> {
    let store = context.open()?;
    let progress = ProgressLine::new(context.printer, "compacting");
    let receipt = store.compact(&CompactRequest { day }, &progress)?;
    drop(progress);
    store.close()?;
    if context.printer.json() {
        context.printer.object(&receipt)
    } else {
        context.printer.receipt(&text(&receipt))
    }
}

fn text(receipt: &CompactReceipt) -> String {
    if receipt.days == 0 {
        return "nothing to compact: each day's files are merged already".to_string();
    }
    format!(
        "{} compacted in {}: {} became {}, {} became {}",
        human::counted(receipt.days, "day", "days"),
        human::seconds(receipt.seconds),
        human::counted(receipt.files_before, "file", "files"),
        human::count(receipt.files_after),
        human::bytes(receipt.bytes_before),
        human::bytes(receipt.bytes_after),
    )
}
