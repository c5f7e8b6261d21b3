//! Archives: whole days in a store of their own, compressed as hard as is sensible, and back.

use super::compact::set_of;
use super::rewrite::Rewritten;
use super::take::Work;
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::{RowSet, hex};
use crate::event::content::Contents;
use crate::event::fixed::Fixed;
use crate::ingest::batch::{read_columns, read_file, seqs_in};
use crate::ingest::progress::{Step, Unit};
use crate::layout;
use crate::log::{At, Change, DataFile, Snapshot, Taken};
use crate::seal::{Tables, commit_one};
use crate::storage::{LocalStorage, Put, Storage};
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// What is archived is read seldom, and kept for long.
const LEVEL: i32 = 19;
/// What comes back is a day as any other.
const RESTORED_LEVEL: i32 = 9;
/// A file of an archive is ended at about so many bytes.
const FILE_BYTES: usize = 128 << 20;
/// So much of a file is read at once.
const CHUNK_BYTES: u64 = 1 << 20;

/// Some days in a row, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day; all before, without one.
    pub from: Option<NaiveDate>,
    /// The day after the last one.
    pub until: NaiveDate,
}

impl Period {
    /// A quarter: `2026Q1`.
    pub fn quarter(text: &str) -> Option<Period> {
        let (year, quarter) = text.split_once(['Q', 'q'])?;
        let quarter = quarter.parse::<u32>().ok().filter(|quarter| (1..=4).contains(quarter))?;
        let month = quarter.checked_sub(1)?.checked_mul(3)?.checked_add(1)?;
        Period::months(year, month, 3)
    }

    /// A month: `2026-02`.
    pub fn month(text: &str) -> Option<Period> {
        let (year, month) = text.split_once('-')?;
        Period::months(year, month.parse().ok()?, 1)
    }

    /// All days before one.
    pub fn before(day: NaiveDate) -> Period {
        Period { from: None, until: day }
    }

    fn months(year: &str, month: u32, count: u32) -> Option<Period> {
        let year = Some(year).filter(|year| year.len() == 4)?.parse().ok()?;
        let from = NaiveDate::from_ymd_opt(year, month, 1)?;
        Some(Period { from: Some(from), until: from.checked_add_months(Months::new(count))? })
    }

    /// The quarter before the one that a day is in.
    pub fn quarter_before(day: NaiveDate) -> Option<String> {
        let before = day.checked_sub_months(Months::new(3))?;
        Some(format!("{}Q{}", before.year(), before.month0() / 3 + 1))
    }

    /// The first day of the quarter so many before the one that a day is in.
    pub fn quarters_ago(day: NaiveDate, quarters: u32) -> Option<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1)?;
        first.checked_sub_months(Months::new(quarters.checked_mul(3)?))
    }

    /// Whether a day is in it.
    pub fn has(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && day < self.until
    }

    /// The last day.
    pub fn last_day(&self) -> NaiveDate {
        self.until.checked_sub_days(Days::new(1)).unwrap_or(self.until)
    }
}

/// What was archived.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ArchiveReceipt {
    /// Days that have events.
    pub days: u64,
    /// Events of the period, all of which are in the archive now.
    pub events: u64,
    /// Those of them that were in the archive before.
    pub events_before: u64,
    /// The bytes that the period takes in this store.
    pub bytes: u64,
    /// The bytes that these days take in the archive.
    pub bytes_archived: u64,
    /// Events that were taken out here; none with `keep`.
    pub removed: u64,
    /// The head of the archive's hash chain.
    pub head: String,
}

/// What was brought back.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RestoreReceipt {
    /// Days that came back.
    pub days: u64,
    /// Events that came back.
    pub events: u64,
    /// Events that were here already.
    pub events_before: u64,
    /// Events that were erased here, and stay away.
    pub events_erased: u64,
}

/// What an archive says of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of its form.
    pub daybook_archive: u32,
    /// The id of the table whose events it has.
    pub source: String,
    /// When it was changed last, in milliseconds since 1970.
    pub updated: i64,
    /// Its events.
    pub events: u64,
    /// The head of its hash chain.
    pub head: String,
    /// The head of the source's hash chain when it was changed last.
    pub source_head: String,
    /// Its data files.
    pub files: Vec<ManifestFile>,
}

/// A data file of an archive.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Its path.
    pub path: String,
    /// Its day.
    pub day: String,
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: String,
    /// The smallest and largest `ts`, in microseconds since 1970.
    pub ts: Option<(i64, i64)>,
    /// The smallest and largest `seq`.
    pub seq: Option<(i64, i64)>,
}

/// The manifest of an archive; none where there is none.
pub fn manifest(storage: &dyn Storage) -> Result<Option<Manifest>> {
    let bytes = match storage.read(layout::MANIFEST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        Error::new(ErrorKind::Corrupt, format!("the manifest `{}` cannot be read", layout::MANIFEST))
            .with_source(error)
    })
}

