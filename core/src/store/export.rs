//! Export: events in a file's format, oldest first, some days at a time.

use super::options::ExportRequest;
use super::reader::View;
use crate::engine::{Rows, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::event::assemble::Assembler;
use crate::event::time::{day_start_us, rfc3339};
use crate::ingest::progress::{Progress, Step, Unit};
use crate::log::DataFile;
use crate::output::{Encoder, OutputFormat, OutputOptions};
use crate::query::filter::{TsSpan, Where};
use crate::query::sql::literal;
use crate::seal::Tables;
use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::NaiveDate;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Days are sorted together until they have so many rows, or fewer where memory is short.
const ROWS_SORTED: u64 = 500_000;
/// The memory that sorting a row is given.
const ROW_BYTES: u64 = 4096;
/// Text is handed on when there is so much of it.
const BYTES_HELD: usize = 1 << 20;

/// What an export needs of the store.
pub struct Exporting<'a> {
    pub tables: &'a Tables,
    pub now_us: i64,
    pub progress: &'a dyn Progress,
    pub stop: &'a AtomicBool,
    /// Hears of each session, so that its query can be interrupted.
    pub watch: &'a dyn Fn(&Session),
}

/// Some days in a row, with their files.
struct Span<'a> {
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
    files: Vec<&'a DataFile>,
}

/// Writes the events, and says how many there were.
pub fn export(context: &Exporting<'_>, request: &ExportRequest, out: &mut dyn Write) -> Result<u64> {
    let is_json = matches!(request.format, OutputFormat::Json | OutputFormat::JsonLines);
    if request.original && !is_json {
        let message = format!("the producers' own records cannot be written as {}", request.format.name());
        return Err(Error::new(ErrorKind::Invalid, message).with_hint("use jsonl or json"));
    }
    let view = View::take(context.tables, request.at)?;
    let condition = condition(&view, request, context.now_us)?;
    let span = condition.as_ref().and_then(|condition| condition.span);
    let files: Vec<&DataFile> = view.events.files.iter().filter(|file| may_match(file, span)).collect();
    let total = files.iter().map(|file| file.rows).sum::<u64>() + view.pending.num_rows() as u64;
    let mut form = Form::new(&view, request);
    let mut seen = 0_u64;
    let rows_sorted = (request.limits.memory_bytes / ROW_BYTES).min(ROWS_SORTED);
    for span in spans(&files, rows_sorted) {
        let rows = answer(context, request, &view, &span, condition.as_ref())?;
        let mut done = Done { context, total, seen };
        form.take(rows, out, &mut done)?;
        seen = seen.saturating_add(span.files.iter().map(|file| file.rows).sum());
    }
    form.end(out)
}

/// The filter as SQL.
fn condition(view: &View, request: &ExportRequest, now_us: i64) -> Result<Option<Where>> {
    let Some(filter) = request.filter.as_ref().filter(|filter| !filter.is_all()) else { return Ok(None) };
    view.condition(filter, now_us).map(Some)
}

fn may_match(file: &DataFile, span: Option<TsSpan>) -> bool {
    match (file.ts_range(), span.map(TsSpan::both_included)) {
        (Some((first, last)), Some((from, to))) => first <= to && last >= from,
        _ => true,
    }
}

fn answer(
    context: &Exporting<'_>,
    request: &ExportRequest,
    view: &View,
    span: &Span<'_>,
    condition: Option<&Where>,
) -> Result<Rows> {
    let files: Vec<DataFile> = span.files.iter().copied().cloned().collect();
    let events = view.events_table(context.tables, &files, !request.original || condition.is_some())?;
    let mut tables = vec![events];
    // Records are put together from the columns as they are stored, and chosen by columns as queries see them.
    let is_joined = request.original && condition.is_some();
    if is_joined {
        let mut stored = view.events_table(context.tables, &files, false)?;
        stored.name = STORED;
        tables.push(stored);
    }
    let session = Session::open(tables, Vec::new(), &request.limits)?;
    (context.watch)(&session);
    let times = times(span.from, span.until);
    let chosen = condition.map_or_else(|| "true".to_string(), |condition| condition.sql.clone());
    let sql = if is_joined {
        format!(
            "SELECT * EXCLUDE (recorded_at, day) FROM {STORED} WHERE {times} \
             AND seq IN (SELECT seq FROM events WHERE {times} AND {chosen}) ORDER BY ts, seq"
        )
    } else {
        // The id of a template says nothing without the dictionary.
        let columns = match request.original {
            true => "* EXCLUDE (recorded_at, day)",
            false => "* EXCLUDE (recorded_at, day, shape) REPLACE (NULL::VARCHAR AS template)",
        };
        format!("SELECT {columns} FROM events WHERE {times} AND {chosen} ORDER BY ts, seq")
    };
    session.query(&sql, condition.map_or(&[], |condition| &condition.parameters))
}

/// The name of the events as they are stored.
const STORED: &str = "stored";

fn times(from: Option<NaiveDate>, until: Option<NaiveDate>) -> String {
    let time =
        |day: NaiveDate| format!("TIMESTAMP {}", literal(rfc3339(day_start_us(day)).trim_end_matches('Z')));
    let from = from.map(|day| format!("ts >= {}", time(day)));
    let until = until.map(|day| format!("ts < {}", time(day)));
    let conditions: Vec<String> = from.into_iter().chain(until).collect();
    if conditions.is_empty() { "true".to_string() } else { conditions.join(" AND ") }
}

