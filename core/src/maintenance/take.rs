//! Events taken out of the table in one commit, which says so in the hash chain, with an event about it.

use super::compact::set_of;
use super::rewrite::Rewritten;
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::RowSet;
use crate::event::catalogue::Catalogue;
use crate::event::content::Contents;
use crate::event::fixed::Fixed;
use crate::ingest::batch::read_file;
use crate::ingest::progress::{Progress, Step, Unit};
use crate::log::{At, Change, DataFile, Snapshot, Taken};
use crate::seal::{Tables, commit_one};
use crate::storage::Storage;
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// The level of zstd of files that are written without some of their events.
const LEVEL: i32 = 9;

/// Which events of a file are meant.
#[derive(Clone, Debug)]
pub enum Rows {
    /// All.
    All,
    /// Those of these numbers; not all of the file's.
    Some(HashSet<i64>),
}

impl Rows {
    /// How many of a file's events.
    pub fn count(&self, file: &DataFile) -> u64 {
        match self {
            Rows::All => file.rows,
            Rows::Some(seqs) => seqs.len() as u64,
        }
    }
}

/// Files and which of their events are meant.
pub type Chosen = Vec<(DataFile, Rows)>;

/// What the upkeep works with.
pub struct Work<'a> {
    /// The store.
    pub tables: &'a Tables,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
    /// Told how far it is.
    pub progress: &'a dyn Progress,
    /// Whether to stop.
    pub stop: &'a AtomicBool,
}

/// The event that upkeep records about itself: what it did, in a sentence, and its details.
pub fn event_about(done: &str, message: String, details: serde_json::Value) -> String {
    let mut event = serde_json::json!({
        "kind": format!("store_{done}"),
        "source": "daybook",
        "status": "success",
        "message": message,
    });
    if let (Some(event), serde_json::Value::Object(details)) = (event.as_object_mut(), details) {
        event.extend(details);
    }
    event.to_string()
}

/// What is said about the taking: why, a note for the chain, and the event about it with its number.
pub struct Account {
    /// In a word.
    pub why: &'static str,
    /// What the chain is to say, without what is in the events.
    pub note: String,
    /// The event about it, a JSON object.
    pub event: String,
    /// The number of that event.
    pub seq: i64,
    /// A marker that gets the version of the commit.
    pub marker: Option<&'static str>,
}

/// New files, and what they leave out of the old ones.
#[derive(Debug, Default)]
pub struct Without {
    pub(super) adds: Vec<DataFile>,
    pub(super) changed: Vec<DataFile>,
    pub(super) removes: Vec<String>,
    pub(super) events: u64,
    /// None once a file's hash is not known.
    gone: Option<RowSet>,
}

/// How the chosen events of a file are changed, where they are not to go.
pub type Alter<'a> = &'a dyn Fn(&RecordBatch) -> Result<RecordBatch>;

impl Without {
    /// Nothing yet.
    pub(super) fn new() -> Without {
        Without { gone: Some(RowSet::default()), ..Without::default() }
    }

