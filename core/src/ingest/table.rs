//! Chunks to data files: rows go to the file of their day, sorted, and files end when they are large.

use super::arrays::{Placement, RowRef, Settled, arrays, arrow_field, has_values};
use super::parquet::{Encoded, OpenFile, in_parallel};
use super::rest::rest_of;
use super::stats::{ColumnRange, ColumnRanges};
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::RowSet;
use crate::event::catalogue::Catalogue;
use crate::event::chunk::Chunk;
use crate::event::column::TableSchema;
use crate::event::fixed::Fixed;
use crate::event::time::{DAY_US, day_of};
use crate::event::values::Texts;
use crate::layout;
use crate::log::DataFile;
use crate::storage::Storage;
use chrono::NaiveDate;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// A row group ends at so many rows.
const ROW_GROUP_ROWS: usize = 262_144;
/// A file ends at so many encoded bytes.
const FILE_BYTES: usize = 128 << 20;
/// All open files together take about so much memory.
const MEMORY_BYTES: usize = 64 << 20;

/// Writes rows into data files of their days.
#[derive(Debug)]
pub struct TableWriter {
    storage: Arc<dyn Storage>,
    prefix: String,
    encoding: Encoded,
    threads: usize,
    open: BTreeMap<NaiveDate, DayFile>,
    /// How many batches were pushed.
    pushes: u64,
    done: Vec<DataFile>,
}

#[derive(Debug)]
struct DayFile {
    file: OpenFile,
    rows_hash: RowSet,
    ranges: ColumnRanges,
    /// The last batch that had rows of the day.
    last_push: u64,
}

impl TableWriter {
    /// A writer of files below a prefix: empty, or a folder and `/`.
    pub fn new(storage: Arc<dyn Storage>, prefix: &str, encoding: Encoded, threads: usize) -> TableWriter {
        let prefix = prefix.to_string();
        TableWriter { storage, prefix, encoding, threads, open: BTreeMap::new(), pushes: 0, done: Vec::new() }
    }

    /// Adds the rows of chunks that the catalogue covers.
    pub fn push(&mut self, chunks: &[Settled], catalogue: &Catalogue, now_ms: i64) -> Result<()> {
        let days: Vec<(NaiveDate, Vec<RowRef>)> = by_day(chunks).into_iter().collect();
        for (day, _) in &days {
            let encoding = self.encoding;
            self.open.entry(*day).or_insert_with(|| DayFile {
                file: OpenFile::new(encoding),
                rows_hash: RowSet::default(),
                ranges: ColumnRanges::default(),
                last_push: 0,
            });
        }
        self.pushes += 1;
        self.write_columns(&days, chunks, catalogue.schema())?;
        for (day, rows) in &days {
            let Some(day_file) = self.open.get_mut(day) else { continue };
            day_file.file.end_batch(rows.len());
            day_file.last_push = self.pushes;
            day_file.rows_hash.add(&rows_hash(chunks, rows));
            if day_file.end_row_group_if_full(self.threads)? {
                self.finish_day(*day, now_ms)?;
            }
        }
        self.make_room(now_ms)
    }

    /// While the open files take too much memory, ends the row group of the day that had no rows for longest, or
    /// the largest of several, or that day's file if it has no open row group.
    fn make_room(&mut self, now_ms: i64) -> Result<()> {
        while self.open.values().map(|day| day.file.memory_bytes()).sum::<usize>() > MEMORY_BYTES {
            let idlest = self.open.iter_mut().min_by_key(|(_, day)| {
                (day.file.open_rows() == 0, day.last_push, Reverse(day.file.memory_bytes()))
            });
            match idlest {
                Some((_, day)) if day.file.open_rows() > 0 => day.file.close_row_group(self.threads)?,
                Some((day, _)) => {
                    let day = *day;
                    self.finish_day(day, now_ms)?;
                }
                None => break,
            }
        }
        Ok(())
    }

