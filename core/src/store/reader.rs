//! The reading side: one consistent view of the data files and of what is not yet in them.

use super::changes::{numbers, without};
use super::sessions::Sessions;
use super::sources::{covered, narrowed_to};
use super::{commits, templates};
use crate::engine::{Limits, MixedField, Session, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::Catalogue;
use crate::event::fixed::Fixed;
use crate::ingest::batch::{batch_of, conform, read_file};
use crate::ingest::register::grown;
use crate::ingest::table::settle;
use crate::layout;
use crate::log::{At, DataFile, Snapshot};
use crate::quarantine;
use crate::query::reads;
use crate::seal::{Opened, Tables, open_frames};
use arrow::array::{AsArray, RecordBatch};
use arrow::compute;
use arrow::datatypes::TimestampMicrosecondType;
use std::collections::BTreeSet;
use std::sync::Arc;

/// So many snapshots of the quarantine are taken until one stays.
const TRIES: usize = 100;

/// One consistent view of a store.
pub struct View {
    /// Of which version.
    pub at: At,
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
    /// Rejects in data files that are events already: a retry was cut off before it took them out.
    pub retried: BTreeSet<i64>,
    /// What is wrong with segments that are not yet in data files, in sentences.
    pub damage: Vec<String>,
}

impl View {
    /// The store as it is now, or as it was: then without what was not yet in data files.
    ///
    /// The logs are read first and the snapshot is taken after that, so that an event that is sealed
    /// meanwhile is in the snapshot, and is then dropped from what was read.
    pub fn take(tables: &Tables, at: At) -> Result<View> {
        let segments = match at {
            At::Latest => tables.unsealed()?,
            _ => Vec::new(),
        };
        let (events, quarantine) = match at {
            At::Latest => latest(tables)?,
            At::Version(_) => (tables.events.snapshot(at)?, tables.quarantine.snapshot(At::Latest)?),
            At::Time(_) => {
                let quarantine = tables.quarantine.snapshot(at);
                (tables.events.snapshot(at)?, quarantine.or_else(|_| tables.quarantine.snapshot(At::Latest))?)
            }
        };
        let (mut opened, mut damage) = (Opened::default(), Vec::new());
        for segment in segments {
            let marker = layout::wal_app_id(&segment.id.writer);
            let number = i64::try_from(segment.id.number).ok();
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
        let mut settled = settle(opened.chunks, &catalogue)?;
        tables.templates.fill(&mut settled)?;
        let pending = batch_of(&settled, catalogue.schema())?;
        let pending_rejects = quarantine::batch_of(&opened.rejects)?;
        let retried = BTreeSet::new();
        let mut view = View { at, events, quarantine, catalogue, pending, pending_rejects, retried, damage };
        if at == At::Latest && is_unfinished(&view.quarantine)? {
            view.retried = view.find_retried(tables)?;
        }
        Ok(view)
    }

    /// Rejects whose numbers events have.
    fn find_retried(&self, tables: &Tables) -> Result<BTreeSet<i64>> {
        let events = self.events_table(tables, &self.events.files, false)?;
        let session = Session::open(
            vec![events, self.rejects_table(tables)?],
            Vec::new(),
            &super::options::default_limits(),
        )?;
        let sql = "SELECT seq FROM quarantine WHERE seq IN (SELECT seq FROM events)";
        let mut retried = BTreeSet::new();
        for batch in session.query(sql, &[])? {
            retried.extend(numbers(&batch?)?);
        }
        Ok(retried)
    }

    /// How many rejects there are.
    pub fn rejects(&self) -> u64 {
        let in_files: u64 = self.quarantine.files.iter().map(|file| file.rows).sum();
        (in_files + self.pending_rejects.num_rows() as u64).saturating_sub(self.retried.len() as u64)
    }

    /// The table of what could not be read. A file with rejects that are events already is read here.
    fn rejects_table(&self, tables: &Tables) -> Result<Table> {
        let columns = quarantine::columns();
        let (mut files, mut pending) = (Vec::new(), some_rows(&self.pending_rejects));
        for file in &self.quarantine.files {
            if !self.has_retried(file) {
                files.extend(tables.places(quarantine::PREFIX, std::slice::from_ref(file))?);
                continue;
            }
            let place = tables.place_of(quarantine::PREFIX, file)?;
            for batch in read_file(&place, 0)? {
                pending.push(without(&conform(&batch?, &columns)?, &self.retried)?);
            }
        }
        Ok(Table {
            name: "quarantine",
            files,
            copies: Vec::new(),
            columns: columns.columns().to_vec(),
            pending,
            mixed: Vec::new(),
        })
    }

    /// Whether a file of the quarantine may hold rejects that are events already.
    pub fn has_retried(&self, file: &DataFile) -> bool {
        let range = file.seq_range().unwrap_or((i64::MIN, i64::MAX));
        self.retried.range(range.0..=range.1).next().is_some()
    }

    /// A session for one query over everything in the view that it may be about.
    pub fn session(
        &self,
        tables: &Tables,
        sessions: &Sessions,
        sql: &str,
        now_us: i64,
        limits: &Limits,
    ) -> Result<Session> {
        let parsed = sessions.parse(sql, limits)?;
        let mut events = self.events_table(tables, &[], true)?;
        let names = events.columns.iter().map(|column| column.name.as_str());
        if let Some(read) = parsed.columns(names) {
            events = narrowed_to(events, &|name| reads::is_needed(name, &read))?;
        }
        let span = parsed.span(now_us);
        let is_within = |file: &&DataFile| match (span, file.ts_range()) {
            (Some((from, to)), Some((first, last))) => last >= from && first <= to,
            _ => true,
        };
        let files = self.events.files.iter().filter(is_within).cloned().collect();
        let events = covered(tables, self, events, files, limits.threads)?;
        let mut extra = Vec::new();
        if commits::is_named_in(sql) {
            extra.push((commits::TABLE, commits::batch_of(&tables.events, self.events.version)?));
        }
        if templates::is_named_in(sql) {
            extra.push((templates::TABLE, templates::batch_of(&tables.templates.dictionary()?)?));
        }
        let rejects = self.rejects_table(tables)?;
        let others = [commits::TABLE, templates::TABLE];
        if !extra.is_empty() {
            return parsed.session(vec![events, rejects], extra, limits, &others);
        }
        sessions.over(vec![events, rejects], limits, |all| parsed.session(all, extra, limits, &others))
    }

    /// The table of some of the events' files; with fields of mixed type settled, or as they are stored.
    pub fn events_table(&self, tables: &Tables, files: &[DataFile], settled: bool) -> Result<Table> {
        let columns = self.catalogue.schema().columns();
        let mixed = if settled { self.mixed_fields() } else { Vec::new() };
        Ok(Table {
            name: "events",
            files: tables.places("", files)?,
            copies: Vec::new(),
            columns: columns.to_vec(),
            pending: some_rows(&self.pending),
            mixed,
        })
    }

    /// The fields whose values are in their column and in `rest`.
    pub fn mixed_fields(&self) -> Vec<MixedField> {
        MixedField::of(&self.catalogue)
    }

    /// When the first and the last event happened, or a little before and after that.
    pub fn span(&self) -> Option<(i64, i64)> {
        let of_files = self.events.files.iter().filter_map(DataFile::ts_range);
        let pending = self.pending.columns().get(Fixed::Ts.position());
        let pending = pending.map(|column| column.as_primitive::<TimestampMicrosecondType>());
        let of_pending = pending.and_then(|times| Some((compute::min(times)?, compute::max(times)?)));
        of_files.chain(of_pending).reduce(|all, span| (all.0.min(span.0), all.1.max(span.1)))
    }
}

/// The latest snapshots of both tables, of one time: a retry commits events first and then takes its rejects out,
/// an ingest the other way round.
fn latest(tables: &Tables) -> Result<(Arc<Snapshot>, Arc<Snapshot>)> {
    let mut before = tables.quarantine.snapshot(At::Latest)?;
    for _ in 0..TRIES {
        let events = tables.events.snapshot(At::Latest)?;
        let quarantine = tables.quarantine.snapshot(At::Latest)?;
        if before.version == quarantine.version {
            return Ok((events, quarantine));
        }
        before = quarantine;
    }
    Err(Error::new(ErrorKind::Busy, "the quarantine changed again and again while it was read"))
}

/// Whether a retry began that did not take its rejects out of the quarantine.
fn is_unfinished(quarantine: &Snapshot) -> Result<bool> {
    if quarantine.files.is_empty() {
        return Ok(false);
    }
    Ok(quarantine.transaction(layout::RETRY_BEGUN)? > quarantine.transaction(layout::RETRY_DONE)?)
}

fn some_rows(batch: &RecordBatch) -> Vec<RecordBatch> {
    if batch.num_rows() == 0 { Vec::new() } else { vec![batch.clone()] }
}
