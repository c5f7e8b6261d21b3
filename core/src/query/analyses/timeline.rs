//! Timeline: how many events there are in each stretch of time.

use super::{Analysis, Answers, Counts, Row, Scope, Statement};
use crate::error::{Error, ErrorKind, Result};
use crate::event::time::{MINUTE_US, rfc3339};
use crate::query::filter::{Filter, IS_ERROR, Where};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::BTreeMap;

/// So many stretches can be asked for.
const BUCKETS_MAX: i64 = 10_000;
/// So many stretches are about the most that `auto` makes.
const BUCKETS_AUTO: i64 = 72;
/// So many values of a column are counted on their own.
const SERIES_MAX: u64 = 100;

/// Events counted by time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// How long a stretch is.
    #[serde(default)]
    pub every: Every,
    /// A column whose values are counted each on its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How many values of that column: the most frequent.
    #[serde(default = "series_shown")]
    pub limit: u64,
}

fn series_shown() -> u64 {
    8
}

/// How long a stretch of time is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Every {
    /// As fits the span of the events.
    #[default]
    Auto,
    /// So many minutes: 1, 5, 15, 60, 360, 1440, 10,080 or 43,200.
    Minutes(i64),
}

impl Every {
    /// The lengths, as they are written, in minutes, and in SQL.
    const STEPS: [(&'static str, i64, &'static str); 8] = [
        ("1m", 1, "1 minute"),
        ("5m", 5, "5 minutes"),
        ("15m", 15, "15 minutes"),
        ("1h", 60, "1 hour"),
        ("6h", 360, "6 hours"),
        ("1d", 1_440, "1 day"),
        ("7d", 10_080, "7 days"),
        ("30d", 43_200, "30 days"),
    ];

    /// Reads `auto`, `1m`, `5m`, `15m`, `1h`, `6h`, `1d`, `7d` or `30d`.
    pub fn parse(text: &str) -> Result<Every> {
        if text == "auto" {
            return Ok(Every::Auto);
        }
        let step = Every::STEPS.iter().find(|(name, ..)| *name == text);
        step.map(|(_, minutes, _)| Every::Minutes(*minutes)).ok_or_else(|| {
            let names = Every::STEPS.map(|(name, ..)| name).join(", ");
            Error::new(ErrorKind::Invalid, format!("`{text}` is no length of `every`"))
                .with_hint(format!("write auto, {names}"))
        })
    }

    /// The length as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Every::Auto => "auto",
            Every::Minutes(minutes) => Every::step(minutes).0,
        }
    }

    fn step(minutes: i64) -> (&'static str, i64, &'static str) {
        let least = Every::STEPS.into_iter().find(|(_, step, _)| *step >= minutes);
        least.unwrap_or(("30d", 43_200, "30 days"))
    }

    /// The length for events within a span.
    fn within(self, bounds: Option<(i64, i64)>) -> (&'static str, i64, &'static str) {
        let Every::Minutes(minutes) = self else {
            let (from, to) = bounds.unwrap_or((0, 0));
            let wanted = to.saturating_sub(from) / MINUTE_US / BUCKETS_AUTO;
            return Every::step(wanted.max(1));
        };
        Every::step(minutes)
    }
}

impl Serialize for Every {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Every::parse(&text).map_err(de::Error::custom)
    }
}

/// The report of [`Timeline`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelineReport {
    /// How long each stretch is.
    pub every: &'static str,
    /// The column whose values are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Its most frequent values, the most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Events in all.
    pub total: u64,
    /// The stretches from the first event to the last, also those without events.
    pub buckets: Vec<Bucket>,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bucket {
    /// When it begins.
    pub ts: String,
    /// Events in it.
    pub count: u64,
    /// Events in it that are errors.
    pub errors: u64,
    /// Events in it, by the values of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Counts>,
    /// Events in it that have another value or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<u64>,
}

