//! Writes batches of the types that answers have.

use super::levels::{Leaf, leaves};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, RecordBatch};
use arrow::datatypes::{
    ArrowNativeType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, SchemaRef, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use std::sync::Arc;

/// Whether values of the type are written, at any depth.
pub fn is_written(data_type: &DataType) -> bool {
    match data_type {
        DataType::Boolean | DataType::Utf8 | DataType::Binary | DataType::Date32 => true,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => true,
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => true,
        DataType::Float32 | DataType::Float64 | DataType::Timestamp(..) => true,
        DataType::Time64(TimeUnit::Microsecond | TimeUnit::Nanosecond) => true,
        DataType::Decimal128(..) => true,
        DataType::List(item) | DataType::FixedSizeList(item, _) => is_written(item.data_type()),
        DataType::Struct(fields) => {
            !fields.is_empty() && fields.iter().all(|field| is_written(field.data_type()))
        }
        DataType::Map(entries, _) => is_written(entries.data_type()),
        _ => false,
    }
}

/// A Parquet file, which comes out a row group at a time; used as the crate's `ArrowWriter` is.
pub struct Writer {
    file: SerializedFileWriter<Vec<u8>>,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    rows_max: usize,
}

impl Writer {
    /// Begins a file of columns whose types [`is_written`].
    pub fn try_new(out: Vec<u8>, schema: SchemaRef, properties: Option<WriterProperties>) -> Result<Writer> {
        let mut properties = properties.unwrap_or_default();
        let rows_max = properties.max_row_group_row_count().unwrap_or(usize::MAX);
        let stored = ArrowSchemaConverter::new().convert(&schema)?;
        add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        let file = SerializedFileWriter::new(out, stored.root_schema_ptr(), Arc::new(properties))?;
        Ok(Writer { file, schema, batches: Vec::new(), rows_max })
    }

    /// Takes rows. A row group ends when it has enough of them.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut begin = 0_usize;
        while begin < batch.num_rows() {
            let room = self.rows_max.saturating_sub(self.batches.iter().map(RecordBatch::num_rows).sum());
            let taken = room.min(batch.num_rows().saturating_sub(begin));
            self.batches.push(batch.slice(begin, taken));
            begin = begin.saturating_add(taken);
            if taken == room {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// About how many bytes the rows take that wait.
    pub fn memory_size(&self) -> usize {
        self.batches.iter().map(RecordBatch::get_array_memory_size).sum()
    }

    /// Makes a row group of what waits.
    pub fn flush(&mut self) -> Result<()> {
        let batches = std::mem::take(&mut self.batches);
        if batches.is_empty() {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for (number, field) in self.schema.fields().iter().enumerate() {
            let columns = batches.iter().filter_map(|batch| batch.columns().get(number));
            let mut parts: Vec<_> =
                columns.map(|column| leaves(column, field.is_nullable()).into_iter()).collect();
            loop {
                let leaf: Vec<Leaf> = parts.iter_mut().filter_map(Iterator::next).collect();
                if leaf.is_empty() {
                    break;
                }
                let column = group.next_column()?;
                let mut column = column.ok_or_else(|| unfit("there are more columns than in the schema"))?;
                leaf.iter().try_for_each(|leaf| write_leaf(&mut column, leaf))?;
                column.close()?;
            }
        }
        group.close()?;
        Ok(())
    }

    /// Has all row groups that ended in the buffer.
    pub fn sync(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }

    /// The buffer, of which bytes may be taken.
    pub fn inner_mut(&mut self) -> &mut Vec<u8> {
        self.file.inner_mut()
    }

    /// Ends the file: the buffer.
    pub fn into_inner(mut self) -> Result<Vec<u8>> {
        self.flush()?;
        self.file.into_inner()
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("schema", &self.schema).finish_non_exhaustive()
    }
}

fn write_leaf(column: &mut SerializedColumnWriter<'_>, leaf: &Leaf) -> Result<()> {
    let Leaf { array, definitions, repetitions, values } = leaf;
    let (definitions, repetitions) = (Some(definitions.as_slice()), Some(repetitions.as_slice()));
    match column.untyped() {
        ColumnWriter::BoolColumnWriter(writer) => {
            let array = array.as_boolean();
            let values: Vec<bool> = values.iter().map(|at| array.value(*at)).collect();
            writer.write_batch(&values, definitions, repetitions)?;
        }
        ColumnWriter::Int32ColumnWriter(writer) => {
            let values: Vec<i32> = integers(array, values)?.map(|value| value as i32).collect();
            writer.write_batch(&values, definitions, repetitions)?;
        }
        ColumnWriter::Int64ColumnWriter(writer) => {
            let values: Vec<i64> = integers(array, values)?.collect();
            writer.write_batch(&values, definitions, repetitions)?;
        }
        ColumnWriter::FloatColumnWriter(writer) => {
            writer.write_batch(&natives::<Float32Type>(array, values), definitions, repetitions)?;
        }
        ColumnWriter::DoubleColumnWriter(writer) => {
            writer.write_batch(&natives::<Float64Type>(array, values), definitions, repetitions)?;
        }
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            writer.write_batch(&texts(array, values)?, definitions, repetitions)?;
        }
        ColumnWriter::FixedLenByteArrayColumnWriter(writer) => {
            let length = usize::try_from(writer.get_descriptor().type_length()).unwrap_or_default();
            writer.write_batch(&decimals(array, values, length)?, definitions, repetitions)?;
        }
        ColumnWriter::Int96ColumnWriter(_) => return Err(unfit("instants of 96 bits are not written")),
    }
    Ok(())
}

fn natives<T: ArrowPrimitiveType>(array: &ArrayRef, values: &[usize]) -> Vec<T::Native> {
    let array = array.as_primitive::<T>();
    values.iter().map(|at| array.value(*at)).collect()
}

/// Whole numbers of any width, as the bits of 64; unsigned ones wrap.
fn integers(array: &ArrayRef, values: &[usize]) -> Result<std::vec::IntoIter<i64>> {
    fn wide<T: ArrowPrimitiveType>(array: &ArrayRef, values: &[usize]) -> Vec<i64>
    where
        T::Native: ArrowNativeType,
    {
        let array = array.as_primitive::<T>();
        values.iter().map(|at| array.value(*at).to_i64().unwrap_or_default()).collect()
    }
    let wide = match array.data_type() {
        DataType::Int8 => wide::<Int8Type>(array, values),
        DataType::Int16 => wide::<Int16Type>(array, values),
        DataType::Int32 => wide::<Int32Type>(array, values),
        DataType::Int64 => wide::<Int64Type>(array, values),
        DataType::UInt8 => wide::<UInt8Type>(array, values),
        DataType::UInt16 => wide::<UInt16Type>(array, values),
        DataType::UInt32 => wide::<UInt32Type>(array, values),
        DataType::UInt64 => natives::<UInt64Type>(array, values).into_iter().map(u64::cast_signed).collect(),
        DataType::Date32 => wide::<Date32Type>(array, values),
        DataType::Decimal128(..) => wide::<Decimal128Type>(array, values),
        DataType::Time64(TimeUnit::Nanosecond) => wide::<Time64NanosecondType>(array, values),
        DataType::Time64(_) => wide::<Time64MicrosecondType>(array, values),
        DataType::Timestamp(TimeUnit::Second, _) => wide::<TimestampSecondType>(array, values),
        DataType::Timestamp(TimeUnit::Millisecond, _) => wide::<TimestampMillisecondType>(array, values),
        DataType::Timestamp(TimeUnit::Microsecond, _) => wide::<TimestampMicrosecondType>(array, values),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => wide::<TimestampNanosecondType>(array, values),
        other => return Err(unfit(&format!("{other} is not written as a whole number"))),
    };
    Ok(wide.into_iter())
}

/// Texts and bytes.
fn texts(array: &ArrayRef, values: &[usize]) -> Result<Vec<ByteArray>> {
    Ok(match array.data_type() {
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            values.iter().map(|at| ByteArray::from(array.value(*at))).collect()
        }
        DataType::Binary => {
            let array = array.as_binary::<i32>();
            values.iter().map(|at| ByteArray::from(array.value(*at).to_vec())).collect()
        }
        other => return Err(unfit(&format!("{other} is not written as text"))),
    })
}

/// Decimals as their lowest bytes, the highest first.
fn decimals(array: &ArrayRef, values: &[usize], length: usize) -> Result<Vec<FixedLenByteArray>> {
    if !matches!(array.data_type(), DataType::Decimal128(..)) {
        return Err(unfit(&format!("{} is not written as bytes", array.data_type())));
    }
    let bytes = |value: i128| {
        let all = value.to_be_bytes();
        let kept = all.len().checked_sub(length).and_then(|skipped| all.get(skipped..)).unwrap_or_default();
        FixedLenByteArray::from(kept.to_vec())
    };
    Ok(natives::<Decimal128Type>(array, values).into_iter().map(bytes).collect())
}

fn unfit(what: &str) -> ParquetError {
    ParquetError::General(what.to_string())
}
