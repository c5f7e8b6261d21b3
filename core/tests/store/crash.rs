//! A whole day of a store, again and again: each operation on the disk fails once, is the last one before the
//! process dies or the power goes, or finds the disk full.

mod checks;

use crate::machine::{Loss, Machine, Plan};
use crate::support::{by_changes, event, fast_folder};
use checks::check;
use daybook::log::{Log, LogMaintenance};
use daybook::storage::{LocalStorage, Storage};
use daybook::wal::Clock;
use daybook::{
    Appended, CompactRequest, Durability, Error, ErrorKind, IngestOptions, Input, NoProgress, Receipt,
    Result, Store,
};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Where the clock starts; with each look it goes on by a tenth of a millisecond.
const NOW_US: i64 = 1_790_000_000_000_000;
/// How long a machine takes to start again.
const RESTART_US: i64 = 5_000_000;

const INPUT: &str = r#"{"id":"in-1","ts":"2026-02-03T10:00:00Z","kind":"a","size":1}
{"id":"in-2","ts":"2026-02-03T11:00:00Z","kind":"a","size":2.5}
this is no record
{"id":"in-3","ts":"2026-02-04T10:00:00Z","kind":"b","tags":["x","y"]}

{"id":"in-4","ts":"2026-02-04T11:00:00Z","kind":"b","size":"large"}
{"id":"bad","ts":"long ago"}
"#;
const INPUT_IDS: [&str; 4] = ["in-1", "in-2", "in-3", "in-4"];
const INPUT_REJECTS: [&str; 2] = ["this is no record", r#"{"id":"bad","ts":"long ago"}"#];

/// How a run goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// An operation fails, and the next ones work; work goes on.
    Fails,
    /// The same; and when the work is done, the power goes.
    FailsThenPower(Loss),
    /// The process dies.
    Dies,
    /// The process dies, another takes over from it, and then the power goes.
    DiesThenPower(Loss),
    /// The power goes.
    Power(Loss),
    /// The disk is full until there is room again; the same store goes on then.
    FullThenRoom,
    /// The disk is full until there is room again; the store is opened again then.
    FullThenReopened,
}

impl Mode {
    fn plan(self, at: usize) -> Plan {
        match self {
            Mode::Fails | Mode::FailsThenPower(_) => Plan::FailOnce(at),
            Mode::Dies | Mode::DiesThenPower(_) | Mode::Power(_) => Plan::Stop(at),
            Mode::FullThenRoom | Mode::FullThenReopened => Plan::Full(at),
        }
    }

    fn is_full(self) -> bool {
        matches!(self, Mode::FullThenRoom | Mode::FullThenReopened)
    }
}

/// What a run was told.
#[derive(Debug, Default)]
struct Told {
    /// Whether the store was made.
    made: bool,
    /// Events that somebody tried to append; and those that were acknowledged.
    tried: BTreeSet<String>,
    /// Acknowledged by the disk.
    kept: BTreeSet<String>,
    /// Acknowledged by the operating system: a loss of power may take them.
    handed_over: BTreeSet<String>,
    /// Refused because the disk was full, so that they must not be there.
    refused: BTreeSet<String>,
    /// Lines that were to go to the quarantine; and whether that was acknowledged.
    rejects: BTreeMap<String, bool>,
    /// Whether the input was tried; and whether it was acknowledged.
    input: Option<bool>,
    /// What `changes` gave, with the cursor after it.
    given: Vec<(String, i64)>,
    cursor: Option<String>,
}

/// One run of the scenario.
struct Run<'a> {
    folder: &'a Path,
    machine: Arc<Machine>,
    clock: Clock,
    mode: Mode,
    /// Appended to the store that is open, and not acknowledged before it is closed.
    waiting: Vec<String>,
    store: Option<Store>,
    told: Told,
    attempts: usize,
}

