//! Numbers that are unique over all writers of a store.
//!
//! The file `_wal/seq` holds the highest number handed out, 8 bytes, and their CRC-32C, 4 bytes, both
//! little-endian. It changes under the lock `_wal/seq.lock`. A bucket has the same in objects instead, each put if
//! absent after the one before: `bucket`.

mod bucket;

use super::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use crate::storage::{FileLock, LocalStorage, Storage};
use std::fmt;
use std::sync::{Arc, Mutex};

/// The file is synced when its number runs ahead of the clock by more. Up to this far a loss of power may
/// undo it: when the machine is back, the clock has passed all numbers that were handed out.
const AHEAD_US_MAX: i64 = 1_000_000;

/// How many numbers a writer reserves at a time; as many pass in ten milliseconds.
const WINDOW: u64 = 10_000;

/// Hands out ranges of `seq`.
#[derive(Clone)]
pub struct SeqAllocator {
    storage: Arc<LocalStorage>,
    clock: Clock,
    /// What is left of the last reservation in a bucket.
    left: Arc<Mutex<bucket::Left>>,
}

impl SeqAllocator {
    /// The allocator of a store. The clock gives microseconds since 1970.
    pub fn new(storage: Arc<LocalStorage>, clock: Clock) -> SeqAllocator {
        SeqAllocator { storage, clock, left: Arc::default() }
    }

    /// Reserves `count` successive numbers and gives the first: the time now, or what is higher of `at_least`
    /// and the first number that nobody has.
    pub fn reserve(&self, count: u64, at_least: i64) -> Result<i64> {
        if self.storage.is_in_bucket() {
            return self.reserve_in_bucket(count, at_least);
        }
        let _lock = self.lock()?;
        let now = (self.clock)();
        let first = self.read(now)?.checked_add(1).ok_or_else(exhausted)?.max(now).max(at_least);
        let count = i64::try_from(count.max(1)).map_err(|_| exhausted())?;
        let last = first.checked_add(count - 1).ok_or_else(exhausted)?;
        self.write(last, now)?;
        Ok(first)
    }

    /// Makes all numbers up to `to` taken, for events that came from elsewhere.
    pub fn raise(&self, to: i64) -> Result<()> {
        if self.storage.is_in_bucket() {
            return self.raise_in_bucket(to);
        }
        let _lock = self.lock()?;
        let now = (self.clock)();
        if self.read(now)? < to { self.write(to, now) } else { Ok(()) }
    }

    fn lock(&self) -> Result<FileLock> {
        self.storage.lock_exclusive(&format!("{}.lock", layout::SEQ))
    }

    /// The highest number handed out. A damaged file does not say, but was synced if it was far ahead of the
    /// clock, so that it is at most a little ahead.
    fn read(&self, now: i64) -> Result<i64> {
        let bytes = match self.storage.read(layout::SEQ) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        Ok(parse(&bytes).unwrap_or_else(|| now.saturating_add(AHEAD_US_MAX)))
    }

    fn write(&self, highest: i64, now: i64) -> Result<()> {
        let durable = highest.saturating_sub(now) > AHEAD_US_MAX;
        self.storage.overwrite(layout::SEQ, &format(highest), durable)
    }
}

impl fmt::Debug for SeqAllocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeqAllocator").field("storage", &self.storage).finish_non_exhaustive()
    }
}

/// The numbers that one writer has reserved.
#[derive(Debug)]
pub(super) struct Window {
    allocator: SeqAllocator,
    last: i64,
    end: i64,
}

impl Window {
    pub(super) fn new(allocator: SeqAllocator) -> Window {
        Window { allocator, last: 0, end: 0 }
    }

    /// The next number: the time now, or the one after the last. `left` are wanted, this one included.
    pub(super) fn next(&mut self, now_us: i64, left: u64) -> Result<i64> {
        let mut seq = self.last.saturating_add(1).max(now_us);
        if seq > self.end {
            let count = left.max(WINDOW);
            seq = self.allocator.reserve(count, seq)?;
            self.end =
                i64::try_from(count - 1).ok().and_then(|more| seq.checked_add(more)).ok_or_else(exhausted)?;
        }
        self.last = seq;
        Ok(seq)
    }

