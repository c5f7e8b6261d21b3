//! Export: events in a file's format, oldest first.
//!
//! Days are taken one after the other, small ones together. Of a day's events, first their times and numbers are read
//! and sorted; then whole events, in this order, some thousands at a time. DuckDB is only asked which events a filter
//! matches, and for fields of mixed type.

mod form;

use super::ask::Asked;
use super::options::ExportRequest;
use super::sources::narrowed;
use crate::engine::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::Column;
use crate::event::fixed::Fixed;
use crate::event::time::{day_start_us, rfc3339};
use crate::ingest::arrays::arrow_field;
use crate::ingest::progress::{Progress, Step, Unit};
use crate::log::DataFile;
use crate::output::OutputFormat;
use crate::query::analyses::Statement;
use crate::query::filter::{TsSpan, Where};
use crate::query::sql::{identifier, literal};
use crate::rows::{self, DataFileReader, Source, Within};
use crate::seal::Tables;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, Schema};
use chrono::NaiveDate;
use form::Form;
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Days are taken together until they have so many events, or so many files, whose footers are kept in memory.
const EVENTS_A_SPAN: u64 = 200_000;
const FILES_A_SPAN: usize = 256;

/// What an export needs of the store.
pub struct Exporting<'a> {
    pub asked: &'a Asked<'a>,
    pub tables: &'a Tables,
    pub progress: &'a dyn Progress,
    pub stop: &'a AtomicBool,
}

/// Some days in a row, with their files.
struct Span<'a> {
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
    files: Vec<&'a DataFile>,
}

/// What DuckDB says about the events of a span.
#[derive(Default)]
struct Looked {
    /// The numbers of the events that match; none if all do.
    chosen: Option<HashSet<i64>>,
    /// Where the values of mixed fields are, by number.
    mixed: HashMap<i64, (usize, usize)>,
    /// These values, after the numbers.
    batches: Vec<RecordBatch>,
}

/// What takes exported events, the oldest first.
pub trait EventSink {
    /// Takes events, whose batch may lack columns in which none has a value.
    fn take(&mut self, events: &RecordBatch) -> Result<()>;

    /// How many there were so far.
    fn events(&self) -> u64;
}

/// Writes the events, and says how many there were.
pub fn export(context: &Exporting<'_>, request: &ExportRequest, out: &mut dyn Write) -> Result<u64> {
    let columns = columns(context.asked, request);
    let schema = Schema::new(columns.iter().map(arrow_field).collect::<Vec<_>>());
    let form = Form::new(&context.asked.view.catalogue, &schema, request)?;
    let mut written = WrittenForm { form, out };
    export_to(context, request, &mut written)?;
    written.form.end(written.out)
}

/// Events as a file of a format.
struct WrittenForm<'a, 'b> {
    form: Form<'a>,
    out: &'b mut dyn Write,
}

impl EventSink for WrittenForm<'_, '_> {
    fn take(&mut self, events: &RecordBatch) -> Result<()> {
        self.form.take(events, self.out)
    }

    fn events(&self) -> u64 {
        self.form.events()
    }
}

/// Hands the events on.
pub fn export_to(context: &Exporting<'_>, request: &ExportRequest, events: &mut dyn EventSink) -> Result<()> {
    let is_json = matches!(request.format, OutputFormat::Json | OutputFormat::JsonLines);
    if request.original && !is_json {
        let message = format!("the producers' own records cannot be written as {}", request.format.name());
        return Err(Error::new(ErrorKind::Invalid, message).with_hint("use jsonl or json"));
    }
    let view = &context.asked.view;
    let condition = condition(context.asked, request)?;
    let span = condition.as_ref().and_then(|condition| condition.span);
    let files: Vec<&DataFile> = view.events.files.iter().filter(|file| may_match(file, span)).collect();
    let total = files.iter().map(|file| file.rows).sum::<u64>() + view.pending.num_rows() as u64;
    let columns = columns(context.asked, request);
    let (mut done, most) = (Done { context, total, seen: 0 }, request.limit.unwrap_or(u64::MAX));
    for span in spans(&files, EVENTS_A_SPAN) {
        let looked = look(context, request, &span, condition.as_ref())?;
        let before = done.seen;
        write_span(context, &columns, &span, &looked, &mut Sink { to: events, done: &mut done, most })?;
        done.seen = before.saturating_add(span.files.iter().map(|file| file.rows).sum());
        if events.events() >= most {
            break;
        }
    }
    Ok(())
}

