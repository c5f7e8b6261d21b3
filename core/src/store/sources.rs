//! Where the rows are that a question is about: they are read here where its keys or numbers say that they are few;
//! else DuckDB reads them, in copies of columns or in the data files.

use super::ask::Asked;
use super::reader::View;
use crate::engine::{CopiedRows, Session, Table, absolute};
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, TableSchema};
use crate::event::fixed::Fixed;
use crate::index::{AnyOf, Copy, FILTERED, Live, NARROW, PART, Wanted};
use crate::ingest::batch::conform;
use crate::ingest::parquet::in_parallel;
use crate::log::{At, DataFile};
use crate::query::analyses::{ALL_COLUMNS, Answer, Statement};
use crate::query::filter::TsSpan;
use crate::query::sql::identifier;
use crate::rows::{rows_having, rows_numbered};
use crate::seal::Tables;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Copies are used where they save opening so many files.
pub(super) const LOCATED_FILES: usize = 16;
/// No more rows than these, and no more bytes, are read here.
const FOUND_ROWS: usize = 20_000;
const FOUND_BYTES: usize = 64 << 20;

/// Rows, and their columns also where there are none.
pub(super) type Batches = (SchemaRef, Vec<RecordBatch>);

/// What the rows of a question have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Needs<'a> {
    /// They happened within this span; none is all of time.
    pub(super) span: Option<TsSpan>,
    /// They have one of these numbers, which rise; empty if any.
    pub(super) seqs: &'a [i64],
    /// They have one of the values of each.
    pub(super) keys: &'a [AnyOf],
    /// Only the newest so many of those that have the keys.
    pub(super) newest: Option<u64>,
}

impl<'a> Needs<'a> {
    /// What a statement says of its rows.
    pub(super) fn of(statement: &'a Statement) -> Needs<'a> {
        let Statement { span, seqs, keys, newest, .. } = statement;
        Needs { span: *span, seqs, keys, newest: *newest }
    }

    fn may_be_in(self, file: &DataFile) -> bool {
        let has_one = |(first, last): (i64, i64)| {
            let next = self.seqs.get(self.seqs.partition_point(|seq| *seq < first));
            next.is_some_and(|seq| *seq <= last)
        };
        let has_seq = self.seqs.is_empty() || file.seq_range().is_none_or(has_one);
        has_seq && is_within(file, self.span)
    }
}

impl Asked<'_> {
    /// The rows of a statement.
    pub(super) fn rows(&self, statement: &Statement) -> Result<Batches> {
        let session = self.session(std::slice::from_ref(statement), Needs::of(statement))?;
        let rows = session.query(&statement.sql, &statement.parameters)?;
        Ok((rows.schema(), rows.collect::<Result<_>>()?))
    }

    /// The files that pass a test.
    pub(super) fn files(&self, keep: impl Fn(&DataFile) -> bool) -> Vec<&DataFile> {
        self.view.events.files.iter().filter(|file| keep(file)).collect()
    }

    /// The files that can have a row that is needed.
    pub(super) fn files_with(&self, needs: Needs<'_>) -> Result<Vec<DataFile>> {
        let files = self.files(|file| needs.may_be_in(file)).into_iter().cloned().collect();
        self.store.tables.index.select(files, needs.keys)
    }

    /// The rows of a statement over some of the files, and over what is in none yet.
    pub(super) fn answer(&self, statement: &Statement, files: Vec<&DataFile>) -> Result<Answer> {
        let files = files.into_iter().cloned().collect();
        let session = self.session_over(std::slice::from_ref(statement), Needs::of(statement), files)?;
        let rows = session.query(&statement.sql, &statement.parameters)?;
        Answer::of(&rows.collect::<Result<Vec<_>>>()?)
    }

    /// A session over the columns that the statements name, and the rows that are needed.
    pub(super) fn session(&self, statements: &[Statement], needs: Needs<'_>) -> Result<Session> {
        self.session_over(statements, needs, self.files_with(needs)?)
    }

