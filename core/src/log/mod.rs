//! The Delta log of a table: which data files are live, what columns there are, exactly-once markers, and the
//! hash chain over all commits.
//!
//! Commits are written here, as JSON, through [`Storage`]; the Delta kernel reads them back and makes the
//! content of checkpoints. Readers see a commit whole or not at all, and of two commits for one version one
//! wins. `chain.rs` specifies the chain's records.
//!
//! The kernel reads the last checkpoint; the commits after it, and those that come while the table is open,
//! are applied here, which is cheaper than asking the kernel each time.

mod actions;
mod chain;
mod checkpoint;
mod commit;
mod file;
mod history;
mod kernel;
mod path;
mod repair;
mod schema;
mod shapes;
mod snapshot;
mod table;
#[cfg(test)]
mod tests;

pub use actions::{ChainLink, Shapes, Taken};
use chain::Before;
pub use chain::{ChainRecord, START as CHAIN_START, jump_of};
pub use checkpoint::{LogMaintenance, Maintained};
pub use commit::{Change, NewTable, Outcome};
pub use file::{DataFile, FileStats, RemovedFile};
pub use history::{At, CommitRecord};
pub use snapshot::Snapshot;

use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use crate::storage::{Put, Storage};
use commit::Prepared;
use shapes::ShapesRead;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use table::Table;

/// How long a process goes on from what it read, in milliseconds, before it reads the log anew.
const AGE_MS_MAX: i64 = 60 * 60 * 1000;
/// How long after a clean-up the next one looks, in milliseconds.
const CLEAN_UP_EVERY_MS: i64 = 60 * 60 * 1000;
/// How many commits are applied at once.
const COMMITS_AT_ONCE: usize = 256;
/// How often reading starts again when files go while they are read.
const ATTEMPTS: usize = 3;

/// One Delta table, partitioned by day.
pub struct Log {
    table: Table,
    latest: Mutex<Arc<Snapshot>>,
    upkeep: Mutex<Upkeep>,
    warnings: Vec<String>,
    watcher: OnceLock<Box<dyn CommitWatcher>>,
    shapes: Mutex<ShapesRead>,
}

/// Who is told of each commit that this process makes.
pub trait CommitWatcher: Send + Sync + fmt::Debug {
    /// A commit was made: its version, and the hash of its record.
    fn committed(&self, version: u64, hash: &str);
}

/// What this process knows of the log's upkeep.
#[derive(Clone, Copy, Debug, Default)]
struct Upkeep {
    checkpoint: Option<u64>,
    cleaned_up_ms: Option<i64>,
}

