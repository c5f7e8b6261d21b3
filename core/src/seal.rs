//! Sealing: segments of the write-ahead log become data files and one commit.

pub mod followed;
mod frames;
mod places;

use crate::error::{Error, ErrorKind, Result};
use crate::index::Index;
use crate::ingest::known::{Known, Mark};
use crate::ingest::parquet::Encoded;
use crate::ingest::register::Register;
use crate::ingest::table::{TableWriter, settle};
use crate::ingest::templates::Templates;
use crate::layout;
use crate::log::{At, Change, DataFile, Log, LogMaintenance, Maintained, Outcome, Snapshot};
use crate::quarantine::{self, Reject};
use crate::rows::Footers;
use crate::storage::{Entry, LocalStorage, Storage};
use crate::wal::{Clock, Frame, SegmentContent, SeqAllocator, list_writers, read_segment};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use frames::{Opened, open_frames};

/// The first byte of a payload that is a record.
pub const RECORD: u8 = 1;
/// The first byte of a payload that is something rejected.
pub const REJECT: u8 = 2;
/// The first byte of a payload that is records of a followed file.
pub const FOLLOWED: u8 = 3;

/// How often others may commit first before that is strange.
const TRIES: u32 = 1_000;

/// The parts of a store that writing needs.
#[derive(Debug)]
pub struct Tables {
    /// The files of the store.
    pub storage: Arc<LocalStorage>,
    /// The events.
    pub events: Log,
    /// What could not be read.
    pub quarantine: Log,
    /// The catalogue.
    pub register: Register,
    /// The index of the events' data files.
    pub index: Index,
    /// The templates of messages.
    pub templates: Templates,
    /// The footers of data files that were read without DuckDB.
    pub footers: Footers,
    warnings: Mutex<Vec<String>>,
    /// The files of archives that questions are about, too.
    archives: Mutex<Vec<Arc<LocalStorage>>>,
    /// Whether it is an archive, once that is known: it never changes.
    is_archive: OnceLock<bool>,
}

/// A segment of a writer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentId {
    /// The writer.
    pub writer: String,
    /// The number of the segment.
    pub number: u64,
}

/// What is in a segment.
#[derive(Debug)]
pub struct Segment {
    /// Which it is.
    pub id: SegmentId,
    /// What it holds.
    pub content: SegmentContent,
}

/// What sealing did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Events that were committed.
    pub events: u64,
    /// What is wrong with the segments, for people.
    pub warnings: Vec<String>,
}

/// A commit of both tables under one set of transactions.
#[derive(Debug, Default)]
pub struct Both {
    /// What Delta calls it.
    pub operation: &'static str,
    /// New files of events.
    pub events: Vec<DataFile>,
    /// New files of the quarantine.
    pub quarantine: Vec<DataFile>,
    /// Exactly-once markers.
    pub transactions: Vec<(String, i64)>,
    /// How far followed files are stored with these events.
    pub marks: Vec<Mark>,
    /// Whether an earlier try committed the rejects of some of the transactions.
    pub partly_quarantined: bool,
    /// What people may want to know.
    pub info: serde_json::Map<String, serde_json::Value>,
}

impl Tables {
    /// The parts of a store.
    pub fn new(storage: Arc<LocalStorage>, events: Log, quarantine: Log, register: Register) -> Tables {
        let (index, templates) = (Index::new(storage.clone()), Templates::new(storage.clone()));
        let (footers, warnings, archives) = (Footers::default(), Mutex::default(), Mutex::default());
        Tables {
            storage,
            events,
            quarantine,
            register,
            index,
            templates,
            footers,
            warnings,
            archives,
            is_archive: OnceLock::new(),
        }
    }