/// Where events go.
struct Sink<'a, 'c> {
    to: &'a mut dyn EventSink,
    done: &'a mut Done<'c>,
    most: u64,
}

/// Writes the events of a span that are chosen.
fn write_span(
    context: &Exporting<'_>,
    columns: &[Column],
    span: &Span<'_>,
    looked: &Looked,
    sink: &mut Sink<'_, '_>,
) -> Result<()> {
    let mut sources = Vec::with_capacity(span.files.len().saturating_add(1));
    for file in &span.files {
        let place = context.tables.place_of("", file)?;
        sources.push(Source::File(DataFileReader::open(&place, Arc::default())?));
        sink.done.check()?;
    }
    sources.push(Source::Held(context.asked.view.pending.clone()));
    let within = Within {
        from: span.from.map_or(i64::MIN, day_start_us),
        until: span.until.map_or(i64::MAX, day_start_us),
        chosen: looked.chosen.as_ref(),
    };
    let places = rows::ordered(&sources, &within, 1)?;
    let mut written = 0_u64;
    for places in places.chunks(rows::rows_at_once(&sources)) {
        let room = usize::try_from(sink.most.saturating_sub(sink.to.events())).unwrap_or(usize::MAX);
        let places = places.get(..room).unwrap_or(places);
        let mixed = |name: &str| looked.column(name);
        let place_of = |seq| looked.mixed.get(&seq).copied();
        let events = rows::read(&sources, places, columns, &mixed, &place_of, 1)?;
        sink.to.take(&events)?;
        written = written.saturating_add(places.len() as u64);
        sink.done.update(written, sink.to.events())?;
    }
    sink.done.update(written, sink.to.events())
}

/// The columns that are written: as they are stored, or as queries see them.
fn columns(asked: &Asked<'_>, request: &ExportRequest) -> Vec<Column> {
    let mut columns = asked.view.catalogue.schema().columns().to_vec();
    if request.original {
        return columns;
    }
    // The id of a template says nothing without the dictionary, nor does that of a shape.
    columns.retain(|column| ![Fixed::Shape.name(), Fixed::Template.name()].contains(&column.name.as_str()));
    for field in &asked.mixed {
        columns.iter_mut().filter(|column| column.name == field.column).for_each(|column| {
            column.column_type = field.shown_type();
        });
    }
    columns
}

/// The filter as SQL.
fn condition(asked: &Asked<'_>, request: &ExportRequest) -> Result<Option<Where>> {
    if request.filter.is_all() {
        return Ok(None);
    }
    asked.scoped(|scope| scope.condition(&request.filter)).map(Some)
}

fn may_match(file: &DataFile, span: Option<TsSpan>) -> bool {
    match (file.ts_range(), span.map(TsSpan::both_included)) {
        (Some((first, last)), Some((from, to))) => first <= to && last >= from,
        _ => true,
    }
}

/// Asks which events match, and what their fields of mixed type are.
fn look(
    context: &Exporting<'_>,
    request: &ExportRequest,
    span: &Span<'_>,
    condition: Option<&Where>,
) -> Result<Looked> {
    let asked = context.asked;
    let mixed: Vec<String> = match request.original {
        true => Vec::new(),
        false => asked.mixed.iter().map(|field| identifier(&field.column)).collect(),
    };
    let chosen = match condition {
        Some(condition) => format!("({})", condition.sql),
        None if mixed.is_empty() => return Ok(Looked::default()),
        None => format!("coalesce({}) IS NOT NULL", casts(&mixed)),
    };
    let selected =
        std::iter::once("seq").chain(mixed.iter().map(String::as_str)).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {selected} FROM events WHERE {} AND {chosen}", times(span.from, span.until));
    let parameters = condition.map_or_else(Vec::new, |condition| condition.parameters.clone());
    let statement = Statement { name: "export", sql, parameters, ..Statement::default() };
    let files: Vec<DataFile> = span.files.iter().copied().cloned().collect();
    let statements = std::slice::from_ref(&statement);
    let events = narrowed(asked.view.events_table(context.tables, &files, true)?, statements)?;
    let session = Session::open(vec![events], Vec::new(), &asked.limits)?;
    asked.watch(&session);
    let mut looked = Looked { chosen: condition.map(|_| HashSet::new()), ..Looked::default() };
    for batch in session.query(&statement.sql, &statement.parameters)? {
        looked.add(batch?, !mixed.is_empty());
    }
    Ok(looked)
}

