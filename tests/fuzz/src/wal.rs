//! Segments of the write-ahead log. The module needs locks of the operating system; its frames are compiled here from
//! the core's sources.

#[allow(dead_code, reason = "the sources of the core; not all of it is used here")]
#[path = "../../../core/src/wal/frame.rs"]
mod frame;

use frame::{Frame, SegmentName};

const WRITER: &str = "0123456789abcdef";

/// Reads an input as a segment, and damages a good segment with it.
pub fn check(data: &[u8]) {
    let name = SegmentName { writer: WRITER, number: 7, closed: data.len() % 2 == 0 };
    if let Ok(content) = frame::decode(data, name) {
        let damaged: u64 = content.damage.iter().map(|damage| damage.bytes).sum();
        let read: u64 = content.frames.iter().map(|frame| 16 + frame.payload.len() as u64).sum();
        assert!(damaged + read <= data.len() as u64);
    }
    let frames: Vec<Frame> =
        data.chunks(37).zip(1..).map(|(payload, seq)| Frame { seq, payload: payload.to_vec() }).collect();
    let mut segment = frame::header(WRITER, 7);
    let mut last = segment.len();
    for frame in &frames {
        last = segment.len();
        frame::encode(&mut segment, frame::checksum_seed(WRITER), frame.seq, &frame.payload);
    }
    assert_eq!(frame::decode(&segment, name).expect("it is good").frames, frames);
    // The last frame is overwritten with the input: those before it stay.
    segment.truncate(last);
    segment.extend_from_slice(data);
    let content = frame::decode(&segment, name).expect("it is of this format");
    assert!(content.frames.starts_with(&frames[..frames.len().saturating_sub(1)]));
}
