//! The index: beside the table, a copy of the columns that most questions are about, for many data files in one,
//! and filters that say which files can have an id.
//!
//! It is made of data files alone, which never change, and each segment names those it covers. So it needs no
//! place in commits, may lag behind, and can be deleted at any time: then questions open the data files.

mod asked;
mod bloom;
mod build;
mod segment;

use crate::error::{Error, ErrorKind, Result};
use crate::event::column::Column;
use crate::event::fixed::Fixed;
use crate::layout;
use crate::log::DataFile;
use crate::storage::{LocalStorage, Storage};
use asked::{AskedCopy, Making};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

pub use segment::Segment;

/// The columns that segments have a copy of.
pub const NARROW: [Fixed; 11] = [
    Fixed::Seq,
    Fixed::Ts,
    Fixed::Source,
    Fixed::Kind,
    Fixed::Level,
    Fixed::Severity,
    Fixed::Actor,
    Fixed::EntityType,
    Fixed::Status,
    Fixed::DurationMs,
    Fixed::Template,
];

/// The column of a copy that says which data file a row is of, by its number in the segment.
pub const PART: &str = " part";

/// The columns that segments have filters of, where they are text.
pub const FILTERED: [&str; 8] =
    ["event_id", "actor", "session", "entity_id", "trace_id", "span_id", "request_id", "correlation_id"];

/// A segment is made once so many files are in none, and used where it saves opening so many.
const FILES_MIN: usize = 16;
/// Segments of more rows are not made anew with others.
const ROWS_MAX: u64 = 20_000_000;
/// Copies of columns that were asked for take no more than this share of what the data files take, and as much where
/// that is little; one takes half of it.
const ASKED_SHARE: u64 = 4;
const ASKED_BYTES: u64 = 16 << 20;
/// A segment or copy that nobody needs any more stays so long, for readers that have begun.
const GRACE_US: i64 = 3_600_000_000;

/// The index of a store.
#[derive(Debug)]
pub struct Index {
    storage: Arc<LocalStorage>,
    known: Mutex<HashMap<String, Option<Arc<Segment>>>>,
    asked: Mutex<HashMap<String, Option<Arc<AskedCopy>>>>,
    /// Columns of which a copy would be too large, and of how many files.
    refused: Mutex<HashSet<(Vec<String>, usize)>>,
}

/// Tells the data files that the table has now.
pub type Live<'a> = &'a dyn Fn() -> Result<Vec<DataFile>>;

/// What a question needs, and may have made for it.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The columns.
    pub columns: &'a [Column],
    /// Tells all data files of the table; none if no copy is to be made.
    pub live: Option<Live<'a>>,
    /// The threads to make a copy with.
    pub threads: usize,
}

/// Which files a question opens: copies of narrow columns for some, and the others themselves.
#[derive(Clone, Debug, Default)]
pub struct Cover {
    /// Copies, and whose rows are wanted of each.
    pub copies: Vec<Copy>,
    /// The data files that no copy is used of.
    pub files: Vec<DataFile>,
}

/// A copy of narrow columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Where it is.
    pub place: PathBuf,
    /// The data files whose rows are wanted, by their numbers in [`PART`], as ranges with both ends; empty if all are.
    pub parts: Vec<(u32, u32)>,
}

/// Values that a row must have one of: pairs of a column and a value.
pub type AnyOf = Vec<(String, String)>;

impl Index {
    /// The index of the store in a storage.
    pub fn new(storage: Arc<LocalStorage>) -> Index {
        Index { storage, known: Mutex::default(), asked: Mutex::default(), refused: Mutex::default() }
    }

