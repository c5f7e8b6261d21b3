//! What is asked of a store, and its receipts.

use crate::engine::Limits;
use crate::format::Format;
use crate::ingest::encoding::Encoding;
use crate::ingest::pipeline::InputReceipt;
use crate::log::At;
use crate::output::OutputFormat;
use crate::query::filter::Filter;
use crate::redact::Counts;
use serde::Serialize;
use serde_json::Value;

/// What became of an appended line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is an event.
    Stored {
        /// Its number.
        seq: i64,
    },
    /// It could not be read and is kept in the quarantine.
    Quarantined {
        /// Its number there.
        seq: i64,
        /// Why.
        reason: String,
    },
}

/// How to ingest.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestOptions {
    /// Threads that take records apart, and that encode columns.
    pub threads: usize,
    /// The format of the inputs; else it is found from the beginning of each.
    pub from: Option<Format>,
    /// The names of the columns, separated by commas, where inputs begin with a record.
    pub header: Option<String>,
    /// How the text is encoded; else that is found too.
    pub encoding: Option<Encoding>,
    /// The name of a mapping in the settings.
    pub mapping: Option<String>,
    /// Columns with the path of the field that maps to each; they come before those of the mapping.
    pub map: Vec<(String, String)>,
    /// Whether the first record that cannot be read ends it all, and nothing of its input is stored.
    pub strict: bool,
}

impl Default for IngestOptions {
    fn default() -> Self {
        IngestOptions {
            threads: std::thread::available_parallelism().map_or(1, usize::from).min(8),
            from: None,
            header: None,
            encoding: None,
            mapping: None,
            map: Vec::new(),
            strict: false,
        }
    }
}

/// What became of all records of some inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Receipt {
    /// Records; each is stored, a duplicate or quarantined.
    pub records: u64,
    /// Records that became events.
    pub stored: u64,
    /// Records that were stored before.
    pub duplicate: u64,
    /// Records that could not be read and are kept in the quarantine.
    pub quarantined: u64,
    /// Lines, also those that are no record.
    pub lines: u64,
    /// Bytes after decompression.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// What was redacted, by rule.
    #[serde(skip_serializing_if = "Counts::is_empty")]
    pub redacted: Counts,
    /// The same for each input.
    pub inputs: Vec<InputReceipt>,
}

impl Receipt {
    /// Takes in what became of one more input.
    pub fn add(&mut self, input: InputReceipt) {
        self.records += input.records;
        self.stored += input.stored;
        self.duplicate += input.duplicate;
        self.quarantined += input.quarantined;
        self.lines += input.lines;
        self.bytes += input.bytes;
        self.redacted.add(&input.redacted);
        self.inputs.push(input);
    }

    /// Whether some input could not be read to its end.
    pub fn has_errors(&self) -> bool {
        self.inputs.iter().any(|input| input.error.is_some())
    }
}

/// A query.
#[derive(Clone, Debug)]
pub struct QueryRequest {
    /// SQL as DuckDB has it; one statement that only reads.
    pub sql: String,
    /// The values of `$name` in it.
    pub parameters: Vec<(String, Value)>,
    /// Of which version.
    pub at: At,
    /// What it may use.
    pub limits: Limits,
}

impl QueryRequest {
    /// A query of the latest version.
    pub fn new(sql: impl Into<String>) -> QueryRequest {
        QueryRequest { sql: sql.into(), parameters: Vec::new(), at: At::Latest, limits: default_limits() }
    }
}

/// What queries may use: temporary files go to a folder of their own below the system's.
pub(super) fn default_limits() -> Limits {
    let folder = format!("daybook-{}", uuid::Uuid::new_v4());
    Limits::new(std::env::temp_dir().join(folder))
}

/// An export.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// The format of the file.
    pub format: OutputFormat,
    /// The producers' own records, and not Daybook's columns; only as JSON.
    pub original: bool,
    /// CSV with text as it is, also text that a spreadsheet would run as a formula.
    pub raw_csv: bool,
    /// Only the events that match.
    pub filter: Filter,
    /// At most so many, the oldest.
    pub limit: Option<u64>,
}

impl Default for ExportRequest {
    fn default() -> Self {
        ExportRequest {
            format: OutputFormat::JsonLines,
            original: false,
            raw_csv: false,
            filter: Filter::all(),
            limit: None,
        }
    }
}
