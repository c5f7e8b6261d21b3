//! Counts in equal stretches of time, a series for each value of a column: the query, and its rows.

use super::super::{Answers, Row, Scope, Statement};
use super::vectors::{add, at};
use crate::error::Result;
use crate::event::time::{DAY_US, HOUR_US, MINUTE_US};
use crate::query::filter::{IS_ERROR, Where};

/// About so many stretches are the most that a series has.
const BUCKETS_MAX: i64 = 9_000;
/// The lengths that a stretch can have.
const WIDTHS_US: [i64; 7] =
    [MINUTE_US, 5 * MINUTE_US, 15 * MINUTE_US, HOUR_US, 6 * HOUR_US, DAY_US, 7 * DAY_US];

/// The stretches of time of all series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Frame {
    /// When the first stretch begins.
    pub(super) start_us: i64,
    /// How long each is.
    pub(super) width_us: i64,
    /// How many there are.
    pub(super) buckets: usize,
    /// When the first and the last event in them happened.
    pub(super) first_us: i64,
    pub(super) last_us: i64,
    /// Events in all, and those whose times lie so far away that they are left out.
    pub(super) events: u64,
    pub(super) outside: u64,
}

/// Which events of a value a series counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// All of them.
    Events,
    /// Errors, as a share of all.
    Errors,
}

/// The counts of one value of one column.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// The column; none for all events.
    pub(super) column: Option<&'static str>,
    /// The value.
    pub(super) value: String,
    pub(super) measure: Measure,
    /// When its first and its last event happened.
    pub(super) first_us: i64,
    pub(super) last_us: i64,
    /// What was counted in each stretch.
    pub(super) counts: Vec<f64>,
    /// How much of each stretch there is to count in: a share of time, or events of which errors are a part.
    pub(super) exposure: Vec<f64>,
}

/// A column whose values each are a series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dimension {
    /// What its rows are called.
    pub(super) name: &'static str,
    pub(super) column: Option<&'static str>,
    /// How many values: the most frequent.
    pub(super) values_max: u64,
    /// Whether the shares of errors are looked at too.
    pub(super) has_errors: bool,
}

/// The columns that are looked at.
pub(super) const DIMENSIONS: [Dimension; 5] = [
    Dimension { name: "all", column: None, values_max: 1, has_errors: true },
    Dimension { name: "kind", column: Some("kind"), values_max: 150, has_errors: true },
    Dimension { name: "source", column: Some("source"), values_max: 60, has_errors: true },
    Dimension { name: "level", column: Some("level"), values_max: 12, has_errors: false },
    Dimension { name: "template", column: Some("template"), values_max: 150, has_errors: false },
];

/// The SQL of the frame, of the events of a condition. Where a thousandth of the events lies so far from the others that
/// they make the span more than twice as long, they are left out.
fn frame_sql(condition: &str) -> String {
    let widths = WIDTHS_US.iter().map(|width| {
        format!("WHEN last_us - first_us <= {} THEN {width} ", width.saturating_mul(BUCKETS_MAX))
    });
    let longest = WIDTHS_US.last().copied().unwrap_or(DAY_US);
    format!(
        "days AS MATERIALIZED (SELECT CAST(ts AS DATE) AS d, count(*) AS n, epoch_us(min(ts)) AS first_us, \
         epoch_us(max(ts)) AS last_us FROM events WHERE {condition} GROUP BY 1), \
         upto AS (SELECT *, sum(n) OVER (ORDER BY d) AS upto, sum(n) OVER () AS total FROM days), \
         ends AS (SELECT min(first_us) AS f, max(last_us) AS l, \
         min(first_us) FILTER (WHERE upto * 1000 > total) AS core_f, \
         max(last_us) FILTER (WHERE (upto - n) * 1000 < total * 999) AS core_l, \
         max(total)::BIGINT AS total FROM upto), \
         cut AS (SELECT CASE WHEN (core_l - core_f) * 2 < l - f THEN core_f ELSE f END AS first_us, \
         CASE WHEN (core_l - core_f) * 2 < l - f THEN core_l ELSE l END AS last_us, total FROM ends), \
         frame AS MATERIALIZED (SELECT first_us, last_us, total, CASE {}ELSE {longest} END AS width FROM cut)",
        widths.collect::<String>()
    )
}

