use super::*;
use crate::event::column::{Column, ColumnType, FieldPath, TableSchema};
use crate::event::fixed;
use crate::storage::LocalStorage;
use crate::storage::probe::{Operation, Probe};
use chrono::NaiveDate;
use hashbrown::HashSet;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// A table in a new folder.
struct Fixture {
    folder: TempDir,
    storage: Arc<dyn Storage>,
    log: Log,
}

const NOW: i64 = 1_770_000_000_000;

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(folder.path()));
    let log = Log::create(Arc::clone(&storage), "", &new_table(), NOW).unwrap();
    Fixture { folder, storage, log }
}

impl Fixture {
    /// The same table, read anew.
    fn reopen(&self) -> Log {
        Log::open(Arc::clone(&self.storage), "").unwrap()
    }

    fn latest(&self) -> Arc<Snapshot> {
        self.log.snapshot(At::Latest).unwrap()
    }

    fn commit(&self, change: &Change, now_ms: i64) -> Outcome {
        self.log.commit(&self.latest(), change, now_ms).unwrap()
    }

    /// Commits one file; gives its version.
    fn add(&self, name: &str, now_ms: i64) -> u64 {
        match self.commit(&adds([file(name)]), now_ms) {
            Outcome::Committed(version) => version,
            outcome => panic!("{outcome:?}"),
        }
    }

    fn log_file(&self, version: u64) -> std::path::PathBuf {
        self.folder.path().join(layout::commit(version))
    }
}

fn new_table() -> NewTable {
    let configuration = [("delta.dataSkippingStatsColumns".to_string(), "seq,ts".to_string())].into();
    NewTable { schema: fixed::new_table(), configuration, name: "events".to_string() }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn file(name: &str) -> DataFile {
    let day = NaiveDate::from_ymd_opt(2026, 2, 3).unwrap();
    let stats = FileStats {
        min: object(json!({"seq": 5, "ts": "2026-02-03T00:00:01.000Z"})),
        max: object(json!({"seq": 9, "ts": "2026-02-03T23:59:59.123Z"})),
        nulls: object(json!({"seq": 0, "ts": 0})),
    };
    DataFile {
        path: format!("{}/{name}", layout::day_folder(day)),
        day,
        size: 1234,
        modified_ms: NOW,
        rows: 42,
        level: 0,
        file_hash: "ab".repeat(32),
        key: String::new(),
        rows_hash: "cd".repeat(32),
        tree: "ef".repeat(32),
        stats: Arc::new(stats),
    }
}

fn adds(files: impl IntoIterator<Item = DataFile>) -> Change {
    Change { operation: "WRITE", adds: files.into_iter().collect(), data_change: true, ..Change::default() }
}

fn names(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.files.iter().map(|file| file.path.rsplit_once('/').unwrap().1).collect()
}

/// The chain from version 0 to the latest: each record links to the one before, and each hash is right.
fn check_chain(log: &Log) {
    let latest = log.snapshot(At::Latest).unwrap();
    let mut previous = "0".repeat(64);
    for version in 0..=latest.version {
        let Some(record) = log.chain_record(version).unwrap() else { continue };
        assert_eq!(record.version, version);
        assert_eq!(record.previous, previous, "version {version}");
        assert_eq!(record.computed_hash(), record.hash, "version {version}");
        previous = record.hash;
    }
    assert_eq!(latest.chain_head(), previous);
}

/// What of a snapshot a reader sees.
fn seen(snapshot: &Snapshot) -> (u64, i64, &[Column], &[DataFile], &str) {
    let Snapshot { version, timestamp_ms, schema, files, .. } = snapshot;
    (*version, *timestamp_ms, schema.columns(), files, snapshot.chain_head())
}

#[test]
fn a_new_table_is_empty_and_opens_again() {
    let fixture = fixture();
    let snapshot = fixture.latest();
    assert_eq!((snapshot.version, snapshot.timestamp_ms), (0, NOW));
    assert!(snapshot.files.is_empty());
    assert_eq!(snapshot.schema.columns(), fixed::new_table().columns());
    assert_eq!(snapshot.configuration().get("daybook.format").unwrap(), "1");
    assert_eq!(snapshot.configuration().get("delta.dataSkippingStatsColumns").unwrap(), "seq,ts");
    let again = Log::create(Arc::clone(&fixture.storage), "", &NewTable::default(), NOW + 5).unwrap();
    let again = again.snapshot(At::Latest).unwrap();
    assert_eq!(again.table_id(), snapshot.table_id());
    assert_eq!(again.timestamp_ms, NOW);
    assert!(fixture.log.warnings().is_empty());
    check_chain(&fixture.log);
}

#[test]
fn two_tables_live_in_one_store() {
    let fixture = fixture();
    let table = NewTable { name: "quarantine".to_string(), ..new_table() };
    let quarantine = Log::create(Arc::clone(&fixture.storage), "_quarantine", &table, NOW).unwrap();
    let base = quarantine.snapshot(At::Latest).unwrap();
    assert_eq!(quarantine.commit(&base, &adds([file("q")]), NOW).unwrap(), Outcome::Committed(1));
    assert!(fixture.folder.path().join("_quarantine/_delta_log/00000000000000000001.json").exists());
    let quarantine = Log::open(Arc::clone(&fixture.storage), "_quarantine").unwrap();
    assert_eq!(names(&quarantine.snapshot(At::Latest).unwrap()), ["q"]);
    assert_eq!(fixture.reopen().snapshot(At::Latest).unwrap().version, 0);
}

#[test]
fn a_folder_without_a_table_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_path_buf(), folder.path().join("missing")] {
        let error = Log::open(Arc::new(LocalStorage::new(&path)), "").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.message().contains(&path.display().to_string()), "{error}");
    }
}

