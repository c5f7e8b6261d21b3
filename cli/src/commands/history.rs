//! `daybook history` and `file-history`: what happened to one thing, and what each change changed.

use daybook::query::analyses::{Change, Difference, FileHistory, History};
use serde_json::Value;

use super::asking::ask;
use super::events;
use crate::args::{HistoryInput, HistoryOf};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::printer::paint;

/// So many characters of a value are shown.
const VALUE_SHOWN: usize = 200;
/// So many differences of a change are shown.
const DIFFERENCES_SHOWN: usize = 50;

/// Asks, and prints each change with what it changed.
pub fn run(context: &Context<'_>, input: &HistoryInput) -> Result<(), Failure> {
    let limit = input.asked.limit;
    let report = ask(context, &input.asked.filter, |store, filter, options| {
        Ok(match &input.of {
            HistoryOf::Entity(entity_type, entity_id) => {
                let (entity_type, entity_id) = (entity_type.clone(), entity_id.clone());
                store.ask(&History { entity_type, entity_id, filter, limit }, options)?
            }
            HistoryOf::File(path) => {
                store.ask(&FileHistory { path: path.clone(), filter, limit }, options)?
            }
        })
    })?;
    if context.printer.json() {
        return context.printer.object(&report);
    }
    let color = context.printer.stdout().color;
    let mut data = context.printer.styled();
    for changed in &report.changes {
        let line = events::line(changed, context.global.zone);
        data.write(format!("{}\n", paint(color, "1", &line)).as_bytes())?;
        for difference in changed.diff.iter().take(DIFFERENCES_SHOWN) {
            data.write(text(difference, color).as_bytes())?;
        }
        let more = changed.diff.len().saturating_sub(DIFFERENCES_SHOWN);
        if more > 0 {
            let more = human::counted(more as u64, "difference", "differences");
            data.write(format!("    and {more} more\n").as_bytes())?;
        }
    }
    data.finish()?;
    if report.changes.is_empty() {
        context.printer.note("no event matches");
    } else if report.more {
        context.printer.note(&format!("the newest {limit}; `--limit N` shows more"));
    }
    Ok(())
}

/// A difference on one line, or, for a text of several lines, the lines that differ.
fn text(difference: &Difference, color: bool) -> String {
    let value = |value: &Option<Value>| shown(value.as_ref());
    let path = match difference.path.is_empty() {
        true => String::new(),
        false => format!("{}: ", escape::visible(&difference.path)),
    };
    if !difference.lines.is_empty() {
        let line = |line: &String| {
            let style = if line.starts_with('-') { "31" } else { "32" };
            let text = escape::visible(line);
            let text = if line.starts_with(' ') { text.into_owned() } else { paint(color, style, &text) };
            format!("      {text}\n")
        };
        let lines: String = difference.lines.iter().take(DIFFERENCES_SHOWN).map(line).collect();
        let head = format!("    ~ {}", path.trim_end_matches(": "));
        return format!("{}\n{lines}", head.trim_end());
    }
    let (before, after) = (value(&difference.before), value(&difference.after));
    match difference.change {
        Change::Added => paint(color, "32", &format!("    + {path}{after}")) + "\n",
        Change::Removed => paint(color, "31", &format!("    - {path}{before}")) + "\n",
        Change::Changed => format!("    ~ {path}{before} → {after}\n"),
    }
}

fn shown(value: Option<&Value>) -> String {
    let text = value.map(Value::to_string).unwrap_or_default();
    let mut cut: String = text.chars().take(VALUE_SHOWN).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    escape::visible(&cut).into_owned()
}

#[cfg(test)]
mod tests {
    use daybook::query::analyses::diff;

    use super::*;

    #[test]
    fn differences_are_lines() {
        let text: String =
            diff(Some(r#"{"a":1,"b":"x\ny","c":[1]}"#), Some(r#"{"a":2,"b":"x\nz","d":"\u001b"}"#))
                .iter()
                .map(|difference| text(difference, false))
                .collect();
        assert_eq!(
            text,
            "    ~ a: 1 → 2\n    ~ b\n       x\n      -y\n      +z\n    - c: [1]\n    + d: \"\\u001b\"\n"
        );
    }
}
