//! Bulk ingest: an input is read, taken apart and encoded at the same time, and committed once.
//!
//! One thread reads, decompresses, hashes and cuts; some take lines apart; the caller's settles and encodes.
//! Blocks stay in order, and few are under way at once, so that memory is bounded whatever the input.

use super::input::{Block, Blocks, Input, Known, LINE_BYTES_MAX};
use super::progress::{Progress, Step, Unit};
use super::table::{TableWriter, settle};
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::{from_hex, hex};
use crate::event::chunk::Chunk;
use crate::event::reject::Reject as Rejected;
use crate::event::shred::Shredder;
use crate::log::DataFile;
use crate::quarantine::Reject;
use crate::seal::{Both, Tables};
use crate::storage::Storage;
use crate::wal::SeqAllocator;
use crossbeam_channel::{Receiver, Sender, bounded};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Records are settled and encoded in batches of about so many bytes.
const BATCH_BYTES: usize = 64 << 20;
/// So many blocks may wait between two stages.
const QUEUE: usize = 2;
/// Rejects are written once they take so many bytes.
const REJECT_BYTES: usize = 16 << 20;
/// The application id of an input in the log, before the hash of its content.
const MARKER: &str = "input:";

/// What became of the records of an input.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct InputReceipt {
    /// The name of the input.
    pub input: String,
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
    /// When the records arrive, in microseconds since 1970.
    pub now_us: i64,
    /// Threads that take records apart, and that encode.
    pub threads: usize,
    /// Told how far it is.
    pub progress: &'a dyn Progress,
    /// Set to stop.
    pub stop: &'a AtomicBool,
}

/// Lines taken apart.
struct Parsed {
    chunk: Chunk,
    rejects: Vec<Reject>,
    lines: u64,
    all_before_is_known: bool,
}

/// What the reading thread found at the end.
struct Ended {
    hash: [u8; 32],
    bytes: u64,
    error: Option<Error>,
}

/// Ingests one input: all of its records, or those before the place where it cannot be read any more. What
/// is wrong with the input is in the receipt; an error is about the store.
pub fn ingest(input: Input, context: &Context<'_>) -> Result<InputReceipt> {
    let started = Instant::now();
    let name = input.name();
    let blocks = match Blocks::open(input, known_inputs(context.tables)?) {
        Ok(blocks) => blocks,
        Err(error) => {
            let error = Some(error.to_string());
            return Ok(InputReceipt { input: name, error, ..InputReceipt::default() });
        }
    };
    let (read, total) = blocks.progress();
    let mut receipt = InputReceipt { input: name.clone(), ..InputReceipt::default() };
    let mut writer = context.tables.table_writer(context.threads)?;
    let mut rejects = Rejects::default();
    let ended = std::thread::scope(|scope| {
        let (block_sender, block_receiver) = bounded(QUEUE);
        let (parsed_sender, parsed_receiver) = bounded(QUEUE);
        let stop = context.stop;
        let reader = scope.spawn(move || read_blocks(blocks, &block_sender, stop));
        for _ in 0..context.threads {
            let (blocks, parsed, name) = (block_receiver.clone(), parsed_sender.clone(), name.as_str());
            scope.spawn(move || parse_blocks(&blocks, &parsed, name, context.now_us));
        }
        // The stages end when the one before them has ended and dropped its sender.
        drop((block_receiver, parsed_sender));
        let report = |receipt: &InputReceipt| {
            let done = read.load(Ordering::Relaxed);
            context.progress.update(&Step {
                done,
                total,
                unit: Unit::Bytes,
                events: receipt.records,
                note: &name,
            });
        };
        let collected = collect(&parsed_receiver, &mut writer, &mut rejects, &mut receipt, context, &report);
        drop(parsed_receiver);
        let ended = reader.join().map_err(|_| Error::new(ErrorKind::Internal, "the reading thread panicked"));
        collected.and(ended)
    });
    let ended = match ended {
        Ok(ended) if !context.stop.load(Ordering::Relaxed) => ended,
        other => {
            writer.abandon();
            rejects.abandon(context);
            return Err(other.err().unwrap_or_else(|| {
                Error::new(ErrorKind::Interrupted, format!("interrupted; nothing of `{name}` is stored"))
            }));
        }
    };
    receipt.bytes = ended.bytes;
    receipt.error = ended.error.as_ref().map(ToString::to_string);
    commit(writer, rejects, &ended, &mut receipt, context)?;
    receipt.seconds = started.elapsed().as_secs_f64();
    Ok(receipt)
}

