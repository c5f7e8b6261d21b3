//! A file that grows: reads what is new, and cuts it into records that are whole, with the place up to which the
//! file is stored once they are.

pub mod place;

use super::archive;
use super::blocks::{RECORD_BYTES_MAX, ReadAs, kept_of};
use super::columnar;
use super::decompress::Compression;
use super::encoding::{self, Encoding};
use super::input::modified_us;
use super::known::{Beginning, Hash, Known};
use crate::error::{Error, ErrorKind, Result};
use crate::format::detect::{self, SAMPLE_BYTES};
use crate::format::{Format, Layout, Sample, last_line_end};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// So many bytes are read at a time.
const PIECE_BYTES: usize = 1 << 20;
/// So many bytes tell an archive, or a file of columns, from others.
const START_BYTES: u64 = 1024;
/// Records are cut off in blocks of about so many bytes.
const BLOCK_BYTES: usize = 256 << 10;
/// So many of the last bytes that were read are compared with the file before it is read on.
const RECENT_BYTES: usize = 1024;
/// Whoever is less sure of a format has found next to nothing.
const SURE_ENOUGH: u8 = 40;
/// Where years are not written, the time of the file says which: it is looked at again this often.
const LAYOUT_FOR_US: i64 = 3_600_000_000;

/// When the last record of a file is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// When its format says so.
    BySign,
    /// When its line is, since nothing came for a while.
    ByTime,
    /// Whatever it is: nothing comes any more.
    AtEnd,
}

/// Some whole records.
#[derive(Debug, Default)]
pub struct Cut {
    /// Where they stand in the decoded file.
    pub offset: u64,
    /// The records.
    pub bytes: Vec<u8>,
    /// Whether they are the beginning of one record that is too long, and nothing else.
    pub too_long: bool,
    /// How many bytes of the file are stored with them.
    pub length: u64,
    /// The hash of those.
    pub hash: Hash,
}

/// What a file is, found from its beginning.
#[derive(Debug)]
struct Shape {
    layout: Layout,
    encoding: Encoding,
    /// The text that it was found from.
    sample: Vec<u8>,
    /// The time of the file then.
    time_us: i64,
}

/// A file that may grow.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    file: File,
    shape: Option<Shape>,
    /// The file so far, without what was read and not yet cut.
    beginning: Beginning,
    /// Where the next record stands in the decoded file.
    offset: u64,
    /// What was read and not yet cut.
    pending: Vec<u8>,
    /// The last bytes that were read.
    recent: Vec<u8>,
    /// The beginning of a record that is too long, whose end was not found yet.
    too_long: Option<(u64, Vec<u8>)>,
    /// When the file was written last, as far as that was looked at.
    modified_us: Option<i64>,
}

