//! Sensitive keys and their values in text that is no JSON.

use super::Tally;
use super::keys::Words;
use super::rules::{Rules, is_redacted};
use super::settings::Action;
use super::text::action_in;
use memchr::{memchr, memchr2, memchr3};

/// The longest key that is looked at; of a longer one the end.
const KEY_LENGTH_MAX: usize = 128;
/// How many spaces or backslashes may stand between a key, its delimiter, its value and their quotes.
const BETWEEN_MAX: usize = 8;
/// The words that stand before a credential.
const SCHEMES: [&[u8]; 5] = [b"bearer", b"basic", b"digest", b"negotiate", b"token"];

/// A value, and where to go on after it.
struct Value {
    start: usize,
    end: usize,
    after: usize,
}

/// The text with the values of sensitive keys replaced; none where there are none. `again` masks what would be
/// dropped.
pub(super) fn redact_keys(
    text: &[u8],
    rules: &Rules,
    words: &mut Words,
    tally: &mut Tally,
    again: bool,
) -> Option<Vec<u8>> {
    let mut out: Option<Vec<u8>> = None;
    let (mut copied, mut at) = (0, 0);
    let mut floor = 0;
    while let Some(skipped) = memchr2(b'=', b':', rest_at(text, at)) {
        let delimiter = at.saturating_add(skipped);
        at = delimiter.saturating_add(1);
        let Some(key_start) = read_key(text, floor, delimiter, words) else { continue };
        let Some(rule) = rules.rule_of_key(words) else { continue };
        let colon = text.get(delimiter) == Some(&b':');
        let whole_line = words.ends_with(b"authorization") || (colon && words.ends_with(b"cookie"));
        let value = read_value(text, at, whole_line);
        (at, floor) = (value.after, value.after);
        let secret = text.get(value.start..value.end).unwrap_or_default();
        if secret.is_empty() || is_redacted(secret) {
            continue;
        }
        tally.note(rule);
        let out = out.get_or_insert_with(|| Vec::with_capacity(text.len()));
        let action = action_in(rules, rule, again);
        let (start, end) = match action {
            Action::Drop => (key_start, value.after),
            _ => (value.start, value.end),
        };
        out.extend_from_slice(text.get(copied..start).unwrap_or_default());
        rules.replace_into(rule, action, secret, out);
        copied = end;
    }
    let mut out = out?;
    out.extend_from_slice(rest_at(text, copied));
    Some(out)
}

fn rest_at(text: &[u8], at: usize) -> &[u8] {
    text.get(at..).unwrap_or_default()
}

/// How many bytes at the end, at most so many, are like that.
fn run_back(text: &[u8], max: usize, is_in: impl Fn(u8) -> bool) -> usize {
    text.iter().rev().take(max).take_while(|byte| is_in(**byte)).count()
}

fn run(text: &[u8], max: usize, is_in: impl Fn(u8) -> bool) -> usize {
    text.iter().take(max).take_while(|byte| is_in(**byte)).count()
}

fn without_last(text: &[u8], count: usize) -> &[u8] {
    text.get(..text.len().saturating_sub(count)).unwrap_or_default()
}

/// Reads the words of the key that stands before a delimiter, and says where it begins with its quote.
fn read_key(text: &[u8], floor: usize, delimiter: usize, words: &mut Words) -> Option<usize> {
    let head = text.get(floor..delimiter)?;
    let head = without_last(head, run_back(head, BETWEEN_MAX, |byte| matches!(byte, b' ' | b'\t')));
    let quote = head.last().copied().filter(|byte| matches!(byte, b'"' | b'\''));
    let head = without_last(head, usize::from(quote.is_some()));
    let slashes = if quote.is_some() { run_back(head, BETWEEN_MAX, |byte| byte == b'\\') } else { 0 };
    let head = without_last(head, slashes);
    let in_key = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte) || !byte.is_ascii();
    let length = run_back(head, KEY_LENGTH_MAX, in_key);
    let before = without_last(head, length);
    words.read(rest_at(head, before.len()));
    let opening = match quote {
        Some(quote) if before.last() == Some(&quote) => {
            run_back(without_last(before, 1), slashes, |byte| byte == b'\\').saturating_add(1)
        }
        _ => 0,
    };
    (length > 0).then(|| floor.saturating_add(before.len()).saturating_sub(opening))
}

/// Reads the value after a delimiter.
fn read_value(text: &[u8], at: usize, whole_line: bool) -> Value {
    let arrow = run(rest_at(text, at), 1, |byte| matches!(byte, b'=' | b'>'));
    let at = at.saturating_add(arrow);
    let start = at.saturating_add(run(rest_at(text, at), usize::MAX, |byte| matches!(byte, b' ' | b'\t')));
    let slashes = run(rest_at(text, start), BETWEEN_MAX, |byte| byte == b'\\');
    let opening = start.saturating_add(slashes);
    if let Some(quote @ (b'"' | b'\'')) = text.get(opening) {
        return quoted(text, opening.saturating_add(1), *quote, slashes);
    }
    let rest = rest_at(text, start);
    let line = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    let length = if whole_line { line } else { bare_length(rest.get(..line).unwrap_or_default()) };
    let end = start.saturating_add(length);
    Value { start, end, after: end }
}

/// Reads up to the closing quote, which has as many backslashes before it as the opening one had.
fn quoted(text: &[u8], start: usize, quote: u8, slashes: usize) -> Value {
    let period = slashes.saturating_add(1).saturating_mul(2);
    let mut at = start;
    while let Some(skipped) = memchr(quote, rest_at(text, at)) {
        let place = at.saturating_add(skipped);
        let before = run_back(text.get(at..place).unwrap_or_default(), usize::MAX, |byte| byte == b'\\');
        if before < slashes || before.checked_rem(period) == Some(slashes) {
            let end = place.saturating_sub(before.min(slashes));
            return Value { start, end, after: place.saturating_add(1) };
        }
        at = place.saturating_add(1);
    }
    Value { start, end: text.len(), after: text.len() }
}

/// The length of a value without quotes, in its line.
fn bare_length(line: &[u8]) -> usize {
    let in_value = |byte: u8| !byte.is_ascii_whitespace() && !b",;&}]".contains(&byte);
    let brackets = bracketed_length(line);
    let word = brackets.saturating_add(run(rest_at(line, brackets), usize::MAX, in_value));
    let is_scheme = |scheme: &&[u8]| line.get(..word).is_some_and(|word| word.eq_ignore_ascii_case(scheme));
    if SCHEMES.iter().any(is_scheme) {
        let spaces = run(rest_at(line, word), usize::MAX, |byte| byte == b' ');
        let credential = word.saturating_add(spaces);
        return credential.saturating_add(run(rest_at(line, credential), usize::MAX, in_value));
    }
    word
}

/// The length of an object or array at the beginning; of all the line where it is not closed.
fn bracketed_length(line: &[u8]) -> usize {
    let Some(open @ (b'{' | b'[')) = line.first().copied() else { return 0 };
    let close = if open == b'{' { b'}' } else { b']' };
    let (mut at, mut depth) = (0_usize, 0_usize);
    while let Some(skipped) = memchr3(open, close, b'\n', rest_at(line, at)) {
        at = at.saturating_add(skipped).saturating_add(1);
        depth = match line.get(at.saturating_sub(1)) {
            Some(byte) if *byte == open => depth.saturating_add(1),
            _ => depth.saturating_sub(1),
        };
        if depth == 0 {
            return at;
        }
    }
    line.len()
}
