//! Analyses over a store: their SQL runs in sessions over the files that can have rows of the answer.

use super::Store;
use super::options::default_limits;
use super::reader::View;
use super::sources::Needs;
use crate::engine::{Limits, MixedField, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::log::At;
use crate::mine::Dictionary;
use crate::query::analyses::{Analysis, Answer, Answers, Found, Request, Scope, Search, Show, Statement};
use crate::query::filter::{Columns, Context, TsSpan};
use crate::query::templates::TemplateSource;
use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use serde_json::Value as Json;
use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
        Asked::new(self, options)?.show(show)
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

/// What was found as objects.
pub fn found(search: &Search, batches: &FoundBatches) -> Result<Found> {
    let answer = Answer::of(&batches.batches)?;
    Ok(Found { events: answer.objects(!search.columns.is_empty()), more: batches.more })
}

/// A view of the store that questions are asked of.
pub(super) struct Asked<'a> {
    pub(super) store: &'a Store,
    /// How often the store had been interrupted when it was asked.
    interrupts: u64,
    options: &'a AskOptions<'a>,
    /// What all of its queries may use together.
    pub(super) limits: Limits,
    pub(super) view: View,
    pub(super) mixed: Vec<MixedField>,
}

/// Tells that a question is to stop.
#[derive(Clone, Copy)]
pub(super) struct Stop<'a> {
    interrupts: &'a AtomicU64,
    before: u64,
    limits: &'a Limits,
}

impl Stop<'_> {
    /// An error once the time is over, or somebody interrupted it.
    pub(super) fn check(self) -> Result<()> {
        if self.interrupts.load(Ordering::Relaxed) != self.before {
            return Err(Error::new(ErrorKind::Interrupted, "the query was interrupted"));
        }
        self.limits.check()
    }
}

/// The dictionary of a store, read when it is asked for.
struct Known<'a> {
    store: &'a Store,
    read: OnceCell<Result<Dictionary>>,
}

impl fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl TemplateSource for Known<'_> {
    fn dictionary(&self) -> Option<&Dictionary> {
        self.read.get_or_init(|| self.store.dictionary()).as_ref().ok()
    }
}

impl<'a> Asked<'a> {
    pub(super) fn new(store: &'a Store, options: &'a AskOptions<'a>) -> Result<Asked<'a>> {
        let interrupts = store.interrupts.load(Ordering::Relaxed);
        let view = View::take(&store.tables, options.at)?;
        let mixed = view.mixed_fields();
        Ok(Asked { store, interrupts, options, limits: options.limits.shared(), view, mixed })
    }

    pub(super) fn scoped<T>(&self, ask: impl FnOnce(&Scope<'_>) -> Result<T>) -> Result<T> {
        let known = Known { store: self.store, read: OnceCell::new() };
        let columns = Columns {
            schema: self.view.catalogue.schema(),
            mixed: &self.mixed,
            context: self.options.context,
            lenient: self.options.lenient,
            templates: Some(&known),
        };
        let now_us = (self.store.clock)();
        let answer = ask(&Scope { columns, now_us, span: self.view.span(), text: self.options.text });
        // Without the templates that it asked for, an answer is wrong.
        match known.read.into_inner() {
            Some(Err(error)) => Err(error),
            _ => answer,
        }
    }

    /// What tells that it is to stop.
    pub(super) fn stop(&self) -> Stop<'_> {
        Stop { interrupts: &self.store.interrupts, before: self.interrupts, limits: &self.limits }
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
            let needs = Needs { span: all, ..Needs::of(statement) };
            let (_, session) = match session.take() {
                Some(open) if open.0 == needs => session.insert(open),
                _ => session.insert((needs, self.session(statements, needs)?)),
            };
            let mut answer = Answer::default();
            for batch in session.query(&statement.sql, &statement.parameters)? {
                answer.add(&batch?)?;
            }
            answers.add(statement.name, answer);
        }
        Ok(answers)
    }
}

/// A span that covers both; none is all of time.
fn either(one: Option<TsSpan>, other: Option<TsSpan>) -> Option<TsSpan> {
    let (one, other) = (one?, other?);
    Some(TsSpan { from: one.from.min(other.from), until: one.until.max(other.until) })
}
