//! A store that may not be written: each upkeep says so and changes nothing, and what only looks goes on.

use super::{at_day, expiry, fixture, ids, verified, with_storage};
use crate::support::fast_folder;
use daybook::query::filter::{Context, Filter};
use daybook::storage::LocalStorage;
use daybook::storage::probe::{Operation, Probe};
use daybook::{ArchiveRequest, CompactRequest, EraseRequest, ErrorKind, NoProgress, Period, Result, Store};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A disk that was mounted to be read.
#[derive(Debug)]
struct ReadOnly;

impl Probe for ReadOnly {
    fn before(&self, _operation: Operation, _path: &Path) -> std::io::Result<()> {
        Err(std::io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
    }
    found
}

fn erasure(dry_run: bool) -> EraseRequest {
    let text = "actor:ann".to_string();
    let filter = Filter::parse(&text, &Context::without_clock()).unwrap();
    EraseRequest { filter, text, reason: "test".to_string(), redact: Vec::new(), dry_run }
}

fn archive(store: &Store, to: &Path) -> Result<()> {
    let period = Period::before("2026-01-12".parse().unwrap());
    store.archive(to, &ArchiveRequest { period, keep: false }, &NoProgress).map(drop)
}

#[test]
fn upkeep_of_a_store_that_may_not_be_written_is_refused_and_changes_nothing() {
    let (folder, target) = (fixture(3), fast_folder());
    let (store, _) = at_day(folder.path(), 4);
    let kept = target.path().join("kept");
    let period = Period::before("2026-01-12".parse().unwrap());
    store.archive(&kept, &ArchiveRequest { period, keep: true }, &NoProgress).unwrap();
    let all = ids(&store);
    store.close().unwrap();
    let before = contents(folder.path());
    let (store, _) = with_storage(LocalStorage::with_probe(folder.path(), Arc::new(ReadOnly)), 4).unwrap();
    let refused: [(&str, Result<()>); 6] = [
        ("compact", store.compact(&CompactRequest::default(), &NoProgress).map(drop)),
        ("expire", store.expire(&expiry("kind:debug", 1), &NoProgress).map(drop)),
        ("erase", store.erase(&erasure(false), &NoProgress).map(drop)),
        ("maintain", store.maintain(false, &NoProgress).map(drop)),
        ("archive", archive(&store, &target.path().join("new"))),
        ("restore", store.restore(&kept, None, &NoProgress).map(drop)),
    ];
    for (name, done) in refused {
        let error = done.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission, "{name}: {error}");
        assert!(error.hint().is_some(), "{name}: {error}");
    }
    assert!(!target.path().join("new").exists(), "an archive was begun of what cannot be taken out");
    // What only looks goes on, and a copy elsewhere is made.
    assert!(store.maintain(true, &NoProgress).unwrap().compacted.days > 0);
    assert!(store.erase(&erasure(true), &NoProgress).unwrap().events > 0);
    assert_eq!(store.keeping().unwrap().by_day.len(), 3);
    verified(&store, None);
    let copy = target.path().join("copy");
    store.backup(&copy, &NoProgress).unwrap();
    assert_eq!((ids(&store), ids(&at_day(&copy, 4).0)), (all.clone(), all));
    drop(store);
    assert!(contents(folder.path()) == before, "something was written");
}

#[test]
fn an_archive_that_may_not_be_written_is_asked_and_comes_back() {
    let (folder, target) = (fixture(2), fast_folder());
    let (store, _) = at_day(folder.path(), 4);
    let all = ids(&store);
    archive(&store, target.path()).unwrap();
    let read_only = || Ok(LocalStorage::with_probe(target.path(), Arc::new(ReadOnly)));
    let request = ArchiveRequest { period: Period::before("2026-01-13".parse().unwrap()), keep: false };
    super::ingest(&store, "late", &super::lines("late", 0..1));
    let error = store.archive_into(&read_only, &request, &NoProgress).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
    assert_eq!(ids(&store).len(), 3, "nothing is removed here");
    let before = contents(target.path());
    store.restore(target.path(), None, &NoProgress).unwrap();
    assert_eq!(ids(&store).len(), all.len() + 3);
    assert!(contents(target.path()) == before, "something was written");
    store.close().unwrap();
}
