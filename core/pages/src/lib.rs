//! The pages of a Parquet column as an Arrow array, for what Daybook's columns are: values that may be null, and lists of such.
//!
//! It is a crate of its own so that a module for browsers has it compiled for speed, and the rest for size. Pages are
//! untrusted: what is wrong with them is an error.

mod bits;
mod values;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, BooleanBufferBuilder, ListArray, PrimitiveArray,
    StringArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    Field, Float64Type, Int8Type, Int32Type, Int64Type, TimestampMicrosecondType as InstantType,
};
use bits::{Bytes, Run, unpack, wrong};
use parquet::column::page::{Page, PageReader};
use parquet::errors::Result;
use std::sync::Arc;
use values::{Numbers, Texts, Truths, Values};

/// The lists of a row group have so many places at most.
const PLACES_MAX: usize = 1 << 26;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A truth value.
    Bool,
    /// A number of 8 bits, which is stored as one of 32.
    Int8,
    /// A number of 32 bits.
    Int32,
    /// A number of 64 bits.
    Int64,
    /// A number of double precision.
    Double,
    /// Microseconds since 1970, of UTC; the array is without a zone.
    Instant,
    /// A text in UTF-8.
    Text,
}

/// The array of a column chunk of so many rows, from its pages. The column's maximal levels must be 1 and 0; those of lists 3
/// and 1.
pub fn decode(pages: &mut dyn PageReader, rows: usize, kind: Kind, is_list: bool) -> Result<ArrayRef> {
    match kind {
        Kind::Bool => array(pages, rows, is_list, |truths: Truths, nulls| {
            Ok(Arc::new(BooleanArray::new(BooleanBuffer::from(spread(truths.0, nulls.as_ref())), nulls)))
        }),
        Kind::Int8 => array(pages, rows, is_list, |numbers: Numbers<i32>, nulls| {
            let narrow = |value: i32| i8::try_from(value).map_err(|_| wrong("a number has more than 8 bits"));
            let values = numbers.values.into_iter().map(narrow).collect::<Result<Vec<i8>>>()?;
            Ok(primitive::<Int8Type>(values, nulls))
        }),
        Kind::Int32 => array(pages, rows, is_list, |numbers: Numbers<i32>, nulls| {
            Ok(primitive::<Int32Type>(numbers.values, nulls))
        }),
        Kind::Int64 => array(pages, rows, is_list, |numbers: Numbers<i64>, nulls| {
            Ok(primitive::<Int64Type>(numbers.values, nulls))
        }),
        Kind::Instant => array(pages, rows, is_list, |numbers: Numbers<i64>, nulls| {
            Ok(primitive::<InstantType>(numbers.values, nulls))
        }),
        Kind::Double => array(pages, rows, is_list, |numbers: Numbers<f64>, nulls| {
            Ok(primitive::<Float64Type>(numbers.values, nulls))
        }),
        Kind::Text => array(pages, rows, is_list, texts),
    }
}

/// The array of a column chunk: of its values, and of which of them are null.
fn array<V: Values>(
    pages: &mut dyn PageReader,
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
