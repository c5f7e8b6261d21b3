//! Archives: what goes there is there, each event once, and comes back.

use super::points::{Case, in_some_modes};
use super::{at_day, fixture, ids, ingest, lines, verified};
use crate::machine::{Machine, Plan};
use crate::support::{exported, fast_folder, number};
use daybook::storage::LocalStorage;
use daybook::{ArchiveReceipt, ArchiveRequest, EraseRequest, ErrorKind, NoProgress, Period, Result, Store};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The first three days.
fn request(keep: bool) -> ArchiveRequest {
    ArchiveRequest { period: Period::before("2026-01-13".parse().unwrap()), keep }
}

fn archive(store: &Store, folder: &Path, keep: bool) -> Result<ArchiveReceipt> {
    store.archive(folder, &request(keep), &NoProgress)
}

fn erasure_of(text: &str) -> EraseRequest {
    EraseRequest {
        filter: super::filter(text),
        text: text.to_string(),
        reason: "asked for".to_string(),
        redact: Vec::new(),
        dry_run: false,
    }
}

fn of_days(days: std::ops::Range<i64>) -> BTreeSet<String> {
    let names = ["a", "b"].into_iter();
    names
        .flat_map(|name| days.clone().flat_map(move |day| (0..3).map(move |n| format!("{name}-{day}-{n}"))))
        .collect()
}

fn in_place(folder: &Path) -> BTreeSet<String> {
    let store = Store::open(folder).unwrap();
    verified(&store, None);
    ids(&store)
}

#[test]
fn what_is_archived_is_there_and_not_here_and_is_asked_together() {
    let folder = fixture(5);
    let target = fast_folder();
    let place = target.path().join("archive");
    let (store, _) = at_day(folder.path(), 5);
    let head = store.head().unwrap();
    let receipt = archive(&store, &place, false).unwrap();
    assert_eq!((receipt.days, receipt.events, receipt.events_before, receipt.removed), (3, 18, 0, 18));
    assert_eq!(ids(&store), of_days(3..5));
    let report = verified(&store, Some(head));
    assert_eq!((report.taken[0].why.as_str(), report.taken[0].events), ("archive", 18));
    assert_eq!(in_place(&place), of_days(0..3));
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.join("_archive.json")).unwrap()).unwrap();
    assert_eq!((manifest["events"].as_u64(), manifest["files"].as_array().unwrap().len()), (Some(18), 3));
    assert_eq!(manifest["head"].as_str(), Some(receipt.head.as_str()));
    // Again, there is nothing left to do.
    assert_eq!(archive(&store, &place, false).unwrap(), ArchiveReceipt::default());
    // What comes late joins the others.
    ingest(&store, "late", &lines("late", 1..2));
    let late = archive(&store, &place, false).unwrap();
    assert_eq!((late.days, late.events, late.events_before), (1, 3, 0));
    assert_eq!(in_place(&place).len(), 21);
    let both = store.with_archives(&[&place]).unwrap();
    assert_eq!(ids(&both).len(), 33);
    assert_eq!(number(&both, "SELECT count(*)::BIGINT FROM events WHERE actor = 'bob'"), 11);
    both.close().unwrap();
}

#[test]
fn what_is_kept_here_too_is_there_once_and_asked_once() {
    let folder = fixture(5);
    let target = fast_folder();
    let (store, _) = at_day(folder.path(), 5);
    assert_eq!(archive(&store, target.path(), true).unwrap().removed, 0);
    let again = archive(&store, target.path(), true).unwrap();
    assert_eq!((again.events, again.events_before), (18, 18));
    assert_eq!(in_place(target.path()), of_days(0..3));
    // Some of what is kept expires here, so that a file of the archive has events that are here and others.
    super::expire(&store, &super::expiry("kind:debug", 0)).unwrap();
    let both = store.with_archives(&[target.path()]).unwrap();
    let mut expected = of_days(0..3);
    expected.extend(of_days(3..4).into_iter().filter(|id| !id.ends_with("-0")));
    expected.extend(of_days(4..5).into_iter().filter(|id| !id.ends_with("-0")));
    assert_eq!(ids(&both), expected);
    both.close().unwrap();
}

