//! All upkeep in one call, what it would do, and copies of a store.

use super::points::{Case, in_some_modes};
use super::{at_day, fixture, ids, ingest, lines, verified};
use crate::machine::{Machine, Plan};
use crate::support::{event, fast_folder};
use daybook::storage::LocalStorage;
use daybook::{ArchiveRequest, Durability, ErrorKind, NoProgress, Period, Store};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const POLICIES: &str =
    "[[keep.policy]]\nfilter = \"kind:debug\"\nmax_age_days = 1\n[[keep.policy]]\nmax_size = \"1MB\"\n";

#[test]
fn maintenance_does_what_the_settings_ask_for_and_then_has_nothing_to_do() {
    let folder = fixture(3);
    std::fs::write(folder.path().join("daybook.toml"), POLICIES).unwrap();
    let (store, now) = at_day(folder.path(), 4);
    store.append(&event("waiting"), Durability::Fsync).unwrap();
    let report = store.keeping().unwrap();
    assert_eq!(report.by_day.iter().map(|day| (day.events, day.files)).collect::<Vec<_>>(), [(6, 2); 3]);
    let due = &report.due;
    assert_eq!((due.dry_run, due.sealed, due.expired[0].expired, due.compacted.days), (true, 1, 6, 3));
    assert_eq!((report.quotas.len(), report.quotas[0].max_bytes), (1, 1_000_000));
    assert!(report.quotas[0].percent > 0.1 && report.quotas[0].percent < 10.0, "{:?}", report.quotas);
    assert!(report.columns.iter().any(|column| column.name == "seq"), "{:?}", report.columns);
    let done = store.maintain(false, &NoProgress).unwrap();
    assert_eq!((done.dry_run, done.sealed, done.expired[0].expired), (false, 1, 6));
    assert_eq!(done.compacted.days, 4, "{done:?}");
    assert_eq!(ids(&store).len(), 13);
    let again = store.maintain(false, &NoProgress).unwrap();
    assert!(again.is_idle(), "{again:?}");
    // The files that were replaced go when nobody can need them.
    now.go_on(8);
    let later = store.maintain(false, &NoProgress).unwrap();
    assert!(later.compacted.files_removed > 6, "{later:?}");
    verified(&store, None);
    let lock = LocalStorage::new(folder.path()).try_lock("_upkeep.lock").unwrap();
    assert_eq!(store.maintain(false, &NoProgress).unwrap_err().kind(), ErrorKind::Busy);
    assert!(store.maintain(true, &NoProgress).is_ok(), "a look needs no lock");
    drop(lock);
    store.close().unwrap();
}

#[test]
fn a_clock_that_was_set_back_removes_nothing_and_stops_nothing() {
    let folder = fixture(3);
    let policy = "[[keep.policy]]\nmax_age_days = 30\n";
    std::fs::write(folder.path().join("daybook.toml"), policy).unwrap();
    let archive = fast_folder();
    let (store, now) = at_day(folder.path(), 4);
    let head = store.head().unwrap();
    assert_eq!(store.maintain(false, &NoProgress).unwrap().compacted.days, 3);
    // Before the events, and before the commits that are there.
    now.go_on(-3000);
    let back = store.maintain(false, &NoProgress).unwrap();
    assert!(back.is_idle(), "{back:?}");
    assert_eq!(back.compacted.files_waiting, 6, "{back:?}");
    ingest(&store, "late", &lines("late", 0..1));
    store.append(&event("now"), Durability::Fsync).unwrap();
    let back = store.maintain(false, &NoProgress).unwrap();
    assert_eq!((back.expired[0].expired, back.compacted.days, back.compacted.files_removed), (0, 1, 0));
    let request = ArchiveRequest { period: Period::before("2026-01-13".parse().unwrap()), keep: true };
    let error = store.archive(archive.path(), &request, &NoProgress).unwrap_err();
    assert!(error.message().contains("the period is not over"), "{error}");
    assert_eq!(ids(&store).len(), 22);
    verified(&store, Some(head.clone()));
    // Once it is right again, what is old goes.
    now.go_on(3000 + 29);
    assert_eq!(store.maintain(false, &NoProgress).unwrap().expired[0].expired, 18 + 3);
    verified(&store, Some(head));
    store.close().unwrap();
}

fn with_archive(folder: &Path, more: &str) -> TempDir {
    let archive = fast_folder();
    let text = format!("[keep.archive]\nto = \"{}\"\n{more}", archive.path().join("a").display());
    std::fs::write(folder.join("daybook.toml"), text).unwrap();
    archive
}

#[test]
fn maintenance_archives_the_quarters_that_are_old_enough() {
    // The events are of January 2026: the quarter ends before day 81, and the one after it before day 172.
    for (more, day, expected) in [
        ("", 3, 0),
        ("", 171, 0),
        ("", 173, 9),
        ("after_quarters = 0\n", 80, 0),
        ("after_quarters = 0\n", 82, 9),
        ("after_quarters = 0\nkeep = true\n", 82, 9),
        ("after_quarters = 40000000\n", 82, 0),
    ] {
        let folder = fixture(3);
        let archive = with_archive(folder.path(), more);
        let (store, _) = at_day(folder.path(), day);
        let all = ids(&store).len() as u64;
        let expected = if expected == 0 { 0 } else { all };
        let due = store.maintain(true, &NoProgress).unwrap().archived.unwrap();
        assert_eq!(due.events, expected, "{more} on day {day}");
        let done = store.maintain(false, &NoProgress).unwrap().archived.unwrap();
        let stays = more.contains("keep") || expected == 0;
        assert_eq!((done.events, done.removed > 0), (expected, !stays), "{more} on day {day}");
        assert_eq!(ids(&store).len() as u64, if stays { all } else { 0 });
        assert_eq!(archive.path().join("a/_archive.json").exists(), expected > 0);
        let again = store.maintain(false, &NoProgress).unwrap();
        assert_eq!(again.archived.map(|archived| archived.days), Some(0), "{more} on day {day}");
        verified(&store, None);
        store.close().unwrap();
    }
}