#[test]
fn files_come_back_as_they_were_committed() {
    let fixture = fixture();
    let mut later = file("c");
    later.day = NaiveDate::from_ymd_opt(2026, 2, 2).unwrap();
    later.path = "day=2026-02-02/c".to_string();
    fixture.commit(&adds([file("b"), file("a"), later.clone()]), NOW + 10);
    for log in [&fixture.log, &fixture.reopen()] {
        let snapshot = log.snapshot(At::Latest).unwrap();
        assert_eq!(snapshot.version, 1);
        assert_eq!(snapshot.files, [later.clone(), file("a"), file("b")]);
    }
    let change = Change { operation: "OPTIMIZE", removes: vec![file("a").path], ..Change::default() };
    assert_eq!(fixture.commit(&change, NOW + 20), Outcome::Committed(2));
    for log in [&fixture.log, &fixture.reopen()] {
        assert_eq!(names(&log.snapshot(At::Latest).unwrap()), ["c", "b"]);
    }
    check_chain(&fixture.log);
}

#[test]
fn statistics_give_ranges() {
    let file = file("a");
    let micros = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
    let expected = (micros("2026-02-03T00:00:01Z"), micros("2026-02-03T23:59:59.123999Z"));
    assert_eq!(file.ts_range(), Some(expected));
    assert_eq!(file.seq_range(), Some((5, 9)));
    let bare = DataFile { stats: Arc::default(), ..file };
    assert_eq!((bare.ts_range(), bare.seq_range()), (None, None));
}

#[test]
fn a_commit_says_what_it_did() {
    let fixture = fixture();
    fixture.add("a", NOW + 10);
    let change = Change {
        operation: "OPTIMIZE",
        adds: vec![file("b")],
        removes: vec![file("a").path],
        transactions: vec![("job".to_string(), 7)],
        info: object(json!({"rows": 42})),
        ..Change::default()
    };
    fixture.commit(&change, NOW + 20);
    let commits = fixture.log.commits(0, 2).unwrap();
    let [created, added, optimized] = commits.as_slice() else { panic!("{commits:?}") };
    assert_eq!((created.operation.as_str(), created.data_change), ("CREATE TABLE", false));
    assert_eq!(created.schema.as_ref().unwrap().columns(), fixed::new_table().columns());
    assert_eq!((added.operation.as_str(), added.data_change), ("WRITE", true));
    assert_eq!(added.adds, [file("a")]);
    assert_eq!((optimized.version, optimized.timestamp_ms), (2, NOW + 20));
    assert!(!optimized.data_change && optimized.schema.is_none());
    assert_eq!(optimized.transactions, [("job".to_string(), 7)]);
    assert_eq!(optimized.info, object(json!({"rows": 42})));
    assert!(optimized.engine.starts_with("daybook/"));
    let [removed] = optimized.removes.as_slice() else { panic!("{optimized:?}") };
    let expected = file("a");
    assert_eq!((&removed.path, removed.removed_ms), (&expected.path, NOW + 20));
    assert_eq!((removed.rows, &removed.rows_hash), (expected.rows, &expected.rows_hash));
    assert_eq!(removed.file_hash, expected.file_hash);
    let error = fixture.log.commits(1, 3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("version 3"), "{error}");
}

#[test]
fn a_chain_record_has_exactly_the_specified_text() {
    let fixture = fixture();
    fixture.add("a", NOW + 10);
    let growth = column("colour", ColumnType::Text, Some(&["colour"]));
    let mut schema = fixture.latest().schema.clone();
    schema.push(growth).unwrap();
    let bare = DataFile { file_hash: String::new(), stats: Arc::default(), ..file("z ü") };
    let change = Change {
        operation: "WRITE",
        adds: vec![bare, file("b")],
        removes: vec![file("a").path],
        transactions: vec![("wal:x".to_string(), 3), ("a \"q\"\n".to_string(), 1)],
        schema: Some(schema.clone()),
        ..Change::default()
    };
    fixture.commit(&change, NOW + 20);
    let record = fixture.log.chain_record(2).unwrap().unwrap();
    let previous = fixture.log.chain_record(1).unwrap().unwrap().hash;
    let (sha, rows, tree) = ("ab".repeat(32), "cd".repeat(32), "ef".repeat(32));
    let schema_hash = chain::link(&chain::Before::start(), &schema::to_text(&schema).unwrap()).hash;
    let day = "day=2026-02-03";
    let expected = [
        "daybook chain 1".to_string(),
        format!("previous {previous}"),
        format!("jump {previous}"),
        "version 2".to_string(),
        format!("add {day}/b {sha} 42 {rows} {tree} 2026-02-03T00:00:01.000Z 2026-02-03T23:59:59.123Z"),
        format!("add {day}/z%20%C3%BC - 42 {rows} {tree} - -"),
        format!("remove {day}/a {sha} 42 {rows}"),
        "txn \"a \\\"q\\\"\\n\" 1".to_string(),
        "txn \"wal:x\" 3".to_string(),
        format!("schema {schema_hash}\n"),
    ];
    assert_eq!(record.text, expected.join("\n"));
    assert_eq!(record.previous, previous);
    check_chain(&fixture.log);
}

