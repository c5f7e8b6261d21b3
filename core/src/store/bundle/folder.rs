//! The folder of a bundle, which gets its name when all of it is written.

use crate::bundle::{MANIFEST, Manifest};
use crate::error::{Error, ErrorKind, Result};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A manifest is looked at whether it is one; a larger file is not.
const LOOKED_AT_BYTES: u64 = 256 << 20;
/// The viewer has at most so many files, and folders in each other.
const VIEWER_FILES_MAX: usize = 10_000;

/// A folder that is being written, beside the one that it becomes. What is not put in place goes.
#[derive(Debug)]
pub struct NewFolder {
    at: PathBuf,
    becomes: PathBuf,
    is_in_place: bool,
}

impl NewFolder {
    /// A new folder beside a place where nothing is, or an empty folder, or a bundle.
    pub fn beside(folder: &Path) -> Result<NewFolder> {
        let becomes =
            std::path::absolute(folder).map_err(|error| Error::io("find", folder.display(), error))?;
        let name = becomes.file_name().map(|name| name.to_string_lossy().into_owned());
        let (Some(name), Some(parent)) = (name, becomes.parent()) else {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("`{}` cannot be a bundle's folder", folder.display()),
            ));
        };
        check_replaceable(&becomes)?;
        fs::create_dir_all(parent).map_err(|error| Error::io("make", parent.display(), error))?;
        let at = parent.join(format!(".{name}.{}.partial", uuid::Uuid::new_v4()));
        fs::create_dir(&at).map_err(|error| Error::io("make", at.display(), error))?;
        Ok(NewFolder { at, becomes, is_in_place: false })
    }

    /// Writes a file durably, by its path in the folder.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let place = self.at.join(path);
        let failed = |error| Error::io("write", place.display(), error);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = fs::File::create_new(&place).map_err(failed)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// Copies all files of another folder.
    pub fn copy_in(&self, other: &Path) -> Result<()> {
        let mut waiting = vec![PathBuf::new()];
        let mut files = 0_usize;
        while let Some(below) = waiting.pop() {
            let from = other.join(&below);
            let failed = |error| Error::io("read", from.display(), error);
            for entry in fs::read_dir(&from).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let path = below.join(entry.file_name());
                files = files.saturating_add(1);
                if files > VIEWER_FILES_MAX {
                    let message = format!("`{}` has too many files to be the viewer", other.display());
                    return Err(Error::new(ErrorKind::Invalid, message));
                }
                if entry.file_type().map_err(failed)?.is_dir() {
                    waiting.push(path);
                } else if let Some(path) = path.to_str() {
                    self.write(path, &fs::read(entry.path()).map_err(failed)?)?;
                }
            }
        }
        Ok(())
    }

    /// Gives the folder its name. A bundle that has it goes.
    pub fn put_in_place(mut self) -> Result<()> {
        let failed = |error| Error::io("put in place", self.becomes.display(), error);
        check_replaceable(&self.becomes)?;
        let old = self.at.with_extension("old");
        let had_one = match fs::rename(&self.becomes, &old) {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed(error)),
        };
        if let Err(error) = fs::rename(&self.at, &self.becomes) {
            if had_one {
                // Better the old one than none.
                let _ = fs::rename(&old, &self.becomes);
            }
            return Err(failed(error));
        }
        self.is_in_place = true;
        if had_one {
            fs::remove_dir_all(&old).map_err(|error| Error::io("remove", old.display(), error))?;
        }
        Ok(())
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.is_in_place {
            // What is left of it is in nobody's way.
            let _ = fs::remove_dir_all(&self.at);
        }
    }
}

/// Sees that nothing but a bundle is where a bundle is to be.
fn check_replaceable(folder: &Path) -> Result<()> {
    let failed = |error| Error::io("look at", folder.display(), error);
    let invalid = |message: String| {
        Err(Error::new(ErrorKind::Invalid, message)
            .with_hint("name a new place, or an empty folder, or a bundle"))
    };
    let first = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            return invalid(format!("`{}` is a file", folder.display()));
        }
        Err(error) => return Err(failed(error)),
        Ok(mut entries) => match entries.next().transpose().map_err(failed)? {
            None => return Ok(()),
            Some(first) => first.file_name().to_string_lossy().into_owned(),
        },
    };
    let manifest = folder.join(MANIFEST);
    let is_small = fs::metadata(&manifest).is_ok_and(|metadata| metadata.len() <= LOOKED_AT_BYTES);
    let bytes = if is_small { fs::read(&manifest).unwrap_or_default() } else { Vec::new() };
    let is_bundle = match Manifest::read(&bytes) {
        Ok(_) => true,
        // One of a newer version is a bundle, too.
        Err(error) => error.kind() == ErrorKind::Unsupported,
    };
    if is_bundle {
        Ok(())
    } else {
        invalid(format!("`{}` holds something else: `{first}`", folder.display()))
    }
}
