//! Inputs, opened: files, archives and their members, decompressed, as streams of bytes or rows.

use super::archive::{self, Members};
use super::columnar;
use super::decompress::{Compression, decompressed};
use super::known::Hash;
use crate::error::{Error, Result};
use crate::format::Format;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Cursor, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

/// So many bytes tell an archive, or a file of columns, from others.
const START_BYTES: u64 = 1024;
/// Archives in archives are opened so deep.
const ARCHIVE_DEPTH_MAX: u32 = 2;

/// Where events come from.
pub enum Input {
    /// A file.
    File(PathBuf),
    /// The first bytes of a file that is open already.
    Part {
        /// Its name.
        path: PathBuf,
        /// The file.
        file: File,
        /// How many bytes.
        bytes: u64,
        /// Their SHA-256.
        sha256: Hash,
        /// Set when they are not these: then nothing of them is to be stored.
        changed: Arc<AtomicBool>,
    },
    /// Standard input.
    Stdin,
    /// Anything that can be read, with a name for receipts.
    Reader {
        /// The name.
        name: String,
        /// The bytes.
        reader: Box<dyn Read + Send>,
    },
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Input({})", self.name())
    }
}

impl Input {
    /// The name in receipts and in the quarantine.
    pub fn name(&self) -> String {
        match self {
            Input::File(path) | Input::Part { path, .. } => path.display().to_string(),
            Input::Stdin => "-".to_string(),
            Input::Reader { name, .. } => name.clone(),
        }
    }
}

/// An input, or a member of one that is an archive.
pub struct Stream {
    /// The name.
    pub name: String,
    /// What it holds.
    pub content: Content,
    /// How it is compressed.
    pub compression: Compression,
    /// When it was last written, in microseconds since 1970, if that is known.
    pub time_us: Option<i64>,
    /// Bytes taken from the input as it is stored.
    pub read: Arc<AtomicU64>,
    /// How many there are, if that is known.
    pub total: Option<u64>,
}

/// What a stream holds.
pub enum Content {
    /// Bytes, decompressed.
    Bytes(Box<dyn Read + Send>),
    /// Rows of columns, in a file that can be read at any place.
    Rows(Format, File),
}

/// Opens an input and hands on its streams: one, or one for each file of an archive. The error is of the input,
/// with its name; streams before it have been handed on.
pub fn each_stream(input: Input, visit: &mut dyn FnMut(Stream)) -> Result<()> {
    let name = input.name();
    let (mut total, mut time_us, mut file) = (None, None, None);
    let raw: Box<dyn Read + Send> = match input {
        Input::File(path) => {
            let opened = File::open(&path).map_err(|error| Error::io("open", path.display(), error))?;
            let metadata = opened.metadata().map_err(|error| Error::io("look at", path.display(), error))?;
            if metadata.is_dir() {
                let error = io::Error::new(io::ErrorKind::IsADirectory, "it is a folder");
                return Err(Error::io("read", path.display(), error).with_hint("name the files in it"));
            }
            total = metadata.is_file().then_some(metadata.len());
            time_us = modified_us(&metadata);
            file = metadata.is_file().then_some(path);
            Box::new(opened)
        }
        Input::Part { path, mut file, bytes, sha256, changed } => {
            let failed = |error| Error::io("read", path.display(), error);
            let metadata = file.metadata().map_err(failed)?;
            file.rewind().map_err(failed)?;
            (total, time_us) = (Some(bytes), modified_us(&metadata));
            Box::new(Part { file, left: bytes, hash: Sha256::new(), sha256, changed })
        }
        Input::Stdin => Box::new(io::stdin()),
        Input::Reader { reader, .. } => reader,
    };
    let read = Arc::new(AtomicU64::new(0));
    let counted = Box::new(Counted { inner: raw, read: read.clone() });
    open(Opening { name, source: counted, file, time_us, read, total, depth: 0 }, visit)
}

/// When a file was last written, in microseconds since 1970.
pub fn modified_us(metadata: &Metadata) -> Option<i64> {
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(modified.as_micros()).ok()
}

/// The first bytes of a file, all of which have to be there, and as they were.
struct Part {
    file: File,
    left: u64,
    hash: Sha256,
    sha256: Hash,
    changed: Arc<AtomicBool>,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let room = buffer.get_mut(..most).unwrap_or_default();
        let count = self.file.read(room)?;
        self.hash.update(room.get(..count).unwrap_or_default());
        self.left -= count as u64;
        let is_short = count == 0 && most > 0;
        let is_other = count > 0 && self.left == 0 && Hash::from(self.hash.clone().finalize()) != self.sha256;
        if is_short || is_other {
            self.changed.store(true, Ordering::Relaxed);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it was changed while it was read"));
        }
        Ok(count)
    }
}

/// A stream before it is looked at.
struct Opening {
    name: String,
    source: Box<dyn Read + Send>,
    /// The file that it is, if it is one.
    file: Option<PathBuf>,
    time_us: Option<i64>,
    read: Arc<AtomicU64>,
    total: Option<u64>,
    depth: u32,
}

fn open(opening: Opening, visit: &mut dyn FnMut(Stream)) -> Result<()> {
    let Opening { name, source, file, time_us, read, total, depth } = opening;
    let failed = |error| Error::io("read", &name, error);
    let (compression, mut source) = decompressed(source).map_err(failed)?;
    let mut start = Vec::new();
    // What fails here fails again for whoever reads on.
    let result = (&mut source).take(START_BYTES).read_to_end(&mut start);
    let whole = Box::new(Cursor::new(start.clone()).chain(Failing(result.err())).chain(source));
    if archive::is_archive(&start) && depth < ARCHIVE_DEPTH_MAX {
        let mut members = Members::new(whole);
        while let Some(member) = members.next_member().map_err(failed)? {
            let name = format!("{name}/{}", member.name);
            let (source, read) = (Box::new(member.reader), read.clone());
            open(Opening { name, source, file: None, time_us, read, total, depth: depth + 1 }, visit)?;
        }
        return Ok(());
    }
    let content = match (columnar::is_columnar(&start), file, compression) {
        (Some(format), Some(path), Compression::None) => {
            Content::Rows(format, File::open(&path).map_err(failed)?)
        }
        (Some(format), ..) => Content::Rows(format, columnar::spool(whole).map_err(failed)?),
        (None, ..) => Content::Bytes(whole),
    };
    visit(Stream { name, content, compression, time_us, read, total });
    Ok(())
}

/// Fails once, if there is anything to fail with.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Counts what is read.
struct Counted {
    inner: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
