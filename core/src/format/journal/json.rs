//! The journal as JSON: `journalctl -o json` and `-o json-pretty`.

use super::NAMES;
use crate::event::json::{self, Kind, Node, Tape};
use crate::format::documents::{Elements, members, next_object, parse, percent_of_objects, place_of};
use crate::format::{Codec, Format, Guess, Layout, Records, Sample, text_of};
use std::sync::Arc;

#[derive(Debug)]
struct JournalJson;

impl Codec for JournalJson {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        Elements::objects(pending).last_end()
    }

    fn next_start(&self, bytes: &[u8]) -> Option<usize> {
        next_object(bytes)
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        let mut tape = Tape::default();
        let mut out = Vec::new();
        for element in Elements::objects(block) {
            let place = place_of(&element);
            match element.reason {
                Some(reason) => records.unreadable(place, reason),
                None if memchr::memchr(b'[', element.raw).is_some() && parse(&mut tape, element.raw) => {
                    write(&tape, element.raw, &mut out, records);
                    records.record(place, &out);
                }
                None => records.record(place, element.raw),
            }
        }
    }
}

/// Writes an entry with the text that its lists of bytes are.
fn write(tape: &Tape, text: &[u8], out: &mut Vec<u8>, records: &mut dyn Records) {
    out.clear();
    out.push(b'{');
    let mut position = 1;
    while let (Some(key), Some(value)) = (tape.get(position), tape.get(position + 1)) {
        if position > 1 {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(json::text_of(text, &key));
        out.extend_from_slice(b"\":");
        value_into(tape, text, position + 1, out, records);
        position = value.next as usize;
    }
    out.push(b'}');
}

/// A value, or a list of the values that a field has.
fn value_into(tape: &Tape, text: &[u8], position: usize, out: &mut Vec<u8>, records: &mut dyn Records) {
    let Some(node) = tape.get(position) else { return };
    let mut items = items_of(tape, position, &node).peekable();
    if node.kind != Kind::Array || items.peek().is_none() {
        return raw_into(text, &node, out);
    }
    if let Some(bytes) = bytes_of(tape, text, position, &node) {
        return json::quote_into(&text_of(&bytes, records), out);
    }
    let mut separator = b'[';
    for (position, item) in items {
        out.push(separator);
        separator = b',';
        match bytes_of(tape, text, position, &item) {
            Some(bytes) => json::quote_into(&text_of(&bytes, records), out),
            None => raw_into(text, &item, out),
        }
    }
    out.push(b']');
}

fn raw_into(text: &[u8], node: &Node, out: &mut Vec<u8>) {
    let quote: &[u8] = if node.kind == Kind::String { b"\"" } else { b"" };
    for part in [quote, json::text_of(text, node), quote] {
        out.extend_from_slice(part);
    }
}

/// The items of an array, with their positions.
fn items_of<'a>(tape: &'a Tape, array: usize, node: &Node) -> impl Iterator<Item = (usize, Node)> + use<'a> {
    let (mut position, end) = (array + 1, node.next as usize);
    std::iter::from_fn(move || {
        let item = tape.get(position).filter(|_| position < end)?;
        let at = position;
        position = item.next as usize;
        Some((at, item))
    })
}

/// What an array of numbers from 0 to 255 stands for.
fn bytes_of(tape: &Tape, text: &[u8], position: usize, node: &Node) -> Option<Vec<u8>> {
    let byte = |(_, item): (usize, Node)| {
        let number = std::str::from_utf8(json::text_of(text, &item)).ok()?;
        number.parse::<u8>().ok().filter(|_| item.kind == Kind::Number)
    };
    let mut items = items_of(tape, position, node).peekable();
    items.peek().filter(|_| node.kind == Kind::Array)?;
    items.map(byte).collect()
}

pub(in crate::format) fn layout() -> Layout {
    let (start, header, notes) = (0, None, Vec::new());
    let codec = Arc::new(JournalJson);
    Layout { format: Format::JournalJson, start, header, names: NAMES, notes, codec }
}

pub(in crate::format) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let known = |key: &[u8]| matches!(key, b"__CURSOR" | b"__REALTIME_TIMESTAMP");
    let percent =
        percent_of_objects(sample, |object| members(object, 0).iter().any(|member| known(member.key)))?;
    let sure = u8::try_from(percent * 98 / 100).unwrap_or(98);
    let why = "objects have a `__CURSOR` and a `__REALTIME_TIMESTAMP`, as the journal's have".to_string();
    (sure > 0).then(|| Guess { layout: layout(), sure, why })
}
