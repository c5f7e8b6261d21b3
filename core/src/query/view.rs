//! The SQL of a session's tables: Parquet files and rows not yet in Parquet as one view.

use super::sql::{identifier, json_text, literal, literals, path_pattern, stored_type};
use crate::event::catalogue::{Catalogue, Reads};
use crate::event::column::{Column, ColumnType, FieldPath};
use crate::event::fixed::Fixed;

/// How a field that is both in its column and in `rest` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mixed {
    /// As a double: every value is a number that a double holds exactly.
    Double,
    /// As text: strings as they are, other values as JSON.
    Text,
}

/// A field whose values are in its column and, where they are of another type, in `rest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixedField {
    /// The column.
    pub column: String,
    /// The field's place in `rest`.
    pub path: FieldPath,
    /// How it reads.
    pub reads: Mixed,
}

impl MixedField {
    /// The fields of mixed type that a catalogue has.
    pub fn of(catalogue: &Catalogue) -> Vec<MixedField> {
        let field = |column: &Column| {
            let reads = match catalogue.reads(column)? {
                Reads::Double => Mixed::Double,
                Reads::Text => Mixed::Text,
            };
            Some(MixedField { column: column.name.clone(), path: column.path.clone()?, reads })
        };
        catalogue.schema().columns().iter().filter_map(field).collect()
    }

    /// The type that it reads as.
    pub fn shown_type(&self) -> ColumnType {
        match self.reads {
            Mixed::Double => ColumnType::Double,
            Mixed::Text => ColumnType::Text,
        }
    }
}

/// What a view is made of.
#[derive(Clone, Copy, Debug)]
pub struct ViewParts<'a> {
    /// The name of the view.
    pub name: &'a str,
    /// The stored columns, in order.
    pub columns: &'a [Column],
    /// Absolute paths of Parquet files, each with any of the columns.
    pub files: &'a [String],
    /// Files that are encrypted, by the names of their keys.
    pub encrypted: &'a [(String, Vec<String>)],
    /// Files that hold the columns of rows of other files.
    pub copies: &'a [CopiedRows],
    /// The table of the rows not in Parquet, as SQL, where there are any.
    pub held: Option<&'a str>,
    /// The fields that are also in `rest`.
    pub mixed: &'a [MixedField],
}

/// A file that holds rows of several files, which a column tells apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedRows {
    /// Its absolute path.
    pub file: String,
    /// The column that says which file a row is of.
    pub part: &'static str,
    /// The values of it that are wanted, as ranges with both ends; empty if all are.
    pub parts: Vec<(u32, u32)>,
}

/// The clock in UTC, without a zone: DuckDB's own needs ICU for dates, and for arithmetic on instants.
pub const UTC_CLOCK: &str = "
    CREATE MACRO now() AS system.main.now()::TIMESTAMP;
    CREATE MACRO get_current_timestamp() AS system.main.now()::TIMESTAMP;
    CREATE MACRO transaction_timestamp() AS system.main.now()::TIMESTAMP;
    CREATE MACRO current_localtimestamp() AS system.main.now()::TIMESTAMP;
    CREATE MACRO current_localtime() AS system.main.now()::TIMESTAMP::TIME;
    CREATE MACRO get_current_time() AS system.main.now()::TIMESTAMP::TIME;
    CREATE MACRO current_date() AS system.main.now()::TIMESTAMP::DATE;
    CREATE MACRO today() AS system.main.now()::TIMESTAMP::DATE";

/// The name of the column that holds a row's file; no stored column has a space in its name.
const FILE: &str = "\" file\"";

/// Creates a table for rows of these columns.
pub fn create_table(table: &str, columns: &[Column]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| format!("{} {}", identifier(&column.name), stored_type(column.column_type)))
        .collect();
    format!("CREATE TABLE {table} ({})", columns.join(", "))
}

