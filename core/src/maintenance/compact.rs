//! Compaction: many small files of a day become few, with the same events.

use super::vacuum::vacuum;
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::RowSet;
use crate::event::column::TableSchema;
use crate::event::fixed::Fixed;
use crate::ingest::arrays::arrow_field;
use crate::ingest::batch::{conform, read_file};
use crate::ingest::order::kinds_of_rows;
use crate::ingest::parquet::{Encoded, OpenFile, in_parallel};
use crate::ingest::progress::{Progress, Step, Unit};
use crate::ingest::stats::{ColumnRange, ColumnRanges};
use crate::layout;
use crate::log::{At, Change, DataFile, Outcome, Snapshot};
use crate::seal::Tables;
use crate::storage::Storage;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{SortColumn, concat, lexsort_to_indices, take};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Files are put together until they have about so many bytes.
const TARGET_BYTES: u64 = 64 << 20;
/// Rows are sorted in runs of about so many bytes in memory.
const RUN_BYTES: usize = 96 << 20;
/// What is compacted is kept for long.
const COMPRESSION_LEVEL: i32 = 9;

/// What to compact.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompactRequest {
    /// This day only; every day without one.
    pub day: Option<NaiveDate>,
}

/// What compaction did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CompactReceipt {
    /// Days of which files were put together.
    pub days: u64,
    /// Files before, of these days.
    pub files_before: u64,
    /// Files after, of these days.
    pub files_after: u64,
    /// Bytes before.
    pub bytes_before: u64,
    /// Bytes after.
    pub bytes_after: u64,
    /// Events in these files.
    pub events: u64,
    /// Files removed because no version that can still be read needs them.
    pub files_removed: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Compacts each day that has small files, a commit each, and removes what no reader needs.
pub fn compact(
    tables: &Tables,
    request: &CompactRequest,
    now_ms: i64,
    keep_ms: i64,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<CompactReceipt> {
    let started = Instant::now();
    let snapshot = tables.events.snapshot(At::Latest)?;
    let groups = groups(&snapshot, request.day);
    let total: u64 = groups.iter().map(|group| group.len() as u64).sum();
    let mut receipt = CompactReceipt::default();
    let (mut days, mut done) = (HashSet::new(), 0);
    for group in groups {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "compaction was interrupted between two files")
                .with_hint("what was done stays; run it again for the rest"));
        }
        if let Some(file) = compact_group(tables, &group, &snapshot.schema, now_ms)? {
            days.insert(file.day);
            receipt.files_before += group.len() as u64;
            receipt.files_after += 1;
            receipt.bytes_before += group.iter().map(|file| file.size).sum::<u64>();
            receipt.bytes_after += file.size;
            receipt.events += file.rows;
        }
        done += group.len() as u64;
        progress.update(&Step {
            done,
            total: Some(total),
            unit: Unit::Files,
            events: receipt.events,
            note: "",
        });
    }
    receipt.days = days.len() as u64;
    receipt.files_removed = vacuum(tables, now_ms, keep_ms)?;
    receipt.seconds = started.elapsed().as_secs_f64();
    Ok(receipt)
}

/// Files of a day that become one: small ones, as many as make a good size.
fn groups(snapshot: &Snapshot, day: Option<NaiveDate>) -> Vec<Vec<DataFile>> {
    let mut groups = Vec::new();
    for files in snapshot.files.chunk_by(|a, b| a.day == b.day) {
        if files.first().is_some_and(|file| day.is_some_and(|day| day != file.day)) {
            continue;
        }
        let mut small: Vec<&DataFile> = files.iter().filter(|file| file.size < TARGET_BYTES / 2).collect();
        small.sort_by_key(|file| file.ts_range());
        let mut group: Vec<DataFile> = Vec::new();
        let mut bytes = 0;
        for file in small {
            if bytes + file.size > TARGET_BYTES {
                groups.push(std::mem::take(&mut group));
                bytes = 0;
            }
            bytes += file.size;
            group.push(file.clone());
        }
        groups.push(group);
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// Writes one file of several and commits it in their place. None if somebody else changed them meanwhile.
fn compact_group(
    tables: &Tables,
    group: &[DataFile],
    schema: &TableSchema,
    now_ms: i64,
) -> Result<Option<DataFile>> {
    let Some(first) = group.first() else { return Ok(None) };
    let mut file = OpenFile::new(Encoded::zstd(COMPRESSION_LEVEL));
    let mut ranges = ColumnRanges::default();
    let mut run: Vec<RecordBatch> = Vec::new();
    let mut bytes = 0;
    for source in group {
        for batch in read_file(&tables.place("", &source.path)?, 0)? {
            let batch = conform(&batch?, schema)?;
            bytes += batch.get_array_memory_size();
            run.push(batch);
            if bytes >= RUN_BYTES {
                write_run(&mut file, &mut ranges, &std::mem::take(&mut run), schema)?;
                bytes = 0;
            }
        }
    }
    write_run(&mut file, &mut ranges, &run, schema)?;
    let path = layout::data_file(first.day, &uuid::Uuid::new_v4().to_string());
    let rows = file.rows() as u64;
    let written = file.finish(tables.storage.create(&path)?, &path)?;
    let added = DataFile {
        path,
        day: first.day,
        size: written.size,
        modified_ms: now_ms,
        rows,
        file_hash: written.file_hash,
        rows_hash: sum_of(group)?,
        stats: Arc::new(ranges.into_stats(rows)),
    };
    let kept: u64 = group.iter().map(|file| file.rows).sum();
    if rows != kept {
        let message = format!("`{}` and the files after it hold {rows} events, and not {kept}", first.path);
        return Err(Error::new(ErrorKind::Corrupt, message).with_hint("restore the files from a copy"));
    }
    match commit(tables, group, &added, now_ms)? {
        true => Ok(Some(added)),
        false => {
            tables.storage.delete(&added.path)?;
            Ok(None)
        }
    }
}

/// The row-set hash of several files together; empty where one of them has none.
fn sum_of(group: &[DataFile]) -> Result<String> {
    let mut sum = RowSet::default();
    for file in group {
        if file.rows_hash.is_empty() {
            return Ok(String::new());
        }
        let rows = RowSet::from_hex(&file.rows_hash).ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, format!("the row-set hash of `{}` cannot be read", file.path))
        })?;
        sum.add(&rows);
    }
    Ok(sum.to_hex())
}