impl Timeline {
    fn sql(&self, scope: &Scope<'_>, condition: &Where, interval: &str) -> Result<String> {
        let by = self.by.as_ref().map(|name| scope.grouped(name)).transpose()?;
        let value = by.as_deref().unwrap_or("NULL::VARCHAR");
        let counted = format!(
            "SELECT time_bucket(INTERVAL '{interval}', ts) AS bucket, {value} AS value, count(*) AS n, \
             count(*) FILTER (WHERE {IS_ERROR}) AS errors FROM events WHERE {} GROUP BY 1, 2",
            condition.sql
        );
        if by.is_none() {
            return Ok(format!(
                "SELECT bucket, NULL::BIGINT, NULL::VARCHAR, n, errors FROM ({counted}) ORDER BY bucket"
            ));
        }
        Ok(format!(
            "WITH counted AS MATERIALIZED ({counted}), \
             named AS (SELECT bucket, CAST(value AS VARCHAR) AS value, n, errors FROM counted), \
             top AS (SELECT value, row_number() OVER (ORDER BY sum(n) DESC, value) AS place FROM named \
             WHERE value IS NOT NULL GROUP BY value ORDER BY place LIMIT {}) \
             SELECT bucket, place, any_value(top.value), sum(n)::BIGINT, sum(errors)::BIGINT \
             FROM named LEFT JOIN top ON named.value = top.value GROUP BY bucket, place ORDER BY bucket, place",
            self.limit.min(SERIES_MAX)
        ))
    }
}

impl Analysis for Timeline {
    type Report = TimelineReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        let condition = scope.condition(&self.filter)?;
        let bounds = scope.bounds(&condition);
        let (_, _, interval) = self.every.within(bounds);
        let sql = self.sql(scope, &condition, interval)?;
        let by = self.by.iter().flat_map(|name| scope.columns.reads(name));
        let columns = by.chain(["ts", "severity", "status"].map(str::to_string));
        Ok(vec![Statement::over("buckets", sql, &condition).reading(columns, &condition)])
    }

    fn report(&self, scope: &Scope<'_>, answers: &Answers) -> Result<TimelineReport> {
        let condition = scope.condition(&self.filter)?;
        let (every, minutes, _) = self.every.within(scope.bounds(&condition));
        let rows = answers.rows("buckets");
        let mut values = BTreeMap::new();
        let mut filled: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            if let (place @ 1.., Some(value)) = (row.count(1), row.string(2)) {
                values.insert(place, value);
            }
            filled.entry(row.time(0).unwrap_or_default()).or_default().push(row);
        }
        let step = minutes.saturating_mul(MINUTE_US);
        let first = filled.keys().next().copied().unwrap_or(0);
        let last = filled.keys().next_back().copied().unwrap_or(-1);
        let count = last.saturating_sub(first).div_euclid(step).saturating_add(1);
        if count > BUCKETS_MAX {
            let message = format!("`every` of {every} makes {count} stretches, more than {BUCKETS_MAX}");
            return Err(Error::new(ErrorKind::Limit, message)
                .with_hint("ask for a shorter time with `since:` and `until:`, or for longer stretches"));
        }
        let starts = (0..count).map(|number| first.saturating_add(step.saturating_mul(number)));
        let buckets = starts
            .map(|start| bucket(start, filled.get(&start).map_or(&[], Vec::as_slice), self.by.is_some()));
        Ok(TimelineReport {
            every,
            by: self.by.clone(),
            values: values.into_values().collect(),
            total: rows.iter().map(|row| row.count(3)).sum(),
            buckets: buckets.collect(),
        })
    }
}

fn bucket(start_us: i64, rows: &[&Row], is_split: bool) -> Bucket {
    let of_values = rows.iter().filter_map(|row| Some((row.string(2)?, row.count(3))));
    let by = is_split.then(|| Counts(of_values.collect()));
    let other = rows.iter().filter(|row| row.text(2).is_none()).map(|row| row.count(3)).sum();
    Bucket {
        ts: rfc3339(start_us),
        count: rows.iter().map(|row| row.count(3)).sum(),
        errors: rows.iter().map(|row| row.count(4)).sum(),
        by,
        other: is_split.then_some(other),
    }
}
