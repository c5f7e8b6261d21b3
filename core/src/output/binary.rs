//! Rows as Parquet and Arrow files.

use super::cell::{self, cell};
use super::{Times, json};
use crate::error::{Error, ErrorKind, Result};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
#[cfg(feature = "native")]
use arrow::datatypes::IntervalUnit;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;

#[cfg(not(feature = "native"))]
use crate::leaves::{Writer, is_written as is_in_parquet};
#[cfg(feature = "native")]
use parquet::arrow::ArrowWriter;
#[cfg(feature = "native")]
type Writer = ArrowWriter<Vec<u8>>;

/// A row group ends when it has so many rows, or takes so much memory.
const GROUP_ROWS: usize = 122_880;
const GROUP_BYTES: usize = 32 << 20;

/// A Parquet file, which comes out a row group at a time.
pub struct ParquetEncoder {
    writer: Writer,
    schema: SchemaRef,
}

impl ParquetEncoder {
    /// A file of these columns. What Parquet has no type for is text.
    pub fn new(schema: &Schema) -> Result<ParquetEncoder> {
        let schema = storable(schema, &is_in_parquet);
        let level = ZstdLevel::try_new(3).map_err(|error| not_parquet(&error))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_created_by(concat!("daybook ", env!("CARGO_PKG_VERSION")).to_string())
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .build();
        let writer = Writer::try_new(Vec::new(), Arc::clone(&schema), Some(properties));
        Ok(ParquetEncoder { writer: writer.map_err(|error| not_parquet(&error))?, schema })
    }

    /// Takes rows, and appends what is complete.
    pub fn add(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let batch = converted(batch, &self.schema)?;
        self.writer.write(&batch).map_err(|error| not_parquet(&error))?;
        if self.writer.memory_size() >= GROUP_BYTES {
            self.writer.flush().map_err(|error| not_parquet(&error))?;
        }
        self.writer.sync().map_err(|error| Error::io("write", "Parquet", error))?;
        out.append(self.writer.inner_mut());
        Ok(())
    }

    /// Appends the rest.
    pub fn end(self, out: &mut Vec<u8>) -> Result<()> {
        out.append(&mut self.writer.into_inner().map_err(|error| not_parquet(&error))?);
        Ok(())
    }
}

/// An Arrow file, also known as Feather, version 2.
pub struct ArrowEncoder {
    writer: FileWriter<Vec<u8>>,
    schema: SchemaRef,
}

impl ArrowEncoder {
    /// A file of these columns.
    pub fn new(schema: &Schema) -> Result<ArrowEncoder> {
        let schema = storable(schema, &|_| true);
        let writer = FileWriter::try_new(Vec::new(), &schema).map_err(not_arrow)?;
        Ok(ArrowEncoder { writer, schema })
    }

    /// Appends rows.
    pub fn add(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        self.writer.write(&converted(batch, &self.schema)?).map_err(not_arrow)?;
        out.append(self.writer.get_mut());
        Ok(())
    }

    /// Appends the rest.
    pub fn end(self, out: &mut Vec<u8>) -> Result<()> {
        out.append(&mut self.writer.into_inner().map_err(not_arrow)?);
        Ok(())
    }
}

/// Whether Parquet holds values of the type, at any depth.
#[cfg(feature = "native")]
fn is_in_parquet(data_type: &DataType) -> bool {
    match data_type {
        DataType::Interval(IntervalUnit::MonthDayNano) | DataType::Duration(_) | DataType::Union(..) => false,
        DataType::Float16 | DataType::Time32(_) | DataType::ListView(_) | DataType::LargeListView(_) => false,
        DataType::Struct(fields) => {
            !fields.is_empty() && fields.iter().all(|field| is_in_parquet(field.data_type()))
        }
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => is_in_parquet(item.data_type()),
        DataType::Dictionary(_, value) => is_in_parquet(value),
        _ => true,
    }
}

/// The columns under names that differ; those of types that are not kept become text.
fn storable(schema: &Schema, is_kept: &dyn Fn(&DataType) -> bool) -> SchemaRef {
    let names = json::keys(schema);
    let fields = schema.fields().iter().zip(names).map(|(field, name)| {
        let data_type = field.data_type();
        Field::new(name, if is_kept(data_type) { data_type.clone() } else { DataType::Utf8 }, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn converted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| match field.data_type() == column.data_type() {
        true => Arc::clone(column),
        false => texts(column),
    });
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect(), &options).map_err(not_arrow)
}

/// The values as text: as CSV has them.
fn texts(column: &ArrayRef) -> ArrayRef {
    let mut texts = StringBuilder::new();
    for row in 0..column.len() {
        texts.append_option(cell::plain(&cell(column, row), Times::UTC));
    }
    Arc::new(texts.finish())
}

fn not_parquet(error: &ParquetError) -> Error {
    Error::new(ErrorKind::Unsupported, format!("the answer cannot be written as Parquet: {error}"))
}

fn not_arrow(error: ArrowError) -> Error {
    Error::new(ErrorKind::Unsupported, "the answer cannot be written as Arrow").with_source(error)
}
