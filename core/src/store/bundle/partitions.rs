//! The data files of a bundle: one or more a day, in row groups that a browser fetches and decodes at once.

use super::copies::Copies;
use super::folder::NewFolder;
use super::groups::Groups;
use super::hide::Hide;
use super::ranges::Ranges;
use super::too_large;
use crate::bundle::{BundleFile, EVENTS, Manifest};
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::TableSchema;
use crate::event::fixed::Fixed;
use crate::event::time::{DAY_US, day_of, day_start_us};
use crate::ingest::batch::conform;
use crate::ingest::order::{self, kinds_of_rows};
use crate::layout;
use crate::mine::TemplateId;
use crate::store::export::EventSink;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::TimestampMicrosecondType;
use chrono::NaiveDate;
use std::collections::HashSet;

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

/// The data files of a bundle, as events come, the oldest first.
pub struct Partitions<'a> {
    schema: &'a TableSchema,
    target: &'a NewFolder,
    manifest: Manifest,
    bytes_max: Option<u64>,
    hide: Option<Hide>,
    redacted: u64,
    day: Option<NaiveDate>,
    run: Vec<RecordBatch>,
    run_bytes: usize,
    groups: Groups<'a>,
    copies: Copies<'a>,
    group_rows: usize,
    ranges: Ranges,
    templates: HashSet<TemplateId>,
    events: u64,
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
            day: None,
            run: Vec::new(),
            run_bytes: 0,
            groups: Groups::new(schema, (0..schema.columns().len()).collect()),
            copies: Copies::new(schema),
            group_rows: GROUP_ROWS_FIRST,
            ranges: Ranges::default(),
            templates: HashSet::new(),
            events: 0,
        }
    }

    /// Writes what waits.
    pub fn finish(mut self) -> Result<Done> {
        self.finish_file()?;
        self.copies.end(&mut self.manifest, self.target)?;
        self.check_size(0)?;
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
        self.copies.take(&batch)?;
        self.run_bytes = self.run_bytes.saturating_add(batch.get_array_memory_size());
        self.run.push(batch);
        if self.run_bytes >= RUN_BYTES {
            self.write_run()?;
        }
        let encoded = self.groups.bytes();
        self.check_size(encoded.saturating_add(self.copies.bytes()))?;
        if encoded >= FILE_BYTES { self.finish_file() } else { Ok(()) }
    }

    /// Fails if the bundle is too large with so many bytes more.
    fn check_size(&self, more: usize) -> Result<()> {
        let bytes = self.manifest.bytes.saturating_add(more as u64);
        match self.bytes_max.filter(|most| bytes > *most) {
            Some(most) => Err(too_large(bytes, most, self.events)),
            None => Ok(()),
        }
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
            let of_group = columns.iter().map(|(position, array)| {
                take(array, &of_group, None).map(|array| (*position, array)).map_err(unsorted)
            });
            let bytes = self.groups.add(rows, &of_group.collect::<Result<Vec<_>>>()?)?;
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
        let ranges = std::mem::take(&mut self.ranges);
        let (Some(day), Some(ts), Some(seq)) = (self.day, ranges.ts, ranges.seq) else { return Ok(()) };
        let of_day = self.manifest.files.iter().rev().take_while(|file| file.day == day).count();
        let path =
            format!("{EVENTS}/{}/part-{:04}.parquet", layout::day_folder(day), of_day.saturating_add(1));
        let (bytes, stored) = self.groups.finish(path, ts, seq)?;
        self.check_size(bytes.len())?;
        self.target.write(&stored.path, &bytes)?;
        let severity = ranges.severity;
        self.manifest.add(BundleFile { stored, day, severity, texts: ranges.into_texts() });
        self.copies.end_file(&mut self.manifest, self.target)?;
        Ok(())
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

fn unsorted(error: arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "events cannot be sorted").with_source(error)
}
