//! History: what happened to one entity, and what each change changed.

use super::diff::{Difference, diff};
use super::listed;
use super::{Analysis, Answers, Scope, Statement};
use crate::error::Result;
use crate::query::filter::{Filter, Where};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

const LIMIT_MAX: u64 = 100_000;

/// What happened to an entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The type of the entity.
    pub entity_type: String,
    /// Which one.
    pub entity_id: String,
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// How many events: the newest.
    #[serde(default = "changes_shown")]
    pub limit: u64,
}

/// What happened to a file, or to the files below a folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileHistory {
    /// The path.
    pub path: String,
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// How many events: the newest.
    #[serde(default = "changes_shown")]
    pub limit: u64,
}

fn changes_shown() -> u64 {
    100
}

/// The report of [`History`] and [`FileHistory`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistoryReport {
    /// The events, the newest first.
    pub changes: Vec<Changed>,
    /// Whether there are more.
    pub more: bool,
}

/// An event, and what it changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// The event.
    #[serde(flatten)]
    pub event: Map<String, Json>,
    /// The differences between the state before and after it.
    pub diff: Vec<Difference>,
}

/// The query for events with their states, the newest first.
pub(super) fn statement(name: &'static str, condition: &Where, limit: u64) -> Statement {
    let sql = format!(
        "SELECT {}, \"before\", \"after\" FROM events WHERE {} ORDER BY ts DESC, seq DESC LIMIT {limit}",
        listed::columns(),
        condition.sql,
    );
    Statement::over(name, sql, condition)
}

/// The events of [`statement`] with their differences.
pub(super) fn changes(answers: &Answers, name: &str, limit: u64) -> (Vec<Changed>, bool) {
    let mut events = answers.objects(name, false);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = events.len() > limit;
    events.truncate(limit);
    let changed = |mut event: Map<String, Json>| {
        let (before, after) = (event.remove("before"), event.remove("after"));
        let text = |state: &Option<Json>| state.as_ref().and_then(Json::as_str).map(str::to_string);
        Changed { diff: diff(text(&before).as_deref(), text(&after).as_deref()), event }
    };
    (events.into_iter().map(changed).collect(), more)
}

fn asked(scope: &Scope<'_>, filter: &Filter, of: Filter, limit: u64) -> Result<Vec<Statement>> {
    let condition = scope.condition(&Filter::and(vec![of, filter.clone()]))?;
    let limit = limit.min(LIMIT_MAX).saturating_add(1);
    let newest = condition.keys_decide.then_some(limit);
    Ok(vec![Statement { newest, ..statement("changes", &condition, limit) }])
}

fn reported(answers: &Answers, limit: u64) -> HistoryReport {
    let (changes, more) = changes(answers, "changes", limit.min(LIMIT_MAX));
    HistoryReport { changes, more }
}

impl Analysis for History {
    type Report = HistoryReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let entity = Filter::entity(&self.entity_type, &self.entity_id);
        asked(scope, &self.filter, entity, self.limit)
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<HistoryReport> {
        Ok(reported(answers, self.limit))
    }
}

impl Analysis for FileHistory {
    type Report = HistoryReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        asked(scope, &self.filter, Filter::file(&self.path), self.limit)
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<HistoryReport> {
        Ok(reported(answers, self.limit))
    }
}
