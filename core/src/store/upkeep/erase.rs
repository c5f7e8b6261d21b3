//! Erasure on request: one person's data leaves the store, with everything older.

use super::super::Store;
use super::super::ask::{AskOptions, Asked};
use super::super::quarantine::erase::erase_rejects;
use super::chosen;
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::progress::Progress;
use crate::layout;
use crate::log::At;
use crate::maintenance::erase::{self, Blank, Record, RecordedFile};
use crate::maintenance::expire::counted;
use crate::maintenance::{Account, Chosen, EraseReceipt, begin, take};
use crate::quarantine::RejectRows;
use crate::query::filter::{Context, Filter, has_words, in_text};
use std::sync::atomic::Ordering;

/// What is to be erased, and why.
#[derive(Clone, Debug)]
pub struct EraseRequest {
    /// Which events.
    pub filter: Filter,
    /// The filter as it was written.
    pub text: String,
    /// Why; it is kept, and should not name the person.
    pub reason: String,
    /// Fields to blank, by the names of columns or their paths; without any, events are taken out.
    pub redact: Vec<String>,
    /// Whether to say only what would be done.
    pub dry_run: bool,
}

/// What matches.
struct Found {
    events: Chosen,
    /// Files of the quarantine with records that are to go.
    rejects: u64,
    events_waiting: u64,
}

impl Store {
    /// Takes events out, or blanks fields of them: from the data files, the quarantine, the dictionary of templates and
    /// the index, and from every older version, which cannot be read any more then. Readers get no time of grace.
    pub fn erase(&self, request: &EraseRequest, progress: &dyn Progress) -> Result<EraseReceipt> {
        check(request)?;
        self.stop.store(false, Ordering::Relaxed);
        if request.dry_run {
            let found = self.find_erased(request)?;
            let mut receipt = self.receipt_of(request, &found);
            for archive in &self.archives {
                receipt.archives.push(archive.erase(request, progress)?);
            }
            return Ok(receipt);
        }
        let _upkeep = begin(&self.tables)?;
        self.settle_down()?;
        self.seal()?;
        let _retry = self.tables.storage.try_lock(layout::RETRY_LOCK)?.ok_or_else(|| {
            Error::new(ErrorKind::Busy, "a retry of the quarantine is under way")
                .with_hint("wait until it has ended, then try again")
        })?;
        let found = self.find_erased(request)?;
        let mut receipt = self.receipt_of(request, &found);
        if receipt.events > 0 || receipt.rejects > 0 {
            let number = self.write_record(request, &found)?;
            receipt.number = Some(number);
            self.take_out(request, &found, number, progress)?;
        }
        // Also where nothing matches now: an older version may have what does.
        let purged = erase::purge(&self.work(progress)).map_err(|error| {
            Error::new(
                error.kind(),
                "the events are erased, and older versions of them could not all be removed",
            )
            .with_hint("run the same again, or `daybook maintain`; it goes on with that")
            .with_source(error)
        })?;
        receipt.templates = purged.templates;
        receipt.files_removed = purged.files;
        receipt.commits_removed = purged.commits;
        receipt.files_waiting = purged.waiting;
        for archive in &self.archives {
            receipt.archives.push(self.erase_in(archive, request, progress)?);
        }
        Ok(receipt)
    }

    /// Erases in an archive, which is a store, too.
    fn erase_in(
        &self,
        archive: &Store,
        request: &EraseRequest,
        progress: &dyn Progress,
    ) -> Result<EraseReceipt> {
        let receipt = archive.erase(request, progress)?;
        self.write_manifest(archive, self.tables.events.snapshot(At::Latest)?.table_id())?;
        Ok(receipt)
    }

    fn receipt_of(&self, request: &EraseRequest, found: &Found) -> EraseReceipt {
        EraseReceipt {
            dry_run: request.dry_run,
            events: found.events.iter().map(|(file, rows)| rows.count(file)).sum(),
            redacted: request.redact.clone(),
            rejects: found.rejects,
            quarantine_skipped: !has_words(&request.filter),
            files: found.events.len() as u64,
            events_waiting: found.events_waiting,
            ..EraseReceipt::default()
        }
    }

