//! Frames that are not yet written.

use super::frame::{self, Framer};
use crate::error::Result;

/// Buffers of more are not kept for the next frames.
const CAPACITY_MAX: usize = 1 << 20;

/// Frames in order; some are waited for by an append that fails if they cannot be written, some are kept.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    frames: u64,
    first_us: Option<i64>,
    /// Where runs of frames of one kind start.
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    start: usize,
    kept: bool,
}

/// A state of a buffer to go back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    bytes: usize,
    frames: u64,
}

impl Buffer {
    pub(super) fn push(
        &mut self,
        framer: &Framer,
        seq: i64,
        payload: &[u8],
        kept: bool,
        now_us: i64,
    ) -> Result<()> {
        if self.runs.last().is_none_or(|run| run.kept != kept) {
            self.runs.push(Run { start: self.bytes.len(), kept });
        }
        framer.encode(&mut self.bytes, seq, payload)?;
        self.frames += 1;
        self.first_us.get_or_insert(now_us);
        Ok(())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// When the first of the frames was pushed.
    pub(super) fn first_us(&self) -> Option<i64> {
        self.first_us
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), frames: self.frames }
    }

    /// Drops the frames pushed since a mark, between which and now nothing was cleared or dropped.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.frames = mark.frames;
        self.runs.retain(|run| run.start < mark.bytes);
        self.first_us = self.first_us.filter(|_| mark.frames > 0);
    }

    /// Drops the frames that are waited for.
    pub(super) fn drop_waited_for(&mut self) {
        let ends = self.runs.iter().skip(1).map(|run| run.start).chain([self.bytes.len()]);
        let mut bytes = Vec::new();
        for (run, end) in self.runs.iter().zip(ends).filter(|(run, _)| run.kept) {
            bytes.extend_from_slice(self.bytes.get(run.start..end).unwrap_or_default());
        }
        self.frames = frame::count(&bytes);
        self.bytes = bytes;
        self.runs.clear();
        self.first_us = self.first_us.filter(|_| self.frames > 0);
        if !self.bytes.is_empty() {
            self.runs.push(Run { start: 0, kept: true });
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(CAPACITY_MAX);
        self.frames = 0;
        self.first_us = None;
        self.runs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(buffer: &mut Buffer, seqs: &[i64], kept: bool) {
        let framer = Framer::new("0123456789abcdef", None).unwrap();
        for seq in seqs {
            buffer.push(&framer, *seq, b"payload", kept, *seq).unwrap();
        }
    }

    fn seqs(buffer: &Buffer) -> Vec<i64> {
        let chunks = buffer.bytes().chunks(16 + 7);
        chunks.map(|frame| i64::from_le_bytes(frame[8..16].try_into().unwrap())).collect()
    }

    #[test]
    fn waited_for_frames_are_dropped_and_the_others_keep_their_order() {
        let mut buffer = Buffer::default();
        push(&mut buffer, &[1, 2], true);
        push(&mut buffer, &[3, 4], false);
        push(&mut buffer, &[5], true);
        push(&mut buffer, &[6], false);
        buffer.drop_waited_for();
        assert_eq!(seqs(&buffer), [1, 2, 5]);
        assert_eq!(buffer.frames(), 3);
        push(&mut buffer, &[7], false);
        push(&mut buffer, &[8], true);
        buffer.drop_waited_for();
        assert_eq!(seqs(&buffer), [1, 2, 5, 8]);
        buffer.clear();
        push(&mut buffer, &[9], false);
        buffer.drop_waited_for();
        assert!(buffer.is_empty() && buffer.frames() == 0);
    }

    #[test]
    fn a_buffer_goes_back_to_a_mark() {
        let mut buffer = Buffer::default();
        push(&mut buffer, &[1], true);
        let mark = buffer.mark();
        push(&mut buffer, &[2, 3], false);
        buffer.back_to(mark);
        push(&mut buffer, &[4], true);
        assert_eq!(seqs(&buffer), [1, 4]);
        buffer.drop_waited_for();
        assert_eq!((seqs(&buffer), buffer.frames()), (vec![1, 4], 2));
        assert_eq!(buffer.first_us(), Some(1));
    }
}
