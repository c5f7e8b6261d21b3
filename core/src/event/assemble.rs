//! Rows back to records: the producer's own record, or Daybook's columns, as JSON.

use super::catalogue::Catalogue;
use super::column::FieldPath;
use super::fixed::Fixed;
use super::shape::{Form, Shape};
use super::{json, nest, number, time};
use crate::error::{Error, ErrorKind, Result};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int8Type, Int32Type, Int64Type, Schema, TimestampMicrosecondType,
};

/// Puts records together from batches of one schema.
#[derive(Debug)]
pub struct Assembler<'a> {
    catalogue: &'a Catalogue,
    /// Where each fixed column is in the batches.
    fixed: Vec<Option<usize>>,
    /// Where each field's column is, and the field.
    fields: Vec<(usize, &'a FieldPath)>,
    /// The names of all columns.
    names: Vec<String>,
}

impl<'a> Assembler<'a> {
    /// For batches of a schema, whose columns are found by name.
    pub fn new(schema: &Schema, catalogue: &'a Catalogue) -> Self {
        let place = |name: &str| schema.fields().iter().position(|field| field.name() == name);
        let columns = catalogue.schema().columns().iter();
        let fields =
            columns.filter_map(|column| Some((place(&column.name)?, column.path.as_ref()?))).collect();
        Assembler {
            catalogue,
            fixed: Fixed::ALL.iter().map(|fixed| place(fixed.name())).collect(),
            fields,
            names: schema.fields().iter().map(|field| field.name().clone()).collect(),
        }
    }

    /// Appends the producer's own record of a row.
    pub fn original_into(&self, batch: &RecordBatch, row: usize, out: &mut Vec<u8>) -> Result<()> {
        let mut entries = self.entries(batch, row, self.shape(batch, row)?)?;
        entries.sort();
        nest::object_into(&entries, out);
        Ok(())
    }

    /// How the producer wrote a row's record.
    fn shape(&self, batch: &RecordBatch, row: usize) -> Result<&'a Shape> {
        let shape_id = self.fixed_column(batch, Fixed::Shape).filter(|array| array.is_valid(row));
        let shape_id = shape_id.map_or(-1, |array| array.as_primitive::<Int32Type>().value(row));
        self.catalogue.shape(shape_id).ok_or_else(|| {
            let message = format!("the catalogue has no shape {shape_id}, which an event refers to");
            Error::new(ErrorKind::Corrupt, message).with_hint("restore the folder `_shapes` from a copy")
        })
    }

    /// The values of a row's record that are no objects with keys, each with its path, as JSON.
    fn entries(&self, batch: &RecordBatch, row: usize, shape: &Shape) -> Result<Vec<(FieldPath, Vec<u8>)>> {
        let mut entries = self.origins(batch, row, shape)?;
        for (place, path) in &self.fields {
            let Some(array) = batch.columns().get(*place).filter(|array| array.is_valid(row)) else {
                continue;
            };
            let mut value = Vec::new();
            value_into(array, row, &mut value)?;
            // An empty list is in the shape, or in `rest`.
            if value != b"[]" {
                entries.push(((*path).clone(), value));
            }
        }
        let absent = [(&shape.nulls, "null"), (&shape.empty_objects, "{}"), (&shape.empty_arrays, "[]")];
        for (paths, json) in absent {
            let paths = paths.iter().filter(|path| path.keys().len() > 0);
            entries.extend(paths.map(|path| (path.clone(), json.as_bytes().to_vec())));
        }
        if let Some(rest) = self.fixed_column(batch, Fixed::Rest).filter(|array| array.is_valid(row)) {
            entries.extend(nest::leaves(rest.as_string::<i32>().value(row).as_bytes()));
        }
        Ok(entries)
    }

    /// Appends the columns of a row that have a value, as one object.
    pub fn columns_into(&self, batch: &RecordBatch, row: usize, out: &mut Vec<u8>) -> Result<()> {
        out.push(b'{');
        let mut first = true;
        for (array, name) in batch.columns().iter().zip(&self.names) {
            if array.is_null(row) {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            json::quote_into(name, out);
            out.push(b':');
            value_into(array, row, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn fixed_column<'b>(&self, batch: &'b RecordBatch, fixed: Fixed) -> Option<&'b ArrayRef> {
        batch.columns().get((*self.fixed.get(fixed.position())?)?)
    }

    /// The values of fixed columns under the producer's own names.
    fn origins(&self, batch: &RecordBatch, row: usize, shape: &Shape) -> Result<Vec<(FieldPath, Vec<u8>)>> {
        let mut entries = Vec::new();
        for origin in &shape.origins {
            let Some(array) = self.fixed_column(batch, origin.column).filter(|array| array.is_valid(row))
            else {
                continue;
            };
            let mut value = Vec::new();
            match (origin.form, origin.column) {
                (Form::Time(form), _) => {
                    value =
                        form.write(array.as_primitive::<TimestampMicrosecondType>().value(row)).into_bytes();
                }
                (Form::Number | Form::Bool | Form::Json, column) if column != Fixed::DurationMs => {
                    value.extend_from_slice(array.as_string::<i32>().value(row).as_bytes());
                }
                _ => value_into(array, row, &mut value)?,
            }
            let nested = origin.form == Form::Json && value.first() == Some(&b'{') && value != b"{}";
            match nested {
                true => entries.extend(
                    nest::leaves(&value)
                        .into_iter()
                        .map(|(path, value)| (FieldPath::new(origin.path.keys().chain(path.keys())), value)),
                ),
                false => entries.push((origin.path.clone(), value)),
            }
        }
        Ok(entries)
    }
}

/// Appends a value as JSON: timestamps in RFC 3339, numbers in their shortest spelling.
pub fn value_into(array: &ArrayRef, row: usize, out: &mut Vec<u8>) -> Result<()> {
    match array.data_type() {
        _ if array.is_null(row) => out.extend_from_slice(b"null"),
        DataType::Utf8 => json::quote_into(array.as_string::<i32>().value(row), out),
        DataType::Int64 => number::integer_into(array.as_primitive::<Int64Type>().value(row), out),
        DataType::Int32 => number::integer_into(array.as_primitive::<Int32Type>().value(row).into(), out),
        DataType::Int8 => number::integer_into(array.as_primitive::<Int8Type>().value(row).into(), out),
        DataType::Float64 => double_into(array.as_primitive::<Float64Type>().value(row), out),
        DataType::Boolean => {
            out.extend_from_slice(if array.as_boolean().value(row) { b"true" } else { b"false" });
        }
        DataType::Timestamp(..) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            out.extend_from_slice(format!("\"{}\"", time::rfc3339(micros)).as_bytes());
        }
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            let day = chrono::NaiveDate::from_epoch_days(days).unwrap_or_default();
            out.extend_from_slice(format!("\"{day}\"").as_bytes());
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>().value(row);
            out.push(b'[');
            for element in 0..list.len() {
                if element > 0 {
                    out.push(b',');
                }
                value_into(&list, element, out)?;
            }
            out.push(b']');
        }
        other => return Err(Error::new(ErrorKind::Internal, format!("no column has the type {other}"))),
    }
    Ok(())
}

fn double_into(value: f64, out: &mut Vec<u8>) {
    // JSON has no word for what is no number; only other writers can have put it there.
    match value.is_finite() {
        true => number::double_into(value, out),
        false => out.extend_from_slice(b"null"),
    }
}
