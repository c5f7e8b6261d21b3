//! A data file that is open. What a question needs of it is read at once, not page by page.

use crate::error::{Error, ErrorKind, Result};
use crate::keys::reading::Decrypting;
use crate::keys::{self, Key};
use crate::storage::FilePlace;
use arrow::array::RecordBatch;
use bytes::{Buf, Bytes};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetStatisticsPolicy};
use parquet::file::reader::{ChunkReader, Length};
use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Columns that lie closer together than this are read with what is between them.
const GAP_BYTES: u64 = 16 << 10;
/// Of more than this, pages are read one by one.
const AT_ONCE_BYTES: u64 = 16 << 20;
/// Of a smaller file, reading the end is reading all of it.
const TAIL_BYTES: u64 = 64 << 10;
/// Rows of a batch.
const BATCH_ROWS: usize = 16_384;

/// A data file that is open for reading.
#[derive(Clone, Debug)]
pub struct DataFileReader {
    place: PathBuf,
    spans: Decrypting<Spans>,
    footer: ArrowReaderMetadata,
    key: Option<Arc<Key>>,
}

impl DataFileReader {
    /// Opens a file and reads its footer; what is read of it is added to a counter.
    pub fn open(place: &FilePlace, read: Arc<AtomicU64>) -> Result<DataFileReader> {
        let mut spans = Spans::of(place, opened(place)?, read)?;
        let tail = spans.length.saturating_sub(TAIL_BYTES)..spans.length;
        spans.hold(&[(tail.start, tail.end)]).map_err(|error| damaged(place, &error))?;
        let options = ArrowReaderOptions::new()
            .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
            .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll);
        let footer = keys::reading::footer(&spans, place.keys(), options);
        let (footer, key) = footer.map_err(|error| damaged(place, &error))?;
        let spans = Decrypting::new(spans, footer.metadata(), key.as_ref())?;
        Ok(DataFileReader { place: place.to_path_buf(), spans, footer, key })
    }

    /// A file whose footer is known.
    pub fn with_footer(
        place: &Path,
        file: File,
        (footer, key): (ArrowReaderMetadata, Option<Arc<Key>>),
        read: Arc<AtomicU64>,
    ) -> Result<DataFileReader> {
        let spans = Spans::of(place, file, read)?;
        let spans = Decrypting::new(spans, footer.metadata(), key.as_ref())?;
        Ok(DataFileReader { place: place.to_path_buf(), spans, footer, key })
    }

    /// The footer.
    pub fn footer(&self) -> &ArrowReaderMetadata {
        &self.footer
    }

    /// The key that the file is encrypted with, where it is.
    pub fn key(&self) -> Option<&Arc<Key>> {
        self.key.as_ref()
    }

    /// What the footer says.
    pub fn metadata(&self) -> &ParquetMetaData {
        self.footer.metadata()
    }

    /// The batches of some rows, given by their rising numbers, or of all; with those of the columns that are
    /// wanted.
    pub fn batches(&self, wanted: &dyn Fn(&str) -> bool, rows: Option<&[u32]>) -> Result<Vec<RecordBatch>> {
        let fields = self.footer.schema().fields().iter().enumerate();
        let roots = fields.filter(|(_, field)| wanted(field.name())).map(|(root, _)| root);
        let mask = ProjectionMask::roots(self.footer.parquet_schema(), roots.collect::<Vec<_>>());
        let failed = |error: &dyn Display| damaged(&self.place, error);
        let groups = self.groups(rows);
        let mut spans = self.spans.file().clone();
        let ranges = self.byte_ranges(&mask, &groups).ok_or_else(|| failed(&"its columns are nowhere"))?;
        spans.hold(&ranges).map_err(|error| failed(&error))?;
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.spans.over(spans), self.footer.clone());
        let mut builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
        if let Some(rows) = rows {
            builder = builder.with_row_selection(selection(rows)).with_batch_size(rows.len().max(1));
        }
        let reader = builder.build().map_err(|error| failed(&error))?;
        reader.map(|batch| batch.map_err(|error| failed(&error))).collect()
    }

    /// The row groups that have one of some rows.
    fn groups(&self, rows: Option<&[u32]>) -> Vec<usize> {
        let mut start = 0_u64;
        let mut kept = Vec::new();
        for (number, group) in self.metadata().row_groups().iter().enumerate() {
            let end = start.saturating_add(u64::try_from(group.num_rows()).unwrap_or(0));
            let has_one = |rows: &[u32]| {
                rows.get(rows.partition_point(|row| u64::from(*row) < start))
                    .is_some_and(|row| u64::from(*row) < end)
            };
            if rows.is_none_or(has_one) {
                kept.push(number);
            }
            start = end;
        }
        kept
    }

    /// Where the columns of the mask are in some row groups; none if a place is no place.
    fn byte_ranges(&self, mask: &ProjectionMask, groups: &[usize]) -> Option<Vec<(u64, u64)>> {
        let groups = groups.iter().filter_map(|number| self.metadata().row_groups().get(*number));
        let columns = groups.flat_map(|group| group.columns().iter().enumerate());
        columns.filter(|(leaf, _)| mask.leaf_included(*leaf)).map(|(_, column)| byte_range(column)).collect()
    }
}