/// The frame in the rows of the series; none without events.
pub(super) fn frame(answers: &Answers) -> Option<Frame> {
    let row = answers.rows("series").iter().find(|row| row.text(0) == Some("frame"))?;
    let (first_us, last_us) = (row.get(3).as_i64()?, row.get(4).as_i64()?);
    let width_us = row.text(5)?.parse().ok().filter(|width: &i64| *width > 0)?;
    let start_us = first_us.saturating_sub(first_us.rem_euclid(width_us));
    let buckets = last_us.saturating_sub(start_us).div_euclid(width_us).saturating_add(1);
    let buckets = usize::try_from(buckets).ok().filter(|buckets| *buckets <= 200_000)?;
    let (events, outside) = (row.count(2), row.count(6));
    Some(Frame { start_us, width_us, buckets, first_us, last_us, events, outside })
}

impl Frame {
    /// When a stretch begins.
    pub(super) fn begins(&self, bucket: usize) -> i64 {
        let bucket = i64::try_from(bucket).unwrap_or(i64::MAX);
        self.start_us.saturating_add(self.width_us.saturating_mul(bucket))
    }

    /// How much of each stretch lies between the first and the last event.
    pub(super) fn shares(&self) -> Vec<f64> {
        let share = |bucket: usize| {
            let (from, to) = (self.begins(bucket), self.begins(bucket.saturating_add(1)));
            let inside = to.min(self.last_us).saturating_sub(from.max(self.first_us));
            (inside as f64 / self.width_us.max(1) as f64).clamp(0.001, 1.0)
        };
        (0..self.buckets).map(share).collect()
    }
}

/// The counts with the present id for each old one of a template.
const NOW: &str = ", old_templates AS (SELECT substr(pair, 1, 16) AS old_id, substr(pair, 17) AS now_id \
     FROM (SELECT unnest(string_split($old_templates, ' ')) AS pair)), \
     counted AS MATERIALIZED (SELECT stored.* REPLACE (coalesce(now_id, template) AS template) \
     FROM stored LEFT JOIN old_templates ON template = old_id)";

/// The statement of all series: one look at the events, then sums by each column. Its columns: the name of the
/// dimension, the value, its events, when the first and the last happened, a text of stretches with the events and the
/// errors in each, and how many values there are. One row more is the frame: its width is the text, and what lies outside
/// of it is the number.
pub(super) fn series_statement(scope: &Scope<'_>, condition: &Where) -> Result<Statement> {
    let columns = DIMENSIONS.iter().filter_map(|dimension| dimension.column);
    let columns: Vec<String> = columns.map(|column| scope.column(column)).collect::<Result<_>>()?;
    let parts: Vec<String> =
        DIMENSIONS.iter().map(|dimension| dimension.sql(scope)).collect::<Result<_>>()?;
    let old_ids = scope.merged_templates();
    let (counted, now) = if old_ids.is_some() { ("stored AS", NOW) } else { ("counted AS MATERIALIZED", "") };
    let sql = format!(
        "WITH {frame}, chosen AS (SELECT epoch_us(ts) AS us, {columns}, coalesce({IS_ERROR}, FALSE) AS failed \
         FROM events WHERE {condition}), \
         {counted} (SELECT (us - (first_us - ((first_us % width) + width) % width)) // width AS b, \
         {columns}, count(*) AS n, count(*) FILTER (WHERE failed) AS e, min(us) AS f, max(us) AS l \
         FROM chosen, frame WHERE us BETWEEN first_us AND last_us GROUP BY ALL){now} \
         SELECT 'frame' AS dimension, NULL AS v, total, first_us, last_us, CAST(width AS VARCHAR), \
         (SELECT sum(n)::BIGINT FROM days, frame WHERE days.last_us < frame.first_us \
         OR days.first_us > frame.last_us) FROM frame UNION ALL {parts}",
        columns = columns.join(", "),
        condition = condition.sql,
        frame = frame_sql(&condition.sql),
        parts = parts.join(" UNION ALL ")
    );
    let read = DIMENSIONS.iter().filter_map(|dimension| dimension.column).chain(["ts", "severity", "status"]);
    let mut statement = Statement::over("series", sql, condition).reading(read, condition);
    statement.parameters.extend(old_ids.map(|ids| ("old_templates".to_string(), ids.into())));
    Ok(statement)
}