/// Makes a folder an archive of a table, or sees that it is one.
pub fn claim(target: &LocalStorage, source: &str) -> Result<()> {
    let place = target.name();
    let invalid = |message: String, hint: &str| Err(Error::new(ErrorKind::Invalid, message).with_hint(hint));
    match manifest(target)? {
        Some(manifest) if manifest.source == source => return Ok(()),
        Some(_) => {
            return invalid(format!("`{place}` is an archive of another store"), "name another place");
        }
        None => {}
    }
    if let Some(first) = target.list("")?.first() {
        let message = format!("`{place}` holds something else: `{}`", first.path);
        return invalid(message, "name an empty place, or a new one, or an archive of this store");
    }
    let manifest = Manifest { daybook_archive: 1, source: source.to_string(), ..Manifest::default() };
    target.put_if_absent(layout::MANIFEST, &bytes_of(&manifest)?).map(drop)
}

/// Writes down what an archive has.
pub fn write_manifest(archive: &Tables, source: &str, heads: (String, String), now_ms: i64) -> Result<()> {
    let snapshot = archive.events.snapshot(At::Latest)?;
    let file = |file: &DataFile| ManifestFile {
        path: file.path.clone(),
        day: file.day.to_string(),
        rows: file.rows,
        bytes: file.size,
        sha256: file.file_hash.clone(),
        ts: file.ts_range(),
        seq: file.seq_range(),
    };
    let (head, source_head) = heads;
    let manifest = Manifest {
        daybook_archive: 1,
        source: source.to_string(),
        updated: now_ms,
        events: snapshot.files.iter().map(|file| file.rows).sum(),
        head,
        source_head,
        files: snapshot.files.iter().map(file).collect(),
    };
    archive.storage.replace(layout::MANIFEST, &bytes_of(&manifest)?)
}

fn bytes_of(manifest: &Manifest) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(manifest).map_err(|error| {
        Error::new(ErrorKind::Internal, "the manifest of an archive cannot be written").with_source(error)
    })
}

/// Gives an archive the catalogue and the templates of the store.
pub fn share_catalogue(source: &LocalStorage, target: &LocalStorage) -> Result<()> {
    for entry in source.list(layout::SHAPES)? {
        let bytes = source.read(&entry.path)?;
        if target.put_if_absent(&entry.path, &bytes)? == Put::Exists && target.read(&entry.path)? != bytes {
            let message = format!("the archive has another `{}` than the store", entry.path);
            return Err(Error::new(ErrorKind::Invalid, message)
                .with_hint("somebody wrote to the archive as to a store; name another folder"));
        }
    }
    for entry in source.list(layout::TEMPLATES)? {
        target.replace(&entry.path, &source.read(&entry.path)?)?;
    }
    Ok(())
}

/// The files of a period, by day.
pub fn days_of(files: &[DataFile], period: &Period) -> BTreeMap<NaiveDate, Vec<DataFile>> {
    let mut days: BTreeMap<NaiveDate, Vec<DataFile>> = BTreeMap::new();
    for file in files.iter().filter(|file| period.has(file.day)) {
        days.entry(file.day).or_default().push(file.clone());
    }
    days
}

/// Puts the events of a day that an archive lacks into it, reads the day back, and compares it with what is here.
/// Says how many it had before.
pub fn archive_day(work: &Work<'_>, archive: &Tables, files: &[DataFile]) -> Result<u64> {
    let Some(day) = files.first().map(|file| file.day) else { return Ok(0) };
    let of_day = || -> Result<Vec<DataFile>> {
        let snapshot = archive.events.snapshot(At::Latest)?;
        Ok(snapshot.files.iter().filter(|file| file.day == day).cloned().collect())
    };
    let known = seqs_of(archive, &of_day()?)?;
    let mut passed = Passed::new(known);
    let adds = passed.write(work, (work.tables, archive), files, LEVEL)?;
    if !adds.is_empty() {
        let change = |snapshot: &Snapshot| {
            Ok(Change {
                operation: "WRITE",
                adds: adds.clone(),
                schema: archive.new_schema(snapshot)?,
                data_change: true,
                ..Change::default()
            })
        };
        commit_one(&archive.events, work.now_ms, change)?;
    }
    // Whoever reads the archive must find it before it goes here.
    archive.events.sync()?;
    let here = seqs_of(work.tables, files)?;
    compare(work, archive, &of_day()?, &here, &passed.all)?;
    Ok(passed.skipped)
}

