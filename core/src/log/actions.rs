//! The lines of a commit: Delta's actions as JSON, in both directions.

use super::file::{self, DataFile, RemovedFile};
use super::path;
use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A line of a commit; one of its fields is set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_info: Option<CommitInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta_data: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub txn: Option<Txn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove: Option<Remove>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<Add>,
}

/// Who committed what and when; no reader of Delta depends on it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CommitInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    pub operation_parameters: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine_info: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_blind_append: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daybook: Option<DaybookInfo>,
}

/// What Daybook adds to the commit information.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct DaybookInfo {
    /// The lines of the commit, this one too: a commit that lost whole lines is seen to be torn.
    pub lines: u64,
    pub chain: ChainLink,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Taken>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shapes: Option<Shapes>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub info: Map<String, Value>,
}

/// Events that a commit takes out of the table for good, or changes: its record in the chain says so, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Why, in a word: `expire`, `erase`, `redact`, `archive`.
    pub why: String,
    /// How many events.
    pub events: u64,
    /// The hash of the set of their rows in hexadecimal; empty where nobody knows.
    pub rows_hash: String,
    /// What else is to be said of it, without what was in the events.
    pub note: String,
    /// Files that the commit adds with events that are new, among them the one about this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fresh: Vec<String>,
    /// Files that the commit adds with events that were changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
}

/// The files of the catalogue at the time of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shapes {
    /// How many there are.
    pub files: u64,
    /// The SHA-256 of all their bytes, one file after the other, in hexadecimal.
    pub sha256: String,
}

/// The chain record of a commit by its hash, and the one before; both SHA-256 in hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainLink {
    /// The hash of this commit's record.
    pub hash: String,
    /// The hash of the record before.
    pub previous: String,
    /// The hash of a record further back.
    pub jump: String,
}

/// What a reader and a writer must know of Delta.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Protocol {
    pub min_reader_version: i32,
    pub min_writer_version: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader_features: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writer_features: Option<Vec<String>>,
}

/// Schema and settings of the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub format: Format,
    pub schema_string: String,
    pub partition_columns: Vec<String>,
    pub configuration: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_time: Option<i64>,
}

/// The format of the data files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Format {
    pub provider: String,
    pub options: BTreeMap<String, String>,
}

impl Default for Format {
    fn default() -> Self {
        Format { provider: "parquet".to_string(), options: BTreeMap::new() }
    }
}

/// An exactly-once marker.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Txn {
    pub app_id: String,
    pub version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<i64>,
}

type Tags = BTreeMap<String, Option<String>>;

/// A data file comes into the table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Add {
    pub path: String,
    pub partition_values: BTreeMap<String, Option<String>>,
    pub size: u64,
    pub modification_time: i64,
    pub data_change: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stats: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
}

/// A data file leaves the table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Remove {
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<i64>,
    pub data_change: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_file_metadata: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_values: Option<BTreeMap<String, Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
}

impl Add {
    /// The action that brings a file in.
    pub fn new(file: &DataFile, data_change: bool) -> Result<Self> {
        Ok(Add {
            path: path::encode(&file.path),
            partition_values: partition_values(file),
            size: file.size,
            modification_time: file.modified_ms,
            data_change,
            stats: Some(file::stats_text(file)?),
            tags: Some(tags(file)),
        })
    }

    /// The file that comes in.
    pub fn file(&self) -> Result<DataFile> {
        let day = self.partition_values.get("day").and_then(|day| day.as_deref());
        data_file(FileFacts {
            path: &self.path,
            day,
            size: self.size,
            modified_ms: self.modification_time,
            stats: self.stats.as_deref(),
            tag: |name| tag(self.tags.as_ref(), name),
        })
    }
}

impl Remove {
    /// The action that takes a file out.
    pub fn new(file: &DataFile, data_change: bool, now_ms: i64) -> Self {
        Remove {
            path: path::encode(&file.path),
            deletion_timestamp: Some(now_ms),
            data_change,
            extended_file_metadata: Some(true),
            partition_values: Some(partition_values(file)),
            size: Some(file.size),
            tags: Some(tags(file)),
        }
    }

    /// The file that goes.
    pub fn file(&self) -> Result<RemovedFile> {
        let tags = self.tags.as_ref();
        Ok(RemovedFile {
            path: path::decode(&self.path)?,
            removed_ms: self.deletion_timestamp.unwrap_or_default(),
            size: self.size.unwrap_or_default(),
            rows: row_count(None, tag(tags, layout::TAG_ROW_COUNT)),
            file_hash: tag(tags, layout::TAG_FILE_HASH).unwrap_or_default().to_string(),
            rows_hash: tag(tags, layout::TAG_ROWS_HASH).unwrap_or_default().to_string(),
        })
    }
}

