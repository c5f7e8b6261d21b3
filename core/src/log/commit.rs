//! A change of the table and its commit.

use super::actions::{self, Add, CommitInfo, DaybookInfo, Line, Metadata, Remove, Shapes, Taken, Txn};
use super::chain::{self, Before, Said};
use super::file::DataFile;
use super::schema;
use super::snapshot::Snapshot;
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::TableSchema;
use crate::layout;
use hashbrown::{HashMap, HashSet};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a commit is to do.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What kind of change, as Delta names it: `WRITE`, `OPTIMIZE`, `DELETE`.
    pub operation: &'static str,
    /// Files that come in; they must be on disk.
    pub adds: Vec<DataFile>,
    /// Paths of files that go.
    pub removes: Vec<String>,
    /// Exactly-once markers: application ids and their versions, each greater than the one before.
    pub transactions: Vec<(String, i64)>,
    /// Further versions of applications, which replace the last ones whatever these are.
    pub states: Vec<(String, i64)>,
    /// The columns, if some are new; new ones are at the end.
    pub schema: Option<TableSchema>,
    /// Whether events come or go; false if they are only arranged anew.
    pub data_change: bool,
    /// The events that are taken out or changed, if some are.
    pub taken: Option<Taken>,
    /// Whatever else the commit is to say, for people.
    pub info: Map<String, Value>,
}

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on disk, as this version.
    Committed(u64),
    /// Somebody else was first: build it again on the latest snapshot.
    Conflict,
    /// One of its transactions was committed before: drop what of it is done.
    AlreadyDone,
}

/// A table to be made.
#[derive(Clone, Debug, Default)]
pub struct NewTable {
    /// Its columns.
    pub schema: TableSchema,
    /// Its properties, besides those that every table has.
    pub configuration: BTreeMap<String, String>,
    /// Its name, for people.
    pub name: String,
}

/// A commit ready to be written, or why there is none.
pub(super) enum Prepared {
    Ready(Vec<Line>),
    Not(Outcome),
}

/// Builds version 0.
pub(super) fn first(table: &NewTable, id: String, now_ms: i64) -> Result<Vec<Line>> {
    let mut configuration = table.configuration.clone();
    configuration.insert(layout::FORMAT_PROPERTY.to_string(), layout::FORMAT_VERSION.to_string());
    let metadata = Metadata {
        id,
        name: (!table.name.is_empty()).then(|| table.name.clone()),
        schema_string: schema::to_text(&table.schema)?,
        partition_columns: vec!["day".to_string()],
        configuration,
        created_time: Some(now_ms),
        ..Metadata::default()
    };
    let lines = vec![
        Line { protocol: Some(schema::protocol()), ..Line::default() },
        Line { meta_data: Some(metadata), ..Line::default() },
    ];
    let info = CommitInfo {
        timestamp: Some(now_ms),
        operation: Some("CREATE TABLE".to_string()),
        operation_parameters: json!({"partitionBy": "[\"day\"]"}),
        is_blind_append: Some(true),
        ..CommitInfo::default()
    };
    with_info(0, &Before::start(), info, (Map::new(), Said::default()), lines)
}

/// Builds the commit after a snapshot.
pub(super) fn next(
    base: &Snapshot,
    (before, shapes): (&Before, Option<Shapes>),
    change: &Change,
    now_ms: i64,
) -> Result<Prepared> {
    let timestamp_ms = now_ms.max(base.timestamp_ms.saturating_add(1));
    for (app_id, version) in &change.transactions {
        if base.transaction(app_id)?.is_some_and(|last| *version <= last) {
            return Ok(Prepared::Not(Outcome::AlreadyDone));
        }
    }
    let live: HashMap<&str, &DataFile> = base.files.iter().map(|file| (file.path.as_str(), file)).collect();
    check_paths(&live, change)?;
    let mut lines = Vec::new();
    if let Some(columns) = &change.schema {
        schema::check_growth(&base.schema, columns)?;
        let metadata = Metadata { schema_string: schema::to_text(columns)?, ..base.metadata().clone() };
        lines.push(Line { meta_data: Some(metadata), ..Line::default() });
    }
    for (app_id, version) in change.transactions.iter().chain(&change.states) {
        let txn = Txn { app_id: app_id.clone(), version: *version, last_updated: Some(timestamp_ms) };
        lines.push(Line { txn: Some(txn), ..Line::default() });
    }
    for path in &change.removes {
        let Some(file) = live.get(path.as_str()) else { return Ok(Prepared::Not(Outcome::Conflict)) };
        let remove = Remove::new(file, change.data_change, timestamp_ms);
        lines.push(Line { remove: Some(remove), ..Line::default() });
    }
    for file in &change.adds {
        lines.push(Line { add: Some(Add::new(file, change.data_change)?), ..Line::default() });
    }
    let info = CommitInfo {
        timestamp: Some(timestamp_ms),
        operation: Some(change.operation.to_string()),
        operation_parameters: json!({}),
        is_blind_append: Some(change.removes.is_empty() && change.data_change),
        ..CommitInfo::default()
    };
    let more = (change.info.clone(), Said { taken: change.taken.clone(), shapes });
    let lines = with_info(base.version + 1, before, info, more, lines)?;
    Ok(Prepared::Ready(lines))
}

/// Puts the commit information with the chain's link before the other lines.
fn with_info(
    version: u64,
    before: &Before,
    mut info: CommitInfo,
    (extra, said): (Map<String, Value>, Said),
    mut lines: Vec<Line>,
) -> Result<Vec<Line>> {
    let text = chain::text(version, before, &lines, &said)?;
    let count = lines.len() as u64 + 1;
    let Said { taken, shapes } = said;
    let daybook = DaybookInfo { lines: count, chain: chain::link(before, &text), taken, shapes, info: extra };
    info.engine_info = Some(concat!("daybook/", env!("CARGO_PKG_VERSION")).to_string());
    info.daybook = Some(daybook);
    lines.insert(0, Line { commit_info: Some(info), ..Line::default() });
    Ok(lines)
}

/// Refuses a change that names a path or a transaction twice, or adds a file that is live.
fn check_paths(live: &HashMap<&str, &DataFile>, change: &Change) -> Result<()> {
    let mut seen = HashSet::new();
    let adds = change.adds.iter().map(|file| file.path.as_str());
    let removes = change.removes.iter().map(String::as_str);
    if let Some(path) = adds.clone().chain(removes).find(|path| !seen.insert(*path)) {
        return Err(internal(format!("a commit names the data file `{path}` twice")));
    }
    if let Some(path) = adds.into_iter().find(|path| live.contains_key(path)) {
        return Err(internal(format!("a commit adds the data file `{path}`, which is in the table")));
    }
    let mut seen = HashSet::new();
    let mut applications = change.transactions.iter().chain(&change.states);
    match applications.find(|(app_id, _)| !seen.insert(app_id)) {
        Some((app_id, _)) => Err(internal(format!("a commit names the transaction `{app_id}` twice"))),
        None => Ok(()),
    }
}

fn internal(message: String) -> Error {
    Error::new(ErrorKind::Internal, message)
}

/// The bytes of a commit.
pub(super) fn bytes(lines: &[Line]) -> Result<Vec<u8>> {
    actions::write_lines(lines)
}
