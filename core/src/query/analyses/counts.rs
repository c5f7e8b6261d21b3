//! How often each value of some columns occurs: one scan for all of them.

use super::answer::Row;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Values and how often each occurs, the most frequent first; an object in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub Vec<(String, u64)>);

impl Counts {
    /// The count of a value.
    pub fn get(&self, value: &str) -> Option<u64> {
        self.0.iter().find(|(known, _)| known == value).map(|(_, count)| *count)
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (value, count) in &self.0 {
            map.serialize_entry(value, count)?;
        }
        map.end()
    }
}

/// The counts of one column.
#[derive(Clone, Debug, Default)]
pub(super) struct ColumnCounts {
    pub(super) counts: Counts,
    /// How many different values there are.
    pub(super) distinct: u64,
    /// How many events have none.
    pub(super) missing: u64,
}

/// The SQL that counts the values of columns, given as expressions, and keeps the most frequent of each.
/// Its columns: the number of the column, the value as text, the count, distinct values, events without one.
pub(super) fn sql(expressions: &[String], condition: &str, limit: u64) -> String {
    let source = format!("events WHERE {condition}");
    let counts = Counted { expressions, source: &source, count: "1::BIGINT", limit };
    format!("WITH {} SELECT * FROM ({}) ORDER BY facet, n DESC, value", counts.tables(), counts.rows())
}

/// What is counted: parts of a query that has more.
pub(super) struct Counted<'a> {
    /// The columns, as expressions.
    pub(super) expressions: &'a [String],
    /// The rows: what stands after FROM.
    pub(super) source: &'a str,
    /// How many events a row stands for, as SQL.
    pub(super) count: &'a str,
    /// How many values of a column are kept.
    pub(super) limit: u64,
}

impl Counted<'_> {
    fn names(&self) -> Vec<String> {
        (0..self.expressions.len()).map(|number| format!("c{number}")).collect()
    }

    /// The common table expressions that [`Counted::rows`] reads.
    pub(super) fn tables(&self) -> String {
        let names = self.names();
        let selected = self.expressions.iter().zip(&names);
        let selected: Vec<_> = selected.map(|(expression, name)| format!("{expression} AS {name}")).collect();
        let sets: Vec<_> = names.iter().map(|name| format!("({name})")).collect();
        let (selected, listed, sets) = (selected.join(", "), names.join(", "), sets.join(", "));
        format!(
            "chosen AS (SELECT {selected}, {} AS weight FROM {}), \
             counted AS MATERIALIZED (SELECT GROUPING({listed})::BIGINT AS g, {listed}, \
             sum(weight)::BIGINT AS n FROM chosen GROUP BY GROUPING SETS ({sets}))",
            self.count, self.source
        )
    }

    /// The query for the counts.
    pub(super) fn rows(&self) -> String {
        let names = self.names();
        let limit = self.limit;
        let branches = names.iter().enumerate().map(|(number, name)| {
            // A bit a column, set where the row is not about it; the first column has the highest.
            let others = (0..names.len()).filter(|other| *other != number);
            let mark: u64 = others.map(|other| 1_u64 << (names.len() - 1 - other).min(62)).sum();
            let of_column = format!("FROM counted WHERE g = {mark}");
            format!(
                "(SELECT {number}::INTEGER AS facet, CAST({name} AS VARCHAR) AS value, n, \
                 (SELECT count(*) {of_column} AND {name} IS NOT NULL) AS distinct_values, \
                 coalesce((SELECT sum(n)::BIGINT {of_column} AND {name} IS NULL), 0) AS missing \
                 {of_column} ORDER BY {name} IS NULL, n DESC, {name} LIMIT {limit})"
            )
        });
        branches.collect::<Vec<_>>().join(" UNION ALL ")
    }
}

/// The counts of the column of a number, of the rows that [`sql`] gives.
pub(super) fn read(rows: &[Row], number: u64) -> ColumnCounts {
    let mut column = ColumnCounts::default();
    for row in rows.iter().filter(|row| row.count(0) == number) {
        if let Some(value) = row.string(1) {
            column.counts.0.push((value, row.count(2)));
        }
        column.distinct = row.count(3);
        column.missing = row.count(4);
    }
    column
}
