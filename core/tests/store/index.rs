//! The index: it answers as the data files do, and may be late, damaged or gone.

use crate::support::fast_folder;
use daybook::event::fixed::Fixed;
use daybook::index::{Index, Wanted};
use daybook::log::{At, Log};
use daybook::storage::LocalStorage;
use daybook::{AskOptions, CompactRequest, IngestOptions, Input, NoProgress, QueryRequest, Store};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// 2026-01-01, in milliseconds.
const START_MS: i64 = 1_767_225_600_000;

/// The store in a folder, made if it is not there, forty days after its first event.
fn open(folder: &Path) -> Store {
    let clock = || (START_MS + 40 * 86_400_000) * 1_000;
    Store::create_storage(LocalStorage::new(folder), Arc::new(clock)).unwrap()
}

/// Stores so many days of events in which much is null, of another type, or elsewhere.
fn ingest(store: &Store, name: &str, days: std::ops::Range<i64>, events: i64) {
    let mut lines = String::new();
    for day in days {
        for number in 0..events {
            let ts = START_MS + day * 86_400_000 + number * 1_000;
            let mut event = json!({"ts": ts, "id": format!("{name}-{day}-{number}"), "kind": format!("kind{}", number % 3)});
            let fields = event.as_object_mut().unwrap();
            if number % 2 == 0 {
                fields.insert("level".into(), json!(["info", "error", "debug"][(day % 3) as usize]));
                fields.insert("session".into(), json!(format!("session-{day}")));
            }
            if number % 3 == 0 {
                fields.insert(
                    "user".into(),
                    json!(if day == 7 { json!(7) } else { json!(format!("user{}", day % 5)) }),
                );
                fields.insert("resource_type".into(), json!("order"));
                fields.insert("resource_id".into(), json!(format!("order-{}", day * 100 + number)));
            }
            if number % 5 == 0 {
                fields
                    .insert("status".into(), if day % 2 == 0 { json!("failure") } else { json!(500 + day) });
                fields.insert("duration_ms".into(), json!(number as f64 + 0.5));
                fields
                    .insert("request_id".into(), if day == 3 { json!(3) } else { json!(format!("r{day}")) });
                fields.insert("value".into(), json!(number));
            }
            lines.push_str(&format!("{event}\n"));
        }
    }
    let reader = Box::new(std::io::Cursor::new(lines.into_bytes()));
    let input = Input::Reader { name: name.to_string(), reader };
    store.ingest(vec![input], &IngestOptions::default(), &NoProgress).unwrap();
}

fn questions() -> Vec<Value> {
    let one_of = |text: &str| json!({"filter": text});
    let mut questions = vec![
        json!({"analysis": "stats"}),
        json!({"analysis": "facets", "by": ["kind", "level", "status", "actor"]}),
        json!({"analysis": "facets", "by": ["kind", "value", "request_id"]}),
        json!({"analysis": "timeline", "by": "kind", "every": "1d"}),
        json!({"analysis": "timeline", "by": "status_code", "every": "1d"}),
        json!({"analysis": "metrics", "window_minutes": 100_000}),
        json!({"analysis": "show", "id": "a-11-4"}),
        json!({"analysis": "show", "id": "nobody"}),
        json!({"analysis": "session", "id": "session-9"}),
        json!({"analysis": "trace", "id": "r12"}),
        json!({"analysis": "trace", "id": "3"}),
        json!({"analysis": "history", "entity_type": "order", "entity_id": "order-1203"}),
        json!({"analysis": "slowest", "limit": 5}),
        json!({"analysis": "search", "columns": ["seq", "kind"], "limit": 7, "filter": "level:error"}),
    ];
    for filter in [
        "level:debug",
        "severity>=error",
        "error",
        "status:failure",
        "status:505",
        "value:10",
        "request_id:3",
        "actor:user1",
        "actor:7",
        "kind:kind1 day:2026-01-09",
        "since:2026-01-05 until:2026-01-25",
        "-kind:kind0",
        "session:session-4 or session:session-5",
        "entity_id:order-*",
        "nothing",
        "recorded_at>2020-01-01",
    ] {
        let mut question = one_of(filter);
        question["analysis"] = json!("stats");
        questions.push(question);
    }
    questions
}

