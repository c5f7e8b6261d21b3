//! Reads a column chunk of one of the types that a table's columns have.

use super::bits::{Bytes, Run, unpack, wrong};
use super::values::{Numbers, Texts, Truths, Values};
use crate::event::column::ColumnType;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, BooleanBufferBuilder, ListArray,
    PrimitiveArray, StringArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Field, Float64Type, Int8Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType as InstantType,
};
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::column::page::{Page, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::ChunkReader;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::ColumnDescriptor;
use std::sync::Arc;

/// The lists of a row group have so many places at most.
const PLACES_MAX: usize = 1 << 26;

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
    let is_list = column_type.element().is_some();
    match column_type.element().unwrap_or(column_type) {
        ColumnType::Bool => array(pages, rows, is_list, |truths: Truths, nulls| {
            Ok(Arc::new(BooleanArray::new(BooleanBuffer::from(spread(truths.0, nulls.as_ref())), nulls)))
        }),
        ColumnType::Int8 => array(pages, rows, is_list, |numbers: Numbers<i32>, nulls| {
            let narrow = |value: i32| i8::try_from(value).map_err(|_| wrong("a number has more than 8 bits"));
            let values = numbers.values.into_iter().map(narrow).collect::<Result<Vec<i8>>>()?;
            Ok(primitive::<Int8Type>(values, nulls))
        }),
        ColumnType::Int32 => array(pages, rows, is_list, |numbers: Numbers<i32>, nulls| {
            Ok(primitive::<Int32Type>(numbers.values, nulls))
        }),
        ColumnType::Int64 => array(pages, rows, is_list, |numbers: Numbers<i64>, nulls| {
            Ok(primitive::<Int64Type>(numbers.values, nulls))
        }),
        ColumnType::Timestamp => array(pages, rows, is_list, |numbers: Numbers<i64>, nulls| {
            Ok(primitive::<InstantType>(numbers.values, nulls))
        }),
        ColumnType::Double => array(pages, rows, is_list, |numbers: Numbers<f64>, nulls| {
            Ok(primitive::<Float64Type>(numbers.values, nulls))
        }),
        _ => array(pages, rows, is_list, texts),
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

/// The array of a column chunk: of its values, and of which of them are null.
fn array<V: Values>(
    mut pages: impl PageReader,
    rows: usize,
    is_list: bool,
    make: impl Fn(V, Option<NullBuffer>) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    let mut values = V::default();
    let mut slots =
        if is_list { Slots::Lists(Lists::default()) } else { Slots::Flat(BooleanBufferBuilder::new(rows)) };
    while let Some(page) = pages.get_next_page()? {
        let (count, encoding) = (page.num_values() as usize, page.encoding());
        let (repetitions, definitions, bytes) = match &page {
            Page::DictionaryPage { buf, .. } => {
                values.learn(buf, count)?;
                continue;
            }
            Page::DataPage { buf, .. } => {
                let mut bytes = Bytes(buf);
                let repetitions = if is_list { bytes.block()? } else { &[] };
                (repetitions, bytes.block()?, bytes.0)
            }
            Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, .. } => {
                let mut bytes = Bytes(buf);
                let repetitions = bytes.take(*rep_levels_byte_len as usize)?;
                (repetitions, bytes.take(*def_levels_byte_len as usize)?, bytes.0)
            }
        };
        let present = match &mut slots {
            Slots::Flat(valid) => flat(valid, definitions, count, rows)?,
            Slots::Lists(lists) => lists.add(repetitions, definitions, count)?,
        };
        values.add(encoding, bytes, present)?;
    }
    match slots {
        Slots::Flat(mut valid) if valid.len() == rows => {
            make(values, Some(NullBuffer::new(valid.finish())).filter(|nulls| nulls.null_count() > 0))
        }
        Slots::Lists(lists) if lists.rows() == rows => lists.array(|nulls| make(values, nulls)),
        _ => Err(wrong("a column has other rows than its row group")),
    }
}

/// Which places of a column have a value.
enum Slots {
    Flat(BooleanBufferBuilder),
    Lists(Lists),
}

/// Adds the levels of a page without lists: 1 for a value, 0 for a null. Gives the number of values.
fn flat(valid: &mut BooleanBufferBuilder, levels: &[u8], count: usize, rows: usize) -> Result<usize> {
    if valid.len().saturating_add(count) > rows {
        return Err(wrong("a column has more rows than its row group"));
    }
    let mut present = 0_usize;
    Bytes(levels).runs(1, count, |run| {
        match run {
            Run::Same(level, times) => {
                present = present.saturating_add(if level == 1 { times } else { 0 });
                valid.append_n(times, level == 1);
            }
            Run::Packed(packed, times) => {
                present =
                    present.saturating_add(BooleanBuffer::new(packed.into(), 0, times).count_set_bits());
                valid.append_packed_range(0..times, packed);
            }
        }
        Ok(())
    })?;
    Ok(present)
}

/// The levels of lists: whether a place begins one, and how much of the way to its value is there.
#[derive(Default)]
struct Lists {
    repetitions: Vec<u8>,
    definitions: Vec<u8>,
}

impl Lists {
    /// Adds the levels of a page. Gives the number of values.
    fn add(&mut self, repetitions: &[u8], definitions: &[u8], count: usize) -> Result<usize> {
        let before = self.definitions.len();
        if before.saturating_add(count) > PLACES_MAX {
            return Err(wrong("a row group has too many elements"));
        }
        levels(&mut self.repetitions, repetitions, 1, count)?;
        levels(&mut self.definitions, definitions, 2, count)?;
        Ok(self.definitions.iter().skip(before).filter(|level| **level == 3).count())
    }

    fn rows(&self) -> usize {
        self.repetitions.iter().filter(|level| **level == 0).count()
    }

    fn array(self, make: impl FnOnce(Option<NullBuffer>) -> Result<ArrayRef>) -> Result<ArrayRef> {
        if self.repetitions.first().is_some_and(|level| *level != 0) {
            return Err(wrong("a column begins within a list"));
        }
        let elements = self.definitions.iter().filter(|level| **level >= 2);
        let elements = make(nulls(elements.map(|level| *level == 3)))?;
        let (mut offsets, mut is_list, mut end) = (Vec::new(), Vec::new(), 0_i32);
        for (definition, repetition) in self.definitions.iter().zip(&self.repetitions) {
            if *repetition == 0 {
                offsets.push(end);
                is_list.push(*definition >= 1);
            }
            end = end.saturating_add(i32::from(*definition >= 2));
        }
        offsets.push(end);
        let field = Arc::new(Field::new("element", elements.data_type().clone(), true));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Ok(Arc::new(ListArray::try_new(field, offsets, elements, nulls(is_list))?))
    }
}

fn levels(into: &mut Vec<u8>, bytes: &[u8], width: u32, count: usize) -> Result<()> {
    Bytes(bytes).runs(width, count, |run| {
        match run {
            Run::Same(level, times) => into.resize(into.len().saturating_add(times), level as u8),
            Run::Packed(packed, times) => unpack(packed, width, times, |level| into.push(level as u8)),
        }
        Ok(())
    })
}

/// Which are null, if any are.
fn nulls(is_value: impl IntoIterator<Item = bool>) -> Option<NullBuffer> {
    Some(NullBuffer::new(BooleanBuffer::from_iter(is_value))).filter(|nulls| nulls.null_count() > 0)
}

/// Values at the places that are not null.
fn spread<T: Clone + Default>(values: Vec<T>, nulls: Option<&NullBuffer>) -> Vec<T> {
    let Some(nulls) = nulls else { return values };
    let mut spread = vec![T::default(); nulls.len()];
    for (at, value) in nulls.valid_indices().zip(values) {
        if let Some(slot) = spread.get_mut(at) {
            *slot = value;
        }
    }
    spread
}

fn primitive<T: ArrowPrimitiveType>(values: Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(spread(values, nulls.as_ref())), nulls))
}

fn texts(Texts { bytes, ends, .. }: Texts, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let offsets = match &nulls {
        None => ends,
        Some(nulls) => {
            let mut offsets = Vec::with_capacity(nulls.len().saturating_add(1));
            offsets.push(0);
            let (mut ends, mut end) = (ends.into_iter().skip(1), 0);
            offsets.extend(nulls.iter().map(|is_value| {
                end = if is_value { ends.next().unwrap_or(end) } else { end };
                end
            }));
            offsets
        }
    };
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls)?))
}
