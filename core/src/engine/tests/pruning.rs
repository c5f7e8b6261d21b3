//! Which files a query opens, by its conditions on time.

use crate::engine::rows::parse_tree;
use crate::event::time::read_text;
use crate::query::prune::span_of;
use duckdb::Connection;

const NOW: &str = "2026-06-15T12:00:00Z";

fn us(text: &str) -> i64 {
    read_text(text).unwrap().0
}

fn span(sql: &str) -> Option<(i64, i64)> {
    let connection = Connection::open_in_memory().unwrap();
    let tree = parse_tree(&connection, sql).unwrap();
    assert!(tree.contains("\"error\":false"), "{sql}: {tree}");
    span_of(&tree, us(NOW))
}

/// The span covers `inside`, and leaves out `outside`.
#[track_caller]
fn check(condition: &str, inside: &[&str], outside: &[&str]) {
    let (from, to) = span(&format!("SELECT count(*) FROM events WHERE {condition}")).unwrap();
    for instant in inside {
        assert!((from..=to).contains(&us(instant)), "{condition} leaves {instant} out: {from} {to}");
    }
    for instant in outside {
        assert!(!(from..=to).contains(&us(instant)), "{condition} keeps {instant}: {from} {to}");
    }
}

#[test]
fn conditions_bound_the_span() {
    let february = &["2026-02-01T00:00:00Z", "2026-02-27T23:00:00Z"][..];
    let others = &["2026-01-30T00:00:00Z", "2026-03-02T00:00:01Z"][..];
    for condition in [
        "ts >= TIMESTAMP '2026-02-01' AND ts < TIMESTAMP '2026-03-01'",
        "ts >= '2026-02-01' AND '2026-03-01' > ts AND kind = 'a'",
        "ts BETWEEN TIMESTAMP '2026-02-01 00:00:00' AND DATE '2026-03-01'",
        "day >= DATE '2026-02-01' AND day < '2026-03-01'",
        "ts::DATE >= '2026-02-01' AND events.ts <= '2026-03-01'",
        "(ts > '2026-02-01' AND ts < '2026-02-10') OR (ts > '2026-02-05' AND ts < '2026-03-01')",
    ] {
        check(condition, &february[1..], others);
    }
    check(
        "day = DATE '2026-02-03'",
        &["2026-02-03T00:00:00Z", "2026-02-03T23:59:59Z"],
        &["2026-02-01T23:00:00Z", "2026-02-05T00:00:00Z"],
    );
    for condition in ["day = '2026-02-03 12:00'", "day >= '2026-02-03 12:00' AND day <= '2026-02-03 12:00'"] {
        check(condition, &["2026-02-03T00:00:00Z", "2026-02-03T23:59:59Z"], &["2026-01-30T00:00:00Z"]);
    }
    check("ts > now() - INTERVAL 7 DAY", &["2026-06-09T12:00:00Z", NOW], &["2026-06-06T00:00:00Z"]);
    check("ts > now() - INTERVAL '2 hours'", &["2026-06-15T11:00:00Z"], &["2026-06-13T00:00:00Z"]);
    check("ts >= current_date - INTERVAL 1 MONTH", &["2026-05-20T00:00:00Z"], &["2026-05-01T00:00:00Z"]);
}

#[test]
fn several_questions_need_what_any_of_them_needs() {
    let sql = "SELECT * FROM events WHERE ts < '2026-02-01' UNION ALL SELECT * FROM events WHERE ts > '2026-03-01' AND ts < '2026-04-01'";
    assert_eq!(span(sql), Some((i64::MIN, us("2026-04-01"))));
    let sql = "WITH recent AS (SELECT * FROM events WHERE ts > '2026-03-01') SELECT count(*) FROM recent WHERE ts < '2026-01-01'";
    assert_eq!(span(sql), Some((us("2026-03-01"), i64::MAX)));
}

#[test]
fn what_is_not_understood_bounds_nothing() {
    for sql in [
        "SELECT 1",
        "SELECT * FROM quarantine WHERE ts > '2026-02-01'",
        "SELECT * FROM events a JOIN events b ON a.seq = b.seq WHERE a.ts > '2026-02-01'",
        "SUMMARIZE events",
        "DESCRIBE events",
        "WITH events AS (SELECT 1 AS ts) SELECT * FROM events WHERE ts > '2026-02-01'",
        "SELECT * FROM events, quarantine WHERE events.ts > '2026-02-01'",
    ] {
        assert_eq!(span(sql), None, "{sql}");
    }
    for condition in [
        "NOT (ts > '2026-02-01')",
        "ts != '2026-02-01'",
        "ts > '2026-02-01' OR kind = 'a'",
        "ts > '2026'",
        "ts > (SELECT max(ts) FROM quarantine)",
        "ts + INTERVAL 1 DAY > '2026-02-01'",
        "kind > '2026-02-01'",
        "ts IS DISTINCT FROM '2026-02-01'",
    ] {
        assert_eq!(
            span(&format!("SELECT 1 FROM events WHERE {condition}")),
            Some((i64::MIN, i64::MAX)),
            "{condition}"
        );
    }
    let sql = "SELECT * FROM events o WHERE EXISTS (SELECT 1 FROM events i WHERE o.ts > '2026-02-01' AND i.kind = o.kind)";
    assert_eq!(span(sql), Some((i64::MIN, i64::MAX)));
}