/// What the log says of a file, wherever it was read.
pub(super) struct FileFacts<'a, F: Fn(&'static str) -> Option<&'a str>> {
    pub path: &'a str,
    pub day: Option<&'a str>,
    pub size: u64,
    pub modified_ms: i64,
    pub stats: Option<&'a str>,
    pub tag: F,
}

/// The file of which the log says this.
pub(super) fn data_file<'a, F: Fn(&'static str) -> Option<&'a str>>(
    facts: FileFacts<'a, F>,
) -> Result<DataFile> {
    let path = path::decode(facts.path)?;
    let (records, stats) = file::parse_stats(facts.stats, &path)?;
    Ok(DataFile {
        day: file::parse_day(facts.day, &path)?,
        path,
        size: facts.size,
        modified_ms: facts.modified_ms,
        rows: row_count(records, (facts.tag)(layout::TAG_ROW_COUNT)),
        level: (facts.tag)(layout::TAG_LEVEL).and_then(|level| level.parse().ok()).unwrap_or_default(),
        file_hash: (facts.tag)(layout::TAG_FILE_HASH).unwrap_or_default().to_string(),
        rows_hash: (facts.tag)(layout::TAG_ROWS_HASH).unwrap_or_default().to_string(),
        key: (facts.tag)(layout::TAG_KEY).unwrap_or_default().to_string(),
        tree: (facts.tag)(layout::TAG_TREE).unwrap_or_default().to_string(),
        stats: Arc::new(stats),
    })
}

/// Why the lines of a commit cannot be taken.
#[derive(Debug)]
pub(super) enum BadCommit {
    /// It is not whole.
    Torn(String),
    /// It is whole, but holds something other than Delta's actions.
    Strange(String),
}

/// The lines of a commit.
pub(super) fn parse_lines(bytes: &[u8]) -> Result<Vec<Line>, BadCommit> {
    let mut lines = Vec::new();
    for (position, text) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(text).map_err(|error| {
            let reason = format!("line {} is no action: {error}", position + 1);
            if error.is_data() { BadCommit::Strange(reason) } else { BadCommit::Torn(reason) }
        })?;
        lines.push(line);
    }
    if lines.is_empty() {
        return Err(BadCommit::Torn("it is empty".to_string()));
    }
    let count = lines.len() as u64;
    let promised = lines.iter().find_map(|line| line.commit_info.as_ref()?.daybook.as_ref());
    match promised.map(|info| info.lines) {
        Some(promised) if promised != count => {
            Err(BadCommit::Torn(format!("it has {count} of {promised} lines")))
        }
        _ => Ok(lines),
    }
}

/// The bytes of a commit.
pub(super) fn write_lines(lines: &[Line]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut bytes, line).map_err(unwritable)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// A value that JSON does not hold.
pub(super) fn unwritable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, "an action cannot be written as JSON").with_source(error)
}

fn partition_values(file: &DataFile) -> BTreeMap<String, Option<String>> {
    BTreeMap::from([("day".to_string(), Some(file.day.format("%Y-%m-%d").to_string()))])
}

fn tags(file: &DataFile) -> Tags {
    let mut tags = BTreeMap::from([
        (layout::TAG_FILE_HASH.to_string(), Some(file.file_hash.clone())),
        (layout::TAG_ROWS_HASH.to_string(), Some(file.rows_hash.clone())),
        (layout::TAG_ROW_COUNT.to_string(), Some(file.rows.to_string())),
    ]);
    if !file.tree.is_empty() {
        tags.insert(layout::TAG_TREE.to_string(), Some(file.tree.clone()));
    }
    if file.level > 0 {
        tags.insert(layout::TAG_LEVEL.to_string(), Some(file.level.to_string()));
    }
    if !file.key.is_empty() {
        tags.insert(layout::TAG_KEY.to_string(), Some(file.key.clone()));
    }
    tags
}

fn tag<'a>(tags: Option<&'a Tags>, name: &str) -> Option<&'a str> {
    tags?.get(name)?.as_deref()
}

/// Daybook's own count where there is one, because only that is in a `remove` too.
fn row_count(records: Option<u64>, tag: Option<&str>) -> u64 {
    tag.and_then(|count| count.parse().ok()).or(records).unwrap_or_default()
}
