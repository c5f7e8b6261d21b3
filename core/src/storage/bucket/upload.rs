//! New files of a bucket: written on the local disk, sent when they are complete.

use super::Bucket;
use super::runtime::{runtime, wait};
use crate::error::{Error, Result};
use crate::storage::StorageFile;
use object_store::path::Path as Key;
use object_store::{Error as StoreError, MultipartUpload, ObjectStoreExt};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// Larger files are sent in parts of this size.
const PART_BYTES: usize = 8 << 20;
/// So many parts are under way at once.
const PARTS_AT_ONCE: usize = 3;

/// A new file of a bucket.
pub(in crate::storage) struct Upload {
    /// The file on the local disk, which goes when it is dropped.
    pub file: Box<dyn StorageFile>,
    pub place: PathBuf,
    pub path: String,
    pub bucket: Arc<Bucket>,
}

impl io::Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl StorageFile for Upload {
    fn sync(&mut self) -> Result<()> {
        Ok(())
    }

    fn written(&self) -> u64 {
        self.file.written()
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let size = self.file.written();
        self.file.flush().map_err(|error| Error::io("write", self.place.display(), error))?;
        let file = File::open(&self.place).map_err(|error| Error::io("read", self.place.display(), error))?;
        self.bucket.send(&self.path, file, size)
    }
}

impl Bucket {
    /// Makes an object of a file.
    fn send(&self, path: &str, mut file: File, size: u64) -> Result<()> {
        if size <= PART_BYTES as u64 {
            return self.replace(path, &part(&mut file, path)?);
        }
        let key = self.key(path)?;
        let told = |error: StoreError| self.told("write", path, &error);
        let mut upload = self.again(|| wait(self.client.put_multipart(&key)))?.map_err(told)?;
        if let Err(error) = self.send_parts(&mut *upload, &mut file, path) {
            // Parts that stay are removed by the bucket's own rule for that, where it has one.
            let _ = wait(upload.abort())?;
            return Err(error);
        }
        match wait(upload.complete())? {
            Ok(_) => Ok(()),
            Err(error) => match self.is_whole(&key, size)? {
                true => Ok(()),
                false => Err(told(error)),
            },
        }
    }

    fn send_parts(&self, upload: &mut dyn MultipartUpload, file: &mut File, path: &str) -> Result<()> {
        let runtime = runtime()?;
        let mut under_way = std::collections::VecDeque::new();
        loop {
            let bytes = part(file, path)?;
            let is_end = bytes.is_empty();
            if !is_end {
                under_way.push_back(runtime.spawn(upload.put_part(bytes.into())));
            }
            while under_way.len() >= PARTS_AT_ONCE || (is_end && !under_way.is_empty()) {
                let Some(sent) = under_way.pop_front() else { break };
                let sent = wait(sent)?.unwrap_or_else(|error| Err(error.into()));
                sent.map_err(|error| self.told("write", path, &error))?;
            }
            if is_end {
                return Ok(());
            }
        }
    }

    /// Whether an upload is complete whose last answer was lost.
    fn is_whole(&self, key: &Key, size: u64) -> Result<bool> {
        let found = self.again(|| wait(self.client.head(key)))?;
        Ok(found.is_ok_and(|meta| meta.size == size))
    }
}

/// The next part of a file.
fn part(file: &mut File, path: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(PART_BYTES as u64).read_to_end(&mut bytes).map_err(|error| Error::io("read", path, error))?;
    Ok(bytes)
}