    fn session_over(
        &self,
        statements: &[Statement],
        needs: Needs<'_>,
        files: Vec<DataFile>,
    ) -> Result<Session> {
        let tables = &self.store.tables;
        let mut table = narrowed(self.view.events_table(tables, &[], true)?, statements)?;
        let is_small =
            files.len() < LOCATED_FILES || !table.columns.iter().all(|column| has_copy(&column.name));
        let found = if is_small { self.found(&table.columns, needs, &files)? } else { None };
        let session = match found {
            Some(found) => {
                table.pending.extend(found);
                Session::open(vec![table], Vec::new(), &self.limits)?
            }
            None => {
                let table = covered(tables, &self.view, table, files, self.limits.threads)?;
                let open = |tables| Session::open(tables, Vec::new(), &self.limits);
                self.store.sessions.over(vec![table], &self.limits, open)?
            }
        };
        self.watch(&session);
        Ok(session)
    }

    /// The rows of files that have the ids or the numbers that are needed; none where nothing says so, or where they
    /// are too many.
    pub(super) fn found(
        &self,
        columns: &[Column],
        needs: Needs<'_>,
        files: &[DataFile],
    ) -> Result<Option<Vec<RecordBatch>>> {
        let is_id = |any: &AnyOf| any.iter().all(|(column, _)| FILTERED.contains(&column.as_str()));
        if needs.seqs.is_empty() && !needs.keys.iter().any(is_id) {
            return Ok(None);
        }
        let schema = TableSchema::of(columns.iter().cloned())?;
        let (rows, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let are_too_many =
            || rows.load(Ordering::Relaxed) > FOUND_ROWS || bytes.load(Ordering::Relaxed) > FOUND_BYTES;
        let (tables, stop) = (&self.store.tables, self.stop());
        let of_file = |file: &DataFile| {
            stop.check()?;
            if are_too_many() {
                return Ok(Vec::new());
            }
            let reader = tables.footers.open(&tables.place_of("", file)?)?;
            let numbers = match needs.seqs {
                [] => rows_having(&reader, needs.keys)?,
                seqs => rows_numbered(&reader, seqs)?,
            };
            rows.fetch_add(numbers.len(), Ordering::Relaxed);
            if numbers.is_empty() || are_too_many() {
                return Ok(Vec::new());
            }
            let batches = reader.batches(&|name| schema.by_name(name).is_some(), Some(&numbers))?;
            let size = batches.iter().map(RecordBatch::get_array_memory_size).sum();
            bytes.fetch_add(size, Ordering::Relaxed);
            batches.iter().map(|batch| conform(batch, &schema)).collect::<Result<Vec<_>>>()
        };
        let last = |file: &DataFile| file.ts_range().map_or(i64::MAX, |(_, last)| last);
        let mut files: Vec<&DataFile> = files.iter().collect();
        files.sort_by_key(|file| std::cmp::Reverse(last(file)));
        let at_once =
            if needs.newest.is_some() { self.limits.threads.saturating_mul(2) } else { files.len() };
        let mut found: Vec<RecordBatch> = Vec::new();
        let mut rest = files.as_slice();
        while !rest.is_empty() {
            let (some, after) = rest.split_at_checked(at_once.max(1)).unwrap_or((rest, &[]));
            let threads = self.limits.threads.min(some.len());
            found.extend(in_parallel(some.to_vec(), threads, of_file)?.into_iter().flatten());
            if are_too_many() {
                return Ok(None);
            }
            let oldest = needs.newest.and_then(|newest| oldest_of(&found, newest));
            rest = if after.first().is_some_and(|file| oldest > Some(last(file))) { &[] } else { after };
        }
        Ok(Some(found))
    }
}

/// The time of the oldest of the newest so many rows; none if there are not so many.
fn oldest_of(batches: &[RecordBatch], newest: u64) -> Option<i64> {
    let times = batches.iter().filter_map(|batch| batch.column_by_name(Fixed::Ts.name()));
    let times = times.filter_map(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let mut times: Vec<i64> = times.flat_map(|column| column.values().iter().copied()).collect();
    times.sort_unstable_by(|one, other| other.cmp(one));
    times.get(usize::try_from(newest.checked_sub(1)?).ok()?).copied()
}

/// Whether the index has copies of all columns that a statement reads.
pub(super) fn is_narrow(statement: &Statement) -> bool {
    statement.reads.as_ref().is_some_and(|columns| columns.iter().all(|column| has_copy(column)))
}

fn has_copy(column: &str) -> bool {
    NARROW.iter().any(|fixed| fixed.name() == column)
}

/// The table over some of its files: DuckDB reads copies of its columns where there are any.
pub(super) fn covered(
    tables: &Tables,
    view: &View,
    table: Table,
    files: Vec<DataFile>,
    threads: usize,
) -> Result<Table> {
    let live = || Ok(tables.events.snapshot(At::Latest)?.files.clone());
    let live: Option<Live<'_>> = (view.at == At::Latest && !tables.storage.is_in_bucket()).then_some(&live);
    let cover = tables.index.cover(files, &Wanted { columns: &table.columns, live, threads })?;
    let copied = |copy: Copy| {
        let file = absolute(&copy.place)?;
        Ok::<_, Error>(CopiedRows { file, part: PART, parts: copy.parts })
    };
    let copies = cover.copies.into_iter().map(copied).collect::<Result<_>>()?;
    let files = tables.places("", &cover.files)?;
    Ok(Table { files, copies, ..table })
}

/// The table without columns that no statement reads: DuckDB looks for each column in each file.
pub(super) fn narrowed(table: Table, statements: &[Statement]) -> Result<Table> {
    if statements.iter().any(|statement| statement.sql.contains(ALL_COLUMNS)) {
        return Ok(table);
    }
    let words: HashSet<&str> = statements.iter().flat_map(|statement| words(&statement.sql)).collect();
    let is_read = |statement: &Statement, name: &str| match &statement.reads {
        Some(columns) => columns.contains(name),
        // A name may occur in another one or in a text: then its column is there in vain.
        None => statement.sql.contains(&identifier(name)),
    };
    narrowed_to(table, &|name| match name {
        "ts" => words.contains("ts") || words.contains("day"),
        "seq" => words.contains("seq") || words.contains("recorded_at"),
        _ => statements.iter().any(|statement| is_read(statement, name)),
    })
}

fn words(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(|char: char| !char.is_alphanumeric() && char != '_')
}

/// The table with these columns, and those that they need. It has one at least.
pub(super) fn narrowed_to(table: Table, is_read: &dyn Fn(&str) -> bool) -> Result<Table> {
    let is_mixed = |name: &str| table.mixed.iter().any(|field| field.column == name);
    let is_named = |column: &&Column| is_read(&column.name);
    let has_mixed = table.columns.iter().filter(is_named).any(|column| is_mixed(&column.name));
    let has_none = !table.columns.iter().any(|column| is_read(&column.name));
    let is_kept = |name: &str| {
        is_read(name) || (has_mixed && name == Fixed::Rest.name()) || (has_none && name == Fixed::Seq.name())
    };
    let places = table.columns.iter().enumerate().filter(|(_, column)| is_kept(&column.name));
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    let project = |batch: &RecordBatch| {
        batch.project(&places).map_err(|error| {
            Error::new(ErrorKind::Internal, "events that are not sealed lack a column").with_source(error)
        })
    };
    let pending = table.pending.iter().map(project).collect::<Result<_>>()?;
    let columns = places.iter().filter_map(|place| table.columns.get(*place)).cloned().collect();
    let mixed = table.mixed.iter().filter(|field| is_kept(&field.column)).cloned().collect();
    Ok(Table { columns, pending, mixed, ..table })
}

/// Whether a file can have events within a span.
pub(super) fn is_within(file: &DataFile, span: Option<TsSpan>) -> bool {
    let (Some(span), Some((first, last))) = (span, file.ts_range()) else { return true };
    let (from, to) = span.both_included();
    first <= to && last >= from
}
