//! Frames of the log, taken apart.

use super::followed::{Followed, Part, read_payload};
use super::{FOLLOWED, RECORD, REJECT};
use crate::event::chunk::Chunk;
use crate::event::mapping::{Mapping, Names};
use crate::event::reject::Reject as Unreadable;
use crate::event::shred::Shredder;
use crate::ingest::known::Mark;
use crate::quarantine::Reject;
use crate::wal::Frame;
use std::sync::Arc;

/// Records are taken apart in chunks of about this many bytes.
const CHUNK_BYTES: usize = 16 << 20;

/// Frames of the log, taken apart.
#[derive(Debug, Default)]
pub struct Opened {
    /// Records with their `seq`.
    pub chunks: Vec<(Chunk, Vec<i64>)>,
    /// What was rejected.
    pub rejects: Vec<Reject>,
    /// How far followed files are stored, in the order of the frames.
    pub marks: Vec<Mark>,
}

/// Takes frames apart. Payloads were checked when they were appended; one that is no record any more is
/// kept as a reject.
pub fn open_frames(frames: &[Frame]) -> Opened {
    let mut opener = Opener::default();
    for frame in frames {
        let (kind, payload) = frame.payload.split_first().map_or((0, &[][..]), |(kind, rest)| (*kind, rest));
        let followed = if kind == FOLLOWED { read_payload(payload) } else { None };
        match followed {
            Some((followed, parts)) => opener.followed(&followed, &parts, frame.seq),
            None => opener.part(&Mapping::default(), kind, payload, frame.seq),
        }
    }
    opener.end()
}

/// The marks alone.
pub fn marks_of(frames: &[Frame]) -> Vec<Mark> {
    let followed = frames.iter().filter_map(|frame| frame.payload.split_first());
    let followed = followed.filter(|(kind, _)| **kind == FOLLOWED);
    followed.filter_map(|(_, payload)| read_payload(payload)?.0.mark()).collect()
}

/// Records of one mapping, on their way to a chunk.
struct Lane {
    mapping: Mapping,
    shredder: Shredder,
    seqs: Vec<i64>,
    bytes: usize,
}

#[derive(Default)]
struct Opener {
    opened: Opened,
    lanes: Vec<Lane>,
    /// The last frame of a followed file and its mapping, since most have the same.
    last: Option<(Followed, Mapping)>,
}

impl Opener {
    fn followed(&mut self, followed: &Followed, parts: &[Part<'_>], first_seq: i64) {
        self.opened.marks.extend(followed.mark());
        let mapping = match &self.last {
            Some((last, mapping)) if last.format == followed.format && last.map == followed.map => {
                mapping.clone()
            }
            _ => {
                let mapping = followed.mapping();
                self.last = Some((followed.clone(), mapping.clone()));
                mapping
            }
        };
        for ((kind, content), seq) in parts.iter().zip(first_seq..) {
            self.part(&mapping, *kind, content, seq);
        }
    }

    fn part(&mut self, mapping: &Mapping, kind: u8, content: &[u8], seq: i64) {
        let rejected = match kind {
            RECORD => match self.record(mapping, content, seq) {
                Ok(()) => return,
                Err(reject) => reject.to_string(),
            },
            REJECT => return self.opened.rejects.push(Reject::from_payload(content, seq)),
            FOLLOWED => "the log holds a frame of a followed file that cannot be read".to_string(),
            other => format!("the log holds a frame of the unknown kind {other}"),
        };
        self.opened.rejects.push(Reject {
            seq,
            raw: content.to_vec(),
            reason: rejected,
            input: "log".to_string(),
            byte_offset: 0,
            format: "json".to_string(),
            header: None,
        });
    }

    fn record(&mut self, mapping: &Mapping, content: &[u8], seq: i64) -> Result<(), Unreadable> {
        let position = self.lanes.iter().position(|lane| lane.mapping == *mapping);
        let mut lane = match position {
            Some(position) => self.lanes.swap_remove(position),
            None => Lane::new(mapping.clone()),
        };
        let pushed = lane.shredder.push(content, seq);
        if pushed.is_ok() {
            lane.seqs.push(seq);
            lane.bytes += content.len();
        }
        if lane.bytes >= CHUNK_BYTES {
            self.opened.chunks.push(lane.take());
        }
        self.lanes.push(lane);
        pushed
    }

    fn end(mut self) -> Opened {
        let last = self.lanes.iter_mut().filter(|lane| !lane.shredder.is_empty());
        self.opened.chunks.extend(last.map(Lane::take));
        self.opened
    }
}

impl Lane {
    fn new(mapping: Mapping) -> Lane {
        let names = Names { mapping: mapping.clone(), is_secret: None };
        Lane { mapping, shredder: Shredder::new(Arc::new(names)), seqs: Vec::new(), bytes: 0 }
    }

    fn take(&mut self) -> (Chunk, Vec<i64>) {
        self.bytes = 0;
        (self.shredder.take(), std::mem::take(&mut self.seqs))
    }
}
