//! What is in a store: sizes and spans, and the columns.

use super::reader::View;
use crate::engine::{Session, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::Column;
use crate::event::fixed::Fixed;
use crate::event::time::{day_of, read_text, rfc3339};
use crate::layout;
use crate::log::{At, DataFile};
use crate::query::sql::identifier;
use crate::seal::Tables;
use crate::storage::Storage;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeSet;

/// So many columns are looked at in one query.
const COLUMNS_A_QUERY: usize = 64;
/// In a store of more events, columns are looked at in the newest ones only, about so many.
const EVENTS_WHOLE: u64 = 1_000_000;
const EVENTS_SAMPLED: u64 = 500_000;

/// How much is in a store, and from when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Info {
    /// The folder.
    pub path: String,
    /// The version of the format on disk.
    pub format: u32,
    /// Events, also those not yet in data files.
    pub events: u64,
    /// Days that have events.
    pub days: u64,
    /// Data files of events.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Events that are not yet in data files.
    pub wal_events: u64,
    /// Records in the quarantine.
    pub quarantined: u64,
    /// The version of the Delta table.
    pub version: u64,
    /// When the first event happened.
    pub from: Option<String>,
    /// When the last event happened.
    pub to: Option<String>,
    /// What is wrong, in sentences.
    pub warnings: Vec<String>,
}

/// The columns of a store.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SchemaReport {
    /// Events in all.
    pub events: u64,
    /// How many events were looked at, the newest ones, where these are not all.
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
    /// Events that have a value, of those that were looked at.
    pub events: u64,
    /// The same as a share.
    pub share: f64,
    /// About how many different values there are in them.
    pub distinct: u64,
    /// One value, cut.
    pub example: Option<String>,
}

pub fn info(tables: &Tables) -> Result<Info> {
    let view = View::take(tables, At::Latest)?;
    let pending = view.pending.num_rows() as u64;
    let files = &view.events.files;
    let spans: Vec<(i64, i64)> = files.iter().filter_map(span).chain(pending_span(&view.pending)).collect();
    let mut days: BTreeSet<NaiveDate> = files.iter().map(|file| file.day).collect();
    days.extend(pending_times(&view.pending).map(day_of));
    let mut warnings = tables.warnings();
    warnings
        .extend(view.damage.iter().filter(|damage| !warnings.contains(damage)).cloned().collect::<Vec<_>>());
    let path = tables.storage.local_root().map(|root| root.display().to_string());
    Ok(Info {
        path: path.unwrap_or_default(),
        format: layout::FORMAT_VERSION,
        events: files.iter().map(|file| file.rows).sum::<u64>() + pending,
        days: days.len() as u64,
        files: files.len() as u64,
        bytes: files.iter().map(|file| file.size).sum(),
        wal_events: pending,
        quarantined: view.rejects(),
        version: view.events.version,
        from: spans.iter().map(|(from, _)| *from).min().map(rfc3339),
        to: spans.iter().map(|(_, to)| *to).max().map(rfc3339),
        warnings,
    })
}

pub fn schema(tables: &Tables) -> Result<SchemaReport> {
    schema_from(tables, EVENTS_WHOLE, EVENTS_SAMPLED)
}

/// The columns; in a store of more events than `whole`, as about so many of the newest have them.
pub fn schema_from(tables: &Tables, whole: u64, sampled: u64) -> Result<SchemaReport> {
    let view = View::take(tables, At::Latest)?;
    let pending = view.pending.num_rows() as u64;
    let all = view.events.files.iter().map(|file| file.rows).sum::<u64>().saturating_add(pending);
    let files = match all > whole {
        true => newest(&view.events.files, sampled),
        false => view.events.files.clone(),
    };
    let settled = view.events_table(tables, &files, true)?;
    let read_as = |column: &Column| {
        let reads = view.catalogue.reads(column)?;
        Some(if reads == crate::event::catalogue::Reads::Double { "double" } else { "string" }.to_string())
    };
    let mut columns = Vec::new();
    let session = session(settled)?;
    let events = count(&session)?;
    for some in view.catalogue.schema().columns().chunks(COLUMNS_A_QUERY) {
        let batch = first_row(&session, &look_at(some))?;
        for (position, column) in some.iter().enumerate() {
            let number =
                |place: usize| batch.column(position * 3 + place).as_primitive::<Int64Type>().value(0);
            let example = batch.column(position * 3 + 2);
            let with_value = u64::try_from(number(0)).unwrap_or(0);
            columns.push(ColumnReport {
                name: column.name.clone(),
                path: column.path.as_ref().map(ToString::to_string),
                column_type: column.column_type.name().to_string(),
                read_as: read_as(column),
                events: with_value,
                share: if events == 0 { 0.0 } else { with_value as f64 / events as f64 },
                distinct: u64::try_from(number(1)).unwrap_or(0).min(with_value),
                example: example.is_valid(0).then(|| example.as_string::<i32>().value(0).to_string()),
            });
        }
    }
    let mut in_rest: Vec<String> = view.catalogue.fields_in_rest().map(ToString::to_string).collect();
    in_rest.sort();
    let sampled = (events < all).then_some(events);
    Ok(SchemaReport { events: all, sampled, columns, limit: view.catalogue.columns_max(), in_rest })
}

/// The files of the last days that together have so many rows.
fn newest(files: &[DataFile], rows: u64) -> Vec<DataFile> {
    let mut sorted: Vec<&DataFile> = files.iter().collect();
    sorted.sort_by_key(|file| std::cmp::Reverse(file.ts_range().map(|(_, last)| last)));
    let mut taken = 0_u64;
    let is_enough = |file: &&DataFile| {
        let before = taken;
        taken = taken.saturating_add(file.rows);
        before < rows
    };
    sorted.into_iter().take_while(is_enough).cloned().collect()
}

fn session(events: Table) -> Result<Session> {
    Session::open(vec![events], Vec::new(), &super::options::default_limits())
}

fn count(session: &Session) -> Result<u64> {
    let batch = first_row(session, "SELECT count(*)::BIGINT FROM events")?;
    Ok(u64::try_from(batch.column(0).as_primitive::<Int64Type>().value(0)).unwrap_or(0))
}

/// The SQL that counts, estimates and shows an example of each of some columns.
fn look_at(columns: &[Column]) -> String {
    let parts = columns.iter().map(|column| {
        let name = identifier(&column.name);
        format!(
            "count({name})::BIGINT, approx_count_distinct({name})::BIGINT, \
             left(CAST(any_value({name}) AS VARCHAR), 80)"
        )
    });
    // Columns of one query need names of their own.
    let named = parts.collect::<Vec<_>>().join(", ");
    format!("SELECT {named} FROM events")
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

/// When the first and the last event of a file happened.
fn span(file: &DataFile) -> Option<(i64, i64)> {
    let bound = |bounds: &serde_json::Map<String, serde_json::Value>| {
        Some(read_text(bounds.get(Fixed::Ts.name())?.as_str()?)?.0)
    };
    Some((bound(&file.stats.min)?, bound(&file.stats.max)?))
}

fn pending_times(pending: &RecordBatch) -> impl Iterator<Item = i64> {
    let column = pending.columns().get(Fixed::Ts.position());
    column
        .into_iter()
        .flat_map(|column| column.as_primitive::<TimestampMicrosecondType>().values().iter().copied())
}

fn pending_span(pending: &RecordBatch) -> Option<(i64, i64)> {
    let times = pending.columns().get(Fixed::Ts.position())?.as_primitive::<TimestampMicrosecondType>();
    Some((compute::min(times)?, compute::max(times)?))
}