/// Puts the events of a day of an archive that are not here, and were not erased here, into new files.
pub fn restore_day(
    work: &Work<'_>,
    archive: &Tables,
    files: &[DataFile],
    erased: &[i64],
    receipt: &mut RestoreReceipt,
) -> Result<Vec<DataFile>> {
    let Some(day) = files.first().map(|file| file.day) else { return Ok(Vec::new()) };
    let snapshot = work.tables.events.snapshot(At::Latest)?;
    let here: Vec<DataFile> = snapshot.files.iter().filter(|file| file.day == day).cloned().collect();
    let here = seqs_of(work.tables, &here)?;
    let mut known: Vec<i64> = here.iter().chain(erased).copied().collect();
    known.sort_unstable();
    known.dedup();
    let mut passed = Passed::new(known);
    let adds = passed.write(work, (archive, work.tables), files, RESTORED_LEVEL)?;
    let of_files = seqs_of(archive, files)?;
    let gone = of_files.iter().filter(|seq| erased.binary_search(seq).is_ok()).count() as u64;
    receipt.events_erased = receipt.events_erased.saturating_add(gone);
    receipt.events_before = receipt.events_before.saturating_add(passed.skipped.saturating_sub(gone));
    receipt.events = receipt.events.saturating_add(adds.iter().map(|file| file.rows).sum());
    receipt.days = receipt.days.saturating_add(u64::from(!adds.is_empty()));
    Ok(adds)
}

/// Commits what came back, with the event about it.
pub fn commit_restored(work: &Work<'_>, adds: &[DataFile], event: &str, seq: i64) -> Result<u64> {
    let tables = work.tables;
    let fresh = tables.write_record(event.as_bytes(), seq, work.now_ms)?;
    let paths = |files: &[DataFile]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    // Whoever follows the store has seen these events.
    let taken =
        Taken { why: "restore".to_string(), fresh: paths(&fresh), changed: paths(adds), ..Taken::default() };
    let change = |snapshot: &Snapshot| {
        Ok(Change {
            operation: "WRITE",
            adds: adds.iter().chain(&fresh).cloned().collect(),
            schema: tables.new_schema(snapshot)?,
            data_change: true,
            taken: Some(taken.clone()),
            ..Change::default()
        })
    };
    let version = commit_one(&tables.events, work.now_ms, change)?;
    version.ok_or_else(|| Error::new(ErrorKind::Internal, "a commit without markers was there already"))
}

/// Rows on their way from one store to another.
struct Passed {
    /// Numbers of events that stay behind, ascending.
    known: Vec<i64>,
    skipped: u64,
    /// All rows of the files, also those that stay behind.
    all: RowSet,
}

impl Passed {
    fn new(known: Vec<i64>) -> Passed {
        Passed { known, skipped: 0, all: RowSet::default() }
    }

    /// Writes the rows of files that are not known, after a check that the files hold what was committed.
    fn write(
        &mut self,
        work: &Work<'_>,
        (from, to): (&Tables, &Tables),
        files: &[DataFile],
        level: i32,
    ) -> Result<Vec<DataFile>> {
        let Some(day) = files.first().map(|file| file.day) else { return Ok(Vec::new()) };
        let catalogue = work.tables.register.latest()?;
        let schema = catalogue.schema();
        let storage: &dyn Storage = &*to.storage;
        let mut out = Rewritten::new(schema, day, level, storage);
        let mut adds = Vec::new();
        // Rows are sorted in runs: those of one time are to be in one run.
        let mut files: Vec<&DataFile> = files.iter().collect();
        files.sort_by_key(|file| file.ts_range());
        for (number, file) in files.iter().enumerate() {
            let (before, mut of_file) = (out.rows_hash().clone(), RowSet::default());
            for batch in read_file(&from.place_of("", file)?, 0)? {
                if work.stop.load(Ordering::Relaxed) {
                    return Err(Error::new(ErrorKind::Interrupted, "interrupted")
                        .with_hint("run it again; it goes on where it stopped"));
                }
                let batch = batch?;
                let (new, known) = told_apart(&batch, &self.known)?;
                self.skipped = self.skipped.saturating_add(known.num_rows() as u64);
                let mut contents = Contents::new(&batch.schema(), &catalogue);
                of_file.add_rows(&contents.rows(&known)?);
                out.push(&new, &contents.rows(&new)?)?;
            }
            of_file.add(out.rows_hash());
            of_file.subtract(&before);
            if set_of(file)?.is_some_and(|known| known != of_file) {
                let message = format!("`{}` does not hold the events that were written to it", file.path);
                return Err(Error::new(ErrorKind::Corrupt, message).with_hint("restore the file from a copy"));
            }
            self.all.add(&of_file);
            if out.encoded_bytes() >= FILE_BYTES || number.saturating_add(1) == files.len() {
                let ended = std::mem::replace(&mut out, Rewritten::new(schema, day, level, storage));
                adds.extend(ended.finish(work.now_ms)?);
            }
            let (done, total) = (number.saturating_add(1) as u64, Some(files.len() as u64));
            work.progress.update(&Step { done, total, unit: Unit::Files, events: 0, note: "" });
        }
        Ok(adds)
    }
}

