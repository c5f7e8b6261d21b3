//! Text whose events begin with a timestamp, and go on until the next one: stack traces, for instance. The sample
//! tells where in a line the timestamp stands and which parts follow it.

mod level;
mod shapes;
#[cfg(test)]
mod tests;

use super::detect::whole_lines;
use super::fields::Fields;
use super::stamp::{Form, Open, Order, Stamp, Stamps};
use super::{Codec, Format, Guess, Layout, Place, Records, Sample, text_of};
use crate::event::time::{read_text, rfc3339};
use shapes::{Matched, SHAPES, Shape, colours, skip_blanks};
use std::sync::Arc;

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 1000;

/// After so many bytes of an event the next line begins another one, without a timestamp.
const EVENT_MAX: usize = 1 << 20;

/// Where the timestamp stands in the lines that have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    /// At the beginning.
    Start,
    /// After a word.
    Word,
    /// Nowhere: each line is an event that does not look like a part of the one before.
    None,
}

impl Lead {
    const ALL: [Lead; 3] = [Lead::Start, Lead::Word, Lead::None];

    fn name(self) -> &'static str {
        match self {
            Lead::Start => "start",
            Lead::Word => "word",
            Lead::None => "none",
        }
    }
}

impl Lead {
    /// How many bytes of a line stand before its timestamp, if it has one.
    fn length(self, line: &[u8]) -> Option<usize> {
        match self {
            Lead::None => None,
            Lead::Start => Some(colours(line)),
            Lead::Word => {
                let word = memchr::memchr3(b' ', b'\t', b'\n', line).filter(|word| *word > 0)?;
                let after = line.get(word..)?;
                let blanks = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                // The names of containers have a bar behind them.
                let bar = after.get(blanks..)?.starts_with(b"| ");
                Some(word + blanks + if bar { 2 } else { 0 })
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Text {
    stamps: Stamps,
    lead: Lead,
    /// What most timestamps of the sample look like. Others that are distinct count as well; without it, all.
    form: Option<Form>,
    shape: Option<&'static Shape>,
}

/// The beginning of an event's first line.
struct Head<'a> {
    prefix: &'a [u8],
    stamp: Stamp,
    /// Whether a bracket before the timestamp is still open after it.
    open: bool,
    /// Where the rest begins.
    length: usize,
}

impl Codec for Text {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        let complete = pending.get(..super::last_line_end(pending)?)?;
        let mut end = complete.len();
        while end > 0 {
            let before = complete.get(..end - 1)?;
            let start = super::last_line_end(before).unwrap_or(0);
            if start > 0 && self.begins(complete.get(start..end)?) {
                return Some(start);
            }
            end = start;
        }
        // One event without an end: it ends where it is too long.
        let mut start = 0;
        while let Some(length) = self.event_length(complete.get(start..)?)
            && start + length < complete.len()
        {
            start += length;
        }
        (start > 0).then_some(start)
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        let mut fields = Fields::default();
        let mut message = String::new();
        let mut offset = 0;
        while let Some(rest) = block.get(offset..)
            && let Some(length) = self.event_length(rest)
        {
            if let Some(place) = rest.get(..length).and_then(|event| without_blank_lines(offset, event)) {
                let text = text_of(place.raw, records);
                self.write(&text, &mut fields, &mut message);
                records.record(place, fields.end());
            }
            offset += length;
        }
    }
}

/// An event without the blank lines around it.
fn without_blank_lines(offset: usize, event: &[u8]) -> Option<Place<'_>> {
    let ahead = event.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    let event = event.get(ahead..)?;
    let last = event.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
    let end = memchr::memchr(b'\n', event.get(last..)?).map_or(event.len(), |newline| last + newline);
    let returns = event.get(..end)?.iter().rev().take_while(|byte| **byte == b'\r').count();
    Some(Place { offset: offset + ahead, raw: event.get(..end - returns)? })
}

impl Text {
    /// How many bytes the event takes that the bytes begin with.
    fn event_length(&self, bytes: &[u8]) -> Option<usize> {
        let line_length = |rest: &[u8]| memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
        let mut length = line_length(bytes);
        if length == 0 {
            return None;
        }
        while let Some(rest) = bytes.get(length..).filter(|rest| !rest.is_empty()) {
            let line = rest.get(..line_length(rest))?;
            if length > EVENT_MAX || self.begins(line) {
                break;
            }
            length += line.len();
        }
        Some(length)
    }

