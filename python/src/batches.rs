//! Answers: record batches that Python takes over the Arrow C stream interface.

use crate::failure::exception;
use crate::work::run;
use arrow::array::RecordBatchReader;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ffi_stream::FFI_ArrowArrayStream;
use arrow::record_batch::RecordBatch;
use daybook::{Error, Interrupter, Result};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

type Rest = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// The answer to a query. What was read of it stays, so that it can be read again.
#[pyclass(frozen, module = "daybook._daybook")]
pub struct Batches {
    shared: Arc<Shared>,
    interrupter: Interrupter,
}

struct Shared {
    schema: SchemaRef,
    state: Mutex<State>,
}

/// What was read, and what is still to come.
struct State {
    read: Vec<RecordBatch>,
    rest: Option<Rest>,
    /// How it ended, if not well.
    failed: Option<Arc<Error>>,
}

impl Batches {
    /// An answer whose batches are still to come.
    pub fn new(
        schema: SchemaRef,
        rest: impl Iterator<Item = Result<RecordBatch>> + Send + 'static,
        interrupter: Interrupter,
    ) -> Batches {
        let state = State { read: Vec::new(), rest: Some(Box::new(rest)), failed: None };
        Batches { shared: Arc::new(Shared { schema, state: Mutex::new(state) }), interrupter }
    }
}

impl Shared {
    /// The batch at a position; none after the last.
    fn at(&self, position: usize) -> Result<Option<RecordBatch>, Arc<Error>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(batch) = state.read.get(position) {
                return Ok(Some(batch.clone()));
            }
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            match state.rest.as_mut().and_then(Iterator::next) {
                Some(Ok(batch)) => state.read.push(batch),
                Some(Err(error)) => {
                    state.rest = None;
                    state.failed = Some(Arc::new(error));
                }
                None => {
                    state.rest = None;
                    return Ok(None);
                }
            }
        }
    }

    /// The next batch, which is forgotten.
    fn take(&self) -> Result<Option<RecordBatch>, Arc<Error>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.read.is_empty() {
            return Ok(Some(state.read.remove(0)));
        }
        match state.rest.as_mut().and_then(Iterator::next) {
            Some(Ok(batch)) => Ok(Some(batch)),
            Some(Err(error)) => {
                state.rest = None;
                Err(Arc::new(error))
            }
            None => Ok(None),
        }
    }
}

/// Reads an answer from its beginning.
struct Replay {
    shared: Arc<Shared>,
    next: usize,
}

impl Iterator for Replay {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.shared.at(self.next).transpose()?;
        self.next = self.next.saturating_add(1);
        Some(batch.map_err(|error| ArrowError::ExternalError(Box::new(error))))
    }
}

impl RecordBatchReader for Replay {
    fn schema(&self) -> SchemaRef {
        self.shared.schema.clone()
    }
}

/// One batch.
struct One {
    schema: SchemaRef,
    batch: Option<RecordBatch>,
}

impl Iterator for One {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch.take().map(Ok)
    }
}

impl RecordBatchReader for One {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

fn capsule<'py>(
    py: Python<'py>,
    reader: impl RecordBatchReader + Send + 'static,
) -> PyResult<Bound<'py, PyCapsule>> {
    let stream = FFI_ArrowArrayStream::new(Box::new(reader));
    PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
}

#[pymethods]
impl Batches {
    /// The names and types of the columns.
    #[getter]
    fn columns(&self) -> Vec<(String, String)> {
        let fields = self.shared.schema.fields().iter();
        fields.map(|field| (field.name().clone(), field.data_type().to_string())).collect()
    }

    /// Reads all of it; gives the number of rows.
    fn collect(&self, py: Python<'_>) -> PyResult<usize> {
        let shared = &self.shared;
        let end = run(py, &self.interrupter, || {
            let mut next = 0_usize;
            loop {
                match shared.at(next) {
                    Ok(Some(_)) => next = next.saturating_add(1),
                    other => return Ok(other.err()),
                }
            }
        })?;
        if let Some(error) = end {
            return Err(exception(py, &error));
        }
        let state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.read.iter().map(RecordBatch::num_rows).sum())
    }

    /// The next batch, as a stream of its own; it is not kept. None at the end.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyCapsule>>> {
        let shared = &self.shared;
        let batch = run(py, &self.interrupter, || Ok(shared.take()))?;
        match batch.map_err(|error| exception(py, &error))? {
            Some(batch) => {
                let one = One { schema: shared.schema.clone(), batch: Some(batch) };
                Ok(Some(capsule(py, one)?))
            }
            None => Ok(None),
        }
    }

    /// The rows as JSON: the names of the columns, and an array for each row, at most so many of them.
    #[pyo3(signature = (limit=None))]
    fn to_json(&self, py: Python<'_>, limit: Option<usize>) -> PyResult<String> {
        let shared = &self.shared;
        let text = run(py, &self.interrupter, || {
            let mut answer = daybook::query::analyses::Answer::default();
            let (mut next, mut left) = (0_usize, limit.unwrap_or(usize::MAX));
            while left > 0 {
                let batch = match shared.at(next) {
                    Ok(Some(batch)) => batch,
                    Ok(None) => break,
                    Err(error) => return Ok(Err(error)),
                };
                let batch = batch.slice(0, batch.num_rows().min(left));
                left = left.saturating_sub(batch.num_rows());
                answer.add(&batch)?;
                next = next.saturating_add(1);
            }
            let columns: Vec<&String> = shared.schema.fields().iter().map(|field| field.name()).collect();
            let rows: Vec<_> = answer.rows.iter().map(|row| &row.0).collect();
            Ok(Ok(json!({ "columns": columns, "rows": rows }).to_string()))
        })?;
        text.map_err(|error| exception(py, &error))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // Whoever asks for other types casts what it gets.
        drop(requested_schema);
        capsule(py, Replay { shared: self.shared.clone(), next: 0 })
    }
}
