//! A consistent copy of a store that others are using.

use super::take::Work;
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::hex;
use crate::ingest::progress::{Step, Unit};
use crate::layout;
use crate::log::{DataFile, Log, Snapshot};
use crate::quarantine;
use crate::storage::{LocalStorage, Storage};
use crate::wal::list_writers;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// So much of a file is copied at once.
const CHUNK_BYTES: u64 = 1 << 20;

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BackupReceipt {
    /// The version of the table of events.
    pub version: u64,
    /// Events in data files.
    pub events: u64,
    /// Data files, of events and of the quarantine; each was compared with its hash.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// The head of the hash chain.
    pub head: String,
}

/// Copies the log first, then what the snapshots name, so that nothing that was sealed meanwhile is lost or doubled.
/// `view` takes the snapshots, of events and of the quarantine, when the log is copied.
pub fn backup(
    work: &Work<'_>,
    target: &Arc<LocalStorage>,
    view: &dyn Fn() -> Result<(Arc<Snapshot>, Arc<Snapshot>)>,
) -> Result<BackupReceipt> {
    make_ready(target)?;
    let source = &*work.tables.storage;
    copy_segments(source, target)?;
    let (events, quarantine) = view()?;
    let mut receipt = BackupReceipt { version: events.version, ..BackupReceipt::default() };
    let tables = [("", &events), (quarantine::PREFIX, &quarantine)];
    let all =
        tables.iter().flat_map(|(prefix, snapshot)| snapshot.files.iter().map(move |file| (*prefix, file)));
    let total = Some(events.files.len().saturating_add(quarantine.files.len()) as u64);
    for (prefix, file) in all {
        if work.stop.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "the backup was interrupted")
                .with_hint("run it again; it starts anew"));
        }
        copy_data_file(source, target, prefix, file)?;
        receipt.files = receipt.files.saturating_add(1);
        receipt.bytes = receipt.bytes.saturating_add(file.size);
        let (done, events) = (receipt.files, receipt.events);
        work.progress.update(&Step { done, total, unit: Unit::Files, events, note: "" });
    }
    receipt.events = events.files.iter().map(|file| file.rows).sum();
    for folder in [layout::SHAPES, layout::TEMPLATES, layout::ERASURES] {
        copy_folder(source, target, folder)?;
    }
    for name in [layout::SETTINGS, layout::ENCRYPTION, layout::REDACT_KEY, layout::ERASE_KEY, layout::SEQ] {
        copy(source, target, name)?;
    }
    for (prefix, snapshot) in tables {
        copy_log(source, target, prefix, snapshot.version)?;
        let shared: Arc<dyn Storage> = target.clone();
        // The copy has this version only: the files of earlier ones are not in it.
        Log::open(shared, prefix.trim_end_matches('/'))?.purge()?;
    }
    target.delete(layout::INCOMPLETE)?;
    target.sync_folder("")?;
    Ok(receipt)
}

/// Refuses a folder that holds something else; empties one in which a backup was cut off.
fn make_ready(target: &LocalStorage) -> Result<()> {
    let files = target.list("")?;
    let is_cut_off = files.iter().any(|entry| entry.path == layout::INCOMPLETE);
    if let Some(first) = files.first().filter(|_| !is_cut_off) {
        let message = format!("`{}` holds something already: `{}`", target.name(), first.path);
        return Err(Error::new(ErrorKind::Invalid, message).with_hint("name an empty folder, or a new one"));
    }
    for entry in files.iter().filter(|entry| entry.path != layout::INCOMPLETE) {
        target.delete(&entry.path)?;
    }
    target.put_if_absent(layout::INCOMPLETE, b"a backup that was not finished\n").map(drop)
}

/// The segments of all writers as they are now. One that is gone was sealed, and is in the snapshot.
fn copy_segments(source: &LocalStorage, target: &LocalStorage) -> Result<()> {
    for log in list_writers(source)? {
        for (number, _) in log.segments {
            copy(source, target, &layout::segment(&log.writer, number))?;
        }
    }
    Ok(())
}

/// The commits and checkpoints of a table up to a version, and the records of commits that are gone.
fn copy_log(source: &LocalStorage, target: &LocalStorage, prefix: &str, version: u64) -> Result<()> {
    let folder = format!("{prefix}{}", layout::DELTA_LOG);
    for entry in source.list(&folder)? {
        let name = entry.path.strip_prefix(&folder).and_then(|name| name.strip_prefix('/'));
        let number = name.and_then(|name| name.split_once('.')?.0.parse::<u64>().ok());
        if number.is_some_and(|number| number <= version) {
            copy(source, target, &entry.path)?;
        }
    }
    // After the commits: the record of one that went meanwhile is there.
    let chain = format!("{prefix}{}", layout::CHAIN);
    for entry in source.list(&chain)? {
        let number = Path::new(&entry.path).file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        if number.is_some_and(|number| number < version) {
            copy(source, target, &entry.path)?;
        }
    }
    Ok(())
}

fn copy_folder(source: &LocalStorage, target: &LocalStorage, folder: &str) -> Result<()> {
    source.list(folder)?.iter().try_for_each(|entry| copy(source, target, &entry.path))
}

/// Copies a small file, if it is there.
fn copy(source: &LocalStorage, target: &LocalStorage, path: &str) -> Result<()> {
    match source.read(path) {
        Ok(bytes) => target.replace(path, &bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Copies a data file, and compares it with its hash.
fn copy_data_file(source: &LocalStorage, target: &LocalStorage, prefix: &str, file: &DataFile) -> Result<()> {
    let path = format!("{prefix}{}", file.path);
    let mut out = target.create(&path)?;
    let (mut hash, mut offset) = (Sha256::new(), 0_u64);
    loop {
        let until = offset.saturating_add(CHUNK_BYTES);
        let chunk = source.read_range(&path, offset..until)?;
        hash.update(&chunk);
        out.write_all(&chunk).map_err(|error| Error::io("write", &path, error))?;
        if (chunk.len() as u64) < CHUNK_BYTES {
            break;
        }
        offset = until;
    }
    if !file.file_hash.is_empty() && hex(&hash.finalize()) != file.file_hash {
        let message = format!("`{path}` has other bytes than when it was committed");
        return Err(Error::new(ErrorKind::Corrupt, message)
            .with_hint("`daybook verify` says what else is wrong; restore the file from an earlier copy"));
    }
    out.finish()
}
