//! Rows given as Arrow batches become tables.

use super::{failure, run};
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType};
use crate::query::sql::identifier;
use crate::query::view;
use arrow::array::{Array, ArrayRef, AsArray, GenericListArray, OffsetSizeTrait};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::record_batch::RecordBatch;
use duckdb::Connection;
use std::sync::Arc;

/// The schema of the tables behind the views; `SHOW TABLES` does not show them.
pub(super) const HELD: &str = "held";

/// Rows that DuckDB takes at once.
const CHUNK_ROWS: usize = 2048;

/// Appends rows to a table of [`HELD`].
pub(super) fn append(
    connection: &Connection,
    table: &str,
    columns: &[Column],
    batches: &[RecordBatch],
) -> Result<()> {
    let failed = |error: duckdb::Error| failure::explain_load(error, table);
    let mut appender = connection.appender_to_db(table, HELD).map_err(failed)?;
    for batch in batches {
        check(table, columns, batch)?;
        let mut offset = 0;
        while offset < batch.num_rows() {
            let rows = CHUNK_ROWS.min(batch.num_rows() - offset);
            appender.append_record_batch(compact(&batch.slice(offset, rows))?).map_err(failed)?;
            offset += rows;
        }
    }
    appender.flush().map_err(failed)
}

/// A table that is given as one batch, with its view.
pub(super) fn add_plain_table(connection: &Connection, name: &str, batch: &RecordBatch) -> Result<()> {
    let schema = batch.schema();
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let column_type = type_of(field.data_type()).ok_or_else(|| wrong_type(name, field))?;
        columns.push(Column { name: field.name().clone(), column_type, path: None });
    }
    let held = format!("{HELD}.{}", identifier(name));
    run(connection, &view::create_table(&held, &columns))?;
    append(connection, name, &columns, std::slice::from_ref(batch))?;
    run(connection, &view::create_plain_view(name, &held, &columns))
}

/// The columns of a batch must be those of the table: the appender goes by position.
fn check(table: &str, columns: &[Column], batch: &RecordBatch) -> Result<()> {
    let schema = batch.schema();
    if schema.fields().len() != columns.len() {
        let given = schema.fields().len();
        let message = format!("rows of `{table}` have {given} columns instead of {}", columns.len());
        return Err(Error::new(ErrorKind::Internal, message));
    }
    for (field, column) in schema.fields().iter().zip(columns) {
        if field.name() != &column.name || type_of(field.data_type()) != Some(column.column_type) {
            return Err(wrong_type(table, field));
        }
    }
    Ok(())
}

fn wrong_type(table: &str, field: &arrow::datatypes::Field) -> Error {
    let message = format!("rows of `{table}` have a column `{}` of {}", field.name(), field.data_type());
    Error::new(ErrorKind::Internal, message)
}

fn type_of(data_type: &DataType) -> Option<ColumnType> {
    match data_type {
        DataType::Boolean => Some(ColumnType::Bool),
        DataType::Int8 => Some(ColumnType::Int8),
        DataType::Int32 => Some(ColumnType::Int32),
        DataType::Int64 => Some(ColumnType::Int64),
        DataType::Float64 => Some(ColumnType::Double),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(ColumnType::Text),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Some(ColumnType::Timestamp),
        DataType::List(item) | DataType::LargeList(item) => type_of(item.data_type())?.list_of(),
        _ => None,
    }
}

/// The same rows with lists that hold only their own values: a slice of a list keeps those of the whole
/// batch, and each would be copied with every slice.
fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        DataType::List(_) => compact_list::<i32>(column),
        DataType::LargeList(_) => compact_list::<i64>(column),
        _ => Ok(Arc::clone(column)),
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(batch.schema(), columns).map_err(not_sliced)
}

fn compact_list<O: OffsetSizeTrait>(column: &ArrayRef) -> Result<ArrayRef> {
    let (DataType::List(item) | DataType::LargeList(item)) = column.data_type() else {
        return Ok(Arc::clone(column));
    };
    let Some(list) = column.as_list_opt::<O>() else { return Ok(Arc::clone(column)) };
    let offsets = list.offsets();
    let start = offsets.first().as_usize();
    let end = offsets.last().as_usize();
    let values = list.values().slice(start, end.saturating_sub(start));
    let offsets = OffsetBuffer::<O>::from_lengths(offsets.lengths());
    let nulls = list.nulls().cloned();
    let list = GenericListArray::<O>::try_new(Arc::clone(item), offsets, values, nulls);
    Ok(Arc::new(list.map_err(not_sliced)?))
}

fn not_sliced(error: arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "rows cannot be sliced").with_source(error)
}
