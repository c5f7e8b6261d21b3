//! Several processes on one store.

use super::*;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

const STORE: &str = "DAYBOOK_TEST_WAL_STORE";
const MARK: &str = "acknowledged ";

/// Not a test: the program of the processes that the tests start. It appends for ever.
#[test]
#[ignore = "is run by other tests"]
fn child_appends() {
    let Some(root) = std::env::var_os(STORE) else { return };
    let clock: Clock = Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64);
    let storage = Arc::new(LocalStorage::new(Path::new(&root)));
    let options = WalOptions { segment_events: 50, ..WalOptions::default() };
    let wal = WalWriter::open(storage, clock, options).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let seq = wal.append(b"{\"from\":\"a child\"}", Durability::Fsync).unwrap();
                    // The mark is on a line of its own: the test harness writes to the same output.
                    std::io::stdout().write_all(format!("\n{MARK}{seq}\n").as_bytes()).unwrap();
                }
            });
        }
    });
}

fn start(root: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--nocapture", "--exact", &child_name()])
        .env(STORE, root)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The name of the child's function among the tests.
fn child_name() -> String {
    let (_, module) = module_path!().split_once("::").unwrap();
    format!("{module}::child_appends")
}

#[test]
fn processes_that_are_killed_lose_nothing_and_share_no_number() {
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4).map(|_| start(folder.path())).collect();
    let readers: Vec<_> = children
        .into_iter()
        .map(|mut child| {
            std::thread::spawn(move || {
                let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
                let mut seqs =
                    lines.filter_map(|line| line.strip_prefix(MARK).and_then(|seq| seq.parse::<i64>().ok()));
                let mut acknowledged: Vec<i64> = seqs.by_ref().take(300).collect();
                assert_eq!(acknowledged.len(), 300);
                child.kill().unwrap();
                acknowledged.extend(seqs);
                child.wait().unwrap();
                acknowledged
            })
        })
        .collect();
    let acknowledged: Vec<i64> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();

    let storage = Arc::new(LocalStorage::new(folder.path()));
    let writers = list_writers(&storage).unwrap();
    assert_eq!(writers.len(), 4);
    let mut found = Vec::new();
    for log in writers {
        let taken = take_over(&storage, &log.writer).unwrap().expect("a dead writer's lock is free");
        assert!(taken.segments().len() > 5);
        found.extend(frames(&storage, &log.writer).into_iter().map(|frame| frame.seq));
        taken.remove().unwrap();
    }
    let unique = BTreeSet::from_iter(found.iter().copied());
    assert_eq!(unique.len(), found.len());
    assert!(acknowledged.iter().all(|seq| unique.contains(seq)));
    assert_eq!(list_writers(&storage).unwrap(), []);
}

#[test]
fn a_living_process_keeps_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(folder.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with(MARK)));
    let storage = Arc::new(LocalStorage::new(folder.path()));
    let writer = list_writers(&storage).unwrap().remove(0).writer;
    assert!(take_over(&storage, &writer).unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(take_over(&storage, &writer).unwrap().is_some());
}
