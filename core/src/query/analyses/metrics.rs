//! Metrics: rates, errors and durations over a window of time that ends now.

use super::stats::{DURATIONS, rate};
use super::{Analysis, Answers, Counts, Durations, Row, Scope, Statement, counts};
use crate::error::{Error, ErrorKind, Result};
use crate::event::time::{MINUTE_US, rfc3339};
use crate::query::filter::{Filter, IS_ERROR};
use serde::{Deserialize, Serialize};
/// So many sources, kinds and levels have metrics of their own, so that their number stays small.
const SERIES_MAX: u64 = 50;
/// So many entities are among the most changed.
const ENTITIES_MAX: u64 = 10;
/// The longest window: ten years.
const MINUTES_MAX: u32 = 10 * 366 * 24 * 60;

/// Metrics of the last minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// How long the window is.
    #[serde(default = "day_minutes")]
    pub window_minutes: u32,
}

fn day_minutes() -> u32 {
    24 * 60
}

/// The report of [`Metrics`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MetricsReport {
    /// When the window begins.
    pub from: String,
    /// When it ends.
    pub to: String,
    /// How long it is, in seconds.
    pub window_seconds: u64,
    /// Events.
    pub events: u64,
    /// Events about an entity.
    pub changes: u64,
    /// Events about an entity, by hour.
    pub changes_per_hour: f64,
    /// Events, by minute.
    pub actions_per_minute: f64,
    /// Events that are errors.
    pub errors: u64,
    /// Errors over all events.
    pub error_rate: f64,
    /// How many actors there are.
    pub actors: u64,
    /// How many sessions with an id there are.
    pub sessions: u64,
    /// Events by kind.
    pub by_kind: Counts,
    /// Events by level.
    pub by_level: Counts,
    /// What wrote events, and how it fared.
    pub sources: Vec<SourceMetrics>,
    /// The entities that most events are about.
    pub most_changed: Vec<EntityChanges>,
}

/// The events of a source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceMetrics {
    /// The source.
    pub source: String,
    /// Its events.
    pub events: u64,
    /// Those that are errors.
    pub errors: u64,
    /// Events that are no errors over all events.
    pub success_rate: f64,
    /// How long things took.
    pub duration_ms: Durations,
}

/// How many events are about an entity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntityChanges {
    /// The type of the entity.
    pub entity_type: Option<String>,
    /// The entity.
    pub entity_id: String,
    /// Events about it.
    pub changes: u64,
}

impl Metrics {
    fn window(&self, scope: &Scope<'_>) -> Result<(i64, i64)> {
        if self.window_minutes == 0 || self.window_minutes > MINUTES_MAX {
            let message = format!("a window of {} minutes is not possible", self.window_minutes);
            return Err(Error::new(ErrorKind::Invalid, message)
                .with_hint(format!("ask for 1 to {MINUTES_MAX} minutes")));
        }
        let length = i64::from(self.window_minutes).saturating_mul(MINUTE_US);
        Ok((scope.now_us.saturating_sub(length), scope.now_us.saturating_add(1)))
    }
}

impl Analysis for Metrics {
    type Report = MetricsReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let (from, until) = self.window(scope)?;
        let parts = vec![Filter::since(from), Filter::until(until), self.filter.clone()];
        let condition = scope.condition(&Filter::and(parts))?;
        let whole = &condition.sql;
        let totals = format!(
            "SELECT count(*), count(entity_id), count(*) FILTER (WHERE {IS_ERROR}), count(DISTINCT actor), \
             count(DISTINCT session) FROM events WHERE {whole}"
        );
        let sources = format!(
            "SELECT source, count(*) AS n, count(*) FILTER (WHERE {IS_ERROR}), {DURATIONS} FROM events \
             WHERE {whole} AND source IS NOT NULL GROUP BY source ORDER BY n DESC, source LIMIT {SERIES_MAX}"
        );
        let entities = format!(
            "SELECT entity_type, entity_id, count(*) AS n FROM events WHERE {whole} AND entity_id IS NOT NULL \
             GROUP BY entity_type, entity_id ORDER BY n DESC, entity_type, entity_id LIMIT {ENTITIES_MAX}"
        );
        let counted = counts::sql(&["kind".to_string(), "level".to_string()], whole, SERIES_MAX);
        let queries = [("totals", totals), ("sources", sources), ("entities", entities), ("counts", counted)];
        let columns =
            ["source", "kind", "level", "severity", "status", "actor", "session", "entity_type", "entity_id"];
        let statement = |(name, sql)| {
            Statement::over(name, sql, &condition)
                .reading(columns.into_iter().chain(["duration_ms"]), &condition)
        };
        Ok(queries.into_iter().map(statement).collect())
    }

    fn report(&self, scope: &Scope<'_>, answers: &Answers) -> Result<MetricsReport> {
        let (from, until) = self.window(scope)?;
        let none = Row::default();
        let totals = answers.first("totals").unwrap_or(&none);
        let (events, changes, errors) = (totals.count(0), totals.count(1), totals.count(2));
        let minutes = f64::from(self.window_minutes);
        let entity = |row: &Row| EntityChanges {
            entity_type: row.string(0),
            entity_id: row.string(1).unwrap_or_default(),
            changes: row.count(2),
        };
        Ok(MetricsReport {
            from: rfc3339(from),
            to: rfc3339(until.saturating_sub(1)),
            window_seconds: u64::from(self.window_minutes).saturating_mul(60),
            events,
            changes,
            changes_per_hour: changes as f64 * 60.0 / minutes,
            actions_per_minute: events as f64 / minutes,
            errors,
            error_rate: rate(errors, events),
            actors: totals.count(3),
            sessions: totals.count(4),
            by_kind: counts::read(answers.rows("counts"), 0).counts,
            by_level: counts::read(answers.rows("counts"), 1).counts,
            sources: answers.rows("sources").iter().map(source).collect(),
            most_changed: answers.rows("entities").iter().map(entity).collect(),
        })
    }
}

fn source(row: &Row) -> SourceMetrics {
    let (events, errors) = (row.count(1), row.count(2));
    SourceMetrics {
        source: row.string(0).unwrap_or_default(),
        events,
        errors,
        success_rate: rate(events.saturating_sub(errors), events),
        duration_ms: Durations::read(row, 3),
    }
}
