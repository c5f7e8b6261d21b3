//! Why a record cannot be stored, in words that a person reads in the quarantine.

use super::json::JsonError;
use std::fmt;

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
        /// What stands there, cut.
        value: String,
    },
    /// Its timestamp lies before 1900 or after 2200.
    TimeRange {
        /// Whose field.
        field: String,
        /// What stands there, cut.
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
            Reject::Time { field, value } => write!(f, "no timestamp can be read from `{field}`: {value}"),
            Reject::TimeRange { field, value } => {
                write!(f, "the timestamp in `{field}` lies outside 1900 to 2200: {value}")
            }
            Reject::TooLong { limit } => write!(f, "the record is longer than {limit} bytes"),
        }
    }
}

/// The beginning of a value, for a reason that a person reads.
pub fn excerpt(value: &[u8]) -> String {
    const LENGTH: usize = 60;
    let text = String::from_utf8_lossy(value.get(..LENGTH * 4).unwrap_or(value)).into_owned();
    if text.chars().count() <= LENGTH {
        return text;
    }
    text.chars().take(LENGTH).chain(['…']).collect()
}
