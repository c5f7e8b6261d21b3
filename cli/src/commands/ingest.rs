//! `daybook ingest`: stores the events of files.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use daybook::{Error, ErrorKind, IngestOptions, Input, InputReceipt, Receipt};

use crate::args::is_dash;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::interrupt;
use crate::progress::ProgressLine;
use crate::shell;

/// Stores what the files hold and says what became of it.
pub fn run(context: &Context<'_>, files: &[PathBuf]) -> Result<(), Failure> {
    let inputs = files.iter().map(|file| input(file)).collect::<Result<Vec<Input>, Failure>>()?;
    if files.iter().any(|file| is_dash(file)) && std::io::stdin().is_terminal() {
        context.printer.note("reading events from the terminal; end with Ctrl-D");
    }
    let store = context.open_or_create()?;
    let progress = ProgressLine::new(context.printer, "ingesting");
    let receipt = store.ingest(inputs, &IngestOptions::default(), &progress)?;
    drop(progress);
    store.close()?;
    if context.printer.json() {
        context.printer.object(&receipt)?;
    } else {
        context.printer.receipt(&text(&receipt, context.global.named_store.as_deref()))?;
    }
    unread(&receipt)
}

/// Looked at before the store is made, so that a wrong name leaves nothing behind.
fn input(file: &Path) -> Result<Input, Failure> {
    if is_dash(file) {
        let reader = interrupt::reader(std::io::stdin())?;
        return Ok(Input::Reader { name: "-".to_string(), reader: Box::new(reader) });
    }
    let metadata = std::fs::metadata(file).map_err(|error| Error::io("read", file.display(), error))?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::Invalid, format!("`{}` is a folder", file.display()))
            .with_hint("name the files in it, for example with `*`")
            .into());
    }
    Ok(Input::File(file.to_path_buf()))
}

fn unread(receipt: &Receipt) -> Result<(), Failure> {
    let mut failed = receipt.inputs.iter().filter_map(|input| input.error.as_ref());
    let Some(first) = failed.next() else { return Ok(()) };
    let others = match failed.count() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    Err(Error::new(ErrorKind::Io, format!("{first}{others}"))
        .with_hint(
            "what the receipt counts is stored; once mended, ingest the same files again: nothing is doubled",
        )
        .into())
}

fn text(receipt: &Receipt, store: Option<&Path>) -> String {
    let mut lines: Vec<String> = Vec::new();
    if receipt.inputs.len() > 1 {
        lines.extend(receipt.inputs.iter().map(input_line));
    }
    lines.push(format!(
        "{}: {} stored, {} duplicate, {} quarantined, in {} ({})",
        human::counted(receipt.records, "record", "records"),
        human::count(receipt.stored),
        human::count(receipt.duplicate),
        human::count(receipt.quarantined),
        human::seconds(receipt.seconds),
        rate(receipt),
    ));
    if receipt.quarantined > 0 {
        let sql = "SELECT reason, count(*) FROM quarantine GROUP BY reason";
        lines.push(format!("see why: {}", shell::command(store, &["sql", sql])));
    }
    lines.join("\n")
}

fn input_line(input: &InputReceipt) -> String {
    let mut line = format!(
        "{}: {}, {} stored, {} duplicate, {} quarantined",
        escape::visible(&input.input),
        human::counted(input.records, "record", "records"),
        human::count(input.stored),
        human::count(input.duplicate),
        human::count(input.quarantined),
    );
    if let Some(error) = &input.error {
        line.push_str(&format!(", then: {}", escape::visible(error)));
    }
    line
}

fn rate(receipt: &Receipt) -> String {
    let per_second = |amount: u64| (amount as f64 / receipt.seconds.max(0.001)) as u64;
    format!(
        "{}/s, {} records/s",
        human::bytes(per_second(receipt.bytes)),
        human::count(per_second(receipt.records))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(errors: &[Option<&str>]) -> Receipt {
        let inputs = errors.iter().enumerate().map(|(number, error)| InputReceipt {
            input: format!("{number}.jsonl"),
            records: 3,
            stored: 1,
            duplicate: 1,
            quarantined: 1,
            error: error.map(str::to_string),
            ..InputReceipt::default()
        });
        let inputs: Vec<InputReceipt> = inputs.collect();
        let records = 3 * inputs.len() as u64;
        Receipt {
            records,
            stored: 1,
            duplicate: 1,
            quarantined: 1,
            bytes: 5000,
            seconds: 0.5,
            inputs,
            ..Receipt::default()
        }
    }

    #[test]
    fn a_receipt_counts_all_four() {
        let one = text(&receipt(&[None]), None);
        assert!(one.starts_with(
            "3 records: 1 stored, 1 duplicate, 1 quarantined, in 500 ms (10 kB/s, 6 records/s)\nsee why: "
        ));
        assert!(text(&receipt(&[None, Some("cut\u{7} short")]), None).starts_with(
            "0.jsonl: 3 records, 1 stored, 1 duplicate, 1 quarantined\n\
             1.jsonl: 3 records, 1 stored, 1 duplicate, 1 quarantined, then: cut\\u0007 short\n6 records"
        ));
    }

    #[test]
    fn an_input_that_could_not_be_read_is_a_failure() {
        assert!(unread(&receipt(&[None, None])).is_ok());
        let failure = unread(&receipt(&[None, Some("cut short"), Some("gone")])).err();
        assert_eq!(failure.map(|failure| failure.message()).as_deref(), Some("cut short (and 1 more)"));
    }

    #[test]
    fn a_wrong_name_is_told_before_anything_is_made() {
        assert!(input(Path::new("/nonsense/file")).is_err_and(|failure| failure.kind() == "not_found"));
        assert!(input(Path::new("/")).is_err_and(|failure| failure.kind() == "invalid"));
    }
}
