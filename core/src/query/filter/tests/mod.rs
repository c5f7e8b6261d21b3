mod errors;
mod grammar;
mod json;
mod keys;
mod properties;
mod sql;

use super::{Columns, Context, Filter, FilterError, Where, compile};
use crate::event::column::{Column, ColumnType, FieldPath, TableSchema};
use crate::event::fixed::new_table;
use crate::event::time::read_text;

/// 2026-02-03T10:30:00Z, a Tuesday.
pub(super) const NOW: &str = "2026-02-03T10:30:00Z";

pub(super) fn us(text: &str) -> i64 {
    read_text(text).unwrap().0
}

pub(super) fn context() -> Context<'static> {
    Context::new(us(NOW))
}

pub(super) fn parse(text: &str) -> Result<Filter, FilterError> {
    Filter::parse(text, &context())
}

pub(super) fn table() -> TableSchema {
    use ColumnType::{
        Bool, BoolList, Double, DoubleList, Int64, Int64List, Text, TextList, Timestamp, TimestampList,
    };
    let mut schema = new_table();
    let fields: [(&str, ColumnType, &[&str]); 22] = [
        ("artist", Text, &["metadata", "artist"]),
        ("http_status", Int64, &["http", "status"]),
        ("http_status_2", Int64, &["http.status"]),
        ("log_file", Text, &["log.file"]),
        ("a_b", Text, &["labels", "a", "b"]),
        ("status_code", Int64, &["status"]),
        ("amount", Double, &["amount"]),
        ("count", Int64, &["count"]),
        ("flag", Bool, &["flag"]),
        ("tags", TextList, &["tags"]),
        ("scores", DoubleList, &["scores"]),
        ("ports", Int64List, &["ports"]),
        ("flags", BoolList, &["flags"]),
        ("times", TimestampList, &["times"]),
        ("paid_at", Timestamp, &["paid_at"]),
        ("type", Text, &["type"]),
        ("file", Text, &["file"]),
        ("error", Text, &["error"]),
        ("offset_", Int64, &["offset"]),
        ("user-agent", Text, &["user-agent"]),
        ("größe", Int64, &["größe"]),
        ("it's \"so\"", Text, &["it's \"so\""]),
    ];
    for (name, column_type, keys) in fields {
        schema.push(Column { name: name.into(), column_type, path: Some(FieldPath::new(keys)) }).unwrap();
    }
    schema
}

pub(super) fn compiled(text: &str) -> Result<Where, FilterError> {
    let schema = table();
    compile(&parse(text)?, &Columns { context: context(), ..Columns::of(&schema) })
}
