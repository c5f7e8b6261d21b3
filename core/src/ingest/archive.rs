//! Tar archives as a sequence of members, read one after the other and never as a whole.

use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard};
use tar::{EntryType, Header};

/// Everything in an archive is in blocks of this size.
const BLOCK_BYTES: usize = 512;
/// The longest name, and the longest list of attributes, that a member may have.
const EXTENSION_BYTES_MAX: u64 = 1 << 20;
/// Where the format's mark is in a header, and where that of an old archive has the sum of its bytes.
const MARK: std::ops::Range<usize> = 257..262;

/// Whether decompressed bytes begin a tar archive; 512 of them tell for sure.
pub fn is_archive(start: &[u8]) -> bool {
    start.get(MARK) == Some(b"ustar")
        || start.get(..BLOCK_BYTES).is_some_and(|block| block.first() != Some(&0) && has_sum(block))
}

/// Whether a header's sum is right; the sum counts its own eight bytes as blanks.
fn has_sum(block: &[u8]) -> bool {
    let Ok(block) = <&[u8; BLOCK_BYTES]>::try_from(block) else { return false };
    let others = block.iter().enumerate().filter(|(place, _)| !(148..156).contains(place));
    let sum = others.fold(8 * u32::from(b' '), |sum, (_, byte)| sum.saturating_add(u32::from(*byte)));
    Header::from_byte_slice(block).cksum().is_ok_and(|told| told == sum)
}

/// The members of an archive, in order.
pub struct Members {
    shared: Arc<Mutex<Archive>>,
}

/// A regular file in an archive.
pub struct Member {
    /// Its path in the archive, as a label: nothing is ever opened under it.
    pub name: String,
    /// Its bytes; it can be read until the next member is asked for.
    pub reader: MemberReader,
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Members")
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({})", self.name)
    }
}

impl Members {
    /// The members of the archive that these decompressed bytes are.
    pub fn new(source: Box<dyn Read + Send>) -> Members {
        let archive = Archive {
            source,
            number: 0,
            name: String::new(),
            remaining: 0,
            padding: 0,
            sparse: Vec::new(),
            state: State::Open,
        };
        Members { shared: Arc::new(Mutex::new(archive)) }
    }

    /// The next regular file; what is left of the one before is skipped. An archive that is damaged or ends too
    /// early is an error after the members that came before, and so is one with members that cannot be read,
    /// after all others.
    pub fn next_member(&mut self) -> io::Result<Option<Member>> {
        let mut archive = lock(&self.shared);
        let found = match archive.state {
            State::Open => archive.next_file(),
            State::Ended => return Ok(None),
            State::Failed => return Err(damaged("it could not be read before")),
        };
        match found {
            Ok(true) => {
                let reader = MemberReader { shared: self.shared.clone(), number: archive.number };
                Ok(Some(Member { name: archive.name.clone(), reader }))
            }
            Ok(false) => {
                archive.state = State::Ended;
                archive.sparse_members()
            }
            Err(error) => {
                archive.state = State::Failed;
                Err(error)
            }
        }
    }
}

/// Reads one member.
pub struct MemberReader {
    shared: Arc<Mutex<Archive>>,
    number: u64,
}

impl fmt::Debug for MemberReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemberReader({})", self.number)
    }
}

impl Read for MemberReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut archive = lock(&self.shared);
        if archive.number != self.number {
            return Err(io::Error::other("the archive was read on"));
        }
        archive.read_member(buffer)
    }
}

/// A thread that panicked while it read leaves nothing behind that could be wrong in a new way.
fn lock(shared: &Mutex<Archive>) -> MutexGuard<'_, Archive> {
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

struct Archive {
    source: Box<dyn Read + Send>,
    /// Counts members, so that a reader knows whether it is still its turn.
    number: u64,
    name: String,
    /// Bytes of the member that were not read yet, and those after it up to the next header.
    remaining: u64,
    padding: u64,
    sparse: Vec<String>,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Open,
    Ended,
    Failed,
}

