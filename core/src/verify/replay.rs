//! The records of a table's chain, one after the other: which files they say are live.

use super::{Problem, ProblemKind, TableHead, TakenOut};
use crate::error::{ErrorKind, Result};
use crate::event::canonical::RowSet;
use crate::log::{At, CHAIN_START, ChainRecord, Log, Shapes, encoded_path, jump_of};
use std::collections::{BTreeMap, HashSet};

/// A data file as the record that added it describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// The SHA-256 of its bytes; `-` where nobody knows.
    pub(super) file_hash: String,
    /// Its rows.
    pub(super) rows: u64,
    /// The hash of its set of rows.
    pub(super) rows_hash: String,
    /// The root of the tree of its rows.
    pub(super) tree: String,
    /// The version that added it.
    pub(super) version: u64,
}

/// What the records of a table say.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    /// The live files, by path as in the log.
    pub(super) live: BTreeMap<String, Recorded>,
    /// All files that a record ever named.
    pub(super) named: HashSet<String>,
    /// How many commits there are.
    pub(super) commits: u64,
    /// Events that were taken out.
    pub(super) removed: u64,
    /// The commits that took some out, or changed some.
    pub(super) taken: Vec<TakenOut>,
    /// What commits say of the files of the catalogue, the first of each number of them: version and files.
    pub(super) shapes: Vec<(u64, Shapes)>,
    /// The last record.
    pub(super) last: TableHead,
    /// What does not fit together.
    pub(super) problems: Vec<Problem>,
    hashes: Vec<String>,
}

/// Reads all records of a table, and compares what they say is live with what readers see.
pub(super) fn replay(log: &Log, table: &'static str) -> Result<Replayed> {
    let mut replayed = Replayed::default();
    let snapshot = match log.snapshot(At::Latest) {
        Ok(snapshot) => snapshot,
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            let message = format!("the table cannot be read: {error}");
            replayed.problems.push(Problem::new(ProblemKind::TableAltered, table, message));
            return Ok(replayed);
        }
        Err(error) => return Err(error),
    };
    let mut previous = CHAIN_START.to_string();
    for version in 0..=snapshot.version {
        match log.chain_record(version) {
            Ok(Some(record)) => {
                replayed.check_record(&record, &previous, version, table);
                replayed.apply(&record, table);
                previous = record.hash;
            }
            Ok(None) => replayed.without_record(log, version, table),
            Err(error) => {
                let message = format!("commit {version} cannot be read: {error}");
                replayed.problems.push(Problem::new(ProblemKind::CommitMissing, table, message).at(version));
            }
        }
        replayed.hashes.push(previous.clone());
    }
    replayed.commits = snapshot.version.saturating_add(1);
    replayed.last = TableHead { version: snapshot.version, hash: previous };
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for file in &snapshot.files {
        seen.insert(&file.path, &file.file_hash);
    }
    replayed.compare(&seen, table);
    Ok(replayed)
}

impl Replayed {
    /// Whether the chain does not go through a head that was written down.
    pub(super) fn without(&self, head: &TableHead, table: &'static str) -> Option<Problem> {
        let place = usize::try_from(head.version).ok()?;
        let message = match self.hashes.get(place) {
            Some(hash) if *hash == head.hash => return None,
            Some(hash) => format!(
                "version {} has the hash {hash}, and the head that was written down says {}: what was committed up to \
                 then was replaced",
                head.version, head.hash
            ),
            None => format!(
                "the head that was written down is of version {}, and the table ends at version {}: commits were cut \
                 off",
                head.version, self.last.version
            ),
        };
        Some(Problem::new(ProblemKind::OtherHead, table, message).at(head.version))
    }

    fn problem(&mut self, kind: ProblemKind, table: &'static str, version: u64, message: String) {
        self.problems.push(Problem::new(kind, table, message).at(version));
    }

    fn check_record(&mut self, record: &ChainRecord, previous: &str, version: u64, table: &'static str) {
        let ChainRecord { previous: before, jump, .. } = record;
        let header = format!("daybook chain 1\nprevious {before}\njump {jump}\nversion {version}\n");
        if record.computed_hash() != record.hash || !record.text.starts_with(&header) {
            let message = format!("commit {version} is not what was hashed when it was made");
            self.problem(ProblemKind::CommitAltered, table, version, message);
        }
        if record.previous != previous {
            let message = format!(
                "commit {version} follows the record {}, and the one before it is {previous}",
                record.previous
            );
            self.problem(ProblemKind::ChainBroken, table, version, message);
        }
        let target = usize::try_from(jump_of(version)).ok();
        let expected = target.and_then(|target| self.hashes.get(target)).map_or(CHAIN_START, String::as_str);
        if *jump != expected {
            let message = format!("commit {version} jumps to the record {jump}, and there it is {expected}");
            self.problem(ProblemKind::ChainBroken, table, version, message);
        }
    }

