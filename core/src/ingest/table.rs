//! Chunks to data files: rows go to the file of their day, sorted, and files end when they are large.

pub use super::settle::settle;

use super::arrays::{Placement, RowRef, Settled, arrays, arrow_field, has_values};
use super::order::ranks;
use super::parquet::{Encoded, OpenFile, OpenWriter, in_parallel};
use super::stats::{ColumnRange, ColumnRanges};
use crate::error::Result;
use crate::event::canonical::{RowSet, hex, row_hashes};
use crate::event::catalogue::Catalogue;
use crate::event::column::TableSchema;
use crate::event::digest::Digest;
use crate::event::fixed::Fixed;
use crate::event::time::{DAY_US, day_of};
use crate::event::tree::Tree;
use crate::layout;
use crate::log::DataFile;
use crate::storage::Storage;
use chrono::NaiveDate;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file ends at so many encoded bytes.
const FILE_BYTES: usize = 128 << 20;
/// Rows whose hashes are added up by one thread at a time.
const HASHED_ROWS: usize = 2_048;
/// So many files are written and synced at once.
const SYNCS_AT_ONCE: usize = 4;
/// All open files together take about so much memory.
const MEMORY_BYTES: usize = 60 << 20;

/// Writes rows into data files of their days.
#[derive(Debug)]
pub struct TableWriter {
    storage: Arc<dyn Storage>,
    prefix: String,
    encoding: Encoded,
    threads: usize,
    /// How large the records were that were pushed.
    bytes: usize,
    open: BTreeMap<NaiveDate, DayFile>,
    /// How many batches were pushed.
    pushes: u64,
    done: Vec<DataFile>,
}

#[derive(Debug)]
struct DayFile {
    file: OpenFile,
    rows_hash: RowSet,
    tree: Tree,
    ranges: ColumnRanges,
    /// The last batch that had rows of the day.
    last_push: u64,
}

impl TableWriter {
    /// A writer of files below a prefix: empty, or a folder and `/`.
    pub fn new(storage: Arc<dyn Storage>, prefix: &str, encoding: Encoded, threads: usize) -> TableWriter {
        let (prefix, encoding) = (prefix.to_string(), encoding.within(&*storage));
        let (open, done) = (BTreeMap::new(), Vec::new());
        TableWriter { storage, prefix, encoding, threads, bytes: 0, open, pushes: 0, done }
    }

    /// Adds the rows of chunks that the catalogue covers.
    pub fn push(&mut self, chunks: &[Settled], catalogue: &Catalogue, now_ms: i64) -> Result<()> {
        let days: Vec<(NaiveDate, Vec<RowRef>)> = by_day(chunks).into_iter().collect();
        for (day, _) in &days {
            let encoding = &self.encoding;
            self.open.entry(*day).or_insert_with(|| DayFile {
                file: OpenFile::new(encoding.clone()),
                rows_hash: RowSet::default(),
                tree: Tree::default(),
                ranges: ColumnRanges::default(),
                last_push: 0,
            });
        }
        self.pushes += 1;
        self.bytes = chunks.iter().fold(self.bytes, |sum, settled| sum.saturating_add(settled.chunk.bytes));
        self.write_columns(&days, chunks, catalogue.schema())?;
        self.hash_rows(&days, chunks)?;
        for (day, rows) in &days {
            let Some(day_file) = self.open.get_mut(day) else { continue };
            day_file.file.end_batch(rows.len());
            day_file.last_push = self.pushes;
            if day_file.end_row_group_if_full(self.threads)? {
                self.finish_days(vec![*day], None, now_ms)?;
            }
        }
        self.make_room(now_ms)
    }

