//! The report as Markdown. Text of events is escaped, so that it stays text.

use super::AuditReport;
use super::write::sections;

pub(super) fn write(report: &AuditReport) -> String {
    let period = &report.period;
    let mut text = format!(
        "# Audit report\n\nFrom {} until {}, made at {}.\n",
        period.from, period.until, period.made_at
    );
    for section in sections(report) {
        text.push_str(&format!("\n## {}\n\n", section.title));
        if !section.note.is_empty() {
            text.push_str(&format!("{}\n\n", escaped(&section.note)));
        }
        if section.rows.is_empty() {
            text.push_str("None.\n");
            continue;
        }
        let rule = vec!["---"; section.columns.len()];
        text.push_str(&format!("| {} |\n| {} |\n", section.columns.join(" | "), rule.join(" | ")));
        for row in section.rows {
            let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    text
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
