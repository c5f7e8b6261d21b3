//! Tail: the events that came since a cursor and that a search matches, in the order of time.

use super::Store;
use super::ask::{AskOptions, Asked, FoundBatches};
use crate::engine::{Session, Table};
use crate::error::Result;
use crate::ingest::batch::conform;
use crate::query::analyses::Search;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;

/// So many events are taken in one step.
const STEP: usize = 10_000;

/// Follows a store: first the newest events that match, then those that come.
#[derive(Debug)]
pub struct Tail {
    search: Search,
    cursor: String,
    /// The numbers of events that were given first, and may come once more.
    given: Vec<i64>,
}

impl Store {
    /// Begins to follow the store, with the newest events that match: at most `last`, the newest first.
    pub fn tail(&self, search: &Search, last: u64, options: &AskOptions<'_>) -> Result<(FoundBatches, Tail)> {
        let cursor = self.changes_from_now()?;
        let first = Search { limit: last, ..search.clone() };
        let mut found = self.search(&first, options)?;
        let mut given = Vec::new();
        if last > 0 {
            let columns = vec!["seq".to_string()];
            // What comes between the two searches is given twice rather than never.
            let numbers = self.search(&Search { columns, ..first }, options)?;
            let columns = numbers.batches.iter().filter_map(|batch| batch.columns().first());
            let values = columns.map(|column| column.as_primitive::<Int64Type>().values().to_vec());
            given = values.flatten().collect();
        }
        found.more = false;
        Ok((found, Tail { search: search.clone(), cursor, given }))
    }

    /// The events that match of those that came since; and whether there are more already.
    pub fn tail_on(&self, tail: &mut Tail, options: &AskOptions<'_>) -> Result<FoundBatches> {
        let changes = self.changes(Some(&tail.cursor), STEP)?;
        let mut found = FoundBatches::default();
        if !changes.events.is_empty() {
            found.batches = self.matching(tail, &changes.events, options)?;
            if let Some(batch) = found.batches.first() {
                found.schema = batch.schema();
            }
        }
        found.more = changes.more;
        tail.cursor = changes.cursor;
        Ok(found)
    }

    fn matching(
        &self,
        tail: &Tail,
        events: &[RecordBatch],
        options: &AskOptions<'_>,
    ) -> Result<Vec<RecordBatch>> {
        // The view is taken after the changes, so that it has all of their columns.
        let asked = Asked::new(self, options)?;
        let schema = asked.view.catalogue.schema();
        let pending = events.iter().map(|batch| conform(batch, schema)).collect::<Result<Vec<_>>>()?;
        let table = Table {
            name: "events",
            files: Vec::new(),
            copies: Vec::new(),
            columns: schema.columns().to_vec(),
            pending,
            mixed: asked.view.mixed_fields(),
        };
        let session = Session::open(vec![table], Vec::new(), &asked.limits)?;
        self.watch(&session);
        let statement = asked.scoped(|scope| tail.search.new_ones(scope, &tail.given))?;
        session.query(&statement.sql, &statement.parameters)?.collect()
    }
}
