//! systemd's journal: the export format, and JSON.

mod entry;
pub(super) mod json;

#[cfg(test)]
mod tests;

use super::object::ObjectWriter;
use super::{Codec, Format, Guess, Layout, Place, Records, Sample, text_of};
use crate::event::fixed::Fixed;
use crate::event::json::quote_into;
use entry::{Entries, Entry, Made};
use std::sync::Arc;

/// The journal's fields that are fixed columns.
const NAMES: &[(Fixed, &[&str])] = &[
    (Fixed::Ts, &["__REALTIME_TIMESTAMP"]),
    (Fixed::EventId, &["__CURSOR"]),
    (Fixed::Source, &["SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "_COMM"]),
    (Fixed::Level, &["PRIORITY"]),
    (Fixed::Actor, &["_UID"]),
    (Fixed::Message, &["MESSAGE"]),
];

#[derive(Debug)]
struct Export;

impl Codec for Export {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        // After an entry whose end may be yet to come, what looks like entries may be within it.
        Entries::new(pending).take_while(|entry| entry.cut).last().map(|entry| entry.end)
    }

    fn next_start(&self, bytes: &[u8]) -> Option<usize> {
        memchr::memmem::find(bytes, b"\n\n").map(|position| position + 2)
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        let mut writer = ObjectWriter::default();
        let mut list = Vec::new();
        for entry in Entries::new(block) {
            let raw = block.get(entry.start..entry.end).unwrap_or_default();
            let place = Place { offset: entry.start, raw };
            match entry {
                Entry { made: Made::Fields(fields), .. } => {
                    write(fields, &mut writer, &mut list, records);
                    records.record(place, writer.end());
                }
                Entry { made: Made::Damaged(reason), .. } => records.unreadable(place, reason),
            }
        }
    }
}

/// Writes the fields of an entry; those that stand more than once as lists.
fn write(
    mut fields: Vec<(&str, &[u8])>,
    writer: &mut ObjectWriter,
    list: &mut Vec<u8>,
    records: &mut dyn Records,
) {
    fields.sort_by_key(|(name, _)| *name);
    writer.begin();
    for same in fields.chunk_by(|one, next| one.0 == next.0) {
        if let [(name, value)] = same {
            writer.text(name, &text_of(value, records));
            continue;
        }
        list.clear();
        for (_, value) in same {
            list.push(if list.is_empty() { b'[' } else { b',' });
            quote_into(&text_of(value, records), list);
        }
        list.push(b']');
        if let Some((name, _)) = same.first() {
            writer.json(name, list);
        }
    }
}

pub(super) fn layout() -> Layout {
    let (start, header, notes) = (0, None, Vec::new());
    Layout { format: Format::Journal, start, header, names: NAMES, notes, codec: Arc::new(Export) }
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let (mut all, mut fitting) = (0, 0);
    for entry in Entries::new(sample.bytes).take(100).filter(|entry| entry.cut || sample.whole) {
        all += 1;
        let known = |(name, _): &(&str, &[u8])| matches!(*name, "__CURSOR" | "__REALTIME_TIMESTAMP");
        fitting += usize::from(matches!(&entry.made, Made::Fields(fields) if fields.iter().any(known)));
    }
    let begins =
        [&b"__CURSOR="[..], b"__REALTIME_TIMESTAMP="].iter().any(|start| sample.bytes.starts_with(start));
    if all == 0 && begins {
        (all, fitting) = (1, 1);
    }
    let sure = u8::try_from(fitting * 98 / all.max(1)).unwrap_or(98);
    let why =
        "entries have a `__CURSOR` and a `__REALTIME_TIMESTAMP`, as the journal exports them".to_string();
    (sure > 0).then(|| Guess { layout: layout(), sure, why })
}