    /// Writes all columns of the rows of each day, several columns at once.
    fn write_columns(
        &mut self,
        days: &[(NaiveDate, Vec<RowRef>)],
        chunks: &[Settled],
        schema: &TableSchema,
    ) -> Result<()> {
        let placement = Placement::new(chunks, days.iter().map(|(_, rows)| rows.as_slice()));
        let mut tasks = Vec::new();
        for (position, column) in schema.columns().iter().enumerate() {
            let field = Arc::new(arrow_field(column));
            let is_there = chunks.iter().any(|settled| has_values(position, settled));
            // A column of an open file goes on, if only with nulls.
            let open = days
                .iter()
                .filter_map(|(day, _)| self.open.get(day))
                .any(|day| day.file.has_column(position));
            if is_there || open {
                let take = |(day, _): &(NaiveDate, Vec<RowRef>)| {
                    self.open.get_mut(day).map(|day| day.file.take_column(position, &field))
                };
                tasks.push((position, column, days.iter().map(take).collect::<Vec<_>>()));
            }
        }
        let written = in_parallel(tasks, self.threads, |(position, column, mut files)| {
            let mut bounds = Vec::new();
            let arrays = arrays(position, column, chunks, &placement)?;
            for (((_, rows), file), array) in days.iter().zip(&mut files).zip(arrays) {
                let range = |array| ColumnRange::of(*Fixed::ALL.get(position)?, array);
                bounds.push(array.as_ref().and_then(range));
                match (file, &array) {
                    (Some(file), Some(array)) => file.append(array)?,
                    (Some(file), None) => file.append_nulls(rows.len())?,
                    (None, _) => {}
                }
            }
            Ok((position, files, bounds))
        })?;
        for (position, files, bounds) in written {
            for (((day, _), file), bounds) in days.iter().zip(files).zip(bounds) {
                let Some(day_file) = self.open.get_mut(day) else { continue };
                file.into_iter().for_each(|file| day_file.file.put_column(file));
                if let (Some(fixed), Some(bounds)) = (Fixed::ALL.get(position), bounds) {
                    day_file.ranges.add(*fixed, bounds);
                }
            }
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

    fn finish_day(&mut self, day: NaiveDate, now_ms: i64) -> Result<()> {
        let Some(mut day_file) = self.open.remove(&day) else { return Ok(()) };
        day_file.file.close_row_group(self.threads)?;
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
    fn end_row_group_if_full(&mut self, threads: usize) -> Result<bool> {
        if self.file.open_rows() >= ROW_GROUP_ROWS {
            self.file.close_row_group(threads)?;
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
        Ok(Settled { chunk, seq, shape_ids, rest, templates: Texts::default(), columns })
    };
    chunks.into_iter().map(settle).collect()
}

/// Rows of chunks by their day. Records that are alike stand together, in the order of their time: that is what
/// makes their columns small.
fn by_day(chunks: &[Settled]) -> BTreeMap<NaiveDate, Vec<RowRef>> {
    let mut days: BTreeMap<NaiveDate, Vec<RowRef>> = BTreeMap::new();
    for (chunk, settled) in chunks.iter().enumerate() {
        let mut last: Option<(NaiveDate, i64)> = None;
        for (row, ts) in settled.chunk.ts.iter().enumerate() {
            let number = ts.div_euclid(DAY_US);
            let day = match last {
                Some((day, same)) if same == number => day,
                _ => day_of(*ts),
            };
            last = Some((day, number));
            days.entry(day).or_default().push(RowRef { chunk: chunk as u32, row: row as u32 });
        }
    }
    let likeness: Vec<Vec<u64>> = chunks.iter().map(|settled| likeness_of(&settled.chunk)).collect();
    let place = |row: &RowRef| {
        let (chunk, at) = (row.chunk as usize, row.row as usize);
        let settled = chunks.get(chunk)?;
        Some((likeness.get(chunk)?.get(at)?, settled.chunk.ts.get(at)?, settled.seq.get(at)?))
    };
    days.values_mut().for_each(|rows| rows.sort_by_key(place));
    days
}

/// A number for each record that is the same for those with the same keys, source and kind.
fn likeness_of(chunk: &Chunk) -> Vec<u64> {
    let mut likeness = chunk.keys.clone();
    for fixed in [Fixed::Source, Fixed::Kind] {
        for (row, text) in chunk.fixed_texts(fixed).into_iter().flat_map(|texts| texts.iter()) {
            if let Some(number) = likeness.get_mut(row as usize) {
                let mut hash = DefaultHasher::new();
                (*number, text).hash(&mut hash);
                *number = hash.finish();
            }
        }
    }
    likeness
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
