//! What is in a store: sizes and spans.

use super::reader::View;
use crate::error::Result;
use crate::event::fixed::Fixed;
use crate::event::time::{day_of, read_text, rfc3339};
use crate::layout;
use crate::log::{At, DataFile};
use crate::seal::Tables;
use crate::storage::Storage;
use arrow::array::{AsArray, RecordBatch};
use arrow::compute;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeSet;

/// How much is in a store, and from when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Info {
    /// The folder.
    pub path: String,
    /// The version of the format on disk.
    pub format: u32,
    /// Events, also those not yet in data files.
    pub events: u64,
    /// Days that have events.
    pub days: u64,
    /// Data files of events.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Events that are not yet in data files.
    pub wal_events: u64,
    /// Records in the quarantine.
    pub quarantined: u64,
    /// The version of the Delta table.
    pub version: u64,
    /// When the first event happened.
    pub from: Option<String>,
    /// When the last event happened.
    pub to: Option<String>,
    /// What is wrong, in sentences.
    pub warnings: Vec<String>,
}

pub fn info(tables: &Tables) -> Result<Info> {
    let view = View::take(tables, At::Latest)?;
    let pending = view.pending.num_rows() as u64;
    let files = &view.events.files;
    let spans: Vec<(i64, i64)> = files.iter().filter_map(span).chain(pending_span(&view.pending)).collect();
    let mut days: BTreeSet<NaiveDate> = files.iter().map(|file| file.day).collect();
    days.extend(pending_times(&view.pending).map(day_of));
    let mut warnings = tables.warnings();
    warnings
        .extend(view.damage.iter().filter(|damage| !warnings.contains(damage)).cloned().collect::<Vec<_>>());
    Ok(Info {
        path: tables.storage.name(),
        format: layout::FORMAT_VERSION,
        events: files.iter().map(|file| file.rows).sum::<u64>() + pending,
        days: days.len() as u64,
        files: files.len() as u64,
        bytes: files.iter().map(|file| file.size).sum(),
        wal_events: pending,
        quarantined: view.rejects(),
        version: view.events.version,
        from: spans.iter().map(|(from, _)| *from).min().map(rfc3339),
        to: spans.iter().map(|(_, to)| *to).max().map(rfc3339),
        warnings,
    })
}

/// When the first and the last event of a file happened.
fn span(file: &DataFile) -> Option<(i64, i64)> {
    let bound = |bounds: &serde_json::Map<String, serde_json::Value>| {
        Some(read_text(bounds.get(Fixed::Ts.name())?.as_str()?)?.0)
    };
    Some((bound(&file.stats.min)?, bound(&file.stats.max)?))
}

fn pending_times(pending: &RecordBatch) -> impl Iterator<Item = i64> {
    let column = pending.columns().get(Fixed::Ts.position());
    column
        .into_iter()
        .flat_map(|column| column.as_primitive::<TimestampMicrosecondType>().values().iter().copied())
}

fn pending_span(pending: &RecordBatch) -> Option<(i64, i64)> {
    let times = pending.columns().get(Fixed::Ts.position())?.as_primitive::<TimestampMicrosecondType>();
    Some((compute::min(times)?, compute::max(times)?))
}
