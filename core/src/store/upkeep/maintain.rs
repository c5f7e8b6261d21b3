//! All upkeep in one call, and what it would do now.

use super::super::Store;
use super::super::reader::View;
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::progress::{NoProgress, Progress};
use crate::keys::reading;
use crate::log::At;
use crate::maintenance::{
    ArchiveReceipt, BackupReceipt, CompactReceipt, CompactRequest, ExpireReceipt, backup, begin, compact,
    expire,
};
use crate::settings::Settings;
use crate::storage::{FilePlace, LocalStorage, Storage, is_bucket};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Sizes of columns are looked up in so many files, the newest.
const FILES_LOOKED_INTO: usize = 256;

/// What the upkeep did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MaintainReceipt {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Events that came from the log into data files.
    pub sealed: u64,
    /// What each policy of the settings took out.
    pub expired: Vec<ExpireReceipt>,
    /// What went to the archive of the settings; none if they name none.
    pub archived: Option<ArchiveReceipt>,
    /// What was put together, compressed and removed.
    pub compacted: CompactReceipt,
    /// The version of which a checkpoint was made.
    pub checkpoint: Option<u64>,
    /// Commits that were removed; their records in the hash chain stay.
    pub commits_removed: u64,
    /// How long it took.
    pub seconds: f64,
}

/// What keeping the store takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct KeepReport {
    /// Each day that has data files.
    pub by_day: Vec<DaySize>,
    /// The columns that take most, of the newest files.
    pub columns: Vec<ColumnSize>,
    /// In how many data files columns were looked up.
    pub files_looked_into: u64,
    /// How far each policy with a size is used.
    pub quotas: Vec<Quota>,
    /// What maintenance would do now.
    pub due: MaintainReceipt,
}

/// What a day takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DaySize {
    /// The day, in UTC.
    pub day: NaiveDate,
    /// Its events.
    pub events: u64,
    /// Its data files.
    pub files: u64,
    /// The bytes of these.
    pub bytes: u64,
}

/// What a column takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnSize {
    /// Its name.
    pub name: String,
    /// Its bytes, compressed.
    pub bytes: u64,
}

/// How far a policy is used.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quota {
    /// Which events it is about; empty for all.
    pub filter: String,
    /// How much they may be.
    pub max_bytes: u64,
    /// About how much they are.
    pub bytes: u64,
    /// In per cent.
    pub percent: f64,
}

impl MaintainReceipt {
    /// Whether there was nothing to do.
    pub fn is_idle(&self) -> bool {
        let expired: u64 = self.expired.iter().map(|receipt| receipt.expired).sum();
        let files = self.compacted.days.saturating_add(self.compacted.files_removed);
        let log = self.commits_removed.saturating_add(u64::from(self.checkpoint.is_some()));
        let archived = self.archived.as_ref().map_or(0, |archived| archived.days);
        [self.sealed, expired, archived, files, log].iter().all(|count| *count == 0)
    }
}

impl Store {
    /// Does all that the settings ask for: seals, expires, archives, compacts, makes a checkpoint and removes what no version
    /// in use needs.
    pub fn maintain(&self, dry_run: bool, progress: &dyn Progress) -> Result<MaintainReceipt> {
        let started = Instant::now();
        self.stop.store(false, Ordering::Relaxed);
        if dry_run {
            return self.due();
        }
        let _upkeep = begin(&self.tables)?;
        let waiting = self.waiting()?;
        self.settle_down()?;
        self.seal()?;
        let mut receipt =
            MaintainReceipt { sealed: waiting.saturating_sub(self.waiting()?), ..MaintainReceipt::default() };
        // What goes need not be put together before.
        for request in self.policies(false)? {
            receipt.expired.push(self.expire_locked(&request, progress)?);
        }
        receipt.archived = self.archive_by_settings(progress)?;
        let (request, settings) = (CompactRequest::default(), self.compact_settings());
        receipt.compacted = compact::compact(&self.work(progress), &request, &settings)?;
        let done = self.tables.maintain(self.now_ms(), self.settings.keep_versions_ms())?;
        (receipt.checkpoint, receipt.commits_removed) = (done.checkpoint, done.commits_removed);
        receipt.seconds = started.elapsed().as_secs_f64();
        Ok(receipt)
    }

    /// What maintenance would do now.
    fn due(&self) -> Result<MaintainReceipt> {
        let mut receipt =
            MaintainReceipt { dry_run: true, sealed: self.waiting()?, ..MaintainReceipt::default() };
        for request in self.policies(true)? {
            receipt.expired.push(self.expire_locked(&request, &NoProgress)?);
        }
        receipt.archived = self.archive_due()?;
        let (request, settings) = (CompactRequest::default(), self.compact_settings());
        receipt.compacted = compact::planned_of(&self.tables, &request, &settings, self.now_ms())?;
        Ok(receipt)
    }

