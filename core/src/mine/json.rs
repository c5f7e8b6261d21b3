//! A message that is a JSON object: its keys are the template.

use super::scan::MARK;
use super::shape;
use crate::event::json::{Kind, Tape, text_of};

/// A longer message is not read as JSON.
const BYTES_MAX: usize = 4 << 20;
/// More keys than fit into this are one value.
const SHAPE_BYTES_MAX: usize = 4096;

/// Writes the keys of a JSON object, with a mark for each value and each array. Says whether the message is one.
pub fn shape_of(message: &[u8], tape: &mut Tape, out: &mut Vec<u8>) -> bool {
    let text = message.trim_ascii();
    let object = text.starts_with(b"{\"") || text.starts_with(b"{ ") || text.starts_with(b"{}");
    if !object || !text.ends_with(b"}") || text.len() > BYTES_MAX {
        return false;
    }
    if std::str::from_utf8(text).is_err() || tape.parse(text).is_err() {
        return false;
    }
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0_usize;
    while let Some(node) = tape.get(at) {
        while open.last() == Some(&at) {
            open.pop();
            out.push(b'}');
        }
        if out.len() > SHAPE_BYTES_MAX {
            out.push(MARK);
            return true;
        }
        at = at.saturating_add(1);
        match node.kind {
            Kind::Object => {
                open.push(node.next as usize);
                out.push(b'{');
            }
            Kind::Key => key(text_of(text, &node), out),
            Kind::Array => {
                out.extend_from_slice(&[b'[', MARK, b']']);
                at = node.next as usize;
            }
            Kind::String | Kind::Number | Kind::True | Kind::False | Kind::Null => out.push(MARK),
        }
    }
    out.extend(open.iter().map(|_| b'}'));
    true
}

/// The values of a message whose template is the shape of a JSON object, in the order of the shape's marks; none if the
/// message is no object, or too long for its shape to be whole.
pub fn values_of(message: &str) -> Option<Vec<&str>> {
    let text = message.trim_ascii();
    let mut tape = Tape::default();
    if !text.starts_with('{') || text.len() > BYTES_MAX || tape.parse(text.as_bytes()).is_err() {
        return None;
    }
    let mut values = Vec::new();
    let mut at = 0_usize;
    while let Some(node) = tape.get(at) {
        let value = text.get(node.start as usize..node.end as usize)?;
        at = at.saturating_add(1);
        match node.kind {
            Kind::Object => {}
            Kind::Key if !shape::is_value_as_key(value.as_bytes()) => {}
            // Its brackets are the template's.
            Kind::Array => {
                values
                    .push(value.strip_prefix('[').and_then(|value| value.strip_suffix(']')).unwrap_or(value));
                at = node.next as usize;
            }
            _ => values.push(value),
        }
    }
    Some(values)
}

/// A key; one that is a value itself, as the keys of a map are, is a mark.
fn key(key: &[u8], out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.extend_from_slice(b", ");
    }
    out.push(b'"');
    if shape::is_value_as_key(key) {
        out.push(MARK);
    } else {
        out.extend_from_slice(key);
    }
    out.extend_from_slice(b"\": ");
}