impl Tail {
    /// A file to be read from its beginning.
    pub fn new(path: &Path, file: File) -> Tail {
        Tail {
            path: path.to_path_buf(),
            file,
            shape: None,
            beginning: Beginning::default(),
            offset: 0,
            pending: Vec::new(),
            recent: Vec::new(),
            too_long: None,
            modified_us: None,
        }
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// How the file is read, once that is known.
    pub fn layout(&self) -> Option<&Layout> {
        self.shape.as_ref().map(|shape| &shape.layout)
    }

    /// How it is encoded, once that is known.
    pub fn encoding(&self) -> Option<Encoding> {
        self.shape.as_ref().map(|shape| shape.encoding)
    }

    /// The part of the file that is cut into records.
    pub fn beginning(&self) -> &Beginning {
        &self.beginning
    }

    /// Where the next byte is read.
    pub fn position(&self) -> u64 {
        self.beginning.length() + self.pending.len() as u64
    }

    /// Everything that was read.
    pub fn all_read(&self) -> Beginning {
        let mut all = self.beginning.clone();
        all.update(&self.pending);
        all
    }

    /// Whether something was read that is not cut yet.
    pub fn has_rest(&self) -> bool {
        !self.pending.is_empty() || self.too_long.is_some()
    }

    /// Whether the file has not what was read from it any more: it was cut, or written anew.
    pub fn was_rewritten(&mut self) -> Result<bool> {
        let metadata = self.file.metadata().map_err(|error| self.failed(error))?;
        if metadata.len() < self.position() {
            return Ok(true);
        }
        let modified_us = modified_us(&metadata);
        if modified_us == self.modified_us && metadata.len() == self.position() {
            return Ok(false);
        }
        let mut found = vec![0; self.recent.len()];
        let from = self.position().saturating_sub(found.len() as u64);
        match self.file.read_exact_at(&mut found, from) {
            Ok(()) => {
                self.modified_us = modified_us;
                Ok(found != self.recent)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(true),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Reads what is new, as far as there is room, and says how many bytes that were. The error is that the file
    /// cannot be read, or is none that can be followed.
    pub fn read(&mut self, read_as: &ReadAs, usual: Option<Format>) -> Result<usize> {
        let metadata = self.file.metadata().map_err(|error| self.failed(error))?;
        if metadata.len() <= self.position() {
            return Ok(0);
        }
        let mut count = 0;
        while count < PIECE_BYTES {
            let start = self.pending.len();
            self.pending.resize(start + PIECE_BYTES - count, 0);
            let room = self.pending.get_mut(start..).unwrap_or_default();
            let at = self.beginning.length() + start as u64;
            let read = self.file.read_at(room, at);
            let got = *read.as_ref().unwrap_or(&0);
            self.pending.truncate(start + got);
            count += got;
            match read {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        let fresh = self.pending.get(self.pending.len() - count..).unwrap_or_default();
        self.recent.extend_from_slice(fresh.get(fresh.len().saturating_sub(RECENT_BYTES)..).unwrap_or(fresh));
        self.recent.drain(..self.recent.len().saturating_sub(RECENT_BYTES));
        if self.shape.is_none() && !self.pending.is_empty() {
            self.find_shape(read_as, usual, false)?;
        } else if count > 0 {
            self.renew_layout(read_as);
        }
        Ok(count)
    }

    /// Looks what the file is. `last` says that nothing comes any more.
    fn find_shape(&mut self, read_as: &ReadAs, usual: Option<Format>, last: bool) -> Result<()> {
        refuse(&self.path, &self.pending)?;
        let beginning = self.pending.get(..SAMPLE_BYTES).unwrap_or(&self.pending);
        let (found, mark) = encoding::detect(beginning, last);
        let encoding = read_as.encoding.unwrap_or(found);
        let mark = if encoding == found { mark } else { 0 };
        let text = beginning.get(mark.min(beginning.len())..).unwrap_or_default();
        let sample = decoded(encoding, text, last).into_owned();
        if !last && !sample.contains(&b'\n') && sample.len() < SAMPLE_BYTES / 4 {
            return Ok(());
        }
        let metadata = self.file.metadata().map_err(|error| self.failed(error))?;
        let time_us = modified_us(&metadata).unwrap_or_default();
        let name = self.path.display().to_string();
        let looked_at = Sample { bytes: &sample, whole: false, time_us, header: read_as.header.as_deref() };
        let (mut layout, guess) = read_as.layout(&looked_at, &name)?;
        if read_as.format.is_none() && guess.is_none_or(|(sure, _)| sure < SURE_ENOUGH) {
            let lines = memchr::memchr_iter(b'\n', &sample).take(2).count();
            match usual.and_then(|usual| detect::layout(usual, &looked_at)) {
                Some(as_usual) => layout = as_usual,
                // One line may be the names of columns: the next one tells.
                None if lines < 2 && !last && sample.len() < SAMPLE_BYTES / 4 => return Ok(()),
                None => {}
            }
        }
        let start = layout.start.min(sample.len());
        let skipped = mark + encoded_length(encoding, sample.get(..start).unwrap_or_default());
        self.shape = Some(Shape { layout, encoding, sample, time_us });
        self.offset = (mark + start) as u64;
        self.advance(skipped, &Known::default());
        Ok(())
    }

    /// Where records do not say their year, the time of the file does.
    fn renew_layout(&mut self, read_as: &ReadAs) {
        let modified_us = self.file.metadata().ok().and_then(|metadata| modified_us(&metadata));
        let Some((shape, time_us)) = self.shape.as_mut().zip(modified_us) else { return };
        if time_us.saturating_sub(shape.time_us) > LAYOUT_FOR_US {
            shape.time_us = time_us;
            let header = read_as.header.as_deref();
            let sample = Sample { bytes: &shape.sample, whole: false, time_us, header };
            if let Some(layout) = detect::layout(shape.layout.format, &sample) {
                shape.layout = layout;
            }
        }
    }

    /// The next records that are whole. What is known of the file is found on the way.
    pub fn cut(&mut self, whole: Whole, read_as: &ReadAs, known: &Known) -> Result<Option<Cut>> {
        if self.shape.is_none() && whole == Whole::AtEnd && !self.pending.is_empty() {
            self.find_shape(read_as, None, true)?;
        }
        let Some(shape) = &self.shape else { return Ok(None) };
        let codec = shape.layout.codec.clone();
        let encoding = shape.encoding;
        let text = decoded(encoding, &self.pending, whole == Whole::AtEnd);
        if self.too_long.is_some() {
            let next = codec.next_start(&text).filter(|next| *next <= text.len());
            let end = next.or_else(|| (whole == Whole::AtEnd).then_some(text.len()));
            let dropped = end.unwrap_or(text.len());
            let bytes = encoded_length(encoding, text.get(..dropped).unwrap_or_default());
            self.offset += dropped as u64;
            self.advance(bytes, known);
            return Ok(end
                .and_then(|_| self.too_long.take())
                .map(|(offset, bytes)| self.marked(offset, bytes, true)));
        }
        let first = text.get(..BLOCK_BYTES).and_then(|block| codec.last_end(block)).filter(|end| *end > 0);
        let end = first.or_else(|| match whole {
            Whole::BySign => codec.last_end(&text),
            Whole::ByTime if shape.layout.format == Format::Text => last_line_end(&text),
            Whole::ByTime => codec.last_end(&text),
            Whole::AtEnd => Some(text.len()),
        });
        match end.filter(|end| (1..=text.len()).contains(end)) {
            Some(end) => {
                let block = text.get(..end).unwrap_or_default().to_vec();
                let is_all = end == text.len() && whole == Whole::AtEnd;
                let bytes = if is_all { self.pending.len() } else { encoded_length(encoding, &block) };
                let offset = self.offset;
                self.offset += block.len() as u64;
                self.advance(bytes, known);
                Ok(Some(self.marked(offset, block, false)))
            }
            None if text.len() > RECORD_BYTES_MAX => {
                let (kept, dropped) = (kept_of(&text).to_vec(), text.len());
                let bytes = encoded_length(encoding, &text);
                self.too_long = Some((self.offset, kept));
                self.offset += dropped as u64;
                self.advance(bytes, known);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Passes over what is known of what was read and not cut. A whole input may have ended in the middle of a
    /// line, which is read again then.
    pub fn pass_known(&mut self, known: &Known) {
        let Some(encoding) = self.encoding().filter(|_| self.too_long.is_none()) else { return };
        let mut ahead = self.beginning.clone();
        (ahead.known, ahead.id) = (None, None);
        ahead.take(&self.pending, known);
        let Some(length) = ahead.known else { return };
        let bytes = usize::try_from(length.saturating_sub(self.beginning.length())).unwrap_or(usize::MAX);
        let passed = self.pending.get(..bytes).unwrap_or_default();
        if ahead.id.is_some() || passed.ends_with(b"\n") || passed.ends_with(b"\n\0") {
            self.offset += decoded(encoding, passed, false).len() as u64;
            self.advance(bytes, known);
        }
    }

    fn marked(&self, offset: u64, bytes: Vec<u8>, too_long: bool) -> Cut {
        Cut { offset, bytes, too_long, length: self.beginning.length(), hash: self.beginning.hash() }
    }

    /// Takes bytes off what is pending.
    fn advance(&mut self, bytes: usize, known: &Known) {
        let rest = self.pending.split_off(bytes.min(self.pending.len()));
        let taken = std::mem::replace(&mut self.pending, rest);
        self.beginning.take(&taken, known);
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::io("read", self.path.display(), error)
    }
}

/// Refuses a name that cannot be followed. One that nothing has can be.
pub fn check(path: &Path) -> Result<()> {
    let Some((file, _)) = place::open(path)? else { return Ok(()) };
    let mut start = Vec::new();
    let read = file.take(START_BYTES).read_to_end(&mut start);
    read.map_err(|error| Error::io("read", path.display(), error))?;
    refuse(path, &start)
}

/// Refuses what cannot be followed, by its first bytes.
fn refuse(path: &Path, start: &[u8]) -> Result<()> {
    let what = match (Compression::of(start), columnar::is_columnar(start)) {
        (Compression::None, None) if archive::is_archive(start) => "an archive".to_string(),
        (Compression::None, None) => return Ok(()),
        (Compression::None, Some(format)) => format!("a file of {format}"),
        (compression, _) => format!("compressed with {compression}"),
    };
    let message = format!("`{}` is {what} and cannot be followed", path.display());
    Err(Error::new(ErrorKind::Invalid, message).with_hint("ingest it without following it"))
}

/// Bytes as text in UTF-8, without a character at their end that is not whole.
fn decoded(encoding: Encoding, bytes: &[u8], last: bool) -> Cow<'_, [u8]> {
    let Some(mut decoder) = encoding.decoder() else { return Cow::Borrowed(bytes) };
    let mut text = Vec::new();
    decoder.decode(bytes, last, &mut text);
    Cow::Owned(text)
}

/// How many bytes a text has in the file. What could not be decoded is one character there as here.
fn encoded_length(encoding: Encoding, text: &[u8]) -> usize {
    let characters = || String::from_utf8_lossy(text);
    match encoding {
        Encoding::Utf8 => text.len(),
        Encoding::Windows1252 => characters().chars().count(),
        Encoding::Utf16Le | Encoding::Utf16Be => characters().encode_utf16().count() * 2,
    }
}

#[cfg(test)]
mod tests;
