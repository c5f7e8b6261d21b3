//! `daybook ingest`: stores the events of files.

mod explain;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use daybook::{Error, ErrorKind, Input, InputReceipt, Receipt};

use crate::args::{Ingest, is_dash};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::interrupt;
use crate::progress::ProgressLine;
use crate::shell;

/// So many inputs get a line each; of more, only those with an error.
const INPUTS_SHOWN: usize = 20;
/// So many notes are shown.
const NOTES_SHOWN: usize = 10;

/// Stores what the files hold and says what became of it.
pub fn run(context: &Context<'_>, request: &Ingest) -> Result<(), Failure> {
    let inputs = inputs(context, &request.files)?;
    if request.explain {
        return explain::run(context, inputs, &request.options);
    }
    if request.files.iter().any(|file| is_dash(file)) && std::io::stdin().is_terminal() {
        context.printer.note("reading events from the terminal; end with Ctrl-D");
    }
    let store = context.open_or_create()?;
    let progress = ProgressLine::new(context.printer, "ingesting");
    let receipt = store.ingest(inputs, &request.options, &progress)?;
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
fn inputs(context: &Context<'_>, files: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for file in files {
        if is_dash(file) {
            let reader = interrupt::reader(std::io::stdin())?;
            inputs.push(Input::Reader { name: "-".to_string(), reader: Box::new(reader) });
            continue;
        }
        let expanded = daybook::expand(std::slice::from_ref(file))?;
        expanded.notes.iter().for_each(|note| context.printer.note(note));
        inputs.extend(expanded.inputs);
    }
    Ok(inputs)
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
    let inputs = &receipt.inputs;
    if inputs.len() > 1 {
        let worth_a_line = |input: &&InputReceipt| inputs.len() <= INPUTS_SHOWN || input.error.is_some();
        lines.extend(inputs.iter().filter(worth_a_line).map(input_line));
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
    if !receipt.redacted.is_empty() {
        lines.push(format!("redacted: {}", redacted(&receipt.redacted)));
    }
    let notes = receipt.inputs.iter().flat_map(|input| input.notes.iter().map(|note| (&input.input, note)));
    for (name, note) in notes.clone().take(NOTES_SHOWN) {
        lines.push(format!("{}: {}", escape::visible(name), escape::visible(note)));
    }
    if let Some(more) = notes.count().checked_sub(NOTES_SHOWN).filter(|more| *more > 0) {
        lines.push(format!("and {} more; `--json` has all", human::counted(more as u64, "note", "notes")));
    }
    if receipt.quarantined > 0 {
        let sql = "SELECT reason, count(*) FROM quarantine GROUP BY reason";
        lines.push(format!("see why: {}", shell::command(store, &["sql", sql])));
    }
    lines.join("\n")
}

/// What was redacted, in words.
fn redacted(counts: &daybook::RedactedCounts) -> String {
    let rules = counts
        .by_rule
        .iter()
        .map(|(rule, count)| format!("{} {}", human::count(*count), escape::visible(rule)));
    let cut = (counts.cut > 0).then(|| format!("{} cut for their length", human::count(counts.cut)));
    rules.chain(cut).collect::<Vec<_>>().join(", ")
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
}
