//! Chunks as one Arrow batch with all columns of a table: rows that are not in Parquet yet.

pub use super::settle::batch_of;

use super::arrays::arrow_field;
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::TableSchema;
use crate::event::fixed::Fixed;
use crate::keys::reading;
use crate::storage::FilePlace;
use arrow::array::{AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Int64Type, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use std::sync::Arc;

/// A batch has about so many bytes.
const BATCH_BYTES: usize = 4 << 20;
/// A batch has at least and at most so many rows.
const BATCH_ROWS: (usize, usize) = (64, 2048);
/// What a value takes beside its bytes.
const CELL_BYTES: usize = 5;

/// A batch of some of the table's columns as one of all of them, in the table's order.
pub fn conform(batch: &RecordBatch, schema: &TableSchema) -> Result<RecordBatch> {
    let fields: Vec<_> = schema.columns().iter().map(arrow_field).collect();
    let array = |field: &arrow::datatypes::Field| match batch.column_by_name(field.name()) {
        Some(array) => array.clone(),
        None => new_null_array(field.data_type(), batch.num_rows()),
    };
    let arrays = fields.iter().map(array).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "a data file's columns are not the table's").with_source(error)
    })
}

/// The batches of a Parquet file, a part of its rows.
pub fn read_file(
    place: &FilePlace,
    rows_skipped: usize,
) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
    read(place, rows_skipped, |_| true)
}

/// The numbers of a batch's events; none where it has no column of them.
pub fn seqs_in(batch: &RecordBatch) -> Vec<i64> {
    let column = batch.column_by_name(Fixed::Seq.name());
    let column = column.and_then(|column| column.as_primitive_opt::<Int64Type>());
    column.map(|numbers| numbers.values().to_vec()).unwrap_or_default()
}

/// The batches of a Parquet file, with those of its columns that are wanted.
pub fn read_columns(
    place: &FilePlace,
    wanted: impl Fn(&str) -> bool,
) -> Result<impl Iterator<Item = Result<RecordBatch>>> {
    read(place, 0, wanted)
}

fn read<F: Fn(&str) -> bool>(
    place: &FilePlace,
    rows_skipped: usize,
    wanted: F,
) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<F>> {
    let damaged = {
        let place = place.display().to_string();
        move |error: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Corrupt, format!("`{place}` cannot be read: {error}"))
                .with_hint("restore the file from a copy; the events in it are in no other file")
        }
    };
    let file = std::fs::File::open(place).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => damaged(&"it is missing"),
        _ => Error::io("open", place.display(), error),
    })?;
    let footer = reading::footer(&file, place.keys(), ArrowReaderOptions::new());
    let (footer, key) = footer.map_err(|error| damaged(&error))?;
    let file = reading::Decrypting::new(file, footer.metadata(), key.as_ref())?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer);
    let fields = builder.schema().fields().iter().enumerate();
    let roots = fields.filter(|(_, field)| wanted(field.name())).map(|(root, _)| root);
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots.collect::<Vec<_>>());
    let rows = rows_at_once(builder.metadata());
    let builder = builder.with_projection(mask).with_offset(rows_skipped).with_batch_size(rows);
    let reader = builder.build().map_err(|error| damaged(&error))?;
    Ok(reader.map(move |batch| batch.map_err(|error| damaged(&error))))
}

/// How many rows are read at once: fewer where they are wide.
fn rows_at_once(metadata: &ParquetMetaData) -> usize {
    let of_row = |group: &RowGroupMetaData| {
        let encoded = group.total_byte_size().max(0) / group.num_rows().max(1);
        (encoded as usize).saturating_add(group.num_columns().saturating_mul(CELL_BYTES))
    };
    let widest = metadata.row_groups().iter().map(of_row).max().unwrap_or(1);
    (BATCH_BYTES / widest.max(1)).clamp(BATCH_ROWS.0, BATCH_ROWS.1)
}
