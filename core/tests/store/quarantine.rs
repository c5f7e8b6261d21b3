//! What could not be read, and another try at it: what is stored leaves the quarantine, whatever goes wrong.

mod going_wrong;

use crate::support::{fast_folder, number, query, texts};
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use daybook::log::{At, Log};
use daybook::quarantine::read_file;
use daybook::storage::{LocalStorage, Storage};
use daybook::wal::Clock;
use daybook::{
    Appended, CompactRequest, Durability, ErrorKind, Format, IngestOptions, Input, NoProgress,
    QuarantineFilter, Receipt, RetryOptions, RetryReceipt, Store,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;

const NOW_US: i64 = 1_790_000_000_000_000;
const DAY_US: i64 = 86_400_000_000;

struct Fixture {
    folder: TempDir,
    now_us: Arc<AtomicI64>,
}

impl Fixture {
    fn new(settings: &str) -> Fixture {
        let folder = fast_folder();
        std::fs::write(folder.path().join("daybook.toml"), settings).unwrap();
        Fixture { folder, now_us: Arc::new(AtomicI64::new(NOW_US)) }
    }

    fn store(&self) -> Store {
        Store::create_storage(LocalStorage::new(self.folder.path()), self.clock()).unwrap()
    }

    /// A clock that goes on with each look.
    fn clock(&self) -> Clock {
        let now_us = self.now_us.clone();
        Arc::new(move || now_us.fetch_add(100, Ordering::Relaxed))
    }

    fn pass(&self, micros: i64) {
        self.now_us.fetch_add(micros, Ordering::Relaxed);
    }
}

fn ingest_as(store: &Store, name: &str, text: &[u8], options: IngestOptions) -> Receipt {
    let reader = Box::new(std::io::Cursor::new(text.to_vec()));
    let input = Input::Reader { name: name.to_string(), reader };
    store.ingest(vec![input], &IngestOptions { threads: 1, ..options }, &NoProgress).unwrap()
}

fn ingest(store: &Store, name: &str, text: &str) -> Receipt {
    let options = IngestOptions { from: Some(Format::JsonLines), ..IngestOptions::default() };
    ingest_as(store, name, text.as_bytes(), options)
}

fn retry(store: &Store, options: RetryOptions) -> RetryReceipt {
    let receipt = store.retry_quarantine(&options, &NoProgress).unwrap();
    assert_eq!(receipt.tried, receipt.stored + receipt.still, "{receipt:?}");
    assert_eq!(
        receipt.still,
        receipt.by_reason.iter().map(|reason| reason.count).sum::<u64>(),
        "{receipt:?}"
    );
    receipt
}

fn from(format: Format) -> RetryOptions {
    RetryOptions { from: Some(format), ..RetryOptions::default() }
}

fn map(pairs: &[(&str, &str)]) -> RetryOptions {
    let map = pairs.iter().map(|(column, path)| (column.to_string(), path.to_string())).collect();
    RetryOptions { map, ..RetryOptions::default() }
}

/// How many records were tried, are stored now, are still there, and were skipped.
fn counts(receipt: &RetryReceipt) -> [u64; 4] {
    [receipt.tried, receipt.stored, receipt.still, receipt.skipped]
}

fn lines(store: &Store, sql: &str) -> Vec<String> {
    texts(store, sql).unwrap().into_iter().map(Option::unwrap_or_default).collect()
}

fn numbers(store: &Store, sql: &str) -> Vec<i64> {
    let batches = query(store, sql).unwrap();
    batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
}

/// The data files of the quarantine say truly which rows they hold.
fn check_files(folder: &Path) {
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(folder));
    let log = Log::open(storage, "_quarantine").unwrap();
    for file in &log.snapshot(At::Latest).unwrap().files {
        let mut set = daybook::event::canonical::RowSet::default();
        let mut seqs = Vec::new();
        for rows in read_file(&folder.join(format!("_quarantine/{}", file.path)).into()).unwrap() {
            for reject in rows.unwrap().iter() {
                let reject = reject.unwrap();
                set.add_rows(&[reject.row_hash()]);
                seqs.push(reject.seq);
            }
        }
        assert_eq!(set.to_hex(), file.rows_hash);
        assert_eq!(file.rows, seqs.len() as u64);
        assert_eq!(file.seq_range(), Some((*seqs.iter().min().unwrap(), *seqs.iter().max().unwrap())));
    }
}

