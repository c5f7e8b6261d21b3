//! The text of `rest`: what fits no column, nested as in the producer's record.

use crate::event::catalogue::{Catalogue, list_fits};
use crate::event::chunk::Chunk;
use crate::event::column::{ColumnType, FieldPath};
use crate::event::values::{FieldValues, Texts};
use crate::event::{json, nest, number};

/// A value that goes to `rest`.
struct Entry<'a> {
    row: u32,
    path: &'a FieldPath,
    json: Vec<u8>,
}

/// `rest` of each row of a chunk that has any.
pub fn rest_of(chunk: &Chunk, catalogue: &Catalogue) -> Texts {
    let mut entries = Vec::new();
    for field in &chunk.fields {
        let column =
            catalogue.schema().position_of(&field.path).and_then(|at| catalogue.schema().columns().get(at));
        collect(&field.path, &field.values, column.map(|column| column.column_type), &mut entries);
    }
    collect_absences(chunk, catalogue, &mut entries);
    entries.sort_by(|a, b| (a.row, a.path).cmp(&(b.row, b.path)));
    let mut rest = Texts::default();
    for row in entries.chunk_by(|a, b| a.row == b.row) {
        let Some(first) = row.first() else { continue };
        let values: Vec<(&FieldPath, &[u8])> = row.iter().map(|entry| (entry.path, &*entry.json)).collect();
        rest.push_with(first.row, |out| nest::object_into(&values, out));
    }
    rest
}

/// The values of a field that its column cannot hold.
fn collect<'a>(
    path: &'a FieldPath,
    values: &FieldValues,
    column: Option<ColumnType>,
    entries: &mut Vec<Entry<'a>>,
) {
    let mut add = |row: u32, json: Vec<u8>| entries.push(Entry { row, path, json });
    for (row, value) in values.ints.iter() {
        let fits = match column {
            Some(ColumnType::Int64) => true,
            Some(ColumnType::Double) => number::as_double(*value).is_some(),
            _ => false,
        };
        if !fits {
            add(row, written(|out| number::integer_into(*value, out)));
        }
    }
    for (row, value) in values.doubles.iter() {
        let fits = match column {
            Some(ColumnType::Double) => true,
            Some(ColumnType::Int64) => number::as_integer(*value).is_some(),
            _ => false,
        };
        if !fits {
            add(row, written(|out| number::double_into(*value, out)));
        }
    }
    if column != Some(ColumnType::Bool) {
        for (row, value) in values.bools.iter() {
            add(row, value.to_string().into_bytes());
        }
    }
    if column != Some(ColumnType::Text) {
        for (row, text) in values.texts.iter() {
            add(row, written(|out| json::quote_into(&String::from_utf8_lossy(text), out)));
        }
    }
    let Some(rare) = &values.rare else { return };
    for ((row, text), class) in rare.lists.iter().zip(&rare.classes) {
        // An empty array without a list column is in the shape.
        if !list_fits(*class, column) && text != b"[]" {
            add(row, text.to_vec());
        }
    }
    for (row, text) in rare.exact.iter().chain(rare.other.iter()) {
        add(row, text.to_vec());
    }
}

/// Nulls and empty values of records whose shape the catalogue has no more room for.
fn collect_absences<'a>(chunk: &'a Chunk, catalogue: &Catalogue, entries: &mut Vec<Entry<'a>>) {
    for (id, shape) in chunk.shapes.iter().enumerate() {
        if catalogue.shape_id(shape).is_some() {
            continue;
        }
        let kinds = [(&shape.nulls, "null"), (&shape.empty_objects, "{}"), (&shape.empty_arrays, "[]")];
        for (row, _) in chunk.shape.iter().enumerate().filter(|(_, of_row)| **of_row as usize == id) {
            for (paths, json) in kinds {
                for path in paths.iter().filter(|path| path.keys().len() > 0) {
                    entries.push(Entry { row: row as u32, path, json: json.as_bytes().to_vec() });
                }
            }
        }
    }
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}
