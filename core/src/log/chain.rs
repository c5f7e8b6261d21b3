//! The hash chain over the commits of a table.
//!
//! Each commit of Daybook has a record, which is text in UTF-8, each line ended by a line feed:
//!
//! ```text
//! daybook chain 1
//! previous <hash of the record before; 64 zeros where there is none>
//! jump <hash of the last record up to the version that `jump_of` says; 64 zeros in version 0>
//! version <the commit's version in decimal>
//! add <path> <sha256> <rows> <rows hash> <tree> <least ts> <largest ts>
//! remove <path> <sha256> <rows> <rows hash>
//! txn <application id> <version>
//! schema <sha256 of the schema's text>
//! shapes <files> <sha256>
//! taken <why> <events> <rows hash> <note>
//! fresh <path>
//! changed <path>
//! ```
//!
//! - One `add` line an `add` action, one `remove` line a `remove` action, one `txn` line a `txn` action, and
//!   the `schema` line if there is a `metaData` action. Lines of one kind are sorted by their bytes.
//! - `<path>` is as in the action, percent-encoded. `<sha256>` and `<rows hash>` are the action's tags
//!   `daybook.sha256`, `daybook.rows` and `daybook.tree`, `<rows>` its tag `daybook.count` or else its `numRecords`; `-`
//!   stands for a hash that is not there. The `ts` are `minValues.ts` and `maxValues.ts` of the action's
//!   statistics, verbatim, percent-encoded as paths are; `-` where there is none. Encoded is every byte that
//!   is no printable ASCII character, and each of ``"#%<>?[\]^`{|}``, in capitals: `%20`.
//! - `<application id>` and `<note>` are JSON strings. The schema's text is `schemaString`.
//! - The `shapes` line is there if there are files of the catalogue: how many, and the SHA-256 of all their bytes.
//! - `taken`, `fresh` and `changed` are there if the commit has `commitInfo.daybook.taken`: events that it takes out or
//!   changes, and which of the files that it adds hold new events, and changed ones.
//!
//! The record's hash is the SHA-256 of the text, in lowercase hexadecimal. It and the one before are in the
//! commit, at `commitInfo.daybook.chain`, as `hash` and `previous`. When a commit is cleaned up, its record
//! is first kept in `_chain/`, one JSON object a version: `version`, `timestamp`, `hash`, `previous`, `text`.
//! A commit of another program has no record: the chain goes on from the last one.

use super::actions::{Add, ChainLink, Line, Remove, Shapes, Taken, unwritable};
use super::table::{Table, parse_version};
use super::{file, path};
use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The record of a commit in the hash chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainRecord {
    /// The commit's version.
    pub version: u64,
    /// When it was committed, in milliseconds since 1970.
    #[serde(rename = "timestamp")]
    pub timestamp_ms: i64,
    /// The hash that was written with the commit.
    pub hash: String,
    /// The hash of the record before.
    pub previous: String,
    /// The hash of the record that is as far back as [`jump_of`] says, so that there is a short way from any record to
    /// any before it.
    pub jump: String,
    /// The text that the hash is of.
    pub text: String,
}

impl ChainRecord {
    /// The hash of the text: it differs from `hash` where the commit was altered.
    pub fn computed_hash(&self) -> String {
        hash(self.text.as_bytes())
    }
}

/// The hash before the first record.
pub const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// How far back the record of a version jumps, besides to the one before: where it has both, a walk over at most about
/// three times the logarithm of the number of records leads from any record to any before it.
///
/// These are the skip lists of Myers (1983): a record jumps over the two jumps of the one before it if both are of one
/// length, and else to the one before.
pub fn jump_of(version: u64) -> u64 {
    // In skew binary, a number is a sum of numbers 2^n - 1, the largest first. A jump takes the least of them away.
    let (mut rest, mut least) = (version, 0);
    while rest > 0 {
        least = (1_u64 << rest.saturating_add(1).ilog2()).saturating_sub(1);
        rest = rest.saturating_sub(least);
    }
    version.saturating_sub(least)
}

/// What a record has from the commit's information.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub taken: Option<Taken>,
    pub shapes: Option<Shapes>,
}

/// The hashes of records before one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Before {
    /// Of the last one.
    pub previous: String,
    /// Of the one that it jumps to.
    pub jump: String,
}

impl Before {
    /// Those of version 0.
    pub fn start() -> Before {
        Before { previous: START.to_string(), jump: START.to_string() }
    }

    /// Those of the version after one whose last record has this hash.
    pub fn after(table: &Table, version: u64, previous: &str) -> Result<Before> {
        let target = jump_of(version.saturating_add(1));
        let jump = if target == version { previous.to_string() } else { hash_at(table, target)? };
        Ok(Before { previous: previous.to_string(), jump })
    }
}

/// The text of the record of a commit with these lines, its information left out, which takes these events.
pub(super) fn text(version: u64, before: &Before, lines: &[Line], said: &Said) -> Result<String> {
    let mut adds = Vec::new();
    let mut removes = Vec::new();
    let mut transactions = Vec::new();
    let mut schema = Vec::new();
    for line in lines {
        adds.extend(line.add.as_ref().map(add_line).transpose()?);
        removes.extend(line.remove.as_ref().map(remove_line).transpose()?);
        if let Some(txn) = &line.txn {
            let app_id = serde_json::to_string(&txn.app_id).map_err(unwritable)?;
            transactions.push(format!("txn {app_id} {}\n", txn.version));
        }
        if let Some(metadata) = &line.meta_data {
            schema.push(format!("schema {}\n", hash(metadata.schema_string.as_bytes())));
        }
    }
    let Before { previous, jump } = before;
    let mut text = format!("daybook chain 1\nprevious {previous}\njump {jump}\nversion {version}\n");
    let taken = said.taken.as_ref().map_or_else(|| Ok(Vec::new()), taken_lines)?;
    let shapes = said.shapes.iter().map(|shapes| format!("shapes {} {}\n", shapes.files, shapes.sha256));
    for mut lines in [adds, removes, transactions, schema] {
        lines.sort_unstable();
        text.extend(lines);
    }
    text.extend(shapes);
    text.extend(taken);
    Ok(text)
}