#[test]
fn what_is_no_json_is_stored_as_text() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    let text = "{\"kind\":\"a\"}\n2026-02-03T10:00:00Z ERROR it broke\nplain words\n{\"kind\":\"b\"}\n";
    assert_eq!(ingest(&store, "app.log", text).quarantined, 2);
    let before = numbers(&store, "SELECT seq FROM quarantine ORDER BY seq");
    assert_eq!(counts(&retry(&store, RetryOptions::default())), [2, 0, 2, 0]);
    let receipt = retry(&store, from(Format::Text));
    assert_eq!((counts(&receipt), receipt.events), ([2, 2, 0, 0], 2));
    assert_eq!(number(&store, "SELECT count(*) FROM quarantine"), 0);
    let rows = lines(&store, "SELECT message FROM events WHERE message IS NOT NULL ORDER BY seq");
    assert_eq!(rows, ["it broke", "plain words"]);
    assert_eq!(numbers(&store, "SELECT seq FROM events WHERE message IS NOT NULL ORDER BY seq"), before);
    let first = lines(&store, "SELECT concat(ts, ' ', level) FROM events WHERE message = 'it broke'");
    assert_eq!(first, ["2026-02-03 10:00:00 ERROR"]);
    // A record that does not say when it happened happened when it arrived.
    let second = numbers(&store, "SELECT epoch_us(ts) - seq FROM events WHERE message = 'plain words'");
    assert_eq!(second, [0]);
    assert_eq!(ingest(&store, "app.log", text).duplicate, 4, "what was retried is not ingested again");
    check_files(fixture.folder.path());
}

#[test]
fn a_mapping_finds_another_timestamp() {
    let fixture = Fixture::new("[mapping.shop.columns]\nts = \"at.utc\"\n");
    let store = fixture.store();
    let text = "{\"id\":\"1\",\"ts\":\"long ago\",\"when\":\"2026-02-03T10:00:00Z\"}\n\
                {\"id\":\"2\",\"ts\":\"never\",\"at\":{\"utc\":1770114645}}\n{\"id\":\"3\",\"ts\":\"x\"}\n";
    assert_eq!(ingest(&store, "a", text).quarantined, 3);
    assert_eq!(counts(&retry(&store, map(&[("ts", "when")]))), [3, 1, 2, 0]);
    let named = RetryOptions { mapping: Some("shop".to_string()), ..RetryOptions::default() };
    let receipt = retry(&store, named);
    assert_eq!(counts(&receipt), [2, 1, 1, 0]);
    assert_eq!(receipt.by_reason[0].reason, "no timestamp can be read from `ts`");
    let rows = lines(&store, "SELECT concat(event_id, ' ', ts) FROM events ORDER BY event_id");
    assert_eq!(rows, ["1 2026-02-03 10:00:00", "2 2026-02-03 10:30:45"]);
    assert_eq!(lines(&store, "SELECT raw FROM quarantine"), ["{\"id\":\"3\",\"ts\":\"x\"}"]);
    check_files(fixture.folder.path());
}

#[test]
fn options_that_make_no_sense_change_nothing() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    ingest(&store, "a", "x\n");
    let check = |options: RetryOptions, words: &str| {
        let error = store.retry_quarantine(&options, &NoProgress).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotFound), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    };
    check(from(Format::Parquet), "parquet");
    check(map(&[("seq", "n")]), "`seq` is no column");
    check(RetryOptions { mapping: Some("none".to_string()), ..RetryOptions::default() }, "none");
    assert_eq!(store.info().unwrap().quarantined, 1);
}

#[test]
fn a_text_is_stored_whole_or_not_at_all() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    let good = r#"{"id":"a"} {"id":"b"} {"id":"c"}"#;
    let bad = r#"{"id":"d"} {"id":"e","ts":"x"}"#;
    ingest(&store, "a", &format!("{good}\n{bad}\n{{\"id\":\"f\"}}\n"));
    let seq = number(&store, "SELECT min(seq) FROM quarantine");
    let receipt = retry(&store, from(Format::Json));
    assert_eq!((counts(&receipt), receipt.events), ([2, 1, 1, 0], 3));
    assert_eq!(lines(&store, "SELECT event_id FROM events ORDER BY event_id"), ["a", "b", "c", "f"]);
    assert_eq!(number(&store, "SELECT seq FROM events WHERE event_id = 'a'"), seq);
    assert_eq!(lines(&store, "SELECT raw FROM quarantine"), [bad]);
    assert_eq!(number(&store, "SELECT count(DISTINCT seq) FROM events"), 4);
}

