//! What came since a cursor: each event once, whatever the order of commits.
//!
//! A cursor is a version of the table whose events were all given, how far the reader is in the versions
//! after it, and the numbers of those events that were given from the log before they were in any version.

use super::reader::View;
use crate::error::{Error, ErrorKind, Result};
use crate::event::fixed::Fixed;
use crate::ingest::batch::{conform, read_file};
use crate::log::{At, CommitRecord, DataFile};
use crate::seal::Tables;
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A cursor takes no more memory than this to read.
const CURSOR_BYTES_MAX: usize = 64 << 20;

/// Events that came since a cursor.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The events, with all columns of the table.
    pub events: Vec<RecordBatch>,
    /// The cursor after them.
    pub cursor: String,
    /// Whether there are more already.
    pub more: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// The version whose events were all given; none if none were.
    version: Option<u64>,
    /// The version that is being given, with files and rows of the next file that are done.
    partly: Option<Partly>,
    /// Events given from the log, each as the difference to the one before.
    seen: Vec<i64>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Partly {
    version: u64,
    files: usize,
    rows: usize,
}

/// Events taken so far.
struct Taken {
    batches: Vec<RecordBatch>,
    rows: usize,
    limit: usize,
}

pub fn changes(tables: &Tables, cursor: Option<&str>, limit: usize) -> Result<Changes> {
    let mut cursor = cursor.map_or(Ok(Cursor::default()), Cursor::decode)?;
    let mut seen = cursor.seen_numbers();
    let (from, view) = (cursor.version, View::take(tables, At::Latest)?);
    let ahead = [from, cursor.partly.map(|partly| partly.version)].into_iter().flatten();
    if ahead.max() > Some(view.events.version) {
        let message = "the cursor is of a later version than the store has";
        return Err(Error::new(ErrorKind::Invalid, message)
            .with_hint("start without a cursor, if the store was restored from a copy"));
    }
    let mut taken = Taken { batches: Vec::new(), rows: 0, limit: limit.max(1) };
    while cursor.version != Some(view.events.version) && !taken.is_full() {
        let target = cursor.partly.map_or(view.events.version, |partly| partly.version);
        let files = files_between(tables, cursor.version, target)?;
        take_files(tables, &view, &files, target, &mut cursor, &seen, &mut taken)?;
    }
    let mut more = cursor.version != Some(view.events.version);
    if !more {
        let given = numbers(&view.pending)?;
        seen.retain(|number| given.contains(number));
        let fresh = without(&view.pending, &seen)?;
        let part = fresh.slice(0, fresh.num_rows().min(taken.room()));
        more = part.num_rows() < fresh.num_rows();
        seen.extend(numbers(&part)?);
        taken.add(part);
    }
    cursor.remember(&seen);
    if cursor.version != from {
        // What was given from a version is not given again: it must not go with the power.
        tables.events.sync()?;
    }
    Ok(Changes { events: taken.batches, cursor: cursor.encode()?, more })
}

pub fn now(tables: &Tables) -> Result<String> {
    let view = View::take(tables, At::Latest)?;
    let mut cursor = Cursor { version: Some(view.events.version), ..Cursor::default() };
    cursor.remember(&numbers(&view.pending)?);
    tables.events.sync()?;
    cursor.encode()
}

/// The files that came in after one version, up to another.
fn files_between(tables: &Tables, after: Option<u64>, target: u64) -> Result<Vec<DataFile>> {
    let Some(after) = after else {
        return Ok(tables.events.snapshot(At::Version(target))?.files.clone());
    };
    let commits = tables.events.commits(after + 1, target).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::new(ErrorKind::NotFound, "the cursor is older than the log goes back")
            .with_hint(
                "start without a cursor, or keep versions longer: `keep.versions_days` in `daybook.toml`",
            ),
        _ => error,
    })?;
    let new_files = |commit: CommitRecord| {
        let CommitRecord { mut adds, taken, .. } = commit;
        // Where events are taken out, the others of their files come in other files, and are not new.
        adds.retain(|file| taken.as_ref().is_none_or(|taken| taken.fresh.contains(&file.path)));
        adds
    };
    Ok(commits.into_iter().filter(|commit| commit.data_change).flat_map(new_files).collect())
}