    /// A commit of another program, or one that is gone.
    fn without_record(&mut self, log: &Log, version: u64, table: &'static str) {
        match log.commits(version, version) {
            Ok(commits) => {
                let engine = commits.first().map(|commit| commit.engine.clone()).unwrap_or_default();
                let message = format!("another program made commit {version}: `{engine}`");
                self.problem(ProblemKind::ForeignCommit, table, version, message);
                for commit in commits {
                    for file in commit.removes {
                        self.live.remove(&encoded_path(&file.path));
                    }
                    for file in commit.adds {
                        let recorded = Recorded {
                            file_hash: "-".to_string(),
                            rows: file.rows,
                            rows_hash: "-".to_string(),
                            tree: "-".to_string(),
                            version,
                        };
                        self.named.insert(encoded_path(&file.path));
                        self.live.insert(encoded_path(&file.path), recorded);
                    }
                }
            }
            Err(_) => {
                let message = format!("commit {version} is not there, and no record of it was kept");
                self.problem(ProblemKind::CommitMissing, table, version, message);
            }
        }
    }

    fn apply(&mut self, record: &ChainRecord, table: &'static str) {
        let mut moved = Moved::of(record, table);
        for line in record.text.lines().skip(4) {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["add", path, file_hash, rows, rows_hash, tree, _, _] => {
                    let rows = rows.parse().unwrap_or_default();
                    let (file_hash, rows_hash) = ((*file_hash).to_string(), (*rows_hash).to_string());
                    let tree = (*tree).to_string();
                    moved.came(path, rows, &rows_hash);
                    let recorded = Recorded { file_hash, rows, rows_hash, tree, version: record.version };
                    self.named.insert((*path).to_string());
                    if self.live.insert((*path).to_string(), recorded).is_some() {
                        let message =
                            format!("commit {} adds `{path}`, which is there already", record.version);
                        self.problem(ProblemKind::Contradiction, table, record.version, message);
                    }
                }
                ["remove", path, file_hash, rows, rows_hash] => {
                    let rows = rows.parse().unwrap_or_default();
                    moved.went.add(rows, rows_hash);
                    let added = self.live.remove(*path);
                    let is_same = added.as_ref().is_some_and(|added| {
                        added.file_hash == *file_hash && added.rows == rows && added.rows_hash == *rows_hash
                    });
                    if !is_same {
                        let what =
                            if added.is_some() { "says other things of it than" } else { "does not find" };
                        let message = format!(
                            "commit {} removes `{path}` and {what} the commit that added it",
                            record.version
                        );
                        self.problem(ProblemKind::Contradiction, table, record.version, message);
                    }
                }
                ["shapes", files, sha256] => {
                    let shapes =
                        Shapes { files: files.parse().unwrap_or_default(), sha256: (*sha256).to_string() };
                    if self.shapes.last().is_none_or(|(_, last)| *last != shapes) {
                        self.shapes.push((record.version, shapes));
                    }
                }
                _ => {}
            }
        }
        self.balance(moved, record.version, table);
    }

    /// What goes is in what comes, or is taken out, and the commit says so.
    fn balance(&mut self, moved: Moved<'_>, version: u64, table: &'static str) {
        let Moved { stays, went, taken, changed, .. } = moved;
        // Rejects leave the quarantine when they could be read after all.
        let is_checked = went.files > 0 && (table == "events" || taken.is_some());
        let gone = taken.as_ref().map_or_else(Sum::default, |(_, gone)| gone.clone());
        let rows = stays.rows.saturating_add(gone.rows);
        let mut set = stays.set;
        set.add(&gone.set);
        let is_known = went.is_known && stays.is_known && gone.is_known;
        if is_checked && (rows != went.rows || (is_known && set != went.set)) {
            let message = match &taken {
                None if stays.files == 0 => {
                    format!("commit {version} takes {} events out and does not say why", went.rows)
                }
                None => format!(
                    "commit {version} puts files with {} events in the place of files with {}, and they are not the same",
                    stays.rows, went.rows
                ),
                Some((taken, _)) => format!(
                    "commit {version} says that it takes out {} of {} events (`{}`), and what it leaves is not the others",
                    taken.events, went.rows, taken.why
                ),
            };
            self.problem(ProblemKind::EventsChanged, table, version, message);
        }
        let Some((taken, _)) = taken else { return };
        if taken.why == "redact" {
            if changed.rows != taken.events {
                let message = format!(
                    "commit {version} says that it changes {} events, and its files have {}",
                    taken.events, changed.rows
                );
                self.problem(ProblemKind::EventsChanged, table, version, message);
            }
        } else {
            self.removed = self.removed.saturating_add(taken.events);
        }
        self.taken.push(taken);
    }

    /// Compares with what readers see, by path and hash.
    fn compare(&mut self, seen: &BTreeMap<&str, &str>, table: &'static str) {
        let mut found = Vec::new();
        for (path, hash) in seen {
            let message = match self.live.get(&encoded_path(path)) {
                Some(recorded) if or_dash(hash) == recorded.file_hash => continue,
                Some(_) => "readers see another hash of it than its commit says",
                None => "readers see it, and no commit says that it is there",
            };
            found.push((path.to_string(), message));
        }
        let seen: HashSet<String> = seen.keys().map(|path| encoded_path(path)).collect();
        for path in self.live.keys().filter(|path| !seen.contains(*path)) {
            found.push((path.clone(), "readers do not see it, and the commits say that it is there"));
        }
        for (path, message) in found {
            let message = format!("`{path}`: {message}");
            self.problems.push(Problem::new(ProblemKind::TableAltered, table, message).of(path));
        }
    }
}

