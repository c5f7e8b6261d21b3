//! Chunks to data files: rows go to the file of their day, sorted, and files end when they are large.

use super::arrays::{RowRef, Settled, arrow_field, field_array, fixed_array};
use super::parquet::{Encoded, OpenFile};
use super::rest::rest_of;
use super::stats::ColumnRanges;
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::RowSet;
use crate::event::catalogue::Catalogue;
use crate::event::chunk::Chunk;
use crate::event::column::TableSchema;
use crate::event::fixed::Fixed;
use crate::event::time::day_of;
use crate::layout;
use crate::log::DataFile;
use crate::storage::Storage;
use arrow::array::ArrayRef;
use arrow::datatypes::Field;
use chrono::NaiveDate;
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A row group ends at so many rows.
const ROW_GROUP_ROWS: usize = 262_144;
/// A file ends at so many encoded bytes.
const FILE_BYTES: usize = 128 << 20;
/// All open files together take about so much memory.
const MEMORY_BYTES: usize = 96 << 20;

/// Writes rows into data files of their days.
#[derive(Debug)]
pub struct TableWriter {
    storage: Arc<dyn Storage>,
    prefix: String,
    encoding: Encoded,
    threads: usize,
    open: BTreeMap<NaiveDate, DayFile>,
    done: Vec<DataFile>,
}

#[derive(Debug)]
struct DayFile {
    file: OpenFile,
    rows_hash: RowSet,
    ranges: ColumnRanges,
}

impl TableWriter {
    /// A writer of files below a prefix: empty, or a folder and `/`.
    pub fn new(storage: Arc<dyn Storage>, prefix: &str, encoding: Encoded, threads: usize) -> TableWriter {
        let prefix = prefix.to_string();
        TableWriter { storage, prefix, encoding, threads, open: BTreeMap::new(), done: Vec::new() }
    }

    /// Adds the rows of chunks that the catalogue covers.
    pub fn push(&mut self, chunks: &[Settled], catalogue: &Catalogue, now_ms: i64) -> Result<()> {
        for (day, mut rows) in by_day(chunks) {
            let when = |row: &RowRef| {
                let settled = chunks.get(row.chunk as usize);
                let at = row.row as usize;
                settled.map(|settled| (settled.chunk.ts.get(at).copied(), settled.seq.get(at).copied()))
            };
            rows.sort_by_key(when);
            self.push_day(day, chunks, &rows, catalogue.schema())?;
            let full = self.open.get_mut(&day).map_or(Ok(false), DayFile::end_row_group_if_full)?;
            if full {
                self.finish_day(day, now_ms)?;
            }
        }
        while self.open.values().map(|day| day.file.memory_bytes()).sum::<usize>() > MEMORY_BYTES {
            let largest =
                self.open.iter().max_by_key(|(_, day)| day.file.memory_bytes()).map(|(day, _)| *day);
            let Some(largest) = largest else { break };
            self.finish_day(largest, now_ms)?;
        }
        Ok(())
    }

    /// Ends all files and gives them back.
    pub fn finish(mut self, now_ms: i64) -> Result<Vec<DataFile>> {
        while let Some(day) = self.open.keys().next().copied() {
            self.finish_day(day, now_ms)?;
        }
        Ok(self.done)
    }

    /// Removes all files again: nothing will refer to them.
    pub fn abandon(self) {
        for file in &self.done {
            // A file that stays is removed later, as one that no commit names.
            let _ = self.storage.delete(&format!("{}{}", self.prefix, file.path));
        }
    }

    fn push_day(
        &mut self,
        day: NaiveDate,
        chunks: &[Settled],
        rows: &[RowRef],
        schema: &TableSchema,
    ) -> Result<()> {
        let encoding = self.encoding.clone();
        let day_file = self.open.entry(day).or_insert_with(|| DayFile {
            file: OpenFile::new(encoding),
            rows_hash: RowSet::default(),
            ranges: ColumnRanges::default(),
        });
        let columns = columns_with_values(chunks, rows, schema);
        let ranges = Mutex::new(std::mem::take(&mut day_file.ranges));
        day_file.file.write(rows.len(), columns, self.threads, |position| {
            let array = column_array(position, chunks, rows, schema)?;
            if let Some(fixed) = Fixed::ALL.get(position) {
                ranges.lock().unwrap_or_else(PoisonError::into_inner).add(*fixed, &array);
            }
            Ok(array)
        })?;
        day_file.ranges = ranges.into_inner().unwrap_or_else(PoisonError::into_inner);
        day_file.rows_hash.add(&rows_hash(chunks, rows));
        Ok(())
    }

    fn finish_day(&mut self, day: NaiveDate, now_ms: i64) -> Result<()> {
        let Some(day_file) = self.open.remove(&day) else { return Ok(()) };
        let path = layout::data_file(day, &uuid::Uuid::new_v4().to_string());
        let place = format!("{}{path}", self.prefix);
        let rows = day_file.file.rows() as u64;
        let stats = day_file.ranges.into_stats(rows);
        let written = day_file.file.finish(self.storage.create(&place)?, &place)?;
        self.done.push(DataFile {
            path,
            day,
            size: written.size,
            modified_ms: now_ms,
            rows: written.rows,
            file_hash: written.file_hash,
            rows_hash: day_file.rows_hash.to_hex(),
            stats: Arc::new(stats),
        });
        Ok(())
    }
}

