//! The folder of a bundle, which gets its name when all of it is written.

use crate::bundle::{COPIES, EVENTS, MANIFEST, Manifest, is_below};
use crate::error::{Error, ErrorKind, Result};
use flate2::read::GzDecoder;
use std::fmt::Display;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A manifest is looked at whether it is one; a larger file is not.
const LOOKED_AT_BYTES: u64 = 256 << 20;
/// The viewer has at most so many bytes.
const VIEWER_BYTES_MAX: u64 = 256 << 20;

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

    /// Writes the files of a tar archive that is compressed with gzip: the viewer, which has none of a bundle's names.
    pub fn unpack(&self, archive: &[u8]) -> Result<()> {
        let broken = |what: &dyn Display| {
            Error::new(ErrorKind::Invalid, format!("the archive of the viewer cannot be used: {what}"))
        };
        let mut archive = tar::Archive::new(GzDecoder::new(archive).take(VIEWER_BYTES_MAX));
        for entry in archive.entries().map_err(|error| broken(&error))? {
            let mut entry = entry.map_err(|error| broken(&error))?;
            if entry.header().entry_type().is_dir() {
                continue;
            }
            let path = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_string();
            let top = path.split('/').next().unwrap_or_default();
            let is_ours = path == MANIFEST || [EVENTS, COPIES].contains(&top);
            if !entry.header().entry_type().is_file() || !is_below(&path) || is_ours {
                return Err(broken(&format!("it has `{}`", path.escape_debug())));
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(|error| broken(&error))?;
            self.write(&path, &bytes)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, EntryType, Header};

    fn archive(entries: &[(&str, EntryType)]) -> Vec<u8> {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, entry_type) in entries {
            let mut header = Header::new_old();
            let name = header.as_old_mut().name.iter_mut();
            name.zip(path.bytes()).for_each(|(to, byte)| *to = byte);
            header.set_entry_type(*entry_type);
            header.set_size(if *entry_type == EntryType::Regular { 1 } else { 0 });
            header.set_cksum();
            builder.append(&header, &b"x"[..header.size().unwrap() as usize]).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn a_viewer_is_unpacked_below_the_folder_or_not_at_all() {
        let parent = tempfile::tempdir().unwrap();
        let unpack = |bytes: &[u8]| {
            let folder = NewFolder::beside(&parent.path().join("b")).unwrap();
            let result = folder.unpack(bytes);
            (result, folder)
        };
        let (result, folder) = unpack(&archive(&[
            ("./", EntryType::Directory),
            ("./index.html", EntryType::Regular),
            ("assets/a-1.js", EntryType::Regular),
        ]));
        result.unwrap();
        assert!(folder.at.join("index.html").is_file() && folder.at.join("assets/a-1.js").is_file());
        drop(folder);
        for (path, entry_type) in [
            ("../x", EntryType::Regular),
            ("/x", EntryType::Regular),
            ("a/../../x", EntryType::Regular),
            ("manifest.json", EntryType::Regular),
            ("./manifest.json", EntryType::Regular),
            ("events/x", EntryType::Regular),
            ("link", EntryType::Symlink),
            ("link", EntryType::Link),
            ("pipe", EntryType::Fifo),
        ] {
            let error = unpack(&archive(&[(path, entry_type)])).0.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{path}: {error}");
            assert!(error.to_string().contains("cannot be used"), "{path}: {error}");
        }
        let twice = archive(&[("a", EntryType::Regular), ("a", EntryType::Regular)]);
        for bytes in [&b"no archive"[..], &twice, twice.get(..30).unwrap()] {
            assert!(unpack(bytes).0.is_err());
        }
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
