//! Numbers in a bucket: the highest one handed out is in the last of a row of objects. Whoever reserves puts the next one,
//! unless it is there.

use super::{SeqAllocator, exhausted, format, parse};
use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use crate::storage::{Put, Storage};
use std::sync::PoisonError;

/// So many numbers are reserved at once, as many as pass in a second: each reservation is some requests.
const WINDOW: u64 = 1_000_000;
/// How often others may be first before that is strange.
const TRIES: u32 = 1_000;

/// Numbers that are reserved and not handed out.
#[derive(Debug, Default)]
pub(super) struct Left {
    next: i64,
    /// The number after the last one.
    end: i64,
}

impl SeqAllocator {
    pub(super) fn reserve_in_bucket(&self, count: u64, at_least: i64) -> Result<i64> {
        let wanted = i64::try_from(count.max(1)).map_err(|_| exhausted())?;
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let first = left.next.max(at_least);
        let end = first.checked_add(wanted).ok_or_else(exhausted)?;
        if left.end >= end && left.end > 0 {
            left.next = end;
            return Ok(first);
        }
        let reserved = i64::try_from(count.max(WINDOW)).map_err(|_| exhausted())?;
        let first = self.put_next(reserved, at_least)?;
        left.next = first.checked_add(wanted).ok_or_else(exhausted)?;
        left.end = first.checked_add(reserved).ok_or_else(exhausted)?;
        Ok(first)
    }

    pub(super) fn raise_in_bucket(&self, to: i64) -> Result<()> {
        match self.last()? {
            Some((_, highest)) if highest >= to => Ok(()),
            _ => self.put_next(1, to).map(drop),
        }
    }

    /// Reserves so many numbers in a new object, and gives the first.
    fn put_next(&self, count: i64, at_least: i64) -> Result<i64> {
        for _ in 0..TRIES {
            let (last, highest) = self.last()?.unwrap_or((0, 0));
            let number = last.checked_add(1).ok_or_else(exhausted)?;
            let first = highest.checked_add(1).ok_or_else(exhausted)?.max((self.clock)()).max(at_least);
            let end = first.checked_add(count).ok_or_else(exhausted)?;
            if self.storage.put_if_absent(&layout::reservation(number), &format(end.saturating_sub(1)))?
                == Put::Exists
            {
                continue;
            }
            let all = self.storage.list(layout::SEQS)?;
            // Objects before the last one go. If there are later ones, ours may be one that was there before and went,
            // and its numbers may be others'.
            if all.last().is_some_and(|last| last.path == layout::reservation(number)) {
                for old in all.iter().rev().skip(2) {
                    self.storage.delete(&old.path)?;
                }
                return Ok(first);
            }
        }
        Err(Error::new(ErrorKind::Busy, "others reserved numbers again and again"))
    }

    /// The last reservation, and the highest number in it.
    fn last(&self) -> Result<Option<(u64, i64)>> {
        for _ in 0..TRIES {
            let all = self.storage.list(layout::SEQS)?;
            let Some(last) = all.last() else { return Ok(None) };
            let strange = || {
                Error::new(
                    ErrorKind::Corrupt,
                    format!("`{}` does not say which numbers are taken", last.path),
                )
                .with_hint("remove it if no other process writes: the data files say which numbers they have")
            };
            let number =
                last.path.rsplit('/').next().and_then(|name| name.parse().ok()).ok_or_else(strange)?;
            match self.storage.read(&last.path) {
                Ok(bytes) => return Ok(Some((number, parse(&bytes).ok_or_else(strange)?))),
                // Two others came meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::Busy, "others reserved numbers again and again"))
    }
}
