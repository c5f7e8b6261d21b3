//! Files that are followed: how they grow, are rotated and written anew, and what is stored of them.

mod power;
mod rotation;

use crate::support::{number, texts};
use daybook::{ErrorKind, IngestOptions, Input, NoProgress, Progress, Receipt, Result, Step, Store, Watcher};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const WAIT_MAX: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn update(&self, _now: &Step<'_>) {}
}

impl Watcher for Notes {
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_string());
    }
}

/// A folder with a store and the files that are followed.
struct Place {
    folder: TempDir,
}

/// A thread that follows.
struct Following {
    stop: Arc<AtomicBool>,
    notes: Arc<Notes>,
    thread: JoinHandle<Result<Receipt>>,
}

impl Place {
    fn new(settings: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("store")).unwrap();
        fs::write(folder.path().join("store/daybook.toml"), settings).unwrap();
        Place { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self) -> Store {
        Store::open_or_create(&self.at("store")).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        let file = OpenOptions::new().create(true).append(true).open(self.at(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.at(from), self.at(to)).unwrap();
    }

    fn follow_as(&self, names: &[&str], options: IngestOptions) -> Following {
        let (stop, notes) = (Arc::new(AtomicBool::new(false)), Arc::new(Notes::default()));
        let files: Vec<PathBuf> = names.iter().map(|name| self.at(name)).collect();
        let (folder, stopped, heard) = (self.at("store"), stop.clone(), notes.clone());
        let thread = std::thread::spawn(move || {
            let store = Store::open_or_create(&folder)?;
            let receipt = store.follow(&files, &options, &*heard, &stopped)?;
            store.close()?;
            Ok(receipt)
        });
        Following { stop, notes, thread }
    }

    fn follow(&self, names: &[&str]) -> Following {
        self.follow_as(names, options())
    }

    fn ingest(&self, names: &[&str]) -> Receipt {
        let store = self.store();
        let inputs = names.iter().map(|name| Input::File(self.at(name))).collect();
        let receipt = store.ingest(inputs, &options(), &NoProgress).unwrap();
        store.close().unwrap();
        receipt
    }

    /// Waits until a query of one text gives this.
    fn wait_for(&self, sql: &str, expected: &str) {
        let store = self.store();
        let started = Instant::now();
        loop {
            let found = texts(&store, sql).unwrap_or_default().first().cloned().flatten().unwrap_or_default();
            if found == expected {
                return;
            }
            assert!(started.elapsed() < WAIT_MAX, "{sql}: {found} and not {expected}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until these are the numbers of the events.
    fn wait(&self, numbers: &str) {
        self.wait_for("SELECT string_agg(n::VARCHAR, ' ' ORDER BY n) FROM events", numbers);
    }
}

impl Following {
    fn end(self) -> (Receipt, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let receipt = self.thread.join().unwrap().unwrap();
        let notes = self.notes.0.lock().unwrap().clone();
        (receipt, notes)
    }
}

fn options() -> IngestOptions {
    IngestOptions { threads: 1, ..IngestOptions::default() }
}

fn counts(receipt: &Receipt) -> (u64, u64, u64) {
    (receipt.stored, receipt.duplicate, receipt.quarantined)
}

#[test]
fn lines_are_stored_as_they_come_and_the_last_when_it_ends() {
    let place = Place::new("");
    place.write("a.log", "{\"n\":1}\n{\"n\":2}\n{\"n\":");
    let following = place.follow(&["a.log", "b.log"]);
    place.wait("1 2");
    place.write("a.log", "3}\nbad\n{\"n\":4}\n\n{\"n\"");
    place.wait("1 2 3 4");
    place.write("b.log", "{\"n\":5}\n");
    place.wait("1 2 3 4 5");
    let (receipt, notes) = following.end();
    assert_eq!(counts(&receipt), (5, 0, 1));
    assert_eq!(receipt.inputs.iter().map(|input| input.records).collect::<Vec<_>>(), [5, 1]);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].ends_with("b.log: it is not there; waiting for it"), "{notes:?}");
    let raw = "SELECT raw || ' ' || byte_offset || ' ' || format FROM quarantine";
    assert_eq!(texts(&place.store(), raw).unwrap(), [Some("bad 24 jsonl".to_string())]);
    // What has no end is read the next time.
    place.write("a.log", ":6}\n");
    let following = place.follow(&["a.log"]);
    place.wait("1 2 3 4 5 6");
    assert_eq!(counts(&following.end().0), (1, 5, 0));
}

#[test]
fn a_file_that_is_rotated_is_read_to_its_end() {
    let place = Place::new("");
    place.write("a.log", "{\"n\":1}\n");
    let following = place.follow(&["a.log"]);
    place.wait("1");
    place.rename("a.log", "a.log.1");
    place.write("a.log.1", "{\"n\":2}\n{\"n\":3}");
    place.write("a.log", "{\"n\":4}\n");
    place.wait("1 2 4");
    place.rename("a.log.1", "a.log.2");
    place.rename("a.log", "a.log.1");
    place.write("a.log.1", "{\"n\":5}\n");
    place.wait("1 2 4 5");
    let (receipt, _) = following.end();
    // What is last in a file that was rotated is whole.
    place.wait("1 2 3 4 5");
    assert_eq!(counts(&receipt), (5, 0, 0));
    assert_eq!(counts(&place.ingest(&["a.log.1", "a.log.2"])), (0, 5, 0));
}

#[test]
fn a_file_that_is_cut_or_written_anew_is_read_from_its_beginning() {
    let place = Place::new("");
    place.write("a.log", "{\"n\":1}\n{\"n\":2}");
    let following = place.follow(&["a.log"]);
    place.wait("1");
    fs::write(place.at("a.log"), "{\"n\":3}\n").unwrap();
    place.wait("1 2 3");
    // As `logrotate` does with `copytruncate`, with a line that was written just before.
    fs::write(place.at("a.log.1"), "{\"n\":3}\n{\"n\":4}\n").unwrap();
    fs::write(place.at("a.log"), "").unwrap();
    place.wait("1 2 3 4");
    place.write("a.log", "{\"n\":5}\n");
    place.wait("1 2 3 4 5");
    let (receipt, notes) = following.end();
    assert_eq!(receipt.stored, 5);
    assert_eq!(notes.iter().filter(|note| note.ends_with("is read from its beginning")).count(), 2);
}

#[test]
fn what_was_rotated_away_meanwhile_is_found() {
    let place = Place::new("[seal]\nevents = 3\n");
    place.write("a.log", "{\"n\":1}\n");
    let following = place.follow(&["a.log"]);
    place.wait("1");
    place.write("a.log", "{\"n\":2}\n");
    place.wait("1 2");
    following.end();
    place.write("a.log", "{\"n\":3}\n");
    place.rename("a.log", "a.log.2");
    std::thread::sleep(Duration::from_millis(20));
    fs::write(place.at("a.log.1"), "{\"n\":4}\n").unwrap();
    fs::write(place.at("a.log.d"), "{\"n\":400}\n").unwrap();
    place.store().seal().unwrap();
    place.write("a.log", "{\"n\":5}\n");
    let (receipt, _) = {
        let following = place.follow(&["a.log"]);
        place.wait("1 2 3 4 5");
        following.end()
    };
    assert_eq!(receipt.stored, 3);
    // Files of another name that nobody followed are nobody's business.
    fs::write(place.at("b.log.1"), "{\"n\":100}\n").unwrap();
    place.write("b.log", "{\"n\":6}\n");
    let following = place.follow(&["b.log"]);
    place.wait("1 2 3 4 5 6");
    following.end();
}

#[test]
fn events_of_several_lines_are_whole_and_stored_once() {
    let place = Place::new("");
    let line = |second: u32, text: &str| format!("2026-02-03 04:05:{second:02} ERROR {text}\n");
    place.write("a.log", &(line(1, "one") + "  at main\n" + &line(2, "two")));
    let following = place.follow(&["a.log"]);
    let events = "SELECT string_agg(message, '|' ORDER BY ts) FROM events";
    place.wait_for(events, "one\n  at main|two");
    place.write("a.log", &line(3, "three"));
    place.write("a.log", "  at start\n");
    place.wait_for(events, "one\n  at main|two|three\n  at start");
    assert_eq!(following.end().0.stored, 3);
    for _ in 0..2 {
        let following = place.follow(&["a.log"]);
        std::thread::sleep(Duration::from_millis(900));
        assert_eq!(counts(&following.end().0), (0, 0, 0));
        place.store().seal().unwrap();
        assert_eq!(counts(&place.ingest(&["a.log"])), (0, 3, 0));
    }
    // Lines that come after an event was taken for whole are not stored with it again.
    place.write("a.log", &(line(4, "four") + "  at end\n"));
    let following = place.follow(&["a.log"]);
    place.wait_for(events, "one\n  at main|two|three\n  at start|four\n  at end");
    assert_eq!(following.end().0.stored, 1);
}

#[test]
fn ingesting_and_following_know_of_each_other() {
    let place = Place::new("");
    place.write("a.log", "{\"n\":1}\n{\"n\":2}\n");
    assert_eq!(counts(&place.ingest(&["a.log"])), (2, 0, 0));
    place.write("a.log", "{\"n\":3}\n");
    let following = place.follow(&["a.log"]);
    place.wait("1 2 3");
    place.write("a.log", "{\"n\":4}\n");
    place.wait("1 2 3 4");
    // Also while it is in the log alone.
    fs::copy(place.at("a.log"), place.at("copy.log")).unwrap();
    place.write("copy.log", "{\"n\":5}\n");
    assert_eq!(counts(&place.ingest(&["a.log", "copy.log"])), (1, 8, 0));
    assert_eq!(counts(&following.end().0), (2, 2, 0));
    place.store().seal().unwrap();
    assert_eq!(counts(&place.ingest(&["a.log"])), (0, 4, 0));
    place.write("a.log", "{\"n\":6}\n");
    assert_eq!(counts(&place.ingest(&["a.log"])), (1, 4, 0));
    let following = place.follow(&["a.log"]);
    place.write("a.log", "{\"n\":7}\n");
    place.wait("1 2 3 4 5 6 7");
    assert_eq!(following.end().0.stored, 1);
}

#[test]
fn a_mapping_holds_before_and_after_sealing() {
    let place = Place::new("");
    let docker = |text: &str| {
        format!(
            "{{\"log\":\"{text}\\n\",\"stream\":\"stdout\",\"time\":\"2026-02-03T04:05:06Z\",\"who\":\"me\"}}\n"
        )
    };
    let map = vec![("actor".to_string(), "container.stream".to_string())];
    let following = place.follow_as(&["a.log"], IngestOptions { map, ..options() });
    place.write("a.log", &(docker("one") + &docker("token=hunter22secret two")));
    let sql = "SELECT string_agg(actor || ' ' || message, '|' ORDER BY seq) FROM events";
    place.wait_for("SELECT count(*)::VARCHAR FROM events", "2");
    let before = texts(&place.store(), sql).unwrap();
    assert!(before[0].as_ref().unwrap().starts_with("stdout one"), "{before:?}");
    following.end();
    place.store().seal().unwrap();
    assert_eq!(place.store().info().unwrap().wal_events, 0);
    assert_eq!(texts(&place.store(), sql).unwrap(), before);
}

#[test]
fn much_is_stored_at_once_and_sealed_as_it_comes() {
    let place = Place::new("[seal]\nevents = 20\n");
    let lines = |numbers: std::ops::Range<u32>| -> String {
        numbers.map(|n| format!("{{\"n\":{n},\"text\":\"{:200}\"}}\n", "x")).collect()
    };
    place.write("a.log", &lines(0..50_000));
    let following = place.follow(&["a.log"]);
    let count = "SELECT count(*)::VARCHAR || ' ' || count(DISTINCT n) FROM events";
    place.wait_for(count, "50000 50000");
    place.write("a.log", &lines(50_000..100_000));
    place.wait_for(count, "100000 100000");
    for batch in 0..40 {
        place.write("a.log", &lines(100_000 + batch * 10..100_010 + batch * 10));
        std::thread::sleep(Duration::from_millis(30));
    }
    place.wait_for(count, "100400 100400");
    following.end();
    let store = place.store();
    let marks = "SELECT count(*)::BIGINT FROM commits";
    assert!(number(&store, marks) > 2, "nothing was sealed meanwhile");
    assert_eq!(counts(&place.ingest(&["a.log"])), (0, 100_400, 0));
}

#[test]
fn what_cannot_be_followed_is_refused_before_anything_is_stored() {
    let place = Place::new("");
    place.write("a.log", "{\"n\":1}\n");
    fs::write(place.at("b.gz"), b"\x1f\x8b\x08\x00").unwrap();
    let refused = |names: &[&str], options: IngestOptions| {
        place.follow_as(names, options).thread.join().unwrap().unwrap_err().kind()
    };
    assert_eq!(refused(&["a.log", "b.gz"], options()), ErrorKind::Invalid);
    assert_eq!(refused(&["a.log", "store"], options()), ErrorKind::Invalid);
    assert_eq!(refused(&["a.log"], IngestOptions { strict: true, ..options() }), ErrorKind::Invalid);
    assert_eq!(number(&place.store(), "SELECT count(*) FROM events"), 0);
    // What two followers store would be there twice.
    let following = place.follow(&["a.log"]);
    place.wait("1");
    assert_eq!(refused(&["store/../a.log"], options()), ErrorKind::Busy);
    following.end();
    place.write("a.log", "{\"n\":2}\n");
    let following = place.follow(&["a.log"]);
    place.wait("1 2");
    following.end();
}

/// Not a test: a process that follows until it is killed.
#[test]
#[ignore = "is run by other tests"]
fn child_follows() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = Path::new(&folder);
    let store = Store::open_or_create(&folder.join("store")).unwrap();
    let _ = store.follow(&[folder.join("app.log")], &options(), &Notes::default(), &AtomicBool::new(false));
}

const FOLDER: &str = "DAYBOOK_TEST_FOLLOW_FOLDER";
const ROUNDS: u64 = 60;

/// Writes numbered lines after the first, in pieces that end anywhere, and rotates. Gives how many there are.
fn write_lines(place: &Place, copies: bool, stop: &AtomicBool) -> u64 {
    let mut random = 12345_u64;
    let mut below = |end: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % end
    };
    let (mut lines, mut rotated) = (1, 0);
    let open = || OpenOptions::new().create(true).append(true).open(place.at("app.log")).unwrap();
    let mut file = open();
    while !stop.load(Ordering::Relaxed) {
        let mut text = String::new();
        for _ in 0..=below(20) {
            text.push_str(&format!("{{\"n\":{lines},\"text\":\"line {lines}\"}}\n"));
            lines += 1;
        }
        let (start, end) = text.as_bytes().split_at(below(text.len() as u64) as usize);
        file.write_all(start).unwrap();
        std::thread::sleep(Duration::from_millis(below(8)));
        file.write_all(end).unwrap();
        if below(25) == 0 {
            rotated += 1;
            let old = place.at(&format!("app.log.{rotated}"));
            if copies {
                fs::copy(place.at("app.log"), old).unwrap();
                file.set_len(0).unwrap();
            } else {
                fs::rename(place.at("app.log"), old).unwrap();
                file = open();
            }
            // Rotated files are told by their times.
            std::thread::sleep(Duration::from_millis(15));
        }
    }
    lines
}

