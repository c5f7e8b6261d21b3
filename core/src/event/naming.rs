//! The names of columns: a field's path as one legal word, where possible without quotes.

use super::column::{ColumnType, FieldPath, TableSchema};
use super::fixed::HOISTED;

/// Longer names are cut, at a character's edge.
const NAME_BYTES_MAX: usize = 120;

/// Words that SQL keeps for itself; sorted.
pub const KEYWORDS: [&str; 76] = [
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "default",
    "deferrable",
    "desc",
    "describe",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lambda",
    "lateral",
    "leading",
    "limit",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "pivot",
    "pivot_longer",
    "pivot_wider",
    "placing",
    "primary",
    "qualify",
    "references",
    "returning",
    "select",
    "show",
    "some",
    "summarize",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "unpivot",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
    "within",
];

/// The name of a new field's column, one that is not taken yet.
pub fn column_name(path: &FieldPath, column_type: ColumnType, schema: &TableSchema) -> String {
    let wanted = wanted_name(path, column_type);
    if !schema.is_taken(&wanted) {
        return wanted;
    }
    let mut number = 2_u64;
    loop {
        let name = format!("{wanted}_{number}");
        if !schema.is_taken(&name) {
            return name;
        }
        number += 1;
    }
}

fn wanted_name(path: &FieldPath, column_type: ColumnType) -> String {
    let keys: Vec<&str> = path.keys().collect();
    let number = matches!(column_type, ColumnType::Int64 | ColumnType::Double);
    let keys = match keys.as_slice() {
        ["status"] if number => return "status_code".to_string(),
        [first, rest @ ..] if !rest.is_empty() && HOISTED.contains(first) => rest,
        all => all,
    };
    let mut name = String::new();
    for (position, key) in keys.iter().enumerate() {
        if position > 0 {
            name.push('_');
        }
        name.extend(key.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }));
    }
    if name.starts_with(|first: char| first.is_numeric()) || name.is_empty() {
        name.insert(0, '_');
    }
    while name.len() > NAME_BYTES_MAX {
        name.pop();
    }
    if KEYWORDS.contains(&name.to_lowercase().as_str()) {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::column::Column;
    use crate::event::fixed::new_table;

    #[test]
    fn names() {
        let mut schema = new_table();
        let mut check = |keys: &[&str], column_type: ColumnType, expected: &str| {
            let path = FieldPath::new(keys);
            let name = column_name(&path, column_type, &schema);
            assert_eq!(name, expected, "{keys:?}");
            schema.push(Column { name, column_type, path: Some(path) }).unwrap();
        };
        check(&["http", "status"], ColumnType::Int64, "http_status");
        check(&["http.status"], ColumnType::Int64, "http_status_2");
        check(&["http_status"], ColumnType::Int64, "http_status_3");
        check(&["HTTP_Status"], ColumnType::Int64, "HTTP_Status_4");
        check(&["metadata", "artist"], ColumnType::Text, "artist");
        check(&["artist"], ColumnType::Text, "artist_2");
        check(&["metadata"], ColumnType::Text, "metadata");
        check(&["labels", "a", "b"], ColumnType::Text, "a_b");
        check(&["status"], ColumnType::Int64, "status_code");
        check(&["severity"], ColumnType::Text, "severity_2");
        check(&["day"], ColumnType::Text, "day_2");
        check(&["recorded_at"], ColumnType::Text, "recorded_at_2");
        check(&["offset"], ColumnType::Int64, "offset_");
        check(&["2nd"], ColumnType::Text, "_2nd");
        check(&[""], ColumnType::Text, "_");
        check(&["a b,;{}()=\"'"], ColumnType::Text, "a_b_________");
        check(&["größe"], ColumnType::Int64, "größe");
        check(&["😀"], ColumnType::Int64, "__2");
        check(&[&"x".repeat(500)], ColumnType::Text, &"x".repeat(120));
    }

    #[test]
    fn keywords_are_sorted_and_lowercase() {
        assert!(KEYWORDS.is_sorted());
        assert!(KEYWORDS.iter().all(|word| *word == word.to_lowercase()));
    }
}
