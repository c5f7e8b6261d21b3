//! Show: one event, by its number or its id. It is located first, over few columns, and then read whole.

use super::search::ALL_COLUMNS;
use super::{Analysis, Answers, Found, Row, Scope, Statement};
use crate::error::Result;
use crate::query::filter::{Filter, Op, TsSpan, Value};
use serde::{Deserialize, Serialize};

/// So many events of one id are shown.
const LIMIT: usize = 100;
/// A `seq` is microseconds since 1970: of this size for centuries. Other numbers are ids.
const NUMBERS: std::ops::Range<i64> = 1_000_000_000_000_000..10_000_000_000_000_000;

/// One event with all its columns. This locates it; [`Fetch`] reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// Its `seq` or its `event_id`.
    pub id: String,
}

/// Events by their numbers, with all their columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fetch {
    /// The numbers.
    pub seqs: Vec<i64>,
    /// When the first and the last of them happened, where that is known.
    pub between: Option<(i64, i64)>,
    /// Whether there are others.
    pub more: bool,
}

impl Show {
    /// The `seq` that the id may be.
    pub fn seq(&self) -> Option<i64> {
        self.id.parse().ok().filter(|number| NUMBERS.contains(number))
    }
}

impl Analysis for Show {
    type Report = Fetch;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let value = vec![Value::text(&self.id)];
        let filter = Filter::field("event_id", Op::Equal, value, &scope.columns.context)?;
        let condition = scope.condition(&filter)?;
        let limit = LIMIT.saturating_add(1);
        let sql = format!(
            "SELECT seq, ts FROM events WHERE {} ORDER BY ts DESC, seq DESC LIMIT {limit}",
            condition.sql
        );
        Ok(vec![Statement::over("located", sql, &condition).reading(["seq", "ts"], &condition)])
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<Fetch> {
        let rows = answers.rows("located");
        let kept = || rows.iter().take(LIMIT);
        let time = |row: &Row| row.time(1);
        Ok(Fetch {
            seqs: kept().filter_map(|row| row.get(0).as_i64()).collect(),
            between: kept().filter_map(time).min().zip(kept().filter_map(time).max()),
            more: rows.len() > LIMIT,
        })
    }
}

impl Fetch {
    /// The event of a number.
    pub fn seq(seq: i64) -> Fetch {
        Fetch { seqs: vec![seq], between: None, more: false }
    }

    /// The query for these columns of the events, the newest first.
    pub(super) fn statement(&self, columns: &str) -> Statement {
        let seqs: Vec<String> = self.seqs.iter().map(i64::to_string).collect();
        let sql = format!(
            "SELECT {columns} FROM events WHERE seq IN ({}) ORDER BY ts DESC, seq DESC",
            seqs.join(", ")
        );
        let span = self.between.map(|(from, to)| TsSpan { from, until: to.saturating_add(1) });
        let seq = self.seqs.first().copied().filter(|_| self.seqs.len() == 1);
        let (parameters, keys) = (Vec::new(), Vec::new());
        Statement { name: "events", sql, parameters, span, keys, reads: None, seq, is_fallback: false }
    }
}

impl Analysis for Fetch {
    type Report = Found;

    fn statements(&self, _scope: &Scope<'_>) -> Result<Vec<Statement>> {
        Ok(if self.seqs.is_empty() { Vec::new() } else { vec![self.statement(ALL_COLUMNS)] })
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<Found> {
        Ok(Found { events: answers.objects("events", false), more: self.more })
    }
}
