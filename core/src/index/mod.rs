//! The index: beside the table, a copy of the columns that most questions are about, for many data files in one,
//! and filters that say which files can have an id.
//!
//! It is made of data files alone, which never change, and each segment names those it covers. So it needs no
//! place in commits, may lag behind, and can be deleted at any time: then questions open the data files.

mod bloom;
mod build;
mod segment;

use crate::error::{Error, ErrorKind, Result};
use crate::event::fixed::Fixed;
use crate::layout;
use crate::log::DataFile;
use crate::storage::{LocalStorage, Storage};
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
/// A segment that nobody needs any more stays so long, for readers that have begun.
const GRACE_US: i64 = 3_600_000_000;

/// The index of a store.
#[derive(Debug)]
pub struct Index {
    storage: Arc<LocalStorage>,
    known: Mutex<HashMap<String, Option<Arc<Segment>>>>,
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
        Index { storage, known: Mutex::default() }
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

    /// What to open for a question about narrow columns of these files.
    pub fn cover(&self, mut files: Vec<DataFile>) -> Result<Cover> {
        let mut copies = Vec::new();
        if files.len() < FILES_MIN {
            return Ok(Cover { copies, files });
        }
        let mut open: HashMap<&str, &DataFile> =
            files.iter().map(|file| (file.path.as_str(), file)).collect();
        for segment in self.segments()? {
            let wanted = (0_u32..).zip(segment.files()).filter(|(_, (path, _))| open.contains_key(path));
            let numbers: Vec<u32> = wanted.map(|(number, _)| number).collect();
            if numbers.len() < FILES_MIN {
                continue;
            }
            segment.files().for_each(|(path, _)| {
                open.remove(path);
            });
            let parts = if numbers.len() == segment.files().len() { Vec::new() } else { ranges(&numbers) };
            copies.push(Copy { place: self.root()?.join(layout::index_columns(&segment.id)), parts });
        }
        let left: HashSet<String> = open.into_keys().map(str::to_string).collect();
        files.retain(|file| left.contains(&file.path));
        Ok(Cover { copies, files })
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
        if keys.is_empty() || files.len() < 2 {
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
        let clean: HashSet<&str> = clean.map(|segment| segment.id.as_str()).collect();
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
