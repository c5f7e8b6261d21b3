//! Syslog: RFC 5424 and RFC 3164 line by line, with a priority ahead or without as in files, and with octets
//! counted as in RFC 6587.

mod line;
#[cfg(test)]
mod tests;

use super::detect::whole_lines;
use super::fields::Fields;
use super::stamp::{Open, Order, Stamps};
use super::{Codec, Format, Guess, Layout, Place, Records, Sample, last_line_end, text_of};
use crate::event::time::{read_text, rfc3339};
use line::{Line, priority};
use std::sync::Arc;

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 200;

/// The most bytes that a message with a count may have.
const COUNT_MAX: usize = 1 << 20;

/// How messages are set apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// Each is a line.
    Lines,
    /// A count of its bytes is ahead of each; what has none is a line.
    Counted,
}

impl Framing {
    fn name(self) -> &'static str {
        match self {
            Framing::Lines => "lines",
            Framing::Counted => "counted",
        }
    }
}

#[derive(Debug)]
struct Syslog {
    stamps: Stamps,
    framing: Framing,
}

/// One message or line: its bytes with all that is around it, where it stands in them, and how many bytes are
/// taken.
struct Frame<'a> {
    raw: &'a [u8],
    message: &'a [u8],
    taken: usize,
}

impl Codec for Syslog {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        let mut end = match self.framing {
            Framing::Lines => return last_line_end(pending),
            Framing::Counted => 0,
        };
        while let Some(rest) = pending.get(end..)
            && let Some(frame) = self.frame(rest)
            // What ends with the bytes at hand may go on.
            && frame.taken < rest.len()
            && !may_be_counted(rest)
        {
            end += frame.taken;
        }
        (end > 0).then_some(end)
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        let mut fields = Fields::default();
        let mut structured = Vec::new();
        let mut offset = 0;
        while let Some(frame) = block.get(offset..).and_then(|rest| self.frame(rest)) {
            let place = Place { offset, raw: frame.raw };
            offset += frame.taken;
            if frame.message.trim_ascii().is_empty() {
                continue;
            }
            let text = text_of(frame.message, records);
            match Line::parse(&text, &self.stamps, &mut structured) {
                Some(line) => {
                    line.write(&mut fields);
                    records.record(place, fields.end());
                }
                None => records.unreadable(place, "the line has neither a priority nor a timestamp ahead"),
            }
        }
    }
}

impl Syslog {
    /// The message that bytes begin with.
    fn frame<'a>(&self, bytes: &'a [u8]) -> Option<Frame<'a>> {
        if self.framing == Framing::Counted
            && let Some(frame) = counted(bytes)
        {
            return Some(frame);
        }
        if bytes.is_empty() {
            return None;
        }
        let length = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        let line = bytes.get(..length)?;
        let raw = without_returns(line);
        let message = count(raw).and_then(|(_, ahead)| raw.get(ahead..)).unwrap_or(raw);
        Some(Frame { raw, message, taken: (length + 1).min(bytes.len()) })
    }
}

fn without_returns(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    line.get(..end).unwrap_or_default()
}

/// The count that a message may have ahead, and how many bytes it takes.
fn count(bytes: &[u8]) -> Option<(usize, usize)> {
    let digits = leading_digits(bytes);
    let count = bytes.get(..digits)?.iter().fold(0, |count, digit| count * 10 + usize::from(digit - b'0'));
    let is_count = digits > 0 && bytes.get(digits) == Some(&b' ') && bytes.get(digits + 1) == Some(&b'<');
    (is_count && count <= COUNT_MAX).then_some((count, digits + 1))
}

/// How many digits are ahead, as far as a count may have them.
fn leading_digits(bytes: &[u8]) -> usize {
    bytes.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count()
}

/// A message with its bytes counted, and the end of the line behind it, if there is one.
fn counted(bytes: &[u8]) -> Option<Frame<'_>> {
    let (count, ahead) = count(bytes)?;
    let raw = bytes.get(..ahead + count)?;
    let message = raw.get(ahead..)?;
    priority(message)?;
    let line_end = match bytes.get(raw.len()..)? {
        [b'\n', ..] => 1,
        [b'\r', b'\n', ..] => 2,
        _ => 0,
    };
    let message = message.strip_suffix(b"\n").unwrap_or(message);
    Some(Frame { raw, message, taken: raw.len() + line_end })
}

/// Whether an input begins with a message whose bytes are counted rightly: another one follows, or nothing.
fn begins_counted(sample: &[u8]) -> bool {
    counted(sample).is_some_and(|frame| {
        let rest = sample.get(frame.taken..).unwrap_or_default();
        rest.is_empty() || count(rest).is_some()
    })
}

