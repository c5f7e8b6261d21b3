//! The bytes of a segment. All numbers are little-endian.
//!
//! A segment starts with a header of 36 bytes:
//!
//! | offset | bytes | holds |
//! |---|---|---|
//! | 0 | 8 | `DBKWAL1\n` |
//! | 8 | 16 | the writer's id: 16 lowercase hexadecimal digits, as in the name of its folder |
//! | 24 | 8 | the segment's number, as in its name |
//! | 32 | 4 | CRC-32C of the 32 bytes before |
//!
//! In an encrypted store it starts with one of 44 bytes: `DBKWAL2\n`, the writer's id and the number as above, the
//! id of the key (8), and the CRC-32C of the 40 bytes before.
//!
//! Frames follow without gaps:
//!
//! | offset | bytes | holds |
//! |---|---|---|
//! | 0 | 4 | the payload's length, at most 268,435,456 |
//! | 4 | 4 | CRC-32C of the writer's id, the next 8 bytes, and the payload, in this order |
//! | 8 | 8 | `seq`, from 1 to 2^53 - 1, higher than in all frames before |
//! | 16 | length | the payload |
//!
//! In an encrypted store the payload is sealed with AES-GCM: what was encrypted, then a tag of 16 bytes. The key is
//! made of the store's and the writer's id, the nonce is `seq`.
//!
//! The writer's id is part of the checksum so that no payload can hold what looks like a frame of the
//! segment: the id is drawn at random.
//!
//! A frame that is cut short or fails its checksum, with no good frame after it, is the torn end of a write
//! that was never acknowledged, and is dropped. With good frames after it, or in a segment that was closed,
//! it is damage: the reader goes on at the next position where a frame has its checksum right and a `seq`
//! in order.

use crate::error::{Error, ErrorKind, Result};
use crate::keys::{self, KeyId, Keys, LogKey, TAG_BYTES};
use crate::layout;
use std::fmt;

/// The longest payload of a frame.
pub const PAYLOAD_BYTES_MAX: usize = 256 << 20;

pub(super) const HEADER_BYTES: usize = 36;
const FRAME_HEAD_BYTES: usize = 16;
const MAGIC: &[u8; 8] = b"DBKWAL1\n";
const MAGIC_SEALED: &[u8; 8] = b"DBKWAL2\n";
pub(super) const SEALED_HEADER_BYTES: usize = HEADER_BYTES + KeyId::BYTES;
const MAGIC_OF_ANY_VERSION: &[u8] = b"DBKWAL";
const WRITER_DIGITS: usize = 16;
const SEQ_END: i64 = 1 << 53;

/// An event in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Unique in the store, increasing for one writer.
    pub seq: i64,
    /// What was appended.
    pub payload: Vec<u8>,
}

/// A part of a segment that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment, relative to the store.
    pub path: String,
    /// Where in the segment the part starts.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { path, offset, bytes, reason } = self;
        write!(f, "`{path}` is damaged: {bytes} bytes from byte {offset} cannot be read: {reason}")
    }
}

/// What a segment holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentContent {
    /// All frames that can be read, in order.
    pub frames: Vec<Frame>,
    /// Parts that were acknowledged, perhaps, and cannot be read.
    pub damage: Vec<Damage>,
    /// Whether the end was never written whole.
    pub torn: bool,
}

/// Which segment some bytes are of.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentName<'a> {
    pub(super) writer: &'a str,
    pub(super) number: u64,
    /// Whether the segment was closed, so that its end cannot be torn.
    pub(super) closed: bool,
}

