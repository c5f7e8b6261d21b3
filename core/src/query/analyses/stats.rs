//! Stats: how much there is of what.

use super::counts::{self, Counted};
use super::{Analysis, Answers, Counts, Row, Scope, Statement};
use crate::error::Result;
use crate::event::time::DAY_US;
use crate::query::filter::{Filter, IS_ERROR, Where};
use crate::query::sql::instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many values of a column, and so many pairs of source and kind, are in the report.
const VALUES_MAX: u64 = 1_000;

/// The columns of few values that are counted.
const COUNTED: [&str; 5] = ["kind", "level", "source", "entity_type", "status"];

/// The condition that an event is a success.
const IS_SUCCESS: &str = "(status IN ('success', 'succeeded', 'ok') AND severity >= 17 IS NOT TRUE)";

/// Numbers over all events that a filter matches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stats {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
}

/// The report of [`Stats`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatsReport {
    /// Events.
    pub total: u64,
    /// When the first of them happened.
    pub from: Option<String>,
    /// When the last of them happened.
    pub to: Option<String>,
    /// How many happened in the last 24 hours.
    pub recent_24h: u64,
    /// How many there are of each kind.
    pub by_kind: Counts,
    /// Of each level.
    pub by_level: Counts,
    /// Of each source.
    pub by_source: Counts,
    /// Of each actor.
    pub by_actor: Counts,
    /// Of each type of entity.
    pub by_entity_type: Counts,
    /// Of each status.
    pub by_status: Counts,
    /// Events that say that something succeeded.
    pub successful: u64,
    /// Events that are errors.
    pub failed: u64,
    /// Errors over all events.
    pub error_rate: f64,
    /// How long things took.
    pub duration_ms: Durations,
    /// How many values each list of counts lacks, where it has not all of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, u64>,
}

/// Durations in milliseconds, of the events that have one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Durations {
    /// How many events have one.
    pub count: u64,
    /// Their mean.
    pub mean: Option<f64>,
    /// Half of them are at most so long.
    pub p50: Option<f64>,
    /// 95 % of them.
    pub p95: Option<f64>,
    /// 99 % of them.
    pub p99: Option<f64>,
    /// The same for each source and kind, those with the most first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_source_and_kind: Vec<GroupDurations>,
}

/// The durations of the events of a source and a kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupDurations {
    /// The source.
    pub source: Option<String>,
    /// The kind.
    pub kind: Option<String>,
    /// Their durations.
    #[serde(flatten)]
    pub durations: Durations,
}

impl Durations {
    /// The count, the mean and the quantiles that stand in columns from one on.
    pub(super) fn read(row: &Row, from: usize) -> Durations {
        let at = |step: usize| from.saturating_add(step);
        let mut quantiles = row.numbers(at(2)).into_iter();
        let mut next = || quantiles.next().flatten();
        Durations {
            count: row.count(from),
            mean: row.number(at(1)),
            p50: next(),
            p95: next(),
            p99: next(),
            by_source_and_kind: Vec::new(),
        }
    }
}

/// What [`Durations::read`] reads.
pub(super) const DURATIONS: &str = "count(duration_ms) FILTER (WHERE isfinite(duration_ms)), \
     avg(duration_ms) FILTER (WHERE isfinite(duration_ms)), \
     quantile_cont(duration_ms, [0.5, 0.95, 0.99]) FILTER (WHERE isfinite(duration_ms))";

