//! What columns there are, and what is in them. How many events have a value is in the footers of files; how many
//! values differ is estimated, in a large store from some of the files.

use super::ask::Asked;
use crate::engine::{Session, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::Reads;
use crate::event::column::{Column, ColumnType};
use crate::keys::reading;
use crate::log::DataFile;
use crate::query::sql::identifier;
use crate::seal::Tables;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use parquet::file::metadata::ParquetMetaData;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;

/// So many columns are looked at in one query.
const COLUMNS_A_QUERY: usize = 64;
/// In a store of more events than this, values are looked at in files with about so many.
const EVENTS_SAMPLED: u64 = 100_000;
/// So many files more are opened for columns that the sample lacks.
const FILES_FOR_OTHERS: usize = 64;

/// The columns of a store.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SchemaReport {
    /// Events in all.
    pub events: u64,
    /// In how many events different values were counted, spread over the store, where these are not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampled: Option<u64>,
    /// The columns, fixed ones first.
    pub columns: Vec<ColumnReport>,
    /// The most columns that fields may have.
    pub limit: usize,
    /// Fields without a column: only `rest` holds them.
    pub in_rest: Vec<String>,
}

/// A column of a store.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnReport {
    /// The name in SQL.
    pub name: String,
    /// The path of its field in the producers' records; none for a fixed column.
    pub path: Option<String>,
    /// The type of the column.
    #[serde(rename = "type")]
    pub column_type: String,
    /// How queries see it, where some values are of another type: `double` or `string`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_as: Option<String>,
    /// Events that have a value.
    pub events: u64,
    /// The same as a share.
    pub share: f64,
    /// About how many different values there are, in the events that were looked at.
    pub distinct: u64,
    /// One value, cut.
    pub example: Option<String>,
}

/// What the values of a column were found to be.
#[derive(Clone, Debug, Default)]
struct Values {
    distinct: u64,
    example: Option<String>,
}

pub fn schema(asked: &Asked<'_>, tables: &Tables) -> Result<SchemaReport> {
    schema_from(asked, tables, EVENTS_SAMPLED)
}

/// The columns; in a store of more events than `sampled`, values are of about so many.
pub fn schema_from(asked: &Asked<'_>, tables: &Tables, sampled: u64) -> Result<SchemaReport> {
    let view = &asked.view;
    let files = &view.events.files;
    let columns = view.catalogue.schema().columns();
    let pending = view.pending.num_rows() as u64;
    let events = files.iter().map(|file| file.rows).sum::<u64>().saturating_add(pending);
    let counted = Counted::of_files(asked, tables, files)?;
    let sample = spread(files, sampled);
    let looked_at = sample.iter().map(|file| file.rows).sum::<u64>().saturating_add(pending);
    let mut values = values(asked, tables, &sample, &|column| counted.events(&column.name) > 0)?;
    let lacking = |column: &Column| {
        let none = values.get(&column.name).is_none_or(|values| values.example.is_none());
        none && counted.events(&column.name) > 0
    };
    let others = counted.files_of(columns.iter().filter(|column| lacking(column)), files);
    if !others.is_empty() {
        let found = self::values(asked, tables, &others, &lacking)?;
        values.extend(found);
    }
    let report = |column: &Column| {
        let (with_value, values) =
            (counted.events(&column.name), values.get(&column.name).cloned().unwrap_or_default());
        ColumnReport {
            name: column.name.clone(),
            path: column.path.as_ref().map(ToString::to_string),
            column_type: column.column_type.name().to_string(),
            read_as: view.catalogue.reads(column).map(|reads| named(reads).to_string()),
            events: with_value,
            share: if events == 0 { 0.0 } else { with_value as f64 / events as f64 },
            distinct: values.distinct.min(with_value),
            example: values.example,
        }
    };
    let mut in_rest: Vec<String> = view.catalogue.fields_in_rest().map(ToString::to_string).collect();
    in_rest.sort();
    Ok(SchemaReport {
        events,
        sampled: (looked_at < events).then_some(looked_at),
        columns: columns.iter().map(report).collect(),
        limit: view.catalogue.columns_max(),
        in_rest,
    })
}

fn named(reads: Reads) -> &'static str {
    match reads {
        Reads::Double => "double",
        Reads::Text => "string",
    }
}

/// How many events have a value, by column.
#[derive(Debug, Default)]
struct Counted {
    by_column: HashMap<String, u64>,
    /// The number of the last file that has values of a column.
    last_file: HashMap<String, usize>,
}

impl Counted {
    /// Counts by the footers; by a query what they do not say: lists, and fields that are partly in `rest`.
    fn of_files(asked: &Asked<'_>, tables: &Tables, files: &[DataFile]) -> Result<Counted> {
        let view = &asked.view;
        let columns = view.catalogue.schema().columns();
        let mut counted = Counted::default();
        let mut unsaid: BTreeSet<String> = asked.mixed.iter().map(|field| field.column.clone()).collect();
        unsaid.extend(columns.iter().filter(|column| is_list(column.column_type)).map(|c| c.name.clone()));
        for (number, file) in files.iter().enumerate() {
            counted.add(number, &footer(tables, file)?, &mut unsaid);
        }
        for (column, array) in columns.iter().zip(view.pending.columns()) {
            let values = array.len().saturating_sub(array.logical_null_count()) as u64;
            let sum = counted.by_column.entry(column.name.clone()).or_default();
            *sum = sum.saturating_add(values);
        }
        let unsaid: Vec<&Column> = columns.iter().filter(|column| unsaid.contains(&column.name)).collect();
        let session = opened(asked, tables, files)?;
        for some in unsaid.chunks(COLUMNS_A_QUERY) {
            let counts = some.iter().map(|column| format!("count({})::BIGINT", identifier(&column.name)));
            let sql = format!("SELECT {} FROM events", counts.collect::<Vec<_>>().join(", "));
            let batch = first_row(&session, &sql)?;
            for (column, count) in some.iter().zip(batch.columns()) {
                counted.by_column.insert(column.name.clone(), number(count));
            }
        }
        Ok(counted)
    }