#[test]
fn what_comes_back_is_what_went_without_what_was_erased() {
    let folder = fixture(5);
    let target = fast_folder();
    let (store, _) = at_day(folder.path(), 5);
    archive(&store, target.path(), true).unwrap();
    assert_eq!(store.erase(&erasure_of("actor:bob"), &NoProgress).unwrap().events, 10);
    archive(&store, target.path(), false).unwrap();
    let cursor = store.changes_from_now().unwrap();
    let back = store.restore(target.path(), None, &NoProgress).unwrap();
    assert_eq!((back.days, back.events, back.events_before, back.events_erased), (3, 12, 0, 6));
    let expected: BTreeSet<String> = of_days(0..5).into_iter().filter(|id| !id.ends_with("-2")).collect();
    assert_eq!(ids(&store), expected);
    let news: usize =
        store.changes(Some(&cursor), 100).unwrap().events.iter().map(|batch| batch.num_rows()).sum();
    assert_eq!(news, 1, "whoever follows the store has seen them");
    let again = store.restore(target.path(), Period::month("2026-01"), &NoProgress).unwrap();
    assert_eq!((again.events, again.events_before), (0, 12));
    verified(&store, None);
    // With its archive, nothing of the person is left there either.
    let both = store.with_archives(&[target.path()]).unwrap();
    assert_eq!(ids(&both), expected, "what was erased here is not shown from there");
    let receipt = both.erase(&erasure_of("actor:bob"), &NoProgress).unwrap();
    assert_eq!((receipt.events, receipt.archives[0].events), (0, 6));
    assert_eq!(in_place(target.path()).len(), 12);
    both.close().unwrap();
}

#[test]
fn an_archive_in_which_was_erased_has_no_events_of_its_own_and_goes_on() {
    let folder = fixture(5);
    let target = fast_folder();
    let (store, _) = at_day(folder.path(), 5);
    archive(&store, target.path(), false).unwrap();
    let both = store.with_archives(&[target.path()]).unwrap();
    assert_eq!(both.erase(&erasure_of("actor:bob"), &NoProgress).unwrap().archives[0].events, 6);
    assert_eq!(in_place(target.path()).len(), 12);
    // New fields here are no matter there, and the next events come there as before.
    ingest(&both, "late", "{\"ts\":\"2026-01-11T01:00:00Z\",\"id\":\"late\",\"new\":{\"field\":1}}\n");
    assert_eq!(archive(&both, target.path(), false).unwrap().events, 1);
    assert_eq!(in_place(target.path()).len(), 13);
    let back = both.restore(target.path(), None, &NoProgress).unwrap();
    assert_eq!((back.days, back.events, back.events_erased), (3, 13, 0));
    verified(&both, None);
    both.close().unwrap();
    let archived = Store::open(target.path()).unwrap();
    let error = archived.append(&daybook::Event::new("k"), daybook::Durability::Os).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("is an archive, and takes no events"), "{error}");
    let reader = Box::new(std::io::Cursor::new(b"{}\n".to_vec()));
    let input = daybook::Input::Reader { name: "x".to_string(), reader };
    let error = archived.ingest(vec![input], &daybook::IngestOptions::default(), &NoProgress).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn targets_that_are_something_else_and_periods_that_are_not_over_are_refused() {
    let folder = fixture(5);
    let (store, now) = at_day(folder.path(), 5);
    let invalid = |result: Result<ArchiveReceipt>, words: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    };
    let other = fast_folder();
    std::fs::write(other.path().join("letter.txt"), "x").unwrap();
    invalid(archive(&store, other.path(), false), "holds something else");
    invalid(archive(&store, folder.path(), false), "holds something else");
    let others = (fixture(4), fast_folder());
    let (second, _) = at_day(others.0.path(), 5);
    archive(&second, others.1.path(), false).unwrap();
    invalid(archive(&store, others.1.path(), false), "archive of another store");
    let quarter = ArchiveRequest { period: Period::quarter("2026Q1").unwrap(), keep: false };
    let target = other.path().join("new");
    invalid(store.archive(&target, &quarter, &NoProgress), "not over: its last day is 2026-03-31");
    now.go_on(-400);
    invalid(archive(&store, &target, false), "not over");
    now.go_on(800);
    let empty = ArchiveRequest { period: Period::quarter("2025Q1").unwrap(), keep: false };
    assert_eq!(store.archive(&target, &empty, &NoProgress).unwrap().days, 0);
    assert!(!target.exists(), "nothing was made for nothing");
    let error = store.restore(&target, None, &NoProgress).unwrap_err();
    assert!(error.message().contains("is no archive"), "{error}");
    let error = store.with_archives(&[others.1.path()]).unwrap_err();
    assert!(error.message().contains("archive of another store"), "{error}");
}

#[test]
fn an_archive_is_named_by_a_relative_path_too() {
    let (folder, target) = (fixture(5), fast_folder());
    let up: PathBuf = std::env::current_dir().unwrap().ancestors().skip(1).map(|_| "..").collect();
    let place = up.join(target.path().strip_prefix("/").unwrap()).join("archive");
    assert!(place.is_relative());
    let (store, _) = at_day(folder.path(), 5);
    assert_eq!(archive(&store, &place, false).unwrap().events, 18);
    let both = store.with_archives(&[&place]).unwrap();
    assert_eq!(ids(&both), of_days(0..5));
    assert_eq!(both.restore(&place, None, &NoProgress).unwrap().events, 18);
    assert_eq!(ids(&both), of_days(0..5), "each event once");
    both.close().unwrap();
    assert_eq!(in_place(&place), of_days(0..3));
}

