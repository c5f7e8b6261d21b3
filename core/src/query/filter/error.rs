//! What is wrong with a filter, where, and what would be right.

use super::TERMS_MAX;
use crate::error::{Error, ErrorKind};
use std::fmt;

/// A filter that cannot be read, or that the table's columns cannot answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The byte of the filter's text where it is wrong; none if it did not come from text.
    pub at: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What could stand there.
    pub expected: Option<String>,
    /// What was perhaps meant.
    pub suggestion: Option<String>,
}

/// How much of the text is shown on each side of the place, in characters.
const SHOWN: usize = 50;

impl FilterError {
    pub(super) fn new(at: Option<usize>, message: impl Into<String>) -> Self {
        FilterError { at, message: bounded(&message.into()), expected: None, suggestion: None }
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(bounded(&expected.into()));
        self
    }

    pub(super) fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(bounded(&suggestion.into()));
        self
    }

    /// The error over several lines: the message, the place in the filter's text, what was expected, a hint.
    pub fn render(&self, text: &str) -> String {
        let mut shown = self.without_hint(text);
        if let Some(suggestion) = &self.suggestion {
            shown.push_str("\nhint: ");
            shown.push_str(suggestion);
        }
        shown
    }

    /// The library's error, with the place in the filter's text.
    pub fn into_error(self, text: &str) -> Error {
        let error = Error::new(ErrorKind::Syntax, self.without_hint(text));
        match self.suggestion {
            Some(suggestion) => error.with_hint(suggestion),
            None => error,
        }
    }

    fn without_hint(&self, text: &str) -> String {
        let mut shown = self.message.clone();
        if let Some((before, after)) = self.at.and_then(|at| text.split_at_checked(at)) {
            let (line, caret) = place(before, after);
            shown.push_str(&format!("\n  {line}\n  {}^", " ".repeat(caret)));
        }
        if let Some(expected) = &self.expected {
            shown.push_str("\nexpected ");
            shown.push_str(expected);
        }
        shown
    }
}

/// The text around a place on one line, and how many characters stand before the place.
fn place(before: &str, after: &str) -> (String, usize) {
    let mut shown_before: Vec<char> = before.chars().rev().take(SHOWN).collect();
    shown_before.reverse();
    let is_cut = before.chars().nth(SHOWN).is_some();
    let mut line = String::from(if is_cut { "..." } else { "" });
    line.extend(shown_before.into_iter().map(printable));
    let caret = line.chars().count();
    line.extend(after.chars().take(SHOWN).map(printable));
    if after.chars().nth(SHOWN).is_some() {
        line.push_str("...");
    }
    (line, caret)
}

/// One character for one character, so that the caret stays below its place; nothing acts on a terminal.
fn printable(char: char) -> char {
    match char {
        '\t' | '\n' | '\r' => ' ',
        _ if char.is_control() || is_direction(char) => '\u{fffd}',
        _ => char,
    }
}

/// Characters that change the order of those around them.
fn is_direction(char: char) -> bool {
    matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text of the user's inside a message.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", cut(text, 60))
}

/// A part of an error, which may hold texts of the user's.
fn bounded(text: &str) -> String {
    cut(text, 300)
}

/// The beginning of a text on one line, with nothing that acts on a terminal.
fn cut(text: &str, longest: usize) -> String {
    let mut shown: String = text.chars().take(longest).map(printable).collect();
    if text.chars().nth(longest).is_some() {
        shown.push_str("...");
    }
    shown
}

pub(super) fn too_many_terms(at: Option<usize>) -> FilterError {
    FilterError::new(at, format!("the filter has more than {TERMS_MAX} terms"))
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, ": expected {expected}")?;
        }
        Ok(())
    }
}

impl std::error::Error for FilterError {}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Error {
        let library = Error::new(ErrorKind::Syntax, error.to_string());
        match error.suggestion {
            Some(suggestion) => library.with_hint(suggestion),
            None => library,
        }
    }
}