#[test]
fn a_known_text_has_its_known_hash() {
    // The example of FIPS 180-2.
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(chain::link(&chain::Before::start(), "abc").hash, expected);
}

#[test]
fn an_altered_commit_does_not_match_its_hash() {
    let fixture = fixture();
    fixture.add("a", NOW);
    let text = std::fs::read_to_string(fixture.log_file(1)).unwrap();
    let altered = text.replace("\"daybook.count\":\"42\"", "\"daybook.count\":\"41\"");
    assert_ne!(altered, text);
    std::fs::write(fixture.log_file(1), altered).unwrap();
    let record = fixture.log.chain_record(1).unwrap().unwrap();
    assert_ne!(record.computed_hash(), record.hash);
}

#[test]
fn of_two_commits_on_one_base_one_wins() {
    let fixture = fixture();
    let other = fixture.reopen();
    let (base, same) = (fixture.latest(), other.snapshot(At::Latest).unwrap());
    assert_eq!(fixture.log.commit(&base, &adds([file("a")]), NOW).unwrap(), Outcome::Committed(1));
    assert_eq!(other.commit(&same, &adds([file("b")]), NOW).unwrap(), Outcome::Conflict);
    assert_eq!(names(&other.snapshot(At::Latest).unwrap()), ["a"]);
    assert_eq!(fixture.commit(&adds([file("b")]), NOW), Outcome::Committed(2));
    assert_eq!(names(&other.snapshot(At::Latest).unwrap()), ["a", "b"]);
}

#[test]
fn racing_writers_lose_and_double_nothing() {
    let fixture = fixture();
    let race = |writer: usize| {
        let log = fixture.reopen();
        let options = LogMaintenance { checkpoint_every: 7, keep_commits_ms: 1_000_000 };
        for number in 0..25 {
            let change = adds([file(&format!("{writer}-{number:02}"))]);
            loop {
                let base = log.snapshot(At::Latest).unwrap();
                match log.commit(&base, &change, NOW).unwrap() {
                    Outcome::Committed(_) => break,
                    outcome => assert_eq!(outcome, Outcome::Conflict),
                }
            }
            log.maintain(&options, NOW).unwrap();
        }
    };
    std::thread::scope(|scope| {
        for writer in 0..3 {
            scope.spawn(move || race(writer));
        }
    });
    for log in [&fixture.log, &fixture.reopen()] {
        let snapshot = log.snapshot(At::Latest).unwrap();
        assert_eq!((snapshot.version, snapshot.files.len()), (75, 75));
        let commits = log.commits(1, 75).unwrap();
        assert!(commits.is_sorted_by(|one, next| one.timestamp_ms < next.timestamp_ms));
        check_chain(log);
    }
}

#[test]
fn a_transaction_is_committed_once() {
    let fixture = fixture();
    let change = |name: &str, version: i64| Change {
        transactions: vec![("wal:w".to_string(), version), (format!("input:{name}"), 1)],
        ..adds([file(name)])
    };
    assert_eq!(fixture.latest().transaction("wal:w").unwrap(), None);
    assert_eq!(fixture.commit(&change("a", 3), NOW), Outcome::Committed(1));
    assert_eq!(fixture.commit(&change("b", 3), NOW), Outcome::AlreadyDone);
    assert_eq!(fixture.commit(&change("b", 2), NOW), Outcome::AlreadyDone);
    let check = |log: &Log, expected: i64| {
        let snapshot = log.snapshot(At::Latest).unwrap();
        assert_eq!(snapshot.transaction("wal:w").unwrap(), Some(expected));
        assert_eq!(snapshot.transaction("input:a").unwrap(), Some(1));
        assert_eq!(snapshot.transaction("input:none").unwrap(), None);
        assert_eq!(log.commit(&snapshot, &change("z", expected), NOW).unwrap(), Outcome::AlreadyDone);
    };
    check(&fixture.log, 3);
    check(&fixture.reopen(), 3);
    assert_eq!(fixture.commit(&change("c", 4), NOW), Outcome::Committed(2));
    let options = LogMaintenance { checkpoint_every: 1, keep_commits_ms: 0 };
    assert_eq!(fixture.log.maintain(&options, NOW + 1000).unwrap().checkpoint, Some(2));
    check(&fixture.reopen(), 4);
    let earlier = fixture.log.snapshot(At::Version(2)).unwrap();
    assert_eq!(earlier.transaction("wal:w").unwrap(), Some(4));
}

