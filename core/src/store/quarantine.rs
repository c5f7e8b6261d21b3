//! What could not be read: what there is of it, and another try at it.

pub mod erase;
mod report;
mod reread;
mod retry;
mod rewrite;

use super::Store;
use super::intake;
use super::options::IngestOptions;
use super::reader::View;
use crate::error::{Error, ErrorKind, Result};
use crate::event::reject::kind_of;
use crate::format::Format;
use crate::ingest::progress::Progress;
use crate::log::{At, DataFile};
use crate::quarantine::{PREFIX, Reject, RejectRows, read_file};
use crate::redact::Counts;
use serde::Serialize;
use std::sync::atomic::Ordering;
use std::time::Instant;

pub use report::{InputGroup, QuarantinePage, QuarantineSummary, Quarantined, ReasonGroup};
pub use retry::finish;

/// Which records of the quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuarantineFilter {
    /// Those whose reason contains this; numbers in it may be `…`, as in [`ReasonGroup::reason`].
    pub reason: Option<String>,
    /// Those of inputs whose name contains this.
    pub input: Option<String>,
    /// Those that arrived then or later, in microseconds since 1970.
    pub from_us: Option<i64>,
    /// Those that arrived before, in microseconds since 1970.
    pub until_us: Option<i64>,
}

/// How to read records of the quarantine again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetryOptions {
    /// Which records.
    pub filter: QuarantineFilter,
    /// As this format; else as the one that each was read as.
    pub from: Option<Format>,
    /// With these names of columns, separated by commas; else with those of their input.
    pub header: Option<String>,
    /// The name of a mapping in the settings.
    pub mapping: Option<String>,
    /// Columns with the path of the field that maps to each; they come before those of the mapping.
    pub map: Vec<(String, String)>,
}

/// What became of the records of the quarantine that were read again.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RetryReceipt {
    /// Records that were read again; each is stored now, or still in the quarantine.
    pub tried: u64,
    /// Records that are events now and no longer in the quarantine.
    pub stored: u64,
    /// Records that could not be read this time either.
    pub still: u64,
    /// Records that were not tried, because only their beginning was kept.
    pub skipped: u64,
    /// Records that were not tried, because another process has them in its log.
    pub waiting: u64,
    /// Records that an earlier retry stored, which was cut off before it took them out of the quarantine.
    pub finished: u64,
    /// The events that were stored: a text may hold more than one.
    pub events: u64,
    /// Why records still cannot be read.
    pub by_reason: Vec<ReasonCount>,
    /// What was redacted, by rule, beyond what had been.
    #[serde(skip_serializing_if = "Counts::is_empty")]
    pub redacted: Counts,
    /// How long it took.
    pub seconds: f64,
}

/// How many records have a reason of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReasonCount {
    /// The reason, without what differs from record to record.
    pub reason: String,
    /// How many.
    pub count: u64,
}

impl QuarantineFilter {
    /// Whether a record is one of them.
    fn holds(&self, reject: &Reject) -> bool {
        let is_after = self.from_us.is_none_or(|from_us| reject.seq >= from_us);
        let is_before = self.until_us.is_none_or(|until_us| reject.seq < until_us);
        let of_reason =
            |part: &String| reject.reason.contains(part) || kind_of(&reject.reason).contains(part);
        is_after
            && is_before
            && self.input.as_ref().is_none_or(|part| reject.input.contains(part))
            && self.reason.as_ref().is_none_or(of_reason)
    }

    /// Whether a file may have one of them.
    fn may_hold(&self, file: &DataFile) -> bool {
        let (least, most) = file.seq_range().unwrap_or((i64::MIN, i64::MAX));
        self.from_us.is_none_or(|from_us| most >= from_us)
            && self.until_us.is_none_or(|until_us| least < until_us)
    }
}

impl Store {
    /// How much is in the quarantine, by reason and by input.
    pub fn quarantined(&self, filter: &QuarantineFilter) -> Result<QuarantineSummary> {
        self.stop.store(false, Ordering::Relaxed);
        report::summary(&Scan::new(self, filter)?)
    }

    /// Records in the quarantine, the latest first, those before a number where one is given.
    pub fn quarantined_records(
        &self,
        filter: &QuarantineFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<QuarantinePage> {
        self.stop.store(false, Ordering::Relaxed);
        report::page(&Scan::new(self, filter)?, before, limit)
    }

    /// Reads records of the quarantine again. Those that can be read become events under the same numbers, and
    /// leave the quarantine.
    pub fn retry_quarantine(&self, options: &RetryOptions, progress: &dyn Progress) -> Result<RetryReceipt> {
        let started = Instant::now();
        let RetryOptions { filter, from, header, mapping, map } = options.clone();
        if let Some(format @ (Format::Parquet | Format::Arrow)) = from {
            let message = format!("what is in the quarantine is text, and not {format}");
            return Err(
                Error::new(ErrorKind::Invalid, message).with_hint("leave `from` out, or name another format")
            );
        }
        let how = IngestOptions { from, header, mapping, map, ..IngestOptions::default() };
        let (read_as, mapping) = intake::how(&how, &self.settings)?;
        let rules = self.intakes.rules()?;
        self.stop.store(false, Ordering::Relaxed);
        // What was rejected lately is in a file then, like all else.
        self.seal()?;
        let context = retry::Context {
            tables: &self.tables,
            seqs: &self.tables.seqs(&self.clock)?,
            clock: &self.clock,
            filter: &filter,
            read_as: &read_as,
            mapping: &mapping,
            rules: &rules,
            threads: how.threads,
            progress,
            stop: &self.stop,
        };
        let mut receipt = retry::retry(&context)?;
        self.tables.maintain((self.clock)() / 1000, self.settings.keep_versions_ms())?;
        receipt.seconds = started.elapsed().as_secs_f64();
        Ok(receipt)
    }
}

/// All records in the quarantine that a filter wants.
struct Scan<'a> {
    store: &'a Store,
    view: View,
    filter: &'a QuarantineFilter,
}

impl<'a> Scan<'a> {
    fn new(store: &'a Store, filter: &'a QuarantineFilter) -> Result<Scan<'a>> {
        let view = View::take(&store.tables, At::Latest)?;
        Ok(Scan { store, view, filter })
    }

    /// Files that may have some of them, the latest first.
    fn files(&self) -> Vec<&DataFile> {
        let mut files: Vec<_> =
            self.view.quarantine.files.iter().filter(|file| self.filter.may_hold(file)).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.seq_range()));
        files
    }

    /// Those of a file.
    fn each_of_file(&self, file: &DataFile, take: &mut dyn FnMut(Reject)) -> Result<()> {
        for rows in read_file(&self.store.tables.place(PREFIX, &file.path)?)? {
            if self.store.stop.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Interrupted, "reading the quarantine was interrupted"));
            }
            self.each_of(&rows?, take)?;
        }
        Ok(())
    }

    /// Those that are in no file yet.
    fn each_pending(&self, take: &mut dyn FnMut(Reject)) -> Result<()> {
        self.each_of(&RejectRows::new(&self.view.pending_rejects)?, take)
    }

    fn each_of(&self, rows: &RejectRows, take: &mut dyn FnMut(Reject)) -> Result<()> {
        for reject in rows.iter() {
            let reject = reject?;
            if self.filter.holds(&reject) && !self.view.retried.contains(&reject.seq) {
                take(reject);
            }
        }
        Ok(())
    }
}
