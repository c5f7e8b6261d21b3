//! The third stage: puts blocks in order again, gives records their `seq`, settles, encodes and commits them.

use super::{Context, Ended, InputReceipt, Item, Numbered, Parsed, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::event::chunk::Chunk;
use crate::ingest::known::input_state;
use crate::ingest::progress::{Step, Unit};
use crate::ingest::table::{TableWriter, settle};
use crate::log::DataFile;
use crate::mine::Skeletons;
use crate::quarantine::{PREFIX, Reject};
use crate::seal::Both;
use crate::storage::Storage;
use crossbeam_channel::Receiver;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Records are settled and encoded in batches of about so many bytes.
const BATCH_BYTES: usize = 22 << 20;
/// Rejects are written once they take so many bytes.
const REJECT_BYTES: usize = 16 << 20;
/// So many inputs share a commit at most.
const GROUP_INPUTS: usize = 4_096;

/// Takes what the stages before found, until all inputs have ended, and hands on their receipts.
pub(super) fn collect(
    parsed: &Receiver<Numbered<Parsed>>,
    context: &Context<'_>,
    receive: &mut dyn FnMut(InputReceipt),
) -> Result<()> {
    let mut collector = Collector { context, receive, open: None, group: Group::default() };
    let collected = collector.all(parsed);
    if collected.is_err() {
        collector.abandon();
    }
    collected
}

struct Collector<'a> {
    context: &'a Context<'a>,
    receive: &'a mut dyn FnMut(InputReceipt),
    /// The input that is being read.
    open: Option<Open>,
    /// Inputs that were read and wait for their commit.
    group: Group,
}

/// An input that is being read.
struct Open {
    source: Arc<Source>,
    started: Instant,
    receipt: InputReceipt,
    rows: Rows,
    decoded: u64,
    has_grown: bool,
}

/// Records on their way to a commit.
#[derive(Default)]
struct Rows {
    chunks: Vec<(Chunk, Skeletons)>,
    bytes: usize,
    /// Where rows of large inputs went already.
    writer: Option<TableWriter>,
    rejects: Rejects,
}

/// Inputs that share a commit.
#[derive(Default)]
struct Group {
    rows: Rows,
    receipts: Vec<InputReceipt>,
    transactions: Vec<(String, i64)>,
}

