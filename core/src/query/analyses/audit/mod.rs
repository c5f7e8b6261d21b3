//! The audit report: what happened in a period, for people who have to vouch for it.

mod html;
mod markdown;
mod report;
mod write;

pub use report::{
    AuditReport, ChainHead, EntityHistory, Maintenance, OutOfHours, Period, Silence, StoreState, Totals,
};

use super::history::{self, Changed};
use super::listed;
use super::stats::rate;
use super::{Analysis, Answers, Counts, Row, Scope, Sessions, Statement, counts};
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType};
use crate::event::time::{HOUR_US, rfc3339};
use crate::query::filter::{Filter, IS_ERROR, Where};
use crate::query::sql::{identifier, instant, literal};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// So many values of a column are counted.
const VALUES_MAX: u64 = 1_000;
const FAILURES_MAX: u64 = 1_000;
const CHANGES_MAX: u64 = 5_000;
const SESSIONS_MAX: u64 = 500;
const OUT_OF_HOURS_MAX: u64 = 500;
const GAPS_MAX: u64 = 100;
const UPKEEP_MAX: u64 = 500;
/// What stands in the place of a redacted value, and the beginnings of what stands for a part of a text or for a hash.
const REDACTED: [&str; 3] = ["[redacted]", "[redacted ", "[hmac "];
/// An event that says what it changed.
const IS_CHANGE: &str = "(\"before\" IS NOT NULL OR \"after\" IS NOT NULL)";
/// The kinds of events that the store writes about itself.
const UPKEEP: &str = "daybook.";
/// So many changes of the offset of a zone are regarded: those of centuries.
const OFFSETS_MAX: usize = 1_000;

/// An audit report to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The first instant of the period.
    pub from: Instant,
    /// The instant after its last.
    pub until: Instant,
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// When people work.
    #[serde(default)]
    pub hours: Hours,
    /// A time without events is a gap from so many hours on.
    #[serde(default = "gap_hours")]
    pub gap_hours: u32,
}

fn gap_hours() -> u32 {
    24
}

/// An instant, in JSON as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(pub i64);

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = crate::event::time::read_text(&text);
        read.map(|(micros, _)| Instant(micros)).ok_or_else(|| serde::de::Error::custom("no time"))
    }
}

/// When people work, in the zone that times are read in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hours {
    /// The days, Monday is 1 and Sunday 7.
    pub days: Vec<u8>,
    /// The hour in which work begins.
    pub from: u8,
    /// The hour before which it ends.
    pub to: u8,
}

impl Default for Hours {
    fn default() -> Self {
        Hours { days: vec![1, 2, 3, 4, 5], from: 8, to: 18 }
    }
}

impl Audit {
    /// The report of a period.
    pub fn new(from_us: i64, until_us: i64) -> Audit {
        Audit {
            from: Instant(from_us),
            until: Instant(until_us),
            filter: Filter::all(),
            hours: Hours::default(),
            gap_hours: gap_hours(),
        }
    }

    fn condition(&self, scope: &Scope<'_>) -> Result<Where> {
        if self.from.0 >= self.until.0 {
            return Err(Error::new(ErrorKind::Invalid, "the period ends before it begins"));
        }
        let period = vec![Filter::since(self.from.0), Filter::until(self.until.0), self.filter.clone()];
        scope.condition(&Filter::and(period))
    }

    /// The condition that an event is outside of the hours of work.
    fn out_of_hours(&self, scope: &Scope<'_>) -> String {
        let days: Vec<String> = self.hours.days.iter().map(u8::to_string).collect();
        let local = self.local_time(scope);
        let (from, to) = (self.hours.from, self.hours.to);
        if days.is_empty() {
            return "TRUE".to_string();
        }
        format!(
            "NOT (isodow({local}) IN ({}) AND hour({local}) >= {from} AND hour({local}) < {to})",
            days.join(", ")
        )
    }

