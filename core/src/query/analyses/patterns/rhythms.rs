//! Rhythms: kinds with a period, how regular they are, and what was missed.

use super::super::{Analysis, Answers, Row, Scope, Statement};
use super::finding::{Finding, What, command, is, length, minute, number};
use super::period::{Period, period};
use super::{ALARM, alarm_is_valid};
use crate::error::Result;
use crate::event::time::{DAY_US, HOUR_US, MINUTE_US, rfc3339};
use crate::query::filter::Filter;
use serde::{Deserialize, Serialize};

/// So many values of a column are looked at: the most frequent.
const VALUES_MAX: u64 = 2_000;
/// So many of them may have a rhythm, and of each so many times are looked at: the last ones.
const CHOSEN_MAX: u64 = 100;
const TIMES_MAX: u64 = 10_000;
/// So many missed turns are listed.
const MISSED_SHOWN: usize = 20;
/// Lengths of time are told apart by their logarithms, in parts of one twenty-fifth.
const BINS: f64 = 25.0;

/// Values of a column that come again and again after the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rhythms {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// Of the values of which column.
    #[serde(default = "super::kind")]
    pub by: String,
    /// With nothing to find, the probability of any rhythm.
    #[serde(default = "super::alarm")]
    pub alarm: f64,
    /// How many: the most regular.
    #[serde(default = "super::findings_shown")]
    pub limit: u64,
}

/// The report of [`Rhythms`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RhythmsReport {
    /// The column.
    pub by: String,
    /// How many of its values were looked at.
    pub values: u64,
    /// With nothing to find, the probability of any rhythm.
    pub alarm: f64,
    /// The rhythms, those with missed turns first, then the most regular.
    pub rhythms: Vec<Rhythm>,
    /// How many there are in all.
    pub found: u64,
    /// What was not looked at, in sentences.
    pub left_out: Vec<String>,
}

/// A value that comes again and again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rhythm {
    /// The value.
    pub value: String,
    /// Its events.
    pub events: u64,
    /// The period in words, with the time of day in UTC where it has one.
    pub every: String,
    /// The period in seconds.
    pub period_seconds: f64,
    /// Whether it keeps to a clock; otherwise each turn follows the one before it.
    pub clock: bool,
    /// Half of the turns are at most so many seconds from when they are due.
    pub jitter_seconds: f64,
    /// Turns that were due.
    pub turns: u64,
    /// Turns that came.
    pub hits: u64,
    /// Turns that did not come.
    pub missed: u64,
    /// When they were due, the last ones.
    pub missed_at: Vec<String>,
    /// Turns that came when none was due.
    pub extra: u64,
    /// When the last one came.
    pub last: String,
    /// The probability of such a rhythm by chance.
    pub p: f64,
    /// The words of the command that shows its events.
    pub show: Vec<String>,
}

impl Rhythms {
    /// Of the kinds of these events.
    pub fn new(filter: Filter) -> Rhythms {
        Rhythms { filter, by: super::kind(), alarm: ALARM, limit: super::findings_shown() }
    }

