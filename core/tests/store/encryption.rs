//! Encryption at rest: nothing of an event can be read without the key, and everything works with it.

use crate::support::{self, fast_folder, number};
use daybook::query::filter::{Context, Filter};
use daybook::verify::VerifyRequest;
use daybook::{
    CompactRequest, Durability, EraseRequest, Error, ErrorKind, IngestOptions, Input, Keys, NoProgress,
    QueryRequest, RetryOptions, Store, StoreOptions,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Words of events: of values, names of fields that nothing else has, templates, rejects.
const WORDS: [&str; 6] =
    ["person4711", "violetstreet", "unparsable", "teaches", "svc-marigold", "lilac.example"];

fn keys(text: &str) -> Arc<Keys> {
    Arc::new(Keys::parse(text, "a test").unwrap())
}

fn one() -> String {
    "1a".repeat(32)
}

fn other() -> String {
    "2b".repeat(32)
}

fn options(text: &str) -> StoreOptions {
    StoreOptions { keys: Some(keys(text)) }
}

fn open(folder: &Path, text: &str) -> Result<Store, Error> {
    Store::open_with(folder, &options(text))
}

fn plain(folder: &Path) -> Result<Store, Error> {
    Store::open(folder)
}

fn line(number: usize) -> String {
    format!(
        r#"{{"timestamp":"2026-02-{:02}T10:{:02}:00Z","user":"person4711","source":"svc-marigold","message":"person{} teaches at violetstreet {number}","host":"lilac.example","n":{number}}}"#,
        number % 20 + 1,
        number % 60,
        number % 7,
    )
}

fn fill(store: &Store) {
    let mut text: String = (0..500).map(|number| line(number) + "\n").collect();
    text.push_str("unparsable {\n");
    let input = Input::Reader {
        name: "lines".to_string(),
        reader: Box::new(std::io::Cursor::new(text.into_bytes())),
    };
    let receipt = store.ingest(vec![input], &IngestOptions::default(), &NoProgress).unwrap();
    assert_eq!((receipt.stored, receipt.quarantined), (500, 1));
    for number in 500..520 {
        store.append_json(line(number).as_bytes(), Durability::Fsync).unwrap();
    }
    store.append_json(b"{unparsable", Durability::Fsync).unwrap();
}

fn count(store: &Store) -> i64 {
    number(store, "SELECT count(*) FROM events")
}

fn texts(store: &Store, sql: &str) -> Vec<String> {
    support::texts(store, sql).unwrap().into_iter().flatten().collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// What in a store can be read that ought not to be.
fn readable(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(folder) {
        let bytes = std::fs::read(&path).unwrap();
        let name = path.strip_prefix(folder).unwrap().display().to_string();
        let text = String::from_utf8_lossy(&bytes);
        found.extend(WORDS.iter().filter(|word| text.contains(**word)).map(|word| format!("{name}: {word}")));
        // What is compressed would hide words.
        let is_checkpoint = name.contains("_delta_log");
        if name.ends_with(".parquet") && !is_checkpoint && !bytes.ends_with(b"PARE") {
            found.push(format!("{name}: its footer"));
        }
        if name.ends_with(".zst") && !bytes.starts_with(b"DBKSEAL1") {
            found.push(format!("{name}: templates"));
        }
        if name.ends_with(".wal") && !bytes.starts_with(b"DBKWAL2\n") {
            found.push(format!("{name}: a log"));
        }
    }
    found
}

fn verified(store: &Store) {
    let request = VerifyRequest { deep: true, ..VerifyRequest::default() };
    let report = store.verify(&request, &NoProgress).unwrap();
    assert!(report.intact, "{:?}", report.problems);
}

#[test]
fn no_file_of_an_encrypted_store_has_a_word_of_its_events() {
    let folder = fast_folder();
    let place = folder.path().join("store");
    let store = Store::open_or_create_with(&place, &options(&one())).unwrap();
    fill(&store);
    assert_eq!(readable(&place), Vec::<String>::new());
    assert!(files(&place).iter().any(|file| file.extension().is_some_and(|end| end == "wal")));
    assert_eq!(count(&store), 520);
    store.seal().unwrap();
    store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    assert_eq!(readable(&place), Vec::<String>::new());
    assert_eq!(count(&store), 520);
    verified(&store);
    store.close().unwrap();
    let commits = files(&place.join("_delta_log"));
    let commits: Vec<String> = commits.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    assert!(commits.iter().any(|text| text.contains("daybook.key") && text.contains("numRecords")));
    let shown = commits.iter().any(|text| text.contains(r#"nullCount\":{\"actor"#));
    assert!(!shown, "statistics of columns are shown");
}

#[test]
fn everything_that_reads_works_on_an_encrypted_store() {
    let folder = fast_folder();
    let place = folder.path().join("store");
    let store = Store::open_or_create_with(&place, &options(&one())).unwrap();
    fill(&store);
    store.close().unwrap();
    let store = open(&place, &one()).unwrap();
    assert_eq!(count(&store), 520);
    assert_eq!(texts(&store, "SELECT actor FROM events WHERE n = 77"), ["person4711"]);
    assert_eq!(texts(&store, "SELECT raw FROM quarantine WHERE raw LIKE 'unp%'"), ["unparsable {"]);
    assert_eq!(texts(&store, "SELECT count(DISTINCT template)::VARCHAR FROM events"), ["1"]);
    assert_eq!(
        store.changes(None, 1000).unwrap().events.iter().map(|batch| batch.num_rows()).sum::<usize>(),
        520
    );
    let mut out = Vec::new();
    let written = store.export(
        &daybook::ExportRequest::default(),
        &daybook::AskOptions::default(),
        &mut out,
        &NoProgress,
    );
    assert_eq!(written.unwrap(), 520);
    assert!(String::from_utf8(out).unwrap().contains("violetstreet 519"));
    let copy = folder.path().join("copy");
    store.backup(&copy, &NoProgress).unwrap();
    assert_eq!(readable(&copy), Vec::<String>::new());
    assert_eq!(count(&open(&copy, &one()).unwrap()), 520);
    assert_eq!(plain(&copy).unwrap_err().kind(), ErrorKind::Permission);
    assert_eq!(store.retry_quarantine(&RetryOptions::default(), &NoProgress).unwrap().still, 2);
    let info = store.info().unwrap();
    assert_eq!((info.events, info.warnings), (520, Vec::new()));
    verified(&store);
}

#[test]
fn without_its_key_a_store_says_which_it_needs() {
    let folder = fast_folder();
    let place = folder.path().join("store");
    let store = Store::open_or_create_with(&place, &options(&one())).unwrap();
    fill(&store);
    store.close().unwrap();
    let id = keys(&one()).first().id().to_string();
    let wrong: [(&str, Result<Store, Error>); 4] = [
        ("no key", plain(&place)),
        ("another key", open(&place, &other())),
        ("no key to write", Store::open_or_create(&place)),
        ("another key to write", Store::open_or_create_with(&place, &options(&other()))),
    ];
    for (case, opened) in wrong {
        let error = opened.expect_err(case);
        assert_eq!(error.kind(), ErrorKind::Permission, "{case}");
        assert!(error.message().contains(&id), "{case}: {error}");
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains(&one()) && !shown.contains(&other()), "{case}: {shown}");
    }
    // Whoever removes the file that says so does not get further.
    std::fs::remove_file(place.join("_encryption")).unwrap();
    let error = plain(&place).unwrap_err();
    assert!(error.message().contains(&id), "{error}");
}

#[test]
fn the_settings_name_the_file_of_the_key() {
    let folder = fast_folder();
    let place = folder.path().join("store");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("daybook.toml"), "[encryption]\nkey_file = \"../key\"\n").unwrap();
    assert_eq!(Store::open_or_create(&place).unwrap_err().kind(), ErrorKind::Invalid);
    std::fs::write(folder.path().join("key"), one()).unwrap();
    let store = Store::open_or_create(&place).unwrap();
    fill(&store);
    let warnings = store.info().unwrap().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("can be read by others")), "{warnings:?}");
    store.close().unwrap();
    assert_eq!(readable(&place), Vec::<String>::new());
    assert_eq!(count(&plain(&place).unwrap()), 520);
}

