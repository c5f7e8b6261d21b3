//! Data files of the table, as the log describes them.

use crate::error::{Error, ErrorKind, Result};
use chrono::{DateTime, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A live data file.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFile {
    /// The path below the table's folder, as on disk.
    pub path: String,
    /// The day of all its rows.
    pub day: NaiveDate,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, in milliseconds since 1970.
    pub modified_ms: i64,
    /// Its rows; 0 where the log does not say.
    pub rows: u64,
    /// The level of zstd that all of it is compressed with; 0 where it is not one, or nobody knows.
    pub level: i32,
    /// The SHA-256 of its bytes in hexadecimal; empty where Daybook did not write it.
    pub file_hash: String,
    /// The hash of its set of rows in hexadecimal; empty where Daybook did not write it.
    pub rows_hash: String,
    /// The id of the key that it is encrypted with; empty where it is not.
    pub key: String,
    /// The root of the tree of its rows in hexadecimal; empty where it has none.
    pub tree: String,
    /// Smallest and largest values, and counts of nulls.
    pub stats: Arc<FileStats>,
}

/// Statistics of a data file as Delta keeps them: by column, values as in JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileStats {
    /// The smallest value of a column, or something below it.
    pub min: Map<String, Value>,
    /// The largest value of a column, or something above it; timestamps are floored to milliseconds.
    pub max: Map<String, Value>,
    /// How many values of a column are null.
    pub nulls: Map<String, Value>,
}

/// A data file that a commit took out of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct RemovedFile {
    /// The path below the table's folder, as on disk.
    pub path: String,
    /// When it was removed, in milliseconds since 1970.
    pub removed_ms: i64,
    /// Its size in bytes; 0 where the log does not say.
    pub size: u64,
    /// Its rows; 0 where the log does not say.
    pub rows: u64,
    /// The SHA-256 of its bytes in hexadecimal; empty where the log does not say.
    pub file_hash: String,
    /// The hash of its set of rows in hexadecimal; empty where the log does not say.
    pub rows_hash: String,
}

impl DataFile {
    /// The smallest and largest `ts`, in microseconds since 1970; the largest is rounded up to the end of
    /// its millisecond, because Delta floors it.
    pub fn ts_range(&self) -> Option<(i64, i64)> {
        let least = timestamp(self.stats.min.get("ts")?)?;
        let most = timestamp(self.stats.max.get("ts")?)?;
        Some((least, most.saturating_add(999)))
    }

    /// The smallest and largest `seq`.
    pub fn seq_range(&self) -> Option<(i64, i64)> {
        Some((self.stats.min.get("seq")?.as_i64()?, self.stats.max.get("seq")?.as_i64()?))
    }

    /// Whether a text column can have a value: within its smallest and largest, where the log says.
    pub fn may_have(&self, column: &str, value: &str) -> bool {
        let rows = Some(self.rows).filter(|rows| *rows > 0);
        if rows.is_some() && self.stats.nulls.get(column).and_then(Value::as_u64) == rows {
            return false;
        }
        let bound = |bounds: &Map<String, Value>| bounds.get(column)?.as_str().map(str::to_string);
        bound(&self.stats.min).is_none_or(|least| least.as_str() <= value)
            && bound(&self.stats.max).is_none_or(|most| most.as_str() >= value)
    }
}

/// A timestamp of the statistics, in microseconds since 1970.
fn timestamp(value: &Value) -> Option<i64> {
    let instant = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(instant.timestamp_micros())
}

/// The columns that the log says something of where a file is encrypted: when its events were, and their numbers.
const SHOWN_OF_ENCRYPTED: [&str; 2] = ["seq", "ts"];

/// The text of Delta's `stats`.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StatsText {
    num_records: Option<u64>,
    min_values: Map<String, Value>,
    max_values: Map<String, Value>,
    null_count: Map<String, Value>,
}

/// Row count and statistics of Delta's `stats` of a file.
pub(super) fn parse_stats(text: Option<&str>, path: &str) -> Result<(Option<u64>, FileStats)> {
    let Some(text) = text else { return Ok((None, FileStats::default())) };
    let stats: StatsText = serde_json::from_str(text).map_err(|error| {
        let message = format!("the statistics of the data file `{path}` cannot be read");
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })?;
    let StatsText { num_records, min_values: min, max_values: max, null_count: nulls } = stats;
    Ok((num_records, FileStats { min, max, nulls }))
}

/// Delta's `stats` of a file.
pub(super) fn stats_text(file: &DataFile) -> Result<String> {
    let is_shown = |column: &str| file.key.is_empty() || SHOWN_OF_ENCRYPTED.contains(&column);
    let shown = |values: &Map<String, Value>| {
        let shown = values.iter().filter(|(column, _)| is_shown(column));
        shown.map(|(column, value)| (column.clone(), value.clone())).collect()
    };
    let text = StatsText {
        num_records: Some(file.rows),
        min_values: shown(&file.stats.min),
        max_values: shown(&file.stats.max),
        null_count: shown(&file.stats.nulls),
    };
    serde_json::to_string(&text).map_err(super::actions::unwritable)
}

/// The day of a partition value.
pub(super) fn parse_day(value: Option<&str>, path: &str) -> Result<NaiveDate> {
    value.and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()).ok_or_else(|| {
        let message = format!("the data file `{path}` has no day: `{}`", value.unwrap_or("null"));
        Error::new(ErrorKind::Corrupt, message).with_hint("another program added it; remove it there")
    })
}