/// Commits what was written, unless the same content was committed before.
fn commit(
    writer: TableWriter,
    mut rejects: Rejects,
    ended: &Ended,
    receipt: &mut InputReceipt,
    context: &Context<'_>,
) -> Result<()> {
    let (now_ms, rejected) = (context.now_us / 1000, rejects.count);
    let stored = receipt.records - receipt.duplicate - rejected;
    let marker = format!("{MARKER}{}", hex(&ended.hash));
    let length = i64::try_from(ended.bytes).unwrap_or(i64::MAX);
    let committed = if stored + rejected == 0 {
        writer.abandon();
        None
    } else {
        rejects.write(context)?;
        let both = Both {
            operation: "WRITE",
            events: writer.finish(now_ms)?,
            quarantine: rejects.files,
            transactions: vec![(marker, length)],
            ..Both::default()
        };
        context.tables.commit(&both, now_ms)?
    };
    match committed {
        // Whoever was first has committed the same records.
        None => receipt.duplicate = receipt.records,
        Some(_) => (receipt.stored, receipt.quarantined) = (stored, rejected),
    }
    Ok(())
}

/// The inputs that were stored before.
fn known_inputs(tables: &Tables) -> Result<Known> {
    let snapshot = tables.events.snapshot(crate::log::At::Latest)?;
    let known = snapshot.transactions_of(MARKER)?.into_iter().filter_map(|(marker, length)| {
        Some((u64::try_from(length).ok()?, from_hex(marker.strip_prefix(MARKER)?)?))
    });
    Ok(Known::new(known))
}

/// What could not be read, on its way to the quarantine.
#[derive(Default)]
struct Rejects {
    waiting: Vec<Reject>,
    bytes: usize,
    count: u64,
    files: Vec<DataFile>,
}

impl Rejects {
    fn add(&mut self, rejects: Vec<Reject>, context: &Context<'_>) -> Result<()> {
        self.count += rejects.len() as u64;
        self.bytes += rejects.iter().map(|reject| reject.raw.len() + 256).sum::<usize>();
        self.waiting.extend(rejects);
        if self.bytes >= REJECT_BYTES { self.write(context) } else { Ok(()) }
    }

    fn write(&mut self, context: &Context<'_>) -> Result<()> {
        let mut rejects = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        let first = context.seqs.reserve(rejects.len() as u64, context.now_us)?;
        for (reject, seq) in rejects.iter_mut().zip(first..) {
            reject.seq = seq;
        }
        self.files.extend(context.tables.write_rejects(rejects, context.now_us / 1000)?);
        Ok(())
    }

    /// Removes what was written: nothing will refer to it.
    fn abandon(&self, context: &Context<'_>) {
        for file in &self.files {
            // A file that stays is removed later, as one that no commit names.
            let _ = context.tables.storage.delete(&format!("{}{}", crate::quarantine::PREFIX, file.path));
        }
    }
}

/// The first stage: sends blocks with their numbers until the input ends or nobody wants them.
fn read_blocks(mut blocks: Blocks, sender: &Sender<(u64, Block)>, stop: &AtomicBool) -> Ended {
    let mut error = None;
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        match blocks.next_block() {
            Ok(Some(block)) => {
                if sender.send((number, block)).is_err() {
                    break;
                }
                number += 1;
            }
            Ok(None) => break,
            Err(failed) => error = Some(failed),
        }
    }
    Ended { hash: blocks.content_hash(), bytes: blocks.decompressed_bytes(), error }
}

