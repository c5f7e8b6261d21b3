//! Sessions that are kept for the next question over the same rows: opening one takes longer than many a question.

use crate::engine::{Limits, Parsed, Session, Table};
use crate::error::Result;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many are kept.
const KEPT: usize = 3;
/// A session over more files, or with more rows of its own, is not kept: it would hold what it knows of them in memory.
const FILES_MAX: usize = 64;
const ROWS_MAX: usize = 10_000;

/// The sessions that are kept, the last one used first.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    kept: Mutex<VecDeque<Kept>>,
}

#[derive(Debug)]
struct Kept {
    tables: Vec<Table>,
    memory_bytes: u64,
    threads: usize,
    session: Session,
}

impl Sessions {
    /// Parses a query, in a session that is kept if there is one.
    pub(super) fn parse(&self, sql: &str, limits: &Limits) -> Result<Parsed> {
        let last = self.lock().front().map(|kept| kept.session.again(limits));
        Parsed::new(sql, last.as_ref())
    }

    /// The session that is kept over exactly these tables, else a new one, which is kept.
    pub(super) fn over(
        &self,
        tables: Vec<Table>,
        limits: &Limits,
        open: impl FnOnce(Vec<Table>) -> Result<Session>,
    ) -> Result<Session> {
        let files: usize = tables.iter().map(|table| table.files.len() + table.copies.len()).sum();
        let rows: usize = tables.iter().flat_map(|table| &table.pending).map(|batch| batch.num_rows()).sum();
        if files > FILES_MAX || rows > ROWS_MAX {
            return open(tables);
        }
        if let Some(session) = self.known(&tables, limits) {
            return Ok(session);
        }
        let session = open(tables.clone())?;
        let (memory_bytes, threads) = (limits.memory_bytes, limits.threads);
        let mut kept = self.lock();
        kept.push_front(Kept { tables, memory_bytes, threads, session: session.again(limits) });
        kept.truncate(KEPT);
        Ok(session)
    }

    fn known(&self, tables: &[Table], limits: &Limits) -> Option<Session> {
        let mut kept = self.lock();
        let is_same = |kept: &Kept| {
            (kept.memory_bytes, kept.threads) == (limits.memory_bytes, limits.threads)
                && kept.tables == tables
        };
        let place = kept.iter().position(is_same)?;
        let found = kept.remove(place)?;
        if !found.session.works() {
            return None;
        }
        let session = found.session.again(limits);
        kept.push_front(found);
        Some(session)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
