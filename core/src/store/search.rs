//! Search: the newest events that match are located first, over few columns, and then read whole.

use super::FoundBatches;
use super::ask::Asked;
use super::sources::{Batches, LOCATED_FILES, is_narrow, is_within};
use crate::error::Result;
use crate::event::time::day_start_us;
use crate::log::DataFile;
use crate::query::analyses::{Answer, Fetch, Scope, Search, Walk};
use arrow::array::RecordBatch;
use std::collections::BTreeMap;

/// More events than these are read at once, without locating them first.
const LOCATED_MAX: u64 = 1_000;

impl Asked<'_> {
    /// The newest events that match. Columns that the filter does not need are read of the events that are found,
    /// not of all that are looked into, where that saves much.
    pub(super) fn search(&self, search: &Search, scope: &Scope<'_>) -> Result<FoundBatches> {
        let limit = search.limit();
        let locating = search.locating();
        let locate_always = search.columns.is_empty() && limit <= LOCATED_MAX;
        // One more tells whether there are more.
        let mut wanted = limit.saturating_add(1);
        let (mut found, mut located) = (FoundBatches::default(), Vec::new());
        for within in Walk::new(self.days(), search.span(scope)?) {
            let files: Vec<&DataFile> = self.files(|file| is_within(file, Some(within)));
            found.files = found.files.saturating_add(files.len());
            let locate = locating.statement(scope, Some(within), wanted)?;
            // What is newest is in few files, which are read at once.
            let is_first = found.files == files.len();
            let many = !is_first && files.len() >= LOCATED_FILES && wanted <= LOCATED_MAX;
            let direct = search.statement(scope, Some(within), wanted)?;
            let is_located = locate_always || (many && is_narrow(&locate) && !is_narrow(&direct));
            let (mut schema, mut batches) = self.rows(if is_located { &locate } else { &direct })?;
            let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
            wanted = wanted.saturating_sub(rows as u64);
            if locate_always {
                located.append(&mut batches);
            } else if is_located && rows > 0 {
                (schema, batches) = self.fetch(search, scope, batches)?;
            }
            if rows > 0 || is_first {
                found.schema = schema;
            }
            found.batches.append(&mut batches);
            if wanted == 0 {
                break;
            }
        }
        found.more = wanted == 0;
        let located = first_rows(located, limit);
        if locate_always && !located.is_empty() {
            (found.schema, found.batches) = self.whole(&located_in(&located)?)?;
        }
        found.batches = first_rows(found.batches, limit);
        Ok(found)
    }

    /// The columns that are asked for of events that were located.
    fn fetch(&self, search: &Search, scope: &Scope<'_>, located: Vec<RecordBatch>) -> Result<Batches> {
        let statement = search.fetching(scope, &located_in(&located)?)?;
        self.rows(&statement)
    }

    /// The days that have data files, and how many events are in them.
    fn days(&self) -> Vec<(i64, u64)> {
        let mut days: BTreeMap<i64, u64> = BTreeMap::new();
        for file in &self.view.events.files {
            let rows = days.entry(day_start_us(file.day)).or_default();
            *rows = rows.saturating_add(file.rows);
        }
        days.into_iter().collect()
    }
}

/// The events of rows with a number and a time each.
fn located_in(batches: &[RecordBatch]) -> Result<Fetch> {
    let located = Answer::of(batches)?.rows;
    let times = || located.iter().filter_map(|row| row.time(1));
    let seqs = located.iter().filter_map(|row| row.get(0).as_i64()).collect();
    Ok(Fetch { seqs, between: times().min().zip(times().max()), more: false })
}

/// The first rows of batches.
fn first_rows(batches: Vec<RecordBatch>, limit: u64) -> Vec<RecordBatch> {
    let mut room = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut kept = Vec::with_capacity(batches.len());
    for batch in batches {
        let rows = batch.num_rows().min(room);
        room = room.saturating_sub(rows);
        if rows > 0 {
            kept.push(batch.slice(0, rows));
        }
    }
    kept
}
