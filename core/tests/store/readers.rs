//! Readers of every kind, while others append, seal and compact.

use crate::support::{ids_and_seqs, once, query};
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use daybook::{
    AskOptions, At, CompactRequest, Durability, Event, ExportRequest, NoProgress, QueryRequest, Store,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::{Scope, ScopedJoinHandle};

const WRITERS: usize = 4;
const QUERIES: usize = 60;

/// How far each writer is, as it was told.
#[derive(Default)]
struct Told {
    tried: [AtomicI64; WRITERS],
    acknowledged: [AtomicI64; WRITERS],
    stop: AtomicBool,
    /// Whether nobody writes any more.
    ended: AtomicBool,
}

impl Told {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

fn append(store: &Store, writer: usize, told: &Told) {
    for number in 0_i64.. {
        if told.stopped() {
            return;
        }
        let event = Event::new("test").source(writer.to_string()).field("id", format!("{writer}-{number}"));
        told.tried[writer].store(number + 1, Ordering::SeqCst);
        store.append(&event.field("number", number), Durability::Fsync).unwrap();
        told.acknowledged[writer].store(number + 1, Ordering::SeqCst);
        if number % 40 == 39 {
            store.seal().unwrap();
        }
        std::thread::sleep(std::time::Duration::from_micros(500));
    }
}

fn numbers(of: &[AtomicI64; WRITERS]) -> Vec<i64> {
    of.iter().map(|number| number.load(Ordering::SeqCst)).collect()
}

/// Each writer's events are there without a gap, each once, and all that were acknowledged before.
fn ask(store: &Store, told: &Told) {
    const SQL: &str =
        "SELECT CAST(source AS BIGINT), count(*), count(DISTINCT seq), max(number) FROM events GROUP BY 1";
    let before = numbers(&told.acknowledged);
    let batches = query(store, SQL).unwrap();
    let after = numbers(&told.tried);
    let mut counts = vec![0; WRITERS];
    for batch in batches {
        let value = |column: usize, row: usize| batch.column(column).as_primitive::<Int64Type>().value(row);
        for row in 0..batch.num_rows() {
            let (writer, count) = (value(0, row) as usize, value(1, row));
            assert_eq!((value(2, row), value(3, row) + 1), (count, count), "writer {writer}");
            counts[writer] = count;
        }
    }
    let fits = |writer: usize| before[writer] <= counts[writer] && counts[writer] <= after[writer];
    assert!((0..WRITERS).all(fits), "{before:?} <= {counts:?} <= {after:?}");
}

/// The export has as many lines as were acknowledged before, or more.
fn export(store: &Store, told: &Told) {
    let before: i64 = numbers(&told.acknowledged).iter().sum();
    let mut out = Vec::new();
    let request = ExportRequest { original: true, ..ExportRequest::default() };
    let count = store.export(&request, &AskOptions::default(), &mut out, &NoProgress).unwrap();
    assert!(count as i64 >= before);
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count() as u64, count);
}

fn count_of(store: &Store, version: u64) -> i64 {
    let mut request = QueryRequest::new("SELECT count(*) FROM events");
    request.at = At::Version(version);
    let batches: Vec<_> = store.query(&request).unwrap().map(Result::unwrap).collect();
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

/// Follows the changes until all is said.
fn follow(store: &Store, told: &Told) -> BTreeMap<String, i64> {
    let (mut given, mut cursor) = (Vec::new(), None::<String>);
    loop {
        // An append may end after the others were told to stop.
        let ended = told.ended.load(Ordering::SeqCst);
        let changes = store.changes(cursor.as_deref(), 37).unwrap();
        let events: Vec<_> = changes.events.iter().flat_map(ids_and_seqs).collect();
        cursor = Some(changes.cursor);
        if events.is_empty() && ended {
            return once("`changes`", given);
        }
        given.extend(events);
    }
}

fn work<'scope, 'a: 'scope>(
    scope: &'scope Scope<'scope, 'a>,
    stores: &'a [Store; 3],
    told: &'a Told,
) -> Vec<ScopedJoinHandle<'scope, ()>> {
    let mut threads: Vec<_> =
        (0..WRITERS).map(|writer| scope.spawn(move || append(&stores[writer % 2], writer, told))).collect();
    threads.push(scope.spawn(move || {
        while !told.stopped() {
            stores[2].compact(&CompactRequest::default(), &NoProgress).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }));
    threads
}

#[test]
fn readers_see_each_event_once_while_it_moves() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [(); 3].map(|()| Store::open_or_create(folder.path()).unwrap());
    let reader = Store::open(folder.path()).unwrap();
    let told = Told::default();
    let given = std::thread::scope(|scope| {
        // Whatever fails, the others must not go on for ever.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let (ended, stop) = (Stop(&told.ended), Stop(&told.stop));
        let follower = scope.spawn(|| follow(&reader, &told));
        let threads = work(scope, &stores, &told);
        let mut versions = BTreeMap::new();
        while numbers(&told.acknowledged).contains(&0) && !threads.iter().any(ScopedJoinHandle::is_finished) {
            std::thread::yield_now();
        }
        for number in 0..QUERIES {
            ask(if number % 2 == 0 { &reader } else { &stores[0] }, &told);
            if number % 10 == 0 {
                export(&reader, &told);
                let version = reader.info().unwrap().version;
                versions.insert(version, count_of(&reader, version));
            }
        }
        for (version, count) in versions {
            assert_eq!(count_of(&stores[1], version), count, "version {version}");
        }
        drop(stop);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        drop(ended);
        follower.join().unwrap()
    });
    ask(&reader, &told);
    let total: i64 = numbers(&told.acknowledged).iter().sum();
    assert_eq!(given.len() as i64, total);
    assert!(total > QUERIES as i64, "only {total} events");
}
