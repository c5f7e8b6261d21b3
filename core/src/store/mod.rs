//! The store: everything an application does with its events.

mod ask;
mod bundle;
mod changes;
mod commits;
mod condition;
mod elsewhere;
mod encryption;
mod export;
mod follow;
mod intake;
mod options;
mod patterns;
mod proving;
mod quarantine;
mod reader;
mod reports;
mod schema;
mod search;
mod sessions;
mod sources;
mod tail;
mod templates;
mod upkeep;
mod whole;
mod writer;

use crate::engine::{Interrupter as QueryInterrupter, Rows, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::Catalogue;
use crate::event::column::Column;
use crate::event::fixed;
use crate::event::record::Event;
use crate::ingest::blocks::kept_of;
use crate::ingest::explain::{self, ExplainContext, Explanation};
use crate::ingest::input::Input;
use crate::ingest::pipeline::{self, Context};
use crate::ingest::progress::Progress;
use crate::ingest::register::Register;
use crate::layout;
use crate::log::{At, Log, NewTable};
use crate::quarantine::Reject;
use crate::redact::Rules;
use crate::seal::{RECORD, REJECT, Tables};
use crate::settings::Settings;
use crate::storage::{LocalStorage, Storage, TEMPORARY};
use crate::wal::{Clock, Durability};
use ask::Asked;
use reader::View;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use writer::Writer;

pub use ask::{AskOptions, FoundBatches, found};
pub use bundle::{BundleReceipt, BundleRequest};
pub use changes::Changes;
pub use condition::MetricsOfStore;
pub use elsewhere::{ColumnElsewhere, Elsewhere, TableElsewhere};
pub use encryption::StoreOptions;
pub use follow::Watcher;
pub use options::{Appended, ExportRequest, IngestOptions, QueryRequest, Receipt};
pub use quarantine::{
    InputGroup, QuarantineFilter, QuarantinePage, QuarantineSummary, Quarantined, ReasonCount, ReasonGroup,
    RetryOptions, RetryReceipt,
};
pub use reports::Info;
pub use schema::{ColumnReport, SchemaReport};
pub use tail::Tail;
pub use upkeep::{ArchiveRequest, ColumnSize, DaySize, EraseRequest, KeepReport, MaintainReceipt, Quota};

/// A store of events in a folder.
///
/// It may be used from many threads, and by several processes at once. Reading needs no lock; whoever
/// writes first makes a log of its own.
pub struct Store {
    tables: Arc<Tables>,
    settings: Settings,
    clock: Clock,
    intakes: intake::Intakes,
    /// Archives of this store, which questions are about, too.
    archives: Vec<Store>,
    writer: Mutex<Option<Arc<Writer>>>,
    stop: Arc<AtomicBool>,
    interrupts: Arc<AtomicU64>,
    running: Arc<Mutex<Vec<QueryInterrupter>>>,
    sessions: sessions::Sessions,
    heads: proving::Heads,
}

/// Stops what a store is doing, from any thread or signal handler's thread.
#[derive(Clone)]
pub struct Interrupter {
    stop: Arc<AtomicBool>,
    interrupts: Arc<AtomicU64>,
    running: Arc<Mutex<Vec<QueryInterrupter>>>,
}

impl Store {
    /// Opens the store in a folder, or in a bucket: `s3://bucket/prefix`.
    pub fn open(path: &Path) -> Result<Store> {
        Store::open_with(path, &StoreOptions::default())
    }

    /// Opens the store in a folder or a bucket, or makes one there.
    pub fn open_or_create(path: &Path) -> Result<Store> {
        Store::open_or_create_with(path, &StoreOptions::default())
    }

    /// Opens the store in a folder, with keys.
    pub fn open_with(path: &Path, options: &StoreOptions) -> Result<Store> {
        Store::open_storage(LocalStorage::open(path)?.with_keys(options.keys.clone()), system_clock())
    }

    /// Opens the store in a folder, or makes one there, with keys.
    pub fn open_or_create_with(path: &Path, options: &StoreOptions) -> Result<Store> {
        Store::create_storage(LocalStorage::open(path)?.with_keys(options.keys.clone()), system_clock())
    }

    /// Opens the store of a storage.
    pub fn open_storage(storage: LocalStorage, clock: Clock) -> Result<Store> {
        let storage = Arc::new(encryption::with_keys(storage)?);
        check_complete(&storage)?;
        let shared: Arc<dyn Storage> = storage.clone();
        let events = Log::open(shared.clone(), "").map_err(|error| no_store(error, &storage))?;
        encryption::unlock(&storage)?;
        let quarantine = match Log::open(shared.clone(), layout::QUARANTINE) {
            // Whoever made the store was stopped between its two tables.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Log::create(shared, layout::QUARANTINE, &quarantine_table(), clock() / 1000)?
            }
            opened => opened?,
        };
        Store::with_tables(storage, events, quarantine, clock)
    }

    /// Opens the store of a storage, or makes one there.
    pub fn create_storage(storage: LocalStorage, clock: Clock) -> Result<Store> {
        let storage = Arc::new(encryption::with_keys(storage)?);
        check_complete(&storage)?;
        let shared: Arc<dyn Storage> = storage.clone();
        let settings = Settings::load(&*storage)?;
        check_place(&storage)?;
        encryption::unlock(&storage)?;
        let now_ms = clock() / 1000;
        let events = Log::create(shared.clone(), "", &events_table(&settings), now_ms)?;
        let quarantine = Log::create(shared, layout::QUARANTINE, &quarantine_table(), now_ms)?;
        Store::with_tables(storage, events, quarantine, clock)
    }

    fn with_tables(storage: Arc<LocalStorage>, events: Log, quarantine: Log, clock: Clock) -> Result<Store> {
        let settings = Settings::load(&*storage)?;
        let register = Register::open(storage.clone(), settings.max_columns)?;
        if events.snapshot(At::Latest)?.schema.columns().len() > register.latest()?.schema().columns().len() {
            let message = format!("`{}` lacks columns that the table has", layout::SHAPES);
            let error = Error::new(ErrorKind::Corrupt, message);
            return Err(
                error.with_hint("restore that folder from a copy; without it, events cannot be read whole")
            );
        }
        let intakes = intake::Intakes::new(storage.clone(), settings.redact.clone());
        let tables = Arc::new(Tables::new(storage, events, quarantine, register));
        let heads = proving::Heads::new(&tables, &settings.heads)?;
        let (writer, stop, interrupts) = (Mutex::new(None), Arc::default(), Arc::default());
        let (archives, running, sessions) = (Vec::new(), Arc::default(), sessions::Sessions::default());
        Ok(Store {
            tables,
            settings,
            clock,
            intakes,
            archives,
            writer,
            stop,
            interrupts,
            running,
            sessions,
            heads,
        })
    }

    /// Appends an event, and gives its `seq` once it is acknowledged.
    pub fn append(&self, event: &Event, durability: Durability) -> Result<i64> {
        let record = event.to_json();
        let record = self.intakes.checked(&record, (self.clock)())?;
        self.appender()?.append(RECORD, &record, durability)
    }

    /// Appends an event that is a JSON object; what cannot be read goes to the quarantine, as durably.
    pub fn append_json(&self, line: &[u8], durability: Durability) -> Result<Appended> {
        let writer = self.appender()?;
        match self.intakes.checked(line, (self.clock)()) {
            Ok(record) => Ok(Appended::Stored { seq: writer.append(RECORD, &record, durability)? }),
            Err(error) if error.kind() == ErrorKind::Invalid => {
                let reason = error.message().to_string();
                let reject = Reject {
                    seq: 0,
                    raw: self.intakes.raw(kept_of(line))?,
                    reason: reason.clone(),
                    input: "append".to_string(),
                    byte_offset: 0,
                    format: "jsonl".to_string(),
                    header: None,
                };
                let seq = writer.append(REJECT, &reject.to_payload(), durability)?;
                Ok(Appended::Quarantined { seq, reason })
            }
            Err(error) => Err(error),
        }
    }

    /// Returns once everything appended so far is on disk.
    pub fn flush(&self) -> Result<()> {
        match &*self.lock_writer() {
            Some(writer) => writer.flush(),
            None => Ok(()),
        }
    }

    /// Makes Parquet of everything appended so far, by this process or by others that are gone.
    pub fn seal(&self) -> Result<()> {
        // A store in a bucket has no log of what is appended.
        if self.tables.storage.is_in_bucket() {
            return Ok(());
        }
        self.writer()?.seal_all()
    }

    /// Flushes and lets go of the log. What is left in it is read from there, and sealed by whoever writes
    /// next, or here if it is much.
    pub fn close(self) -> Result<()> {
        match self.lock_writer().take() {
            Some(writer) => writer.close(),
            None => Ok(()),
        }
    }

    /// Stores all records of inputs, each input in one commit. An input that cannot be opened or read to its
    /// end is reported in its receipt, and the others go on.
    pub fn ingest(
        &self,
        inputs: Vec<Input>,
        options: &IngestOptions,
        progress: &dyn Progress,
    ) -> Result<Receipt> {
        let started = Instant::now();
        self.takes_events()?;
        let (read_as, mapping) = intake::how(options, &self.settings)?;
        let seqs = self.tables.seqs(&self.clock)?;
        let rules = self.intakes.rules()?;
        self.stop.store(false, Ordering::Relaxed);
        let mut receipt = Receipt::default();
        let context = Context {
            tables: &self.tables,
            seqs: &seqs,
            clock: &self.clock,
            threads: options.threads,
            read_as: &read_as,
            mapping: &mapping,
            rules: &rules,
            strict: options.strict,
            keep_versions_ms: self.settings.keep_versions_ms(),
            progress,
            stop: &self.stop,
        };
        pipeline::ingest(inputs, &context, &mut |input| receipt.add(input))?;
        receipt.seconds = started.elapsed().as_secs_f64();
        Ok(receipt)
    }

    /// What ingesting an input would do, found from its beginning, for each of its files if it is an archive.
    pub fn explain(&self, input: Input, options: &IngestOptions) -> Result<Vec<Explanation>> {
        let (read_as, mapping) = intake::how(options, &self.settings)?;
        let (rules, catalogue) = (self.intakes.rules()?, self.tables.register.latest()?);
        let now_us = (self.clock)();
        let (read_as, mapping, rules, catalogue) = (&read_as, &mapping, &rules, &catalogue);
        explain::explain(input, &ExplainContext { read_as, mapping, rules, catalogue, now_us })
    }

    /// Answers a query of SQL that only reads.
    pub fn query(&self, request: &QueryRequest) -> Result<Rows> {
        let session = self.session(request)?;
        self.watch(&session);
        session.query(&request.sql, &request.parameters)
    }

    /// Has the interrupter of this store stop the session's queries too.
    fn watch(&self, session: &Session) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(QueryInterrupter::is_of_use);
        running.push(session.interrupter());
    }

    fn session(&self, request: &QueryRequest) -> Result<Session> {
        let view = self.view(request.at)?;
        view.session(&self.tables, &self.sessions, &request.sql, (self.clock)(), &request.limits)
    }

    /// The columns of the events, also of those that are not yet in data files.
    pub fn columns(&self) -> Result<Vec<Column>> {
        Ok(View::take(&self.tables, At::Latest)?.catalogue.schema().columns().to_vec())
    }

    /// What columns the table has, and what is in them. Of a large store the newest events tell.
    pub fn schema(&self, options: &AskOptions<'_>) -> Result<SchemaReport> {
        schema::schema(&Asked::new(self, options)?, &self.tables)
    }

    /// What opening and sealing found wrong, in sentences; [`Store::info`] also looks at what is not sealed.
    pub fn warnings(&self) -> Vec<String> {
        self.tables.warnings().into_iter().chain(self.heads.warnings()).collect()
    }

    /// How many bytes of data files this handle has read itself to answer questions; what DuckDB read is not in it.
    pub fn bytes_read(&self) -> u64 {
        self.tables.footers.bytes_read()
    }

    /// How much is in the store, and from when.
    pub fn info(&self) -> Result<Info> {
        let mut info = reports::info(&self.tables)?;
        info.warnings.extend(encryption::unencrypted(&self.tables)?);
        info.warnings.extend(self.lock_writer().as_ref().and_then(|writer| writer.trouble()));
        Ok(info)
    }

    /// Writes events, oldest first, and says how many there were.
    pub fn export(
        &self,
        request: &ExportRequest,
        options: &AskOptions<'_>,
        out: &mut dyn std::io::Write,
        progress: &dyn Progress,
    ) -> Result<u64> {
        self.stop.store(false, Ordering::Relaxed);
        let asked = Asked::new(self, options)?;
        let context = export::Exporting { asked: &asked, tables: &self.tables, progress, stop: &self.stop };
        export::export(&context, request, out)
    }

    /// Events that came since a cursor, each once, and the cursor after them. Without a cursor, from the
    /// first event on.
    pub fn changes(&self, cursor: Option<&str>, limit: usize) -> Result<Changes> {
        changes::changes(&self.tables, cursor, limit)
    }

    /// The cursor from which on nothing has come yet.
    pub fn changes_from_now(&self) -> Result<String> {
        changes::now(&self.tables)
    }

    /// A handle that stops queries, ingests and upkeep of this store.
    pub fn interrupter(&self) -> Interrupter {
        let (stop, interrupts) = (self.stop.clone(), self.interrupts.clone());
        Interrupter { stop, interrupts, running: self.running.clone() }
    }

    fn lock_writer(&self) -> std::sync::MutexGuard<'_, Option<Arc<Writer>>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> Result<Arc<Writer>> {
        let mut slot = self.lock_writer();
        if let Some(writer) = &*slot {
            return Ok(writer.clone());
        }
        let writer = Writer::open(self.tables.clone(), &self.settings, self.clock.clone())?;
        *slot = Some(writer.clone());
        Ok(writer)
    }

    /// The writer, for events that come from elsewhere.
    fn appender(&self) -> Result<Arc<Writer>> {
        self.takes_events()?;
        self.writer()
    }

    /// An archive has events of the store that it is of, and no others.
    fn takes_events(&self) -> Result<()> {
        if !self.tables.is_archive()? {
            return Ok(());
        }
        let message = format!(
            "`{}` is an archive, and takes no events but those that are archived",
            self.tables.storage.name()
        );
        Err(Error::new(ErrorKind::Invalid, message).with_hint("name the store that it is an archive of"))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("storage", &self.tables.storage).finish_non_exhaustive()
    }
}

