//! The operations that change the disk, one function each, each announced to the probe.

use super::probe::{Operation, Probe};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Changes the disk, telling the probe.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    probe: Option<Arc<dyn Probe>>,
}

impl Disk {
    pub(super) fn new(probe: Option<Arc<dyn Probe>>) -> Disk {
        Disk { probe }
    }

    /// A new file that only its owner may read; `AlreadyExists` if the name is taken.
    pub(super) fn create(&self, path: &Path) -> io::Result<File> {
        self.run(Operation::Create, path, || {
            OpenOptions::new().read(true).write(true).create_new(true).mode(FILE_MODE).open(path)
        })
    }

    /// Writes all bytes at an offset. A failed write may have written a part of them.
    pub(super) fn write_at(&self, file: &File, path: &Path, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.run(Operation::Write(bytes.len()), path, || file.write_all_at(bytes, offset))
    }

    /// Makes the bytes and the length of a file durable.
    pub(super) fn sync_data(&self, file: &File, path: &Path) -> io::Result<()> {
        self.run(Operation::SyncFile, path, || file.sync_data())
    }

    pub(super) fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.run(Operation::SyncFolder, path, || File::open(path)?.sync_all())
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(Operation::Rename, to, || std::fs::rename(from, to))
    }

    /// Gives a file a second name; `AlreadyExists` if that is taken.
    pub(super) fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(Operation::Link, to, || std::fs::hard_link(from, to))
    }

    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.run(Operation::Remove, path, || std::fs::remove_file(path))
    }

    /// Removes an empty folder.
    pub(super) fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.run(Operation::Remove, path, || std::fs::remove_dir(path))
    }

    /// A new folder that only its owner may enter; `AlreadyExists` if the name is taken.
    pub(super) fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.run(Operation::CreateFolder, path, || DirBuilder::new().mode(FOLDER_MODE).create(path))
    }

    pub(super) fn truncate(&self, file: &File, path: &Path, length: u64) -> io::Result<()> {
        self.run(Operation::Truncate(length), path, || file.set_len(length))
    }

    fn run<T>(
        &self,
        operation: Operation,
        path: &Path,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let Some(probe) = &self.probe else { return work() };
        probe.before(operation, path)?;
        let done = work()?;
        probe.after(operation, path);
        Ok(done)
    }
}
