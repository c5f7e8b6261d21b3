//! Show: one event, by its number or its id.

use super::search::ALL_COLUMNS;
use super::{Analysis, Answers, Found, Scope, Statement};
use crate::error::Result;
use crate::query::filter::{Filter, Op, Value};
use serde::{Deserialize, Serialize};

/// So many events of one id are shown.
const LIMIT: usize = 100;
/// A `seq` is microseconds since 1970: of this size for centuries. Other numbers are ids.
const NUMBERS: std::ops::Range<i64> = 1_000_000_000_000_000..10_000_000_000_000_000;

/// One event with all its columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// Its `seq` or its `event_id`.
    pub id: String,
}

impl Show {
    /// The `seq` that the id may be.
    pub fn seq(&self) -> Option<i64> {
        self.id.parse().ok().filter(|number| NUMBERS.contains(number))
    }

    fn statement(&self, scope: &Scope<'_>, name: &'static str, column: &str) -> Result<Statement> {
        let value = vec![Value::text(&self.id)];
        let filter = Filter::field(column, Op::Equal, value, &scope.columns.context)?;
        let condition = scope.condition(&filter)?;
        let sql = format!(
            "SELECT {ALL_COLUMNS} FROM events WHERE {} ORDER BY ts DESC, seq DESC LIMIT {}",
            condition.sql,
            LIMIT.saturating_add(1)
        );
        Ok(Statement::over(name, sql, &condition))
    }
}

impl Analysis for Show {
    type Report = Found;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let mut statements = Vec::new();
        if let Some(seq) = self.seq() {
            statements.push(Statement { seq: Some(seq), ..self.statement(scope, "by_seq", "seq")? });
        }
        statements.push(self.statement(scope, "by_id", "event_id")?.otherwise());
        Ok(statements)
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<Found> {
        let mut events = answers.objects("by_seq", false);
        events.extend(answers.objects("by_id", false));
        let more = events.len() > LIMIT;
        events.truncate(LIMIT);
        Ok(Found { events, more })
    }
}
