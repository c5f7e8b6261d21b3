//! The data files of a bundle: one or more a day, in row groups that a browser fetches and decodes at once.

use super::folder::NewFolder;
use super::hide::Hide;
use super::ranges::Ranges;
use super::too_large;
use crate::bundle::{BundleFile, EVENTS, HASHES_KEY, Manifest, Place, short_hash};
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::hex;
use crate::event::column::TableSchema;
use crate::event::fixed::Fixed;
use crate::event::time::{DAY_US, day_of, day_start_us};
use crate::ingest::arrays::arrow_field;
use crate::ingest::batch::conform;
use crate::ingest::order::{self, kinds_of_rows};
use crate::ingest::pages::ColumnChunk;
use crate::ingest::parquet::{Encoded, in_parallel};
use crate::layout;
use crate::mine::TemplateId;
use crate::store::export::EventSink;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::{Schema, TimestampMicrosecondType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use parquet::file::metadata::KeyValue;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Rows are sorted in runs of about so many bytes in memory.
const RUN_BYTES: usize = 48 << 20;
/// A file is ended at about so many bytes.
const FILE_BYTES: usize = 32 << 20;
/// A row group has about so many bytes.
const GROUP_BYTES: usize = 2 << 20;
/// The rows of a row group: the first one of a bundle, the fewest and the most.
const GROUP_ROWS_FIRST: usize = 8_192;
const GROUP_ROWS_LEAST: usize = 1_024;
const GROUP_ROWS_MOST: usize = 262_144;
/// Bundles are made once and loaded often.
const LEVEL: i32 = 12;
const THREADS: usize = 2;

/// The data files of a bundle, as events come, the oldest first.
pub struct Partitions<'a> {
    schema: &'a TableSchema,
    target: &'a NewFolder,
    manifest: Manifest,
    bytes_max: Option<u64>,
    hide: Option<Hide>,
    redacted: u64,
    encoded: Encoded,
    day: Option<NaiveDate>,
    run: Vec<RecordBatch>,
    run_bytes: usize,
    groups: Vec<Group>,
    group_rows: usize,
    ranges: Ranges,
    templates: HashSet<TemplateId>,
    events: u64,
}

/// A row group that waits for the columns of its file to be known.
struct Group {
    rows: usize,
    columns: BTreeMap<usize, ColumnChunk>,
}

/// What was written.
pub struct Done {
    pub manifest: Manifest,
    pub templates: HashSet<TemplateId>,
    pub redacted: u64,
    pub hide: Option<Hide>,
}

