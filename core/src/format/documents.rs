//! JSON documents: an array of records, an object around one, or objects one after the other.

mod elements;
mod extent;
mod wrapper;

#[cfg(test)]
pub(super) mod tests;

pub(super) use elements::Elements;
pub(super) use extent::members;

use super::{Codec, Format, Guess, Layout, Place, Records, Sample};
use crate::event::json::{Kind, Tape};
use elements::{ArrayPath, Element};
use std::sync::Arc;
use wrapper::Wrapper;

/// How many records of a sample are looked at.
const LOOKED_AT: usize = 100;
/// What a record's header says: it stands alone, whatever was around it.
const ALONE: &str = "record";

#[derive(Debug)]
struct Documents {
    /// Where the records are; none if each object is one.
    path: Option<Box<ArrayPath>>,
}

impl Documents {
    fn elements<'a>(&'a self, text: &'a [u8]) -> Elements<'a> {
        match &self.path {
            Some(path) => Elements::of_arrays(text, path),
            None => Elements::objects(text),
        }
    }
}

impl Codec for Documents {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        self.elements(pending).last_end()
    }

    fn next_start(&self, bytes: &[u8]) -> Option<usize> {
        next_object(bytes)
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        for element in self.elements(block) {
            let place = place_of(&element);
            match element.reason {
                None => records.record(place, element.raw),
                Some(reason) => records.unreadable(place, reason),
            }
        }
    }
}

/// Where an element stands.
pub(super) fn place_of<'a>(element: &elements::Element<'a>) -> Place<'a> {
    Place { offset: element.start, raw: element.raw }
}

/// Where a line begins with an object.
pub(super) fn next_object(bytes: &[u8]) -> Option<usize> {
    extent::line_of_object(bytes, 0, None).map(|newline| newline + 1)
}

/// How records stand in a sample.
enum Shape {
    Array,
    Wrapped(Wrapper),
    Objects,
}

fn shape_of(sample: &Sample<'_>) -> Shape {
    if sample.header.is_some() {
        return Shape::Objects;
    }
    match sample.bytes.trim_ascii_start().first() {
        Some(b'[') => Shape::Array,
        _ => wrapper::find(sample.bytes).map_or(Shape::Objects, Shape::Wrapped),
    }
}

pub(super) fn layout(sample: &Sample<'_>) -> Layout {
    layout_of(shape_of(sample))
}

fn layout_of(shape: Shape) -> Layout {
    let mut notes = Vec::new();
    let path = match shape {
        Shape::Array => Some(Vec::new()),
        Shape::Objects => None,
        Shape::Wrapped(wrapper) => {
            if !wrapper.others.is_empty() {
                let others = wrapper.others.join(", ");
                notes.push(format!("other fields of the wrapper are not stored: {others}"));
            }
            if wrapper.has_more {
                notes.push("fields of the wrapper that stand after the records are not stored".to_string());
            }
            Some(wrapper.path)
        }
    };
    let header = path.is_some().then(|| ALONE.to_string());
    let codec = Arc::new(Documents { path: path.map(Vec::into_boxed_slice) });
    Layout { format: Format::Json, start: 0, header, names: &[], notes, codec }
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let shape = shape_of(sample);
    let (most, why) = match &shape {
        Shape::Array => (94, "it is a JSON array".to_string()),
        Shape::Wrapped(wrapper) => {
            let path: Vec<_> = wrapper.path.iter().map(|key| String::from_utf8_lossy(key)).collect();
            let why = format!("it is a JSON object around the records in `{}`", path.join("."));
            (if wrapper.certain { 97 } else { 90 }, why)
        }
        Shape::Objects => {
            (most_of_objects(sample)?, "JSON objects go over several lines, or share one".to_string())
        }
    };
    let layout = layout_of(shape);
    let (objects, all) = count(sample, &layout);
    let most = if all == 0 && !matches!(sample.bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        0
    } else {
        most
    };
    let sure = u8::try_from(objects.max(usize::from(all == 0)) * most / all.max(1)).unwrap_or(0);
    (sure > 0).then_some(Guess { layout, sure, why })
}

/// The less of a sample's lines are objects, the surer these are no JSON Lines.
fn most_of_objects(sample: &Sample<'_>) -> Option<usize> {
    let mut tape = Tape::default();
    let lines: Vec<bool> = super::detect::whole_lines(sample)
        .filter(|place| !place.raw.trim_ascii().is_empty())
        .take(LOOKED_AT)
        .map(|place| is_object(&mut tape, place.raw))
        .collect();
    let others = lines.iter().filter(|object| !**object).count();
    (others > 0).then(|| 90 * others / lines.len())
}

/// How many of a sample's records are objects, and how many there are.
fn count(sample: &Sample<'_>, layout: &Layout) -> (usize, usize) {
    let mut counter = Counter { tape: Tape::default(), objects: 0, all: 0 };
    let end = match sample.whole {
        true => sample.bytes.len(),
        false => layout.codec.last_end(sample.bytes).unwrap_or(0),
    };
    layout.codec.read(sample.bytes.get(..end).unwrap_or_default(), &mut counter);
    (counter.objects, counter.all)
}

struct Counter {
    tape: Tape,
    objects: usize,
    all: usize,
}

impl Records for Counter {
    fn record(&mut self, _: Place<'_>, json: &[u8]) {
        self.all += 1;
        self.objects += usize::from(is_object(&mut self.tape, json));
    }

    fn unreadable(&mut self, _: Place<'_>, _: &str) {
        self.all += 1;
    }

    fn decoded(&mut self) {}
}

fn is_object(tape: &mut Tape, text: &[u8]) -> bool {
    parse(tape, text) && tape.get(0).is_some_and(|root| root.kind == Kind::Object)
}

/// Where a string ends whose opening quote is before a position, with its closing quote.
pub(super) fn string_end(text: &[u8], start: usize) -> Option<usize> {
    match extent::string(text, start) {
        extent::Extent::Whole(end) => Some(end),
        _ => None,
    }
}

/// Parses a text that may be anything.
pub(super) fn parse(tape: &mut Tape, text: &[u8]) -> bool {
    simdutf8::basic::from_utf8(text).is_ok() && tape.parse(text).is_ok()
}

/// How many of a sample's objects fit, from 0 to 100; none if there are no whole ones.
pub(super) fn percent_of_objects(sample: &Sample<'_>, fits: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let elements = Elements::objects(sample.bytes).take(LOOKED_AT);
    let fitting: Vec<bool> = elements
        .map(|element: Element<'_>| element.raw.first() == Some(&b'{') && fits(element.raw))
        .collect();
    let count = fitting.iter().filter(|fits| **fits).count();
    (count > 0).then(|| count * 100 / fitting.len())
}
