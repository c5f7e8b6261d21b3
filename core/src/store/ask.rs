//! Analyses over a store: their SQL runs in sessions over the files that can have rows of the answer.

use super::Store;
use super::options::default_limits;
use super::reader::View;
use crate::engine::{CopiedRows, Limits, MixedField, Session, Table, absolute};
use crate::error::{Error, ErrorKind, Result};
use crate::event::fixed::Fixed;
use crate::event::time::day_start_us;
use crate::index::{AnyOf, Copy, Cover, NARROW, PART};
use crate::log::{At, DataFile};
use crate::query::analyses::{
    ALL_COLUMNS, Analysis, Answer, Answers, Fetch, Found, Request, Scope, Search, Show, Statement, Walk,
};
use crate::query::filter::{Columns, Context, TsSpan};
use crate::query::sql::identifier;
use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How an analysis is asked.
#[derive(Clone, Debug)]
pub struct AskOptions<'a> {
    /// The clock, and the zone of times without one.
    pub context: Context<'a>,
    /// Of which version.
    pub at: At,
    /// What it may use.
    pub limits: Limits,
    /// The text that the filter was read from, for errors that point at a place in it.
    pub text: &'a str,
    /// Whether a field that no event has matches nothing and is null; otherwise it is an error.
    pub lenient: bool,
}

impl Default for AskOptions<'static> {
    fn default() -> Self {
        AskOptions {
            context: Context::without_clock(),
            at: At::Latest,
            limits: default_limits(),
            text: "",
            lenient: false,
        }
    }
}

/// The events that a search found, as columns.
#[derive(Clone, Debug)]
pub struct FoundBatches {
    /// The columns.
    pub schema: SchemaRef,
    /// The events, the newest first.
    pub batches: Vec<RecordBatch>,
    /// Whether there are more that match.
    pub more: bool,
    /// How many files had to be opened.
    pub files: usize,
}

impl Default for FoundBatches {
    fn default() -> Self {
        FoundBatches { schema: Arc::new(Schema::empty()), batches: Vec::new(), more: false, files: 0 }
    }
}

impl Store {
    /// What filters are read with: the store's clock, and UTC.
    pub fn context(&self) -> Context<'static> {
        Context::new((self.clock)())
    }

    /// Answers an analysis.
    pub fn ask<A: Analysis>(&self, analysis: &A, options: &AskOptions<'_>) -> Result<A::Report> {
        let asked = Asked::new(self, options)?;
        asked.scoped(|scope| {
            let statements = analysis.statements(scope)?;
            let answers = asked.answers(&statements)?;
            analysis.report(scope, &answers)
        })
    }

    /// Finds the newest events that match. The newest days are looked into first, and no more than needed.
    pub fn search(&self, search: &Search, options: &AskOptions<'_>) -> Result<FoundBatches> {
        let asked = Asked::new(self, options)?;
        asked.scoped(|scope| asked.search(search, scope))
    }

    /// Shows an event, or those of one id.
    pub fn show(&self, show: &Show, options: &AskOptions<'_>) -> Result<Found> {
        if let Some(seq) = show.seq() {
            let found = self.ask(&Fetch::seq(seq), options)?;
            if !found.events.is_empty() {
                return Ok(found);
            }
        }
        let located = self.ask(show, options)?;
        self.ask(&located, options)
    }

    /// Answers a request in its JSON form, where relative times and texts of the grammar may stand.
    pub fn ask_json(&self, request: Json, options: &AskOptions<'_>) -> Result<Json> {
        let context = self.context();
        let report = match Request::from_json(request, &context)? {
            Request::Search(search) => json(&found(&search, &self.search(&search, options)?)?),
            Request::Stats(stats) => json(&self.ask(&stats, options)?),
            Request::Timeline(timeline) => json(&self.ask(&timeline, options)?),
            Request::Facets(facets) => json(&self.ask(&facets, options)?),
            Request::Slowest(slowest) => json(&self.ask(&slowest, options)?),
            Request::History(history) => json(&self.ask(&history, options)?),
            Request::FileHistory(history) => json(&self.ask(&history, options)?),
            Request::Sessions(sessions) => json(&self.ask(&sessions, options)?),
            Request::Session(session) => json(&self.ask(&session, options)?),
            Request::Trace(trace) => json(&self.ask(&trace, options)?),
            Request::Show(show) => json(&self.show(&show, options)?),
            Request::Metrics(metrics) => json(&self.metrics(&metrics, options)?),
            Request::Health(health) => json(&self.health(&health, options)?),
            Request::Audit(audit) => json(&self.audit(&audit, options)?),
            Request::Patterns(patterns) => json(&self.find(&patterns, options)?),
            Request::Sequences(sequences) => json(&self.find(&sequences, options)?),
            Request::Bursts(bursts) => json(&self.find(&bursts, options)?),
            Request::Rhythms(rhythms) => json(&self.find(&rhythms, options)?),
            Request::CoChanges(changes) => json(&self.find(&changes, options)?),
            Request::Actors(actors) => json(&self.find(&actors, options)?),
            Request::Templates(templates) => json(&self.templates(&templates, options)?),
        };
        report.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))
    }
}

