//! JSON text as a tape: a flat list of nodes that keeps every value's exact place in the text.
//!
//! A general parser would turn numbers into doubles and lose which digits stood there; the store promises
//! every value back, so that this one only finds where values begin and end and checks that they are JSON.

use super::mask;
use std::fmt;

/// How deep objects and arrays may nest.
pub const DEPTH_MAX: usize = 512;

/// How many keys and values a text may have, so that its tape stays small.
pub const NODES_MAX: usize = 4 << 20;

/// What a node of the tape is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object; its keys and values follow in turn.
    Object,
    /// An array; its values follow.
    Array,
    /// A key of an object, without its quotes.
    Key,
    /// A string, without its quotes.
    String,
    /// A number, as written.
    Number,
    /// `true`.
    True,
    /// `false`.
    False,
    /// `null`.
    Null,
}

/// A value or key in the text.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Whether a string or key has escapes.
    pub escaped: bool,
    /// Where its text begins.
    pub start: u32,
    /// Where its text ends.
    pub end: u32,
    /// The position on the tape after it and all that is in it.
    pub next: u32,
}

/// Why a text is not JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Bytes before the place.
    pub offset: usize,
    /// What was expected there.
    pub reason: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not JSON at byte {}: {}", self.offset, self.reason)
    }
}

/// A parsed text; reused from record to record.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
}

impl Tape {
    /// Parses one JSON value and nothing after it but white space. `text` is UTF-8.
    pub fn parse(&mut self, text: &[u8]) -> Result<(), JsonError> {
        self.nodes.clear();
        if u32::try_from(text.len()).is_err() {
            return Err(JsonError { offset: 0, reason: "a record is shorter than 4 GiB" });
        }
        let specials = mask::specials_ahead(text);
        let mut scanner = Scanner { text, position: 0, nodes: &mut self.nodes, window: 0, specials };
        scanner.value()?;
        scanner.space();
        match scanner.peek() {
            None => Ok(()),
            Some(_) => Err(scanner.error("nothing may follow the value")),
        }
    }

    /// The nodes, the root first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node at a position.
    pub fn get(&self, position: usize) -> Option<Node> {
        self.nodes.get(position).copied()
    }
}

/// The text of a node.
pub fn text_of<'a>(text: &'a [u8], node: &Node) -> &'a [u8] {
    text.get(node.start as usize..node.end as usize).unwrap_or_default()
}

struct Scanner<'a> {
    text: &'a [u8],
    position: usize,
    nodes: &'a mut Vec<Node>,
    /// Where the bytes begin that were looked at last.
    window: usize,
    /// Which of them end or interrupt a string.
    specials: u64,
}

/// What an open object or array still has to close.
#[derive(Clone, Copy)]
struct Open {
    node: usize,
    object: bool,
}

