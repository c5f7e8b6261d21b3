//! The life of events in a store: when they are sealed, and what readers see.

use super::*;
use crate::log::At;
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicI64;

mod audit;
mod export;
mod patterns;
mod templates;

const START_US: i64 = 1_770_000_000_000_000;

struct Fixture {
    folder: tempfile::TempDir,
    now_us: Arc<AtomicI64>,
}

impl Fixture {
    /// A folder with settings, and a clock that stands still.
    fn new(settings: &str) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("store")).unwrap();
        std::fs::write(folder.path().join("store/daybook.toml"), settings).unwrap();
        Fixture { folder, now_us: Arc::new(AtomicI64::new(START_US)) }
    }

    fn store(&self) -> Store {
        let now_us = self.now_us.clone();
        let clock: Clock = Arc::new(move || now_us.load(Ordering::Relaxed));
        Store::create_storage(LocalStorage::new(&self.folder.path().join("store")), clock).unwrap()
    }

    fn pass_seconds(&self, seconds: i64) {
        self.now_us.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

fn append(store: &Store, numbers: std::ops::Range<i64>) -> Vec<i64> {
    let event = |n: i64| Event::new("test").field("n", n);
    numbers.map(|n| store.append(&event(n), Durability::Os).unwrap()).collect()
}

fn ingest(store: &Store, text: &str) -> Receipt {
    let reader = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
    let input = Input::Reader { name: "test".to_string(), reader };
    store
        .ingest(
            vec![input],
            &IngestOptions { threads: 1, ..IngestOptions::default() },
            &crate::ingest::progress::NoProgress,
        )
        .unwrap()
}

/// One column of integers.
fn numbers(store: &Store, sql: &str, at: At) -> Vec<i64> {
    let request = QueryRequest { at, ..QueryRequest::new(sql) };
    let batches = store.query(&request).unwrap();
    batches.flat_map(|batch| batch.unwrap().column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
}

fn text(store: &Store, sql: &str) -> Vec<String> {
    let batches = store.query(&QueryRequest::new(sql)).unwrap();
    let cells = |batch: arrow::array::RecordBatch| {
        let column = batch.column(0).as_string::<i32>().clone();
        (0..column.len()).map(move |row| column.value(row).to_string()).collect::<Vec<_>>()
    };
    batches.flat_map(|batch| cells(batch.unwrap())).collect()
}

const COUNT: &str = "SELECT count(*)::BIGINT FROM events";

#[test]
fn full_segments_are_sealed() {
    for settings in ["[seal]\nevents = 3\n", "[seal]\nbytes = 100\n"] {
        let fixture = Fixture::new(settings);
        let store = fixture.store();
        append(&store, 0..10);
        store.writer().unwrap().look().unwrap();
        let info = store.info().unwrap();
        assert!(info.files > 0 && info.wal_events < 10, "{settings}: {info:?}");
        assert_eq!(
            numbers(&store, "SELECT n FROM events ORDER BY n", At::Latest),
            (0..10).collect::<Vec<_>>()
        );
        store.close().unwrap();
    }
}

#[test]
fn old_segments_are_sealed() {
    let fixture = Fixture::new("[seal]\nseconds = 600\n");
    let store = fixture.store();
    append(&store, 0..3);
    fixture.pass_seconds(599);
    store.writer().unwrap().look().unwrap();
    assert_eq!(store.info().unwrap().wal_events, 3);
    fixture.pass_seconds(2);
    store.writer().unwrap().look().unwrap();
    let info = store.info().unwrap();
    assert_eq!((info.wal_events, info.files, info.events), (0, 1, 3));
    store.close().unwrap();
}

#[test]
fn what_is_left_in_a_log_is_read_and_sealed_by_others() {
    let fixture = Fixture::new("");
    for round in 0..3 {
        let store = fixture.store();
        append(&store, round * 2..round * 2 + 2);
        store.close().unwrap();
    }
    let store = fixture.store();
    assert_eq!(store.info().unwrap().wal_events, 6);
    assert_eq!(numbers(&store, "SELECT n FROM events ORDER BY n", At::Latest), (0..6).collect::<Vec<_>>());
    store.seal().unwrap();
    let info = store.info().unwrap();
    assert_eq!((info.wal_events, info.files, info.version), (0, 1, 1), "one commit seals all: {info:?}");
    assert_eq!(numbers(&store, COUNT, At::Latest), [6]);
    store.close().unwrap();
}

#[test]
fn batched_events_are_acknowledged_by_a_flush() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    for n in 0..100 {
        store.append(&Event::new("test").field("n", n), Durability::Batched).unwrap();
    }
    store.flush().unwrap();
    let reader = fixture.store();
    assert_eq!(numbers(&reader, COUNT, At::Latest), [100]);
    store.close().unwrap();
}

#[test]
fn older_versions_can_be_read() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    ingest(&store, "{\"n\":1}\n");
    fixture.pass_seconds(60);
    ingest(&store, "{\"n\":2}\n{\"m\":3}\n");
    append(&store, 7..8);
    assert_eq!(numbers(&store, COUNT, At::Latest), [4]);
    assert_eq!(numbers(&store, COUNT, At::Version(0)), [0]);
    assert_eq!(numbers(&store, COUNT, At::Version(1)), [1]);
    assert_eq!(numbers(&store, COUNT, At::Time(START_US / 1000 + 30_000)), [1]);
    assert_eq!(numbers(&store, COUNT, At::Version(2)), [3]);
    let early = QueryRequest { at: At::Time(START_US / 1000 - 1), ..QueryRequest::new(COUNT) };
    assert_eq!(store.query(&early).err().map(|error| error.kind()), Some(ErrorKind::NotFound));
    store.close().unwrap();
}

