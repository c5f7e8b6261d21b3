//! `daybook backup`: a consistent copy of a store that others are using.

use std::path::Path;

use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::progress::ProgressLine;

/// Copies the store into a folder.
pub fn run(context: &Context<'_>, folder: &Path) -> Result<(), Failure> {
    let store = context.open()?;
    let progress = ProgressLine::new(context.printer, "copying");
    let receipt = store.backup(folder, &progress)?;
    drop(progress);
    store.close()?;
    if context.printer.json() {
        return context.printer.object(&receipt);
    }
    context.printer.receipt(&format!(
        "{} in {} ({}) copied to {}, each compared with its hash\n{}",
        human::counted(receipt.events, "event", "events"),
        human::counted(receipt.files, "file", "files"),
        human::bytes(receipt.bytes),
        escape::visible(&folder.display().to_string()),
        receipt.head,
    ))
}