/// The second stage: takes lines apart.
fn parse_blocks(blocks: &Receiver<(u64, Block)>, sender: &Sender<(u64, Parsed)>, input: &str, now_us: i64) {
    let mut shredder = Shredder::default();
    for (number, block) in blocks {
        let parsed = parse(&mut shredder, &block, input, now_us);
        if sender.send((number, parsed)).is_err() {
            return;
        }
    }
}

fn parse(shredder: &mut Shredder, block: &Block, input: &str, now_us: i64) -> Parsed {
    let mut parsed = Parsed {
        chunk: Chunk::default(),
        rejects: Vec::new(),
        lines: 0,
        all_before_is_known: block.all_before_is_known,
    };
    let mut reject = |raw: &[u8], offset: usize, reason: Rejected| {
        parsed.rejects.push(Reject {
            seq: 0,
            raw: raw.to_vec(),
            reason: reason.to_string(),
            input: input.to_string(),
            byte_offset: i64::try_from(block.offset + offset as u64).unwrap_or(i64::MAX),
            format: "jsonl".to_string(),
            header: None,
        });
    };
    if block.too_long {
        reject(&block.bytes, 0, Rejected::TooLong { limit: LINE_BYTES_MAX });
        parsed.lines = 1;
        return parsed;
    }
    let mut start = 0;
    if block.offset == 0 && block.bytes.starts_with(b"\xef\xbb\xbf") {
        start = 3;
    }
    while start < block.bytes.len() {
        let rest = block.bytes.get(start..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        parsed.lines += 1;
        if !line.trim_ascii().is_empty()
            && let Err(reason) = shredder.push(line, now_us)
        {
            reject(line, start, reason);
        }
        start += length + 1;
    }
    parsed.chunk = shredder.take();
    parsed
}

/// The third stage: puts blocks in order again, gives records their `seq`, settles and encodes them.
fn collect(
    parsed: &Receiver<(u64, Parsed)>,
    writer: &mut TableWriter,
    rejects: &mut Rejects,
    receipt: &mut InputReceipt,
    context: &Context<'_>,
    report: &dyn Fn(&InputReceipt),
) -> Result<()> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    let mut batch: Vec<Chunk> = Vec::new();
    let mut bytes = 0;
    for (number, part) in parsed {
        waiting.insert(number, part);
        while let Some(part) = waiting.remove(&next) {
            next += 1;
            if part.all_before_is_known {
                // What was read so far is thrown away: it is stored already.
                receipt.duplicate = receipt.records;
                (batch, bytes) = (Vec::new(), 0);
                std::mem::replace(writer, context.tables.table_writer(context.threads)?).abandon();
                std::mem::take(rejects).abandon(context);
            }
            receipt.lines += part.lines;
            receipt.records += part.chunk.len() as u64 + part.rejects.len() as u64;
            rejects.add(part.rejects, context)?;
            bytes += part.chunk.bytes;
            batch.push(part.chunk);
            if bytes >= BATCH_BYTES {
                bytes = 0;
                encode(std::mem::take(&mut batch), writer, context)?;
            }
        }
        report(receipt);
        if context.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
    encode(batch, writer, context)
}

fn encode(batch: Vec<Chunk>, writer: &mut TableWriter, context: &Context<'_>) -> Result<()> {
    let rows: usize = batch.iter().map(Chunk::len).sum();
    if rows == 0 {
        return Ok(());
    }
    let catalogue = context.tables.register.cover(&batch)?;
    let mut seq = context.seqs.reserve(rows as u64, context.now_us)?;
    let numbered = batch.into_iter().map(|chunk| {
        let seqs: Vec<i64> = (seq..).take(chunk.len()).collect();
        seq += chunk.len() as i64;
        (chunk, seqs)
    });
    let settled = settle(numbered.collect(), &catalogue)?;
    writer.push(&settled, &catalogue, context.now_us / 1000)
}
