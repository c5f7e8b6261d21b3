//! Reads whole inputs for tests, in one go and in pieces.

use crate::format::{Codec, Layout, Place, Records, Sample};

/// What a codec handed on: where it stood, its raw bytes, and JSON or a reason.
#[derive(Debug, Default)]
pub struct Collected {
    pub base: usize,
    pub seen: Vec<Seen>,
    pub decoded: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub offset: usize,
    pub raw: Vec<u8>,
    pub result: Result<String, String>,
}

impl Collected {
    fn push(&mut self, place: Place<'_>, result: Result<String, String>) {
        self.seen.push(Seen { offset: self.base + place.offset, raw: place.raw.to_vec(), result });
    }
}

impl Records for Collected {
    fn record(&mut self, place: Place<'_>, json: &[u8]) {
        self.push(place, Ok(String::from_utf8(json.to_vec()).unwrap()));
    }

    fn unreadable(&mut self, place: Place<'_>, reason: &str) {
        self.push(place, Err(reason.to_string()));
    }

    fn decoded(&mut self) {
        self.decoded += 1;
    }
}

pub fn sample(text: &str) -> Sample<'_> {
    Sample { bytes: text.as_bytes(), whole: true, time_us: 0, header: None }
}

pub fn read_block(codec: &dyn Codec, block: &[u8]) -> Vec<Seen> {
    let mut collected = Collected::default();
    codec.read(block, &mut collected);
    collected.seen
}

/// All that an input has, as JSON or as `!` and a reason.
pub fn read_text(layout: &Layout, text: &str) -> Vec<String> {
    read_block(layout.codec.as_ref(), &text.as_bytes()[layout.start..])
        .into_iter()
        .map(|seen| seen.result.unwrap_or_else(|reason| format!("!{reason}")))
        .collect()
}

/// The same, cut where the codec allows it, when so many bytes have come each time.
pub fn read_in_pieces(codec: &dyn Codec, input: &[u8], arrivals: &[usize]) -> Vec<Seen> {
    let mut collected = Collected::default();
    let (mut start, mut arrived) = (0, 0);
    let mut arrivals = arrivals.iter().copied().cycle();
    while arrived < input.len() {
        arrived = input.len().min(arrived + arrivals.next().unwrap_or(1).max(1));
        if arrived == input.len() {
            break;
        }
        if let Some(end) = codec.last_end(&input[start..arrived]) {
            assert!(0 < end && start + end <= arrived, "a block that does not end where it may");
            collected.base = start;
            codec.read(&input[start..start + end], &mut collected);
            start += end;
        }
    }
    collected.base = start;
    codec.read(&input[start..], &mut collected);
    collected.seen
}

/// Checks what must hold for all bytes, and gives what was read.
pub fn check_pieces(codec: &dyn Codec, input: &[u8], arrivals: &[usize]) -> Vec<Seen> {
    let whole = read_block(codec, input);
    assert_eq!(whole, read_in_pieces(codec, input, arrivals));
    let mut end = 0;
    for seen in &whole {
        assert!(seen.offset >= end, "{seen:?} overlaps what came before");
        // A row of a later section carries the statement that names its columns.
        end = seen.offset + if input[seen.offset..].starts_with(&seen.raw) { seen.raw.len() } else { 1 };
        let again = read_block(codec, &seen.raw);
        assert_eq!(again.len(), 1, "{seen:?} read again is {again:?}");
        assert_eq!((&again[0].raw, &again[0].result), (&seen.raw, &seen.result));
        if let Ok(json) = &seen.result {
            serde_json::from_str::<serde_json::Value>(json).unwrap();
        }
    }
    whole
}
