//! Formats of inputs: where records begin and end, and what each says, as a JSON object.
//!
//! [`detect`] looks at the beginning of an input and gives its [`Layout`]. Its [`Codec`] cuts the input into
//! blocks of whole records, and reads blocks, several at once. A record is handed on as JSON, whatever the
//! format, so that everything after this knows one kind of record only.

pub mod access;
mod cells;
pub mod copy;
pub mod cri;
pub mod csv;
pub mod detect;
pub mod docker;
pub mod documents;
mod fields;
pub mod journal;
pub mod lines;
pub mod logfmt;
pub mod object;
pub mod otel;
mod parts;
mod stamp;
pub mod syslog;
pub mod text;

use crate::event::fixed::Fixed;
use crate::ingest::encoding::windows_1252;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The format of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// A JSON array, an object around one, or objects one after the other.
    Json,
    /// Rows with a header: values between commas, semicolons, tabs or bars.
    Csv,
    /// PostgreSQL's `COPY` as text: tabs, and `\N` for null.
    Copy,
    /// `key=value` pairs.
    Logfmt,
    /// Syslog, RFC 3164 and RFC 5424.
    Syslog,
    /// Access logs of Apache and nginx, common and combined.
    Access,
    /// Docker's json-file.
    Docker,
    /// The container runtime interface's log files.
    Cri,
    /// systemd's journal, `journalctl -o export`.
    Journal,
    /// systemd's journal, `journalctl -o json`.
    JournalJson,
    /// OpenTelemetry's logs as JSON.
    Otel,
    /// Text whose events begin with a timestamp.
    Text,
    /// Parquet.
    Parquet,
    /// Arrow IPC, files and streams.
    Arrow,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 15] = [
        Format::JsonLines,
        Format::Json,
        Format::Csv,
        Format::Copy,
        Format::Logfmt,
        Format::Syslog,
        Format::Access,
        Format::Docker,
        Format::Cri,
        Format::Journal,
        Format::JournalJson,
        Format::Otel,
        Format::Text,
        Format::Parquet,
        Format::Arrow,
    ];

    /// The names of the format; the first is the one that is shown.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Format::JsonLines => &["jsonl", "ndjson"],
            Format::Json => &["json"],
            Format::Csv => &["csv", "tsv"],
            Format::Copy => &["copy", "pgcopy"],
            Format::Logfmt => &["logfmt"],
            Format::Syslog => &["syslog", "rfc3164", "rfc5424"],
            Format::Access => &["access", "apache", "nginx", "common", "combined", "clf"],
            Format::Docker => &["docker", "json-file"],
            Format::Cri => &["cri"],
            Format::Journal => &["journal", "journal-export"],
            Format::JournalJson => &["journal-json"],
            Format::Otel => &["otel", "otlp"],
            Format::Text => &["text", "plain"],
            Format::Parquet => &["parquet"],
            Format::Arrow => &["arrow", "ipc", "feather"],
        }
    }

    /// The name that is shown.
    pub fn name(self) -> &'static str {
        self.names().first().copied().unwrap_or_default()
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.names().contains(&name))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The beginning of an input, and what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The first bytes, decompressed, after a byte order mark, in UTF-8 as far as they can be.
    pub bytes: &'a [u8],
    /// Whether that is all of the input.
    pub whole: bool,
    /// When the input was written last, in microseconds since 1970: no record in it happened later.
    pub time_us: i64,
    /// The names of the columns, where the user or a quarantined record gives them: then the input begins
    /// with a record.
    pub header: Option<&'a str>,
}

/// How the records of one input are read.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The format.
    pub format: Format,
    /// Bytes at the beginning that are no records: the names of columns.
    pub start: usize,
    /// What a record needs to be read alone, later, as [`Sample::header`].
    pub header: Option<String>,
    /// Names of this format that map to fixed columns, ahead of the well-known ones.
    pub names: &'static [(Fixed, &'static [&'static str])],
    /// What people should know, in sentences: what was taken for granted.
    pub notes: Vec<String>,
    /// What cuts and reads.
    pub codec: Arc<dyn Codec>,
}

/// A layout, and how well it fits.
#[derive(Clone, Debug)]
pub struct Guess {
    /// The layout.
    pub layout: Layout,
    /// How sure, from 1 to 100.
    pub sure: u8,
    /// What speaks for it, in words that complete "because ...".
    pub why: String,
}

/// Cuts an input of one format into blocks, and reads them. Whatever the bytes are, nothing panics, and every
/// byte of a block is part of a record, of something unreadable, or of what stands between records.
pub trait Codec: fmt::Debug + Send + Sync {
    /// Where the last record ends that is certainly whole. `pending` begins where a record may begin. At the
    /// end of the input whatever is left is whole: callers do not ask.
    fn last_end(&self, pending: &[u8]) -> Option<usize>;

    /// Where records may begin again after one that is too long, if that is among these bytes.
    fn next_start(&self, bytes: &[u8]) -> Option<usize> {
        memchr::memchr(b'\n', bytes).map(|newline| newline + 1)
    }

    /// Hands on all records of a block that begins and ends between records.
    fn read(&self, block: &[u8], records: &mut dyn Records);
}

/// Where something stands in its block, and its bytes there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Bytes of the block before it.
    pub offset: usize,
    /// What the quarantine keeps if it cannot be stored; reading that again must give the same.
    pub raw: &'a [u8],
}

/// Takes the records of a block.
pub trait Records {
    /// A record, as a JSON object. It may still turn out to be none.
    fn record(&mut self, place: Place<'_>, json: &[u8]);

    /// Something that is no record, and why, in words that complete "cannot be read: ...".
    fn unreadable(&mut self, place: Place<'_>, reason: &str);

    /// A record was not UTF-8 and was read as Windows-1252.
    fn decoded(&mut self);
}

/// Text of a format that does not say how it is encoded: UTF-8, else Windows-1252, which has every byte.
pub fn text_of<'a>(raw: &'a [u8], records: &mut dyn Records) -> Cow<'a, str> {
    match simdutf8::basic::from_utf8(raw) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            records.decoded();
            Cow::Owned(windows_1252(raw))
        }
    }
}

/// The lines of a block with their offsets, without their line ends.
pub fn lines_of(block: &[u8]) -> impl Iterator<Item = Place<'_>> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let rest = block.get(offset..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..length)?;
        let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
        let place = Place { offset, raw: line.get(..end)? };
        offset += length + 1;
        Some(place)
    })
}

/// Where the last line ends that has an end.
pub fn last_line_end(pending: &[u8]) -> Option<usize> {
    memchr::memrchr(b'\n', pending).map(|newline| newline + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_read_alone_is_the_same_line() {
        let lines = |block: &[u8]| {
            lines_of(block).map(|place| (place.offset, place.raw.to_vec())).collect::<Vec<_>>()
        };
        let found = lines(b"a\r\r\n\r\nb\rc\n\nd\r");
        let expected: [(usize, &[u8]); 5] = [(0, b"a"), (4, b""), (6, b"b\rc"), (10, b""), (11, b"d")];
        assert_eq!(found, expected.map(|(offset, raw)| (offset, raw.to_vec())));
        for (_, raw) in found.into_iter().filter(|(_, raw)| !raw.is_empty()) {
            assert_eq!(lines(&raw), [(0, raw)]);
        }
    }
}