impl Collector<'_> {
    fn all(&mut self, parsed: &Receiver<Numbered<Parsed>>) -> Result<()> {
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (number, item) in parsed {
            waiting.insert(number, item);
            while let Some(item) = waiting.remove(&next) {
                next += 1;
                self.take(item)?;
            }
            self.check_stop()?;
        }
        self.check_stop()?;
        self.commit_group()
    }

    fn check_stop(&self) -> Result<()> {
        if !self.context.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let names = self.group.receipts.iter().map(|receipt| &receipt.input);
        let first = names.chain(self.open.iter().map(|open| &open.source.name)).next();
        let message = match first {
            Some(name) => format!("interrupted; nothing of `{name}` or after it is stored"),
            None => "interrupted".to_string(),
        };
        Err(Error::new(ErrorKind::Interrupted, message))
    }

    fn take(&mut self, item: Item<Parsed>) -> Result<()> {
        match item {
            Item::Begin(source) => {
                self.open = Some(Open::new(source));
                Ok(())
            }
            Item::Block(source, parsed) => self.take_block(&source, parsed),
            Item::End(ended) => self.end_input(&ended),
            Item::Failed { name, error } => {
                let error = Some(error.to_string());
                self.group.receipts.push(InputReceipt { input: name, error, ..InputReceipt::default() });
                Ok(())
            }
        }
    }

    fn take_block(&mut self, source: &Source, parsed: Parsed) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if parsed.all_before_is_known {
            // What was read so far is thrown away: it is stored already.
            open.receipt.duplicate = open.receipt.records;
            open.receipt.redacted = crate::redact::Counts::default();
            std::mem::take(&mut open.rows).abandon(self.context);
            open.has_grown |= parsed.has_grown;
        }
        if let (true, false, Some(reject)) =
            (self.context.strict, parsed.may_be_known, parsed.rejects.first())
        {
            return self.refuse(&reject.clone());
        }
        open.receipt.lines += parsed.lines;
        open.receipt.records += parsed.records;
        open.receipt.redacted.add(&parsed.redacted);
        open.decoded += parsed.decoded;
        open.rows.bytes += parsed.chunk.bytes + parsed.skeletons.byte_count();
        open.rows.rejects.add(parsed.rejects, self.context)?;
        if !parsed.chunk.is_empty() {
            open.rows.chunks.push((parsed.chunk, parsed.skeletons));
        }
        self.context.progress.update(&Step {
            done: parsed.read,
            total: source.total,
            unit: Unit::Bytes,
            events: open.receipt.records,
            note: &source.name,
        });
        if open.rows.bytes >= BATCH_BYTES {
            open.rows.encode(self.context)?;
        } else if open.rows.bytes + self.group.rows.bytes >= BATCH_BYTES {
            self.commit_group()?;
        }
        Ok(())
    }

    /// Ends it all at a record that cannot be read; inputs before this one stay.
    fn refuse(&mut self, reject: &Reject) -> Result<()> {
        if let Some(open) = self.open.take() {
            open.rows.abandon(self.context);
        }
        self.commit_group()?;
        let message = format!("`{}`, at byte {}: {}", reject.input, reject.byte_offset, reject.reason);
        Err(Error::new(ErrorKind::Invalid, message).with_hint(
            "nothing of this input is stored; without `--strict` what cannot be read goes to the quarantine",
        ))
    }

    fn end_input(&mut self, ended: &Ended) -> Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        if let (true, Some(reject)) = (self.context.strict, open.rows.rejects.waiting.first()) {
            let reject = reject.clone();
            open.rows.abandon(self.context);
            return self.refuse(&reject);
        }
        open.finish_receipt(ended);
        let transaction = input_state(ended.bytes, &ended.hash);
        let fresh = open.receipt.records - open.receipt.duplicate;
        if fresh == 0 {
            open.rows.abandon(self.context);
            self.group.receipts.push(open.receipt);
        } else if open.rows.writer.is_some() {
            let (receipts, transactions) = (vec![open.receipt], vec![transaction]);
            self.commit(Group { rows: open.rows, receipts, transactions })?;
        } else {
            self.group.add(open.rows, open.receipt, transaction, self.context)?;
        }
        match self.group.receipts.len() >= GROUP_INPUTS {
            true => self.commit_group(),
            false => Ok(()),
        }
    }

    fn commit_group(&mut self) -> Result<()> {
        let group = std::mem::take(&mut self.group);
        self.commit(group)
    }

    /// Commits some inputs, unless the content of one was committed meanwhile.
    fn commit(&mut self, mut group: Group) -> Result<()> {
        let inputs = group.transactions.len();
        let committed = match inputs {
            0 => true,
            _ => group.rows.commit(group.transactions, self.context)?,
        };
        for mut receipt in group.receipts.drain(..) {
            let fresh = receipt.records - receipt.duplicate;
            let quarantined = std::mem::take(&mut receipt.quarantined);
            match (committed, inputs) {
                (true, _) => (receipt.stored, receipt.quarantined) = (fresh - quarantined, quarantined),
                // Whoever was first has committed the same records.
                (false, 1) => receipt.duplicate = receipt.records,
                (false, _) if fresh > 0 => {
                    let message = "another process stored one of these inputs meanwhile, so that none was stored \
                                   here; ingest them again";
                    receipt.error.get_or_insert(message.to_string());
                    receipt.records = receipt.duplicate;
                }
                (false, _) => {}
            }
            (self.receive)(receipt);
        }
        if inputs > 0 {
            self.context.tables.maintain((self.context.clock)() / 1000, self.context.keep_versions_ms)?;
        }
        Ok(())
    }

    /// Removes all files that were written: nothing will refer to them.
    fn abandon(&mut self) {
        let open = self.open.take().map(|open| open.rows);
        open.into_iter()
            .chain([std::mem::take(&mut self.group.rows)])
            .for_each(|rows| rows.abandon(self.context));
    }
}

