//! Inputs as blocks of whole records: hashed, decoded, cut.

use super::encoding::{self, Decoder, Encoding};
use super::known::{Found, Known};
use crate::error::{Error, Result};
use crate::format::{Format, Guess, Layout, Place, Records, Sample, detect};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::io::Read;

/// The longest record that is read; longer ones go to quarantine, cut.
pub const RECORD_BYTES_MAX: usize = 32 << 20;
/// How much of a record that is too long is kept.
const CUT_BYTES: usize = 64 << 10;
/// Blocks are about so large.
const BLOCK_BYTES: usize = 4 << 20;

/// What is kept of a record that cannot be read: all of it, or the beginning of one that is too long.
pub fn kept_of(record: &[u8]) -> &[u8] {
    if record.len() > RECORD_BYTES_MAX { record.get(..CUT_BYTES).unwrap_or(record) } else { record }
}

/// Some whole records of an input.
#[derive(Debug, Default)]
pub struct Block {
    /// Where in the decompressed and decoded input it starts.
    pub offset: u64,
    /// The records.
    pub bytes: Vec<u8>,
    /// Whether it is the beginning of one record that is too long, and nothing else.
    pub too_long: bool,
    /// Whether everything before it is an input that was stored before.
    pub all_before_is_known: bool,
    /// Whether it may yet turn out to be part of such an input.
    pub may_be_known: bool,
    /// Whether its first record is the last one of that input, which has grown since.
    pub has_grown: bool,
    /// Whether what follows its last byte, if anything does, begins a line.
    pub ends_line: bool,
    /// Whether it is what is there of a record that the input was cut off in, and nothing else.
    pub cut_off: bool,
}

/// How an input is to be read, where the user says so.
#[derive(Clone, Debug, Default)]
pub struct ReadAs {
    /// As this format.
    pub format: Option<Format>,
    /// With these names of columns, so that the input begins with a record.
    pub header: Option<String>,
    /// In this encoding.
    pub encoding: Option<Encoding>,
}

impl ReadAs {
    /// How an input is read that begins with a sample, and how sure that is, and why, where it was found.
    pub fn layout(&self, sample: &Sample<'_>, name: &str) -> Result<(Layout, Option<(u8, String)>)> {
        if let Some(format) = self.format {
            let layout = detect::layout(format, sample);
            let is_none = || Error::new(crate::ErrorKind::Invalid, format!("`{name}` is no {format}"));
            return Ok((layout.ok_or_else(is_none)?, None));
        }
        Ok(match detect::guesses(sample).into_iter().next() {
            Some(Guess { layout, sure, why }) => (layout, Some((sure, why))),
            None => (crate::format::lines::layout(), None),
        })
    }
}

/// Cuts an input into blocks.
pub struct Blocks<'a> {
    source: Box<dyn Read + Send>,
    name: String,
    known: &'a Known,
    layout: Layout,
    guess: Option<(u8, String)>,
    encoding: Encoding,
    decoder: Option<Decoder>,
    hash: Sha256,
    /// Bytes that were read and hashed.
    read: u64,
    undecoded: Vec<u8>,
    pending: Vec<u8>,
    /// Where in the decoded input the pending bytes begin.
    offset: u64,
    /// What failed while the sample was read; told once what came before it is given.
    failed: Option<Error>,
    ready: VecDeque<Block>,
    skipping: bool,
    ended: bool,
    /// It ended where it could not be read on.
    broken: bool,
    /// The input is known up to here, in pending bytes.
    known_to: Option<usize>,
    /// What is known up to there.
    found: Found,
}