impl Scanner<'_> {
    fn error(&self, reason: &'static str) -> JsonError {
        JsonError { offset: self.position, reason }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.position += 1;
        }
    }

    /// One value with everything in it, without recursion.
    fn value(&mut self) -> Result<(), JsonError> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.space();
            if self.nodes.len() >= NODES_MAX {
                return Err(self.error("more than 4,194,304 keys and values in one record"));
            }
            if let Some(opened) = self.scalar_or_open()? {
                if open.len() >= DEPTH_MAX {
                    return Err(self.error("nested deeper than 512 levels"));
                }
                if !self.closes_at_once(&opened) {
                    open.push(opened);
                    self.key_of(&opened)?;
                    continue;
                }
                self.close(opened);
            }
            loop {
                let Some(innermost) = open.last().copied() else { return Ok(()) };
                self.space();
                match (self.peek(), innermost.object) {
                    (Some(b','), _) => {
                        self.position += 1;
                        self.key_of(&innermost)?;
                        break;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        open.pop();
                        self.close(innermost);
                    }
                    (_, true) => return Err(self.error("expected `,` or `}`")),
                    (_, false) => return Err(self.error("expected `,` or `]`")),
                }
            }
        }
    }

    fn closes_at_once(&mut self, opened: &Open) -> bool {
        self.space();
        self.peek() == Some(if opened.object { b'}' } else { b']' })
    }

    /// Ends an object or array at its closing bracket.
    fn close(&mut self, opened: Open) {
        self.position += 1;
        let (end, next) = (self.position as u32, self.nodes.len() as u32);
        if let Some(node) = self.nodes.get_mut(opened.node) {
            node.end = end;
            node.next = next;
        }
    }

    /// In an object, the next key and its colon.
    fn key_of(&mut self, opened: &Open) -> Result<(), JsonError> {
        if !opened.object {
            return Ok(());
        }
        self.space();
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a key in quotes"));
        }
        self.string(Kind::Key)?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.error("expected `:`"));
        }
        self.position += 1;
        Ok(())
    }

    fn push(&mut self, kind: Kind, escaped: bool, start: usize, end: usize) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, escaped, start: start as u32, end: end as u32, next });
    }

    fn scalar_or_open(&mut self) -> Result<Option<Open>, JsonError> {
        let start = self.position;
        match self.peek() {
            Some(b'"') => self.string(Kind::String)?,
            Some(b'{') => return Ok(Some(self.open(Kind::Object))),
            Some(b'[') => return Ok(Some(self.open(Kind::Array))),
            Some(b't') => self.word(b"true", Kind::True)?,
            Some(b'f') => self.word(b"false", Kind::False)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                self.push(Kind::Number, false, start, self.position);
            }
            _ => return Err(self.error("expected a value")),
        }
        Ok(None)
    }

    fn open(&mut self, kind: Kind) -> Open {
        let node = self.nodes.len();
        self.push(kind, false, self.position, self.position);
        self.position += 1;
        Open { node, object: kind == Kind::Object }
    }

    fn word(&mut self, word: &'static [u8], kind: Kind) -> Result<(), JsonError> {
        let end = self.position + word.len();
        if self.text.get(self.position..end) != Some(word) {
            return Err(self.error("expected a value"));
        }
        self.push(kind, false, self.position, end);
        self.position = end;
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        match self.peek() {
            Some(b'0') => self.position += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.error("expected a digit")),
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.position += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.position += 1;
            }
            self.some_digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.position += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'0'..=b'9') => {
                self.digits();
                Ok(())
            }
            _ => Err(self.error("expected a digit")),
        }
    }

    /// A string from its opening quote to past its closing one.
    fn string(&mut self, kind: Kind) -> Result<(), JsonError> {
        self.position += 1;
        let start = self.position;
        let mut escaped = false;
        loop {
            self.pass_plain();
            match self.peek() {
                Some(b'"') => {
                    self.push(kind, escaped, start, self.position);
                    self.position += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.error("control characters in a string are escaped")),
                None => return Err(self.error("the string has no end")),
            }
        }
    }

    /// Goes on to the next quote, backslash or control character, or to the end.
    #[inline]
    fn pass_plain(&mut self) {
        loop {
            let ahead = self.position.wrapping_sub(self.window);
            if ahead < 64 {
                let specials = self.specials >> ahead;
                if specials != 0 {
                    self.position += specials.trailing_zeros() as usize;
                    return;
                }
                self.position = self.window + 64;
            }
            self.window = self.position;
            self.specials = mask::specials_ahead(self.text.get(self.position..).unwrap_or_default());
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        match self.text.get(self.position + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.position += 2,
            Some(b'u') => {
                let Some(unit) = hex_unit(self.text, self.position + 2) else {
                    return Err(self.error("`\\u` takes four hexadecimal digits"));
                };
                self.position += 6;
                match unit {
                    0xD800..0xDC00 => self.low_surrogate()?,
                    0xDC00..0xE000 => return Err(self.error("half a surrogate pair is no character")),
                    _ => {}
                }
            }
            _ => return Err(self.error("no such escape")),
        }
        Ok(())
    }

    fn low_surrogate(&mut self) -> Result<(), JsonError> {
        let unit = match self.text.get(self.position..self.position + 2) {
            Some(b"\\u") => hex_unit(self.text, self.position + 2),
            _ => None,
        };
        match unit {
            Some(0xDC00..0xE000) => {
                self.position += 6;
                Ok(())
            }
            _ => Err(self.error("half a surrogate pair is no character")),
        }
    }
}

