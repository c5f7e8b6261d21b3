//! Columns of chunks as Arrow arrays, in a chosen order of rows.

use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::list_fits;
use crate::event::chunk::Chunk;
use crate::event::column::{Column, ColumnType};
use crate::event::fixed::Fixed;
use crate::event::json::{self, Kind, Tape};
use crate::event::number::{self, Number};
use crate::event::values::{FieldValues, Texts};
use arrow::array::{
    ArrayRef, BooleanArray, BooleanBuilder, Float64Array, Float64Builder, Int8Array, Int32Array, Int64Array,
    Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, TimeUnit};
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
    /// The position of the column of each field; none for fields that only `rest` holds.
    pub columns: Vec<Option<usize>>,
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

/// A column of some chunks, ready to give its values of any rows.
pub struct ColumnSource<'a> {
    column_type: ColumnType,
    values: Values<'a>,
}

/// Texts of a chunk, and which of them each row has.
type PlacedTexts<'a> = (&'a Texts, Vec<Option<u32>>);

/// The values of a column, by chunk and row.
enum Values<'a> {
    Ints(Vec<Vec<Option<i64>>>),
    Instants(Vec<&'a [i64]>),
    Doubles(Vec<Vec<Option<f64>>>),
    Bools(Vec<Vec<Option<bool>>>),
    Small(Vec<Vec<Option<i32>>>),
    /// Texts, or the JSON of lists, and which of them each row has.
    Texts(Vec<Option<PlacedTexts<'a>>>),
}

impl<'a> ColumnSource<'a> {
    /// The column at a position of the table.
    pub fn new(position: usize, column: &Column, chunks: &'a [Settled]) -> ColumnSource<'a> {
        let values = match Fixed::ALL.get(position) {
            Some(fixed) => fixed_values(*fixed, chunks),
            None => field_values(column.column_type, position, chunks),
        };
        ColumnSource { column_type: column.column_type, values }
    }

    /// The values of rows.
    pub fn array(&self, rows: &[RowRef]) -> Result<ArrayRef> {
        Ok(match &self.values {
            Values::Ints(dense) => Arc::new(rows.iter().map(|row| at(dense, *row)).collect::<Int64Array>()),
            Values::Doubles(dense) => {
                Arc::new(rows.iter().map(|row| at(dense, *row)).collect::<Float64Array>())
            }
            Values::Bools(dense) => {
                Arc::new(rows.iter().map(|row| at(dense, *row)).collect::<BooleanArray>())
            }
            Values::Small(dense) if self.column_type == ColumnType::Int8 => {
                let small = |row: &RowRef| at(dense, *row).and_then(|value| i8::try_from(value).ok());
                Arc::new(rows.iter().map(small).collect::<Int8Array>())
            }
            Values::Small(dense) => Arc::new(rows.iter().map(|row| at(dense, *row)).collect::<Int32Array>()),
            Values::Instants(times) => {
                let time = |row: &RowRef| times.get(row.chunk as usize)?.get(row.row as usize).copied();
                Arc::new(rows.iter().map(time).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
            }
            Values::Texts(texts) => {
                let text = |row: &RowRef| {
                    let (texts, positions) = texts.get(row.chunk as usize)?.as_ref()?;
                    texts.get((*positions.get(row.row as usize)?)? as usize)
                };
                match self.column_type {
                    ColumnType::Text => text_array(rows, text),
                    list => list_array(list, rows.iter().map(text))?,
                }
            }
        })
    }
}

/// Whether a column has a value in some row of a chunk.
pub fn has_values(position: usize, settled: &Settled) -> bool {
    match Fixed::ALL.get(position) {
        Some(Fixed::Seq | Fixed::Ts | Fixed::Shape) => true,
        Some(Fixed::Severity) => settled.chunk.severity.iter().any(|severity| *severity != 0),
        Some(Fixed::DurationMs) => !settled.chunk.duration_ms.rows.is_empty(),
        Some(Fixed::Rest) => !settled.rest.is_empty(),
        Some(text) => settled.chunk.fixed_texts(*text).is_some_and(|texts| !texts.is_empty()),
        None => settled.columns.contains(&Some(position)),
    }
}

fn fixed_values<'a>(fixed: Fixed, chunks: &'a [Settled]) -> Values<'a> {
    match fixed {
        Fixed::Seq => Values::Ints(
            chunks.iter().map(|settled| settled.seq.iter().copied().map(Some).collect()).collect(),
        ),
        Fixed::Ts => Values::Instants(chunks.iter().map(|settled| settled.chunk.ts.as_slice()).collect()),
        Fixed::Severity => {
            let severity = |severity: &i8| (*severity != 0).then_some(i32::from(*severity));
            Values::Small(
                chunks.iter().map(|settled| settled.chunk.severity.iter().map(severity).collect()).collect(),
            )
        }
        Fixed::Shape => {
            let ids = |settled: &Settled| {
                let id = |shape: &u32| settled.shape_ids.get(*shape as usize).copied();
                settled.chunk.shape.iter().map(id).collect()
            };
            Values::Small(chunks.iter().map(ids).collect())
        }
        Fixed::DurationMs => {
            let of_chunk = |settled: &Settled| {
                let values = &settled.chunk.duration_ms;
                dense(settled.chunk.len(), values.iter().map(|(row, value)| (row, *value)))
            };
            Values::Doubles(chunks.iter().map(of_chunk).collect())
        }
        Fixed::Rest => {
            Values::Texts(chunks.iter().map(|settled| Some(placed(settled, &settled.rest))).collect())
        }
        text => {
            let texts =
                |settled: &'a Settled| settled.chunk.fixed_texts(text).filter(|texts| !texts.is_empty());
            let of_chunk = chunks.iter().map(|settled| Some(placed(settled, texts(settled)?)));
            Values::Texts(of_chunk.collect())
        }
    }
}

fn field_values(column_type: ColumnType, position: usize, chunks: &[Settled]) -> Values<'_> {
    let fields = chunks.iter().map(|settled| {
        let field = settled.columns.iter().position(|of_field| *of_field == Some(position))?;
        Some((settled, &settled.chunk.fields.get(field)?.values))
    });
    match column_type {
        ColumnType::Int64 => Values::Ints(fields.map(dense_ints).collect()),
        ColumnType::Double => Values::Doubles(fields.map(dense_doubles).collect()),
        ColumnType::Bool => Values::Bools(fields.map(dense_bools).collect()),
        ColumnType::Text => Values::Texts(
            fields.map(|field| field.map(|(settled, values)| placed(settled, &values.texts))).collect(),
        ),
        list => Values::Texts(
            fields
                .map(|field| field.and_then(|(settled, values)| placed_lists(list, settled, values)))
                .collect(),
        ),
    }
}