/// The days in groups; the first group also has what is before, the last what is after.
fn spans<'a>(files: &[&'a DataFile], rows_sorted: u64) -> Vec<Span<'a>> {
    let mut spans: Vec<Span<'_>> = vec![Span { from: None, until: None, files: Vec::new() }];
    let mut rows = 0;
    for day in files.chunk_by(|a, b| a.day == b.day) {
        let (Some(first), Some(last)) = (day.first(), spans.last_mut()) else { continue };
        let of_day: u64 = day.iter().map(|file| file.rows).sum();
        if rows > 0 && rows + of_day > rows_sorted {
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
        if self.context.stop.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "the export was interrupted"));
        }
        Ok(())
    }
}

/// How events become bytes.
enum Form<'a> {
    Records(Records<'a>),
    Columns(Columned),
}

/// JSON objects.
struct Records<'a> {
    view: &'a View,
    original: bool,
    is_array: bool,
    events: u64,
}

/// A file with columns.
struct Columned {
    format: OutputFormat,
    raw_csv: bool,
    encoder: Option<(Encoder<'static>, SchemaRef)>,
}

impl<'a> Form<'a> {
    fn new(view: &'a View, request: &ExportRequest) -> Form<'a> {
        let (format, raw_csv) = (request.format, request.raw_csv);
        match format {
            OutputFormat::Json | OutputFormat::JsonLines => Form::Records(Records {
                view,
                original: request.original,
                is_array: format == OutputFormat::Json,
                events: 0,
            }),
            _ => Form::Columns(Columned { format, raw_csv, encoder: None }),
        }
    }

    fn take(&mut self, rows: Rows, out: &mut dyn Write, done: &mut Done<'_>) -> Result<()> {
        match self {
            Form::Records(form) => form.take(rows, out, done),
            Form::Columns(form) => form.take(rows, out, done),
        }
    }

    /// Writes the end, and gives the number of events.
    fn end(self, out: &mut dyn Write) -> Result<u64> {
        match self {
            Form::Records(form) => {
                let end: &[u8] = match (form.is_array, form.events) {
                    (true, 0) => b"[]\n",
                    (true, _) => b"\n]\n",
                    (false, _) => b"",
                };
                write(out, end)?;
                Ok(form.events)
            }
            Form::Columns(form) => {
                let Some((encoder, _)) = form.encoder else { return Ok(0) };
                let mut bytes = Vec::new();
                let events = encoder.end(&mut bytes)?;
                write(out, &bytes)?;
                Ok(events)
            }
        }
    }
}

impl Records<'_> {
    fn take(&mut self, rows: Rows, out: &mut dyn Write, done: &mut Done<'_>) -> Result<()> {
        let assembler = Assembler::new(&rows.schema(), &self.view.catalogue);
        let mut lines = Vec::new();
        let before = self.events;
        for batch in rows {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                let between: &[u8] = match (self.is_array, self.events) {
                    (false, _) => b"",
                    (true, 0) => b"[\n",
                    (true, _) => b",\n",
                };
                lines.extend_from_slice(between);
                match self.original {
                    true => assembler.original_into(&batch, row, &mut lines)?,
                    false => assembler.columns_into(&batch, row, &mut lines)?,
                }
                if !self.is_array {
                    lines.push(b'\n');
                }
                self.events = self.events.saturating_add(1);
                if lines.len() >= BYTES_HELD {
                    write(out, &lines)?;
                    lines.clear();
                }
            }
            write(out, &lines)?;
            lines.clear();
            done.update(self.events.saturating_sub(before), self.events)?;
        }
        Ok(())
    }
}

impl Columned {
    fn take(&mut self, rows: Rows, out: &mut dyn Write, done: &mut Done<'_>) -> Result<()> {
        let mut bytes = Vec::new();
        if self.encoder.is_none() {
            let schema = in_utc(&rows.schema());
            let options = OutputOptions { raw_csv: self.raw_csv, ..OutputOptions::default() };
            let encoder = Encoder::new(self.format, &schema, &options, &mut bytes)?;
            self.encoder = Some((encoder, schema));
        }
        let Some((encoder, schema)) = &mut self.encoder else { return Ok(()) };
        let before = encoder.rows();
        for batch in rows {
            encoder.add(&instants(&batch?, schema)?, &mut bytes)?;
            write(out, &bytes)?;
            bytes.clear();
            done.update(encoder.rows().saturating_sub(before), encoder.rows())?;
        }
        write(out, &bytes)
    }
}

fn write(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    out.write_all(bytes).map_err(|error| Error::io("write", "the export", error))
}

/// The columns with their instants in UTC, which queries have without a zone.
fn in_utc(schema: &Schema) -> SchemaRef {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let fields = schema.fields().iter().map(|field| {
        let data_type = match field.data_type() {
            DataType::Timestamp(..) => instant.clone(),
            DataType::List(item) if matches!(item.data_type(), DataType::Timestamp(..)) => {
                DataType::List(Arc::new(item.as_ref().clone().with_data_type(instant.clone())))
            }
            other => other.clone(),
        };
        Field::new(field.name(), data_type, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn instants(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| match column.data_type() == field.data_type() {
        true => Ok(Arc::clone(column)),
        false => cast(column, field.data_type()),
    });
    let batch = columns.collect::<Result<Vec<_>, _>>();
    let batch = batch.and_then(|columns| RecordBatch::try_new(Arc::clone(schema), columns));
    batch.map_err(|error| Error::new(ErrorKind::Internal, "times cannot be put in UTC").with_source(error))
}
