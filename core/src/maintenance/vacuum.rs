//! Removal of data files that no version in use needs.

use crate::error::{ErrorKind, Result};
use crate::log::{At, Log};
use crate::quarantine;
use crate::seal::Tables;
use crate::storage::Storage;
use std::collections::{HashMap, HashSet};

/// A file that no commit names may be one that is about to be committed; after a day it is not.
const ORPHAN_MS: i64 = 86_400_000;

/// What was removed, and what stays for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Files that were removed.
    pub removed: u64,
    /// Files that are in no table and stay, for readers of older versions or for whoever is writing them.
    pub waiting: u64,
    /// The bytes of these.
    pub waiting_bytes: u64,
}

/// Removes files that were taken out of their table before the versions that can still be read, and files
/// that were never put into it.
pub fn vacuum(tables: &Tables, now_ms: i64, keep_ms: i64) -> Result<Vacuumed> {
    // What a crash left of files that were being written.
    tables.storage.remove_leftovers("", (now_ms - ORPHAN_MS) * 1000)?;
    let mut done = Vacuumed::default();
    vacuum_table(tables, &tables.events, "", now_ms, keep_ms, &mut done)?;
    vacuum_table(tables, &tables.quarantine, quarantine::PREFIX, now_ms, keep_ms, &mut done)?;
    Ok(done)
}

fn vacuum_table(
    tables: &Tables,
    log: &Log,
    prefix: &str,
    now_ms: i64,
    keep_ms: i64,
    done: &mut Vacuumed,
) -> Result<()> {
    // Listed before the snapshot is taken: what is committed meanwhile is in the snapshot.
    let listed = tables.files_of_days(prefix)?;
    let snapshot = log.snapshot(At::Latest)?;
    let live: HashSet<String> = snapshot.files.iter().map(|file| format!("{prefix}{}", file.path)).collect();
    let dead: Vec<_> = listed.into_iter().filter(|entry| !live.contains(&entry.path)).collect();
    if dead.is_empty() {
        return Ok(());
    }
    let removed = removed_files(log, prefix, snapshot.version)?;
    let mut is_synced = false;
    for entry in dead {
        let expired = match removed.get(&entry.path) {
            Some(removed_ms) => now_ms - removed_ms > keep_ms,
            None => now_ms - entry.modified_us / 1000 > ORPHAN_MS.max(keep_ms),
        };
        if !expired {
            done.waiting = done.waiting.saturating_add(1);
            done.waiting_bytes = done.waiting_bytes.saturating_add(entry.size);
            continue;
        }
        if !std::mem::replace(&mut is_synced, true) {
            // The commit that took it out may be one that its writer could not make durable.
            log.sync()?;
        }
        tables.storage.delete(&entry.path)?;
        done.removed = done.removed.saturating_add(1);
    }
    Ok(())
}

/// When each file was taken out of the table, as far as the log goes back.
fn removed_files(log: &Log, prefix: &str, latest: u64) -> Result<HashMap<String, i64>> {
    let mut removed = HashMap::new();
    for version in (0..=latest).rev() {
        let commits = match log.commits(version, version) {
            Ok(commits) => commits,
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        };
        for file in commits.into_iter().flat_map(|commit| commit.removes) {
            removed.entry(format!("{prefix}{}", file.path)).or_insert(file.removed_ms);
        }
    }
    Ok(removed)
}
