//! A file that gets its name when it is complete.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

/// A file under a name of its own, in the folder of the final one; removed when dropped unfinished.
pub struct PartialFile {
    writer: BufWriter<File>,
    /// `None`: what is written is no file to be replaced (`/dev/null`, a pipe), and is written directly.
    rename: Option<Rename>,
    finished: bool,
}

struct Rename {
    from: PathBuf,
    to: PathBuf,
}

impl PartialFile {
    /// Starts to write `target`. What is there under that name stays until the new file is complete.
    pub fn create(target: &Path) -> Result<PartialFile, Error> {
        let failed = |error| Error::io("write", target.display(), error);
        match std::fs::metadata(target) {
            Ok(metadata) if metadata.is_dir() => {
                let message = format!("`{}` is a folder", target.display());
                Err(Error::new(ErrorKind::Invalid, message).with_hint("name a file in it"))
            }
            Ok(metadata) if !metadata.is_file() => {
                let file = OpenOptions::new().write(true).open(target).map_err(failed)?;
                Ok(PartialFile { writer: BufWriter::new(file), rename: None, finished: false })
            }
            Ok(_) => PartialFile::beside(&std::fs::canonicalize(target).map_err(failed)?),
            Err(_) => PartialFile::beside(target),
        }
    }

    fn beside(target: &Path) -> Result<PartialFile, Error> {
        let Some(name) = target.file_name() else {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("`{}` does not name a file", target.display()),
            ));
        };
        let mut partial = std::ffi::OsString::from(".");
        partial.push(name);
        partial.push(format!(".partial-{}", std::process::id()));
        let from = target.with_file_name(partial);
        let file = match File::create_new(&from) {
            // A process of the same number died here.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                std::fs::remove_file(&from).and_then(|()| File::create_new(&from))
            }
            other => other,
        };
        let file = file.map_err(|error| Error::io("write", target.display(), error))?;
        let rename = Some(Rename { from, to: target.to_path_buf() });
        Ok(PartialFile { writer: BufWriter::with_capacity(256 * 1024, file), rename, finished: false })
    }

    /// Where the content goes.
    pub fn writer(&mut self) -> &mut impl Write {
        &mut self.writer
    }

    /// Gives the file its name, once its bytes are on disk.
    pub fn finish(mut self) -> Result<(), Error> {
        let Some(rename) = self.rename.take() else {
            return self.writer.flush().map_err(|error| Error::io("write", "the export", error));
        };
        let written = self.writer.flush().and_then(|()| self.writer.get_ref().sync_all());
        let written = written.and_then(|()| std::fs::rename(&rename.from, &rename.to));
        let written = written.and_then(|()| sync_folder(&rename.to));
        self.finished = written.is_ok();
        let result = written.map_err(|error| Error::io("write", rename.to.display(), error));
        self.rename = Some(rename);
        result
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if let (Some(rename), false) = (&self.rename, self.finished) {
            // The failure that left it unfinished has been told.
            let _ = std::fs::remove_file(&rename.from);
        }
    }
}

fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_name_comes_with_the_whole_content() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.jsonl");
        std::fs::write(&target, "old").unwrap();
        let mut partial = PartialFile::create(&target).unwrap();
        partial.writer().write_all(b"new").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"old");
        partial.finish().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["out.jsonl"]);
    }

    #[test]
    fn an_unfinished_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut partial = PartialFile::create(&folder.path().join("out.jsonl")).unwrap();
        partial.writer().write_all(b"half").unwrap();
        assert_eq!(names(folder.path()).len(), 1);
        drop(partial);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_link_keeps_pointing_to_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        PartialFile::create(&link).unwrap().finish().unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&target).unwrap(), b"");
    }

    #[test]
    fn devices_are_written_and_folders_refused() {
        let mut device = PartialFile::create(Path::new("/dev/null")).unwrap();
        device.writer().write_all(b"x").unwrap();
        device.finish().unwrap();
        assert!(PartialFile::create(Path::new("/")).is_err());
        assert!(PartialFile::create(Path::new("/nonsense/x")).is_err());
    }
}