#[test]
fn a_copy_of_the_store_knows_its_archives_and_a_new_store_is_told_what_it_can_do() {
    let (folder, target, copy) = (fixture(5), fast_folder(), fast_folder());
    let (store, _) = at_day(folder.path(), 5);
    archive(&store, target.path(), false).unwrap();
    let place = copy.path().join("copy");
    store.backup(&place, &NoProgress).unwrap();
    store.close().unwrap();
    let (from_copy, _) = at_day(&place, 5);
    assert_eq!(from_copy.restore(target.path(), None, &NoProgress).unwrap().events, 18);
    assert_eq!(ids(&from_copy), of_days(0..5));
    from_copy.close().unwrap();
    let fresh = fast_folder();
    let (new, _) = at_day(fresh.path(), 5);
    let error = new.restore(target.path(), None, &NoProgress).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let text = error.to_string();
    assert!(text.contains("archive of another store"), "{text}");
    let hint = error.hint().unwrap_or_default();
    // As it says.
    assert!(hint.contains("export - --original | daybook ingest -"), "{hint}");
    ingest(&new, "archive", &exported(&Store::open(target.path()).unwrap()));
    assert_eq!(ids(&new), of_days(0..3));
    new.close().unwrap();
}

#[test]
fn nothing_is_removed_here_when_the_archive_is_damaged() {
    let folder = fixture(5);
    let target = fast_folder();
    let (store, _) = at_day(folder.path(), 5);
    archive(&store, target.path(), true).unwrap();
    let day = target.path().join("day=2026-01-11");
    let file = std::fs::read_dir(day).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(archive(&store, target.path(), false).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(ids(&store), of_days(0..5));
    store.close().unwrap();
}

/// A folder for the archive of the store in a folder, beside it.
fn beside(folder: &Path) -> PathBuf {
    PathBuf::from(format!("{}-archive", folder.display()))
}

#[test]
fn archiving_stops_anywhere_here_and_goes_on() {
    let work = |store: &Store| {
        let place = beside(Path::new(&store.info().unwrap().path));
        archive(store, &place, false).map(drop)
    };
    let check = |folder: &Path| {
        let place = beside(folder);
        assert_eq!(in_place(&place).len(), 6);
        std::fs::remove_dir_all(place).unwrap();
    };
    in_some_modes(fixture(1).path(), &Case { name: "archive", day: 5, work, check });
}

#[test]
fn archiving_stops_anywhere_there_and_goes_on() {
    for at in 0.. {
        let (folder, target) = (fixture(1), fast_folder());
        let (store, _) = at_day(folder.path(), 5);
        for (plan, stops) in [(Plan::Stop(at), true), (Plan::Full(at), false)] {
            let machine = Arc::new(Machine::new(target.path(), plan));
            let storage = || Ok(LocalStorage::with_probe(target.path(), machine.clone()));
            let done = store.archive_into(&storage, &request(false), &NoProgress);
            if machine.struck().is_none() {
                assert_eq!(done.as_ref().unwrap().removed, 6);
                if stops {
                    assert!(at > 50, "only {at} points");
                    return;
                }
            }
            // What is removed here was compared before; upkeep of the archive after that may fail.
            let left = ids(&store).len();
            assert!(left == 6 || done.as_ref().is_ok_and(|done| done.removed == 6), "{at}: {left}: {done:?}");
            if left == 0 {
                break;
            }
        }
        archive(&store, target.path(), false).unwrap();
        assert_eq!((ids(&store).len(), in_place(target.path()).len()), (0, 6), "{at}");
        store.close().unwrap();
    }
}

#[test]
fn a_restore_stops_anywhere() {
    let folder = fixture(4);
    let target = fast_folder();
    let place = target.path().to_path_buf();
    let (store, _) = at_day(folder.path(), 5);
    archive(&store, &place, false).unwrap();
    store.close().unwrap();
    // The work knows no place: it is written down in the store's folder.
    std::fs::write(folder.path().join("_place"), place.display().to_string()).unwrap();
    let work = |store: &Store| {
        let root = store.info().unwrap().path;
        let place = std::fs::read_to_string(Path::new(&root).join("_place")).unwrap();
        store.restore(Path::new(&place), None, &NoProgress).map(drop)
    };
    in_some_modes(folder.path(), &Case { name: "restore", day: 5, work, check: |_| () });
}
