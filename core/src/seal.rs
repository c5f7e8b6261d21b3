//! Sealing: segments of the write-ahead log become data files and one commit.

use crate::error::{Error, ErrorKind, Result};
use crate::event::chunk::Chunk;
use crate::event::shred::Shredder;
use crate::ingest::parquet::Encoded;
use crate::ingest::register::Register;
use crate::ingest::table::{TableWriter, settle};
use crate::layout;
use crate::log::{At, Change, DataFile, Log, LogMaintenance, Outcome, Snapshot};
use crate::quarantine::{self, Reject};
use crate::storage::{LocalStorage, Storage};
use crate::wal::{Clock, Frame, SeqAllocator, read_segment};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The first byte of a payload that is a record.
pub const RECORD: u8 = 1;
/// The first byte of a payload that is something rejected.
pub const REJECT: u8 = 2;

/// Records are taken apart in chunks of about this many bytes.
const CHUNK_BYTES: usize = 16 << 20;
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
    warnings: Mutex<Vec<String>>,
}

/// A segment of a writer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentId {
    /// The writer.
    pub writer: String,
    /// The number of the segment.
    pub number: u64,
}

/// Frames of the log, taken apart.
#[derive(Debug, Default)]
pub struct Opened {
    /// Records with their `seq`.
    pub chunks: Vec<(Chunk, Vec<i64>)>,
    /// What was rejected.
    pub rejects: Vec<Reject>,
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
    /// Whether an earlier try committed the rejects of some of the transactions.
    pub partly_quarantined: bool,
    /// What people may want to know.
    pub info: serde_json::Map<String, serde_json::Value>,
}

/// Takes frames apart. Payloads were checked when they were appended; one that is no record any more is
/// kept as a reject.
pub fn open_frames(frames: &[Frame]) -> Opened {
    let mut opened = Opened::default();
    let mut shredder = Shredder::default();
    let mut seqs = Vec::new();
    let mut bytes = 0;
    for frame in frames {
        let (kind, payload) = frame.payload.split_first().map_or((0, &[][..]), |(kind, rest)| (*kind, rest));
        let rejected = match kind {
            RECORD => shredder.push(payload, frame.seq).err().map(|reject| reject.to_string()),
            REJECT => {
                opened.rejects.push(Reject::from_payload(payload, frame.seq));
                continue;
            }
            other => Some(format!("the log holds a frame of the unknown kind {other}")),
        };
        match rejected {
            None => seqs.push(frame.seq),
            Some(reason) => opened.rejects.push(Reject {
                seq: frame.seq,
                raw: payload.to_vec(),
                reason,
                input: "log".to_string(),
                byte_offset: 0,
                format: "json".to_string(),
                header: None,
            }),
        }
        bytes += payload.len();
        if bytes >= CHUNK_BYTES {
            opened.chunks.push((shredder.take(), std::mem::take(&mut seqs)));
            bytes = 0;
        }
    }
    if !shredder.is_empty() {
        opened.chunks.push((shredder.take(), seqs));
    }
    opened
}

impl Tables {
    /// The parts of a store.
    pub fn new(storage: Arc<LocalStorage>, events: Log, quarantine: Log, register: Register) -> Tables {
        Tables { storage, events, quarantine, register, warnings: Mutex::default() }
    }

    /// What is wrong with the store, as far as this handle has seen, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let sealed = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let logs = [&self.events, &self.quarantine].into_iter().flat_map(|log| log.warnings());
        logs.chain(&*sealed).cloned().collect()
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
        let mut writer = self.table_writer(1)?;
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
            sealed.events += opened.chunks.iter().map(|(chunk, _)| chunk.len() as u64).sum::<u64>();
            if done_in(&quarantined)? {
                both.partly_quarantined = true;
            } else {
                rejects.extend(opened.rejects);
            }
            for (chunk, seqs) in opened.chunks {
                let catalogue = self.register.cover(std::slice::from_ref(&chunk))?;
                writer.push(&settle(vec![(chunk, seqs)], &catalogue)?, &catalogue, now_ms)?;
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

    /// Where a data file of a table is, for a program that opens it.
    pub fn place(&self, prefix: &str, path: &str) -> Result<PathBuf> {
        let root = self.storage.local_root();
        let root =
            root.ok_or_else(|| Error::new(ErrorKind::Unsupported, "the store is not on a local disk"))?;
        Ok(root.join(format!("{prefix}{path}")))
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
    pub fn maintain_log(&self, now_ms: i64, keep_commits_ms: i64) -> Result<()> {
        let options = LogMaintenance { keep_commits_ms, ..LogMaintenance::default() };
        self.events.maintain(&options, now_ms)?;
        self.quarantine.maintain(&options, now_ms)?;
        Ok(())
    }

    /// A writer of events' data files.
    pub fn table_writer(&self, threads: usize) -> Result<TableWriter> {
        let storage: Arc<dyn Storage> = self.storage.clone();
        Ok(TableWriter::new(storage, "", Encoded::zstd(6), threads))
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
            schema: self.new_schema(snapshot)?,
            data_change: true,
            info: both.info.clone(),
        })
    }

    /// The catalogue's columns, if the table lacks some of them.
    fn new_schema(&self, snapshot: &Snapshot) -> Result<Option<crate::event::TableSchema>> {
        let catalogue = self.register.latest()?;
        let grown = catalogue.schema().columns().len() > snapshot.schema.columns().len();
        Ok(grown.then(|| catalogue.schema().clone()))
    }
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
