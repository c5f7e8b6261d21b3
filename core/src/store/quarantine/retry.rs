//! Another try at what could not be read: events come in first, then their texts leave the quarantine.
//!
//! Between the two commits of a retry both tables have its records. A marker of the quarantine, committed before
//! them, tells readers to look for such records, and the next retry to finish the work.

use super::reread::Rereader;
use super::rewrite::Rewrite;
use super::{QuarantineFilter, ReasonCount, RetryReceipt};
use crate::error::{Error, ErrorKind, Result};
use crate::event::chunk::Chunk;
use crate::event::mapping::Mapping;
use crate::event::reject::{is_too_long, kind_of};
use crate::ingest::blocks::ReadAs;
use crate::ingest::progress::{Progress, Step, Unit};
use crate::ingest::table::{TableWriter, settle};
use crate::layout;
use crate::log::{At, DataFile};
use crate::quarantine::{Reject, RejectRows};
use crate::redact::Rules;
use crate::seal::{Both, Tables};
use crate::store::reader::View;
use crate::wal::{Clock, SeqAllocator};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Records are settled and encoded in batches of about so many bytes of text.
const BATCH_BYTES: usize = 16 << 20;
/// So many kinds of reasons are told apart.
const REASONS_MAX: usize = 1_000;

/// What a retry needs.
pub(super) struct Context<'a> {
    pub tables: &'a Tables,
    pub seqs: &'a SeqAllocator,
    pub clock: &'a Clock,
    pub filter: &'a QuarantineFilter,
    pub read_as: &'a ReadAs,
    pub mapping: &'a Mapping,
    pub rules: &'a Arc<Rules>,
    pub threads: usize,
    pub progress: &'a dyn Progress,
    pub stop: &'a AtomicBool,
}

/// A retry under way.
struct Retry<'a> {
    context: &'a Context<'a>,
    reader: Rereader<'a>,
    writer: TableWriter,
    rewrite: Rewrite,
    reasons: BTreeMap<String, u64>,
    receipt: RetryReceipt,
}

/// Reads records again. Nothing is changed before all were read.
pub(super) fn retry(context: &Context<'_>) -> Result<RetryReceipt> {
    let tables = context.tables;
    let Some(_lock) = tables.storage.try_lock(layout::RETRY_LOCK)? else {
        return Err(Error::new(ErrorKind::Busy, "another retry of the quarantine is under way")
            .with_hint("wait until it has ended"));
    };
    let finished = finish_locked(tables, (context.clock)() / 1000)?;
    let view = View::take(tables, At::Latest)?;
    let mut retry = Retry {
        context,
        reader: Rereader::new(context.read_as, context.mapping, context.rules),
        writer: tables.table_writer(context.threads)?,
        rewrite: Rewrite::default(),
        reasons: BTreeMap::new(),
        receipt: RetryReceipt { finished, ..RetryReceipt::default() },
    };
    for reject in RejectRows::new(&view.pending_rejects)?.iter() {
        retry.receipt.waiting += u64::from(context.filter.holds(&reject?));
    }
    match retry.all(&view.quarantine.files) {
        Ok(()) => retry.commit(),
        Err(error) => {
            retry.writer.abandon();
            retry.rewrite.abandon(tables);
            Err(error)
        }
    }
}

/// Takes out of the quarantine what a retry stored that was cut off, unless one is under way. Says how many.
pub fn finish(tables: &Tables, now_ms: i64) -> Result<u64> {
    if !is_unfinished(tables)? {
        return Ok(0);
    }
    match tables.storage.try_lock(layout::RETRY_LOCK)? {
        Some(_lock) => finish_locked(tables, now_ms),
        None => Ok(0),
    }
}

fn finish_locked(tables: &Tables, now_ms: i64) -> Result<u64> {
    if !is_unfinished(tables)? {
        return Ok(0);
    }
    let view = View::take(tables, At::Latest)?;
    // The commit of the events may be one that its writer could not make durable, and their texts are to go.
    tables.events.sync()?;
    let mut rewrite = Rewrite::default();
    for file in view.quarantine.files.iter().filter(|file| view.has_retried(file)) {
        let passed = rewrite.pass(tables, file, now_ms, &mut |reject| Ok(view.retried.contains(&reject.seq)));
        passed.inspect_err(|_| rewrite.abandon(tables))?;
    }
    let begun = view.quarantine.transaction(layout::RETRY_BEGUN)?.unwrap_or_default();
    rewrite.commit(tables, (layout::RETRY_DONE.to_string(), begun), now_ms)?;
    Ok(view.retried.len() as u64)
}

