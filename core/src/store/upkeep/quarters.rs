//! Archives that the settings ask for, as part of the upkeep.

use super::super::Store;
use super::archive::Days;
use crate::error::{ErrorKind, Result};
use crate::ingest::progress::Progress;
use crate::log::{At, DataFile};
use crate::maintenance::ArchiveReceipt;
use crate::maintenance::archive::{self, Period};
use crate::storage::LocalStorage;
use chrono::{DateTime, NaiveDate};
use std::collections::BTreeMap;
use std::path::Path;

impl Store {
    /// Archives what the settings ask for; none if they ask for nothing.
    pub(super) fn archive_by_settings(&self, progress: &dyn Progress) -> Result<Option<ArchiveReceipt>> {
        let settings = &self.settings.keep.archive;
        let Some(to) = &settings.to else { return Ok(None) };
        let days = self.days_to_archive(Path::new(to))?;
        self.archive_locked(&|| self.storage_at(Path::new(to)), days, settings.keep, progress).map(Some)
    }

    /// What would be archived now.
    pub(super) fn archive_due(&self) -> Result<Option<ArchiveReceipt>> {
        let Some(to) = &self.settings.keep.archive.to else { return Ok(None) };
        let days = self.days_to_archive(Path::new(to))?;
        let of_files = |number: &dyn Fn(&DataFile) -> u64| days.values().flatten().map(number).sum();
        Ok(Some(ArchiveReceipt {
            days: days.len() as u64,
            events: of_files(&|file| file.rows),
            bytes: of_files(&|file| file.size),
            ..ArchiveReceipt::default()
        }))
    }

    /// The days of quarters that are old enough. Where events stay here too, those that the archive lacks events of.
    fn days_to_archive(&self, to: &Path) -> Result<Days> {
        let settings = &self.settings.keep.archive;
        let today = DateTime::from_timestamp_millis(self.now_ms()).map(|now| now.date_naive());
        let first = today.and_then(|today| Period::quarters_ago(today, settings.after_quarters));
        let Some(first) = first else { return Ok(Days::new()) };
        let snapshot = self.tables.events.snapshot(At::Latest)?;
        let mut days = archive::days_of(&snapshot.files, &Period::before(first));
        if settings.keep && !days.is_empty() {
            let there = self.rows_archived(to)?;
            days.retain(|day, files| {
                let here: u64 = files.iter().map(|file| file.rows).sum();
                there.get(day).is_none_or(|there| *there < here)
            });
        }
        Ok(days)
    }

    /// How many events an archive has of each day; none where there is no archive yet.
    fn rows_archived(&self, to: &Path) -> Result<BTreeMap<NaiveDate, u64>> {
        let storage = LocalStorage::open(to)?;
        if archive::manifest(&storage)?.is_none() {
            return Ok(BTreeMap::new());
        }
        let archive = match self.open_archive(to) {
            // It was begun, and cut off before it had a table.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            archive => archive?,
        };
        let mut rows: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        for file in &archive.tables.events.snapshot(At::Latest)?.files {
            let of_day = rows.entry(file.day).or_default();
            *of_day = of_day.saturating_add(file.rows);
        }
        Ok(rows)
    }
}
