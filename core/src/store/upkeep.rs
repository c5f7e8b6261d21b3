//! Looking after the store: compaction, retention, and what goes with them.

mod archive;
mod chosen;
mod erase;
mod maintain;
mod quarters;

pub use archive::ArchiveRequest;
pub use erase::EraseRequest;
pub use maintain::{ColumnSize, DaySize, KeepReport, MaintainReceipt, Quota};

use super::ask::{AskOptions, Asked};
use super::{Store, quarantine};
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::progress::{NoProgress, Progress};
use crate::maintenance::{
    Chosen, CompactReceipt, CompactRequest, CompactSettings, ExpireReceipt, ExpireRequest, Work, begin,
    compact, expire,
};
use crate::query::filter::{Context, Filter};
use std::sync::atomic::Ordering;

impl Store {
    /// Makes few files of many, and removes files that no version in use needs.
    pub fn compact(&self, request: &CompactRequest, progress: &dyn Progress) -> Result<CompactReceipt> {
        let settings = self.compact_settings();
        self.stop.store(false, Ordering::Relaxed);
        if request.dry_run {
            return compact::planned_of(&self.tables, request, &settings, self.now_ms());
        }
        let _upkeep = begin(&self.tables)?;
        self.settle_down()?;
        let receipt = compact::compact(&self.work(progress), request, &settings)?;
        self.tables.maintain(self.now_ms(), self.settings.keep_versions_ms())?;
        Ok(receipt)
    }

    /// Takes events out of the table that are old enough, or too many.
    pub fn expire(&self, request: &ExpireRequest, progress: &dyn Progress) -> Result<ExpireReceipt> {
        if request.older_than_ms.is_none() && request.max_bytes.is_none() {
            return Err(Error::new(ErrorKind::Invalid, "nothing says what is to expire")
                .with_hint("say from which age on, or how many bytes may stay"));
        }
        self.stop.store(false, Ordering::Relaxed);
        if request.dry_run {
            return self.expire_locked(request, progress);
        }
        let _upkeep = begin(&self.tables)?;
        self.settle_down()?;
        let receipt = self.expire_locked(request, progress)?;
        self.tables.maintain(self.now_ms(), self.settings.keep_versions_ms())?;
        Ok(receipt)
    }

    /// Applies each policy of the settings.
    pub fn expire_by_policy(&self, dry_run: bool, progress: &dyn Progress) -> Result<Vec<ExpireReceipt>> {
        let requests = self.policies(dry_run)?;
        requests.iter().map(|request| self.expire(request, progress)).collect()
    }

    /// The policies of the settings that say what is to expire.
    fn policies(&self, dry_run: bool) -> Result<Vec<ExpireRequest>> {
        let context = Context::without_clock();
        let mut requests = Vec::new();
        for policy in &self.settings.keep.policy {
            let text = policy.filter.clone().unwrap_or_default();
            let filter = Filter::parse(&text, &context).map_err(|error| error.into_error(&text))?;
            requests.push(ExpireRequest {
                older_than_ms: policy.max_age_days.map(|days| i64::from(days).saturating_mul(86_400_000)),
                max_bytes: policy.max_bytes()?,
                filter,
                text,
                dry_run,
                is_policy: true,
            });
        }
        requests.retain(|request| request.older_than_ms.is_some() || request.max_bytes.is_some());
        Ok(requests)
    }

    /// The events that a request is about, also those that are to stay for now.
    fn about(&self, request: &ExpireRequest) -> Result<Chosen> {
        let context = Context::without_clock();
        let options =
            AskOptions { context, text: &request.text, lenient: request.is_policy, ..AskOptions::default() };
        let asked = Asked::of_itself(self, &options)?;
        let files: Vec<_> = asked.view.events.files.iter().collect();
        chosen::chosen(&asked, &self.tables, &request.filter, &files)
    }

    fn expire_locked(&self, request: &ExpireRequest, progress: &dyn Progress) -> Result<ExpireReceipt> {
        let context = Context::without_clock();
        let options =
            AskOptions { context, text: &request.text, lenient: request.is_policy, ..AskOptions::default() };
        let asked = Asked::of_itself(self, &options)?;
        let now_ms = self.now_ms();
        let files = &asked.view.events.files;
        let candidates = request.candidates(files, now_ms);
        let matching = chosen::chosen(&asked, &self.tables, &request.filter, &candidates)?;
        let chosen = request.chosen(matching, now_ms);
        let receipt = expire::plan(request, files, &chosen, now_ms);
        if request.dry_run || chosen.is_empty() {
            return Ok(receipt);
        }
        expire::expire(&self.work(progress), &chosen, receipt, request.is_policy, self.next_seq()?)
    }

    /// Takes over what the dead left, so that the upkeep finds all of it.
    pub(super) fn settle_down(&self) -> Result<()> {
        if !self.tables.storage.is_in_bucket() {
            self.writer()?.recover()?;
        }
        quarantine::finish(&self.tables, self.now_ms())?;
        self.finish_erasure(&NoProgress)
    }

    pub(super) fn work<'a>(&'a self, progress: &'a dyn Progress) -> Work<'a> {
        Work { tables: &self.tables, now_ms: self.now_ms(), progress, stop: &self.stop }
    }

    /// A number for an event of Daybook's own.
    fn next_seq(&self) -> Result<i64> {
        self.tables.seqs(&self.clock)?.reserve(1, (self.clock)())
    }

    fn now_ms(&self) -> i64 {
        (self.clock)() / 1000
    }

    fn compact_settings(&self) -> CompactSettings {
        let days = self.settings.keep.compress_after_days;
        CompactSettings {
            keep_versions_ms: self.settings.keep_versions_ms(),
            compress_after_days: (days > 0).then_some(days),
        }
    }
}
