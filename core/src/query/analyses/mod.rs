//! Analyses: from a request to SQL, and from rows to a report. No I/O and no clock, so that every binding
//! runs the same SQL in the DuckDB that it has: no JSON functions, nothing newer than DuckDB 1.4.3.

mod answer;
mod audit;
mod counts;
mod diff;
mod facets;
mod health;
mod history;
mod listed;
mod metrics;
mod patterns;
pub mod prometheus;
mod request;
mod search;
mod sessions;
mod show;
mod slowest;
mod stats;
#[cfg(test)]
mod tests;
mod timeline;
mod trace;

pub use answer::{Answer, Answers, Row};
pub use audit::{
    Audit, AuditReport, ChainHead, EntityHistory, Hours, Instant, Maintenance, OutOfHours, Period, Silence,
    StoreState, Totals,
};
pub use counts::Counts;
pub use diff::{Change, Difference, diff};
pub use facets::{Facet, FacetValue, Facets, FacetsReport};
pub use health::{Check, Health, HealthReport, HealthStatus};
pub use history::{Changed, FileHistory, History, HistoryReport};
pub use listed::{Course, Gap};
pub use metrics::{EntityChanges, Metrics, MetricsReport, SourceMetrics};
pub use patterns::{
    Activity, Actors, ActorsReport, Bursts, BurstsReport, CoChanges, CoChangesReport, Entity, Finding,
    FrequentPath, HotSpot, Pair, Patterns, PatternsReport, Rhythm, Rhythms, RhythmsReport, Samples,
    Sequences, SequencesReport, TemplateChange, TemplateCount, Templates, TemplatesReport, Together,
    UnusualHour, UnusualSession, What,
};
pub use request::{Request, read_filter};
pub use search::{ALL_COLUMNS, Found, Search, Walk};
pub use sessions::{Session, SessionReport, SessionSummary, Sessions, SessionsReport};
pub use show::{Fetch, Show};
pub use slowest::Slowest;
pub use stats::{Durations, GroupDurations, Stats, StatsReport};
pub use timeline::{Bucket, Every, Timeline, TimelineReport};
pub use trace::{Trace, TraceReport};

use crate::error::{Error, Result};
use crate::event::Fixed;
use crate::mine::Dictionary;
use crate::query::filter::{Columns, Filter, TsSpan, Where, compile};
use crate::query::sql::{identifier, literal};
use crate::query::templates::TemplateSource;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What an analysis is asked of: the columns, the clock, and how far back the store goes.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The columns, and how times are read.
    pub columns: Columns<'a>,
    /// The clock, in microseconds since 1970.
    pub now_us: i64,
    /// The first and the last instant of the store's events, or a little around them, if there are any.
    pub span: Option<(i64, i64)>,
    /// The text that the filter was read from, for errors that point at a place in it; may be empty.
    pub text: &'a str,
}

/// One query of an analysis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statement {
    /// The name by which the report finds its rows.
    pub name: &'static str,
    /// The SQL, over `events`.
    pub sql: String,
    /// The values of its parameters.
    pub parameters: Vec<(String, Json)>,
    /// The span of `ts` outside of which no row matters.
    pub span: Option<TsSpan>,
    /// Values of which each of its rows has one: pairs of a text column and a value.
    pub keys: Vec<Vec<(String, String)>>,
    /// The stored columns that it reads; none if they are to be found in its text.
    pub reads: Option<BTreeSet<String>>,
    /// The only numbers of its rows, rising, if it is about some: files without them need not be opened.
    pub seqs: Vec<i64>,
    /// If its rows are the newest so many of those that have the keys: how many.
    pub newest: Option<u64>,
    /// Whether it is run only if no query before it gave a row.
    pub is_fallback: bool,
}

/// A question that is more than one list of rows.
pub trait Analysis {
    /// The answer.
    type Report: Serialize;

    /// The queries to run, in this order or side by side; those that are fallbacks after the others.
    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>>;

    /// The report of their rows.
    fn report(&self, scope: &Scope<'_>, answers: &Answers) -> Result<Self::Report>;
}

impl Scope<'_> {
    /// The condition of a filter.
    pub fn condition(&self, filter: &Filter) -> Result<Where> {
        compile(filter, &self.columns).map_err(|error| error.into_error(self.text))
    }

    /// The column of a name as SQL; `NULL` where a column that is not there is no error.
    pub fn column(&self, name: &str) -> Result<String> {
        let expression = self.columns.expression(name).map_err(Error::from)?;
        Ok(expression.unwrap_or_else(|| "NULL::VARCHAR".to_string()))
    }

    /// The column of a name as SQL, to put events together by: a template's old ids count as its present one.
    pub fn grouped(&self, name: &str) -> Result<String> {
        let column = self.column(name)?;
        let stored = identifier(Fixed::Template.name());
        let Some(pairs) = (column == stored).then(|| self.merged_templates()).flatten() else {
            return Ok(column);
        };
        Ok(format!(
            "coalesce((SELECT substr(pair, 17) FROM (SELECT unnest(string_split({}, ' ')) AS pair) \
             WHERE substr(pair, 1, 16) = {stored}), {stored})",
            literal(&pairs)
        ))
    }

    /// The dictionary of templates, if it is known.
    fn dictionary(&self) -> Option<&Dictionary> {
        self.columns.templates.and_then(TemplateSource::dictionary)
    }

    /// The old ids of templates with their present ones, as one text: 32 digits a pair, parted by spaces.
    fn merged_templates(&self) -> Option<String> {
        let pairs = self.dictionary()?.merged().map(|(old, now)| format!("{old}{now}"));
        Some(pairs.collect::<Vec<String>>().join(" ")).filter(|pairs| !pairs.is_empty())
    }

    /// The span in which events that a condition matches can lie, if that has both ends.
    fn bounds(&self, condition: &Where) -> Option<(i64, i64)> {
        let (first, last) = self.span?;
        let Some(span) = condition.span else { return Some((first, last)) };
        let (from, to) = span.both_included();
        Some((first.max(from), last.min(to))).filter(|(from, to)| from <= to)
    }
}

impl Statement {
    /// A query whose only parameters are those of the condition.
    fn over(name: &'static str, sql: String, condition: &Where) -> Statement {
        let Where { parameters, span, keys, .. } = condition.clone();
        Statement { name, sql, parameters, span, keys, ..Statement::default() }
    }

    /// The same, which reads these columns and those of the condition, and no other.
    fn reading(self, columns: impl IntoIterator<Item = impl Into<String>>, condition: &Where) -> Statement {
        let own = columns.into_iter().map(Into::into);
        Statement { reads: Some(own.chain(condition.columns.iter().cloned()).collect()), ..self }
    }

    /// The same, run only if no query before it gave a row.
    fn otherwise(self) -> Statement {
        Statement { is_fallback: true, ..self }
    }
}
