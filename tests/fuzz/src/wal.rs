//! Segments of the write-ahead log. The module needs locks of the operating system; its frames are compiled here from
//! the core's sources.

#[allow(dead_code, reason = "the sources of the core; not all of it is used here")]
#[path = "../../../core/src/wal/frame.rs"]
mod frame;

use crate::keys::Keys;
use frame::{Frame, Framer, SegmentName};

const WRITER: &str = "0123456789abcdef";

/// Reads an input as a segment, and damages a good segment with it, one that is encrypted and one that is not.
pub fn check(data: &[u8]) {
    let keys = Keys::parse(&"1a".repeat(32), "the test").expect("it is a key");
    [None, Some(&keys)].into_iter().for_each(|keys| check_with(data, keys));
}

fn check_with(data: &[u8], keys: Option<&Keys>) {
    let name = SegmentName { writer: WRITER, number: 7, closed: data.len() % 2 == 0 };
    if let Ok(content) = frame::decode(data, name, keys) {
        let damaged: u64 = content.damage.iter().map(|damage| damage.bytes).sum();
        let read: u64 = content.frames.iter().map(|frame| 16 + frame.payload.len() as u64).sum();
        assert!(damaged + read <= data.len() as u64);
    }
    let frames: Vec<Frame> =
        data.chunks(37).zip(1..).map(|(payload, seq)| Frame { seq, payload: payload.to_vec() }).collect();
    let framer = Framer::new(WRITER, keys).expect("its key is good");
    let mut segment = frame::header(WRITER, 7, framer.key_id());
    let mut last = segment.len();
    for frame in &frames {
        last = segment.len();
        framer.encode(&mut segment, frame.seq, &frame.payload).expect("it can be encrypted");
    }
    assert_eq!(frame::decode(&segment, name, keys).expect("it is good").frames, frames);
    // The last frame is overwritten with the input: those before it stay.
    segment.truncate(last);
    segment.extend_from_slice(data);
    let content = frame::decode(&segment, name, keys).expect("it is of this format");
    assert!(content.frames.starts_with(&frames[..frames.len().saturating_sub(1)]));
}
