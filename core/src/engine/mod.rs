//! The query engine: one in-memory DuckDB for one snapshot, locked before the user's SQL runs in it.
//!
//! Nothing else in the library knows DuckDB. A session holds views over the snapshot's Parquet files and
//! over rows that are not in Parquet yet. What keeps a query inside it, in this order: its parse tree may
//! only read ([`crate::query::statement`]); its transaction is read-only; DuckDB may open the snapshot's
//! files and no others; and its settings are locked.

mod failure;
mod load;
mod rows;
#[cfg(test)]
mod tests;

use crate::error::{Error, ErrorKind, Result};
use crate::event::column::Column;
use crate::keys::Key;
use crate::query::failed::Names;
use crate::query::prune::span_of;
use crate::query::reads;
use crate::query::sql::{identifier, literal, literals, path_pattern};
use crate::query::statement;
use crate::query::view::{self, UTC_CLOCK, ViewParts};
use arrow::record_batch::RecordBatch;
use base64::Engine;
use duckdb::Connection;
use failure::Known;
use rows::{Control, Job};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

pub use crate::query::view::{CopiedRows, Mixed, MixedField};
pub use rows::Rows;

/// What a session may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Memory, in bytes. What needs more is written to the temporary folder, or fails.
    pub memory_bytes: u64,
    /// Threads of a query.
    pub threads: usize,
    /// The longest a query may take, from its start until its last row is taken; none is for ever.
    pub timeout: Option<Duration>,
    /// Since when that time runs, where several queries share it; else from the start of each query.
    pub since: Option<Instant>,
    /// The folder for what does not fit into memory; made when first needed. It holds parts of events.
    pub temp_folder: PathBuf,
    /// The most that folder may hold, in bytes.
    pub temp_bytes: u64,
}

impl Limits {
    /// 1 GiB of memory, every core, no timeout, 16 GiB of temporary files.
    pub fn new(temp_folder: PathBuf) -> Limits {
        Limits {
            memory_bytes: 1 << 30,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            timeout: None,
            since: None,
            temp_folder,
            temp_bytes: 16 << 30,
        }
    }

    /// The same, with one time for all queries from now on.
    pub fn shared(&self) -> Limits {
        Limits { since: self.since.or_else(|| Some(Instant::now())), ..self.clone() }
    }

    /// An error, once the time that queries share is over.
    pub fn check(&self) -> Result<()> {
        match self.deadline() {
            Some((deadline, timeout)) if self.since.is_some() && deadline <= Instant::now() => {
                Err(rows::too_long(timeout))
            }
            _ => Ok(()),
        }
    }

    /// When a query that starts now has to end, and how long it has in all.
    fn deadline(&self) -> Option<(Instant, Duration)> {
        let timeout = self.timeout?;
        let since = self.since.unwrap_or_else(Instant::now);
        Some((since.checked_add(timeout)?, timeout))
    }
}

/// A table of the snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The name in SQL.
    pub name: &'static str,
    /// Its Parquet files; each holds any of the columns.
    pub files: Vec<TableFile>,
    /// Parquet files that hold the columns for rows of other files.
    pub copies: Vec<CopiedRows>,
    /// All stored columns, in order.
    pub columns: Vec<Column>,
    /// Rows that are not in Parquet: the same columns in the same order.
    pub pending: Vec<RecordBatch>,
    /// Fields whose values are in their column and in `rest`.
    pub mixed: Vec<MixedField>,
}

/// A Parquet file of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableFile {
    /// Where it is.
    pub path: PathBuf,
    /// The key that it is encrypted with, where it is.
    pub key: Option<Arc<Key>>,
}

impl From<PathBuf> for TableFile {
    fn from(path: PathBuf) -> TableFile {
        TableFile { path, key: None }
    }
}

/// A query that DuckDB has parsed, before there are tables.
pub struct Parsed {
    connection: Connection,
    is_new: bool,
    /// Its parse tree, where it has one.
    tree: Option<String>,
}

/// One in-memory DuckDB for one snapshot. Queries may run at the same time on several threads.
pub struct Session {
    connection: Arc<Mutex<Connection>>,
    known: Arc<Known>,
    limits: Limits,
    running: Arc<Running>,
}

/// Interrupts the queries of a session, from any thread.
#[derive(Clone)]
pub struct Interrupter {
    running: Arc<Running>,
}

#[derive(Default)]
struct Running {
    queries: Mutex<Vec<Weak<Control>>>,
}

