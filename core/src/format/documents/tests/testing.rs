//! What tests of all formats share: everything that a codec hands on, in one go and in blocks.

use crate::event::json::{Kind, Tape};
use crate::format::{Codec, Layout, Place, Records, Sample};
use proptest::prelude::*;

/// What a codec handed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Offset, raw text and what was made of it: JSON, or why nothing.
    pub items: Vec<(usize, String, Result<String, String>)>,
    pub decoded: usize,
    base: usize,
}

impl Taken {
    pub fn records(&self) -> Vec<&str> {
        self.items.iter().filter_map(|(_, _, made)| made.as_deref().ok()).collect()
    }

    pub fn reasons(&self) -> Vec<(&str, &str)> {
        let reason = |(_, raw, made): &'_ (usize, String, Result<String, String>)| {
            made.as_ref().err().map(|reason| (raw.clone(), reason.clone()))
        };
        let leak = |text: String| -> &'static str { text.leak() };
        self.items.iter().filter_map(reason).map(|(raw, reason)| (leak(raw), leak(reason))).collect()
    }

    /// The JSON of the only record.
    pub fn only(&self) -> serde_json::Value {
        assert_eq!(self.items.len(), 1, "{self:?}");
        serde_json::from_str(self.records()[0]).unwrap()
    }
}

impl Records for Taken {
    fn record(&mut self, place: Place<'_>, json: &[u8]) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.items.push((self.base + place.offset, text(place.raw), Ok(text(json))));
    }

    fn unreadable(&mut self, place: Place<'_>, reason: &str) {
        let raw = String::from_utf8_lossy(place.raw).into_owned();
        self.items.push((self.base + place.offset, raw, Err(reason.to_string())));
    }

    fn decoded(&mut self) {
        self.decoded += 1;
    }
}

pub fn sample(bytes: &[u8]) -> Sample<'_> {
    Sample { bytes, whole: true, time_us: 1_800_000_000_000_000, header: None }
}

/// Everything in one block.
pub fn read(codec: &dyn Codec, bytes: &[u8]) -> Taken {
    let mut taken = Taken::default();
    codec.read(bytes, &mut taken);
    taken
}

/// The same with bytes that arrive some at a time.
pub fn read_in_steps(codec: &dyn Codec, bytes: &[u8], step: usize) -> Taken {
    let mut taken = Taken::default();
    let (mut start, mut end) = (0, 0);
    while end < bytes.len() {
        end = (end + step).min(bytes.len());
        if end < bytes.len()
            && let Some(length) = codec.last_end(&bytes[start..end])
        {
            assert!(length <= end - start);
            taken.base = start;
            codec.read(&bytes[start..start + length], &mut taken);
            start += length;
        }
    }
    taken.base = start;
    codec.read(&bytes[start..], &mut taken);
    taken.base = 0;
    taken
}

/// Whatever the steps, the same is read.
pub fn check_steps(codec: &dyn Codec, bytes: &[u8]) {
    let whole = read(codec, bytes);
    for step in (1..20).chain([33, 64, 100, 256, 1000]) {
        assert_eq!(
            read_in_steps(codec, bytes, step),
            whole,
            "step {step} of {:?}",
            String::from_utf8_lossy(bytes)
        );
    }
}

/// Each record that is read again alone is the same.
pub fn check_alone(first: &Layout, layout: fn(&Sample<'_>) -> Layout, bytes: &[u8]) {
    let mut tape = Tape::default();
    let taken = read(&*first.codec, bytes);
    assert!(!taken.items.is_empty());
    for (_, raw, made) in &taken.items {
        let alone = Sample { header: first.header.as_deref(), ..sample(raw.as_bytes()) };
        let again = read(&*layout(&alone).codec, raw.as_bytes());
        if let Ok(json) = made {
            assert_eq!(again.records(), [json], "{raw}");
            assert!(tape.parse(json.as_bytes()).is_ok(), "{json}");
            assert_eq!(tape.nodes()[0].kind, Kind::Object);
        }
    }
}

/// What may happen to a byte at a place of an input.
#[derive(Clone, Debug)]
pub enum Damage {
    Removed(usize),
    Put(u8),
    Repeated(usize),
    CutOff,
}

/// Ways to damage an input.
pub fn damages() -> impl Strategy<Value = Vec<(prop::sample::Index, Damage)>> {
    let byte = prop_oneof![prop::sample::select(b"\"\\{}[],:\n\r \t01aP=F".to_vec()), any::<u8>(),];
    let damage = prop_oneof![
        (1usize..40).prop_map(Damage::Removed),
        byte.prop_map(Damage::Put),
        (1usize..200).prop_map(Damage::Repeated),
        Just(Damage::CutOff),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), damage), 0..6)
}

/// A damaged input.
pub fn damaged(bytes: &[u8], damages: &[(prop::sample::Index, Damage)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, damage) in damages {
        if bytes.is_empty() {
            break;
        }
        let at = place.index(bytes.len());
        match damage {
            Damage::Removed(length) => drop(bytes.drain(at..(at + length).min(bytes.len()))),
            Damage::Put(byte) => bytes.insert(at, *byte),
            Damage::Repeated(length) => {
                let part = bytes[at..(at + length).min(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
            Damage::CutOff => bytes.truncate(at),
        }
    }
    bytes
}