/// The files of a commit, by what is in them.
struct Moved<'a> {
    /// What a commit that takes events out says, and the sum of these.
    taken: Option<(TakenOut, Sum)>,
    fresh: HashSet<&'a str>,
    altered: HashSet<&'a str>,
    /// Came, with events that were there before.
    stays: Sum,
    /// Came, with events that were changed.
    changed: Sum,
    went: Sum,
}

impl<'a> Moved<'a> {
    fn of(record: &'a ChainRecord, table: &'static str) -> Moved<'a> {
        let (mut fresh, mut altered, mut taken) = (HashSet::new(), HashSet::new(), None);
        for line in record.text.lines().skip(4) {
            let words: Vec<&str> = line.splitn(5, ' ').collect();
            match words.as_slice() {
                ["taken", why, events, rows_hash, note] => {
                    let events = events.parse().unwrap_or_default();
                    let mut sum = Sum::default();
                    sum.add(events, rows_hash);
                    let out = TakenOut {
                        table,
                        version: record.version,
                        timestamp_ms: record.timestamp_ms,
                        why: (*why).to_string(),
                        events,
                        note: serde_json::from_str(note).unwrap_or_default(),
                    };
                    taken = Some((out, sum));
                }
                ["fresh", path] => drop(fresh.insert(*path)),
                ["changed", path] => drop(altered.insert(*path)),
                _ => {}
            }
        }
        let (stays, changed, went) = (Sum::default(), Sum::default(), Sum::default());
        Moved { taken, fresh, altered, stays, changed, went }
    }

    fn came(&mut self, path: &str, rows: u64, rows_hash: &str) {
        if self.altered.contains(path) {
            self.changed.add(rows, rows_hash);
        } else if !self.fresh.contains(path) {
            self.stays.add(rows, rows_hash);
        }
    }
}

/// Files together.
#[derive(Clone)]
struct Sum {
    files: u64,
    rows: u64,
    set: RowSet,
    /// Whether each of them has a hash.
    is_known: bool,
}

impl Default for Sum {
    fn default() -> Self {
        Sum { files: 0, rows: 0, set: RowSet::default(), is_known: true }
    }
}

impl Sum {
    fn add(&mut self, rows: u64, rows_hash: &str) {
        self.files = self.files.saturating_add(1);
        self.rows = self.rows.saturating_add(rows);
        match RowSet::from_hex(rows_hash) {
            Some(set) => self.set.add(&set),
            None => self.is_known = false,
        }
    }
}

fn or_dash(hash: &str) -> &str {
    if hash.is_empty() { "-" } else { hash }
}
