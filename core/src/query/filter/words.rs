//! Whether a text that is no event may be one of those that a filter is about.

use super::{Comparison, Filter, Match, Op, Pattern, Piece, Term, Value};

/// Whether the values that a filter names stand in a text; none where it names no value that can be looked for. A
/// value counts where it stands as a word, in any case, also with JSON's escapes.
pub fn in_text(filter: &Filter, text: &str) -> Option<bool> {
    of_filter(filter, &unescaped(text).to_lowercase())
}

/// Whether a filter names a value that can be looked for in a text.
pub fn has_words(filter: &Filter) -> bool {
    of_filter(filter, "").is_some()
}

fn of_filter(filter: &Filter, text: &str) -> Option<bool> {
    match filter {
        // A part that cannot be looked for may hold.
        Filter::And(parts) => {
            let parts: Vec<bool> = parts.iter().filter_map(|part| of_filter(part, text)).collect();
            (!parts.is_empty()).then(|| parts.iter().all(|part| *part))
        }
        Filter::Or(parts) => {
            let parts: Vec<Option<bool>> = parts.iter().map(|part| of_filter(part, text)).collect();
            let found = parts.iter().flatten().any(|part| *part);
            (parts.iter().any(Option::is_some)).then_some(found)
        }
        Filter::Not(_) => None,
        Filter::Term(term) => of_term(term, text),
    }
}

fn of_term(term: &Term, text: &str) -> Option<bool> {
    match term {
        Term::Text(value) | Term::File(value) => of_value(value, text),
        Term::Compare(Comparison { op: Op::Equal | Op::Has, values, .. }) => {
            let found: Vec<Option<bool>> = values.iter().map(|value| of_value(value, text)).collect();
            let any = found.iter().flatten().any(|found| *found);
            found.iter().any(Option::is_some).then_some(any)
        }
        _ => None,
    }
}

fn of_value(value: &Value, text: &str) -> Option<bool> {
    match &value.matches {
        Match::Text(word) => stands_in(word, text),
        Match::Pattern(pattern) => of_pattern(pattern, text),
        Match::Regex(_) => None,
    }
}

fn of_pattern(pattern: &Pattern, text: &str) -> Option<bool> {
    let literals = pattern.pieces().iter().filter_map(|piece| match piece {
        Piece::Literal(literal) => Some(literal.to_lowercase()),
        _ => None,
    });
    let literals: Vec<String> = literals.filter(|literal| !literal.trim().is_empty()).collect();
    (!literals.is_empty()).then(|| literals.iter().all(|literal| text.contains(literal.as_str())))
}

/// Whether a word stands in a text with nothing of a word around it.
fn stands_in(word: &str, text: &str) -> Option<bool> {
    let word = word.trim().to_lowercase();
    if word.is_empty() {
        return None;
    }
    let json = serde_json::to_string(&word).unwrap_or_default();
    let escaped = json.trim_matches('"');
    Some(has_word(text, &word) || has_word(text, escaped))
}

/// The text with what stands as `\u00eb` in it as the characters that these are.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let unit = rest.strip_prefix("\\u").and_then(|digits| u16::from_str_radix(digits.get(..4)?, 16).ok());
        match unit {
            Some(unit) => units.push(unit),
            None => {
                flush(&mut units, &mut out);
                out.push(character);
            }
        }
        let length = if unit.is_some() { 6 } else { character.len_utf8() };
        rest = rest.get(length..).unwrap_or_default();
    }
    flush(&mut units, &mut out);
    out
}

fn flush(units: &mut Vec<u16>, out: &mut String) {
    out.extend(char::decode_utf16(units.drain(..)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, found)| {
        let (before, rest) = text.split_at_checked(start).unwrap_or_default();
        let after = rest.get(found.len()..).unwrap_or_default();
        let joins = |inside: Option<char>, outside: Option<char>| {
            inside.is_some_and(char::is_alphanumeric) && outside.is_some_and(char::is_alphanumeric)
        };
        !joins(word.chars().next(), before.chars().next_back())
            && !joins(word.chars().next_back(), after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::super::Context;
    use super::*;

    #[test]
    fn a_text_may_be_about_what_a_filter_names() {
        for (filter, text, expected) in [
            ("actor:12345", r#"{"user_id": 12345, "x"#, Some(true)),
            ("actor:12345", r#"{"user_id": 123456, "x"#, Some(false)),
            ("actor:alice", "ALICE logged in", Some(true)),
            ("actor:alice kind:login", "alice", Some(false)),
            ("actor:alice last:90d", "by alice@example.com", Some(true)),
            ("actor:alice or actor:bob", "bob", Some(true)),
            ("actor:alice,bob", "carol", Some(false)),
            ("actor:al*", "x alice", Some(true)),
            ("actor:zoë", r#"{"user":"ZO\u00cb"}"#, Some(true)),
            ("-actor:alice", "alice", None),
            ("severity>=error", "error", None),
            ("\"two words\"", "it has two words", Some(true)),
            ("/al.*/", "alice", None),
            ("*", "alice", None),
        ] {
            let filter = Filter::parse(filter, &Context::new(0)).unwrap();
            assert_eq!(in_text(&filter, text), expected, "{filter:?} in {text}");
            assert_eq!(has_words(&filter), expected.is_some(), "{filter:?}");
        }
    }
}
