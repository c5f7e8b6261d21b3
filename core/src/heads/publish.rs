//! What happens to a head after each commit.

use super::key::SigningKey;
use super::send::Sender;
use crate::error::{Error, Result};
use crate::log::CommitWatcher;
use crate::proof::{Head, SignedHead, TableHead};
use crate::settings::HeadSettings;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Called with a sentence on each failure.
type Told = Box<dyn Fn(&str) + Send + Sync>;

/// A table of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfTable {
    /// The events.
    Events,
    /// What could not be read.
    Quarantine,
}

/// Signs heads, and puts them where the settings say.
pub struct Publisher {
    key: Option<SigningKey>,
    append_to: Option<PathBuf>,
    sender: Option<Sender>,
    state: Mutex<State>,
}

struct State {
    head: Head,
    failure: Option<String>,
    told: Option<Told>,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Publisher { key, append_to, sender, .. } = self;
        f.debug_struct("Publisher")
            .field("signs", &key.is_some())
            .field("append_to", append_to)
            .field("sends", &sender.is_some())
            .finish_non_exhaustive()
    }
}

impl Publisher {
    /// As the settings say, of a store that has this head. Relative paths begin in the store's folder.
    pub fn new(settings: &HeadSettings, folder: &Path, head: Head) -> Result<Publisher> {
        let HeadSettings { sign_with, append_to, send_to } = settings;
        let key = sign_with.as_ref().map(|path| SigningKey::read(&folder.join(path))).transpose()?;
        let sender = send_to.as_deref().map(Sender::new).transpose()?;
        let append_to = append_to.as_ref().map(|path| folder.join(path));
        let state = Mutex::new(State { head, failure: None, told: None });
        Ok(Publisher { key, append_to, sender, state })
    }

    /// Whom failures are told to.
    pub fn tell(&self, told: Told) {
        self.lock().told = Some(told);
    }

    /// What is wrong: with the key's file, and the last head that could not be put where it belongs.
    pub fn warnings(&self) -> Vec<String> {
        let of_key = self.key.as_ref().and_then(|key| key.warning.clone());
        let of_sending = self.sender.as_ref().and_then(Sender::failure);
        of_key.into_iter().chain(self.lock().failure.clone()).chain(of_sending).collect()
    }

    /// A head, signed if there is a key.
    pub fn signed(&self, head: Head) -> SignedHead {
        match &self.key {
            Some(key) => key.sign(head),
            None => SignedHead { head, signature: None },
        }
    }

    /// Publishes the head after a commit. It is made, whatever becomes of its head.
    pub fn committed(&self, table: OfTable, version: u64, hash: &str) {
        let mut state = self.lock();
        let of_table = match table {
            OfTable::Events => &mut state.head.events,
            OfTable::Quarantine => &mut state.head.quarantine,
        };
        if of_table.version >= version {
            return;
        }
        *of_table = TableHead { version, hash: hash.to_string() };
        let head = self.signed(state.head.clone()).to_string();
        if let Some(path) = &self.append_to {
            state.failure = append(path, &head).err().map(|error| {
                format!("the head of the hash chain could not be appended to `{}`: {error}", path.display())
            });
            if let (Some(failure), Some(told)) = (&state.failure, &state.told) {
                told(failure);
            }
        }
        if let Some(sender) = &self.sender {
            sender.send(head);
        }
    }

    /// Waits a moment until the last head is sent, and says what failed.
    fn finish(&self) {
        let Some(sender) = &self.sender else { return };
        sender.finish();
        if let (Some(failure), Some(told)) = (sender.failure(), &self.lock().told) {
            told(&failure);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Publishes the heads of a table's commits.
#[derive(Debug)]
pub struct Watch {
    /// Where they go.
    pub publisher: Arc<Publisher>,
    /// The table.
    pub table: OfTable,
}

impl CommitWatcher for Watch {
    fn committed(&self, version: u64, hash: &str) {
        self.publisher.committed(self.table, version, hash);
    }
}

/// Appends a line, durably.
fn append(path: &Path, head: &str) -> Result<()> {
    let failed = |error| Error::io("write", path.display(), error);
    let mut file: File =
        OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(format!("{head}\n").as_bytes()).and_then(|()| file.sync_data()).map_err(failed)
}
