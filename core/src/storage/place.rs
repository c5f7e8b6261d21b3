//! Where a file is on the local disk, with what it may be read with.

use crate::keys::Keys;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file on the local disk, and the keys of its store.
#[derive(Clone, Debug)]
pub struct FilePlace {
    path: PathBuf,
    keys: Option<Arc<Keys>>,
}

impl FilePlace {
    /// A file that may be encrypted with one of these keys.
    pub fn new(path: PathBuf, keys: Option<Arc<Keys>>) -> FilePlace {
        FilePlace { path, keys }
    }

    /// The path alone.
    pub fn into_path(self) -> PathBuf {
        self.path
    }

    /// The keys that it may be encrypted with.
    pub fn keys(&self) -> Option<&Keys> {
        self.keys.as_deref()
    }
}

impl Deref for FilePlace {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl AsRef<Path> for FilePlace {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl<P: Into<PathBuf>> From<P> for FilePlace {
    fn from(path: P) -> FilePlace {
        FilePlace { path: path.into(), keys: None }
    }
}