    /// The first of `count` successive numbers: the time now, or the one after the last.
    pub(super) fn run(&mut self, now_us: i64, count: u64) -> Result<i64> {
        let more = i64::try_from(count.saturating_sub(1)).map_err(|_| exhausted())?;
        let mut first = self.last.saturating_add(1).max(now_us);
        if first.checked_add(more).is_none_or(|last| last > self.end) {
            let reserved = count.max(WINDOW);
            first = self.allocator.reserve(reserved, first)?;
            let end = i64::try_from(reserved - 1).ok().and_then(|more| first.checked_add(more));
            self.end = end.ok_or_else(exhausted)?;
        }
        self.last = first.checked_add(more).ok_or_else(exhausted)?;
        Ok(first)
    }
}

fn format(highest: i64) -> Vec<u8> {
    let bytes = highest.to_le_bytes();
    [&bytes[..], &crc32c::crc32c(&bytes).to_le_bytes()].concat()
}

fn parse(bytes: &[u8]) -> Option<i64> {
    let (highest, checksum) = bytes.split_first_chunk::<8>()?;
    (crc32c::crc32c(highest).to_le_bytes() == checksum).then(|| i64::from_le_bytes(*highest))
}

fn exhausted() -> Error {
    Error::new(ErrorKind::Invalid, "there are no numbers left for so many events")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};
    use tempfile::TempDir;

    const NOW: i64 = 1_800_000_000_000_000;

    fn allocator() -> (TempDir, Arc<AtomicI64>, SeqAllocator) {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new(NOW));
        let clock = Arc::clone(&now);
        let storage = Arc::new(LocalStorage::new(folder.path()));
        let allocator = SeqAllocator::new(storage, Arc::new(move || clock.load(Ordering::SeqCst)));
        (folder, now, allocator)
    }

    #[test]
    fn numbers_follow_the_clock_and_never_repeat() {
        let (_folder, now, allocator) = allocator();
        assert_eq!(allocator.reserve(10, 0).unwrap(), NOW);
        assert_eq!(allocator.reserve(1, 0).unwrap(), NOW + 10);
        now.store(NOW + 100, Ordering::SeqCst);
        assert_eq!(allocator.reserve(1, 0).unwrap(), NOW + 100);
        now.store(NOW - 1_000_000, Ordering::SeqCst);
        assert_eq!(allocator.reserve(1, 0).unwrap(), NOW + 101);
        assert_eq!(allocator.reserve(1, NOW + 500).unwrap(), NOW + 500);
        allocator.raise(NOW + 1000).unwrap();
        allocator.raise(NOW + 900).unwrap();
        assert_eq!(allocator.reserve(1, 0).unwrap(), NOW + 1001);
        assert_eq!(allocator.reserve(u64::MAX, 0).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(allocator.reserve(1, i64::MAX).unwrap(), i64::MAX);
        assert_eq!(allocator.reserve(1, 0).unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn runs_are_successive_and_share_no_number_with_others() {
        let (_folder, _now, allocator) = allocator();
        let (mut one, mut other) = (Window::new(allocator.clone()), Window::new(allocator));
        let mut taken = std::collections::BTreeSet::new();
        for count in [1, 3, WINDOW - 5, 2, 10, WINDOW + 1, 1, 2 * WINDOW, 7] {
            for window in [&mut one, &mut other] {
                let first = window.run(NOW, count).unwrap();
                assert!((first..).take(count as usize).all(|seq| taken.insert(seq)), "{count}");
                assert!(taken.insert(window.next(NOW, 1).unwrap()), "{count}");
            }
        }
    }

    #[test]
    fn a_damaged_file_is_passed_by_a_second() {
        let (folder, _now, allocator) = allocator();
        allocator.reserve(1_000_000, 0).unwrap();
        for content in [&b""[..], b"short", &[7; 12], &[0; 12]] {
            std::fs::write(folder.path().join("_wal/seq"), content).unwrap();
            assert_eq!(allocator.reserve(1, 0).unwrap(), NOW + 1_000_001);
        }
    }

    #[test]
    fn threads_and_handles_share_the_numbers() {
        let (folder, _now, _) = allocator();
        let all = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let storage = Arc::new(LocalStorage::new(folder.path()));
                    let allocator = SeqAllocator::new(storage, Arc::new(|| NOW));
                    let firsts: Vec<_> = (0..50).map(|_| allocator.reserve(3, 0).unwrap()).collect();
                    all.lock().unwrap().extend(firsts);
                });
            }
        });
        let mut all = all.into_inner().unwrap();
        all.sort();
        assert_eq!(all, (0..400).map(|i| NOW + i * 3).collect::<Vec<_>>());
    }
}
