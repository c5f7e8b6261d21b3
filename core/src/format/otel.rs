//! OpenTelemetry's logs as JSON: each log record with its resource and its scope is a record.

mod value;

#[cfg(test)]
mod tests;

use super::documents::{Elements, members, next_object, parse, percent_of_objects, place_of};
use super::{Codec, Format, Guess, Layout, Place, Records, Sample};
use crate::event::fixed::Fixed;
use crate::event::json::{Kind, Tape};
use std::sync::Arc;
use value::{Tree, any_value_into, attributes_into, member_into};

const NAMES: &[(Fixed, &[&str])] = &[
    (Fixed::Ts, &["timeUnixNano", "observedTimeUnixNano"]),
    (Fixed::Source, &["resource.service.name"]),
    (Fixed::Kind, &["eventName"]),
    (Fixed::Level, &["severityText", "severityNumber"]),
    (Fixed::Message, &["body"]),
    (Fixed::TraceId, &["traceId"]),
    (Fixed::SpanId, &["spanId"]),
];

const NO_LOGS: &str = "not as OpenTelemetry writes logs";
/// What log records share is written for each of them; up to so many times the length of what is read.
const GROWTH_MAX: usize = 256;

#[derive(Debug)]
struct Otel;

impl Codec for Otel {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        Elements::objects(pending).last_end()
    }

    fn next_start(&self, bytes: &[u8]) -> Option<usize> {
        next_object(bytes)
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        let mut tape = Tape::default();
        let (mut shared, mut out) = (Vec::new(), Vec::new());
        for element in Elements::objects(block) {
            let place = place_of(&element);
            match element.reason {
                Some(reason) => records.unreadable(place, reason),
                None if parse(&mut tape, element.raw) => {
                    let tree = Tree { text: element.raw, tape: &tape };
                    let room = element.raw.len().saturating_mul(GROWTH_MAX);
                    let (shared, out) = (&mut shared, &mut out);
                    Walk { tree, place, records, shared, out, room }.root();
                }
                None => records.record(place, element.raw),
            }
        }
    }
}

/// Why an export of something else than logs cannot be read.
fn other_signal(key: &[u8]) -> Option<&'static str> {
    match key {
        b"resourceSpans" => Some("these are spans, not logs"),
        b"resourceMetrics" => Some("these are metrics, not logs"),
        b"resourceProfiles" => Some("these are profiles, not logs"),
        _ => None,
    }
}

/// The way through one export to its log records.
struct Walk<'a, 'r> {
    tree: Tree<'a>,
    place: Place<'a>,
    records: &'r mut dyn Records,
    /// The members of a record that it shares with others, each after a comma.
    shared: &'r mut Vec<u8>,
    out: &'r mut Vec<u8>,
    room: usize,
}

impl Walk<'_, '_> {
    fn root(&mut self) {
        let mut is_export = false;
        for (key, value) in self.tree.members(0) {
            if let Some(reason) = other_signal(key) {
                is_export = true;
                self.records.unreadable(self.place, reason);
            } else if key == b"resourceLogs" {
                is_export = true;
                self.each_object(value, Self::resource_logs);
            }
        }
        if !is_export {
            // A log record that was taken out of its export before.
            self.records.record(self.place, self.place.raw);
        }
    }

    /// Goes into each object of an array.
    fn each_object(&mut self, array: usize, into: fn(&mut Self, usize)) {
        if self.tree.kind(array) != Some(Kind::Array) {
            return self.unreadable(array, NO_LOGS);
        }
        for item in self.tree.items(array) {
            match self.tree.kind(item) {
                Some(Kind::Object) => into(self, item),
                _ => self.unreadable(item, NO_LOGS),
            }
        }
    }

    fn resource_logs(&mut self, entry: usize) {
        self.shared.clear();
        let mut info = Vec::new();
        for (key, value) in self.tree.members(entry) {
            match key {
                b"scopeLogs" => {}
                b"resource" if self.tree.kind(value) == Some(Kind::Object) => {
                    for (key, value) in self.tree.members(value) {
                        if key == b"attributes" {
                            self.shared.extend_from_slice(b",\"resource\":");
                            attributes_into(&self.tree, value, self.shared);
                        } else {
                            member_into(&self.tree, key, value, &mut info);
                        }
                    }
                }
                _ => member_into(&self.tree, key, value, &mut info),
            }
        }
        self.share("resourceInfo", &info);
        for (_, scopes) in self.tree.members(entry).filter(|(key, _)| *key == b"scopeLogs") {
            self.each_object(scopes, Self::scope_logs);
        }
    }