/// Takes what is left of the files of a version, as far as there is room.
fn take_files(
    tables: &Tables,
    view: &View,
    files: &[DataFile],
    target: u64,
    cursor: &mut Cursor,
    seen: &BTreeSet<i64>,
    taken: &mut Taken,
) -> Result<()> {
    let mut partly = cursor.partly.unwrap_or(Partly { version: target, files: 0, rows: 0 });
    for file in files.iter().skip(partly.files) {
        for batch in read_file(&tables.place_of("", file)?, partly.rows)? {
            if taken.is_full() {
                cursor.partly = Some(partly);
                return Ok(());
            }
            let batch = conform(&batch?, view.catalogue.schema())?;
            let batch = batch.slice(0, batch.num_rows().min(taken.room()));
            partly.rows += batch.num_rows();
            taken.add(without(&batch, seen)?);
        }
        // A batch may have been cut where the room ended, in the middle of the file.
        if (partly.rows as u64) < file.rows {
            cursor.partly = Some(partly);
            return Ok(());
        }
        partly = Partly { version: target, files: partly.files + 1, rows: 0 };
    }
    cursor.version = Some(target);
    cursor.partly = None;
    Ok(())
}

/// The numbers of the rows of a table.
pub(super) fn numbers(batch: &RecordBatch) -> Result<BTreeSet<i64>> {
    let column = batch.columns().get(Fixed::Seq.position());
    let column = column.ok_or_else(|| Error::new(ErrorKind::Internal, "events without numbers"))?;
    Ok(column.as_primitive::<Int64Type>().values().iter().copied().collect())
}

/// A batch without the rows of these numbers.
pub(super) fn without(batch: &RecordBatch, seen: &BTreeSet<i64>) -> Result<RecordBatch> {
    let column = batch.columns().get(Fixed::Seq.position());
    let column = column.ok_or_else(|| Error::new(ErrorKind::Internal, "events without numbers"))?;
    let fresh = column.as_primitive::<Int64Type>().values().iter().map(|number| Some(!seen.contains(number)));
    filter_record_batch(batch, &fresh.collect::<BooleanArray>())
        .map_err(|error| Error::new(ErrorKind::Internal, "events cannot be told apart").with_source(error))
}

impl Taken {
    fn is_full(&self) -> bool {
        self.rows >= self.limit
    }

    fn room(&self) -> usize {
        self.limit.saturating_sub(self.rows)
    }

    fn add(&mut self, batch: RecordBatch) {
        self.rows += batch.num_rows();
        if batch.num_rows() > 0 {
            self.batches.push(batch);
        }
    }
}

impl Cursor {
    fn decode(text: &str) -> Result<Cursor> {
        let invalid = || Error::new(ErrorKind::Invalid, "this is no cursor of `changes`");
        let packed = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let json = zstd::bulk::decompress(&packed, CURSOR_BYTES_MAX).map_err(|_| invalid())?;
        serde_json::from_slice(&json).map_err(|_| invalid())
    }

    fn encode(&self) -> Result<String> {
        let internal =
            |error: &dyn std::fmt::Display| Error::new(ErrorKind::Internal, format!("no cursor: {error}"));
        let json = serde_json::to_vec(self).map_err(|error| internal(&error))?;
        let packed = zstd::bulk::compress(&json, 3).map_err(|error| internal(&error))?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(packed))
    }

    fn seen_numbers(&self) -> BTreeSet<i64> {
        let mut number = 0_i64;
        let next = |step: &i64| {
            number = number.saturating_add(*step);
            number
        };
        self.seen.iter().map(next).collect()
    }

    fn remember(&mut self, seen: &BTreeSet<i64>) {
        let mut last = 0;
        self.seen = seen.iter().map(|number| number - std::mem::replace(&mut last, *number)).collect();
    }
}