    /// `ts` in the zone that times are read in, whose offsets from UTC are found by asking for each day.
    fn local_time(&self, scope: &Scope<'_>) -> String {
        let offset = |at: i64| scope.columns.context.offset_seconds(at);
        let (first, last) = scope.span.unwrap_or((self.from.0, self.until.0));
        let (mut at, end) = (self.from.0.max(first), self.until.0.min(last));
        let shifted = |seconds: i32| format!("ts + INTERVAL '{seconds} seconds'");
        let mut known = offset(at);
        let mut branches = Vec::new();
        while at < end && branches.len() < OFFSETS_MAX {
            let next = at.saturating_add(HOUR_US * 6).min(end);
            if offset(next) != known {
                let change = change_between(at, next, &offset);
                branches.push(format!("WHEN ts < {} THEN {}", instant(change), shifted(known)));
                known = offset(next);
            }
            at = next;
        }
        match (branches.is_empty(), known) {
            (true, 0) => "ts".to_string(),
            (true, seconds) => format!("({})", shifted(seconds)),
            (false, seconds) => format!("(CASE {} ELSE {} END)", branches.join(" "), shifted(seconds)),
        }
    }
}

/// The instant between two at which the offset changes, to the second.
fn change_between(mut before: i64, mut after: i64, offset: &dyn Fn(i64) -> i32) -> i64 {
    let old = offset(before);
    while after.saturating_sub(before) > 1_000_000 {
        let middle = before.saturating_add(after.saturating_sub(before) / 2);
        if offset(middle) == old { before = middle } else { after = middle }
    }
    after.saturating_sub(after.rem_euclid(1_000_000))
}

