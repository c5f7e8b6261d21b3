//! Column chunks that were fetched, as Arrow: the columns that a question needs, and what `rest` has of them.

use super::footer::{ChunkPlace, Footer, damaged};
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType, FieldPath, TableSchema};
use crate::event::fixed::Fixed;
use crate::event::json::{self, Kind, Tape};
use crate::leaves;
use crate::query::view::MixedField;
use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray, StringBuilder, new_null_array,
};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit};
use arrow::util::display::array_value_to_string;
use bytes::{Buf, Bytes};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::reader::{ChunkReader, Length};
use serde_json::Value as Json;
use std::sync::Arc;

/// Column chunks of a file that were fetched and checked.
#[derive(Clone, Debug)]
pub struct Fetched {
    footer: Footer,
    /// From where on which bytes are here, in order.
    held: Vec<(u64, Bytes)>,
}

/// The column of a table in memory that has what `rest` has of a field of mixed type.
pub fn rest_column(column: &str) -> String {
    format!("{column} in rest")
}

impl Fetched {
    /// Checks chunks of a file. Whoever can compute their SHA-256 faster gives them, in the same order.
    pub fn new(footer: &Footer, chunks: Vec<(ChunkPlace, Bytes)>, digests: &[Vec<u8>]) -> Result<Fetched> {
        let mut held = Vec::with_capacity(chunks.len());
        for (number, (place, bytes)) in chunks.into_iter().enumerate() {
            footer.check(&place, &bytes, digests.get(number).map(Vec::as_slice))?;
            held.push((place.offset, bytes));
        }
        held.sort_by_key(|(offset, _)| *offset);
        Ok(Fetched { footer: footer.clone(), held })
    }

    /// The rows of some row groups with these columns, in the order of the table: stored ones, and after them the values
    /// that `rest` has of the fields. All chunks of the columns must have been fetched, and those of `rest` too where
    /// there are fields. Columns that the file lacks are null.
    pub fn batches(
        &self,
        groups: &[usize],
        columns: &TableSchema,
        fields: &[MixedField],
    ) -> Result<Vec<RecordBatch>> {
        let schema = shown_schema(columns, fields);
        let source = Arc::new(self.clone());
        let failed = |error: ParquetError| damaged(&self.footer.path, &error.to_string());
        let metadata = groups.iter().filter_map(|group| self.footer.metadata.row_groups().get(*group));
        let decoded = metadata.map(|group| {
            let rows = usize::try_from(group.num_rows()).unwrap_or_default();
            let stored = |name: &str, column_type: ColumnType| {
                let is_it = |chunk: &&ColumnChunkMetaData| root(chunk) == Some(name);
                let chunk = group.columns().iter().find(is_it);
                chunk
                    .map(|chunk| leaves::read(source.clone(), chunk, rows, column_type))
                    .transpose()
                    .map_err(failed)
            };
            shown(rows, columns, fields, &schema, &stored)
        });
        decoded.collect()
    }
}

/// The name of the column that a chunk is of.
fn root(chunk: &ColumnChunkMetaData) -> Option<&str> {
    chunk.column_path().parts().first().map(String::as_str)
}

/// The columns of [`Fetched::batches`].
fn shown_schema(columns: &TableSchema, fields: &[MixedField]) -> SchemaRef {
    let stored = columns
        .columns()
        .iter()
        .map(|column| Field::new(&column.name, in_memory_type(column.column_type), true));
    let in_rest = fields.iter().map(|field| Field::new(rest_column(&field.column), DataType::Utf8, true));
    Arc::new(Schema::new(stored.chain(in_rest).collect::<Vec<_>>()))
}

/// Rows with columns as they are stored, as a table in memory has them: see [`Fetched::batches`].
pub(super) fn in_memory(
    batch: &RecordBatch,
    columns: &TableSchema,
    fields: &[MixedField],
) -> Result<RecordBatch> {
    let stored = |name: &str, _| Ok(batch.column_by_name(name).map(leaves::without_zone));
    shown(batch.num_rows(), columns, fields, &shown_schema(columns, fields), &stored)
}

/// The type in memory: instants without their zone, which are UTC.
pub(super) fn in_memory_type(column_type: ColumnType) -> DataType {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, None);
    match column_type {
        ColumnType::Timestamp => instant,
        ColumnType::TimestampList => DataType::List(Arc::new(Field::new("element", instant, true))),
        other => crate::ingest::arrays::arrow_type(other),
    }
}

/// The rows of a table in memory, of what is stored under a name.
fn shown(
    rows: usize,
    columns: &TableSchema,
    fields: &[MixedField],
    schema: &SchemaRef,
    stored: &dyn Fn(&str, ColumnType) -> Result<Option<ArrayRef>>,
) -> Result<RecordBatch> {
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for column in columns.columns() {
        let array = stored(&column.name, column.column_type)?;
        arrays.push(array.unwrap_or_else(|| new_null_array(&in_memory_type(column.column_type), rows)));
    }
    if !fields.is_empty() {
        let rest = stored(Fixed::Rest.name(), ColumnType::Text)?;
        arrays.extend(values_in_rest(rest.as_ref(), fields, rows));
    }
    for (number, field) in fields.iter().enumerate() {
        let is_it = |column: &&Column| column.name == field.column && column.column_type.element().is_some();
        let at = columns.columns().iter().position(|column| is_it(&column));
        let Some(lists) = at.and_then(|at| arrays.get(at)).cloned() else { continue };
        if let Some(array) = arrays.get_mut(columns.columns().len().saturating_add(number)) {
            *array = lists_and(&lists, array);
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), arrays, &options).map_err(|error| {
        Error::new(ErrorKind::Internal, "the columns of a bundle do not fit together").with_source(error)
    })
}

