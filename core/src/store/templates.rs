//! The SQL table `templates`: the dictionary of message templates, one row a template.

use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType};
use crate::ingest::arrays::{arrow_field, arrow_type};
use arrow::array::{RecordBatch, new_empty_array};
use arrow::datatypes::Schema;
use std::sync::Arc;

/// The name of the table.
pub const TABLE: &str = "templates";

/// Its columns: `id` is what the column `template` of an event holds, `parts` how many parts of the message differ
/// from event to event, `merged_into` the id of the template that took its place, if one did.
pub const COLUMNS: [(&str, ColumnType); 5] = [
    ("id", ColumnType::Text),
    ("template", ColumnType::Text),
    ("parts", ColumnType::Int64),
    ("first_seen", ColumnType::Timestamp),
    ("merged_into", ColumnType::Text),
];

/// Whether a query may ask about templates.
pub fn is_named_in(sql: &str) -> bool {
    sql.to_ascii_lowercase().contains(TABLE)
}

/// The table without rows.
pub fn empty() -> Result<RecordBatch> {
    let field = |(name, column_type): (&str, ColumnType)| {
        arrow_field(&Column { name: name.to_string(), column_type, path: None })
    };
    let schema = Schema::new(COLUMNS.map(field).to_vec());
    let arrays = COLUMNS.map(|(_, column_type)| new_empty_array(&arrow_type(column_type))).to_vec();
    RecordBatch::try_new(Arc::new(schema), arrays)
        .map_err(|error| Error::new(ErrorKind::Internal, "the templates make no table").with_source(error))
}
