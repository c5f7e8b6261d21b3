//! Batches to bytes.

use super::binary::{ArrowEncoder, ParquetEncoder};
use super::csv::{self, CsvStyle};
use super::{Times, json, markdown};
use crate::error::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

/// A form of rows that programs read, or people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// One JSON object a line.
    JsonLines,
    /// One JSON array of objects.
    Json,
    /// RFC 4180.
    Csv,
    /// A Markdown table.
    Markdown,
    /// A Parquet file.
    Parquet,
    /// An Arrow file, also known as Feather, version 2.
    Arrow,
}

impl OutputFormat {
    /// All of them.
    pub const ALL: [OutputFormat; 6] = [
        OutputFormat::JsonLines,
        OutputFormat::Json,
        OutputFormat::Csv,
        OutputFormat::Markdown,
        OutputFormat::Parquet,
        OutputFormat::Arrow,
    ];

    /// The name, as options have it.
    pub fn name(self) -> &'static str {
        match self {
            OutputFormat::JsonLines => "jsonl",
            OutputFormat::Json => "json",
            OutputFormat::Csv => "csv",
            OutputFormat::Markdown => "markdown",
            OutputFormat::Parquet => "parquet",
            OutputFormat::Arrow => "arrow",
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<OutputFormat> {
        OutputFormat::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Whether it is of no use on a terminal.
    pub fn is_binary(self) -> bool {
        matches!(self, OutputFormat::Parquet | OutputFormat::Arrow)
    }
}

/// How rows are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutputOptions<'a> {
    /// CSV with text as it is, also text that a spreadsheet would run as a formula.
    pub raw_csv: bool,
    /// How CSV and Markdown write instants.
    pub times: Times<'a>,
}

/// Turns batches of one schema into bytes. They are whole only with what [`Encoder::end`] appends.
pub struct Encoder<'a> {
    form: Form<'a>,
    rows: u64,
}

enum Form<'a> {
    JsonLines { keys: Vec<String> },
    Json { keys: Vec<String> },
    Csv { style: CsvStyle<'a> },
    Markdown { times: Times<'a> },
    Parquet(Box<ParquetEncoder>),
    Arrow(Box<ArrowEncoder>),
}

impl<'a> Encoder<'a> {
    /// Begins, and appends what stands in front of the first row.
    pub fn new(
        format: OutputFormat,
        schema: &Schema,
        options: &OutputOptions<'a>,
        out: &mut Vec<u8>,
    ) -> Result<Encoder<'a>> {
        let form = match format {
            OutputFormat::JsonLines => Form::JsonLines { keys: json::keys(schema) },
            OutputFormat::Json => {
                out.push(b'[');
                Form::Json { keys: json::keys(schema) }
            }
            OutputFormat::Csv => {
                let style = CsvStyle { raw: options.raw_csv, times: options.times };
                csv::write_header(out, schema, style);
                Form::Csv { style }
            }
            OutputFormat::Markdown => {
                markdown::write_header(out, schema);
                Form::Markdown { times: options.times }
            }
            OutputFormat::Parquet => Form::Parquet(Box::new(ParquetEncoder::new(schema)?)),
            OutputFormat::Arrow => Form::Arrow(Box::new(ArrowEncoder::new(schema)?)),
        };
        Ok(Encoder { form, rows: 0 })
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes rows, and appends what is complete.
    pub fn add(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        match &mut self.form {
            Form::Parquet(encoder) => encoder.add(batch, out)?,
            Form::Arrow(encoder) => encoder.add(batch, out)?,
            text => {
                for row in 0..batch.num_rows() {
                    let is_first = self.rows == 0 && row == 0;
                    write_row(text, batch, row, is_first, out);
                }
            }
        }
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        Ok(())
    }

    /// Appends the end, and gives the number of rows.
    pub fn end(self, out: &mut Vec<u8>) -> Result<u64> {
        match self.form {
            Form::Json { .. } => out.extend_from_slice(if self.rows > 0 { b"\n]\n" } else { b"]\n" }),
            Form::Parquet(encoder) => encoder.end(out)?,
            Form::Arrow(encoder) => encoder.end(out)?,
            Form::JsonLines { .. } | Form::Csv { .. } | Form::Markdown { .. } => {}
        }
        Ok(self.rows)
    }
}

impl std::fmt::Debug for Encoder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("rows", &self.rows).finish_non_exhaustive()
    }
}

fn write_row(form: &Form<'_>, batch: &RecordBatch, row: usize, is_first: bool, out: &mut Vec<u8>) {
    match form {
        Form::JsonLines { keys } => {
            json::write_row(out, keys, batch, row);
            out.push(b'\n');
        }
        Form::Json { keys } => {
            out.extend_from_slice(if is_first { b"\n" } else { b",\n" });
            json::write_row(out, keys, batch, row);
        }
        Form::Csv { style } => csv::write_row(out, batch, row, *style),
        Form::Markdown { times } => markdown::write_row(out, batch, row, *times),
        Form::Parquet(_) | Form::Arrow(_) => {}
    }
}
