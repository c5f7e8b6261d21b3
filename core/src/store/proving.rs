//! What proves something of a store: verification, heads of its hash chain, proofs of events.

use super::Store;
use super::ask::AskOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::heads::{OfTable, Publisher, Watch};
use crate::ingest::progress::Progress;
use crate::proof::{EventProof, Head, SignedHead};
use crate::query::analyses::Show;
use crate::seal::Tables;
use crate::settings::HeadSettings;
use crate::storage::Storage;
use crate::verify::{self, VerifyReport, VerifyRequest};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Where heads of the hash chain go.
#[derive(Debug, Default)]
pub(super) struct Heads {
    publisher: Option<Arc<Publisher>>,
    /// Why they go nowhere, though the settings say where.
    trouble: Option<String>,
}

impl Heads {
    /// As the settings say. A store whose key is not there can be read and written: what goes wrong is told, and no event
    /// is lost for it.
    pub(super) fn new(tables: &Tables, settings: &HeadSettings) -> Result<Heads> {
        if *settings == HeadSettings::default() {
            return Ok(Heads::default());
        }
        let folder = tables.storage.local_root().map(Path::to_path_buf).unwrap_or_default();
        let publisher = match Publisher::new(settings, &folder, verify::head(tables)?) {
            Ok(publisher) => Arc::new(publisher),
            Err(error) => {
                let trouble = Some(format!("heads of the hash chain are neither signed nor sent: {error}"));
                return Ok(Heads { publisher: None, trouble });
            }
        };
        for (log, table) in [(&tables.events, OfTable::Events), (&tables.quarantine, OfTable::Quarantine)] {
            log.watch(Box::new(Watch { publisher: Arc::clone(&publisher), table }));
        }
        Ok(Heads { publisher: Some(publisher), trouble: None })
    }

    /// What is wrong.
    pub(super) fn warnings(&self) -> Vec<String> {
        let of_publisher = self.publisher.iter().flat_map(|publisher| publisher.warnings());
        self.trouble.iter().cloned().chain(of_publisher).collect()
    }
}

impl Store {
    /// Reads everything that is committed again, and compares it with the hash chain.
    pub fn verify(&self, request: &VerifyRequest, progress: &dyn Progress) -> Result<VerifyReport> {
        self.stop.store(false, Ordering::Relaxed);
        verify::verify(&self.tables, request, progress, &self.stop)
    }

    /// The same, signed if the settings name a key.
    pub fn signed_head(&self) -> Result<SignedHead> {
        let head = self.head()?;
        Ok(match &self.heads.publisher {
            Some(publisher) => publisher.signed(head),
            None => SignedHead { head, signature: None },
        })
    }

    /// The proof that an event, by its `seq` or its `event_id`, was committed, for somebody who has a head of the hash
    /// chain and not the store: that head, or as the chain ends now.
    pub fn prove(&self, id: &str, against: Option<&Head>, options: &AskOptions<'_>) -> Result<EventProof> {
        self.stop.store(false, Ordering::Relaxed);
        let show = Show { id: id.to_string() };
        let found = self.show(&show, options)?.events;
        let seqs: Vec<i64> = found.iter().filter_map(|event| event.get("seq")?.as_i64()).collect();
        match seqs.as_slice() {
            [seq] => verify::prove(&self.tables, *seq, against, &self.stop),
            [] => Err(Error::new(ErrorKind::NotFound, format!("there is no event `{id}`"))),
            several => {
                let some: Vec<String> = several.iter().take(5).map(i64::to_string).collect();
                let message = format!("{} events have the id `{id}`", several.len());
                Err(Error::new(ErrorKind::Invalid, message)
                    .with_hint(format!("a proof is of one: name it by its `seq`, like {}", some.join(", "))))
            }
        }
    }

    /// The head of the hash chain: kept elsewhere, it proves later that nothing before it was touched.
    pub fn head(&self) -> Result<Head> {
        verify::head(&self.tables)
    }

    /// Tells somebody when a head of the hash chain could not be put where the settings say: from now on, and at once
    /// what is wrong already, also with where the keys come from.
    pub fn tell(&self, told: impl Fn(&str) + Send + Sync + 'static) {
        let keys = self.tables.storage.keys().into_iter().flat_map(|keys| keys.warnings());
        keys.for_each(|warning| told(warning));
        self.heads.warnings().iter().for_each(|warning| told(warning));
        if let Some(publisher) = &self.heads.publisher {
            publisher.tell(Box::new(told));
        }
    }
}
