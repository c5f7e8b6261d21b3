//! Columns of chunks as Arrow arrays, in a chosen order of rows.

use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::list_fits;
use crate::event::chunk::Chunk;
use crate::event::column::{Column, ColumnType};
use crate::event::fixed::Fixed;
use crate::event::json::{self, Kind, Tape};
use crate::event::number::{self, Number};
use crate::event::values::{FieldValues, Sparse, Texts};
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder,
    PrimitiveArray, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Float64Type, Int8Type, Int32Type, Int64Type, TimeUnit};
use std::sync::Arc;

/// A row: its chunk among those given, and its place in it.
#[derive(Clone, Copy, Debug)]
pub struct RowRef {
    /// The position of the chunk.
    pub chunk: u32,
    /// The row in the chunk.
    pub row: u32,
}

/// A chunk together with what settling it against the catalogue gave.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The records.
    pub chunk: Chunk,
    /// `seq` of each record.
    pub seq: Vec<i64>,
    /// The id of each of the chunk's shapes.
    pub shape_ids: Vec<i32>,
    /// What goes to `rest`.
    pub rest: Texts,
    /// The id of the template of each message, where they were looked for.
    pub templates: Texts,
    /// The position of the column of each field; none for fields that only `rest` holds.
    pub columns: Vec<Option<usize>>,
}

impl Settled {
    /// Records that are settled; their templates are not looked for yet.
    pub fn new(
        chunk: Chunk,
        seq: Vec<i64>,
        shape_ids: Vec<i32>,
        rest: Texts,
        columns: Vec<Option<usize>>,
    ) -> Settled {
        Settled { chunk, seq, shape_ids, rest, templates: Texts::default(), columns }
    }
}

/// The Arrow type of a column.
pub fn arrow_type(column_type: ColumnType) -> DataType {
    let list = |element: DataType| DataType::List(Arc::new(Field::new("element", element, true)));
    match column_type {
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Int8 => DataType::Int8,
        ColumnType::Int32 => DataType::Int32,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Double => DataType::Float64,
        ColumnType::Text => DataType::Utf8,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ColumnType::BoolList => list(DataType::Boolean),
        ColumnType::Int64List => list(DataType::Int64),
        ColumnType::DoubleList => list(DataType::Float64),
        ColumnType::TextList => list(DataType::Utf8),
        ColumnType::TimestampList => list(arrow_type(ColumnType::Timestamp)),
    }
}

/// The Arrow field of a column.
pub fn arrow_field(column: &Column) -> Field {
    Field::new(&column.name, arrow_type(column.column_type), true)
}

/// Where the rows of chunks go: to which of some groups, such as days, and to which place in it.
#[derive(Debug)]
pub struct Placement {
    /// The group and the place of each row, by chunk.
    places: Vec<Vec<(u32, u32)>>,
    /// The rows of each group.
    sizes: Vec<usize>,
}

impl Placement {
    /// The placement that gives each group these rows in this order; together they are all rows of the chunks.
    pub fn new<'r>(chunks: &[Settled], groups: impl Iterator<Item = &'r [RowRef]>) -> Placement {
        let mut places: Vec<_> = chunks.iter().map(|settled| vec![(0, 0); settled.chunk.len()]).collect();
        let mut sizes = Vec::new();
        for (group, rows) in groups.enumerate() {
            sizes.push(rows.len());
            for (place, row) in rows.iter().enumerate() {
                let of_chunk = places.get_mut(row.chunk as usize);
                if let Some(slot) = of_chunk.and_then(|places| places.get_mut(row.row as usize)) {
                    *slot = (group as u32, place as u32);
                }
            }
        }
        Placement { places, sizes }
    }

    /// All rows of chunks in one group, in their order.
    pub fn in_order(chunks: &[Settled]) -> Placement {
        let mut rows = 0_u32;
        let mut of_chunk = |settled: &Settled| {
            let first = rows;
            rows += settled.chunk.len() as u32;
            (first..rows).map(|place| (0, place)).collect()
        };
        let places: Vec<Vec<_>> = chunks.iter().map(&mut of_chunk).collect();
        let rows = rows as usize;
        Placement { places, sizes: vec![rows] }
    }

    /// The rows of all groups.
    pub fn rows(&self) -> usize {
        self.sizes.iter().sum()
    }
}

