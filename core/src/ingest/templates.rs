//! The templates of messages: their ids on the way into data files, and the dictionary's files.
//!
//! A writer learns from what it writes, and puts what is new into the next numbered file before it commits events that
//! refer to it. Ids follow from texts, so that writers need not agree: two that meet the same template give it
//! the same id, and both may write it down.

use super::arrays::Settled;
use crate::error::{Error, ErrorKind, Result};
use crate::event::chunk::Chunk;
use crate::event::fixed::Fixed;
use crate::event::values::Texts;
use crate::layout;
use crate::mine::{Assigned, Dictionary, Miner, Skeletons, TemplateId};
use crate::storage::{Put, Storage};
use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Every so many files one holds all that those before it hold, so that opening reads few.
const COMPLETE_EVERY: u64 = 64;
/// How hard files are compressed; messages of one program have much in common.
const LEVEL: i32 = 9;
/// A file of more bytes, decompressed, is not one of ours.
const BYTES_MAX: u64 = 1 << 30;
/// What texts have in common is looked for once there are an eighth more of them.
const SETTLE_AT: usize = 8;
/// How often another writer may come first before that is strange.
const TRIES: u32 = 1_000;

/// The templates of a store.
#[derive(Debug)]
pub struct Templates {
    storage: Arc<dyn Storage>,
    /// None until they are asked for.
    state: Mutex<Option<State>>,
}

#[derive(Debug)]
struct State {
    miner: Miner,
    /// What the files have.
    stored: Dictionary,
    /// What is known, with what is in no file yet.
    known: Dictionary,
    /// The number of the next file.
    next: u64,
    /// When each template was first seen, of those that `known` has or will have.
    first_seen_us: HashMap<TemplateId, i64>,
    /// Whether ids were given since `known` was made.
    has_news: bool,
    /// How many texts the miner had when it last looked for what they have in common.
    settled: usize,
}

impl Templates {
    /// The templates of a store, read when they are needed.
    pub fn new(storage: Arc<dyn Storage>) -> Templates {
        Templates { storage, state: Mutex::new(None) }
    }

    /// The dictionary, with what others have added and with what this process found in its log.
    pub fn dictionary(&self) -> Result<Dictionary> {
        self.with_state(|state, storage| {
            state.read_new(storage)?;
            state.update();
            Ok(state.known.clone())
        })
    }

    /// Gives each message of some chunks the id of its template. Where the dictionary is damaged, they get none:
    /// events come first, and whoever asks for templates hears of it.
    pub fn fill(&self, chunks: &mut [Settled]) -> Result<()> {
        let skeletons: Vec<Skeletons> = chunks.iter().map(|settled| skeletons(&settled.chunk)).collect();
        self.fill_from(chunks, &skeletons)
    }

    /// As [`Templates::fill`], with the [`skeletons`] of each chunk.
    pub fn fill_from(&self, chunks: &mut [Settled], skeletons: &[Skeletons]) -> Result<()> {
        if skeletons.iter().all(Skeletons::is_empty) {
            return Ok(());
        }
        let filled = self.with_state(|state, storage| {
            state.read_new(storage)?;
            state.fill(chunks, skeletons);
            Ok(())
        });
        match filled {
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(()),
            other => other,
        }
    }

    /// Writes down what is new, durably: call it before a commit of events that were filled.
    pub fn save(&self) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = &mut *state else { return Ok(()) };
        for _ in 0..TRIES {
            state.update();
            let new = state.known.without(&state.stored);
            if new.entries().is_empty() {
                return Ok(());
            }
            let number = state.next;
            let is_complete = number > 0 && number % COMPLETE_EVERY == 0;
            let file = match is_complete {
                // What the files have, and not what this process knows: they may have been made to forget.
                true => complete(&*self.storage, number, &new)?,
                false => new.clone(),
            };
            let file = compressed(&file)?;
            if self.storage.put_if_absent(&layout::templates(number), &file)? == Put::Written {
                state.stored.merge(&new);
                state.next = number.saturating_add(1);
                return self.storage.sync_folder(layout::TEMPLATES);
            }
            state.read_new(&*self.storage)?;
        }
        Err(Error::new(ErrorKind::Busy, "other writers kept adding templates; none could be added here"))
    }

    /// Takes templates out of the files that are among `gone`, or more general ones of these, and that no event has of
    /// those with the ids `used`. Says how many.
    pub fn forget(&self, gone: &HashSet<TemplateId>, used: &HashSet<TemplateId>) -> Result<u64> {
        // What this process has learned goes, too.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = None;
        let all = State::open(&*self.storage)?.stored;
        let used = all.with_general(used);
        let forgotten: HashSet<TemplateId> =
            all.with_general(gone).into_iter().filter(|id| !used.contains(id)).collect();
        for entry in self.storage.list(layout::TEMPLATES)? {
            let file = read(&*self.storage, &entry.path)?;
            let kept = file.forgetting(&forgotten);
            if kept.entries().len() < file.entries().len() {
                self.storage.replace(&entry.path, &compressed(&kept)?)?;
            }
        }
        Ok(all.entries().keys().filter(|id| forgotten.contains(*id)).count() as u64)
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State, &dyn Storage) -> Result<T>) -> Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = match &mut *state {
            Some(state) => state,
            none => none.insert(State::open(&*self.storage)?),
        };
        work(state, &*self.storage)
    }
}

