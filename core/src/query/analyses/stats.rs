//! Stats: how much there is of what.

use super::{Analysis, Answers, Counts, Row, Scope, Statement, counts};
use crate::error::Result;
use crate::event::time::DAY_US;
use crate::query::filter::{Filter, IS_ERROR};
use crate::query::sql::instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many values of a column, and so many pairs of source and kind, are in the report.
const VALUES_MAX: u64 = 1_000;

/// The columns that are counted, with the names of their counts.
const COUNTED: [(&str, &str); 6] = [
    ("kind", "by_kind"),
    ("level", "by_level"),
    ("source", "by_source"),
    ("actor", "by_actor"),
    ("entity_type", "by_entity_type"),
    ("status", "by_status"),
];

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
    /// The same for each source and kind.
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

impl Analysis for Stats {
    type Report = StatsReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let condition = scope.condition(&self.filter)?;
        let recent = instant(scope.now_us.saturating_sub(DAY_US));
        let now = instant(scope.now_us);
        let totals = format!(
            "SELECT source, kind, GROUPING(source)::BIGINT AS g, count(*) AS events, min(ts), max(ts), \
             count(*) FILTER (WHERE ts >= {recent} AND ts <= {now}), \
             count(*) FILTER (WHERE {IS_SUCCESS}), count(*) FILTER (WHERE {IS_ERROR}), {DURATIONS} \
             FROM events WHERE {} GROUP BY GROUPING SETS ((), (source, kind)) \
             ORDER BY g DESC, events DESC, source, kind LIMIT {}",
            condition.sql,
            VALUES_MAX.saturating_add(1),
        );
        let columns = COUNTED.map(|(column, _)| column.to_string());
        let counted = counts::sql(&columns, &condition.sql, VALUES_MAX);
        Ok(vec![
            Statement::over("totals", totals, &condition),
            Statement::over("counts", counted, &condition),
        ])
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<StatsReport> {
        let rows = answers.rows("counts");
        let mut left_out = BTreeMap::new();
        let mut lists = (0_u64..).zip(COUNTED).map(|(number, (_, name))| {
            let read = counts::read(rows, number);
            let lacking = read.distinct.saturating_sub(read.counts.0.len() as u64);
            if lacking > 0 {
                left_out.insert(name.to_string(), lacking);
            }
            read.counts
        });
        let mut next = || lists.next().unwrap_or_default();
        let [by_kind, by_level, by_source, by_actor, by_entity_type, by_status] =
            [next(), next(), next(), next(), next(), next()];
        drop(lists);
        let none = Row::default();
        let is_all = |row: &&Row| row.count(2) == 1;
        let all = answers.rows("totals").iter().find(is_all).unwrap_or(&none);
        let mut duration_ms = Durations::read(all, 9);
        let groups = answers.rows("totals").iter().filter(|row| !is_all(row)).map(|row| GroupDurations {
            source: row.string(0),
            kind: row.string(1),
            durations: Durations::read(row, 9),
        });
        duration_ms.by_source_and_kind = groups.filter(|group| group.durations.count > 0).collect();
        let (total, failed) = (all.count(3), all.count(8));
        Ok(StatsReport {
            total,
            from: all.string(4),
            to: all.string(5),
            recent_24h: all.count(6),
            by_kind,
            by_level,
            by_source,
            by_actor,
            by_entity_type,
            by_status,
            successful: all.count(7),
            failed,
            error_rate: rate(failed, total),
            duration_ms,
            left_out,
        })
    }
}

/// A part of all; 0 of nothing.
pub(super) fn rate(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}
