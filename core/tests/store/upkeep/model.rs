//! Random sequences of all that changes a store, against a model in memory: the same events after each step.

use super::encryption::{first, set_key};
use super::points::ids;
use super::{DAY_US, START_US, at_day, expire, expiry, filter, with_storage};
use crate::machine::{Machine, Plan};
use crate::support::fast_folder;
use daybook::storage::LocalStorage;
use daybook::{
    ArchiveRequest, CompactRequest, Durability, EraseRequest, ErrorKind, Keys, NoProgress, Period, Result,
    Store, StoreOptions,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SEQUENCES: u64 = 500;
const STEPS: u64 = 7;
/// The day on which everything happens.
const TODAY: i64 = 9;

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Known {
    day: i64,
    kind: u64,
    actor: u64,
}

/// What there should be.
#[derive(Clone, Debug, Default)]
struct Model {
    live: BTreeMap<String, Known>,
    archived: BTreeMap<String, Known>,
    erased: BTreeSet<String>,
}

/// What can happen to all events together.
#[derive(Clone, Copy, Debug)]
enum Step {
    Compact,
    Expire { kind: u64, days: i64 },
    Erase { actor: u64 },
    Archive { before: i64, keep: bool },
    Restore,
    Maintain,
    Encrypt,
    Seal,
}

impl Step {
    fn of(random: &mut Random) -> Step {
        match random.below(11) {
            0 | 1 => Step::Compact,
            2 | 3 => Step::Expire { kind: random.below(3), days: random.below(6) as i64 },
            4 => Step::Erase { actor: random.below(3) },
            5 | 6 => Step::Archive { before: random.below(6) as i64, keep: random.below(2) == 0 },
            7 => Step::Restore,
            8 => Step::Maintain,
            9 => Step::Encrypt,
            _ => Step::Seal,
        }
    }

    fn apply(self, store: &Store, archive: &Path) -> Result<()> {
        match self {
            Step::Compact => store.compact(&CompactRequest::default(), &NoProgress).map(drop),
            Step::Expire { kind, days } => {
                store.seal()?;
                expire(store, &expiry(&format!("kind:k{kind}"), days)).map(drop)
            }
            Step::Erase { actor } => {
                let text = format!("actor:a{actor}");
                let (filter, reason) = (filter(&text), "asked for".to_string());
                let request = EraseRequest { filter, text, reason, redact: Vec::new(), dry_run: false };
                store.erase(&request, &NoProgress).map(drop)
            }
            Step::Archive { before, keep } => {
                let day =
                    chrono::NaiveDate::from_ymd_opt(2026, 1, 10).unwrap() + chrono::Days::new(before as u64);
                let request = ArchiveRequest { period: Period::before(day), keep };
                store.archive(archive, &request, &NoProgress).map(drop)
            }
            Step::Restore if archive.join("_delta_log").exists() => {
                store.restore(archive, None, &NoProgress).map(drop)
            }
            Step::Restore => Ok(()),
            Step::Maintain => store.maintain(false, &NoProgress).map(drop),
            Step::Encrypt => match store.encrypt(&NoProgress) {
                Err(error) if error.kind() == ErrorKind::Invalid => Ok(()),
                encrypted => encrypted.map(drop),
            },
            Step::Seal => store.seal(),
        }
    }
}

impl Model {
    fn apply(&mut self, step: Step) {
        match step {
            Step::Compact | Step::Maintain | Step::Encrypt | Step::Seal => {}
            Step::Expire { kind, days } => {
                // Days that ended so many days ago.
                self.live.retain(|_, event| event.kind != kind || event.day >= TODAY - days);
            }
            Step::Erase { actor } => {
                let erased = self.live.iter().filter(|(_, event)| event.actor == actor);
                self.erased.extend(erased.map(|(id, _)| id.clone()));
                self.live.retain(|_, event| event.actor != actor);
            }
            Step::Archive { before, keep } => {
                let moved = self.live.iter().filter(|(_, event)| event.day < before);
                self.archived.extend(moved.map(|(id, event)| (id.clone(), event.clone())));
                self.live.retain(|_, event| keep || event.day >= before);
            }
            Step::Restore => {
                let back = self.archived.iter().filter(|(id, _)| !self.erased.contains(*id));
                self.live.extend(back.map(|(id, event)| (id.clone(), event.clone())));
            }
        }
    }

    fn ids(&self) -> BTreeSet<String> {
        self.live.keys().cloned().collect()
    }

    /// A line of a new event.
    fn line(&mut self, random: &mut Random) -> String {
        let event = Known { day: random.below(6) as i64, kind: random.below(3), actor: random.below(3) };
        let id = format!("e{}", random.below(u64::MAX >> 34));
        let Known { day, kind, actor } = event;
        let ts = START_US / 1000 + day * DAY_US / 1000;
        self.live.insert(id.clone(), event);
        format!(
            "{{\"ts\":{ts},\"id\":\"{id}\",\"kind\":\"k{kind}\",\"actor\":\"a{actor}\",\"f{kind}\":{day}}}\n"
        )
    }
}

/// A step in which the process dies somewhere; then it is done again.
fn step_with_a_crash(folder: &Path, archive: &Path, step: Step, model: &mut Model, random: &mut Random) {
    let machine = Arc::new(Machine::new(folder, Plan::Stop(random.below(90) as usize)));
    let storage = LocalStorage::with_probe(folder, machine);
    if let Ok((store, _)) = with_storage(storage, TODAY) {
        let _ = step.apply(&store, archive);
    }
    let before = model.ids();
    model.apply(step);
    let (store, _) = at_day(folder, TODAY);
    let found = ids(&store);
    assert!(
        found == before || found == model.ids(),
        "{step:?} was cut off: {found:?}, not {before:?} or {model:?}"
    );
    step.apply(&store, archive).unwrap();
    assert_eq!(ids(&store), model.ids(), "{step:?} again");
    store.close().unwrap();
}

fn sequence(seed: u64) {
    let (folder, elsewhere) = (fast_folder(), fast_folder());
    let archive = elsewhere.path().join("archive");
    let (mut model, mut random) = (Model::default(), Random(seed.wrapping_mul(77) + 1));
    let secrets = fast_folder();
    // Some stores are encrypted from the beginning, some in the middle, most never.
    let key_at = random.below(20);
    let mut inputs: Vec<String> = Vec::new();
    let mut store = at_day(folder.path(), TODAY).0;
    for number in 0..STEPS {
        if number == key_at {
            set_key(folder.path(), secrets.path(), &first());
            drop(store);
            store = at_day(folder.path(), TODAY).0;
        }
        match random.below(12) {
            0 | 1 => {
                let line = model.line(&mut random);
                store.append_json(line.as_bytes(), Durability::Fsync).unwrap();
            }
            2..=4 => {
                let text: String = (0..random.below(5) + 1).map(|_| model.line(&mut random)).collect();
                super::ingest(&store, "input", &text);
                inputs.push(text);
            }
            5 => inputs.iter().for_each(|text| super::ingest(&store, "again", text)),
            6 => {
                // As if the process was killed: nothing is sealed.
                drop(store);
                store = at_day(folder.path(), TODAY).0;
            }
            7 => {
                drop(store);
                let step = Step::of(&mut random);
                step_with_a_crash(folder.path(), &archive, step, &mut model, &mut random);
                store = at_day(folder.path(), TODAY).0;
            }
            _ => {
                let step = Step::of(&mut random);
                step.apply(&store, &archive).unwrap_or_else(|error| panic!("{step:?}: {error:?}"));
                model.apply(step);
            }
        }
        assert_eq!(ids(&store), model.ids(), "sequence {seed}, after step {number}");
    }
    super::verified(&store, None);
    store.close().unwrap();
    if archive.join("_delta_log").exists() {
        let keys = Some(Arc::new(Keys::parse(&first(), "the model").unwrap()));
        let store = Store::open_with(&archive, &StoreOptions { keys }).unwrap();
        super::verified(&store, None);
        assert_eq!(ids(&store), model.archived.keys().cloned().collect(), "sequence {seed}, the archive");
    }
}

#[test]
fn random_sequences_leave_what_a_model_says() {
    let next = AtomicU64::new(0);
    let one = std::env::var("DAYBOOK_SEQUENCE").ok().and_then(|seed| seed.parse().ok());
    if let Some(seed) = one {
        return sequence(seed);
    }
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= SEQUENCES {
                        return;
                    }
                    sequence(seed);
                }
            });
        }
    });
}
