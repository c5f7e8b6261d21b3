//! Reads a column chunk of one of the types that a table's columns have.

use crate::event::column::ColumnType;
use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType as InstantType};
use daybook_pages::Kind;
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::ChunkReader;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::ColumnDescriptor;
use std::sync::Arc;

/// Whether a leaf holds values of a column's type, as Daybook writes them.
pub fn holds(leaf: &ColumnDescriptor, column_type: ColumnType) -> bool {
    let element = column_type.element().unwrap_or(column_type);
    let levels = match column_type.element() {
        None => (1, 0),
        Some(_) => (3, 1),
    };
    let logical = leaf.logical_type_ref();
    let is_typed = match element {
        ColumnType::Bool => leaf.physical_type() == Physical::BOOLEAN,
        ColumnType::Int8 | ColumnType::Int32 => leaf.physical_type() == Physical::INT32,
        ColumnType::Int64 => leaf.physical_type() == Physical::INT64 && !is_instant(leaf),
        ColumnType::Double => leaf.physical_type() == Physical::DOUBLE,
        ColumnType::Timestamp => leaf.physical_type() == Physical::INT64 && is_instant(leaf),
        _ => leaf.physical_type() == Physical::BYTE_ARRAY && logical == Some(&LogicalType::String),
    };
    is_typed && (leaf.max_def_level(), leaf.max_rep_level()) == levels
}

fn is_instant(leaf: &ColumnDescriptor) -> bool {
    leaf.converted_type() == ConvertedType::TIMESTAMP_MICROS
}

/// The values of a column chunk of so many rows, of a leaf that [`holds`] the type. Instants come without a zone; they
/// are UTC.
pub fn read<R: ChunkReader + 'static>(
    source: Arc<R>,
    chunk: &ColumnChunkMetaData,
    rows: usize,
    column_type: ColumnType,
) -> Result<ArrayRef> {
    if !holds(chunk.column_descr(), column_type) {
        return Err(ParquetError::General("a column is not of the type that it is to have".to_string()));
    }
    let mut pages = SerializedPageReader::new(source, chunk, rows, None)?;
    let kind = match column_type.element().unwrap_or(column_type) {
        ColumnType::Bool => Kind::Bool,
        ColumnType::Int8 => Kind::Int8,
        ColumnType::Int32 => Kind::Int32,
        ColumnType::Int64 => Kind::Int64,
        ColumnType::Double => Kind::Double,
        ColumnType::Timestamp => Kind::Instant,
        _ => Kind::Text,
    };
    daybook_pages::decode(&mut pages, rows, kind, column_type.element().is_some())
}

/// An array, and where it is one of instants with a zone, without it.
pub fn without_zone(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            Arc::new(array.as_primitive::<InstantType>().clone().with_timezone_opt(None::<&str>))
        }
        DataType::List(item) if matches!(item.data_type(), DataType::Timestamp(_, Some(_))) => {
            let (item, offsets, elements, nulls) = array.as_list::<i32>().clone().into_parts();
            let elements = without_zone(&elements);
            let item = Arc::new(item.as_ref().clone().with_data_type(elements.data_type().clone()));
            Arc::new(ListArray::new(item, offsets, elements, nulls))
        }
        _ => array.clone(),
    }
}
