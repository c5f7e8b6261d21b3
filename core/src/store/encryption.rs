//! Which keys a store has, and whether they are the right ones.

use super::Store;
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::progress::Progress;
use crate::keys::{KeyId, Keys};
use crate::layout;
use crate::log::{At, DataFile};
use crate::maintenance::{EncryptReceipt, begin, encrypt};
use crate::seal::Tables;
use crate::settings::Settings;
use crate::storage::{LocalStorage, Storage};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a store is opened with.
#[derive(Clone, Debug, Default)]
pub struct StoreOptions {
    /// The keys of an encrypted store, or of one that is to be; else the settings of the store may name a file of
    /// them.
    pub keys: Option<Arc<Keys>>,
}

impl StoreOptions {
    /// With the keys of a file: that which is given, else that which `DAYBOOK_KEY_FILE` names, else with those in
    /// `DAYBOOK_KEY`.
    pub fn with_key_file(file: Option<PathBuf>) -> Result<StoreOptions> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let file = file.or_else(|| variable("DAYBOOK_KEY_FILE").map(PathBuf::from));
        let keys = match (file, variable("DAYBOOK_KEY")) {
            (Some(file), _) => Some(Keys::from_file(&file)?),
            (None, Some(text)) => Some(Keys::parse(&text.to_string_lossy(), "`DAYBOOK_KEY`")?),
            (None, None) => None,
        };
        Ok(StoreOptions { keys: keys.map(Arc::new) })
    }
}

impl Store {
    /// Encrypts what is not, or with another key than the first: files of events and of the quarantine are written
    /// anew, one commit each, with the same rows; then everything older goes. It can be stopped anywhere and done again.
    pub fn encrypt(&self, progress: &dyn Progress) -> Result<EncryptReceipt> {
        if self.tables.storage.keys().is_none() {
            return Err(Error::new(ErrorKind::Invalid, "there is no key to encrypt with").with_hint(
                "name the file of one: `key_file` in `[encryption]` of `daybook.toml`, or `--key-file FILE`",
            ));
        }
        self.stop.store(false, Ordering::Relaxed);
        let _upkeep = begin(&self.tables)?;
        self.settle_down()?;
        self.seal()?;
        encrypt::encrypt(&self.work(progress))
    }
}

/// The storage with the keys that the settings name, unless it has some.
pub(super) fn with_keys(storage: LocalStorage) -> Result<LocalStorage> {
    if storage.keys().is_some() {
        return Ok(storage);
    }
    match Settings::load(&storage)?.encryption.key_file {
        None => Ok(storage),
        Some(file) => {
            let keys = Keys::of_settings(storage.local_root(), &file)?;
            Ok(storage.with_keys(Some(Arc::new(keys))))
        }
    }
}

/// An error where the store is encrypted and its key is not there; from now on it is encrypted where there is one.
pub(super) fn unlock(storage: &LocalStorage) -> Result<()> {
    match storage.read(layout::ENCRYPTION) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(_) => return Ok(()),
    }
    if storage.keys().is_none() {
        return Ok(());
    }
    match storage.put_if_absent(layout::ENCRYPTION, encrypt::MARKER) {
        // Where nothing can be written, nothing will be.
        Err(error) if error.kind() == ErrorKind::Permission => Ok(()),
        put => put.map(drop),
    }
}

/// What is not encrypted as it should be, in a sentence.
pub(super) fn unencrypted(tables: &Tables) -> Result<Option<String>> {
    let Some(keys) = tables.storage.keys() else { return Ok(None) };
    let mut files: Vec<DataFile> = tables.events.snapshot(At::Latest)?.files.clone();
    files.extend(tables.quarantine.snapshot(At::Latest)?.files.iter().cloned());
    let plain = files.iter().filter(|file| file.key.is_empty()).count();
    let is_first = |file: &&DataFile| KeyId::parse(&file.key) == Some(keys.first().id());
    let others = files.len().saturating_sub(plain).saturating_sub(files.iter().filter(is_first).count());
    let all = files.len();
    Ok(match (plain, others) {
        (0, 0) => None,
        (0, others) => Some(format!(
            "{others} of {all} data files are encrypted with another key than the first; `daybook encrypt` goes on"
        )),
        (plain, _) => {
            Some(format!("{plain} of {all} data files are not encrypted; `daybook encrypt` encrypts them"))
        }
    })
}
