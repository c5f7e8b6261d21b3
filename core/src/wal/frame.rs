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
//! Frames follow without gaps:
//!
//! | offset | bytes | holds |
//! |---|---|---|
//! | 0 | 4 | the payload's length, at most 268,435,456 |
//! | 4 | 4 | CRC-32C of the writer's id, the next 8 bytes, and the payload, in this order |
//! | 8 | 8 | `seq`, from 1 to 2^53 - 1, higher than in all frames before |
//! | 16 | length | the payload |
//!
//! The writer's id is part of the checksum so that no payload can hold what looks like a frame of the
//! segment: the id is drawn at random.
//!
//! A frame that is cut short or fails its checksum, with no good frame after it, is the torn end of a write
//! that was never acknowledged, and is dropped. With good frames after it, or in a segment that was closed,
//! it is damage: the reader goes on at the next position where a frame has its checksum right and a `seq`
//! in order.

use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use std::fmt;

/// The longest payload of a frame.
pub const PAYLOAD_BYTES_MAX: usize = 256 << 20;

pub(super) const HEADER_BYTES: usize = 36;
const FRAME_HEAD_BYTES: usize = 16;
const MAGIC: &[u8; 8] = b"DBKWAL1\n";
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

/// The header of a segment.
pub(super) fn header(writer: &str, number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(writer.as_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// The beginning of all checksums of a writer's frames.
pub(super) fn checksum_seed(writer: &str) -> u32 {
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

/// Appends a frame to a buffer. The payload has passed [`check_payload`].
pub(super) fn encode(buffer: &mut Vec<u8>, seed: u32, seq: i64, payload: &[u8]) {
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
pub(super) fn decode(bytes: &[u8], name: SegmentName<'_>) -> Result<SegmentContent> {
    let seed = checksum_seed(name.writer);
    let mut reader = Reader { name, bytes, content: SegmentContent::default() };
    let (mut position, mut bad_from) = (HEADER_BYTES, None);
    if !reader.header_is_good()? {
        bad_from = Some((0, "the header of the segment is wrong"));
    }
    let mut last_seq = 0;
    while position < bytes.len() {
        // Out of step, a `seq` that is not in order gives a chance match away before its bytes are summed.
        let lowest = if bad_from.is_some() { last_seq } else { i64::MIN };
        match frame_at(bytes, position, seed, lowest) {
            Ok((seq, payload)) => {
                if let Some((from, reason)) = bad_from.take() {
                    reader.report(from, position, reason);
                }
                position += FRAME_HEAD_BYTES + payload.len();
                last_seq = seq;
                reader.content.frames.push(Frame { seq, payload: payload.to_vec() });
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

struct Reader<'a> {
    name: SegmentName<'a>,
    bytes: &'a [u8],
    content: SegmentContent,
}

impl Reader<'_> {
    fn header_is_good(&self) -> Result<bool> {
        let expected = header(self.name.writer, self.name.number);
        let Some(found) = self.bytes.get(..HEADER_BYTES) else { return Ok(false) };
        let (signed, checksum) = found.split_at(HEADER_BYTES - 4);
        let is_whole = crc32c::crc32c(signed).to_le_bytes() == checksum;
        if is_whole && found.starts_with(MAGIC_OF_ANY_VERSION) && !found.starts_with(MAGIC) {
            let message = format!("the log segment `{}` has a newer format", self.path());
            let hint = "open the store with the newer version of Daybook that wrote it";
            return Err(Error::new(ErrorKind::Unsupported, message).with_hint(hint));
        }
        Ok(found == expected)
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
    if length > PAYLOAD_BYTES_MAX {
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
mod tests {
    use super::*;

    const WRITER: &str = "0123456789abcdef";
    const NAME: SegmentName<'static> = SegmentName { writer: WRITER, number: 7, closed: false };

    fn frames(count: i64) -> Vec<Frame> {
        let payload =
            |seq: i64| format!("{{\"number\":{seq},\"text\":\"{}\"}}", "x".repeat(seq as usize % 13));
        (1..=count).map(|seq| Frame { seq: seq * 10, payload: payload(seq).into_bytes() }).collect()
    }

    /// The segment, and where each frame starts and the last ends.
    fn segment(frames: &[Frame]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = header(WRITER, 7);
        let mut starts = vec![bytes.len()];
        for frame in frames {
            encode(&mut bytes, checksum_seed(WRITER), frame.seq, &frame.payload);
            starts.push(bytes.len());
        }
        (bytes, starts)
    }

    fn read(bytes: &[u8]) -> SegmentContent {
        decode(bytes, NAME).unwrap()
    }

    #[test]
    fn the_bytes_are_as_specified() {
        let (bytes, _) = segment(&[Frame { seq: 0x0102_0304_0506, payload: b"{}".to_vec() }]);
        assert_eq!(&bytes[..24], b"DBKWAL1\n0123456789abcdef");
        assert_eq!(&bytes[24..32], &[7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&bytes[32..36], &crc32c::crc32c(&bytes[..32]).to_le_bytes());
        assert_eq!(&bytes[36..40], &[2, 0, 0, 0]);
        let sum = crc32c::crc32c(b"0123456789abcdef\x06\x05\x04\x03\x02\x01\0\0{}");
        assert_eq!(&bytes[40..44], &sum.to_le_bytes());
        assert_eq!(&bytes[44..], b"\x06\x05\x04\x03\x02\x01\0\0{}");
    }

    #[test]
    fn a_whole_segment_is_read_back() {
        let frames = frames(50);
        let (bytes, _) = segment(&frames);
        assert_eq!(read(&bytes), SegmentContent { frames: frames.clone(), damage: vec![], torn: false });
        assert_eq!(count(&bytes[HEADER_BYTES..]), 50);
        let empty = [Frame { seq: 1, payload: vec![] }];
        assert_eq!(read(&segment(&empty).0).frames, empty);
    }

    #[test]
    fn a_segment_cut_at_any_byte_is_torn_and_keeps_whole_frames() {
        let frames = frames(8);
        let (bytes, starts) = segment(&frames);
        for end in 0..bytes.len() {
            let content = read(&bytes[..end]);
            let whole = starts.iter().filter(|start| **start <= end).count().saturating_sub(1);
            assert_eq!(content.frames, frames[..whole], "cut at {end}");
            assert_eq!(content.torn, !starts.contains(&end), "cut at {end}");
            assert_eq!(content.damage, [], "cut at {end}");
        }
    }

    #[test]
    fn a_closed_segment_that_is_cut_is_damaged() {
        let frames = frames(3);
        let (bytes, starts) = segment(&frames);
        let content = decode(&bytes[..starts[2] + 5], SegmentName { closed: true, ..NAME }).unwrap();
        assert_eq!(content.frames, frames[..2]);
        assert!(!content.torn);
        let damage = &content.damage[0];
        assert_eq!((damage.offset, damage.bytes), (starts[2] as u64, 5));
        assert_eq!(damage.reason, "a frame is cut short");
        let content = decode(&[], SegmentName { closed: true, ..NAME }).unwrap();
        assert_eq!(content.damage.len(), 1);
    }

    #[test]
    fn garbage_and_zeros_at_the_end_are_torn() {
        let frames = frames(4);
        let (bytes, _) = segment(&frames);
        for tail in [&[0u8; 4096][..], &[0xff; 100], b"{\"json\":1}", &[1, 0, 0, 0]] {
            let content = read(&[&bytes, tail].concat());
            assert_eq!(content, SegmentContent { frames: frames.clone(), damage: vec![], torn: true });
        }
    }

    #[test]
    fn any_changed_byte_costs_one_frame_and_is_reported() {
        let frames = frames(6);
        let (bytes, starts) = segment(&frames);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x41;
            let content = read(&changed);
            let hit = starts.iter().rposition(|start| *start <= at);
            let expected: Vec<_> =
                frames.iter().enumerate().filter(|(i, _)| Some(*i) != hit).map(|(_, f)| f.clone()).collect();
            assert_eq!(content.frames, expected, "changed at {at}");
            let is_last = hit == Some(frames.len() - 1);
            assert_eq!(content.torn, is_last, "changed at {at}");
            let place = hit.map_or((0, HEADER_BYTES), |hit| (starts[hit], starts[hit + 1] - starts[hit]));
            match content.damage.as_slice() {
                [] => assert!(is_last),
                [damage] => {
                    assert_eq!((damage.offset, damage.bytes), (place.0 as u64, place.1 as u64), "at {at}");
                    assert_eq!(damage.path, "_wal/0123456789abcdef/0000000007.wal");
                }
                more => panic!("changed at {at}: {more:?}"),
            }
        }
    }

    #[test]
    fn reading_goes_on_after_bytes_that_went_or_came() {
        let frames = frames(9);
        let (bytes, starts) = segment(&frames);
        let mut shorter = bytes.clone();
        shorter.drain(starts[3] + 4..starts[5] + 2);
        let content = read(&shorter);
        assert_eq!(content.frames, [&frames[..3], &frames[6..]].concat());
        assert_eq!(content.damage.len(), 1);
        let mut longer = bytes.clone();
        longer.splice(starts[3]..starts[3], [b'x'; 1000]);
        let content = read(&longer);
        assert_eq!(content.frames, frames);
        assert_eq!((content.damage[0].offset, content.damage[0].bytes), (starts[3] as u64, 1000));
        assert!(!content.torn);
    }

    #[test]
    fn two_damaged_places_are_two_reports() {
        let frames = frames(9);
        let (mut bytes, starts) = segment(&frames);
        bytes[starts[1] + 17] ^= 1;
        bytes[starts[6] + 17] ^= 1;
        let content = read(&bytes);
        assert_eq!(content.frames.len(), 7);
        let offsets: Vec<_> = content.damage.iter().map(|damage| damage.offset as usize).collect();
        assert_eq!(offsets, [starts[1], starts[6]]);
    }

    #[test]
    fn a_frame_inside_a_damaged_payload_is_not_believed() {
        // A payload that holds a frame as another writer would have written it.
        let mut forged = Vec::new();
        encode(&mut forged, checksum_seed("ffffffffffffffff"), 15, b"forged");
        let frames = [
            Frame { seq: 10, payload: b"first".to_vec() },
            Frame { seq: 11, payload: forged },
            Frame { seq: 20, payload: b"last".to_vec() },
        ];
        let (mut bytes, starts) = segment(&frames);
        bytes[starts[1]] ^= 0xff;
        let content = read(&bytes);
        assert_eq!(content.frames, [frames[0].clone(), frames[2].clone()]);
    }

    #[test]
    fn an_older_frame_inside_a_damaged_one_is_not_read_again() {
        let mut copy = Vec::new();
        encode(&mut copy, checksum_seed(WRITER), 10, b"first");
        let frames = [
            Frame { seq: 10, payload: b"first".to_vec() },
            Frame { seq: 11, payload: copy },
            Frame { seq: 20, payload: b"last".to_vec() },
        ];
        let (mut bytes, starts) = segment(&frames);
        bytes[starts[1]] ^= 0xff;
        assert_eq!(read(&bytes).frames, [frames[0].clone(), frames[2].clone()]);
    }

    #[test]
    fn another_writers_or_numbers_header_is_damage_and_a_newer_format_is_refused() {
        let (bytes, _) = segment(&frames(2));
        let content = decode(&bytes, SegmentName { number: 8, ..NAME }).unwrap();
        assert_eq!((content.frames.len(), content.damage.len()), (2, 1));
        let mut newer = header(WRITER, 7);
        newer[6] = b'2';
        let sum = crc32c::crc32c(&newer[..32]).to_le_bytes();
        newer[32..].copy_from_slice(&sum);
        assert_eq!(decode(&newer, NAME).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn payloads_have_a_limit() {
        check_payload(&vec![0; PAYLOAD_BYTES_MAX]).unwrap();
        let error = check_payload(&vec![0; PAYLOAD_BYTES_MAX + 1]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn writer_ids_are_16_digits() {
        assert!(is_writer_id(WRITER));
        for name in ["", "0123456789abcde", "0123456789ABCDEF", "0123456789abcdeg", "seq", "../4567890abcdef"]
        {
            assert!(!is_writer_id(name), "{name}");
        }
    }
}