/// Reads all files of a store's dictionary: the templates, and what is wrong with which file.
pub fn check(storage: &dyn Storage) -> Result<(Dictionary, Vec<(String, String)>)> {
    let (mut all, mut wrong) = (Dictionary::default(), Vec::new());
    for (number, entry) in (0..).zip(storage.list(layout::TEMPLATES)?) {
        let expected = layout::templates(number);
        if entry.path != expected && wrong.is_empty() {
            wrong.push((expected, format!("it is not there, and `{}` is", entry.path)));
        }
        match read(storage, &entry.path) {
            Ok(file) => all.merge(&file),
            Err(error) if error.kind() == ErrorKind::Corrupt => wrong.push((entry.path, error.to_string())),
            Err(error) => return Err(error),
        }
    }
    Ok((all, wrong))
}

/// What the files since the last complete one have, and what is new.
fn complete(storage: &dyn Storage, number: u64, new: &Dictionary) -> Result<Dictionary> {
    let mut all = new.clone();
    for number in number.saturating_sub(COMPLETE_EVERY)..number {
        all.merge(&read(storage, &layout::templates(number))?);
    }
    Ok(all)
}

fn compressed(dictionary: &Dictionary) -> Result<Vec<u8>> {
    // With a checksum, so that a file that was damaged is told from one that was written so.
    let encoded = zstd::Encoder::new(Vec::new(), LEVEL).and_then(|mut encoder| {
        encoder.include_checksum(true)?;
        encoder.write_all(dictionary.to_json().as_bytes())?;
        encoder.finish()
    });
    encoded.map_err(|error| Error::io("compress", layout::TEMPLATES, error))
}

/// The templates of a file.
fn read(storage: &dyn Storage, place: &str) -> Result<Dictionary> {
    let corrupt = |reason: String| Error::new(ErrorKind::Corrupt, format!("`{place}`: {reason}"));
    let text = decompressed(&storage.read(place)?).map_err(|error| corrupt(error.to_string()))?;
    Dictionary::from_json(&text).map_err(|error| corrupt(error.to_string()))
}

/// The texts of a chunk's messages, as the miner wants them.
pub fn skeletons(chunk: &Chunk) -> Skeletons {
    Skeletons::of(chunk.fixed_texts(Fixed::Message).into_iter().flat_map(Texts::iter))
}

/// The text of a file.
fn decompressed(bytes: &[u8]) -> std::io::Result<String> {
    let mut text = String::new();
    let read = zstd::Decoder::new(bytes)?.take(BYTES_MAX).read_to_string(&mut text)?;
    if read as u64 == BYTES_MAX {
        return Err(std::io::Error::other("it is larger than a dictionary can be"));
    }
    Ok(text)
}

impl State {
    fn open(storage: &dyn Storage) -> Result<State> {
        let number_of = |path: &str| path.rsplit('/').next()?.strip_suffix(".json.zst")?.parse::<u64>().ok();
        let numbers = storage.list(layout::TEMPLATES)?;
        let last = numbers.iter().filter_map(|entry| number_of(&entry.path)).max();
        let mut state = State {
            miner: Miner::default(),
            stored: Dictionary::default(),
            known: Dictionary::default(),
            next: last.map_or(0, |last| last - last % COMPLETE_EVERY),
            first_seen_us: HashMap::new(),
            has_news: false,
            settled: 0,
        };
        state.read_new(storage)?;
        Ok(state)
    }

    /// Reads the files that others have written.
    fn read_new(&mut self, storage: &dyn Storage) -> Result<()> {
        loop {
            let place = layout::templates(self.next);
            let file = match read(storage, &place) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            self.miner.know(&file);
            self.stored.merge(&file);
            self.known.merge(&file);
            self.next = self.next.saturating_add(1);
        }
    }

    fn fill(&mut self, chunks: &mut [Settled], skeletons: &[Skeletons]) {
        let all: Vec<Vec<(u32, Assigned)>> =
            skeletons.iter().map(|skeletons| self.miner.assign_all(skeletons)).collect();
        // Each time it looks at all texts, so that it waits for several; what it finds later joins the ids.
        if self.miner.texts() > self.settled.saturating_add(self.settled / SETTLE_AT) {
            self.settle();
        }
        let mut ids: Vec<Option<(TemplateId, i64, String)>> = vec![None; self.miner.texts()];
        for (settled, assigned) in chunks.iter_mut().zip(all) {
            let mut templates = Texts::default();
            for (row, assigned) in assigned {
                let Some(slot) = ids.get_mut(assigned.position()) else { continue };
                let ts = settled.chunk.ts.get(row as usize).copied().unwrap_or(i64::MAX);
                let (_, first, text) = slot.get_or_insert_with(|| {
                    let id = self.miner.id(assigned);
                    (id, ts, id.to_string())
                });
                *first = ts.min(*first);
                templates.push(row, text.as_bytes());
            }
            settled.templates = templates;
        }
        for (id, ts, _) in ids.into_iter().flatten() {
            let first = self.first_seen_us.entry(id).or_insert(ts);
            *first = ts.min(*first);
        }
        self.has_news = true;
    }

    fn settle(&mut self) {
        self.miner.settle();
        self.settled = self.miner.texts();
    }

    /// Makes the dictionary of what the miner has learned.
    fn update(&mut self) {
        if !self.has_news {
            return;
        }
        self.has_news = false;
        if self.miner.texts() > self.settled {
            self.settle();
        }
        self.known.merge(&self.miner.dictionary());
        for (id, first) in self.first_seen_us.drain() {
            self.known.seen(id, first);
        }
    }
}