impl Log {
    /// Makes a table in the folder `prefix` of a store; opens the one that is there, if any.
    pub fn create(storage: Arc<dyn Storage>, prefix: &str, table: &NewTable, now_ms: i64) -> Result<Log> {
        match Log::open(Arc::clone(&storage), prefix) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened,
        }
        let lines = commit::first(table, uuid::Uuid::new_v4().to_string(), now_ms)?;
        let path = Table::new(Arc::clone(&storage), prefix)?.path(&layout::commit(0));
        // If somebody else's version 0 is first, theirs is the table.
        storage.put_if_absent(&path, &commit::bytes(&lines)?)?;
        Log::open(storage, prefix)
    }

    /// Opens the table in the folder `prefix` of a store. A last commit that is torn is moved aside; see
    /// [`Log::warnings`].
    pub fn open(storage: Arc<dyn Storage>, prefix: &str) -> Result<Log> {
        let table = Table::new(storage, prefix)?;
        let mut warnings = Vec::new();
        let snapshot = match load(&table) {
            Ok(snapshot) => snapshot,
            Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error),
            Err(error) => {
                warnings.push(repair::move_torn(&table)?.ok_or(error)?);
                load(&table)?
            }
        };
        let upkeep = Upkeep { checkpoint: snapshot.checkpoint_version(), cleaned_up_ms: None };
        let (latest, upkeep) = (Mutex::new(Arc::new(snapshot)), Mutex::new(upkeep));
        Ok(Log { table, latest, upkeep, warnings, watcher: OnceLock::new(), shapes: Mutex::default() })
    }

    /// Tells somebody of each commit from now on; only the first who asks.
    pub fn watch(&self, watcher: Box<dyn CommitWatcher>) {
        let _ = self.watcher.set(watcher);
    }

    /// What opening had to mend, in sentences.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The table at a version.
    pub fn snapshot(&self, at: At) -> Result<Arc<Snapshot>> {
        let latest = self.latest()?;
        let version = match at {
            At::Latest => return Ok(latest),
            At::Version(version) => version,
            At::Time(time_ms) if time_ms >= latest.timestamp_ms => return Ok(latest),
            At::Time(time_ms) => history::version_at(&self.table, latest.version, time_ms)?,
        };
        if version > latest.version {
            let message = format!("`{}` has no version {version}", self.table.name());
            let hint = format!("the latest is version {}", latest.version);
            return Err(Error::new(ErrorKind::NotFound, message).with_hint(hint));
        }
        if version == latest.version {
            return Ok(latest);
        }
        match Snapshot::load(&self.table, Some(version)) {
            Ok(snapshot) => Ok(Arc::new(snapshot)),
            Err(error) => match history::earliest(&self.table)? {
                Some(earliest) if version >= earliest => Err(error),
                _ => Err(history::unavailable(&self.table, version)),
            },
        }
    }

    /// Commits a change as the version after `base`. Its files must be on disk, durably.
    pub fn commit(&self, base: &Snapshot, change: &Change, now_ms: i64) -> Result<Outcome> {
        let before = Before::after(&self.table, base.version, base.chain_head())?;
        let lines = match commit::next(base, (&before, self.shapes()?), change, now_ms)? {
            Prepared::Ready(lines) => lines,
            Prepared::Not(outcome) => return Ok(outcome),
        };
        if !self.is_latest(base.version)? {
            return Ok(Outcome::Conflict);
        }
        let version = base.version + 1;
        let hash = lines
            .iter()
            .find_map(|line| Some(line.commit_info.as_ref()?.daybook.as_ref()?.chain.hash.clone()));
        let path = self.table.path(&layout::commit(version));
        match self.table.storage.put_if_absent(&path, &commit::bytes(&lines)?)? {
            Put::Exists => return Ok(Outcome::Conflict),
            Put::Written => {}
        }
        if !self.table.has_commit(base.version)? && !self.is_latest(version)? {
            // A clean-up went past the base meanwhile: the commit is before all that readers look at.
            self.table.storage.delete(&path)?;
            return Ok(Outcome::Conflict);
        }
        // The commit is made: what goes wrong from here on shows when the next snapshot is taken.
        if let (Some(watcher), Some(hash)) = (self.watcher.get(), hash) {
            watcher.committed(version, &hash);
        }
        if let Ok(next) = base.after(&[lines]) {
            let mut latest = lock(&self.latest);
            if latest.version < version {
                *latest = Arc::new(next);
            }
        }
        Ok(Outcome::Committed(version))
    }

    /// The files of the catalogue as they are now.
    fn shapes(&self) -> Result<Option<Shapes>> {
        let mut read = lock(&self.shapes);
        while read.next(&self.table)? {}
        Ok(read.said())
    }

    /// The first so many files of the catalogue as they are now, or all if there are fewer, each with those before it.
    pub fn shapes_up_to(&self, files: u64) -> Result<Vec<Shapes>> {
        let (mut read, mut said) = (ShapesRead::default(), Vec::new());
        while (said.len() as u64) < files && read.next(&self.table)? {
            said.extend(read.said());
        }
        Ok(said)
    }

    /// Makes the commits that can be seen durable. One may be seen before whoever writes it has made it so:
    /// what it stands for must not go before this has returned.
    pub fn sync(&self) -> Result<()> {
        self.table.storage.sync_folder(&self.table.path(layout::DELTA_LOG))
    }

    /// What the commits of these versions did, both ends included; `NotFound` if one is not there.
    pub fn commits(&self, from: u64, to: u64) -> Result<Vec<CommitRecord>> {
        (from..=to).map(|version| history::commit(&self.table, version)).collect()
    }

    /// The record of a version in the hash chain, also if its commit was cleaned up; none if another program
    /// wrote the commit.
    pub fn chain_record(&self, version: u64) -> Result<Option<ChainRecord>> {
        match self.table.commit(version)? {
            Some(lines) => chain::record(version, &lines),
            None => chain::kept(&self.table, version),
        }
    }

    /// The last record of the hash chain, up to version `latest`, of a commit that was made at a time or before,
    /// also if its commit was cleaned up; none if there is none.
    pub fn chain_record_at(&self, latest: u64, time_ms: i64) -> Result<Option<ChainRecord>> {
        let (mut low, mut high) = (0_u64, latest.saturating_add(1));
        // The versions before `low` are of that time or before, those from `high` on are later.
        while low < high {
            let middle = low + (high - low) / 2;
            let is_later = match history::timestamp(&self.table, middle) {
                Ok(timestamp_ms) => timestamp_ms > time_ms,
                // Older than all that is kept.
                Err(error) if error.kind() == ErrorKind::NotFound => false,
                Err(error) => return Err(error),
            };
            if is_later { high = middle } else { low = middle + 1 }
        }
        for version in (0..low).rev() {
            match self.chain_record(version)? {
                Some(record) => return Ok(Some(record)),
                // Another program made this commit, or it is older than all that is kept.
                None if self.table.has_commit(version)? => {}
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Makes a checkpoint if one is due, and removes commits that no reader needs. Cheap when there is
    /// nothing to do; several processes may do it at once.
    pub fn maintain(&self, options: &LogMaintenance, now_ms: i64) -> Result<Maintained> {
        let version = self.latest()?.version;
        let mut upkeep = *lock(&self.upkeep);
        let due = |last: Option<u64>| {
            version.saturating_sub(last.unwrap_or_default()) >= options.checkpoint_every.max(1)
        };
        let mut made = None;
        if due(upkeep.checkpoint) {
            upkeep.checkpoint = checkpoint::last(&self.table)?.max(upkeep.checkpoint);
            if due(upkeep.checkpoint) {
                checkpoint::write(&self.table, version)?;
                upkeep.checkpoint = Some(version);
                made = Some(version);
            }
        }
        let next_ms = upkeep.cleaned_up_ms.map(|last_ms| last_ms.saturating_add(CLEAN_UP_EVERY_MS));
        let mut done = Maintained::default();
        if made.is_some() || next_ms.is_none_or(|next_ms| next_ms <= now_ms) {
            done = checkpoint::clean_up(&self.table, options.keep_commits_ms, now_ms)?;
            upkeep.cleaned_up_ms = Some(now_ms);
        }
        *lock(&self.upkeep) = upkeep;
        Ok(Maintained { checkpoint: made, ..done })
    }

    /// Makes a checkpoint of the latest version, and removes all older commits and checkpoints at once. Their records
    /// in the hash chain stay.
    pub fn purge(&self) -> Result<Maintained> {
        let version = self.latest()?.version;
        if version == 0 {
            return Ok(Maintained::default());
        }
        let done = checkpoint::purge(&self.table, version)?;
        lock(&self.upkeep).checkpoint = Some(version);
        Ok(done)
    }

    /// The earliest version that can still be read.
    pub fn earliest(&self) -> Result<Option<u64>> {
        history::earliest(&self.table)
    }

    /// The paths of all files that commits took out of the table up to a version, also those that are cleaned up.
    pub fn removed_paths(&self, latest: u64) -> Result<HashSet<String>> {
        let mut removed = HashSet::new();
        for version in 0..=latest {
            let Some(record) = self.chain_record(version)? else { continue };
            for line in record.text.lines() {
                if let Some(path) = line.strip_prefix("remove ").and_then(|rest| rest.split(' ').next()) {
                    removed.insert(path::decode(path)?);
                }
            }
        }
        Ok(removed)
    }

    /// The latest version.
    fn latest(&self) -> Result<Arc<Snapshot>> {
        let known = Arc::clone(&lock(&self.latest));
        let (latest, is_new) = match go_on(&self.table, known)? {
            Some(latest) if latest.age_ms() <= AGE_MS_MAX => (latest, false),
            _ => (Arc::new(load(&self.table)?), true),
        };
        let mut slot = lock(&self.latest);
        if is_new || slot.version < latest.version {
            *slot = Arc::clone(&latest);
        }
        Ok(latest)
    }

    /// Whether a version that was the latest still is, as far as that can be known before committing.
    fn is_latest(&self, version: u64) -> Result<bool> {
        Ok(self.table.has_commit(version)? || load(&self.table)?.version == version)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("table", &self.table.name()).finish_non_exhaustive()
    }
}

/// A path of a data file as it stands in actions and in records of the chain.
pub fn encoded_path(path: &str) -> String {
    path::encode(path)
}

/// The path on disk of a path in an action.
pub fn decoded_path(path: &str) -> Result<String> {
    path::decode(path)
}

/// Reads the latest version, again if a clean-up comes in between.
fn load(table: &Table) -> Result<Snapshot> {
    let mut loaded = load_once(table);
    for _ in 1..ATTEMPTS {
        match &loaded {
            Err(error) if error.kind() == ErrorKind::NotFound => loaded = load_once(table),
            _ => break,
        }
    }
    loaded
}

/// Reads the last checkpoint, or version 0, through the kernel and goes on from there; where that does not
/// work, the kernel reads all.
fn load_once(table: &Table) -> Result<Snapshot> {
    let start = checkpoint::last(table)?.unwrap_or_default();
    if table.has_commit(start)?
        && let Ok(base) = Snapshot::load(table, Some(start))
        && let Some(latest) = go_on(table, Arc::new(base))?
        && let Some(latest) = Arc::into_inner(latest)
    {
        return Ok(latest.read_anew());
    }
    Snapshot::load(table, None)
}

/// Goes on from a snapshot to the latest version, commit by commit; none if commits were cleaned up that it
/// would need.
fn go_on(table: &Table, mut latest: Arc<Snapshot>) -> Result<Option<Arc<Snapshot>>> {
    loop {
        let mut commits = Vec::new();
        while commits.len() < COMMITS_AT_ONCE
            && let Some(lines) = table.commit(latest.version + 1 + commits.len() as u64)?
        {
            commits.push(lines);
        }
        if commits.is_empty() {
            // Clean-up takes the oldest first: while this commit is there, the next was never removed.
            return Ok(table.has_commit(latest.version)?.then_some(latest));
        }
        latest = Arc::new(latest.after(&commits)?);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What the locks guard is replaced as a whole, so that a panic elsewhere leaves it intact.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