fn casts(columns: &[String]) -> String {
    columns.iter().map(|column| format!("{column}::VARCHAR")).collect::<Vec<_>>().join(", ")
}

impl Looked {
    fn add(&mut self, batch: RecordBatch, has_mixed: bool) {
        let Some(seqs) = batch.columns().first().and_then(|column| column.as_primitive_opt::<Int64Type>())
        else {
            return;
        };
        if let Some(chosen) = &mut self.chosen {
            chosen.extend(seqs.values().iter().copied());
        }
        if has_mixed {
            let number = self.batches.len();
            self.mixed.extend(seqs.values().iter().enumerate().map(|(row, seq)| (*seq, (number, row))));
            self.batches.push(batch);
        }
    }

    /// The values of a mixed field, batch by batch; none if it is not one.
    fn column(&self, name: &str) -> Option<Vec<&dyn Array>> {
        let of_batch = |batch: &'_ RecordBatch| {
            // The first column has the numbers.
            let place = batch.schema().fields().iter().skip(1).position(|field| field.name() == name)?;
            place.checked_add(1)
        };
        let place = of_batch(self.batches.first()?)?;
        Some(self.batches.iter().filter_map(|batch| Some(batch.columns().get(place)?.as_ref())).collect())
    }
}

fn times(from: Option<NaiveDate>, until: Option<NaiveDate>) -> String {
    let time =
        |day: NaiveDate| format!("TIMESTAMP {}", literal(rfc3339(day_start_us(day)).trim_end_matches('Z')));
    let from = from.map(|day| format!("ts >= {}", time(day)));
    let until = until.map(|day| format!("ts < {}", time(day)));
    let conditions: Vec<String> = from.into_iter().chain(until).collect();
    if conditions.is_empty() { "true".to_string() } else { conditions.join(" AND ") }
}

/// The days in groups; the first group also has what is before, the last what is after.
fn spans<'a>(files: &[&'a DataFile], events: u64) -> Vec<Span<'a>> {
    let mut spans: Vec<Span<'_>> = vec![Span { from: None, until: None, files: Vec::new() }];
    let mut rows = 0_u64;
    for day in files.chunk_by(|a, b| a.day == b.day) {
        let (Some(first), Some(last)) = (day.first(), spans.last_mut()) else { continue };
        let of_day: u64 = day.iter().map(|file| file.rows).sum();
        let are_many = rows.saturating_add(of_day) > events || last.files.len() + day.len() > FILES_A_SPAN;
        if rows > 0 && are_many {
            last.until = Some(first.day);
            spans.push(Span { from: Some(first.day), until: None, files: day.to_vec() });
            rows = of_day;
        } else {
            last.files.extend(day);
            rows += of_day;
        }
    }
    spans
}

/// Tells how far it is, and ends it all when it is to stop.
struct Done<'a> {
    context: &'a Exporting<'a>,
    total: u64,
    seen: u64,
}

impl Done<'_> {
    /// So many events of this span, and so many in all, are written.
    fn update(&self, of_span: u64, events: u64) -> Result<()> {
        let done = self.seen.saturating_add(of_span);
        let step = Step { done, total: Some(self.total), unit: Unit::Events, events, note: "" };
        self.context.progress.update(&step);
        self.check()
    }

    fn check(&self) -> Result<()> {
        if self.context.stop.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "the export was interrupted"));
        }
        self.context.asked.limits.check()
    }
}