    fn sql(&self, scope: &Scope<'_>, condition: &str) -> Result<String> {
        let value = scope.grouped(&self.by)?;
        Ok(format!(
            "WITH chosen AS (SELECT CAST({value} AS VARCHAR) AS v, epoch_us(ts) AS us FROM events \
             WHERE {condition}), \
             named AS (SELECT v AS name, count(*) AS n FROM chosen WHERE v IS NOT NULL GROUP BY v), \
             top AS (SELECT *, row_number() OVER (ORDER BY n DESC, name) AS id, \
             (SELECT count(*) FROM named) AS all_values FROM named ORDER BY n DESC, name LIMIT {VALUES_MAX}), \
             coded AS (SELECT id, us FROM chosen JOIN top ON v = name WHERE n >= 6), \
             gaps AS (SELECT id, us - lag(us) OVER (PARTITION BY id ORDER BY us) AS gap FROM coded), \
             bins AS (SELECT id, CAST(floor(ln(gap) * {BINS}) AS INTEGER) AS bin, sum(gap)::DOUBLE AS s \
             FROM gaps WHERE gap >= 500000 GROUP BY 1, 2), \
             upto AS (SELECT *, sum(s) OVER (PARTITION BY id ORDER BY bin) AS upto, \
             sum(s) OVER (PARTITION BY id) AS total FROM bins), \
             middles AS (SELECT id AS of, min(bin) AS middle FROM upto WHERE upto * 2 >= total GROUP BY id), \
             shares AS (SELECT id, middle, sum(s) FILTER (WHERE bin BETWEEN middle - 4 AND middle + 4) \
             / any_value(total) AS share FROM upto JOIN middles ON id = of GROUP BY id, middle), \
             chosen_ids AS (SELECT id AS of, middle, share FROM shares WHERE share >= 0.4 \
             ORDER BY share DESC, id LIMIT {CHOSEN_MAX}), \
             placed AS (SELECT of, us, row_number() OVER (PARTITION BY of ORDER BY us DESC) AS place \
             FROM coded JOIN chosen_ids ON id = of), \
             listed AS (SELECT of, list(us ORDER BY us) AS times FROM placed WHERE place <= {TIMES_MAX} \
             GROUP BY of) \
             SELECT name, n, middle, times, all_values, (SELECT max(us) FROM chosen), \
             (SELECT count(*) FROM top) FROM top \
             LEFT JOIN chosen_ids ON id = chosen_ids.of LEFT JOIN listed ON id = listed.of \
             WHERE times IS NOT NULL OR id = 1 ORDER BY id"
        ))
    }
}

impl Analysis for Rhythms {
    type Report = RhythmsReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        alarm_is_valid(self.alarm)?;
        let condition = scope.condition(&self.filter)?;
        let sql = self.sql(scope, &condition.sql)?;
        let read = scope.columns.reads(&self.by).into_iter().chain(["ts".to_string()]);
        Ok(vec![Statement::over("rhythms", sql, &condition).reading(read, &condition)])
    }

    fn report(&self, scope: &Scope<'_>, answers: &Answers) -> Result<RhythmsReport> {
        let rows = answers.rows("rhythms");
        let (all, values) = rows.first().map_or((0, 0), |row| (row.count(4), row.count(6)));
        let mut left_out = Vec::new();
        if all > values {
            let rarer = number(all.saturating_sub(values) as f64);
            left_out.push(format!(
                "of `{}` the {values} most frequent values are looked at, {rarer} are not",
                self.by
            ));
        }
        let bound = self.alarm / (values as f64).max(1.0);
        let known = rows.iter().filter_map(|row| Some((row, of_row(row)?)));
        let mut found: Vec<(Period, Rhythm)> = known
            .filter(|(_, period)| period.p <= bound)
            .map(|(row, period)| {
                let rhythm = self.rhythm(row, &period, scope);
                (period, rhythm)
            })
            .collect();
        found.sort_by(|(_, one), (_, other)| {
            let share = |rhythm: &Rhythm| rhythm.hits as f64 / rhythm.turns.max(1) as f64;
            let whole = |rhythm: &Rhythm| rhythm.missed == 0;
            whole(one)
                .cmp(&whole(other))
                .then(share(other).total_cmp(&share(one)))
                .then(one.value.cmp(&other.value))
        });
        let count = found.len() as u64;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        Ok(RhythmsReport {
            by: self.by.clone(),
            values,
            alarm: self.alarm,
            rhythms: found.into_iter().take(limit).map(|(_, rhythm)| rhythm).collect(),
            found: count,
            left_out,
        })
    }
}

fn of_row(row: &Row) -> Option<Period> {
    let mut times: Vec<i64> = row.get(3).as_array()?.iter().filter_map(serde_json::Value::as_i64).collect();
    times.sort_unstable();
    let near_us = ((row.number(2)? + 0.5) / BINS).exp();
    period(&times, near_us, row.get(5).as_i64()?)
}

impl Rhythms {
    fn rhythm(&self, row: &Row, period: &Period, scope: &Scope<'_>) -> Rhythm {
        let value = row.string(0).unwrap_or_default();
        let skipped = period.missed_us.len().saturating_sub(MISSED_SHOWN);
        let times = row.get(3).as_array();
        let last = times.and_then(|times| times.last()).and_then(serde_json::Value::as_i64);
        let shown = Filter::and(vec![self.filter.clone(), is(&self.by, &value, scope)]);
        Rhythm {
            events: row.count(1),
            every: in_words(period),
            period_seconds: period.length_us / 1e6,
            clock: period.is_clock,
            jitter_seconds: period.jitter_us / 1e6,
            turns: period.turns,
            hits: period.hits,
            missed: period.missed_us.len() as u64,
            missed_at: period.missed_us.iter().skip(skipped).map(|time| rfc3339(*time)).collect(),
            extra: period.extra,
            last: rfc3339(last.unwrap_or_default()),
            p: period.p,
            show: command("timeline", &shown),
            value,
        }
    }
}