fn json(report: &impl serde::Serialize) -> serde_json::Result<Json> {
    serde_json::to_value(report)
}

/// More events than these are read at once, without locating them first.
const LOCATED_MAX: u64 = 1_000;
/// In so many files, events are located first where the index has what the filter needs.
const LOCATED_FILES: usize = 16;

/// Rows, and their columns also where there are none.
type Batches = (SchemaRef, Vec<RecordBatch>);

/// What was found as objects.
pub fn found(search: &Search, batches: &FoundBatches) -> Result<Found> {
    let answer = Answer::of(&batches.batches)?;
    Ok(Found { events: answer.objects(!search.columns.is_empty()), more: batches.more })
}

/// A view of the store that questions are asked of.
pub(super) struct Asked<'a> {
    store: &'a Store,
    options: &'a AskOptions<'a>,
    /// What all of its queries may use together.
    pub(super) limits: Limits,
    pub(super) view: View,
    pub(super) mixed: Vec<MixedField>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(store: &'a Store, options: &'a AskOptions<'a>) -> Result<Asked<'a>> {
        let view = store.view(options.at)?;
        let mixed = view.mixed_fields();
        Ok(Asked { store, options, limits: options.limits.shared(), view, mixed })
    }

    /// The same without the archives of the store.
    pub(super) fn of_itself(store: &'a Store, options: &'a AskOptions<'a>) -> Result<Asked<'a>> {
        let view = View::take(&store.tables, options.at)?;
        let mixed = view.mixed_fields();
        Ok(Asked { store, options, limits: options.limits.shared(), view, mixed })
    }

    pub(super) fn scoped<T>(&self, ask: impl FnOnce(&Scope<'_>) -> Result<T>) -> Result<T> {
        let columns = Columns {
            schema: self.view.catalogue.schema(),
            mixed: &self.mixed,
            context: self.options.context,
            lenient: self.options.lenient,
        };
        let now_us = (self.store.clock)();
        ask(&Scope { columns, now_us, span: self.view.span(), text: self.options.text })
    }

    /// Has the interrupter of the store stop the session's queries too.
    pub(super) fn watch(&self, session: &Session) {
        self.store.watch(session);
    }

    /// The rows of statements. Those over the same files share a session.
    pub(super) fn answers(&self, statements: &[Statement]) -> Result<Answers> {
        let mut answers = Answers::default();
        let mut session: Option<(Needs, Session)> = None;
        let spans = statements.iter().map(|statement| statement.span);
        let all = spans.reduce(either).flatten();
        for statement in statements {
            if statement.is_fallback && !answers.are_empty() {
                continue;
            }
            let needs = Needs { span: all, seq: statement.seq, keys: &statement.keys };
            let (_, session) = match session.take() {
                Some(open) if open.0 == needs => session.insert(open),
                _ => session.insert((
                    needs,
                    self.session(statements, needs.keys, self.files(|file| needs.file(file)))?,
                )),
            };
            let mut answer = Answer::default();
            for batch in session.query(&statement.sql, &statement.parameters)? {
                answer.add(&batch?)?;
            }
            answers.add(statement.name, answer);
        }
        Ok(answers)
    }

    /// The newest events that match. Columns that the filter does not need are read of the events that are found,
    /// not of all that are looked into, where that saves much.
    fn search(&self, search: &Search, scope: &Scope<'_>) -> Result<FoundBatches> {
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
            let (mut schema, mut batches) = self.rows(if is_located { &locate } else { &direct }, files)?;
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
            (found.schema, found.batches) = self.fetch(search, scope, located)?;
        }
        found.batches = first_rows(found.batches, limit);
        Ok(found)
    }

    /// The events that were located by number and time.
    fn fetch(&self, search: &Search, scope: &Scope<'_>, located: Vec<RecordBatch>) -> Result<Batches> {
        let located = Answer::of(&located)?.rows;
        let times = || located.iter().filter_map(|row| row.time(1));
        let mut seqs: Vec<i64> = located.iter().filter_map(|row| row.get(0).as_i64()).collect();
        seqs.sort_unstable();
        let fetch = Fetch { seqs, between: times().min().zip(times().max()), more: false };
        let statement = search.fetching(scope, &fetch)?;
        let files = self.files(|file| {
            let seqs = &fetch.seqs;
            let has_one = |(first, last): (i64, i64)| {
                let next = seqs.get(seqs.partition_point(|seq| *seq < first));
                next.is_some_and(|seq| *seq <= last)
            };
            is_within(file, statement.span) && file.seq_range().is_none_or(has_one)
        });
        self.rows(&statement, files)
    }

    /// The rows of a statement over some files.
    fn rows(&self, statement: &Statement, files: Vec<&DataFile>) -> Result<Batches> {
        let session = self.session(std::slice::from_ref(statement), &statement.keys, files)?;
        let rows = session.query(&statement.sql, &statement.parameters)?;
        Ok((rows.schema(), rows.collect::<Result<_>>()?))
    }

    fn files(&self, keep: impl Fn(&DataFile) -> bool) -> Vec<&DataFile> {
        self.view.events.files.iter().filter(|file| keep(file)).collect()
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

    /// A session over some files and over the columns that the statements name: over the files that can have
    /// a row with one of each of the keys, or over copies of their columns where the index has them.
    fn session(&self, statements: &[Statement], keys: &[AnyOf], files: Vec<&DataFile>) -> Result<Session> {
        let tables = &self.store.tables;
        let files = tables.index.select(files.into_iter().cloned().collect(), keys)?;
        let table = narrowed(self.view.events_table(tables, &[], true)?, statements)?;
        let cover = match table.columns.iter().all(|column| has_copy(&column.name)) {
            true => tables.index.cover(files)?,
            false => Cover { copies: Vec::new(), files },
        };
        let files = cover.files.iter().map(|file| tables.place("", &file.path)).collect::<Result<_>>()?;
        let copied = |copy: Copy| {
            let file = absolute(&copy.place)?;
            Ok::<_, Error>(CopiedRows { file, part: PART, parts: copy.parts })
        };
        let copies = cover.copies.into_iter().map(copied).collect::<Result<_>>()?;
        let table = Table { files, copies, ..table };
        let session = Session::open(vec![table], Vec::new(), &self.limits)?;
        self.store.watch(&session);
        Ok(session)
    }
}

/// Whether the index has copies of all columns that a statement reads.
fn is_narrow(statement: &Statement) -> bool {
    statement.reads.as_ref().is_some_and(|columns| columns.iter().all(|column| has_copy(column)))
}

fn has_copy(column: &str) -> bool {
    NARROW.iter().any(|fixed| fixed.name() == column)
}

/// The table without columns that no statement reads: DuckDB looks for each column in each file.
pub(super) fn narrowed(table: Table, statements: &[Statement]) -> Result<Table> {
    if statements.iter().any(|statement| statement.sql.contains(ALL_COLUMNS)) {
        return Ok(table);
    }
    let is_read = |statement: &Statement, name: &str| match &statement.reads {
        Some(columns) => columns.contains(name),
        // A name may occur in another one or in a text: then its column is there in vain.
        None => statement.sql.contains(&identifier(name)),
    };
    let is_named = |name: &str| statements.iter().any(|statement| is_read(statement, name));
    let is_mixed = |name: &str| table.mixed.iter().any(|field| field.column == name);
    let has_mixed = table.columns.iter().any(|column| is_mixed(&column.name) && is_named(&column.name));
    let is_kept = |name: &str| {
        let always = [Fixed::Seq.name(), Fixed::Ts.name()].contains(&name);
        always || is_named(name) || (has_mixed && name == Fixed::Rest.name())
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

/// Which files a query needs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Needs<'a> {
    span: Option<TsSpan>,
    seq: Option<i64>,
    keys: &'a [AnyOf],
}

impl Needs<'_> {
    fn file(self, file: &DataFile) -> bool {
        let has_seq = |seq: i64| file.seq_range().is_none_or(|(first, last)| (first..=last).contains(&seq));
        is_within(file, self.span) && self.seq.is_none_or(has_seq)
    }
}

/// A span that covers both; none is all of time.
fn either(one: Option<TsSpan>, other: Option<TsSpan>) -> Option<TsSpan> {
    let (one, other) = (one?, other?);
    Some(TsSpan { from: one.from.min(other.from), until: one.until.max(other.until) })
}

/// Whether a file can have events within a span.
fn is_within(file: &DataFile, span: Option<TsSpan>) -> bool {
    let (Some(span), Some((first, last))) = (span, file.ts_range()) else { return true };
    let (from, to) = span.both_included();
    first <= to && last >= from
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
