//! The records of JSON documents one after the other: elements of arrays, or objects on their own.

use super::extent::{Extent, Extents, after_space, indent_of, line_of_object, string};

const NOT_AN_OBJECT: &str = "a record is a JSON object";
const CUT_OFF: &str = "it is cut off";

/// The keys from a document's root to the array of its records, as written; none if the root is that array.
pub(super) type ArrayPath = [Box<[u8]>];

/// A record, or something in the place of one.
#[derive(Clone, Copy, Debug)]
pub(in crate::format) struct Element<'a> {
    /// Where it begins.
    pub start: usize,
    /// Its bytes.
    pub raw: &'a [u8],
    /// Why it is no record, if that shows already.
    pub reason: Option<&'static str>,
    end: usize,
    /// Whether a block may end after it.
    cut: bool,
}

/// Where the next element is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the array, after an element: every block begins so.
    After,
    /// In the array, after its bracket or a comma.
    Next,
    /// In so many objects around the array.
    Around(usize),
}

/// An object in which no array of records was found so far.
#[derive(Clone, Copy, Debug)]
struct Opened {
    start: usize,
    /// Whether it may be an element of an array.
    element: bool,
}

/// Finds elements one after the other. What it says of one depends on no byte after it, unless the text ends with it.
#[derive(Debug)]
pub(in crate::format) struct Elements<'a> {
    text: &'a [u8],
    at: usize,
    /// None where each object is a record, whatever is around it.
    path: Option<&'a ArrayPath>,
    state: State,
    opened: Option<Opened>,
    extents: Extents,
}

