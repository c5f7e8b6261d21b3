//! How instants are written as text.

use chrono::{DateTime, SecondsFormat, Utc};

/// How instants are written as text; JSON always has them in UTC.
#[derive(Clone, Copy, Default)]
pub struct Times<'a> {
    show: Option<&'a dyn Fn(DateTime<Utc>) -> String>,
}

impl Times<'static> {
    /// RFC 3339 in UTC, with as many digits of the second as the instant needs.
    pub const UTC: Times<'static> = Times { show: None };
}

impl<'a> Times<'a> {
    /// As a function writes them.
    pub fn shown_by(show: &'a dyn Fn(DateTime<Utc>) -> String) -> Times<'a> {
        Times { show: Some(show) }
    }

    /// The text of an instant.
    pub fn show(self, time: DateTime<Utc>) -> String {
        match self.show {
            Some(show) => show(time),
            None => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        }
    }
}

impl std::fmt::Debug for Times<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Times").field("is_utc", &self.show.is_none()).finish()
    }
}