impl Analysis for Audit {
    type Report = AuditReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let condition = self.condition(scope)?;
        let whole = &condition.sql;
        let outside = format!("{whole} AND {}", self.out_of_hours(scope));
        let events = |of: &str, limit: u64| {
            let limit = limit.saturating_add(1);
            let columns = listed::columns();
            format!("SELECT {columns} FROM events WHERE {of} ORDER BY ts DESC, seq DESC LIMIT {limit}")
        };
        let totals = format!(
            "SELECT count(*), count(*) FILTER (WHERE {IS_ERROR}), count(DISTINCT actor), \
             count(DISTINCT (entity_type, entity_id)) FILTER (WHERE entity_id IS NOT NULL), min(ts), max(ts), count(*) FILTER (WHERE {IS_CHANGE}) \
             FROM events WHERE {whole}"
        );
        let gap = u64::from(self.gap_hours);
        let gaps = format!(
            "SELECT earlier, ts FROM (SELECT ts, lag(ts) OVER (ORDER BY ts) AS earlier FROM events \
             WHERE {whole}) WHERE ts - earlier >= INTERVAL '{gap} hours' ORDER BY ts LIMIT {}",
            GAPS_MAX.saturating_add(1)
        );
        let columns = ["kind", "actor", "CAST(ts::DATE AS VARCHAR)"].map(str::to_string);
        let sessions = Sessions { filter: self.filter.clone(), limit: SESSIONS_MAX, gap_minutes: 30 };
        let days = format!(
            "SELECT CAST(ts::DATE AS VARCHAR) AS day, count(*) FROM events WHERE {whole} AND {IS_ERROR} \
             GROUP BY 1 ORDER BY 1"
        );
        let changed = Where { sql: format!("{whole} AND {IS_CHANGE}"), ..condition.clone() };
        let queries = [
            ("totals", totals),
            ("counts", counts::sql(&columns, whole, VALUES_MAX)),
            ("failures", events(&format!("{whole} AND {IS_ERROR}"), FAILURES_MAX)),
            ("outside", events(&outside, OUT_OF_HOURS_MAX)),
            ("outside actors", counts::sql(&["actor".to_string()], &outside, VALUES_MAX)),
            ("outside count", format!("SELECT count(*) FROM events WHERE {outside}")),
            ("error days", days),
            ("redacted", redacted(scope, whole)),
            ("gaps", gaps),
            ("sessions", sessions.sql(whole)),
        ];
        let mut statements: Vec<Statement> =
            queries.into_iter().map(|(name, sql)| Statement::over(name, sql, &condition)).collect();
        statements.push(history::statement("changes", &changed, CHANGES_MAX.saturating_add(1)));
        let period = Filter::and(vec![Filter::since(self.from.0), Filter::until(self.until.0)]);
        let period = scope.condition(&period)?;
        let upkeep =
            events(&format!("{} AND starts_with(kind, {})", period.sql, literal(UPKEEP)), UPKEEP_MAX);
        statements.push(Statement::over("upkeep", upkeep, &period));
        Ok(statements)
    }

    fn report(&self, scope: &Scope<'_>, answers: &Answers) -> Result<AuditReport> {
        let mut left_out = Vec::new();
        let mut cut = |what: &str, rows: usize, most: u64| {
            if rows as u64 > most {
                left_out.push(format!("only {most} {what} are listed"));
            }
        };
        cut("failures", answers.rows("failures").len(), FAILURES_MAX);
        cut("changes", answers.rows("changes").len(), CHANGES_MAX);
        cut("sessions", answers.rows("sessions").len(), SESSIONS_MAX);
        cut("events out of hours", answers.rows("outside").len(), OUT_OF_HOURS_MAX);
        cut("actions on the store", answers.rows("upkeep").len(), UPKEEP_MAX);
        cut("gaps", answers.rows("gaps").len(), GAPS_MAX);
        let events = |name: &str, most: u64| {
            let mut events = answers.objects(name, false);
            events.truncate(usize::try_from(most).unwrap_or(usize::MAX));
            events
        };
        let rows = answers.rows("counts");
        let mut by_day = counts::read(rows, 2).counts;
        by_day.0.sort();
        let sessions = Sessions { filter: Filter::all(), limit: SESSIONS_MAX, gap_minutes: 30 };
        Ok(AuditReport {
            period: Period {
                from: rfc3339(self.from.0),
                until: rfc3339(self.until.0),
                made_at: rfc3339(scope.now_us),
            },
            filter: self.filter.to_string(),
            totals: totals(answers.first("totals").unwrap_or(&Row::default())),
            by_kind: counts::read(rows, 0).counts,
            by_actor: counts::read(rows, 1).counts,
            by_day,
            failures: events("failures", FAILURES_MAX),
            changes: by_entity(history::changes(answers, "changes", CHANGES_MAX).0),
            sessions: sessions.report(scope, answers)?.sessions,
            out_of_hours: OutOfHours {
                hours: self.hours.to_string(),
                count: answers.first("outside count").map_or(0, |row| row.count(0)),
                by_actor: counts::read(answers.rows("outside actors"), 0).counts,
                events: events("outside", OUT_OF_HOURS_MAX),
            },
            gaps: gaps(answers.rows("gaps")),
            errors_by_day: Counts(
                answers
                    .rows("error days")
                    .iter()
                    .filter_map(|row| Some((row.string(0)?, row.count(1))))
                    .collect(),
            ),
            redacted: redacted_counts(scope, answers.first("redacted")),
            upkeep: events("upkeep", UPKEEP_MAX),
            left_out,
            store: StoreState::default(),
        })
    }
}

/// The columns in which text can stand in the place of a secret.
fn text_columns<'a>(scope: &Scope<'a>) -> impl Iterator<Item = &'a Column> + use<'a> {
    let columns = scope.columns.schema.columns().iter();
    columns.filter(|column| matches!(column.column_type, ColumnType::Text | ColumnType::TextList))
}

