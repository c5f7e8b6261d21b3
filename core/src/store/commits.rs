//! The SQL table `commits`: what each version of the table did, as far as the log goes back.

use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType};
use crate::ingest::arrays::arrow_field;
use crate::log::{CommitRecord, Log};
use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Schema;
use std::sync::Arc;

/// The name of the table.
pub const TABLE: &str = "commits";

/// Whether a query may ask about commits; reading them costs a file each.
pub fn is_named_in(sql: &str) -> bool {
    sql.to_ascii_lowercase().contains(TABLE)
}

/// The commits up to a version, oldest first.
pub fn batch_of(log: &Log, latest: u64) -> Result<RecordBatch> {
    let mut commits: Vec<CommitRecord> = Vec::new();
    for version in (0..=latest).rev() {
        match log.commits(version, version) {
            Ok(one) => commits.extend(one),
            // Older ones were cleaned up.
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    commits.reverse();
    let number = |get: &dyn Fn(&CommitRecord) -> u64| -> ArrayRef {
        Arc::new(commits.iter().map(|commit| i64::try_from(get(commit)).ok()).collect::<Int64Array>())
    };
    let text = |get: &dyn Fn(&CommitRecord) -> Option<String>| -> ArrayRef {
        Arc::new(commits.iter().map(get).collect::<StringArray>())
    };
    let times = commits.iter().map(|commit| Some(commit.timestamp_ms.saturating_mul(1000)));
    let columns: Vec<(&str, ColumnType, ArrayRef)> = vec![
        ("version", ColumnType::Int64, number(&|commit| commit.version)),
        (
            "ts",
            ColumnType::Timestamp,
            Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        ),
        ("operation", ColumnType::Text, text(&|commit| Some(commit.operation.clone()))),
        ("engine", ColumnType::Text, text(&|commit| Some(commit.engine.clone()))),
        ("files_added", ColumnType::Int64, number(&|commit| commit.adds.len() as u64)),
        ("files_removed", ColumnType::Int64, number(&|commit| commit.removes.len() as u64)),
        ("events_added", ColumnType::Int64, number(&|commit| commit.adds.iter().map(|file| file.rows).sum())),
        (
            "events_removed",
            ColumnType::Int64,
            number(&|commit| commit.removes.iter().map(|file| file.rows).sum()),
        ),
        ("bytes_added", ColumnType::Int64, number(&|commit| commit.adds.iter().map(|file| file.size).sum())),
        (
            "data_change",
            ColumnType::Bool,
            Arc::new(commits.iter().map(|commit| Some(commit.data_change)).collect::<BooleanArray>()),
        ),
        ("chain", ColumnType::Text, text(&|commit| commit.chain.as_ref().map(|record| record.hash.clone()))),
    ];
    let field = |(name, column_type, _): &(&str, ColumnType, ArrayRef)| {
        arrow_field(&Column { name: (*name).to_string(), column_type: *column_type, path: None })
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
    RecordBatch::try_new(Arc::new(schema), arrays)
        .map_err(|error| Error::new(ErrorKind::Internal, "the commits make no table").with_source(error))
}