fn column(name: &str, column_type: ColumnType, path: Option<&[&str]>) -> Column {
    Column { name: name.to_string(), column_type, path: path.map(FieldPath::new) }
}

#[test]
fn a_schema_grows_and_comes_back_with_its_paths() {
    let fixture = fixture();
    let mut schema = fixture.latest().schema.clone();
    let new = [
        column("http_status", ColumnType::Int64, Some(&["http", "status"])),
        column("strange", ColumnType::Text, Some(&["a.b", "", "\"q\" {}=,;", "naïve 😀"])),
        column("größe", ColumnType::Double, Some(&["größe"])),
        column("flag", ColumnType::Bool, Some(&["flag"])),
        column("at", ColumnType::Timestamp, Some(&["at"])),
        column("flags", ColumnType::BoolList, Some(&["flags"])),
        column("numbers", ColumnType::Int64List, Some(&["numbers"])),
        column("doubles", ColumnType::DoubleList, Some(&["doubles"])),
        column("tags", ColumnType::TextList, Some(&["tags"])),
        column("times", ColumnType::TimestampList, Some(&["times"])),
    ];
    for column in new {
        schema.push(column).unwrap();
    }
    let change = Change { schema: Some(schema.clone()), ..adds([file("a")]) };
    assert_eq!(fixture.commit(&change, NOW), Outcome::Committed(1));
    for log in [&fixture.log, &fixture.reopen()] {
        let snapshot = log.snapshot(At::Latest).unwrap();
        assert_eq!(snapshot.schema.columns(), schema.columns());
        assert_eq!(snapshot.configuration().get("daybook.format").unwrap(), "1");
        let before = log.snapshot(At::Version(0)).unwrap();
        assert_eq!(before.schema.columns(), fixed::new_table().columns());
        assert_eq!(before.table_id(), snapshot.table_id());
    }
    let stored = std::fs::read_to_string(fixture.log_file(1)).unwrap();
    assert!(stored.contains(r#"\"name\":\"day\",\"type\":\"date\""#), "{stored}");
    assert!(stored.contains(r#"\"daybook.path\":\"[\\\"http\\\",\\\"status\\\"]\""#), "{stored}");
}

#[test]
fn a_schema_neither_shrinks_nor_takes_a_name_that_delta_refuses() {
    let fixture = fixture();
    let refused = |schema: TableSchema| {
        let change = Change { schema: Some(schema), ..adds([]) };
        let error = fixture.log.commit(&fixture.latest(), &change, NOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
    };
    refused(TableSchema::default());
    let mut retyped = TableSchema::default();
    for old in fixed::new_table().columns() {
        retyped.push(Column { column_type: ColumnType::Double, ..old.clone() }).unwrap();
    }
    refused(retyped);
    for name in ["", "a b", "a,b", "a{", "a=b", "a\tb", "a\nb", "Day"] {
        let mut schema = fixed::new_table();
        schema.push(column(name, ColumnType::Text, None)).unwrap();
        refused(schema);
    }
    assert_eq!(fixture.latest().version, 0);
}

#[test]
fn earlier_versions_are_found_by_number_and_time() {
    let fixture = fixture();
    for (name, now_ms) in [("a", NOW + 100), ("b", NOW + 200), ("c", NOW + 300)] {
        fixture.add(name, now_ms);
    }
    for log in [&fixture.log, &fixture.reopen()] {
        let at = |at: At| log.snapshot(at).map(|snapshot| (snapshot.version, names(&snapshot).len()));
        assert_eq!(at(At::Version(0)).unwrap(), (0, 0));
        assert_eq!(at(At::Version(2)).unwrap(), (2, 2));
        assert_eq!(at(At::Time(NOW)).unwrap(), (0, 0));
        assert_eq!(at(At::Time(NOW + 199)).unwrap(), (1, 1));
        assert_eq!(at(At::Time(NOW + 200)).unwrap(), (2, 2));
        assert_eq!(at(At::Time(NOW + 299)).unwrap(), (2, 2));
        assert_eq!(at(At::Time(i64::MAX)).unwrap(), (3, 3));
        let error = at(At::Time(NOW - 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.hint().unwrap(), "the earliest is version 0, of 2026-02-02T02:40:00.000Z");
        let error = at(At::Version(4)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.hint().unwrap(), "the latest is version 3");
    }
}

#[test]
fn times_of_commits_never_go_back() {
    let fixture = fixture();
    fixture.add("a", NOW + 100);
    fixture.add("b", NOW - 5000);
    fixture.add("c", NOW + 50);
    let times: Vec<i64> =
        fixture.log.commits(0, 3).unwrap().iter().map(|commit| commit.timestamp_ms).collect();
    assert_eq!(times, [NOW, NOW + 100, NOW + 101, NOW + 102]);
}

#[test]
fn a_change_that_contradicts_itself_or_its_base_is_not_committed() {
    let fixture = fixture();
    fixture.add("a", NOW);
    let internal = |change: Change| {
        let error = fixture.log.commit(&fixture.latest(), &change, NOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
    };
    internal(Change { removes: vec![file("a").path], ..adds([file("a")]) });
    internal(adds([file("a")]));
    internal(adds([file("b"), file("b")]));
    internal(Change { removes: vec![file("a").path, file("a").path], ..adds([]) });
    internal(Change { transactions: vec![("x".into(), 1), ("x".into(), 2)], ..adds([]) });
    let gone = Change { removes: vec![file("gone").path], ..adds([file("b")]) };
    assert_eq!(fixture.commit(&gone, NOW), Outcome::Conflict);
    assert_eq!(fixture.latest().version, 1);
}

#[test]
fn a_clean_up_keeps_state_chain_and_recent_versions() {
    let fixture = fixture();
    for number in 1..=25 {
        fixture.add(&format!("{number:02}"), NOW + number * 1000);
    }
    let drop = Change { removes: vec![file("03").path], ..adds([]) };
    assert_eq!(fixture.commit(&drop, NOW + 26_000), Outcome::Committed(26));
    let before: Vec<_> = (0..=26).map(|version| fixture.log.chain_record(version).unwrap()).collect();
    let options = LogMaintenance { checkpoint_every: 10, keep_commits_ms: 5000 };
    let done = fixture.log.maintain(&options, NOW + 26_000).unwrap();
    // The checkpoint is younger than what is to be kept, so that nothing goes yet.
    assert_eq!(done, Maintained { checkpoint: Some(26), ..Maintained::default() });
    for number in 27..=38 {
        fixture.add(&format!("{number:02}"), NOW + number * 1000);
    }
    let done = fixture.log.maintain(&options, NOW + 38_000).unwrap();
    assert_eq!(done, Maintained { checkpoint: Some(38), commits_removed: 26, checkpoints_removed: 0 });
    assert_eq!(fixture.log.maintain(&options, NOW + 38_000).unwrap(), Maintained::default());
    assert!(!fixture.log_file(25).exists() && fixture.log_file(26).exists());
    for log in [&fixture.log, &fixture.reopen()] {
        let snapshot = log.snapshot(At::Latest).unwrap();
        assert_eq!((snapshot.version, snapshot.files.len()), (38, 36));
        assert_eq!(snapshot.files.first().unwrap(), &file("01"));
        assert_eq!(snapshot.files.last().unwrap(), &file("38"));
        assert_eq!(log.snapshot(At::Version(26)).unwrap().files.len(), 24);
        assert_eq!(log.snapshot(At::Version(30)).unwrap().files.len(), 28);
        assert_eq!(log.snapshot(At::Time(NOW + 30_500)).unwrap().version, 30);
        for gone in [At::Version(25), At::Version(0), At::Time(NOW + 25_999)] {
            let error = log.snapshot(gone).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
            assert!(error.hint().unwrap().contains("the earliest is version 26"), "{error:?}");
        }
        assert_eq!(log.commits(25, 26).unwrap_err().kind(), ErrorKind::NotFound);
        check_chain(log);
        let kept: Vec<_> = (0..=26).map(|version| log.chain_record(version).unwrap()).collect();
        assert_eq!(kept, before);
    }
    let done = fixture.log.maintain(&options, NOW + 2 * CLEAN_UP_EVERY_MS).unwrap();
    assert_eq!(done, Maintained { checkpoint: None, commits_removed: 12, checkpoints_removed: 1 });
    fixture.add("99", NOW);
    assert_eq!(fixture.reopen().snapshot(At::Latest).unwrap().files.len(), 37);
    check_chain(&fixture.reopen());
}

#[test]
fn a_handle_that_others_left_far_behind_catches_up() {
    let fixture = fixture();
    let behind = fixture.reopen();
    let old = behind.snapshot(At::Latest).unwrap();
    let change = Change { transactions: vec![("job".to_string(), 1)], ..adds([file("a")]) };
    assert_eq!(fixture.commit(&change, NOW), Outcome::Committed(1));
    for number in 0..5 {
        fixture.add(&number.to_string(), NOW);
    }
    let options = LogMaintenance { checkpoint_every: 2, keep_commits_ms: 0 };
    assert_eq!(fixture.log.maintain(&options, NOW + 1000).unwrap().commits_removed, 6);
    assert_eq!(behind.commit(&old, &adds([file("z")]), NOW).unwrap(), Outcome::Conflict);
    assert!(!fixture.log_file(1).exists());
    assert_eq!(old.transaction("job").unwrap(), Some(1));
    let now = behind.snapshot(At::Latest).unwrap();
    assert_eq!((now.version, now.files.len()), (6, 6));
    assert_eq!(behind.commit(&now, &adds([file("z")]), NOW).unwrap(), Outcome::Committed(7));
}

#[test]
fn a_long_lived_handle_reads_anew_now_and_then() {
    let fixture = fixture();
    fixture.add("a", NOW);
    fixture.add("b", NOW + AGE_MS_MAX + 10);
    assert!(lock(&fixture.log.latest).age_ms() > AGE_MS_MAX);
    let snapshot = fixture.latest();
    assert_eq!(snapshot.age_ms(), 0);
    assert_eq!(names(&snapshot), ["a", "b"]);
    assert!(Arc::ptr_eq(&snapshot, &fixture.latest()));
}

#[test]
fn going_on_commit_by_commit_gives_what_the_kernel_reads() {
    let fixture = fixture();
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let follower = fixture.reopen();
    for number in 0..60_i64 {
        let base = fixture.latest();
        let mut change = adds((0..random(3)).map(|part| file(&format!("{number:02}-{part}"))));
        let goes = base.files.iter().filter(|_| random(8) == 0).map(|file| file.path.clone());
        change.removes = goes.collect();
        change.transactions = vec![(format!("app-{}", random(5)), number)];
        if random(6) == 0 {
            let mut schema = base.schema.clone();
            schema.push(column(&format!("c{number}"), ColumnType::Text, None)).unwrap();
            change.schema = Some(schema);
        }
        fixture.commit(&change, NOW + number);
        if random(9) == 0 {
            let options = LogMaintenance { checkpoint_every: 1, keep_commits_ms: 10 };
            fixture.log.maintain(&options, NOW + number).unwrap();
        }
        let fresh = Snapshot::load(&fixture.log.table, None).unwrap();
        let reopened = fixture.reopen().snapshot(At::Latest).unwrap();
        let followed = follower.snapshot(At::Latest).unwrap();
        for other in [&fixture.latest(), &reopened, &followed] {
            assert_eq!(seen(&fresh), seen(other));
            for app in 0..5 {
                let app = format!("app-{app}");
                assert_eq!(fresh.transaction(&app).unwrap(), other.transaction(&app).unwrap());
            }
        }
    }
    check_chain(&fixture.log);
}

/// A table of three commits whose last is cut as `cut` says, opened again.
fn cut_last(cut: impl Fn(&str) -> String) -> (Fixture, Result<Log>) {
    let fixture = fixture();
    fixture.add("a", NOW);
    fixture.add("b", NOW);
    let text = std::fs::read_to_string(fixture.log_file(2)).unwrap();
    std::fs::write(fixture.log_file(2), cut(&text)).unwrap();
    let log = Log::open(Arc::clone(&fixture.storage), "");
    (fixture, log)
}

#[test]
fn a_torn_last_commit_is_moved_aside() {
    let first_line = |text: &str| text.lines().next().unwrap().to_string();
    let cuts: [&dyn Fn(&str) -> String; 5] = [
        &|_| String::new(),
        &|text| text[..10].to_string(),
        &|text| text[..text.len() - 20].to_string(),
        &first_line,
        &|text| first_line(text) + "\n",
    ];
    for cut in cuts {
        let (fixture, log) = cut_last(cut);
        let log = log.unwrap();
        let [warning] = log.warnings() else { panic!("{:?}", log.warnings()) };
        assert!(warning.contains("_delta_log/00000000000000000002.json"), "{warning}");
        let aside = fixture.folder.path().join("_delta_log/_torn/00000000000000000002.json.0");
        assert!(aside.exists() && !fixture.log_file(2).exists());
        let snapshot = log.snapshot(At::Latest).unwrap();
        assert_eq!((snapshot.version, names(&snapshot)), (1, vec!["a"]));
        assert_eq!(log.commit(&snapshot, &adds([file("c")]), NOW).unwrap(), Outcome::Committed(2));
        assert!(fixture.reopen().warnings().is_empty());
        assert_eq!(names(&fixture.reopen().snapshot(At::Latest).unwrap()), ["a", "c"]);
        check_chain(&log);
    }
}

#[test]
fn a_lost_line_feed_at_the_end_is_no_tear() {
    let (fixture, log) = cut_last(|text| text.trim_end().to_string());
    assert_eq!(names(&log.unwrap().snapshot(At::Latest).unwrap()), ["a", "b"]);
    assert!(fixture.reopen().warnings().is_empty());
}

#[test]
fn a_torn_commit_in_the_middle_is_an_error() {
    for torn in ["", "{\"add\":"] {
        let fixture = fixture();
        for name in ["a", "b", "c"] {
            fixture.add(name, NOW);
        }
        std::fs::write(fixture.log_file(2), torn).unwrap();
        let error = Log::open(Arc::clone(&fixture.storage), "").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().contains("_delta_log/00000000000000000002.json"), "{error}");
        std::fs::write(fixture.log_file(3), torn).unwrap();
        let error = Log::open(Arc::clone(&fixture.storage), "").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(fixture.log_file(2).exists() && fixture.log_file(3).exists());
    }
}

#[test]
fn a_torn_first_commit_leaves_no_table_and_another_can_be_made() {
    let fixture = fixture();
    std::fs::write(fixture.log_file(0), "{\"protocol\":").unwrap();
    let error = Log::open(Arc::clone(&fixture.storage), "").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let log = Log::create(Arc::clone(&fixture.storage), "", &new_table(), NOW).unwrap();
    assert_eq!(log.snapshot(At::Latest).unwrap().version, 0);
}

#[test]
fn a_whole_commit_that_is_not_understood_is_not_taken_for_torn() {
    let fixture = fixture();
    fixture.add("a", NOW);
    std::fs::write(fixture.log_file(2), r#"{"add":{"path":7}}"#).unwrap();
    let error = Log::open(Arc::clone(&fixture.storage), "").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.message().contains("00000000000000000002.json"), "{error}");
    assert!(fixture.log_file(2).exists());
}

#[test]
fn a_commit_that_tears_while_the_table_is_open_is_an_error() {
    let fixture = fixture();
    std::fs::write(fixture.log_file(1), "{").unwrap();
    let error = fixture.log.snapshot(At::Latest).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.hint().unwrap().contains("open the store again"), "{error:?}");
}

/// Writes version 0 with a change of its text, and opens it.
fn open_changed(change: impl Fn(String) -> String) -> Error {
    let fixture = fixture();
    let text = std::fs::read_to_string(fixture.log_file(0)).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed);
    std::fs::write(fixture.log_file(0), changed).unwrap();
    Log::open(Arc::clone(&fixture.storage), "").unwrap_err()
}

#[test]
fn what_this_version_does_not_know_is_refused() {
    let check = |from: &str, to: &str, expected: &str| {
        let error = open_changed(|text| text.replace(from, to));
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.message().contains(expected), "{error}");
    };
    check("\"daybook.format\":\"1\"", "\"daybook.format\":\"2\"", "the format `2`");
    check("\"daybook.format\":\"1\"", "\"daybook.format\":\"?\"", "the format `?`");
    check("\"daybook.format\":\"1\"", "\"other\":\"1\"", "no property `daybook.format`");
    check("\\\"type\\\":\\\"byte\\\"", "\\\"type\\\":\\\"float\\\"", "the type `\"float\"`");
    let versions = "\"minReaderVersion\":1,\"minWriterVersion\":2";
    let with = |reader: &str, writer: &str| {
        format!(
            "\"minReaderVersion\":3,\"minWriterVersion\":7,\
            \"readerFeatures\":[{reader}],\"writerFeatures\":[{writer}]"
        )
    };
    check(versions, &with("\"deletionVectors\"", "\"deletionVectors\""), "`deletionVectors`");
    check(versions, &with("\"fromTheFuture\"", "\"fromTheFuture\""), "");
    check(versions, &with("", "\"rowTracking\",\"domainMetadata\""), "`rowTracking`");
    check(versions, "\"minReaderVersion\":2,\"minWriterVersion\":5", "reader version 2");
    check(versions, "\"minReaderVersion\":1,\"minWriterVersion\":4", "writer version 4");
}

#[test]
fn harmless_features_are_accepted() {
    let fixture = fixture();
    let text = std::fs::read_to_string(fixture.log_file(0)).unwrap();
    let changed = text.replace(
        "\"minReaderVersion\":1,\"minWriterVersion\":2",
        "\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"appendOnly\",\"invariants\"]",
    );
    assert_ne!(text, changed);
    std::fs::write(fixture.log_file(0), changed).unwrap();
    assert_eq!(fixture.reopen().snapshot(At::Latest).unwrap().version, 0);
}

#[test]
fn commits_of_other_programs_are_read_and_the_chain_goes_on() {
    let fixture = fixture();
    fixture.add("a", NOW + 10);
    let foreign = concat!(
        r#"{"add":{"path":"day=2026-02-03/x%20y.parquet","partitionValues":{"day":"2026-02-03"},"#,
        r#""size":9,"modificationTime":5,"dataChange":true,"stats":"{\"numRecords\":3}"}}"#,
        "\n",
        r#"{"remove":{"path":"day=2026-02-03/a","dataChange":true}}"#,
        "\n",
        r#"{"domainMetadata":{"domain":"d","configuration":"","removed":false}}"#,
    );
    let opened_before = fixture.reopen();
    std::fs::write(fixture.log_file(2), foreign).unwrap();
    for log in [&opened_before, &fixture.reopen(), &fixture.log] {
        let snapshot = log.snapshot(At::Latest).unwrap();
        let [file] = snapshot.files.as_slice() else { panic!("{snapshot:?}") };
        assert_eq!((file.path.as_str(), file.rows, file.size), ("day=2026-02-03/x y.parquet", 3, 9));
        assert_eq!((file.file_hash.as_str(), file.rows_hash.as_str()), ("", ""));
        assert_eq!(snapshot.chain_head(), log.chain_record(1).unwrap().unwrap().hash);
        assert_eq!(log.chain_record(2).unwrap(), None);
        assert!(log.commits(2, 2).unwrap().iter().all(|commit| commit.chain.is_none()));
    }
    // It has no time of its own; ours comes after the time of its file.
    let version = fixture.add("b", NOW + 20);
    assert_eq!(version, 3);
    let times: Vec<_> = fixture.log.commits(1, 3).unwrap().iter().map(|c| c.timestamp_ms).collect();
    assert!(times.is_sorted_by(|one, next| one < next), "{times:?}");
    check_chain(&fixture.reopen());
    let options = LogMaintenance { checkpoint_every: 1, keep_commits_ms: 0 };
    assert_eq!(fixture.log.maintain(&options, i64::MAX / 2).unwrap().commits_removed, 3);
    check_chain(&fixture.reopen());
    assert_eq!(names(&fixture.reopen().snapshot(At::Latest).unwrap()), ["b", "x y.parquet"]);
}

#[test]
fn a_foreign_file_without_a_day_is_named() {
    let fixture = fixture();
    let foreign = concat!(
        r#"{"add":{"path":"f","partitionValues":{"day":null},"#,
        r#""size":9,"modificationTime":5,"dataChange":true}}"#
    );
    std::fs::write(fixture.log_file(1), foreign).unwrap();
    for error in [
        fixture.log.snapshot(At::Latest).unwrap_err(),
        Log::open(Arc::clone(&fixture.storage), "").unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().contains("`f` has no day"), "{error}");
    }
}

#[test]
fn strange_paths_and_folders_survive() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("my store 100% #1 ünï");
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(&root));
    let log = Log::create(Arc::clone(&storage), "", &new_table(), NOW).unwrap();
    let strange = file("a b%20c#d?e=f\u{fc}\u{1f600}&[x]{y}\"'\\.parquet");
    let change = adds([strange.clone(), file("plain")]);
    assert_eq!(log.commit(&log.snapshot(At::Latest).unwrap(), &change, NOW).unwrap(), Outcome::Committed(1));
    let change = Change { removes: vec![strange.path.clone()], ..adds([file("other")]) };
    assert_eq!(log.commit(&log.snapshot(At::Latest).unwrap(), &change, NOW).unwrap(), Outcome::Committed(2));
    for log in [log, Log::open(storage, "").unwrap()] {
        assert_eq!(names(&log.snapshot(At::Latest).unwrap()), ["other", "plain"]);
        let before = log.snapshot(At::Version(1)).unwrap();
        assert!(before.files.contains(&strange), "{:?}", before.files);
        check_chain(&log);
    }
}