    /// Whether an event begins with a line, wherever that stands.
    fn begins(&self, line: &[u8]) -> bool {
        match self.lead {
            Lead::Start | Lead::Word => self.head(line).is_some(),
            Lead::None => {
                let goes_on = line.starts_with(b"Caused by:") || line.starts_with(b"...");
                !goes_on && !line.first().is_none_or(|byte| byte.is_ascii_whitespace() || *byte == b'}')
            }
        }
    }

    /// What a line has up to its timestamp.
    fn head<'a>(&self, line: &'a [u8]) -> Option<Head<'a>> {
        let at = self.lead.length(line)?;
        let (prefix, rest) = line.split_at_checked(at)?;
        let (bracket, text) = match rest.strip_prefix(b"[") {
            Some(text) => (true, text),
            None => (false, rest),
        };
        let stamp = self.stamps.read(text)?;
        if self.form.is_some_and(|form| form != stamp.form && !stamp.form.is_distinct()) {
            return None;
        }
        let closed = bracket && text.get(stamp.length) == Some(&b']');
        let length = at + usize::from(bracket) + stamp.length + usize::from(closed);
        Some(Head { prefix: prefix.trim_ascii_end(), stamp, open: bracket && !closed, length })
    }

    /// Writes an event as a record.
    fn write(&self, text: &str, fields: &mut Fields, message: &mut String) {
        fields.begin();
        let Some(head) = self.head(text.as_bytes()) else {
            fields.text("message", text);
            return;
        };
        fields.timestamp(head.stamp.micros);
        let rest = text.get(head.length..).unwrap_or_default();
        let line =
            rest.get(..memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len())).unwrap_or_default();
        let shape = self.shape.filter(|shape| shape.closes_bracket() == head.open);
        let matched = shape.and_then(|shape| shape.read(line)).unwrap_or_default();
        let ahead = text.get(..head.prefix.len()).filter(|_| self.lead == Lead::Word).unwrap_or_default();
        let level = match head.stamp.form {
            Form::Glog => {
                text.as_bytes().get(head.length - head.stamp.length).copied().and_then(level::of_letter)
            }
            _ => level::marked(ahead).filter(|_| !matched.has_level()),
        };
        if !ahead.is_empty() && (level.is_none() || head.stamp.form == Form::Glog) {
            fields.text("prefix", ahead);
        }
        let rest_of_line = line.get(matched.length..).unwrap_or_default();
        let found = || if matched.has_level() { None } else { level::find(rest_of_line) };
        if let Some(level) = level.or_else(found) {
            fields.text("level", level);
        }
        write_matched(&matched, fields);
        let body = skip_blanks(rest.get(matched.length..).unwrap_or_default());
        if head.open && matched.length == 0 {
            message.clear();
            message.push('[');
            message.push_str(body);
            fields.text("message", message);
        } else {
            fields.text("message", body);
        }
    }

    /// What a quarantined event needs to be read alone.
    fn header(&self) -> String {
        let shape = self.shape.map_or("none", |shape| shape.name);
        let order = if self.stamps.month_first() { "month-first" } else { "day-first" };
        let written = rfc3339(self.stamps.written_us());
        let form = self.form.map_or("any", Form::name);
        format!("{} {form} {shape} {order} written={written}", self.lead.name())
    }

    fn from_header(header: &str) -> Option<Text> {
        let mut words = header.split(' ');
        let lead = words.next()?;
        let lead = Lead::ALL.into_iter().find(|known| known.name() == lead)?;
        let form = Form::from_name(words.next()?);
        let shape = Shape::from_name(words.next()?);
        let month_first = words.next()? == "month-first";
        let (written_us, _) = read_text(words.next()?.strip_prefix("written=")?)?;
        let stamps = Stamps::new(written_us).with_month_first(month_first);
        Some(Text { stamps, lead, form, shape })
    }
}

fn write_matched(matched: &Matched<'_>, fields: &mut Fields) {
    for (key, value, number) in matched.fields() {
        match number {
            true => fields.number_or_text(key, value),
            false => fields.text(key, value),
        }
    }
}

/// What the lines of a sample are like.
struct Findings {
    text: Text,
    lines: usize,
    stamped: usize,
    notes: Vec<String>,
}

