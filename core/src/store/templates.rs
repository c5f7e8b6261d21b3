//! The SQL table `templates`: the templates of messages, and what became of them.

use super::Store;
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType};
use crate::ingest::arrays::arrow_field;
use crate::mine::Dictionary;
use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Schema;
use std::sync::Arc;

/// The name of the table.
pub const TABLE: &str = "templates";

/// Whether a query may ask about templates; reading them costs some files.
pub fn is_named_in(sql: &str) -> bool {
    sql.to_ascii_lowercase().contains(TABLE)
}

/// All templates, by their ids.
pub fn batch_of(dictionary: &Dictionary) -> Result<RecordBatch> {
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

impl Store {
    /// The templates of the messages: those of stored events, and those that this process met in the log.
    pub fn dictionary(&self) -> Result<Dictionary> {
        self.tables.templates.dictionary()
    }
}
