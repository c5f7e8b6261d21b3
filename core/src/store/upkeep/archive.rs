//! Archives of periods, bringing them back, and questions to a store and its archives together.

use super::super::Store;
use super::super::reader::View;
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::batch::{conform, read_file};
use crate::ingest::progress::Progress;
use crate::layout;
use crate::log::{At, DataFile};
use crate::maintenance::archive::{self, Manifest, Period};
use crate::maintenance::expire::counted;
use crate::maintenance::{Account, ArchiveReceipt, Chosen, RestoreReceipt, Rows, begin, take};
use crate::storage::{LocalStorage, Storage};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use chrono::{DateTime, NaiveDate};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What is to be archived.
#[derive(Clone, Debug)]
pub struct ArchiveRequest {
    /// Which days.
    pub period: Period,
    /// Whether the events stay here, too.
    pub keep: bool,
}

/// The files of some days.
pub(super) type Days = BTreeMap<NaiveDate, Vec<DataFile>>;

#[derive(Deserialize)]
struct Erased {
    seqs: Vec<i64>,
}

impl Store {
    /// Writes the days of a period to a store of their own in a folder, reads them back from there, compares, and takes
    /// them out here. It can be stopped anywhere and done again.
    pub fn archive(
        &self,
        folder: &Path,
        request: &ArchiveRequest,
        progress: &dyn Progress,
    ) -> Result<ArchiveReceipt> {
        self.archive_into(&|| self.storage_at(folder), request, progress)
    }

    /// Another place, with the keys of this store.
    pub(super) fn storage_at(&self, place: &Path) -> Result<LocalStorage> {
        Ok(LocalStorage::open(place)?.with_keys(self.tables.storage.keys().cloned()))
    }

    /// The same, to the storage that is opened for it.
    pub fn archive_into(
        &self,
        storage: &dyn Fn() -> Result<LocalStorage>,
        request: &ArchiveRequest,
        progress: &dyn Progress,
    ) -> Result<ArchiveReceipt> {
        self.check_over(&request.period)?;
        self.stop.store(false, Ordering::Relaxed);
        let _upkeep = begin(&self.tables)?;
        self.settle_down()?;
        self.seal()?;
        let snapshot = self.tables.events.snapshot(At::Latest)?;
        let days = archive::days_of(&snapshot.files, &request.period);
        self.archive_locked(storage, days, request.keep, progress)
    }

    /// Archives whole days of the store.
    pub(super) fn archive_locked(
        &self,
        storage: &dyn Fn() -> Result<LocalStorage>,
        days: Days,
        keep: bool,
        progress: &dyn Progress,
    ) -> Result<ArchiveReceipt> {
        let mut receipt = ArchiveReceipt { days: days.len() as u64, ..ArchiveReceipt::default() };
        if days.is_empty() {
            return Ok(receipt);
        }
        let snapshot = self.tables.events.snapshot(At::Latest)?;
        archive::claim(&storage()?, snapshot.table_id())?;
        let target = Store::create_storage(storage()?, self.clock.clone())?;
        // What is read back is to be what the target has.
        target.tables.storage.read_anew();
        let _of_target = begin(&target.tables)?;
        archive::share_catalogue(&self.tables.storage, &target.tables.storage)?;
        let work = self.work(progress);
        for files in days.values() {
            let before = archive::archive_day(&work, &target.tables, files)?;
            receipt.events_before = receipt.events_before.saturating_add(before);
            receipt.events = receipt.events.saturating_add(files.iter().map(|file| file.rows).sum());
            receipt.bytes = receipt.bytes.saturating_add(files.iter().map(|file| file.size).sum());
        }
        let archived = target.tables.events.snapshot(At::Latest)?;
        let of_days = archived.files.iter().filter(|file| days.contains_key(&file.day));
        receipt.bytes_archived = of_days.map(|file| file.size).sum();
        receipt.head = target.head()?.to_string();
        self.write_manifest(&target, snapshot.table_id())?;
        target.tables.maintain(self.now_ms(), self.settings.keep_versions_ms())?;
        if !keep {
            let chosen = days.into_values().flatten().map(|file| (file, Rows::All)).collect();
            receipt.removed = receipt.events;
            self.remove_archived(&chosen, &receipt, progress)?;
            self.tables.maintain(self.now_ms(), self.settings.keep_versions_ms())?;
        }
        Ok(receipt)
    }

