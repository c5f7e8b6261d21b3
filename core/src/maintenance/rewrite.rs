//! A data file made of rows of others, sorted as ingest sorts them.

use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::{RowSet, hex};
use crate::event::column::TableSchema;
use crate::event::digest::Digest;
use crate::event::fixed::Fixed;
use crate::event::tree::Tree;
use crate::ingest::arrays::{arrow_field, arrow_type};
use crate::ingest::order::{self, kinds_of_rows};
use crate::ingest::pages::ColumnChunk;
use crate::ingest::parquet::{Encoded, OpenFile, in_parallel};
use crate::ingest::stats::{ColumnRange, ColumnRanges};
use crate::layout;
use crate::log::DataFile;
use crate::storage::Storage;
use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::Field;
use chrono::NaiveDate;
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows are sorted in runs of about so many bytes in memory.
const RUN_BYTES: usize = 64 << 20;
/// Columns are encoded by so many threads.
const THREADS: usize = 2;

/// A data file of a day, as its rows come. Nothing is on the disk before it is finished.
pub struct Rewritten<'a> {
    storage: &'a dyn Storage,
    schema: &'a TableSchema,
    positions: HashMap<&'a str, usize>,
    day: NaiveDate,
    encoding: Encoded,
    file: OpenFile,
    ranges: ColumnRanges,
    run: Vec<Part>,
    run_bytes: usize,
    /// What fields each row of the run has.
    kinds: Vec<u64>,
    /// The hashes of the rows of the run.
    hashes: Vec<Digest>,
    /// Whether each row has one.
    is_hashed: bool,
    rows_hash: RowSet,
    tree: Tree,
}

/// Some rows, with those of the table's columns that they have values in.
struct Part {
    rows: usize,
    columns: BTreeMap<usize, ArrayRef>,
}

impl<'a> Rewritten<'a> {
    /// A file of a storage with these columns, compressed at a level of zstd.
    pub fn new(
        schema: &'a TableSchema,
        day: NaiveDate,
        level: i32,
        storage: &'a dyn Storage,
    ) -> Rewritten<'a> {
        Rewritten::encoded(schema, day, &Encoded::zstd(level), storage)
    }

    /// The same, encoded like other files: what was found out of their columns is known.
    pub fn encoded(
        schema: &'a TableSchema,
        day: NaiveDate,
        encoding: &Encoded,
        storage: &'a dyn Storage,
    ) -> Rewritten<'a> {
        let columns = schema.columns().iter().enumerate();
        let encoding = encoding.clone().within(storage);
        Rewritten {
            storage,
            schema,
            positions: columns.map(|(position, column)| (column.name.as_str(), position)).collect(),
            day,
            file: OpenFile::new(encoding.clone()),
            encoding,
            ranges: ColumnRanges::default(),
            run: Vec::new(),
            run_bytes: 0,
            kinds: Vec::new(),
            hashes: Vec::new(),
            is_hashed: true,
            rows_hash: RowSet::default(),
            tree: Tree::default(),
        }
    }

    /// Adds rows, with some of the columns, and the hash of each, or of none if nobody knows what they were.
    pub fn push(&mut self, batch: &RecordBatch, hashes: &[Digest]) -> Result<()> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(());
        }
        let mut columns = BTreeMap::new();
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let position = self.positions.get(field.name().as_str()).copied();
            // Of a wide table most columns have no value in most rows, and would take most of the memory.
            if let Some(position) = position.filter(|_| array.null_count() < array.len()) {
                self.run_bytes = self.run_bytes.saturating_add(array.get_array_memory_size());
                columns.insert(position, array.clone());
            }
        }
        self.kinds.extend(kinds_of_rows(rows, columns.iter().map(|(position, array)| (*position, array))));
        self.is_hashed &= hashes.len() == rows;
        self.run.push(Part { rows, columns });
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
            level: self.encoding.level(),
            file_hash: written.file_hash,
            rows_hash: hashed(self.rows_hash.to_hex()),
            tree: hashed(self.tree.finish().map(|(root, _)| hex(&root)).unwrap_or_default()),
            key: written.key,
            stats: Arc::new(self.ranges.into_stats(rows)),
        }))
    }

    /// Sorts a run as ingest does, and adds it to the file as a row group.
    fn write_run(&mut self) -> Result<()> {
        let run = std::mem::take(&mut self.run);
        self.run_bytes = 0;
        let rows: usize = run.iter().map(|part| part.rows).sum();
        if rows == 0 {
            return Ok(());
        }
        let fixed = |fixed: Fixed| column_of(self.schema, &run, fixed.position());
        let kinds = std::mem::take(&mut self.kinds);
        let order = order::sorted(fixed(Fixed::Source)?, fixed(Fixed::Kind)?, kinds, fixed(Fixed::Seq)?)?;
        let hashes = std::mem::take(&mut self.hashes);
        let sorted = order.values().iter().filter_map(|row| hashes.get(*row as usize).copied());
        self.tree.push(&sorted.collect::<Vec<Digest>>());
        let columns = encoded_columns((self.schema, &self.encoding), &run, &order)?;
        drop(run);
        let mut chunks = Vec::new();
        for (position, field, chunk, range) in columns {
            if let (Some(fixed), Some(range)) = (Fixed::ALL.get(position), range) {
                self.ranges.add(*fixed, range);
            }
            chunks.push((position, field, chunk));
        }
        self.file.add_row_group(rows, chunks);
        Ok(())
    }
}

