//! Files of a bucket in the folder of its open store.

use super::objects_at_once;
use super::runtime::wait;
use super::{Bucket, is_data, is_settled};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Entry, TEMPORARY};
use object_store::ObjectStoreExt;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// So much of an object is asked for at once.
const PIECE_BYTES: u64 = 8 << 20;
/// A data file that nobody asked for in this time may go when there is no room.
const IDLE: Duration = Duration::from_secs(600);

/// A data file that is wanted, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its path in the store.
    pub path: &'a str,
    /// Its size in bytes; 0 where nobody knows.
    pub size: u64,
    /// The SHA-256 of its bytes in hexadecimal; empty where nobody knows.
    pub sha256: &'a str,
}

impl Bucket {
    /// Has data files in the folder.
    pub fn fetch(&self, wanted: &[Wanted<'_>]) -> Result<()> {
        let lacking: Vec<Wanted<'_>> =
            wanted.iter().copied().filter(|file| !self.is_here(file.path)).collect();
        if lacking.is_empty() {
            return Ok(());
        }
        self.make_room(lacking.iter().map(|file| file.size).sum())?;
        objects_at_once(&lacking, |file| self.fetch_one(file))
    }

    /// Whether a file is in the folder; it is used now.
    fn is_here(&self, path: &str) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.get_mut(path).map(|(_, used)| *used = Instant::now());
        found.is_some() || self.place(path).exists()
    }

    fn place(&self, path: &str) -> PathBuf {
        self.cache.folder().join(path)
    }

    fn fetch_one(&self, file: &Wanted<'_>) -> Result<()> {
        let target = self.place(file.path);
        self.make_folder(&target)?;
        let is_anew = self.anew.load(Ordering::Relaxed);
        if file.sha256.is_empty() || is_anew || !self.cache.take(file.sha256, file.size, &target) {
            let (size, sha256) = self.download(file.path, &target)?;
            if !file.sha256.is_empty() && sha256 != file.sha256 {
                let _ = std::fs::remove_file(&target);
                let message = format!("`{}` has other bytes than were written", self.address.url(file.path));
                return Err(
                    Error::new(ErrorKind::Corrupt, message).with_hint("restore the object from a copy")
                );
            }
            if !file.sha256.is_empty() && !is_anew {
                self.cache.keep(&sha256, &target);
            }
            self.hold(file.path, size);
        } else {
            self.hold(file.path, file.size);
        }
        Ok(())
    }

    fn hold(&self, path: &str, size: u64) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(path.to_string(), (size, Instant::now()));
    }

    /// Makes room in the folder for so many bytes, of files that nobody uses.
    fn make_room(&self, bytes: u64) -> Result<()> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total: u64 = held.values().map(|(size, _)| size).sum::<u64>().saturating_add(bytes);
        if total > self.cache.limit() {
            held.retain(|path, (size, used)| {
                let stays = used.elapsed() < IDLE;
                if !stays {
                    total = total.saturating_sub(*size);
                    let _ = std::fs::remove_file(self.place(path));
                }
                stays
            });
        }
        if total <= self.cache.limit() {
            return Ok(());
        }
        let message = format!(
            "this needs {total} bytes of `{}` on the local disk, and may have {}",
            self.name(),
            self.cache.limit()
        );
        Err(Error::new(ErrorKind::Limit, message)
            .with_hint("ask about a shorter time, or raise `DAYBOOK_CACHE_SIZE`"))
    }

    /// Removes a data file from the folder: it is fetched again when it is wanted.
    pub fn release(&self, path: &str) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
        let _ = std::fs::remove_file(self.place(path));
    }

    /// From here on, what is read is what the bucket has now, and not what was fetched before.
    pub fn read_anew(&self) {
        self.anew.store(true, Ordering::Relaxed);
        let held = std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
        for path in held.keys() {
            let _ = std::fs::remove_file(self.place(path));
        }
    }

    /// A file that never changes, if it is in the folder.
    pub fn here(&self, path: &str) -> Option<Vec<u8>> {
        if !is_settled(path) || is_data(path) {
            return None;
        }
        std::fs::read(self.place(path)).ok()
    }

    /// Brings those objects of a folder here that are chosen, and removes what the bucket has no more.
    pub fn bring(&self, folder: &str, choose: &dyn Fn(&[Entry]) -> Vec<String>) -> Result<()> {
        let listed = self.list(folder)?;
        let here = self.place(folder);
        self.make_folder(&here.join("x"))?;
        for entry in std::fs::read_dir(&here).map_err(|error| failed(&here, error))?.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{folder}/{name}");
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let is_there = || listed.binary_search_by(|entry| entry.path.as_str().cmp(&path)).is_ok();
            if is_file && !name.starts_with(TEMPORARY) && !is_there() {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        let mut chosen = choose(&listed);
        chosen.retain(|path| !self.place(path).exists());
        objects_at_once(&chosen, |path| {
            let target = self.place(path);
            self.make_folder(&target)?;
            match self.download(path, &target) {
                // It went after it was listed.
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                done => done.map(drop),
            }
        })
    }

    fn make_folder(&self, file: &Path) -> Result<()> {
        let folder = file.parent().unwrap_or(file);
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))
    }

    /// Writes an object to a file, which gets its name when it is whole; its size and the SHA-256 of its bytes.
    fn download(&self, path: &str, target: &Path) -> Result<(u64, String)> {
        let temporary = target.with_file_name(format!("{TEMPORARY}{}", Uuid::new_v4()));
        let done = self.download_to(path, &temporary).and_then(|written| {
            std::fs::rename(&temporary, target).map_err(|error| failed(target, error))?;
            Ok(written)
        });
        if done.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        done
    }

    fn download_to(&self, path: &str, temporary: &Path) -> Result<(u64, String)> {
        let key = self.key(path)?;
        let told = |error| self.told("read", path, &error);
        let size = self.again(|| wait(self.client.head(&key)))?.map_err(told)?.size;
        let mut file = File::create_new(temporary).map_err(|error| failed(temporary, error))?;
        let (mut hash, mut offset) = (Sha256::new(), 0_u64);
        while offset < size {
            let until = offset.saturating_add(PIECE_BYTES).min(size);
            let piece = self.again(|| wait(self.client.get_range(&key, offset..until)))?.map_err(told)?;
            if piece.is_empty() {
                let message = format!("`{}` ended early", self.address.url(path));
                return Err(Error::new(ErrorKind::Io, message));
            }
            hash.update(&piece);
            file.write_all(&piece).map_err(|error| failed(temporary, error))?;
            offset = offset.saturating_add(piece.len() as u64);
        }
        Ok((size, super::hex(&hash.finalize())))
    }
}

fn failed(place: &Path, error: std::io::Error) -> Error {
    Error::io("keep files of a bucket in", place.display(), error)
}