    /// A period that is not over would be archived in parts.
    fn check_over(&self, period: &Period) -> Result<()> {
        let today = DateTime::from_timestamp_millis(self.now_ms()).map(|now| now.date_naive());
        if today.is_none_or(|today| period.until <= today) {
            return Ok(());
        }
        let message = format!("the period is not over: its last day is {}", period.last_day());
        Err(Error::new(ErrorKind::Invalid, message).with_hint("`--before DAY` archives the days before one"))
    }

    pub(super) fn write_manifest(&self, target: &Store, source: &str) -> Result<()> {
        let heads = (target.head()?.to_string(), self.head()?.to_string());
        archive::write_manifest(&target.tables, source, heads, self.now_ms())
    }

    fn remove_archived(
        &self,
        chosen: &Chosen,
        receipt: &ArchiveReceipt,
        progress: &dyn Progress,
    ) -> Result<()> {
        let days = || chosen.iter().map(|(file, _)| file.day);
        let note =
            serde_json::json!({"archive": receipt.head, "from_day": days().min(), "to_day": days().max()});
        let details = serde_json::json!({
            "archived": receipt.events,
            "from_day": days().min(),
            "to_day": days().max(),
        });
        let message = format!("{} moved to an archive", counted(receipt.events));
        let event = take::event_about("archive", message, details);
        let account =
            Account { why: "archive", note: note.to_string(), event, seq: self.next_seq()?, marker: None };
        take::take(&self.work(progress), chosen, &account, None).map(drop)
    }

    /// Brings the days of an archive back, or those of a period: events that are not here, without those that were
    /// erased here.
    pub fn restore(
        &self,
        folder: &Path,
        period: Option<Period>,
        progress: &dyn Progress,
    ) -> Result<RestoreReceipt> {
        self.stop.store(false, Ordering::Relaxed);
        let archive = self.open_archive(folder)?;
        let _upkeep = begin(&self.tables)?;
        self.settle_down()?;
        self.seal()?;
        let erased = self.erased_seqs()?;
        let everything = Period::before(chrono::NaiveDate::MAX);
        let snapshot = archive.tables.events.snapshot(At::Latest)?;
        let days = archive::days_of(&snapshot.files, &period.unwrap_or(everything));
        let work = self.work(progress);
        let (mut receipt, mut adds) = (RestoreReceipt::default(), Vec::new());
        let done = days.values().try_for_each(|files| {
            adds.extend(archive::restore_day(&work, &archive.tables, files, &erased, &mut receipt)?);
            Ok(())
        });
        let message = format!("{} came back from an archive", counted(receipt.events));
        let details = serde_json::json!({"restored": receipt.events});
        let event = take::event_about("restore", message, details);
        let done = done.and_then(|()| match adds.is_empty() {
            true => Ok(()),
            false => archive::commit_restored(&work, &adds, &event, self.next_seq()?).map(drop),
        });
        done.inspect_err(|_| take::abandon(&self.tables, &adds))?;
        self.tables.maintain(self.now_ms(), self.settings.keep_versions_ms())?;
        Ok(receipt)
    }

    /// The same store, which answers questions from archives of it, too.
    pub fn with_archives(mut self, folders: &[impl AsRef<Path>]) -> Result<Store> {
        for folder in folders {
            let archive = self.open_archive(folder.as_ref())?;
            self.tables.know_archive(&archive.tables.storage);
            self.archives.push(archive);
        }
        Ok(self)
    }