/// The query that counts events with redacted values: one row, with a count for each column of text.
fn redacted(scope: &Scope<'_>, condition: &str) -> String {
    let counts = text_columns(scope).map(|column| {
        let name = identifier(&column.name);
        let text = match column.column_type {
            ColumnType::TextList => format!("array_to_string({name}, ' ')"),
            _ => name,
        };
        let any = REDACTED.map(|mark| format!("contains({text}, {})", literal(mark))).join(" OR ");
        format!("count(*) FILTER (WHERE {any})")
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    format!("SELECT {counts} FROM events WHERE {condition}")
}

/// The columns that have redacted values, those with most first.
fn redacted_counts(scope: &Scope<'_>, row: Option<&Row>) -> Counts {
    let Some(row) = row else { return Counts::default() };
    let counts = text_columns(scope).enumerate();
    let counts = counts.map(|(place, column)| (column.name.clone(), row.count(place)));
    let mut counts: Vec<(String, u64)> = counts.filter(|(_, count)| *count > 0).collect();
    counts.sort_by(|(name, count), (other, of_other)| (of_other, name).cmp(&(count, other)));
    Counts(counts)
}

fn totals(row: &Row) -> Totals {
    Totals {
        events: row.count(0),
        errors: row.count(1),
        error_rate: rate(row.count(1), row.count(0)),
        actors: row.count(2),
        entities: row.count(3),
        first: row.string(4),
        last: row.string(5),
        changes: row.count(6),
    }
}

/// The entity of the newest change first.
fn by_entity(changes: Vec<Changed>) -> Vec<EntityHistory> {
    let text =
        |changed: &Changed, name: &str| changed.event.get(name).and_then(Json::as_str).map(str::to_string);
    let mut places = hashbrown::HashMap::new();
    let mut entities: Vec<EntityHistory> = Vec::new();
    for changed in changes {
        let (entity_type, entity_id) = (text(&changed, "entity_type"), text(&changed, "entity_id"));
        let place = *places.entry((entity_type.clone(), entity_id.clone())).or_insert_with(|| {
            entities.push(EntityHistory { entity_type, entity_id, changes: Vec::new() });
            entities.len().saturating_sub(1)
        });
        if let Some(entity) = entities.get_mut(place) {
            entity.changes.push(changed);
        }
    }
    entities
}

fn gaps(rows: &[Row]) -> Vec<Silence> {
    let silence = |row: &Row| {
        let length = row.time(1)?.saturating_sub(row.time(0)?);
        Some(Silence { from: row.string(0)?, to: row.string(1)?, hours: length as f64 / HOUR_US as f64 })
    };
    rows.iter().take(usize::try_from(GAPS_MAX).unwrap_or(usize::MAX)).filter_map(silence).collect()
}

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let name = |day: &u8| NAMES.get(usize::from(*day).wrapping_sub(1)).copied().unwrap_or("?");
        let days: Vec<&str> = self.days.iter().map(name).collect();
        let days = if self.days == [1, 2, 3, 4, 5] { "Mon-Fri".to_string() } else { days.join(", ") };
        write!(f, "{days} {}:00-{}:00", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::fixed;
    use crate::event::time::DAY_US;
    use crate::query::filter::{Columns, Context};

    fn out_of_hours(audit: &Audit, offset: &dyn Fn(i64) -> i32) -> String {
        let schema = fixed::new_table();
        let context = Context::new(0).with_zone(offset);
        let columns = Columns { context, ..Columns::of(&schema) };
        audit.out_of_hours(&Scope { columns, now_us: 0, span: None, text: "" })
    }

    #[test]
    fn hours_of_work_follow_the_clocks_of_the_zone() {
        let audit = Audit::new(0, 10 * DAY_US);
        assert_eq!(
            out_of_hours(&audit, &|_| 0),
            "NOT (isodow(ts) IN (1, 2, 3, 4, 5) AND hour(ts) >= 8 AND hour(ts) < 18)"
        );
        let ahead = out_of_hours(&audit, &|_| 19_800);
        assert!(ahead.contains("hour((ts + INTERVAL '19800 seconds')) >= 8"), "{ahead}");
        let changes = |at: i64| if at < 3 * DAY_US + HOUR_US { 3_600 } else { 7_200 };
        let summer = out_of_hours(&audit, &changes);
        let local = "(CASE WHEN ts < TIMESTAMP '1970-01-04 01:00:00' THEN ts + INTERVAL '3600 seconds' \
                     ELSE ts + INTERVAL '7200 seconds' END)";
        assert!(summer.contains(&format!("hour({local}) < 18")), "{summer}");
    }

    #[test]
    fn hours_have_words() {
        assert_eq!(Hours::default().to_string(), "Mon-Fri 8:00-18:00");
        assert_eq!(Hours { days: vec![6, 7, 9], from: 0, to: 24 }.to_string(), "Sat, Sun, ? 0:00-24:00");
    }
}
