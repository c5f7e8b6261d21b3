//! Slowest: the events that took longest.

use super::listed;
use super::{Analysis, Answers, Found, Scope, Statement};
use crate::error::Result;
use crate::query::filter::Filter;
use serde::{Deserialize, Serialize};

const LIMIT_MAX: u64 = 100_000;

/// The events that took longest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slowest {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// How many.
    #[serde(default = "events_shown")]
    pub limit: u64,
}

fn events_shown() -> u64 {
    20
}

impl Analysis for Slowest {
    type Report = Found;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let condition = scope.condition(&self.filter)?;
        let sql = format!(
            "SELECT {} FROM events WHERE ({}) AND isfinite(duration_ms) \
             ORDER BY duration_ms DESC, ts DESC, seq DESC LIMIT {}",
            listed::columns(),
            condition.sql,
            self.limit.min(LIMIT_MAX).saturating_add(1)
        );
        Ok(vec![Statement::over("events", sql, &condition)])
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<Found> {
        let mut events = answers.objects("events", false);
        let limit = usize::try_from(self.limit.min(LIMIT_MAX)).unwrap_or(usize::MAX);
        let more = events.len() > limit;
        events.truncate(limit);
        Ok(Found { events, more })
    }
}