/// Fails one operation on the disk.
#[derive(Debug)]
struct FailAt {
    countdown: AtomicUsize,
}

impl FailAt {
    fn new(operation: usize) -> Arc<Self> {
        Arc::new(FailAt { countdown: AtomicUsize::new(operation) })
    }

    /// Whether there were so many operations.
    fn has_failed(&self) -> bool {
        self.countdown.load(Ordering::SeqCst) == 0
    }
}

impl Probe for FailAt {
    fn before(&self, _operation: Operation, _path: &Path) -> std::io::Result<()> {
        match self.countdown.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(1) => Err(std::io::Error::other("the probe fails it")),
            _ => Ok(()),
        }
    }
}

#[test]
fn upkeep_that_fails_anywhere_loses_nothing() {
    let options = LogMaintenance { checkpoint_every: 4, keep_commits_ms: 0 };
    let mut failures = 0;
    for operation in 1.. {
        let fixture = fixture();
        for number in 1..=6 {
            fixture.add(&number.to_string(), NOW);
        }
        let probe = FailAt::new(operation);
        let failing = Arc::new(LocalStorage::with_probe(fixture.folder.path(), probe.clone()));
        let result = Log::open(failing, "").unwrap().maintain(&options, NOW + 1000);
        let whole: HashSet<String> = (1..=6).map(|number| number.to_string()).collect();
        for log in [&fixture.reopen(), &fixture.log] {
            let snapshot = log.snapshot(At::Latest).unwrap();
            assert_eq!(names(&snapshot).into_iter().map(str::to_string).collect::<HashSet<_>>(), whole);
            check_chain(log);
        }
        fixture.log.maintain(&options, NOW + 2 * CLEAN_UP_EVERY_MS).unwrap();
        assert_eq!(history::earliest(&fixture.log.table).unwrap(), Some(6));
        check_chain(&fixture.reopen());
        if let Err(error) = &result {
            assert!(error.to_string().contains("the probe fails it"), "{error}");
        }
        if !probe.has_failed() {
            assert_eq!(result.unwrap().commits_removed, 6);
            break;
        }
        failures += 1;
    }
    assert!(failures > 20, "only {failures} operations failed");
}

#[test]
fn a_commit_that_fails_is_there_or_not() {
    let mut failures = 0;
    for operation in 1.. {
        let fixture = fixture();
        let probe = FailAt::new(operation);
        let failing = Arc::new(LocalStorage::with_probe(fixture.folder.path(), probe.clone()));
        let failing = Log::open(failing, "").unwrap();
        let base = failing.snapshot(At::Latest).unwrap();
        let result = failing.commit(&base, &adds([file("a")]), NOW);
        let after = fixture.reopen().snapshot(At::Latest).unwrap();
        assert_eq!(seen(&after), seen(&failing.snapshot(At::Latest).unwrap()));
        check_chain(&failing);
        if let Ok(outcome) = result {
            assert_eq!((outcome, after.version), (Outcome::Committed(1), 1));
        }
        if !probe.has_failed() {
            break;
        }
        failures += 1;
    }
    assert!(failures > 3, "only {failures} operations failed");
}