/// Queries over columns that the index has copies of, that it makes copies of, and that it cannot copy.
const QUERIES: [&str; 9] = [
    "SELECT count(*) AS n FROM events",
    "SELECT value, count(*) AS n FROM events GROUP BY 1 ORDER BY 1",
    "SELECT value, count(*) AS n, max(day) AS d FROM events WHERE kind = 'kind0' GROUP BY 1 ORDER BY 1",
    "SELECT count(*) AS n FROM events WHERE value = 10 AND ts >= '2026-01-20'",
    "SELECT request_id, count(*) AS n FROM events GROUP BY 1 ORDER BY 1",
    "SELECT status_code AS value, min(recorded_at) IS NULL AS n FROM events GROUP BY 1 ORDER BY 1",
    "SELECT e.value, count(*) AS n FROM events e JOIN events f USING (seq) GROUP BY 1 ORDER BY 1",
    "SELECT day, entity_id, session FROM events ORDER BY ALL",
    "SELECT * EXCLUDE (seq, recorded_at) FROM events ORDER BY event_id",
];

fn rows(store: &Store, sql: &str, at: At) -> Vec<daybook::query::analyses::Row> {
    let batches =
        store.query(&QueryRequest { at, ..QueryRequest::new(sql) }).unwrap().collect::<Result<Vec<_>, _>>();
    daybook::query::analyses::Answer::of(&batches.unwrap()).unwrap().rows
}

fn answers(store: &Store, at: At) -> Vec<Value> {
    let mut answers = Vec::new();
    for question in questions() {
        let answer = store.ask_json(question.clone(), &AskOptions { at, ..AskOptions::default() });
        answers.push(match answer {
            Ok(answer) => answer,
            Err(error) => panic!("{question}: {error}"),
        });
    }
    for sql in QUERIES {
        let (once, again) = (rows(store, sql, at), rows(store, sql, at));
        assert_eq!(once, again, "{sql}");
        answers.push(json!(once.iter().map(|row| &row.0).collect::<Vec<_>>()));
    }
    answers
}

/// The answers of the same store without its index.
fn plain_answers(folder: &Path) -> Vec<Value> {
    let hidden = folder.with_extension("hidden");
    fs::rename(folder.join("_index"), &hidden).unwrap();
    let store = open(folder);
    // Questions about a version make no copies.
    let answers = answers(&store, At::Version(store.info().unwrap().version));
    assert!(!folder.join("_index").exists());
    fs::rename(&hidden, folder.join("_index")).unwrap();
    answers
}

fn assert_same(folder: &Path) {
    let (with, without) = (answers(&open(folder), At::Latest), plain_answers(folder));
    let asked = questions().into_iter().chain(QUERIES.map(|sql| json!(sql)));
    for ((question, with), without) in asked.zip(with).zip(without) {
        assert_eq!(with, without, "{question}");
    }
}

fn index_files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("_index")).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

fn data_files(folder: &Path) -> Vec<PathBuf> {
    let days = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let days = days.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("day="));
    let mut files: Vec<_> =
        days.flat_map(|day| fs::read_dir(day).unwrap()).map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn answers_are_the_same_with_the_index_without_it_and_while_it_is_late() {
    let (folder, older) = (fast_folder(), AskOptions { at: At::Version(1), ..AskOptions::default() });
    let folder = folder.path().join("store");
    let store = open(&folder);
    ingest(&store, "a", 0..40, 30);
    assert_eq!(index_files(&folder, "filters").len(), 1);
    assert_same(&folder);
    let before = store.ask_json(json!({"analysis": "stats"}), &older).unwrap();
    assert_eq!(before["total"], 1_200);
    // Too few files for another segment.
    ingest(&store, "b", 38..45, 20);
    assert_eq!(index_files(&folder, "filters").len(), 1);
    assert_same(&folder);
    // Files that segments cover go, and others come for them: of the two days with several files, and of the ten that
    // are old enough to be compressed harder.
    let receipt = store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    assert_eq!(receipt.days, 2 + 10);
    assert_eq!(index_files(&folder, "filters").len(), 2);
    assert_same(&folder);
    ingest(&store, "c", 60..90, 20);
    assert_eq!(index_files(&folder, "filters").len(), 3);
    assert_same(&folder);
    assert_eq!(store.ask_json(json!({"analysis": "stats"}), &older).unwrap(), before);
    store.close().unwrap();
}