impl<'a> Partitions<'a> {
    /// Data files in a new folder.
    pub fn new(
        schema: &'a TableSchema,
        target: &'a NewFolder,
        manifest: Manifest,
        bytes_max: Option<u64>,
        hide: Option<Hide>,
    ) -> Partitions<'a> {
        Partitions {
            schema,
            target,
            manifest,
            bytes_max,
            hide,
            redacted: 0,
            encoded: Encoded::zstd(LEVEL),
            day: None,
            run: Vec::new(),
            run_bytes: 0,
            groups: Vec::new(),
            group_rows: GROUP_ROWS_FIRST,
            ranges: Ranges::default(),
            templates: HashSet::new(),
            events: 0,
        }
    }

    /// Writes what waits.
    pub fn finish(mut self) -> Result<Done> {
        self.finish_file()?;
        let Partitions { manifest, templates, redacted, hide, .. } = self;
        Ok(Done { manifest, templates, redacted, hide })
    }

    /// Adds events of one day.
    fn push(&mut self, day: NaiveDate, batch: &RecordBatch) -> Result<()> {
        if self.day != Some(day) {
            self.finish_file()?;
            self.day = Some(day);
        }
        let mut batch = conform(batch, self.schema)?;
        if let Some(hide) = &mut self.hide {
            let (hidden, count) = hide.batch(&batch)?;
            batch = hidden;
            self.redacted = self.redacted.saturating_add(count);
        }
        self.run_bytes = self.run_bytes.saturating_add(batch.get_array_memory_size());
        self.run.push(batch);
        if self.run_bytes >= RUN_BYTES {
            self.write_run()?;
        }
        let encoded = self.encoded_bytes();
        if let Some(most) = self.bytes_max {
            let bytes = self.manifest.bytes.saturating_add(encoded as u64);
            if bytes > most {
                return Err(too_large(bytes, most, self.events));
            }
        }
        if encoded >= FILE_BYTES { self.finish_file() } else { Ok(()) }
    }

    fn encoded_bytes(&self) -> usize {
        let chunks = self.groups.iter().flat_map(|group| group.columns.values());
        chunks.map(|chunk| chunk.bytes.len()).sum()
    }

    /// Sorts a run, so that what is alike stands together, and encodes it in row groups.
    fn write_run(&mut self) -> Result<()> {
        let run = std::mem::take(&mut self.run);
        self.run_bytes = 0;
        let rows: usize = run.iter().map(RecordBatch::num_rows).sum();
        if rows == 0 {
            return Ok(());
        }
        let column = |position: usize| -> Result<ArrayRef> {
            let parts = run.iter().filter_map(|batch| batch.columns().get(position)).map(|array| &**array);
            concat(&parts.collect::<Vec<&dyn Array>>()).map_err(unsorted)
        };
        let fixed = |fixed: Fixed| column(fixed.position());
        let kinds =
            run.iter().flat_map(|batch| kinds_of_rows(batch.num_rows(), batch.columns().iter().enumerate()));
        let order =
            order::sorted(fixed(Fixed::Source)?, fixed(Fixed::Kind)?, kinds.collect(), fixed(Fixed::Seq)?)?;
        let mut columns = Vec::new();
        for position in 0..self.schema.columns().len() {
            let has_value = run
                .iter()
                .filter_map(|batch| batch.columns().get(position))
                .any(|array| array.null_count() < array.len());
            if !has_value {
                continue;
            }
            let array = column(position)?;
            if let Some(fixed) = Fixed::ALL.get(position) {
                self.ranges.add(*fixed, &array);
                self.note_templates(*fixed, &array);
            }
            columns.push((position, array));
        }
        self.write_groups(&columns, &order)
    }

    fn write_groups(&mut self, columns: &[(usize, ArrayRef)], order: &UInt32Array) -> Result<()> {
        let mut done = 0_usize;
        while done < order.len() {
            let rows = self.group_rows.min(order.len().saturating_sub(done));
            let of_group = order.slice(done, rows);
            let encode = |(position, array): &(usize, ArrayRef)| -> Result<Option<(usize, ColumnChunk)>> {
                let array = take(array, &of_group, None).map_err(unsorted)?;
                let Some(column) = self.schema.columns().get(*position) else { return Ok(None) };
                if array.null_count() == array.len() {
                    return Ok(None);
                }
                Ok(Some((*position, self.encoded.column(&Arc::new(arrow_field(column)), &array)?)))
            };
            let chunks = in_parallel(columns.iter().collect(), THREADS, encode)?;
            let columns: BTreeMap<usize, ColumnChunk> = chunks.into_iter().flatten().collect();
            let bytes: usize = columns.values().map(|chunk| chunk.bytes.len()).sum();
            self.groups.push(Group { rows, columns });
            done = done.saturating_add(rows);
            let fitting = rows.saturating_mul(GROUP_BYTES).checked_div(bytes.max(1)).unwrap_or(rows);
            // What comes next may be less alike.
            let most = self.group_rows.saturating_mul(8).min(GROUP_ROWS_MOST);
            self.group_rows = fitting.clamp(GROUP_ROWS_LEAST, most);
        }
        Ok(())
    }

    fn note_templates(&mut self, column: Fixed, array: &ArrayRef) {
        let texts = array.as_string_opt::<i32>().filter(|_| column == Fixed::Template);
        let ids: HashSet<&str> = texts.into_iter().flatten().flatten().collect();
        self.templates.extend(ids.into_iter().filter_map(TemplateId::parse));
    }

    /// Writes the file of the day, and notes it in the manifest.
    fn finish_file(&mut self) -> Result<()> {
        self.write_run()?;
        let groups = std::mem::take(&mut self.groups);
        let ranges = std::mem::take(&mut self.ranges);
        let (Some(day), Some(ts), Some(seq)) = (self.day, ranges.ts, ranges.seq) else { return Ok(()) };
        let rows = groups.iter().map(|group| group.rows as u64).sum();
        let bytes = self.file_of(groups)?;
        let of_day = self.manifest.files.iter().rev().take_while(|file| file.day == day).count();
        let path =
            format!("{EVENTS}/{}/part-{:04}.parquet", layout::day_folder(day), of_day.saturating_add(1));
        let footer = footer_of(&bytes)?;
        let size = bytes.len() as u64;
        let all = self.manifest.bytes.saturating_add(size);
        if let Some(most) = self.bytes_max.filter(|most| all > *most) {
            return Err(too_large(all, most, self.events));
        }
        self.target.write(&path, &bytes)?;
        let (sha256, severity) = (hex(&Sha256::digest(&bytes)), ranges.severity);
        let texts = ranges.into_texts();
        self.manifest.add(BundleFile { path, day, size, rows, sha256, footer, ts, seq, severity, texts });
        Ok(())
    }

    /// The bytes of a file of row groups: each has all columns of any.
    fn file_of(&self, groups: Vec<Group>) -> Result<Vec<u8>> {
        let positions: Vec<usize> = (0..self.schema.columns().len())
            .filter(|at| groups.iter().any(|group| group.columns.contains_key(at)))
            .collect();
        let fields = positions.iter().filter_map(|at| self.schema.columns().get(*at)).map(arrow_field);
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let failed = |error: parquet::errors::ParquetError| {
            Error::new(ErrorKind::Internal, format!("cannot put a file of the bundle together: {error}"))
        };
        let (mut bytes, mut hashes) = (Vec::new(), Vec::new());
        let mut writer = self.encoded.writer(&mut bytes, &schema)?;
        for mut group in groups {
            let mut row_group = writer.next_row_group().map_err(failed)?;
            for (position, field) in positions.iter().zip(schema.fields()) {
                let chunk = match group.columns.remove(position) {
                    Some(chunk) => chunk,
                    None => self.encoded.chunk(field, &new_null_array(field.data_type(), group.rows))?,
                };
                hashes.extend(short_hash(&chunk.bytes));
                row_group.append_column(&chunk.bytes, chunk.close).map_err(failed)?;
            }
            row_group.close().map_err(failed)?;
        }
        writer.append_key_value_metadata(KeyValue::new(HASHES_KEY.to_string(), STANDARD.encode(&hashes)));
        writer.finish().map_err(failed)?;
        drop(writer);
        Ok(bytes)
    }
}

