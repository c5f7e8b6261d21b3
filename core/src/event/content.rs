//! Rows of data files hashed anew: what their records hashed to when they came in, if nobody changed them.

use super::assemble::Assembler;
use super::canonical::{self, RowSet};
use super::catalogue::Catalogue;
use super::column::FieldPath;
use super::fixed::Fixed;
use super::json::{self, Kind, Tape};
use super::shape::Form;
use crate::error::{Error, ErrorKind, Result};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type, Schema, TimestampMicrosecondType};

/// Hashes rows of batches of one schema.
pub struct Contents<'a> {
    assembler: Assembler<'a>,
    catalogue: &'a Catalogue,
    tape: Tape,
    record: Vec<u8>,
}

impl<'a> Contents<'a> {
    /// For batches of a schema, whose columns are found by name.
    pub fn new(schema: &Schema, catalogue: &'a Catalogue) -> Contents<'a> {
        let assembler = Assembler::new(schema, catalogue);
        Contents { assembler, catalogue, tape: Tape::default(), record: Vec::new() }
    }

    /// Adds all rows of a batch to a set.
    pub fn add_rows(&mut self, batch: &RecordBatch, rows: &mut RowSet) -> Result<()> {
        let lacks = || Error::new(ErrorKind::Corrupt, "a data file has no `ts` or no `seq`");
        let seqs = batch.column_by_name(Fixed::Seq.name()).ok_or_else(lacks)?;
        let seqs = seqs.as_primitive_opt::<Int64Type>().ok_or_else(lacks)?;
        let times = batch.column_by_name(Fixed::Ts.name()).ok_or_else(lacks)?;
        let times = times.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(lacks)?;
        let mut hashes = Vec::with_capacity(batch.num_rows());
        for (row, (seq, ts)) in seqs.values().iter().zip(times.values()).enumerate() {
            hashes.push((*seq, *ts, self.content(batch, row, *ts)?));
        }
        rows.add_rows(hashes.iter().map(|(seq, ts, content)| (*seq, *ts, content)));
        Ok(())
    }

    /// The content hash of a row.
    fn content(&mut self, batch: &RecordBatch, row: usize, ts: i64) -> Result<[u8; 32]> {
        self.record.clear();
        self.assembler.original_into(batch, row, &mut self.record)?;
        self.tape.parse(&self.record).map_err(|error| {
            let message = format!("an event cannot be put together: {error:?}");
            Error::new(ErrorKind::Corrupt, message)
        })?;
        let time = self.time_path(batch, row);
        let (mut leaves, mut path) = (Vec::new(), Vec::new());
        let mut open: Vec<(usize, usize)> = vec![(1, end_of(&self.tape, 0))];
        // The path's length before each key that is open.
        let mut lengths: Vec<usize> = Vec::new();
        while let Some((position, end)) = open.last_mut() {
            if *position >= *end {
                open.pop();
                path.truncate(lengths.pop().unwrap_or_default());
                continue;
            }
            let (key_at, value_at) = (*position, position.saturating_add(1));
            let (Some(key), Some(value)) = (self.tape.get(key_at), self.tape.get(value_at)) else { break };
            *position = value.next as usize;
            let length = path.len();
            key_into(&self.record, &key, &mut path);
            if value.kind == Kind::Object && value.next as usize > value_at.saturating_add(1) {
                lengths.push(length);
                open.push((value_at.saturating_add(1), value.next as usize));
                continue;
            }
            let mut leaf = Vec::new();
            match time.as_ref() == Some(&path) {
                true => canonical::time_leaf_into(&path, ts, &mut leaf),
                false => canonical::leaf_into(&path, &self.record, &self.tape, value_at, &mut leaf),
            }
            leaves.push((path.clone(), leaf));
            path.truncate(length);
        }
        leaves.sort_unstable();
        let whole: Vec<u8> = leaves.into_iter().flat_map(|(_, leaf)| leaf).collect();
        Ok(canonical::hash(&whole))
    }

    /// The encoded path of the leaf that gave `ts`, if one did.
    fn time_path(&self, batch: &RecordBatch, row: usize) -> Option<Vec<u8>> {
        let shapes = batch.column_by_name(Fixed::Shape.name())?.as_primitive_opt::<Int32Type>()?;
        let shape = self.catalogue.shape(if shapes.is_valid(row) { shapes.value(row) } else { -1 })?;
        let mut origins = shape.origins.iter();
        let origin =
            origins.find(|origin| origin.column == Fixed::Ts && matches!(origin.form, Form::Time(_)))?;
        Some(encoded(&origin.path))
    }
}

fn end_of(tape: &Tape, value: usize) -> usize {
    tape.get(value).map_or(0, |node| node.next as usize)
}

fn key_into(text: &[u8], key: &json::Node, path: &mut Vec<u8>) {
    let mut name = Vec::new();
    json::unescape_into(json::text_of(text, key), &mut name);
    path.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes());
    path.extend_from_slice(&name);
}

fn encoded(path: &FieldPath) -> Vec<u8> {
    let mut out = Vec::new();
    for key in path.keys() {
        out.extend_from_slice(&u32::try_from(key.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(key.as_bytes());
    }
    out
}
