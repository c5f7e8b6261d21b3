//! What is kept on the local disk of buckets: a folder for each open store, gone when it closes, and data files by the
//! hash of their bytes, the ones used last, up to a limit.

use super::address::variable;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::disk::Disk;
use crate::storage::lock::{self, FileLock};
use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use uuid::Uuid;

/// So many bytes are kept, unless `DAYBOOK_CACHE_SIZE` says otherwise.
const BYTES: u64 = 10 << 30;

/// The cache of this user, with the folder of one open store.
#[derive(Debug)]
pub(super) struct Cache {
    files: PathBuf,
    folder: PathBuf,
    limit: u64,
    /// The process that made the folder: a child that `fork` makes leaves it alone.
    process: u32,
    lock: Option<FileLock>,
}

impl Cache {
    /// The cache, and a new folder. Folders of processes that were stopped go.
    pub fn open() -> Result<Cache> {
        let home = home();
        let (files, open) = (home.join("files"), home.join("open"));
        for folder in [&files, &open] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| unusable(folder, error))?;
        }
        let limit = limit(variable("DAYBOOK_CACHE_SIZE").as_deref())?;
        let taken = |path: &Path, wait| {
            lock::acquire(&Disk::default(), path, wait).map_err(|error| unusable(path, error))
        };
        // Nobody else's folder is between its making and its lock then.
        let _all = taken(&home.join("open.lock"), true)?;
        for entry in std::fs::read_dir(&open).map_err(|error| unusable(&open, error))?.flatten() {
            let path = entry.path();
            if path.is_dir() && taken(&lock_of(&path), false)?.is_some() {
                remove(&path);
            }
        }
        let folder = open.join(Uuid::new_v4().to_string());
        let lock = taken(&lock_of(&folder), true)?;
        DirBuilder::new().mode(0o700).create(&folder).map_err(|error| unusable(&folder, error))?;
        Ok(Cache { files, folder, limit, process: std::process::id(), lock })
    }

    /// The folder of the open store.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many bytes a store may have in its folder, and all of them in the cache.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Gives a kept file another name; whether there is one.
    pub fn take(&self, sha256: &str, size: u64, target: &Path) -> bool {
        let kept = self.files.join(sha256);
        let is_whole = std::fs::metadata(&kept).is_ok_and(|metadata| metadata.len() == size);
        if !is_whole || std::fs::hard_link(&kept, target).is_err() {
            return false;
        }
        // It is used now: others go before it.
        let _ =
            File::options().append(true).open(&kept).and_then(|file| file.set_modified(SystemTime::now()));
        true
    }

    /// Keeps a file that was fetched. That it cannot be kept is no error: it is fetched again.
    pub fn keep(&self, sha256: &str, from: &Path) {
        let is_name = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_durable = || File::open(from).and_then(|file| file.sync_data()).is_ok();
        if is_name && is_durable() && std::fs::hard_link(from, self.files.join(sha256)).is_ok() {
            self.evict();
        }
    }

    /// Removes the files that were not used for longest, until the others are within the limit.
    fn evict(&self) {
        let Ok(entries) = std::fs::read_dir(&self.files) else { return };
        let mut kept: Vec<(i64, i64, u64, PathBuf)> = Vec::new();
        for entry in entries.flatten() {
            if let Ok(metadata) = entry.metadata() {
                kept.push((metadata.mtime(), metadata.mtime_nsec(), metadata.len(), entry.path()));
            }
        }
        kept.sort();
        let mut total: u64 = kept.iter().map(|(_, _, size, _)| size).sum();
        for (_, _, size, path) in kept {
            if total <= self.limit {
                return;
            }
            total = total.saturating_sub(size);
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            remove(&self.folder);
        }
        drop(self.lock.take());
    }
}

/// Removes a folder and its lock. What cannot go now goes when the next store is opened.
fn remove(folder: &Path) {
    if std::fs::remove_dir_all(folder).is_ok() {
        let _ = std::fs::remove_file(lock_of(folder));
    }
}

fn lock_of(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}

/// `DAYBOOK_CACHE`, or where programs of this user keep such things.
fn home() -> PathBuf {
    let named = variable("DAYBOOK_CACHE").map(PathBuf::from);
    let usual = || variable("XDG_CACHE_HOME").map(|home| Path::new(&home).join("daybook"));
    let at_home = || variable("HOME").map(|home| Path::new(&home).join(".cache/daybook"));
    named
        .or_else(usual)
        .or_else(at_home)
        .unwrap_or_else(|| std::env::temp_dir().join("daybook"))
        .join("buckets")
}

/// A size such as `500MB`, `2GiB` or a number of bytes.
fn limit(text: Option<&str>) -> Result<u64> {
    let Some(text) = text else { return Ok(BYTES) };
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let factor = match text.get(digits.len()..).unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "mb" => Some(1_000_000),
        "mib" => Some(1 << 20),
        "gb" => Some(1_000_000_000),
        "gib" => Some(1 << 30),
        _ => None,
    };
    let bytes =
        digits.trim().parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    bytes.ok_or_else(|| {
        Error::new(ErrorKind::Invalid, "`DAYBOOK_CACHE_SIZE` is no size")
            .with_hint("such as `500MB` or `20GB`")
    })
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    Error::io("keep files of a bucket in", path.display(), error)
        .with_hint("`DAYBOOK_CACHE` names another folder for them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(limit(None).unwrap(), BYTES);
        assert_eq!(limit(Some("500MB")).unwrap(), 500_000_000);
        assert_eq!(limit(Some("2GiB")).unwrap(), 2 << 30);
        assert_eq!(limit(Some("77")).unwrap(), 77);
        for wrong in ["", "x", "5PB", "-1", "99999999999GB"] {
            assert!(limit(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
