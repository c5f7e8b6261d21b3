//! Upkeep of the log: checkpoints, so that opening stays fast, and removal of old commits.

use super::kernel::KernelSnapshot;
use super::repair::TORN;
use super::table::{Listing, Table};
use super::{chain, history};
use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use serde::{Deserialize, Serialize};

/// The file that names the last checkpoint.
const LAST_CHECKPOINT: &str = "_last_checkpoint";

/// When to do what.
#[derive(Clone, Copy, Debug)]
pub struct LogMaintenance {
    /// How many commits after a checkpoint the next one is made.
    pub checkpoint_every: u64,
    /// How long old versions can be read, in milliseconds; a version in use should not be older.
    pub keep_commits_ms: i64,
}

impl Default for LogMaintenance {
    fn default() -> Self {
        LogMaintenance { checkpoint_every: 100, keep_commits_ms: 30 * 24 * 60 * 60 * 1000 }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    /// The version of which a checkpoint was made.
    pub checkpoint: Option<u64>,
    /// How many commits were removed.
    pub commits_removed: u64,
    /// How many checkpoints were removed.
    pub checkpoints_removed: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LastCheckpoint {
    version: u64,
    size: u64,
    size_in_bytes: u64,
    num_of_add_files: u64,
}

/// The version of the last checkpoint, as its hint says.
pub(super) fn last(table: &Table) -> Result<Option<u64>> {
    let Some(bytes) = table.read(&format!("{}/{LAST_CHECKPOINT}", layout::DELTA_LOG))? else {
        return Ok(None);
    };
    #[derive(Deserialize)]
    struct Hint {
        version: u64,
    }
    // It is only a hint: one that cannot be read is replaced by the next.
    Ok(serde_json::from_slice(&bytes).ok().map(|hint: Hint| hint.version))
}

/// Makes a checkpoint of a version, whole or not at all, then the hint that names it.
pub(super) fn write(table: &Table, version: u64) -> Result<()> {
    let checkpoint = KernelSnapshot::load(table, Some(version))?.checkpoint()?;
    let path = table.path(&layout::checkpoint(version));
    // If one is there, another process made the same.
    table.storage.put_if_absent(&path, &checkpoint.bytes)?;
    if last(table)?.is_some_and(|last| last > version) {
        return Ok(());
    }
    let hint = LastCheckpoint {
        version,
        size: checkpoint.actions,
        size_in_bytes: checkpoint.bytes.len() as u64,
        num_of_add_files: checkpoint.adds,
    };
    let bytes = serde_json::to_vec(&hint).map_err(super::actions::unwritable)?;
    table.storage.replace(&table.path(&format!("{}/{LAST_CHECKPOINT}", layout::DELTA_LOG)), &bytes)
}

/// Removes what is older than the last checkpoint that is older than `keep_ms`, and so not needed to read any
/// version since then. The chain records of removed commits are kept first; oldest commits go first.
pub(super) fn clean_up(table: &Table, keep_ms: i64, now_ms: i64) -> Result<Maintained> {
    let listing = table.listing()?;
    let Some(keep_from) = oldest_needed(table, &listing, now_ms.saturating_sub(keep_ms))? else {
        return Ok(Maintained::default());
    };
    let older = |version: &u64| *version < keep_from;
    if !listing.commits.iter().chain(&listing.checkpoints).any(|(version, _)| older(version)) {
        return Ok(Maintained::default());
    }
    remove_older(table, &listing, keep_from)
}

/// Makes a checkpoint of a version, the latest, and removes all that is older.
pub(super) fn purge(table: &Table, version: u64) -> Result<Maintained> {
    write(table, version)?;
    for entry in table.storage.list(&table.path(&format!("{}/{TORN}", layout::DELTA_LOG)))? {
        table.storage.delete(&entry.path)?;
    }
    let done = remove_older(table, &table.listing()?, version)?;
    Ok(Maintained { checkpoint: Some(version), ..done })
}

/// Removes what is older than a version that has a checkpoint. Its chain records are kept first; oldest commits go
/// first.
fn remove_older(table: &Table, listing: &Listing, keep_from: u64) -> Result<Maintained> {
    let mut done = Maintained::default();
    let older = |version: &u64| *version < keep_from;
    read_back(table, keep_from)?;
    // Whoever made the checkpoint may not have come so far as to make its name durable.
    table.storage.sync_folder(&table.path(layout::DELTA_LOG))?;
    for (version, entry) in listing.commits.iter().filter(|(version, _)| older(version)) {
        if let Some(lines) = table.commit(*version)? {
            chain::keep(table, *version, &lines)?;
        }
        table.storage.delete(&entry.path)?;
        done.commits_removed += 1;
    }
    for (_, entry) in listing.checkpoints.iter().filter(|(version, _)| older(version)) {
        table.storage.delete(&entry.path)?;
        done.checkpoints_removed += 1;
    }
    for (_, entry) in listing.checksums.iter().filter(|(version, _)| older(version)) {
        table.storage.delete(&entry.path)?;
    }
    Ok(done)
}

/// The last checkpoint made from a commit of a time or before; its commit is there too.
fn oldest_needed(table: &Table, listing: &Listing, up_to_ms: i64) -> Result<Option<u64>> {
    for (version, _) in listing.checkpoints.iter().rev() {
        if table.has_commit(*version)? && history::timestamp(table, *version)? <= up_to_ms {
            return Ok(Some(*version));
        }
    }
    Ok(None)
}

/// Reads a checkpoint as a reader would, before the commits that it replaces go.
fn read_back(table: &Table, version: u64) -> Result<()> {
    let snapshot = KernelSnapshot::load(table, Some(version))?;
    snapshot.files()?;
    if snapshot.checkpoint_version() == Some(version) {
        return Ok(());
    }
    let path = table.path(&layout::checkpoint(version));
    Err(Error::new(ErrorKind::Corrupt, format!("the checkpoint `{path}` cannot be read"))
        .with_hint("remove it; the next upkeep makes another"))
}
