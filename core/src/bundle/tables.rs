//! The table `templates`, which bundles and stores have.

use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType};
use crate::ingest::arrays::arrow_field;
use crate::leaves::without_zone;
use crate::mine::Dictionary;
use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Field, Schema};
use std::sync::Arc;

/// All templates, by their ids.
pub fn templates_table(dictionary: &Dictionary) -> Result<RecordBatch> {
    let entries = || dictionary.entries().iter();
    let ids: StringArray = entries().map(|(id, _)| Some(id.to_string())).collect();
    let texts: StringArray = entries().map(|(_, entry)| Some(entry.text.as_str())).collect();
    let first: TimestampMicrosecondArray = entries().map(|(_, entry)| entry.first_seen_us).collect();
    let into = |id| Some(dictionary.resolve(id)).filter(|into| *into != id);
    let merged: StringArray = entries().map(|(id, _)| into(*id).map(|into| into.to_string())).collect();
    let columns: [(&str, ColumnType, ArrayRef); 4] = [
        ("id", ColumnType::Text, Arc::new(ids)),
        ("template", ColumnType::Text, Arc::new(texts)),
        ("first_seen", ColumnType::Timestamp, Arc::new(first.with_timezone("UTC"))),
        ("merged_into", ColumnType::Text, Arc::new(merged)),
    ];
    let field = |(name, column_type, _): &(&str, ColumnType, ArrayRef)| {
        arrow_field(&Column { name: (*name).to_string(), column_type: *column_type, path: None })
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
    RecordBatch::try_new(Arc::new(schema), arrays)
        .map_err(|error| Error::new(ErrorKind::Internal, "the templates make no table").with_source(error))
}

/// A table as DuckDB in a page takes it: instants without their zone, which is UTC.
pub fn without_zones(batch: &RecordBatch) -> Result<RecordBatch> {
    let arrays: Vec<ArrayRef> = batch.columns().iter().map(without_zone).collect();
    let fields = batch.schema_ref().fields().iter().zip(&arrays);
    let fields = fields.map(|(field, array)| Field::new(field.name(), array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, arrays)
        .map_err(|error| Error::new(ErrorKind::Internal, "a table cannot be handed over").with_source(error))
}
