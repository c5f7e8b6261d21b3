//! Where followed files are: the one behind a name, and those that it was rotated to.

use crate::error::{Error, ErrorKind, Result};
use crate::ingest::input::{Content, Input, each_stream};
use crate::ingest::known::{Beginning, Known};
use std::cmp::Ordering;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// So many files that a name was rotated to are looked at.
const ROTATED_MAX: usize = 64;
/// A folder is read so many times until twice the same is there.
const LISTS_MAX: usize = 8;
const PIECE_BYTES: usize = 1 << 20;
const COMPARED_FIRST_BYTES: u64 = 4 << 10;
/// What compressed files and copies are called in the end.
const ENDINGS: [&str; 9] = ["gz", "zst", "bz2", "xz", "old", "bak", "prev", "orig", "log"];

/// Tells a file from all others that are there at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity(u64, u64);

impl Identity {
    /// The identity of a file.
    pub fn of(metadata: &Metadata) -> Identity {
        Identity(metadata.dev(), metadata.ino())
    }
}

/// The file behind a name, if there is one. It is an error if that is no file.
pub fn open(path: &Path) -> Result<Option<(File, Identity)>> {
    let failed = |error| Error::io("open", path.display(), error);
    let Some(identity) = look(path)? else { return Ok(None) };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let opened = Identity::of(&file.metadata().map_err(failed)?);
    // If another file came in between, the next look finds it.
    Ok(Some((file, opened)).filter(|_| opened == identity))
}

/// The identity of the file behind a name, if there is one.
pub fn look(path: &Path) -> Result<Option<Identity>> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(Identity::of(&metadata))),
        Ok(metadata) => {
            let what = if metadata.is_dir() { "a folder" } else { "no plain file" };
            let message = format!("`{}` is {what} and cannot be followed", path.display());
            let hint = match metadata.is_dir() {
                true => "name the files in it",
                false => "pipe it: `daybook log -` stores each line of standard input as it comes",
            };
            Err(Error::new(ErrorKind::Invalid, message).with_hint(hint))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("look at", path.display(), error)),
    }
}

/// A file that a name was rotated to, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rotated {
    /// When it was written last.
    modified: SystemTime,
    /// Where it is.
    pub path: PathBuf,
    identity: Identity,
    bytes: u64,
}

impl Rotated {
    /// Which file it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether it is the same file, with the same content, whatever its name is now.
    pub fn is_unchanged(&self, before: &Rotated) -> bool {
        let what = |file: &Rotated| (file.identity, file.bytes, file.modified);
        what(self) == what(before)
    }
}

/// The files that a name was rotated to, by their names, the one written last first.
pub fn rotated(path: &Path) -> Vec<Rotated> {
    let mut found = list_rotated(path);
    // A folder that is read while its files are renamed may lack some of them.
    for _ in 0..LISTS_MAX {
        let again = list_rotated(path);
        if again == found {
            break;
        }
        found = again;
    }
    found.truncate(ROTATED_MAX);
    found
}

fn list_rotated(path: &Path) -> Vec<Rotated> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let is_rotated = entry.file_name().to_str().is_some_and(|other| is_rotated(name, other));
        let metadata = entry.metadata().ok().filter(|metadata| is_rotated && metadata.is_file());
        if let Some(metadata) = metadata.filter(|metadata| metadata.len() > 0) {
            found.push(Rotated {
                modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                path: path.with_file_name(entry.file_name()),
                identity: Identity::of(&metadata),
                bytes: metadata.len(),
            });
        }
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

/// Whether a file is called as one is that was rotated: `app.log.1`, `app.log-20260203.gz`, `app-20260203.log`.
fn is_rotated(name: &str, other: &str) -> bool {
    let after = |stem: &str| other.strip_prefix(stem)?.strip_prefix(['.', '-', '_']);
    let stem = name.rsplit_once('.').map(|(stem, _)| stem).filter(|stem| !stem.is_empty());
    let by_end = |rest: &str| rest.split(['.', '-', '_', ':', '+', '~']).all(is_word);
    let by_stem = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit()) && by_end(rest);
    other != name && (after(name).is_some_and(by_end) || stem.and_then(after).is_some_and(by_stem))
}

/// A number, a time such as `20260203T1200Z`, or what copies are called.
fn is_word(part: &str) -> bool {
    let is_time = |byte: u8| byte.is_ascii_digit() || byte == b'T' || byte == b'Z';
    ENDINGS.contains(&part) || part.bytes().all(is_time)
}

/// Whether another file begins with all that is in this one and has more. Both may be compressed.
pub fn is_part(path: &Path, of: &Path) -> Result<bool> {
    let mut found = Ok(None);
    each_source(path, &mut |source| {
        each_source(of, &mut |other| {
            found = compare(source, other).map_err(|error| Error::io("read", path.display(), error));
            Ok(())
        })
    })?;
    Ok(found? == Some(Ordering::Less))
}

/// Whether another file begins with all that is in this one, which may be compressed.
pub fn is_copy(path: &Path, of: &File) -> Result<bool> {
    let mut found = Ok(None);
    each_source(path, &mut |source| {
        let mut other = Whole { file: of, offset: 0 };
        found = compare(source, &mut other).map_err(|error| Error::io("read", path.display(), error));
        Ok(())
    })?;
    Ok(matches!(found?, Some(Ordering::Less | Ordering::Equal)))
}

