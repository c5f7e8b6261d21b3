//! Verification: what the hash chain says is read again, and compared with what is there.
//!
//! The records of the chain are replayed from version 0 on, and nothing else is believed: not the checkpoints, not
//! the statistics, not the sizes. What they say is live must be what readers of the table see, and its files must
//! have the bytes that they had.

mod beside;
mod files;
mod prove;
mod replay;
mod rows;

use crate::error::{Error, ErrorKind, Result};
use crate::ingest::progress::{Progress, Step, Unit};
use crate::log::{At, Log};
use crate::quarantine;
use crate::seal::Tables;
use replay::Replayed;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

pub use crate::proof::{EventProof, Head, Provenance, TableHead};
pub use prove::prove;

/// What to verify.
#[derive(Clone, Debug, Default)]
pub struct VerifyRequest {
    /// A head that was written down earlier, through which the chain must go.
    pub against: Option<Head>,
    /// Whether rows are read and hashed anew too, and not only the bytes of files.
    pub deep: bool,
}

/// What verification found.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// Whether everything is as the chain says.
    pub intact: bool,
    /// The head of the chain now; to be kept elsewhere.
    pub head: String,
    /// Commits of both tables.
    pub commits: u64,
    /// Data files of both tables that were read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Events in them.
    pub events: u64,
    /// Rows of both tables that were hashed anew; none unless that was asked for.
    pub rows_hashed: u64,
    /// Events that were taken out of the table: retention, erasure, archives.
    pub events_removed: u64,
    /// The commits that took events out or changed them, as they say themselves.
    pub taken: Vec<TakenOut>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What is strange, and no proof of a change: files that no commit names.
    pub warnings: Vec<Problem>,
    /// How long it took.
    pub seconds: f64,
}

/// A commit that took events out, or changed them, and says so: what stays was compared with what was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakenOut {
    /// The table: `events` or `quarantine`.
    pub table: &'static str,
    /// The commit.
    pub version: u64,
    /// When it was made, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Why: `expire`, `erase`, `redact`, `archive`.
    pub why: String,
    /// How many events.
    pub events: u64,
    /// What it says about it.
    pub note: String,
}

/// Something that is not as the chain says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of thing it is.
    pub kind: ProblemKind,
    /// The table: `events` or `quarantine`.
    pub table: &'static str,
    /// The commit that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The file that it is about, below the store's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A sentence about it.
    pub message: String,
}

/// Kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A commit is not what its writer hashed.
    CommitAltered,
    /// A commit, or the record that is kept of it, is not there or cannot be read.
    CommitMissing,
    /// A commit does not follow the one before it.
    ChainBroken,
    /// Another program made the commit.
    ForeignCommit,
    /// Commits say things of a file that do not fit together.
    Contradiction,
    /// Files were replaced by others that do not hold the same events.
    EventsChanged,
    /// What readers of the table see is not what the commits say.
    TableAltered,
    /// A data file is not there.
    FileMissing,
    /// A data file has other bytes.
    FileAltered,
    /// A data file has other rows than the commit says, though its bytes are those that were committed.
    RowsAltered,
    /// The catalogue of columns and shapes is not what it was.
    CatalogueAltered,
    /// The dictionary of templates is not what any writer wrote, or lacks some.
    TemplatesAltered,
    /// No commit names a file.
    UnknownFile,
    /// The chain does not go through the head that was written down.
    OtherHead,
}

impl Problem {
    fn new(kind: ProblemKind, table: &'static str, message: String) -> Problem {
        Problem { kind, table, version: None, file: None, message }
    }

    fn at(self, version: u64) -> Problem {
        Problem { version: Some(version), ..self }
    }

    fn of(self, file: impl Into<String>) -> Problem {
        Problem { file: Some(file.into()), ..self }
    }
}

/// The head of the chain as it is now.
pub fn head(tables: &Tables) -> Result<Head> {
    let of = |log: &Log| {
        let snapshot = log.snapshot(At::Latest)?;
        Ok::<_, Error>(TableHead { version: snapshot.version, hash: snapshot.chain_head().to_string() })
    };
    // Rejects are committed before events: a later head of the quarantine is no contradiction.
    Ok(Head { events: of(&tables.events)?, quarantine: of(&tables.quarantine)? })
}

/// Verifies both tables.
pub fn verify(
    tables: &Tables,
    request: &VerifyRequest,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<VerifyReport> {
    let started = Instant::now();
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    let mut report = VerifyReport {
        intact: false,
        head: String::new(),
        commits: 0,
        files: 0,
        bytes: 0,
        events: 0,
        rows_hashed: 0,
        events_removed: 0,
        taken: Vec::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
        seconds: 0.0,
    };
    tables.storage.read_anew();
    // Listed before the commits are read: what is committed meanwhile is named by one of them.
    let listed = [tables.files_of_days("")?, tables.files_of_days(quarantine::PREFIX)?];
    let names = [("events", &tables.events, ""), ("quarantine", &tables.quarantine, quarantine::PREFIX)];
    let (mut heads, mut templates) = (Vec::new(), BTreeSet::new());
    for ((table, log, prefix), listed) in names.into_iter().zip(listed) {
        let replayed = replay::replay(log, table)?;
        let known = request.against.as_ref().map(|head| match table {
            "events" => &head.events,
            _ => &head.quarantine,
        });
        problems.extend(known.and_then(|known| replayed.without(known, table)));
        problems.extend(beside::shapes(log, &replayed.shapes, table)?);
        let place = files::Place { table, prefix, listed, deep: request.deep };
        let checked = files::check(tables, &replayed, &place, progress, stop)?;
        let Replayed { commits, removed, taken, last, problems: of_commits, .. } = replayed;
        report.taken.extend(taken);
        report.commits = report.commits.saturating_add(commits);
        report.files = report.files.saturating_add(checked.files);
        report.bytes = report.bytes.saturating_add(checked.bytes);
        templates.extend(checked.templates);
        report.rows_hashed = report.rows_hashed.saturating_add(checked.rows_hashed);
        if table == "events" {
            report.events = checked.rows;
            report.events_removed = removed;
        }
        problems.extend(of_commits);
        problems.extend(checked.problems);
        warnings.extend(checked.warnings);
        heads.push(last);
    }
    problems.extend(beside::templates(tables, &templates)?);
    let mut heads = heads.into_iter();
    let mut next = || heads.next().unwrap_or_default();
    report.head = Head { events: next(), quarantine: next() }.to_string();
    report.intact = problems.is_empty();
    (report.problems, report.warnings) = (problems, warnings);
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// The error of a verification that was stopped.
fn stopped() -> Error {
    Error::new(ErrorKind::Interrupted, "interrupted")
}

fn step(progress: &dyn Progress, done: u64, total: u64) {
    progress.update(&Step { done, total: Some(total), unit: Unit::Bytes, events: 0, note: "" });
}
