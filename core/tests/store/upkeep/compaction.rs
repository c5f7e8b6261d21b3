//! Compaction: what is planned, what is old, and who comes second.

use super::{at_day, fixture, ids, ingest, lines, verified};
use daybook::log::{At, Log};
use daybook::storage::LocalStorage;
use daybook::{CompactReceipt, CompactRequest, ErrorKind, NoProgress, Store};
use std::path::Path;
use std::sync::Arc;

fn compact(store: &Store, request: CompactRequest) -> CompactReceipt {
    store.compact(&request, &NoProgress).unwrap()
}

fn levels(folder: &Path) -> Vec<i32> {
    let log = Log::open(Arc::new(LocalStorage::new(folder)), "").unwrap();
    log.snapshot(At::Latest).unwrap().files.iter().map(|file| file.level).collect()
}

#[test]
fn a_dry_run_says_what_is_done_then_and_changes_nothing() {
    let folder = fixture(3);
    let (store, _) = at_day(folder.path(), 4);
    let version = store.info().unwrap().version;
    let planned = compact(&store, CompactRequest { dry_run: true, ..CompactRequest::default() });
    assert_eq!((planned.days, planned.files_before, planned.files_after, planned.events), (3, 6, 3, 18));
    assert_eq!((planned.bytes_after, store.info().unwrap().version), (None, version));
    let day = chrono::NaiveDate::from_ymd_opt(2026, 1, 11);
    let one = compact(&store, CompactRequest { day, dry_run: false });
    assert_eq!((one.days, one.files_before, one.files_after, one.events), (1, 2, 1, 6));
    assert_eq!((one.files_removed, one.files_waiting), (0, 2), "readers of older versions may need them");
    let rest = compact(&store, CompactRequest::default());
    assert_eq!((rest.days, rest.files_before, rest.files_after, rest.files_waiting), (2, 4, 2, 6));
    let nothing = compact(&store, CompactRequest::default());
    assert_eq!((nothing.days, nothing.bytes_after), (0, Some(0)));
    assert_eq!(ids(&store).len(), 18);
    verified(&store, None);
    store.close().unwrap();
}

#[test]
fn old_days_are_compressed_harder_once() {
    let folder = fixture(3);
    let (store, now) = at_day(folder.path(), 4);
    compact(&store, CompactRequest::default());
    assert_eq!(levels(folder.path()), [9, 9, 9]);
    now.go_on(28);
    // 32 days after the start, the first day is 32 days old, and the second 31.
    assert_eq!(compact(&store, CompactRequest::default()).days, 2);
    assert_eq!(levels(folder.path()), [19, 19, 9]);
    assert_eq!(compact(&store, CompactRequest::default()).days, 0);
    // What comes late joins the others at their level.
    ingest(&store, "late", &lines("late", 0..1));
    assert_eq!(compact(&store, CompactRequest::default()).files_before, 2);
    assert_eq!(levels(folder.path()), [19, 19, 9]);
    // A clock that was set back makes nothing old, and nothing young.
    now.go_on(-300);
    assert_eq!(compact(&store, CompactRequest::default()).days, 0);
    assert_eq!(ids(&store).len(), 21);
    verified(&store, None);
    store.close().unwrap();
}

#[test]
fn the_second_upkeep_of_a_store_is_told_that_there_is_one() {
    let folder = fixture(2);
    let (store, _) = at_day(folder.path(), 4);
    let lock = LocalStorage::new(folder.path()).try_lock("_upkeep.lock").unwrap();
    let error = store.compact(&CompactRequest::default(), &NoProgress).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.message().contains("another upkeep"), "{error}");
    drop(lock);
    assert_eq!(compact(&store, CompactRequest::default()).days, 2);
    store.close().unwrap();
}
