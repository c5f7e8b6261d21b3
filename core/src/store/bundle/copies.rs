//! Copies in a bundle: the columns that most questions are about, of many small data files, together in few large ones.
//!
//! A page that shows a year of small days reads a few columns of all of them. From the data files it would fetch a footer
//! and some short column chunks of each; from a copy it fetches long chunks of one file.

use super::folder::NewFolder;
use super::groups::Groups;
use crate::bundle::{COPIES, CopyFile, Manifest};
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::TableSchema;
use crate::event::fixed::Fixed;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::concat;

/// The columns of copies; others are long, or asked about by their values, which few files have. Those that are read together
/// stand together: first what a histogram and an order need, then what events are told apart by.
const COLUMNS: [Fixed; 14] = [
    Fixed::Ts,
    Fixed::Seq,
    Fixed::Severity,
    Fixed::Source,
    Fixed::Kind,
    Fixed::Actor,
    Fixed::Status,
    Fixed::EntityType,
    Fixed::Level,
    Fixed::Session,
    Fixed::EntityId,
    Fixed::DurationMs,
    Fixed::Message,
    Fixed::Template,
];
/// The rows of a row group: as many as DuckDB keeps together.
const GROUP_ROWS: usize = 122_880;
/// A copy of fewer data files is of little use.
const FILES_LEAST: usize = 8;
/// Data files of more rows are no better in a copy.
const SMALL_ROWS: usize = 65_536;
/// A copy is ended when it has so many bytes, or so much text in memory waits for a row group.
const FILE_BYTES: usize = 32 << 20;
const GROUP_BYTES: usize = 64 << 20;

/// The copy of data files that is being made.
pub struct Copies<'a> {
    groups: Groups<'a>,
    /// Rows of the data file that is being written; none of one that is not small.
    open: Option<Vec<RecordBatch>>,
    open_rows: usize,
    /// Rows of data files that are done, for the next row group.
    waiting: Vec<RecordBatch>,
    /// The data files that it has: the first, and how many.
    first: usize,
    files: usize,
}

impl<'a> Copies<'a> {
    /// None yet.
    pub fn new(schema: &'a TableSchema) -> Copies<'a> {
        Copies {
            groups: Groups::new(schema, COLUMNS.map(Fixed::position).to_vec()),
            open: Some(Vec::new()),
            open_rows: 0,
            waiting: Vec::new(),
            first: 0,
            files: 0,
        }
    }

    /// The bytes that are encoded and not yet in a file.
    pub fn bytes(&self) -> usize {
        self.groups.bytes()
    }

    /// Takes rows of the data file that is being written, with all columns of the table.
    pub fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        self.open_rows = self.open_rows.saturating_add(batch.num_rows());
        if self.open_rows > SMALL_ROWS {
            self.open = None;
        }
        if let Some(open) = &mut self.open {
            let narrow = batch.project(&COLUMNS.map(Fixed::position));
            open.push(narrow.map_err(|error| failed(&error))?);
        }
        Ok(())
    }

    /// Ends a data file, which is the last one of the manifest.
    pub fn end_file(&mut self, manifest: &mut Manifest, target: &NewFolder) -> Result<()> {
        self.open_rows = 0;
        let Some(rows) = self.open.replace(Vec::new()) else {
            self.end(manifest, target)?;
            self.first = manifest.files.len();
            return Ok(());
        };
        self.waiting.extend(rows);
        self.files = self.files.saturating_add(1);
        while self.waiting_rows() >= GROUP_ROWS {
            self.add_group(GROUP_ROWS)?;
        }
        if self.waiting.iter().map(bytes_of).sum::<usize>() >= GROUP_BYTES {
            self.add_group(usize::MAX)?;
        }
        if self.groups.bytes() >= FILE_BYTES { self.end(manifest, target) } else { Ok(()) }
    }

    /// Writes the copy, unless it is of too few files to be of use.
    pub fn end(&mut self, manifest: &mut Manifest, target: &NewFolder) -> Result<()> {
        let of = (self.first, self.first.saturating_add(self.files));
        (self.first, self.files) = (of.1, 0);
        let copied = manifest.files.get(of.0..of.1).unwrap_or_default();
        if copied.len() < FILES_LEAST {
            self.waiting.clear();
            self.groups.clear();
            return Ok(());
        }
        let both = |one: (i64, i64), other: (i64, i64)| (one.0.min(other.0), one.1.max(other.1));
        let bounds = copied.iter().map(|file| (file.stored.ts, file.stored.seq));
        let all = bounds.reduce(|(ts, seq), next| (both(ts, next.0), both(seq, next.1)));
        let (ts, seq) = all.unwrap_or_default();
        self.add_group(usize::MAX)?;
        let columns = self.groups.columns();
        let path = format!("{COPIES}/part-{:04}.parquet", manifest.copies.len().saturating_add(1));
        let (bytes, stored) = self.groups.finish(path, ts, seq)?;
        target.write(&stored.path, &bytes)?;
        manifest.add_copy(CopyFile { stored, of, columns });
        Ok(())
    }

    fn waiting_rows(&self) -> usize {
        self.waiting.iter().map(RecordBatch::num_rows).sum()
    }

    /// Encodes so many of the rows that wait, or all of them.
    fn add_group(&mut self, most: usize) -> Result<()> {
        let rows = self.waiting_rows().min(most);
        if rows == 0 {
            return Ok(());
        }
        let column = |at: usize| -> Result<ArrayRef> {
            let parts = self.waiting.iter().filter_map(|batch| batch.columns().get(at)).map(|array| &**array);
            concat(&parts.collect::<Vec<&dyn Array>>()).map_err(|error| failed(&error))
        };
        let all = (0..COLUMNS.len()).map(column).collect::<Result<Vec<_>>>()?;
        let part = |from: usize, rows: usize| -> Vec<ArrayRef> {
            all.iter().map(|array| array.slice(from, rows)).collect()
        };
        let columns: Vec<(usize, ArrayRef)> =
            COLUMNS.map(Fixed::position).into_iter().zip(part(0, rows)).collect();
        self.groups.add(rows, &columns)?;
        let left = self.waiting_rows().saturating_sub(rows);
        let schema = self.waiting.first().map(RecordBatch::schema);
        self.waiting.clear();
        if let Some(schema) = schema.filter(|_| left > 0) {
            let rest = RecordBatch::try_new(schema, part(rows, left)).map_err(|error| failed(&error))?;
            self.waiting.push(rest);
        }
        Ok(())
    }
}

/// What rows take in memory, without what other rows have of the same buffers.
fn bytes_of(batch: &RecordBatch) -> usize {
    let bytes = |array: &ArrayRef| array.to_data().get_slice_memory_size().unwrap_or(usize::MAX);
    batch.columns().iter().fold(0, |sum, array| sum.saturating_add(bytes(array)))
}

fn failed(error: &arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, format!("columns cannot be copied: {error}"))
}
