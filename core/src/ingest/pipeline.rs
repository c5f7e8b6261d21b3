//! Bulk ingest: inputs are read, taken apart and encoded at the same time, and each is committed once.
//!
//! One thread reads, decompresses, hashes and cuts; some take records apart; the caller's settles and encodes.
//! Blocks stay in order, and few are under way at once, so that memory is bounded whatever the inputs. Small
//! inputs share a commit, which bears the marker of each.

mod collect;
mod read;

use super::blocks::{Block, RECORD_BYTES_MAX, ReadAs};
use super::input::Input;
use super::progress::Progress;
use super::templates::skeletons;
use crate::error::{Error, ErrorKind, Result};
use crate::event::chunk::Chunk;
use crate::event::mapping::Mapping;
use crate::event::reject::Reject as Rejected;
use crate::format::{Format, Layout, Place, Records};
use crate::intake::Intake;
use crate::mine::Skeletons;
use crate::quarantine::Reject;
use crate::redact::{Counts, Rules};
use crate::seal::Tables;
use crate::wal::SeqAllocator;
use crossbeam_channel::{Receiver, Sender, bounded};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// So many blocks may wait between two stages.
const QUEUE: usize = 2;

/// What became of the records of an input.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct InputReceipt {
    /// The name of the input.
    pub input: String,
    /// The format that it was read as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    /// Records in it; each is stored, a duplicate or quarantined.
    pub records: u64,
    /// Records that became events.
    pub stored: u64,
    /// Records that were stored before.
    pub duplicate: u64,
    /// Records that could not be read and are kept in the quarantine.
    pub quarantined: u64,
    /// Lines, also those that are no record.
    pub lines: u64,
    /// Bytes after decompression.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// What was redacted, by rule.
    #[serde(skip_serializing_if = "Counts::is_empty")]
    pub redacted: Counts,
    /// What people should know, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why not all of it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What ingest needs beside the tables.
pub struct Context<'a> {
    /// The tables to write to.
    pub tables: &'a Tables,
    /// Where `seq` comes from.
    pub seqs: &'a SeqAllocator,
    /// The clock, in microseconds since 1970.
    pub clock: &'a crate::wal::Clock,
    /// Threads that take records apart, and that encode.
    pub threads: usize,
    /// How inputs are to be read.
    pub read_as: &'a ReadAs,
    /// Which fields map to fixed columns.
    pub mapping: &'a Mapping,
    /// What is secret.
    pub rules: &'a Arc<Rules>,
    /// Whether the first record that cannot be read ends it all.
    pub strict: bool,
    /// How long old versions can be read, in milliseconds.
    pub keep_versions_ms: i64,
    /// Told how far it is.
    pub progress: &'a dyn Progress,
    /// Set to stop.
    pub stop: &'a AtomicBool,
}

/// An input, as all stages see it.
#[derive(Debug)]
struct Source {
    name: String,
    layout: Layout,
    /// The format of the input, which is not the one of its blocks where rows become JSON.
    format: Format,
    notes: Vec<String>,
    /// When it was opened, in microseconds since 1970: its records arrive then.
    arrival_us: i64,
    /// Bytes of the input as it is stored, if that is known.
    total: Option<u64>,
}

/// What goes through the stages, in order.
enum Item<B> {
    /// An input begins.
    Begin(Arc<Source>),
    /// Some records of it.
    Block(Arc<Source>, B),
    /// It ends.
    End(Ended),
    /// An input could not be opened.
    Failed { name: String, error: Error },
}

/// What the reading thread found at the end of an input.
struct Ended {
    hash: [u8; 32],
    bytes: u64,
    error: Option<Error>,
}

/// A numbered item on its way.
type Numbered<B> = (u64, Item<B>);

/// A block taken apart.
struct Parsed {
    chunk: Chunk,
    /// What the miner wants of its messages.
    skeletons: Skeletons,
    rejects: Vec<Reject>,
    records: u64,
    lines: u64,
    redacted: Counts,
    decoded: u64,
    all_before_is_known: bool,
    has_grown: bool,
    may_be_known: bool,
    /// How many bytes of the input as it is stored were read by then.
    read: u64,
}

