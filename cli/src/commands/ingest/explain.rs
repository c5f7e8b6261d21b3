//! `daybook ingest --explain`: says what would be stored, and how.

use daybook::{ErrorKind, Explanation, IngestOptions, Input};

use super::redacted;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;

/// Explains each input and stores nothing; the store need not be there.
pub fn run(context: &Context<'_>, inputs: Vec<Input>, options: &IngestOptions) -> Result<(), Failure> {
    let store = match context.open_alone() {
        Ok(store) => Some(store),
        Err(Failure::Error(error)) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    for input in inputs {
        let explanations = match &store {
            Some(store) => store.explain(input, options)?,
            None => daybook::explain(input, options)?,
        };
        for explanation in &explanations {
            match context.printer.json() {
                true => context.printer.object(explanation)?,
                false => context.printer.receipt(&text(explanation))?,
            }
        }
    }
    Ok(())
}

fn text(explanation: &Explanation) -> String {
    let mut lines = vec![format!("{}: {}", escape::visible(&explanation.input), explanation.format)];
    let sure = match (explanation.sure, &explanation.because) {
        (Some(sure), Some(because)) => format!("  {sure} % sure: {}", escape::visible(because)),
        (None, _) => "  as you said".to_string(),
        (Some(_), None) => "  nothing speaks for another format".to_string(),
    };
    lines.push(sure);
    lines.push(format!("  compression {}, encoding {}", explanation.compression, explanation.encoding));
    lines.extend(explanation.notes.iter().map(|note| format!("  {}", escape::visible(note))));
    let part = if explanation.whole { "all" } else { "the first" };
    lines.push(format!(
        "  in {part} {}: {}, {} of them cannot be read",
        human::bytes(explanation.bytes),
        human::counted(explanation.records, "record", "records"),
        human::count(explanation.quarantined)
    ));
    for unreadable in &explanation.unreadable {
        lines.push(format!(
            "    at byte {}: {}",
            unreadable.byte_offset,
            escape::visible(&unreadable.reason)
        ));
    }
    if !explanation.redacted.is_empty() {
        lines.push(format!("  would be redacted: {}", redacted(&explanation.redacted)));
    }
    lines.push("columns".to_string());
    let name_width =
        explanation.columns.iter().map(|column| column.column.chars().count()).max().unwrap_or(0);
    let name_width = name_width.min(30);
    for column in &explanation.columns {
        lines.push(format!(
            "  {:name_width$}  {:9}  {:>7}  {}",
            escape::visible(&column.column),
            column.column_type,
            human::count(column.events),
            escape::visible(&column.paths.join(", "))
        ));
    }
    lines.push("events".to_string());
    lines.extend(explanation.events.iter().map(|event| format!("  {}", escape::visible(&event.to_string()))));
    lines.join("\n")
}