impl Open {
    fn new(source: Arc<Source>) -> Open {
        let receipt = InputReceipt {
            input: source.name.clone(),
            format: Some(source.format.name()),
            notes: source.notes.clone(),
            ..InputReceipt::default()
        };
        let (started, rows) = (Instant::now(), Rows::default());
        Open { source, started, receipt, rows, decoded: 0, has_grown: false }
    }

    /// Completes the receipt but for what depends on the commit; `quarantined` is how many it would be.
    fn finish_receipt(&mut self, ended: &Ended) {
        let receipt = &mut self.receipt;
        receipt.quarantined = self.rows.rejects.count;
        receipt.bytes = ended.bytes;
        receipt.error = ended.error.as_ref().map(ToString::to_string);
        receipt.seconds = self.started.elapsed().as_secs_f64();
        if self.decoded > 0 {
            receipt
                .notes
                .push(format!("{} records were not UTF-8 and were read as Windows-1252", self.decoded));
        }
        if self.has_grown {
            let note = "the last record of an earlier ingest had no end then and has grown since: it is one more record now";
            receipt.notes.push(note.to_string());
        }
    }
}

impl Group {
    fn add(
        &mut self,
        rows: Rows,
        receipt: InputReceipt,
        transaction: (String, i64),
        context: &Context<'_>,
    ) -> Result<()> {
        self.rows.chunks.extend(rows.chunks);
        self.rows.bytes += rows.bytes;
        self.rows.rejects.join(rows.rejects, context)?;
        self.receipts.push(receipt);
        self.transactions.push(transaction);
        Ok(())
    }
}

impl Rows {
    /// Settles and encodes what waits.
    fn encode(&mut self, context: &Context<'_>) -> Result<()> {
        let (batch, skeletons): (Vec<Chunk>, Vec<Skeletons>) = self.chunks.drain(..).unzip();
        self.bytes = 0;
        let rows: usize = batch.iter().map(Chunk::len).sum();
        if rows == 0 {
            return Ok(());
        }
        let now_us = (context.clock)();
        let catalogue = context.tables.register.cover(&batch)?;
        let mut seq = context.seqs.reserve(rows as u64, now_us)?;
        let numbered = batch.into_iter().map(|chunk| {
            let seqs: Vec<i64> = (seq..).take(chunk.len()).collect();
            seq += chunk.len() as i64;
            (chunk, seqs)
        });
        let mut settled = settle(numbered.collect(), &catalogue)?;
        context.tables.templates.fill_from(&mut settled, &skeletons)?;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(context.tables.table_writer(context.threads)?),
        };
        writer.push(&settled, &catalogue, now_us / 1000)
    }

    /// Commits everything under these markers. False if one of them was committed before.
    fn commit(mut self, transactions: Vec<(String, i64)>, context: &Context<'_>) -> Result<bool> {
        self.encode(context)?;
        self.rejects.write(context)?;
        let now_ms = (context.clock)() / 1000;
        let events = self.writer.map_or(Ok(Vec::new()), |writer| writer.finish(now_ms))?;
        let quarantine = self.rejects.files;
        let both = Both { operation: "WRITE", events, quarantine, transactions, ..Both::default() };
        Ok(context.tables.commit(&both, now_ms)?.is_some())
    }

    fn abandon(self, context: &Context<'_>) {
        if let Some(writer) = self.writer {
            writer.abandon();
        }
        self.rejects.abandon(context);
    }
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

    /// Takes in those of another input.
    fn join(&mut self, other: Rejects, context: &Context<'_>) -> Result<()> {
        self.count += other.count - other.waiting.len() as u64;
        self.files.extend(other.files);
        self.add(other.waiting, context)
    }

    fn write(&mut self, context: &Context<'_>) -> Result<()> {
        let mut rejects = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        let now_us = (context.clock)();
        let first = context.seqs.reserve(rejects.len() as u64, now_us)?;
        for (reject, seq) in rejects.iter_mut().zip(first..) {
            reject.seq = seq;
        }
        self.files.extend(context.tables.write_rejects(rejects, now_us / 1000)?);
        Ok(())
    }

    /// Removes what was written: nothing will refer to it.
    fn abandon(&self, context: &Context<'_>) {
        for file in &self.files {
            // A file that stays is removed later, as one that no commit names.
            let _ = context.tables.storage.delete(&format!("{PREFIX}{}", file.path));
        }
    }
}
