//! Bundles: events as a folder for any static host, which a browser asks without a server.

mod copies;
mod folder;
mod groups;
mod hide;
mod partitions;
mod ranges;

use super::Store;
use super::ask::{AskOptions, Asked};
use super::condition::chain_head;
use super::export::{self, Exporting};
use super::options::ExportRequest;
use crate::bundle::{Manifest, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::event::time::{DAY_US, day_start_us, rfc3339};
use crate::ingest::progress::Progress;
use crate::mine::{Dictionary, TemplateId};
use crate::query::filter::{Filter, Term};
use crate::storage::Storage;
use chrono::NaiveDate;
use folder::NewFolder;
use hide::Hide;
use partitions::Partitions;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::Ordering;

/// What a bundle is to have.
#[derive(Clone, Debug)]
pub struct BundleRequest {
    /// What people call it; the name of the store's folder, without one.
    pub title: Option<String>,
    /// Only the events that match.
    pub filter: Filter,
    /// Only events of this day or later.
    pub from: Option<NaiveDate>,
    /// Only events of this day or earlier.
    pub to: Option<NaiveDate>,
    /// Whether secrets are looked for in what is stored, as at intake, and e-mail and IP addresses too.
    pub redact: bool,
    /// The bundle's data files take at most so many bytes.
    pub bytes_max: Option<u64>,
    /// The viewer to put in: a tar archive, compressed with gzip.
    pub viewer: Option<Cow<'static, [u8]>>,
}

impl Default for BundleRequest {
    fn default() -> Self {
        BundleRequest {
            title: None,
            filter: Filter::all(),
            from: None,
            to: None,
            redact: false,
            bytes_max: None,
            viewer: None,
        }
    }
}

/// What was put into a bundle.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BundleReceipt {
    /// Its events.
    pub events: u64,
    /// Days that have events.
    pub days: u64,
    /// Its data files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Values that were redacted for it.
    pub redacted: u64,
    /// The head of the store's hash chain.
    pub head: String,
}

impl BundleRequest {
    /// The events that it has.
    fn chosen(&self) -> Filter {
        let since = self.from.map(|day| Filter::Term(Term::Since(day_start_us(day))));
        let until = self.to.map(|day| Filter::Term(Term::Until(day_start_us(day).saturating_add(DAY_US))));
        let filter = Some(self.filter.clone()).filter(|filter| !filter.is_all());
        Filter::and(filter.into_iter().chain(since).chain(until).collect())
    }
}

impl Store {
    /// What whoever gets the bundle learns, in sentences.
    pub fn bundle_gives_away(&self, request: &BundleRequest) -> Vec<String> {
        let open = match self.tables.storage.keys() {
            Some(_) => {
                "the store is encrypted and the bundle is not: whoever has the folder reads its events"
            }
            None => "whoever has the folder reads its events: a bundle is neither encrypted nor signed",
        };
        let mut told = vec![open.to_string()];
        told.push(
            "it has the names of all columns of the store, also of those without a value in its events"
                .to_string(),
        );
        told.push(match (request.redact, self.settings.redact.enabled) {
            (true, _) => "secrets are looked for again, and e-mail and IP addresses; what does not look like one stays",
            (false, true) => "it has what redaction left when the events came in; `--redact` looks again, also for e-mail and IP addresses",
            (false, false) => "this store redacts nothing, and nor does the bundle without `--redact`",
        }.to_string());
        told
    }

    /// Writes events into a new folder, or in place of a bundle that is there. Nothing of it is there before all of it is.
    pub fn bundle(
        &self,
        folder: &Path,
        request: &BundleRequest,
        options: &AskOptions<'_>,
        progress: &dyn Progress,
    ) -> Result<BundleReceipt> {
        self.stop.store(false, Ordering::Relaxed);
        let target = NewFolder::beside(folder)?;
        let asked = Asked::new(self, options)?;
        let catalogue = asked.view.catalogue.clone();
        let events = &asked.view.events;
        let source = Source { table: events.table_id().to_string(), head: chain_head(events) };
        let head = source.head.head.clone();
        let filter = request.chosen();
        let mut manifest = Manifest::new(self.title(request), rfc3339((self.clock)()), source);
        manifest.filter = filter.to_string();
        manifest.redacted = request.redact;
        let hide =
            request.redact.then(|| Hide::new(&self.settings.redact, catalogue.schema())).transpose()?;
        let mut partitions = Partitions::new(catalogue.schema(), &target, manifest, request.bytes_max, hide);
        let context = Exporting { asked: &asked, tables: &self.tables, progress, stop: &self.stop };
        let chosen = ExportRequest { original: true, filter, ..ExportRequest::default() };
        export::export_to(&context, &chosen, &mut partitions)?;
        let done = partitions.finish()?;
        let mut manifest = done.manifest;
        let templates = known_of(&self.dictionary()?, &done.templates);
        let templates = done.hide.map_or(templates.clone(), |mut hide| hide.templates(&templates));
        manifest.describe(&catalogue, &templates);
        // What is written is read as others will read it.
        let bytes = manifest.to_json();
        Manifest::read(&bytes)?;
        target.write(crate::bundle::MANIFEST, &bytes)?;
        if let Some(viewer) = &request.viewer {
            target.unpack(viewer)?;
        }
        target.put_in_place()?;
        let days: HashSet<NaiveDate> = manifest.files.iter().map(|file| file.day).collect();
        Ok(BundleReceipt {
            events: manifest.events,
            days: days.len() as u64,
            files: manifest.files.len() as u64,
            bytes: manifest.bytes,
            redacted: done.redacted,
            head,
        })
    }

    fn title(&self, request: &BundleRequest) -> String {
        if let Some(title) = &request.title {
            return title.clone();
        }
        let name = self.tables.storage.name();
        let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if last.is_empty() { "Daybook".to_string() } else { last.to_string() }
    }
}

/// What a dictionary has of some templates, and of those that they are or were part of.
fn known_of(dictionary: &Dictionary, used: &HashSet<TemplateId>) -> Dictionary {
    let now: HashSet<TemplateId> = used.iter().map(|id| dictionary.resolve(*id)).collect();
    let is_used = |id: &TemplateId| used.contains(id) || now.contains(&dictionary.resolve(*id));
    let unused = dictionary.entries().keys().filter(|id| !is_used(id)).copied().collect();
    dictionary.forgetting(&unused)
}

/// An error of a bundle that gets too large.
pub(super) fn too_large(bytes: u64, bytes_max: u64, events: u64) -> Error {
    let message =
        format!("the bundle would have more than {bytes_max} bytes: its first {events} events take {bytes}");
    Error::new(ErrorKind::Limit, message).with_hint("choose fewer days or events, or raise the limit")
}