/// The values of the column at a position of the table, as an array for each group in which some row has one.
/// Only values that are there take time: most columns of most rows have none.
pub fn arrays(
    position: usize,
    column: &Column,
    chunks: &[Settled],
    placement: &Placement,
) -> Result<Vec<Option<ArrayRef>>> {
    match Fixed::ALL.get(position) {
        Some(fixed) => fixed_arrays(*fixed, column.column_type, chunks, placement),
        None => field_arrays(column.column_type, position, chunks, placement),
    }
}

/// Values on their way to their places.
struct Placed<'p, T> {
    placement: &'p Placement,
    /// By group, a slot for each row; none before the first value comes.
    groups: Vec<Vec<Option<T>>>,
}

impl<'p, T: Copy> Placed<'p, T> {
    /// Values by chunk and row.
    fn new<I: Iterator<Item = (u32, T)>>(
        placement: &'p Placement,
        chunks: impl Iterator<Item = Option<I>>,
    ) -> Placed<'p, T> {
        let groups = placement.sizes.iter().map(|_| Vec::new()).collect();
        let mut placed = Placed { placement, groups };
        for (values, places) in chunks.zip(&placement.places) {
            for (row, value) in values.into_iter().flatten() {
                placed.put(places, row, value);
            }
        }
        placed
    }

    fn put(&mut self, places: &[(u32, u32)], row: u32, value: T) {
        let Some((group, place)) = places.get(row as usize) else { return };
        let size = self.placement.sizes.get(*group as usize);
        let (Some(slots), Some(size)) = (self.groups.get_mut(*group as usize), size) else { return };
        if slots.is_empty() {
            slots.resize(*size, None);
        }
        if let Some(slot) = slots.get_mut(*place as usize) {
            *slot = Some(value);
        }
    }

    fn arrays(self, array: impl Fn(Vec<Option<T>>) -> Result<ArrayRef>) -> Result<Vec<Option<ArrayRef>>> {
        let array = |slots: Vec<Option<T>>| if slots.is_empty() { Ok(None) } else { array(slots).map(Some) };
        self.groups.into_iter().map(array).collect()
    }
}

/// Whether a column has a value in some row of a chunk.
pub fn has_values(position: usize, settled: &Settled) -> bool {
    match Fixed::ALL.get(position) {
        Some(Fixed::Seq | Fixed::Ts | Fixed::Shape) => true,
        Some(Fixed::Severity) => settled.chunk.severity.iter().any(|severity| *severity != 0),
        Some(Fixed::DurationMs) => !settled.chunk.duration_ms.rows.is_empty(),
        Some(Fixed::Rest) => !settled.rest.is_empty(),
        Some(Fixed::Template) => !settled.templates.is_empty(),
        Some(text) => settled.chunk.fixed_texts(*text).is_some_and(|texts| !texts.is_empty()),
        None => settled.columns.contains(&Some(position)),
    }
}

