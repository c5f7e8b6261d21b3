//! Writes the parts of a log line as the fields of a JSON object.

use super::object::ObjectWriter;
use super::stamp;

/// A record under construction; reused from line to line.
#[derive(Debug, Default)]
pub(super) struct Fields {
    object: ObjectWriter,
    scratch: Vec<u8>,
}

impl Fields {
    /// Begins a new record.
    pub(super) fn begin(&mut self) {
        self.object.begin();
    }

    /// Adds the field `timestamp`.
    pub(super) fn timestamp(&mut self, micros: i64) {
        self.scratch.clear();
        stamp::quote_into(micros, &mut self.scratch);
        self.object.json("timestamp", &self.scratch);
    }

    /// Adds a text.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.object.text(key, value);
    }

    /// Adds a number where the value is the digits of one as JSON has them, else a text.
    pub(super) fn number_or_text(&mut self, key: &str, value: &str) {
        if is_number(value.as_bytes()) {
            self.object.json(key, value.as_bytes());
        } else {
            self.object.text(key, value);
        }
    }

    /// Adds null.
    pub(super) fn null(&mut self, key: &str) {
        self.object.null(key);
    }

    /// Adds what is JSON already.
    pub(super) fn json(&mut self, key: &str, value: &[u8]) {
        self.object.json(key, value);
    }

    /// The record as JSON.
    pub(super) fn end(&mut self) -> &[u8] {
        self.object.end()
    }
}

/// Whether these are digits of an integer that comes back as it stands.
fn is_number(value: &[u8]) -> bool {
    let leading_zero = value.len() > 1 && value.first() == Some(&b'0');
    (1..=18).contains(&value.len()) && !leading_zero && value.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
pub(super) mod testing {
    //! What the tests of the formats of log lines share.

    use crate::format::{Codec, Layout, Place, Records, Sample};

    /// What was read: each record with its place, and each reason, with `!` ahead.
    #[derive(Debug, Default, PartialEq, Eq)]
    pub struct Collected {
        pub base: usize,
        pub found: Vec<(usize, Vec<u8>, String)>,
        pub decoded: usize,
    }

    impl Records for Collected {
        fn record(&mut self, place: Place<'_>, json: &[u8]) {
            let text = String::from_utf8(json.to_vec()).unwrap();
            serde_json::from_str::<serde_json::Value>(&text)
                .unwrap_or_else(|error| panic!("{error}: {text}"));
            self.found.push((self.base + place.offset, place.raw.to_vec(), text));
        }

        fn unreadable(&mut self, place: Place<'_>, reason: &str) {
            self.found.push((self.base + place.offset, place.raw.to_vec(), format!("!{reason}")));
        }

        fn decoded(&mut self) {
            self.decoded += 1;
        }
    }

    /// A sample that is all of its input, written in the first hour of the 4th of February 2026.
    pub fn sample(bytes: &[u8]) -> Sample<'_> {
        Sample { bytes, whole: true, time_us: 1_770_163_200_000_000, header: None }
    }

    /// All records of an input, as lines.
    pub fn records(layout: &Layout, bytes: &[u8]) -> Vec<String> {
        read(layout, bytes).found.into_iter().map(|(_, _, text)| text).collect()
    }

    /// All that is read of an input at once.
    pub fn read(layout: &Layout, bytes: &[u8]) -> Collected {
        let mut collected = Collected::default();
        layout.codec.read(bytes, &mut collected);
        collected
    }

    /// Checks that blocks of any length give what the whole gives, and that each record stands where it says
    /// and reads the same alone.
    pub fn check_blocks(layout: &Layout, bytes: &[u8], step: usize, again: impl Fn(&Sample<'_>) -> Layout) {
        let whole = read(layout, bytes);
        let blocks = read_in_blocks(&*layout.codec, bytes, step.max(1));
        assert_eq!(whole, blocks, "{:?} every {step}", String::from_utf8_lossy(bytes));
        for (offset, raw, text) in &whole.found {
            assert_eq!(bytes.get(*offset..offset + raw.len()), Some(raw.as_slice()));
            let alone = again(&Sample { header: layout.header.as_deref(), ..sample(raw) });
            assert_eq!(records(&alone, raw), [text.as_str()], "{:?}", String::from_utf8_lossy(raw));
        }
    }

    fn read_in_blocks(codec: &dyn Codec, bytes: &[u8], step: usize) -> Collected {
        let mut collected = Collected::default();
        let (mut start, mut end) = (0, 0);
        while end < bytes.len() {
            end = (end + step).min(bytes.len());
            let pending = &bytes[start..end];
            if let Some(length) = codec.last_end(pending) {
                assert!(length > 0 && length <= pending.len());
                collected.base = start;
                codec.read(&pending[..length], &mut collected);
                start += length;
            }
        }
        collected.base = start;
        codec.read(&bytes[start..], &mut collected);
        collected.base = 0;
        collected
    }
}
