//! Which columns a query may read.

use crate::engine::Parsed;

/// The columns, sorted, or `any`.
fn columns_of(sql: &str) -> String {
    let parsed = Parsed::new(sql, None).unwrap();
    match parsed.columns(["seq", "ts", "kind", "Actor", "actor_x", "http_status"].into_iter()) {
        None => "any".to_string(),
        Some(columns) => {
            let mut columns: Vec<String> = columns.into_iter().collect();
            columns.sort();
            columns.join(" ")
        }
    }
}

#[test]
fn a_query_reads_the_columns_that_it_names() {
    let check = |sql: &str, expected: &str| assert_eq!(columns_of(sql), expected, "{sql}");
    check("SELECT count(*) FROM events", "");
    check("SELECT http_status, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC", "http_status");
    check("SELECT count(*) FROM events WHERE ACTOR = 'x' AND events.kind IN ('a', 'b')", "actor kind");
    check("SELECT e.\"Actor\" FROM events e JOIN events f USING (seq)", "actor seq");
    check(
        "WITH t AS (SELECT kind AS k FROM events) SELECT k, max(day) FROM t, events GROUP BY ALL",
        "day kind",
    );
    check("SELECT kind FROM events WHERE ts > now() - INTERVAL 1 DAY AND ts < current_timestamp", "kind ts");
    check("EXPLAIN SELECT recorded_at AS r FROM events ORDER BY r", "recorded_at");
    check("SELECT date_trunc('hour', ts) AS h, count(*) FROM events GROUP BY h HAVING count(*) > $n", "ts");
}

#[test]
fn a_query_that_is_not_understood_may_read_any_column() {
    for sql in [
        "SELECT * FROM events",
        "FROM events",
        "SELECT * EXCLUDE (kind) FROM events",
        "SELECT COLUMNS('k.*') FROM events",
        "SELECT e FROM events AS e",
        "SELECT events FROM events",
        "SELECT to_json(events) FROM events",
        "SELECT x FROM events AS e(x, y)",
        "SELECT #1 FROM events",
        "SELECT kind FROM events NATURAL JOIN (SELECT 1 AS seq)",
        "SELECT kind FROM events ORDER BY ALL",
        "SELECT kindd FROM events",
        "SELECT kind, (SELECT count(*) FROM duckdb_columns()) FROM events",
        "DESCRIBE events",
        "SUMMARIZE events",
        "SELECT kind FROM",
    ] {
        assert_eq!(columns_of(sql), "any", "{sql}");
    }
}
