//! A data file made of rows of others, sorted as ingest sorts them.

use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::{RowSet, hex};
use crate::event::column::TableSchema;
use crate::event::digest::Digest;
use crate::event::fixed::Fixed;
use crate::event::tree::Tree;
use crate::ingest::arrays::arrow_field;
use crate::ingest::batch::conform;
use crate::ingest::order::kinds_of_rows;
use crate::ingest::parquet::{Encoded, OpenFile, in_parallel};
use crate::ingest::stats::{ColumnRange, ColumnRanges};
use crate::layout;
use crate::log::DataFile;
use crate::storage::Storage;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{SortColumn, concat, lexsort_to_indices, take};
use chrono::NaiveDate;
use std::sync::Arc;

/// Rows are sorted in runs of about so many bytes in memory.
const RUN_BYTES: usize = 96 << 20;

/// A data file of a day, as its rows come. Nothing is on the disk before it is finished.
pub struct Rewritten<'a> {
    storage: &'a dyn Storage,
    schema: &'a TableSchema,
    day: NaiveDate,
    level: i32,
    file: OpenFile,
    ranges: ColumnRanges,
    run: Vec<RecordBatch>,
    run_bytes: usize,
    /// The hashes of the rows of the run.
    hashes: Vec<Digest>,
    /// Whether each row has one.
    is_hashed: bool,
    rows_hash: RowSet,
    tree: Tree,
}

impl<'a> Rewritten<'a> {
    /// A file of a storage with these columns, compressed at a level of zstd.
    pub fn new(
        schema: &'a TableSchema,
        day: NaiveDate,
        level: i32,
        storage: &'a dyn Storage,
    ) -> Rewritten<'a> {
        let file = OpenFile::new(Encoded::zstd(level).within(storage));
        let ranges = ColumnRanges::default();
        let (run, hashes, rows_hash, tree) = (Vec::new(), Vec::new(), RowSet::default(), Tree::default());
        Rewritten {
            storage,
            schema,
            day,
            level,
            file,
            ranges,
            run,
            run_bytes: 0,
            hashes,
            is_hashed: true,
            rows_hash,
            tree,
        }
    }

    /// Adds rows, with some of the columns, and the hash of each, or of none if nobody knows what they were.
    pub fn push(&mut self, batch: &RecordBatch, hashes: &[Digest]) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = conform(batch, self.schema)?;
        self.run_bytes = self.run_bytes.saturating_add(batch.get_array_memory_size());
        self.is_hashed &= hashes.len() == batch.num_rows();
        self.run.push(batch);
        self.hashes.extend_from_slice(hashes);
        self.rows_hash.add_rows(hashes);
        if self.run_bytes >= RUN_BYTES {
            self.write_run()?;
        }
        Ok(())
    }

    /// Bytes that wait to be written.
    pub fn encoded_bytes(&self) -> usize {
        self.file.encoded_bytes()
    }

    /// The hash of the set of rows so far.
    pub fn rows_hash(&self) -> &RowSet {
        &self.rows_hash
    }

    /// Writes the file durably, if it has rows.
    pub fn finish(mut self, now_ms: i64) -> Result<Option<DataFile>> {
        self.write_run()?;
        let rows = self.file.rows() as u64;
        if rows == 0 {
            return Ok(None);
        }
        let hashed = |hash: String| if self.is_hashed { hash } else { String::new() };
        let path = layout::data_file(self.day, &uuid::Uuid::new_v4().to_string());
        let written = self.file.finish(self.storage, &path).inspect_err(|_| {
            // Half a file takes room that may be what lacks; if it stays, it goes later.
            let _ = self.storage.delete(&path);
        })?;
        Ok(Some(DataFile {
            path,
            day: self.day,
            size: written.size,
            modified_ms: now_ms,
            rows,
            level: self.level,
            file_hash: written.file_hash,
            rows_hash: hashed(self.rows_hash.to_hex()),
            tree: hashed(self.tree.finish().map(|(root, _)| hex(&root)).unwrap_or_default()),
            key: written.key,
            stats: Arc::new(self.ranges.into_stats(rows)),
        }))
    }

    /// Sorts a run as ingest does, and adds it to the file.
    fn write_run(&mut self) -> Result<()> {
        let run = std::mem::take(&mut self.run);
        self.run_bytes = 0;
        let rows: usize = run.iter().map(RecordBatch::num_rows).sum();
        if rows == 0 {
            return Ok(());
        }
        let internal = |error: arrow::error::ArrowError| {
            Error::new(ErrorKind::Internal, "events cannot be sorted").with_source(error)
        };
        let column = |position: usize| -> Result<ArrayRef> {
            let parts: Vec<&dyn Array> =
                run.iter().filter_map(|batch| batch.columns().get(position)).map(|array| &**array).collect();
            concat(&parts).map_err(internal)
        };
        let key = |values: ArrayRef| SortColumn { values, options: None };
        let fixed = |fixed: Fixed| Ok::<_, Error>(key(column(fixed.position())?));
        let kinds = key(Arc::new(kinds_of_rows(&run)));
        let keys = [fixed(Fixed::Source)?, fixed(Fixed::Kind)?, kinds, fixed(Fixed::Seq)?];
        let order = lexsort_to_indices(&keys, None).map_err(internal)?;
        let hashes = std::mem::take(&mut self.hashes);
        let sorted = order.values().iter().filter_map(|row| hashes.get(*row as usize).copied());
        self.tree.push(&sorted.collect::<Vec<Digest>>());
        let positions = (0..self.schema.columns().len()).filter(|at| any_value(&run, *at));
        let mut columns = Vec::new();
        for position in positions {
            let column = self.schema.columns().get(position);
            let Some(field) = column.map(|column| Arc::new(arrow_field(column))) else { continue };
            columns.push((position, self.file.take_column(position, &field)));
        }
        let written = in_parallel(columns, 2, |(position, mut open)| {
            let array = take(&column(position)?, &order, None).map_err(internal)?;
            open.append(&array)?;
            Ok((open, position, Fixed::ALL.get(position).and_then(|fixed| ColumnRange::of(*fixed, &array))))
        })?;
        for (open, position, range) in written {
            self.file.put_column(open);
            if let (Some(fixed), Some(range)) = (Fixed::ALL.get(position), range) {
                self.ranges.add(*fixed, range);
            }
        }
        self.file.end_batch(rows);
        self.file.close_row_group(2)
    }
}

/// Whether some row of a run has a value in a column.
fn any_value(run: &[RecordBatch], position: usize) -> bool {
    run.iter().filter_map(|batch| batch.columns().get(position)).any(|array| array.null_count() < array.len())
}