    fn scope_logs(&mut self, entry: usize) {
        let length = self.shared.len();
        let (mut scope, mut info) = (Vec::new(), Vec::new());
        for (key, value) in self.tree.members(entry) {
            match key {
                b"logRecords" => {}
                b"scope" if self.tree.kind(value) == Some(Kind::Object) => {
                    for (key, value) in self.tree.members(value) {
                        if key == b"attributes" {
                            scope.extend_from_slice(b",\"attributes\":");
                            attributes_into(&self.tree, value, &mut scope);
                        } else {
                            member_into(&self.tree, key, value, &mut scope);
                        }
                    }
                }
                _ => member_into(&self.tree, key, value, &mut info),
            }
        }
        self.share("scope", &scope);
        self.share("scopeInfo", &info);
        for (_, logs) in self.tree.members(entry).filter(|(key, _)| *key == b"logRecords") {
            self.each_object(logs, Self::log_record);
        }
        self.shared.truncate(length);
    }

    /// Adds an object of members, each after a comma, to what records share.
    fn share(&mut self, key: &str, members: &[u8]) {
        if let Some((_, members)) = members.split_first() {
            for part in [b",\"", key.as_bytes(), b"\":{", members, b"}"] {
                self.shared.extend_from_slice(part);
            }
        }
    }

    fn log_record(&mut self, record: usize) {
        let Some(room) = self.room.checked_sub(self.shared.len()) else {
            return self.unreadable(record, "what it shares with other records is too long to be repeated");
        };
        self.room = room;
        self.out.clear();
        for (key, value) in self.tree.members(record) {
            match key {
                _ if self.is_unset(key, value) => {}
                b"body" => {
                    self.out.extend_from_slice(b",\"body\":");
                    any_value_into(&self.tree, value, self.out);
                }
                b"attributes" => {
                    self.out.extend_from_slice(b",\"attributes\":");
                    attributes_into(&self.tree, value, self.out);
                }
                _ => member_into(&self.tree, key, value, self.out),
            }
        }
        self.out.extend_from_slice(self.shared);
        match self.out.first_mut() {
            Some(first) => *first = b'{',
            None => self.out.push(b'{'),
        }
        self.out.push(b'}');
        let offset = self.place.offset + self.tree.start(record);
        self.records.record(Place { offset, raw: self.out }, self.out);
    }

    /// Whether a field says that it has no value, where its column would take that for one.
    fn is_unset(&self, key: &[u8], value: usize) -> bool {
        let text = self.tree.text(value);
        match key {
            b"timeUnixNano" | b"observedTimeUnixNano" | b"severityNumber" => text == b"0",
            b"severityText" | b"traceId" | b"spanId" | b"eventName" => text.is_empty(),
            _ => false,
        }
    }

    fn unreadable(&mut self, node: usize, reason: &str) {
        let offset = self.place.offset + self.tree.start(node);
        self.records.unreadable(Place { offset, raw: self.tree.json(node) }, reason);
    }
}

pub(super) fn layout() -> Layout {
    let (start, header, names, notes) = (0, None, NAMES, Vec::new());
    Layout { format: Format::Otel, start, header, names, notes, codec: Arc::new(Otel) }
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let is_export = |object: &[u8]| {
        let exports = |key: &[u8]| key == b"resourceLogs" || other_signal(key).is_some();
        members(object, 0).iter().any(|member| exports(member.key))
    };
    let percent = percent_of_objects(sample, is_export)?;
    let sure = u8::try_from(percent * 99 / 100).unwrap_or(99);
    let why = "objects have `resourceLogs`, as OpenTelemetry's exporters write them".to_string();
    (sure > 0).then(|| Guess { layout: layout(), sure, why })
}