#[test]
fn questions_about_narrow_columns_and_ids_open_no_other_data_files() {
    let folder = fast_folder();
    let store = Store::open_or_create(folder.path()).unwrap();
    ingest(&store, "a", 0..40, 30);
    let stats = |store: &Store| store.ask_json(json!({"analysis": "stats"}), &AskOptions::default());
    let show =
        |store: &Store| store.ask_json(json!({"analysis": "show", "id": "a-11-4"}), &AskOptions::default());
    let (all, one) = (stats(&store).unwrap(), show(&store).unwrap());
    assert_eq!((&all["total"], &one["events"][0]["kind"]), (&json!(1_200), &json!("kind1")));
    for file in data_files(folder.path()) {
        if !file.to_string_lossy().contains("day=2026-01-12") {
            fs::write(file, "no Parquet").unwrap();
        }
    }
    assert_eq!(stats(&store).unwrap(), all);
    assert_eq!(show(&store).unwrap(), one);
    store.ask_json(json!({"analysis": "facets", "by": ["value"]}), &AskOptions::default()).unwrap_err();
    fs::remove_dir_all(folder.path().join("_index")).unwrap();
    stats(&store).unwrap_err();
}

#[test]
fn a_copy_of_a_field_is_made_when_it_is_asked_for_and_stands_in_for_the_files() {
    let folder = fast_folder();
    let store = open(folder.path());
    ingest(&store, "a", 0..40, 30);
    let expected = rows(&store, QUERIES[1], At::Latest);
    let [copy] = index_files(folder.path(), "copy").try_into().unwrap();
    for file in data_files(folder.path()) {
        fs::write(file, "no Parquet").unwrap();
    }
    assert_eq!(rows(&open(folder.path()), QUERIES[1], At::Latest), expected);
    // What it is of cannot be read any more: the files are opened.
    fs::write(copy, "{").unwrap();
    let read = open(folder.path()).query(&QueryRequest::new(QUERIES[1]));
    assert!(read.and_then(|rows| rows.collect::<Result<Vec<_>, _>>()).is_err());
}

#[test]
fn a_damaged_index_is_left_alone_and_made_anew() {
    let folder = fast_folder();
    let store = open(folder.path());
    ingest(&store, "a", 0..40, 30);
    let [filters] = index_files(folder.path(), "filters").try_into().unwrap();
    let whole = fs::read(&filters).unwrap();
    let mut flipped = whole.clone();
    let place = whole.len() - 100;
    flipped[place] ^= 1;
    for damaged in [&whole[..whole.len() / 2], &whole[..7], &[], &flipped] {
        fs::write(&filters, damaged).unwrap();
        let store = open(folder.path());
        let ask = |question| store.ask_json(question, &AskOptions::default()).unwrap();
        assert_eq!(ask(json!({"analysis": "stats"}))["total"], 1_200);
        assert_eq!(ask(json!({"analysis": "show", "id": "a-11-4"}))["events"][0]["kind"], "kind1");
    }
    store.close().unwrap();
    let store = Store::open(folder.path()).unwrap();
    ingest(&store, "b", 50..51, 3);
    assert_eq!(index_files(folder.path(), "filters").len(), 2);
    store.close().unwrap();
}

#[test]
fn segments_that_nobody_needs_go_after_a_time_of_grace() {
    let folder = fast_folder();
    let store = Store::open_or_create(folder.path()).unwrap();
    ingest(&store, "a", 0..20, 3);
    ingest(&store, "b", 20..60, 3);
    assert_eq!(index_files(folder.path(), "parquet").len(), 2, "the small segment is part of the large one");
    let storage = Arc::new(LocalStorage::new(folder.path()));
    let live = Log::open(storage.clone(), "").unwrap().snapshot(At::Latest).unwrap();
    let index = Index::new(storage);
    let now_us = || std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros() as i64;
    assert_eq!(index.clean(&live.files, now_us()).unwrap(), 0);
    assert_eq!(index.clean(&live.files, now_us() + 3_700_000_000).unwrap(), 2);
    assert_eq!(index_files(folder.path(), "parquet").len(), 1);
    let columns = [Fixed::Kind.column()];
    let wanted = Wanted { columns: &columns, live: None, threads: 1 };
    assert_eq!(index.cover(live.files.clone(), &wanted).unwrap().files, []);
    store.close().unwrap();
}