/// Creates the view: the columns in order, `recorded_at` after the times, `day` last.
///
/// The casts stand right above each source, because DuckDB skips row groups only by filters that reach the
/// scan. With neither files nor held rows it is a view without rows.
pub fn create_view(parts: &ViewParts<'_>) -> String {
    let mut branches = Vec::new();
    let encrypted = parts.encrypted.iter().map(|(key, files)| (Some(key.as_str()), files.as_slice()));
    for (key, files) in std::iter::once((None, parts.files)).chain(encrypted) {
        if files.is_empty() {
            continue;
        }
        let day = if files.iter().all(|file| is_in_day_folder(file)) {
            format!("split_part({FILE}, '/', -2)[5:]::DATE")
        } else {
            day_of_row(parts.columns)
        };
        branches.push(format!(
            "SELECT {} FROM {}",
            selected(parts, &day, RestText::Json),
            files_source(parts, files, key)
        ));
    }
    for copy in parts.copies {
        let (day, source) = (day_of_row(parts.columns), copy_source(parts, copy));
        branches.push(format!("SELECT {} FROM {source}", selected(parts, &day, RestText::Json)));
    }
    if let Some(held) = parts.held {
        let day = day_of_row(parts.columns);
        branches.push(format!("SELECT {} FROM {held}", selected(parts, &day, RestText::Json)));
    }
    if branches.is_empty() {
        let (none, shown) = (no_rows(parts.columns), selected(parts, "NULL::DATE", RestText::Json));
        branches.push(format!("SELECT {shown} FROM ({none})"));
    }
    format!("CREATE VIEW {} AS {}", identifier(parts.name), branches.join(" UNION ALL "))
}

/// Creates or replaces the same view over a table in memory, for a DuckDB that reads neither Parquet nor JSON. For each
/// field of mixed type the table has a column with what `rest` has of it, whose name `in_rest` gives; that of a field
/// of lists also has the lists of the column, as JSON.
pub fn create_view_in_memory(parts: &ViewParts<'_>, in_rest: &dyn Fn(&str) -> String) -> String {
    let shown = selected(parts, &day_of_row(parts.columns), RestText::Columns(in_rest));
    let (name, table) = (identifier(parts.name), parts.held.unwrap_or_default());
    format!("CREATE OR REPLACE VIEW {name} AS SELECT {shown} FROM {table}")
}

/// Creates the view of a small table given as rows: instants without their zone, in UTC.
pub fn create_plain_view(name: &str, table: &str, columns: &[Column]) -> String {
    let shown: Vec<String> = columns.iter().map(shown_column).collect();
    format!("CREATE VIEW {} AS SELECT {} FROM {table}", identifier(name), shown.join(", "))
}

/// Whether the file's folder says the day of its rows: then whole files can be skipped by it.
fn is_in_day_folder(file: &str) -> bool {
    let day = file.rsplit('/').nth(1).and_then(|folder| folder.strip_prefix("day="));
    day.is_some_and(|day| day.len() == 10 && chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok())
}

fn day_of_row(columns: &[Column]) -> String {
    let has = |fixed: Fixed| columns.iter().any(|column| column.name == fixed.name());
    if has(Fixed::Ts) {
        "ts::TIMESTAMP::DATE".to_string()
    } else if has(Fixed::Seq) {
        "make_timestamp(seq)::DATE".to_string()
    } else {
        "NULL::DATE".to_string()
    }
}

/// The files with an explicit schema: nothing is opened to bind it, and a file may lack columns.
fn files_source(parts: &ViewParts<'_>, files: &[String], key: Option<&str>) -> String {
    let schema: Vec<String> = parts.columns.iter().map(schema_entry).collect();
    let files = literals(files.iter().map(|file| path_pattern(file)));
    let key = key.map(|key| format!(", encryption_config = {{footer_key: {}}}", literal(key)));
    let (schema, key) = (schema.join(", "), key.unwrap_or_default());
    format!("read_parquet({files}, schema = MAP {{{schema}}}, filename = ' file'{key})")
}

