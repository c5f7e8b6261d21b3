//! Sessions: events that belong together, by their id or, without one, by who did them and when.

use super::listed::{self, Course, Timed, milliseconds, outcome, timed};
use super::{Analysis, Answers, Row, Scope, Statement};
use crate::error::Result;
use crate::event::time::{DAY_US, MINUTE_US, read_text, rfc3339};
use crate::query::filter::{Filter, IS_ERROR, Op, TsSpan, Value};
use crate::query::sql::instant;
use serde::{Deserialize, Serialize};

const LIMIT_MAX: u64 = 100_000;
/// A session without an id lasts at most so long.
const LONGEST_US: i64 = 7 * DAY_US;

/// The sessions, the last ones first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// How many.
    #[serde(default = "sessions_shown")]
    pub limit: u64,
    /// Without an id, a session ends when its actor does nothing for so many minutes.
    #[serde(default = "gap_minutes")]
    pub gap_minutes: u32,
}

/// One session. Its id is the producers', or `ACTOR@TIME` as [`Sessions`] lists it, or an actor, whose last
/// session it then is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Which session.
    pub id: String,
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// How many events: the first.
    #[serde(default = "events_shown")]
    pub limit: u64,
    /// Without an id, a session ends when its actor does nothing for so many minutes.
    #[serde(default = "gap_minutes")]
    pub gap_minutes: u32,
    /// Gaps are listed from so many minutes on.
    #[serde(default = "pause_minutes")]
    pub pause_minutes: u32,
}

fn sessions_shown() -> u64 {
    100
}

fn events_shown() -> u64 {
    10_000
}

fn gap_minutes() -> u32 {
    30
}

fn pause_minutes() -> u32 {
    5
}

/// The report of [`Sessions`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionsReport {
    /// The sessions, the last ones first.
    pub sessions: Vec<SessionSummary>,
    /// Whether there are more.
    pub more: bool,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionSummary {
    /// Its id.
    pub session: String,
    /// Whether it is known from its actor and the gaps alone.
    pub inferred: bool,
    /// Who is in it: one of them, and how many there are.
    pub actor: Option<String>,
    /// How many actors are in it.
    pub actors: u64,
    /// What wrote its first event.
    pub source: Option<String>,
    /// When its first event happened.
    pub from: Option<String>,
    /// When its last event happened.
    pub to: Option<String>,
    /// How much time lies between them, in milliseconds.
    pub duration_ms: f64,
    /// How many events it has.
    pub events: u64,
    /// How many of them are errors.
    pub errors: u64,
    /// `success`, `failure` if its last event is an error, `recovered` if another one is.
    pub outcome: &'static str,
}

/// The report of [`Session`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionReport {
    /// Its id.
    pub session: String,
    /// Whether it is known from its actor and the gaps alone.
    pub inferred: bool,
    /// Its events.
    #[serde(flatten)]
    pub course: Course,
}

impl Sessions {
    /// The query for the sessions of events.
    pub(super) fn sql(&self, condition: &str) -> String {
        let gap = u64::from(self.gap_minutes);
        let limit = self.limit.min(LIMIT_MAX).saturating_add(1);
        let summary = "min(actor) AS actor, count(DISTINCT actor) AS actors, \
             first(source ORDER BY ts, seq) FILTER (WHERE source IS NOT NULL) AS source, \
             min(ts) AS started, max(ts) AS ended, count(*) AS n, count(*) FILTER (WHERE is_error) AS errors, \
             last(is_error ORDER BY ts, seq) AS last_is_error";
        format!(
            "WITH chosen AS (SELECT ts, seq, session, actor, source, coalesce({IS_ERROR}, FALSE) AS is_error \
             FROM events WHERE {condition}), \
             named AS (SELECT session, FALSE AS inferred, {summary} FROM chosen WHERE session IS NOT NULL \
             GROUP BY session), \
             marked AS (SELECT *, CASE WHEN ts - lag(ts) OVER w <= INTERVAL '{gap} minutes' THEN 0 ELSE 1 END \
             AS begins FROM chosen WHERE session IS NULL AND actor IS NOT NULL \
             WINDOW w AS (PARTITION BY actor ORDER BY ts, seq)), \
             numbered AS (SELECT *, sum(begins) OVER (PARTITION BY actor ORDER BY ts, seq \
             ROWS UNBOUNDED PRECEDING) AS number FROM marked), \
             inferred AS (SELECT actor AS session, TRUE AS inferred, {summary} FROM numbered \
             GROUP BY numbered.actor, number) \
             SELECT session, inferred, actor, actors, source, started, ended, n, errors, last_is_error \
             FROM (SELECT * FROM named UNION ALL SELECT * FROM inferred) \
             ORDER BY ended DESC, started DESC, session LIMIT {limit}"
        )
    }
}