fn hex_unit(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at.checked_add(4)?)?;
    digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

/// How many bytes at the beginning are neither a quote, a backslash nor a control character.
fn plain_prefix(text: &[u8]) -> usize {
    let mut prefix = 0;
    loop {
        let rest = text.get(prefix..).unwrap_or_default();
        match mask::specials_ahead(rest) {
            0 => prefix += 64,
            specials => return prefix + specials.trailing_zeros() as usize,
        }
    }
}

/// Appends the characters that the text of a string or key stands for.
pub fn unescape_into(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len().saturating_add(16));
    let mut rest = text;
    while let Some(position) = copy_to_backslash(rest, out) {
        rest = rest.get(position..).unwrap_or_default();
        // Escapes often follow each other.
        while let [b'\\', after @ ..] = rest {
            let used = match after.first() {
                Some(b'u') => unescape_unicode(rest, out),
                Some(escape) => {
                    out.push(match escape {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'b' => 8,
                        b'f' => 12,
                        other => *other,
                    });
                    2
                }
                None => rest.len(),
            };
            rest = rest.get(used..).unwrap_or_default();
        }
    }
}

/// Appends what stands before the first backslash, or all of it if there is none. Escapes are often near each
/// other, so that a few bytes are copied at once and cut where one begins.
fn copy_to_backslash(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    const LOW: u128 = u128::from_ne_bytes([0x01; 16]);
    const HIGH: u128 = u128::from_ne_bytes([0x80; 16]);
    const BACKSLASHES: u128 = u128::from_ne_bytes([b'\\'; 16]);
    let (blocks, tail) = text.as_chunks::<16>();
    for (number, block) in blocks.iter().enumerate() {
        out.extend_from_slice(block);
        let others = u128::from_le_bytes(*block) ^ BACKSLASHES;
        let found = others.wrapping_sub(LOW) & !others & HIGH;
        if found != 0 {
            let within = (found.trailing_zeros() / 8) as usize;
            out.truncate(out.len().saturating_sub(16 - within));
            return Some(number * 16 + within);
        }
    }
    match memchr::memchr(b'\\', tail) {
        Some(position) => {
            out.extend_from_slice(tail.get(..position).unwrap_or_default());
            Some(blocks.len() * 16 + position)
        }
        None => {
            out.extend_from_slice(tail);
            None
        }
    }
}

/// Appends the character of `\uXXXX`, or of a pair of them, and says how many bytes it took.
fn unescape_unicode(text: &[u8], out: &mut Vec<u8>) -> usize {
    let first = hex_unit(text, 2).unwrap_or(0xFFFD);
    let (code, used) = match (first, hex_unit(text, 8)) {
        (0xD800..0xDC00, Some(second @ 0xDC00..0xE000)) => {
            (0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), 12)
        }
        _ => (first, 6),
    };
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    used
}

/// Appends a JSON string with its quotes.
pub fn quote_into(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut done = 0;
    while done < bytes.len() {
        let rest = bytes.get(done..).unwrap_or_default();
        let plain = plain_prefix(rest);
        out.extend_from_slice(rest.get(..plain).unwrap_or_default());
        done += plain;
        if let Some(byte) = rest.get(plain) {
            match byte {
                b'"' => out.extend_from_slice(b"\\\""),
                b'\\' => out.extend_from_slice(b"\\\\"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
            }
            done += 1;
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests;
