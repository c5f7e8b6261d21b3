//! The form that texts have in common which differ only in how many values stand in a row, in the units after
//! numbers, or in whether an object or a plain value was printed for a key.

use super::class::{PUNCTUATION, of};
use super::scan::MARK;

/// A longer object is no value.
const OBJECT_BYTES_MAX: usize = 256;

/// A text with one mark for each row of values, and without the units after them.
pub fn canonical(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    // Where the last token begins, if it is nothing but values.
    let mut values: Option<usize> = None;
    // Whether a bracket was left out that a unit closes.
    let mut open = false;
    let mut tokens = text.split(|byte| *byte == b' ');
    while let Some(token) = tokens.next() {
        let before_value = || tokens.clone().find(|next| !is_masked(next)).is_some_and(is_values);
        let is_value = is_masked(token) && (values.is_some() || before_value());
        let token = if is_value { &[MARK] } else { token };
        if let Some(start) = values {
            if let Some(punctuation) = after_unit(token, &out) {
                out.extend(punctuation.iter().filter(|byte| !open || !closes(byte)));
                open = false;
                continue;
            }
            if is_values(token) {
                open = join(&mut out, start, token);
                continue;
            }
        }
        if !out.is_empty() {
            out.push(b' ');
        }
        open = false;
        values = is_values(token).then_some(out.len());
        push_token(&mut out, token);
    }
    out
}

/// Whether a token has a mark and otherwise only punctuation.
fn is_values(token: &[u8]) -> bool {
    token.contains(&MARK) && token.iter().all(|byte| *byte == MARK || of(*byte) & PUNCTUATION != 0)
}

/// Whether it stands for a value that did not fit: a few asterisks.
fn is_masked(token: &[u8]) -> bool {
    (2..=6).contains(&token.len()) && token.iter().all(|byte| *byte == b'*')
}

/// The punctuation after a unit, if the token is one and a number is before it.
fn after_unit<'a>(token: &'a [u8], out: &[u8]) -> Option<&'a [u8]> {
    const UNITS: [&[u8]; 33] = [
        b"b",
        b"kb",
        b"mb",
        b"gb",
        b"tb",
        b"pb",
        b"kib",
        b"mib",
        b"gib",
        b"tib",
        b"byte",
        b"bytes",
        b"ns",
        b"us",
        b"ms",
        b"msec",
        b"milliseconds",
        b"s",
        b"sec",
        b"secs",
        b"second",
        b"seconds",
        b"m",
        b"min",
        b"mins",
        b"minute",
        b"minutes",
        b"h",
        b"hour",
        b"hours",
        b"d",
        b"day",
        b"days",
    ];
    if out.last() != Some(&MARK) {
        return None;
    }
    let letters = token.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (unit, rest) = token.split_at_checked(letters)?;
    let known = UNITS.iter().any(|known| known.eq_ignore_ascii_case(unit));
    (known && rest.iter().all(|byte| of(*byte) & PUNCTUATION != 0 || *byte == b'.')).then_some(rest)
}

fn opens(byte: &u8) -> bool {
    matches!(byte, b'(' | b'[' | b'{')
}

fn closes(byte: &u8) -> bool {
    matches!(byte, b')' | b']' | b'}')
}

/// Joins a token of values to the one before it, which begins at `start`. Says whether a bracket that it opens was
/// left out and is still to be closed.
fn join(out: &mut Vec<u8>, start: usize, token: &[u8]) -> bool {
    let open = out.get(start..).is_some_and(|first| first.iter().any(opens));
    let end = out.iter().rposition(|byte| *byte == MARK).map_or(out.len(), |last| last.saturating_add(1));
    out.truncate(end);
    let last = token.iter().rposition(|byte| *byte == MARK);
    let after = last.and_then(|last| token.get(last.saturating_add(1)..)).unwrap_or_default();
    out.extend(after.iter().filter(|byte| open || !closes(byte)));
    !open && token.iter().any(opens) && !token.iter().any(closes)
}

/// A token in which values that only commas and the like part are one, and `<` before a value is part of it.
fn push_token(out: &mut Vec<u8>, token: &[u8]) {
    let keyed = token.contains(&b'=');
    for byte in token {
        if *byte == MARK {
            let parts = |byte: &&u8| matches!(byte, b',' | b';' | b'|' | b'&' | b'#');
            let end = out.len().saturating_sub(out.iter().rev().take_while(parts).count());
            if out.get(..end).is_some_and(|head| head.last() == Some(&MARK)) {
                out.truncate(end);
                continue;
            }
            if matches!(out.last(), Some(b'<' | b'>')) {
                out.pop();
            }
        }
        out.push(*byte);
        if keyed && matches!(byte, b'}' | b')' | b']') {
            close_object(out);
        }
    }
}

/// An object that is printed as the value of a key, `key=Name{..}` with nothing but values in it, is one value, as
/// what is printed where there is none.
fn close_object(out: &mut Vec<u8>) {
    let Some(length) = out.iter().rev().take(OBJECT_BYTES_MAX).position(opens) else { return };
    let open = out.len().saturating_sub(length).saturating_sub(1);
    let inside = out.get(open.saturating_add(1)..).unwrap_or_default();
    let before = out.get(..open).unwrap_or_default();
    let name = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let equals = open.saturating_sub(name);
    let plain = inside.iter().all(|byte| *byte == MARK || of(*byte) & PUNCTUATION != 0);
    if name > 0
        && plain
        && inside.first() == Some(&MARK)
        && before.get(..equals).is_some_and(|head| head.last() == Some(&b'='))
    {
        out.truncate(equals);
        out.push(MARK);
    }
}
