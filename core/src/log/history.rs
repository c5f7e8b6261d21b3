//! Earlier versions: what each commit did, and which version a time means.

use super::actions::{Line, Taken};
use super::chain::{self, ChainRecord};
use super::file::{DataFile, RemovedFile};
use super::schema;
use super::table::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::TableSchema;
use crate::layout;
use chrono::DateTime;
use serde_json::{Map, Value};

/// Which version of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The latest.
    Latest,
    /// This one.
    Version(u64),
    /// The latest that was committed at this time or before, in milliseconds since 1970.
    Time(i64),
}

/// What a commit did.
#[derive(Clone, Debug)]
pub struct CommitRecord {
    /// The version that it made.
    pub version: u64,
    /// When, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// What kind of change, as its writer named it.
    pub operation: String,
    /// The program that wrote it, with its version.
    pub engine: String,
    /// Files that came in.
    pub adds: Vec<DataFile>,
    /// Files that went.
    pub removes: Vec<RemovedFile>,
    /// Exactly-once markers: application ids and their versions.
    pub transactions: Vec<(String, i64)>,
    /// The columns, if the commit wrote them.
    pub schema: Option<TableSchema>,
    /// Whether events came or went; false if they were only arranged anew.
    pub data_change: bool,
    /// Events that were taken out for good, or changed.
    pub taken: Option<Taken>,
    /// What Daybook's caller added to the commit.
    pub info: Map<String, Value>,
    /// The commit's record in the hash chain; none if another program wrote it.
    pub chain: Option<ChainRecord>,
}

/// What the commit of a version did; `NotFound` if it is not there.
pub(super) fn commit(table: &Table, version: u64) -> Result<CommitRecord> {
    let lines = table.commit(version)?.ok_or_else(|| unavailable(table, version))?;
    let info = lines.iter().find_map(|line| line.commit_info.clone()).unwrap_or_default();
    let adds = lines.iter().filter_map(|line| line.add.as_ref());
    let removes = lines.iter().filter_map(|line| line.remove.as_ref());
    let metadata = lines.iter().find_map(|line| line.meta_data.as_ref());
    let transactions = lines.iter().filter_map(|line| line.txn.as_ref());
    Ok(CommitRecord {
        version,
        timestamp_ms: timestamp_of(table, version, &lines)?,
        operation: info.operation.unwrap_or_default(),
        engine: info.engine_info.unwrap_or_default(),
        data_change: adds.clone().any(|add| add.data_change)
            || removes.clone().any(|remove| remove.data_change),
        adds: adds.map(|add| add.file()).collect::<Result<_>>()?,
        removes: removes.map(|remove| remove.file()).collect::<Result<_>>()?,
        transactions: transactions.map(|txn| (txn.app_id.clone(), txn.version)).collect(),
        schema: metadata.map(|metadata| schema::from_text(&metadata.schema_string)).transpose()?,
        taken: info.daybook.as_ref().and_then(|daybook| daybook.taken.clone()),
        info: info.daybook.map(|daybook| daybook.info).unwrap_or_default(),
        chain: chain::record(version, &lines)?,
    })
}

/// When a version was committed; it may have been cleaned up.
pub(super) fn timestamp(table: &Table, version: u64) -> Result<i64> {
    if let Some(lines) = table.commit(version)? {
        return timestamp_of(table, version, &lines);
    }
    match chain::kept(table, version)? {
        Some(record) => Ok(record.timestamp_ms),
        None => modified_ms(table, version),
    }
}

/// When a commit was made: as it says itself, else when its file was written.
pub(super) fn timestamp_of(table: &Table, version: u64, lines: &[Line]) -> Result<i64> {
    match lines.iter().find_map(|line| line.commit_info.as_ref()?.timestamp) {
        Some(timestamp_ms) => Ok(timestamp_ms),
        None => modified_ms(table, version),
    }
}

/// The latest version, up to `latest`, that was committed at a time or before.
pub(super) fn version_at(table: &Table, latest: u64, time_ms: i64) -> Result<u64> {
    let mut low = earliest(table)?.unwrap_or(latest);
    let earliest_ms = timestamp(table, low)?;
    if time_ms < earliest_ms {
        let earliest = show(earliest_ms);
        let message = format!("`{}` has no version from {} or before", table.name(), show(time_ms));
        return Err(Error::new(ErrorKind::NotFound, message)
            .with_hint(format!("the earliest is version {low}, of {earliest}")));
    }
    let mut high = latest;
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if timestamp(table, middle)? <= time_ms {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}

/// The earliest version that can still be read.
pub(super) fn earliest(table: &Table) -> Result<Option<u64>> {
    let listing = table.listing()?;
    if let Some((0, _)) = listing.commits.first() {
        return Ok(Some(0));
    }
    Ok(listing.checkpoints.first().map(|(version, _)| *version))
}

/// The error of a version that is not there.
pub(super) fn unavailable(table: &Table, version: u64) -> Error {
    let message = format!("version {version} of `{}` is not there", table.name());
    let error = Error::new(ErrorKind::NotFound, message);
    match earliest(table) {
        Ok(Some(earliest)) if version < earliest => {
            error.with_hint(format!("it was cleaned up; the earliest is version {earliest}"))
        }
        _ => error,
    }
}

fn modified_ms(table: &Table, version: u64) -> Result<i64> {
    let listing = table.listing()?;
    let files = listing.commits.iter().chain(&listing.checkpoints);
    let entry = files.into_iter().find(|(number, _)| *number == version);
    let (_, entry) = entry.ok_or_else(|| {
        let path = table.path(&layout::commit(version));
        Error::new(ErrorKind::NotFound, format!("there is no commit `{path}`"))
    })?;
    Ok(entry.modified_us.div_euclid(1000))
}

fn show(time_ms: i64) -> String {
    match DateTime::from_timestamp_millis(time_ms) {
        Some(time) => time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        None => format!("{time_ms} ms"),
    }
}
