//! Every change to what is committed is found, and named.

use crate::support::fast_folder;
use daybook::log::{At, Log};
use daybook::storage::LocalStorage;
use daybook::verify::{Head, Problem, ProblemKind, VerifyReport, VerifyRequest};
use daybook::{CompactRequest, ErrorKind, IngestOptions, Input, NoProgress, Store};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const DAY_US: i64 = 86_400_000_000;
/// 2026-01-10.
const START_US: i64 = 1_768_003_200_000_000;

/// A store, and what moves its clock.
fn store(folder: &Path) -> (Store, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(START_US));
    let clock = now.clone();
    let clock = Arc::new(move || clock.fetch_add(1, Ordering::Relaxed));
    (Store::create_storage(LocalStorage::new(folder), clock).unwrap(), now)
}

fn ingest(store: &Store, name: &str, days: i64) {
    let line = |day: i64| {
        let ts = START_US / 1000 + day * DAY_US / 1000;
        format!("{{\"ts\":{ts},\"kind\":\"k\",\"id\":\"{name}-{day}\",\"n\":{day}}}\n")
    };
    let lines: String = (0..days).map(line).chain(["this is no JSON\n".to_string()]).collect();
    let reader = Box::new(std::io::Cursor::new(lines.into_bytes()));
    let input = Input::Reader { name: name.to_string(), reader };
    let options = IngestOptions { from: Some(daybook::Format::JsonLines), ..IngestOptions::default() };
    let receipt = store.ingest(vec![input], &options, &NoProgress).unwrap();
    assert_eq!((receipt.stored, receipt.quarantined), (days as u64, 1));
}

/// A store with several days, a compaction, and rejects.
fn make(folder: &Path) {
    let (store, _) = store(folder);
    for (name, days) in [("a", 3), ("b", 2), ("c", 4)] {
        ingest(&store, name, days);
    }
    store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    ingest(&store, "d", 1);
    store.close().unwrap();
}

fn verify(folder: &Path, against: Option<&Head>) -> VerifyReport {
    let store = Store::open(folder).unwrap();
    store.verify(&VerifyRequest { against: against.cloned(), deep: true }, &NoProgress).unwrap()
}

fn kinds(problems: &[Problem]) -> Vec<ProblemKind> {
    let mut kinds: Vec<_> = problems.iter().map(|problem| problem.kind).collect();
    kinds.dedup();
    kinds
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, to) = (entry.as_ref().unwrap().path(), to.join(entry.as_ref().unwrap().file_name()));
        if entry.is_dir() {
            copy(&entry, &to);
        } else {
            fs::copy(&entry, &to).unwrap();
        }
    }
}

/// The data files that the table has now.
fn live(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let log = Log::open(Arc::new(LocalStorage::new(folder)), prefix).unwrap();
    let snapshot = log.snapshot(At::Latest).unwrap();
    let mut files: Vec<_> = snapshot.files.iter().map(|file| folder.join(prefix).join(&file.path)).collect();
    files.sort();
    files
}

fn commit(folder: &Path, version: u64) -> PathBuf {
    folder.join(format!("_delta_log/{version:020}.json"))
}

/// Writes a commit's hash anew, so that it fits what the commit says.
fn forge(folder: &Path, version: u64) {
    let log = Log::open(Arc::new(LocalStorage::new(folder)), "").unwrap();
    let record = log.chain_record(version).unwrap().unwrap();
    let path = commit(folder, version);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&record.hash, &record.computed_hash())).unwrap();
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Puts other events of the same number into the file that the last commit added, with hashes that fit.
fn put_others(folder: &Path) {
    let other = fast_folder();
    let (store, _) = store(other.path());
    ingest(&store, "other", 1);
    store.close().unwrap();
    let bytes = fs::read(&live(other.path(), "")[0]).unwrap();
    let log = Log::open(Arc::new(LocalStorage::new(folder)), "").unwrap();
    let snapshot = log.snapshot(At::Latest).unwrap();
    let path = commit(folder, snapshot.version);
    let text = fs::read_to_string(&path).unwrap();
    let file = snapshot.files.iter().find(|file| text.contains(&file.file_hash)).unwrap();
    fs::write(folder.join(&file.path), &bytes).unwrap();
    let hash = daybook::event::canonical::hex(&daybook::event::canonical::hash(&bytes));
    fs::write(&path, text.replace(&file.file_hash, &hash)).unwrap();
    forge(folder, snapshot.version);
}

