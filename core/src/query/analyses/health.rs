//! Health: whether what the events of the last hour say is ok, with the reason.

use super::stats::rate;
use super::{Analysis, Answers, Row, Scope, Statement};
use crate::error::Result;
use crate::event::time::HOUR_US;
use crate::query::filter::{Filter, IS_ERROR};
use serde::{Deserialize, Serialize};
/// With fewer events, a share of errors says nothing.
const EVENTS_LEAST: u64 = 20;
const ERROR_RATE_DEGRADED: f64 = 0.05;
const ERROR_RATE_FAILING: f64 = 0.5;
const ERRORS_IN_5_MINUTES: u64 = 10;
const CHANGES_IN_A_MINUTE: u64 = 50;
const MEAN_MS: f64 = 2_000.0;

/// The health of the last hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
}

/// How something is, the best first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// All is well.
    #[default]
    Ok,
    /// Something should be looked at.
    Degraded,
    /// Something does not work.
    Failing,
}

impl HealthStatus {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            HealthStatus::Ok => "ok",
            HealthStatus::Degraded => "degraded",
            HealthStatus::Failing => "failing",
        }
    }
}

/// The report of [`Health`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HealthReport {
    /// The worst of the checks.
    pub status: HealthStatus,
    /// Why, in a sentence.
    pub message: String,
    /// The checks.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it is.
    pub status: HealthStatus,
    /// What was seen.
    pub message: String,
}

impl HealthReport {
    /// The report of some checks.
    pub fn of(checks: Vec<Check>) -> HealthReport {
        let status = checks.iter().map(|check| check.status).max().unwrap_or_default();
        let bad = checks.iter().filter(|check| check.status > HealthStatus::Ok);
        let messages: Vec<&str> = bad.map(|check| check.message.as_str()).collect();
        let message = if messages.is_empty() { "all is well".to_string() } else { messages.join("; ") };
        HealthReport { status, message, checks }
    }
}

impl Analysis for Health {
    type Report = Vec<Check>;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let (from, until) = (scope.now_us.saturating_sub(HOUR_US), scope.now_us.saturating_add(1));
        let parts = vec![Filter::since(from), Filter::until(until), self.filter.clone()];
        let condition = scope.condition(&Filter::and(parts))?;
        let whole = &condition.sql;
        let most = |interval: &str, of: &str| {
            format!(
                "SELECT coalesce(max(n), 0)::BIGINT FROM (SELECT count(*) AS n FROM events \
                 WHERE {whole} AND {of} GROUP BY time_bucket(INTERVAL '{interval}', ts))"
            )
        };
        let queries = [
            (
                "totals",
                format!("SELECT count(*), count(*) FILTER (WHERE {IS_ERROR}) FROM events WHERE {whole}"),
            ),
            ("spike", most("5 minutes", IS_ERROR)),
            ("changes", most("1 minute", "\"before\" IS NOT NULL")),
            (
                "slow",
                format!(
                    "SELECT source, avg(duration_ms) AS mean FROM events WHERE {whole} AND isfinite(duration_ms) \
                     AND source IS NOT NULL GROUP BY source HAVING mean > {MEAN_MS} \
                     ORDER BY mean DESC, source LIMIT 5"
                ),
            ),
        ];
        Ok(queries.into_iter().map(|(name, sql)| Statement::over(name, sql, &condition)).collect())
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<Vec<Check>> {
        let none = Row::default();
        let first = |name: &str| answers.first(name).unwrap_or(&none);
        let totals = first("totals");
        let slow = answers.rows("slow").iter().map(|row| {
            let source = row.text(0).unwrap_or_default();
            format!("`{source}` takes {:.0} ms on average", row.number(1).unwrap_or_default())
        });
        let slow: Vec<String> = slow.collect();
        Ok(vec![
            errors(totals.count(0), totals.count(1)),
            above("error spike", first("spike").count(0), ERRORS_IN_5_MINUTES, "errors within 5 minutes"),
            above("activity", first("changes").count(0), CHANGES_IN_A_MINUTE, "changes within a minute"),
            Check {
                name: "latency",
                status: if slow.is_empty() { HealthStatus::Ok } else { HealthStatus::Degraded },
                message: if slow.is_empty() { "no source is slow".to_string() } else { slow.join(", ") },
            },
        ])
    }
}

fn errors(events: u64, errors: u64) -> Check {
    let share = rate(errors, events);
    let status = match share {
        _ if events < EVENTS_LEAST => HealthStatus::Ok,
        share if share > ERROR_RATE_FAILING => HealthStatus::Failing,
        share if share > ERROR_RATE_DEGRADED => HealthStatus::Degraded,
        _ => HealthStatus::Ok,
    };
    let message = format!("{errors} of {events} events of the last hour are errors ({:.1} %)", share * 100.0);
    Check { name: "error rate", status, message }
}

fn above(name: &'static str, count: u64, most: u64, what: &str) -> Check {
    let status = if count > most { HealthStatus::Degraded } else { HealthStatus::Ok };
    Check { name, status, message: format!("{count} {what}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_check_counts_and_says_why() {
        let report = HealthReport::of(vec![errors(100, 60), above("x", 11, 10, "errors"), errors(100, 1)]);
        assert_eq!(report.status, HealthStatus::Failing);
        assert_eq!(report.message, "60 of 100 events of the last hour are errors (60.0 %); 11 errors");
        assert_eq!(HealthReport::of(vec![errors(100, 5)]).message, "all is well");
    }

    #[test]
    fn errors_count_once_there_are_events_enough() {
        let check = |events, failed, expected| assert_eq!(errors(events, failed).status, expected);
        check(0, 0, HealthStatus::Ok);
        check(19, 19, HealthStatus::Ok);
        check(100, 5, HealthStatus::Ok);
        check(100, 6, HealthStatus::Degraded);
        check(100, 50, HealthStatus::Degraded);
        check(100, 51, HealthStatus::Failing);
    }
}
