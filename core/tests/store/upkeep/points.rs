//! Each operation of the upkeep on the disk fails once, is the last one before the process dies or the power goes, or
//! finds the disk full. Before and after, the store is whole: it has all events, or those that are to stay.

use super::{at_day, expire, expiry, fixture, verified, with_storage};
use crate::machine::{Loss, Machine, Plan};
use crate::support::fast_folder;
use arrow::array::AsArray;
use daybook::storage::LocalStorage;
use daybook::{CompactRequest, NoProgress, Result, Store};
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A kind of upkeep, and the day on which it is done.
pub struct Case {
    pub name: &'static str,
    pub day: i64,
    pub work: fn(&Store) -> Result<()>,
    /// What must hold besides, once it was done.
    pub check: fn(&Path),
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Fails,
    Dies,
    Power(Loss),
    Full,
}

const MODES: [Mode; 7] = [
    Mode::Fails,
    Mode::Dies,
    Mode::Full,
    Mode::Power(Loss::Everything),
    Mode::Power(Loss::NewNames),
    Mode::Power(Loss::Bytes),
    Mode::Power(Loss::HalfTheBytes),
];

pub fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&place).unwrap();
            copy(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), &place).unwrap();
        }
    }
}

/// The ids of all events but those about the store. SQL would find the same, but a session takes more time than all the
/// rest.
fn ids(store: &Store) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for batch in store.changes(None, usize::MAX).unwrap().events {
        let column = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        for (id, source) in column("event_id").iter().zip(&column("source")) {
            if source != Some("daybook") {
                assert!(found.insert(id.unwrap_or_default().to_string()), "`{id:?}` is there twice");
            }
        }
    }
    found
}

/// Does the work with something going wrong at one point. False if it ended before that.
fn strike(original: &Path, case: &Case, mode: Mode, at: usize, after: &BTreeSet<String>) -> bool {
    let folder = fast_folder();
    copy(original, folder.path());
    let before = ids(&at_day(folder.path(), case.day).0);
    let plan = match mode {
        Mode::Fails => Plan::FailOnce(at),
        Mode::Dies | Mode::Power(_) => Plan::Stop(at),
        Mode::Full => Plan::Full(at),
    };
    let machine = Arc::new(Machine::new(folder.path(), plan));
    let storage = LocalStorage::with_probe(folder.path(), machine.clone());
    let done = with_storage(storage, case.day).and_then(|(store, _)| (case.work)(&store));
    let was_struck = machine.struck().is_some();
    assert!(was_struck || done.is_ok(), "fails on a good disk: {done:?}");
    if let Mode::Power(loss) = mode {
        machine.lose_power(loss);
    }
    let (store, _) = at_day(folder.path(), case.day);
    let found = ids(&store);
    assert!(found == before || found == *after, "{found:?} is neither before nor after");
    if done.is_ok() {
        assert_eq!(found, *after, "it said that it was done");
    }
    verified(&store, None);
    (case.work)(&store).unwrap_or_else(|error| panic!("it does not work again: {error:?}"));
    assert_eq!(ids(&store), *after, "the second time");
    assert_eq!(verified(&store, None).problems, []);
    store.close().unwrap();
    (case.check)(folder.path());
    was_struck
}

/// Every point of a case, in every mode.
pub fn everywhere(original: &Path, case: &Case) {
    let folder = fast_folder();
    copy(original, folder.path());
    let (store, _) = at_day(folder.path(), case.day);
    (case.work)(&store).unwrap();
    let after = ids(&store);
    store.close().unwrap();
    for mode in MODES {
        let (next, ended, failures) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(Vec::new()));
        let work = || {
            while !ended.load(Ordering::Relaxed) && failures.lock().unwrap().len() < 50 {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let one = AssertUnwindSafe(|| strike(original, case, mode, at, &after));
                match std::panic::catch_unwind(one) {
                    Ok(true) => {}
                    Ok(false) => ended.store(true, Ordering::Relaxed),
                    Err(panic) => failures.lock().unwrap().push((at, words(&*panic))),
                }
            }
        };
        std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
        let failures = failures.into_inner().unwrap();
        assert!(failures.is_empty(), "{}: {mode:?}: {failures:?}", case.name);
        let points = next.into_inner();
        assert!(points > 10, "{}: {mode:?} has only {points} points", case.name);
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

#[test]
fn compaction_stops_anywhere() {
    let work = |store: &Store| store.compact(&CompactRequest::default(), &NoProgress).map(drop);
    let case = Case { name: "compact", day: 40, work, check: |_| () };
    everywhere(fixture(2).path(), &case);
}

#[test]
fn expiry_stops_anywhere() {
    let by_age = |store: &Store| expire(store, &expiry("", 2)).map(drop);
    everywhere(fixture(3).path(), &Case { name: "expire by age", day: 3, work: by_age, check: |_| () });
    let by_filter = |store: &Store| expire(store, &expiry("kind:debug", 1)).map(drop);
    everywhere(fixture(2).path(), &Case { name: "expire by filter", day: 3, work: by_filter, check: |_| () });
}
