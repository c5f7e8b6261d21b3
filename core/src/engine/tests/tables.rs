use super::fixture::*;
use crate::engine::{Mixed, MixedField, Session};
use crate::error::ErrorKind;
use crate::event::column::{ColumnType, FieldPath};
use arrow::array::{Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use std::sync::Arc;

const EVERY_TYPE: &str = "SELECT * EXCLUDE (kind, rest) FROM events WHERE seq = 15";
const ROW_15: &str = "15|2026-02-01T00:00:15|1970-01-01T00:00:00.000015|false|15|15|15|15.5|t15|\
    2026-02-01T00:00:15|[false, true, -]|[15, 16, -]|[15.5, 16.5, -]|[t15, t16, -]|\
    [2026-02-01T00:00:15, 2026-02-01T00:00:16, -]|2026-02-01";
const NULLS: &str = "SELECT count(*), count(a_bool), count(a_list_of_string), sum(len(a_list_of_int64))::INT, \
    sum(a_int64)::BIGINT FROM events";

#[test]
fn every_type_reads_the_same_from_files_and_pending_rows() {
    let mut in_file = Store::new(columns());
    in_file.add(1, &batch(&columns(), 0..5000));
    let mut pending = Store::new(columns());
    pending.table.pending = vec![batch(&columns(), 0..3000), batch(&columns(), 3000..5000)];
    for store in [in_file, pending] {
        let session = store.session();
        check(&session, EVERY_TYPE, ROW_15);
        check(&session, "SELECT * EXCLUDE (kind, rest) FROM events WHERE seq = 14", {
            "14|2026-02-01T00:00:14|1970-01-01T00:00:00.000014|-|-|-|-|-|-|-|-|-|-|-|-|2026-02-01"
        });
        // 5000 rows, of which 715 are NULL; lists of n % 4 values.
        let lists: i64 = (0..5000).filter(|n| n % 7 != 0).map(|n| n % 4).sum();
        let numbers: i64 = (0..5000).filter(|n| n % 7 != 0).sum();
        check(&session, NULLS, &format!("5000|4285|4285|{lists}|{numbers}"));
        check(
            &session,
            "SELECT count(*) FROM events WHERE seq % 7 > 0 AND a_list_of_string <> \
             list_transform(range(seq % 4), lambda i: CASE WHEN i <> 2 THEN 't' || (seq + i) END)",
            "0",
        );
    }
}

#[test]
fn files_and_pending_rows_are_one_table() {
    let mut store = Store::with_days(2);
    store.table.pending = vec![batch(&columns(), 200_000..200_010)];
    let session = store.session();
    check(&session, "SELECT count(*) FROM events", "10010");
    check(
        &session,
        "SELECT day, count(*) FROM events GROUP BY day ORDER BY day",
        "2026-02-01|5000\n2026-02-02|5000\n2026-02-03|10",
    );
    check(&session, "SELECT kind FROM events WHERE seq = 200003", "k3");
}

#[test]
fn a_file_may_lack_columns_and_have_others() {
    let all = columns();
    let few = vec![all[0].clone(), all[1].clone(), all[7].clone()];
    let other = vec![all[0].clone(), column("elsewhere", ColumnType::Text), all[1].clone(), all[2].clone()];
    let mut store = Store::new(all);
    store.add(1, &batch(&few, 0..10));
    store.add(1, &batch(&other, 10..20));
    let session = store.session();
    check(
        &session,
        "SELECT count(*), count(kind), min(kind), count(a_int64), count(a_list_of_int64) FROM events",
        "20|10|k0|8|0",
    );
    assert_eq!(fails(&session, "SELECT elsewhere FROM events").kind(), ErrorKind::Syntax);
}

#[test]
fn a_table_without_rows_has_its_columns() {
    let session = Store::new(columns()).session();
    check(&session, "SELECT count(*), max(seq) FROM events", "0|-");
    check(&session, "SELECT a_list_of_int64[1] + 1 FROM events WHERE ts > now() - INTERVAL 1 DAY", "");
    let described = answer(&session, "SELECT column_name, column_type FROM (DESCRIBE events)").unwrap();
    let expected = "seq|BIGINT\nts|TIMESTAMP\nrecorded_at|TIMESTAMP\nkind|VARCHAR\nrest|VARCHAR\na_bool|BOOLEAN\n\
        a_int8|TINYINT\na_int32|INTEGER\na_int64|BIGINT\na_double|DOUBLE\na_string|VARCHAR\n\
        a_timestamp|TIMESTAMP\na_list_of_bool|BOOLEAN[]\na_list_of_int64|BIGINT[]\na_list_of_double|DOUBLE[]\n\
        a_list_of_string|VARCHAR[]\na_list_of_timestamp|TIMESTAMP[]\nday|DATE";
    assert_eq!(described, expected);
    let files = Store::with_days(1).session();
    assert_eq!(answer(&files, "SELECT column_name, column_type FROM (DESCRIBE events)").unwrap(), expected);
}

#[test]
fn tables_are_shown_without_what_is_behind_them() {
    let mut store = Store::with_days(1);
    store.table.pending = vec![batch(&columns(), 0..1)];
    let mut quarantine = store.table.clone();
    quarantine.name = "quarantine";
    quarantine.files.clear();
    let batch = RecordBatch::try_from_iter([
        ("version", Arc::new(Int64Array::from(vec![1, 2])) as _),
        ("operation", Arc::new(StringArray::from(vec!["a", "b"])) as _),
    ]);
    let extra = vec![("commits", batch.unwrap())];
    let session = Session::open(vec![store.table.clone(), quarantine], extra, &store.limits).unwrap();
    check(&session, "SELECT name FROM (SHOW TABLES)", "commits\nevents\nquarantine");
    check(&session, "FROM commits ORDER BY version DESC LIMIT 1", "2|b");
    check(&session, "SELECT count(*) FROM quarantine", "1");
}

/// The day of a row is known from its folder: the files of other days are not opened.
#[test]
fn files_of_other_days_are_skipped() {
    let mut store = Store::with_days(4);
    std::fs::write(&store.table.files[3].path, "no longer a Parquet file").unwrap();
    check(&store.session(), "SELECT count(*) FROM events WHERE day = '2026-02-02'", "5000");
    check(&store.session(), "SELECT count(*) FROM events WHERE day < DATE '2026-02-04'", "15000");
    store.table.pending = vec![batch(&columns(), 200_000..200_010)];
    check(&store.session(), "SELECT count(*) FROM events WHERE day = '2026-02-03'", "5010");
    let plan = answer(&store.session(), "EXPLAIN ANALYZE SELECT kind FROM events WHERE day = '2026-02-02'");
    assert!(plan.unwrap().contains("Scanning Files: 1/4"));
}

#[test]
fn row_groups_are_skipped_by_time_and_seq() {
    let mut store = Store::with_days(4);
    let scanned = |store: &Store, filter: &str| {
        let sql = format!("EXPLAIN ANALYZE SELECT kind FROM events WHERE {filter}");
        let plan = answer(&store.session(), &sql).unwrap();
        let line = plan.lines().find(|line| line.contains("Row Groups Scanned")).expect(&plan).to_string();
        line.split("Row Groups Scanned:").nth(1).unwrap().trim_matches([' ', '│']).to_string()
    };
    for _ in 0..2 {
        // DuckDB widens bounds on `ts` by the hours that time zones may differ.
        assert_eq!(scanned(&store, "ts < TIMESTAMP '2026-02-01 00:10:00'"), "5 / 20");
        assert_eq!(scanned(&store, "ts >= '2026-02-02' AND ts < '2026-02-02T00:10:00Z'"), "5 / 20");
        assert_eq!(scanned(&store, "seq = 86500"), "1 / 20");
        assert_eq!(scanned(&store, "a_int64 BETWEEN 86500 AND 88000"), "2 / 20");
        store.table.pending = vec![batch(&columns(), 200_000..200_010)];
    }
}

#[test]
fn only_the_columns_asked_for_are_read() {
    let mut store = Store::with_days(1);
    store.table.pending = vec![batch(&columns(), 200_000..200_010)];
    let plan = answer(&store.session(), "EXPLAIN ANALYZE SELECT max(a_int64) FROM events WHERE kind = 'k1'");
    let plan = plan.unwrap();
    assert!(plan.contains("a_int64"), "{plan}");
    assert!(!plan.contains("a_list_of") && !plan.contains("rest") && !plan.contains("a_string"), "{plan}");
}

#[test]
fn mixed_fields_come_from_both_places() {
    let columns = vec![
        column("seq", ColumnType::Int64),
        column("code", ColumnType::Text),
        column("rest", ColumnType::Text),
    ];
    let rows: Vec<(i64, &[Option<&str>])> = vec![
        (1, &[Some("7"), None]),
        (2, &[None, Some(r#"{"code":"x\"é\n"}"#)]),
        (3, &[None, Some(r#"{"code":1.5}"#)]),
        (4, &[None, Some(r#"{"code":[1,{"a":null}]}"#)]),
        (5, &[None, Some(r#"{"code":null}"#)]),
        (6, &[None, Some(r#"{"other":1}"#)]),
        (7, &[None, None]),
        (8, &[None, Some(r#"{"code":123456789012345678901234567890}"#)]),
    ];
    let rows = texts(&columns, &rows);
    let field = |reads| MixedField { column: "code".into(), path: FieldPath::new(["code"]), reads };
    let mut store = Store::new(columns).mixed(vec![field(Mixed::Text)]);
    store.table.pending = vec![rows.slice(0, 4)];
    store.add(1, &rows.slice(4, 4));
    check(
        &store.session(),
        "SELECT seq, code FROM events ORDER BY seq",
        "1|7\n2|x\"é\n|\n3|1.5\n4|[1,{\"a\":null}]\n5|-\n6|-\n7|-\n8|123456789012345678901234567890"
            .replace("\n|", "\n")
            .as_str(),
    );
    store.table.mixed = vec![field(Mixed::Double)];
    check(
        &store.session(),
        "SELECT seq, code + 1 FROM events WHERE code IS NOT NULL ORDER BY seq",
        "1|8.0\n3|2.5\n8|1.2345678901234568e29",
    );
}

#[test]
fn lists_of_mixed_fields_read_as_json() {
    let columns = columns();
    let mixed = ["a_list_of_string", "a_list_of_timestamp", "a_timestamp", "a_bool"].map(|name| MixedField {
        column: name.into(),
        path: FieldPath::new([name]),
        reads: Mixed::Text,
    });
    let mut store = Store::new(columns.clone()).mixed(mixed.to_vec());
    store.add(1, &batch(&columns, 0..20));
    check(
        &store.session(),
        "SELECT a_list_of_string, a_list_of_timestamp, a_timestamp, a_bool FROM events WHERE seq IN (14, 15)",
        "-|-|-|-\n[\"t15\",\"t16\",null]|[\"2026-02-01 00:00:15\",\"2026-02-01 00:00:16\",null]|\
         2026-02-01 00:00:15|false",
    );
}

#[test]
fn the_path_of_a_mixed_field_may_have_any_keys() {
    let paths: [&[&str]; 16] = [
        &["a.b"],
        &["a", "b"],
        &["say \"hi\""],
        &["it's"],
        &["back\\slash"],
        &[""],
        &["a", "", "*", "0"],
        &["*"],
        &["0"],
        &["list", "0"],
        &["a/b~c"],
        &["$"],
        &["[0]"],
        &["new\nline"],
        &["😀 é"],
        &["nul\0"],
    ];
    for keys in paths {
        let path = FieldPath::new(keys);
        let value = |last: &str| {
            keys.iter().rev().fold(serde_json::json!(last), |inner, key| serde_json::json!({ *key: inner }))
        };
        let mut first = value("one");
        first["list"] = serde_json::json!(["wrong"]);
        first["zzz"] = serde_json::json!("wrong");
        if keys == ["list", "0"] {
            first = value("one");
        }
        let columns = vec![
            column("seq", ColumnType::Int64),
            column("x", ColumnType::Text),
            column("rest", ColumnType::Text),
        ];
        let wrong = serde_json::json!({"list": ["wrong"], "zzz": "wrong", "y": {"": "wrong"}}).to_string();
        let rows = texts(
            &columns,
            &[(1, &[None, Some(&first.to_string())]), (2, &[Some("two"), None]), (3, &[None, Some(&wrong)])],
        );
        let mixed = MixedField { column: "x".into(), path: path.clone(), reads: Mixed::Text };
        let mut store = Store::new(columns).mixed(vec![mixed]);
        store.add(1, &rows);
        let answer = answer(&store.session(), "SELECT x FROM events ORDER BY seq").unwrap();
        assert_eq!(answer, "one\ntwo\n-", "{path}");
    }
}

#[test]
fn the_clock_is_utc_and_counts() {
    let session = Store::with_days(1).session();
    for (clock, kind) in [
        ("now()", "TIMESTAMP"),
        ("current_timestamp", "TIMESTAMP"),
        ("get_current_timestamp()", "TIMESTAMP"),
        ("transaction_timestamp()", "TIMESTAMP"),
        ("localtimestamp", "TIMESTAMP"),
        ("current_date", "DATE"),
        ("today()", "DATE"),
    ] {
        check(
            &session,
            &format!(
                "SELECT typeof({clock}), {clock} - INTERVAL 1 DAY < {clock}, ts < {clock} FROM events LIMIT 1"
            ),
            &format!("{kind}|true|true"),
        );
    }
    check(&session, "SELECT typeof(current_time), typeof(localtime)", "TIME|TIME");
    check(
        &session,
        "SELECT abs(epoch(now()) - epoch(current_timestamp)) < 5, now()::DATE = today(), \
         count(*) FILTER (ts > now() - INTERVAL 500 YEAR), max(ts + INTERVAL 1 HOUR) FROM events",
        "true|true|5000|2026-02-01T02:23:19",
    );
    let error = fails(&session, "SELECT ts AT TIME ZONE 'Europe/Berlin' FROM events");
    assert_eq!(error.kind(), ErrorKind::Syntax, "{error:?}");
    assert!(error.hint().unwrap().contains("UTC"));
}

#[test]
fn odd_folders_can_hold_a_store() {
    for name in ["it's", "a[1]", "a*", "a?b", "day=2020-01-01", "{a,b}", "spa ce", "back\\slash", "ünï%20"]
    {
        let mut store = Store::new(columns());
        let path = store.folder.path().join(name).join("day=2026-02-01/part.parquet");
        store.table.files.push(write(&path, &batch(&columns(), 0..10)).into());
        check(&store.session(), "SELECT count(*), max(day) FROM events", "10|2026-02-01");
    }
}

#[test]
fn files_outside_of_day_folders_work_too() {
    let mut store = Store::new(columns());
    let path = store.folder.path().join("any.parquet");
    store.table.files.push(write(&path, &batch(&columns(), 0..10)).into());
    check(&store.session(), "SELECT count(*), max(day) FROM events", "10|2026-02-01");
}

#[test]
fn a_missing_or_damaged_file_is_named() {
    let check = |harm: &dyn Fn(&std::path::Path), sql: &str| {
        let store = Store::with_days(3);
        let file = &store.table.files[1];
        let session = store.session();
        harm(&file.path);
        let error = fails(&session, sql);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        assert!(error.message().contains(file.path.to_str().unwrap()), "{error:?}");
    };
    let cut = |at: usize| {
        move |file: &std::path::Path| {
            let bytes = std::fs::read(file).unwrap();
            std::fs::write(file, &bytes[..at.min(bytes.len() / 2)]).unwrap();
        }
    };
    for sql in ["SELECT count(*) FROM events", "SELECT max(kind) FROM events", "SELECT * FROM events"] {
        check(&|file| std::fs::remove_file(file).unwrap(), sql);
        check(&cut(usize::MAX), sql);
        check(&cut(5), sql);
        check(&cut(0), sql);
    }
}

#[test]
fn pending_rows_must_have_the_columns() {
    let mut store = Store::new(columns());
    store.table.pending = vec![batch(&columns()[1..], 0..3)];
    let open = |store: &Store| Session::open(vec![store.table.clone()], Vec::new(), &store.limits);
    assert_eq!(open(&store).unwrap_err().kind(), ErrorKind::Internal);
    let mut other = columns();
    other[4].column_type = ColumnType::Text;
    store.table.pending = vec![batch(&other, 0..3)];
    assert_eq!(open(&store).unwrap_err().kind(), ErrorKind::Internal);
}

/// Every keyword of DuckDB works as the name of a column.
#[test]
fn every_keyword_can_be_a_column() {
    let keywords =
        answer(&Store::new(columns()).session(), "SELECT DISTINCT keyword_name FROM duckdb_keywords()");
    let names: Vec<String> = keywords.unwrap().lines().map(str::to_string).collect();
    assert!(names.len() > 400);
    let reserved = crate::event::fixed::RESERVED;
    let mut columns = vec![column("seq", ColumnType::Int64), column("rest", ColumnType::Text)];
    columns.extend(
        names
            .iter()
            .filter(|name| !reserved.contains(&name.as_str()))
            .map(|name| column(name, ColumnType::Int64)),
    );
    let mut store = Store::new(columns.clone());
    let rows = batch(&columns, 1..3);
    store.add(1, &rows);
    store.table.pending = vec![rows];
    let session = store.session();
    check(&session, "SELECT count(*) FROM events", "4");
    let names: Vec<String> = columns[2..].iter().map(|c| crate::query::sql::identifier(&c.name)).collect();
    let filters: Vec<String> = names.iter().map(|name| format!("{name} + 1 = 2 AND e.{name} > 0")).collect();
    check(&session, &format!("SELECT count(*) FROM events e WHERE {}", filters.join(" AND ")), "2");
    let list = names.join(", ");
    let ones = vec!["1"; names.len()].join("|");
    check(
        &session,
        &format!("SELECT {list} FROM events WHERE seq = 1 GROUP BY {list} ORDER BY {list}"),
        &ones,
    );
}