impl Dimension {
    /// The sums of its values, over the query `counted`.
    fn sql(&self, scope: &Scope<'_>) -> Result<String> {
        let value = self.column.map_or(Ok("''".to_string()), |column| scope.column(column))?;
        Ok(format!(
            "(WITH sums AS (SELECT CAST({value} AS VARCHAR) AS v, b, sum(n)::BIGINT AS n, sum(e)::BIGINT AS e, \
             min(f) AS f, max(l) AS l FROM counted WHERE {value} IS NOT NULL GROUP BY 1, 2), \
             totals AS (SELECT v AS name, sum(n)::BIGINT AS total, min(f) AS f, max(l) AS l FROM sums GROUP BY 1), \
             top AS (SELECT *, (SELECT count(*) FROM totals) AS all_values FROM totals \
             ORDER BY total DESC, name LIMIT {most}) \
             SELECT '{name}' AS dimension, name AS v, total, any_value(top.f), any_value(top.l), \
             string_agg(concat(b, ' ', n, ' ', e), ' ' ORDER BY b), any_value(all_values) \
             FROM sums JOIN top ON sums.v = top.name GROUP BY name, total ORDER BY total DESC, name)",
            name = self.name,
            most = self.values_max
        ))
    }

    fn rows<'a>(&self, answers: &'a Answers) -> Vec<&'a Row> {
        let name = self.name;
        answers.rows("series").iter().filter(|row| row.text(0) == Some(name)).collect()
    }

    /// The series of the rows of the statement.
    pub(super) fn series(&self, answers: &Answers, frame: &Frame) -> Vec<Series> {
        let shares = frame.shares();
        let mut series = Vec::new();
        for row in self.rows(answers) {
            let (events, errors) = spread_out(row, frame.buckets);
            let of = |measure, counts, exposure| Series {
                column: self.column,
                value: row.string(1).unwrap_or_default(),
                measure,
                first_us: row.get(3).as_i64().unwrap_or_default(),
                last_us: row.get(4).as_i64().unwrap_or_default(),
                counts,
                exposure,
            };
            if self.has_errors && errors.iter().any(|count| *count > 0.0) {
                series.push(of(Measure::Errors, errors, events.clone()));
            }
            series.push(of(Measure::Events, events, shares.clone()));
        }
        series
    }

    /// How many values have no series of their own, as they are rarer.
    pub(super) fn left_out(&self, answers: &Answers) -> u64 {
        let rows = self.rows(answers);
        rows.first().map_or(0, |row| row.count(6)).saturating_sub(rows.len() as u64)
    }
}

/// The events and the errors in the text of a row, at their stretches.
fn spread_out(row: &Row, buckets: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut events, mut errors) = (vec![0.0; buckets], vec![0.0; buckets]);
    let mut words = row.text(5).unwrap_or_default().split(' ');
    while let (Some(place), Some(count), Some(failed)) = (words.next(), words.next(), words.next()) {
        let Ok(place) = place.parse() else { continue };
        add(&mut events, place, count.parse().unwrap_or(0.0));
        add(&mut errors, place, failed.parse().unwrap_or(0.0));
    }
    (events, errors)
}

/// Sums of all values before each place, and of all at the end.
pub(super) fn sums_before(values: &[f64]) -> Vec<f64> {
    let mut sums = Vec::with_capacity(values.len().saturating_add(1));
    let mut sum = 0.0;
    sums.push(sum);
    for value in values {
        sum += value;
        sums.push(sum);
    }
    sums
}

/// The sum between two places of [`sums_before`].
pub(super) fn sum_between(sums: &[f64], from: usize, until: usize) -> f64 {
    let last = sums.len().saturating_sub(1);
    at(sums, until.min(last)) - at(sums, from.min(last))
}
