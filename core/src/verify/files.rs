//! The data files of a table: each is read whole, and hashed.

use super::replay::{Recorded, Replayed};
use super::rows::Rows;
use super::{Problem, ProblemKind, step, stopped};
use crate::error::{ErrorKind, Result};
use crate::event::canonical::hex;
use crate::ingest::progress::Progress;
use crate::log::{decoded_path, encoded_path};
use crate::seal::Tables;
use crate::storage::{Entry, Storage};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// So much of a file is read at once.
const CHUNK_BYTES: u64 = 1 << 20;

/// A table, and the files that are in its folders.
pub(super) struct Place<'a> {
    pub(super) table: &'static str,
    pub(super) prefix: &'a str,
    pub(super) listed: Vec<Entry>,
    /// Whether rows are hashed anew.
    pub(super) deep: bool,
}

/// What was found of a table's files.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) rows: u64,
    pub(super) rows_hashed: u64,
    /// The ids of templates that its rows have, where these were looked at.
    pub(super) templates: BTreeSet<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// Hashes each live file, on every core, and names files that no commit names.
pub(super) fn check(
    tables: &Tables,
    replayed: &Replayed,
    place: &Place<'_>,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Checked> {
    let mut on_disk = HashMap::new();
    for entry in &place.listed {
        let name = entry.path.strip_prefix(place.prefix).unwrap_or(&entry.path);
        on_disk.insert(encoded_path(name), entry);
    }
    let mut checked = Checked::default();
    let unknown = on_disk.iter().filter(|(path, _)| !replayed.named.contains(*path));
    let mut unknown: Vec<&str> = unknown.map(|(_, entry)| entry.path.as_str()).collect();
    unknown.sort_unstable();
    for path in unknown {
        let message = format!(
            "no commit names `{path}`: it is being written, a crash left it, somebody added it, or its commit was cut off"
        );
        checked.warnings.push(Problem::new(ProblemKind::UnknownFile, place.table, message).of(path));
    }
    let files: Vec<(&String, &Recorded)> = replayed.live.iter().collect();
    let total = files.iter().filter_map(|(path, _)| Some(on_disk.get(*path)?.size)).sum();
    let (next, done, hashed) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let rows = Rows::of(tables, place, &hashed, stop)?;
    let found: Mutex<Vec<(usize, Result<Option<Problem>>)>> = Mutex::default();
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((path, recorded)) = files.get(number) else { return };
            let result = match stop.load(Ordering::Relaxed) {
                true => Err(stopped()),
                false => {
                    let bytes = check_file(tables, place, (path, recorded), &|bytes| {
                        let done = done.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
                        step(progress, done, total);
                        !stop.load(Ordering::Relaxed)
                    });
                    match (bytes, &rows) {
                        (Ok(None), Some(rows)) => rows.check(path, recorded),
                        (bytes, _) => bytes,
                    }
                    .inspect(|_| release(tables, place, path))
                }
            };
            found.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len().max(1));
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(number, _)| *number);
    for (_, result) in found {
        checked.problems.extend(result?);
    }
    checked.files = files.len() as u64;
    checked.bytes = done.into_inner();
    checked.rows_hashed = hashed.load(Ordering::Relaxed);
    checked.templates = rows.map(Rows::into_templates).unwrap_or_default();
    checked.rows = files.iter().map(|(_, recorded)| recorded.rows).sum();
    Ok(checked)
}

/// A file that was fetched for the look at it is not needed any more.
fn release(tables: &Tables, place: &Place<'_>, path: &str) {
    if let Ok(path) = decoded_path(path) {
        tables.storage.release(&format!("{}{path}", place.prefix));
    }
}

/// What is wrong with a file, if anything is.
fn check_file(
    tables: &Tables,
    place: &Place<'_>,
    (path, recorded): (&str, &Recorded),
    read: &dyn Fn(u64) -> bool,
) -> Result<Option<Problem>> {
    let name = format!("{}{}", place.prefix, decoded_path(path)?);
    let problem = |kind, message: String| {
        Ok(Some(Problem::new(kind, place.table, message).at(recorded.version).of(name.clone())))
    };
    let missing = || {
        problem(
            ProblemKind::FileMissing,
            format!("the file `{name}` with {} events is not there", recorded.rows),
        )
    };
    if recorded.file_hash == "-" {
        return Ok(None);
    }
    let mut hash = Sha256::new();
    let mut offset = 0_u64;
    loop {
        let until = offset.saturating_add(CHUNK_BYTES);
        let chunk = match tables.storage.read_range(&name, offset..until) {
            Err(error) if error.kind() == ErrorKind::NotFound => return missing(),
            chunk => chunk?,
        };
        hash.update(&chunk);
        if !read(chunk.len() as u64) {
            return Err(stopped());
        }
        if (chunk.len() as u64) < CHUNK_BYTES {
            break;
        }
        offset = until;
    }
    if hex(&hash.finalize()) == recorded.file_hash {
        return Ok(None);
    }
    problem(ProblemKind::FileAltered, format!("the file `{name}` has other bytes than when it was committed"))
}