/// Ingests inputs: all records of each, or those before the place where it cannot be read any more. What is
/// wrong with an input is in its receipt; an error is about the store, or about a bad record where that
/// ends it.
pub fn ingest(
    inputs: Vec<Input>,
    context: &Context<'_>,
    receive: &mut dyn FnMut(InputReceipt),
) -> Result<()> {
    let known = context.tables.known()?;
    // Set when nobody wants any more.
    let enough = AtomicBool::new(false);
    let is_over = || context.stop.load(Ordering::Relaxed) || enough.load(Ordering::Relaxed);
    let is_over = &is_over;
    std::thread::scope(|scope| {
        let (block_sender, block_receiver) = bounded(QUEUE);
        let (parsed_sender, parsed_receiver) = bounded(QUEUE);
        let (read_as, clock) = (context.read_as, context.clock);
        let read = move || read::read_all(inputs, read_as, known, clock, &block_sender, is_over);
        let reader = named("read").spawn_scoped(scope, read).map_err(|error| no_thread(&error))?;
        for _ in 0..context.threads.max(1) {
            let (blocks, parsed) = (block_receiver.clone(), parsed_sender.clone());
            let (mapping, rules) = (context.mapping, context.rules);
            let parse = move || parse_all(&blocks, &parsed, mapping, rules);
            named("parse").spawn_scoped(scope, parse).map_err(|error| no_thread(&error))?;
        }
        // The stages end when the one before them has ended and dropped its sender.
        drop((block_receiver, parsed_sender));
        let collected = collect::collect(&parsed_receiver, context, receive);
        enough.store(true, Ordering::Relaxed);
        drop(parsed_receiver);
        let read = reader.join().map_err(|_| Error::new(ErrorKind::Internal, "the reading thread panicked"));
        collected.and(read)
    })
}

/// A thread whose name tells, from outside, what takes time.
fn named(name: &str) -> std::thread::Builder {
    std::thread::Builder::new().name(name.to_string())
}

fn no_thread(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("a thread cannot be started: {error}"))
}

/// The second stage: takes records apart.
fn parse_all(
    items: &Receiver<Numbered<(Block, u64)>>,
    sender: &Sender<Numbered<Parsed>>,
    mapping: &Mapping,
    rules: &Arc<Rules>,
) {
    let mut intake: Option<(Mapping, Intake)> = None;
    for (number, item) in items {
        let item = match item {
            Item::Begin(source) => Item::Begin(source),
            Item::End(ended) => Item::End(ended),
            Item::Failed { name, error } => Item::Failed { name, error },
            Item::Block(source, (block, read)) => {
                let mapping = mapping.with_format(source.layout.names);
                let (_, intake) = match &mut intake {
                    Some(same) if same.0 == mapping => same,
                    other => other.insert((mapping.clone(), Intake::new(mapping, rules))),
                };
                let parsed = parse(intake, &block, &source, read);
                Item::Block(source, parsed)
            }
        };
        if sender.send((number, item)).is_err() {
            return;
        }
    }
}

fn parse(intake: &mut Intake, block: &Block, source: &Source, read: u64) -> Parsed {
    let newlines = memchr::memchr_iter(b'\n', &block.bytes).count() as u64;
    // Records of some formats end within a line, and blocks with them.
    let has_open_line = block.ends_line && block.bytes.last().is_some_and(|last| *last != b'\n');
    let mut taken =
        Taken { intake, source, offset: block.offset, rejects: Vec::new(), records: 0, decoded: 0 };
    if block.too_long || block.cut_off {
        let reason = match block.too_long {
            true => Rejected::TooLong { limit: RECORD_BYTES_MAX }.to_string(),
            false => "the input is cut off within this record".to_string(),
        };
        let blank = block.bytes.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        taken.unreadable(Place { offset: blank, raw: block.bytes.get(blank..).unwrap_or_default() }, &reason);
    } else {
        source.layout.codec.read(&block.bytes, &mut taken);
    }
    let Taken { rejects, records, decoded, .. } = taken;
    let chunk = intake.take();
    Parsed {
        skeletons: skeletons(&chunk),
        chunk,
        rejects,
        records,
        lines: newlines + u64::from(has_open_line),
        redacted: intake.take_counts(),
        decoded,
        all_before_is_known: block.all_before_is_known,
        has_grown: block.has_grown,
        may_be_known: block.may_be_known,
        read,
    }
}

/// Takes the records of a block in.
struct Taken<'a> {
    intake: &'a mut Intake,
    source: &'a Source,
    offset: u64,
    rejects: Vec<Reject>,
    records: u64,
    decoded: u64,
}

impl Records for Taken<'_> {
    fn record(&mut self, place: Place<'_>, json: &[u8]) {
        match self.intake.push(json, self.source.arrival_us) {
            Ok(()) => self.records += 1,
            Err(reject) => self.unreadable(place, &reject.to_string()),
        }
    }

    fn unreadable(&mut self, place: Place<'_>, reason: &str) {
        self.records += 1;
        self.rejects.push(Reject {
            seq: 0,
            raw: self.intake.raw(place.raw).into_owned(),
            reason: self.intake.reason(reason),
            input: self.source.name.clone(),
            byte_offset: i64::try_from(self.offset + place.offset as u64).unwrap_or(i64::MAX),
            format: self.source.format.name().to_string(),
            header: self.source.layout.header.clone(),
        });
    }

    fn decoded(&mut self) {
        self.decoded += 1;
    }
}
