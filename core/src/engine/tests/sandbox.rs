use super::fixture::*;
use crate::engine::Session;
use crate::error::ErrorKind;
use std::path::Path;

#[track_caller]
fn refused(session: &Session, sql: &str) {
    let error = fails(session, sql);
    assert_eq!(error.kind(), ErrorKind::Refused, "{sql}: {error:?}");
    assert!(!error.message().is_empty());
}

#[test]
fn what_reads_runs() {
    let session = Store::with_days(1).session();
    for sql in [
        "SELECT 1",
        "SELECT 1;",
        ";;SELECT 1;;",
        "-- why\nSELECT 1 /* ; DROP VIEW events */ -- ; DROP VIEW events",
        "SELECT '; DROP VIEW events', \"kind\" FROM events",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a WHERE n < 5) SELECT max(n) FROM a",
        "VALUES (1), (2)",
        "FROM events",
        "TABLE events",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT * FROM events ORDER BY ts LIMIT 3",
        "SELECT kind, count(*) FROM events GROUP BY ALL HAVING count(*) > 1",
        "SELECT kind, row_number() OVER (PARTITION BY kind ORDER BY seq) FROM events QUALIFY seq < 10",
        "PIVOT events ON kind IN ('k1', 'k2') USING count(*) GROUP BY day",
        "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b",
        "DESCRIBE events",
        "DESCRIBE SELECT 1",
        "SUMMARIZE events",
        "SHOW TABLES",
        "SHOW events",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT count(*) FROM events",
        "EXPLAIN (FORMAT json) SELECT 1",
        "EXPLAIN (ANALYZE, FORMAT json) SELECT 1",
        "EXPLAIN (SELECT 1)",
        "SELECT * FROM range(3), generate_series(1, 2), unnest([1, 2])",
        "SELECT * FROM json_each('{\"a\": 1}')",
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'events'",
        "SELECT * FROM pragma_table_info('events')",
        "SELECT list_transform([1, 2], lambda x: x + 1), list_filter([1, 2], lambda x, i: i > 1)",
        "SELECT list_reduce([1, 2], lambda x, y: x + y), [upper(x) FOR x IN ['a', 'b'] IF x > 'a']",
        "SELECT list_transform(list_sort([kind]), lambda k: lower(k)) FROM events",
    ] {
        answer(&session, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

#[test]
fn other_statements_are_refused() {
    let store = Store::with_days(1);
    let session = store.session();
    let out = store.folder.path().join("out");
    let statements = [
        "CREATE TABLE t (a INT)",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE OR REPLACE VIEW events AS SELECT 1",
        "CREATE MACRO f() AS 1",
        "CREATE TYPE t AS ENUM ('a')",
        "CREATE SECRET s (TYPE s3)",
        "CREATE SCHEMA s",
        "DROP VIEW events",
        "ALTER VIEW events RENAME TO e",
        "COMMENT ON VIEW events IS 'x'",
        "INSERT INTO held.events SELECT 1",
        "UPDATE held.events SET seq = 1",
        "DELETE FROM held.events",
        "TRUNCATE held.events",
        "MERGE INTO held.events USING (SELECT 1) ON true WHEN MATCHED THEN DELETE",
        "COPY (SELECT 1) TO 'OUT'",
        "COPY events TO 'OUT' (FORMAT parquet)",
        "COPY held.events FROM 'OUT'",
        "EXPORT DATABASE 'OUT'",
        "IMPORT DATABASE 'OUT'",
        "ATTACH 'OUT' AS x",
        "ATTACH ':memory:' AS x",
        "DETACH memory",
        "USE memory",
        "INSTALL httpfs",
        "INSTALL 'OUT'",
        "LOAD httpfs",
        "LOAD 'OUT'",
        "UPDATE EXTENSIONS",
        "SET threads = 1",
        "SET VARIABLE x = 1",
        "RESET threads",
        "PRAGMA version",
        "PRAGMA enable_profiling",
        "PRAGMA table_info('events')",
        "PRAGMA json_execute_serialized_sql('x')",
        "CALL pragma_version()",
        "CALL enable_logging()",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "DEALLOCATE p",
        "VACUUM",
        "CHECKPOINT",
        "PIVOT events ON kind USING count(*)",
    ];
    for statement in statements {
        let statement = statement.replace("OUT", out.to_str().unwrap());
        refused(&session, &statement);
        refused(&session, &format!("/* SELECT 1 */ {statement}"));
        refused(&session, &format!("EXPLAIN {statement}"));
        refused(&session, &format!("EXPLAIN ANALYZE {statement}"));
        refused(&session, &format!("EXPLAIN (ANALYZE) {statement}"));
        refused(&session, &format!("SELECT 1; {statement}"));
        refused(&session, &format!("{statement}; SELECT 1"));
    }
    refused(&session, "ANALYZE");
    refused(&session, "SELECT 1; SELECT 2");
    refused(&session, "EXPLAIN SELECT 1; SELECT 2");
    refused(&session, "EXPLAIN EXPLAIN SELECT 1");
    assert!(!out.exists());
    check(&session, "SELECT name FROM (SHOW TABLES)", "events");
}

#[test]
fn changes_inside_of_a_question_are_refused() {
    let mut store = Store::with_days(1);
    store.table.pending = vec![batch(&columns(), 200_000..200_010)];
    let session = store.session();
    for sql in [
        "WITH a AS (INSERT INTO held.events (seq) VALUES (1) RETURNING seq) SELECT * FROM a",
        "WITH a AS (DELETE FROM held.events RETURNING seq) SELECT * FROM a",
        "WITH a AS (UPDATE held.events SET seq = 1 RETURNING seq) SELECT * FROM a",
        "SELECT * FROM (WITH a AS (DELETE FROM held.events RETURNING seq) SELECT * FROM a)",
        "SELECT (WITH a AS (DELETE FROM held.events RETURNING seq) SELECT max(seq) FROM a)",
        "EXPLAIN ANALYZE WITH a AS (DELETE FROM held.events RETURNING seq) SELECT * FROM a",
        "SELECT 1 UNION ALL (WITH a AS (DELETE FROM held.events RETURNING seq) SELECT * FROM a)",
        "DESCRIBE WITH a AS (DELETE FROM held.events RETURNING seq) SELECT * FROM a",
        "SUMMARIZE WITH a AS (DELETE FROM held.events RETURNING seq) SELECT * FROM a",
        "SELECT * FROM query('WITH a AS (DELETE FROM held.events RETURNING seq) SELECT * FROM a')",
        "SELECT * FROM query($$SELECT 1$$)",
        "FROM query_table('events')",
        "SELECT * FROM (FROM query('SELECT 1'))",
        "WITH a AS (SELECT * FROM read_csv('/etc/passwd')) SELECT * FROM a",
        "WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a, glob('/*') WHERE n < 5) FROM a",
        "SELECT * FROM events WHERE kind IN (SELECT content FROM read_text('/etc/passwd'))",
        "SELECT list_transform(['/etc/passwd'], lambda x: (SELECT content FROM read_text(x)))",
        "SELECT * FROM events, LATERAL (SELECT * FROM read_text('/etc/' || kind))",
        "SELECT 1 /* ' */ FROM read_csv('/etc/passwd') -- '",
        "SELECT /* /* */ */ getenv('HOME') -- nested",
        "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    ] {
        refused(&session, sql);
    }
    check(&session, "SELECT count(*) FROM events", "5010");
}

/// Even what the checks of the statement let through by mistake could not write.
#[test]
fn transactions_are_read_only() {
    let session = Store::with_days(1).session();
    let connection = crate::engine::lock(&session.connection).try_clone().unwrap();
    connection.execute_batch("BEGIN TRANSACTION READ ONLY").unwrap();
    let error = connection.execute_batch("CREATE TABLE held.t (a INT)").unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
}

#[test]
fn files_and_functions_outside_are_refused() {
    let store = Store::with_days(1);
    let session = store.session();
    let secret = store.folder.path().join("secret.csv");
    std::fs::write(&secret, "a,b\n1,2\n").unwrap();
    let other = write(&store.folder.path().join("other.parquet"), &batch(&columns(), 0..3));
    let link = store.folder.path().join("link");
    std::os::unix::fs::symlink(&secret, &link).unwrap();
    let inside = store.table.files[0].path.to_str().unwrap();
    let up = format!("{inside}/../../secret.csv");
    let in_folder = |path: &Path| path.to_str().unwrap().to_string();
    for path in
        [in_folder(&secret), in_folder(&other), in_folder(&link), up, "/etc/passwd".into(), "*".into()]
    {
        for function in [
            "read_csv",
            "read_csv_auto",
            "sniff_csv",
            "read_text",
            "read_blob",
            "read_json",
            "read_json_auto",
            "read_json_objects",
            "read_ndjson",
            "read_ndjson_objects",
            "read_parquet",
            "parquet_scan",
            "parquet_metadata",
            "parquet_schema",
            "parquet_file_metadata",
            "parquet_kv_metadata",
            "parquet_full_metadata",
            "glob",
            "read_duckdb",
            "main.read_csv",
            "system.main.READ_CSV",
        ] {
            refused(&session, &format!("SELECT * FROM {function}('{path}')"));
            refused(&session, &format!("SELECT (SELECT count(*) FROM {function}(['{path}']))"));
        }
        refused(&session, &format!("SELECT * FROM parquet_bloom_probe('{path}', 'a', 1)"));
        if path != "*" {
            let error = fails(&session, &format!("SELECT * FROM '{path}'"));
            assert!(matches!(error.kind(), ErrorKind::Refused | ErrorKind::Syntax), "{path}: {error:?}");
        }
    }
    refused(&session, &format!("SELECT * FROM '{}'", other.display()));
    refused(&session, "SELECT * FROM 'https://example.com/x.parquet'");
    refused(&session, &format!("DESCRIBE '{}'", other.display()));
    refused(&session, &format!("SUMMARIZE '{}'", other.display()));
    refused(&session, &format!("SELECT * FROM (DESCRIBE FROM '{}')", other.display()));
    for sql in [
        "SELECT getenv('HOME')",
        "SELECT GetEnv('HOME')",
        "SELECT main.getenv('HOME')",
        "SELECT 'HOME'.getenv()",
        "SELECT list_transform(['HOME'], lambda x: getenv(x))",
        "SELECT current_setting('allowed_paths')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM which_secret('s3://a', 's3')",
        "SELECT * FROM duckdb_extensions()",
        "SELECT * FROM duckdb_logs()",
        "SELECT * FROM duckdb_temporary_files()",
        "SELECT * FROM enable_logging()",
        "SELECT * FROM enable_profiling()",
        "SELECT * FROM truncate_duckdb_logs()",
        "SELECT * FROM checkpoint()",
        "SELECT * FROM arrow_scan(1, 2, 3)",
        "SELECT * FROM register_external_resource('a')",
        "SELECT nextval('x')",
        "SELECT write_log('x')",
        "SELECT sleep_ms(1000)",
        "SELECT json_serialize_plan('SELECT 1')",
        "SELECT finalize('x'::BLOB)",
        "SELECT __internal_decompress_string('x')",
    ] {
        refused(&session, sql);
    }
}

/// With the check of the statement out of the way, DuckDB itself opens no other file.
#[test]
fn duckdb_itself_is_locked() {
    let store = Store::with_days(1);
    let session = store.session();
    let other = write(&store.folder.path().join("other.parquet"), &batch(&columns(), 0..3));
    let other = other.display();
    let connection = crate::engine::lock(&session.connection).try_clone().unwrap();
    let inside = store.table.files[0].path.display();
    connection.execute_batch(&format!("SELECT count(*) FROM read_parquet('{inside}')")).unwrap();
    for sql in [
        format!("SELECT * FROM read_parquet('{other}')"),
        format!("SELECT * FROM read_text('{other}')"),
        format!("SELECT * FROM glob('{other}')"),
        "SELECT * FROM glob('/*')".to_string(),
        format!("COPY (SELECT 1) TO '{other}.out'"),
        format!("COPY (SELECT 1) TO '{}/tmp/out'", store.folder.path().display()),
        format!("ATTACH '{other}.db' AS x"),
        "INSTALL httpfs".to_string(),
        "LOAD httpfs".to_string(),
        "SET threads = 4".to_string(),
        "SET enable_external_access = true".to_string(),
        "SET allowed_paths = ['/etc/passwd']".to_string(),
        "RESET allowed_paths".to_string(),
        "SET lock_configuration = false".to_string(),
        "SELECT getenv('HOME')".to_string(),
    ] {
        connection.execute_batch(&sql).expect_err(&sql);
    }
}

#[test]
fn wrong_texts_say_where() {
    let session = Store::with_days(1).session();
    let check = |sql: &str, part: &str| {
        let error = fails(&session, sql);
        assert_eq!(error.kind(), ErrorKind::Syntax, "{sql}: {error:?}");
        assert!(error.message().contains(part), "{sql}: {error:?}");
    };
    check("SELEC 1", "syntax error at or near \"SELEC\"");
    check("SELECT * FORM events", "events");
    check("SELECT kin FROM events", "Candidate bindings: \"kind\"");
    check("SELECT * FROM event", "Did you mean \"events\"");
    check("SELECT lowr('A')", "lower");
    check("EXPLAIN SELECT kin FROM events", "kind");
    check("", "empty");
    check(" -- nothing\n", "empty");
    check("EXPLAIN", "empty");
    check("SELECT 1\0", "NUL");
    check("SELECT ", "");
    check("SELECT 'open", "");
    check("SELECT /* open", "");
    check("SELECT $a, ?", "parameters");
    check(&format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000)), "depth");
    check(&format!("SELECT * FROM {}events{}", "(FROM ".repeat(3000), ")".repeat(3000)), "depth");
}

#[test]
fn long_questions_run() {
    let session = Store::with_days(1).session();
    let ors: Vec<String> = (0..3000).map(|n| format!("seq = {n}")).collect();
    check(&session, &format!("SELECT count(*) FROM events WHERE {}", ors.join(" OR ")), "3000");
    check(&session, &format!("SELECT {}1", "- ".repeat(300)), "1");
    check(&session, &format!("SELECT {}", vec!["'a'"; 500].join(" || ")), &"a".repeat(500));
    let error = fails(&session, &format!("SELECT '{}'", "x".repeat(2 << 20)));
    assert_eq!(error.kind(), ErrorKind::Limit);
}