    /// While the open files take too much memory, ends the row group of the day that had no rows for longest, or
    /// the largest of several, or that day's file if it has no open row group.
    fn make_room(&mut self, now_ms: i64) -> Result<()> {
        // Measured once: an open file has many columns, and there may be many files.
        let mut sizes: BTreeMap<NaiveDate, usize> =
            self.open.iter().map(|(day, open)| (*day, open.file.memory_bytes())).collect();
        while sizes.values().sum::<usize>() > MEMORY_BYTES {
            let idlest = self.open.iter_mut().min_by_key(|(day, open)| {
                (open.file.open_rows() == 0, open.last_push, Reverse(sizes.get(day).copied()))
            });
            let Some((day, open)) = idlest else { break };
            let day = *day;
            if open.file.open_rows() > 0 {
                open.file.close_row_group(self.threads)?;
                sizes.insert(day, open.file.memory_bytes());
            } else {
                self.finish_days(vec![day], None, now_ms)?;
                sizes.remove(&day);
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

    fn hash_rows(&mut self, days: &[(NaiveDate, Vec<RowRef>)], chunks: &[Settled]) -> Result<()> {
        let parts =
            days.iter().flat_map(|(day, rows)| rows.chunks(HASHED_ROWS).map(move |rows| (*day, rows)));
        let hash = |(number, (day, rows)): (usize, (NaiveDate, &[RowRef]))| {
            let hashes = hashes_of(chunks, rows);
            let mut set = RowSet::default();
            set.add_rows(&hashes);
            Ok((number, day, hashes, set))
        };
        let mut hashed = in_parallel(parts.enumerate().collect(), self.threads, hash)?;
        hashed.sort_unstable_by_key(|(number, ..)| *number);
        for (_, day, hashes, set) in hashed {
            if let Some(day_file) = self.open.get_mut(&day) {
                day_file.rows_hash.add(&set);
                day_file.tree.push(&hashes);
            }
        }
        Ok(())
    }

    /// Ends all files and gives them back.
    pub fn finish(mut self, now_ms: i64) -> Result<Vec<DataFile>> {
        let level = self.encoding.level_for(self.bytes);
        self.finish_days(self.open.keys().copied().collect(), level, now_ms)?;
        Ok(self.done)
    }

    /// Removes all files again: nothing will refer to them.
    pub fn abandon(self) {
        for file in &self.done {
            // A file that stays is removed later, as one that no commit names.
            let _ = self.storage.delete(&format!("{}{}", self.prefix, file.path));
        }
    }

    /// Ends the files of some days, what is not compressed yet at this level. They are written and synced side by
    /// side, a few at once.
    fn finish_days(&mut self, days: Vec<NaiveDate>, level: Option<i32>, now_ms: i64) -> Result<()> {
        let mut columns = Vec::new();
        let mut closing = Vec::new();
        for day in days {
            let Some(mut day_file) = self.open.remove(&day) else { continue };
            columns.extend(day_file.file.begin_close().map(|column| (day, column)));
            closing.push((day, day_file));
        }
        let close = |(day, (position, column)): (NaiveDate, (usize, OpenWriter))| {
            Ok((day, position, column.close(level)?))
        };
        let mut closed: BTreeMap<NaiveDate, Vec<_>> = BTreeMap::new();
        for (day, position, chunk) in in_parallel(columns, self.threads, close)? {
            closed.entry(day).or_default().push((position, chunk));
        }
        for (day, day_file) in &mut closing {
            day_file.file.end_close(closed.remove(day).unwrap_or_default());
        }
        let at_once = if self.threads > 1 { SYNCS_AT_ONCE } else { 1 };
        let (storage, prefix) = (&*self.storage, self.prefix.as_str());
        let write = |(day, day_file): (NaiveDate, DayFile)| day_file.write(storage, prefix, day, now_ms);
        let mut done = in_parallel(closing, at_once, write)?;
        done.sort_by_key(|file| file.day);
        self.done.append(&mut done);
        Ok(())
    }
}

impl DayFile {
    /// Writes the file, whose columns are closed, durably.
    fn write(self, storage: &dyn Storage, prefix: &str, day: NaiveDate, now_ms: i64) -> Result<DataFile> {
        let path = layout::data_file(day, &uuid::Uuid::new_v4().to_string());
        let place = format!("{prefix}{path}");
        let stats = self.ranges.into_stats(self.file.rows() as u64);
        let written = self.file.finish(storage, &place)?;
        Ok(DataFile {
            path,
            day,
            size: written.size,
            modified_ms: now_ms,
            rows: written.rows,
            level: 0,
            file_hash: written.file_hash,
            rows_hash: self.rows_hash.to_hex(),
            key: written.key,
            tree: self.tree.finish().map(|(root, _)| hex(&root)).unwrap_or_default(),
            stats: Arc::new(stats),
        })
    }

    /// Ends the row group where it has enough rows, and says whether the file is large enough.
    fn end_row_group_if_full(&mut self, threads: usize) -> Result<bool> {
        if self.file.row_group_is_full() {
            self.file.close_row_group(threads)?;
        }
        Ok(self.file.encoded_bytes() >= FILE_BYTES)
    }
}

/// Rows of chunks by their day. Records that are alike stand together, in the order in which they came: that is
/// what makes their columns small.
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
    let ranks = ranks(chunks);
    let rank = |row: &RowRef| ranks.get(row.chunk as usize)?.get(row.row as usize);
    days.values_mut().for_each(|rows| rows.sort_by_key(rank));
    days
}

/// The hashes of rows, in their order.
fn hashes_of(chunks: &[Settled], rows: &[RowRef]) -> Vec<Digest> {
    row_hashes(rows.iter().filter_map(|row| {
        let (settled, at) = (chunks.get(row.chunk as usize)?, row.row as usize);
        Some((*settled.seq.get(at)?, *settled.chunk.ts.get(at)?, settled.chunk.content.get(at)?))
    }))
}