/// The columns that a run has values in, several at once; the large ones first, so that no thread is left with one.
fn encoded_columns(
    (schema, encoding): (&TableSchema, &Encoded),
    run: &[Part],
    order: &UInt32Array,
) -> Result<Vec<EncodedColumn>> {
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    for (position, array) in run.iter().flat_map(|part| &part.columns) {
        let size = sizes.entry(*position).or_default();
        *size = size.saturating_add(array.get_array_memory_size());
    }
    let mut positions: Vec<(usize, usize)> =
        sizes.into_iter().map(|(position, size)| (size, position)).collect();
    positions.sort_unstable_by(|one, other| other.cmp(one));
    let is_sorted = order.values().iter().enumerate().all(|(at, row)| at == *row as usize);
    let encoded = in_parallel(positions, THREADS, |(_, position)| {
        let Some(column) = schema.columns().get(position) else { return Ok(None) };
        let field = Arc::new(arrow_field(column));
        let mut array = column_of(schema, run, position)?;
        if !is_sorted {
            array = take(&array, order, None).map_err(unsorted)?;
        }
        let range = Fixed::ALL.get(position).and_then(|fixed| ColumnRange::of(*fixed, &array));
        let chunk = encoding.column(&field, &array)?;
        Ok(Some((position, field, chunk, range)))
    })?;
    Ok(encoded.into_iter().flatten().collect())
}

/// A column of a run, of all its rows.
fn column_of(schema: &TableSchema, run: &[Part], position: usize) -> Result<ArrayRef> {
    let misfits = || Error::new(ErrorKind::Corrupt, "a data file's columns are not the table's");
    let column = schema.columns().get(position).ok_or_else(misfits)?;
    let data_type = arrow_type(column.column_type);
    let part = |part: &Part| match part.columns.get(&position) {
        Some(array) if *array.data_type() != data_type => Err(misfits()),
        Some(array) => Ok(array.clone()),
        None => Ok(new_null_array(&data_type, part.rows)),
    };
    let parts = run.iter().map(part).collect::<Result<Vec<ArrayRef>>>()?;
    match parts.as_slice() {
        [one] => Ok(one.clone()),
        parts => concat(&parts.iter().map(|array| &**array).collect::<Vec<_>>()).map_err(unsorted),
    }
}

/// Where a column is in the table, and what is in the file of it.
type EncodedColumn = (usize, Arc<Field>, ColumnChunk, Option<ColumnRange>);

fn unsorted(error: arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "events cannot be sorted").with_source(error)
}
