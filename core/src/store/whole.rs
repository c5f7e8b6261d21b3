//! Whole events, read by their numbers. DuckDB is only asked for fields of mixed type.

use super::ask::Asked;
use super::sources::{Batches, LOCATED_FILES, Needs};
use crate::engine::{MixedField, Session, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType, TableSchema};
use crate::event::fixed::Fixed;
use crate::index::FILTERED;
use crate::ingest::arrays::arrow_type;
use crate::ingest::batch::conform;
use crate::ingest::parquet::in_parallel;
use crate::log::DataFile;
use crate::query::analyses::{Analysis, Answer, Fetch, Found, Show};
use crate::query::sql::identifier;
use crate::rows::{self, Place, Source, Within};
use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, TimeUnit, TimestampMicrosecondType};
use std::collections::HashSet;
use std::sync::Arc;

impl Asked<'_> {
    /// Locates an event by its id, and reads it.
    pub(super) fn show(&self, show: &Show) -> Result<Found> {
        self.stop().check()?;
        if let Some(seq) = show.seq() {
            let found = self.shown(&Fetch::seq(seq))?;
            if !found.events.is_empty() {
                return Ok(found);
            }
        }
        self.shown(&self.located(show)?)
    }

    fn shown(&self, fetch: &Fetch) -> Result<Found> {
        if fetch.seqs.is_empty() {
            return Ok(Found::default());
        }
        let (_, batches) = self.whole(fetch)?;
        Ok(Found { events: Answer::of(&batches)?.objects(false), more: fetch.more })
    }

    /// The numbers and times of the events of an id, found in the column of the ids where it alone decides.
    fn located(&self, show: &Show) -> Result<Fetch> {
        self.scoped(|scope| {
            let statements = show.statements(scope)?;
            if let [statement] = statements.as_slice()
                && let [ids] = statement.keys.as_slice()
                && ids.iter().all(|(column, _)| FILTERED.contains(&column.as_str()))
            {
                let needs = Needs::of(statement);
                let columns = [Fixed::Seq, Fixed::Ts].map(|fixed| fixed.column());
                let files = self.files_with(needs)?;
                if let Some(mut found) = self.found(&columns, needs, &files)? {
                    found.push(self.pending_with(needs)?);
                    return Ok(show.fetch(found.iter().flat_map(times_and_numbers).collect()));
                }
            }
            show.report(scope, &self.answers(&statements)?)
        })
    }

    /// The events with certain ids that are not yet in files.
    fn pending_with(&self, needs: Needs<'_>) -> Result<RecordBatch> {
        let numbers = rows::rows_in_batch(&self.view.pending, needs.keys)?;
        let numbers = UInt32Array::from(numbers);
        take_record_batch(&self.view.pending, &numbers).map_err(|error| unfit(&error))
    }

    /// Events with the columns that [`crate::query::analyses::ALL_COLUMNS`] names, the newest first.
    pub(super) fn whole(&self, fetch: &Fetch) -> Result<Batches> {
        let (sources, places) = self.places(fetch)?;
        let stored = self.view.catalogue.schema().columns();
        let shown = stored
            .iter()
            .filter(|column| ![Fixed::Shape.name(), Fixed::Template.name()].contains(&column.name.as_str()));
        let shown: Vec<&Column> = shown.collect();
        let fields: Vec<Field> = shown.iter().map(|column| self.shown_field(column)).collect();
        let schema = Arc::new(Schema::new(fields));
        let mut batches = Vec::new();
        for places in places.chunks(rows::rows_at_once(&sources)) {
            self.stop().check()?;
            let none = |_: &str| None;
            let threads = self.limits.threads;
            let events = rows::read(&sources, places, stored, &none, &|_| None, threads)?;
            let mixed = self.mixed_values(&events)?;
            let array = |field: &Arc<Field>| -> Result<ArrayRef> {
                let of_mixed = mixed.as_ref().and_then(|mixed| mixed.column_by_name(field.name()));
                match of_mixed.or_else(|| events.column_by_name(field.name())) {
                    Some(array) => cast(array, field.data_type()).map_err(|error| unfit(&error)),
                    None => Ok(new_null_array(field.data_type(), events.num_rows())),
                }
            };
            let arrays = schema.fields().iter().map(array).collect::<Result<_>>()?;
            let options = RecordBatchOptions::new().with_row_count(Some(events.num_rows()));
            let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options);
            batches.push(batch.map_err(|error| unfit(&error))?);
        }
        Ok((schema, batches))
    }

    /// Where the events are, the newest first.
    fn places(&self, fetch: &Fetch) -> Result<(Vec<Source>, Vec<Place>)> {
        let mut statement = fetch.locating();
        let mut files = self.files_with(Needs::of(&statement))?;
        if statement.span.is_none() && files.len() >= LOCATED_FILES {
            // Their times tell which files they are in.
            let (_, batches) = self.rows(&statement)?;
            let times: Vec<i64> = batches.iter().flat_map(times_and_numbers).map(|(ts, _)| ts).collect();
            let between = times.iter().min().copied().zip(times.iter().max().copied());
            statement = Fetch { between, ..fetch.clone() }.locating();
            files = match between {
                Some(_) => self.files_with(Needs::of(&statement))?,
                None => Vec::new(),
            };
        }
        let tables = &self.store.tables;
        let open = |file: &DataFile| tables.footers.open(&tables.place_of("", file)?);
        let threads = self.limits.threads.min(files.len());
        let opened = in_parallel(files.iter().collect(), threads, open)?;
        let mut sources: Vec<Source> = opened.into_iter().map(Source::File).collect();
        sources.push(Source::Held(self.view.pending.clone()));
        let chosen: HashSet<i64> = fetch.seqs.iter().copied().collect();
        let within = Within { from: i64::MIN, until: i64::MAX, chosen: Some(&chosen) };
        let mut places = rows::ordered(&sources, &within, self.limits.threads)?;
        places.reverse();
        Ok((sources, places))
    }

    /// A column as DuckDB shows it.
    fn shown_field(&self, column: &Column) -> Field {
        let mixed = self.mixed.iter().find(|field| field.column == column.name);
        let column_type = mixed.map_or(column.column_type, MixedField::shown_type);
        Field::new(&column.name, shown_type(column_type), true)
    }

    /// The fields of mixed type that have a value in one of the events, as queries see them.
    fn mixed_values(&self, events: &RecordBatch) -> Result<Option<RecordBatch>> {
        let has = |name: &str| events.column_by_name(name).is_some();
        let has_rest = has(Fixed::Rest.name());
        let mixed: Vec<MixedField> =
            self.mixed.iter().filter(|field| has_rest || has(&field.column)).cloned().collect();
        if mixed.is_empty() {
            return Ok(None);
        }
        let is_needed = |name: &str| {
            let always = [Fixed::Seq, Fixed::Ts, Fixed::Rest].map(|fixed| fixed.name());
            always.contains(&name) || mixed.iter().any(|field| field.column == name)
        };
        let needed = self.view.catalogue.schema().columns().iter().filter(|column| is_needed(&column.name));
        let schema = TableSchema::of(needed.cloned())?;
        let names: Vec<String> = mixed.iter().map(|field| identifier(&field.column)).collect();
        let table = Table {
            name: "events",
            files: Vec::new(),
            copies: Vec::new(),
            columns: schema.columns().to_vec(),
            pending: vec![conform(events, &schema)?],
            mixed,
        };
        let session = Session::open(vec![table], Vec::new(), &self.limits)?;
        self.watch(&session);
        let sql = format!("SELECT {} FROM events ORDER BY ts DESC, seq DESC", names.join(", "));
        let rows = session.query(&sql, &[])?;
        let schema = rows.schema();
        let batches = rows.collect::<Result<Vec<_>>>()?;
        let values = concat_batches(&schema, &batches).map_err(|error| unfit(&error))?;
        if values.num_rows() != events.num_rows() {
            return Err(Error::new(ErrorKind::Internal, "fields of mixed type are not those of the events"));
        }
        Ok(Some(values))
    }
}

/// The times and numbers of rows.
fn times_and_numbers(batch: &RecordBatch) -> Vec<(i64, i64)> {
    let times = batch.column_by_name(Fixed::Ts.name());
    let times = times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let seqs = batch.column_by_name(Fixed::Seq.name());
    let seqs = seqs.and_then(|column| column.as_primitive_opt::<Int64Type>());
    let (Some(times), Some(seqs)) = (times, seqs) else { return Vec::new() };
    times.values().iter().copied().zip(seqs.values().iter().copied()).collect()
}

/// The name that DuckDB gives the elements of lists.
const ELEMENT: &str = "l";

/// The type of a column as DuckDB gives it: instants without their zone.
fn shown_type(column_type: ColumnType) -> DataType {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, None);
    match (column_type, arrow_type(column_type)) {
        (ColumnType::Timestamp, _) => instant,
        (_, DataType::List(element)) => {
            let is_instant = column_type == ColumnType::TimestampList;
            let shown = if is_instant { instant } else { element.data_type().clone() };
            DataType::List(Arc::new(Field::new(ELEMENT, shown, true)))
        }
        (_, other) => other,
    }
}

fn unfit(error: &arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, format!("the columns of events do not fit together: {error}"))
}
