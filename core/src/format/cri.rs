//! Log files of the container runtime interface: a time, a stream, a tag and the output.

#[cfg(test)]
mod tests;

use super::parts::{self, Line};
use super::{Codec, Format, Guess, Layout, Place, Records, Sample, detect, docker, text_of};
use crate::event::json::{self, Tape};
use std::sync::Arc;

#[derive(Debug)]
struct Cri;

impl Codec for Cri {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        parts::last_end(pending, line_of)
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        let mut reader = Reader::default();
        parts::for_each_group(block, line_of, |group| reader.group(group, records));
    }
}

/// A line taken apart.
#[derive(Clone, Copy, Debug)]
struct Fields<'a> {
    time: &'a str,
    stream: &'a str,
    tags: &'a str,
    output: &'a [u8],
}

fn fields_of(line: &[u8]) -> Option<Fields<'_>> {
    let mut words = line.splitn(4, |byte| *byte == b' ');
    let mut word = || words.next().and_then(|word| std::str::from_utf8(word).ok());
    let (time, stream, tags) = (word()?, word()?, word()?);
    let mut bytes = time.bytes();
    let is_time = bytes.next().is_some_and(|digit| digit.is_ascii_digit()) && bytes.nth(9) == Some(b'T');
    let is_tags = !tags.is_empty() && tags.len() <= 64 && tags.bytes().all(|byte| byte.is_ascii_graphic());
    let output = words.next().unwrap_or_default();
    (is_time && is_tags && matches!(stream, "stdout" | "stderr")).then_some(Fields {
        time,
        stream,
        tags,
        output,
    })
}

fn line_of(line: &[u8]) -> Line {
    let Some(fields) = fields_of(line) else { return Line::Alone };
    let ends = fields.tags.split(':').next() != Some("P");
    Line::Part { is_error: fields.stream == "stderr", ends }
}

#[derive(Default)]
struct Reader {
    tape: Tape,
    raw: Vec<u8>,
    output: Vec<u8>,
    others: Vec<u8>,
    out: Vec<u8>,
}

impl Reader {
    fn group(&mut self, group: &[Place<'_>], records: &mut dyn Records) {
        let Some(first) = group.first() else { return };
        let Some(fields) = fields_of(first.raw) else {
            return records.unreadable(*first, "a line begins with a time, a stream and a tag");
        };
        self.output.clear();
        for part in group.iter().filter_map(|part| fields_of(part.raw)) {
            self.output.extend_from_slice(part.output);
        }
        self.others.clear();
        self.other("stream", fields.stream);
        self.other("time", fields.time);
        // Whether a line is a part goes without saying; other tags may come.
        if fields.tags.contains(':') {
            self.other("tags", fields.tags);
        }
        let output = text_of(&self.output, records);
        parts::record_into(&mut self.tape, "message", &output, &self.others, &mut self.out);
        if group.len() == 1 {
            return records.record(*first, &self.out);
        }
        parts::joined_into(group, &mut self.raw);
        records.record(Place { offset: first.offset, raw: &self.raw }, &self.out);
    }

    fn other(&mut self, key: &str, value: &str) {
        self.others.push(b',');
        json::quote_into(key, &mut self.others);
        self.others.push(b':');
        json::quote_into(value, &mut self.others);
    }
}

pub(super) fn layout() -> Layout {
    let (start, header, names, notes) = (0, None, docker::NAMES, Vec::new());
    Layout { format: Format::Cri, start, header, names, notes, codec: Arc::new(Cri) }
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let lines: Vec<bool> = detect::whole_lines(sample)
        .filter(|place| !place.raw.trim_ascii().is_empty())
        .take(100)
        .map(|place| fields_of(place.raw).is_some())
        .collect();
    let count = lines.iter().filter(|fits| **fits).count();
    let sure = u8::try_from(count * 97 / lines.len().max(1)).unwrap_or(97);
    let why = "lines begin with a time, `stdout` or `stderr`, and a tag".to_string();
    (sure > 0).then(|| Guess { layout: layout(), sure, why })
}
