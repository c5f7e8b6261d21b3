//! Removal of data files that no version in use needs.

use crate::error::{ErrorKind, Result};
use crate::log::{At, Log};
use crate::quarantine;
use crate::seal::Tables;
use crate::storage::Storage;
use std::collections::{HashMap, HashSet};

/// A file that no commit names may be one that is about to be committed; after a day it is not.
const ORPHAN_MS: i64 = 86_400_000;

/// Removes files that were taken out of their table before the versions that can still be read, and files
/// that were never put into it. Says how many.
pub fn vacuum(tables: &Tables, now_ms: i64, keep_ms: i64) -> Result<u64> {
    // What a crash left of files that were being written.
    tables.storage.remove_leftovers("", (now_ms - ORPHAN_MS) * 1000)?;
    let events = vacuum_table(tables, &tables.events, "", now_ms, keep_ms)?;
    Ok(events + vacuum_table(tables, &tables.quarantine, quarantine::PREFIX, now_ms, keep_ms)?)
}

fn vacuum_table(tables: &Tables, log: &Log, prefix: &str, now_ms: i64, keep_ms: i64) -> Result<u64> {
    // Listed before the snapshot is taken: what is committed meanwhile is in the snapshot.
    let listed = tables.files_of_days(prefix)?;
    let snapshot = log.snapshot(At::Latest)?;
    let live: HashSet<String> = snapshot.files.iter().map(|file| format!("{prefix}{}", file.path)).collect();
    let dead: Vec<_> = listed.into_iter().filter(|entry| !live.contains(&entry.path)).collect();
    if dead.is_empty() {
        return Ok(0);
    }
    let removed = removed_files(log, prefix, snapshot.version)?;
    let mut count = 0;
    for entry in dead {
        let expired = match removed.get(&entry.path) {
            Some(removed_ms) => now_ms - removed_ms > keep_ms,
            None => now_ms - entry.modified_us / 1000 > ORPHAN_MS.max(keep_ms),
        };
        if expired {
            if count == 0 {
                // The commit that took it out may be one that its writer could not make durable.
                log.sync()?;
            }
            tables.storage.delete(&entry.path)?;
            count += 1;
        }
    }
    Ok(count)
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
