use super::fixture::*;
use crate::engine::Session;
use crate::error::{Error, ErrorKind};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ENDLESS: &str =
    "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range + b.range = 7";
const LONG: &str = "SELECT a.seq, b.kind FROM events a, events b, events c";

#[test]
fn a_timeout_is_a_limit() {
    let mut store = Store::with_days(1);
    store.limits.timeout = Some(Duration::from_millis(50));
    let session = store.session();
    let started = Instant::now();
    let error = fails(&session, ENDLESS);
    assert_eq!(error.kind(), ErrorKind::Limit, "{error:?}");
    assert_eq!(error.message(), "the query took longer than 0.05 s");
    assert!(started.elapsed() < Duration::from_secs(10));
    // The session goes on.
    check(&session, "SELECT 1", "1");
}

/// One call of a function over huge values cannot be stopped: the caller does not wait for its end.
#[test]
fn a_timeout_does_not_wait_for_what_cannot_be_stopped() {
    let mut store = Store::with_days(1);
    store.limits.timeout = Some(Duration::from_millis(50));
    let session = store.session();
    let error = fails(&session, "SELECT levenshtein(repeat('a', 70000), repeat('b', 70000))");
    assert_eq!(error.kind(), ErrorKind::Limit, "{error:?}");
    let is_running =
        || crate::engine::lock(&session.running.queries).iter().any(|query| query.strong_count() > 0);
    assert!(is_running(), "the function was too fast to test anything");
    while is_running() {
        std::thread::yield_now();
    }
}

#[test]
fn a_timeout_counts_while_rows_are_taken() {
    let mut store = Store::with_days(1);
    store.limits.timeout = Some(Duration::from_millis(200));
    let session = store.session();
    let rows = session.query(LONG, &[]).unwrap();
    let last = rows.last().unwrap();
    assert_eq!(last.unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn an_interrupt_ends_every_query_of_the_session() {
    let store = Store::with_days(1);
    let session = store.session();
    let interrupter = session.interrupter();
    let mut first = session.query(LONG, &[]).unwrap();
    let mut second = session.query(LONG, &[]).unwrap();
    assert!(first.next().unwrap().is_ok() && second.next().unwrap().is_ok());
    interrupter.interrupt();
    for rows in [first, second] {
        let last: Error = rows.last().unwrap().unwrap_err();
        assert_eq!(last.kind(), ErrorKind::Interrupted, "{last:?}");
    }
    // Nothing runs now: an interrupt has nothing to stop, and does not stop the next query.
    interrupter.interrupt();
    check(&session, "SELECT count(*) FROM events", "5000");
}

#[test]
fn an_interrupt_reaches_a_query_that_has_no_rows_yet() {
    let session = Store::with_days(1).session();
    let interrupter = session.interrupter();
    let (running, error) = std::thread::scope(|scope| {
        let query = scope.spawn(|| fails(&session, ENDLESS));
        let mut rounds = 0;
        while !query.is_finished() {
            interrupter.interrupt();
            rounds += 1;
            std::thread::yield_now();
        }
        (rounds, query.join().unwrap())
    });
    assert!(running > 0);
    assert_eq!(error.kind(), ErrorKind::Interrupted, "{error:?}");
}

#[test]
fn dropping_the_rows_stops_the_query() {
    let session = Store::with_days(1).session();
    let started = Instant::now();
    for _ in 0..5 {
        let mut rows = session.query(LONG, &[]).unwrap();
        assert!(rows.next().unwrap().is_ok());
    }
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(crate::engine::lock(&session.running.queries).iter().all(|query| query.strong_count() == 0));
}

#[test]
fn rows_outlive_their_session() {
    let store = Store::with_days(1);
    let session = Session::open(vec![store.table.clone()], Vec::new(), &store.limits).unwrap();
    let rows = session.query("SELECT seq FROM events", &[]).unwrap();
    drop(session);
    assert_eq!(rows.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 5000);
}

/// A stream that fails midway gives the rows before, then the error: it does not look like the end.
#[test]
fn a_failure_midway_is_an_item() {
    let mut store = Store::with_days(1);
    store.limits.threads = 1;
    let session = store.session();
    let sql = "SELECT (CASE WHEN range = 5900000 THEN 'x' ELSE range::VARCHAR END)::INT FROM range(6000000)";
    let mut rows = session.query(sql, &[]).unwrap();
    let before: Vec<_> = rows.by_ref().map_while(Result::ok).collect();
    assert!(!before.is_empty());
    let mut rows = session.query(sql, &[]).unwrap();
    let error = rows.find_map(Result::err).unwrap();
    assert!(error.message().contains("Could not convert string 'x'"), "{error:?}");
    assert!(rows.next().is_none());
}

#[test]
fn a_damaged_page_midway_is_an_item() {
    let store = Store::with_days(3);
    let file = &store.table.files[2];
    let mut bytes = std::fs::read(&file.path).unwrap();
    let middle = bytes.len() / 2;
    bytes[1000..middle].fill(0x5a);
    std::fs::write(&file.path, bytes).unwrap();
    let error = fails(&store.session(), "SELECT * FROM events");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
}

#[test]
fn a_failing_cast_is_the_querys_fault() {
    let error = fails(&Store::with_days(1).session(), "SELECT kind::INT FROM events");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    assert!(error.message().contains("Could not convert string"), "{error:?}");
}

#[test]
fn memory_is_limited_and_spilled() {
    let mut store = Store::with_days(1);
    store.limits.memory_bytes = 100_000_000;
    let session = store.session();
    let error = fails(&session, "SELECT length(string_agg(repeat('x', 1000), '')) FROM range(1000000)");
    assert_eq!(error.kind(), ErrorKind::Limit, "{error:?}");
    assert!(!error.message().contains("SET "), "{error:?}");
    let distinct =
        "SELECT count(*) FROM (SELECT DISTINCT hash(range)::VARCHAR || 'abcdefgh' FROM range(4000000))";
    check(&session, distinct, "4000000");
    drop(session);
    store.limits.temp_bytes = 1_000_000;
    let error = fails(&store.session(), distinct);
    assert_eq!(error.kind(), ErrorKind::Limit, "{error:?}");
}

#[test]
fn pending_rows_count_as_memory() {
    let mut store = Store::new(columns());
    store.limits.memory_bytes = 4_000_000;
    store.limits.temp_bytes = 0;
    store.table.pending = vec![batch(&columns(), 0..100_000)];
    let opened = Session::open(vec![store.table.clone()], Vec::new(), &store.limits);
    let error = opened.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error:?}");
}

#[test]
fn queries_run_at_the_same_time() {
    let session = Store::with_days(2).session();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    check(&session, "SELECT count(*), max(seq) FROM events", "10000|91399");
                }
            });
        }
    });
}

