//! logfmt: `key=value key2="quoted \"value\"" flag`, as Heroku and Go's loggers write it.

#[cfg(test)]
mod tests;

use super::cells::plain_number;
use super::object::ObjectWriter;
use super::{Codec, Format, Guess, Layout, Records, Sample, detect, last_line_end, lines_of, text_of};
use memchr::memchr2;
use std::sync::Arc;

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 100;

#[derive(Debug)]
struct Logfmt;

impl Codec for Logfmt {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        last_line_end(pending)
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        let mut writer = Writer::default();
        for place in lines_of(block).filter(|place| !place.raw.trim_ascii().is_empty()) {
            let text = text_of(place.raw, records);
            match writer.line(&text) {
                Ok(json) => records.record(place, json),
                Err(reason) => records.unreadable(place, reason),
            }
        }
    }
}

/// Something between spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'a> {
    /// A key without a value.
    None,
    /// What stands after the equals sign.
    Bare(&'a str),
    /// What stands between quotes, escapes as they are.
    Quoted(&'a str),
}

/// The pairs of a line.
struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<(&'a str, Value<'a>), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start_matches(is_space);
        if self.rest.is_empty() {
            return None;
        }
        let pair = self.pair();
        if pair.is_err() {
            self.rest = "";
        }
        Some(pair)
    }
}

impl<'a> Pairs<'a> {
    fn pair(&mut self) -> Result<(&'a str, Value<'a>), &'static str> {
        let end = self.rest.find(|c: char| is_space(c) || c == '=' || c == '"').unwrap_or(self.rest.len());
        let key = self.take(end);
        let Some(after) = self.rest.strip_prefix('=') else {
            return match is_name(key) && !self.rest.starts_with('"') {
                true => Ok((key, Value::None)),
                false => Err("something in the line is neither a key nor `key=value`"),
            };
        };
        if key.is_empty() {
            return Err("a value in the line has no key");
        }
        self.rest = after;
        if !after.starts_with('"') {
            let end = after.find(is_space).unwrap_or(after.len());
            return Ok((key, Value::Bare(self.take(end))));
        }
        self.take(1);
        let end = end_of_quoted(self.rest).ok_or("a quoted value in the line has no end")?;
        let value = self.take(end);
        self.take(1);
        match self.rest.chars().next().is_none_or(is_space) {
            true => Ok((key, Value::Quoted(value))),
            false => Err("something follows a quoted value without a space"),
        }
    }

    /// Takes so many bytes.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}

/// Control characters separate as spaces do.
fn is_space(character: char) -> bool {
    character <= ' '
}

/// Whether a word may be a key without a value. Words of sentences may be; timestamps and numbers are not.
fn is_name(word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || "_-./".contains(character);
    word.starts_with(|first: char| first.is_alphabetic() || first == '_') && word.chars().all(is_part)
}

/// Where the quote stands that ends a value.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr2(b'"', b'\\', text.as_bytes().get(from..)?)?;
        match text.as_bytes().get(at) {
            Some(b'"') => return Some(at),
            _ => from = at + 2,
        }
    }
}

/// Writes lines as objects; reused from line to line.
#[derive(Default)]
struct Writer {
    object: ObjectWriter,
    text: String,
}

impl Writer {
    fn line(&mut self, line: &str) -> Result<&[u8], &'static str> {
        self.object.begin();
        let mut is_pair = false;
        for pair in (Pairs { rest: line }) {
            let (key, value) = pair?;
            is_pair |= value != Value::None;
            match value {
                Value::None => self.object.json(key, b"true"),
                Value::Bare("") => self.object.null(key),
                Value::Bare(text) if is_literal(text) => self.object.json(key, text.as_bytes()),
                Value::Bare(text) => self.object.text(key, text),
                Value::Quoted(text) if !text.contains('\\') => self.object.text(key, text),
                Value::Quoted(text) => {
                    self.text.clear();
                    unescape_into(text, &mut self.text);
                    self.object.text(key, &self.text);
                }
            }
        }
        if is_pair { Ok(self.object.end()) } else { Err("there is no `key=value` in the line") }
    }
}

/// Whether a value is a boolean, or a number that is written in no other way.
fn is_literal(text: &str) -> bool {
    matches!(text, "true" | "false") || plain_number(text.as_bytes()).is_some_and(|plain| !plain.ends_in_zero)
}

/// Appends what a quoted value says. The escapes are JSON's and Go's; what is none stays as it is.
fn unescape_into(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        out.push_str(before);
        let character = escape.chars().next();
        let simple = match character {
            Some(same @ ('"' | '\\' | '/' | '\'')) => Some(same),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('v') => Some('\u{b}'),
            _ => None,
        };
        let (character, used) = match simple {
            Some(character) => (character, 1),
            None => code_point(escape).unwrap_or(('\\', 0)),
        };
        out.push(character);
        rest = escape.get(used..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// The character of `xHH`, `uHHHH`, a pair of these, or `UHHHHHHHH`, and how many bytes that takes.
fn code_point(escape: &str) -> Option<(char, usize)> {
    let digits = |from: usize, count: usize| {
        let digits = escape.get(from..from + count)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    };
    match escape.as_bytes().first()? {
        // Above ASCII it is a byte that was no character.
        b'x' => Some((char::from_u32(digits(1, 2)?).filter(char::is_ascii)?, 3)),
        b'U' => Some((char::from_u32(digits(1, 8)?)?, 9)),
        b'u' => match (digits(1, 4)?, escape.get(5..7), digits(7, 4)) {
            (high @ 0xD800..0xDC00, Some("\\u"), Some(low @ 0xDC00..0xE000)) => {
                Some((char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?, 11))
            }
            (code, ..) => Some((char::from_u32(code)?, 5)),
        },
        _ => None,
    }
}

/// The layout of an input, whether it looks like logfmt or not.
pub(super) fn layout(_: &Sample<'_>) -> Layout {
    let (start, header, names, notes) = (0, None, &[][..], Vec::new());
    Layout { format: Format::Logfmt, start, header, names, notes, codec: Arc::new(Logfmt) }
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let lines = detect::whole_lines(sample).filter(|place| !place.raw.trim_ascii().is_empty());
    let fits: Vec<bool> = lines.take(SAMPLE_LINES).map(|place| looks_like_pairs(place.raw)).collect();
    let fitting = fits.iter().filter(|fits| **fits).count();
    if fitting * 2 <= fits.len() {
        return None;
    }
    let sure = u8::try_from(fitting * 93 / fits.len()).unwrap_or(93);
    let why = match fits.len() {
        1 => "the first line is `key=value` pairs".to_string(),
        all => format!("{fitting} of the first {all} lines are `key=value` pairs"),
    };
    Some(Guess { layout: layout(sample), sure, why })
}

/// Whether a line is two pairs or more, and next to nothing else.
fn looks_like_pairs(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line);
    let (mut pairs, mut flags) = (0_usize, 0_usize);
    for pair in (Pairs { rest: &text }) {
        match pair {
            Ok((_, Value::None)) => flags += 1,
            Ok((key, _)) if is_name(key) => pairs += 1,
            _ => return false,
        }
    }
    pairs >= 2 && flags * 3 <= pairs
}
