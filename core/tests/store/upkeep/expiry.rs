//! Retention: by age, by filter, by size.

use super::{at_day, expire, expiry, fixture, ids, ingest, lines, verified};
use crate::support::{by_changes, fast_folder, number, texts};
use daybook::storage::LocalStorage;
use daybook::verify::{Head, ProblemKind, VerifyRequest};
use daybook::{CompactRequest, ErrorKind, ExpireRequest, NoProgress, Store};
use std::collections::BTreeSet;
use std::path::Path;

fn expected(keep: impl Fn(i64, usize) -> bool) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for name in ["a", "b"] {
        for day in 0..5 {
            ids.extend(
                (0..3).filter(|number| keep(day, *number)).map(|number| format!("{name}-{day}-{number}")),
            );
        }
    }
    ids
}

fn head(store: &Store) -> Head {
    store.head().unwrap()
}

#[test]
fn what_is_old_goes_by_whole_days_and_what_stays_verifies() {
    let folder = fixture(5);
    let (store, _) = at_day(folder.path(), 5);
    let before = head(&store);
    let cursor = by_changes(&store, None, 100).unwrap().1;
    let dry = ExpireRequest { dry_run: true, ..expiry("", 3) };
    let planned = expire(&store, &dry).unwrap();
    assert_eq!((planned.expired, planned.events_before, planned.events_after), (12, 30, 18));
    assert_eq!((planned.version, ids(&store).len()), (None, 30));
    let receipt = expire(&store, &expiry("", 3)).unwrap();
    // The event about it is there, too.
    assert_eq!((receipt.expired, receipt.events_before, receipt.events_after), (12, 30, 19));
    assert_eq!((receipt.files_removed, receipt.files_rewritten), (4, 0));
    assert_eq!(receipt.to_day, chrono::NaiveDate::from_ymd_opt(2026, 1, 11));
    assert_eq!(ids(&store), expected(|day, _| day >= 2));
    let said = texts(&store, "SELECT message FROM events WHERE kind = 'store_expire'").unwrap();
    assert_eq!(said, [Some("12 events expired".to_string())]);
    let report = verified(&store, Some(before));
    assert_eq!((report.events, report.events_removed), (19, 12));
    assert_eq!((report.taken[0].why.as_str(), report.taken[0].events), ("expire", 12));
    assert!(report.taken[0].note.contains("\"before_day\":\"2026-01-12\""), "{:?}", report.taken);
    // Whoever follows the store gets what is new, and that is the event about it.
    let news = by_changes_of_kind(&store, &cursor);
    assert_eq!(news, ["store_expire"]);
    // A second time there is nothing, and no commit.
    let again = expire(&store, &expiry("", 3)).unwrap();
    assert_eq!((again.expired, again.version), (0, None));
    store.close().unwrap();
}

fn by_changes_of_kind(store: &Store, cursor: &str) -> Vec<String> {
    use arrow::array::AsArray;
    let changes = store.changes(Some(cursor), 1000).unwrap();
    let kinds = changes.events.iter().flat_map(|batch| {
        let kinds = batch.column_by_name("kind").unwrap().as_string::<i32>();
        kinds.iter().flatten().map(str::to_string).collect::<Vec<_>>()
    });
    kinds.collect()
}

#[test]
fn a_filter_takes_its_events_out_of_files_and_leaves_the_others_as_they_were() {
    let folder = fixture(5);
    let (store, _) = at_day(folder.path(), 5);
    let (before, cursor) = (head(&store), by_changes(&store, None, 100).unwrap().1);
    let sum = "SELECT sum(seq)::BIGINT FROM events WHERE kind = 'login'";
    let seqs = number(&store, sum);
    let version = store.info().unwrap().version;
    let receipt = expire(&store, &expiry("kind:debug", 1)).unwrap();
    assert_eq!((receipt.expired, receipt.files_removed, receipt.files_rewritten), (8, 0, 8));
    assert_eq!(ids(&store), expected(|day, number| number > 0 || day == 4));
    assert_eq!(number(&store, sum), seqs);
    assert_eq!(by_changes_of_kind(&store, &cursor), ["store_expire"]);
    // A filter of everything in a file takes the file.
    let receipt = expire(&store, &expiry("actor:bob or kind:login", 2)).unwrap();
    assert_eq!((receipt.expired, receipt.files_removed, receipt.files_rewritten), (12, 6, 0));
    verified(&store, Some(before));
    // Readers of older versions find what was there.
    let mut old = daybook::QueryRequest::new("SELECT seq FROM events");
    old.at = daybook::At::Version(version);
    let rows: usize = store.query(&old).unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 30);
    store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    verified(&store, None);
    store.close().unwrap();
    chain_script(folder.path());
}

