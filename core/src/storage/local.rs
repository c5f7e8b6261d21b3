//! A store on a local file system.

use super::bucket::{Bucket, Upload, Wanted, is_bucket, is_data, is_of_process};
mod paths;

use super::disk::Disk;
use super::file::{AppendFile, NewFile};
use super::lock::{self, FileLock};
use super::probe::Probe;
use super::{Entry, Put, Storage, StorageFile};
use crate::error::{Error, ErrorKind, Result};
use crate::keys::{self, Keys};
use crate::layout;
use paths::{folder_of, is_temporary, join, to_entry};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The beginning of names of files that are not whole yet.
pub const TEMPORARY: &str = ".tmp-";

/// A folder on a local disk. Folders are made as needed, for their owner only, and so are files.
///
/// A store in a bucket has one while it is open: what has to be opened by name is fetched into it, and what is written
/// goes to the bucket.
#[derive(Debug)]
pub struct LocalStorage {
    root: PathBuf,
    disk: Disk,
    bucket: Option<Arc<Bucket>>,
    keys: Option<Arc<Keys>>,
    /// Folders whose names this handle knows to be durable.
    durable: Mutex<HashSet<String>>,
}

impl LocalStorage {
    /// The storage at a place: a folder, or `s3://bucket/prefix`.
    pub fn open(place: &Path) -> Result<LocalStorage> {
        if !is_bucket(place) {
            return Ok(LocalStorage::new(place));
        }
        let bucket = Bucket::open(place)?;
        Ok(LocalStorage { bucket: Some(Arc::clone(&bucket)), ..LocalStorage::new(&bucket.folder()) })
    }

    /// The storage below `root`, which is made at the first write.
    pub fn new(root: &Path) -> LocalStorage {
        LocalStorage {
            root: root.to_path_buf(),
            disk: Disk::default(),
            bucket: None,
            keys: None,
            durable: Mutex::default(),
        }
    }

    /// The same, with a probe that hears of every change and may refuse it.
    pub fn with_probe(root: &Path, probe: Arc<dyn Probe>) -> LocalStorage {
        LocalStorage { disk: Disk::new(Some(probe)), ..LocalStorage::new(root) }
    }

    /// The same, with the keys of a store that is encrypted, or is to be.
    #[must_use]
    pub fn with_keys(self, keys: Option<Arc<Keys>>) -> LocalStorage {
        LocalStorage { keys, ..self }
    }

