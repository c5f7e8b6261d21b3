//! The reading side: one consistent view of the data files and of what is not yet in them.

use super::commits;
use crate::engine::{Limits, Mixed, MixedField, Question, Session, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::{Catalogue, Reads};
use crate::event::column::Column;
use crate::ingest::batch::batch_of;
use crate::ingest::register::grown;
use crate::ingest::table::settle;
use crate::layout;
use crate::log::{At, DataFile, Snapshot};
use crate::quarantine;
use crate::seal::{Opened, Tables, open_frames};
use crate::wal::{SegmentContent, list_writers, read_segment};
use arrow::array::RecordBatch;
use std::sync::Arc;

/// How often reading starts again when a segment is sealed and removed meanwhile.
const TRIES: u32 = 100;

/// One consistent view of a store.
pub struct View {
    /// The events' data files.
    pub events: Arc<Snapshot>,
    /// The quarantine's data files.
    pub quarantine: Arc<Snapshot>,
    /// The catalogue, as it would be if everything was sealed.
    pub catalogue: Arc<Catalogue>,
    /// Events that are not yet in data files.
    pub pending: RecordBatch,
    /// Rejects that are not yet in data files.
    pub pending_rejects: RecordBatch,
    /// What is wrong with segments that are not yet in data files, in sentences.
    pub damage: Vec<String>,
}

/// What is in a segment.
struct Segment {
    writer: String,
    number: u64,
    content: SegmentContent,
}

impl View {
    /// The store as it is now, or as it was: then without what was not yet in data files.
    ///
    /// The logs are read first and the snapshot is taken after that, so that an event that is sealed
    /// meanwhile is in the snapshot, and is then dropped from what was read.
    pub fn take(tables: &Tables, at: At) -> Result<View> {
        let segments = match at {
            At::Latest => read_segments(tables)?,
            _ => Vec::new(),
        };
        let events = tables.events.snapshot(at)?;
        let quarantine = match at {
            At::Latest | At::Version(_) => tables.quarantine.snapshot(At::Latest)?,
            At::Time(_) => {
                tables.quarantine.snapshot(at).or_else(|_| tables.quarantine.snapshot(At::Latest))?
            }
        };
        let (mut opened, mut damage) = (Opened::default(), Vec::new());
        for segment in segments {
            let marker = layout::wal_app_id(&segment.writer);
            let number = i64::try_from(segment.number).ok();
            if events.transaction(&marker)? >= number {
                continue;
            }
            damage.extend(segment.content.damage.iter().map(ToString::to_string));
            let of_segment = open_frames(&segment.content.frames);
            opened.chunks.extend(of_segment.chunks);
            if quarantine.transaction(&marker)? < number {
                opened.rejects.extend(of_segment.rejects);
            }
        }
        let chunks = opened.chunks.iter().map(|(chunk, _)| chunk);
        let catalogue = grown(&tables.register.latest()?, chunks)?;
        let pending = batch_of(&settle(opened.chunks, &catalogue)?, catalogue.schema())?;
        let pending_rejects = quarantine::batch_of(&opened.rejects)?;
        Ok(View { events, quarantine, catalogue, pending, pending_rejects, damage })
    }

    /// A session for one query over everything in the view.
    pub fn session(&self, tables: &Tables, sql: &str, now_us: i64, limits: &Limits) -> Result<Session> {
        let events = self.events_table(tables, &self.events.files, true)?;
        let files = self.quarantine.files.iter().map(|file| tables.place(quarantine::PREFIX, &file.path));
        let rejects = Table {
            name: "quarantine",
            files: files.collect::<Result<_>>()?,
            columns: quarantine::columns().columns().to_vec(),
            pending: some_rows(&self.pending_rejects),
            mixed: Vec::new(),
        };
        let spans: Vec<_> = self.events.files.iter().map(DataFile::ts_range).collect();
        let question = Question { sql, now_us, spans: &spans, others: &[commits::TABLE] };
        let mut extra = Vec::new();
        if commits::is_named_in(sql) {
            extra.push((commits::TABLE, commits::batch_of(&tables.events, self.events.version)?));
        }
        Session::open_for(&question, vec![events, rejects], extra, limits)
    }

    /// The table of some of the events' files; with fields of mixed type settled, or as they are stored.
    pub fn events_table(&self, tables: &Tables, files: &[DataFile], settled: bool) -> Result<Table> {
        let columns = self.catalogue.schema().columns();
        Ok(Table {
            name: "events",
            files: files.iter().map(|file| tables.place("", &file.path)).collect::<Result<_>>()?,
            columns: columns.to_vec(),
            pending: some_rows(&self.pending),
            mixed: if settled { self.mixed_fields() } else { Vec::new() },
        })
    }

    /// The fields that queries read from their column and from `rest`.
    pub fn mixed_fields(&self) -> Vec<MixedField> {
        let columns = self.catalogue.schema().columns();
        columns.iter().filter_map(|column| self.mixed_field(column)).collect()
    }

    fn mixed_field(&self, column: &Column) -> Option<MixedField> {
        let reads = match self.catalogue.reads(column)? {
            Reads::Double => Mixed::Double,
            Reads::Text => Mixed::Text,
        };
        Some(MixedField { column: column.name.clone(), path: column.path.clone()?, reads })
    }
}

fn some_rows(batch: &RecordBatch) -> Vec<RecordBatch> {
    if batch.num_rows() == 0 { Vec::new() } else { vec![batch.clone()] }
}

/// The frames of all segments of all writers.
fn read_segments(tables: &Tables) -> Result<Vec<Segment>> {
    for _ in 0..TRIES {
        match try_read_segments(tables) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => return other,
        }
    }
    Err(Error::new(ErrorKind::Busy, "the logs were sealed again and again while they were read"))
}

fn try_read_segments(tables: &Tables) -> Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for log in list_writers(&tables.storage)? {
        for (number, _) in log.segments {
            let content = read_segment(&tables.storage, &log.writer, number)?;
            segments.push(Segment { writer: log.writer.clone(), number, content });
        }
    }
    Ok(segments)
}
