//! Inputs as blocks of whole lines: opened, decompressed, hashed, cut.

use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The longest line that is read; longer ones go to quarantine, cut.
pub const LINE_BYTES_MAX: usize = 128 << 20;
/// How much of a line that is too long is kept.
const CUT_BYTES: usize = 64 << 10;
/// Blocks are about so large.
const BLOCK_BYTES: usize = 4 << 20;

/// What is kept of a line that cannot be read: all of it, or the beginning of one that is too long.
pub fn kept_of(line: &[u8]) -> &[u8] {
    if line.len() > LINE_BYTES_MAX { line.get(..CUT_BYTES).unwrap_or(line) } else { line }
}

/// Where events come from.
pub enum Input {
    /// A file.
    File(PathBuf),
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
            Input::File(path) => path.display().to_string(),
            Input::Stdin => "-".to_string(),
            Input::Reader { name, .. } => name.clone(),
        }
    }
}

/// Some whole lines of an input.
#[derive(Debug)]
pub struct Block {
    /// Where in the decompressed input it starts.
    pub offset: u64,
    /// The lines.
    pub bytes: Vec<u8>,
    /// Whether it is the beginning of one line that is too long, and nothing else.
    pub too_long: bool,
    /// Whether everything before it is an input that was stored before.
    pub all_before_is_known: bool,
}

/// Inputs that were stored before: how long each was, and the SHA-256 of its bytes.
#[derive(Clone, Debug, Default)]
pub struct Known {
    by_length: Vec<(u64, [u8; 32])>,
}

impl Known {
    /// These inputs.
    pub fn new(inputs: impl IntoIterator<Item = (u64, [u8; 32])>) -> Known {
        let mut by_length: Vec<_> = inputs.into_iter().collect();
        by_length.sort_unstable();
        Known { by_length }
    }
}

/// Cuts an input into blocks.
pub struct Blocks {
    source: Box<dyn Read + Send>,
    name: String,
    hash: Sha256,
    known: Known,
    next_known: usize,
    ready: VecDeque<Block>,
    pending: Vec<u8>,
    offset: u64,
    skipping: bool,
    ended: bool,
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Blocks {
    /// Opens an input and looks how it is compressed. It may begin with one that is known.
    pub fn open(input: Input, known: Known) -> Result<Blocks> {
        let name = input.name();
        let mut total = None;
        let raw: Box<dyn Read + Send> = match input {
            Input::File(path) => {
                let file = File::open(&path).map_err(|error| Error::io("open", path.display(), error))?;
                let metadata =
                    file.metadata().map_err(|error| Error::io("look at", path.display(), error))?;
                if metadata.is_dir() {
                    let error = io::Error::new(io::ErrorKind::IsADirectory, "it is a folder");
                    return Err(Error::io("read", path.display(), error).with_hint("name the files in it"));
                }
                total = metadata.is_file().then_some(metadata.len());
                Box::new(file)
            }
            Input::Stdin => Box::new(io::stdin()),
            Input::Reader { reader, .. } => reader,
        };
        let read = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: raw, read: read.clone() };
        let source = decompressed(counted).map_err(|error| Error::io("read", &name, error))?;
        Ok(Blocks {
            source,
            name,
            hash: Sha256::new(),
            known,
            next_known: 0,
            ready: VecDeque::new(),
            pending: Vec::new(),
            offset: 0,
            skipping: false,
            ended: false,
            read,
            total,
        })
    }

    /// Bytes taken from the input as it is stored, and how many there are, if that is known.
    pub fn progress(&self) -> (Arc<AtomicU64>, Option<u64>) {
        (self.read.clone(), self.total)
    }

