//! A log file that was dropped on a page: read as ingest reads it, and kept in memory.

use super::decode::in_memory;
use super::page::Page;
use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::{COLUMNS_MAX, Catalogue};
use crate::event::chunk::Chunk;
use crate::event::fixed::Fixed;
use crate::event::mapping::Mapping;
use crate::event::time::{day_of, day_start_us};
use crate::event::values::Texts;
use crate::format::{Place, Records};
use crate::ingest::arrays::Settled;
use crate::ingest::blocks::{Blocks, ReadAs};
use crate::ingest::known::Known;
use crate::ingest::settle::{batch_of, settle};
use crate::intake::Intake;
use crate::mine::{Assigned, Dictionary, Miner, Skeletons, TemplateId};
use crate::query::view::MixedField;
use crate::redact::{RedactSettings, Rules};
use arrow::array::RecordBatch;
use flate2::read::MultiGzDecoder;
use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};
use std::sync::Arc;
use zstd::stream::read::Decoder;

/// So many reasons are told.
const REASONS_MAX: usize = 20;

/// What was read of a file.
#[derive(Debug)]
pub struct Dropped {
    /// The columns of its events, their templates and times.
    pub page: Page,
    /// Its events, with all columns of [`Page::names`].
    pub batches: Vec<RecordBatch>,
    /// The format.
    pub format: &'static str,
    /// Records.
    pub records: u64,
    /// Records that could not be read.
    pub quarantined: u64,
    /// Why: the first of them, with their places in bytes.
    pub reasons: Vec<(u64, String)>,
}

/// Reads a file of any format that the library reads, in memory; compressed by gzip or Zstandard, too, where it then has no
/// more than a limit.
pub fn read_dropped(
    bytes: Vec<u8>,
    name: &str,
    read_as: &ReadAs,
    now_us: i64,
    limit: u64,
) -> Result<Dropped> {
    let bytes = decompressed(bytes, name, limit)?;
    let known = Known::default();
    let mut blocks = Blocks::open(Box::new(Cursor::new(bytes)), name, now_us, read_as, &known)?;
    let layout = blocks.layout().clone();
    let settings = RedactSettings { enabled: false, ..RedactSettings::default() };
    let rules = Arc::new(Rules::new(&settings, None)?);
    let intake = Intake::new(Mapping::default().with_format(layout.names), &rules);
    let mut reading = Reading { intake, now_us, offset: 0, records: 0, quarantined: 0, reasons: Vec::new() };
    let mut chunks: Vec<Chunk> = Vec::new();
    while let Some(block) = blocks.next_block()? {
        reading.offset = block.offset;
        layout.codec.read(&block.bytes, &mut reading);
        chunks.push(reading.intake.take());
    }
    let mut catalogue = Catalogue::new(COLUMNS_MAX);
    let addition = catalogue.missing(chunks.iter())?;
    catalogue.apply(&addition, 0)?;
    let (mut next, mut numbered) = (now_us, Vec::with_capacity(chunks.len()));
    for chunk in chunks {
        let end = next.saturating_add(i64::try_from(chunk.len()).unwrap_or(i64::MAX));
        let seqs = (next..end).collect();
        next = end;
        numbered.push((chunk, seqs));
    }
    let mut settled = settle(numbered, &catalogue)?;
    let templates = mine(&mut settled);
    let times = || settled.iter().flat_map(|settled| settled.chunk.ts.iter().copied());
    let span = times().min().zip(times().max());
    let mut days: BTreeMap<i64, u64> = BTreeMap::new();
    for ts in times() {
        let rows = days.entry(day_start_us(day_of(ts))).or_default();
        *rows = rows.saturating_add(1);
    }
    let batches =
        settled.chunks(1).map(|one| batch_of(one, catalogue.schema())).collect::<Result<Vec<_>>>()?;
    let mixed = MixedField::of(&catalogue);
    let batches =
        batches.iter().map(|batch| in_memory(batch, catalogue.schema(), &mixed)).collect::<Result<_>>()?;
    let Reading { records, quarantined, reasons, .. } = reading;
    if records == 0 {
        return Err(Error::new(ErrorKind::Invalid, format!("`{name}` has no records"))
            .with_hint("it is empty, or no log file"));
    }
    let page = Page::new(catalogue, templates, span, days.into_iter().collect());
    Ok(Dropped { page, batches, format: layout.format.name(), records, quarantined, reasons })
}

/// The bytes of a file, decompressed as its first bytes say.
fn decompressed(bytes: Vec<u8>, name: &str, limit: u64) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Invalid, format!("`{name}` cannot be decompressed: {error}"))
    };
    let reader: Box<dyn Read> = match bytes.as_slice() {
        [0x1f, 0x8b, 0x08, ..] => Box::new(MultiGzDecoder::new(bytes.as_slice())),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(Decoder::new(bytes.as_slice()).map_err(failed)?),
        _ => return Ok(bytes),
    };
    let mut whole = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut whole).map_err(failed)?;
    if whole.len() as u64 > limit {
        let message = format!("`{name}` has more than {limit} bytes when it is decompressed");
        return Err(Error::new(ErrorKind::Limit, message)
            .with_hint("ingest it with the program, and export a bundle"));
    }
    Ok(whole)
}

/// Gives messages the ids of their templates.
fn mine(settled: &mut [Settled]) -> Dictionary {
    let mut miner = Miner::default();
    let messages =
        |chunk: &Chunk| Skeletons::of(chunk.fixed_texts(Fixed::Message).into_iter().flat_map(Texts::iter));
    let all: Vec<Vec<(u32, Assigned)>> =
        settled.iter().map(|settled| miner.assign_all(&messages(&settled.chunk))).collect();
    miner.settle();
    let mut firsts: HashMap<TemplateId, i64> = HashMap::new();
    for (settled, assigned) in settled.iter_mut().zip(all) {
        let mut templates = Texts::default();
        for (row, assigned) in assigned {
            let id = miner.id(assigned);
            templates.push(row, id.to_string().as_bytes());
            let ts = settled.chunk.ts.get(row as usize).copied().unwrap_or(i64::MAX);
            let first = firsts.entry(id).or_insert(ts);
            *first = ts.min(*first);
        }
        settled.templates = templates;
    }
    let mut dictionary = miner.dictionary();
    firsts.into_iter().for_each(|(id, first)| dictionary.seen(id, first));
    dictionary
}

struct Reading {
    intake: Intake,
    now_us: i64,
    offset: u64,
    records: u64,
    quarantined: u64,
    reasons: Vec<(u64, String)>,
}

impl Records for Reading {
    fn record(&mut self, place: Place<'_>, json: &[u8]) {
        match self.intake.push(json, self.now_us) {
            Ok(()) => self.records = self.records.saturating_add(1),
            Err(reject) => self.unreadable(place, &reject.to_string()),
        }
    }

    fn unreadable(&mut self, place: Place<'_>, reason: &str) {
        self.records = self.records.saturating_add(1);
        self.quarantined = self.quarantined.saturating_add(1);
        if self.reasons.len() < REASONS_MAX {
            self.reasons.push((self.offset.saturating_add(place.offset as u64), reason.to_string()));
        }
    }

    fn decoded(&mut self) {}
}
