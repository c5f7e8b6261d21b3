//! Docker's json-file: one JSON object a line around each line of a container's output.

#[cfg(test)]
mod tests;

use super::documents::{members, parse, string_end};
use super::parts::{self, Line};
use super::{Codec, Format, Guess, Layout, Place, Records, Sample, detect};
use crate::event::fixed::{Fixed, names_of_ts};
use crate::event::json::{self, Kind, Tape};
use std::sync::Arc;

/// Docker splits output into parts of this length.
const PART_BYTES: usize = 16 << 10;

/// Times of a record that is JSON itself come before the time at which Docker took it.
pub(super) const NAMES: &[(Fixed, &[&str])] =
    &[(Fixed::Ts, names_of_ts!("container.time", "container_log.time"))];

#[derive(Debug)]
struct Docker {
    /// Whether output without a line end goes on in the next line.
    joins: bool,
}

impl Docker {
    fn line_of(&self, line: &[u8]) -> Line {
        match self.joins {
            true => line_of(line),
            false => Line::Alone,
        }
    }
}

impl Codec for Docker {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        parts::last_end(pending, |line| self.line_of(line))
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        let mut reader = Reader::default();
        parts::for_each_group(block, |line| self.line_of(line), |group| reader.group(group, records));
    }
}

/// What a line is, told by its own bytes alone.
fn line_of(line: &[u8]) -> Line {
    quick_line_of(line).unwrap_or_else(|| {
        let members = if line.first() == Some(&b'{') { members(line, 0) } else { Vec::new() };
        let text = |key: &[u8]| {
            let member = members.iter().find(|member| member.key == key)?;
            line.get(member.start..member.end?)
        };
        match (text(b"log"), text(b"stream")) {
            (Some([b'"', log @ .., b'"']), Some(stream @ (br#""stdout""# | br#""stderr""#))) => {
                Line::Part { is_error: stream == br#""stderr""#, ends: ends_line(log) }
            }
            _ => Line::Alone,
        }
    })
}

/// The same for lines as Docker itself writes them.
fn quick_line_of(line: &[u8]) -> Option<Line> {
    const START: &[u8] = br#"{"log":""#;
    line.strip_prefix(START)?;
    let end = string_end(line, START.len())?;
    let ends = ends_line(line.get(START.len()..end - 1)?);
    let rest = line.get(end..)?.strip_prefix(br#","stream":"std"#)?;
    match rest.split_at_checked(4)?.0 {
        br#"out""# => Some(Line::Part { is_error: false, ends }),
        br#"err""# => Some(Line::Part { is_error: true, ends }),
        _ => None,
    }
}

/// Whether a JSON string, as written, ends with a line end.
fn ends_line(text: &[u8]) -> bool {
    let Some(before) = text.strip_suffix(b"n") else { return false };
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
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
        self.output.clear();
        self.others.clear();
        let all = group.iter().enumerate().all(|(position, part)| self.part(part.raw, position == 0));
        match std::str::from_utf8(&self.output) {
            Ok(output) if all => {
                parts::record_into(&mut self.tape, "log", output, &self.others, &mut self.out);
            }
            _ if group.len() == 1 => return records.record(*first, first.raw),
            _ => return group.iter().for_each(|part| self.group(&[*part], records)),
        }
        if group.len() == 1 {
            return records.record(*first, &self.out);
        }
        parts::joined_into(group, &mut self.raw);
        records.record(Place { offset: first.offset, raw: &self.raw }, &self.out);
    }

    /// Adds the output of a line, and of the first one what else is in it. False if it has none.
    fn part(&mut self, line: &[u8], is_first: bool) -> bool {
        if !parse(&mut self.tape, line) || self.tape.get(0).is_none_or(|root| root.kind != Kind::Object) {
            return false;
        }
        let (mut position, mut has_output) = (1, false);
        while let (Some(key), Some(value)) = (self.tape.get(position), self.tape.get(position + 1)) {
            position = value.next as usize;
            let text = json::text_of(line, &value);
            let quote: &[u8] = if value.kind == Kind::String { b"\"" } else { b"" };
            if json::text_of(line, &key) == b"log" {
                if value.kind != Kind::String || has_output {
                    return false;
                }
                json::unescape_into(text, &mut self.output);
                has_output = true;
            } else if is_first {
                let parts = [b",\"", json::text_of(line, &key), b"\":", quote, text, quote];
                parts.into_iter().for_each(|part| self.others.extend_from_slice(part));
            }
        }
        has_output
    }
}

pub(super) fn layout(sample: &Sample<'_>) -> Layout {
    let parts: Vec<(bool, usize)> = detect::whole_lines(sample)
        .filter_map(|place| match line_of(place.raw) {
            Line::Part { ends, .. } => Some((ends, place.raw.len())),
            Line::Alone => None,
        })
        .collect();
    // Some programs take the line ends off: then each line is all of its record.
    let joins = parts.iter().any(|(ends, _)| *ends) || parts.iter().all(|(_, length)| *length > PART_BYTES);
    let codec = Arc::new(Docker { joins });
    Layout { format: Format::Docker, start: 0, header: None, names: NAMES, notes: Vec::new(), codec }
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let is_docker = |line: &[u8]| {
        let members = if line.first() == Some(&b'{') { members(line, 0) } else { Vec::new() };
        let has_text = |key: &[u8]| {
            members.iter().any(|member| member.key == key && line.get(member.start) == Some(&b'"'))
        };
        has_text(b"log") && has_text(b"stream") && has_text(b"time")
    };
    let lines: Vec<bool> = detect::whole_lines(sample)
        .filter(|place| !place.raw.trim_ascii().is_empty())
        .take(100)
        .map(|place| is_docker(place.raw))
        .collect();
    let count = lines.iter().filter(|fits| **fits).count();
    let sure = u8::try_from(count * 97 / lines.len().max(1)).unwrap_or(97);
    let why = "lines have `log`, `stream` and `time`, as Docker writes them".to_string();
    (sure > 0).then(|| Guess { layout: layout(sample), sure, why })
}
