//! How records come in: the settings of redaction and of mappings, made ready.

use super::options::IngestOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::event::mapping::Mapping;
use crate::event::reject::Reject;
use crate::format::Format;
use crate::ingest::blocks::{RECORD_BYTES_MAX, ReadAs};
use crate::intake::Intake;
use crate::layout;
use crate::redact::{RedactSettings, Rules};
use crate::settings::Settings;
use crate::storage::{LocalStorage, Storage};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Takes in the records that are appended, from many threads.
#[derive(Debug)]
pub struct Intakes {
    storage: Arc<LocalStorage>,
    settings: RedactSettings,
    rules: OnceLock<Arc<Rules>>,
    free: Mutex<Vec<Intake>>,
}

impl Intakes {
    /// For a store with these settings.
    pub fn new(storage: Arc<LocalStorage>, settings: RedactSettings) -> Intakes {
        Intakes { storage, settings, rules: OnceLock::new(), free: Mutex::default() }
    }

    /// What is secret.
    pub fn rules(&self) -> Result<Arc<Rules>> {
        if let Some(rules) = self.rules.get() {
            return Ok(rules.clone());
        }
        let key = match Rules::needs_key(&self.settings) {
            true => Some(hash_key(&*self.storage)?),
            false => None,
        };
        let rules = Arc::new(Rules::new(&self.settings, key)?);
        Ok(self.rules.get_or_init(|| rules).clone())
    }

    /// A record as it may be stored, if it can be, now and at sealing.
    pub fn checked<'a>(&self, record: &'a [u8], now_us: i64) -> Result<Cow<'a, [u8]>> {
        let rejected = |reject: &Reject| Error::new(ErrorKind::Invalid, reject.to_string());
        if record.len() > RECORD_BYTES_MAX {
            return Err(rejected(&Reject::TooLong { limit: RECORD_BYTES_MAX }));
        }
        self.with(|intake| intake.checked(record, now_us).map_err(|reject| rejected(&reject)))?
    }

    /// What cannot be read, without its secrets.
    pub fn raw(&self, raw: &[u8]) -> Result<Vec<u8>> {
        self.with(|intake| intake.raw(raw).into_owned())
    }

    fn with<R>(&self, work: impl FnOnce(&mut Intake) -> R) -> Result<R> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut intake = match free {
            Some(intake) => intake,
            None => Intake::new(Mapping::default(), &self.rules()?),
        };
        let result = work(&mut intake);
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(intake);
        Ok(result)
    }
}

/// How inputs are to be read, by what is asked for and what the settings say.
pub fn how(options: &IngestOptions, settings: &Settings) -> Result<(ReadAs, Mapping)> {
    let invalid = |cause: String| Error::new(ErrorKind::Invalid, cause);
    let mut mapping = Mapping::default();
    for (column, path) in &options.map {
        mapping.choose(column, path).map_err(invalid)?;
    }
    let mut read_as =
        ReadAs { format: options.from, header: options.header.clone(), encoding: options.encoding };
    if let Some(name) = &options.mapping {
        let named = settings.mapping(name)?;
        for (column, path) in named.mapping().map_err(invalid)?.chosen() {
            mapping.choose(column.name(), path).map_err(invalid)?;
        }
        if let (None, Some(from)) = (read_as.format, &named.from) {
            let format = Format::from_name(from);
            read_as.format =
                Some(format.ok_or_else(|| invalid(format!("`{from}` in `mapping.{name}` is no format")))?);
        }
        read_as.header = read_as.header.or_else(|| named.header.clone());
    }
    Ok((read_as, mapping))
}

/// The key under which redacted values are hashed; made where the store has none.
fn hash_key(storage: &dyn Storage) -> Result<[u8; 32]> {
    let read = || storage.read(layout::REDACT_KEY);
    let bytes = match read() {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // Each has 122 random bits of the operating system.
            let random = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
            let hash = random.iter().fold(Sha256::new(), |hash, uuid| hash.chain_update(uuid.as_bytes()));
            storage.put_if_absent(layout::REDACT_KEY, &hash.finalize())?;
            read()?
        }
        Err(error) => return Err(error),
    };
    bytes.try_into().map_err(|_| {
        let message = format!("`{}` is not 32 bytes long", layout::REDACT_KEY);
        Error::new(ErrorKind::Corrupt, message)
            .with_hint("restore it from a copy, or hashes of equal values differ")
    })
}
