//! A store, as `daybook.Store` uses it: what is asked and answered is JSON or Arrow.

use crate::batches::Batches;
use crate::elsewhere;
use crate::failure::exception;
use crate::limits::Limits;
use crate::queue::durability_of;
use crate::sources::{ArrowBytes, PythonFile, demo_lines, ingest_options};
use crate::upkeep::period_of;
use crate::work::run;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use daybook::output::OutputFormat;
use daybook::query::analyses::{Request, prometheus, read_filter};
use daybook::query::filter::Filter;
use daybook::{
    Appended, ArchiveRequest, CompactRequest, EraseRequest, Error, ErrorKind, ExpireRequest, ExportRequest,
    Input, NoProgress, QueryRequest, Result, Store, StoreOptions,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// The version of the package.
#[pyfunction]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// An open store.
#[pyclass(frozen, module = "daybook._daybook")]
pub struct NativeStore {
    store: RwLock<Option<Arc<Store>>>,
}

impl NativeStore {
    /// The store, unless it was closed.
    pub fn get(&self, py: Python<'_>) -> PyResult<Arc<Store>> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        store.clone().ok_or_else(|| exception(py, &Error::new(ErrorKind::Closed, "the store is closed")))
    }

    fn run<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&Store) -> Result<T> + Send) -> PyResult<T> {
        let store = self.get(py)?;
        run(py, &store.interrupter(), || work(&store))
    }
}

