//! The seam through which a store reads and writes bytes.
//!
//! Paths are relative to the store, with `/`. Everything that must survive a crash says so: nothing is
//! durable before a method that promises it has returned.

mod bucket;
mod disk;
mod file;
mod local;
mod lock;
mod network;
mod partial;
mod place;
pub mod probe;

use crate::error::Result;
use crate::keys::Keys;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub use bucket::{Wanted, is_bucket};
pub use file::{AppendFile, SyncHandle};
pub use local::{LocalStorage, TEMPORARY};
pub use lock::FileLock;
pub use network::is_network_file_system;
pub use partial::PartialFile;
pub use place::FilePlace;

/// A file or object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path relative to the store.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Last change, in microseconds since 1970.
    pub modified_us: i64,
}

/// Whether [`Storage::put_if_absent`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The bytes are there, durably, under the name.
    Written,
    /// Somebody else's bytes are there, durably too; nothing changed.
    Exists,
}

/// Bytes of one store.
pub trait Storage: fmt::Debug + Send + Sync {
    /// The folder on a local disk, where there is one.
    fn local_root(&self) -> Option<&Path>;
    /// The keys of the store: what is new is encrypted with the first.
    fn keys(&self) -> Option<&Arc<Keys>> {
        None
    }
    /// Where the store is, for people.
    fn name(&self) -> String;
    /// Has those files of a folder on the local disk that are chosen of all that are there. Nothing to do where the store
    /// is on the local disk.
    fn bring(&self, folder: &str, choose: &dyn Fn(&[Entry]) -> Vec<String>) -> Result<()>;
    /// All bytes of a file, as they were before they were encrypted.
    fn read(&self, path: &str) -> Result<Vec<u8>>;
    /// Bytes of a range of a file; shorter where the file ends.
    fn read_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>>;
    /// Files below a folder, at any depth, sorted by path; empty where the folder does not exist.
    fn list(&self, folder: &str) -> Result<Vec<Entry>>;
    /// Makes a file durably, whole or not at all, unless the name is taken.
    fn put_if_absent(&self, path: &str, bytes: &[u8]) -> Result<Put>;
    /// Makes or replaces a file durably, whole or not at all.
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()>;
    /// A new file to be written in order; [`StorageFile::finish`] makes it durable.
    fn create(&self, path: &str) -> Result<Box<dyn StorageFile>>;
    /// Removes a file; it is no error if it is gone.
    fn delete(&self, path: &str) -> Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &str) -> Result<()>;
}

/// A new file being written.
pub trait StorageFile: std::io::Write + Send {
    /// Makes what was written so far durable, the name too after the first call.
    fn sync(&mut self) -> Result<()>;
    /// Bytes written so far.
    fn written(&self) -> u64;
    /// Makes file and name durable.
    fn finish(self: Box<Self>) -> Result<()>;
}
