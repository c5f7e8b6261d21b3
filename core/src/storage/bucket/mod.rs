//! A store in an S3-compatible bucket.
//!
//! While it is open, a folder of its own on the local disk has what programs open by their names: the log's newest
//! files, and data files that questions need. Data files are kept in a cache over that, by the hash of their bytes.

mod address;
mod cache;
mod failure;
mod fetch;
mod lease;
mod objects;
mod patience;
mod runtime;
mod upload;

pub use address::is_bucket;
pub use fetch::Wanted;

use crate::error::Result;
use address::Address;
use cache::Cache;
use object_store::aws::AmazonS3;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

pub(super) use lease::Lease;
pub(super) use upload::Upload;

/// So many objects are worked on at once.
const AT_ONCE: usize = 8;

/// A prefix in a bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    client: Arc<AmazonS3>,
    address: Address,
    cache: Cache,
    /// Data files that are in the folder, their sizes, and when somebody asked for them last.
    held: Mutex<HashMap<String, (u64, Instant)>>,
    /// Nothing comes from the cache: what is read is to be what the bucket has.
    anew: AtomicBool,
    /// Nobody knows whether a commit was made: the files that it names must stay.
    uncertain: AtomicBool,
}

impl Bucket {
    /// The bucket and prefix of a URL, after a look whether it can be read.
    pub fn open(place: &Path) -> Result<Arc<Bucket>> {
        let address = Address::parse(place)?;
        let client = Arc::new(address.client()?);
        let cache = Cache::open()?;
        let (held, anew, uncertain) = (Mutex::default(), AtomicBool::new(false), AtomicBool::new(false));
        let bucket = Arc::new(Bucket { client, address, cache, held, anew, uncertain });
        bucket.look(&bucket.address.client_in_a_hurry()?)?;
        Ok(bucket)
    }

    /// The folder with what programs open by name.
    pub fn folder(&self) -> PathBuf {
        self.cache.folder().to_path_buf()
    }

    /// The URL, for people.
    pub fn name(&self) -> String {
        self.address.url("")
    }
}

/// Whether a path is of files that a store in a bucket keeps in the folder alone: they are of this process.
pub(super) fn is_of_process(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    path.starts_with("_wal") || path.starts_with("_index") || name.starts_with(super::TEMPORARY)
}

/// Whether a path is of files that never change once they are there.
fn is_settled(path: &str) -> bool {
    let is_log = path.contains("_delta_log/") && !path.ends_with("_last_checkpoint");
    is_log || path.contains("_chain/") || path.starts_with("_shapes/") || is_data(path)
}

/// Whether a path is of a data file.
pub(super) fn is_data(path: &str) -> bool {
    path.ends_with(".parquet") && path.contains("day=")
}

/// Works on several objects at once; the first error.
fn objects_at_once<T: Sync>(all: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
    let worker = || {
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = work(one) {
                next.store(all.len(), Ordering::Relaxed);
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..all.len().min(AT_ONCE) {
            scope.spawn(worker);
        }
        worker();
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// Bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