/// Whether more bytes than are at hand may tell that these begin with a count.
fn may_be_counted(bytes: &[u8]) -> bool {
    let digits = leading_digits(bytes);
    match count(bytes) {
        // Two bytes behind the message tell whether it ends there.
        Some((count, ahead)) => bytes.len() < ahead + count + 2,
        None => digits > 0 && bytes.len() < digits + 2,
    }
}

/// The layout of syslog.
pub(super) fn layout(sample: &Sample<'_>) -> Layout {
    let known = sample.header.and_then(header_parts);
    let (framing, written_us) = match known {
        Some(known) => known,
        None if begins_counted(sample.bytes) => (Framing::Counted, sample.time_us),
        None => (Framing::Lines, sample.time_us),
    };
    let stamps = Stamps::new(written_us);
    let mut open = Open::default();
    for place in whole_lines(sample).take(SAMPLE_LINES) {
        if let Some(stamp) = stamp_of(place.raw, &stamps) {
            open.add(&stamp);
        }
    }
    Layout {
        format: Format::Syslog,
        start: 0,
        header: Some(format!("{} written={}", framing.name(), rfc3339(stamps.written_us()))),
        names: &[],
        notes: open.notes(&stamps, &Order::default()),
        codec: Arc::new(Syslog { stamps, framing }),
    }
}

/// How messages are set apart and when the input was last written, as a quarantined message keeps it.
fn header_parts(header: &str) -> Option<(Framing, i64)> {
    let (framing, written) = header.split_once(" written=")?;
    let framing = [Framing::Lines, Framing::Counted].into_iter().find(|known| known.name() == framing)?;
    read_text(written).map(|(written_us, _)| (framing, written_us))
}

/// The timestamp of a line of the kind that may leave things open.
fn stamp_of(line: &[u8], stamps: &Stamps) -> Option<super::stamp::Stamp> {
    let line = count(line).and_then(|(_, ahead)| line.get(ahead..)).unwrap_or(line);
    let text = priority(line).map_or(line, |(_, rest)| rest);
    stamps.read(text).filter(|stamp| line::is_syslog(stamp.form))
}

/// How many lines of a sample are syslog's.
#[derive(Debug, Default)]
struct Tally {
    all: usize,
    /// Nothing else looks like this.
    certain: usize,
    /// Something else may look like this as well.
    possible: usize,
    /// Lines that rsyslog may have written, with its timestamps, and whether one is certainly its.
    rsyslog: usize,
    is_rsyslog: bool,
}

impl Tally {
    fn add(&mut self, line: &Line<'_>) {
        let stamped = line.stamp.is_some();
        match line {
            Line { version: Some(_), .. } => self.certain += 1,
            Line { priority: Some(_), .. } if stamped || line.program.is_some() => self.certain += 1,
            Line { priority: Some(_), .. } => self.possible += 1,
            _ if line.is_bsd() && line.program.is_some() => self.certain += 1,
            _ if line.is_bsd() => self.possible += 1,
            _ if line.is_rsyslog() => {
                self.rsyslog += 1;
                self.is_rsyslog |= line.pid.is_some() || line.program == Some("kernel");
            }
            _ => {}
        }
    }
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let stamps = Stamps::new(sample.time_us);
    let mut tally = Tally::default();
    let lines = whole_lines(sample).filter(|place| !place.raw.trim_ascii().is_empty());
    for place in lines.take(SAMPLE_LINES) {
        tally.all += 1;
        let message = count(place.raw).and_then(|(_, ahead)| place.raw.get(ahead..)).unwrap_or(place.raw);
        if let Some(line) = Line::parse(&String::from_utf8_lossy(message), &stamps, &mut Vec::new()) {
            tally.add(&line);
        }
    }
    let (all, mut certain) = (tally.all, tally.certain);
    if tally.is_rsyslog {
        certain += tally.rsyslog;
    }
    if begins_counted(sample.bytes) {
        // Its messages need not be lines.
        certain = all;
    }
    if certain == 0 || certain * 2 < all {
        return None;
    }
    let fitting = certain + tally.possible.min(all - certain);
    let why = match all {
        all if all == fitting => format!("each of the first {all} lines is syslog's"),
        all => format!("{fitting} of the first {all} lines are syslog's"),
    };
    let sure = u8::try_from((certain + fitting) * 95 / (2 * all)).unwrap_or(95);
    Some(Guess { layout: layout(sample), sure, why })
}
