//! A retry in which something goes wrong, or which is not alone.

use super::{Fixture, check_files, from, ingest, retry};
use crate::machine::{Loss, Machine, Plan};
use crate::support::{by_changes, event, number, once, query};
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use daybook::storage::LocalStorage;
use daybook::wal::Clock;
use daybook::{
    CompactRequest, Durability, Format, NoProgress, QuarantineFilter, Result, RetryOptions, RetryReceipt,
    Store,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// The store for what goes wrong: some events, and rejects of an input and of the log.
const MESSY: &str = "{\"id\":\"e1\"}\nid=r1 level=info\n[1]\nid=r2 level=warn\n{\"id\":\"e2\"}\n";
const LATER: &str = "id=r3 level=info\n";
const STORED: [&str; 3] = ["r1", "r2", "r3"];

fn prepare(folder: &Path, machine: &Arc<Machine>, clock: Clock) -> Result<Store> {
    let store = Store::create_storage(LocalStorage::with_probe(folder, machine.clone()), clock)?;
    ingest(&store, "a", MESSY);
    ingest(&store, "b", LATER);
    store.seal()?;
    store.append(&event("e3"), Durability::Fsync)?;
    Ok(store)
}

fn with_logfmt(store: &Store) -> Result<RetryReceipt> {
    store.retry_quarantine(&from(Format::Logfmt), &NoProgress)
}

/// Events by id, and rejects by what their line is called, as SQL finds them.
fn by_sql(store: &Store) -> (BTreeMap<String, i64>, BTreeMap<String, i64>) {
    let sql = "SELECT event_id, seq FROM events UNION ALL \
               SELECT coalesce(nullif(regexp_extract(raw, 'id=(\\w+)', 1), ''), raw) || ' raw', seq FROM quarantine";
    let mut pairs = Vec::new();
    for batch in query(store, sql).unwrap() {
        let (names, seqs) = (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<Int64Type>());
        pairs.extend((0..batch.num_rows()).map(|row| (names.value(row).to_string(), seqs.value(row))));
    }
    once("SQL", pairs).into_iter().partition(|(name, _)| !name.ends_with(" raw"))
}

/// The same without SQL, whose sessions take more time than all the rest.
fn found(store: &Store) -> (BTreeMap<String, i64>, BTreeMap<String, i64>) {
    let events = once("`changes`", by_changes(store, None, 3).unwrap().0);
    let page = store.quarantined_records(&QuarantineFilter::default(), None, 100).unwrap();
    let name = |text: &str| match text.strip_prefix("id=") {
        Some(rest) => format!("{} raw", rest.split(' ').next().unwrap_or_default()),
        None => format!("{text} raw"),
    };
    let rejects = page.records.iter().map(|record| (name(&record.text), record.seq));
    (events, once("the quarantine", rejects))
}

/// Whatever went wrong, each record is there once, under its number; and a retry stores the rest.
/// Says how many a retry had stored and not taken out.
fn check_after(fixture: &Fixture, before: &BTreeMap<String, i64>, with_sql: bool) -> u64 {
    let store = Store::open_storage(LocalStorage::new(fixture.folder.path()), fixture.clock()).unwrap();
    let (events, rejects) = found(&store);
    if with_sql {
        assert_eq!(by_sql(&store), (events.clone(), rejects.clone()));
    }
    assert_eq!(events.len() + rejects.len(), 7, "{events:?} {rejects:?}");
    let info = store.info().unwrap();
    assert_eq!((info.events, info.quarantined), (events.len() as u64, rejects.len() as u64));
    let summary = store.quarantined(&QuarantineFilter::default()).unwrap();
    assert_eq!(summary.records, rejects.len() as u64);
    let receipt = with_logfmt(&store).unwrap();
    let stored = STORED.iter().filter(|id| events.contains_key(**id)).count() as u64;
    assert_eq!((receipt.stored, receipt.still), (STORED.len() as u64 - stored, 1), "{receipt:?}");
    let (events, rejects) = found(&store);
    let ids: BTreeSet<&str> = events.keys().map(String::as_str).collect();
    assert_eq!(ids, ["e1", "e2", "e3", "r1", "r2", "r3"].into());
    for id in STORED {
        assert_eq!(events[id], before[&format!("{id} raw")], "the number of `{id}` changed");
    }
    assert_eq!(rejects.keys().collect::<Vec<_>>(), ["[1] raw"]);
    store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    assert_eq!(found(&store), (events, rejects));
    check_files(fixture.folder.path());
    store.close().unwrap();
    receipt.finished
}

/// A retry in which something goes wrong at one operation: how many records it stored and did not take out.
/// None if it ended before that.
fn goes_wrong(plan: Plan, loss: Option<Loss>) -> Option<u64> {
    let fixture = Fixture::new("");
    let machine = Arc::new(Machine::new(fixture.folder.path(), Plan::Nothing));
    let store = prepare(fixture.folder.path(), &machine, fixture.clock()).unwrap();
    let (_, before) = found(&store);
    machine.go_on_with(plan);
    let done = with_logfmt(&store);
    let was_struck = machine.struck().is_some();
    assert!(done.is_ok() || was_struck, "{done:?}");
    if let (Plan::FailOnce(_), Err(_)) = (plan, &done) {
        // The same process goes on as well.
        let (events, rejects) = found(&store);
        assert_eq!(events.len() + rejects.len(), 7, "{events:?} {rejects:?}");
    }
    drop(store);
    if let Some(loss) = loss {
        machine.lose_power(loss);
    }
    let with_sql = matches!(plan, Plan::Stop(_)) && loss.is_none();
    let finished = check_after(&fixture, &before, with_sql);
    was_struck.then_some(finished)
}

fn at_each_operation(plan: fn(usize) -> Plan, loss: Option<Loss>) {
    let points: Vec<u64> = (0..).map_while(|at| goes_wrong(plan(at), loss)).collect();
    assert!(points.len() > 20, "{} points", points.len());
    let all = STORED.len() as u64;
    assert!(points.contains(&all) && points.contains(&0), "{points:?}");
    assert!(points.iter().all(|finished| [0, all].contains(finished)), "{points:?}");
}

#[test]
fn a_retry_that_fails_or_dies_anywhere_loses_and_doubles_nothing() {
    at_each_operation(Plan::FailOnce, None);
    at_each_operation(Plan::Stop, None);
    at_each_operation(Plan::Full, None);
}

#[test]
fn a_retry_during_which_the_power_goes_loses_and_doubles_nothing() {
    for loss in [Loss::Everything, Loss::NewNames, Loss::Bytes, Loss::HalfTheBytes] {
        at_each_operation(Plan::Stop, Some(loss));
    }
}

#[test]
fn readers_and_appenders_go_on_while_records_are_tried_again() {
    let fixture = Fixture::new("[seal]\nevents = 50\n");
    let store = fixture.store();
    for number in 0..20 {
        ingest(&store, &format!("{number}"), &format!("id=r{number} at=x\n[{number}]\n"));
    }
    let (ended, appended) = (AtomicBool::new(false), AtomicI64::new(0));
    std::thread::scope(|scope| {
        let (folder, clock) = (fixture.folder.path(), fixture.clock());
        let (done, count) = (&ended, &appended);
        scope.spawn(move || {
            let other = Store::open_storage(LocalStorage::new(folder), clock).unwrap();
            while !done.load(Ordering::Relaxed) {
                let number = count.fetch_add(1, Ordering::Relaxed);
                other.append(&event(&format!("a{number}")), Durability::Os).unwrap();
                if number % 40 == 7 {
                    ingest(
                        &other,
                        &format!("later {number}"),
                        &format!("{{\"id\":\"l{number}\"}}\n[7,{number}]\n"),
                    );
                    other.seal().unwrap();
                }
            }
            other.close().unwrap();
        });
        let reader = fixture.store();
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                let sql = "SELECT (SELECT count(*) FROM events WHERE event_id LIKE 'r%') + \
                           (SELECT count(*) FROM quarantine WHERE raw LIKE 'id=%')";
                assert_eq!(number(&reader, sql), 20, "a record is there twice, or nowhere");
            }
        });
        for number in 0..20 {
            let filter = QuarantineFilter { input: Some(number.to_string()), ..QuarantineFilter::default() };
            retry(&store, RetryOptions { filter, ..from(Format::Logfmt) });
        }
        ended.store(true, Ordering::Relaxed);
    });
    retry(&store, from(Format::Logfmt));
    let count = |sql: &str| number(&store, sql);
    assert_eq!(count("SELECT count(*) FROM events WHERE event_id LIKE 'r%'"), 20);
    let appended = appended.load(Ordering::Relaxed);
    assert_eq!(count("SELECT count(*) FROM events WHERE event_id LIKE 'a%'"), appended);
    let later = (0..appended).filter(|number| number % 40 == 7).count() as i64;
    assert_eq!(count("SELECT count(*) FROM quarantine"), 20 + later);
    assert_eq!(count("SELECT count(*) - count(DISTINCT seq) FROM events"), 0);
    check_files(fixture.folder.path());
}