/// A copy of rows, those that are wanted.
fn copy_source(parts: &ViewParts<'_>, copy: &CopiedRows) -> String {
    let part = Column { name: copy.part.to_string(), column_type: ColumnType::Int32, path: None };
    let schema: Vec<String> = parts.columns.iter().chain([&part]).map(schema_entry).collect();
    let file = literal(&path_pattern(&copy.file));
    let name = identifier(copy.part);
    let ranges: Vec<String> =
        copy.parts.iter().map(|(first, last)| format!("{name} BETWEEN {first} AND {last}")).collect();
    let wanted = if ranges.is_empty() { String::new() } else { format!(" WHERE {}", ranges.join(" OR ")) };
    format!("read_parquet({file}, schema = MAP {{{}}}){wanted}", schema.join(", "))
}

fn schema_entry(column: &Column) -> String {
    let (name, stored) = (literal(&column.name), stored_type(column.column_type));
    format!("{name}: {{name: {name}, type: '{stored}', default_value: NULL}}")
}

fn no_rows(columns: &[Column]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| format!("NULL::{} AS {}", stored_type(column.column_type), identifier(&column.name)))
        .collect();
    format!("SELECT {} WHERE false", columns.join(", "))
}

fn selected(parts: &ViewParts<'_>, day: &str, rest: RestText<'_>) -> String {
    let position_of = |fixed: Fixed| parts.columns.iter().position(|column| column.name == fixed.name());
    let seq = position_of(Fixed::Seq);
    let recorded_after = seq.max(position_of(Fixed::Ts));
    let mut shown = Vec::with_capacity(parts.columns.len() + 2);
    for (position, column) in parts.columns.iter().enumerate() {
        shown.push(match parts.mixed.iter().find(|field| field.column == column.name) {
            Some(field) => mixed_column(column, field, rest),
            None => shown_column(column),
        });
        if seq.is_some() && recorded_after == Some(position) {
            shown.push("make_timestamp(seq) AS recorded_at".to_string());
        }
    }
    shown.push(format!("{day} AS \"day\""));
    shown.join(", ")
}

/// A column as it is shown: instants without their zone, since arithmetic on instants with one needs ICU.
fn shown_column(column: &Column) -> String {
    let name = identifier(&column.name);
    match shown_cast(column.column_type) {
        Some(cast) => format!("{name}{cast} AS {name}"),
        None => name,
    }
}

fn shown_cast(column_type: ColumnType) -> Option<&'static str> {
    match column_type {
        ColumnType::Timestamp => Some("::TIMESTAMP"),
        ColumnType::TimestampList => Some("::TIMESTAMP[]"),
        _ => None,
    }
}

/// Where the text of what `rest` has of a field is.
#[derive(Clone, Copy)]
enum RestText<'a> {
    /// In its JSON.
    Json,
    /// In columns of these names.
    Columns(&'a dyn Fn(&str) -> String),
}

