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

    /// What is to be read of the events of these times and numbers: the newest.
    pub fn fetch(&self, mut located: Vec<(i64, i64)>) -> Fetch {
        located.sort_unstable_by(|one, other| other.cmp(one));
        let more = located.len() > LIMIT;
        located.truncate(LIMIT);
        let times = || located.iter().map(|(ts, _)| *ts);
        let between = times().min().zip(times().max());
        Fetch { seqs: located.iter().map(|(_, seq)| *seq).collect(), between, more }
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
        let located = |row: &Row| Some((row.time(1)?, row.get(0).as_i64()?));
        Ok(self.fetch(answers.rows("located").iter().filter_map(located).collect()))
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
        Statement { name: "events", sql, span: self.span(), seqs: self.sorted(), ..Statement::default() }
    }

    /// The query for the numbers and times of these events, where the times are not known.
    pub fn locating(&self) -> Statement {
        let columns = ["seq", "ts"].map(str::to_string);
        Statement { reads: Some(columns.into()), ..self.statement("seq, ts") }
    }

    /// The span in which the events happened, where that is known.
    pub fn span(&self) -> Option<TsSpan> {
        self.between.map(|(from, to)| TsSpan { from, until: to.saturating_add(1) })
    }

    fn sorted(&self) -> Vec<i64> {
        let mut seqs = self.seqs.clone();
        seqs.sort_unstable();
        seqs
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
