//! `daybook encrypt`: encrypts what is there, with the key that is written with.

use daybook::EncryptReceipt;

use crate::context::Context;
use crate::failure::Failure;
use crate::human;
use crate::progress::ProgressLine;

/// Encrypts the store, or goes on with it.
pub fn run(context: &Context<'_>) -> Result<(), Failure> {
    let store = context.open()?;
    let progress = ProgressLine::new(context.printer, "encrypting");
    let receipt = store.encrypt(&progress)?;
    drop(progress);
    store.close()?;
    match context.printer.json() {
        true => context.printer.object(&receipt),
        false => context.printer.receipt(&text(&receipt)),
    }
}

fn text(receipt: &EncryptReceipt) -> String {
    let key = &receipt.key;
    let mut lines = Vec::new();
    match receipt.files + receipt.others {
        0 => lines.push(format!("everything is encrypted with the key {key} already")),
        _ => lines.push(format!(
            "{} with {} and {} encrypted with the key {key} in {}",
            human::counted(receipt.files, "data file", "data files"),
            human::counted(receipt.events, "event", "events"),
            human::counted(receipt.others, "other file", "other files"),
            human::seconds(receipt.seconds),
        )),
    }
    if receipt.files_removed > 0 {
        let files = human::counted(receipt.files_removed, "file", "files");
        lines.push(format!("{files} of older versions removed"));
    }
    if receipt.segments_waiting > 0 {
        lines.push(format!(
            "{} of running programs not encrypted with it: start these with the key, and run this again",
            human::counted(receipt.segments_waiting, "log segment", "log segments"),
        ));
    }
    if receipt.files_waiting > 0 {
        lines.push(format!(
            "{} that no commit names stayed, which somebody may be writing: run this again tomorrow",
            human::counted(receipt.files_waiting, "file", "files"),
        ));
    }
    if receipt.is_complete() {
        lines.push("keys in further lines of the key file are not needed any more".to_string());
    }
    lines.join("\n")
}
