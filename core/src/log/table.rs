//! Where a Delta table is: names of its log's files, and reading them.

use super::actions::{self, BadCommit, Line};
use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use crate::storage::{Entry, Storage};
use std::sync::Arc;
use url::Url;

/// So much of a commit is read for its first line.
const FIRST_LINE_BYTES: u64 = 64 << 10;

/// The place of one Delta table in a store.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub storage: Arc<dyn Storage>,
    prefix: String,
    pub url: Url,
}

/// What lies in the folder of the log, by version, ascending.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub commits: Vec<(u64, Entry)>,
    pub checkpoints: Vec<(u64, Entry)>,
    /// Checksums, which other programs write.
    pub checksums: Vec<(u64, Entry)>,
}

impl Table {
    /// The table in the folder `prefix` of a store.
    pub fn new(storage: Arc<dyn Storage>, prefix: &str) -> Result<Self> {
        let Some(root) = storage.local_root() else {
            let message = "a Delta log that is not on a local disk cannot be opened";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let folder = std::path::absolute(root.join(prefix))
            .map_err(|error| Error::io("find", root.display(), error))?;
        let url = Url::from_directory_path(&folder).map_err(|()| {
            let message = format!("`{}` is no path of a folder", folder.display());
            Error::new(ErrorKind::Invalid, message)
        })?;
        Ok(Table { storage, prefix: prefix.trim_end_matches('/').to_string(), url })
    }

    /// The path in the store of a name in the table.
    pub fn path(&self, name: &str) -> String {
        match self.prefix.as_str() {
            "" => name.to_string(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    /// The table's name in messages.
    pub fn name(&self) -> String {
        match self.prefix.as_str() {
            "" => self.storage.name(),
            prefix => format!("{}/{prefix}", self.storage.name()),
        }
    }

    /// The bytes of a file of the table; none if it is not there.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        found(self.storage.read(&self.path(name)))
    }

    /// The lines of a commit; none if it is not there, an error if it is torn.
    pub fn commit(&self, version: u64) -> Result<Option<Vec<Line>>> {
        let Some(bytes) = self.read(&layout::commit(version))? else { return Ok(None) };
        actions::parse_lines(&bytes).map(Some).map_err(|bad| match bad {
            BadCommit::Torn(reason) => self.torn(version, &reason),
            BadCommit::Strange(reason) => self.strange(version, &reason),
        })
    }

    /// The first line of a commit, where it is an action and not too long; none if the commit is not there.
    pub fn first_line(&self, version: u64) -> Result<Option<Line>> {
        let path = self.path(&layout::commit(version));
        let Some(bytes) = found(self.storage.read_range(&path, 0..FIRST_LINE_BYTES))? else {
            return Ok(None);
        };
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Ok(serde_json::from_slice(line).ok())
    }

    /// Whether a commit is there.
    pub fn has_commit(&self, version: u64) -> Result<bool> {
        let path = self.path(&layout::commit(version));
        Ok(found(self.storage.read_range(&path, 0..1))?.is_some())
    }

    /// The error of a commit that is not whole.
    pub fn torn(&self, version: u64, reason: &str) -> Error {
        let path = self.path(&layout::commit(version));
        Error::new(ErrorKind::Corrupt, format!("the commit `{path}` of `{}` is torn: {reason}", self.name()))
            .with_hint("open the store again if it is the last commit, else restore the file from a copy")
    }

    /// The error of a commit that is whole and yet cannot be read.
    fn strange(&self, version: u64, reason: &str) -> Error {
        let path = self.path(&layout::commit(version));
        let message = format!("the commit `{path}` of `{}` cannot be read: {reason}", self.name());
        Error::new(ErrorKind::Corrupt, message).with_hint("another program wrote it, or it was altered")
    }

    /// The error of a table that is not there.
    pub fn missing(&self) -> Error {
        Error::new(ErrorKind::NotFound, format!("there is no Delta table in `{}`", self.name()))
    }

    /// Has the files of the log on the local disk that tell of a version, or of the latest one.
    pub fn bring(&self, version: Option<u64>) -> Result<()> {
        let folder = self.path(layout::DELTA_LOG);
        self.storage.bring(&folder, &|entries| {
            let listing = Listing::of(&folder, entries.to_vec());
            let is_wanted = |number: u64| version.is_none_or(|version| number <= version);
            let checkpoint = listing.checkpoints.into_iter().rev().find(|(number, _)| is_wanted(*number));
            let from = checkpoint.as_ref().map_or(0, |(number, _)| *number);
            let commits =
                listing.commits.into_iter().filter(|(number, _)| from <= *number && is_wanted(*number));
            commits.chain(checkpoint).map(|(_, entry)| entry.path).collect()
        })
    }

    /// Lists the log.
    pub fn listing(&self) -> Result<Listing> {
        let folder = self.path(layout::DELTA_LOG);
        Ok(Listing::of(&folder, self.storage.list(&folder)?))
    }
}

impl Listing {
    /// The files of the log among those in its folder.
    fn of(folder: &str, entries: Vec<Entry>) -> Listing {
        let mut listing = Listing::default();
        for entry in entries {
            let Some(name) = entry.path.strip_prefix(folder).and_then(|name| name.strip_prefix('/')) else {
                continue;
            };
            let Some((version, kind)) = name.split_once('.') else { continue };
            let Some(version) = parse_version(version) else { continue };
            match kind {
                "json" => listing.commits.push((version, entry)),
                "checkpoint.parquet" => listing.checkpoints.push((version, entry)),
                "crc" => listing.checksums.push((version, entry)),
                _ => {}
            }
        }
        listing
    }
}

/// A version of 20 digits.
pub(super) fn parse_version(text: &str) -> Option<u64> {
    (text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// None in place of the error that something is not there.
fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
