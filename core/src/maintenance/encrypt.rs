//! Encryption of what there is: each file written anew with the key that is written with, the same rows in it.

use super::compact::set_of;
use super::erase::purge;
use super::hashed::each_batch;
use super::rewrite::Rewritten;
use super::take::{Work, abandon};
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::progress::{Step, Unit};
use crate::keys::{self, KeyId};
use crate::layout;
use crate::log::{At, Change, DataFile, Log, Outcome};
use crate::quarantine::{self, Reject};
use crate::storage::Storage;
use crate::wal::{list_writers, segment_key};
use serde::Serialize;
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// What the file holds that says that a store is encrypted, once it is decrypted.
pub const MARKER: &[u8] = b"{\"encryption\":1}\n";
/// What is written anew is kept for long.
const LEVEL: i32 = 9;
/// So many bytes of rejects are written at once.
const REJECT_BYTES: usize = 64 << 20;

/// What was encrypted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EncryptReceipt {
    /// The id of the key.
    pub key: String,
    /// Data files of both tables that were written anew.
    pub files: u64,
    /// Events in them.
    pub events: u64,
    /// Their bytes before.
    pub bytes: u64,
    /// Other files that were encrypted: the catalogue, templates, records of erasures, keys of hashes.
    pub others: u64,
    /// Data files of older versions that were removed.
    pub files_removed: u64,
    /// Older commits that were removed.
    pub commits_removed: u64,
    /// Log segments of processes that are running, which are not encrypted with the key: run it again when they are
    /// sealed.
    pub segments_waiting: u64,
    /// Files that no commit names: somebody may be writing them, or a crash left them.
    pub files_waiting: u64,
    /// How long it took.
    pub seconds: f64,
}

impl EncryptReceipt {
    /// Whether nothing is left that is not encrypted with the key.
    pub fn is_complete(&self) -> bool {
        self.segments_waiting == 0 && self.files_waiting == 0
    }
}

/// Encrypts everything with the first key of the storage. Whoever calls has the lock of the upkeep.
pub fn encrypt(work: &Work<'_>) -> Result<EncryptReceipt> {
    let started = Instant::now();
    let tables = work.tables;
    let Some(keys) = tables.storage.keys() else { return Ok(EncryptReceipt::default()) };
    let id = keys.first().id();
    let mut receipt = EncryptReceipt { key: id.to_string(), ..EncryptReceipt::default() };
    let is_due = |file: &&DataFile| KeyId::parse(&file.key) != Some(id);
    let events = tables.events.snapshot(At::Latest)?;
    let rejects = tables.quarantine.snapshot(At::Latest)?;
    let events: Vec<&DataFile> = events.files.iter().filter(is_due).collect();
    let rejects: Vec<&DataFile> = rejects.files.iter().filter(is_due).collect();
    let total = Some((events.len() + rejects.len()) as u64);
    receipt.others = encrypt_others(work, id)?;
    let both = events.iter().map(|file| (*file, true)).chain(rejects.iter().map(|file| (*file, false)));
    for (file, is_of_events) in both {
        if work.stop.load(Ordering::Relaxed) {
            return Err(interrupted());
        }
        let was_replaced = if is_of_events { replace(work, file)? } else { replace_rejects(work, file)? };
        if was_replaced {
            receipt.files += 1;
            receipt.bytes = receipt.bytes.saturating_add(file.size);
            receipt.events = receipt.events.saturating_add(if is_of_events { file.rows } else { 0 });
        }
        let (done, events) = (receipt.files, receipt.events);
        work.progress.update(&Step { done, total, unit: Unit::Files, events, note: "" });
    }
    // The index is made of data files, and has copies of what was in them.
    tables.index.forget(&[])?;
    let purged = purge(work)?;
    receipt.files_removed = purged.files;
    receipt.commits_removed = purged.commits;
    receipt.files_waiting = purged.waiting;
    receipt.segments_waiting = segments_waiting(work, id)?;
    tables.storage.replace(layout::ENCRYPTION, MARKER)?;
    receipt.seconds = started.elapsed().as_secs_f64();
    Ok(receipt)
}

fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "encryption was interrupted")
        .with_hint("what was done stays; run it again for the rest, and keep both keys until then")
}

