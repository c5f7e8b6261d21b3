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
    ArrayRef, BooleanBuilder, Float64Builder, Int8Array, Int32Array, Int64Array, Int64Builder, ListBuilder,
    StringBuilder, TimestampMicrosecondArray,
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

/// A fixed column of rows.
pub fn fixed_array(fixed: Fixed, chunks: &[Settled], rows: &[RowRef]) -> ArrayRef {
    let of_row = |row: &RowRef| chunks.get(row.chunk as usize).map(|settled| (settled, row.row as usize));
    match fixed {
        Fixed::Seq => {
            let seq = |row: &RowRef| of_row(row).and_then(|(settled, at)| settled.seq.get(at).copied());
            Arc::new(rows.iter().map(seq).collect::<Int64Array>())
        }
        Fixed::Ts => {
            let ts = |row: &RowRef| of_row(row).and_then(|(settled, at)| settled.chunk.ts.get(at).copied());
            Arc::new(rows.iter().map(ts).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        Fixed::Severity => {
            let severity = |row: &RowRef| {
                let value = of_row(row).and_then(|(settled, at)| settled.chunk.severity.get(at).copied());
                value.filter(|severity| *severity != 0)
            };
            Arc::new(rows.iter().map(severity).collect::<Int8Array>())
        }
        Fixed::Shape => {
            let shape = |row: &RowRef| {
                let (settled, at) = of_row(row)?;
                settled.shape_ids.get(*settled.chunk.shape.get(at)? as usize).copied()
            };
            Arc::new(rows.iter().map(shape).collect::<Int32Array>())
        }
        Fixed::DurationMs => {
            let dense = |settled: &Settled| {
                let values = &settled.chunk.duration_ms;
                dense(settled.chunk.len(), values.iter().map(|(row, value)| (row, *value)))
            };
            let dense: Vec<_> = chunks.iter().map(dense).collect();
            let mut builder = Float64Builder::with_capacity(rows.len());
            rows.iter().for_each(|row| builder.append_option(at(&dense, *row)));
            Arc::new(builder.finish())
        }
        Fixed::Rest => texts_array(chunks, rows, |settled| Some(&settled.rest)),
        text => texts_array(chunks, rows, |settled| settled.chunk.fixed_texts(text)),
    }
}

/// The column of a field, of rows.
pub fn field_array(
    column: &Column,
    position: usize,
    chunks: &[Settled],
    rows: &[RowRef],
) -> Result<ArrayRef> {
    let values = |settled: &'_ Settled| -> Option<usize> {
        settled.columns.iter().position(|of_field| *of_field == Some(position))
    };
    let fields: Vec<Option<usize>> = chunks.iter().map(values).collect();
    let field = |index: usize| -> Option<(&Settled, &FieldValues)> {
        let settled = chunks.get(index)?;
        let field = (*fields.get(index)?)?;
        Some((settled, &settled.chunk.fields.get(field)?.values))
    };
    let per_chunk = 0..chunks.len();
    match column.column_type {
        ColumnType::Int64 => {
            let dense: Vec<Vec<Option<i64>>> = per_chunk.map(|index| dense_ints(field(index))).collect();
            let mut builder = Int64Builder::with_capacity(rows.len());
            rows.iter().for_each(|row| builder.append_option(at(&dense, *row)));
            Ok(Arc::new(builder.finish()))
        }
        ColumnType::Double => {
            let dense: Vec<Vec<Option<f64>>> = per_chunk.map(|index| dense_doubles(field(index))).collect();
            let mut builder = Float64Builder::with_capacity(rows.len());
            rows.iter().for_each(|row| builder.append_option(at(&dense, *row)));
            Ok(Arc::new(builder.finish()))
        }
        ColumnType::Bool => {
            let bools = |index| match field(index) {
                Some((settled, values)) => {
                    dense(settled.chunk.len(), values.bools.iter().map(|(row, value)| (row, *value)))
                }
                None => Vec::new(),
            };
            let dense: Vec<Vec<Option<bool>>> = per_chunk.map(bools).collect();
            let mut builder = BooleanBuilder::with_capacity(rows.len());
            rows.iter().for_each(|row| builder.append_option(at(&dense, *row)));
            Ok(Arc::new(builder.finish()))
        }
        ColumnType::Text => {
            let of = |settled: &Settled, index: usize| {
                field(index).map(|(_, values)| (settled.chunk.len(), &values.texts))
            };
            Ok(text_rows(chunks, rows, of))
        }
        list => list_array(list, per_chunk.map(field).collect::<Vec<_>>().as_slice(), rows),
    }
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

fn texts_array<'a>(
    chunks: &'a [Settled],
    rows: &[RowRef],
    texts: impl Fn(&'a Settled) -> Option<&'a Texts>,
) -> ArrayRef {
    text_rows(chunks, rows, |settled, _| texts(settled).map(|texts| (settled.chunk.len(), texts)))
}

fn text_rows<'a>(
    chunks: &'a [Settled],
    rows: &[RowRef],
    texts: impl Fn(&'a Settled, usize) -> Option<(usize, &'a Texts)>,
) -> ArrayRef {
    let mut bytes = 0;
    let mut places = Vec::with_capacity(chunks.len());
    for (index, settled) in chunks.iter().enumerate() {
        let of_chunk = texts(settled, index);
        bytes += of_chunk.map_or(0, |(_, texts)| texts.byte_count());
        places.push(of_chunk.map(|(rows, texts)| {
            let positions = texts.rows.iter().enumerate().map(|(position, row)| (*row, position as u32));
            (texts, dense(rows, positions))
        }));
    }
    let mut builder = StringBuilder::with_capacity(rows.len(), bytes);
    for row in rows {
        let text = places
            .get(row.chunk as usize)
            .and_then(Option::as_ref)
            .and_then(|(texts, positions)| texts.get((*positions.get(row.row as usize)?)? as usize));
        match text.map(std::str::from_utf8) {
            Some(Ok(text)) => builder.append_value(text),
            _ => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

/// A column of lists.
fn list_array(
    column_type: ColumnType,
    fields: &[Option<(&Settled, &FieldValues)>],
    rows: &[RowRef],
) -> Result<ArrayRef> {
    let places: Vec<_> = fields
        .iter()
        .map(|field| {
            let (settled, values) = (*field)?;
            let rare = values.rare.as_deref()?;
            let fitting = rare.lists.rows.iter().zip(&rare.classes).enumerate();
            let fitting = fitting.filter(|(_, (_, class))| list_fits(**class, Some(column_type)));
            let positions = fitting.map(|(position, (row, _))| (*row, position as u32));
            Some((&rare.lists, dense(settled.chunk.len(), positions)))
        })
        .collect();
    let lists = rows.iter().map(|row| {
        let (texts, positions) = places.get(row.chunk as usize)?.as_ref()?;
        texts.get((*positions.get(row.row as usize)?)? as usize)
    });
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
