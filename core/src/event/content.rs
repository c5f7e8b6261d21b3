//! Rows of data files hashed anew: what their records hashed to when they came in, if nobody changed them.

use super::assemble::Assembler;
use super::canonical::{self, Leaf, row_hashes};
use super::catalogue::Catalogue;
use super::digest::Digest;
use super::fixed::Fixed;
use crate::error::{Error, ErrorKind, Result};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, Schema, TimestampMicrosecondType};

/// Hashes rows of batches of one schema.
pub struct Contents<'a> {
    assembler: Assembler<'a>,
    bytes: Vec<u8>,
}

impl<'a> Contents<'a> {
    /// For batches of a schema, whose columns are found by name.
    pub fn new(schema: &Schema, catalogue: &'a Catalogue) -> Contents<'a> {
        Contents { assembler: Assembler::new(schema, catalogue), bytes: Vec::new() }
    }

    /// The hashes of all rows of a batch.
    pub fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<Digest>> {
        let lacks = || Error::new(ErrorKind::Corrupt, "a data file has no `ts` or no `seq`");
        let seqs = batch.column_by_name(Fixed::Seq.name()).ok_or_else(lacks)?;
        let seqs = seqs.as_primitive_opt::<Int64Type>().ok_or_else(lacks)?;
        let times = batch.column_by_name(Fixed::Ts.name()).ok_or_else(lacks)?;
        let times = times.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(lacks)?;
        let mut hashes = Vec::with_capacity(batch.num_rows());
        for (row, (seq, ts)) in seqs.values().iter().zip(times.values()).enumerate() {
            hashes.push((*seq, *ts, self.content(batch, row)?));
        }
        Ok(row_hashes(hashes.iter().map(|(seq, ts, content)| (*seq, *ts, content))))
    }

    /// The leaves of a row's record, as they are hashed.
    pub fn leaves(&mut self, batch: &RecordBatch, row: usize) -> Result<Vec<Leaf>> {
        self.content(batch, row)?;
        Leaf::all_of(&self.bytes)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "canonical bytes of an event cannot be read"))
    }

    /// The content hash of a row.
    fn content(&mut self, batch: &RecordBatch, row: usize) -> Result<Digest> {
        self.bytes.clear();
        self.assembler.canonical_into(batch, row, &mut self.bytes)?;
        Ok(canonical::hash(&self.bytes))
    }
}