/// What headers of their own say about the next member.
#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Archive {
    fn read_member(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        let read = self.source.read(buffer)?;
        if read == 0 {
            return Err(cut(&format!("within `{}`", self.name)));
        }
        self.remaining = self.remaining.saturating_sub(read as u64);
        Ok(read)
    }

    /// Goes to the data of the next regular file, if there is one.
    fn next_file(&mut self) -> io::Result<bool> {
        self.skip()?;
        let mut extensions = Extensions::default();
        while let Some(block) = self.next_header()? {
            let header = Header::from_byte_slice(&block);
            let kind = header.entry_type();
            let size = header.entry_size().map_err(|_| damaged("a header has no size"))?;
            match kind {
                EntryType::GNULongName => extensions.name = Some(self.extension(size)?),
                EntryType::XHeader => extensions.add(&self.extension(size)?),
                EntryType::XGlobalHeader | EntryType::GNULongLink => self.pass(size)?,
                _ => {
                    let extensions = std::mem::take(&mut extensions);
                    // A link has no data, whatever size it tells.
                    let size = if kind == EntryType::Link { 0 } else { extensions.size.unwrap_or(size) };
                    let name = extensions.name.unwrap_or_else(|| header.path_bytes().into_owned());
                    if self.take_up(kind, &block, &name, size, extensions.sparse)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Makes a member the present one if it is a regular file; else passes it.
    fn take_up(
        &mut self,
        kind: EntryType,
        block: &[u8; BLOCK_BYTES],
        name: &[u8],
        size: u64,
        sparse: bool,
    ) -> io::Result<bool> {
        let name = String::from_utf8_lossy(name.strip_prefix(b"./").unwrap_or(name));
        self.name = name.trim_end_matches('\0').to_string();
        if kind == EntryType::GNUSparse {
            self.pass_sparse_headers(block)?;
        }
        let is_file = matches!(kind, EntryType::Regular | EntryType::Continuous) && !self.name.ends_with('/');
        if kind == EntryType::GNUSparse || sparse {
            self.sparse.push(self.name.clone());
        } else if is_file {
            self.number = self.number.saturating_add(1);
            self.remaining = size;
            self.padding = padding(size);
            return Ok(true);
        }
        self.pass(size)?;
        Ok(false)
    }

    /// Old sparse files go on with headers that list their parts.
    fn pass_sparse_headers(&mut self, block: &[u8; BLOCK_BYTES]) -> io::Result<()> {
        let mut more = block.get(482).is_some_and(|byte| *byte != 0);
        while more {
            let next = self.block()?.ok_or_else(|| cut("within a header"))?;
            more = next.get(504).is_some_and(|byte| *byte != 0);
        }
        Ok(())
    }

    /// The next header; none after the blocks of zeros that end the archive and what is appended to it.
    fn next_header(&mut self) -> io::Result<Option<[u8; BLOCK_BYTES]>> {
        let mut zeros = false;
        loop {
            match self.block()? {
                None if zeros => return Ok(None),
                None => return Err(cut("without its end mark")),
                Some(block) if block.iter().all(|byte| *byte == 0) => zeros = true,
                Some(block) if has_sum(&block) => return Ok(Some(block)),
                Some(_) if zeros => return Err(damaged("there are other bytes after its end")),
                Some(_) => return Err(damaged("a header is not what was written")),
            }
        }
    }

    fn block(&mut self) -> io::Result<Option<[u8; BLOCK_BYTES]>> {
        let mut bytes = Vec::with_capacity(BLOCK_BYTES);
        (&mut self.source).take(BLOCK_BYTES as u64).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        bytes.try_into().map(Some).map_err(|_| cut("within a header"))
    }

    /// The data of a header that only says something about the next one.
    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > EXTENSION_BYTES_MAX {
            return Err(damaged("a member's name or list of attributes is longer than 1 MiB"));
        }
        let mut bytes = Vec::new();
        (&mut self.source).take(size).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != size {
            return Err(cut("within a header"));
        }
        self.remaining = padding(size);
        self.skip()?;
        Ok(bytes)
    }

    fn pass(&mut self, size: u64) -> io::Result<()> {
        self.remaining = size;
        self.padding = padding(size);
        self.skip()
    }

    /// Goes on to the next header.
    fn skip(&mut self) -> io::Result<()> {
        for left in [std::mem::take(&mut self.remaining), std::mem::take(&mut self.padding)] {
            let skipped = io::copy(&mut (&mut self.source).take(left), &mut io::sink())?;
            if skipped < left {
                return Err(cut(&format!("within `{}`", self.name)));
            }
        }
        Ok(())
    }

    fn sparse_members(&self) -> io::Result<Option<Member>> {
        let Some(first) = self.sparse.first() else { return Ok(None) };
        let others = match self.sparse.len().saturating_sub(1) {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        let message = format!("the archive's member `{first}`{others} is a sparse file, which is not read");
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }
}

impl Extensions {
    /// Takes what matters from a list of lines `length key=value`.
    fn add(&mut self, list: &[u8]) {
        let mut rest = list;
        while let Some((key, value, after)) = attribute(rest) {
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"size" => self.size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()),
                b"GNU.sparse.name" => {
                    self.name = Some(value.to_vec());
                    self.sparse = true;
                }
                _ if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
            rest = after;
        }
    }
}

/// The first attribute of a list, and the list after it.
fn attribute(list: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = memchr::memchr(b' ', list.get(..list.len().min(20))?)?;
    let length: usize = std::str::from_utf8(list.get(..blank)?).ok()?.parse().ok()?;
    let (line, after) = list.split_at_checked(length)?;
    let line = line.get(blank.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = memchr::memchr(b'=', line)?;
    Some((line.get(..equals)?, line.get(equals.checked_add(1)?..)?, after))
}

fn padding(size: u64) -> u64 {
    let block = BLOCK_BYTES as u64;
    (block - size % block) % block
}

fn cut(place: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the tar archive ends {place}"))
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the tar archive is damaged: {what}"))
}

#[cfg(test)]
mod tests;
