//! Events read from data files without DuckDB: where each is, in the order of time, and some thousands of them at
//! once; or those that have certain values.

mod file;
mod footers;
mod having;

use crate::error::{Error, ErrorKind, Result};
use crate::event::column::Column;
use crate::event::fixed::Fixed;
use crate::ingest::arrays::arrow_type;
use crate::ingest::parquet::in_parallel;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{Field, Int64Type, Schema, TimestampMicrosecondType};
use parquet::file::metadata::ParquetMetaData;
use std::collections::HashSet;
use std::sync::Arc;

pub use file::DataFileReader;
pub use footers::Footers;
pub use having::{Keys, rows_having, rows_in_batch, rows_numbered};

/// So many events are read at once, fewer if they are large, and never fewer than a few.
const ROWS_AT_ONCE: usize = 16_384;
const ROWS_LEAST: usize = 64;
/// About so many bytes of events are in memory at once.
const BYTES_AT_ONCE: u64 = 48 << 20;

/// Where events are.
#[derive(Debug)]
pub enum Source {
    /// In a data file.
    File(DataFileReader),
    /// Events that are not yet in files, with all columns.
    Held(RecordBatch),
}

/// Which events.
#[derive(Clone, Copy, Debug)]
pub struct Within<'a> {
    /// Of this time or later.
    pub from: i64,
    /// Before this time.
    pub until: i64,
    /// Only these numbers, if it is not all.
    pub chosen: Option<&'a HashSet<i64>>,
}

/// Where an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it happened.
    pub ts: i64,
    /// Its number.
    pub seq: i64,
    source: u32,
    row: u32,
}

impl Source {
    /// The batches of times and numbers.
    fn keys(&self) -> Result<Vec<RecordBatch>> {
        let names = [Fixed::Seq.name(), Fixed::Ts.name()];
        match self {
            Source::Held(batch) => Ok(vec![batch.clone()]),
            Source::File(file) => file.batches(&|name| names.contains(&name), None),
        }
    }

    /// The batches of some rows, given in their order, with the columns that are wanted.
    fn rows(&self, rows: &[u32], wanted: &dyn Fn(&str) -> bool) -> Result<Vec<RecordBatch>> {
        match self {
            Source::Held(batch) => {
                let rows = arrow::array::UInt32Array::from(rows.to_vec());
                let taken = arrow::compute::take_record_batch(batch, &rows);
                Ok(vec![taken.map_err(|error| internal(&error))?])
            }
            Source::File(file) => file.batches(wanted, Some(rows)),
        }
    }
}

/// How many events to read at once.
pub fn rows_at_once(sources: &[Source]) -> usize {
    let of_source = |source: &Source| match source {
        Source::File(file) => row_bytes(file.metadata()),
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

/// Where the events are, the oldest first. Several sources are read at once.
pub fn ordered(sources: &[Source], within: &Within<'_>, threads: usize) -> Result<Vec<Place>> {
    let numbered: Vec<(u32, &Source)> = (0_u32..).zip(sources).collect();
    let found = in_parallel(numbered, threads.min(sources.len()), |(number, source)| {
        places_in(source, number, within)
    })?;
    let mut places: Vec<Place> = found.into_iter().flatten().collect();
    places.sort_unstable();
    Ok(places)
}

fn places_in(source: &Source, number: u32, within: &Within<'_>) -> Result<Vec<Place>> {
    let mut places = Vec::new();
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
    Ok(places)
}

/// Events in this order, with those of the columns in which one has a value. The values of columns that `mixed` knows
/// are taken from there: by its batches, and by the place that an event's number has in them.
pub fn read<'m>(
    sources: &[Source],
    places: &[Place],
    columns: &[Column],
    mixed: &dyn Fn(&str) -> Option<Vec<&'m dyn Array>>,
    place_of: &dyn Fn(i64) -> Option<(usize, usize)>,
    threads: usize,
) -> Result<RecordBatch> {
    let wanted: HashSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let (batches, indices) = gathered(sources, places, &|name| wanted.contains(name), threads)?;
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
fn gathered(
    sources: &[Source],
    places: &[Place],
    wanted: &(dyn Fn(&str) -> bool + Sync),
    threads: usize,
) -> Result<(Vec<RecordBatch>, Rows)> {
    let mut by_source: Vec<(u32, u32, usize)> =
        places.iter().enumerate().map(|(position, place)| (place.source, place.row, position)).collect();
    by_source.sort_unstable();
    let parts: Vec<&[(u32, u32, usize)]> = by_source.chunk_by(|one, other| one.0 == other.0).collect();
    let threads = threads.min(parts.len());
    let read = in_parallel(parts, threads, |part| {
        let source = part.first().and_then(|(source, ..)| sources.get(*source as usize));
        let rows: Vec<u32> = part.iter().map(|(_, row, _)| *row).collect();
        Ok((part, source.map_or_else(|| Ok(Vec::new()), |source| source.rows(&rows, wanted))?))
    })?;
    let mut batches = Vec::new();
    let mut indices = vec![(0, 0); places.len()];
    for (part, of_part) in read {
        let mut wanted = part.iter().map(|(.., position)| *position);
        for batch in of_part {
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

fn internal(error: &arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, format!("events cannot be put in order: {error}"))
}