/// Whether a name is the id of a writer.
pub(super) fn is_writer_id(name: &str) -> bool {
    name.len() == WRITER_DIGITS && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The header of a segment, whose frames are sealed if there is a key.
pub(super) fn header(writer: &str, number: u64, key: Option<KeyId>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SEALED_HEADER_BYTES);
    bytes.extend_from_slice(if key.is_some() { MAGIC_SEALED } else { MAGIC });
    bytes.extend_from_slice(writer.as_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&key.map(KeyId::bytes).unwrap_or_default().repeat(usize::from(key.is_some())));
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// What makes frames of a writer.
#[derive(Debug)]
pub(super) struct Framer {
    /// The beginning of all checksums.
    seed: u32,
    key: Option<LogKey>,
}

impl Framer {
    pub(super) fn new(writer: &str, keys: Option<&Keys>) -> Result<Framer> {
        let key = keys.map(|keys| keys.first().of_log(writer)).transpose()?;
        Ok(Framer { seed: checksum_seed(writer), key })
    }

    /// The id of the key of its frames.
    pub(super) fn key_id(&self) -> Option<KeyId> {
        self.key.as_ref().map(LogKey::id)
    }

    /// Appends a frame to a buffer. The payload has passed [`check_payload`].
    pub(super) fn encode(&self, buffer: &mut Vec<u8>, seq: i64, payload: &[u8]) -> Result<()> {
        match &self.key {
            None => encode(buffer, self.seed, seq, payload),
            Some(key) => encode(buffer, self.seed, seq, &key.seal(seq, payload)?),
        }
        Ok(())
    }
}

/// The beginning of all checksums of a writer's frames.
fn checksum_seed(writer: &str) -> u32 {
    crc32c::crc32c(writer.as_bytes())
}

/// Refuses a payload that no frame can hold.
pub(super) fn check_payload(payload: &[u8]) -> Result<()> {
    if payload.len() <= PAYLOAD_BYTES_MAX {
        return Ok(());
    }
    let message =
        format!("an event of {} bytes is longer than the {PAYLOAD_BYTES_MAX} that fit", payload.len());
    Err(Error::new(ErrorKind::Invalid, message))
}

fn encode(buffer: &mut Vec<u8>, seed: u32, seq: i64, payload: &[u8]) {
    let seq = seq.to_le_bytes();
    let checksum = crc32c::crc32c_append(crc32c::crc32c_append(seed, &seq), payload);
    buffer.reserve(FRAME_HEAD_BYTES + payload.len());
    buffer.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    buffer.extend_from_slice(&checksum.to_le_bytes());
    buffer.extend_from_slice(&seq);
    buffer.extend_from_slice(payload);
}

/// How many frames there are in bytes that [`encode`] wrote.
pub(super) fn count(mut bytes: &[u8]) -> u64 {
    let mut frames = 0;
    while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*head) as usize;
        bytes = rest.get(FRAME_HEAD_BYTES - 4 + length..).unwrap_or_default();
        frames += 1;
    }
    frames
}

/// Reads a segment.
pub(super) fn decode(bytes: &[u8], name: SegmentName<'_>, keys: Option<&Keys>) -> Result<SegmentContent> {
    let seed = checksum_seed(name.writer);
    let mut reader = Reader { name, bytes, content: SegmentContent::default() };
    let header = reader.header()?;
    let opener = Opener::new(name.writer, header, keys, &reader.path())?;
    let mut position = if bytes.starts_with(MAGIC_SEALED) { SEALED_HEADER_BYTES } else { HEADER_BYTES };
    let mut bad_from = None;
    if matches!(header, Header::Wrong) {
        bad_from = Some((0, "the header of the segment is wrong"));
    }
    let mut last_seq = 0;
    while position < bytes.len() {
        // Out of step, a `seq` that is not in order gives a chance match away before its bytes are summed.
        let lowest = if bad_from.is_some() { last_seq } else { i64::MIN };
        let frame = frame_at(bytes, position, seed, lowest);
        match frame.and_then(|(seq, payload)| Ok((seq, payload, opener.open(seq, payload)?))) {
            Ok((seq, payload, opened)) => {
                if let Some((from, reason)) = bad_from.take() {
                    reader.report(from, position, reason);
                }
                position += FRAME_HEAD_BYTES + payload.len();
                last_seq = seq;
                reader.content.frames.push(Frame { seq, payload: opened });
            }
            Err(reason) => {
                bad_from = bad_from.or(Some((position, reason)));
                position += 1;
            }
        }
    }
    reader.end(bad_from);
    Ok(reader.content)
}

/// The id of the key that a segment is encrypted with, of its header.
pub(super) fn key_of(header: &[u8]) -> Option<KeyId> {
    let id = header.strip_prefix(MAGIC_SEALED)?.get(HEADER_BYTES - MAGIC.len() - 4..)?;
    Some(KeyId::from_bytes(*id.first_chunk()?))
}

/// What the header says.
#[derive(Clone, Copy)]
enum Header {
    Plain,
    Sealed(KeyId),
    Wrong,
}