#[test]
fn other_rows_under_hashes_that_fit_are_found_when_rows_are_hashed_anew() {
    let folder = fast_folder();
    make(folder.path());
    put_others(folder.path());
    let store = Store::open(folder.path()).unwrap();
    let report = |deep| store.verify(&VerifyRequest { against: None, deep }, &NoProgress).unwrap();
    let (shallow, deep) = (report(false), report(true));
    assert_eq!((shallow.intact, shallow.rows_hashed), (true, 0), "{:?}", shallow.problems);
    assert_eq!(kinds(&deep.problems), [ProblemKind::RowsAltered]);
    assert!(deep.rows_hashed > 10, "{}", deep.rows_hashed);
    assert!(deep.problems[0].message.contains("does not have the 1 rows"), "{}", deep.problems[0].message);
}

/// The problems of a copy of a store after a change.
fn problems_after(from: &Path, change: impl FnOnce(&Path)) -> Vec<Problem> {
    let folder = fast_folder();
    copy(from, folder.path());
    change(folder.path());
    verify(folder.path(), None).problems
}

#[test]
fn changes_of_the_catalogue_and_of_templates_are_found_and_named() {
    let folder = fast_folder();
    make(folder.path());
    let (store, _) = store(folder.path());
    let lines: String = (0..40)
        .map(|n| format!("{{\"message\":\"the lamp number {n} is on\",\"new_field\":{n}}}\n"))
        .collect();
    let input =
        Input::Reader { name: "m".to_string(), reader: Box::new(std::io::Cursor::new(lines.into_bytes())) };
    let options = IngestOptions { from: Some(daybook::Format::JsonLines), ..IngestOptions::default() };
    assert_eq!(store.ingest(vec![input], &options, &NoProgress).unwrap().stored, 40);
    store.close().unwrap();
    assert_eq!(verify(folder.path(), None).problems, []);
    let one = |problems: Vec<Problem>, kind: ProblemKind, file: &str| {
        let found = problems.iter().find(|problem| problem.kind == kind);
        let found = found.unwrap_or_else(|| panic!("{kind:?}: {problems:?}"));
        assert_eq!(found.file.as_deref(), Some(file), "{problems:?}");
    };
    // A name that nothing refers to is put into the catalogue.
    let shapes = "_shapes/0000000001.json";
    let altered = problems_after(folder.path(), |copy| {
        let text = fs::read_to_string(copy.join(shapes)).unwrap();
        fs::write(copy.join(shapes), format!("{text} ")).unwrap();
    });
    assert_eq!(kinds(&altered), [ProblemKind::CatalogueAltered]);
    one(altered, ProblemKind::CatalogueAltered, shapes);
    let dictionary = "_templates/0000000000.json.zst";
    let kind = ProblemKind::TemplatesAltered;
    one(problems_after(folder.path(), |copy| flip(&copy.join(dictionary))), kind, dictionary);
    let other = problems_after(folder.path(), |copy| {
        let text = zstd::decode_all(&*fs::read(copy.join(dictionary)).unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap().replace("lamp", "bomb");
        fs::write(copy.join(dictionary), zstd::encode_all(text.as_bytes(), 3).unwrap()).unwrap();
    });
    assert!(other[0].message.contains("does not have the text that its id says"), "{other:?}");
    one(other, kind, dictionary);
    let gone = problems_after(folder.path(), |copy| fs::remove_file(copy.join(dictionary)).unwrap());
    assert!(gone[0].message.contains("lacks 1 of the templates"), "{gone:?}");
    one(gone, kind, "_templates");
}

#[test]
fn a_record_that_jumps_elsewhere_under_a_hash_that_fits_is_found() {
    let folder = fast_folder();
    make(folder.path());
    let log = Log::open(Arc::new(LocalStorage::new(folder.path())), "").unwrap();
    let version = log.snapshot(At::Latest).unwrap().version;
    let path = commit(folder.path(), version);
    let text = fs::read_to_string(&path).unwrap();
    let (jump, other) = (log.chain_record(version).unwrap().unwrap().jump, "ab".repeat(32));
    fs::write(&path, text.replace(&format!("\"jump\":\"{jump}\""), &format!("\"jump\":\"{other}\"")))
        .unwrap();
    forge(folder.path(), version);
    let report = verify(folder.path(), None);
    assert_eq!(kinds(&report.problems), [ProblemKind::ChainBroken], "{:?}", report.problems);
    assert!(report.problems[0].message.contains("jumps to the record"), "{}", report.problems[0].message);
}

#[test]
fn an_untouched_store_is_intact_and_goes_through_all_of_its_heads() {
    let folder = fast_folder();
    let (store, now) = store(folder.path());
    let mut heads = vec![store.head().unwrap()];
    for number in 0..105 {
        ingest(&store, &format!("input{number}"), 2);
        if number % 20 == 0 {
            heads.push(store.head().unwrap());
        }
    }
    store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    // Old commits and files go.
    now.fetch_add(100 * DAY_US, Ordering::Relaxed);
    ingest(&store, "last", 1);
    store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    heads.push(store.head().unwrap());
    assert!(!commit(folder.path(), 1).exists(), "old commits were cleaned up");
    for head in &heads {
        let report =
            store.verify(&VerifyRequest { against: Some(head.clone()), deep: true }, &NoProgress).unwrap();
        assert_eq!((report.intact, report.problems, report.warnings), (true, vec![], vec![]));
        assert_eq!((report.events, report.events_removed), (211, 0));
    }
    assert_eq!(
        store.verify(&VerifyRequest::default(), &NoProgress).unwrap().head,
        heads.last().unwrap().to_string()
    );
    // A record that was kept of a commit.
    let kept = folder.path().join("_chain/00000000000000000004.json");
    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, text.replace("add day=2026-01-11", "add day=2026-01-12")).unwrap();
    assert!(kinds(&verify(folder.path(), None).problems).contains(&ProblemKind::CommitAltered));
    fs::remove_file(&kept).unwrap();
    assert!(kinds(&verify(folder.path(), None).problems).contains(&ProblemKind::CommitMissing));
    store.close().unwrap();
}