impl Session {
    /// Makes the tables. No file is opened before a query needs it.
    pub fn open(
        tables: Vec<Table>,
        extra: Vec<(&'static str, RecordBatch)>,
        limits: &Limits,
    ) -> Result<Session> {
        let connection = Connection::open_in_memory().map_err(internal)?;
        Session::over(connection, tables, extra, limits, &[])
    }

    /// The same session for another question, within limits of its own for time; those for memory and threads stay.
    pub fn again(&self, limits: &Limits) -> Session {
        let (connection, known) = (Arc::clone(&self.connection), Arc::clone(&self.known));
        Session { connection, known, limits: limits.clone(), running: Arc::default() }
    }

    fn over(
        connection: Connection,
        tables: Vec<Table>,
        extra: Vec<(&'static str, RecordBatch)>,
        limits: &Limits,
        others: &[&'static str],
    ) -> Result<Session> {
        let copies =
            |table: &Table| table.copies.iter().map(|copy| Ok(copy.file.clone())).collect::<Vec<_>>();
        let files = tables
            .iter()
            .flat_map(|table| table.files.iter().map(|file| absolute(&file.path)).chain(copies(table)));
        let files: Arc<[String]> = files.collect::<Result<_>>()?;
        run(&connection, &settings(limits, &files)?)?;
        add_keys(&connection, &tables)?;
        run(&connection, UTC_CLOCK)?;
        run(&connection, &format!("CREATE SCHEMA {}", load::HELD))?;
        for table in &tables {
            add_table(&connection, table)?;
        }
        for (name, batch) in &extra {
            load::add_plain_table(&connection, name, batch)?;
        }
        run(&connection, "SET enable_external_access = false; SET lock_configuration = true")?;
        let running = Arc::default();
        let known = Arc::new(known(files, &tables, &extra, others));
        let connection = Arc::new(Mutex::new(connection));
        Ok(Session { connection, known, limits: limits.clone(), running })
    }

    /// Whether it can still answer: after some errors, DuckDB cannot.
    pub fn works(&self) -> bool {
        lock(&self.connection).execute_batch("SELECT 1").is_ok()
    }

    /// Runs one statement that only reads. `$name` in it takes the parameter of that name, `?` those
    /// named `1`, `2` and so on; each must be there, and no other.
    pub fn query(&self, sql: &str, parameters: &[(String, serde_json::Value)]) -> Result<Rows> {
        let connection = lock(&self.connection).try_clone().map_err(internal)?;
        let control = Arc::new(Control::new(connection.interrupt_handle(), self.limits.deadline()));
        self.running.add(&control);
        let job = Job {
            connection,
            sql: sql.to_string(),
            parameters: parameters.to_vec(),
            known: Arc::clone(&self.known),
        };
        Rows::start(job, control)
    }

    /// A handle that interrupts this session's queries.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter { running: Arc::clone(&self.running) }
    }
}

impl Parsed {
    /// Parses a query, in a session that is open or in a new DuckDB.
    pub fn new(sql: &str, open: Option<&Session>) -> Result<Parsed> {
        let body = statement::split(sql)?.body;
        if let Some(session) = open {
            let connection = lock(&session.connection).try_clone().map_err(internal)?;
            // What went wrong with it is no matter of this query.
            if let Ok(tree) = rows::parse_tree(&connection, body) {
                return Ok(Parsed { connection, is_new: false, tree: Some(tree) });
            }
        }
        let connection = Connection::open_in_memory().map_err(internal)?;
        let tree = rows::parse_tree(&connection, body).ok();
        Ok(Parsed { connection, is_new: true, tree })
    }

    /// The first and last `ts` of the rows of `events` that it looks at; none if it may look at all of them.
    pub fn span(&self, now_us: i64) -> Option<(i64, i64)> {
        span_of(self.tree.as_ref()?, now_us)
    }

    /// Which of the columns of `events` it may read, and those that they are made of; none if it may read any.
    pub fn columns<'a>(&self, columns: impl Iterator<Item = &'a str>) -> Option<HashSet<String>> {
        reads::columns_of(self.tree.as_ref()?, columns)
    }

    /// The session for it, with `others` as the tables that are there only for queries that name them.
    pub fn session(
        self,
        tables: Vec<Table>,
        extra: Vec<(&'static str, RecordBatch)>,
        limits: &Limits,
        others: &[&'static str],
    ) -> Result<Session> {
        let connection = match self.is_new {
            true => self.connection,
            false => Connection::open_in_memory().map_err(internal)?,
        };
        Session::over(connection, tables, extra, limits, others)
    }
}

impl std::fmt::Debug for Parsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parsed").field("is_new", &self.is_new).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("files", &self.known.files.len()).finish_non_exhaustive()
    }
}

impl Interrupter {
    /// Stops every query of the session that is running now; each ends with [`ErrorKind::Interrupted`].
    pub fn interrupt(&self) {
        let queries: Vec<_> = lock(&self.running.queries).iter().filter_map(Weak::upgrade).collect();
        for query in queries {
            query.interrupt();
        }
    }
}

impl Interrupter {
    /// Whether the session is open or one of its queries is running.
    pub fn is_of_use(&self) -> bool {
        let is_open = Arc::strong_count(&self.running) > 1;
        is_open || lock(&self.running.queries).iter().any(|query| query.strong_count() > 0)
    }
}

impl std::fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interrupter").finish_non_exhaustive()
    }
}

impl Running {
    fn add(&self, control: &Arc<Control>) {
        let mut queries = lock(&self.queries);
        queries.retain(|query| query.strong_count() > 0);
        queries.push(Arc::downgrade(control));
    }
}