fn killed_at_random_moments(copies: bool) {
    let place = Place::new("[seal]\nevents = 15\n");
    // What was rotated away before anything of a file was stored is nobody's business.
    place.write("app.log", "{\"n\":0}\n");
    let following = place.follow(&["app.log"]);
    place.wait("0");
    following.end();
    let stop = AtomicBool::new(false);
    let (_, module) = module_path!().split_once("::").unwrap();
    let start = || {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--nocapture", "--exact", &format!("{module}::child_follows")])
            .env(FOLDER, place.folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let lines = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write_lines(&place, copies, &stop));
        for round in 0..ROUNDS {
            let mut child = start();
            std::thread::sleep(Duration::from_millis(20 + round * 7919 % 400));
            assert!(child.try_wait().unwrap().is_none(), "the follower ended by itself");
            child.kill().unwrap();
            child.wait().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    let following = place.follow(&["app.log"]);
    let sql = "SELECT count(*) || ' ' || count(DISTINCT n) || ' ' || max(n) FROM events";
    place.wait_for(sql, &format!("{lines} {lines} {}", lines - 1));
    std::thread::sleep(Duration::from_millis(700));
    following.end();
    place.wait_for(sql, &format!("{lines} {lines} {}", lines - 1));
    let store = place.store();
    store.seal().unwrap();
    assert_eq!(number(&store, "SELECT count(*) FROM quarantine"), 0);
    place.wait_for(sql, &format!("{lines} {lines} {}", lines - 1));
    println!("{ROUNDS} kills, {lines} lines");
}

#[test]
fn a_follower_killed_at_random_moments_loses_and_repeats_nothing() {
    killed_at_random_moments(false);
}

#[test]
fn a_follower_of_a_file_that_is_copied_and_cut_loses_and_repeats_nothing() {
    killed_at_random_moments(true);
}
