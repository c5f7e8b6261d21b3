//! `daybook quarantine`: what could not be read, and another try at it.

use std::path::Path;

use daybook::{QuarantineFilter, QuarantinePage, QuarantineSummary, RetryOptions, RetryReceipt};

use crate::args::{Quarantine, Zone};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::printer::paint;
use crate::progress::ProgressLine;
use crate::shell;
use crate::table::{self, Column, Look, Text};

/// So many reasons, and so many inputs, are shown.
const GROUPS_SHOWN: usize = 20;
/// So many characters of a record are listed.
const TEXT_SHOWN: usize = 500;

/// Shows what is in the quarantine, or reads it again.
pub fn run(context: &Context<'_>, request: Quarantine) -> Result<(), Failure> {
    match request {
        Quarantine::Summary(filter) => summary(context, &filter),
        Quarantine::List { filter, limit, before } => list(context, &filter, limit, before),
        Quarantine::Retry(options) => retry(context, &options),
    }
}

fn summary(context: &Context<'_>, filter: &QuarantineFilter) -> Result<(), Failure> {
    let store = context.open()?;
    let summary = store.quarantined(filter)?;
    store.close()?;
    if context.printer.json() {
        return context.printer.object(&summary);
    }
    if summary.records == 0 {
        return context.printer.receipt(nothing(filter));
    }
    let mut data = context.printer.styled();
    data.write(summary_text(&summary, context.global.zone, look(context)).as_bytes())?;
    data.finish()?;
    let named = context.global.named_store.as_deref();
    context.printer.note(&format!(
        "look at them: {}\ntry again:    {}",
        shell::command(named, &["quarantine", "list"]),
        shell::command(named, &["quarantine", "retry", "--help"]),
    ));
    Ok(())
}

fn summary_text(summary: &QuarantineSummary, zone: Zone, look: Look) -> String {
    let span = |first: &Option<String>, last: &Option<String>| match (first, last) {
        (Some(first), Some(last)) if first == last => format!(", of {}", zone.restate(first)),
        (Some(first), Some(last)) => format!(", from {} to {}", zone.restate(first), zone.restate(last)),
        _ => String::new(),
    };
    let mut text = format!(
        "{} in the quarantine{}\n\n",
        human::counted(summary.records, "record", "records"),
        span(&summary.first, &summary.last)
    );
    let columns = [Column::number("records"), Column::text("reason"), Column::text("the last of them")];
    let row = |group: &daybook::ReasonGroup| {
        vec![Some(human::count(group.count)), visible(&group.reason), visible(&group.example)]
    };
    let rows: Vec<Vec<Text>> = summary.by_reason.iter().take(GROUPS_SHOWN).map(row).collect();
    text.push_str(&table::render(&columns, &rows, look));
    push_more(&mut text, summary.by_reason.len(), "reason", "reasons");
    let columns = [Column::number("records"), Column::text("input")];
    let row = |group: &daybook::InputGroup| vec![Some(human::count(group.count)), visible(&group.input)];
    let rows: Vec<Vec<Text>> = summary.by_input.iter().take(GROUPS_SHOWN).map(row).collect();
    text.push('\n');
    text.push_str(&table::render(&columns, &rows, look));
    push_more(&mut text, summary.by_input.len(), "input", "inputs");
    text
}

fn push_more(text: &mut String, groups: usize, one: &str, many: &str) {
    if let Some(more) = groups.checked_sub(GROUPS_SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("and {} more; `--json` has all\n", human::counted(more as u64, one, many)));
    }
}

fn list(
    context: &Context<'_>,
    filter: &QuarantineFilter,
    limit: usize,
    before: Option<i64>,
) -> Result<(), Failure> {
    let store = context.open()?;
    let page = store.quarantined_records(filter, before, limit)?;
    store.close()?;
    if context.printer.json() {
        return context.printer.object(&page);
    }
    if page.records.is_empty() {
        return context.printer.receipt(nothing(filter));
    }
    let mut data = context.printer.styled();
    data.write(list_text(&page, context.global.zone, context.printer.stdout().color).as_bytes())?;
    data.finish()?;
    if let Some(before) = page.before {
        context.printer.note(&format!("there are more: go on with `--before {before}`"));
    }
    Ok(())
}

/// Three lines a record: what it is, why it could not be read, and its text.
fn list_text(page: &QuarantinePage, zone: Zone, color: bool) -> String {
    let mut text = String::new();
    for record in &page.records {
        let (arrived, input) = (zone.restate(&record.arrived), escape::visible(&record.input));
        let read_as = match record.format.as_str() {
            "" => String::new(),
            format => format!(", read as {}", escape::visible(format)),
        };
        let head = format!("{}  {arrived}  {input}, byte {}{read_as}", record.seq, record.byte_offset);
        let shown: String = record.text.chars().take(TEXT_SHOWN).collect();
        let rest = if shown.len() < record.text.len() { "…" } else { "" };
        text.push_str(&format!(
            "{}\n  {}\n  {}{rest}\n",
            paint(color, "1", &head),
            paint(color, "33", &escape::visible(&record.reason)),
            escape::visible(&shown),
        ));
    }
    text
}

fn retry(context: &Context<'_>, options: &RetryOptions) -> Result<(), Failure> {
    let store = context.open()?;
    let progress = ProgressLine::new(context.printer, "reading again");
    let receipt = store.retry_quarantine(options, &progress)?;
    drop(progress);
    store.close()?;
    if context.printer.json() {
        return context.printer.object(&receipt);
    }
    context.printer.receipt(&retry_text(&receipt, options, context.global.named_store.as_deref()))
}

