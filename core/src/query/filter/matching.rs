//! Conditions on text: equality, wildcards, regexes.

use super::value::{Match, Piece};
use serde_json::Value as Json;

/// The values of a condition's parameters, in the order of `$p1`, `$p2`, ...
#[derive(Debug, Default)]
pub(super) struct Parameters(pub(super) Vec<(String, Json)>);

impl Parameters {
    /// The name in SQL of a new parameter with this value.
    pub(super) fn bind(&mut self, value: impl Into<Json>) -> String {
        let name = format!("p{}", self.0.len().saturating_add(1));
        let shown = format!("${name}");
        self.0.push((name, value.into()));
        shown
    }
}

/// How a text matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// As a whole, letter by letter.
    Whole,
    /// As a whole, whatever the case.
    WholeAnyCase,
    /// Somewhere inside, whatever the case.
    InsideAnyCase,
}

/// The condition that a text matches.
pub(super) fn condition(parameters: &mut Parameters, expression: &str, matches: &Match, how: How) -> String {
    let any_case = how != How::Whole;
    let folded = |sql: &str| if any_case { format!("lower({sql})") } else { sql.to_string() };
    let text = folded(expression);
    let mut call = |function: &str, literal: &str| {
        let parameter = folded(&parameters.bind(literal));
        format!("{function}({text}, {parameter})")
    };
    match matches {
        Match::Text(literal) if how == How::InsideAnyCase => call("contains", literal),
        Match::Text(literal) => format!("{text} = {}", folded(&parameters.bind(literal.as_str()))),
        Match::Regex(regex) => format!("regexp_matches({expression}, {})", parameters.bind(regex.as_str())),
        Match::Pattern(pattern) => {
            let pieces =
                if how == How::InsideAnyCase { inside(pattern.pieces()) } else { pattern.pieces().to_vec() };
            match pieces.as_slice() {
                [Piece::Many] => format!("{expression} IS NOT NULL"),
                [Piece::Literal(literal), Piece::Many] => call("starts_with", literal),
                [Piece::Many, Piece::Literal(literal)] => call("ends_with", literal),
                [Piece::Many, Piece::Literal(literal), Piece::Many] => call("contains", literal),
                pieces => {
                    let flags = if any_case { "si" } else { "s" };
                    let regex = parameters.bind(regex_of(pieces));
                    format!("regexp_full_match({expression}, {regex}, '{flags}')")
                }
            }
        }
    }
}

/// The same pattern with any text before and after it.
fn inside(pieces: &[Piece]) -> Vec<Piece> {
    let mut around = vec![Piece::Many];
    around.extend(pieces.strip_prefix(&[Piece::Many]).unwrap_or(pieces).iter().cloned());
    if around.last() != Some(&Piece::Many) {
        around.push(Piece::Many);
    }
    around
}

/// A regex, since DuckDB's LIKE takes time that grows exponentially with the wildcards.
fn regex_of(pieces: &[Piece]) -> String {
    let mut regex = String::new();
    for piece in pieces {
        match piece {
            Piece::One => regex.push('.'),
            Piece::Many => regex.push_str(".*"),
            Piece::Literal(literal) => {
                for char in literal.chars() {
                    match char {
                        '\0' => regex.push_str("\\x00"),
                        _ if char.is_ascii_punctuation() => regex.extend(['\\', char]),
                        _ => regex.push(char),
                    }
                }
            }
        }
    }
    regex
}
