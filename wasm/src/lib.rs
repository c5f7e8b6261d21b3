//! Daybook's core for browsers: a bundle's manifest, what a question needs of which file, columns decoded to Arrow, and
//! requests as SQL. It fetches nothing and runs no SQL; the package in `web` does.
#![cfg(target_arch = "wasm32")]

mod asking;
mod events;
mod failure;

use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use daybook::output::{Encoder, OutputFormat, OutputOptions};
use daybook::{Error, ErrorKind, Result};
use failure::{Thrown, thrown};
use std::io::Cursor;
use wasm_bindgen::prelude::wasm_bindgen;

/// Rows of a query, as an Arrow stream, in a format: `parquet`, `arrow`, `csv`, `jsonl`, `json`, `markdown`.
#[wasm_bindgen]
pub fn encode(format: &str, stream: &[u8]) -> std::result::Result<Vec<u8>, Thrown> {
    thrown(encoded(format, stream))
}

/// The value of a parameter, given as JSON, as SQL.
#[wasm_bindgen]
pub fn value(json: &str) -> std::result::Result<String, Thrown> {
    let json = serde_json::from_str(json).map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()));
    thrown(json.and_then(|json| daybook::bundle::value_sql(&json)))
}

fn encoded(format: &str, stream: &[u8]) -> Result<Vec<u8>> {
    let format = OutputFormat::from_name(format)
        .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("there is no format `{format}`")))?;
    let (schema, batches) = rows(stream)?;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(format, &schema, &OutputOptions::default(), &mut bytes)?;
    for batch in &batches {
        encoder.add(batch, &mut bytes)?;
    }
    encoder.end(&mut bytes)?;
    Ok(bytes)
}

/// The rows that DuckDB gives, in Arrow's form for files or for streams.
fn rows(bytes: &[u8]) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    if bytes.starts_with(b"ARROW1") {
        let reader = FileReader::try_new(Cursor::new(bytes), None).map_err(unreadable)?;
        return Ok((reader.schema(), reader.collect::<std::result::Result<_, _>>().map_err(unreadable)?));
    }
    let reader = StreamReader::try_new(bytes, None).map_err(unreadable)?;
    Ok((reader.schema(), reader.collect::<std::result::Result<_, _>>().map_err(unreadable)?))
}

/// What an Arrow stream has besides its values, about.
const HEADERS_BYTES: usize = 64 << 10;

/// Batches of one schema as an Arrow stream; nothing if there are none.
fn stream(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    // Growing would copy what is there again and again.
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    let bytes = Vec::with_capacity(bytes.saturating_add(HEADERS_BYTES));
    let mut writer = StreamWriter::try_new(bytes, &first.schema()).map_err(unreadable)?;
    for batch in batches {
        writer.write(batch).map_err(unreadable)?;
    }
    writer.into_inner().map_err(unreadable)
}

fn unreadable(error: arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "rows cannot be handed over").with_source(error)
}
