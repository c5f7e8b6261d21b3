//! What could not be read, kept with its reason: a second table beside the events.

mod read;

use crate::error::Result;
use crate::event::canonical::{RowSet, row_hashes};
use crate::event::column::{Column, ColumnType, TableSchema};
use crate::event::time::day_of;
use crate::ingest::arrays::arrow_field;
use crate::ingest::parquet::{Encoded, OpenFile};
use crate::layout;
use crate::log::{DataFile, FileStats};
use crate::storage::Storage;
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Schema;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub use read::{RejectRows, add_rows, read_file};

/// The prefix of the table's files.
pub const PREFIX: &str = "_quarantine/";

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Unique in the store, and when it arrived.
    pub seq: i64,
    /// The bytes.
    pub raw: Vec<u8>,
    /// Why they are no event.
    pub reason: String,
    /// The input that they came from.
    pub input: String,
    /// Where in the input they stood, in bytes.
    pub byte_offset: i64,
    /// The format that the input was read as.
    pub format: String,
    /// What the input says ahead of its records that they need to be read, such as the names of columns.
    pub header: Option<String>,
}

/// A reject as a frame of the write-ahead log holds it.
#[derive(Serialize, Deserialize)]
struct RejectJson {
    raw: String,
    reason: String,
    input: String,
    byte_offset: i64,
    format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<String>,
}

impl Reject {
    /// The reject without its `seq`, for the write-ahead log.
    pub fn to_payload(&self) -> Vec<u8> {
        let json = RejectJson {
            raw: BASE64_STANDARD.encode(&self.raw),
            reason: self.reason.clone(),
            input: self.input.clone(),
            byte_offset: self.byte_offset,
            format: self.format.clone(),
            header: self.header.clone(),
        };
        // Plain structures of text and numbers always serialize.
        serde_json::to_vec(&json).unwrap_or_default()
    }

    /// The SHA-256 of its payload in the log.
    pub fn content_hash(&self) -> [u8; 32] {
        crate::event::canonical::hash(&self.to_payload())
    }

    /// The hash of its row.
    pub fn row_hash(&self) -> [u8; 32] {
        let rows = row_hashes(std::iter::once((self.seq, self.seq, &self.content_hash())));
        rows.first().copied().unwrap_or_default()
    }

    /// The reject of a payload; one that cannot be read is itself what is kept.
    pub fn from_payload(payload: &[u8], seq: i64) -> Reject {
        let read = serde_json::from_slice::<RejectJson>(payload).ok();
        let read = read.and_then(|json| Some((BASE64_STANDARD.decode(&json.raw).ok()?, json)));
        match read {
            Some((raw, json)) => Reject {
                seq,
                raw,
                reason: json.reason,
                input: json.input,
                byte_offset: json.byte_offset,
                format: json.format,
                header: json.header,
            },
            None => Reject {
                seq,
                raw: payload.to_vec(),
                reason: "the log holds a rejected line that cannot be read".to_string(),
                input: String::new(),
                byte_offset: 0,
                format: String::new(),
                header: None,
            },
        }
    }
}

/// The columns of the quarantine.
pub fn columns() -> TableSchema {
    let mut schema = TableSchema::default();
    let columns = [
        ("seq", ColumnType::Int64),
        ("ts", ColumnType::Timestamp),
        ("raw", ColumnType::Text),
        ("raw_base64", ColumnType::Text),
        ("reason", ColumnType::Text),
        ("input", ColumnType::Text),
        ("byte_offset", ColumnType::Int64),
        ("format", ColumnType::Text),
        ("header", ColumnType::Text),
    ];
    for (name, column_type) in columns {
        // The names differ, so that pushing them cannot fail.
        let _ = schema.push(Column { name: name.to_string(), column_type, path: None });
    }
    schema
}