#[test]
fn rows_are_read_with_the_header_of_their_input() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    let csv = IngestOptions { from: Some(Format::Csv), ..IngestOptions::default() };
    let text = b"id,ts,note\n1,2026-02-03T10:00:00Z,ok\n2,never,\"a, b\"\n3,2026-02-03T10:00:00Z,x,y\n";
    let receipt = ingest_as(&store, "a.csv", text, csv);
    let bad = receipt.quarantined;
    assert!(bad >= 1, "{receipt:?}");
    let receipt = retry(&store, map(&[("ts", "when")]));
    assert_eq!(receipt.tried, bad);
    // With names of its own, what was the timestamp is a field like others.
    let named = RetryOptions { header: Some("id,written,note".to_string()), ..RetryOptions::default() };
    assert_eq!(retry(&store, named).stored, 1);
    assert_eq!(
        lines(
            &store,
            "SELECT concat(event_id, ' ', written, ' ', note) FROM events WHERE written IS NOT NULL"
        ),
        ["2 never a, b"]
    );
}

#[test]
fn what_was_cut_is_not_tried() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    let long = format!("{{\"id\":\"{}\"}}\nshort\n", "x".repeat(33 << 20));
    assert_eq!(ingest(&store, "a", &long).quarantined, 2);
    assert_eq!(counts(&retry(&store, from(Format::Text))), [1, 1, 0, 1]);
    let page = store.quarantined_records(&QuarantineFilter::default(), None, 10).unwrap();
    assert_eq!((page.records.len(), page.records[0].text.len()), (1, 2_003));
    assert!(page.records[0].reason.starts_with("the record is longer than"), "{page:?}");
}

fn reject(store: &Store, line: &str) -> i64 {
    match store.append_json(line.as_bytes(), Durability::Fsync).unwrap() {
        Appended::Quarantined { seq, .. } => seq,
        stored => panic!("{stored:?}"),
    }
}

#[test]
fn rejects_of_the_log_are_tried_too_but_not_those_of_another_process() {
    let fixture = Fixture::new("");
    let (store, other) = (fixture.store(), fixture.store());
    let seq = reject(&store, "first words");
    reject(&other, "second words");
    assert_eq!(store.quarantined(&QuarantineFilter::default()).unwrap().records, 2);
    let receipt = retry(&store, from(Format::Text));
    assert_eq!((counts(&receipt), receipt.waiting), ([1, 1, 0, 0], 1));
    assert_eq!(numbers(&store, "SELECT seq FROM events"), [seq]);
    other.close().unwrap();
    let receipt = retry(&store, from(Format::Text));
    assert_eq!((counts(&receipt), receipt.waiting), ([1, 1, 0, 0], 0));
    assert_eq!(lines(&store, "SELECT message FROM events ORDER BY seq"), ["first words", "second words"]);
    assert_eq!(store.info().unwrap().quarantined, 0);
}

#[test]
fn filters_choose_by_reason_input_and_time() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    ingest(&store, "logs/a", "one\n[1]\n");
    fixture.pass(DAY_US);
    let second_day = fixture.now_us.load(Ordering::Relaxed);
    ingest(&store, "logs/b", "two\n[2]\n");
    let seq = reject(&store, "three");
    let check = |filter: QuarantineFilter, expected: &[&str]| {
        let page = store.quarantined_records(&filter, None, 100).unwrap();
        let found: Vec<&str> = page.records.iter().map(|record| record.text.as_str()).collect();
        assert_eq!(found, expected, "{filter:?}");
        assert_eq!(store.quarantined(&filter).unwrap().records, expected.len() as u64, "{filter:?}");
    };
    let all = QuarantineFilter::default();
    let text = |text: &str| Some(text.to_string());
    check(all.clone(), &["three", "[2]", "two", "[1]", "one"]);
    check(QuarantineFilter { reason: text("JSON object"), ..all.clone() }, &["[2]", "[1]"]);
    check(QuarantineFilter { reason: text("at byte 1:"), ..all.clone() }, &["two", "three"][..0]);
    check(QuarantineFilter { reason: text("at byte …: "), ..all.clone() }, &["three", "two", "one"]);
    check(QuarantineFilter { input: text("s/a"), ..all.clone() }, &["[1]", "one"]);
    check(QuarantineFilter { input: text("append"), ..all.clone() }, &["three"]);
    check(QuarantineFilter { from_us: Some(second_day), ..all.clone() }, &["three", "[2]", "two"]);
    check(QuarantineFilter { until_us: Some(second_day), ..all.clone() }, &["[1]", "one"]);
    check(QuarantineFilter { from_us: Some(seq), until_us: Some(seq), ..all.clone() }, &[]);
    let filter = QuarantineFilter { until_us: Some(second_day), reason: text("not JSON"), ..all.clone() };
    assert_eq!(counts(&retry(&store, RetryOptions { filter, ..from(Format::Text) })), [1, 1, 0, 0]);
    check(all, &["three", "[2]", "two", "[1]"]);
}

