//! Makes the proof of an event.

use super::stopped;
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::hex;
use crate::event::catalogue::Catalogue;
use crate::event::content::Contents;
use crate::event::fixed::Fixed;
use crate::event::tree::Tree;
use crate::ingest::batch::{read_columns, read_file, seqs_in};
use crate::log::{At, ChainRecord, DataFile, Log, encoded_path, jump_of};
use crate::proof::{EventProof, FORMAT, Head, ProvenEvent};
use crate::seal::Tables;
use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use std::sync::atomic::{AtomicBool, Ordering};

/// The proof of the event with a number, under a head that was kept elsewhere, or the head as it is now.
pub fn prove(tables: &Tables, seq: i64, against: Option<&Head>, stop: &AtomicBool) -> Result<EventProof> {
    let log = &tables.events;
    let snapshot = log.snapshot(At::Latest)?;
    let (file, row) = find(tables, &snapshot.files, seq, stop)?;
    if file.tree.is_empty() {
        let message = format!("`{}`, which holds the event, was not written by Daybook", file.path);
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    let (event, path, root) = ascend(tables, file, row, stop)?;
    if hex(&root) != file.tree {
        let message = format!("`{}` does not hold the events that were written to it", file.path);
        return Err(
            Error::new(ErrorKind::Corrupt, message).with_hint("`daybook verify` says what was changed")
        );
    }
    let adding = adding(log, file, snapshot.version)?;
    let head = match against {
        None => last_record(log, snapshot.version)?,
        Some(head) => known(log, head, snapshot.version)?,
    };
    if head.version < adding.version {
        let message = format!(
            "the event is in a file that was written after that head: commit {}, and the head is of version {}",
            adding.version, head.version
        );
        return Err(Error::new(ErrorKind::Invalid, message).with_hint(
            "compaction writes events anew: prove it under a later head, and `daybook verify --against` that the \
             store only grew since the earlier one",
        ));
    }
    let records = way(log, &adding, head)?.into_iter().map(|record| record.text).collect();
    let (file, path) = (encoded_path(&file.path), path.iter().map(|hash| hex(hash)).collect());
    Ok(EventProof { daybook_proof: FORMAT, event, file, row, path, records })
}

/// The file that holds an event, and which of its rows that is.
fn find<'a>(
    tables: &Tables,
    files: &'a [DataFile],
    seq: i64,
    stop: &AtomicBool,
) -> Result<(&'a DataFile, u64)> {
    let may_have =
        |file: &&DataFile| file.seq_range().is_none_or(|(first, last)| (first..=last).contains(&seq));
    for file in files.iter().filter(may_have) {
        let mut row = 0_u64;
        for batch in read_columns(&tables.place_of("", file)?, |name| name == Fixed::Seq.name())? {
            if stop.load(Ordering::Relaxed) {
                return Err(stopped());
            }
            let batch = batch?;
            if let Some(place) = seqs_in(&batch).iter().position(|number| *number == seq) {
                return Ok((file, row.saturating_add(place as u64)));
            }
            row = row.saturating_add(batch.num_rows() as u64);
        }
    }
    Err(Error::new(ErrorKind::NotFound, format!("no data file holds the event {seq}"))
        .with_hint("events are in one once they are sealed: `daybook maintain` seals those that wait"))
}

type Ascent = (ProvenEvent, Vec<crate::event::digest::Digest>, crate::event::digest::Digest);

/// Hashes all rows of a file: the event at a row, its way up the tree, and the root.
fn ascend(tables: &Tables, file: &DataFile, row: u64, stop: &AtomicBool) -> Result<Ascent> {
    let catalogue: &Catalogue = &*tables.register.latest()?;
    let (mut tree, mut event, mut before) = (Tree::watching(row), None, 0_u64);
    for batch in read_file(&tables.place_of("", file)?, 0)? {
        if stop.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        let batch = batch?;
        let mut contents = Contents::new(&batch.schema(), catalogue);
        tree.push(&contents.rows(&batch)?);
        let place = row.checked_sub(before).and_then(|place| usize::try_from(place).ok());
        if let Some(place) = place.filter(|place| *place < batch.num_rows()) {
            let ts = batch.column_by_name(Fixed::Ts.name());
            let ts = ts.and_then(|ts| ts.as_primitive_opt::<TimestampMicrosecondType>());
            let ts = ts.and_then(|ts| ts.values().get(place)).copied().unwrap_or_default();
            let seq = seqs_in(&batch).get(place).copied().unwrap_or_default();
            event = Some(ProvenEvent { seq, ts, leaves: contents.leaves(&batch, place)? });
        }
        before = before.saturating_add(batch.num_rows() as u64);
    }
    match (event, tree.finish()) {
        (Some(event), Some((root, path))) => Ok((event, path, root)),
        _ => Err(Error::new(ErrorKind::Corrupt, format!("`{}` has fewer rows than it had", file.path))),
    }
}

/// The record of the commit that added a file. A file is written shortly before it is committed.
fn adding(log: &Log, file: &DataFile, latest: u64) -> Result<ChainRecord> {
    let line = format!("\nadd {} ", encoded_path(&file.path));
    let written = log.chain_record_at(latest, file.modified_ms.saturating_sub(1))?;
    let first = written.map_or(0, |record| record.version);
    for version in (first..=latest).chain(0..first) {
        if let Some(record) = log.chain_record(version)?.filter(|record| record.text.contains(&line)) {
            return Ok(record);
        }
    }
    let message = format!("no record of the hash chain adds `{}`", file.path);
    Err(Error::new(ErrorKind::Corrupt, message).with_hint("`daybook verify` says what was changed"))
}

/// The last record up to a version.
fn last_record(log: &Log, version: u64) -> Result<ChainRecord> {
    for version in (0..=version).rev() {
        if let Some(record) = log.chain_record(version)? {
            return Ok(record);
        }
    }
    Err(Error::new(ErrorKind::Corrupt, "the hash chain has no records"))
}

/// The record of a head that was kept elsewhere.
fn known(log: &Log, head: &Head, latest: u64) -> Result<ChainRecord> {
    let record = match head.events.version <= latest {
        true => Some(last_record(log, head.events.version)?),
        false => None,
    };
    record.filter(|record| record.hash == head.events.hash).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, "the store does not go through that head")
            .with_hint("it is of another store, or the store was changed: `daybook verify --against HEAD`")
    })
}

/// The records from one to a later one, each of which names the one before it here.
fn way(log: &Log, from: &ChainRecord, to: ChainRecord) -> Result<Vec<ChainRecord>> {
    let mut way = vec![to];
    while let Some(last) = way.last().filter(|last| last.version > from.version) {
        let version = last.version;
        let jump = last_record(log, jump_of(version))?;
        let next = match jump.version >= from.version {
            true => jump,
            false => last_record(log, version.saturating_sub(1))?,
        };
        way.push(next);
    }
    way.reverse();
    Ok(way)
}