impl Stats {
    /// Counts of what has few values, and the numbers over all events as one more row.
    ///
    /// Events are put together first by all of these columns, so that each is looked at once.
    fn counts(condition: &Where, now_us: i64) -> String {
        let (recent, now) = (instant(now_us.saturating_sub(DAY_US)), instant(now_us));
        let columns = COUNTED.map(str::to_string);
        let counted =
            Counted { expressions: &columns, source: "grouped", count: "events", limit: VALUES_MAX };
        let listed = COUNTED.join(", ");
        format!(
            "WITH grouped AS MATERIALIZED (SELECT {listed}, severity, count(*) AS events, min(ts) AS first, \
             max(ts) AS last, count(*) FILTER (WHERE ts >= {recent} AND ts <= {now}) AS recent \
             FROM events WHERE {} GROUP BY {listed}, severity), {} \
             SELECT *, NULL::TIMESTAMP AS first, NULL::TIMESTAMP AS last, 0::BIGINT AS recent, \
             0::BIGINT AS successful, 0::BIGINT AS failed FROM ({}) UNION ALL \
             SELECT {ALL_EVENTS}::INTEGER, NULL, sum(events)::BIGINT, 0, 0, min(first), max(last), \
             sum(recent)::BIGINT, sum(events) FILTER (WHERE {IS_SUCCESS})::BIGINT, \
             sum(events) FILTER (WHERE {IS_ERROR})::BIGINT FROM grouped ORDER BY facet, n DESC, value",
            condition.sql,
            counted.tables(),
            counted.rows(),
        )
    }
}

/// The number of the row over all events, after those of the columns.
const ALL_EVENTS: usize = COUNTED.len();

impl Analysis for Stats {
    type Report = StatsReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let condition = scope.condition(&self.filter)?;
        let durations = format!(
            "SELECT source, kind, GROUPING(source)::BIGINT AS g, {DURATIONS} \
             FROM events WHERE {} AND duration_ms IS NOT NULL GROUP BY GROUPING SETS ((), (source, kind)) \
             ORDER BY g DESC, count(*) DESC, source, kind LIMIT {}",
            condition.sql,
            VALUES_MAX.saturating_add(1),
        );
        let actors = counts::sql(&["actor".to_string()], &condition.sql, VALUES_MAX);
        let statements = [
            ("counts", Stats::counts(&condition, scope.now_us)),
            ("actors", actors),
            ("durations", durations),
        ];
        let columns = COUNTED.into_iter().chain(["ts", "severity", "actor", "duration_ms"]);
        let statement =
            |(name, sql)| Statement::over(name, sql, &condition).reading(columns.clone(), &condition);
        Ok(statements.into_iter().map(statement).collect())
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<StatsReport> {
        let mut left_out = BTreeMap::new();
        let mut read = |rows: &[Row], number: u64, name: &str| {
            let read = counts::read(rows, number);
            let lacking = read.distinct.saturating_sub(read.counts.0.len() as u64);
            if lacking > 0 {
                left_out.insert(name.to_string(), lacking);
            }
            read.counts
        };
        let rows = answers.rows("counts");
        let [by_kind, by_level, by_source, by_entity_type, by_status] =
            [(0, "by_kind"), (1, "by_level"), (2, "by_source"), (3, "by_entity_type"), (4, "by_status")]
                .map(|(number, name)| read(rows, number, name));
        let by_actor = read(answers.rows("actors"), 0, "by_actor");
        let none = Row::default();
        let all = rows.iter().find(|row| row.count(0) == ALL_EVENTS as u64).unwrap_or(&none);
        let (total, failed) = (all.count(2), all.count(9));
        Ok(StatsReport {
            total,
            from: all.string(5),
            to: all.string(6),
            recent_24h: all.count(7),
            by_kind,
            by_level,
            by_source,
            by_actor,
            by_entity_type,
            by_status,
            successful: all.count(8),
            failed,
            error_rate: rate(failed, total),
            duration_ms: durations(answers.rows("durations")),
            left_out,
        })
    }
}

/// The durations of all events, with those of each source and kind.
fn durations(rows: &[Row]) -> Durations {
    let is_all = |row: &&Row| row.count(2) == 1;
    let all = rows.iter().find(is_all).map(|row| Durations::read(row, 3)).unwrap_or_default();
    let groups = rows.iter().filter(|row| !is_all(row)).map(|row| GroupDurations {
        source: row.string(0),
        kind: row.string(1),
        durations: Durations::read(row, 3),
    });
    Durations { by_source_and_kind: groups.filter(|group| group.durations.count > 0).collect(), ..all }
}

/// A part of all; 0 of nothing.
pub(super) fn rate(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}
