//! The parameters of a message, found by its template, and what kind of value each is.

use super::class::{HEX, SPACE, of};
use super::text::PARAMETER;
use std::fmt;

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParameterKind {
    /// A number, perhaps with a unit.
    Number,
    /// An address of IPv4 or IPv6, perhaps with a port.
    Ip,
    /// A UUID.
    Uuid,
    /// A path or a link.
    Path,
    /// A hexadecimal number or hash.
    Hex,
    /// Anything else.
    Word,
}

impl ParameterKind {
    /// What kind of value a text is.
    pub fn of(value: &str) -> ParameterKind {
        let bytes =
            value.trim_matches(|char: char| matches!(char, '"' | '\'' | '(' | ')' | '[' | ']')).as_bytes();
        if is_uuid(bytes) {
            ParameterKind::Uuid
        } else if is_ip(bytes) {
            ParameterKind::Ip
        } else if is_number(bytes) {
            ParameterKind::Number
        } else if is_hex(bytes) {
            ParameterKind::Hex
        } else if bytes.contains(&b'/') || bytes.contains(&b'\\') {
            ParameterKind::Path
        } else {
            ParameterKind::Word
        }
    }

    /// The name that people read.
    pub fn name(self) -> &'static str {
        match self {
            ParameterKind::Number => "number",
            ParameterKind::Ip => "ip",
            ParameterKind::Uuid => "uuid",
            ParameterKind::Path => "path",
            ParameterKind::Hex => "hex",
            ParameterKind::Word => "word",
        }
    }
}

impl fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn is_uuid(value: &[u8]) -> bool {
    let mut groups = value.split(|byte| *byte == b'-');
    let lengths = [8, 4, 4, 4, 12];
    lengths.iter().all(|length| {
        groups.next().is_some_and(|group| group.len() == *length && group.iter().all(u8::is_ascii_hexdigit))
    }) && groups.next().is_none()
}

fn is_ip(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"/").unwrap_or(value);
    let Ok(text) = std::str::from_utf8(value) else { return false };
    text.parse::<core::net::IpAddr>().is_ok() || text.parse::<core::net::SocketAddr>().is_ok()
}

/// A number: digits with a sign, points and commas, and a unit after them.
fn is_number(value: &[u8]) -> bool {
    let unsigned = value.strip_prefix(b"-").or_else(|| value.strip_prefix(b"+")).unwrap_or(value);
    let digits =
        unsigned.iter().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',')).count();
    let unit = unsigned.get(digits..).unwrap_or_default();
    let unit = unit.strip_prefix(b" ").unwrap_or(unit);
    let dots = unsigned.iter().filter(|byte| **byte == b'.').count();
    unsigned.first().is_some_and(u8::is_ascii_digit)
        && dots < 2
        && unit.len() <= 5
        && unit.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'%')
        && !(unit.starts_with(b"x") || unit.len() > 1 && unit.iter().all(|byte| of(*byte) & HEX != 0))
}

fn is_hex(value: &[u8]) -> bool {
    let prefixed = value.strip_prefix(b"0x").or_else(|| value.strip_prefix(b"0X"));
    let digits = prefixed.unwrap_or(value);
    digits.len() >= if prefixed.is_some() { 1 } else { 6 } && digits.iter().all(u8::is_ascii_hexdigit)
}

/// The parameters of a message, in the order of the template's `<*>`; none if it is not of this template. White space
/// of any length stands where the template has a space.
pub fn parameters<'a>(template: &str, message: &'a str) -> Option<Vec<&'a str>> {
    let message = message.trim();
    if message.starts_with('{')
        && template.starts_with('{')
        && let Some(values) = super::json::values_of(message)
        && values.len() == template.matches(PARAMETER).count()
    {
        return Some(values);
    }
    let mut segments = template.split(PARAMETER);
    let mut at = starts_with(message.as_bytes(), segments.next()?.as_bytes())?;
    let mut found = Vec::new();
    let mut segments = segments.peekable();
    while let Some(segment) = segments.next() {
        let (value_end, next) = if segments.peek().is_none() {
            ends_with(message, at, segment.as_bytes())?
        } else {
            find(message.as_bytes(), at, segment.as_bytes())?
        };
        found.push(message.get(at..value_end)?.trim());
        at = next;
    }
    (at == message.len()).then_some(found)
}

/// How many bytes of a text a segment of a template takes, if the text begins with it.
fn starts_with(text: &[u8], segment: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    for byte in segment {
        let rest = text.get(at..)?;
        if *byte == b' ' {
            let spaces = rest.iter().take_while(|byte| of(**byte) & SPACE != 0).count();
            if spaces == 0 {
                return None;
            }
            at = at.saturating_add(spaces);
        } else {
            if rest.first() != Some(byte) {
                return None;
            }
            at = at.saturating_add(1);
        }
    }
    Some(at)
}

/// Where a segment is found first, and where it ends.
fn find(text: &[u8], from: usize, segment: &[u8]) -> Option<(usize, usize)> {
    (from..=text.len().min(super::scan::BYTES_MAX)).find_map(|at| {
        let length = starts_with(text.get(at..)?, segment)?;
        Some((at, at.saturating_add(length)))
    })
}

/// Where the last segment begins, so that the text ends with it.
fn ends_with(text: &str, from: usize, segment: &[u8]) -> Option<(usize, usize)> {
    if segment.is_empty() {
        return Some((text.len(), text.len()));
    }
    let bytes = text.as_bytes();
    let mut at = bytes.len();
    for byte in segment.iter().rev() {
        let head = bytes.get(..at)?;
        let taken = if *byte == b' ' {
            head.iter().rev().take_while(|byte| of(**byte) & SPACE != 0).count()
        } else {
            usize::from(head.last() == Some(byte))
        };
        if taken == 0 {
            return None;
        }
        at = at.saturating_sub(taken);
    }
    (at >= from).then_some((at, bytes.len()))
}