/// The check of the chain that was written from its specification alone.
pub fn chain_script(folder: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/verify_chain.py");
    let python = std::env::var("DAYBOOK_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let has = std::process::Command::new(&python).args(["-c", "import pyarrow"]).output();
    if !has.is_ok_and(|has| has.status.success()) {
        return;
    }
    let done = std::process::Command::new(&python).arg(script).arg(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_size_keeps_the_newest_days() {
    let folder = fixture(5);
    let (store, _) = at_day(folder.path(), 5);
    let bytes = store.info().unwrap().bytes;
    let sized =
        |text: &str, most| ExpireRequest { older_than_ms: None, max_bytes: Some(most), ..expiry(text, 0) };
    assert_eq!(expire(&store, &sized("", bytes)).unwrap().expired, 0, "it fits exactly");
    let receipt = expire(&store, &sized("", bytes * 3 / 5 + 100)).unwrap();
    assert_eq!((receipt.expired, receipt.bytes_before), (12, bytes));
    assert_eq!(ids(&store), expected(|day, _| day >= 2));
    let of_kind = expire(&store, &sized("kind:debug", 0)).unwrap();
    assert_eq!(of_kind.expired, 6);
    assert_eq!(ids(&store), expected(|day, number| day >= 2 && number > 0));
    let all = expire(&store, &sized("", 0)).unwrap();
    assert_eq!((all.expired, ids(&store).len()), (12, 0));
    assert_eq!(expire(&store, &sized("", 0)).unwrap().expired, 0, "the events about it stay");
    verified(&store, None);
    store.close().unwrap();
}

#[test]
fn policies_say_what_expires_and_without_any_everything_stays() {
    let folder = fixture(5);
    let settings = folder.path().join("daybook.toml");
    let policies = |text: &str| {
        std::fs::write(&settings, text).unwrap();
        let (store, _) = at_day(folder.path(), 5);
        let expired = store.expire_by_policy(false, &NoProgress).unwrap();
        store.close().unwrap();
        expired.iter().map(|receipt| receipt.expired).collect::<Vec<_>>()
    };
    assert_eq!(policies(""), [0; 0]);
    let text =
        "[[keep.policy]]\nfilter = \"kind:debug\"\nmax_age_days = 1\n[[keep.policy]]\nmax_age_days = 4\n";
    assert_eq!(policies(text), [8, 4]);
    assert_eq!(policies("[[keep.policy]]\nfilter = \"no_such_field:x\"\nmax_size = \"0\"\n"), [0]);
    for (text, words) in [
        ("[[keep.policy]]\nfilter = \"kind:debug\"\n", "neither `max_age_days` nor `max_size`"),
        ("[[keep.policy]]\nmax_size = \"many\"\n", "`max_size = \"many\"`"),
        ("[[keep.policy]]\nmax_age_days = 1\nfilter = \"(\"\n", "filter of a policy"),
    ] {
        std::fs::write(&settings, text).unwrap();
        let error = Store::open(folder.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains(words), "{error}");
    }
}

#[test]
fn wrong_requests_and_empty_stores_change_nothing() {
    let folder = fast_folder();
    let (store, now) = at_day(folder.path(), 0);
    assert_eq!(expire(&store, &expiry("", 1)).unwrap().expired, 0);
    ingest(&store, "a", &lines("a", 0..3));
    let error = expire(&store, &ExpireRequest { older_than_ms: None, ..expiry("", 1) }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let error = expire(&store, &expiry("no_such_field:1", 0)).unwrap_err();
    assert!(error.to_string().contains("no_such_field"), "{error}");
    // A clock that was set back: nothing is old.
    now.go_on(-4000);
    assert_eq!(expire(&store, &expiry("", 90)).unwrap().expired, 0);
    // An age that no clock knows.
    assert_eq!(
        expire(&store, &ExpireRequest { older_than_ms: Some(i64::MAX), ..expiry("", 1) }).unwrap().expired,
        0
    );
    assert_eq!(store.info().unwrap().version, 1);
    store.close().unwrap();
}

/// Records that are hard to bring back: files are rewritten only if each row hashes to what it did.
#[test]
fn all_kinds_of_records_hash_to_the_same_when_they_are_read_back() {
    const RECORDS: &str = r#"{"go":1}
{"ts":"2026-01-10T10:00:00+02:00","kind":"x","a":{"b":{"c":[1,{"d":2.50}],"":{"":null}}},"e":[],"f":{},"g":null}
{"timestamp":1768003200,"duration":"1.5s","n":1e400,"m":123456789012345678901234567890,"k":-0.0,"i":1.0}
{"time":1768003200000000000,"before":{"x":{"y":1}},"after":{"x":[]},"metadata":{"artist":"Drake","tags":["a","b"]}}
{"@timestamp":"2026-01-10 10:00:00,123","user_id":12345,"level":30,"status":404,"msg":"zwölf \"\\\n","a.b":{"c.d":1}}
{"ts":"1768003200.5","a":1,"a":2,"b":{"c":1,"c":"x"},"n":true,"message":{"not":"text"},"kind":7}
{"eventTime":"2026-01-10T10:00:00.123456789Z","n":"text","list":[1,2.5,"x",null],"mixed":[true,{"a":[[]]}]}
{"file_path":"/a/b","entity_id":null,"trace_id":"0af7","span_id":5,"severity":"WARN","tags":{"1":2},"n":{"deep":1}}
{"rest":{"a":1},"shape":2,"seq":3,"day":"x","recorded_at":4,"ts":null,"n":9007199254740993}
{"go":2}
"#;
    let folder = fast_folder();
    let (store, _) = at_day(folder.path(), 1);
    ingest(&store, "a", RECORDS);
    ingest(&store, "b", "{}\n{\"go\":3}\n");
    let before = head(&store);
    let receipt = expire(&store, &expiry("go>0", -4000)).unwrap();
    assert_eq!(receipt.expired, 3);
    let report = verified(&store, Some(before));
    assert_eq!(report.events, 10);
    store.close().unwrap();
}

#[test]
fn a_commit_that_takes_out_more_than_it_says_is_found() {
    let folder = fixture(3);
    let (store, _) = at_day(folder.path(), 3);
    expire(&store, &expiry("kind:debug", 1)).unwrap();
    let version = store.info().unwrap().version;
    store.close().unwrap();
    let path = folder.path().join(format!("_delta_log/{version:020}.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    let storage: std::sync::Arc<LocalStorage> = std::sync::Arc::new(LocalStorage::new(folder.path()));
    for (from, to) in [("\"events\":4", "\"events\":5"), ("\"why\":\"expire\"", "\"why\":\"other\"")] {
        assert!(text.contains(from), "{text}");
        let changed = text.replacen(from, to, 1);
        std::fs::write(&path, &changed).unwrap();
        let kinds = || {
            let (store, _) = at_day(folder.path(), 3);
            let report = store.verify(&VerifyRequest::default(), &NoProgress).unwrap();
            report.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>()
        };
        assert!(kinds().contains(&ProblemKind::CommitAltered), "{from}");
        // Forged so that its hash fits.
        let record =
            daybook::log::Log::open(storage.clone(), "").unwrap().chain_record(version).unwrap().unwrap();
        std::fs::write(&path, changed.replace(&record.hash, &record.computed_hash())).unwrap();
        let is_other_count = from.contains("events");
        assert_eq!(kinds().contains(&ProblemKind::EventsChanged), is_other_count, "{from}");
    }
}