    /// Writes files without the chosen events; with `alter`, these are in further files, changed.
    pub(super) fn write(&mut self, work: &Work<'_>, chosen: &Chosen, alter: Option<Alter<'_>>) -> Result<()> {
        let catalogue = work.tables.register.latest()?;
        let total = Some(chosen.len() as u64);
        for (number, (file, rows)) in chosen.iter().enumerate() {
            let done = number as u64;
            work.progress.update(&Step { done, total, unit: Unit::Files, events: self.events, note: "" });
            if work.stop.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Interrupted, "interrupted; nothing was changed"));
            }
            self.events = self.events.saturating_add(rows.count(file));
            self.removes.push(file.path.clone());
            match (rows, alter) {
                (Rows::All, None) => self.went(set_of(file)?),
                _ => self.pass(work, file, rows, &catalogue, alter)?,
            }
        }
        Ok(())
    }

    fn went(&mut self, rows: Option<RowSet>) {
        match (&mut self.gone, rows) {
            (Some(gone), Some(rows)) => gone.add(&rows),
            _ => self.gone = None,
        }
    }

    /// Writes the events of a file that stay, after a check that they are those that were committed.
    fn pass(
        &mut self,
        work: &Work<'_>,
        file: &DataFile,
        rows: &Rows,
        catalogue: &Catalogue,
        alter: Option<Alter<'_>>,
    ) -> Result<()> {
        let level = if file.level > 0 { file.level } else { LEVEL };
        let storage: &dyn Storage = &*work.tables.storage;
        let mut kept = Rewritten::new(catalogue.schema(), file.day, level, storage);
        let mut changed = Rewritten::new(catalogue.schema(), file.day, level, storage);
        let mut go = RowSet::default();
        for batch in read_file(&work.tables.place_of("", file)?, 0)? {
            let batch = batch?;
            let (kept_rows, gone_rows) = split(&batch, rows)?;
            let mut contents = Contents::new(&batch.schema(), catalogue);
            kept.push(&kept_rows, &contents.rows(&kept_rows)?)?;
            go.add_rows(&contents.rows(&gone_rows)?);
            if let Some(alter) = alter.filter(|_| gone_rows.num_rows() > 0) {
                let after = alter(&gone_rows)?;
                changed.push(&after, &Contents::new(&after.schema(), catalogue).rows(&after)?)?;
            }
        }
        let known = set_of(file)?;
        let mut all = kept.rows_hash().clone();
        all.add(&go);
        if known.as_ref().is_some_and(|known| *known != all) {
            let message = format!("`{}` does not hold the events that were written to it", file.path);
            return Err(Error::new(ErrorKind::Corrupt, message)
                .with_hint("restore the file, and the folder `_shapes`, from a copy"));
        }
        self.went(known.map(|_| go));
        self.adds.extend(kept.finish(work.now_ms)?);
        let changed = changed.finish(work.now_ms)?;
        self.changed.extend(changed);
        Ok(())
    }

    /// Commits it, with the event about it; in an archive without.
    pub(super) fn commit(&self, work: &Work<'_>, account: &Account) -> Result<u64> {
        let tables = work.tables;
        // An archive has no events of its own, nor a catalogue: the chain says what was done.
        let fresh = match tables.is_archive()? {
            true => Vec::new(),
            false => tables.write_record(account.event.as_bytes(), account.seq, work.now_ms)?,
        };
        let paths = |files: &[DataFile]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        let taken = Taken {
            why: account.why.to_string(),
            events: self.events,
            rows_hash: self.gone.as_ref().map(RowSet::to_hex).unwrap_or_default(),
            note: account.note.clone(),
            fresh: paths(&fresh),
            changed: paths(&self.changed),
        };
        let adds: Vec<DataFile> = self.adds.iter().chain(&self.changed).chain(&fresh).cloned().collect();
        let committed = commit_one(&tables.events, work.now_ms, |snapshot| {
            let live: HashSet<&str> = snapshot.files.iter().map(|file| file.path.as_str()).collect();
            if let Some(path) = self.removes.iter().find(|path| !live.contains(path.as_str())) {
                // The lock of the upkeep is a lock of this machine; another one may share the disk.
                let message = format!("somebody else took `{path}` out of the table meanwhile");
                return Err(Error::new(ErrorKind::Busy, message).with_hint("try again"));
            }
            Ok(Change {
                operation: "DELETE",
                adds: adds.clone(),
                removes: self.removes.clone(),
                states: marker_of(account, snapshot),
                schema: tables.new_schema(snapshot)?,
                data_change: true,
                taken: Some(taken.clone()),
                ..Change::default()
            })
        });
        let version = committed.inspect_err(|_| abandon(tables, &fresh))?;
        version.ok_or_else(|| Error::new(ErrorKind::Internal, "a commit without markers was there already"))
    }

    /// Removes what was written: nothing will refer to it.
    pub(super) fn abandon(&self, tables: &Tables) {
        abandon(tables, &self.adds);
        abandon(tables, &self.changed);
    }
}

fn marker_of(account: &Account, base: &Snapshot) -> Vec<(String, i64)> {
    let version = i64::try_from(base.version.saturating_add(1)).unwrap_or(i64::MAX);
    account.marker.iter().map(|marker| ((*marker).to_string(), version)).collect()
}

/// Writes and commits, or leaves everything as it was.
pub fn take(
    work: &Work<'_>,
    chosen: &Chosen,
    account: &Account,
    alter: Option<Alter<'_>>,
) -> Result<(u64, Without)> {
    let mut without = Without::new();
    let version = without.write(work, chosen, alter).and_then(|()| without.commit(work, account));
    match version {
        Ok(version) => Ok((version, without)),
        Err(error) => {
            without.abandon(work.tables);
            Err(error)
        }
    }
}

/// Removes files that were written and are in no version.
pub fn abandon(tables: &Tables, files: &[DataFile]) {
    // After a failed commit nobody knows whether it is there: then the files must stay, too.
    let Ok(snapshot) = tables.events.snapshot(At::Latest) else { return };
    for file in files.iter().filter(|file| !snapshot.files.iter().any(|live| live.path == file.path)) {
        // A file that stays is removed later, as one that no commit names.
        let _ = tables.storage.delete(&file.path);
    }
}

/// The rows of a batch that stay, and those that are meant.
fn split(batch: &RecordBatch, rows: &Rows) -> Result<(RecordBatch, RecordBatch)> {
    let seqs = match rows {
        Rows::All => return Ok((batch.slice(0, 0), batch.clone())),
        Rows::Some(seqs) => seqs,
    };
    let numbers =
        batch.column_by_name(Fixed::Seq.name()).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let numbers = numbers.ok_or_else(|| Error::new(ErrorKind::Corrupt, "a data file has no `seq`"))?;
    let meant: BooleanArray = numbers.values().iter().map(|seq| Some(seqs.contains(seq))).collect();
    let stays: BooleanArray = meant.iter().map(|meant| meant.map(|meant| !meant)).collect();
    let filtered = |mask: &BooleanArray| {
        filter_record_batch(batch, mask).map_err(|error| {
            Error::new(ErrorKind::Internal, "events cannot be told apart").with_source(error)
        })
    };
    Ok((filtered(&stays)?, filtered(&meant)?))
}
