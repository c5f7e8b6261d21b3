//! Compaction: many small files of a day become few, with the same events; those of old days are compressed harder.

use super::rewrite::Rewritten;
use super::take::Work;
use super::vacuum::vacuum;
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::RowSet;
use crate::event::catalogue::Catalogue;
use crate::event::column::TableSchema;
use crate::event::content::Contents;
use crate::ingest::batch::read_file;
use crate::ingest::progress::{Step, Unit};
use crate::log::{At, Change, DataFile, Outcome, Snapshot};
use crate::seal::Tables;
use crate::storage::Storage;
use chrono::{DateTime, NaiveDate};
use serde::Serialize;
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Files are put together until they have about so many bytes.
const TARGET_BYTES: u64 = 64 << 20;
/// What is compacted is kept for long.
const LEVEL: i32 = 9;
/// What is old is read seldom.
const OLD_LEVEL: i32 = 19;

/// What to compact.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompactRequest {
    /// This day only; every day without one.
    pub day: Option<NaiveDate>,
    /// Whether to say only what would be done.
    pub dry_run: bool,
}

/// When files go, and when days are old.
#[derive(Clone, Copy, Debug)]
pub struct CompactSettings {
    /// How long versions can be read, in milliseconds: the time of grace of files that were replaced.
    pub keep_versions_ms: i64,
    /// After how many days a day's files are compressed harder; never without a number.
    pub compress_after_days: Option<u32>,
}

/// What compaction did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CompactReceipt {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Days of which files were put together or compressed harder.
    pub days: u64,
    /// Files before, of these days.
    pub files_before: u64,
    /// Files after, of these days.
    pub files_after: u64,
    /// Bytes before.
    pub bytes_before: u64,
    /// Bytes after; nobody knows before it is done.
    pub bytes_after: Option<u64>,
    /// Events in these files.
    pub events: u64,
    /// Files removed because no version that can still be read needs them.
    pub files_removed: u64,
    /// Files that stay for readers of older versions.
    pub files_waiting: u64,
    /// The bytes of these.
    pub bytes_waiting: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Files of a day that are to be one, and how hard it is compressed.
struct Group {
    files: Vec<DataFile>,
    level: i32,
}

/// Compacts each day that has small files, a commit each, and removes what no reader needs. Whoever calls has the lock
/// of the upkeep.
pub fn compact(
    work: &Work<'_>,
    request: &CompactRequest,
    settings: &CompactSettings,
) -> Result<CompactReceipt> {
    let started = Instant::now();
    let (tables, now_ms) = (work.tables, work.now_ms);
    let snapshot = tables.events.snapshot(At::Latest)?;
    let catalogue = tables.register.latest()?;
    let groups = groups(&snapshot, request.day, settings, now_ms);
    let total: u64 = groups.iter().map(|group| group.files.len() as u64).sum();
    let mut receipt = CompactReceipt { bytes_after: Some(0), ..CompactReceipt::default() };
    let (mut days, mut done) = (HashSet::new(), 0);
    for group in groups {
        if let Some(file) = compact_group(work, &group, (&snapshot.schema, &catalogue))? {
            days.insert(file.day);
            receipt.add(&group);
            receipt.bytes_after = receipt.bytes_after.map(|bytes| bytes.saturating_add(file.size));
        }
        done += group.files.len() as u64;
        let (total, events) = (Some(total), receipt.events);
        work.progress.update(&Step { done, total, unit: Unit::Files, events, note: "" });
    }
    receipt.days = days.len() as u64;
    let vacuumed = vacuum(tables, now_ms, settings.keep_versions_ms)?;
    receipt.files_removed = vacuumed.removed;
    receipt.files_waiting = vacuumed.waiting;
    receipt.bytes_waiting = vacuumed.waiting_bytes;
    receipt.seconds = started.elapsed().as_secs_f64();
    Ok(receipt)
}

/// What compaction would do.
pub fn planned_of(
    tables: &Tables,
    request: &CompactRequest,
    settings: &CompactSettings,
    now_ms: i64,
) -> Result<CompactReceipt> {
    let snapshot = tables.events.snapshot(At::Latest)?;
    Ok(planned(&groups(&snapshot, request.day, settings, now_ms)))
}

impl CompactReceipt {
    fn add(&mut self, group: &Group) {
        self.files_before += group.files.len() as u64;
        self.files_after += 1;
        self.bytes_before += group.files.iter().map(|file| file.size).sum::<u64>();
        self.events += group.files.iter().map(|file| file.rows).sum::<u64>();
    }
}

fn planned(groups: &[Group]) -> CompactReceipt {
    let mut receipt = CompactReceipt { dry_run: true, ..CompactReceipt::default() };
    let mut days = HashSet::new();
    for group in groups {
        receipt.add(group);
        days.extend(group.files.first().map(|file| file.day));
    }
    receipt.days = days.len() as u64;
    receipt
}