/// Lists as JSON, where there are any, and otherwise texts.
fn lists_and(lists: &ArrayRef, texts: &ArrayRef) -> ArrayRef {
    let (Some(lists), Some(texts)) = (lists.as_list_opt::<i32>(), texts.as_string_opt::<i32>()) else {
        return texts.clone();
    };
    let rows = lists.iter().zip(texts).map(|(list, text)| match list {
        Some(list) => Some(list_json(&list)),
        None => text.map(str::to_string),
    });
    Arc::new(rows.collect::<StringArray>())
}

/// A list as DuckDB writes it as JSON.
fn list_json(list: &ArrayRef) -> String {
    let value = |row: usize| -> Json {
        if list.is_null(row) {
            return Json::Null;
        }
        match list.data_type() {
            DataType::Boolean => Json::from(list.as_boolean().value(row)),
            DataType::Int64 => Json::from(list.as_primitive::<Int64Type>().value(row)),
            DataType::Float64 => Json::from(list.as_primitive::<Float64Type>().value(row)),
            DataType::Utf8 => Json::from(list.as_string::<i32>().value(row)),
            _ => array_value_to_string(list, row).map_or(Json::Null, Json::from),
        }
    };
    Json::from((0..list.len()).map(value).collect::<Vec<_>>()).to_string()
}

/// What `rest` has of fields, as DuckDB's `json_extract_string` gives it: texts without quotes, other values as JSON.
fn values_in_rest(rest: Option<&ArrayRef>, fields: &[MixedField], rows: usize) -> Vec<ArrayRef> {
    let mut builders: Vec<StringBuilder> = fields.iter().map(|_| StringBuilder::new()).collect();
    let texts = rest.and_then(|rest| rest.as_string_opt::<i32>());
    let mut tape = Tape::default();
    for row in 0..rows {
        let text = texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row));
        let text = text.filter(|text| tape.parse(text.as_bytes()).is_ok());
        for (field, builder) in fields.iter().zip(&mut builders) {
            builder.append_option(text.and_then(|text| value_at(text, &tape, &field.path)));
        }
    }
    builders.into_iter().map(|mut builder| Arc::new(builder.finish()) as ArrayRef).collect()
}

/// The value at a path of a parsed text; none where there is none, or null.
fn value_at(text: &str, tape: &Tape, path: &FieldPath) -> Option<String> {
    let mut at = 0_usize;
    for key in path.keys() {
        at = member(text.as_bytes(), tape, at, key)?;
    }
    let node = tape.get(at)?;
    let bytes = json::text_of(text.as_bytes(), &node);
    let value = std::str::from_utf8(bytes).ok()?;
    match node.kind {
        Kind::Null | Kind::Key => None,
        Kind::String if node.escaped => serde_json::from_str(&format!("\"{value}\"")).ok(),
        _ => Some(value.to_string()),
    }
}

/// The position of the value of a key in an object.
fn member(text: &[u8], tape: &Tape, object: usize, key: &str) -> Option<usize> {
    let node = tape.get(object).filter(|node| node.kind == Kind::Object)?;
    let mut at = object.checked_add(1)?;
    while at < node.next as usize {
        let name = tape.get(at)?;
        let value = at.checked_add(1)?;
        let spelled = json::text_of(text, &name);
        let is_it = match name.escaped {
            false => spelled == key.as_bytes(),
            true => {
                let quoted = format!("\"{}\"", String::from_utf8_lossy(spelled));
                serde_json::from_str::<String>(&quoted).is_ok_and(|name| name == key)
            }
        };
        if is_it {
            return Some(value);
        }
        at = tape.get(value)?.next as usize;
    }
    None
}

/// Whether a file's columns are those of the table, each of its type.
pub(super) fn fits(file: &ParquetMetaData, table: &TableSchema) -> std::result::Result<(), String> {
    for leaf in file.file_metadata().schema_descr().columns() {
        let name = leaf.path().parts().first().map(String::as_str).unwrap_or_default();
        let shown: String = name.chars().take(200).flat_map(char::escape_default).collect();
        let column = table.by_name(name).filter(|column| column.name == name);
        let Some(column) = column else { return Err(format!("the manifest has no column `{shown}`")) };
        if !leaves::holds(leaf, column.column_type) {
            return Err(format!("its column `{shown}` is not of the type that the manifest says"));
        }
    }
    Ok(())
}

impl Length for Fetched {
    fn len(&self) -> u64 {
        self.footer.size
    }
}

impl Fetched {
    /// What is here from a place on.
    fn held_from(&self, start: u64) -> Option<Bytes> {
        let (first, bytes) =
            self.held.get(self.held.partition_point(|(first, _)| *first <= start).checked_sub(1)?)?;
        let skipped = usize::try_from(start.checked_sub(*first)?).ok()?;
        (skipped < bytes.len()).then(|| bytes.slice(skipped..))
    }
}

impl ChunkReader for Fetched {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        self.held_from(start).map(Buf::reader).ok_or_else(|| missing(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let held = self.held_from(start).filter(|bytes| bytes.len() >= length);
        held.map(|mut bytes| bytes.split_to(length)).ok_or_else(|| missing(start))
    }
}

fn missing(start: u64) -> ParquetError {
    ParquetError::EOF(format!("a page ends after the bytes that its column has, at {start}"))
}
