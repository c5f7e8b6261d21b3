//! The one place that quotes: names, texts, paths and types as DuckDB reads them.

use crate::event::column::{ColumnType, FieldPath};
use crate::event::time::rfc3339;

/// A name in SQL, quoted only where it must be.
pub fn identifier(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
    if plain && KEYWORDS.binary_search(&name).is_err() {
        name.to_string()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A text as an SQL literal. SQL text ends at a NUL character, so that one is written as a function call.
pub fn literal(text: &str) -> String {
    if !text.contains('\0') {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let parts: Vec<String> = text.split('\0').map(literal).collect();
    format!("({})", parts.join(" || chr(0) || "))
}

/// An instant as a literal, within the years that DuckDB reads from four digits.
pub fn instant(instant_us: i64) -> String {
    const YEAR_1_US: i64 = -62_135_596_800_000_000;
    const YEAR_9999_US: i64 = 253_402_300_799_999_999;
    let text = rfc3339(instant_us.clamp(YEAR_1_US, YEAR_9999_US));
    format!("TIMESTAMP {}", literal(text.trim_end_matches('Z').replace('T', " ").as_str()))
}

/// Literals of a list: `['a', 'b']`.
pub fn literals<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> String {
    let quoted: Vec<String> = texts.into_iter().map(|text| literal(text.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

/// The pattern that matches this one path, where DuckDB takes patterns.
pub fn path_pattern(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for char in path.chars() {
        match char {
            '*' | '?' | '[' => pattern.extend(['[', char, ']']),
            _ => pattern.push(char),
        }
    }
    pattern
}

/// DuckDB's type of a stored column. Instants are read with their zone, so that row groups can be skipped.
pub fn stored_type(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Bool => "BOOLEAN",
        ColumnType::Int8 => "TINYINT",
        ColumnType::Int32 => "INTEGER",
        ColumnType::Int64 => "BIGINT",
        ColumnType::Double => "DOUBLE",
        ColumnType::Text => "VARCHAR",
        ColumnType::Timestamp => "TIMESTAMPTZ",
        ColumnType::BoolList => "BOOLEAN[]",
        ColumnType::Int64List => "BIGINT[]",
        ColumnType::DoubleList => "DOUBLE[]",
        ColumnType::TextList => "VARCHAR[]",
        ColumnType::TimestampList => "TIMESTAMPTZ[]",
    }
}

/// The text at a path of a JSON text: strings without quotes, other values as JSON, NULL where there is none.
pub fn json_text(json: &str, path: &FieldPath) -> String {
    let steps = json_steps(path);
    let mut value = json.to_string();
    for (position, step) in steps.iter().enumerate() {
        let last = position + 1 == steps.len();
        let function = if last { "json_extract_string" } else { "json_extract" };
        value = format!("{function}({value}, {})", literal(step));
    }
    value
}

/// The paths to follow one after the other. A JSON path cannot name the empty key, nor `*`; a JSON pointer
/// can, but reads a number as a position in an array: each key is named in the form that cannot mistake it.
fn json_steps(path: &FieldPath) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    for key in path.keys() {
        if key.is_empty() || key == "*" {
            steps.push(format!("/{key}"));
            continue;
        }
        let quoted = format!(".\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
        match steps.last_mut() {
            Some(step) if step.starts_with('$') => step.push_str(&quoted),
            _ => steps.push(format!("${quoted}")),
        }
    }
    steps
}

/// DuckDB's keywords that a column's name must not be without quotes, sorted.
#[rustfmt::skip]
const KEYWORDS: [&str; 160] = [
    "all", "analyse", "analyze", "and", "anti", "any", "array", "as", "asc", "asof", "asymmetric", "at",
    "authorization", "between", "bigint", "binary", "bit", "boolean", "both", "by", "case", "cast", "char",
    "character", "check", "coalesce", "collate", "collation", "column", "columns", "concurrently",
    "constraint", "create", "cross", "dec", "decimal", "default", "deferrable", "desc", "describe",
    "distinct", "do", "else", "end", "except", "exists", "extract", "false", "fetch", "float", "for",
    "foreign", "freeze", "from", "full", "generated", "glob", "group", "grouping", "grouping_id", "having",
    "ilike", "in", "initially", "inner", "inout", "int", "integer", "intersect", "interval", "into", "is",
    "isnull", "join", "lambda", "lateral", "leading", "left", "like", "limit", "map", "national", "natural",
    "nchar", "none", "not", "notnull", "null", "nullif", "numeric", "offset", "on", "only", "or", "order",
    "out", "outer", "overlaps", "overlay", "pivot", "pivot_longer", "pivot_wider", "placing", "position",
    "positional", "precision", "primary", "qualify", "real", "references", "returning", "right", "row",
    "select", "semi", "setof", "show", "similar", "smallint", "some", "struct", "substring", "summarize",
    "symmetric", "table", "tablesample", "then", "time", "timestamp", "to", "trailing", "treat", "trim",
    "true", "try_cast", "tuple", "union", "unique", "unpack", "unpivot", "using", "values", "varchar",
    "variadic", "verbose", "when", "where", "window", "with", "xmlattributes", "xmlconcat", "xmlelement",
    "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check_identifier(name: &str, expected: &str) {
        assert_eq!(identifier(name), expected);
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        check_identifier("kind", "kind");
        check_identifier("http_status_2", "http_status_2");
        check_identifier("_x", "_x");
        check_identifier("offset", "\"offset\"");
        check_identifier("left", "\"left\"");
        check_identifier("2nd", "\"2nd\"");
        check_identifier("Kind", "\"Kind\"");
        check_identifier("a.b", "\"a.b\"");
        check_identifier("größe", "\"größe\"");
        check_identifier("say \"hi\"", "\"say \"\"hi\"\"\"");
        check_identifier("", "\"\"");
    }

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
        assert!(KEYWORDS.len() > 100);
    }

    #[test]
    fn texts_are_quoted() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\n"), "'a\\n'");
        assert_eq!(literal("a\0'b"), "('a' || chr(0) || '''b')");
        assert_eq!(literals(["a", "b'"]), "['a', 'b''']");
        assert_eq!(literals::<&str>([]), "[]");
    }

    #[test]
    fn a_path_matches_only_itself() {
        assert_eq!(path_pattern("/store/day=2026-02-03/part.parquet"), "/store/day=2026-02-03/part.parquet");
        assert_eq!(path_pattern("/a[1]/b*?"), "/a[[]1]/b[*][?]");
    }

    #[test]
    fn json_paths_name_every_key() {
        let check = |keys: &[&str], expected: &str| {
            assert_eq!(json_text("rest", &FieldPath::new(keys)), expected);
        };
        check(&["a", "b"], r#"json_extract_string(rest, '$."a"."b"')"#);
        check(&["a.b"], r#"json_extract_string(rest, '$."a.b"')"#);
        check(&["it's \"x\" \\"], r#"json_extract_string(rest, '$."it''s \"x\" \\"')"#);
        check(&[""], "json_extract_string(rest, '/')");
        check(
            &["a", "", "*", "0"],
            r#"json_extract_string(json_extract(json_extract(json_extract(rest, '$."a"'), '/'), '/*'), '$."0"')"#,
        );
    }
}