#[test]
fn questions_show_no_key() {
    let folder = fast_folder();
    let store = Store::open_or_create_with(&folder.path().join("store"), &options(&one())).unwrap();
    fill(&store);
    store.seal().unwrap();
    let secret = base64(&[0x1a; 32]);
    for sql in [
        "SELECT sql FROM duckdb_views()",
        "SELECT name || value FROM duckdb_settings()",
        "EXPLAIN SELECT * FROM events",
        "EXPLAIN ANALYZE SELECT count(*) FROM events WHERE n > 3",
        "SELECT * FROM duckdb_logs()",
        "SELECT current_setting('temp_directory')",
        "SELECT * FROM read_parquet('x', encryption_config = {footer_key: 'daybook'})",
        "PRAGMA add_parquet_key('a', 'b')",
    ] {
        let shown = match store.query(&QueryRequest::new(sql)) {
            Err(error) => format!("{error:?}"),
            Ok(rows) => rows.map(|batch| format!("{batch:?}")).collect(),
        };
        assert!(!shown.contains(&secret) && !shown.contains(&one()), "{sql}: {shown}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

#[test]
fn a_store_half_of_which_is_encrypted_is_read_and_says_so() {
    let folder = fast_folder();
    let place = folder.path().join("store");
    let store = Store::open_or_create(&place).unwrap();
    fill(&store);
    store.seal().unwrap();
    store.close().unwrap();
    let store = Store::open_or_create_with(&place, &options(&one())).unwrap();
    store.append_json(line(520).as_bytes(), Durability::Fsync).unwrap();
    store.seal().unwrap();
    assert_eq!(count(&store), 521);
    assert_eq!(texts(&store, "SELECT message FROM events WHERE n = 520").len(), 1);
    let warnings = store.info().unwrap().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("data files are not encrypted")), "{warnings:?}");
    verified(&store);
    let head = store.head().unwrap();
    let receipt = store.encrypt(&NoProgress).unwrap();
    assert!(receipt.is_complete() && receipt.events == 520, "{receipt:?}");
    assert_eq!(readable(&place), Vec::<String>::new());
    assert_eq!((count(&store), store.info().unwrap().warnings), (521, Vec::new()));
    verified(&store);
    let request = VerifyRequest { against: Some(head), ..VerifyRequest::default() };
    assert!(store.verify(&request, &NoProgress).unwrap().intact);
    let again = store.encrypt(&NoProgress).unwrap();
    assert_eq!((again.files, again.others), (0, 0));
}

#[test]
fn another_key_takes_the_place_of_the_first() {
    let folder = fast_folder();
    let place = folder.path().join("store");
    let store = Store::open_or_create_with(&place, &options(&one())).unwrap();
    fill(&store);
    store.close().unwrap();
    let both = format!("{}\n{}\n", other(), one());
    let store = open(&place, &both).unwrap();
    assert_eq!(count(&store), 520);
    let receipt = store.encrypt(&NoProgress).unwrap();
    assert!(receipt.is_complete() && receipt.events == 500, "{receipt:?}");
    verified(&store);
    store.close().unwrap();
    let store = open(&place, &other()).unwrap();
    assert_eq!(count(&store), 520);
    assert_eq!(texts(&store, "SELECT reason FROM quarantine").len(), 2);
    assert_eq!(open(&place, &one()).unwrap_err().kind(), ErrorKind::Permission);
    let id = keys(&one()).first().id();
    for file in files(&place).iter().filter(|file| !file.display().to_string().contains("_delta_log")) {
        let bytes = std::fs::read(file).unwrap();
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
        assert!(!has(&id.bytes()) && !has(id.to_string().as_bytes()), "{} has the old key", file.display());
    }
}

#[test]
fn an_erasure_in_an_encrypted_store_takes_everything_out() {
    let folder = fast_folder();
    let place = folder.path().join("store");
    let store = Store::open_or_create_with(&place, &options(&one())).unwrap();
    fill(&store);
    let text = "host:lilac.example n<100";
    let request = EraseRequest {
        filter: Filter::parse(text, &Context::without_clock()).unwrap(),
        text: text.to_string(),
        reason: "asked for".to_string(),
        redact: Vec::new(),
        dry_run: false,
    };
    let receipt = store.erase(&request, &NoProgress).unwrap();
    assert_eq!(receipt.events, 100);
    assert_eq!(count(&store), 421, "with the event about it");
    assert_eq!(readable(&place), Vec::<String>::new());
    verified(&store);
}

/// The same lines in a store that is encrypted and in one that is not.
fn both(folder: &Path, text: &str) -> [Store; 2] {
    [Some(keys(&one())), None].map(|keys| {
        let place = folder.join(if keys.is_some() { "encrypted" } else { "plain" });
        let store = Store::open_or_create_with(&place, &StoreOptions { keys }).unwrap();
        let reader = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
        let input = Input::Reader { name: "lines".to_string(), reader };
        store.ingest(vec![input], &IngestOptions::default(), &NoProgress).unwrap();
        store
    })
}

#[test]
fn questions_about_many_encrypted_rows_have_the_answers_of_a_plain_store() {
    let folder = fast_folder();
    let mut state = 7_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 16
    };
    // Two days with several row groups each, since what hardly repeats fills pages.
    let mut text = String::new();
    for number in 0..60_000_u64 {
        let words: Vec<String> = (0..30).map(|_| format!("{:012x}", random())).collect();
        text.push_str(&format!(
            "{{\"timestamp\":\"2026-02-0{}T10:00:{:02}Z\",\"n\":{number},\"few\":{},\"rare\":{},\"message\":\"{}\"}}\n",
            number % 2 + 1,
            number / 1000,
            number % 7,
            if number % 9_000 == 1 { number.to_string() } else { "null".to_string() },
            words.join(" "),
        ));
    }
    let [encrypted, plain] = both(folder.path(), &text);
    for sql in [
        "SELECT count(*)::VARCHAR FROM events",
        "SELECT count(*)::VARCHAR FROM events WHERE n BETWEEN 40000 AND 40100",
        "SELECT sum(n)::VARCHAR FROM events WHERE few = 3 AND ts > TIMESTAMP '2026-02-02 10:00:30'",
        "SELECT message FROM events WHERE message LIKE '00%' ORDER BY message",
        "SELECT md5(string_agg(message, '' ORDER BY n)) FROM events WHERE n % 5 = 0",
        "SELECT n::VARCHAR || message FROM events WHERE rare IS NOT NULL ORDER BY n",
        "SELECT n::VARCHAR FROM events WHERE n > 59990 OR n = 12345 ORDER BY n DESC LIMIT 5",
        "SELECT message FROM events WHERE n = (SELECT max(n) FROM events WHERE few = 0)",
        "SELECT n::VARCHAR FROM events ORDER BY message DESC LIMIT 20",
    ] {
        let expected = texts(&plain, sql);
        assert!(!expected.is_empty() && texts(&encrypted, sql) == expected, "{sql}");
    }
    verified(&encrypted);
}