    /// An archive of this store.
    pub(super) fn open_archive(&self, folder: &Path) -> Result<Store> {
        let storage = self.storage_at(folder)?;
        let invalid = |message: String| {
            Err(Error::new(ErrorKind::Invalid, message)
                .with_hint("name a place that `daybook archive` wrote to"))
        };
        let Some(Manifest { source, .. }) = archive::manifest(&storage)? else {
            return invalid(format!("`{}` is no archive", folder.display()));
        };
        if source != self.tables.events.snapshot(At::Latest)?.table_id() {
            return invalid(format!("`{}` is an archive of another store", folder.display()));
        }
        Store::open_storage(storage, self.clock.clone())
    }

    /// The numbers of the events that were erased here, ascending.
    fn erased_seqs(&self) -> Result<Vec<i64>> {
        let mut seqs = Vec::new();
        for entry in self.tables.storage.list(layout::ERASURES)? {
            let bytes = self.tables.storage.read(&entry.path)?;
            let erased: Erased = serde_json::from_slice(&bytes).map_err(|error| {
                Error::new(ErrorKind::Corrupt, format!("the record `{}` cannot be read", entry.path))
                    .with_hint("restore it from a copy; without it, nobody knows what was erased")
                    .with_source(error)
            })?;
            let mut last = 0_i64;
            seqs.extend(erased.seqs.iter().map(|step| {
                last = last.saturating_add(*step);
                last
            }));
        }
        seqs.sort_unstable();
        seqs.dedup();
        Ok(seqs)
    }

    /// The store as questions see it: with what its archives have, each event once.
    pub(in crate::store) fn view(&self, at: At) -> Result<View> {
        let mut view = View::take(&self.tables, at)?;
        if self.archives.is_empty() {
            return Ok(view);
        }
        let erased = self.erased_seqs()?;
        let mut files: Vec<DataFile> = view.events.files.clone();
        let mut places: Vec<&crate::seal::Tables> = vec![&*self.tables; files.len()];
        let mut rows: Vec<RecordBatch> = Vec::new();
        for archive in &self.archives {
            let snapshot = archive.tables.events.snapshot(At::Latest)?;
            for file in &snapshot.files {
                let mut known = within(&erased, file);
                for (other, tables) in files.iter().zip(&places).filter(|(other, _)| overlap(other, file)) {
                    known.extend(archive::seqs_of(tables, std::slice::from_ref(other))?);
                }
                known.sort_unstable();
                if known.is_empty() {
                    let place = std::path::absolute(archive.tables.place_when_fetched(&file.path)?);
                    let place = place.map_err(|error| Error::io("find", &file.path, error))?;
                    let path = place.to_string_lossy().into_owned();
                    files.push(DataFile { path, ..file.clone() });
                    places.push(&self.tables);
                    continue;
                }
                for batch in read_file(&archive.tables.place_of("", file)?, 0)? {
                    let (new, _) = archive::told_apart(&batch?, &known)?;
                    if new.num_rows() > 0 {
                        rows.push(conform(&new, view.catalogue.schema())?);
                    }
                }
            }
        }
        view.events = Arc::new(view.events.with_files(files));
        if !rows.is_empty() {
            rows.push(view.pending.clone());
            let schema = view.pending.schema();
            view.pending = concat_batches(&schema, &rows).map_err(|error| {
                Error::new(ErrorKind::Internal, "events of an archive do not fit").with_source(error)
            })?;
        }
        Ok(view)
    }
}

/// Those of some numbers, which ascend, that a file may have.
fn within(seqs: &[i64], file: &DataFile) -> Vec<i64> {
    let (first, last) = file.seq_range().unwrap_or((i64::MIN, i64::MAX));
    let from = seqs.partition_point(|seq| *seq < first);
    let until = seqs.partition_point(|seq| *seq <= last);
    seqs.get(from..until).unwrap_or_default().to_vec()
}

/// Whether two files may have an event in common.
fn overlap(one: &DataFile, other: &DataFile) -> bool {
    let ranges = one.seq_range().zip(other.seq_range());
    one.day == other.day && ranges.is_none_or(|(one, other)| one.0 <= other.1 && other.0 <= one.1)
}
