//! Periods of instants whose truth is known.

use super::super::math::median;
use super::super::period::{Period, period};
use super::world::Rng;
use crate::event::time::{DAY_US, HOUR_US, MINUTE_US};

const START_US: i64 = 20_486 * DAY_US;

/// The period as the query looks for it: where it covers a good part of the time between the instants.
fn found(times: &[i64], end_us: i64) -> Option<Period> {
    let mut gaps: Vec<i64> =
        times.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap >= 500_000).collect();
    gaps.sort_unstable();
    let total: i64 = gaps.iter().sum();
    let mut upto = 0;
    let middle = *gaps.iter().find(|gap| {
        upto += **gap;
        upto * 2 >= total
    })?;
    let near: i64 = gaps.iter().filter(|gap| (**gap as f64 / middle as f64).ln().abs() < 0.18).sum();
    (near as f64 >= 0.4 * total as f64).then(|| period(times, middle as f64, end_us)).flatten()
}

struct Job {
    every_us: i64,
    turns: i64,
    jitter: f64,
    /// The shares of turns that are missed, and of instants that come between.
    missed: f64,
    extra: f64,
}

impl Job {
    /// The instants, and which turns were missed.
    fn times(&self, rng: &mut Rng) -> (Vec<i64>, Vec<i64>) {
        let (mut times, mut missed) = (Vec::new(), Vec::new());
        for turn in 0..self.turns {
            let due = START_US + 2 * HOUR_US + turn * self.every_us;
            let inner = turn > 0 && turn + 1 < self.turns;
            if inner && rng.unit() < self.missed {
                missed.push(due);
            } else {
                times.push(due + (rng.normal() * self.jitter * self.every_us as f64) as i64);
            }
            if rng.unit() < self.extra {
                times.push(due + (rng.unit() * self.every_us as f64) as i64);
            }
        }
        times.sort_unstable();
        (times, missed)
    }
}

#[test]
fn rhythms_are_found_with_their_length_and_what_was_missed() {
    let lengths =
        [10_000_000, MINUTE_US, 5 * MINUTE_US, 7 * MINUTE_US + 13_000_000, HOUR_US, DAY_US, 7 * DAY_US];
    let (mut all, mut hit, mut due, mut told, mut wrong) = (0, 0, 0, 0, 0);
    for every_us in lengths {
        for (jitter, missed, extra) in
            [(0.0, 0.0, 0.0), (0.01, 0.02, 0.0), (0.02, 0.05, 0.1), (0.03, 0.1, 0.05)]
        {
            for seed in 0..10 {
                let mut rng = Rng(seed * 31 + every_us as u64);
                let job = Job { every_us, turns: 200, jitter, missed, extra };
                let (times, gone) = job.times(&mut rng);
                all += 1;
                let Some(period) = found(&times, START_US + 2 * HOUR_US + 199 * every_us) else { continue };
                if period.p > 1e-6 || (period.length_us / every_us as f64 - 1.0).abs() > 0.005 {
                    continue;
                }
                hit += 1;
                due += gone.len();
                let is_told =
                    |time: &i64| period.missed_us.iter().any(|told| (told - time).abs() < every_us / 4);
                told += gone.iter().filter(|time| is_told(time)).count();
                let is_true = |told: &i64| gone.iter().any(|time| (told - time).abs() < every_us / 4);
                wrong += period.missed_us.iter().filter(|told| !is_true(told)).count();
            }
        }
    }
    // An instant that comes between by chance near a missed turn hides it.
    assert!(hit as f64 >= 0.97 * all as f64, "{hit} of {all}");
    assert!(told as f64 >= 0.95 * due as f64, "{told} of {due}");
    assert!((wrong as f64) < 0.02 * due as f64, "{wrong} beside {due}");
}

#[test]
fn what_has_no_rhythm_has_none() {
    // At random; more by day than by night; in groups; with a wide spread of times between.
    let mut alarms = 0;
    let worlds = 300;
    for seed in 0..worlds {
        let mut rng = Rng(seed * 7 + 3);
        let mut times = Vec::new();
        let mut time = START_US;
        let count = 20 + rng.below(2_000);
        while (times.len() as u64) < count {
            let wait = -rng.unit().max(1e-12).ln();
            time += match seed % 4 {
                0 => (wait * 3.6e9) as i64,
                1 => {
                    let busy = if (8..18).contains(&((time / HOUR_US) % 24)) { 1.0 } else { 0.1 };
                    (wait * 1.8e9 / busy) as i64
                }
                2 => {
                    if rng.unit() < 0.7 {
                        1_000_000 + rng.below(2_000_000) as i64
                    } else {
                        (wait * 7.2e9) as i64
                    }
                }
                _ => ((0.3 + rng.unit() * 3.0) * 6e8) as i64,
            };
            times.push(time);
        }
        if found(&times, time).is_some_and(|period| period.p <= 0.01) {
            alarms += 1;
        }
    }
    // Each is tested at 1 %.
    assert!(alarms <= 3, "{alarms} of {worlds}");
}

#[test]
fn days_and_hours_without_turns_are_not_missed() {
    let workdays: Vec<i64> =
        (0..200).filter(|day| day % 7 < 5).map(|day| START_US + day * DAY_US + 2 * HOUR_US).collect();
    let known = found(&workdays, START_US + 199 * DAY_US).unwrap();
    assert_eq!((known.off_days.as_slice(), known.missed_us.len()), (&[5, 6][..], 0), "{known:?}");
    assert_eq!(known.due(0).rem_euclid(DAY_US), 2 * HOUR_US);
}

#[test]
fn turns_that_follow_each_other_need_no_clock() {
    let mut rng = Rng(9);
    let mut time = START_US;
    let times: Vec<i64> = (0..300)
        .map(|_| {
            time += 300_000_000 + (rng.normal() * 10e6) as i64;
            time
        })
        .collect();
    let known = found(&times, time).unwrap();
    assert!(!known.is_clock && (known.length_us / 3e8 - 1.0).abs() < 0.02, "{known:?}");
}

#[test]
fn a_clock_that_stops_has_missed_all_turns_since() {
    let times: Vec<i64> = (0..100).map(|turn| START_US + turn * HOUR_US).collect();
    let known = found(&times, START_US + 150 * HOUR_US).unwrap();
    assert_eq!((known.hits, known.missed_us.len()), (100, 50));
}

#[test]
fn awkward_instants_are_no_rhythm_and_no_harm() {
    assert_eq!(period(&[], 1e6, 0), None);
    assert_eq!(period(&[5], 1e6, 5), None);
    assert_eq!(period(&[7; 1000], 1e6, 7), None);
    assert_eq!(period(&[i64::MIN, 0, i64::MAX], 1e6, i64::MAX), None);
    assert_eq!(median(Vec::new()), 0.0);
}
