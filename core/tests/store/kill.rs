//! Processes that are killed at random moments while they append, seal and compact.

use crate::support::{by_changes, by_export, by_sql, event, ids_and_seqs, once};
use daybook::{CompactRequest, Durability, ErrorKind, NoProgress, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FOLDER: &str = "DAYBOOK_TEST_KILL_FOLDER";
const NAME: &str = "DAYBOOK_TEST_KILL_NAME";
const ROUNDS: usize = 200;
const WRITERS: usize = 8;
/// So many rounds share a store; then all processes are killed, and the store is checked.
const ROUNDS_A_STORE: usize = 25;

/// Random numbers from a seed: the moments of a run can be had again, as far as the machine keeps time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// The folders of one store and of what its processes say.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Starts a process that is one of the functions below.
    fn start(&self, function: &str, name: &str) -> Process {
        let (_, module) = module_path!().split_once("::").unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--nocapture", "--exact", &format!("{module}::{function}")])
            .env(FOLDER, self.folder.path())
            .env(NAME, name)
            .stdout(Stdio::null())
            .stderr(File::create(self.folder.path().join(format!("{name}.err"))).unwrap())
            .spawn()
            .unwrap();
        Process { child, function: function.to_string(), name: name.to_string() }
    }

    /// The lines that a kind of process wrote, the last ones perhaps cut short and left out.
    fn lines(&self, ending: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|found| found == ending) {
                let text = std::fs::read_to_string(&path).unwrap();
                lines.extend(
                    text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(String::from),
                );
            }
        }
        lines
    }

    /// What processes that ended by themselves had to say.
    fn complaints(&self) -> String {
        self.lines("err").join("\n")
    }
}

struct Process {
    child: Child,
    function: String,
    name: String,
}

impl Process {
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder and the name of a process that a test started.
fn child() -> Option<(PathBuf, String)> {
    Some((PathBuf::from(std::env::var_os(FOLDER)?), std::env::var(NAME).ok()?))
}

fn log(folder: &Path, name: &str, ending: &str) -> File {
    let path = folder.join(format!("{name}.{ending}"));
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

/// Not a test: a process that appends for ever, from two threads, and seals now and then.
#[test]
#[ignore = "is run by other tests"]
fn child_appends() {
    let Some((folder, name)) = child() else { return };
    let store = Store::open_or_create(&folder.join("store")).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (store, folder, name) = (&store, &folder, &name);
            scope.spawn(move || {
                let mut random = Random(std::process::id().into());
                let mut tried = log(folder, &format!("{name}-{thread}"), "tried");
                let mut acknowledged = log(folder, &format!("{name}-{thread}"), "acknowledged");
                for number in 0.. {
                    let id = format!("{name}-{thread}-{number}");
                    tried.write_all(format!("{id}\n").as_bytes()).unwrap();
                    // Fields come and go, so that the table's columns grow.
                    let field = format!("field_{}", random.below(40));
                    let seq = store.append(&event(&id).field(field, number), Durability::Fsync).unwrap();
                    acknowledged.write_all(format!("{seq} {id}\n").as_bytes()).unwrap();
                    if random.below(60) == 0 {
                        store.seal().unwrap();
                    }
                    std::thread::sleep(Duration::from_micros(random.below(3_000)));
                }
            });
        }
    });
}

/// Not a test: a process that seals what the dead left and compacts, for ever.
#[test]
#[ignore = "is run by other tests"]
fn child_compacts() {
    let Some((folder, _)) = child() else { return };
    let store = Store::open_or_create(&folder.join("store")).unwrap();
    loop {
        store.seal().unwrap();
        store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    }
}