    /// The next lines; none at the end.
    pub fn next_block(&mut self) -> Result<Option<Block>> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Ok(Some(block));
            }
            if self.ended && self.pending.is_empty() {
                return Ok(None);
            }
            let searched = self.pending.len();
            if !self.ended {
                self.fill()?;
            }
            if self.skipping {
                self.skip_line();
                continue;
            }
            let last_newline = match self.ended {
                true => self.pending.len().checked_sub(1),
                false => {
                    let fresh = self.pending.get(searched..).unwrap_or_default();
                    memchr::memrchr(b'\n', fresh).map(|position| position + searched)
                }
            };
            match last_newline {
                Some(last) => self.cut(last + 1),
                None if self.pending.len() > LINE_BYTES_MAX => self.cut_long_line(),
                None => {}
            }
        }
    }

    /// The SHA-256 of all decompressed bytes that were given.
    pub fn content_hash(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// How many decompressed bytes were given.
    pub fn decompressed_bytes(&self) -> u64 {
        self.offset
    }

    fn fill(&mut self) -> Result<()> {
        self.pending.reserve(BLOCK_BYTES);
        match (&mut self.source).take(BLOCK_BYTES as u64).read_to_end(&mut self.pending) {
            Ok(0) => self.ended = true,
            Ok(_) => {}
            Err(error) => {
                // What came before is whole lines, and one that is not.
                self.ended = true;
                let whole = memchr::memrchr(b'\n', &self.pending).map_or(0, |newline| newline + 1);
                self.pending.truncate(whole);
                return Err(Error::io("read all of", &self.name, error)
                    .with_hint("what came before is stored; mend the file and ingest it again"));
            }
        }
        Ok(())
    }

    /// Takes bytes off what is pending, hashes them, and finds the last place among them up to which the
    /// input is known.
    fn consume(&mut self, length: usize) -> (Vec<u8>, Option<usize>) {
        let rest = self.pending.split_off(length.min(self.pending.len()));
        let bytes = std::mem::replace(&mut self.pending, rest);
        let end = self.offset + bytes.len() as u64;
        let (mut hashed, mut known) = (0, None);
        while let Some((length, hash)) =
            self.known.by_length.get(self.next_known).filter(|(length, _)| *length <= end)
        {
            let place = length.saturating_sub(self.offset) as usize;
            self.hash.update(bytes.get(hashed..place).unwrap_or_default());
            hashed = place;
            if self.content_hash() == *hash {
                known = Some(place);
            }
            self.next_known += 1;
        }
        self.hash.update(bytes.get(hashed..).unwrap_or_default());
        self.offset = end;
        (bytes, known)
    }

    fn cut(&mut self, length: usize) {
        let offset = self.offset;
        let (mut bytes, known) = self.consume(length);
        let block = |offset, bytes, all_before_is_known| Block {
            offset,
            bytes,
            too_long: false,
            all_before_is_known,
        };
        match known {
            None => self.ready.push_back(block(offset, bytes, false)),
            Some(place) => {
                let rest = bytes.split_off(place);
                self.ready.push_back(block(offset, bytes, false));
                self.ready.push_back(block(offset + place as u64, rest, true));
            }
        }
    }

    fn cut_long_line(&mut self) {
        let offset = self.offset;
        let (mut bytes, known) = self.consume(usize::MAX);
        bytes.truncate(CUT_BYTES);
        bytes.shrink_to_fit();
        self.ready.push_back(Block { offset, bytes, too_long: true, all_before_is_known: false });
        self.forget_if(known);
        self.skipping = true;
    }

    /// Drops the rest of a line that is too long.
    fn skip_line(&mut self) {
        let end = memchr::memchr(b'\n', &self.pending).map(|newline| newline + 1);
        self.skipping = end.is_none() && !self.ended;
        let (_, known) = self.consume(end.unwrap_or(self.pending.len()));
        self.forget_if(known);
    }

    /// Says that what was given so far is known.
    fn forget_if(&mut self, known: Option<usize>) {
        if known.is_some() {
            let (offset, bytes) = (self.offset, Vec::new());
            self.ready.push_back(Block { offset, bytes, too_long: false, all_before_is_known: true });
        }
    }
}

/// Decompresses gzip and zstd, several members or frames in one file too; everything else as it is.
fn decompressed(mut source: Counted) -> io::Result<Box<dyn Read + Send>> {
    let mut start = Vec::new();
    (&mut source).take(4).read_to_end(&mut start)?;
    let kind = start.clone();
    let whole = io::Cursor::new(start).chain(source);
    Ok(match kind.as_slice() {
        [0x1f, 0x8b, ..] => {
            Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(1 << 18, whole)))
        }
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(whole)?),
        _ => Box::new(whole),
    })
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