fn byte_range(column: &ColumnChunkMetaData) -> Option<(u64, u64)> {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let (start, length) = (u64::try_from(start).ok()?, u64::try_from(column.compressed_size()).ok()?);
    Some((start, start.checked_add(length)?))
}

/// The rows of these numbers, which ascend.
fn selection(rows: &[u32]) -> RowSelection {
    let mut selectors = Vec::new();
    let mut next = 0_u32;
    for run in rows.chunk_by(|one, other| one.checked_add(1) == Some(*other)) {
        let Some(first) = run.first() else { continue };
        let skipped = first.saturating_sub(next) as usize;
        if skipped > 0 {
            selectors.push(RowSelector::skip(skipped));
        }
        selectors.push(RowSelector::select(run.len()));
        next = first.saturating_add(u32::try_from(run.len()).unwrap_or(u32::MAX));
    }
    selectors.into()
}

/// The bytes of a file: parts of it in memory, the others where they are.
#[derive(Clone, Debug)]
struct Spans {
    file: Arc<File>,
    length: u64,
    /// What is in memory: from where on.
    held: Vec<(u64, Bytes)>,
    read: Arc<AtomicU64>,
}

impl Spans {
    fn of(place: &Path, file: File, read: Arc<AtomicU64>) -> Result<Spans> {
        let length = file.metadata().map_err(|error| Error::io("look at", place.display(), error))?.len();
        Ok(Spans { file: Arc::new(file), length, held: Vec::new(), read })
    }

    /// Reads ranges of bytes into memory, if they are not too much.
    fn hold(&mut self, ranges: &[(u64, u64)]) -> std::io::Result<()> {
        let mut ranges: Vec<(u64, u64)> = ranges
            .iter()
            .filter(|(start, end)| start < end && *end <= self.length && !self.is_held(*start, *end))
            .copied()
            .collect();
        ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (start, end) in ranges {
            match joined.last_mut() {
                Some(last) if start.saturating_sub(last.1) <= GAP_BYTES => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        let total = joined.iter().map(|(start, end)| end.saturating_sub(*start)).sum::<u64>();
        if total > AT_ONCE_BYTES {
            return Ok(());
        }
        for (start, end) in joined {
            let bytes =
                self.read_at(start, usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX))?;
            self.held.push((start, bytes));
        }
        Ok(())
    }

    fn is_held(&self, start: u64, end: u64) -> bool {
        self.held_from(start).is_some_and(|bytes| bytes.len() as u64 >= end.saturating_sub(start))
    }

    /// What is in memory from a place on.
    fn held_from(&self, start: u64) -> Option<Bytes> {
        self.held.iter().find_map(|(first, bytes)| {
            let skipped = usize::try_from(start.checked_sub(*first)?).ok()?;
            (skipped < bytes.len()).then(|| bytes.slice(skipped..))
        })
    }

    fn read_at(&self, start: u64, length: usize) -> std::io::Result<Bytes> {
        let mut buffer = vec![0; length];
        self.file.read_exact_at(&mut buffer, start)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(buffer.into())
    }
}

impl Length for Spans {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Spans {
    type T = SpanReader;

    fn get_read(&self, start: u64) -> parquet::errors::Result<SpanReader> {
        Ok(match self.held_from(start) {
            Some(bytes) => SpanReader::Held(bytes.reader()),
            None => SpanReader::OnDisk(BufReader::new(OnDisk { spans: self.clone(), position: start })),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self.held_from(start).filter(|bytes| bytes.len() >= length) {
            Some(mut bytes) => Ok(bytes.split_to(length)),
            None if start.saturating_add(length as u64) > self.length => {
                Err(ParquetError::EOF(format!("there are no {length} bytes at {start}")))
            }
            None => Ok(self.read_at(start, length)?),
        }
    }
}

/// Reads on from a place in a file.
enum SpanReader {
    Held(bytes::buf::Reader<Bytes>),
    OnDisk(BufReader<OnDisk>),
}

/// A place in a file.
struct OnDisk {
    spans: Spans,
    position: u64,
}

impl Read for SpanReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            SpanReader::Held(bytes) => bytes.read(buffer),
            SpanReader::OnDisk(reader) => reader.read(buffer),
        }
    }
}

impl Read for OnDisk {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.spans.file.read_at(buffer, self.position)?;
        self.position = self.position.saturating_add(length as u64);
        self.spans.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Opens a data file.
pub(super) fn opened(place: &Path) -> Result<File> {
    File::open(place).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => damaged(place, &"it is missing"),
        _ => Error::io("open", place.display(), error),
    })
}

/// What a data file that cannot be read is reported as.
pub(super) fn damaged(place: &Path, why: &dyn Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the data file `{}` cannot be read: {why}", place.display()))
        .with_hint("restore the file from a copy")
}
