//! A hook before every operation that changes the disk, for tests that fail or stop at each of them.

use std::fmt;
use std::io;
use std::path::Path;

/// A kind of operation that changes the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A file is created, empty.
    Create,
    /// Bytes go to a file's end; how many.
    Write(usize),
    /// A file's bytes are made durable.
    SyncFile,
    /// A folder's names are made durable.
    SyncFolder,
    /// A name replaces another.
    Rename,
    /// A second name for a file.
    Link,
    /// A name goes.
    Remove,
    /// A folder is made.
    CreateFolder,
    /// A file is cut to a length.
    Truncate(u64),
}

/// Told of each operation before it happens; an error stops the operation and is returned by it.
pub trait Probe: fmt::Debug + Send + Sync {
    /// `path` is absolute; for [`Operation::Rename`] and [`Operation::Link`] it is the new name.
    fn before(&self, operation: Operation, path: &Path) -> io::Result<()>;
    /// Told when the operation has succeeded.
    fn after(&self, _operation: Operation, _path: &Path) {}
}
