//! Files being written: new ones, and logs.

use super::StorageFile;
use super::disk::Disk;
use crate::error::{Error, Result};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that grows at its end, written by one and synced by any number of threads.
#[derive(Debug)]
pub struct AppendFile {
    handle: SyncHandle,
    length: u64,
}

/// Makes an [`AppendFile`] durable while others write to it.
#[derive(Clone, Debug)]
pub struct SyncHandle {
    disk: Disk,
    file: Arc<File>,
    path: Arc<Path>,
}

impl AppendFile {
    pub(super) fn new(disk: Disk, file: File, path: PathBuf) -> AppendFile {
        AppendFile { handle: SyncHandle { disk, file: Arc::new(file), path: path.into() }, length: 0 }
    }

    /// Appends bytes. After an error a part of them may be in the file: [`AppendFile::truncate`] to
    /// [`AppendFile::length`] removes it, and the next write goes over it.
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        let SyncHandle { disk, file, path } = &self.handle;
        disk.write_at(file, path, bytes, self.length)
            .map_err(|error| Error::io("write", path.display(), error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Cuts the file to a length.
    pub fn truncate(&mut self, length: u64) -> Result<()> {
        let SyncHandle { disk, file, path } = &self.handle;
        disk.truncate(file, path, length).map_err(|error| Error::io("truncate", path.display(), error))?;
        self.length = length;
        Ok(())
    }

    /// Bytes in all writes that succeeded.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What makes the file durable, for other threads.
    pub fn sync_handle(&self) -> SyncHandle {
        self.handle.clone()
    }
}

impl SyncHandle {
    /// Makes all bytes durable whose write ended before this call.
    pub fn sync(&self) -> Result<()> {
        self.disk
            .sync_data(&self.file, &self.path)
            .map_err(|error| Error::io("sync", self.path.display(), error))
    }
}

/// A new file of a store; removed when it is dropped before it was ever made durable.
pub(super) struct NewFile {
    disk: Disk,
    file: File,
    path: PathBuf,
    folder: PathBuf,
    written: u64,
    name_is_durable: bool,
}

impl NewFile {
    pub(super) fn new(disk: Disk, file: File, path: PathBuf, folder: PathBuf) -> NewFile {
        NewFile { disk, file, path, folder, written: 0, name_is_durable: false }
    }
}

impl io::Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.write_at(&self.file, &self.path, bytes, self.written)?;
        self.written += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl StorageFile for NewFile {
    fn sync(&mut self) -> Result<()> {
        let failed = |error| Error::io("sync", self.path.display(), error);
        self.disk.sync_data(&self.file, &self.path).map_err(failed)?;
        if !self.name_is_durable {
            self.disk.sync_folder(&self.folder).map_err(failed)?;
            self.name_is_durable = true;
        }
        Ok(())
    }

    fn written(&self) -> u64 {
        self.written
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.sync()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.name_is_durable {
            let _ = self.disk.remove(&self.path);
        }
    }
}
