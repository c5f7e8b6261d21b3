//! What every record goes through before it is stored: its secrets are removed, and it is taken apart.

use crate::event::chunk::Chunk;
use crate::event::mapping::{Mapping, Names};
use crate::event::reject::Reject;
use crate::event::shred::{Keys, Shredder};
use crate::redact::{Counts, Redactor, Rules};
use std::borrow::Cow;
use std::sync::Arc;

/// Takes records in, one after the other.
#[derive(Debug)]
pub struct Intake {
    shredder: Shredder,
    redactor: Redactor,
}

impl Intake {
    /// Records whose fields map like this, and whose secrets these rules find.
    pub fn new(mapping: Mapping, rules: &Arc<Rules>) -> Intake {
        let secrets = rules.clone();
        let is_secret = Arc::new(move |key: &[u8]| secrets.is_sensitive_key(key));
        let names = Names { mapping, is_secret: Some(is_secret) };
        Intake { shredder: Shredder::new(Arc::new(names)), redactor: Redactor::new(rules.clone()) }
    }

    /// Takes a record into the chunk. One that is rejected leaves nothing behind.
    pub fn push(&mut self, record: &[u8], arrival_us: i64) -> Result<(), Reject> {
        self.take_in(record, arrival_us).map_err(|reject| self.without_secrets(reject))
    }

    fn take_in(&mut self, record: &[u8], arrival_us: i64) -> Result<(), Reject> {
        match self.shredder.read(record)? {
            Keys::Repeated(unique) => self.take_in(&unique, arrival_us),
            Keys::Unique => match self.redacted(record) {
                None => self.shredder.store(record, arrival_us),
                Some(clean) => self.shredder.push(&clean, arrival_us),
            },
        }
    }

    /// The record as it may be stored, if it can be.
    pub fn checked<'a>(&mut self, record: &'a [u8], arrival_us: i64) -> Result<Cow<'a, [u8]>, Reject> {
        self.check(record, arrival_us).map_err(|reject| self.without_secrets(reject))
    }

    fn check<'a>(&mut self, record: &'a [u8], arrival_us: i64) -> Result<Cow<'a, [u8]>, Reject> {
        match self.shredder.read(record)? {
            Keys::Repeated(unique) => Ok(Cow::Owned(self.check(&unique, arrival_us)?.into_owned())),
            Keys::Unique => {
                let record = self.redacted(record).map_or(Cow::Borrowed(record), Cow::Owned);
                self.shredder.check(&record, arrival_us)?;
                Ok(record)
            }
        }
    }

    /// The record that was read last without its secrets, if it has any.
    fn redacted(&mut self, record: &[u8]) -> Option<Vec<u8>> {
        match self.shredder.has_secret() || self.redactor.is_suspect(record) {
            true => self.redactor.record(record, self.shredder.tape()),
            false => None,
        }
    }

    /// What could not be read, without its secrets.
    pub fn raw<'a>(&mut self, raw: &'a [u8]) -> Cow<'a, [u8]> {
        self.redactor.raw(raw).map_or(Cow::Borrowed(raw), Cow::Owned)
    }

    /// A reason shows the beginning of a value: what is secret goes while all of it is there to be recognised.
    fn without_secrets(&mut self, mut reject: Reject) -> Reject {
        reject.change_value(|value| self.reason(value));
        reject
    }

    /// Why something could not be read, without secrets.
    pub fn reason(&mut self, reason: &str) -> String {
        String::from_utf8_lossy(&self.raw(reason.as_bytes())).into_owned()
    }

    /// The records so far; the next go to a new chunk.
    pub fn take(&mut self) -> Chunk {
        self.shredder.take()
    }

    /// What was removed so far; counting begins anew.
    pub fn take_counts(&mut self) -> Counts {
        self.redactor.take_counts()
    }
}