/// Rejects as a batch of all columns.
pub fn batch_of(rejects: &[Reject]) -> Result<RecordBatch> {
    let schema = columns();
    let fields: Vec<_> = schema.columns().iter().map(arrow_field).collect();
    let text = |get: &dyn Fn(&Reject) -> Option<String>| -> ArrayRef {
        Arc::new(rejects.iter().map(get).collect::<StringArray>())
    };
    let utf8 = |reject: &Reject| std::str::from_utf8(&reject.raw).is_ok();
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(rejects.iter().map(|reject| Some(reject.seq)).collect::<Int64Array>()),
        Arc::new(
            rejects
                .iter()
                .map(|reject| Some(reject.seq))
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        ),
        text(&|reject| Some(String::from_utf8_lossy(&reject.raw).into_owned())),
        text(&|reject| (!utf8(reject)).then(|| BASE64_STANDARD.encode(&reject.raw))),
        text(&|reject| Some(reject.reason.clone())),
        text(&|reject| Some(reject.input.clone())),
        Arc::new(rejects.iter().map(|reject| Some(reject.byte_offset)).collect::<Int64Array>()),
        text(&|reject| Some(reject.format.clone())),
        text(&|reject| reject.header.clone()),
    ];
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| {
        crate::error::Error::new(
            crate::error::ErrorKind::Internal,
            "the quarantine's columns differ in length",
        )
        .with_source(error)
    })
}

/// Writes rejects into files, one a day of arrival.
pub fn write(storage: &Arc<dyn Storage>, rejects: Vec<Reject>, now_ms: i64) -> Result<Vec<DataFile>> {
    let mut days: BTreeMap<NaiveDate, Vec<Reject>> = BTreeMap::new();
    for reject in rejects {
        days.entry(day_of(reject.seq)).or_default().push(reject);
    }
    days.into_iter().map(|(day, rejects)| write_day(storage, day, &rejects, now_ms)).collect()
}

fn write_day(
    storage: &Arc<dyn Storage>,
    day: NaiveDate,
    rejects: &[Reject],
    now_ms: i64,
) -> Result<DataFile> {
    let batch = batch_of(rejects)?;
    let schema = columns();
    let fields = schema.columns().iter().map(|column| Arc::new(arrow_field(column)));
    let columns =
        fields.zip(batch.columns()).enumerate().map(|(at, (field, array))| (at, field, array.clone()));
    let mut file = OpenFile::new(Encoded::zstd(3).within(&**storage));
    file.write(batch.num_rows(), columns.collect())?;
    let path = layout::data_file(day, &uuid::Uuid::new_v4().to_string());
    let place = format!("{PREFIX}{path}");
    let written = file.finish(&**storage, &place)?;
    let (least, most) =
        (rejects.iter().map(|reject| reject.seq).min(), rejects.iter().map(|reject| reject.seq).max());
    let mut stats = FileStats::default();
    for (bounds, seq) in [(&mut stats.min, least), (&mut stats.max, most)] {
        bounds.insert("seq".to_string(), seq.into());
        bounds.insert("ts".to_string(), seq.map(crate::event::time::rfc3339).into());
    }
    let (size, rows, file_hash, key) = (written.size, written.rows, written.file_hash, written.key);
    let rows_hash = rows_hash(rejects);
    let (modified_ms, stats) = (now_ms, Arc::new(stats));
    Ok(DataFile {
        path,
        day,
        size,
        modified_ms,
        rows,
        level: 0,
        file_hash,
        rows_hash,
        key,
        tree: String::new(),
        stats,
    })
}

/// The row-set hash of rejects.
fn rows_hash(rejects: &[Reject]) -> String {
    let mut set = RowSet::default();
    let contents: Vec<_> = rejects.iter().map(Reject::content_hash).collect();
    set.add_rows(&row_hashes(
        rejects.iter().zip(&contents).map(|(reject, content)| (reject.seq, reject.seq, content)),
    ));
    set.to_hex()
}