fn fixed_arrays(
    fixed: Fixed,
    column_type: ColumnType,
    chunks: &[Settled],
    placement: &Placement,
) -> Result<Vec<Option<ArrayRef>>> {
    let settled = || chunks.iter();
    match fixed {
        Fixed::Seq => {
            let seqs = settled().map(|settled| Some((0..).zip(settled.seq.iter().copied())));
            Placed::new(placement, seqs).arrays(primitive::<Int64Type>)
        }
        Fixed::Ts => {
            let times = settled().map(|settled| Some((0..).zip(settled.chunk.ts.iter().copied())));
            Placed::new(placement, times)
                .arrays(|times| Ok(Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))))
        }
        Fixed::Severity => {
            let known = |settled: &Settled| {
                let severity = (0..).zip(settled.chunk.severity.clone());
                Some(severity.filter(|(_, severity)| *severity != 0))
            };
            Placed::new(placement, settled().map(known)).arrays(primitive::<Int8Type>)
        }
        Fixed::Shape => {
            let ids =
                settled().map(|settled| {
                    let shapes = (0..).zip(&settled.chunk.shape);
                    Some(shapes.filter_map(|(row, shape)| {
                        Some((row, settled.shape_ids.get(*shape as usize).copied()?))
                    }))
                });
            Placed::new(placement, ids).arrays(primitive::<Int32Type>)
        }
        Fixed::DurationMs => {
            let values = settled().map(|settled| Some(copied(&settled.chunk.duration_ms)));
            Placed::new(placement, values).arrays(primitive::<Float64Type>)
        }
        Fixed::Rest => {
            let texts = settled().map(|settled| Some(settled.rest.iter()));
            Placed::new(placement, texts).arrays(|texts| text_array(&texts))
        }
        Fixed::Template => {
            let texts = settled().map(|settled| Some(settled.templates.iter()));
            Placed::new(placement, texts).arrays(|texts| text_array(&texts))
        }
        text if column_type == ColumnType::Text => {
            let texts = settled().map(|settled| Some(settled.chunk.fixed_texts(text)?.iter()));
            Placed::new(placement, texts).arrays(|texts| text_array(&texts))
        }
        _ => Err(unexpected(column_type)),
    }
}

fn field_arrays(
    column_type: ColumnType,
    position: usize,
    chunks: &[Settled],
    placement: &Placement,
) -> Result<Vec<Option<ArrayRef>>> {
    let fields = chunks.iter().map(|settled| {
        let field = settled.columns.iter().position(|of_field| *of_field == Some(position))?;
        Some(&settled.chunk.fields.get(field)?.values)
    });
    match column_type {
        ColumnType::Int64 => {
            let values = fields.map(|values| values.map(integers));
            Placed::new(placement, values).arrays(primitive::<Int64Type>)
        }
        ColumnType::Double => {
            let values = fields.map(|values| values.map(doubles));
            Placed::new(placement, values).arrays(primitive::<Float64Type>)
        }
        ColumnType::Bool => {
            let values = fields.map(|values| Some(copied(&values?.bools)));
            Placed::new(placement, values).arrays(|values| Ok(Arc::new(BooleanArray::from(values))))
        }
        ColumnType::Text => {
            let texts = fields.map(|values| Some(values?.texts.iter()));
            Placed::new(placement, texts).arrays(|texts| text_array(&texts))
        }
        list => {
            let lists = fields.map(|values| fitting_lists(list, values?));
            Placed::new(placement, lists).arrays(|lists| list_array(list, lists.into_iter()))
        }
    }
}

fn copied<T: Copy>(values: &Sparse<T>) -> impl Iterator<Item = (u32, T)> {
    values.iter().map(|(row, value)| (row, *value))
}

fn integers(values: &FieldValues) -> impl Iterator<Item = (u32, i64)> {
    let whole = values.doubles.iter().filter_map(|(row, value)| Some((row, number::as_integer(*value)?)));
    copied(&values.ints).chain(whole)
}

fn doubles(values: &FieldValues) -> impl Iterator<Item = (u32, f64)> {
    let exact = values.ints.iter().filter_map(|(row, value)| Some((row, number::as_double(*value)?)));
    copied(&values.doubles).chain(exact)
}

/// The lists that a column of lists can hold.
fn fitting_lists(
    column_type: ColumnType,
    values: &FieldValues,
) -> Option<impl Iterator<Item = (u32, &[u8])>> {
    let rare = values.rare.as_deref()?;
    let fitting = rare.lists.iter().zip(&rare.classes);
    Some(fitting.filter(move |(_, class)| list_fits(**class, Some(column_type))).map(|(list, _)| list))
}

fn primitive<T: ArrowPrimitiveType>(values: Vec<Option<T::Native>>) -> Result<ArrayRef> {
    Ok(Arc::new(PrimitiveArray::<T>::from_iter(values)))
}