fn taken_lines(taken: &Taken) -> Result<Vec<String>> {
    let note = serde_json::to_string(&taken.note).map_err(unwritable)?;
    let Taken { why, events, rows_hash, fresh, changed, .. } = taken;
    let why: String = why.chars().filter(char::is_ascii_lowercase).collect();
    let mut lines = vec![format!("taken {why} {events} {} {note}\n", or_dash(rows_hash))];
    for (name, paths) in [("fresh", fresh), ("changed", changed)] {
        let mut of_name: Vec<String> =
            paths.iter().map(|path| format!("{name} {}\n", path::encode(path))).collect();
        of_name.sort_unstable();
        lines.extend(of_name);
    }
    Ok(lines)
}

/// The link of a commit whose record has this text.
pub(super) fn link(before: &Before, text: &str) -> ChainLink {
    let Before { previous, jump } = before.clone();
    ChainLink { hash: hash(text.as_bytes()), previous, jump }
}

/// The record of a commit; none if another program wrote it.
pub(super) fn record(version: u64, lines: &[Line]) -> Result<Option<ChainRecord>> {
    let info = lines.iter().find_map(|line| line.commit_info.as_ref());
    let Some((info, daybook)) = info.and_then(|info| Some((info, info.daybook.as_ref()?))) else {
        return Ok(None);
    };
    let ChainLink { hash, previous, jump } = daybook.chain.clone();
    let before = Before { previous, jump };
    let said = Said { taken: daybook.taken.clone(), shapes: daybook.shapes.clone() };
    Ok(Some(ChainRecord {
        version,
        timestamp_ms: info.timestamp.unwrap_or_default(),
        text: text(version, &before, lines, &said)?,
        hash,
        previous: before.previous,
        jump: before.jump,
    }))
}

/// Keeps the record of a commit that is about to go.
pub(super) fn keep(table: &Table, version: u64, lines: &[Line]) -> Result<()> {
    if let Some(record) = record(version, lines)? {
        let bytes = serde_json::to_vec(&record).map_err(unwritable)?;
        // If one is there, an earlier clean-up was stopped between keeping it and removing the commit.
        table.storage.put_if_absent(&table.path(&layout::chain_record(version)), &bytes)?;
    }
    Ok(())
}

/// The record that was kept of a commit; none if there is none.
pub(super) fn kept(table: &Table, version: u64) -> Result<Option<ChainRecord>> {
    let name = layout::chain_record(version);
    let Some(bytes) = table.read(&name)? else { return Ok(None) };
    let record = serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("the chain record `{}` cannot be read", table.path(&name));
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })?;
    Ok(Some(record))
}

/// The same as [`head`], reading no more than a line of the commit, or the record that was kept of it.
fn hash_at(table: &Table, version: u64) -> Result<String> {
    if let Some(daybook) = table.first_line(version)?.and_then(|line| line.commit_info?.daybook) {
        return Ok(daybook.chain.hash);
    }
    match kept(table, version)? {
        Some(record) => Ok(record.hash),
        None => head(table, version),
    }
}

/// The hash of the last record up to a version.
pub(super) fn head(table: &Table, version: u64) -> Result<String> {
    let mut version = Some(version);
    while let Some(current) = version {
        let Some(lines) = table.commit(current)? else {
            return Ok(last_kept(table, current)?.map_or_else(|| START.to_string(), |record| record.hash));
        };
        let info = lines.into_iter().find_map(|line| line.commit_info?.daybook);
        if let Some(info) = info {
            return Ok(info.chain.hash);
        }
        version = current.checked_sub(1);
    }
    Ok(START.to_string())
}

/// The last record that was kept, up to a version.
fn last_kept(table: &Table, up_to: u64) -> Result<Option<ChainRecord>> {
    let folder = table.path(layout::CHAIN);
    let entries = table.storage.list(&folder)?;
    let versions = entries.iter().filter_map(|entry| {
        let (_, name) = entry.path.rsplit_once('/')?;
        parse_version(name.strip_suffix(".json")?)
    });
    match versions.filter(|version| *version <= up_to).max() {
        Some(version) => kept(table, version),
        None => Ok(None),
    }
}

fn add_line(add: &Add) -> Result<String> {
    let file = add.file()?;
    let (_, stats) = file::parse_stats(add.stats.as_deref(), &file.path)?;
    let (least, most) = (bound(stats.min.get("ts")), bound(stats.max.get("ts")));
    let (sha256, rows_hash, tree) = (or_dash(&file.file_hash), or_dash(&file.rows_hash), or_dash(&file.tree));
    Ok(format!("add {} {sha256} {} {rows_hash} {tree} {least} {most}\n", add.path, file.rows))
}

fn remove_line(remove: &Remove) -> Result<String> {
    let file = remove.file()?;
    let (sha256, rows_hash) = (or_dash(&file.file_hash), or_dash(&file.rows_hash));
    Ok(format!("remove {} {sha256} {} {rows_hash}\n", remove.path, file.rows))
}

fn bound(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_string(),
        Some(Value::String(text)) => path::encode(text),
        Some(value) => path::encode(&value.to_string()),
    }
}

fn or_dash(hash: &str) -> &str {
    if hash.is_empty() { "-" } else { hash }
}

/// SHA-256 in lowercase hexadecimal.
fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