    /// What is wrong with the store, as far as this handle has seen, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let sealed = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let logs = [&self.events, &self.quarantine].into_iter().flat_map(|log| log.warnings());
        let keys = self.storage.keys().into_iter().flat_map(|keys| keys.warnings());
        logs.chain(&*sealed).chain(keys).cloned().collect()
    }

    fn warn(&self, warnings: &[String]) {
        let mut known = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in warnings {
            if !known.contains(warning) {
                known.push(warning.clone());
            }
        }
    }

    /// Seals segments, which nobody writes to any more, in one commit. Segments that were committed before
    /// are left out, so that doing it again changes nothing.
    pub fn seal(&self, segments: &[SegmentId], now_ms: i64) -> Result<Sealed> {
        let mut sealed = Sealed::default();
        let snapshot = self.events.snapshot(At::Latest)?;
        let quarantined = self.quarantine.snapshot(At::Latest)?;
        let storage: Arc<dyn Storage> = self.storage.clone();
        let mut writer = TableWriter::new(storage, "", Encoded::zstd(6), 1);
        let mut both = Both { operation: "WRITE", ..Both::default() };
        let mut rejects = Vec::new();
        for segment in segments {
            let marker = layout::wal_app_id(&segment.writer);
            let number = i64::try_from(segment.number).unwrap_or(i64::MAX);
            let done_in =
                |snapshot: &Snapshot| Ok::<_, Error>(snapshot.transaction(&marker)? >= Some(number));
            if done_in(&snapshot)? {
                continue;
            }
            let content = read_segment(&self.storage, &segment.writer, segment.number)?;
            for damage in &content.damage {
                sealed.warnings.push(damage.to_string());
            }
            let opened = open_frames(&content.frames);
            both.marks.extend(opened.marks);
            sealed.events += opened.chunks.iter().map(|(chunk, _)| chunk.len() as u64).sum::<u64>();
            if done_in(&quarantined)? {
                both.partly_quarantined = true;
            } else {
                rejects.extend(opened.rejects);
            }
            for (chunk, seqs) in opened.chunks {
                let catalogue = self.register.cover(std::slice::from_ref(&chunk))?;
                let mut settled = settle(vec![(chunk, seqs)], &catalogue)?;
                self.templates.fill(&mut settled)?;
                writer.push(&settled, &catalogue, now_ms)?;
            }
            both.transactions.retain(|(known, _)| *known != marker);
            both.transactions.push((marker, number));
        }
        if both.transactions.is_empty() {
            return Ok(sealed);
        }
        both.events = writer.finish(now_ms)?;
        both.quarantine = self.write_rejects(rejects, now_ms)?;
        self.warn(&sealed.warnings);
        if !sealed.warnings.is_empty() {
            both.info.insert("damage".to_string(), sealed.warnings.clone().into());
        }
        match self.commit(&both, now_ms)? {
            // Whoever was first has committed the same events.
            None => Ok(Sealed { events: 0, warnings: Vec::new() }),
            Some(_) => Ok(sealed),
        }
    }

    /// What is stored of inputs: whole ones, and followed files also as far as they are in the log alone.
    pub fn known(&self) -> Result<Known> {
        // The log first: what is sealed meanwhile is in the snapshot then.
        let mut marks = Vec::new();
        for segment in self.unsealed()? {
            marks.extend(frames::marks_of(&segment.content.frames));
        }
        let snapshot = self.events.snapshot(At::Latest)?;
        let mut known = Known::of_states(&snapshot.transactions_of(Known::prefix())?);
        marks.extend(Mark::of_states(&snapshot.transactions_of(layout::FOLLOW)?));
        marks.into_iter().for_each(|mark| known.mark(mark));
        Ok(known)
    }

    /// The frames of all segments of all writers.
    pub fn unsealed(&self) -> Result<Vec<Segment>> {
        for _ in 0..TRIES {
            match self.try_unsealed() {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                other => return other,
            }
        }
        Err(Error::new(ErrorKind::Busy, "the logs were sealed again and again while they were read"))
    }

    fn try_unsealed(&self) -> Result<Vec<Segment>> {
        let mut segments = Vec::new();
        for log in list_writers(&self.storage)? {
            for (number, _) in log.segments {
                let content = read_segment(&self.storage, &log.writer, number)?;
                segments.push(Segment { id: SegmentId { writer: log.writer.clone(), number }, content });
            }
        }
        Ok(segments)
    }

    /// The files in a table's folders of days, named by a commit or not, by their paths below the store's folder.
    pub fn files_of_days(&self, prefix: &str) -> Result<Vec<Entry>> {
        let mut listed = Vec::new();
        for folder in self.storage.folders(prefix.trim_end_matches('/'))? {
            if folder.starts_with("day=") {
                listed.extend(self.storage.list(&format!("{prefix}{folder}"))?);
            }
        }
        Ok(listed)
    }

    /// Whether the store is an archive of another one.
    pub fn is_archive(&self) -> Result<bool> {
        if let Some(known) = self.is_archive.get() {
            return Ok(*known);
        }
        let found = match self.storage.read(layout::MANIFEST) {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        Ok(*self.is_archive.get_or_init(|| found))
    }

    /// The source of `seq`, past every number that an event has.
    pub fn seqs(&self, clock: &Clock) -> Result<SeqAllocator> {
        let seqs = SeqAllocator::new(self.storage.clone(), clock.clone());
        for log in [&self.events, &self.quarantine] {
            let snapshot = log.snapshot(At::Latest)?;
            if let Some(last) = snapshot.files.iter().filter_map(|file| Some(file.seq_range()?.1)).max() {
                seqs.raise(last)?;
            }
        }
        Ok(seqs)
    }

    /// Checkpoints, and removal of commits that no version in use needs.
    pub fn maintain(&self, now_ms: i64, keep_commits_ms: i64) -> Result<Maintained> {
        let options = LogMaintenance { keep_commits_ms, ..LogMaintenance::default() };
        let events = self.events.maintain(&options, now_ms)?;
        let rejects = self.quarantine.maintain(&options, now_ms)?;
        if let Err(error) = self.maintain_index(now_ms) {
            // Without it, questions open more files.
            self.warn(&[format!("the index could not be brought up to date: {error}")]);
        }
        Ok(Maintained {
            checkpoint: events.checkpoint,
            commits_removed: events.commits_removed.saturating_add(rejects.commits_removed),
            checkpoints_removed: events.checkpoints_removed.saturating_add(rejects.checkpoints_removed),
        })
    }

    fn maintain_index(&self, now_ms: i64) -> Result<()> {
        if self.storage.is_in_bucket() {
            return Ok(());
        }
        let snapshot = self.events.snapshot(At::Latest)?;
        self.index.keep(&snapshot.files)?;
        self.index.clean(&snapshot.files, now_ms.saturating_mul(1000)).map(|_| ())
    }

    /// A writer of data files for events of inputs.
    pub fn table_writer(&self, threads: usize) -> Result<TableWriter> {
        let storage: Arc<dyn Storage> = self.storage.clone();
        Ok(TableWriter::new(storage, "", Encoded::zstd(6).taking_time(), threads))
    }

    /// Writes rejects into files of the quarantine.
    pub fn write_rejects(&self, rejects: Vec<Reject>, now_ms: i64) -> Result<Vec<DataFile>> {
        if rejects.is_empty() {
            return Ok(Vec::new());
        }
        let storage: Arc<dyn Storage> = self.storage.clone();
        quarantine::write(&storage, rejects, now_ms)
    }

    /// Commits the quarantine, then the events, under the same markers. None if they were committed before.
    ///
    /// Between the two, a crash leaves the quarantine committed and the events not: the next try finds the
    /// marker in the quarantine and goes on with the events.
    pub fn commit(&self, both: &Both, now_ms: i64) -> Result<Option<u64>> {
        if !both.events.is_empty() {
            self.templates.save()?;
        }
        if both.partly_quarantined {
            // Once the events are committed, nobody looks for the rejects in the log any more.
            self.quarantine.sync()?;
        }
        if !both.quarantine.is_empty() {
            commit_one(&self.quarantine, now_ms, |snapshot| {
                let mut transactions = both.transactions.clone();
                if both.partly_quarantined {
                    // Only what is new: the others' rejects are not among the files.
                    transactions = newer(snapshot, transactions)?;
                }
                Ok(Change {
                    operation: both.operation,
                    adds: both.quarantine.clone(),
                    transactions,
                    data_change: true,
                    ..Change::default()
                })
            })?;
        }
        let version = commit_one(&self.events, now_ms, |snapshot| self.change_of(both, snapshot))?;
        if version.is_none() {
            for file in &both.events {
                self.storage.delete(&file.path)?;
            }
        }
        Ok(version)
    }

    fn change_of(&self, both: &Both, snapshot: &Snapshot) -> Result<Change> {
        Ok(Change {
            operation: both.operation,
            adds: both.events.clone(),
            removes: Vec::new(),
            transactions: both.transactions.clone(),
            states: newer_marks(&both.marks, snapshot)?,
            schema: self.new_schema(snapshot)?,
            data_change: true,
            taken: None,
            info: both.info.clone(),
        })
    }

    /// Puts an event of Daybook's own into data files, which are to be committed with [`Tables::new_schema`].
    pub fn write_record(&self, record: &[u8], seq: i64, now_ms: i64) -> Result<Vec<DataFile>> {
        let mut payload = vec![RECORD];
        payload.extend_from_slice(record);
        let opened = open_frames(&[Frame { seq, payload }]);
        let mut writer = self.table_writer(1)?;
        for (chunk, seqs) in opened.chunks {
            let catalogue = self.register.cover(std::slice::from_ref(&chunk))?;
            let mut settled = settle(vec![(chunk, seqs)], &catalogue)?;
            self.templates.fill(&mut settled)?;
            writer.push(&settled, &catalogue, now_ms)?;
        }
        let files = writer.finish(now_ms)?;
        self.templates.save()?;
        Ok(files)
    }

    /// The catalogue's columns, if the table lacks some of them.
    pub fn new_schema(&self, snapshot: &Snapshot) -> Result<Option<crate::event::TableSchema>> {
        let catalogue = self.register.latest()?;
        let grown = catalogue.schema().columns().len() > snapshot.schema.columns().len();
        Ok(grown.then(|| catalogue.schema().clone()))
    }
}

