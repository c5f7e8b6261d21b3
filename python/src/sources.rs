//! What is ingested: files of Python's, streams of Arrow, and how to read them.

use crate::store::object;
use arrow::array::RecordBatchReader;
use arrow::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow::ipc::writer::StreamWriter;
use chrono::NaiveDate;
use daybook::demo::DemoOptions;
use daybook::{Encoding, Format, IngestOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule};
use serde_json::Value as Json;
use std::io::{Cursor, Read};

/// A file object of Python's.
pub struct PythonFile {
    /// It has a method `read`.
    pub file: Py<PyAny>,
}

impl Read for PythonFile {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let failed = |error: PyErr| std::io::Error::other(error.to_string());
        Python::attach(|py| {
            let bytes = self.file.call_method1(py, "read", (buffer.len(),)).map_err(failed)?;
            let bytes = bytes
                .bind(py)
                .cast::<PyBytes>()
                .map_err(|_| std::io::Error::other("`read` gave no bytes: open the file in binary mode"))?;
            let bytes = bytes.as_bytes();
            let room = buffer
                .get_mut(..bytes.len())
                .ok_or_else(|| std::io::Error::other("`read` gave more bytes than it was asked for"))?;
            room.copy_from_slice(bytes);
            Ok(bytes.len())
        })
    }
}

/// The sample events, as lines.
pub fn demo_lines(until: NaiveDate, events: f64) -> impl Read + Send + 'static {
    let mut options = DemoOptions::new(until);
    options.events_per_day = events / f64::from(options.days);
    let lines = daybook::demo::events(&options).map(|event| Cursor::new(event.record + "\n"));
    Chained { readers: lines.fuse(), open: None }
}

/// Readers one after the other.
struct Chained<I> {
    readers: I,
    open: Option<Cursor<String>>,
}

impl<I: Iterator<Item = Cursor<String>>> Read for Chained<I> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let count = self.open.as_mut().map_or(Ok(0), |open| open.read(buffer))?;
            if count > 0 {
                return Ok(count);
            }
            self.open = self.readers.next();
            if self.open.is_none() {
                return Ok(0);
            }
        }
    }
}

/// The rows of an Arrow stream as a file of them, made while it is read.
pub struct ArrowBytes {
    batches: RecordBatchStreamReader,
    /// None once all is written.
    writer: Option<StreamWriter<Vec<u8>>>,
    ready: Vec<u8>,
    taken: usize,
}

impl ArrowBytes {
    /// Takes the stream of a capsule.
    pub fn open(stream: &Bound<'_, PyCapsule>) -> PyResult<ArrowBytes> {
        let pointer = stream.pointer_checked(Some(c"arrow_array_stream"))?.cast::<FFI_ArrowArrayStream>();
        let failed = |error: arrow::error::ArrowError| PyValueError::new_err(error.to_string());
        // SAFETY: a capsule of this name holds a stream, by the Arrow PyCapsule interface; reading from it takes the
        // stream out and leaves a released one, which the capsule's destructor knows to leave alone.
        let batches = unsafe { RecordBatchStreamReader::from_raw(pointer.as_ptr()) }.map_err(failed)?;
        let writer = StreamWriter::try_new(Vec::new(), &batches.schema()).map_err(failed)?;
        Ok(ArrowBytes { batches, writer: Some(writer), ready: Vec::new(), taken: 0 })
    }

    fn fill(&mut self) -> Result<(), arrow::error::ArrowError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        match self.batches.next() {
            Some(batch) => {
                writer.write(&batch?)?;
                std::mem::swap(&mut self.ready, writer.get_mut());
                writer.get_mut().clear();
            }
            None => {
                writer.finish()?;
                std::mem::swap(&mut self.ready, writer.get_mut());
                self.writer = None;
            }
        }
        self.taken = 0;
        Ok(())
    }
}

impl Read for ArrowBytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.taken >= self.ready.len() && self.writer.is_some() {
            self.fill().map_err(std::io::Error::other)?;
        }
        let left = self.ready.get(self.taken..).unwrap_or_default();
        let count = left.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(left) {
            *to = *from;
        }
        self.taken = self.taken.saturating_add(count);
        if self.taken >= self.ready.len() {
            self.ready.clear();
            self.taken = 0;
        }
        Ok(count)
    }
}

/// How to read what is ingested, from a JSON object.
pub fn ingest_options(options: &str) -> PyResult<IngestOptions> {
    let options = object(options)?;
    let text = |name: &str| options.get(name).and_then(Json::as_str).map(str::to_string);
    let no = |what: &str, name: &str| PyValueError::new_err(format!("there is no {what} `{name}`"));
    let mut read =
        IngestOptions { header: text("header"), mapping: text("mapping"), ..IngestOptions::default() };
    if let Some(name) = text("from") {
        read.from = Some(Format::from_name(&name).ok_or_else(|| no("format", &name))?);
    }
    if let Some(name) = text("encoding") {
        read.encoding = Some(Encoding::from_name(&name).ok_or_else(|| no("encoding", &name))?);
    }
    read.strict = options.get("strict").and_then(Json::as_bool).unwrap_or_default();
    let map = options.get("map").and_then(Json::as_object).into_iter().flatten();
    read.map = map.filter_map(|(column, path)| Some((column.clone(), path.as_str()?.to_string()))).collect();
    Ok(read)
}