/// Opens the payloads of a segment.
struct Opener {
    keys: Vec<LogKey>,
    /// Whether a payload that no key opens is one that was never sealed.
    takes_plain: bool,
}

impl Opener {
    fn new(writer: &str, header: Header, keys: Option<&Keys>, path: &str) -> Result<Opener> {
        let keys = match header {
            Header::Plain => Vec::new(),
            Header::Sealed(id) => {
                let key = keys.and_then(|keys| keys.find(id));
                vec![key.ok_or_else(|| keys::missing(path, id, keys.is_some()))?.of_log(writer)?]
            }
            // It is not known which it was.
            Header::Wrong => {
                keys.into_iter().flat_map(Keys::all).map(|key| key.of_log(writer)).collect::<Result<_>>()?
            }
        };
        Ok(Opener { keys, takes_plain: !matches!(header, Header::Sealed(_)) })
    }

    fn open(&self, seq: i64, payload: &[u8]) -> Result<Vec<u8>, &'static str> {
        let opened = self.keys.iter().find_map(|key| key.open(seq, payload));
        opened.or_else(|| self.takes_plain.then(|| payload.to_vec())).ok_or("a frame cannot be decrypted")
    }
}

struct Reader<'a> {
    name: SegmentName<'a>,
    bytes: &'a [u8],
    content: SegmentContent,
}

impl Reader<'_> {
    fn header(&self) -> Result<Header> {
        let is_sealed = self.bytes.starts_with(MAGIC_SEALED);
        let length = if is_sealed { SEALED_HEADER_BYTES } else { HEADER_BYTES };
        let Some(found) = self.bytes.get(..length) else { return Ok(Header::Wrong) };
        let (signed, checksum) = found.split_at(length - 4);
        let is_whole = crc32c::crc32c(signed).to_le_bytes() == checksum;
        let is_known = is_sealed || found.starts_with(MAGIC);
        if is_whole && found.starts_with(MAGIC_OF_ANY_VERSION) && !is_known {
            let message = format!("the log segment `{}` has a newer format", self.path());
            let hint = "open the store with the newer version of Daybook that wrote it";
            return Err(Error::new(ErrorKind::Unsupported, message).with_hint(hint));
        }
        let id = signed.last_chunk().filter(|_| is_sealed).map(|id| KeyId::from_bytes(*id));
        Ok(match (found == header(self.name.writer, self.name.number, id), id) {
            (false, _) => Header::Wrong,
            (true, None) => Header::Plain,
            (true, Some(id)) => Header::Sealed(id),
        })
    }

    fn report(&mut self, from: usize, to: usize, reason: &str) {
        let damage = Damage {
            path: self.path(),
            offset: from as u64,
            bytes: to.saturating_sub(from) as u64,
            reason: reason.to_string(),
        };
        self.content.damage.push(damage);
    }

    /// Settles what the bytes are after which nothing good came.
    fn end(&mut self, bad_from: Option<(usize, &str)>) {
        match bad_from {
            Some((from, reason)) if self.name.closed => self.report(from, self.bytes.len(), reason),
            Some(_) => self.content.torn = true,
            None => {}
        }
    }

    fn path(&self) -> String {
        layout::segment(self.name.writer, self.name.number)
    }
}

/// The frame at a position, or why there is none.
fn frame_at(bytes: &[u8], position: usize, seed: u32, after: i64) -> Result<(i64, &[u8]), &'static str> {
    const SHORT: &str = "a frame is cut short";
    let rest = bytes.get(position..).ok_or(SHORT)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
    let (checksum, rest) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
    let (seq_bytes, rest) = rest.split_first_chunk::<8>().ok_or(SHORT)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > PAYLOAD_BYTES_MAX + TAG_BYTES {
        return Err("a frame has an impossible length");
    }
    let seq = i64::from_le_bytes(*seq_bytes);
    if seq <= after || !(1..SEQ_END).contains(&seq) {
        return Err("a frame has an impossible `seq`");
    }
    let payload = rest.get(..length).ok_or(SHORT)?;
    if crc32c::crc32c_append(crc32c::crc32c_append(seed, seq_bytes), payload).to_le_bytes() != *checksum {
        return Err("a frame fails its checksum");
    }
    Ok((seq, payload))
}

#[cfg(test)]
mod tests;
