//! JSON Lines: one object a line.

use super::{Codec, Format, Guess, Layout, Place, Records, Sample, last_line_end};
use crate::event::json::{Kind, Tape};
use std::sync::Arc;

#[derive(Debug)]
struct JsonLines;

impl Codec for JsonLines {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        last_line_end(pending)
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        for place in super::lines_of(block) {
            if !place.raw.trim_ascii().is_empty() {
                records.record(place, place.raw);
            }
        }
    }
}

/// The layout of JSON Lines.
pub fn layout() -> Layout {
    let (start, header, names, notes) = (0, None, &[][..], Vec::new());
    Layout { format: Format::JsonLines, start, header, names, notes, codec: Arc::new(JsonLines) }
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let mut tape = Tape::default();
    let mut is_object = |place: &Place<'_>| {
        std::str::from_utf8(place.raw).is_ok()
            && tape.parse(place.raw).is_ok()
            && tape.get(0).is_some_and(|root| root.kind == Kind::Object)
    };
    let lines: Vec<bool> = super::detect::whole_lines(sample)
        .filter(|place| !place.raw.trim_ascii().is_empty())
        .take(100)
        .map(|place| is_object(&place))
        .collect();
    let objects = lines.iter().filter(|object| **object).count();
    if objects == 0 {
        return None;
    }
    let sure = u8::try_from(objects * 95 / lines.len()).unwrap_or(95);
    let why = match lines.len() {
        all if all == objects => format!("each of the first {all} lines is a JSON object"),
        all => format!("{objects} of the first {all} lines are JSON objects"),
    };
    Some(Guess { layout: layout(), sure, why })
}
