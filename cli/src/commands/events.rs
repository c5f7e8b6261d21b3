//! Events of reports as a table.

use daybook::query::analyses::Changed;
use serde_json::{Map, Value};

use crate::args::Zone;
use crate::escape;
use crate::table::{self, Column, Look, Text};

/// What is shown of an event, and whether it is a number.
const COLUMNS: [(&str, bool); 13] = [
    ("ts", false),
    ("offset_ms", true),
    ("level", false),
    ("source", false),
    ("kind", false),
    ("actor", false),
    ("session", false),
    ("entity_type", false),
    ("entity_id", false),
    ("status", false),
    ("duration_ms", true),
    ("message", false),
    ("seq", true),
];

/// A table of events, without the columns in which none has a value.
pub fn table(events: &[Map<String, Value>], zone: Zone, look: Look) -> String {
    let has_value = |name: &str| events.iter().any(|event| event.contains_key(name));
    let shown: Vec<(&str, bool)> = COLUMNS.into_iter().filter(|(name, _)| has_value(name)).collect();
    let column = |(rank, (name, numeric)): (usize, &(&str, bool))| {
        let column = if *numeric { Column::number(*name) } else { Column::text(*name) };
        Column { rigid: *numeric || *name == "ts", rank, ..column }
    };
    let columns: Vec<Column> = shown.iter().enumerate().map(column).collect();
    let row = |event: &Map<String, Value>| -> Vec<Text> {
        shown.iter().map(|(name, _)| event.get(*name).map(|value| text(name, value, zone))).collect()
    };
    let rows: Vec<Vec<Text>> = events.iter().map(row).collect();
    table::render(&columns, &rows, look)
}

/// A value of an event as people read it, on one line.
pub fn text(name: &str, value: &Value, zone: Zone) -> String {
    match value {
        Value::String(time) if name == "ts" => zone.restate(time),
        Value::String(text) => escape::visible(text).into_owned(),
        other => escape::visible(&other.to_string()).into_owned(),
    }
}

/// An event on one line: when, how grave, what, who, about what, and what it says.
pub fn line(changed: &Changed, zone: Zone) -> String {
    let value = |name: &str| changed.event.get(name).map(|value| text(name, value, zone));
    let entity = value("entity_id").map(|id| match value("entity_type") {
        Some(kind) => format!("{kind}:{id}"),
        None => id,
    });
    let parts = ["ts", "level", "kind", "actor"].map(value).into_iter();
    let parts = parts.chain([entity, value("status"), value("message")]);
    parts.flatten().collect::<Vec<_>>().join("  ")
}
