//! Why a record cannot be stored, in words that a person reads in the quarantine.

use super::json::JsonError;
use std::fmt;

const TIME: &str = "no timestamp can be read from `";
const TIME_RANGE: &str = "the timestamp in `";
const TIME_RANGE_END: &str = " lies outside 1900 to 2200";
const TOO_LONG: &str = "the record is longer than ";

/// Why a record cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reject {
    /// The text is not JSON.
    Json(JsonError),
    /// The text is JSON and not an object.
    NotAnObject,
    /// The text is not UTF-8.
    NotUtf8 {
        /// The first byte that is not.
        offset: usize,
    },
    /// Its timestamp cannot be read.
    Time {
        /// Whose field.
        field: String,
        /// What stands there; the reason has its beginning.
        value: String,
    },
    /// Its timestamp lies before 1900 or after 2200.
    TimeRange {
        /// Whose field.
        field: String,
        /// What stands there; the reason has its beginning.
        value: String,
    },
    /// The record is longer than the limit.
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reject::Json(error) => write!(f, "{error}"),
            Reject::NotAnObject => f.write_str("a record is a JSON object"),
            Reject::NotUtf8 { offset } => write!(f, "not UTF-8 at byte {offset}"),
            Reject::Time { field, value } => write!(f, "{TIME}{field}`: {}", excerpt(value)),
            Reject::TimeRange { field, value } => {
                write!(f, "{TIME_RANGE}{field}`{TIME_RANGE_END}: {}", excerpt(value))
            }
            Reject::TooLong { limit } => write!(f, "{TOO_LONG}{limit} bytes"),
        }
    }
}

/// The reason without what differs from record to record, numbers and values, so that reasons can be counted.
pub fn kind_of(reason: &str) -> String {
    if let Some((value, _)) = reason.strip_prefix(TIME).and_then(|rest| rest.rsplit_once("`: ")) {
        return format!("{TIME}{}`", value.split('`').next().unwrap_or_default());
    }
    if let (true, Some((field, _))) = (reason.starts_with(TIME_RANGE), reason.split_once(TIME_RANGE_END)) {
        return format!("{field}{TIME_RANGE_END}");
    }
    if is_too_long(reason) {
        return reason.to_string();
    }
    let mut kind = String::with_capacity(reason.len());
    let (mut in_quotes, mut in_number, mut before) = (false, false, ' ');
    for character in reason.chars() {
        in_quotes ^= character == '`';
        in_number = character.is_ascii_digit() && !in_quotes && (in_number || before == ' ');
        before = character;
        match in_number {
            true if kind.ends_with('…') => {}
            true => kind.push('…'),
            false => kind.push(character),
        }
    }
    kind
}

/// Whether a reason says that a record was too long, so that only its beginning was kept.
pub fn is_too_long(reason: &str) -> bool {
    reason.strip_prefix(TOO_LONG).is_some_and(|rest| rest.ends_with(" bytes"))
}

impl Reject {
    /// Changes the value that the reason shows, all of it: what is secret in it must go before it is cut.
    pub fn change_value(&mut self, change: impl FnOnce(&str) -> String) {
        if let Reject::Time { value, .. } | Reject::TimeRange { value, .. } = self {
            *value = change(value);
        }
    }
}

/// The beginning of a value, for a reason that a person reads.
fn excerpt(value: &str) -> String {
    const LENGTH: usize = 60;
    match value.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_one_kind_are_told_together() {
        let check = |reason: String, kind: &str| {
            assert_eq!(kind_of(&reason), kind);
            assert_eq!(kind_of(kind), kind, "a kind is its own kind");
        };
        let json = Reject::Json(JsonError { offset: 17, reason: "a value is missing" });
        check(json.to_string(), "not JSON at byte …: a value is missing");
        check(Reject::NotUtf8 { offset: 1234 }.to_string(), "not UTF-8 at byte …");
        let time = |value: &str| Reject::Time { field: "ts2".to_string(), value: value.to_string() };
        check(time("long `a`: ago 7").to_string(), "no timestamp can be read from `ts2`");
        let range = Reject::TimeRange { field: "a: b".to_string(), value: "1600: x".to_string() };
        check(range.to_string(), "the timestamp in `a: b` lies outside 1900 to 2200");
        check(Reject::TooLong { limit: 99 }.to_string(), "the record is longer than 99 bytes");
        check("the row has 3 of 12 `a1`".to_string(), "the row has … of … `a1`");
    }

    #[test]
    fn only_the_beginning_of_a_value_is_told() {
        let told =
            |value: &str| Reject::Time { field: "ts".to_string(), value: value.to_string() }.to_string();
        assert_eq!(told(&"é".repeat(60)), format!("no timestamp can be read from `ts`: {}", "é".repeat(60)));
        assert_eq!(told(&"é".repeat(61)), format!("no timestamp can be read from `ts`: {}…", "é".repeat(60)));
    }

    #[test]
    fn only_the_limit_of_length_is_too_long() {
        assert!(is_too_long(&Reject::TooLong { limit: 5 }.to_string()));
        assert!(!is_too_long(&Reject::NotAnObject.to_string()));
        assert!(!is_too_long("the record is longer than usual"));
    }
}