    /// The segments that are there and whole, the largest first.
    fn segments(&self) -> Result<Vec<Arc<Segment>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = HashMap::new();
        for entry in self.storage.list(layout::INDEX)? {
            let Some(id) = layout::index_filters_id(&entry.path) else { continue };
            let segment = match known.remove(id) {
                Some(segment) => segment,
                None => match Segment::read(&*self.storage, id, entry.size) {
                    Ok(segment) => segment.map(Arc::new),
                    // Whoever made a larger one removed it.
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                },
            };
            found.insert(id.to_string(), segment);
        }
        let mut segments: Vec<_> = found.values().flatten().cloned().collect();
        segments.sort_by_key(|segment| (std::cmp::Reverse(segment.files().len()), segment.id.clone()));
        *known = found;
        Ok(segments)
    }

    /// The copies of columns that were asked for, the largest first.
    fn asked_copies(&self) -> Result<Vec<Arc<AskedCopy>>> {
        let mut known = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = HashMap::new();
        for entry in self.storage.list(layout::INDEX)? {
            let Some(id) = layout::index_copy_id(&entry.path) else { continue };
            let copy = match known.remove(id) {
                Some(copy) => copy,
                None => match AskedCopy::read(&*self.storage, id) {
                    Ok(copy) => copy.map(Arc::new),
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                },
            };
            found.insert(id.to_string(), copy);
        }
        let mut copies: Vec<_> = found.values().flatten().cloned().collect();
        copies.sort_by_key(|copy| (std::cmp::Reverse(copy.parts.len()), copy.bytes, copy.id.clone()));
        *known = found;
        Ok(copies)
    }

    /// What to open for a question about some columns of these files: copies where there are any, else the files. A
    /// copy that would save opening many files is made.
    pub fn cover(&self, files: Vec<DataFile>, wanted: &Wanted<'_>) -> Result<Cover> {
        if files.len() < FILES_MIN || self.is_refused() {
            return Ok(Cover { copies: Vec::new(), files });
        }
        let is_narrow = |column: &Column| NARROW.iter().any(|fixed| fixed.name() == column.name);
        if wanted.columns.iter().all(is_narrow) {
            let segments = self.segments()?;
            let parts = segments
                .iter()
                .map(|segment| (segment.id.as_str(), segment.files().map(|(path, _)| path).collect()));
            return self.covered_by(files, parts);
        }
        let copies = self.asked_copies()?;
        let cover = self.covered_with(files.clone(), wanted.columns, &copies)?;
        if cover.files.len() < FILES_MIN {
            return Ok(cover);
        }
        // Without a copy, the question opens the files.
        match wanted.live.and_then(|live| self.make_copy(wanted, live, files.len(), &copies).ok().flatten()) {
            Some(copy) => self.covered_with(files, wanted.columns, &[Arc::new(copy)]),
            None => Ok(cover),
        }
    }

    fn covered_with(
        &self,
        files: Vec<DataFile>,
        columns: &[Column],
        copies: &[Arc<AskedCopy>],
    ) -> Result<Cover> {
        let copies = copies.iter().filter(|copy| copy.has(columns));
        let parts = copies.map(|copy| (copy.id.as_str(), copy.parts.iter().map(String::as_str).collect()));
        self.covered_by(files, parts)
    }

    /// Which of the copies, each of some data files, to use for these files.
    fn covered_by<'a>(
        &self,
        mut files: Vec<DataFile>,
        copies: impl Iterator<Item = (&'a str, Vec<&'a str>)>,
    ) -> Result<Cover> {
        let mut used = Vec::new();
        let mut open: HashSet<String> = files.iter().map(|file| file.path.clone()).collect();
        for (id, parts) in copies {
            let wanted = (0_u32..).zip(&parts).filter(|(_, path)| open.contains(**path));
            let numbers: Vec<u32> = wanted.map(|(number, _)| number).collect();
            if numbers.len() < FILES_MIN {
                continue;
            }
            parts.iter().for_each(|path| {
                open.remove(*path);
            });
            let ranges = if numbers.len() == parts.len() { Vec::new() } else { ranges(&numbers) };
            used.push(Copy { place: self.root()?.join(layout::index_columns(id)), parts: ranges });
        }
        files.retain(|file| open.contains(&file.path));
        Ok(Cover { copies: used, files })
    }

    /// Makes a copy of columns of all data files, unless it would be too large, or another process is at it.
    fn make_copy(
        &self,
        wanted: &Wanted<'_>,
        live: Live<'_>,
        files: usize,
        copies: &[Arc<AskedCopy>],
    ) -> Result<Option<AskedCopy>> {
        let names = wanted.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let refusal = (names, files);
        let refused = || self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused().contains(&refusal) {
            return Ok(None);
        }
        self.storage.create_folder(layout::INDEX)?;
        let Some(_lock) = self.storage.try_lock(layout::INDEX_LOCK)? else { return Ok(None) };
        // Behind the lock: whoever erases events waits for it, and removes copies of what was there before.
        let live = live()?;
        let data = live.iter().map(|file| file.size).sum::<u64>();
        let bytes_max = (data / ASKED_SHARE).max(ASKED_BYTES);
        let taken = copies.iter().map(|copy| copy.bytes).sum::<u64>();
        let bytes_max = (bytes_max / 2).min(bytes_max.saturating_sub(taken));
        let mut files: Vec<&DataFile> = live.iter().collect();
        files.sort_by(|one, other| (one.day, &one.path).cmp(&(other.day, &other.path)));
        let making = Making {
            storage: &self.storage,
            root: self.root()?,
            columns: wanted.columns,
            files: &files,
            bytes_max,
            threads: wanted.threads,
        };
        let made = making.make(&uuid::Uuid::new_v4().to_string())?;
        if made.is_none() {
            refused().insert(refusal);
        }
        Ok(made)
    }

    /// Those of the files that can have a row with one of the values of each.
    pub fn select(&self, files: Vec<DataFile>, keys: &[AnyOf]) -> Result<Vec<DataFile>> {
        let within = |file: &DataFile, (column, value): &(String, String)| file.may_have(column, value);
        let files =
            files.into_iter().filter(|file| keys.iter().all(|any| any.iter().any(|key| within(file, key))));
        let mut files: Vec<DataFile> = files.collect();
        let keys: Vec<Vec<(&str, u64)>> = keys
            .iter()
            .filter(|any| any.iter().all(|(column, _)| FILTERED.contains(&column.as_str())))
            .map(|any| any.iter().map(|(column, value)| (column.as_str(), bloom::hash(value))).collect())
            .collect();
        if keys.is_empty() || files.len() < 2 || self.is_refused() {
            return Ok(files);
        }
        let segments = self.segments()?;
        let mut kept = Vec::new();
        for file in files.drain(..) {
            let covering =
                segments.iter().find_map(|segment| Some((segment, segment.number_of(&file.path)?)));
            let is_kept = match covering {
                None => true,
                Some((segment, number)) => self.matches(segment, number, &keys)?,
            };
            if is_kept {
                kept.push(file);
            }
        }
        Ok(kept)
    }

    fn matches(&self, segment: &Segment, number: u32, keys: &[Vec<(&str, u64)>]) -> Result<bool> {
        for any in keys {
            let mut may_match = false;
            for (column, hash) in any {
                may_match = may_match
                    || match segment.may_hold(&*self.storage, number, column, *hash) {
                        // It was removed since: the file itself has to tell.
                        Err(error) if error.kind() == ErrorKind::NotFound => true,
                        answer => answer?,
                    };
            }
            if !may_match {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes a segment of the files that are in none, once they are many, and of small segments with them.
    /// Of several processes, one does it.
    pub fn keep(&self, live: &[DataFile]) -> Result<()> {
        if self.is_refused() {
            return Ok(());
        }
        let segments = self.segments()?;
        if uncovered(&segments, live).len() < FILES_MIN {
            return Ok(());
        }
        self.storage.create_folder(layout::INDEX)?;
        let Some(_lock) = self.storage.try_lock(layout::INDEX_LOCK)? else { return Ok(()) };
        // Somebody may just have done it.
        let mut segments = self.segments()?;
        let mut files = uncovered(&segments, live);
        if files.len() < FILES_MIN {
            return Ok(());
        }
        let live: HashMap<&str, &DataFile> = live.iter().map(|file| (file.path.as_str(), file)).collect();
        let mut rows: u64 = files.iter().map(|file| file.rows).sum();
        segments.reverse();
        for segment in segments {
            let of_segment: Vec<&DataFile> =
                segment.files().filter_map(|(path, _)| live.get(path).copied()).collect();
            let more: u64 = of_segment.iter().map(|file| file.rows).sum();
            if more <= rows.saturating_mul(2) && rows.saturating_add(more) <= ROWS_MAX {
                rows = rows.saturating_add(more);
                files.extend(of_segment);
            }
        }
        files.sort_by(|one, other| (one.day, &one.path).cmp(&(other.day, &other.path)));
        files.dedup_by(|one, other| one.path == other.path);
        build::build(&self.storage, self.root()?, &uuid::Uuid::new_v4().to_string(), &files)
    }

    /// Removes what no question uses any more; how many files.
    pub fn clean(&self, live: &[DataFile], now_us: i64) -> Result<u64> {
        let live: HashSet<&str> = live.iter().map(|file| file.path.as_str()).collect();
        let (mut covered, mut needed) = (HashSet::new(), HashSet::new());
        for segment in self.segments()? {
            let news =
                segment.files().filter(|(path, _)| live.contains(path) && covered.insert(path.to_string()));
            if news.count() > 0 {
                needed.insert(segment.id.clone());
            }
        }
        needed.extend(self.needed_copies(&live)?);
        let mut removed = 0_u64;
        for entry in self.storage.list(layout::INDEX)? {
            let id = layout::index_id(&entry.path);
            let is_old = now_us.saturating_sub(entry.modified_us) > GRACE_US;
            if is_old && id.is_some_and(|id| !needed.contains(id)) {
                self.storage.delete(&entry.path)?;
                removed = removed.saturating_add(1);
            }
        }
        Ok(removed)
    }

    /// Removes every segment that has copies of a file that is not live, at once, and what was left of others.
    pub fn forget(&self, live: &[DataFile]) -> Result<u64> {
        if self.storage.list(layout::INDEX)?.is_empty() {
            return Ok(0);
        }
        // Whoever is making one ends first.
        let _lock = self.storage.lock_exclusive(layout::INDEX_LOCK)?;
        let live: HashSet<&str> = live.iter().map(|file| file.path.as_str()).collect();
        let segments = self.segments()?;
        let clean = segments.iter().filter(|segment| segment.files().all(|(path, _)| live.contains(path)));
        let copies = self.asked_copies()?;
        let clean_copies =
            copies.iter().filter(|copy| copy.parts.iter().all(|path| live.contains(path.as_str())));
        let clean: HashSet<&str> = clean
            .map(|segment| segment.id.as_str())
            .chain(clean_copies.map(|copy| copy.id.as_str()))
            .collect();
        let mut removed = 0_u64;
        for entry in self.storage.list(layout::INDEX)? {
            if layout::index_id(&entry.path).is_some_and(|id| !clean.contains(id)) {
                self.storage.delete(&entry.path)?;
                removed = removed.saturating_add(1);
            }
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(removed)
    }

    /// The copies of columns that have data files which no larger copy of the same columns has.
    fn needed_copies(&self, live: &HashSet<&str>) -> Result<Vec<String>> {
        let mut covered: HashMap<Vec<String>, HashSet<String>> = HashMap::new();
        let mut needed = Vec::new();
        let mut copies = self.asked_copies()?;
        let is_live = |path: &&String| live.contains(path.as_str());
        copies.sort_by_key(|copy| std::cmp::Reverse(copy.parts.iter().filter(is_live).count()));
        for copy in copies {
            let others = covered.entry(copy.columns.clone()).or_default();
            let mut news = 0_usize;
            for path in copy.parts.iter().filter(is_live) {
                news = news.saturating_add(usize::from(others.insert(path.clone())));
            }
            if news >= FILES_MIN {
                needed.push(copy.id.clone());
            }
        }
        Ok(needed)
    }

    /// Whether there is to be none: an encrypted store has no copies of what is in its files.
    fn is_refused(&self) -> bool {
        self.storage.keys().is_some()
    }

    fn root(&self) -> Result<&std::path::Path> {
        let root = self.storage.local_root();
        root.ok_or_else(|| Error::new(ErrorKind::Unsupported, "the store is not on a local disk"))
    }
}

/// The files that are in no segment.
fn uncovered<'a>(segments: &[Arc<Segment>], live: &'a [DataFile]) -> Vec<&'a DataFile> {
    let is_covered =
        |file: &&DataFile| segments.iter().any(|segment| segment.number_of(&file.path).is_some());
    live.iter().filter(|file| !is_covered(file)).collect()
}

/// Rising numbers as ranges with both ends.
fn ranges(numbers: &[u32]) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    ranges
}