#[test]
fn a_damaged_encrypted_file_is_an_error() {
    let folder = fast_folder();
    let text: String = (0..50).map(|number| line(number) + "\n").collect();
    let [store, _] = both(folder.path(), &text);
    store.close().unwrap();
    let place = folder.path().join("encrypted");
    let file = files(&place.join("day=2026-02-01")).pop().unwrap();
    let whole = std::fs::read(&file).unwrap();
    let ask = |store: &Store| {
        let rows = store.query(&QueryRequest::new("SELECT * FROM events ORDER BY seq"))?;
        rows.map(|batch| Ok(format!("{:?}", batch?))).collect::<Result<String, Error>>()
    };
    let changes = |store: &Store| Ok::<_, Error>(format!("{:?}", store.changes(None, 1000)?.events));
    let store = open(&place, &one()).unwrap();
    let expected = (ask(&store).unwrap(), changes(&store).unwrap());
    store.close().unwrap();
    let try_it = |bytes: &[u8], what: &str| {
        std::fs::write(&file, bytes).unwrap();
        let store = open(&place, &one()).unwrap();
        let asked = ask(&store);
        assert!(asked.is_err() || asked.unwrap() == expected.0, "{what}: a question has another answer");
        let told = changes(&store);
        assert!(told.is_err() || told.unwrap() == expected.1, "{what}: other changes are told");
        let request = VerifyRequest { deep: true, ..VerifyRequest::default() };
        assert!(!store.verify(&request, &NoProgress).unwrap().intact, "{what}: it verifies");
    };
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut changed = whole.clone();
        changed[at] ^= 0x41;
        try_it(&changed, &format!("changed at {at} of {}", whole.len()));
    }
    for length in [0, 3, 12, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        try_it(&whole[..length], &format!("cut after {length}"));
    }
}
