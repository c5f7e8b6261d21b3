//! What ingesting an input would do, found from its beginning; nothing is written.

use super::arrays::Settled;
use super::batch::batch_of;
use super::blocks::{Blocks, Known, ReadAs};
use super::columnar::ColumnarReader;
use super::encoding::Encoding;
use super::input::{Content, Input, Stream, each_stream};
use super::register::grown;
use super::table::settle;
use crate::error::Result;
use crate::event::assemble::Assembler;
use crate::event::catalogue::Catalogue;
use crate::event::chunk::Chunk;
use crate::event::fixed::Fixed;
use crate::event::mapping::Mapping;
use crate::format::{Format, Place, Records};
use crate::intake::Intake;
use crate::redact::{Counts, Rules};
use arrow::array::RecordBatch;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// So many events are shown.
const EVENTS: usize = 5;
/// So many unreadable records are shown.
const UNREADABLE: usize = 5;

/// What ingesting an input would do.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The name of the input.
    pub input: String,
    /// The format that it would be read as.
    pub format: &'static str,
    /// How sure that is, from 1 to 100; none where the user named the format.
    pub sure: Option<u8>,
    /// What speaks for the format.
    pub because: Option<String>,
    /// How the input is compressed.
    pub compression: &'static str,
    /// How its text is encoded.
    pub encoding: &'static str,
    /// What was taken for granted, in sentences.
    pub notes: Vec<String>,
    /// How many bytes at the beginning were looked at, decompressed.
    pub bytes: u64,
    /// Whether that is all of the input.
    pub whole: bool,
    /// Records in these bytes.
    pub records: u64,
    /// Records that cannot be read, and why; some of them.
    pub unreadable: Vec<Unreadable>,
    /// How many cannot be read.
    pub quarantined: u64,
    /// The fields, and the columns that they go to.
    pub columns: Vec<ExplainedColumn>,
    /// What would be redacted, by rule.
    pub redacted: Counts,
    /// Some events as they would be stored.
    pub events: Vec<Value>,
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Where it stands, in bytes.
    pub byte_offset: u64,
    /// Why it cannot be read.
    pub reason: String,
}

/// A field and its column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedColumn {
    /// The column.
    pub column: String,
    /// The paths of the fields that go to it.
    pub paths: Vec<String>,
    /// The type of the column.
    #[serde(rename = "type")]
    pub column_type: &'static str,
    /// How many of the events have it.
    pub events: u64,
}

/// What explaining needs.
#[derive(Debug)]
pub struct ExplainContext<'a> {
    /// How the input is to be read.
    pub read_as: &'a ReadAs,
    /// Which fields map to fixed columns.
    pub mapping: &'a Mapping,
    /// What is secret.
    pub rules: &'a Arc<Rules>,
    /// The columns that the store has.
    pub catalogue: &'a Arc<Catalogue>,
    /// When that is, in microseconds since 1970.
    pub now_us: i64,
}

/// Explains each stream of an input: one, or one for each file of an archive.
pub fn explain(input: Input, context: &ExplainContext<'_>) -> Result<Vec<Explanation>> {
    let mut explained = Vec::new();
    let mut failed = None;
    each_stream(input, &mut |stream| {
        if failed.is_none() {
            match explain_stream(stream, context) {
                Ok(explanation) => explained.push(explanation),
                Err(error) => failed = Some(error),
            }
        }
    })?;
    failed.map_or(Ok(explained), Err)
}

