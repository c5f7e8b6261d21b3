//! The Delta schema of the table, and what the table asks of its readers and writers.

use super::actions::{Metadata, Protocol, unwritable};
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType, FieldPath, TableSchema};
use crate::layout;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The partition column; the last field of the Delta schema.
const DAY: &str = "day";
/// Features of Delta's writers that ask nothing of a writer that only adds and removes whole files.
const KNOWN_FEATURES: [&str; 2] = ["appendOnly", "invariants"];
/// What no column of a Delta table may have in its name.
const FORBIDDEN: [char; 9] = [' ', ',', ';', '{', '}', '(', ')', '=', '\t'];

#[derive(Serialize, Deserialize)]
struct SchemaText {
    #[serde(rename = "type")]
    kind: String,
    fields: Vec<FieldText>,
}

#[derive(Serialize, Deserialize)]
struct FieldText {
    name: String,
    #[serde(rename = "type")]
    kind: Value,
    nullable: bool,
    metadata: Map<String, Value>,
}

/// The protocol of a table that Daybook makes: the oldest that has partitions, which every reader knows.
pub(super) fn protocol() -> Protocol {
    Protocol { min_reader_version: 1, min_writer_version: 2, ..Protocol::default() }
}

/// Refuses a table that asks for more of Delta than Daybook knows.
pub(super) fn check_protocol(protocol: &Protocol) -> Result<()> {
    let features = [&protocol.reader_features, &protocol.writer_features];
    let mut features = features.into_iter().flatten().flatten();
    if let Some(feature) = features.find(|feature| !KNOWN_FEATURES.contains(&feature.as_str())) {
        return Err(unsupported(format!("the table uses the Delta feature `{feature}`")));
    }
    let (reader, writer) = (protocol.min_reader_version, protocol.min_writer_version);
    if !matches!((reader, writer), (1, 1 | 2 | 7) | (3, 7)) {
        let message = format!("the table needs Delta's reader version {reader} and writer version {writer}");
        return Err(unsupported(message));
    }
    Ok(())
}

/// Refuses a table that is no Daybook table, or one of a newer format.
pub(super) fn check_format(metadata: &Metadata) -> Result<()> {
    let Some(format) = metadata.configuration.get(layout::FORMAT_PROPERTY) else {
        let message = format!("the Delta table has no property `{}`", layout::FORMAT_PROPERTY);
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("another program made it; ingest its files into a store instead"));
    };
    match format.parse::<u32>() {
        Ok(version) if (1..=layout::FORMAT_VERSION).contains(&version) => {}
        _ => return Err(unsupported(format!("the table has the format `{format}`"))),
    }
    if metadata.partition_columns != [DAY] {
        let columns = metadata.partition_columns.join("`, `");
        return Err(unsupported(format!("the table is partitioned by `{columns}`, not by `day`")));
    }
    Ok(())
}

/// Refuses a schema that does more than add columns at the end.
pub(super) fn check_growth(old: &TableSchema, new: &TableSchema) -> Result<()> {
    if new.columns().starts_with(old.columns()) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Internal, "a schema may grow only by columns at its end"))
}

/// The text of Delta's `schemaString`.
pub(super) fn to_text(schema: &TableSchema) -> Result<String> {
    let mut fields = schema.columns().iter().map(field_text).collect::<Result<Vec<_>>>()?;
    let day = FieldText { name: DAY.to_string(), kind: json!("date"), nullable: true, metadata: Map::new() };
    fields.push(day);
    let text = SchemaText { kind: "struct".to_string(), fields };
    serde_json::to_string(&text).map_err(unwritable)
}

/// The columns of a `schemaString`.
pub(super) fn from_text(text: &str) -> Result<TableSchema> {
    let parsed: SchemaText = serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "the schema in the Delta log cannot be read").with_source(error)
    })?;
    let mut schema = TableSchema::default();
    for field in parsed.fields.into_iter().filter(|field| field.name != DAY) {
        let column_type = column_type(&field.kind).ok_or_else(|| {
            let message = format!("the column `{}` has the type `{}`", field.name, field.kind);
            unsupported(message)
        })?;
        let path = match field.metadata.get(layout::COLUMN_PATH) {
            Some(Value::String(path)) => Some(FieldPath::from_json(path)?),
            _ => None,
        };
        schema.push(Column { name: field.name, column_type, path })?;
    }
    Ok(schema)
}

fn field_text(column: &Column) -> Result<FieldText> {
    let name = &column.name;
    if name.is_empty() || name.eq_ignore_ascii_case(DAY) || name.contains(FORBIDDEN) || name.contains('\n') {
        return Err(Error::new(ErrorKind::Internal, format!("Delta has no column named `{name}`")));
    }
    let mut metadata = Map::new();
    if let Some(path) = &column.path {
        metadata.insert(layout::COLUMN_PATH.to_string(), Value::String(path.to_json()));
    }
    let kind = match column.column_type.element() {
        Some(element) => {
            json!({"type": "array", "elementType": primitive(element), "containsNull": true})
        }
        None => json!(primitive(column.column_type)),
    };
    Ok(FieldText { name: name.clone(), kind, nullable: true, metadata })
}

/// Delta's name of a type that is no list.
fn primitive(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Bool | ColumnType::BoolList => "boolean",
        ColumnType::Int8 => "byte",
        ColumnType::Int32 => "integer",
        ColumnType::Int64 | ColumnType::Int64List => "long",
        ColumnType::Double | ColumnType::DoubleList => "double",
        ColumnType::Text | ColumnType::TextList => "string",
        ColumnType::Timestamp | ColumnType::TimestampList => "timestamp",
    }
}

fn column_type(kind: &Value) -> Option<ColumnType> {
    match kind {
        Value::String(name) => primitive_type(name),
        Value::Object(kind) if kind.get("type")?.as_str() == Some("array") => {
            primitive_type(kind.get("elementType")?.as_str()?)?.list_of()
        }
        _ => None,
    }
}

fn primitive_type(name: &str) -> Option<ColumnType> {
    match name {
        "boolean" => Some(ColumnType::Bool),
        "byte" => Some(ColumnType::Int8),
        "integer" => Some(ColumnType::Int32),
        "long" => Some(ColumnType::Int64),
        "double" => Some(ColumnType::Double),
        "string" => Some(ColumnType::Text),
        "timestamp" => Some(ColumnType::Timestamp),
        _ => None,
    }
}

fn unsupported(message: String) -> Error {
    let message = format!("{message}, which this Daybook does not know");
    Error::new(ErrorKind::Unsupported, message).with_hint("open it with a newer Daybook")
}
