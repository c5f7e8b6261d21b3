//! Values of terms: texts, patterns with wildcards, and regexes.

use super::error::FilterError;
use super::regex;
use std::fmt;

/// A value that a term compares with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// What matches.
    pub matches: Match,
    pub(super) place: Place,
}

/// What a value matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// This text, or the number, time or truth value that it spells.
    Text(String),
    /// Texts of this form.
    Pattern(Pattern),
    /// Texts in which this regex of DuckDB's matches.
    Regex(String),
}

/// Literal text and wildcards, at least one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This text.
    Literal(String),
    /// `?`, any one character.
    One,
    /// `*`, any characters or none.
    Many,
}

/// A place in the filter's text; values and fields are equal wherever they stand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place(pub Option<usize>);

impl PartialEq for Place {
    fn eq(&self, _other: &Place) -> bool {
        true
    }
}

impl Eq for Place {}

impl Value {
    pub(super) fn new(matches: Match) -> Value {
        Value { matches, place: Place::default() }
    }

    pub(super) fn at(mut self, at: usize) -> Value {
        self.place = Place(Some(at));
        self
    }

    /// This text itself.
    pub fn text(text: impl Into<String>) -> Value {
        Value::new(Match::Text(text.into()))
    }

    /// A pattern: `*` is any text, `?` any character, and each of them or `\` is itself after a `\`.
    pub fn pattern(text: &str) -> Value {
        let mut units = Units::default();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '*' => units.many(),
                '?' => units.one(),
                '\\' => units.char(chars.next_if(|next| matches!(next, '*' | '?' | '\\')).unwrap_or(char)),
                _ => units.char(char),
            }
        }
        Value::new(units.finish())
    }

    /// A regex, if it can be one.
    pub fn regex(text: &str) -> Result<Value, FilterError> {
        let mut unescaped = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            let escaped = if char == '\\' { chars.next() } else { None };
            match escaped {
                Some('/') => unescaped.push('/'),
                _ => unescaped.extend([Some(char), escaped].into_iter().flatten()),
            }
        }
        match regex::fault(&unescaped) {
            None => Ok(Value::new(Match::Regex(unescaped))),
            Some(fault) => Err(fault.into_error(None)),
        }
    }

    /// The text, unless it is a pattern or a regex.
    pub fn as_text(&self) -> Option<&str> {
        match &self.matches {
            Match::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_any(&self) -> bool {
        matches!(&self.matches, Match::Pattern(pattern) if pattern.pieces() == [Piece::Many])
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}

impl Pattern {
    /// The parts, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::One => f.write_str("?")?,
                Piece::Many => f.write_str("*")?,
                Piece::Literal(text) => {
                    for char in text.chars() {
                        let escape = if matches!(char, '*' | '?' | '\\') { "\\" } else { "" };
                        write!(f, "{escape}{char}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Collects characters and wildcards.
#[derive(Debug, Default)]
pub(super) struct Units {
    pieces: Vec<Piece>,
    literal: String,
}

impl Units {
    pub(super) fn char(&mut self, char: char) {
        self.literal.push(char);
    }

    pub(super) fn one(&mut self) {
        self.end_literal();
        self.pieces.push(Piece::One);
    }

    pub(super) fn many(&mut self) {
        self.end_literal();
        if self.pieces.last() != Some(&Piece::Many) {
            self.pieces.push(Piece::Many);
        }
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.pieces.push(Piece::Literal(std::mem::take(&mut self.literal)));
        }
    }

    /// A pattern, or a text if there was no wildcard.
    pub(super) fn finish(mut self) -> Match {
        if self.pieces.is_empty() {
            return Match::Text(self.literal);
        }
        self.end_literal();
        Match::Pattern(Pattern(self.pieces))
    }
}