/// A file from its beginning, wherever others read it.
struct Whole<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for Whole<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Which of two inputs ends first, if they are the same until then.
fn compare(one: &mut dyn Read, other: &mut dyn Read) -> io::Result<Option<Ordering>> {
    let mut pieces = [Vec::new(), Vec::new()];
    // What differs mostly does so soon.
    let mut count = COMPARED_FIRST_BYTES;
    loop {
        let [piece, beside] = &mut pieces;
        piece.clear();
        beside.clear();
        (&mut *one).take(count).read_to_end(piece)?;
        (&mut *other).take(count).read_to_end(beside)?;
        let shorter = piece.len().min(beside.len());
        if piece.get(..shorter) != beside.get(..shorter) {
            return Ok(None);
        }
        if (shorter as u64) < count {
            return Ok(Some(piece.len().cmp(&beside.len())));
        }
        count = PIECE_BYTES as u64;
    }
}

/// The text of a file, which may be compressed.
fn each_source(path: &Path, read: &mut dyn FnMut(&mut dyn Read) -> Result<()>) -> Result<()> {
    let mut done = Ok(());
    each_stream(Input::File(path.to_path_buf()), &mut |stream| {
        if let Content::Bytes(mut source) = stream.content {
            done = read(&mut source);
        }
    })?;
    done
}

/// How a file that may be a rotated one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginnings {
    /// With nothing that is known.
    Unknown,
    /// All of it is known.
    Known,
    /// With something that is known, and there is more.
    Grown,
}

/// Looks how much of a file is known; it may be compressed.
pub fn beginnings(path: &Path, known: &Known) -> Result<Beginnings> {
    let mut found = Beginnings::Unknown;
    let mut failed = None;
    each_stream(Input::File(path.to_path_buf()), &mut |stream| {
        if let Content::Bytes(source) = stream.content {
            match read_beginning(source, known) {
                Ok(beginnings) => found = beginnings,
                Err(error) => failed = Some(Error::io("read", path.display(), error)),
            }
        }
    })?;
    failed.map_or(Ok(found), Err)
}

fn read_beginning(mut source: impl Read, known: &Known) -> io::Result<Beginnings> {
    let mut beginning = Beginning::default();
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let count = match source.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        beginning.take(buffer.get(..count).unwrap_or_default(), known);
        if count == 0 || known.next_length(beginning.length()).is_none() {
            return Ok(match beginning.known {
                None => Beginnings::Unknown,
                Some(length) if length < beginning.length() => Beginnings::Grown,
                // More may come after what was read.
                Some(_) if count > 0 && source.read(&mut buffer)? > 0 => Beginnings::Grown,
                Some(_) => Beginnings::Known,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_are_known_by_their_names() {
        for (other, expected) in [
            ("app.log.1", true),
            ("app.log.12.gz", true),
            ("app.log-20260203", true),
            ("app.log-20260203.zst", true),
            ("app.log.2026-02-03T12:00:00Z", true),
            ("app.log.old", true),
            ("app-20260203.log", true),
            ("app.1.log", true),
            ("app.log", false),
            ("app.log.swp", false),
            ("app.log.d", false),
            ("app-errors.log", false),
            ("apple.log", false),
            ("app.txt", false),
        ] {
            assert_eq!(is_rotated("app.log", other), expected, "{other}");
        }
        assert!(is_rotated("messages", "messages-20260203"));
        assert!(!is_rotated("messages", "messages"));
    }

    #[test]
    fn a_copy_is_told_from_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let long = "x\n".repeat(COMPARED_FIRST_BYTES as usize);
        for (text, of, copy, part) in [
            ("one\ntwo\n", "one\ntwo\n", true, false),
            ("one\n", "one\ntwo\n", true, true),
            ("one\ntwo\nthree\n", "one\ntwo\n", false, false),
            ("one\ntwO\n", "one\ntwo\n", false, false),
            ("one\ntwo\n", "o", false, false),
            ("one\ntwo\n", "", false, false),
            (&long, &format!("{long}y\n"), true, true),
            (&format!("{long}z\n"), &format!("{long}y\n"), false, false),
        ] {
            std::fs::write(at("a.log.1"), text).unwrap();
            std::fs::write(at("a.log"), of).unwrap();
            let found = is_copy(&at("a.log.1"), &File::open(at("a.log")).unwrap()).unwrap();
            assert_eq!(found, copy, "{text:.20?} {of:.20?}");
            assert_eq!(is_part(&at("a.log.1"), &at("a.log")).unwrap(), part, "{text:.20?} {of:.20?}");
        }
    }

    #[test]
    fn how_much_of_a_file_is_known() {
        let mut known = Known::default();
        let mut beginning = Beginning::default();
        beginning.update(b"one\n");
        known.add(4, beginning.hash());
        let check = |text: &[u8]| read_beginning(text, &known).unwrap();
        assert_eq!(check(b"one\n"), Beginnings::Known);
        assert_eq!(check(b"one\ntwo\n"), Beginnings::Grown);
        assert_eq!(check(b"two\none\n"), Beginnings::Unknown);
        assert_eq!(check(b""), Beginnings::Unknown);
    }
}