/// Sorts a run as ingest does, and adds it to the file.
fn write_run(
    file: &mut OpenFile,
    ranges: &mut ColumnRanges,
    run: &[RecordBatch],
    schema: &TableSchema,
) -> Result<()> {
    let rows: usize = run.iter().map(RecordBatch::num_rows).sum();
    if rows == 0 {
        return Ok(());
    }
    let internal = |error: arrow::error::ArrowError| {
        Error::new(ErrorKind::Internal, "events cannot be sorted").with_source(error)
    };
    let column = |position: usize| -> Result<ArrayRef> {
        let parts: Vec<&dyn Array> =
            run.iter().filter_map(|batch| batch.columns().get(position)).map(|array| &**array).collect();
        concat(&parts).map_err(internal)
    };
    let key = |values: ArrayRef| SortColumn { values, options: None };
    let fixed = |fixed: Fixed| Ok::<_, Error>(key(column(fixed.position())?));
    let kinds = key(Arc::new(kinds_of_rows(run)));
    let keys = [fixed(Fixed::Source)?, fixed(Fixed::Kind)?, kinds, fixed(Fixed::Seq)?];
    let order = lexsort_to_indices(&keys, None).map_err(internal)?;
    let positions: Vec<usize> = (0..schema.columns().len()).filter(|at| any_value(run, *at)).collect();
    let mut columns = Vec::with_capacity(positions.len());
    for position in positions {
        let Some(field) = schema.columns().get(position).map(|column| Arc::new(arrow_field(column))) else {
            continue;
        };
        columns.push((position, file.take_column(position, &field)));
    }
    let written = in_parallel(columns, 2, |(position, mut open)| {
        let array = take(&column(position)?, &order, None).map_err(internal)?;
        open.append(&array)?;
        Ok((open, position, Fixed::ALL.get(position).and_then(|fixed| ColumnRange::of(*fixed, &array))))
    })?;
    for (open, position, range) in written {
        file.put_column(open);
        if let (Some(fixed), Some(range)) = (Fixed::ALL.get(position), range) {
            ranges.add(*fixed, range);
        }
    }
    file.end_batch(rows);
    file.close_row_group(1)
}

/// Whether some row of a run has a value in a column.
fn any_value(run: &[RecordBatch], position: usize) -> bool {
    run.iter().filter_map(|batch| batch.columns().get(position)).any(|array| array.null_count() < array.len())
}

/// Puts one file in the place of others. False if one of them is not there any more.
fn commit(tables: &Tables, group: &[DataFile], added: &DataFile, now_ms: i64) -> Result<bool> {
    loop {
        let snapshot = tables.events.snapshot(At::Latest)?;
        let live: HashSet<&str> = snapshot.files.iter().map(|file| file.path.as_str()).collect();
        if !group.iter().all(|file| live.contains(file.path.as_str())) {
            return Ok(false);
        }
        let change = Change {
            operation: "OPTIMIZE",
            adds: vec![added.clone()],
            removes: group.iter().map(|file| file.path.clone()).collect(),
            data_change: false,
            ..Change::default()
        };
        match tables.events.commit(&snapshot, &change, now_ms)? {
            Outcome::Committed(_) => return Ok(true),
            Outcome::AlreadyDone => return Ok(false),
            Outcome::Conflict => {}
        }
    }
}