/// `every 5 minutes`, `daily at 02:00, not on Sat, Sun`.
fn in_words(period: &Period) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let is_about = |length: i64| (period.length_us / length as f64 - 1.0).abs() < 0.001;
    let time = rfc3339(period.due(0));
    let at = |skip: usize, take: usize| time.chars().skip(skip).take(take).collect::<String>();
    let mut words = if !period.is_clock {
        format!("about every {}", length(period.length_us as i64))
    } else if is_about(DAY_US) {
        format!("daily at {}", at(11, 5))
    } else if is_about(7 * DAY_US) {
        let day = period.due(0).div_euclid(DAY_US).saturating_add(3).rem_euclid(7).unsigned_abs() as usize;
        format!("every {} at {}", DAYS.get(day).copied().unwrap_or_default(), at(11, 5))
    } else if is_about(HOUR_US) {
        format!("hourly at :{}", at(14, 2))
    } else {
        let whole = (period.length_us / 1e6).round() as i64;
        let exact = period.length_us > MINUTE_US as f64;
        format!(
            "every {}",
            length(if exact { whole.saturating_mul(1_000_000) } else { period.length_us as i64 })
        )
    };
    if !period.off_days.is_empty() {
        let days = period.off_days.iter().filter_map(|day| DAYS.get(*day).copied());
        words.push_str(&format!(", not on {}", days.collect::<Vec<_>>().join(", ")));
    }
    if !period.off_hours.is_empty() {
        let hours = (0..24).filter(|hour| !period.off_hours.contains(hour)).map(|hour| hour.to_string());
        words.push_str(&format!(", in the hours {}", hours.collect::<Vec<_>>().join(", ")));
    }
    words
}

impl RhythmsReport {
    /// What is missed of rhythms that are missed seldom.
    pub(super) fn findings(&self, filter: &Filter, scope: &Scope<'_>) -> Vec<Finding> {
        let missed = |rhythm: &&Rhythm| rhythm.missed > 0 && rhythm.missed.saturating_mul(10) <= rhythm.turns;
        self.rhythms.iter().filter(missed).map(|rhythm| self.missed(rhythm, filter, scope)).collect()
    }

    fn missed(&self, rhythm: &Rhythm, filter: &Filter, scope: &Scope<'_>) -> Finding {
        let times: Vec<i64> = rhythm
            .missed_at
            .iter()
            .filter_map(|time| crate::event::time::read_text(time))
            .map(|(us, _)| us)
            .collect();
        let mut shown: Vec<String> = times.iter().rev().take(3).rev().map(|time| minute(*time)).collect();
        if rhythm.missed > 3 {
            shown.insert(0, "...".to_string());
        }
        let title = format!(
            "{}, but {} of {} were missed: {}",
            rhythm.every,
            number(rhythm.missed as f64),
            number(rhythm.turns as f64),
            shown.join(", ")
        );
        // If turns are missed as seldom as that, the last one was missed by chance this often.
        let p = rhythm.missed as f64 / rhythm.turns.max(1) as f64;
        let mut finding = Finding::new(What::Missed, format!("{}:{}", self.by, rhythm.value), title, p);
        finding = finding.counted(rhythm.turns as f64, rhythm.hits as f64);
        if let Some(last) = times.last() {
            let around = (rhythm.period_seconds * 3e6) as i64;
            let (from, to) = (last.saturating_sub(around), last.saturating_add(around));
            let parts = vec![
                filter.clone(),
                is(&self.by, &rhythm.value, scope),
                Filter::since(from),
                Filter::until(to),
            ];
            finding.show = super::finding::search(&Filter::and(parts));
            finding.from = times.first().map(|first| rfc3339(*first));
            finding.to = Some(rfc3339(*last));
        }
        finding
    }
}