impl DayFile {
    /// Ends the row group where it has enough rows, and says whether the file is large enough.
    fn end_row_group_if_full(&mut self) -> Result<bool> {
        if self.file.open_rows() >= ROW_GROUP_ROWS {
            self.file.close_row_group()?;
        }
        Ok(self.file.encoded_bytes() >= FILE_BYTES)
    }
}

/// Chunks together with what the catalogue says of them.
pub fn settle(chunks: Vec<(Chunk, Vec<i64>)>, catalogue: &Catalogue) -> Result<Vec<Settled>> {
    let settle = |(chunk, seq): (Chunk, Vec<i64>)| {
        let shape_ids = chunk.shapes.iter().map(|shape| catalogue.shape_id(&catalogue.storable(shape)));
        let shape_ids = shape_ids.collect::<Option<Vec<i32>>>().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "the catalogue lacks a shape of the records to be written")
        })?;
        let columns = chunk.fields.iter().map(|field| catalogue.schema().position_of(&field.path)).collect();
        let rest = rest_of(&chunk, catalogue);
        Ok(Settled { chunk, seq, shape_ids, rest, columns })
    };
    chunks.into_iter().map(settle).collect()
}

/// The array of a column of the table, of rows.
pub fn column_array(
    position: usize,
    chunks: &[Settled],
    rows: &[RowRef],
    schema: &TableSchema,
) -> Result<ArrayRef> {
    match (Fixed::ALL.get(position), schema.columns().get(position)) {
        (Some(fixed), _) => Ok(fixed_array(*fixed, chunks, rows)),
        (None, Some(column)) => field_array(column, position, chunks, rows),
        (None, None) => Err(Error::new(ErrorKind::Internal, format!("the table has no column {position}"))),
    }
}

/// Rows of chunks by their day, in the order in which they came.
fn by_day(chunks: &[Settled]) -> BTreeMap<NaiveDate, Vec<RowRef>> {
    let mut days: BTreeMap<NaiveDate, Vec<RowRef>> = BTreeMap::new();
    for (chunk, settled) in chunks.iter().enumerate() {
        let mut last: Option<(NaiveDate, i64)> = None;
        for (row, ts) in settled.chunk.ts.iter().enumerate() {
            const DAY_US: i64 = 86_400_000_000;
            let number = ts.div_euclid(DAY_US);
            let day = match last {
                Some((day, same)) if same == number => day,
                _ => day_of(*ts),
            };
            last = Some((day, number));
            days.entry(day).or_default().push(RowRef { chunk: chunk as u32, row: row as u32 });
        }
    }
    days
}

/// The columns that have a value in some of the rows; `seq` and `ts` always.
fn columns_with_values(
    chunks: &[Settled],
    rows: &[RowRef],
    schema: &TableSchema,
) -> Vec<(usize, Arc<Field>)> {
    let touched: HashMap<u32, ()> = rows.iter().map(|row| (row.chunk, ())).collect();
    let mut present = vec![false; schema.columns().len()];
    let mut mark = |position: usize, is_there: bool| {
        if let (true, Some(place)) = (is_there, present.get_mut(position)) {
            *place = true;
        }
    };
    for settled in touched.keys().filter_map(|chunk| chunks.get(*chunk as usize)) {
        for fixed in Fixed::ALL {
            let texts = settled.chunk.fixed_texts(fixed);
            let is_there = match fixed {
                Fixed::Seq | Fixed::Ts | Fixed::Shape => true,
                Fixed::Severity => settled.chunk.severity.iter().any(|severity| *severity != 0),
                Fixed::DurationMs => !settled.chunk.duration_ms.rows.is_empty(),
                Fixed::Rest => !settled.rest.is_empty(),
                _ => texts.is_some_and(|texts| !texts.is_empty()),
            };
            mark(fixed.position(), is_there);
        }
        settled.columns.iter().flatten().for_each(|position| mark(*position, true));
    }
    let columns = schema.columns().iter().enumerate().zip(present);
    columns
        .filter(|(_, present)| *present)
        .map(|((at, column), _)| (at, Arc::new(arrow_field(column))))
        .collect()
}

fn rows_hash(chunks: &[Settled], rows: &[RowRef]) -> RowSet {
    let mut set = RowSet::default();
    for row in rows {
        let at = row.row as usize;
        let Some(settled) = chunks.get(row.chunk as usize) else { continue };
        let parts = (settled.seq.get(at), settled.chunk.ts.get(at), settled.chunk.content.get(at));
        if let (Some(seq), Some(ts), Some(content)) = parts {
            set.add_row(*seq, *ts, content);
        }
    }
    set
}