impl Interrupter {
    /// Stops what is running; it ends with [`ErrorKind::Interrupted`].
    pub fn interrupt(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.interrupts.fetch_add(1, Ordering::Relaxed);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.drain(..).for_each(|session| session.interrupt());
    }
}

impl std::fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interrupter").finish_non_exhaustive()
    }
}

fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}

/// What ingesting an input into a new store would do.
pub fn explain(input: Input, options: &IngestOptions) -> Result<Vec<Explanation>> {
    let settings = Settings::default();
    let (read_as, mapping) = intake::how(options, &settings)?;
    let rules = Arc::new(Rules::new(&settings.redact, None)?);
    let catalogue = Arc::new(Catalogue::new(settings.max_columns));
    let now_us = system_clock()();
    let (read_as, mapping, rules, catalogue) = (&read_as, &mapping, &rules, &catalogue);
    explain::explain(input, &ExplainContext { read_as, mapping, rules, catalogue, now_us })
}

fn no_store(error: Error, storage: &LocalStorage) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    Error::new(ErrorKind::NotFound, format!("there is no store at `{}`", storage.name()))
        .with_hint("`daybook ingest FILE` or `daybook log` makes one; `--store DIR` names another")
}

/// A copy that is not finished lacks files, and is no store.
fn check_complete(storage: &LocalStorage) -> Result<()> {
    if storage.read(layout::INCOMPLETE).is_err() {
        return Ok(());
    }
    let message = format!("`{}` is a copy of a store that was not finished", storage.name());
    Err(Error::new(ErrorKind::Corrupt, message).with_hint("make the copy again, into the same folder"))
}