    /// What a file is written as.
    fn sealed<'a>(&self, path: &str, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>> {
        Ok(match &self.keys {
            Some(keys) if layout::is_sealed(path) => Cow::Owned(keys.first().seal(path, bytes)?),
            _ => Cow::Borrowed(bytes),
        })
    }

    /// Whether the store is in a bucket.
    pub fn is_in_bucket(&self) -> bool {
        self.bucket.is_some()
    }

    /// Has data files on the local disk.
    pub fn fetch(&self, wanted: &[Wanted<'_>]) -> Result<()> {
        self.bucket.as_ref().map_or(Ok(()), |bucket| bucket.fetch(wanted))
    }

    /// Says that a data file is not needed on the local disk any more, if the store is not there.
    pub fn release(&self, path: &str) {
        if let Some(bucket) = &self.bucket {
            bucket.release(path);
        }
    }

    /// From here on, what is read is what the store has, and no copy of it.
    pub fn read_anew(&self) {
        if let Some(bucket) = &self.bucket {
            bucket.read_anew();
        }
    }

    /// The names directly in the store's folder, sorted; none where there is no folder.
    pub fn names(&self) -> Result<Vec<String>> {
        if let Some(bucket) = &self.bucket {
            let names = bucket.names("")?;
            return Ok(names.folders.into_iter().chain(names.files).collect());
        }
        let failed = |error| Error::io("look into", self.root.display(), error);
        let entries = match std::fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let message = format!("`{}` is a file, and a store is a folder", self.root.display());
                return Err(
                    Error::new(ErrorKind::Invalid, message).with_hint("name an empty folder, or a new one")
                );
            }
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// The bucket that a file is in.
    fn far(&self, path: &str) -> Option<&Arc<Bucket>> {
        self.bucket.as_ref().filter(|_| !is_of_process(path))
    }

    /// A new file to append to. Its name is durable after [`Storage::sync_folder`].
    pub fn open_append(&self, path: &str) -> Result<AppendFile> {
        let (file, target) = self.create_file(path)?;
        Ok(AppendFile::new(self.disk.clone(), file, target))
    }

    /// Overwrites the beginning of a small file, which is made if it is not there. Unless `durable`, the
    /// bytes survive the death of the process but not a loss of power.
    pub fn overwrite(&self, path: &str, bytes: &[u8], durable: bool) -> Result<()> {
        let target = self.place(path)?;
        let failed = |error| Error::io("write", target.display(), error);
        let (file, is_new) = match OpenOptions::new().write(true).open(&target) {
            Ok(file) => (file, false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (self.create_file(path)?.0, true),
            Err(error) => return Err(failed(error)),
        };
        self.disk.write_at(&file, &target, bytes, 0).map_err(failed)?;
        if durable || is_new {
            self.disk.sync_data(&file, &target).map_err(failed)?;
        }
        if is_new {
            self.sync_folder(folder_of(path))?;
        }
        Ok(())
    }

    /// Takes the lock that a file stands for, waiting for it. The file is made if it is not there.
    pub fn lock_exclusive(&self, path: &str) -> Result<FileLock> {
        match self.lock(path, true)? {
            Some(lock) => Ok(lock),
            None => {
                Err(Error::new(ErrorKind::Internal, format!("waiting for the lock `{path}` ended early")))
            }
        }
    }

    /// Takes the lock that a file stands for, or gives `None` if another process, or another handle in this
    /// one, holds it. The file is made if it is not there, but not its folder.
    pub fn try_lock(&self, path: &str) -> Result<Option<FileLock>> {
        let Some(bucket) = self.far(path) else { return self.lock(path, false) };
        self.ensure_folder(folder_of(path))?;
        let Some(lock) = self.lock(path, false)? else { return Ok(None) };
        Ok(bucket.try_lease(path)?.map(|lease| lock.with_lease(lease)))
    }

    /// Makes a folder and its name durable.
    pub fn create_folder(&self, folder: &str) -> Result<()> {
        self.place(folder)?;
        self.ensure_folder(folder)
    }

    /// The names of the folders in a folder, sorted; empty where the folder does not exist.
    pub fn folders(&self, folder: &str) -> Result<Vec<String>> {
        if let Some(bucket) = self.far(folder) {
            return Ok(bucket.names(folder)?.folders);
        }
        let path = self.place_of_folder(folder)?;
        let failed = |error| Error::io("list", path.display(), error);
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir())
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Removes a folder if it is empty; whether it is gone now.
    pub fn remove_folder(&self, folder: &str) -> Result<bool> {
        let path = self.place(folder)?;
        self.durable().remove(folder);
        match self.disk.remove_folder(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
            Err(error) => Err(Error::io("remove", path.display(), error)),
        }
    }

    /// Removes what writes that never ended left behind below a folder, if it last changed before a time;
    /// how many files.
    pub fn remove_leftovers(&self, folder: &str, before_us: i64) -> Result<u64> {
        let mut found = Vec::new();
        self.walk(folder, &mut found)?;
        let mut removed = 0;
        for entry in found.iter().filter(|entry| is_temporary(&entry.path) && entry.modified_us < before_us) {
            self.delete(&entry.path)?;
            removed += 1;
        }
        Ok(removed)
    }

    fn durable(&self) -> MutexGuard<'_, HashSet<String>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self, path: &str, wait: bool) -> Result<Option<FileLock>> {
        let target = self.place(path)?;
        if wait {
            self.ensure_folder(folder_of(path))?;
        }
        lock::acquire(&self.disk, &target, wait).map_err(|error| Error::io("lock", target.display(), error))
    }

    /// The absolute path of a file, after a check that it stays inside the store.
    fn place(&self, path: &str) -> Result<PathBuf> {
        let fits = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
        if path.split('/').all(fits) {
            return Ok(self.root.join(path));
        }
        Err(Error::new(ErrorKind::Invalid, format!("`{path}` is no path inside a store")))
    }

    fn place_of_folder(&self, folder: &str) -> Result<PathBuf> {
        if folder.is_empty() { Ok(self.root.clone()) } else { self.place(folder) }
    }

    /// A new file, and its folder if needed. The folder may have been removed since this handle last saw it.
    fn create_file(&self, path: &str) -> Result<(File, PathBuf)> {
        let target = self.place(path)?;
        let folder = folder_of(path);
        self.ensure_folder(folder)?;
        let created = match self.disk.create(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.durable().remove(folder);
                self.ensure_folder(folder)?;
                self.disk.create(&target)
            }
            created => created,
        };
        match created {
            Ok(file) => Ok((file, target)),
            Err(error) => Err(Error::io("create", target.display(), error)),
        }
    }

    /// Makes a folder if it is not there. Its name is made durable also where another process made it,
    /// since that one may not have come that far.
    fn ensure_folder(&self, folder: &str) -> Result<()> {
        if self.durable().contains(folder) {
            return Ok(());
        }
        if folder.is_empty() {
            self.ensure_root(&self.root)?;
        } else {
            let parent = folder_of(folder);
            self.ensure_folder(parent)?;
            let path = self.place(folder)?;
            self.make_folder(&path)?;
            self.sync_folder(parent)?;
        }
        self.durable().insert(folder.to_string());
        Ok(())
    }

    fn ensure_root(&self, path: &Path) -> Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        self.ensure_root(parent)?;
        self.make_folder(path)?;
        self.disk.sync_folder(parent).map_err(|error| Error::io("sync", parent.display(), error))
    }

    fn make_folder(&self, path: &Path) -> Result<()> {
        match self.disk.create_folder(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(Error::io("create the folder", path.display(), error))
            }
            _ => Ok(()),
        }
    }

    /// A synced file under a name of its own, in the folder of `path`.
    fn write_temporary(&self, path: &str, bytes: &[u8]) -> Result<PathBuf> {
        let name = format!("{TEMPORARY}{}", Uuid::new_v4());
        let (file, temporary) = self.create_file(&join(folder_of(path), &name))?;
        let written = self
            .disk
            .write_at(&file, &temporary, bytes, 0)
            .and_then(|()| self.disk.sync_data(&file, &temporary));
        if let Err(error) = written {
            let _ = self.disk.remove(&temporary);
            return Err(Error::io("write", temporary.display(), error));
        }
        Ok(temporary)
    }

    /// All files below a folder, in no order, with temporary ones.
    fn walk(&self, folder: &str, found: &mut Vec<Entry>) -> Result<()> {
        let path = self.place_of_folder(folder)?;
        let failed = |error| Error::io("list", path.display(), error);
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let inside = join(folder, &name);
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.walk(&inside, found)?;
                continue;
            }
            match std::fs::metadata(entry.path()) {
                Ok(metadata) if metadata.is_file() => found.push(to_entry(inside, &metadata)),
                Ok(_) => {}
                // It went while we looked.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}

impl Storage for LocalStorage {
    fn local_root(&self) -> Option<&Path> {
        Some(&self.root)
    }

    fn keys(&self) -> Option<&Arc<Keys>> {
        self.keys.as_ref()
    }

    fn name(&self) -> String {
        self.bucket.as_ref().map_or_else(|| self.root.display().to_string(), |bucket| bucket.name())
    }

    fn bring(&self, folder: &str, choose: &dyn Fn(&[Entry]) -> Vec<String>) -> Result<()> {
        self.bucket.as_ref().map_or(Ok(()), |bucket| bucket.bring(folder, choose))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>> {
        let target = self.place(path)?;
        let bytes = match self.far(path) {
            Some(bucket) => bucket.here(path).map_or_else(|| bucket.read(path), Ok)?,
            None => std::fs::read(&target).map_err(|error| Error::io("read", target.display(), error))?,
        };
        if layout::is_sealed(path) { keys::opened(path, bytes, self.keys.as_deref()) } else { Ok(bytes) }
    }

    fn read_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>> {
        let target = self.place(path)?;
        if let Some(bucket) = self.far(path) {
            if !is_data(path) {
                return bucket.read_range(path, range);
            }
            bucket.fetch(&[Wanted { path, size: 0, sha256: "" }])?;
        }
        let read = || {
            let mut file = File::open(&target)?;
            file.seek(SeekFrom::Start(range.start))?;
            let mut bytes = Vec::new();
            file.take(range.end.saturating_sub(range.start)).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error| Error::io("read", target.display(), error))
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        if let Some(bucket) = self.far(folder) {
            return bucket.list(folder);
        }
        let mut found = Vec::new();
        self.walk(folder, &mut found)?;
        found.retain(|entry| !is_temporary(&entry.path));
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn put_if_absent(&self, path: &str, bytes: &[u8]) -> Result<Put> {
        let target = self.place(path)?;
        let bytes = self.sealed(path, bytes)?;
        if let Some(bucket) = self.far(path) {
            return bucket.put_if_absent(path, &bytes);
        }
        if target.symlink_metadata().is_ok() {
            return self.sync_folder(folder_of(path)).map(|()| Put::Exists);
        }
        let temporary = self.write_temporary(path, &bytes)?;
        let linked = self.disk.link(&temporary, &target);
        let _ = self.disk.remove(&temporary);
        match linked {
            Ok(()) => self.sync_folder(folder_of(path)).map(|()| Put::Written),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.sync_folder(folder_of(path)).map(|()| Put::Exists)
            }
            Err(error) => Err(Error::io("create", target.display(), error)),
        }
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let target = self.place(path)?;
        let bytes = self.sealed(path, bytes)?;
        if let Some(bucket) = self.far(path) {
            return bucket.replace(path, &bytes);
        }
        let temporary = self.write_temporary(path, &bytes)?;
        if let Err(error) = self.disk.rename(&temporary, &target) {
            let _ = self.disk.remove(&temporary);
            return Err(Error::io("replace", target.display(), error));
        }
        self.sync_folder(folder_of(path))
    }

    fn create(&self, path: &str) -> Result<Box<dyn StorageFile>> {
        let (file, target) = self.create_file(path)?;
        let folder = self.place_of_folder(folder_of(path))?;
        let new = Box::new(NewFile::new(self.disk.clone(), file, target.clone(), folder));
        Ok(match self.far(path) {
            Some(bucket) => Box::new(Upload {
                file: new,
                place: target,
                path: path.to_string(),
                bucket: Arc::clone(bucket),
            }),
            None => new,
        })
    }

    fn delete(&self, path: &str) -> Result<()> {
        let target = self.place(path)?;
        if let Some(bucket) = self.far(path) {
            bucket.delete(path)?;
            bucket.release(path);
            return Ok(());
        }
        match self.disk.remove(&target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", target.display(), error))
            }
            _ => Ok(()),
        }
    }

    fn sync_folder(&self, folder: &str) -> Result<()> {
        if self.far(folder).is_some() {
            // What a bucket has taken, it has.
            return Ok(());
        }
        let path = self.place_of_folder(folder)?;
        self.disk.sync_folder(&path).map_err(|error| Error::io("sync", path.display(), error))
    }
}

#[cfg(test)]
mod tests;
