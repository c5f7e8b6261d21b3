//! The records of a table's chain, one after the other: which files they say are live.

use super::{Problem, ProblemKind, TableHead};
use crate::error::{ErrorKind, Result};
use crate::event::canonical::RowSet;
use crate::log::{At, CHAIN_START, ChainRecord, Log, encoded_path};
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
    /// Events that were taken out, and are in no other file.
    pub(super) removed: u64,
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
        let header = format!("daybook chain 1\nprevious {}\nversion {version}\n", record.previous);
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
        let (mut came, mut went) = (Sum::default(), Sum::default());
        for line in record.text.lines().skip(3) {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["add", path, file_hash, rows, rows_hash, _, _] => {
                    let rows = rows.parse().unwrap_or_default();
                    let (file_hash, rows_hash) = ((*file_hash).to_string(), (*rows_hash).to_string());
                    came.add(rows, &rows_hash);
                    let recorded = Recorded { file_hash, rows, rows_hash, version: record.version };
                    self.named.insert((*path).to_string());
                    if self.live.insert((*path).to_string(), recorded).is_some() {
                        let message =
                            format!("commit {} adds `{path}`, which is there already", record.version);
                        self.problem(ProblemKind::Contradiction, table, record.version, message);
                    }
                }
                ["remove", path, file_hash, rows, rows_hash] => {
                    let rows = rows.parse().unwrap_or_default();
                    went.add(rows, rows_hash);
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
                _ => {}
            }
        }
        self.balance(&came, &went, record.version, table);
    }

    /// Files that come for others hold the same rows; files that only go are retention.
    fn balance(&mut self, came: &Sum, went: &Sum, version: u64, table: &'static str) {
        if came.files == 0 {
            self.removed = self.removed.saturating_add(went.rows);
            return;
        }
        // Rejects leave the quarantine when they could be read after all.
        if went.files > 0 && table == "events" && (came.rows != went.rows || came.set != went.set) {
            let message = format!(
                "commit {version} puts files with {} events in the place of files with {}, and they are not the same",
                came.rows, went.rows
            );
            self.problem(ProblemKind::EventsChanged, table, version, message);
        }
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

/// Files that came or went in a commit, together.
#[derive(Default)]
struct Sum {
    files: u64,
    rows: u64,
    set: RowSet,
}

impl Sum {
    fn add(&mut self, rows: u64, rows_hash: &str) {
        self.files = self.files.saturating_add(1);
        self.rows = self.rows.saturating_add(rows);
        if let Some(set) = RowSet::from_hex(rows_hash) {
            self.set.add(&set);
        }
    }
}

fn or_dash(hash: &str) -> &str {
    if hash.is_empty() { "-" } else { hash }
}