impl<'a> Elements<'a> {
    /// The elements of the arrays at a path.
    pub(super) fn of_arrays(text: &'a [u8], path: &'a ArrayPath) -> Elements<'a> {
        Elements { path: Some(path), ..Elements::objects(text) }
    }

    /// All objects that are in no other.
    pub(in crate::format) fn objects(text: &'a [u8]) -> Elements<'a> {
        Elements { text, at: 0, path: None, state: State::After, opened: None, extents: Extents::default() }
    }

    /// Where the last element ends after which a block may end.
    pub(in crate::format) fn last_end(self) -> Option<usize> {
        self.filter(|element| element.cut).last().map(|element| element.end)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// One step between elements, for a byte that is no white space.
    fn step(&mut self, byte: u8) -> Option<Element<'a>> {
        match (self.path, self.state) {
            (None, _) => self.step_over_objects(byte),
            (Some(_), State::Around(0)) => self.step_outside(byte),
            (Some(path), State::Around(depth)) => self.step_around(byte, path, depth),
            (Some(path), state) => self.step_in_array(byte, path, state == State::After),
        }
    }

    fn step_over_objects(&mut self, byte: u8) -> Option<Element<'a>> {
        match byte {
            // A record separator begins each text of a JSON text sequence.
            b',' | b'[' | b']' | 0x1e => self.skip(State::After),
            _ => Some(self.element(byte)),
        }
    }

    fn step_in_array(&mut self, byte: u8, path: &ArrayPath, after: bool) -> Option<Element<'a>> {
        match byte {
            b',' => self.skip(State::Next),
            b']' if path.is_empty() => self.skip(State::After),
            b']' => self.skip(State::Around(path.len())),
            b'[' if after => self.skip(State::Next),
            // Without a comma before it, it is a document that follows one that was cut off, or the first one.
            b'{' if after && !path.is_empty() => self.open(true),
            _ => Some(self.element(byte)),
        }
    }

    /// Between documents.
    fn step_outside(&mut self, byte: u8) -> Option<Element<'a>> {
        match byte {
            b',' => self.skip(State::Around(0)),
            b'{' => self.open(false),
            _ => {
                let element = self.element(byte);
                self.state = State::Around(0);
                Some(Element { cut: false, ..element })
            }
        }
    }

    /// Among the members of an object around the array.
    fn step_around(&mut self, byte: u8, path: &ArrayPath, depth: usize) -> Option<Element<'a>> {
        match byte {
            b',' => self.skip(State::Around(depth)),
            b'}' => {
                self.skip(State::Around(depth - 1));
                let opened = if depth == 1 { self.opened.take() } else { None }?;
                self.state = if opened.element { State::After } else { State::Around(0) };
                let (start, end) = (opened.start, self.at);
                Some(Element { cut: opened.element, ..self.made(start, end, None) })
            }
            b'"' => self.member(path, depth),
            _ => Some(self.lost_around(self.at, self.at, "it is not JSON")),
        }
    }

    fn skip(&mut self, state: State) -> Option<Element<'a>> {
        self.at += 1;
        self.state = state;
        None
    }

    fn open(&mut self, element: bool) -> Option<Element<'a>> {
        self.opened = Some(Opened { start: self.at, element });
        self.skip(State::Around(1))
    }

    /// A member of an object around the array: the way to it, or something else.
    fn member(&mut self, path: &ArrayPath, depth: usize) -> Option<Element<'a>> {
        let start = self.at;
        let key_end = match string(self.text, start + 1) {
            Extent::Whole(end) => end,
            Extent::Broken(at, reason) => return Some(self.lost_around(start, at, reason)),
            Extent::Open => return Some(self.cut_off(start)),
        };
        let colon = after_space(self.text, key_end);
        match self.text.get(colon) {
            Some(b':') => {}
            Some(_) => return Some(self.lost_around(start, colon, "it is not JSON: expected `:`")),
            None => return Some(self.cut_off(start)),
        }
        self.at = after_space(self.text, colon + 1);
        let key = self.text.get(start + 1..key_end - 1).unwrap_or_default();
        if path.get(depth - 1).is_some_and(|step| **step == *key) {
            match self.peek() {
                Some(b'[') if depth == path.len() => {
                    self.opened = None;
                    return self.skip(State::Next);
                }
                Some(b'{') if depth < path.len() => return self.skip(State::Around(depth + 1)),
                _ => {}
            }
        }
        match self.extents.of(self.text, self.at) {
            Extent::Whole(end) => {
                self.at = end;
                None
            }
            Extent::Broken(at, reason) => Some(self.lost_around(start, at, reason)),
            Extent::Open => Some(self.cut_off(start)),
        }
    }

    /// What stands in an array or between objects, whatever it is.
    fn element(&mut self, byte: u8) -> Element<'a> {
        let start = self.at;
        self.state = State::After;
        if matches!(byte, b'}' | b']' | b':') {
            self.at += 1;
            return self.made(start, self.at, Some("it belongs to no record"));
        }
        match self.extents.of(self.text, start) {
            Extent::Whole(end) if byte == b'{' => {
                self.at = end;
                self.made(start, end, None)
            }
            Extent::Whole(end) => self.value(start, end, byte),
            Extent::Broken(at, reason) => self.lost(start, at, reason),
            Extent::Open => self.cut_off(start),
        }
    }

    /// A value that is no object.
    fn value(&mut self, start: usize, end: usize, byte: u8) -> Element<'a> {
        let next = self.text.get(after_space(self.text, end));
        let word = self.text.get(start..end).unwrap_or_default();
        let is_json =
            matches!(byte, b'"' | b'[' | b'-' | b'0'..=b'9') || matches!(word, b"true" | b"false" | b"null");
        if !is_json && !matches!(next, None | Some(b',' | b']')) {
            return self.lost(start, start, "it is not JSON");
        }
        self.at = end;
        Element { cut: next.is_some(), ..self.made(start, end, Some(NOT_AN_OBJECT)) }
    }

    /// Goes on where a line begins with an object, after something that is damaged.
    fn lost(&mut self, start: usize, damage: usize, reason: &'static str) -> Element<'a> {
        let read = self.text.get(start..damage).unwrap_or_default().trim_ascii_end().len();
        let indent = match self.path {
            None => Some(indent_of(self.text, start).unwrap_or(0)),
            Some(_) => indent_of(self.text, start),
        };
        let end = line_of_object(self.text, start + read, indent).unwrap_or(self.text.len());
        self.at = end;
        Element { cut: false, ..self.made(start, end, Some(reason)) }
    }

    /// The same outside of arrays.
    fn lost_around(&mut self, start: usize, damage: usize, reason: &'static str) -> Element<'a> {
        let opened = self.opened.take();
        let element = opened.is_some_and(|opened| opened.element);
        self.state = if element { State::After } else { State::Around(0) };
        self.lost(opened.map_or(start, |opened| opened.start), damage, reason)
    }

    fn cut_off(&mut self, start: usize) -> Element<'a> {
        let start = self.opened.take().map_or(start, |opened| opened.start);
        self.at = self.text.len();
        Element { cut: false, ..self.made(start, self.at, Some(CUT_OFF)) }
    }

    fn made(&self, start: usize, end: usize, reason: Option<&'static str>) -> Element<'a> {
        let raw = self.text.get(start..end).unwrap_or_default().trim_ascii_end();
        Element { start, raw, reason, end, cut: true }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        loop {
            self.at = after_space(self.text, self.at);
            let Some(byte) = self.peek() else {
                let opened = self.opened?;
                return Some(self.cut_off(opened.start));
            };
            if let Some(element) = self.step(byte) {
                return Some(element);
            }
        }
    }
}
