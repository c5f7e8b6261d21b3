//! Locks between processes that end with the process that holds them.
//!
//! They are POSIX record locks: a child that `fork` makes does not hold its parent's. Such locks do not
//! conflict inside one process, and closing any descriptor of the file gives them up; a registry of the
//! files that this process has locked mends both. No other code may open a lock file.

use super::bucket::Lease;
use super::disk::Disk;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// A lock that this process holds until it is dropped.
#[derive(Debug)]
pub struct FileLock {
    file: Option<File>,
    identity: Identity,
    /// The lock in a bucket that goes with it.
    lease: Option<Lease>,
}

/// Device and inode of a file.
type Identity = (u64, u64);

/// The files that one process has locked. A child made by `fork` gets a registry of its own, since it holds
/// nothing, and since its copy of the parent's mutex may be locked for ever.
#[derive(Debug)]
struct Registry {
    process: u32,
    held: Mutex<HashSet<Identity>>,
    released: Condvar,
    child: OnceLock<Box<Registry>>,
}

static REGISTRY: OnceLock<Registry> = OnceLock::new();

impl Drop for FileLock {
    fn drop(&mut self) {
        let registry = registry();
        let mut held = registry.held();
        // Closed first: a later close would give up the lock of whoever takes it next in this process.
        drop(self.file.take());
        drop(self.lease.take());
        held.remove(&self.identity);
        registry.released.notify_all();
    }
}

impl FileLock {
    /// The same lock, with one in a bucket.
    pub(super) fn with_lease(mut self, lease: Lease) -> FileLock {
        self.lease = Some(lease);
        self
    }
}

impl Registry {
    fn new(process: u32) -> Registry {
        Registry { process, held: Mutex::default(), released: Condvar::new(), child: OnceLock::new() }
    }

    fn held(&self) -> MutexGuard<'_, HashSet<Identity>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the lock of a file, which is made if it is not there. `None` only if `wait` is false and another
/// holds it.
pub(super) fn acquire(disk: &Disk, path: &Path, wait: bool) -> io::Result<Option<FileLock>> {
    loop {
        let Some(lock) = claim(disk, path, wait)? else { return Ok(None) };
        if !lock_file(&lock, wait)? {
            return Ok(None);
        }
        // Its last holder may have removed the file before it let go.
        if identity_of(path)? == Some(lock.identity) {
            return Ok(Some(lock));
        }
    }
}

fn registry() -> &'static Registry {
    let process = std::process::id();
    let mut registry = REGISTRY.get_or_init(|| Registry::new(process));
    while registry.process != process {
        registry = registry.child.get_or_init(|| Box::new(Registry::new(process)));
    }
    registry
}

/// Enters the file in the registry; from then on no other thread opens it.
fn claim(disk: &Disk, path: &Path, wait: bool) -> io::Result<Option<FileLock>> {
    let registry = registry();
    let mut held = registry.held();
    loop {
        if identity_of(path)?.is_none_or(|identity| !held.contains(&identity)) {
            let file = open(disk, path)?;
            let metadata = file.metadata()?;
            let identity = (metadata.dev(), metadata.ino());
            if held.insert(identity) {
                return Ok(Some(FileLock { file: Some(file), identity, lease: None }));
            }
            // The name came to mean a file that this process has locked: closing it would unlock it.
            std::mem::forget(file);
        }
        if !wait {
            return Ok(None);
        }
        held = registry.released.wait(held).unwrap_or_else(PoisonError::into_inner);
    }
}

fn open(disk: &Disk, path: &Path) -> io::Result<File> {
    loop {
        match OpenOptions::new().read(true).write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        match disk.create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created,
        }
    }
}

fn lock_file(lock: &FileLock, wait: bool) -> io::Result<bool> {
    let Some(file) = &lock.file else { return Ok(false) };
    let operation =
        if wait { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
    loop {
        match rustix::fs::fcntl_lock(file, operation) {
            Ok(()) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN | Errno::ACCESS) if !wait => return Ok(false),
            // The kernel counts all threads of a process as one, and sees cycles that are none.
            Err(Errno::DEADLK) => std::thread::sleep(Duration::from_millis(1)),
            Err(error) => return Err(error.into()),
        }
    }
}

fn identity_of(path: &Path) -> io::Result<Option<Identity>> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some((metadata.dev(), metadata.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn try_lock(path: &Path) -> Option<FileLock> {
        acquire(&Disk::default(), path, false).unwrap()
    }

    #[test]
    fn one_process_holds_a_lock_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = try_lock(&path).unwrap();
        assert!(try_lock(&path).is_none());
        // Another spelling of the same file is the same lock.
        std::os::unix::fs::symlink(&path, folder.path().join("other")).unwrap();
        assert!(try_lock(&folder.path().join("other")).is_none());
        drop(first);
        assert!(try_lock(&path).is_some());
    }

    #[test]
    fn a_removed_lock_file_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = try_lock(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let second = try_lock(&path).unwrap();
        assert_ne!(first.identity, second.identity);
        drop(first);
        assert!(try_lock(&path).is_none());
    }

    #[test]
    fn no_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = acquire(&Disk::default(), &folder.path().join("none/lock"), false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn threads_take_turns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let inside = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let lock = acquire(&Disk::default(), &path, true).unwrap().unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
    }
}