type Work = fn(&mut Run<'_>) -> Result<()>;

/// The scenario, in steps that may be tried again.
const STEPS: &[(&str, Work)] = &[
    ("open", |run| run.open()),
    ("append", |run| run.append("first", Durability::Fsync)),
    ("append a bad line", |run| run.append_bad("no JSON")),
    ("append", |run| run.append("second", Durability::Fsync)),
    ("append batched", |run| run.append_batched(&["third", "fourth"])),
    ("append without sync", |run| run.append("fifth", Durability::Os)),
    ("seal", |run| run.seal()),
    ("append", |run| run.append("sixth", Durability::Fsync)),
    ("changes", |run| run.changes()),
    ("ingest", |run| run.ingest()),
    ("append", |run| run.append("seventh", Durability::Fsync)),
    ("append a bad line", |run| run.append_bad("[]")),
    ("seal", |run| run.seal()),
    ("ingest again", |run| run.ingest()),
    ("compact", |run| run.compact()),
    ("changes", |run| run.changes()),
    ("append", |run| run.append("eighth", Durability::Fsync)),
    ("maintain the log", |run| run.maintain()),
    ("append batched", |run| run.append_batched(&["ninth"])),
    ("seal", |run| run.seal()),
    ("append batched", |run| run.append_unflushed("tenth")),
    ("close", |run| run.close()),
];

impl Run<'_> {
    fn storage(&self) -> LocalStorage {
        LocalStorage::with_probe(self.folder, self.machine.clone())
    }

    fn open(&mut self) -> Result<()> {
        self.store = None;
        self.waiting.clear();
        self.store = Some(Store::create_storage(self.storage(), self.clock.clone())?);
        self.told.made = true;
        Ok(())
    }

    fn store(&self) -> Result<&Store> {
        self.store.as_ref().ok_or_else(|| Error::new(ErrorKind::Closed, "not open"))
    }

    /// A new id each time that something is tried.
    fn id(&mut self, name: &str) -> String {
        self.attempts += 1;
        let id = format!("{name}-{}", self.attempts);
        self.told.tried.insert(id.clone());
        id
    }

    fn append(&mut self, name: &str, durability: Durability) -> Result<()> {
        let id = self.id(name);
        let appended = self.store()?.append(&event(&id), durability);
        if appended.as_ref().is_err_and(|error| error.kind() == ErrorKind::Full) {
            self.told.refused.insert(id.clone());
        }
        appended?;
        match durability {
            Durability::Fsync => self.told.kept.insert(id),
            _ => self.told.handed_over.insert(id),
        };
        Ok(())
    }

    fn append_batched(&mut self, names: &[&str]) -> Result<()> {
        let ids: Vec<String> = names.iter().map(|name| self.id(name)).collect();
        for id in &ids {
            self.store()?.append(&event(id), Durability::Batched)?;
        }
        self.store()?.flush()?;
        self.told.kept.extend(ids);
        // A flush is of all that came before.
        self.told.kept.append(&mut self.told.handed_over);
        Ok(())
    }

    /// Acknowledged by closing.
    fn append_unflushed(&mut self, name: &str) -> Result<()> {
        let id = self.id(name);
        self.store()?.append(&event(&id), Durability::Batched)?;
        self.waiting.push(id);
        Ok(())
    }

    fn append_bad(&mut self, line: &str) -> Result<()> {
        self.attempts += 1;
        let line = format!("{line} {}", self.attempts);
        self.told.rejects.insert(line.clone(), false);
        let appended = self.store()?.append_json(line.as_bytes(), Durability::Fsync)?;
        assert!(matches!(appended, Appended::Quarantined { .. }), "{appended:?}");
        self.told.rejects.insert(line, true);
        Ok(())
    }

    fn seal(&mut self) -> Result<()> {
        self.store()?.seal()
    }

    fn changes(&mut self) -> Result<()> {
        let (given, cursor) = by_changes(self.store()?, self.told.cursor.as_deref(), 3)?;
        self.told.given.extend(given);
        self.told.cursor = Some(cursor);
        Ok(())
    }

    fn ingest(&mut self) -> Result<()> {
        self.told.input.get_or_insert(false);
        let receipt = ingest(self.store()?)?;
        assert_eq!((receipt.records, receipt.stored + receipt.quarantined + receipt.duplicate), (6, 6));
        self.told.input = Some(true);
        Ok(())
    }

    fn compact(&mut self) -> Result<()> {
        self.store()?.compact(&CompactRequest::default(), &NoProgress).map(drop)
    }

    /// As if hundreds of commits had come.
    fn maintain(&mut self) -> Result<()> {
        let storage: Arc<dyn Storage> = Arc::new(self.storage());
        let options = LogMaintenance { checkpoint_every: 1, keep_commits_ms: 0 };
        for prefix in ["", "_quarantine"] {
            Log::open(storage.clone(), prefix)?.maintain(&options, (self.clock)() / 1000)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let Some(store) = self.store.take() else { return Ok(()) };
        store.close()?;
        self.told.kept.extend(self.waiting.drain(..));
        Ok(())
    }

    /// All steps, as far as the mode goes.
    fn work(&mut self) {
        for (name, step) in STEPS {
            let Err(error) = step(self) else {
                self.make_room(name, None);
                continue;
            };
            assert!(self.machine.struck().is_some(), "`{name}` fails on a good disk: {error:?}");
            match self.mode {
                Mode::Fails | Mode::FailsThenPower(_) => self.go_on_after(&error),
                Mode::FullThenRoom | Mode::FullThenReopened => self.try_again(name, *step, &error),
                Mode::Dies | Mode::DiesThenPower(_) | Mode::Power(_) => break,
            }
        }
        self.store = None;
    }

    /// A log that takes no more events is opened again; other failures are left as they are.
    fn go_on_after(&mut self, error: &Error) {
        if error.kind() == ErrorKind::Closed || self.store.is_none() {
            self.open().unwrap_or_else(|error| panic!("the store does not open again: {error:?}"));
        }
    }

    fn try_again(&mut self, name: &str, step: Work, error: &Error) {
        self.make_room(name, Some(error));
        if self.mode == Mode::FullThenReopened {
            self.open().unwrap_or_else(|error| panic!("the store does not open again: {error:?}"));
        }
        let again = step(self);
        again.unwrap_or_else(|error| panic!("`{name}` fails though there is room again: {error:?}"));
    }

    /// Makes room once the disk was full, which the error must say.
    fn make_room(&mut self, name: &str, error: Option<&Error>) {
        if self.mode.is_full() && self.machine.struck().is_some() {
            if let Some(error) = error {
                assert_eq!(error.kind(), ErrorKind::Full, "`{name}` on a full disk: {error:?}");
            }
            self.machine.mend();
        }
    }
}

fn ingest(store: &Store) -> Result<Receipt> {
    let reader = Box::new(std::io::Cursor::new(INPUT.as_bytes()));
    let input = Input::Reader { name: "input".to_string(), reader };
    store.ingest(vec![input], &IngestOptions { threads: 1, ..IngestOptions::default() }, &NoProgress)
}

/// The clock of a machine, from a time on.
fn clock(from_us: i64) -> Clock {
    let now = AtomicI64::new(from_us);
    Arc::new(move || now.fetch_add(100, Ordering::Relaxed))
}

/// Runs the scenario with one thing going wrong. False if it ended before that.
fn run(mode: Mode, at: usize) -> bool {
    let folder = fast_folder();
    // Files that were compacted go at once.
    std::fs::write(folder.path().join("daybook.toml"), "[keep]\nversions_days = 0\n").unwrap();
    let machine = Arc::new(Machine::new(folder.path(), mode.plan(at)));
    let mut run = Run {
        folder: folder.path(),
        machine: machine.clone(),
        clock: clock(NOW_US),
        mode,
        waiting: Vec::new(),
        store: None,
        told: Told::default(),
        attempts: 0,
    };
    run.work();
    let was_struck = machine.struck().is_some();
    let mut told = run.told;
    match mode {
        Mode::Power(loss) | Mode::FailsThenPower(loss) => {
            machine.lose_power(loss);
            told.handed_over.clear();
        }
        Mode::DiesThenPower(loss) => {
            machine.mend();
            take_over(folder.path(), &machine, &mut told);
            machine.lose_power(loss);
            told.handed_over.clear();
        }
        _ => {}
    }
    check(folder.path(), &told);
    was_struck
}

/// Another process goes on after one that died.
fn take_over(folder: &Path, machine: &Arc<Machine>, told: &mut Told) {
    let storage = LocalStorage::with_probe(folder, machine.clone());
    let store = Store::create_storage(storage, clock(NOW_US + RESTART_US)).unwrap();
    match by_changes(&store, told.cursor.as_deref(), 3) {
        // The log was cleaned up, as it was asked to be.
        Err(error) if error.kind() == ErrorKind::NotFound => told.cursor = None,
        more => {
            let (given, cursor) = more.unwrap();
            told.given.extend(given);
            told.cursor = Some(cursor);
        }
    }
    store.seal().unwrap();
    store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    store.close().unwrap();
}

/// One mode, at every point.
fn everywhere(mode: Mode) {
    if let Some(at) = std::env::var("DAYBOOK_CRASH_AT").ok().and_then(|at| at.parse().ok()) {
        run(mode, at);
        return;
    }
    let (next, ended, failures) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    match std::panic::catch_unwind(AssertUnwindSafe(|| run(mode, at))) {
                        Ok(true) => {}
                        Ok(false) => ended.store(true, Ordering::Relaxed),
                        Err(panic) => failures.lock().unwrap().push((at, words(&*panic))),
                    }
                    let many = failures.lock().unwrap().len() > 400;
                    if many {
                        return;
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    let list: Vec<_> = failures.iter().map(|(at, words)| format!("{at}: {words}")).collect();
    let points = next.load(Ordering::Relaxed);
    assert!(list.is_empty(), "{mode:?}: {} of {points} points\n{}", list.len(), list.join("\n"));
    assert!(points > 100, "{mode:?} has only {points} points");
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_default()
}

#[test]
fn the_scenario_itself_works() {
    assert!(!run(Mode::Dies, usize::MAX));
}

#[test]
fn an_operation_fails() {
    everywhere(Mode::Fails);
}

#[test]
fn an_operation_fails_and_later_the_power_goes() {
    everywhere(Mode::FailsThenPower(Loss::NewNames));
    everywhere(Mode::FailsThenPower(Loss::Everything));
}

#[test]
fn the_process_dies() {
    everywhere(Mode::Dies);
}

#[test]
fn the_process_dies_and_after_the_recovery_the_power_goes() {
    everywhere(Mode::DiesThenPower(Loss::NewNames));
    everywhere(Mode::DiesThenPower(Loss::Everything));
}

#[test]
fn the_power_goes() {
    for loss in [Loss::Everything, Loss::NewNames, Loss::Bytes, Loss::HalfTheBytes] {
        everywhere(Mode::Power(loss));
    }
}

#[test]
fn the_disk_is_full_for_a_while() {
    everywhere(Mode::FullThenRoom);
    everywhere(Mode::FullThenReopened);
}
