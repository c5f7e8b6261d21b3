//! Erasure: what is taken out is also taken out of everything older, at once.

use super::take::Work;
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::hex;
use crate::event::catalogue::Catalogue;
use crate::event::column::FieldPath;
use crate::event::fixed::Fixed;
use crate::event::nest;
use crate::ingest::batch::read_columns;
use crate::layout;
use crate::log::{At, Log};
use crate::mine::TemplateId;
use crate::quarantine;
use crate::seal::Tables;
use crate::storage::{Put, Storage};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, new_null_array};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// A file that no commit names may be one that is about to be committed; after a day it is not.
const ORPHAN_US: i64 = 86_400_000_000;
/// A small file that is still under another name after so long is left over.
const LEFTOVER_US: i64 = 600_000_000;
/// Columns that cannot be blanked: without them an event is none.
const KEPT: [Fixed; 4] = [Fixed::Seq, Fixed::Ts, Fixed::Shape, Fixed::Rest];

/// What was erased, or would be.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EraseReceipt {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// The number of the record of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Events that were taken out, or whose fields were blanked.
    pub events: u64,
    /// The fields that were blanked; empty where events were taken out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<String>,
    /// Records of the quarantine in whose text the filter's values stand; they were taken out.
    pub rejects: u64,
    /// Whether the filter names no value, so that the quarantine could not be looked through.
    pub quarantine_skipped: bool,
    /// Data files that were written anew, or went as a whole.
    pub files: u64,
    /// Templates of messages that no other event has; they were taken out of the dictionary.
    pub templates: u64,
    /// Data files of older versions that were removed.
    pub files_removed: u64,
    /// Older commits that were removed; their records in the hash chain stay, which have hashes and no values.
    pub commits_removed: u64,
    /// Events that match and are in the log of a process that is running: they have to be erased when they are sealed.
    pub events_waiting: u64,
    /// Files that no commit names: somebody may be writing them, or a crash left them, and they may hold anything.
    pub files_waiting: u64,
    /// The same for each archive that was named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<EraseReceipt>,
}

impl EraseReceipt {
    /// Whether nothing that matches may be left in the store.
    pub fn is_complete(&self) -> bool {
        let here = self.events_waiting == 0 && self.files_waiting == 0;
        here && self.archives.iter().all(|archive| archive.events_waiting == 0 && archive.files_waiting == 0)
    }
}

/// What went with everything older.
#[derive(Clone, Copy, Debug, Default)]
pub struct Purged {
    /// Templates that no event has any more.
    pub templates: u64,
    /// Data files.
    pub files: u64,
    /// Commits.
    pub commits: u64,
    /// Files that no commit names, and that somebody may be writing: they stayed.
    pub waiting: u64,
}

/// Removes everything but the latest version, whoever may be reading the others. It can be stopped anywhere and done
/// again: the commits that tell that it is due go last.
pub fn purge(work: &Work<'_>) -> Result<Purged> {
    let tables = work.tables;
    // What is removed here stands in commits that must not go with the power.
    tables.events.sync()?;
    tables.quarantine.sync()?;
    let mut purged = Purged::default();
    let events = tables.events.snapshot(At::Latest)?;
    tables.index.forget(&events.files)?;
    let now_us = work.now_ms.saturating_mul(1000);
    tables.storage.remove_leftovers("", now_us.saturating_sub(LEFTOVER_US))?;
    let dead = Dead::of(tables, &tables.events, "")?;
    let live: Vec<String> = events.files.iter().map(|file| file.path.clone()).collect();
    purged.templates = forget_templates(tables, &dead, &live)?;
    for dead in [dead, Dead::of(tables, &tables.quarantine, quarantine::PREFIX)?] {
        for path in &dead.removed {
            tables.storage.delete(path)?;
        }
        purged.files = purged.files.saturating_add(dead.removed.len() as u64);
        for (path, modified_us) in &dead.unknown {
            if now_us.saturating_sub(*modified_us) > ORPHAN_US {
                tables.storage.delete(path)?;
                purged.files = purged.files.saturating_add(1);
            } else {
                purged.waiting = purged.waiting.saturating_add(1);
            }
        }
    }
    for log in [&tables.quarantine, &tables.events] {
        purged.commits = purged.commits.saturating_add(log.purge()?.commits_removed);
    }
    Ok(purged)
}