fn retry_text(receipt: &RetryReceipt, options: &RetryOptions, store: Option<&Path>) -> String {
    let mut lines = Vec::new();
    if receipt.tried == 0 && receipt.skipped == 0 && receipt.waiting == 0 {
        lines.push(nothing(&options.filter).to_string());
    } else {
        let more = match receipt.events {
            events if events == receipt.stored => String::new(),
            events => format!(" (as {})", human::counted(events, "event", "events")),
        };
        lines.push(format!(
            "{} read again in {}: {} stored{more}, {} still in the quarantine",
            human::counted(receipt.tried, "record", "records"),
            human::seconds(receipt.seconds),
            human::count(receipt.stored),
            human::count(receipt.still),
        ));
    }
    for reason in receipt.by_reason.iter().take(GROUPS_SHOWN) {
        lines.push(format!("  {}: {}", human::count(reason.count), escape::visible(&reason.reason)));
    }
    let mut also = |count: u64, what: &str| {
        if count > 0 {
            lines.push(format!("{} {what}", human::counted(count, "record", "records")));
        }
    };
    also(receipt.skipped, "not tried: only the beginning was kept, because it was too long");
    also(receipt.waiting, "not tried: still in the log of another process; try again when it has ended");
    also(receipt.finished, "taken out that an earlier retry had stored before it was cut off");
    if receipt.still > 0 {
        lines.push(format!("look at them: {}", shell::command(store, &["quarantine", "list"])));
    }
    lines.join("\n")
}

/// What to say where there is nothing.
fn nothing(filter: &QuarantineFilter) -> &'static str {
    match filter == &QuarantineFilter::default() {
        true => "nothing is in the quarantine",
        false => "nothing of that is in the quarantine",
    }
}

fn visible(text: &str) -> Text {
    Some(escape::visible(text).into_owned())
}

fn look(context: &Context<'_>) -> Look {
    Look { width: context.printer.width(), color: context.printer.stdout().color }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daybook::{InputGroup, Quarantined, ReasonCount, ReasonGroup};

    const LOOK: Look = Look { width: None, color: false };

    fn day(day: u32) -> String {
        format!("2026-02-{day:02}T00:00:00Z")
    }

    #[test]
    fn a_summary_shows_reasons_and_inputs_and_nothing_that_a_terminal_acts_on() {
        let reason = |number: u64| ReasonGroup {
            reason: format!("bad \u{1b}[2J {number}"),
            count: 2000 - number,
            first: day(1),
            last: day(2),
            example: "{\u{7}\n".to_string(),
        };
        let summary = QuarantineSummary {
            records: 2022,
            bytes: 5,
            first: Some(day(1)),
            last: Some(day(2)),
            by_reason: (0..22).map(reason).collect(),
            by_input: vec![InputGroup { input: "a\rb".to_string(), count: 3, first: day(1), last: day(2) }],
        };
        let text = summary_text(&summary, Zone::Utc, LOOK);
        assert!(text.starts_with(
            "2,022 records in the quarantine, from 2026-02-01T00:00:00Z to 2026-02-02T00:00:00Z\n\n"
        ));
        assert!(text.contains("  2,000  bad \\u001b[2J 0   {\\u0007\\n\n"), "{text}");
        assert!(text.contains("and 2 reasons more; `--json` has all\n"), "{text}");
        assert!(text.contains("      3  a\\rb\n"), "{text}");
        assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
    }

    #[test]
    fn a_list_has_three_safe_lines_a_record() {
        let record = |text: String| Quarantined {
            seq: 7,
            arrived: day(1),
            reason: "no\u{1b}[31m".to_string(),
            input: "a\nb".to_string(),
            byte_offset: 12,
            format: "jsonl".to_string(),
            bytes: 3,
            text,
        };
        let records = vec![record("x\r\u{202e}".to_string()), record("é".repeat(TEXT_SHOWN + 1))];
        let text = list_text(&QuarantinePage { records, before: None }, Zone::Utc, false);
        let head = "7  2026-02-01T00:00:00Z  a\\nb, byte 12, read as jsonl\n  no\\u001b[31m\n";
        assert_eq!(text, format!("{head}  x\\r\\u202e\n{head}  {}…\n", "é".repeat(TEXT_SHOWN)));
    }

    #[test]
    fn a_receipt_says_what_was_tried_and_what_not() {
        let mut receipt = RetryReceipt {
            tried: 3,
            stored: 2,
            still: 1,
            events: 2,
            seconds: 0.5,
            ..RetryReceipt::default()
        };
        receipt.by_reason.push(ReasonCount { reason: "no \u{1b}".to_string(), count: 1 });
        let text = |receipt: &RetryReceipt| retry_text(receipt, &RetryOptions::default(), None);
        let expected = "3 records read again in 500 ms: 2 stored, 1 still in the quarantine\n  1: no \\u001b\nlook at them: ";
        assert!(text(&receipt).starts_with(expected), "{}", text(&receipt));
        assert_eq!(text(&RetryReceipt::default()), "nothing is in the quarantine");
        receipt =
            RetryReceipt { tried: 1, stored: 1, events: 5, skipped: 2, waiting: 3, finished: 4, ..receipt };
        receipt.still = 0;
        receipt.by_reason.clear();
        assert_eq!(
            text(&receipt),
            "1 record read again in 500 ms: 1 stored (as 5 events), 0 still in the quarantine\n\
             2 records not tried: only the beginning was kept, because it was too long\n\
             3 records not tried: still in the log of another process; try again when it has ended\n\
             4 records taken out that an earlier retry had stored before it was cut off"
        );
    }
}