    fn find_erased(&self, request: &EraseRequest) -> Result<Found> {
        let context = Context::without_clock();
        let options = AskOptions { context, text: &request.text, ..AskOptions::default() };
        let asked = Asked::of_itself(self, &options)?;
        Blank::of(&request.redact, &asked.view.catalogue)?;
        let files: Vec<_> = asked.view.events.files.iter().collect();
        let events = chosen::chosen(&asked, &self.tables, &request.filter, &files)?;
        let mut rejects = 0_u64;
        let is_meant = |raw: &[u8]| is_meant(&request.filter, raw);
        for file in &asked.view.quarantine.files {
            let place = self.tables.place(crate::quarantine::PREFIX, &file.path)?;
            for some in crate::quarantine::read_file(&place)? {
                for reject in some?.iter() {
                    rejects = rejects.saturating_add(u64::from(is_meant(&reject?.raw)));
                }
            }
        }
        let mut events_waiting = chosen::pending(&asked, &self.tables, &request.filter)?;
        for reject in RejectRows::new(&asked.view.pending_rejects)?.iter() {
            events_waiting = events_waiting.saturating_add(u64::from(is_meant(&reject?.raw)));
        }
        Ok(Found { events, rejects, events_waiting })
    }

    /// Keeps what, when and why, without the data.
    fn write_record(&self, request: &EraseRequest, found: &Found) -> Result<u64> {
        let tables = &self.tables;
        let filter = erase::keyed_hash(&*tables.storage, &request.filter.to_string())?;
        let receipt = self.receipt_of(request, found);
        let mut seqs = Vec::new();
        if request.redact.is_empty() {
            seqs = chosen::numbers_of(tables, &found.events)?;
        }
        let files = found.events.iter().map(|(file, rows)| RecordedFile {
            path: file.path.clone(),
            sha256: file.file_hash.clone(),
            events: rows.count(file),
        });
        let files: Vec<RecordedFile> = files.collect();
        erase::record(tables, &|number| {
            let record = Record {
                number,
                time: self.now_ms(),
                reason: &request.reason,
                filter: filter.clone(),
                redacted: &request.redact,
                events: receipt.events,
                rejects: receipt.rejects,
                files: files.clone(),
                seqs: seqs.clone(),
            };
            serde_json::to_vec(&record).map_err(|error| {
                Error::new(ErrorKind::Internal, "the record of an erasure cannot be written")
                    .with_source(error)
            })
        })
    }

    /// Takes rejects out first, and events with the event about it second.
    fn take_out(
        &self,
        request: &EraseRequest,
        found: &Found,
        number: u64,
        progress: &dyn Progress,
    ) -> Result<()> {
        let receipt = self.receipt_of(request, found);
        let filter = erase::keyed_hash(&*self.tables.storage, &request.filter.to_string())?;
        let note = serde_json::json!({
            "number": number,
            "reason": request.reason,
            "filter": filter,
            "redacted": request.redact,
        });
        let note = note.to_string();
        if receipt.rejects > 0 {
            let meant = |raw: &[u8]| is_meant(&request.filter, raw);
            erase_rejects(&self.tables, &meant, &note, self.now_ms())?;
        }
        let is_redaction = !request.redact.is_empty();
        let done = if is_redaction { "had fields blanked" } else { "erased" };
        let details = serde_json::json!({
            "reason": request.reason,
            "erasure": number,
            "erased": receipt.events,
            "rejects": receipt.rejects,
            "redacted_fields": request.redact,
        });
        let account = Account {
            why: if is_redaction { "redact" } else { "erase" },
            note,
            event: take::event_about("erase", format!("{} {done}", counted(receipt.events)), details),
            seq: self.next_seq()?,
            marker: Some(layout::ERASED),
        };
        let catalogue = self.tables.register.latest()?;
        let blank = Blank::of(&request.redact, &catalogue)?;
        let alter = |rows: &arrow::array::RecordBatch| blank.blanked(rows);
        let alter: Option<take::Alter<'_>> = if is_redaction { Some(&alter) } else { None };
        take::take(&self.work(progress), &found.events, &account, alter).map(drop)
    }

    /// Removes what is older than an erasure that was cut off.
    pub(super) fn finish_erasure(&self, progress: &dyn Progress) -> Result<()> {
        match erase::is_due(&self.tables)? {
            true => erase::purge(&self.work(progress)).map(drop),
            false => Ok(()),
        }
    }
}

fn is_meant(filter: &Filter, raw: &[u8]) -> bool {
    in_text(filter, &String::from_utf8_lossy(raw)) == Some(true)
}

fn check(request: &EraseRequest) -> Result<()> {
    let invalid = |message: &str, hint: &str| Err(Error::new(ErrorKind::Invalid, message).with_hint(hint));
    if request.filter.is_all() {
        return invalid(
            "this would erase every event",
            "name which events; to be rid of all, remove the folder",
        );
    }
    if request.reason.trim().is_empty() {
        return invalid(
            "an erasure needs a reason",
            "say why with `--reason`, and do not name the person in it",
        );
    }
    Ok(())
}
