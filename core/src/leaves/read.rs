//! Reads a column chunk of one of the types that a table's columns have.

use crate::event::column::ColumnType;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, ListArray, PrimitiveArray, StringArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Field, Float64Type, Int8Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType as InstantType,
};
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type as stored;
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
    let pages = SerializedPageReader::new(source, chunk, rows, None)?;
    match column_type.element().unwrap_or(column_type) {
        ColumnType::Bool => {
            Slots::<stored::BoolType>::read(pages, chunk, rows, column_type)?.array(|values, nulls| {
                Ok(Arc::new(BooleanArray::new(BooleanBuffer::from(spread(values, nulls.as_ref())), nulls)))
            })
        }
        ColumnType::Int8 => {
            Slots::<stored::Int32Type>::read(pages, chunk, rows, column_type)?.array(|values, nulls| {
                let narrow =
                    |value: i32| i8::try_from(value).map_err(|_| wrong("a number has more than 8 bits"));
                let values = values.into_iter().map(narrow).collect::<Result<Vec<i8>>>()?;
                Ok(numbers::<Int8Type>(values, nulls))
            })
        }
        ColumnType::Int32 => Slots::<stored::Int32Type>::read(pages, chunk, rows, column_type)?
            .array(|values, nulls| Ok(numbers::<Int32Type>(values, nulls))),
        ColumnType::Int64 => Slots::<stored::Int64Type>::read(pages, chunk, rows, column_type)?
            .array(|values, nulls| Ok(numbers::<Int64Type>(values, nulls))),
        ColumnType::Timestamp => Slots::<stored::Int64Type>::read(pages, chunk, rows, column_type)?
            .array(|values, nulls| Ok(numbers::<InstantType>(values, nulls))),
        ColumnType::Double => Slots::<stored::DoubleType>::read(pages, chunk, rows, column_type)?
            .array(|values, nulls| Ok(numbers::<Float64Type>(values, nulls))),
        _ => Slots::<stored::ByteArrayType>::read(pages, chunk, rows, column_type)?.array(texts),
    }
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

/// What a column chunk has: its values, and levels that say where there is none.
struct Slots<T: stored::DataType> {
    values: Vec<T::T>,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
    rows: usize,
    is_list: bool,
}

impl<T: stored::DataType> Slots<T> {
    fn read<R: ChunkReader + 'static>(
        pages: SerializedPageReader<R>,
        chunk: &ColumnChunkMetaData,
        rows: usize,
        column_type: ColumnType,
    ) -> Result<Slots<T>> {
        let mut reader = ColumnReaderImpl::<T>::new(chunk.column_descr_ptr(), Box::new(pages));
        let is_list = column_type.element().is_some();
        let (values, definitions, repetitions) = (Vec::new(), Vec::new(), Vec::new());
        let mut slots = Slots { values, definitions, repetitions, rows, is_list };
        let Slots { values, definitions, repetitions, .. } = &mut slots;
        let (records, ..) = reader.read_records(rows, Some(definitions), Some(repetitions), values)?;
        if records != rows {
            return Err(wrong("a column has fewer rows than its row group"));
        }
        Ok(slots)
    }

    /// The array, of the values and of which of them are null.
    fn array(self, make: impl Fn(Vec<T::T>, Option<NullBuffer>) -> Result<ArrayRef>) -> Result<ArrayRef> {
        if !self.is_list {
            return make(self.values, nulls(self.definitions.iter().map(|level| *level == 1)));
        }
        let elements = self.definitions.iter().filter(|level| **level >= 2);
        let elements = make(self.values, nulls(elements.map(|level| *level == 3)))?;
        let mut offsets = Vec::with_capacity(self.rows.saturating_add(1));
        let mut is_list = Vec::with_capacity(self.rows);
        let mut end = 0_i32;
        for (definition, repetition) in self.definitions.iter().zip(&self.repetitions) {
            if *repetition == 0 {
                offsets.push(end);
                is_list.push(*definition >= 1);
            }
            if *definition >= 2 {
                end = end.checked_add(1).ok_or_else(|| wrong("a row group has too many elements"))?;
            }
        }
        offsets.push(end);
        let field = Arc::new(Field::new("element", elements.data_type().clone(), true));
        let lists = nulls(is_list);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Ok(Arc::new(ListArray::try_new(field, offsets, elements, lists)?))
    }
}

/// Which are null, if any are.
fn nulls(is_value: impl IntoIterator<Item = bool>) -> Option<NullBuffer> {
    Some(NullBuffer::new(BooleanBuffer::from_iter(is_value))).filter(|nulls| nulls.null_count() > 0)
}

/// Values at the places that are not null.
fn spread<T: Clone + Default>(values: Vec<T>, nulls: Option<&NullBuffer>) -> Vec<T> {
    let Some(nulls) = nulls else { return values };
    let mut spread = vec![T::default(); nulls.len()];
    let mut values = values.into_iter();
    for at in nulls.valid_indices() {
        if let (Some(slot), Some(value)) = (spread.get_mut(at), values.next()) {
            *slot = value;
        }
    }
    spread
}

fn numbers<T: ArrowPrimitiveType>(values: Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(spread(values, nulls.as_ref())), nulls))
}

fn texts(values: Vec<stored::ByteArray>, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let size = values.iter().fold(0_usize, |size, value| size.saturating_add(value.len()));
    if i32::try_from(size).is_err() {
        return Err(wrong("the texts of a row group have more than 2 GiB"));
    }
    let mut bytes = Vec::with_capacity(size);
    let length = nulls.as_ref().map_or(values.len(), NullBuffer::len);
    let mut offsets = Vec::with_capacity(length.saturating_add(1));
    offsets.push(0_i32);
    let mut values = values.iter();
    let mut push = |is_value: bool| {
        if let Some(value) = is_value.then(|| values.next()).flatten() {
            bytes.extend_from_slice(value.data());
        }
        offsets.push(bytes.len() as i32);
    };
    match &nulls {
        Some(nulls) => nulls.iter().for_each(push),
        None => (0..length).for_each(|_| push(true)),
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls)?))
}

fn wrong(what: &str) -> ParquetError {
    ParquetError::General(what.to_string())
}
