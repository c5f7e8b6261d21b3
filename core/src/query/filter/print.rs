//! Filters as text of the grammar.

use super::field::Field;
use super::lexer::in_quotes;
use super::value::{Match, Pattern, Piece, Value};
use super::{Comparison, Filter, Op, Term};
use crate::event::time::rfc3339;
use std::fmt::{self, Write};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::And(parts) if parts.is_empty() => f.write_str("*"),
            Filter::Or(parts) if parts.is_empty() => f.write_str("-*"),
            Filter::And(parts) => joined(f, parts, " ", |part| matches!(part, Filter::Or(_))),
            Filter::Or(parts) => joined(f, parts, " or ", |_| false),
            Filter::Not(inner) => match **inner {
                Filter::Term(_) => write!(f, "-{inner}"),
                Filter::And(ref parts) if parts.is_empty() => f.write_str("-*"),
                _ => write!(f, "-({inner})"),
            },
            Filter::Term(term) => term.fmt(f),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Filter],
    between: &str,
    needs_parentheses: impl Fn(&Filter) -> bool,
) -> fmt::Result {
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            f.write_str(between)?;
        }
        if needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Text(value) => match &value.matches {
                Match::Text(text) if is_keyword(text) || text.contains(':') || text.starts_with('-') => {
                    f.write_str(&in_quotes(text))
                }
                Match::Pattern(_) if value.is_any() => f.write_str("message:*"),
                _ => value.fmt(f),
            },
            Term::Compare(comparison) => comparison.fmt(f),
            Term::Present(field) => write!(f, "{field}:*"),
            Term::File(value) => write!(f, "file:{value}"),
            Term::Since(instant_us) => write!(f, "since:{}", rfc3339(*instant_us)),
            Term::Until(instant_us) => write!(f, "until:{}", rfc3339(*instant_us)),
            Term::Error => f.write_str("is:error"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.op {
            Op::Equal if !self.field.is("message") => ":",
            op => op.sign(),
        };
        write!(f, "{}{sign}", self.field)?;
        for (position, value) in self.values.iter().enumerate() {
            if position > 0 {
                f.write_char(',')?;
            }
            value.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, key) in self.keys().enumerate() {
            if position > 0 {
                f.write_char('.')?;
            }
            let is_plain =
                key.chars().all(|char| char.is_alphanumeric() || matches!(char, '_' | '-' | '@' | '$' | '/'))
                    && !key.is_empty()
                    && !key.starts_with(['-', '/']);
            if self.word().is_some() || (is_plain && !self.is_exact()) {
                f.write_str(key)?;
            } else {
                f.write_str(&in_quotes(key))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.matches {
            Match::Text(text) if is_plain(text) => f.write_str(text),
            Match::Text(text) => f.write_str(&in_quotes(text)),
            Match::Pattern(pattern) => write_pattern(f, pattern),
            Match::Regex(regex) => write!(f, "/{}/", with_slashes_escaped(regex)),
        }
    }
}

/// Whether a text reads as itself without quotes.
fn is_plain(text: &str) -> bool {
    let plain = |char: char| {
        char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | '@' | '/' | '#' | '%' | ':' | '+')
    };
    !text.is_empty()
        && text.starts_with(|first: char| first.is_alphanumeric() || matches!(first, '_' | '-'))
        && text.chars().all(plain)
}

fn is_keyword(text: &str) -> bool {
    ["and", "or", "not"].iter().any(|keyword| keyword.eq_ignore_ascii_case(text))
}

fn write_pattern(f: &mut fmt::Formatter<'_>, pattern: &Pattern) -> fmt::Result {
    for piece in pattern.pieces() {
        match piece {
            Piece::One => f.write_char('?')?,
            Piece::Many => f.write_char('*')?,
            Piece::Literal(text) => {
                for char in text.chars() {
                    if (char.is_ascii_punctuation() && !matches!(char, '_' | '.')) || char.is_whitespace() {
                        f.write_char('\\')?;
                    }
                    f.write_char(char)?;
                }
            }
        }
    }
    Ok(())
}

fn with_slashes_escaped(regex: &str) -> String {
    let mut escaped = String::with_capacity(regex.len());
    let mut chars = regex.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                escaped.push(char);
                escaped.extend(chars.next());
            }
            '/' => escaped.push_str("\\/"),
            _ => escaped.push(char),
        }
    }
    escaped
}
