//! The lines of a stream as messages, and how many there are of each template.

use super::{Assigned, Folded, Miner, ParameterKind, parameters};
use serde::Serialize;
use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

/// So much of a line is looked at; the rest is passed over.
const LINE_BYTES_MAX: usize = 4 << 20;
/// So much of a message is kept as an example.
const EXAMPLE_BYTES_MAX: usize = 1024;

/// Hands on the lines of a stream without their ends, until there are no more or `visit` has enough. A line that does
/// not fit into the reader's buffer is copied, and cut after 4 MiB.
pub fn each_line(
    reader: &mut dyn BufRead,
    visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut long: Vec<u8> = Vec::new();
    let mut in_line = false;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            if in_line {
                let _ = visit(&long);
            }
            return Ok(());
        }
        let mut rest = buffer;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = after.get(1..).unwrap_or_default();
            let flow = if in_line {
                append(&mut long, line);
                visit(&long)
            } else {
                visit(line)
            };
            long.clear();
            in_line = false;
            if flow.is_break() {
                let used = buffer.len().saturating_sub(rest.len());
                reader.consume(used);
                return Ok(());
            }
        }
        in_line |= !rest.is_empty();
        append(&mut long, rest);
        let used = buffer.len();
        reader.consume(used);
    }
}

fn append(line: &mut Vec<u8>, part: &[u8]) {
    let room = LINE_BYTES_MAX.saturating_sub(line.len());
    line.extend_from_slice(part.get(..room).unwrap_or(part));
}

/// The templates of some messages, the most frequent first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Templates {
    /// How many messages there were: the sum of all counts.
    pub messages: u64,
    /// The templates.
    pub templates: Vec<Found>,
    /// How many messages have the template of their first words, since there were too many different ones.
    pub folded: u64,
}

/// A template that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// Its text.
    pub template: String,
    /// How many messages it has.
    pub count: u64,
    /// The first message.
    pub example: String,
    /// The parameters of the example.
    pub parameters: Vec<Parameter>,
}

/// A parameter of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// `number`, `ip`, `uuid`, `path`, `hex` or `word`.
    pub kind: &'static str,
    /// Its text.
    pub value: String,
}

/// Counts messages by their templates.
#[derive(Debug, Default)]
pub struct Counter {
    miner: Miner,
    /// By the position of a text, how many messages have it and the first one of them.
    texts: Vec<(u64, String)>,
}

impl Counter {
    /// Counts a message.
    pub fn count(&mut self, message: &[u8]) {
        let position = self.miner.assign(message).position();
        if self.texts.len() <= position {
            self.texts.resize(self.miner.texts(), (0, String::new()));
        }
        if let Some((count, example)) = self.texts.get_mut(position) {
            if *count == 0 {
                *example = beginning(message);
            }
            *count = count.saturating_add(1);
        }
    }

    /// The templates of what was counted.
    pub fn finish(mut self) -> Templates {
        self.miner.settle();
        let mut found: HashMap<Assigned, (u64, String)> = HashMap::new();
        let mut messages = 0_u64;
        for (position, (count, example)) in (0..).zip(self.texts) {
            messages = messages.saturating_add(count);
            if count > 0 {
                let template = self.miner.resolved(Assigned(position));
                let sum = found.entry(template).or_insert_with(|| (0, example));
                sum.0 = sum.0.saturating_add(count);
            }
        }
        let mut found: Vec<(Assigned, (u64, String))> = found.into_iter().collect();
        found.sort_unstable_by(|(left, (most, _)), (right, (more, _))| more.cmp(most).then(left.cmp(right)));
        let Folded { messages: folded, .. } = self.miner.folded();
        let templates = found.into_iter().map(|(assigned, (count, example))| {
            let template = self.miner.template(assigned);
            let values = parameters(&template, &example).unwrap_or_default();
            let parameter =
                |value: &str| Parameter { kind: ParameterKind::of(value).name(), value: value.to_string() };
            let parameters = values.into_iter().map(parameter).collect();
            Found { id: self.miner.id(assigned).to_string(), template, count, example, parameters }
        });
        Templates { messages, templates: templates.collect(), folded }
    }
}

fn beginning(message: &[u8]) -> String {
    let head = message.get(..EXAMPLE_BYTES_MAX).unwrap_or(message);
    let mut text = String::from_utf8_lossy(head).trim().to_string();
    if head.len() < message.len() {
        text.push('…');
    }
    text
}