/// Texts of a chunk, with the position of each row's among them.
fn placed<'a>(settled: &Settled, texts: &'a Texts) -> PlacedTexts<'a> {
    let positions = texts.rows.iter().enumerate().map(|(position, row)| (*row, position as u32));
    (texts, dense(settled.chunk.len(), positions))
}

/// The lists that a column of lists can hold.
fn placed_lists<'a>(
    column_type: ColumnType,
    settled: &Settled,
    values: &'a FieldValues,
) -> Option<PlacedTexts<'a>> {
    let rare = values.rare.as_deref()?;
    let fitting = rare.lists.rows.iter().zip(&rare.classes).enumerate();
    let fitting = fitting.filter(|(_, (_, class))| list_fits(**class, Some(column_type)));
    let positions = fitting.map(|(position, (row, _))| (*row, position as u32));
    Some((&rare.lists, dense(settled.chunk.len(), positions)))
}

/// Values by row, for a chunk in which only some rows have one.
fn dense<T: Copy>(rows: usize, values: impl Iterator<Item = (u32, T)>) -> Vec<Option<T>> {
    let mut dense = vec![None; rows];
    for (row, value) in values {
        if let Some(place) = dense.get_mut(row as usize) {
            *place = Some(value);
        }
    }
    dense
}

fn at<T: Copy>(dense: &[Vec<Option<T>>], row: RowRef) -> Option<T> {
    *dense.get(row.chunk as usize)?.get(row.row as usize)?
}

fn dense_ints(field: Option<(&Settled, &FieldValues)>) -> Vec<Option<i64>> {
    let Some((settled, values)) = field else { return Vec::new() };
    let whole = values.doubles.iter().filter_map(|(row, value)| Some((row, number::as_integer(*value)?)));
    dense(settled.chunk.len(), values.ints.iter().map(|(row, value)| (row, *value)).chain(whole))
}

fn dense_doubles(field: Option<(&Settled, &FieldValues)>) -> Vec<Option<f64>> {
    let Some((settled, values)) = field else { return Vec::new() };
    let exact = values.ints.iter().filter_map(|(row, value)| Some((row, number::as_double(*value)?)));
    dense(settled.chunk.len(), values.doubles.iter().map(|(row, value)| (row, *value)).chain(exact))
}

fn dense_bools(field: Option<(&Settled, &FieldValues)>) -> Vec<Option<bool>> {
    let Some((settled, values)) = field else { return Vec::new() };
    dense(settled.chunk.len(), values.bools.iter().map(|(row, value)| (row, *value)))
}

fn text_array<'a>(rows: &[RowRef], text: impl Fn(&RowRef) -> Option<&'a [u8]>) -> ArrayRef {
    let bytes = rows.iter().filter_map(&text).map(<[u8]>::len).sum();
    let mut builder = StringBuilder::with_capacity(rows.len(), bytes);
    for row in rows {
        match text(row).map(std::str::from_utf8) {
            Some(Ok(text)) => builder.append_value(text),
            _ => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
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
        other => Err(Error::new(ErrorKind::Internal, format!("no field becomes a column of `{other}`"))),
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
