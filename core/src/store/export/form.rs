//! How exported events become bytes.

use crate::error::{Error, ErrorKind, Result};
use crate::event::assemble::Assembler;
use crate::event::catalogue::Catalogue;
use crate::output::{Encoder, OutputFormat, OutputOptions};
use crate::store::options::ExportRequest;
use arrow::array::{RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::io::Write;
use std::sync::Arc;

/// Text is handed on when there is so much of it.
const BYTES_HELD: usize = 1 << 20;
/// So many rows have all columns at once, also those without a value.
const ROWS_AT_ONCE: usize = 2048;

/// How events become bytes.
pub(super) enum Form<'a> {
    Records(Records<'a>),
    Columns(Columned),
}

/// JSON objects.
pub(super) struct Records<'a> {
    catalogue: &'a Catalogue,
    original: bool,
    is_array: bool,
    events: u64,
}

/// A file with columns.
pub(super) struct Columned {
    encoder: Encoder<'static>,
    schema: SchemaRef,
    /// The beginning, as long as nothing is written.
    waiting: Vec<u8>,
}

impl<'a> Form<'a> {
    /// One for events with columns of this schema.
    pub(super) fn new(
        catalogue: &'a Catalogue,
        schema: &Schema,
        request: &ExportRequest,
    ) -> Result<Form<'a>> {
        Ok(match request.format {
            OutputFormat::Json | OutputFormat::JsonLines => Form::Records(Records {
                catalogue,
                original: request.original,
                is_array: request.format == OutputFormat::Json,
                events: 0,
            }),
            format => {
                let options = OutputOptions { raw_csv: request.raw_csv, ..OutputOptions::default() };
                let schema = in_utc(schema);
                let mut waiting = Vec::new();
                let encoder = Encoder::new(format, &schema, &options, &mut waiting)?;
                Form::Columns(Columned { encoder, schema, waiting })
            }
        })
    }

    /// Writes events, whose batch may lack columns in which none has a value.
    pub(super) fn take(&mut self, events: &RecordBatch, out: &mut dyn Write) -> Result<()> {
        match self {
            Form::Records(form) => form.take(events, out),
            Form::Columns(form) => form.take(events, out),
        }
    }

    /// How many events there are so far.
    pub(super) fn events(&self) -> u64 {
        match self {
            Form::Records(form) => form.events,
            Form::Columns(form) => form.encoder.rows(),
        }
    }

    /// Writes the end, and gives the number of events.
    pub(super) fn end(self, out: &mut dyn Write) -> Result<u64> {
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
                let mut bytes = form.waiting;
                let events = form.encoder.end(&mut bytes)?;
                write(out, &bytes)?;
                Ok(events)
            }
        }
    }
}

impl Records<'_> {
    fn take(&mut self, events: &RecordBatch, out: &mut dyn Write) -> Result<()> {
        let assembler = Assembler::new(&events.schema(), self.catalogue);
        let mut lines = Vec::new();
        for row in 0..events.num_rows() {
            let between: &[u8] = match (self.is_array, self.events) {
                (false, _) => b"",
                (true, 0) => b"[\n",
                (true, _) => b",\n",
            };
            lines.extend_from_slice(between);
            match self.original {
                true => assembler.original_into(events, row, &mut lines)?,
                false => assembler.columns_into(events, row, &mut lines)?,
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
        write(out, &lines)
    }
}

impl Columned {
    fn take(&mut self, events: &RecordBatch, out: &mut dyn Write) -> Result<()> {
        let mut bytes = std::mem::take(&mut self.waiting);
        let mut from = 0;
        while from < events.num_rows() {
            let rows = ROWS_AT_ONCE.min(events.num_rows().saturating_sub(from));
            self.encoder.add(&whole(&events.slice(from, rows), &self.schema)?, &mut bytes)?;
            write(out, &bytes)?;
            bytes.clear();
            from = from.saturating_add(rows);
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

/// The events with every column, and its type.
fn whole(events: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| match events.column_by_name(field.name()) {
        None => Ok(new_null_array(field.data_type(), events.num_rows())),
        Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
        Some(column) => cast(column, field.data_type()),
    });
    let columns = columns.collect::<Result<Vec<_>, _>>();
    let batch = columns.and_then(|columns| RecordBatch::try_new(Arc::clone(schema), columns));
    batch.map_err(|error| {
        Error::new(ErrorKind::Internal, "events do not fit the export's columns").with_source(error)
    })
}
