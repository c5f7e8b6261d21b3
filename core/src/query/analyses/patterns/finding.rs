//! What an analysis of patterns found: a sentence, its probability by chance, and the events behind it.

use super::math::surprise;
use crate::event::time::rfc3339;
use crate::query::filter::{Filter, Op, Value};
use serde::Serialize;

/// What sort of finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the titles of findings say what they are")]
pub enum What {
    Burst,
    Drop,
    Silence,
    New,
    Step,
    Growth,
    Slower,
    Faster,
    Missed,
    Session,
    Actor,
    CoChange,
    Rhythm,
    Sequence,
}

impl What {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            What::Burst => "burst",
            What::Drop => "drop",
            What::Silence => "silence",
            What::New => "new",
            What::Step => "step",
            What::Growth => "growth",
            What::Slower => "slower",
            What::Faster => "faster",
            What::Missed => "missed",
            What::Session => "session",
            What::Actor => "actor",
            What::CoChange => "together",
            What::Rhythm => "rhythm",
            What::Sequence => "sequence",
        }
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What sort of finding it is.
    pub what: What,
    /// What it is about, as the grammar of filters writes it.
    pub about: String,
    /// What was found, in a sentence.
    pub title: String,
    /// When it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The instant after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What is usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<f64>,
    /// What there was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<f64>,
    /// The probability of that, or of what is farther from usual, by chance.
    pub p: f64,
    /// How surprising that is: the decimal places of `p`.
    pub score: f64,
    /// The words of the command that shows the events behind it.
    pub show: Vec<String>,
    /// Counts around it, in equal stretches of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<f64>,
    /// What else shows the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

impl Finding {
    /// A finding about something, with a probability; the rest is empty.
    pub(super) fn new(what: What, about: String, title: String, p: f64) -> Finding {
        let show = Vec::new();
        Finding {
            what,
            about,
            title,
            from: None,
            to: None,
            expected: None,
            seen: None,
            p,
            score: surprise(p),
            show,
            counts: Vec::new(),
            also: Vec::new(),
        }
    }

    /// The same within a time.
    pub(super) fn within(self, from_us: i64, to_us: i64) -> Finding {
        Finding { from: Some(rfc3339(from_us)), to: Some(rfc3339(to_us)), ..self }
    }

    /// The same with the usual and the seen number.
    pub(super) fn counted(self, expected: f64, seen: f64) -> Finding {
        Finding { expected: Some(expected), seen: Some(seen), ..self }
    }
}

/// The words of a search for events.
pub(super) fn search(filter: &Filter) -> Vec<String> {
    command("search", filter)
}

/// The words of a command over events.
pub(super) fn command(name: &str, filter: &Filter) -> Vec<String> {
    let text = filter.to_string();
    let mut words = vec![name.to_string()];
    if text.starts_with('-') {
        words.push("--".to_string());
    }
    if !filter.is_all() {
        words.push(text);
    }
    words
}

/// The condition that a column has a value.
pub(super) fn is(column: &str, value: &str, scope: &super::super::Scope<'_>) -> Filter {
    let values = vec![Value::text(value)];
    Filter::field(column, Op::Equal, values, &scope.columns.context).unwrap_or_else(|_| Filter::all())
}

/// A number as people read it: with three digits that count.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 99.5 || value.fract() == 0.0 => grouped(value.round()),
        size if size >= 9.95 => format!("{value:.0}"),
        size if size >= 0.995 => format!("{value:.1}"),
        size if size >= 0.005 => format!("{value:.2}"),
        _ => "0".to_string(),
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < 0.0 { "-".to_string() } else { String::new() };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time as people read it.
pub(super) fn length(micros: i64) -> String {
    const UNITS: [(f64, &str, &str); 4] =
        [(86_400.0, "day", "days"), (3_600.0, "hour", "hours"), (60.0, "minute", "minutes"), (1.0, "s", "s")];
    let seconds = micros as f64 / 1e6;
    let unit = UNITS.iter().find(|(size, ..)| seconds >= size * 0.999);
    let Some((size, one, many)) = unit else { return format!("{:.0} ms", seconds * 1e3) };
    let count = seconds / size;
    let text = if (count - count.round()).abs() < 0.05 || count >= 99.5 {
        format!("{count:.0}")
    } else {
        format!("{count:.1}")
    };
    format!("{text} {}", if text == "1" { one } else { many })
}

/// A time to the minute.
pub(super) fn minute(micros: i64) -> String {
    rfc3339(micros).chars().take(16).collect::<String>().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_read_well() {
        assert_eq!(
            [0.0, 0.04, 3.25, 42.4, 1234.5, -1e6].map(number),
            ["0", "0.04", "3.2", "42", "1,235", "-1,000,000"]
        );
        let check = |micros, expected: &str| assert_eq!(length(micros), expected);
        check(250_000, "250 ms");
        check(1_000_000, "1 s");
        check(300_000_000, "5 minutes");
        check(5_400_000_000, "1.5 hours");
        check(86_400_000_000, "1 day");
    }
}
