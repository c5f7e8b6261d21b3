//! Lines of `COPY` as text, their values, and the statements around them.

use crate::format::cells::{Kind, distinct, kinds_line, kinds_of};
use memchr::{memchr, memchr2};
use std::str::Utf8Error;

/// A line.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Bytes before it.
    pub offset: usize,
    /// Its bytes, without its line end.
    pub raw: &'a [u8],
    /// Bytes before the next one.
    pub next: usize,
}

/// The lines of a text in which a backslash takes the meaning from a line end.
#[derive(Debug)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    position: usize,
    ended: bool,
}

impl<'a> Lines<'a> {
    /// The lines that have an end, and if the bytes have `ended`, what follows.
    pub fn new(bytes: &'a [u8], ended: bool) -> Lines<'a> {
        Lines { bytes, position: 0, ended }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let offset = self.position;
        let mut from = offset;
        let end = loop {
            match memchr(b'\n', self.bytes.get(from..).unwrap_or_default()) {
                Some(newline) if is_end_of_line(self.bytes, from + newline) => break from + newline,
                Some(newline) => from += newline + 1,
                None if self.ended && offset < self.bytes.len() => break self.bytes.len(),
                None => return None,
            }
        };
        self.position = self.bytes.len().min(end + 1);
        let raw = without_returns(self.bytes.get(offset..end).unwrap_or_default());
        Some(Line { offset, raw, next: self.position })
    }
}

/// Whether the newline at a place is not escaped: an even number of backslashes stands before it.
pub fn is_end_of_line(bytes: &[u8], newline: usize) -> bool {
    !is_escaped(bytes.get(..newline).unwrap_or_default())
}

fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

fn without_returns(line: &[u8]) -> &[u8] {
    let mut line = line;
    while let Some(shorter) = line.strip_suffix(b"\r").filter(|shorter| !is_escaped(shorter)) {
        line = shorter;
    }
    line
}

/// Whether a line ends a table's rows.
pub fn is_end_of_rows(raw: &[u8]) -> bool {
    raw == b"\\."
}

/// The values of a row as they are written.
#[derive(Debug)]
pub struct Cells<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Cells<'a> {
    /// The values of a row.
    pub fn new(row: &'a [u8]) -> Cells<'a> {
        Cells { rest: Some(row) }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let row = self.rest.take()?;
        let mut from = 0;
        loop {
            let Some(found) = memchr2(b'\t', b'\\', row.get(from..).unwrap_or_default()) else {
                return Some(row);
            };
            let at = from + found;
            if row.get(at) == Some(&b'\t') {
                self.rest = row.get(at + 1..);
                return row.get(..at);
            }
            from = at + 2;
        }
    }
}

/// What a value says; nothing for null.
pub fn decode<'b>(cell: &'b [u8], buffer: &'b mut Vec<u8>) -> Result<Option<&'b str>, Utf8Error> {
    if cell == b"\\N" {
        return Ok(None);
    }
    if memchr(b'\\', cell).is_none() {
        return std::str::from_utf8(cell).map(Some);
    }
    buffer.clear();
    let mut rest = cell;
    while let Some(position) = memchr(b'\\', rest) {
        buffer.extend_from_slice(rest.get(..position).unwrap_or_default());
        let escape = rest.get(position + 1..).unwrap_or_default();
        let used = unescape(escape, buffer);
        rest = escape.get(used..).unwrap_or_default();
    }
    buffer.extend_from_slice(rest);
    std::str::from_utf8(buffer).map(Some)
}

/// Appends the byte of what follows a backslash, and says how many bytes that took.
fn unescape(escape: &[u8], out: &mut Vec<u8>) -> usize {
    let number = |digits: &[u8], radix: u32, most: usize| {
        let values = digits.iter().take(most).map_while(|digit| char::from(*digit).to_digit(radix));
        values.fold((0, 0), |(value, count), digit| (value * radix + digit, count + 1))
    };
    let (byte, used) = match escape {
        [] => (b'\\', 0),
        [b'b', ..] => (8, 1),
        [b'f', ..] => (12, 1),
        [b'n', ..] => (b'\n', 1),
        [b'r', ..] => (b'\r', 1),
        [b't', ..] => (b'\t', 1),
        [b'v', ..] => (11, 1),
        [b'0'..=b'7', ..] => {
            let (value, count) = number(escape, 8, 3);
            // As PostgreSQL does: what is above a byte is cut off.
            ((value & 0xFF) as u8, count)
        }
        [b'x', digits @ ..] => match number(digits, 16, 2) {
            (_, 0) => (b'x', 1),
            (value, count) => ((value & 0xFF) as u8, count + 1),
        },
        [other, ..] => (*other, 1),
    };
    out.push(byte);
    used
}

/// `COPY schema.table (a, b) FROM stdin;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The table, as it is written.
    pub table: String,
    /// Distinct names of its columns.
    pub names: Vec<String>,
    /// What the cells of each become, where an earlier reading decided it.
    pub kinds: Option<Vec<Kind>>,
    /// The statement up to its semicolon.
    text: String,
}

impl Statement {
    /// The statement of a line, if it is one.
    pub fn of(line: &[u8]) -> Option<Statement> {
        let rest = line.strip_prefix(b"COPY ").filter(|rest| memchr(b'\t', rest).is_none())?;
        let rest = std::str::from_utf8(rest).ok()?;
        let mut after = identifier(rest)?.1;
        while let Some(part) = after.strip_prefix('.') {
            after = identifier(part)?.1;
        }
        let table = rest.get(..rest.len().checked_sub(after.len())?)?;
        let (names, after) = name_list(after.trim_start().strip_prefix('(')?)?;
        let (end, comment) = after.split_once(';')?;
        if !end.trim().eq_ignore_ascii_case("from stdin") {
            return None;
        }
        let names = distinct(names, &mut Vec::new());
        let kinds = match comment.trim() {
            "" => None,
            comment => Some(kinds_of(comment.strip_prefix("-- ")?, names.len())?),
        };
        let statement = line.get(..line.len().checked_sub(comment.len())?)?;
        let text = std::str::from_utf8(statement).ok()?.trim_end().to_string();
        Some(Statement { table: table.to_string(), names, kinds, text })
    }

    /// The statement as a line that says what the cells of each column become.
    pub fn with_kinds(&self, kinds: &[Kind]) -> Vec<u8> {
        format!("{} -- {}\n", self.text, kinds_line(kinds, None)).into_bytes()
    }
}

/// Names up to the closing parenthesis, and what follows it.
fn name_list(text: &str) -> Option<(Vec<String>, &str)> {
    let mut names = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = identifier(rest.trim_start())?;
        // As the names of a header are.
        names.push(name.trim().to_string());
        let after = after.trim_start();
        if let Some(after) = after.strip_prefix(')') {
            return Some((names, after));
        }
        rest = after.strip_prefix(',')?;
    }
}

/// The name at the beginning of a text, in quotes or not, and what follows it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let ends = |letter: char| letter.is_whitespace() || ".,();\"".contains(letter);
        let end = text.find(ends).filter(|end| *end > 0)?;
        let (name, after) = text.split_at_checked(end)?;
        return Some((name.to_string(), after));
    };
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Some((name, after)),
        }
    }
}