/// Whether a retry began that did not take its records out of the quarantine.
fn is_unfinished(tables: &Tables) -> Result<bool> {
    let quarantine = tables.quarantine.snapshot(At::Latest)?;
    Ok(quarantine.transaction(layout::RETRY_BEGUN)? > quarantine.transaction(layout::RETRY_DONE)?)
}

impl Retry<'_> {
    fn all(&mut self, files: &[DataFile]) -> Result<()> {
        let filter = self.context.filter;
        let files: Vec<&DataFile> = files.iter().filter(|file| filter.may_hold(file)).collect();
        for (done, file) in files.iter().enumerate() {
            self.context.progress.update(&Step {
                done: done as u64,
                total: Some(files.len() as u64),
                unit: Unit::Files,
                events: self.receipt.events,
                note: "",
            });
            let now_ms = (self.context.clock)() / 1000;
            let mut rewrite = std::mem::take(&mut self.rewrite);
            let passed = rewrite.pass(self.context.tables, file, now_ms, &mut |reject| self.leaves(reject));
            self.rewrite = rewrite;
            passed?;
        }
        self.encode()
    }

    /// Reads a record again, and says whether it is stored now.
    fn leaves(&mut self, reject: &Reject) -> Result<bool> {
        if self.context.stop.load(Ordering::Relaxed) {
            let message = "interrupted; nothing was stored, and all is in the quarantine as before";
            return Err(Error::new(ErrorKind::Interrupted, message));
        }
        if !self.context.filter.holds(reject) {
            return Ok(false);
        }
        if is_too_long(&reject.reason) {
            self.receipt.skipped += 1;
            return Ok(false);
        }
        self.receipt.tried += 1;
        let (seqs, clock) = (self.context.seqs, self.context.clock);
        match self.reader.read(reject, &|more| seqs.reserve(more, clock()))? {
            Ok(events) => {
                self.receipt.stored += 1;
                self.receipt.events += events;
                if self.reader.bytes() >= BATCH_BYTES {
                    self.encode()?;
                }
                Ok(true)
            }
            Err(reason) => {
                self.receipt.still += 1;
                let kind = kind_of(&reason);
                let is_room = self.reasons.len() < REASONS_MAX || self.reasons.contains_key(&kind);
                let kind = if is_room { kind } else { "(others)".to_string() };
                *self.reasons.entry(kind).or_default() += 1;
                Ok(false)
            }
        }
    }

    /// Settles and encodes what was read.
    fn encode(&mut self) -> Result<()> {
        let chunks = self.reader.take();
        if chunks.is_empty() {
            return Ok(());
        }
        let tables = self.context.tables;
        let (records, numbers): (Vec<Chunk>, Vec<Vec<i64>>) = chunks.into_iter().unzip();
        let catalogue = tables.register.cover(&records)?;
        let mut settled = settle(records.into_iter().zip(numbers).collect(), &catalogue)?;
        tables.templates.fill(&mut settled)?;
        self.writer.push(&settled, &catalogue, (self.context.clock)() / 1000)
    }

    fn commit(self) -> Result<RetryReceipt> {
        let Retry { context, reader, writer, rewrite, reasons, mut receipt } = self;
        let tables = context.tables;
        let mut reasons: Vec<_> =
            reasons.into_iter().map(|(reason, count)| ReasonCount { reason, count }).collect();
        reasons.sort_by(|one, other| (other.count, &one.reason).cmp(&(one.count, &other.reason)));
        receipt.by_reason = reasons;
        receipt.redacted = reader.redacted().clone();
        if receipt.stored == 0 {
            return Ok(receipt);
        }
        let now_ms = (context.clock)() / 1000;
        let events = writer.finish(now_ms).inspect_err(|_| rewrite.abandon(tables))?;
        let begun = tables.quarantine.snapshot(At::Latest)?.transaction(layout::RETRY_BEGUN)?;
        let number = begun.unwrap_or_default().saturating_add(1);
        Rewrite::default().commit(tables, (layout::RETRY_BEGUN.to_string(), number), now_ms)?;
        tables.commit(&Both { operation: "WRITE", events, ..Both::default() }, now_ms)?;
        rewrite.commit(tables, (layout::RETRY_DONE.to_string(), number), now_ms)?;
        Ok(receipt)
    }
}