#[test]
fn a_summary_counts_by_reason_and_by_input() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    ingest(&store, "a", "one\n[1]\ntwo words\n");
    ingest(&store, "b", "three\n{\"kind\":\"x\"}\n");
    let last = reject(&store, "four");
    let summary = store.quarantined(&QuarantineFilter::default()).unwrap();
    let reasons: Vec<_> =
        summary.by_reason.iter().map(|group| (group.count, group.example.as_str())).collect();
    assert_eq!((summary.records, summary.bytes, reasons), (5, 24, vec![(4, "four"), (1, "[1]")]));
    let inputs: Vec<_> = summary.by_input.iter().map(|group| (group.input.as_str(), group.count)).collect();
    assert_eq!(inputs, [("a", 3), ("append", 1), ("b", 1)]);
    assert_eq!(summary.last, Some(daybook::event::time::rfc3339(last)));
    assert_eq!(summary.by_reason[0].last, daybook::event::time::rfc3339(last));
    assert!(summary.first < summary.last);
}

#[test]
fn a_list_goes_on_where_it_ended() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    for day in 0..4 {
        ingest(&store, &format!("{day}"), &(0..5).map(|line| format!("{day}.{line}.\n")).collect::<String>());
        fixture.pass(DAY_US);
    }
    reject(&store, "last");
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = store.quarantined_records(&QuarantineFilter::default(), before, 4).unwrap();
        assert!(page.records.len() <= 4);
        found.extend(page.records.into_iter().map(|record| record.text));
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    let lines = (0..4).rev().flat_map(|day| (0..5).rev().map(move |line| format!("{day}.{line}.")));
    assert_eq!(found, std::iter::once("last".to_string()).chain(lines).collect::<Vec<_>>());
}

#[test]
fn files_without_what_was_stored_take_the_place_of_others_and_these_go() {
    let fixture = Fixture::new("[keep]\nversions_days = 0\n");
    let store = fixture.store();
    ingest(&store, "a", "one\n[1]\n");
    ingest(&store, "b", "two\n");
    ingest(&store, "c", "[2]\n");
    let filter = QuarantineFilter { reason: Some("not JSON".to_string()), ..QuarantineFilter::default() };
    assert_eq!(counts(&retry(&store, RetryOptions { filter, ..from(Format::Text) })), [2, 2, 0, 0]);
    assert_eq!(lines(&store, "SELECT raw FROM quarantine ORDER BY seq"), ["[1]", "[2]"]);
    check_files(fixture.folder.path());
    fixture.pass(DAY_US);
    store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    let storage = LocalStorage::new(fixture.folder.path());
    let files = storage.list("_quarantine").unwrap();
    let data = files.iter().filter(|entry| entry.path.ends_with(".parquet") && entry.path.contains("/day="));
    assert_eq!(data.count(), 2);
    assert_eq!(lines(&store, "SELECT raw FROM quarantine ORDER BY seq"), ["[1]", "[2]"]);
}

#[test]
fn one_retry_at_a_time() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    ingest(&store, "a", "one\n");
    let storage = LocalStorage::new(fixture.folder.path());
    let lock = storage.try_lock(daybook::layout::RETRY_LOCK).unwrap().unwrap();
    let error = store.retry_quarantine(&from(Format::Text), &NoProgress).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    drop(lock);
    assert_eq!(retry(&store, from(Format::Text)).stored, 1);
}

#[test]
fn an_altered_file_is_not_written_anew_under_a_good_hash() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    ingest(&store, "a", "one\ntwo\n");
    ingest(&store, "b", "three\nfour\n");
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(fixture.folder.path()));
    let files = Log::open(storage, "_quarantine").unwrap().snapshot(At::Latest).unwrap().files.clone();
    let place = |at: usize| fixture.folder.path().join("_quarantine").join(&files[at].path);
    std::fs::copy(place(0), place(1)).unwrap();
    let error = store.retry_quarantine(&from(Format::Text), &NoProgress).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("part-"), "{error}");
    assert_eq!(number(&store, "SELECT count(*) FROM events"), 0);
}