/// Reads a day of an archive again: each file has its bytes, and those of the events that are here too hash to what
/// they hash here.
fn compare(work: &Work<'_>, archive: &Tables, files: &[DataFile], here: &[i64], all: &RowSet) -> Result<()> {
    let catalogue = work.tables.register.latest()?;
    let mut found = RowSet::default();
    for file in files {
        let differs = |what: &str| {
            Err(Error::new(ErrorKind::Corrupt, format!("`{}` of the archive {what}", file.path))
                .with_hint("nothing was removed here; remove that archive, or restore it from a copy"))
        };
        if hash_of(archive, &file.path)? != file.file_hash {
            return differs("has other bytes than were written");
        }
        for batch in read_file(&archive.place_of("", file)?, 0)? {
            let batch = batch?;
            let seqs = seqs_in(&batch);
            let both: BooleanArray = seqs.iter().map(|seq| Some(here.binary_search(seq).is_ok())).collect();
            let both = filter_record_batch(&batch, &both).map_err(untold)?;
            found.add_rows(&Contents::new(&batch.schema(), &catalogue).rows(&both)?);
        }
        archive.storage.release(&file.path);
    }
    if found == *all {
        return Ok(());
    }
    let message = "the archive does not hold the events that are here";
    Err(Error::new(ErrorKind::Corrupt, message).with_hint("nothing was removed here; name another folder"))
}

fn hash_of(tables: &Tables, path: &str) -> Result<String> {
    let (mut hash, mut offset) = (Sha256::new(), 0_u64);
    loop {
        let until = offset.saturating_add(CHUNK_BYTES);
        let chunk = tables.storage.read_range(path, offset..until)?;
        hash.update(&chunk);
        if (chunk.len() as u64) < CHUNK_BYTES {
            return Ok(hex(&hash.finalize()));
        }
        offset = until;
    }
}

/// The numbers of all events of some files, ascending.
pub fn seqs_of(tables: &Tables, files: &[DataFile]) -> Result<Vec<i64>> {
    let mut seqs = Vec::new();
    for file in files {
        for batch in read_columns(&tables.place_of("", file)?, |name| name == Fixed::Seq.name())? {
            seqs.extend(seqs_in(&batch?));
        }
    }
    seqs.sort_unstable();
    Ok(seqs)
}

/// The rows of a batch whose numbers are not among these, which ascend; and those whose numbers are.
pub fn told_apart(batch: &RecordBatch, known: &[i64]) -> Result<(RecordBatch, RecordBatch)> {
    if known.is_empty() {
        return Ok((batch.clone(), batch.slice(0, 0)));
    }
    let is_known: Vec<bool> = seqs_in(batch).iter().map(|seq| known.binary_search(seq).is_ok()).collect();
    let those = |wanted: bool| {
        let mask: BooleanArray = is_known.iter().map(|is_known| Some(*is_known == wanted)).collect();
        filter_record_batch(batch, &mask).map_err(untold)
    };
    Ok((those(false)?, those(true)?))
}

fn untold(error: arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "events cannot be told apart").with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_people_write_them() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let quarter = Period::quarter("2026Q1").unwrap();
        assert_eq!((quarter.from, quarter.until), (Some(day("2026-01-01")), day("2026-04-01")));
        assert!(quarter.has(day("2026-03-31")) && !quarter.has(day("2026-04-01")));
        assert_eq!(Period::quarter("2025q4").unwrap().last_day(), day("2025-12-31"));
        assert_eq!(Period::month("2026-02").unwrap().last_day(), day("2026-02-28"));
        for wrong in ["2026Q5", "2026Q0", "26Q1", "Q1", "2026", "2026Qx", ""] {
            assert_eq!(Period::quarter(wrong), None, "{wrong}");
        }
        for wrong in ["2026-13", "2026-0", "2026", "x-1"] {
            assert_eq!(Period::month(wrong), None, "{wrong}");
        }
        assert!(Period::before(day("2026-01-01")).has(day("1999-01-01")));
        assert_eq!(Period::quarter_before(day("2026-02-03")).unwrap(), "2025Q4");
        assert_eq!(Period::quarter_before(day("2026-12-31")).unwrap(), "2026Q3");
        assert_eq!(Period::quarters_ago(day("2026-02-03"), 0).unwrap(), day("2026-01-01"));
        assert_eq!(Period::quarters_ago(day("2026-06-30"), 1).unwrap(), day("2026-01-01"));
        assert_eq!(Period::quarters_ago(day("2026-06-30"), 5).unwrap(), day("2025-01-01"));
        assert_eq!(Period::quarters_ago(day("2026-06-30"), u32::MAX), None);
    }
}