/// Writes a file of events anew, and commits it in the place of the old one. False if somebody else changed it.
fn replace(work: &Work<'_>, file: &DataFile) -> Result<bool> {
    let tables = work.tables;
    let snapshot = tables.events.snapshot(At::Latest)?;
    let level = if file.level > 0 { file.level } else { LEVEL };
    let catalogue = tables.register.latest()?;
    let mut fresh = Rewritten::new(&snapshot.schema, file.day, level, &*tables.storage);
    let known = set_of(file)?;
    let mut rows = 0_u64;
    let catalogue = known.as_ref().map(|_| &*catalogue);
    each_batch(tables, &[file], catalogue, |_, batch, hashes| {
        if work.stop.load(Ordering::Relaxed) {
            return Err(interrupted());
        }
        rows = rows.saturating_add(batch.num_rows() as u64);
        fresh.push(batch, hashes)
    })?;
    check_rows(file, rows)?;
    if known.is_some_and(|known| known != *fresh.rows_hash()) {
        let message = format!("`{}` does not hold the events that were written to it", file.path);
        return Err(Error::new(ErrorKind::Corrupt, message)
            .with_hint("restore the file, and the folder `_shapes`, from a copy"));
    }
    let added = fresh.finish(work.now_ms)?;
    let added: Vec<DataFile> = added.into_iter().collect();
    let done = commit(&tables.events, file, &added, work.now_ms)?;
    if !done {
        abandon(tables, &added);
    }
    Ok(done)
}

/// The same for a file of the quarantine.
fn replace_rejects(work: &Work<'_>, file: &DataFile) -> Result<bool> {
    let tables = work.tables;
    let (mut added, mut some, mut bytes, mut rows) = (Vec::new(), Vec::<Reject>::new(), 0_usize, 0_u64);
    for batch in quarantine::read_file(&tables.place_of(quarantine::PREFIX, file)?)? {
        for reject in batch?.iter() {
            let reject = reject?;
            rows = rows.saturating_add(1);
            bytes = bytes.saturating_add(reject.raw.len());
            some.push(reject);
            if bytes >= REJECT_BYTES {
                bytes = 0;
                added.extend(tables.write_rejects(std::mem::take(&mut some), work.now_ms)?);
            }
        }
    }
    check_rows(file, rows)?;
    added.extend(tables.write_rejects(some, work.now_ms)?);
    let done = commit(&tables.quarantine, file, &added, work.now_ms)?;
    if !done {
        for file in &added {
            // A file that stays is removed later, as one that no commit names.
            let _ = tables.storage.delete(&format!("{}{}", quarantine::PREFIX, file.path));
        }
    }
    Ok(done)
}

fn check_rows(file: &DataFile, rows: u64) -> Result<()> {
    if rows == file.rows {
        return Ok(());
    }
    let message = format!("`{}` holds {rows} rows, and not {}", file.path, file.rows);
    Err(Error::new(ErrorKind::Corrupt, message).with_hint("restore the file from a copy"))
}

/// Puts files in the place of one. False if it is not there any more.
fn commit(log: &Log, file: &DataFile, added: &[DataFile], now_ms: i64) -> Result<bool> {
    loop {
        let snapshot = log.snapshot(At::Latest)?;
        let live: HashSet<&str> = snapshot.files.iter().map(|file| file.path.as_str()).collect();
        if !live.contains(file.path.as_str()) {
            return Ok(false);
        }
        let change = Change {
            operation: "OPTIMIZE",
            adds: added.to_vec(),
            removes: vec![file.path.clone()],
            data_change: false,
            ..Change::default()
        };
        match log.commit(&snapshot, &change, now_ms)? {
            Outcome::Committed(_) => return Ok(true),
            Outcome::AlreadyDone => return Ok(false),
            Outcome::Conflict => {}
        }
    }
}

/// Encrypts the small files that are not, or with another key.
fn encrypt_others(work: &Work<'_>, id: KeyId) -> Result<u64> {
    let storage = &work.tables.storage;
    let mut done = 0_u64;
    let single = [layout::REDACT_KEY, layout::ERASE_KEY].map(str::to_string);
    let mut paths: Vec<String> = single.to_vec();
    for folder in [layout::SHAPES, layout::TEMPLATES, layout::ERASURES] {
        paths.extend(storage.list(folder)?.into_iter().map(|entry| entry.path));
    }
    for path in paths {
        let head = match storage.read_range(&path, 0..keys::SEALED_HEAD_BYTES) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            head => head?,
        };
        if keys::sealed_with(&head) != Some(id) {
            storage.replace(&path, &storage.read(&path)?)?;
            done = done.saturating_add(1);
        }
    }
    Ok(done)
}

/// How many segments of running processes are not encrypted with the key.
fn segments_waiting(work: &Work<'_>, id: KeyId) -> Result<u64> {
    let storage = &work.tables.storage;
    let mut waiting = 0_u64;
    for log in list_writers(storage)? {
        for (number, _) in log.segments {
            match segment_key(storage, &log.writer, number) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                key if key.as_ref().is_ok_and(|key| *key == Some(id)) => {}
                key => {
                    key?;
                    waiting = waiting.saturating_add(1);
                }
            }
        }
    }
    Ok(waiting)
}