impl<'a> Blocks<'a> {
    /// Looks at the beginning of an input that is named so and was last written then. It may begin with one
    /// that is known.
    pub fn open(
        source: Box<dyn Read + Send>,
        name: &str,
        time_us: i64,
        read_as: &ReadAs,
        known: &'a Known,
    ) -> Result<Blocks<'a>> {
        let mut blocks = Blocks {
            source,
            name: name.to_string(),
            known,
            layout: crate::format::lines::layout(),
            guess: None,
            encoding: Encoding::Utf8,
            decoder: None,
            hash: Sha256::new(),
            read: 0,
            undecoded: Vec::new(),
            pending: Vec::new(),
            offset: 0,
            failed: None,
            ready: VecDeque::new(),
            skipping: false,
            ended: false,
            broken: false,
            known_to: None,
            found: Found::Input,
        };
        let (failed, known_to) = blocks.read_sample();
        let sample = std::mem::take(&mut blocks.undecoded);
        let (found, mark) = encoding::detect(&sample, blocks.ended);
        blocks.encoding = read_as.encoding.unwrap_or(found);
        blocks.decoder = blocks.encoding.decoder();
        blocks.undecoded = sample;
        let mut dropped = 0;
        if read_as.encoding.is_none_or(|encoding| encoding == found) {
            dropped = mark.min(blocks.undecoded.len());
            blocks.undecoded.drain(..dropped);
            blocks.offset = mark as u64;
        }
        blocks.decode_sample(known_to.map(|place| place.saturating_sub(dropped)));
        blocks.find_layout(time_us, read_as)?;
        blocks.failed = failed;
        Ok(blocks)
    }

    fn find_layout(&mut self, time_us: i64, read_as: &ReadAs) -> Result<()> {
        let header = read_as.header.as_deref();
        let sample = Sample { bytes: &self.pending, whole: self.ended, time_us, header };
        (self.layout, self.guess) = read_as.layout(&sample, &self.name)?;
        let start = self.layout.start.min(self.pending.len());
        self.pending.drain(..start);
        self.offset += start as u64;
        self.known_to = self.known_to.map(|place| place.saturating_sub(start));
        Ok(())
    }

    /// How records are read.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How sure the format is, and why, where it was found.
    pub fn guess(&self) -> Option<&(u8, String)> {
        self.guess.as_ref()
    }

    /// How the text is encoded.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The SHA-256 of all decompressed bytes that were read.
    pub fn content_hash(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// How many decompressed bytes were read.
    pub fn decompressed_bytes(&self) -> u64 {
        self.read
    }

    /// The next records; none at the end. After an error, what was read before it is still given.
    pub fn next_block(&mut self) -> Result<Option<Block>> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Ok(Some(block));
            }
            if let Some(failed) = self.failed.take() {
                return Err(failed);
            }
            if self.ended && self.pending.is_empty() && self.undecoded.is_empty() {
                return Ok(None);
            }
            if self.known_to.is_some() {
                self.pass_what_is_known();
                continue;
            }
            if !self.ended && (self.pending.len() < BLOCK_BYTES || self.last_end().is_none()) {
                self.fill();
                if self.failed.is_some() || self.known_to.is_some() {
                    continue;
                }
            }
            self.cut_what_is_whole();
        }
    }

    /// Cuts off the records that are whole, or what is too long.
    fn cut_what_is_whole(&mut self) {
        if self.skipping {
            return self.skip();
        }
        match self.last_end() {
            Some(end) => {
                let block = self.cut(end);
                self.ready.push_back(block);
            }
            None if self.pending.len() > RECORD_BYTES_MAX => self.cut_long_record(),
            None if self.ended => {
                // Whole lines of text may be all of their event.
                let lines = crate::format::last_line_end(&self.pending).unwrap_or(0);
                if self.layout.format == Format::Text && lines > 0 {
                    let block = self.cut(lines);
                    return self.ready.push_back(block);
                }
                let is_between = |byte: &u8| byte.is_ascii_whitespace() || b",]}".contains(byte);
                let cut_off = !self.pending.iter().all(is_between);
                let block = self.cut(self.pending.len());
                self.ready.push_back(Block { cut_off, ..block });
            }
            None => {}
        }
    }

    /// Where the last record ends that is whole.
    fn last_end(&self) -> Option<usize> {
        match self.ended && !self.broken {
            true => Some(self.pending.len()).filter(|length| *length > 0),
            false => {
                self.layout.codec.last_end(&self.pending).filter(|end| *end > 0 && *end <= self.pending.len())
            }
        }
    }

    /// Reads until a block is full, and stops at a place up to which the input is known.
    fn fill(&mut self) {
        if self.decoder.is_none() && self.undecoded.is_empty() {
            // What is read follows what is pending, in one buffer.
            std::mem::swap(&mut self.pending, &mut self.undecoded);
        }
        if let Err(error) = self.read_up_to(BLOCK_BYTES) {
            self.failed = Some(error);
        }
        self.decode();
    }

    fn read_up_to(&mut self, most: usize) -> Result<()> {
        let target = self.undecoded.len() + most;
        while self.undecoded.len() < target && !self.ended {
            let mark = self.known.next_length(self.read);
            let before = self.undecoded.len();
            let to_mark = mark.map_or(u64::MAX, |mark| mark - self.read);
            let wanted = to_mark.min((target - before) as u64);
            self.undecoded.reserve(usize::try_from(wanted).unwrap_or(0));
            let result = (&mut self.source).take(wanted).read_to_end(&mut self.undecoded);
            let fresh = self.undecoded.get(before..).unwrap_or_default();
            self.hash.update(fresh);
            let count = fresh.len() as u64;
            self.read += count;
            if let Err(error) = result {
                (self.ended, self.broken) = (true, true);
                return Err(Error::io("read all of", &self.name, error)
                    .with_hint("what came before is stored; mend the file and ingest it again"));
            }
            self.ended = count < wanted;
            let found = mark.filter(|mark| *mark == self.read);
            if let Some(found) = found.and_then(|mark| self.known.find(mark, &self.content_hash())) {
                self.known_to = Some(usize::MAX);
                self.found = found;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads the sample, also past places up to which the input is known, of which it gives the last: the format
    /// must not depend on what was stored before.
    fn read_sample(&mut self) -> (Option<Error>, Option<usize>) {
        let mut known_to = None;
        loop {
            let more = detect::SAMPLE_BYTES.saturating_sub(self.undecoded.len());
            let failed = self.read_up_to(more).err();
            if self.known_to.take().is_none() {
                return (failed, known_to);
            }
            known_to = Some(self.undecoded.len());
        }
    }

    /// Makes pending bytes of the sample, of which so many are known.
    fn decode_sample(&mut self, known: Option<usize>) {
        let Some(known) = known.filter(|known| *known <= self.undecoded.len()) else { return self.decode() };
        let rest = self.undecoded.split_off(known);
        let ended = self.ended;
        self.ended &= rest.is_empty();
        self.decode();
        self.ended = ended;
        self.known_to = Some(self.pending.len());
        if !rest.is_empty() {
            self.undecoded = rest;
            self.decode();
        }
    }

    /// Makes pending bytes of those that were read.
    fn decode(&mut self) {
        match &mut self.decoder {
            None if self.pending.is_empty() => std::mem::swap(&mut self.pending, &mut self.undecoded),
            None => self.pending.append(&mut self.undecoded),
            Some(decoder) => {
                decoder.decode(&self.undecoded, self.ended, &mut self.pending);
                self.undecoded.clear();
            }
        }
        if self.known_to == Some(usize::MAX) {
            self.known_to = Some(self.pending.len());
        }
    }

    fn cut(&mut self, length: usize) -> Block {
        let rest = self.pending.split_off(length.min(self.pending.len()));
        let bytes = std::mem::replace(&mut self.pending, rest);
        let offset = self.offset;
        self.offset += bytes.len() as u64;
        let may_be_known = self.known.next_length(self.read).is_some();
        let ends_line = self.ended && self.pending.is_empty();
        Block { offset, bytes, may_be_known, ends_line, ..Block::default() }
    }

    /// Gives the records that are known, and says so at those after them. The last record that is known may
    /// have been cut short by the end of the input then, and have grown since.
    fn pass_what_is_known(&mut self) {
        let Some(known_to) = self.known_to.take() else { return };
        if self.skipping {
            self.pending.drain(..known_to.min(self.pending.len()));
            self.offset += known_to as u64;
            self.ready.push_back(Block {
                offset: self.offset,
                all_before_is_known: true,
                ..Block::default()
            });
            return;
        }
        if self.found == Found::Followed {
            // What a follower took for whole is whole, whatever comes after it.
            let known = self.cut(known_to);
            self.ready.push_back(Block { may_be_known: true, ..known });
            self.ready.push_back(Block {
                offset: self.offset,
                all_before_is_known: true,
                ..Block::default()
            });
            return;
        }
        let codec = self.layout.codec.clone();
        let end = codec.last_end(self.pending.get(..known_to).unwrap_or(&self.pending)).unwrap_or(0);
        let whole = self.cut(end);
        self.ready.push_back(Block { may_be_known: true, ..whole });
        let tail = known_to.saturating_sub(end);
        // A longer part of the input may be known too.
        let mut known_further = None;
        while self.last_end().is_none() && !self.ended && self.pending.len() <= RECORD_BYTES_MAX {
            self.fill();
            known_further = self.known_to.take().or(known_further);
        }
        let mut grown = After { tail, first: None };
        let end = self.last_end().unwrap_or(0);
        codec.read(self.pending.get(..end).unwrap_or_default(), &mut grown);
        let first = grown.first.unwrap_or(end);
        let known = self.cut(first);
        self.known_to = known_further.map(|place| place.saturating_sub(first));
        self.ready.push_back(Block { may_be_known: true, ..known });
        let (offset, has_grown) = (self.offset, first < tail);
        self.ready.push_back(Block { offset, all_before_is_known: true, has_grown, ..Block::default() });
    }

    fn cut_long_record(&mut self) {
        let mut block = self.cut(self.pending.len());
        block.bytes.truncate(CUT_BYTES);
        block.bytes.shrink_to_fit();
        (block.too_long, block.ends_line) = (true, true);
        self.ready.push_back(block);
        self.skipping = true;
    }

    /// Drops the rest of a record that is too long.
    fn skip(&mut self) {
        let next = self.layout.codec.next_start(&self.pending);
        self.skipping = next.is_none() && !self.ended;
        let dropped = next.unwrap_or(self.pending.len()).min(self.pending.len());
        self.pending.drain(..dropped);
        self.offset += dropped as u64;
    }
}

/// Finds the first record that does not end before a place.
#[derive(Debug)]
struct After {
    tail: usize,
    first: Option<usize>,
}

impl After {
    fn note(&mut self, place: Place<'_>) {
        if self.first.is_none() && place.offset + place.raw.len() > self.tail {
            self.first = Some(place.offset);
        }
    }
}

impl Records for After {
    fn record(&mut self, place: Place<'_>, _json: &[u8]) {
        self.note(place);
    }

    fn unreadable(&mut self, place: Place<'_>, _reason: &str) {
        self.note(place);
    }

    fn decoded(&mut self) {}
}