    /// What keeping the store takes, and what is due.
    pub fn keeping(&self) -> Result<KeepReport> {
        let snapshot = self.tables.events.snapshot(At::Latest)?;
        let mut by_day: BTreeMap<NaiveDate, DaySize> = BTreeMap::new();
        for file in &snapshot.files {
            let empty = DaySize { day: file.day, events: 0, files: 0, bytes: 0 };
            let day = by_day.entry(file.day).or_insert(empty);
            day.events = day.events.saturating_add(file.rows);
            day.files = day.files.saturating_add(1);
            day.bytes = day.bytes.saturating_add(file.size);
        }
        let mut columns: BTreeMap<String, u64> = BTreeMap::new();
        let newest: Vec<_> = snapshot.files.iter().rev().take(FILES_LOOKED_INTO).collect();
        for file in &newest {
            column_sizes(&self.tables.place_of("", file)?, &mut columns)?;
        }
        let mut columns: Vec<ColumnSize> =
            columns.into_iter().map(|(name, bytes)| ColumnSize { name, bytes }).collect();
        columns.sort_by(|one, other| (other.bytes, &one.name).cmp(&(one.bytes, &other.name)));
        Ok(KeepReport {
            by_day: by_day.into_values().collect(),
            columns,
            files_looked_into: newest.len() as u64,
            quotas: self.quotas()?,
            due: self.due()?,
        })
    }

    fn quotas(&self) -> Result<Vec<Quota>> {
        let mut quotas = Vec::new();
        for request in self.policies(true)? {
            let Some(max_bytes) = request.max_bytes else { continue };
            let bytes = expire::bytes_of(&self.about(&request)?);
            let percent = bytes as f64 * 100.0 / max_bytes.max(1) as f64;
            quotas.push(Quota { filter: request.text, max_bytes, bytes, percent });
        }
        Ok(quotas)
    }

    /// Events that are not yet in data files.
    fn waiting(&self) -> Result<u64> {
        Ok(View::take(&self.tables, At::Latest)?.pending.num_rows() as u64)
    }

    /// Makes a consistent copy in a folder, which is empty or new, while others go on.
    pub fn backup(&self, folder: &Path, progress: &dyn Progress) -> Result<BackupReceipt> {
        if is_bucket(folder) {
            let message = "a copy of a store needs a local folder";
            let hint = "`daybook archive --keep --to s3://...` copies days that are over to a bucket";
            return Err(Error::new(ErrorKind::Unsupported, message).with_hint(hint));
        }
        self.backup_into(&|| LocalStorage::new(folder), progress)
    }

    /// The same, to the storage that is opened for it.
    pub fn backup_into(
        &self,
        storage: &dyn Fn() -> LocalStorage,
        progress: &dyn Progress,
    ) -> Result<BackupReceipt> {
        self.stop.store(false, Ordering::Relaxed);
        let _upkeep = match begin(&self.tables) {
            // Where nothing can be written, nothing goes meanwhile either.
            Err(error) if error.kind() == ErrorKind::Permission => None,
            lock => Some(lock?),
        };
        let keys = || self.tables.storage.keys().cloned();
        let target = Arc::new(storage().with_keys(keys()));
        let view = || {
            let view = View::take(&self.tables, At::Latest)?;
            Ok((view.events, view.quarantine))
        };
        let receipt = backup::backup(&self.work(progress), &target, &view)?;
        // The copy is opened as any store, and has to have what was copied.
        let copy = Store::open_storage(storage().with_keys(keys()), self.clock.clone())?;
        Ok(BackupReceipt { head: copy.head()?.to_string(), ..receipt })
    }

    /// The settings of this store.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// Adds what the columns of a data file take.
fn column_sizes(place: &FilePlace, columns: &mut BTreeMap<String, u64>) -> Result<()> {
    let file = match std::fs::File::open(place) {
        Ok(file) => file,
        // `verify` is there to find that.
        Err(_) => return Ok(()),
    };
    let Ok(metadata) = reading::metadata(&file, place.keys()) else { return Ok(()) };
    for chunk in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        let name = chunk.column_path().parts().first().cloned().unwrap_or_default();
        let bytes = columns.entry(name).or_default();
        *bytes = bytes.saturating_add(u64::try_from(chunk.compressed_size()).unwrap_or_default());
    }
    Ok(())
}
