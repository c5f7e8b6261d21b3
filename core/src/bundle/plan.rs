//! What a query reads, from DuckDB's own plan of it over a table that only stands for the events.

use super::page::STORED;
use crate::event::time::read_text;
use crate::query::filter::TsSpan;
use serde_json::Value;
use std::collections::BTreeSet;

/// What a query reads of the stored events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Whether it reads any.
    pub reads: bool,
    /// The columns.
    pub columns: BTreeSet<String>,
    /// The span of time that it looks at; none is all of it.
    pub span: Option<TsSpan>,
}

const ALL: TsSpan = TsSpan { from: i64::MIN, until: i64::MAX };

impl Plan {
    /// Reads the plan that `EXPLAIN (FORMAT JSON)` gives, of a table with these columns; none if it is not understood.
    pub fn read(explained: &str, columns: &[String]) -> Option<Plan> {
        let tree: Value = serde_json::from_str(explained).ok()?;
        let mut plan = Plan::default();
        let mut span: Option<TsSpan> = None;
        // A column's name may look like a condition.
        let are_plain = !columns.iter().any(|name| name.contains('\''));
        let mut waiting = vec![&tree];
        while let Some(node) = waiting.pop() {
            match node {
                Value::Array(nodes) => waiting.extend(nodes),
                Value::Object(members) => {
                    waiting.extend(members.get("children"));
                    let Some(info) = members.get("extra_info") else { continue };
                    if info.get("Table").and_then(Value::as_str).is_none_or(|name| !is_stored(name)) {
                        continue;
                    }
                    plan.reads = true;
                    let filters = texts(info.get("Filters"));
                    let projected = texts(info.get("Projections"));
                    let is_read = |name: &&String| {
                        projected.contains(&name.as_str())
                            || filters.iter().any(|filter| filter.contains(name.as_str()))
                    };
                    plan.columns.extend(columns.iter().filter(is_read).cloned());
                    let all = || filters.iter().filter_map(|filter| span_of(filter)).fold(ALL, both);
                    let scanned = if are_plain { all() } else { ALL };
                    span = Some(span.map_or(scanned, |known| either(known, scanned)));
                }
                _ => {}
            }
        }
        plan.span = span.filter(|span| *span != ALL);
        Some(plan)
    }
}

fn is_stored(name: &str) -> bool {
    name.rsplit('.').next().is_some_and(|last| last.trim_matches('"') == STORED)
}

/// One text, or several.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The span of a filter that is comparisons of `ts` with instants and nothing else.
fn span_of(filter: &str) -> Option<TsSpan> {
    let mut span = ALL;
    for part in filter.split(" AND ") {
        let rest = part.strip_prefix("ts")?;
        let (operator, rest) = rest.split_once('\'')?;
        let (instant, kind) = rest.split_once('\'')?;
        if kind != "::TIMESTAMP" {
            return None;
        }
        let at = read_text(&format!("{}Z", instant.replacen(' ', "T", 1)))?.0;
        let one = match operator {
            ">=" | ">" => TsSpan { from: at, ..ALL },
            "<=" => TsSpan { until: at.saturating_add(1), ..ALL },
            "<" => TsSpan { until: at, ..ALL },
            "=" => TsSpan { from: at, until: at.saturating_add(1) },
            _ => return None,
        };
        span = both(span, one);
    }
    Some(span)
}

fn both(one: TsSpan, other: TsSpan) -> TsSpan {
    TsSpan { from: one.from.max(other.from), until: one.until.min(other.until) }
}

fn either(one: TsSpan, other: TsSpan) -> TsSpan {
    TsSpan { from: one.from.min(other.from), until: one.until.max(other.until) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::time::rfc3339;

    fn scan(projections: &str, filters: &str) -> String {
        format!(
            r#"{{"name":"SEQ_SCAN ","children":[],"extra_info":{{"Table":"stored events","Projections":{projections},"Filters":{filters}}}}}"#
        )
    }

    fn check(scans: &[String], columns: &[&str], from: Option<&str>, until: Option<&str>) {
        let tree =
            format!(r#"[{{"name":"X","children":[{}],"extra_info":{{"Table":"other"}}}}]"#, scans.join(","));
        let known = ["seq", "ts", "kind", "n"].map(str::to_string);
        let plan = Plan::read(&tree, &known).unwrap();
        assert_eq!(plan.columns, columns.iter().map(ToString::to_string).collect(), "{tree}");
        let bounds = plan.span.map(|span| {
            let bound = |us: i64, open: i64| Some(us).filter(|us| *us != open).map(rfc3339);
            (bound(span.from, i64::MIN), bound(span.until, i64::MAX))
        });
        let expected = (from.map(str::to_string), until.map(str::to_string));
        assert_eq!(bounds.unwrap_or_default(), expected, "{tree}");
    }

    #[test]
    fn a_plan_says_which_columns_and_which_time() {
        let day = r#""ts>='2026-02-03 00:00:00'::TIMESTAMP AND ts<'2026-02-04 00:00:00'::TIMESTAMP""#;
        let (from, until) = (Some("2026-02-03T00:00:00Z"), Some("2026-02-04T00:00:00Z"));
        check(&[], &[], None, None);
        check(&[scan("\"kind\"", "[]")], &["kind"], None, None);
        check(&[scan("\"kind\"", day)], &["kind", "ts"], from, until);
        check(&[scan("[\"kind\",\"n\"]", &format!("[{day},\"n>=17\"]"))], &["kind", "n", "ts"], from, until);
        check(&[scan("\"\"", "\"optional: n IN (1, 2)\"")], &["n"], None, None);
        check(&[scan("\"kind\"", day), scan("\"n\"", "[]")], &["kind", "n", "ts"], None, None);
        check(
            &[scan("\"n\"", "\"kind='x' AND ts>='2030-01-01 00:00:00'::TIMESTAMP\"")],
            &["kind", "n", "ts"],
            None,
            None,
        );
        check(
            &[scan("\"n\"", "\"ts>='2030-01-01 00:00:00'::TIMESTAMP OR ts IS NULL\"")],
            &["n", "ts"],
            None,
            None,
        );
    }

    #[test]
    fn what_is_no_plan_is_not_understood() {
        assert_eq!(Plan::read("", &[]), None);
        assert_eq!(Plan::read(&"[".repeat(100_000), &[]), None);
    }

    #[test]
    fn a_column_that_looks_like_a_condition_bounds_nothing() {
        let names = ["ts".to_string(), "ts>='2030-01-01 00:00:00'::TIMESTAMP AND ts".to_string()];
        let filter = "\"ts>='2030-01-01 00:00:00'::TIMESTAMP AND ts<'2040-01-01 00:00:00'::TIMESTAMP\"";
        assert_eq!(Plan::read(&scan("\"ts\"", filter), &names).unwrap().span, None);
    }
}
