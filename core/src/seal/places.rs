//! Where data files are for a program that opens them, with the keys that they may be encrypted with.

use super::Tables;
use crate::engine::TableFile;
use crate::error::{Error, ErrorKind, Result};
use crate::keys::{self, KeyId};
use crate::log::DataFile;
use crate::storage::{FilePlace, LocalStorage, Storage, Wanted};
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};

impl Tables {
    /// Where a data file of a table is, for a program that opens it.
    pub fn place(&self, prefix: &str, path: &str) -> Result<FilePlace> {
        Ok(self.with_keys(self.found(prefix, path, 0, "")?))
    }

    /// The same of a data file of which the log tells; one of an archive has an absolute path.
    pub fn place_of(&self, prefix: &str, file: &DataFile) -> Result<FilePlace> {
        Ok(self.with_keys(self.found(prefix, &file.path, file.size, &file.file_hash)?))
    }

    fn with_keys(&self, path: PathBuf) -> FilePlace {
        FilePlace::new(path, self.storage.keys().cloned())
    }

    /// Where a data file is once it has been fetched.
    pub fn place_when_fetched(&self, path: &str) -> Result<FilePlace> {
        Ok(self.with_keys(self.root()?.join(path)))
    }

    /// Where data files of a table are, for a program that opens them. Those of a bucket are fetched side by side.
    pub fn places(&self, prefix: &str, files: &[DataFile]) -> Result<Vec<TableFile>> {
        let (elsewhere, here): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.path.starts_with('/'));
        let paths: Vec<String> = here.iter().map(|file| format!("{prefix}{}", file.path)).collect();
        let of_store = here.iter().zip(&paths).map(|(file, path)| wanted(path, file));
        self.storage.fetch(&of_store.collect::<Vec<_>>())?;
        for archive in &*self.archives() {
            let paths: Vec<(&DataFile, String)> =
                elsewhere.iter().filter_map(|file| Some((*file, inside(archive, &file.path)?))).collect();
            let wanted: Vec<Wanted<'_>> = paths.iter().map(|(file, path)| wanted(path, file)).collect();
            archive.fetch(&wanted)?;
        }
        files
            .iter()
            .map(|file| self.file(self.root()?.join(format!("{prefix}{}", file.path)), file))
            .collect()
    }

    /// A data file with its key, for the engine.
    fn file(&self, path: PathBuf, file: &DataFile) -> Result<TableFile> {
        if file.key.is_empty() {
            return Ok(TableFile { path, key: None });
        }
        let keys = self.storage.keys();
        let id = KeyId::parse(&file.key).ok_or_else(|| {
            let message = format!("`{}` is encrypted with a key that has no name", file.path);
            Error::new(ErrorKind::Corrupt, message)
        })?;
        match keys.and_then(|keys| keys.find(id)).cloned() {
            Some(key) => Ok(TableFile { path, key: Some(key) }),
            None => Err(keys::missing(&file.path, id, keys.is_some())),
        }
    }

    fn found(&self, prefix: &str, path: &str, size: u64, sha256: &str) -> Result<PathBuf> {
        if !path.starts_with('/') {
            let path = format!("{prefix}{path}");
            self.storage.fetch(&[Wanted { path: &path, size, sha256 }])?;
            return Ok(self.root()?.join(path));
        }
        for archive in &*self.archives() {
            if let Some(path) = inside(archive, path) {
                archive.fetch(&[Wanted { path: &path, size, sha256 }])?;
            }
        }
        Ok(PathBuf::from(path))
    }

    fn root(&self) -> Result<&Path> {
        let root = self.storage.local_root();
        root.ok_or_else(|| Error::new(ErrorKind::Unsupported, "the store is not on a local disk"))
    }

    /// Files of an archive are to be found, too, by their absolute paths.
    pub fn know_archive(&self, archive: &Arc<LocalStorage>) {
        self.archives().push(Arc::clone(archive));
    }

    fn archives(&self) -> MutexGuard<'_, Vec<Arc<LocalStorage>>> {
        self.archives.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A data file as it is to be fetched.
fn wanted<'a>(path: &'a str, file: &'a DataFile) -> Wanted<'a> {
    Wanted { path, size: file.size, sha256: &file.file_hash }
}

/// The path in an archive of a file with an absolute path.
fn inside(archive: &LocalStorage, path: &str) -> Option<String> {
    let path = Path::new(path).strip_prefix(archive.local_root()?).ok()?;
    path.to_str().map(str::to_string)
}