/// Whether an erasure was committed and what is older was not removed yet.
pub fn is_due(tables: &Tables) -> Result<bool> {
    for log in [&tables.events, &tables.quarantine] {
        let erased = log.snapshot(At::Latest)?.transaction(layout::ERASED)?;
        let earliest = log.earliest()?.and_then(|version| i64::try_from(version).ok());
        if erased.is_some_and(|erased| earliest.is_none_or(|earliest| earliest < erased)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Files in the folders of days that are in no table any more.
struct Dead {
    /// Taken out by a commit.
    removed: Vec<String>,
    /// Named by no commit, and when they were changed last.
    unknown: Vec<(String, i64)>,
}

impl Dead {
    fn of(tables: &Tables, log: &Log, prefix: &str) -> Result<Dead> {
        // Listed before the snapshot is taken: what is committed meanwhile is in the snapshot.
        let listed = tables.files_of_days(prefix)?;
        let snapshot = log.snapshot(At::Latest)?;
        let live: HashSet<String> =
            snapshot.files.iter().map(|file| format!("{prefix}{}", file.path)).collect();
        let (mut removed, mut unknown) = (Vec::new(), Vec::new());
        let known = log.removed_paths(snapshot.version)?;
        for entry in listed.into_iter().filter(|entry| !live.contains(&entry.path)) {
            match known.contains(entry.path.strip_prefix(prefix).unwrap_or(&entry.path)) {
                true => removed.push(entry.path),
                false => unknown.push((entry.path, entry.modified_us)),
            }
        }
        Ok(Dead { removed, unknown })
    }
}

/// Takes templates out of the dictionary that events of dead files have, and no event of the others.
fn forget_templates(tables: &Tables, dead: &Dead, live: &[String]) -> Result<u64> {
    // A file that is dead and cannot be read goes all the same.
    let gone = dead.removed.iter().filter_map(|path| templates_of(tables, path).ok());
    let gone: HashSet<TemplateId> = gone.flatten().collect();
    if gone.is_empty() {
        return Ok(0);
    }
    let mut used = HashSet::new();
    for path in live {
        used.extend(templates_of(tables, path)?);
    }
    tables.templates.forget(&gone, &used)
}

fn templates_of(tables: &Tables, path: &str) -> Result<HashSet<TemplateId>> {
    let mut found = HashSet::new();
    for batch in read_columns(&tables.place("", path)?, |name| name == Fixed::Template.name())? {
        let batch = batch?;
        let texts = batch.columns().first().and_then(|column| column.as_string_opt::<i32>());
        let texts = texts.into_iter().flat_map(|texts| texts.iter().flatten());
        found.extend(texts.filter_map(TemplateId::parse));
    }
    Ok(found)
}

/// Fields that are to be blanked.
#[derive(Clone, Debug)]
pub struct Blank {
    columns: BTreeSet<String>,
    paths: Vec<FieldPath>,
}

impl Blank {
    /// Fields by the names of their columns, or by their paths.
    pub fn of(names: &[String], catalogue: &Catalogue) -> Result<Blank> {
        let mut blank = Blank { columns: BTreeSet::new(), paths: Vec::new() };
        let schema = catalogue.schema();
        for name in names {
            if KEPT.iter().any(|fixed| fixed.name() == name) {
                return Err(Error::new(ErrorKind::Invalid, format!("`{name}` cannot be blanked"))
                    .with_hint("erase the events without `--redact`"));
            }
            let path = FieldPath::new(name.split('.'));
            let by_path = schema.position_of(&path).and_then(|position| schema.columns().get(position));
            let is_in_rest = catalogue.fields_in_rest().any(|field| *field == path);
            match schema.by_name(name).or(by_path) {
                Some(column) => {
                    blank.columns.insert(column.name.clone());
                    blank.paths.extend(column.path.clone());
                }
                None if is_in_rest => blank.paths.push(path),
                None => {
                    return Err(Error::new(ErrorKind::Invalid, format!("there is no field `{name}`"))
                        .with_hint("`daybook schema` lists the columns and their fields"));
                }
            }
        }
        if blank.columns.contains(Fixed::Message.name()) {
            // It is what is left of the message.
            blank.columns.insert(Fixed::Template.name().to_string());
        }
        Ok(blank)
    }

    /// Rows without the values of the fields.
    pub fn blanked(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let schema = batch.schema();
        let arrays = schema.fields().iter().zip(batch.columns()).map(|(field, array)| -> ArrayRef {
            match field.name().as_str() {
                name if self.columns.contains(name) => new_null_array(field.data_type(), array.len()),
                name if name == Fixed::Rest.name() => self.rest(array),
                _ => array.clone(),
            }
        });
        RecordBatch::try_new(schema.clone(), arrays.collect())
            .map_err(|error| Error::new(ErrorKind::Internal, "fields cannot be blanked").with_source(error))
    }

    fn rest(&self, array: &ArrayRef) -> ArrayRef {
        let Some(texts) = array.as_string_opt::<i32>() else { return array.clone() };
        let without = |text: &str| {
            let mut leaves = nest::leaves(text.as_bytes());
            leaves.retain(|(path, _)| !self.paths.iter().any(|blank| is_below(path, blank)));
            leaves.sort();
            let mut out = Vec::new();
            nest::object_into(&leaves, &mut out);
            (!leaves.is_empty()).then(|| String::from_utf8_lossy(&out).into_owned())
        };
        Arc::new(texts.iter().map(|text| text.and_then(without)).collect::<StringArray>())
    }
}

fn is_below(path: &FieldPath, above: &FieldPath) -> bool {
    path.keys().len() >= above.keys().len() && path.keys().zip(above.keys()).all(|(one, other)| one == other)
}

/// What is kept of an erasure: what, when and why, without the data.
#[derive(Debug, Serialize)]
pub struct Record<'a> {
    /// Its number.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// Why, in the words of whoever asked for it.
    pub reason: &'a str,
    /// A keyed hash of the filter, which may name the person.
    pub filter: String,
    /// The fields that were blanked.
    pub redacted: &'a [String],
    /// How many events.
    pub events: u64,
    /// How many records of the quarantine.
    pub rejects: u64,
    /// The data files that held them.
    pub files: Vec<RecordedFile>,
    /// The numbers of the events, each as the difference to the one before: a restore leaves these out.
    pub seqs: Vec<i64>,
}

/// A data file that held what was erased.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedFile {
    /// Its path.
    pub path: String,
    /// The SHA-256 of its bytes.
    pub sha256: String,
    /// How many of its events.
    pub events: u64,
}

/// Writes a record down under the next number, which is given to it.
pub fn record(tables: &Tables, of_number: &dyn Fn(u64) -> Result<Vec<u8>>) -> Result<u64> {
    let number_of = |path: &str| path.rsplit('/').next()?.strip_suffix(".json")?.parse::<u64>().ok();
    let mut number = 1;
    for entry in tables.storage.list(layout::ERASURES)? {
        number = number.max(number_of(&entry.path).unwrap_or_default().saturating_add(1));
    }
    while tables.storage.put_if_absent(&layout::erasure(number), &of_number(number)?)? == Put::Exists {
        number = number.saturating_add(1);
    }
    Ok(number)
}

/// HMAC-SHA-256 of the filter's text, under a key of the store that is made when it is needed.
pub fn keyed_hash(storage: &dyn Storage, text: &str) -> Result<String> {
    let read = || storage.read(layout::ERASE_KEY);
    let key = match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let random = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
            let hash = random.iter().fold(Sha256::new(), |hash, uuid| hash.chain_update(uuid.as_bytes()));
            storage.put_if_absent(layout::ERASE_KEY, &hash.finalize())?;
            read()?
        }
        key => key?,
    };
    let keyed = Hmac::<Sha256>::new_from_slice(&key);
    let mut keyed = keyed.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
    keyed.update(text.as_bytes());
    Ok(format!("hmac-sha256:{}", hex(&keyed.finalize().into_bytes())))
}
