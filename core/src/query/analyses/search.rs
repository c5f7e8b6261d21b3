//! Search: the events that match, the newest first. The newest days are looked into first.

use super::{Fetch, Scope, Statement};
use crate::error::{Error, ErrorKind, Result};
use crate::event::fixed::Fixed;
use crate::event::time::DAY_US;
use crate::query::filter::{Filter, TsSpan};
use crate::query::sql::{identifier, instant};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// So many events can be asked for.
const LIMIT_MAX: u64 = 1_000_000;
/// About so many events are looked into first, and each time so many times more.
const ROWS_FIRST: u64 = 16_000;
const GROWTH: u64 = 5;

/// The newest events that match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// How many.
    #[serde(default = "events_shown")]
    pub limit: u64,
    /// The columns to show, by name or path; all, if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

fn events_shown() -> u64 {
    100
}

/// The events that a search found, as objects: all columns that have a value, or the columns asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Found {
    /// The newest first.
    pub events: Vec<Map<String, Json>>,
    /// Whether there are more that match.
    pub more: bool,
}

impl Search {
    /// The newest 100 events that match.
    pub fn new(filter: Filter) -> Search {
        Search { filter, limit: events_shown(), columns: Vec::new() }
    }

    /// How many events to show.
    pub fn limit(&self) -> u64 {
        self.limit.min(LIMIT_MAX)
    }

    /// The span that the filter bounds; none if it is all of time.
    pub fn span(&self, scope: &Scope<'_>) -> Result<Option<TsSpan>> {
        Ok(scope.condition(&self.filter)?.span)
    }

    /// The query for the newest `limit` events that lie in a span.
    pub fn statement(&self, scope: &Scope<'_>, within: Option<TsSpan>, limit: u64) -> Result<Statement> {
        let condition = scope.condition(&self.filter)?;
        let columns = self.selected(scope)?;
        let mut conditions = vec![condition.sql.clone()];
        conditions.extend(within.into_iter().flat_map(bounds));
        let sql = format!(
            "SELECT {columns} FROM events WHERE {} ORDER BY ts DESC, seq DESC LIMIT {limit}",
            conditions.join(" AND ")
        );
        let statement = Statement::over("events", sql, &condition);
        let statement = match self.reads(scope) {
            None => statement,
            Some(columns) => statement.reading(columns, &condition),
        };
        Ok(Statement { span: within.or(condition.span), ..statement })
    }

    /// The same search for the numbers and times of events only.
    pub fn locating(&self) -> Search {
        let columns = [Fixed::Seq, Fixed::Ts].map(|column| column.name().to_string()).to_vec();
        Search { columns, ..self.clone() }
    }

    /// The query for events that were located, with the columns that are asked for.
    pub fn fetching(&self, scope: &Scope<'_>, located: &Fetch) -> Result<Statement> {
        let statement = located.statement(&self.selected(scope)?);
        Ok(Statement { reads: self.reads(scope), ..statement })
    }

    fn reads(&self, scope: &Scope<'_>) -> Option<BTreeSet<String>> {
        let columns = self.columns.iter().flat_map(|name| scope.columns.reads(name));
        let always = [Fixed::Seq, Fixed::Ts].map(|column| column.name().to_string());
        (!self.columns.is_empty()).then(|| columns.chain(always).collect())
    }

    /// The query for all events that match but those of some numbers, the oldest first.
    pub fn new_ones(&self, scope: &Scope<'_>, given: &[i64]) -> Result<Statement> {
        let condition = scope.condition(&self.filter)?;
        let columns = self.selected(scope)?;
        let given: Vec<String> = given.iter().map(i64::to_string).collect();
        let but = match given.is_empty() {
            true => String::new(),
            false => format!(" AND seq NOT IN ({})", given.join(", ")),
        };
        let sql = format!("SELECT {columns} FROM events WHERE {}{but} ORDER BY ts, seq", condition.sql);
        Ok(Statement::over("events", sql, &condition))
    }

    fn selected(&self, scope: &Scope<'_>) -> Result<String> {
        if self.columns.is_empty() {
            return Ok(ALL_COLUMNS.to_string());
        }
        if self.columns.len() > 1_000 {
            return Err(Error::new(ErrorKind::Invalid, "more than 1000 columns are asked for"));
        }
        let named = self.columns.iter().map(|name| {
            let expression = scope.column(name)?;
            Ok(format!("{expression} AS {}", identifier(&shown_name(name, &expression))))
        });
        Ok(named.collect::<Result<Vec<_>>>()?.join(", "))
    }
}

/// What is shown of an event when no columns are asked for.
pub const ALL_COLUMNS: &str = "* EXCLUDE (recorded_at, shape, day, template)";

/// A column that was asked for by its path or an alias has the name that it was asked for by.
fn shown_name(asked: &str, expression: &str) -> String {
    if identifier(asked) == expression { asked.to_string() } else { asked.replace('"', "") }
}

fn bounds(span: TsSpan) -> Vec<String> {
    let from = (span.from > i64::MIN).then(|| format!("ts >= {}", instant(span.from)));
    let until = (span.until < i64::MAX).then(|| format!("ts < {}", instant(span.until)));
    from.into_iter().chain(until).collect()
}

/// Spans of time from the newest to the oldest, each with more events than the one before, so that a search
/// for new events opens little, and one for old events does not look often.
#[derive(Clone, Debug)]
pub struct Walk {
    /// The days that have events, the oldest first: when each begins, and how many events it has.
    days: Vec<(i64, u64)>,
    within: TsSpan,
    until: i64,
    wanted: u64,
    is_done: bool,
}

impl Walk {
    /// Over days with data files, within a span. Events elsewhere, which are not sealed, are few.
    pub fn new(mut days: Vec<(i64, u64)>, within: Option<TsSpan>) -> Walk {
        let within = within.unwrap_or(TsSpan { from: i64::MIN, until: i64::MAX });
        days.retain(|(start, _)| *start < within.until && start.saturating_add(DAY_US) > within.from);
        days.sort_unstable();
        Walk { days, within, until: within.until, wanted: ROWS_FIRST, is_done: within.from >= within.until }
    }

    fn next_from(&mut self) -> i64 {
        let mut rows = 0_u64;
        while let Some((start, count)) = self.days.pop() {
            let room = self.wanted.saturating_sub(rows);
            if rows == 0 && count > room.saturating_mul(2) {
                // A day with many events is looked into from its end, as if they were spread evenly.
                let end = self.until.min(start.saturating_add(DAY_US));
                let length = end.saturating_sub(start).max(1);
                let part = i128::from(length) * i128::from(room) / i128::from(count.max(1));
                let from = end.saturating_sub(i64::try_from(part).unwrap_or(length)).max(start);
                if from > start && from < self.until {
                    self.days.push((start, count.saturating_sub(room)));
                    return from;
                }
            }
            rows = rows.saturating_add(count);
            if rows >= self.wanted && !self.days.is_empty() {
                return start;
            }
        }
        i64::MIN
    }
}

impl Iterator for Walk {
    type Item = TsSpan;

    fn next(&mut self) -> Option<TsSpan> {
        if self.is_done {
            return None;
        }
        let from = self.next_from().max(self.within.from);
        let span = TsSpan { from, until: self.until };
        self.is_done = self.days.is_empty() || from <= self.within.from;
        // What lies before the first day of a file is looked into with it.
        let span = if self.is_done { TsSpan { from: self.within.from, ..span } } else { span };
        self.until = from;
        self.wanted = self.wanted.saturating_mul(GROWTH);
        Some(span)
    }
}