/// A new store is made in an empty folder, or in none.
fn check_place(storage: &LocalStorage) -> Result<()> {
    let ours = |name: &str| {
        // A writer that was stopped leaves files that are not whole.
        let is_known = ["_", "day=", TEMPORARY].iter().any(|beginning| name.starts_with(beginning));
        is_known || name == layout::SETTINGS
    };
    match storage.names()?.iter().find(|name| !ours(name)) {
        None => Ok(()),
        Some(other) => {
            let message = format!("`{}` holds something else: `{other}`", storage.name());
            Err(Error::new(ErrorKind::Invalid, message).with_hint("name an empty folder, or a new one"))
        }
    }
}

fn events_table(settings: &Settings) -> NewTable {
    let columns: Vec<&str> = crate::ingest::stats::COLUMNS.iter().map(|fixed| fixed.name()).collect();
    let configuration = BTreeMap::from([
        ("delta.dataSkippingStatsColumns".to_string(), columns.join(",")),
        (
            "delta.setTransactionRetentionDuration".to_string(),
            format!("interval {} days", settings.keep.inputs_days),
        ),
    ]);
    NewTable { schema: fixed::new_table(), configuration, name: "events".to_string() }
}

fn quarantine_table() -> NewTable {
    let configuration =
        BTreeMap::from([("delta.dataSkippingStatsColumns".to_string(), "seq,ts".to_string())]);
    NewTable { schema: crate::quarantine::columns(), configuration, name: "quarantine".to_string() }
}

#[cfg(test)]
mod tests;