fn mixed_column(column: &Column, field: &MixedField, rest: RestText<'_>) -> String {
    let elsewhere = match rest {
        RestText::Json => json_text(Fixed::Rest.name(), &field.path),
        RestText::Columns(name) => identifier(&name(&field.column)),
    };
    let name = identifier(&column.name);
    let value = format!("{name}{}", shown_cast(column.column_type).unwrap_or_default());
    match field.reads {
        Mixed::Double => format!("coalesce({value}::DOUBLE, TRY_CAST({elsewhere} AS DOUBLE)) AS {name}"),
        Mixed::Text if column.column_type.element().is_some() && matches!(rest, RestText::Columns(_)) => {
            format!("{elsewhere} AS {name}")
        }
        Mixed::Text if column.column_type.element().is_some() => {
            format!("coalesce(to_json({value})::VARCHAR, {elsewhere}) AS {name}")
        }
        Mixed::Text => format!("coalesce({value}::VARCHAR, {elsewhere}) AS {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, column_type: ColumnType) -> Column {
        Column { name: name.to_string(), column_type, path: None }
    }

    fn columns() -> Vec<Column> {
        vec![
            Fixed::Seq.column(),
            Fixed::Ts.column(),
            Fixed::Rest.column(),
            column("offset", ColumnType::TextList),
        ]
    }

    const SHOWN: &str = "seq, ts::TIMESTAMP AS ts, make_timestamp(seq) AS recorded_at, rest, \"offset\"";

    #[test]
    fn files_and_held_rows_are_one_view() {
        let parts = ViewParts {
            name: "events",
            columns: &columns(),
            files: &["/it's/day=2026-02-03/a.parquet".to_string()],
            encrypted: &[],
            copies: &[],
            held: Some("held.events"),
            mixed: &[],
        };
        let expected = format!(
            "CREATE VIEW events AS SELECT {SHOWN}, split_part(\" file\", '/', -2)[5:]::DATE AS \"day\" \
             FROM read_parquet(['/it''s/day=2026-02-03/a.parquet'], schema = MAP {{\
             'seq': {{name: 'seq', type: 'BIGINT', default_value: NULL}}, \
             'ts': {{name: 'ts', type: 'TIMESTAMPTZ', default_value: NULL}}, \
             'rest': {{name: 'rest', type: 'VARCHAR', default_value: NULL}}, \
             'offset': {{name: 'offset', type: 'VARCHAR[]', default_value: NULL}}}}, filename = ' file') \
             UNION ALL SELECT {SHOWN}, ts::TIMESTAMP::DATE AS \"day\" FROM held.events"
        );
        assert_eq!(create_view(&parts), expected);
    }

    #[test]
    fn a_view_of_nothing_has_its_columns() {
        let parts = ViewParts {
            name: "quarantine",
            columns: &columns(),
            files: &[],
            encrypted: &[],
            copies: &[],
            held: None,
            mixed: &[],
        };
        let expected = format!(
            "CREATE VIEW quarantine AS SELECT {SHOWN}, NULL::DATE AS \"day\" FROM (SELECT NULL::BIGINT AS seq, \
             NULL::TIMESTAMPTZ AS ts, NULL::VARCHAR AS rest, NULL::VARCHAR[] AS \"offset\" WHERE false)"
        );
        assert_eq!(create_view(&parts), expected);
    }

    #[test]
    fn the_day_comes_from_the_folder_only_where_every_file_is_in_one() {
        let check = |path: &str, expected: bool| assert_eq!(is_in_day_folder(path), expected, "{path}");
        check("/s/day=2026-02-03/a.parquet", true);
        check("/s/day=2026-02-30/a.parquet", false);
        check("/s/day=2026-2-3/a.parquet", false);
        check("/s/day=2026-02-03/more/a.parquet", false);
        check("a.parquet", false);
    }

    #[test]
    fn mixed_fields_read_both_places() {
        let check = |column_type, reads, expected: &str| {
            let field = MixedField { column: "x".into(), path: FieldPath::new(["x"]), reads };
            assert_eq!(mixed_column(&column("x", column_type), &field, RestText::Json), expected);
        };
        let rest = "json_extract_string(rest, '$.\"x\"')";
        check(
            ColumnType::Int64,
            Mixed::Double,
            &format!("coalesce(x::DOUBLE, TRY_CAST({rest} AS DOUBLE)) AS x"),
        );
        check(ColumnType::Int64, Mixed::Text, &format!("coalesce(x::VARCHAR, {rest}) AS x"));
        check(ColumnType::TextList, Mixed::Text, &format!("coalesce(to_json(x)::VARCHAR, {rest}) AS x"));
        check(ColumnType::Timestamp, Mixed::Text, &format!("coalesce(x::TIMESTAMP::VARCHAR, {rest}) AS x"));
    }

    #[test]
    fn held_tables_keep_the_stored_types() {
        assert_eq!(
            create_table("held.events", &columns()),
            "CREATE TABLE held.events (seq BIGINT, ts TIMESTAMPTZ, rest VARCHAR, \"offset\" VARCHAR[])"
        );
        assert_eq!(
            create_plain_view("commits", "held.commits", &columns()),
            "CREATE VIEW commits AS SELECT seq, ts::TIMESTAMP AS ts, rest, \"offset\" FROM held.commits"
        );
    }
}