/// The numbers of the events that came since a cursor, page by page.
fn changed(store: &Store, cursor: &mut Option<String>, limit: usize) -> Vec<i64> {
    let mut found = Vec::new();
    loop {
        let changes = store.changes(cursor.as_deref(), limit).unwrap();
        for batch in &changes.events {
            assert!(batch.num_rows() <= limit);
            found.extend(batch.column_by_name("n").unwrap().as_primitive::<Int64Type>().values());
        }
        *cursor = Some(changes.cursor);
        if !changes.more {
            return found;
        }
    }
}

#[test]
fn changes_give_each_event_once() {
    for limit in [1, 2, 1000] {
        let fixture = Fixture::new("");
        let store = fixture.store();
        let (mut cursor, mut seen) = (None, BTreeSet::new());
        let mut expect = |store: &Store, new: std::ops::Range<i64>| {
            let found = changed(store, &mut cursor, limit);
            assert_eq!(
                found.iter().copied().collect::<BTreeSet<_>>(),
                new.clone().collect(),
                "limit {limit}"
            );
            assert!(found.iter().all(|n| seen.insert(*n)), "an event came twice: {found:?}");
        };
        append(&store, 0..3);
        expect(&store, 0..3);
        append(&store, 3..5);
        store.seal().unwrap();
        expect(&store, 3..5);
        append(&store, 5..6);
        expect(&store, 5..6);
        store.seal().unwrap();
        expect(&store, 0..0);
        ingest(&store, "{\"n\":6}\n{\"n\":7}\n");
        append(&store, 8..9);
        store.compact(&crate::CompactRequest::default(), &crate::ingest::progress::NoProgress).unwrap();
        expect(&store, 6..9);
        let mut now = Some(store.changes_from_now().unwrap());
        append(&store, 9..10);
        assert_eq!(changed(&store, &mut now, limit), [9]);
        expect(&store, 9..10);
        assert_eq!(
            store.changes(Some("nonsense"), 1).err().map(|error| error.kind()),
            Some(ErrorKind::Invalid)
        );
        store.close().unwrap();
    }
}

#[test]
fn a_field_of_mixed_type_reads_whole_sealed_or_not() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    ingest(&store, "{\"x\":1,\"y\":1}\n{\"x\":2,\"y\":2}\n");
    store.append(&Event::new("k").field("x", "two").field("y", 2.5), Durability::Os).unwrap();
    for _ in 0..2 {
        assert_eq!(text(&store, "SELECT x FROM events ORDER BY seq"), ["1", "2", "two"]);
        assert_eq!(
            text(&store, "SELECT typeof(y) || ' ' || sum(y) FROM events GROUP BY typeof(y)"),
            ["DOUBLE 5.5"]
        );
        store.seal().unwrap();
    }
    let mut out = Vec::new();
    let request = ExportRequest { original: true, ..ExportRequest::default() };
    store.export(&request, &AskOptions::default(), &mut out, &crate::ingest::progress::NoProgress).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains(r#"{"kind":"k","x":"two","y":2.5}"#), "{out}");
    store.close().unwrap();
}

#[test]
fn an_input_that_grew_or_was_mended_is_stored_once() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    let count = |receipt: &Receipt| (receipt.stored, receipt.duplicate, receipt.quarantined);
    assert_eq!(count(&ingest(&store, "{\"n\":1}\nbad\n")), (1, 0, 1));
    assert_eq!(count(&ingest(&store, "{\"n\":1}\nbad\n")), (0, 2, 0));
    assert_eq!(count(&ingest(&store, "{\"n\":1}\nbad\n{\"n\":2}")), (1, 2, 0));
    assert_eq!(count(&ingest(&store, "{\"n\":1}\nbad\n{\"n\":2}\n\n")), (0, 3, 0));
    assert_eq!(count(&ingest(&store, "{\"n\":1}\nbad\n{\"n\":2}\n{\"n\":3}\nworse\n")), (1, 3, 1));
    assert_eq!(count(&ingest(&store, "{\"n\":0}\n{\"n\":1}\nbad\n")), (2, 0, 1));
    assert_eq!(numbers(&store, "SELECT n FROM events ORDER BY n", At::Latest), [0, 1, 1, 2, 3]);
    let repeated = "{\"n\":5}\n{\"n\":5}\n";
    assert_eq!(count(&ingest(&store, repeated)), (2, 0, 0), "equal records in one input are two events");
    store.close().unwrap();
}
