//! What must hold of a store after it was struck.

use super::{INPUT_IDS, INPUT_REJECTS, NOW_US, RESTART_US, Told, clock, ingest};
use crate::support::{by_changes, by_export, by_sql, event, once};
use daybook::log::{At, Log};
use daybook::storage::{LocalStorage, Storage};
use daybook::{CompactRequest, Durability, ErrorKind, NoProgress, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Opens the store as it was found, and checks it against what the run was told; then works on in it.
pub(super) fn check(folder: &Path, told: &Told) {
    let clock = clock(NOW_US + 2 * RESTART_US);
    let store = match Store::open_storage(LocalStorage::new(folder), clock.clone()) {
        Err(error) if error.kind() == ErrorKind::NotFound && !told.made => {
            Store::create_storage(LocalStorage::new(folder), clock.clone()).unwrap()
        }
        opened => opened.unwrap(),
    };
    let (found, rejects) = by_sql(&store);
    let ids: BTreeSet<String> = found.keys().cloned().collect();
    check_events(&ids, told);
    assert_eq!(by_export(&store), ids, "the export is not what SQL finds");
    let (given, _) = by_changes(&store, None, 4).unwrap();
    assert_eq!(once("`changes`", given), found, "`changes` is not what SQL finds");
    check_cursor(&store, told, &found);
    check_rejects(&rejects, told);
    check_delta(folder, &store);
    check_work(&store, told, &found, &rejects);
    check_delta(folder, &store);
    store.close().unwrap();
    let logs = std::fs::read_dir(folder.join("_wal")).unwrap();
    assert_eq!(logs.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count(), 0, "a log is left");
}

/// The store does everything as before; what was found stays, and the input is there once.
fn check_work(store: &Store, told: &Told, found: &BTreeMap<String, i64>, rejects: &BTreeMap<String, i64>) {
    let receipt = ingest(store).unwrap();
    assert_eq!((receipt.records, receipt.stored + receipt.quarantined + receipt.duplicate), (6, 6));
    assert!(told.input != Some(true) || receipt.duplicate == 6, "{receipt:?}");
    store.append(&event("after"), Durability::Fsync).unwrap();
    store.seal().unwrap();
    store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    let mut expected: BTreeSet<String> = found.keys().cloned().collect();
    expected.extend(INPUT_IDS.map(String::from).into_iter().chain(["after".to_string()]));
    // SQL would find the same, but a session takes more time than all the rest.
    let now = once("`changes`", by_changes(store, None, 100).unwrap().0);
    assert_eq!(now.keys().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(found.iter().all(|(id, seq)| now[id] == *seq), "numbers changed");
    let mut rejects: BTreeSet<&str> = rejects.keys().map(String::as_str).collect();
    rejects.extend(INPUT_REJECTS);
    let info = store.info().unwrap();
    assert_eq!((info.events, info.wal_events), (now.len() as u64, 0));
    assert_eq!((info.quarantined, info.warnings), (rejects.len() as u64, vec![]));
}

fn check_events(found: &BTreeSet<String>, told: &Told) {
    let missing: Vec<_> = told.kept.union(&told.handed_over).filter(|id| !found.contains(*id)).collect();
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}; found are {found:?}");
    let refused: Vec<_> = told.refused.intersection(found).collect();
    assert!(refused.is_empty(), "refused and yet there: {refused:?}");
    let of_input = found.iter().filter(|id| id.starts_with("in-")).count();
    let all_of_input = match told.input {
        None => [0, 0],
        Some(false) => [0, INPUT_IDS.len()],
        Some(true) => [INPUT_IDS.len(), INPUT_IDS.len()],
    };
    assert!(all_of_input.contains(&of_input), "{of_input} events of the input are there");
    let strange = found.iter().filter(|id| !told.tried.contains(*id) && !id.starts_with("in-"));
    assert_eq!(strange.collect::<Vec<_>>(), Vec::<&String>::new(), "nobody appended this");
}

/// Going on from a cursor gives what was not given before.
fn check_cursor(store: &Store, told: &Told, found: &BTreeMap<String, i64>) {
    let Some(cursor) = &told.cursor else { return };
    match by_changes(store, Some(cursor), 2) {
        // The log was cleaned up, as it was asked to be.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        more => {
            let all = once("`changes` from a cursor", told.given.iter().cloned().chain(more.unwrap().0));
            let lost: Vec<_> = found.keys().filter(|id| !all.contains_key(*id)).collect();
            assert!(lost.is_empty(), "the cursor passes {lost:?}");
        }
    }
}

/// Rejects that were acknowledged are there; those of the input all or none.
fn check_rejects(found: &BTreeMap<String, i64>, told: &Told) {
    for (raw, acknowledged) in &told.rejects {
        assert!(!acknowledged || found.contains_key(raw), "`{raw}` is not in the quarantine");
    }
    let of_input = INPUT_REJECTS.iter().filter(|raw| found.contains_key(**raw)).count();
    let all = INPUT_REJECTS.len();
    assert!(of_input == all || (of_input == 0 && told.input != Some(true)), "{of_input} of {all} rejects");
    let known = |raw: &String| told.rejects.contains_key(raw) || INPUT_REJECTS.contains(&raw.as_str());
    assert!(found.keys().all(known), "{found:?}");
}

/// The tables as Delta's own kernel reads them.
fn check_delta(folder: &Path, store: &Store) {
    use delta_kernel::Snapshot;
    use delta_kernel_default_engine::DefaultEngineBuilder;
    use delta_kernel_default_engine::executor::tokio::TokioBackgroundExecutor;
    static ENGINE: std::sync::LazyLock<delta_kernel_default_engine::DefaultEngine<TokioBackgroundExecutor>> =
        std::sync::LazyLock::new(|| {
            DefaultEngineBuilder::new(Arc::new(object_store::local::LocalFileSystem::new())).build()
        });
    let info = store.info().unwrap();
    let url = url::Url::from_directory_path(folder).unwrap();
    let snapshot = Snapshot::builder_for(url.as_str()).build(&*ENGINE).unwrap();
    assert_eq!(snapshot.version(), info.version);
    let url = url::Url::from_directory_path(folder.join("_quarantine")).unwrap();
    Snapshot::builder_for(url.as_str()).build(&*ENGINE).unwrap();
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(folder));
    for prefix in ["", "_quarantine/"] {
        let log = Log::open(storage.clone(), prefix.trim_end_matches('/')).unwrap();
        check_chain(&log);
        for file in &log.snapshot(At::Latest).unwrap().files {
            let size =
                std::fs::metadata(folder.join(format!("{prefix}{}", file.path))).map(|found| found.len());
            assert_eq!(size.ok(), Some(file.size), "`{}`", file.path);
        }
    }
}

/// The hash chain has no gap, whatever was cleaned up.
fn check_chain(log: &Log) {
    let mut previous = "0".repeat(64);
    for version in 0..=log.snapshot(At::Latest).unwrap().version {
        let record = log.chain_record(version).unwrap();
        let record = record.unwrap_or_else(|| panic!("no chain record of version {version}"));
        assert_eq!(
            (&record.hash, &record.previous),
            (&record.computed_hash(), &previous),
            "version {version}"
        );
        previous = record.hash;
    }
}