impl EventSink for Partitions<'_> {
    /// Takes events, the oldest first, also of several days.
    fn take(&mut self, events: &RecordBatch) -> Result<()> {
        let times = events.column_by_name(Fixed::Ts.name());
        let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        let Some(times) = times.map(|times| times.values()) else { return Ok(()) };
        let mut done = 0_usize;
        while let Some(first) = times.get(done) {
            let day = day_of(*first);
            let end = day_start_us(day).saturating_add(DAY_US);
            let until = times.partition_point(|ts| *ts < end);
            let rows = until.saturating_sub(done).max(1);
            self.push(day, &events.slice(done, rows))?;
            self.events = self.events.saturating_add(rows as u64);
            done = done.saturating_add(rows);
        }
        Ok(())
    }

    fn events(&self) -> u64 {
        self.events
    }
}

/// Where the footer of a Parquet file is, up to the end of the file.
fn footer_of(bytes: &[u8]) -> Result<Place> {
    let broken = || Error::new(ErrorKind::Internal, "a file of the bundle has no footer");
    let length =
        bytes.len().checked_sub(8).and_then(|at| bytes.get(at..)).and_then(|end| end.first_chunk::<4>());
    let length = u32::from_le_bytes(*length.ok_or_else(broken)?) as usize;
    let offset = bytes.len().checked_sub(length.saturating_add(8)).ok_or_else(broken)?;
    let footer = bytes.get(offset..).unwrap_or_default();
    Ok(Place { offset: offset as u64, length: footer.len() as u64, sha256: hex(&Sha256::digest(footer)) })
}

fn unsorted(error: arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "events cannot be sorted").with_source(error)
}