#[test]
fn every_type_of_duckdb_has_an_answer() {
    let session = Store::with_days(1).session();
    let types = answer(&session, "SELECT column_name FROM (DESCRIBE FROM test_all_types())").unwrap();
    assert!(types.lines().count() > 40);
    for name in types.lines() {
        let sql = format!("SELECT \"{name}\" FROM test_all_types()");
        match session.query(&sql, &[]).and_then(|rows| rows.collect::<Result<Vec<_>, _>>()) {
            Ok(batches) => {
                assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 3, "{name}")
            }
            Err(error) => assert_eq!((name, error.kind()), ("variant", ErrorKind::Invalid), "{error:?}"),
        }
    }
}

#[test]
fn the_answer_has_its_columns_without_rows() {
    let session = Store::with_days(1).session();
    let rows = session.query("SELECT kind, ts FROM events WHERE false", &[]).unwrap();
    let names: Vec<String> = rows.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["kind", "ts"]);
    assert_eq!(rows.count(), 0);
}

fn with(sql: &str, parameters: &[(&str, Value)]) -> Result<String, Error> {
    let session = Store::with_days(2).session();
    let parameters: Vec<_> =
        parameters.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    let mut lines = Vec::new();
    for batch in session.query(sql, &parameters)? {
        lines.extend(lines_of(&batch?));
    }
    Ok(lines.join("\n"))
}

#[test]
fn parameters_are_bound() {
    let check = |sql: &str, parameters: &[(&str, Value)], expected: &str| {
        assert_eq!(with(sql, parameters).unwrap_or_else(|error| panic!("{sql}: {error:?}")), expected);
    };
    check("SELECT count(*) FROM events WHERE kind = $kind", &[("kind", json!("k1"))], "1000");
    check(
        "SELECT count(*) FROM events WHERE kind = $k AND seq < $n",
        &[("n", json!(100)), ("k", json!("k1"))],
        "10",
    );
    check(
        "SELECT count(*) FROM events WHERE kind = ? AND seq < ?",
        &[("1", json!("k1")), ("2", json!(50))],
        "5",
    );
    check(
        "SELECT count(*) FROM events WHERE ts >= $from",
        &[("from", json!("2026-02-02T00:00:00Z"))],
        "5000",
    );
    check("SELECT count(*) FROM events WHERE day = $day", &[("day", json!("2026-02-02"))], "5000");
    check("SELECT count(*) FROM events WHERE list_contains($k, kind)", &[("k", json!(["k1", "k2"]))], "2000");
    check("SELECT count(*) FROM events WHERE kind IN $k", &[("k", json!(["k1", "k2"]))], "2000");
    check("SELECT seq FROM events ORDER BY seq LIMIT $n", &[("n", json!(2))], "0\n1");
    check(
        "SELECT $a, $b, $c, $d, $e",
        &[
            ("a", json!(null)),
            ("b", json!(true)),
            ("c", json!(u64::MAX)),
            ("d", json!(1.5)),
            ("e", json!("it's \u{0} é")),
        ],
        "-|true|18446744073709551615|1.5|it's \u{0} é",
    );
    check(
        "EXPLAIN SELECT $a = 1",
        &[("a", json!(1))],
        &with("EXPLAIN SELECT $a = 1", &[("a", json!(1))]).unwrap(),
    );
}

#[test]
fn parameters_must_match() {
    let check = |sql: &str, parameters: &[(&str, Value)], message: &str| {
        let error = with(sql, parameters).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
        assert_eq!(error.message(), message);
    };
    check("SELECT $a", &[], "the query's parameter `$a` has no value");
    check("SELECT 1", &[("b", json!(1))], "the query has no parameter `$b`");
    check("SELECT $a", &[("a", json!(1)), ("b", json!(1))], "the query has no parameter `$b`");
}