fn explain_stream(stream: Stream, context: &ExplainContext<'_>) -> Result<Explanation> {
    let Stream { name, content, compression, time_us, .. } = stream;
    let known = Known::default();
    let mut explanation = Explanation {
        input: name.clone(),
        format: Format::JsonLines.name(),
        sure: Some(100),
        because: None,
        compression: compression.name(),
        encoding: Encoding::Utf8.name(),
        notes: Vec::new(),
        bytes: 0,
        whole: true,
        records: 0,
        unreadable: Vec::new(),
        quarantined: 0,
        columns: Vec::new(),
        redacted: Counts::default(),
        events: Vec::new(),
    };
    let (layout, block) = match content {
        Content::Rows(format, file) => {
            let mut rows = ColumnarReader::open(file, format, &name)?;
            explanation.format = format.name();
            explanation.because = Some("the file begins as such files do".to_string());
            let block = rows.next_block()?.unwrap_or_default();
            explanation.whole = rows.next_block()?.is_none();
            (crate::format::lines::layout(), block)
        }
        Content::Bytes(bytes) => {
            let mut blocks =
                Blocks::open(bytes, &name, time_us.unwrap_or(context.now_us), context.read_as, &known)?;
            let layout = blocks.layout().clone();
            explanation.format = layout.format.name();
            explanation.sure = blocks.guess().map(|(sure, _)| *sure);
            explanation.because = blocks.guess().map(|(_, why)| why.clone());
            explanation.encoding = blocks.encoding().name();
            explanation.notes = layout.notes.clone();
            let block = blocks.next_block()?.unwrap_or_default().bytes;
            explanation.whole = blocks.next_block()?.is_none();
            (layout, block)
        }
    };
    explanation.bytes = block.len() as u64;
    let mapping = context.mapping.with_format(layout.names);
    let mut looked =
        Looked { intake: Intake::new(mapping, context.rules), now_us: context.now_us, explanation };
    layout.codec.read(&block, &mut looked);
    let Looked { mut intake, mut explanation, .. } = looked;
    explanation.redacted = intake.take_counts();
    show(intake.take(), &mut explanation, context)?;
    Ok(explanation)
}

/// Shows where fields go, and some events as they would be stored.
fn show(chunk: Chunk, explanation: &mut Explanation, context: &ExplainContext<'_>) -> Result<()> {
    let catalogue = grown(context.catalogue, std::iter::once(&chunk))?;
    let seqs = (context.now_us..).take(chunk.len()).collect();
    let settled = settle(vec![(chunk, seqs)], &catalogue)?;
    let batch = batch_of(&settled, catalogue.schema())?;
    let hidden = [Fixed::Seq, Fixed::Shape].map(Fixed::position);
    let shown: Vec<usize> = (0..batch.num_columns()).filter(|position| !hidden.contains(position)).collect();
    let visible = batch.project(&shown).map_err(|error| {
        crate::Error::new(crate::ErrorKind::Internal, "the columns of events cannot be shown")
            .with_source(error)
    })?;
    let assembler = Assembler::new(&visible.schema(), &catalogue);
    for row in 0..batch.num_rows().min(EVENTS) {
        let mut json = Vec::new();
        assembler.columns_into(&visible, row, &mut json)?;
        explanation.events.extend(serde_json::from_slice::<Value>(&json));
    }
    explanation.columns = columns(&batch, &settled, &catalogue);
    Ok(())
}

/// The columns that have values, with the fields that go to them.
fn columns(batch: &RecordBatch, settled: &[Settled], catalogue: &Catalogue) -> Vec<ExplainedColumn> {
    let mut origins: BTreeMap<Fixed, BTreeSet<String>> = BTreeMap::new();
    for origin in settled.iter().flat_map(|settled| &settled.chunk.shapes).flat_map(|shape| &shape.origins) {
        origins.entry(origin.column).or_default().insert(origin.path.to_string());
    }
    let mut columns = Vec::new();
    for (position, (column, array)) in catalogue.schema().columns().iter().zip(batch.columns()).enumerate() {
        let events = (array.len() - array.null_count()) as u64;
        let fixed = Fixed::ALL.get(position);
        let paths: Vec<String> = match (&column.path, fixed) {
            (Some(path), _) => vec![path.to_string()],
            (None, Some(fixed)) => origins.remove(fixed).into_iter().flatten().collect(),
            (None, None) => Vec::new(),
        };
        if events > 0 && !paths.is_empty() {
            let column_type = column.column_type.name();
            columns.push(ExplainedColumn { column: column.name.clone(), paths, column_type, events });
        }
    }
    columns
}

struct Looked {
    intake: Intake,
    now_us: i64,
    explanation: Explanation,
}

impl Records for Looked {
    fn record(&mut self, place: Place<'_>, json: &[u8]) {
        match self.intake.push(json, self.now_us) {
            Ok(()) => self.explanation.records += 1,
            Err(reject) => self.unreadable(place, &reject.to_string()),
        }
    }

    fn unreadable(&mut self, place: Place<'_>, reason: &str) {
        self.explanation.records += 1;
        self.explanation.quarantined += 1;
        if self.explanation.unreadable.len() < UNREADABLE {
            let reason = self.intake.reason(reason);
            self.explanation.unreadable.push(Unreadable { byte_offset: place.offset as u64, reason });
        }
    }

    fn decoded(&mut self) {}
}
