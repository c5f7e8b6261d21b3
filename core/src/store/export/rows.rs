//! The events of some files in the order of time: where each is, and some thousands of them at once.

use crate::error::{Error, ErrorKind, Result};
use crate::event::column::Column;
use crate::event::fixed::Fixed;
use crate::ingest::arrays::arrow_type;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{Field, Int64Type, Schema, TimestampMicrosecondType};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::file::metadata::ParquetMetaData;
use std::collections::HashSet;
use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// So many events are read at once, fewer if they are large, and never fewer than a few.
const ROWS_AT_ONCE: usize = 16_384;
const ROWS_LEAST: usize = 64;
/// About so many bytes of events are in memory at once.
const BYTES_AT_ONCE: u64 = 48 << 20;

/// Where events are.
pub(super) enum Source {
    /// A data file.
    File { place: PathBuf, metadata: ArrowReaderMetadata },
    /// Events that are not yet in files, with all columns.
    Held(RecordBatch),
}

/// Which events.
pub(super) struct Within<'a> {
    /// Of this time or later.
    pub(super) from: i64,
    /// Before this time.
    pub(super) until: i64,
    /// Only these numbers, if it is not all.
    pub(super) chosen: Option<&'a HashSet<i64>>,
}

/// Where an event is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    ts: i64,
    seq: i64,
    source: u32,
    row: u32,
}

impl Source {
    /// A data file, whose footer is read.
    pub(super) fn file(place: PathBuf) -> Result<Source> {
        let file = opened(&place)?;
        let metadata = ArrowReaderMetadata::load(&file, Default::default());
        let metadata = metadata.map_err(|error| damaged(&place, &error))?;
        Ok(Source::File { place, metadata })
    }

    /// The batches of times and numbers.
    fn keys(&self) -> Result<Vec<RecordBatch>> {
        match self {
            Source::Held(batch) => Ok(vec![batch.clone()]),
            Source::File { place, metadata } => {
                let names = [Fixed::Seq.name(), Fixed::Ts.name()];
                let mask = ProjectionMask::columns(metadata.parquet_schema(), names);
                let reader = builder(place, metadata)?.with_projection(mask).build();
                batches(place, reader)
            }
        }
    }

    /// The batches of some rows, given in their order.
    fn rows(&self, rows: &[u32]) -> Result<Vec<RecordBatch>> {
        match self {
            Source::Held(batch) => {
                let rows = arrow::array::UInt32Array::from(rows.to_vec());
                let taken = arrow::compute::take_record_batch(batch, &rows);
                Ok(vec![taken.map_err(|error| internal(&error))?])
            }
            Source::File { place, metadata } => {
                let builder = builder(place, metadata)?.with_row_selection(selection(rows));
                batches(place, builder.with_batch_size(rows.len().max(1)).build())
            }
        }
    }
}

/// How many events to read at once.
pub(super) fn rows_at_once(sources: &[Source]) -> usize {
    let of_source = |source: &Source| match source {
        Source::File { metadata, .. } => row_bytes(metadata.metadata()),
        Source::Held(batch) => {
            (batch.get_array_memory_size() as u64).checked_div(batch.num_rows() as u64).unwrap_or(0)
        }
    };
    let most = sources.iter().map(of_source).max().unwrap_or(0).max(1);
    usize::try_from(BYTES_AT_ONCE / most).unwrap_or(ROWS_AT_ONCE).clamp(ROWS_LEAST, ROWS_AT_ONCE)
}

/// The bytes of an event in memory, in the row group in which events are largest.
fn row_bytes(metadata: &ParquetMetaData) -> u64 {
    let of_group = |group: &parquet::file::metadata::RowGroupMetaData| {
        let text = group.columns().iter().filter_map(|chunk| chunk.unencoded_byte_array_data_bytes());
        let bytes = text.sum::<i64>().max(group.total_byte_size());
        let rows = u64::try_from(group.num_rows()).unwrap_or(0);
        u64::try_from(bytes).unwrap_or(0).checked_div(rows).unwrap_or(0)
    };
    metadata.row_groups().iter().map(of_group).max().unwrap_or(0)
}

/// Where the events are, the oldest first.
pub(super) fn ordered(sources: &[Source], within: &Within<'_>) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for (source, number) in sources.iter().zip(0_u32..) {
        let mut row = 0_u32;
        for batch in source.keys()? {
            let times = batch.column_by_name(Fixed::Ts.name());
            let times = times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
            let seqs = batch.column_by_name(Fixed::Seq.name());
            let seqs = seqs.and_then(|column| column.as_primitive_opt::<Int64Type>());
            let (Some(times), Some(seqs)) = (times, seqs) else {
                return Err(Error::new(ErrorKind::Corrupt, "a data file has no `ts` or no `seq`"));
            };
            for (ts, seq) in times.values().iter().zip(seqs.values()) {
                let is_in = *ts >= within.from && *ts < within.until;
                if is_in && within.chosen.is_none_or(|chosen| chosen.contains(seq)) {
                    places.push(Place { ts: *ts, seq: *seq, source: number, row });
                }
                row = row.saturating_add(1);
            }
        }
    }
    places.sort_unstable();
    Ok(places)
}