/// The settings that are fixed before anything is read.
fn settings(limits: &Limits, files: &[String]) -> Result<String> {
    let temp_folder = literal(&absolute(&limits.temp_folder)?);
    let mut settings = format!(
        "SET autoinstall_known_extensions = false;
         SET autoload_known_extensions = false;
         SET allow_community_extensions = false;
         SET allow_persistent_secrets = false;
         SET parquet_metadata_cache = true;
         SET enable_external_file_cache = false;
         SET threads = {};
         SET memory_limit = '{}B';
         SET temp_directory = {temp_folder};
         SET max_temp_directory_size = '{}B';",
        limits.threads.max(1),
        limits.memory_bytes,
        limits.temp_bytes,
    );
    if !files.is_empty() {
        // DuckDB asks for leave under the pattern first, then under the name that it matched.
        let patterns = files.iter().map(|file| (file, path_pattern(file)));
        let patterns = patterns.filter(|(file, pattern)| *file != pattern).map(|(_, pattern)| pattern);
        let allowed = files.iter().cloned().chain(patterns);
        settings.push_str(&format!("SET allowed_paths = {};", literals(allowed)));
    }
    Ok(settings)
}

fn add_table(connection: &Connection, table: &Table) -> Result<()> {
    let held = format!("{}.{}", load::HELD, identifier(table.name));
    let has_pending = table.pending.iter().any(|batch| batch.num_rows() > 0);
    if has_pending {
        run(connection, &view::create_table(&held, &table.columns))?;
        load::append(connection, table.name, &table.columns, &table.pending)?;
    }
    let mut files: Vec<String> = Vec::new();
    let mut encrypted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in &table.files {
        let path = absolute(&file.path)?;
        match &file.key {
            Some(key) => encrypted.entry(name_of(key)).or_default().push(path),
            None => files.push(path),
        }
    }
    let encrypted: Vec<(String, Vec<String>)> = encrypted.into_iter().collect();
    let parts = ViewParts {
        name: table.name,
        columns: &table.columns,
        files: &files,
        encrypted: &encrypted,
        copies: &table.copies,
        held: has_pending.then_some(held.as_str()),
        mixed: &table.mixed,
    };
    let created = connection.execute_batch(&view::create_view(&parts));
    files.extend(encrypted.into_iter().flat_map(|(_, files)| files));
    created.map_err(|error| failure::explain_view(error, &files))
}

/// Gives DuckDB the keys of the files under names, which are all that SQL shows of them; then what does not fit into
/// memory is encrypted as well.
fn add_keys(connection: &Connection, tables: &[Table]) -> Result<()> {
    let mut keys: Vec<&Arc<Key>> =
        tables.iter().flat_map(|table| &table.files).filter_map(|file| file.key.as_ref()).collect();
    keys.sort_by_key(|key| key.id());
    keys.dedup_by_key(|key| key.id());
    if keys.is_empty() {
        return Ok(());
    }
    for key in keys {
        let text = base64::prelude::BASE64_STANDARD.encode(key.bytes());
        let sql = format!("PRAGMA add_parquet_key({}, {})", literal(&name_of(key)), literal(&text));
        // An error could show the statement.
        let given = connection.execute_batch(&sql);
        given.map_err(|_| Error::new(ErrorKind::Internal, "DuckDB does not take the key of a file"))?;
    }
    run(connection, "SET temp_file_encryption = true")
}

/// What DuckDB knows a key as.
fn name_of(key: &Key) -> String {
    format!("daybook {}", key.id())
}

/// What messages can say about the session.
fn known(
    files: Arc<[String]>,
    tables: &[Table],
    extra: &[(&'static str, RecordBatch)],
    others: &[&'static str],
) -> Known {
    let mut names = Names { listed_by: "`daybook schema`", ..Names::default() };
    names.tables.extend(tables.iter().map(|table| table.name));
    names.tables.extend(
        extra
            .iter()
            .map(|(name, _)| name)
            .chain(others)
            .filter(|name| !tables.iter().any(|table| table.name == **name)),
    );
    names.tables.dedup();
    tables.iter().for_each(|table| names.add(&table.columns));
    names.columns.extend(["recorded_at", "day"].map(str::to_string));
    Known { files, names }
}

/// The path as DuckDB knows it.
pub fn absolute(path: &Path) -> Result<String> {
    let absolute = std::path::absolute(path).map_err(|error| Error::io("find", path.display(), error))?;
    absolute.into_os_string().into_string().map_err(|path| {
        let message = format!("DuckDB cannot open `{}`: the path is not UTF-8", path.display());
        Error::new(ErrorKind::Unsupported, message)
    })
}

/// Runs SQL of our own.
fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.execute_batch(sql).map_err(internal)
}

/// An error in SQL or in a call of our own.
fn internal(error: duckdb::Error) -> Error {
    Error::new(ErrorKind::Internal, "DuckDB cannot prepare the session").with_source(error)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