impl Analysis for Sessions {
    type Report = SessionsReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let condition = scope.condition(&self.filter)?;
        Ok(vec![Statement::over("sessions", self.sql(&condition.sql), &condition)])
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<SessionsReport> {
        let limit = usize::try_from(self.limit.min(LIMIT_MAX)).unwrap_or(usize::MAX);
        let rows = answers.rows("sessions");
        let sessions = rows.iter().take(limit).map(summary).collect();
        Ok(SessionsReport { sessions, more: rows.len() > limit })
    }
}

fn summary(row: &Row) -> SessionSummary {
    let inferred = row.get(1).as_bool().unwrap_or_default();
    let (from, to) = (row.time(5).unwrap_or_default(), row.time(6).unwrap_or_default());
    let name = row.string(0).unwrap_or_default();
    let errors = row.count(8);
    SessionSummary {
        session: if inferred { format!("{name}@{}", rfc3339(from)) } else { name },
        inferred,
        actor: row.string(2),
        actors: row.count(3),
        source: row.string(4),
        from: row.string(5),
        to: row.string(6),
        duration_ms: milliseconds(to.saturating_sub(from)),
        events: row.count(7),
        errors,
        outcome: outcome(errors, row.get(9).as_bool().unwrap_or_default()),
    }
}

impl Session {
    /// The actor and the beginning of a session without an id.
    fn inferred(&self) -> Option<(&str, i64)> {
        let (actor, time) = self.id.rsplit_once('@')?;
        Some((actor, read_text(time)?.0)).filter(|(actor, _)| !actor.is_empty())
    }

    fn gap_us(&self) -> i64 {
        i64::from(self.gap_minutes).saturating_mul(MINUTE_US)
    }

    fn limit(&self) -> u64 {
        self.limit.min(LIMIT_MAX)
    }

    fn statement(&self, scope: &Scope<'_>, name: &'static str, of: &Of<'_>) -> Result<Statement> {
        let field = |name: &str, value: &str| {
            Filter::field(name, Op::Equal, vec![Value::text(value)], &scope.columns.context)
        };
        let (whose, order) = match of {
            Of::Id => (field("session", &self.id)?, "ts, seq"),
            Of::Actor(actor, _) => (field("actor", actor)?, "ts, seq"),
            Of::Latest(actor) => (field("actor", actor)?, "ts DESC, seq DESC"),
        };
        let mut condition = scope.condition(&Filter::and(vec![self.filter.clone(), whose]))?;
        match of {
            Of::Id => {}
            Of::Latest(_) => condition.sql.push_str(" AND session IS NULL"),
            Of::Actor(_, from) => {
                let span = TsSpan { from: *from, until: from.saturating_add(LONGEST_US) };
                let (first, end) = (instant(span.from), instant(span.until));
                condition.sql.push_str(&format!(" AND session IS NULL AND ts >= {first} AND ts < {end}"));
                condition.span.get_or_insert(span);
            }
        }
        let sql = format!(
            "SELECT {} FROM events WHERE {} ORDER BY {order} LIMIT {}",
            listed::columns(),
            condition.sql,
            self.limit().saturating_add(1)
        );
        Ok(Statement::over(name, sql, &condition))
    }
}

/// Whose events are asked for.
enum Of<'a> {
    Id,
    Actor(&'a str, i64),
    Latest(&'a str),
}

impl Analysis for Session {
    type Report = SessionReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let mut statements = vec![self.statement(scope, "named", &Of::Id)?];
        if let Some((actor, from)) = self.inferred() {
            statements.push(self.statement(scope, "inferred", &Of::Actor(actor, from))?.otherwise());
        }
        statements.push(self.statement(scope, "last", &Of::Latest(&self.id))?.otherwise());
        Ok(statements)
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<SessionReport> {
        let named = timed(answers, "named");
        let inferred = named.is_empty();
        let events = match inferred {
            false => named,
            true => {
                let forward = until_gap(timed(answers, "inferred"), self.gap_us());
                let mut backward = until_gap(timed(answers, "last"), self.gap_us());
                backward.reverse();
                if forward.is_empty() { backward } else { forward }
            }
        };
        let session = match (inferred, self.inferred(), events.first()) {
            (true, None, Some(first)) => format!("{}@{}", self.id, rfc3339(first.ts_us)),
            _ => self.id.clone(),
        };
        let pause_us = i64::from(self.pause_minutes).saturating_mul(MINUTE_US);
        let inferred = inferred && !events.is_empty();
        Ok(SessionReport { session, inferred, course: Course::of(events, self.limit(), pause_us) })
    }
}

/// The events before the first gap.
fn until_gap(mut events: Vec<Timed>, gap_us: i64) -> Vec<Timed> {
    let gap = events
        .iter()
        .zip(events.iter().skip(1))
        .position(|(one, next)| next.ts_us.saturating_sub(one.ts_us).saturating_abs() > gap_us);
    if let Some(last) = gap {
        events.truncate(last.saturating_add(1));
    }
    events
}