#[test]
fn a_change_to_a_file_is_found_and_the_file_is_named() {
    let original = fast_folder();
    make(original.path());
    assert!(verify(original.path(), None).intact);
    type Change = fn(&Path, &[PathBuf]);
    type Found = (ProblemKind, usize);
    let changes: [(&str, Change, &[Found]); 6] = [
        ("a byte is flipped", |_, files| flip(&files[1]), &[(ProblemKind::FileAltered, 1)]),
        (
            "the end is cut off",
            |_, files| fs::write(&files[0], &fs::read(&files[0]).unwrap()[1..]).unwrap(),
            &[(ProblemKind::FileAltered, 0)],
        ),
        (
            "it grows",
            |_, files| {
                let mut bytes = fs::read(&files[0]).unwrap();
                bytes.push(0);
                fs::write(&files[0], bytes).unwrap();
            },
            &[(ProblemKind::FileAltered, 0)],
        ),
        ("it goes", |_, files| fs::remove_file(&files[2]).unwrap(), &[(ProblemKind::FileMissing, 2)]),
        (
            "two are swapped",
            |folder, files| {
                fs::rename(&files[0], folder.join("x")).unwrap();
                fs::rename(&files[1], &files[0]).unwrap();
                fs::rename(folder.join("x"), &files[1]).unwrap();
            },
            &[(ProblemKind::FileAltered, 0), (ProblemKind::FileAltered, 1)],
        ),
        (
            "one is replaced by another",
            |_, files| {
                fs::copy(&files[1], &files[3]).unwrap();
            },
            &[(ProblemKind::FileAltered, 3)],
        ),
    ];
    for prefix in ["", "_quarantine"] {
        for (what, change, expected) in &changes {
            let folder = fast_folder();
            copy(original.path(), folder.path());
            let files = live(folder.path(), prefix);
            if expected.iter().any(|(_, file)| *file >= files.len()) || files.len() < 2 {
                continue;
            }
            change(folder.path(), &files);
            let report = verify(folder.path(), None);
            let name =
                |file: &PathBuf| file.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned();
            let expected: Vec<_> =
                expected.iter().map(|(kind, file)| (*kind, Some(name(&files[*file])))).collect();
            let found: Vec<_> =
                report.problems.iter().map(|problem| (problem.kind, problem.file.clone())).collect();
            assert_eq!(found, expected, "{prefix}: {what}");
            assert!(!report.intact);
        }
    }
}

#[test]
fn a_file_that_nobody_committed_is_named() {
    let folder = fast_folder();
    make(folder.path());
    let files = live(folder.path(), "");
    let added = files[0].with_file_name("part-x.parquet");
    fs::copy(&files[0], &added).unwrap();
    let report = verify(folder.path(), None);
    assert_eq!((kinds(&report.problems), kinds(&report.warnings)), (vec![], vec![ProblemKind::UnknownFile]));
    assert!(report.warnings[0].file.as_ref().unwrap().ends_with("part-x.parquet"));
}