fn text_array(texts: &[Option<&[u8]>]) -> Result<ArrayRef> {
    let bytes = texts.iter().flatten().map(|text| text.len()).sum();
    let mut values = Vec::with_capacity(bytes);
    let mut offsets = Vec::with_capacity(texts.len().saturating_add(1));
    offsets.push(0);
    offsets.extend(texts.iter().map(|text| {
        if let Some(text) = text {
            values.extend_from_slice(text);
        }
        // A batch is far smaller than 2 GiB.
        i32::try_from(values.len()).unwrap_or(i32::MAX)
    }));
    let is_there = BooleanBuffer::collect_bool(texts.len(), |at| texts.get(at).is_some_and(Option::is_some));
    let array = StringArray::try_new(
        OffsetBuffer::new(offsets.into()),
        values.into(),
        Some(NullBuffer::new(is_there)),
    );
    let array = array.map_err(|error| {
        Error::new(ErrorKind::Internal, "texts of records are not UTF-8").with_source(error)
    })?;
    Ok(Arc::new(array))
}

fn unexpected(column_type: ColumnType) -> Error {
    Error::new(ErrorKind::Internal, format!("no field becomes a column of `{column_type}`"))
}

/// A column of lists.
fn list_array<'a>(
    column_type: ColumnType,
    lists: impl Iterator<Item = Option<&'a [u8]>>,
) -> Result<ArrayRef> {
    match column_type {
        ColumnType::Int64List => Ok(build_lists(lists, Int64Builder::new(), |builder, raw, kind| {
            builder.append_option(match (kind, number::read(raw)) {
                (Kind::Number, Number::Int(value)) => Some(value),
                (Kind::Number, Number::Double(value)) => number::as_integer(value),
                _ => None,
            });
        })),
        ColumnType::DoubleList => Ok(build_lists(lists, Float64Builder::new(), |builder, raw, kind| {
            builder.append_option(match (kind, number::read(raw)) {
                (Kind::Number, Number::Int(value)) => Some(value as f64),
                (Kind::Number, Number::Double(value)) => Some(value),
                _ => None,
            });
        })),
        ColumnType::BoolList => Ok(build_lists(lists, BooleanBuilder::new(), |builder, _, kind| {
            builder.append_option(match kind {
                Kind::True => Some(true),
                Kind::False => Some(false),
                _ => None,
            });
        })),
        ColumnType::TextList => Ok(build_lists(lists, StringBuilder::new(), |builder, raw, kind| {
            let mut plain = Vec::new();
            json::unescape_into(raw, &mut plain);
            match (kind, std::str::from_utf8(&plain)) {
                (Kind::String, Ok(text)) => builder.append_value(text),
                _ => builder.append_null(),
            }
        })),
        other => Err(unexpected(other)),
    }
}

fn build_lists<'a, B: arrow::array::ArrayBuilder>(
    lists: impl Iterator<Item = Option<&'a [u8]>>,
    elements: B,
    append: impl Fn(&mut B, &[u8], Kind),
) -> ArrayRef {
    let mut tape = Tape::default();
    let field = Field::new("element", elements_type(&elements), true);
    let mut builder = ListBuilder::new(elements).with_field(field);
    for list in lists {
        let Some(text) = list.filter(|text| tape.parse(text).is_ok()) else {
            builder.append_null();
            continue;
        };
        for node in tape.nodes().iter().skip(1) {
            append(builder.values(), json::text_of(text, node), node.kind);
        }
        builder.append(true);
    }
    Arc::new(builder.finish())
}

fn elements_type<B: arrow::array::ArrayBuilder>(elements: &B) -> DataType {
    let any = elements.as_any();
    if any.is::<Int64Builder>() {
        DataType::Int64
    } else if any.is::<Float64Builder>() {
        DataType::Float64
    } else if any.is::<BooleanBuilder>() {
        DataType::Boolean
    } else {
        DataType::Utf8
    }
}