impl Findings {
    fn of(sample: &Sample<'_>) -> Findings {
        let lines: Vec<&[u8]> = whole_lines(sample)
            .map(|place| place.raw)
            .filter(|line| !line.trim_ascii().is_empty())
            .take(SAMPLE_LINES)
            .collect();
        let mut order = Order::default();
        for line in &lines {
            let texts =
                [Lead::Start, Lead::Word].into_iter().filter_map(|lead| line.get(lead.length(line)?..));
            texts.for_each(|text| order.add(text.strip_prefix(b"[").unwrap_or(text)));
        }
        let stamps = Stamps::new(sample.time_us).with_month_first(order.month_first());
        let with_lead = |lead| Text { stamps, lead, form: None, shape: None };
        let count = |lead| lines.iter().filter(|line| with_lead(lead).head(line).is_some()).count();
        let (at_start, after_word) = (count(Lead::Start), count(Lead::Word));
        let mut text = with_lead(match (at_start, after_word) {
            (0, 0) => Lead::None,
            _ if after_word > at_start => Lead::Word,
            _ => Lead::Start,
        });
        text.form =
            most_frequent(lines.iter().filter_map(|line| text.head(line)).map(|head| head.stamp.form));
        let heads: Vec<(Head<'_>, &[u8])> =
            lines.iter().filter_map(|line| Some((text.head(line)?, *line))).collect();
        text.shape = SHAPES.iter().find(|shape| fits(shape, &heads));
        let mut open = Open::default();
        heads.iter().for_each(|(head, _)| open.add(&head.stamp));
        let notes = match text.lead {
            Lead::None => Vec::new(),
            _ => open.notes(&stamps, &order),
        };
        Findings { text, lines: lines.len(), stamped: heads.len(), notes }
    }
}

/// The form that occurs most often; of several, the first.
fn most_frequent(forms: impl Iterator<Item = Form>) -> Option<Form> {
    let mut counts: Vec<(Form, usize)> = Vec::new();
    for form in forms {
        match counts.iter_mut().find(|(known, _)| *known == form) {
            Some((_, count)) => *count += 1,
            None => counts.push((form, 1)),
        }
    }
    counts.iter().rev().max_by_key(|(_, count)| *count).map(|(form, _)| *form)
}

/// Whether nine of ten lines have a shape.
fn fits(shape: &Shape, heads: &[(Head<'_>, &[u8])]) -> bool {
    let fitting = heads.iter().filter(|(head, line)| {
        let rest = line.get(head.length..).and_then(|rest| std::str::from_utf8(rest).ok());
        (shape.name == "glog") == (head.stamp.form == Form::Glog)
            && shape.closes_bracket() == head.open
            && rest.is_some_and(|rest| shape.read(rest).is_some())
    });
    let fitting = fitting.count();
    fitting > 0 && fitting * 10 >= heads.len() * 9
}

fn layout_of(text: Text, notes: Vec<String>) -> Layout {
    Layout {
        format: Format::Text,
        start: 0,
        header: Some(text.header()),
        names: &[],
        notes,
        codec: Arc::new(text),
    }
}

/// The layout of text.
pub(super) fn layout(sample: &Sample<'_>) -> Layout {
    match sample.header.and_then(Text::from_header) {
        Some(text) => layout_of(text, Vec::new()),
        None => {
            let findings = Findings::of(sample);
            layout_of(findings.text, findings.notes)
        }
    }
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let is_control = |byte: &&u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x1b);
    let control = sample.bytes.iter().filter(is_control).count();
    if memchr::memchr(0, sample.bytes).is_some() || control * 10 > sample.bytes.len() {
        return None;
    }
    let Findings { text, lines, stamped, notes } = Findings::of(sample);
    if lines == 0 {
        return None;
    }
    let most = if text.lead == Lead::Word { 20 } else { 30 };
    let (sure, why) = match stamped {
        // The sample may end in the middle of a character.
        0 if std::str::from_utf8(sample.bytes).map_or_else(|error| error.error_len().is_none(), |_| true) => {
            (10, "it is text".to_string())
        }
        0 => (5, "it may be text".to_string()),
        _ if stamped == lines => {
            (40 + most, format!("each of the first {lines} lines begins with a timestamp"))
        }
        _ => (
            40 + most * stamped / lines,
            format!("{stamped} of the first {lines} lines begin with a timestamp"),
        ),
    };
    Some(Guess { layout: layout_of(text, notes), sure: u8::try_from(sure).unwrap_or(40), why })
}
