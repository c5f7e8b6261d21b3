//! Chunks settled against a catalogue, and their rows as one Arrow batch.

use super::arrays::{Placement, Settled, arrays, arrow_field, arrow_type};
use super::rest::rest_of;
use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::Catalogue;
use crate::event::chunk::Chunk;
use crate::event::column::TableSchema;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::Schema;
use std::sync::Arc;

/// Chunks together with what the catalogue says of them.
pub fn settle(chunks: Vec<(Chunk, Vec<i64>)>, catalogue: &Catalogue) -> Result<Vec<Settled>> {
    let settle = |(chunk, seq): (Chunk, Vec<i64>)| {
        let shape_ids = chunk.shapes.iter().map(|shape| catalogue.shape_id(&catalogue.storable(shape)));
        let shape_ids = shape_ids.collect::<Option<Vec<i32>>>().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "the catalogue lacks a shape of the records to be written")
        })?;
        let columns = chunk.fields.iter().map(|field| catalogue.schema().position_of(&field.path)).collect();
        let rest = rest_of(&chunk, catalogue);
        Ok(Settled::new(chunk, seq, shape_ids, rest, columns))
    };
    chunks.into_iter().map(settle).collect()
}

/// All rows of chunks, in order, with every column of the table.
pub fn batch_of(chunks: &[Settled], schema: &TableSchema) -> Result<RecordBatch> {
    let placement = Placement::in_order(chunks);
    let rows = placement.rows();
    let columns = schema.columns().iter().enumerate().map(|(position, column)| {
        let array = arrays(position, column, chunks, &placement)?.into_iter().flatten().next();
        Ok(array.unwrap_or_else(|| new_null_array(&arrow_type(column.column_type), rows)))
    });
    let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
    let fields: Vec<_> = schema.columns().iter().map(arrow_field).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).map_err(|error| {
        Error::new(ErrorKind::Internal, "the columns of unsealed events do not fit together")
            .with_source(error)
    })
}