/// Files of a day that become one: small ones, as many as make a good size; of an old day, all that are not yet
/// compressed harder.
fn groups(
    snapshot: &Snapshot,
    day: Option<NaiveDate>,
    settings: &CompactSettings,
    now_ms: i64,
) -> Vec<Group> {
    let today = DateTime::from_timestamp_millis(now_ms).map(|now| now.date_naive());
    let old_before = settings
        .compress_after_days
        .and_then(|days| today?.checked_sub_days(chrono::Days::new(u64::from(days))));
    let mut groups = Vec::new();
    for files in snapshot.files.chunk_by(|a, b| a.day == b.day) {
        let Some(first) = files.first() else { continue };
        if day.is_some_and(|day| day != first.day) {
            continue;
        }
        let is_old = old_before.is_some_and(|before| first.day < before);
        let level = if is_old { OLD_LEVEL } else { LEVEL };
        let is_due = |file: &&DataFile| file.size < TARGET_BYTES / 2 || (is_old && file.level < OLD_LEVEL);
        let mut due: Vec<&DataFile> = files.iter().filter(is_due).collect();
        due.sort_by_key(|file| file.ts_range());
        let mut group: Vec<DataFile> = Vec::new();
        let mut bytes = 0_u64;
        for file in due {
            if bytes > 0 && bytes.saturating_add(file.size) > TARGET_BYTES {
                groups.push(Group { files: std::mem::take(&mut group), level });
                bytes = 0;
            }
            bytes = bytes.saturating_add(file.size);
            group.push(file.clone());
        }
        groups.push(Group { files: group, level });
    }
    let is_worth = |group: &Group| {
        let is_harder = group.level == OLD_LEVEL && group.files.iter().any(|file| file.level < OLD_LEVEL);
        group.files.len() > 1 || is_harder
    };
    groups.retain(is_worth);
    groups
}

/// Writes one file of several and commits it in their place. None if somebody else changed them meanwhile.
fn compact_group(
    work: &Work<'_>,
    group: &Group,
    (schema, catalogue): (&TableSchema, &Catalogue),
) -> Result<Option<DataFile>> {
    let (tables, now_ms) = (work.tables, work.now_ms);
    let files = &group.files;
    let Some(first) = files.first() else { return Ok(None) };
    let mut file = Rewritten::new(schema, first.day, group.level, &*tables.storage);
    let known = sum_of(files)?;
    let mut rows = 0_u64;
    for source in files {
        for batch in read_file(&tables.place_of("", source)?, 0)? {
            if work.stop.load(Ordering::Relaxed) {
                return Err(interrupted());
            }
            let batch = batch?;
            rows = rows.saturating_add(batch.num_rows() as u64);
            let hashes = match &known {
                Some(_) => Contents::new(&batch.schema(), catalogue).rows(&batch)?,
                None => Vec::new(),
            };
            file.push(&batch, &hashes)?;
        }
    }
    let kept: u64 = files.iter().map(|file| file.rows).sum();
    if rows != kept {
        let message = format!("`{}` and the files after it hold {rows} events, and not {kept}", first.path);
        return Err(Error::new(ErrorKind::Corrupt, message).with_hint("restore the files from a copy"));
    }
    if known.is_some_and(|known| known != *file.rows_hash()) {
        let message =
            format!("`{}` or the files after it do not hold the events that were written", first.path);
        return Err(Error::new(ErrorKind::Corrupt, message).with_hint(
            "`daybook verify --deep` says which; restore it, and the folder `_shapes`, from a copy",
        ));
    }
    let Some(added) = file.finish(now_ms)? else { return Ok(None) };
    match commit(tables, files, &added, now_ms)? {
        true => Ok(Some(added)),
        false => {
            tables.storage.delete(&added.path)?;
            Ok(None)
        }
    }
}

fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "compaction was interrupted")
        .with_hint("what was done stays; run it again for the rest")
}

/// The row-set hash of several files together; none where one of them has none.
fn sum_of(files: &[DataFile]) -> Result<Option<RowSet>> {
    let mut sum = RowSet::default();
    for file in files {
        let Some(rows) = set_of(file)? else { return Ok(None) };
        sum.add(&rows);
    }
    Ok(Some(sum))
}

/// The row-set hash of a file; none where Daybook did not write it.
pub(super) fn set_of(file: &DataFile) -> Result<Option<RowSet>> {
    if file.rows_hash.is_empty() {
        return Ok(None);
    }
    RowSet::from_hex(&file.rows_hash).map(Some).ok_or_else(|| {
        Error::new(ErrorKind::Corrupt, format!("the row-set hash of `{}` cannot be read", file.path))
    })
}

/// Puts one file in the place of others. False if one of them is not there any more.
fn commit(tables: &Tables, group: &[DataFile], added: &DataFile, now_ms: i64) -> Result<bool> {
    loop {
        let snapshot = tables.events.snapshot(At::Latest)?;
        let live: HashSet<&str> = snapshot.files.iter().map(|file| file.path.as_str()).collect();
        if !group.iter().all(|file| live.contains(file.path.as_str())) {
            return Ok(false);
        }
        let change = Change {
            operation: "OPTIMIZE",
            adds: vec![added.clone()],
            removes: group.iter().map(|file| file.path.clone()).collect(),
            data_change: false,
            ..Change::default()
        };
        match tables.events.commit(&snapshot, &change, now_ms)? {
            Outcome::Committed(_) => return Ok(true),
            Outcome::AlreadyDone => return Ok(false),
            Outcome::Conflict => {}
        }
    }
}
