//! A follower whose disk fails, or whose machine loses power, at each operation: half of a frame is none of it,
//! and how far the file is stored never says more or less than what is stored.

use super::options;
use crate::machine::{Loss, Machine, Plan};
use crate::support::{fast_folder, number, texts};
use daybook::storage::LocalStorage;
use daybook::{Input, NoProgress, Progress, Result, Step, Store, Unit, Watcher};
use std::fs::OpenOptions;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// Points are tried by so many threads, which mostly wait.
const THREADS: usize = 6;
const LINES: &str = "{\"n\":1}\n{\"n\":2}\n";
const MORE_LINES: &str = "{\"n\":3}\nbad\n{\"n\":4}\n";
const LAST_LINES: &str = "{\"n\":5}\n{\"n\":6}\n";

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
struct Blow {
    /// Whether all that comes after it works.
    once: bool,
    loss: Option<Loss>,
}

/// Does something after each round of looks, and ends it.
struct Script<'a> {
    rounds: AtomicUsize,
    after: &'a (dyn Fn(usize) + Sync),
}

impl Progress for Script<'_> {
    fn update(&self, now: &Step<'_>) {
        if now.unit == Unit::Events && now.total.is_none() {
            (self.after)(self.rounds.fetch_add(1, Ordering::Relaxed));
        }
    }
}

impl Watcher for Script<'_> {
    fn note(&self, _text: &str) {}
}

fn write(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn now_us() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

fn open(storage: LocalStorage) -> Store {
    Store::create_storage(storage, Arc::new(now_us)).unwrap()
}

/// Follows for some rounds.
fn follow(store: &Store, path: &PathBuf, rounds: usize, after: &(dyn Fn(usize) + Sync)) -> Result<()> {
    let stop = AtomicBool::new(false);
    let ending = |round: usize| {
        after(round);
        stop.fetch_or(round + 1 >= rounds, Ordering::Relaxed);
    };
    let script = Script { rounds: AtomicUsize::new(0), after: &ending };
    store.follow(std::slice::from_ref(path), &options(), &script, &stop).map(drop)
}

/// One run; false if it ended before anything went wrong.
fn run(blow: Blow, at: usize) -> bool {
    let (folder, beside) = (fast_folder(), fast_folder());
    let path = beside.path().join("a.log");
    let machine = Arc::new(Machine::new(folder.path(), Plan::Nothing));
    let store = open(LocalStorage::with_probe(folder.path(), machine.clone()));
    write(&path, LINES);
    let followed = follow(&store, &path, 3, &|round| match round {
        0 => {
            machine.go_on_with(if blow.once { Plan::FailOnce(at) } else { Plan::Stop(at) });
            write(&path, MORE_LINES);
        }
        1 => write(&path, LAST_LINES),
        _ => {}
    });
    let done = followed.and_then(|()| store.seal()).and_then(|()| store.close());
    let was_struck = machine.struck().is_some();
    assert!(was_struck || done.is_ok(), "it fails on a good disk: {done:?}");
    machine.mend();
    if let Some(loss) = blow.loss {
        machine.lose_power(loss);
    }
    // Whoever comes next stores what is missing, and nothing else.
    let store = open(LocalStorage::new(folder.path()));
    assert!(number(&store, "SELECT count(*) FROM events") >= 2, "what was on the disk is lost");
    std::fs::write(&path, [LINES, MORE_LINES, LAST_LINES].concat()).unwrap();
    for _ in 0..2 {
        follow(&store, &path, 1, &|_| {}).unwrap();
        store.seal().unwrap();
    }
    let found = texts(&store, "SELECT string_agg(n::VARCHAR, ' ' ORDER BY seq) FROM events").unwrap();
    assert_eq!(found, [Some("1 2 3 4 5 6".to_string())]);
    assert_eq!(number(&store, "SELECT count(*) FROM quarantine"), 1);
    was_struck
}

/// All files of a folder.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, place) = (entry.as_ref().unwrap(), to.join(entry.as_ref().unwrap().file_name()));
        match entry.path().is_dir() {
            true => copy(&entry.path(), &place),
            false => drop(std::fs::copy(entry.path(), place).unwrap()),
        }
    }
}

/// The segments of all logs.
fn segments(folder: &Path) -> Vec<PathBuf> {
    let logs = std::fs::read_dir(folder.join("_wal")).unwrap().map(|entry| entry.unwrap().path());
    let files = logs.filter(|path| path.is_dir()).flat_map(|log| std::fs::read_dir(log).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "wal")).collect()
}

#[test]
fn of_a_frame_that_is_not_whole_nothing_is_stored_or_known() {
    let (folder, beside) = (fast_folder(), fast_folder());
    let path = beside.path().join("a.log");
    let machine = Arc::new(Machine::new(folder.path(), Plan::Nothing));
    let store = open(LocalStorage::with_probe(folder.path(), machine.clone()));
    write(&path, LINES);
    let dies = follow(&store, &path, 4, &|round| match round {
        0 => write(&path, MORE_LINES),
        1 => write(&path, LAST_LINES),
        2 => machine.go_on_with(Plan::Stop(0)),
        _ => {}
    });
    assert!(dies.is_err() || store.close().is_err(), "it did not die");
    let [segment] = <[PathBuf; 1]>::try_from(segments(folder.path())).unwrap();
    let bytes = std::fs::read(&segment).unwrap();
    let place = segment.strip_prefix(folder.path()).unwrap();
    let mut found = std::collections::BTreeSet::new();
    for length in (0..=bytes.len()).rev().step_by(19) {
        let torn = fast_folder();
        copy(folder.path(), torn.path());
        std::fs::write(torn.path().join(place), &bytes[..length]).unwrap();
        let store = open(LocalStorage::new(torn.path()));
        let count = || number(&store, "SELECT count(*) FROM events");
        let before = count();
        let receipt = store.ingest(vec![Input::File(path.clone())], &options(), &NoProgress).unwrap();
        let duplicate = receipt.duplicate - u64::from(before > 2);
        assert_eq!((duplicate, count()), (before.try_into().unwrap(), 6), "{length} of {}", bytes.len());
        assert_eq!(number(&store, "SELECT count(*) FROM quarantine"), 1, "{length} of {}", bytes.len());
        found.insert(before);
    }
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [2, 4, 6]);
}

fn everywhere(blow: Blow) {
    let (next, ended, failures) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    match std::panic::catch_unwind(AssertUnwindSafe(|| run(blow, at))) {
                        Ok(true) => {}
                        Ok(false) => ended.store(true, Ordering::Relaxed),
                        Err(_) => failures.lock().unwrap().push(at),
                    }
                }
            });
        }
    });
    let points = next.load(Ordering::Relaxed);
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{blow:?}: at {failures:?} of {points}");
    assert!(points > THREADS + 10, "{blow:?} has only {points} points");
    println!("{blow:?}: {points} points");
}

#[test]
fn a_follower_whose_disk_fails_goes_on_where_it_was() {
    everywhere(Blow { once: true, loss: None });
    everywhere(Blow { once: false, loss: None });
}

#[test]
fn a_follower_that_loses_power_goes_on_where_the_disk_is() {
    for loss in [Loss::Everything, Loss::NewNames, Loss::Bytes, Loss::HalfTheBytes] {
        everywhere(Blow { once: false, loss: Some(loss) });
    }
}