/// The furthest mark of each followed file, as far as the table has none that is further.
fn newer_marks(marks: &[Mark], snapshot: &Snapshot) -> Result<Vec<(String, i64)>> {
    let mut furthest: BTreeMap<&str, &Mark> = BTreeMap::new();
    for mark in marks {
        let known = furthest.entry(&mark.id).or_insert(mark);
        if known.length < mark.length {
            *known = mark;
        }
    }
    let mut states = Vec::new();
    for mark in furthest.into_values() {
        if snapshot.transaction(&mark.app_id())? < i64::try_from(mark.length).ok() {
            states.extend(mark.states());
        }
    }
    Ok(states)
}

/// The transactions that a table does not have yet.
fn newer(snapshot: &Snapshot, transactions: Vec<(String, i64)>) -> Result<Vec<(String, i64)>> {
    let mut newer = Vec::new();
    for (marker, number) in transactions {
        if snapshot.transaction(&marker)? < Some(number) {
            newer.push((marker, number));
        }
    }
    Ok(newer)
}

/// Commits a change, built again on the latest snapshot whenever others came first. None if it was done;
/// then that commit is durable now.
pub fn commit_one(
    log: &Log,
    now_ms: i64,
    build: impl Fn(&Snapshot) -> Result<Change>,
) -> Result<Option<u64>> {
    for _ in 0..TRIES {
        let snapshot = log.snapshot(At::Latest)?;
        match log.commit(&snapshot, &build(&snapshot)?, now_ms)? {
            Outcome::Committed(version) => return Ok(Some(version)),
            Outcome::AlreadyDone => return log.sync().map(|()| None),
            Outcome::Conflict => {}
        }
    }
    Err(Error::new(ErrorKind::Busy, "others kept committing first")
        .with_hint("try again when less is going on"))
}