#[test]
fn a_change_to_a_commit_is_found_and_the_commit_is_named() {
    let original = fast_folder();
    make(original.path());
    let head: Head = verify(original.path(), None).head.parse().unwrap();
    let found = |change: &dyn Fn(&Path), against: Option<&Head>| {
        let folder = fast_folder();
        copy(original.path(), folder.path());
        change(folder.path());
        let report = verify(folder.path(), against);
        let versions: Vec<_> = report.problems.iter().filter_map(|problem| problem.version).collect();
        (kinds(&report.problems), versions, kinds(&report.warnings))
    };
    let edit = |folder: &Path, version: u64, from: &str, to: &str| {
        let path = commit(folder, version);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    };
    // An exactly-once marker, which a reader of the table would not miss.
    let (kinds, versions, _) = found(&|folder| edit(folder, 2, "\"appId\":\"", "\"appId\":\"x"), None);
    assert_eq!((kinds, versions), (vec![ProblemKind::CommitAltered], vec![2]));
    // Two commits change places.
    let (kinds, versions, _) = found(
        &|folder| {
            fs::rename(commit(folder, 2), folder.join("x")).unwrap();
            fs::rename(commit(folder, 3), commit(folder, 2)).unwrap();
            fs::rename(folder.join("x"), commit(folder, 3)).unwrap();
        },
        None,
    );
    assert!(kinds.contains(&ProblemKind::ChainBroken), "{kinds:?}");
    assert!(versions.contains(&2) && versions.contains(&3), "{versions:?}");
    // The last commit goes, and its file stays; with its file, only the head tells.
    let last = |folder: &Path| fs::remove_file(commit(folder, head.events.version)).unwrap();
    let (kinds, _, warnings) = found(&last, None);
    assert_eq!((kinds, warnings), (vec![], vec![ProblemKind::UnknownFile]));
    let with_file = |folder: &Path| {
        let before = live(folder, "");
        last(folder);
        let after = live(folder, "");
        before.iter().filter(|file| !after.contains(file)).for_each(|file| fs::remove_file(file).unwrap());
    };
    assert_eq!(found(&with_file, None), (vec![], vec![], vec![]));
    assert_eq!(found(&with_file, Some(&head)).0, [ProblemKind::OtherHead]);
    // The last commit is forged with hashes that fit: only the head tells.
    let forged = |folder: &Path| {
        edit(folder, head.events.version, "\"appId\":\"", "\"appId\":\"x");
        forge(folder, head.events.version);
    };
    assert_eq!(found(&forged, None).0, []);
    let (kinds, versions, _) = found(&forged, Some(&head));
    assert_eq!((kinds, versions), (vec![ProblemKind::OtherHead], vec![head.events.version]));
    // One in the middle is forged so that it fits itself: the next one does not follow it.
    let (kinds, versions, _) = found(
        &|folder| {
            edit(folder, 2, "\"appId\":\"", "\"appId\":\"x");
            forge(folder, 2);
        },
        None,
    );
    assert_eq!((kinds, versions), (vec![ProblemKind::ChainBroken], vec![3]));
}

#[test]
fn files_that_come_for_others_must_hold_the_same_events() {
    let folder = fast_folder();
    make(folder.path());
    // The compaction gives one file less than it made, with hashes that fit.
    let compaction = (0..8).find(|version| {
        fs::read_to_string(commit(folder.path(), *version)).is_ok_and(|text| text.contains("\"remove\""))
    });
    let path = commit(folder.path(), compaction.unwrap());
    let text = fs::read_to_string(&path).unwrap();
    let mut dropped = false;
    let lines = text.lines().map(|line| {
        let mut json: Value = serde_json::from_str(line).unwrap();
        if let Some(tags) = json.get_mut("add").and_then(|add| add.get_mut("tags"))
            && !dropped
        {
            dropped = true;
            tags["daybook.rows"] = Value::String("0".repeat(512));
        }
        format!("{json}\n")
    });
    fs::write(&path, lines.collect::<String>()).unwrap();
    forge(folder.path(), compaction.unwrap());
    assert!(kinds(&verify(folder.path(), None).problems).contains(&ProblemKind::EventsChanged));
}

#[test]
fn verification_of_what_is_no_store_or_no_head_is_an_error() {
    let folder = fast_folder();
    assert_eq!(Store::open(folder.path()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!("x".parse::<Head>().unwrap_err().kind(), ErrorKind::Invalid);
}
