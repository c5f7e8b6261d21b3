//! Which events of which data files a filter matches.

use crate::engine::Session;
use crate::error::Result;
use crate::event::fixed::Fixed;
use crate::ingest::batch::{read_columns, seqs_in};
use crate::log::DataFile;
use crate::maintenance::{Chosen, Rows};
use crate::query::analyses::Statement;
use crate::query::filter::{Filter, Where};
use crate::seal::Tables;
use crate::store::ask::Asked;
use crate::store::sources::narrowed;
use std::collections::HashSet;

/// Files are asked about together until they have so many events, or there are so many.
const EVENTS_AT_ONCE: u64 = 1_000_000;
const FILES_AT_ONCE: usize = 256;

/// The events that match, by file.
pub(super) fn chosen(
    asked: &Asked<'_>,
    tables: &Tables,
    filter: &Filter,
    files: &[&DataFile],
) -> Result<Chosen> {
    if filter.is_all() {
        return Ok(files.iter().map(|file| ((*file).clone(), Rows::All)).collect());
    }
    let condition = asked.scoped(|scope| scope.condition(filter))?;
    let mut chosen = Vec::new();
    for some in groups(files) {
        let seqs = matching(asked, tables, &condition, &some)?;
        for file in some {
            chosen.extend(rows_of(tables, file, &seqs)?.map(|rows| (file.clone(), rows)));
        }
    }
    Ok(chosen)
}

/// How many events that are not yet in data files match.
pub(super) fn pending(asked: &Asked<'_>, tables: &Tables, filter: &Filter) -> Result<u64> {
    if asked.view.pending.num_rows() == 0 {
        return Ok(0);
    }
    let condition = asked.scoped(|scope| scope.condition(filter))?;
    let table = asked.view.events_table(tables, &[], true)?;
    let sql = format!("SELECT seq FROM events WHERE {}", condition.sql);
    let session = Session::open(vec![table], Vec::new(), &asked.limits)?;
    let mut count = 0_u64;
    for batch in session.query(&sql, &condition.parameters)? {
        count = count.saturating_add(batch?.num_rows() as u64);
    }
    Ok(count)
}

/// The numbers of events in order, each as the difference to the one before.
pub(super) fn numbers_of(tables: &Tables, chosen: &Chosen) -> Result<Vec<i64>> {
    let mut seqs = Vec::new();
    for (file, rows) in chosen {
        match rows {
            Rows::Some(some) => seqs.extend(some.iter().copied()),
            Rows::All => {
                for batch in read_columns(&tables.place_of("", file)?, |name| name == Fixed::Seq.name())? {
                    seqs.extend(seqs_in(&batch?));
                }
            }
        }
    }
    seqs.sort_unstable();
    let mut last = 0_i64;
    Ok(seqs.into_iter().map(|seq| seq.saturating_sub(std::mem::replace(&mut last, seq))).collect())
}

fn groups<'a>(files: &[&'a DataFile]) -> Vec<Vec<&'a DataFile>> {
    let mut groups: Vec<Vec<&DataFile>> = Vec::new();
    let mut events = u64::MAX;
    for file in files {
        events = events.saturating_add(file.rows);
        match groups.last_mut() {
            Some(group) if events <= EVENTS_AT_ONCE && group.len() < FILES_AT_ONCE => group.push(file),
            _ => {
                groups.push(vec![file]);
                events = file.rows;
            }
        }
    }
    groups
}

/// The numbers of the events of some files that match, in order.
fn matching(asked: &Asked<'_>, tables: &Tables, condition: &Where, files: &[&DataFile]) -> Result<Vec<i64>> {
    let sql = format!("SELECT seq FROM events WHERE {}", condition.sql);
    let parameters = condition.parameters.clone();
    let statement = Statement { name: "chosen", sql, parameters, ..Statement::default() };
    let files: Vec<DataFile> = files.iter().copied().cloned().collect();
    let mut table = asked.view.events_table(tables, &files, true)?;
    table.pending.clear();
    let table = narrowed(table, std::slice::from_ref(&statement))?;
    let session = Session::open(vec![table], Vec::new(), &asked.limits)?;
    asked.watch(&session);
    let mut seqs = Vec::new();
    for batch in session.query(&statement.sql, &statement.parameters)? {
        seqs.extend(seqs_in(&batch?));
    }
    seqs.sort_unstable();
    Ok(seqs)
}

/// Those of the numbers that a file has; none if it has none.
fn rows_of(tables: &Tables, file: &DataFile, seqs: &[i64]) -> Result<Option<Rows>> {
    let (first, last) = file.seq_range().unwrap_or((i64::MIN, i64::MAX));
    let start = seqs.partition_point(|seq| *seq < first);
    if seqs.get(start).is_none_or(|seq| *seq > last) {
        return Ok(None);
    }
    let mut found = HashSet::new();
    for batch in read_columns(&tables.place_of("", file)?, |name| name == Fixed::Seq.name())? {
        found.extend(seqs_in(&batch?).into_iter().filter(|seq| seqs.binary_search(seq).is_ok()));
    }
    let all = found.len() as u64 >= file.rows;
    Ok(if found.is_empty() { None } else { Some(if all { Rows::All } else { Rows::Some(found) }) })
}