#[pymethods]
impl NativeStore {
    /// Opens the store in a folder, or makes one there.
    #[new]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        create: bool,
        archives: Vec<PathBuf>,
        key_file: Option<PathBuf>,
    ) -> PyResult<NativeStore> {
        let opened = py.detach(|| {
            let options = StoreOptions::with_key_file(key_file)?;
            let open = if create { Store::open_or_create_with } else { Store::open_with };
            open(&path, &options)?.with_archives(&archives)
        });
        let store = opened.map_err(|error| exception(py, &error))?;
        Ok(NativeStore { store: RwLock::new(Some(Arc::new(store))) })
    }

    /// Flushes, and lets go of the log.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let store = self.store.write().unwrap_or_else(PoisonError::into_inner).take();
        let closed = py.detach(|| match store {
            None => Ok(()),
            Some(store) => store.flush().and_then(|()| Arc::into_inner(store).map_or(Ok(()), Store::close)),
        });
        closed.map_err(|error| exception(py, &error))
    }

    /// Leaves everything as it is: for a process that was forked. False if another thread of the parent was at it:
    /// then this object must not be let go of.
    fn abandon(&self) -> bool {
        let locked = self.store.try_write();
        locked.map(|mut store| std::mem::forget(store.take())).is_ok()
    }

    /// The answer to SQL. `parameters` is a JSON object.
    fn sql(&self, py: Python<'_>, sql: String, parameters: &str, limits: Limits) -> PyResult<Batches> {
        let mut request = QueryRequest::new(sql);
        request.parameters = object(parameters)?.into_iter().collect();
        request.at = limits.at();
        limits.set(&mut request.limits);
        let rows = self.run(py, |store| store.query(&request))?;
        Ok(Batches::new(rows.schema(), rows, self.get(py)?.interrupter()))
    }

    /// The events that a search finds, and whether there are more.
    fn search(&self, py: Python<'_>, request: &str, text: &str, limits: Limits) -> PyResult<(Batches, bool)> {
        let request = json_of(request)?;
        let found = self.run(py, |store| match Request::from_json(request, &store.context())? {
            Request::Search(search) => store.search(&search, &limits.options(store, text)),
            _ => Err(Error::new(ErrorKind::Invalid, "this is no search")),
        })?;
        let batches = found.batches.into_iter().map(Ok);
        Ok((Batches::new(found.schema, batches, self.get(py)?.interrupter()), found.more))
    }

    /// The answer to an analysis: both are JSON.
    fn ask(&self, py: Python<'_>, request: &str, text: &str, limits: Limits) -> PyResult<String> {
        let request = json_of(request)?;
        self.run(py, |store| Ok(store.ask_json(request, &limits.options(store, text))?.to_string()))
    }

    /// The metrics of a request, as Prometheus' textfile collector reads them.
    fn prometheus(&self, py: Python<'_>, request: &str, text: &str, limits: Limits) -> PyResult<String> {
        let request = json_of(request)?;
        self.run(py, |store| match Request::from_json(request, &store.context())? {
            Request::Metrics(metrics) => {
                let metrics = store.metrics(&metrics, &limits.options(store, text))?;
                Ok(prometheus::text(&metrics.window, &metrics.store))
            }
            _ => Err(Error::new(ErrorKind::Invalid, "these are no metrics")),
        })
    }

    /// The audit report of a period: `json`, `md` or `html`.
    fn audit(
        &self,
        py: Python<'_>,
        period: (String, Option<String>),
        filter: &str,
        text: &str,
        form: &str,
        limits: Limits,
    ) -> PyResult<String> {
        let (filter, (from, to)) = (json_of(filter)?, period);
        if !["json", "md", "html"].contains(&form) {
            return Err(PyValueError::new_err("the name of a report ends in .json, .md or .html"));
        }
        self.run(py, |store| {
            let filter = read_filter(&filter, &store.context())?;
            let options = limits.options(store, text);
            let report = store.audit_between(&from, to.as_deref(), None, filter, &options)?;
            match form {
                "md" => Ok(report.to_markdown()),
                "html" => Ok(report.to_html()),
                _ => to_json(&report),
            }
        })
    }

    /// The columns of the events and what is in them, as JSON.
    fn schema(&self, py: Python<'_>, limits: Limits) -> PyResult<String> {
        self.run(py, |store| to_json(&store.schema(&limits.options(store, ""))?))
    }

    /// How much is in the store, as JSON.
    fn info(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, |store| to_json(&store.info()?))
    }

    /// Reads everything again and compares it with the hash chain, and with a head that was written down; `deep`
    /// hashes all rows anew, too.
    #[pyo3(signature = (against=None, deep=false))]
    fn verify(&self, py: Python<'_>, against: Option<String>, deep: bool) -> PyResult<String> {
        self.run(py, |store| {
            let against = against.as_deref().map(str::parse).transpose()?;
            to_json(&store.verify(&daybook::verify::VerifyRequest { against, deep }, &NoProgress)?)
        })
    }

    /// The head of the hash chain.
    fn head(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, |store| Ok(store.head()?.to_string()))
    }

    /// Appends a JSON object; gives its number, and why it could not be read if it could not.
    fn append(&self, py: Python<'_>, record: &[u8], durability: &str) -> PyResult<(i64, Option<String>)> {
        let (store, durability) = (self.get(py)?, durability_of(durability)?);
        match py.detach(|| store.append_json(record, durability)).map_err(|error| exception(py, &error))? {
            Appended::Stored { seq } => Ok((seq, None)),
            Appended::Quarantined { seq, reason } => Ok((seq, Some(reason))),
        }
    }

    /// Returns once everything appended is on disk.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, Store::flush)
    }

    /// Makes Parquet of everything appended.
    fn seal(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, Store::seal)
    }

    /// Stores the events of files, folders and patterns.
    fn ingest_paths(&self, py: Python<'_>, paths: Vec<PathBuf>, options: &str) -> PyResult<String> {
        let options = ingest_options(options)?;
        self.run(py, |store| {
            let expanded = daybook::expand(&paths)?;
            let receipt = store.ingest(expanded.inputs, &options, &NoProgress)?;
            let mut json = serde_json::to_value(&receipt).map_err(|error| unexpected(&error))?;
            if let (Some(json), false) = (json.as_object_mut(), expanded.notes.is_empty()) {
                json.insert("notes".to_string(), json!(expanded.notes));
            }
            Ok(json.to_string())
        })
    }

    /// Stores the events of some bytes.
    fn ingest_bytes(&self, py: Python<'_>, name: String, bytes: Vec<u8>, options: &str) -> PyResult<String> {
        let reader = Box::new(std::io::Cursor::new(bytes));
        self.ingest_reader(py, Input::Reader { name, reader }, options)
    }

    /// Stores the events of an object with a method `read(size)` that gives bytes.
    fn ingest_file(&self, py: Python<'_>, name: String, file: Py<PyAny>, options: &str) -> PyResult<String> {
        self.ingest_reader(py, Input::Reader { name, reader: Box::new(PythonFile { file }) }, options)
    }

    /// Stores the rows of an Arrow stream.
    fn ingest_arrow(
        &self,
        py: Python<'_>,
        name: String,
        stream: &Bound<'_, PyCapsule>,
        options: &str,
    ) -> PyResult<String> {
        let reader = Box::new(ArrowBytes::open(stream)?);
        self.ingest_reader(py, Input::Reader { name, reader }, options)
    }

    /// Stores a year of about so many sample events, up to a day.
    fn ingest_demo(&self, py: Python<'_>, until: &str, events: f64) -> PyResult<String> {
        let until =
            until.parse().map_err(|_| PyValueError::new_err("`until` is no day such as 2026-02-03"))?;
        let reader = Box::new(demo_lines(until, events));
        self.ingest_reader(py, Input::Reader { name: format!("demo until {until}"), reader }, "{}")
    }

    /// What ingesting files would do, as JSON.
    fn explain(&self, py: Python<'_>, path: PathBuf, options: &str) -> PyResult<String> {
        let options = ingest_options(options)?;
        self.run(py, |store| to_json(&store.explain(Input::File(path), &options)?))
    }

    /// Writes events to a file, which gets its name once it is complete; gives their number.
    #[pyo3(signature = (path, format, filter, text, limits, original=false, raw_csv=false, limit=None))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn export(
        &self,
        py: Python<'_>,
        path: PathBuf,
        format: &str,
        filter: &str,
        text: &str,
        limits: Limits,
        original: bool,
        raw_csv: bool,
        limit: Option<u64>,
    ) -> PyResult<u64> {
        let format = OutputFormat::from_name(format)
            .ok_or_else(|| PyValueError::new_err(format!("there is no format `{format}`")))?;
        let filter = json_of(filter)?;
        self.run(py, |store| {
            let filter: Filter = read_filter(&filter, &store.context())?;
            let request = ExportRequest { format, original, raw_csv, filter, limit };
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let failed = |error| Error::io("write", path.display(), error);
            let mut file = tempfile::Builder::new()
                .prefix(".daybook-")
                .tempfile_in(folder.unwrap_or(std::path::Path::new(".")))
                .map_err(failed)?;
            let events =
                store.export(&request, &limits.options(store, text), file.as_file_mut(), &NoProgress)?;
            file.as_file().sync_all().map_err(failed)?;
            file.persist(&path).map_err(|error| failed(error.error))?;
            Ok(events)
        })
    }

    /// Makes few files of many, or says what it would do.
    #[pyo3(signature = (day=None, dry_run=false))]
    fn compact(&self, py: Python<'_>, day: Option<&str>, dry_run: bool) -> PyResult<String> {
        let day = day.map(str::parse).transpose();
        let day = day.map_err(|_| PyValueError::new_err("`day` is no day such as 2026-02-03"))?;
        let request = CompactRequest { day, dry_run };
        self.run(py, |store| to_json(&store.compact(&request, &NoProgress)?))
    }

    /// Takes events out that are old enough, or too many, or says what it would do.
    fn expire(
        &self,
        py: Python<'_>,
        older_than_ms: Option<i64>,
        max_bytes: Option<u64>,
        filter: &str,
        text: String,
        dry_run: bool,
    ) -> PyResult<String> {
        let filter = json_of(filter)?;
        self.run(py, |store| {
            let filter = read_filter(&filter, &store.context())?;
            let request = ExpireRequest { older_than_ms, max_bytes, filter, text, dry_run, is_policy: false };
            to_json(&store.expire(&request, &NoProgress)?)
        })
    }

    /// Takes events out, or blanks fields of them, from every version; also says whether nothing may be left.
    fn erase(
        &self,
        py: Python<'_>,
        filter: &str,
        text: String,
        reason: String,
        redact: Vec<String>,
        dry_run: bool,
    ) -> PyResult<(String, bool)> {
        let filter = json_of(filter)?;
        self.run(py, |store| {
            let filter = read_filter(&filter, &store.context())?;
            let request = EraseRequest { filter, text, reason, redact, dry_run };
            let receipt = store.erase(&request, &NoProgress)?;
            Ok((to_json(&receipt)?, receipt.is_complete()))
        })
    }

    /// Moves the days of a period to a store of their own.
    fn archive(
        &self,
        py: Python<'_>,
        folder: PathBuf,
        period: (String, String),
        keep: bool,
    ) -> PyResult<String> {
        let period = period_of(&period)?;
        self.run(py, |store| {
            to_json(&store.archive(&folder, &ArchiveRequest { period, keep }, &NoProgress)?)
        })
    }

    /// Brings the days of an archive back, or those of a period.
    fn restore(&self, py: Python<'_>, folder: PathBuf, period: Option<(String, String)>) -> PyResult<String> {
        let period = period.as_ref().map(period_of).transpose()?;
        self.run(py, |store| to_json(&store.restore(&folder, period, &NoProgress)?))
    }

    /// All upkeep that the settings ask for, or what it would do.
    fn maintain(&self, py: Python<'_>, dry_run: bool) -> PyResult<String> {
        self.run(py, |store| to_json(&store.maintain(dry_run, &NoProgress)?))
    }

    /// Encrypts what is not, or with another key than the first.
    fn encrypt(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, |store| to_json(&store.encrypt(&NoProgress)?))
    }

    /// Makes a consistent copy in a folder.
    fn backup(&self, py: Python<'_>, folder: PathBuf) -> PyResult<String> {
        self.run(py, |store| to_json(&store.backup(&folder, &NoProgress)?))
    }

    /// The files and columns of a version, for another engine.
    fn elsewhere(&self, py: Python<'_>, limits: Limits) -> PyResult<String> {
        self.run(py, |store| to_json(&store.elsewhere(limits.at())?))
    }

    /// The SQL of a filter's condition for another engine, with its parameters.
    fn condition(&self, py: Python<'_>, filter: &str, text: &str, limits: Limits) -> PyResult<String> {
        let filter = json_of(filter)?;
        self.run(py, |store| {
            Ok(elsewhere::of_statement(&store.condition_elsewhere(&filter, &limits.options(store, text))?)
                .to_string())
        })
    }

    /// The queries of an analysis that are still to be answered by another engine.
    fn statements(
        &self,
        py: Python<'_>,
        request: &str,
        text: &str,
        answers: &str,
        limits: Limits,
    ) -> PyResult<String> {
        let (request, answers) = (json_of(request)?, elsewhere::answers_of(answers)?);
        self.run(py, |store| {
            let options = limits.options(store, text);
            let statements = store.statements_elsewhere(request, &answers, &options)?;
            Ok(Json::from_iter(statements.iter().map(elsewhere::of_statement)).to_string())
        })
    }

    /// The report of an analysis that another engine answered.
    fn report(
        &self,
        py: Python<'_>,
        request: &str,
        text: &str,
        answers: &str,
        limits: Limits,
    ) -> PyResult<String> {
        let (request, answers) = (json_of(request)?, elsewhere::answers_of(answers)?);
        self.run(py, |store| {
            Ok(store.report_elsewhere(request, &answers, &limits.options(store, text))?.to_string())
        })
    }

    /// What could not be read, counted, as JSON.
    fn quarantined(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, |store| to_json(&store.quarantined(&daybook::QuarantineFilter::default())?))
    }

    /// Events that came since a cursor, the cursor after them, and whether there are more already.
    fn changes(
        &self,
        py: Python<'_>,
        cursor: Option<String>,
        limit: usize,
    ) -> PyResult<(Batches, String, bool)> {
        let changes = self.run(py, |store| store.changes(cursor.as_deref(), limit))?;
        let schema = changes.events.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        let batches = changes.events.into_iter().map(Ok);
        Ok((Batches::new(schema, batches, self.get(py)?.interrupter()), changes.cursor, changes.more))
    }

    /// The cursor after all events.
    fn now(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, Store::changes_from_now)
    }

    /// What opening found wrong.
    fn warnings(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.get(py)?.warnings())
    }

    /// Stops what the store does in other threads.
    fn interrupt(&self, py: Python<'_>) -> PyResult<()> {
        self.get(py)?.interrupter().interrupt();
        Ok(())
    }
}

impl NativeStore {
    fn ingest_reader(&self, py: Python<'_>, input: Input, options: &str) -> PyResult<String> {
        let options = ingest_options(options)?;
        self.run(py, |store| to_json(&store.ingest(vec![input], &options, &NoProgress)?))
    }
}

pub fn json_of(text: &str) -> PyResult<Json> {
    serde_json::from_str(text).map_err(|error| PyValueError::new_err(error.to_string()))
}

pub fn object(text: &str) -> PyResult<serde_json::Map<String, Json>> {
    match json_of(text)? {
        Json::Object(object) => Ok(object),
        _ => Err(PyValueError::new_err("this is no object")),
    }
}

pub fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| unexpected(&error))
}

fn unexpected(error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, error.to_string())
}
