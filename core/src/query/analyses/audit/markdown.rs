//! The report as Markdown. Text of events is escaped, so that it stays text.

use super::write::{Body, Section, Stretch, entity, headline, number, period, sections, shown, time};
use super::{AuditReport, EntityHistory};
use crate::query::analyses::{Change, Difference};

pub(super) fn write(report: &AuditReport) -> String {
    let made = time(&report.period.made_at);
    let mut text = format!("# Audit report\n\n{}, made at {made}. Times are UTC.\n", period(report));
    if report.filter != "*" {
        text.push_str(&format!("\nOnly events that match: {}\n", escaped(&report.filter)));
    }
    for section in sections(report) {
        write_section(&section, &mut text);
    }
    text
}

fn write_section(section: &Section<'_>, text: &mut String) {
    text.push_str(&format!("\n## {}\n\n", section.title));
    if !section.note.is_empty() {
        text.push_str(&format!("{}\n\n", escaped(&section.note)));
    }
    match &section.body {
        Body::Pairs(pairs) => {
            let rows = pairs.iter().map(|(name, value)| vec![(*name).to_string(), value.clone()]);
            table(&["", ""], rows.collect(), text);
        }
        Body::Counts { of, counts, left_out } => {
            let rows = counts.iter().map(|(value, count)| vec![value.clone(), number(*count)]);
            table(&[of, "events"], rows.collect(), text);
            if *left_out > 0 {
                text.push_str(&format!("\nAnd {} more.\n", number(*left_out as u64)));
            }
        }
        Body::Course(stretches) => {
            let row = |stretch: &Stretch| {
                vec![stretch.name.clone(), number(stretch.events), number(stretch.errors)]
            };
            table(&["when", "events", "errors"], stretches.iter().map(row).collect(), text);
        }
        Body::Table { columns, rows } => table(columns, rows.clone(), text),
        Body::Changes(entities) => {
            let rows = entities.iter().flat_map(changes).collect();
            table(&["entity", "when", "what", "who", "difference"], rows, text);
        }
    }
}

fn changes(of: &EntityHistory) -> Vec<Vec<String>> {
    let row = |changed: &crate::query::analyses::Changed| {
        let [when, what, who, _] = headline(&changed.event);
        let differences: Vec<String> = changed.diff.iter().map(in_words).collect();
        vec![entity(of), when, what, who, differences.join("\n")]
    };
    of.changes.iter().map(row).collect()
}

/// A difference in words.
fn in_words(difference: &Difference) -> String {
    let (before, after) = (shown(difference.before.as_ref()), shown(difference.after.as_ref()));
    let path = if difference.path.is_empty() { "the whole" } else { &difference.path };
    match difference.change {
        Change::Added => format!("{path}: added {after}"),
        Change::Removed => format!("{path}: removed {before}"),
        Change::Changed => format!("{path}: {before} → {after}"),
    }
}

fn table(columns: &[&str], rows: Vec<Vec<String>>, text: &mut String) {
    if rows.is_empty() {
        text.push_str("None.\n");
        return;
    }
    let rule = vec!["---"; columns.len()];
    text.push_str(&format!("| {} |\n| {} |\n", columns.join(" | "), rule.join(" | ")));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
}

/// Text that no reader of Markdown takes for anything else; lines become `<br>`.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' => safe.push_str("<br>"),
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                safe.extend(['\\', char]);
            }
            char if char.is_control() => safe.push('\u{fffd}'),
            char => safe.push(char),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(escaped("a|b"), "a\\|b");
        assert_eq!(escaped("<script>&\n[x](y)\u{1b}"), "&lt;script&gt;&amp;<br>\\[x\\]\\(y\\)\u{fffd}");
    }
}
