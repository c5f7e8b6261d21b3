//! Trace: the events of all sources that share a trace, a session or a request.

use super::listed::{self, Course, milliseconds, timed};
use super::{Analysis, Answers, Scope, Statement};
use crate::error::Result;
use crate::query::filter::{Filter, Op, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

const LIMIT_MAX: u64 = 100_000;
/// The fields that say what an event belongs to; those that the store does not have are left out.
const FIELDS: [&str; 8] = [
    "trace_id",
    "session",
    "request_id",
    "requestId",
    "correlation_id",
    "correlationId",
    "x_request_id",
    "http.request_id",
];

/// The events that share an id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The id of a trace, a session or a request.
    pub id: String,
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// How many events: the first.
    #[serde(default = "events_shown")]
    pub limit: u64,
}

fn events_shown() -> u64 {
    10_000
}

/// The report of [`Trace`]. Each event says in `offset_ms` how long after the first one it happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TraceReport {
    /// The id.
    pub id: String,
    /// Its events.
    #[serde(flatten)]
    pub course: Course,
}

impl Analysis for Trace {
    type Report = TraceReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let mut any = Vec::new();
        let mut known = Vec::new();
        for name in FIELDS {
            let value = vec![Value::text(&self.id)];
            let Ok(filter) = Filter::field(name, Op::Equal, value, &scope.columns.context) else { continue };
            // A field that is not there, or that holds numbers only, has no such id.
            let (Ok(_), Ok(column)) = (scope.condition(&filter), scope.column(name)) else { continue };
            if !known.contains(&column) {
                known.push(column);
                any.push(filter);
            }
        }
        let condition = scope.condition(&Filter::and(vec![self.filter.clone(), Filter::or(any)]))?;
        let sql = format!(
            "SELECT {} FROM events WHERE {} ORDER BY ts, seq LIMIT {}",
            listed::columns(),
            condition.sql,
            self.limit.min(LIMIT_MAX).saturating_add(1)
        );
        Ok(vec![Statement::over("events", sql, &condition)])
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<TraceReport> {
        let mut events = timed(answers, "events");
        let first = events.first().map_or(0, |event| event.ts_us);
        for event in &mut events {
            let offset = milliseconds(event.ts_us.saturating_sub(first));
            event.event.insert("offset_ms".to_string(), Json::from(offset));
        }
        let course = Course::of(events, self.limit.min(LIMIT_MAX), i64::MAX);
        Ok(TraceReport { id: self.id.clone(), course })
    }
}