    fn add(&mut self, number: usize, footer: &ParquetMetaData, unsaid: &mut BTreeSet<String>) {
        for group in footer.row_groups() {
            for chunk in group.columns() {
                let Some(name) = chunk.column_path().parts().first() else { continue };
                let nulls = chunk.statistics().and_then(|statistics| statistics.null_count_opt());
                let values = match nulls {
                    Some(nulls) => u64::try_from(chunk.num_values()).unwrap_or(0).saturating_sub(nulls),
                    None => {
                        unsaid.insert(name.clone());
                        1
                    }
                };
                if values > 0 {
                    let sum = self.by_column.entry(name.clone()).or_default();
                    *sum = sum.saturating_add(values);
                    self.last_file.insert(name.clone(), number);
                }
            }
        }
    }

    fn events(&self, column: &str) -> u64 {
        self.by_column.get(column).copied().unwrap_or(0)
    }

    /// Files that have values of these columns.
    fn files_of<'a>(&self, columns: impl Iterator<Item = &'a Column>, files: &[DataFile]) -> Vec<DataFile> {
        let numbers: BTreeSet<usize> =
            columns.filter_map(|column| self.last_file.get(&column.name).copied()).collect();
        let numbers = numbers.into_iter().rev().take(FILES_FOR_OTHERS);
        numbers.filter_map(|number| files.get(number)).cloned().collect()
    }
}

fn is_list(column_type: ColumnType) -> bool {
    column_type.name().starts_with("list")
}

/// The footer of a data file.
fn footer(tables: &Tables, file: &DataFile) -> Result<ParquetMetaData> {
    let place = tables.place_of("", file)?;
    let opened = File::open(&place).map_err(|error| Error::io("open", place.display(), error))?;
    reading::metadata(&opened, place.keys()).map_err(|error| {
        Error::new(ErrorKind::Corrupt, format!("the data file `{}` cannot be read: {error}", place.display()))
            .with_hint("restore the file from a copy")
    })
}

/// Files that together have about so many rows, spread over all days; the newest is one of them.
fn spread(files: &[DataFile], rows: u64) -> Vec<DataFile> {
    let all: u64 = files.iter().map(|file| file.rows).sum();
    let mut newest_first: Vec<&DataFile> = files.iter().collect();
    newest_first.sort_by_key(|file| std::cmp::Reverse(file.ts_range().map(|(_, last)| last)));
    let step = usize::try_from(all.div_ceil(rows.max(1))).unwrap_or(usize::MAX).max(1);
    newest_first.into_iter().step_by(step).cloned().collect()
}

/// The values of those columns of files that are `wanted`.
fn values(
    asked: &Asked<'_>,
    tables: &Tables,
    files: &[DataFile],
    wanted: &dyn Fn(&Column) -> bool,
) -> Result<BTreeMap<String, Values>> {
    let session = opened(asked, tables, files)?;
    let columns: Vec<&Column> =
        asked.view.catalogue.schema().columns().iter().filter(|column| wanted(column)).collect();
    let mut found = BTreeMap::new();
    for some in columns.chunks(COLUMNS_A_QUERY) {
        let batch = first_row(&session, &look_at(some))?;
        for (column, arrays) in some.iter().zip(batch.columns().chunks(2)) {
            let [distinct, example] = arrays else { continue };
            let example = example.is_valid(0).then(|| example.as_string::<i32>().value(0).to_string());
            found.insert(column.name.clone(), Values { distinct: number(distinct), example });
        }
    }
    Ok(found)
}

/// The SQL that estimates how many values differ, and shows one, of each of some columns.
fn look_at(columns: &[&Column]) -> String {
    let parts = columns.iter().map(|column| {
        let name = identifier(&column.name);
        format!("approx_count_distinct({name})::BIGINT, left(CAST(any_value({name}) AS VARCHAR), 80)")
    });
    format!("SELECT {} FROM events", parts.collect::<Vec<_>>().join(", "))
}

fn opened(asked: &Asked<'_>, tables: &Tables, files: &[DataFile]) -> Result<Session> {
    let events: Table = asked.view.events_table(tables, files, true)?;
    let session = Session::open(vec![events], Vec::new(), &asked.limits)?;
    asked.watch(&session);
    Ok(session)
}

fn number(array: &arrow::array::ArrayRef) -> u64 {
    let number = array.as_primitive_opt::<Int64Type>().filter(|array| !array.is_empty());
    number.and_then(|array| u64::try_from(array.value(0)).ok()).unwrap_or(0)
}

fn first_row(session: &Session, sql: &str) -> Result<RecordBatch> {
    for batch in session.query(sql, &[])? {
        let batch = batch?;
        if batch.num_rows() > 0 {
            return Ok(batch);
        }
    }
    Err(Error::new(ErrorKind::Internal, "an aggregate gave no row"))
}
