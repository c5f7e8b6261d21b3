//! The table at a version.

use super::actions::{Line, Metadata};
use super::file::DataFile;
use super::kernel::KernelSnapshot;
use super::table::Table;
use super::{chain, history, path, schema};
use crate::error::Result;
use crate::event::column::TableSchema;
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The table at a version: what a reader sees, and what a commit builds on.
pub struct Snapshot {
    /// The version.
    pub version: u64,
    /// When it was committed, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// The columns.
    pub schema: TableSchema,
    /// The live data files, sorted by day and path.
    pub files: Vec<DataFile>,
    metadata: Metadata,
    chain: String,
    recent: HashMap<String, i64>,
    base: Arc<Base>,
    /// When the version was committed at which the whole log was read last.
    read_ms: i64,
}

/// The version that the kernel read, from which a snapshot goes on commit by commit.
struct Base {
    table: Table,
    kernel: KernelSnapshot,
    transactions: OnceLock<HashMap<String, i64>>,
}

impl Snapshot {
    /// The version that an application committed last; none if it committed none.
    pub fn transaction(&self, app_id: &str) -> Result<Option<i64>> {
        match self.recent.get(app_id) {
            Some(version) => Ok(Some(*version)),
            None => Ok(self.base.transactions()?.get(app_id).copied()),
        }
    }

    /// All applications whose id begins with a prefix, and the version that each committed last.
    pub fn transactions_of(&self, prefix: &str) -> Result<HashMap<&str, i64>> {
        let all = self.base.transactions()?.iter().chain(&self.recent);
        let chosen = all.filter(|(app_id, _)| app_id.starts_with(prefix));
        Ok(chosen.map(|(app_id, version)| (app_id.as_str(), *version)).collect())
    }

    /// The properties of the table.
    pub fn configuration(&self) -> &BTreeMap<String, String> {
        &self.metadata.configuration
    }

    /// The id of the table.
    pub fn table_id(&self) -> &str {
        &self.metadata.id
    }

    /// The hash of the last record of the chain, 64 zeros where there is none.
    pub fn chain_head(&self) -> &str {
        &self.chain
    }

    pub(super) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The version of the checkpoint that this snapshot was read from.
    pub(super) fn checkpoint_version(&self) -> Option<u64> {
        self.base.kernel.checkpoint_version()
    }

    /// How long before this snapshot the whole log was read, in milliseconds.
    pub(super) fn age_ms(&self) -> i64 {
        self.timestamp_ms.saturating_sub(self.read_ms)
    }

    /// The table at a version, or at its latest, as the kernel reads it; a last commit that is torn is an
    /// error.
    pub(super) fn load(table: &Table, version: Option<u64>) -> Result<Self> {
        let kernel = KernelSnapshot::load(table, version)?;
        if let Some(version) = kernel.empty_commit() {
            return Err(table.torn(version, "it is empty"));
        }
        schema::check_protocol(&kernel.protocol())?;
        let metadata = kernel.metadata();
        schema::check_format(&metadata)?;
        let version = kernel.version();
        let (timestamp_ms, chain) = match table.commit(version)? {
            Some(lines) => {
                let link = lines.iter().find_map(|line| line.commit_info.as_ref()?.daybook.as_ref());
                let head = link.map(|daybook| daybook.chain.hash.clone());
                (history::timestamp_of(table, version, &lines)?, head)
            }
            None => (history::timestamp(table, version)?, None),
        };
        let mut files = kernel.files()?;
        sort(&mut files);
        let base = Base { table: table.clone(), kernel, transactions: OnceLock::new() };
        Ok(Snapshot {
            version,
            timestamp_ms,
            schema: schema::from_text(&metadata.schema_string)?,
            files,
            chain: chain.map_or_else(|| chain::head(table, version), Ok)?,
            metadata,
            recent: HashMap::new(),
            base: Arc::new(base),
            read_ms: timestamp_ms,
        })
    }

    /// The table after the next commits, at least one.
    pub(super) fn after(&self, commits: &[Vec<Line>]) -> Result<Self> {
        let mut next = Snapshot {
            version: self.version + commits.len() as u64,
            timestamp_ms: self.timestamp_ms,
            schema: self.schema.clone(),
            files: Vec::new(),
            metadata: self.metadata.clone(),
            chain: self.chain.clone(),
            recent: self.recent.clone(),
            base: Arc::clone(&self.base),
            read_ms: self.read_ms,
        };
        if let Some(last) = commits.last() {
            next.timestamp_ms = history::timestamp_of(&self.base.table, next.version, last)?;
        }
        let mut gone = HashSet::new();
        let mut added = HashMap::new();
        for lines in commits {
            lines.iter().try_for_each(|line| next.apply(line))?;
            for remove in lines.iter().filter_map(|line| line.remove.as_ref()) {
                let path = path::decode(&remove.path)?;
                added.remove(&path);
                gone.insert(path);
            }
            for add in lines.iter().filter_map(|line| line.add.as_ref()) {
                let file = add.file()?;
                added.insert(file.path.clone(), file);
            }
        }
        let live = self.files.iter();
        let kept = live.filter(|file| !gone.contains(&file.path) && !added.contains_key(&file.path));
        next.files = kept.cloned().collect();
        next.files.extend(added.into_values());
        sort(&mut next.files);
        Ok(next)
    }

    /// The same with other files, for questions.
    pub fn with_files(&self, mut files: Vec<DataFile>) -> Snapshot {
        sort(&mut files);
        Snapshot {
            version: self.version,
            timestamp_ms: self.timestamp_ms,
            schema: self.schema.clone(),
            files,
            metadata: self.metadata.clone(),
            chain: self.chain.clone(),
            recent: self.recent.clone(),
            base: Arc::clone(&self.base),
            read_ms: self.read_ms,
        }
    }

    /// The same, marked as read from the log just now.
    pub(super) fn read_anew(mut self) -> Self {
        self.read_ms = self.timestamp_ms;
        self
    }

    /// Takes over what a line says of the table itself.
    fn apply(&mut self, line: &Line) -> Result<()> {
        if let Some(protocol) = &line.protocol {
            schema::check_protocol(protocol)?;
        }
        if let Some(metadata) = &line.meta_data {
            schema::check_format(metadata)?;
            self.schema = schema::from_text(&metadata.schema_string)?;
            self.metadata = metadata.clone();
        }
        if let Some(txn) = &line.txn {
            self.recent.insert(txn.app_id.clone(), txn.version);
        }
        if let Some(daybook) = line.commit_info.as_ref().and_then(|info| info.daybook.as_ref()) {
            self.chain.clone_from(&daybook.chain.hash);
        }
        Ok(())
    }
}

impl Base {
    fn transactions(&self) -> Result<&HashMap<String, i64>> {
        if let Some(transactions) = self.transactions.get() {
            return Ok(transactions);
        }
        let transactions = match self.kernel.transactions() {
            Ok(transactions) => transactions,
            // The log may have been cleaned up meanwhile. The latest version then answers as well: what is
            // committed there is committed, and a commit on this snapshot meets a conflict.
            Err(_) => KernelSnapshot::load(&self.table, None)?.transactions()?,
        };
        Ok(self.transactions.get_or_init(|| transactions))
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("version", &self.version)
            .field("timestamp_ms", &self.timestamp_ms)
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

fn sort(files: &mut [DataFile]) {
    files.sort_by(|one, other| (one.day, &one.path).cmp(&(other.day, &other.path)));
}