/// Not a test: a process that reads what came, until it is told to stop and nothing comes any more.
#[test]
#[ignore = "is run by other tests"]
fn child_reads() {
    let Some((folder, name)) = child() else { return };
    let mut given = log(&folder, &name, "given");
    let stop = folder.join("stop");
    let mut cursor: Option<String> = None;
    let store = loop {
        match Store::open(&folder.join("store")) {
            Ok(store) => break store,
            Err(error) if error.kind() == ErrorKind::NotFound => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("{error:?}"),
        }
    };
    loop {
        let stops = stop.exists();
        let changes = store.changes(cursor.as_deref(), 500).unwrap();
        let events: Vec<_> = changes.events.iter().flat_map(ids_and_seqs).collect();
        let lines: String = events.iter().map(|(id, seq)| format!("{seq} {id}\n")).collect();
        given.write_all(lines.as_bytes()).unwrap();
        cursor = Some(changes.cursor);
        if events.is_empty() && stops {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn pairs(lines: Vec<String>) -> Vec<(String, i64)> {
    let pair = |line: &String| {
        let (seq, id) = line.split_once(' ').unwrap();
        (id.to_string(), seq.parse().unwrap())
    };
    lines.iter().map(pair).collect()
}

/// Checks a store all of whose writers are dead.
fn check(place: &Place) -> usize {
    let acknowledged: BTreeMap<String, i64> = pairs(place.lines("acknowledged")).into_iter().collect();
    let tried: BTreeSet<String> = place.lines("tried").into_iter().collect();
    for round in ["found", "sealed"] {
        let store = Store::open(&place.store()).unwrap();
        if round == "sealed" {
            store.seal().unwrap();
            store.compact(&CompactRequest::default(), &NoProgress).unwrap();
            assert_eq!(store.info().unwrap().wal_events, 0);
        }
        let (found, rejects) = by_sql(&store);
        let lost: Vec<_> = acknowledged.iter().filter(|(id, seq)| found.get(*id) != Some(seq)).collect();
        assert!(lost.is_empty(), "{round}: lost {lost:?}");
        let strange: Vec<_> = found.keys().filter(|id| !tried.contains(*id)).collect();
        assert!(strange.is_empty() && rejects.is_empty(), "{round}: {strange:?}, {rejects:?}");
        assert_eq!(by_export(&store), found.keys().cloned().collect(), "{round}");
        let (given, _) = by_changes(&store, None, 10_000).unwrap();
        assert_eq!(once("`changes`", given), found, "{round}");
        assert_eq!(store.info().unwrap().warnings, Vec::<String>::new());
    }
    acknowledged.len()
}

/// Kills some of the processes, and starts them again under new names.
fn kill_some(place: &Place, processes: &mut [Process], round: usize, random: &mut Random) {
    let all = random.below(8) == 0;
    for process in processes.iter_mut() {
        assert!(!process.has_ended(), "`{}` ended by itself:\n{}", process.name, place.complaints());
        if all || random.below(3) == 0 {
            process.kill();
        }
    }
    for (number, process) in processes.iter_mut().enumerate() {
        if process.has_ended() {
            *process = place.start(&process.function.clone(), &format!("p{number}-round{round}"));
        }
    }
}

fn rounds_of_a_store(seed: u64) -> usize {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let mut random = Random(seed);
    let mut reader = place.start("child_reads", "reader");
    let mut processes: Vec<_> =
        (0..WRITERS).map(|number| place.start("child_appends", &format!("p{number}"))).collect();
    processes.push(place.start("child_compacts", &format!("p{WRITERS}")));
    for round in 0..ROUNDS_A_STORE {
        std::thread::sleep(Duration::from_millis(40 + random.below(160)));
        kill_some(&place, &mut processes, round, &mut random);
    }
    drop(processes);
    // The reader has seen all that is there, and goes on to see the same events being sealed.
    let count = check(&place);
    std::fs::write(place.folder.path().join("stop"), "").unwrap();
    let started = Instant::now();
    while !reader.has_ended() {
        assert!(started.elapsed() < Duration::from_secs(60), "the reader does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(reader.child.wait().unwrap().success(), "the reader failed:\n{}", place.complaints());
    let (found, _) = by_sql(&Store::open(&place.store()).unwrap());
    assert_eq!(once("the reader", pairs(place.lines("given"))), found, "the reader saw other events");
    count
}

#[test]
fn processes_killed_at_random_moments_lose_nothing() {
    let mut events = 0;
    for seed in 0..ROUNDS.div_ceil(ROUNDS_A_STORE) {
        events += rounds_of_a_store(seed as u64 + 1);
    }
    println!("{ROUNDS} rounds, {events} events acknowledged");
    assert!(events > ROUNDS, "only {events} events were acknowledged");
}