#[test]
fn an_archive_of_the_settings_is_named_by_a_path_that_is_the_same_everywhere() {
    let folder = fixture(1);
    for wrong in ["archive", "../archive", "http://x/y", ""] {
        std::fs::write(folder.path().join("daybook.toml"), format!("[keep.archive]\nto = \"{wrong}\"\n"))
            .unwrap();
        let error = Store::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("keep.archive"), "{error}");
    }
}

#[test]
fn maintenance_of_an_empty_store_does_nothing() {
    let folder = fast_folder();
    let (store, _) = at_day(folder.path(), 0);
    assert!(store.maintain(false, &NoProgress).unwrap().is_idle());
    assert_eq!(store.keeping().unwrap().by_day, []);
    assert_eq!(store.info().unwrap().version, 0);
    store.close().unwrap();
}

#[test]
fn maintenance_stops_anywhere() {
    let folder = fixture(2);
    std::fs::write(folder.path().join("daybook.toml"), POLICIES).unwrap();
    let work = |store: &Store| store.maintain(false, &NoProgress).map(drop);
    in_some_modes(folder.path(), &Case { name: "maintain", day: 3, work, check: |_| () });
}

#[test]
fn a_backup_has_all_that_a_live_store_has_and_the_same_head() {
    let folder = fixture(2);
    let (store, _) = at_day(folder.path(), 3);
    ingest(&store, "bad", "no record\n");
    store.append(&event("waiting"), Durability::Fsync).unwrap();
    store.compact(&daybook::CompactRequest::default(), &NoProgress).unwrap();
    let target = fast_folder();
    let place = target.path().join("copy");
    let receipt = store.backup(&place, &NoProgress).unwrap();
    assert_eq!((receipt.events, receipt.files), (12, 3));
    assert_eq!(receipt.head, store.head().unwrap().to_string());
    let (copy, _) = at_day(&place, 3);
    assert_eq!(ids(&copy), ids(&store));
    assert!(ids(&copy).contains("waiting"));
    assert_eq!((copy.info().unwrap().quarantined, copy.info().unwrap().wal_events), (1, 1));
    verified(&copy, Some(receipt.head.parse().unwrap()));
    // It goes on as a store of its own.
    ingest(&copy, "more", &lines("more", 4..5));
    copy.seal().unwrap();
    assert_eq!(ids(&copy).len(), ids(&store).len() + 3);
    verified(&copy, Some(receipt.head.parse().unwrap()));
    copy.close().unwrap();
    let error = store.backup(&place, &NoProgress).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("holds something already"), "{error}");
    store.close().unwrap();
}

#[test]
fn a_backup_stops_anywhere_there_and_is_made_anew() {
    let folder = fixture(1);
    let (store, _) = at_day(folder.path(), 3);
    store.append(&event("waiting"), Durability::Fsync).unwrap();
    let (all, head) = (ids(&store), store.head().unwrap());
    for at in 0.. {
        let target = fast_folder();
        for plan in [Plan::Full(at), Plan::Stop(at)] {
            let machine = Arc::new(Machine::new(target.path(), plan));
            let storage = || LocalStorage::with_probe(target.path(), machine.clone());
            let done = store.backup_into(&storage, &NoProgress);
            // What is not whole is no store; what is one is whole.
            let copy = Store::open(target.path()).ok();
            assert!(copy.as_ref().is_none_or(|copy| ids(copy) == all), "{at}: {done:?}");
            if machine.struck().is_none() {
                assert_eq!(done.unwrap().head, head.to_string());
                assert!(at > 20, "only {at} points");
                store.close().unwrap();
                return;
            }
            drop(copy);
            if Store::open(target.path()).is_ok() {
                break;
            }
        }
        if Store::open(target.path()).is_err() {
            store.backup(target.path(), &NoProgress).unwrap();
        }
        verified(&Store::open(target.path()).unwrap(), Some(head.clone()));
        assert_eq!(ids(&store), all, "{at}");
    }
}

#[test]
fn a_backup_that_was_cut_off_is_no_store_and_is_made_anew() {
    let folder = fixture(1);
    let (store, _) = at_day(folder.path(), 3);
    let target = fast_folder();
    store.backup(target.path(), &NoProgress).unwrap();
    std::fs::write(target.path().join("_incomplete"), "x").unwrap();
    let error = Store::open(target.path()).unwrap_err();
    assert!(error.message().contains("not finished"), "{error}");
    assert_eq!(store.backup(target.path(), &NoProgress).unwrap().events, 6);
    assert_eq!(ids(&at_day(target.path(), 3).0).len(), 6);
    // A damaged file is found while it is copied.
    let day = folder.path().join("day=2026-01-10");
    let file = std::fs::read_dir(day).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[50] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let other = fast_folder();
    assert_eq!(store.backup(other.path(), &NoProgress).unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(Store::open(other.path()).is_err());
    store.close().unwrap();
}