/// Events in this order, with those of the columns in which one has a value. The values of columns that `mixed` knows
/// are taken from there: by its batches, and by the place that an event's number has in them.
pub(super) fn read<'m>(
    sources: &[Source],
    places: &[Place],
    columns: &[Column],
    mixed: &dyn Fn(&str) -> Option<Vec<&'m dyn Array>>,
    place_of: &dyn Fn(i64) -> Option<(usize, usize)>,
) -> Result<RecordBatch> {
    let (batches, indices) = gathered(sources, places)?;
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for column in columns {
        let array = match mixed(&column.name) {
            Some(values) => {
                let none = values.len();
                let indices = places.iter().map(|place| place_of(place.seq).unwrap_or((none, 0)));
                Some(joined(column, &values, &indices.collect::<Vec<_>>())?)
            }
            None => stored(column, &batches, &indices)?,
        };
        if let Some(array) = array.filter(|array| array.null_count() < array.len()) {
            fields.push(Field::new(&column.name, array.data_type().clone(), true));
            arrays.push(array);
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(|error| internal(&error))
}

/// For each event, the number of its batch and its row there.
type Rows = Vec<(usize, usize)>;

/// The batches that have the events, and where in them each is.
fn gathered(sources: &[Source], places: &[Place]) -> Result<(Vec<RecordBatch>, Rows)> {
    let mut by_source: Vec<(u32, u32, usize)> =
        places.iter().enumerate().map(|(position, place)| (place.source, place.row, position)).collect();
    by_source.sort_unstable();
    let mut batches = Vec::new();
    let mut indices = vec![(0, 0); places.len()];
    for some in by_source.chunk_by(|one, other| one.0 == other.0) {
        let source = some.first().and_then(|(source, ..)| sources.get(*source as usize));
        let Some(source) = source else { continue };
        let rows: Vec<u32> = some.iter().map(|(_, row, _)| *row).collect();
        let mut wanted = some.iter().map(|(.., position)| *position);
        for batch in source.rows(&rows)? {
            let number = batches.len();
            for (row, position) in (0..batch.num_rows()).zip(wanted.by_ref()) {
                if let Some(index) = indices.get_mut(position) {
                    *index = (number, row);
                }
            }
            batches.push(batch);
        }
    }
    Ok((batches, indices))
}

/// A column of events from the batches that have it; none if none has.
fn stored(column: &Column, batches: &[RecordBatch], indices: &[(usize, usize)]) -> Result<Option<ArrayRef>> {
    let wanted = arrow_type(column.column_type);
    let of_batch = |batch: &RecordBatch| {
        let Some(array) = batch.column_by_name(&column.name) else { return Ok(None) };
        let array = if *array.data_type() == wanted { array.clone() } else { cast(array, &wanted)? };
        Ok(Some(array))
    };
    let found: Vec<Option<ArrayRef>> =
        batches.iter().map(of_batch).collect::<Result<_, _>>().map_err(|error| internal(&error))?;
    if found.iter().flatten().all(|array| array.null_count() == array.len()) {
        return Ok(None);
    }
    let none = found.iter().flatten().count();
    let mut numbers = Vec::with_capacity(found.len());
    for array in &found {
        numbers.push(array.as_ref().map(|_| numbers.iter().flatten().count()));
    }
    let place = |(batch, row): &(usize, usize)| match numbers.get(*batch).copied().flatten() {
        Some(number) => (number, *row),
        None => (none, 0),
    };
    let arrays: Vec<&dyn Array> = found.iter().flatten().map(AsRef::as_ref).collect();
    joined(column, &arrays, &indices.iter().map(place).collect::<Vec<_>>()).map(Some)
}

/// The values at some places of arrays; in the array after the last is one that is null.
fn joined(column: &Column, arrays: &[&dyn Array], places: &[(usize, usize)]) -> Result<ArrayRef> {
    let data_type =
        arrays.first().map_or_else(|| arrow_type(column.column_type), |array| array.data_type().clone());
    let null = new_null_array(&data_type, 1);
    let arrays: Vec<&dyn Array> = arrays.iter().copied().chain([null.as_ref()]).collect();
    interleave(&arrays, places).map_err(|error| internal(&error))
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

fn opened(place: &Path) -> Result<File> {
    File::open(place).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => damaged(place, &"it is missing"),
        _ => Error::io("open", place.display(), error),
    })
}

fn builder(place: &Path, metadata: &ArrowReaderMetadata) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(opened(place)?, metadata.clone()))
}

fn batches<R>(place: &Path, reader: parquet::errors::Result<R>) -> Result<Vec<RecordBatch>>
where
    R: Iterator<Item = arrow::error::Result<RecordBatch>>,
{
    let reader = reader.map_err(|error| damaged(place, &error))?;
    reader.map(|batch| batch.map_err(|error| damaged(place, &error))).collect()
}

fn damaged(place: &Path, why: &dyn Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the data file `{}` cannot be read: {why}", place.display()))
        .with_hint("restore the file from a copy")
}

fn internal(error: &arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, format!("events cannot be put in order: {error}"))
}
