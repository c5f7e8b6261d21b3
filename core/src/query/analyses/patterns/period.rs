//! The period of a series of instants: how long it is, how regular, and which of its turns are missed.

use super::math::{binomial_least, median, quantile};
use super::vectors::{add, at};
use crate::event::time::{DAY_US, HOUR_US, MINUTE_US};

const SECOND_US: i64 = 1_000_000;
/// Lengths that clocks are set to; they are tried before all others.
const USUAL_US: [i64; 26] = [
    SECOND_US,
    2 * SECOND_US,
    5 * SECOND_US,
    10 * SECOND_US,
    15 * SECOND_US,
    20 * SECOND_US,
    30 * SECOND_US,
    MINUTE_US,
    2 * MINUTE_US,
    3 * MINUTE_US,
    4 * MINUTE_US,
    5 * MINUTE_US,
    6 * MINUTE_US,
    10 * MINUTE_US,
    12 * MINUTE_US,
    15 * MINUTE_US,
    20 * MINUTE_US,
    30 * MINUTE_US,
    HOUR_US,
    2 * HOUR_US,
    3 * HOUR_US,
    4 * HOUR_US,
    6 * HOUR_US,
    8 * HOUR_US,
    12 * HOUR_US,
    DAY_US,
];
/// An instant is on time if it is this near to a turn, as a share of the period.
const ON_TIME: f64 = 0.1;
/// Instants nearer to each other than this share of the period are one turn.
const ONE_TURN: f64 = 0.2;
/// So many turns are the least that a period is known from.
const TURNS_LEAST: usize = 5;
/// A share of turns that must not be missed.
const HITS_LEAST: f64 = 0.6;
/// A part of the week with a smaller share has no turns.
const OFF: f64 = 0.2;

/// A period that instants follow.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Period {
    pub(super) length_us: f64,
    /// The first turn.
    pub(super) first_us: f64,
    /// Whether turns keep to a clock; otherwise each follows the one before it.
    pub(super) is_clock: bool,
    /// How far an instant is from its turn: half of them are nearer.
    pub(super) jitter_us: f64,
    pub(super) turns: u64,
    pub(super) hits: u64,
    /// When turns were missed.
    pub(super) missed_us: Vec<i64>,
    /// Instants between turns.
    pub(super) extra: u64,
    /// Days of the week, Monday is 0, and hours of the day without turns.
    pub(super) off_days: Vec<usize>,
    pub(super) off_hours: Vec<usize>,
    /// The probability of so many hits of independent instants.
    pub(super) p: f64,
}

/// The period of sorted instants, whose length is about `near_us`, up to the end of what was looked at.
pub(super) fn period(times: &[i64], near_us: f64, end_us: i64) -> Option<Period> {
    let starts = turns(times, near_us)?;
    let gaps: Vec<f64> = gaps(&starts).filter(|gap| (gap / near_us - 1.0).abs() < 0.3).collect();
    if gaps.len() < TURNS_LEAST.saturating_sub(1) {
        return None;
    }
    let length = median(gaps.clone());
    let usual = USUAL_US.iter().map(|usual| *usual as f64).chain([7.0 * DAY_US as f64]);
    let usual = usual.filter(|usual| (usual / length - 1.0).abs() < 0.1);
    // Of two that are as good, the last one is taken: a usual length.
    let lengths = locked(&starts, length).into_iter().chain(usual);
    let clocks = lengths.filter_map(|length| clock(times, &starts, length, end_us));
    let found = intervals(&starts, &gaps, length, end_us).into_iter().chain(clocks);
    found.max_by(|one, other| score(one).total_cmp(&score(other)))
}

fn score(period: &Period) -> f64 {
    // A clock says more than turns that follow each other.
    let worth = if period.is_clock { 0.15 } else { 0.0 };
    worth + (period.hits as f64 - period.extra as f64 * 0.5) / period.turns.max(1) as f64
        - period.jitter_us / period.length_us
}

fn gaps(times: &[i64]) -> impl Iterator<Item = f64> {
    times.iter().zip(times.iter().skip(1)).map(|(one, next)| next.saturating_sub(*one) as f64)
}

/// The first instant of each turn. None if what happens in a turn takes a good part of it: then that is work, and
/// not a rhythm.
fn turns(times: &[i64], near_us: f64) -> Option<Vec<i64>> {
    let mut starts = Vec::new();
    let mut lengths = Vec::new();
    let (mut first, mut last) = (*times.first()?, *times.first()?);
    starts.push(first);
    for time in times.iter().skip(1) {
        if (time.saturating_sub(last) as f64) > near_us * ONE_TURN {
            lengths.push(last.saturating_sub(first) as f64);
            first = *time;
            starts.push(first);
        }
        last = *time;
    }
    lengths.push(last.saturating_sub(first) as f64);
    let few = times.len() <= starts.len().saturating_mul(20);
    (few && median(lengths) <= near_us * ON_TIME).then_some(starts)
}

/// A better length, from more and more instants that keep to one clock.
fn locked(starts: &[i64], length: f64) -> Option<f64> {
    let first = *starts.first()?;
    let mut length = length;
    let mut origin = 0.0;
    let mut known = 8_usize;
    loop {
        // The line through the turns, by least squares.
        let points = starts.iter().take(known).map(|time| time.saturating_sub(first) as f64);
        let near = points.filter_map(|time| {
            let turn = ((time - origin) / length).round();
            ((time - origin - turn * length).abs() < length * 0.25).then_some((turn, time))
        });
        let near: Vec<(f64, f64)> = near.collect();
        let count = near.len() as f64;
        let (sum_x, sum_y) = near.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        let (mean_x, mean_y) = (sum_x / count.max(1.0), sum_y / count.max(1.0));
        let across: f64 = near.iter().map(|(x, _)| (x - mean_x) * (x - mean_x)).sum();
        if near.len() < 3 || across <= 0.0 {
            return None;
        }
        length = near.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / across;
        origin = mean_y - length * mean_x;
        if known >= starts.len() || length <= 0.0 {
            return (length > 0.0).then_some(length);
        }
        known = known.saturating_mul(2);
    }
}

/// The instants as turns of a clock of this length.
fn clock(times: &[i64], starts: &[i64], length: f64, end_us: i64) -> Option<Period> {
    let first = *starts.first()?;
    let phases: Vec<f64> =
        starts.iter().map(|time| (time.saturating_sub(first) as f64).rem_euclid(length)).collect();
    let phase = densest(phases, length)?;
    // The middle of what is on time, then what is on time of that middle.
    let distance = |time: &i64, phase: f64| {
        let apart = time.saturating_sub(first) as f64 - phase;
        apart - (apart / length).round() * length
    };
    let on_time =
        |phase: f64| starts.iter().filter(move |time| distance(time, phase).abs() <= length * ON_TIME);
    let phase = phase + median(on_time(phase).map(|time| distance(time, phase)).collect());
    let far: Vec<f64> = on_time(phase).map(|time| distance(time, phase).abs()).collect();
    // A turn may begin with what is not on time.
    let near = times.iter().filter(|time| distance(time, phase).abs() <= length * ON_TIME);
    let turn = |time: &i64| ((time.saturating_sub(first) as f64 - phase) / length).round() as i64;
    let mut hits: Vec<i64> = near.map(turn).collect();
    hits.sort_unstable();
    hits.dedup();
    let extra = starts.len().saturating_sub(hits.len()) as u64;
    let (first_us, jitter) = (first as f64 + phase, median(far));
    Period { length_us: length, first_us, jitter_us: jitter, extra, ..Period::none() }.with(
        hits,
        starts.len(),
        end_us,
    )
}

/// The phase with most others near to it.
fn densest(mut phases: Vec<f64>, length: f64) -> Option<f64> {
    phases.sort_unstable_by(f64::total_cmp);
    let wide = length * ON_TIME;
    let again: Vec<f64> = phases.iter().map(|phase| phase + length).collect();
    let all: Vec<f64> = phases.iter().copied().chain(again).collect();
    let mut best = (0_usize, 0_usize);
    let mut until = 0_usize;
    for (from, phase) in phases.iter().enumerate() {
        while all.get(until).is_some_and(|other| *other <= phase + wide) {
            until = until.saturating_add(1);
        }
        let count = until.saturating_sub(from);
        if count > best.0 {
            best = (count, from);
        }
    }
    let (count, from) = best;
    all.get(from.saturating_add(count / 2)).copied()
}

impl Period {
    fn none() -> Period {
        Period {
            length_us: 0.0,
            first_us: 0.0,
            is_clock: true,
            jitter_us: 0.0,
            turns: 0,
            hits: 0,
            missed_us: Vec::new(),
            extra: 0,
            off_days: Vec::new(),
            off_hours: Vec::new(),
            p: 1.0,
        }
    }

    /// When a turn is due.
    pub(super) fn due(&self, turn: i64) -> i64 {
        (self.first_us + turn as f64 * self.length_us) as i64
    }

    /// The same with the sorted turns that were hit of it, if these are enough.
    fn with(self, hits: Vec<i64>, instants: usize, end_us: i64) -> Option<Period> {
        let first = *hits.first()?;
        // A turn whose time is not over yet is not missed.
        let last = ((end_us as f64 - self.first_us) / self.length_us - 2.0 * ON_TIME).floor() as i64;
        let last = last.max(*hits.last()?);
        let count = last.saturating_sub(first).saturating_add(1);
        if count > 1_000_000 || hits.len() < TURNS_LEAST {
            return None;
        }
        let all: Vec<(i64, bool)> =
            (first..=last).map(|turn| (self.due(turn), hits.binary_search(&turn).is_ok())).collect();
        let off_days =
            if self.length_us <= DAY_US as f64 * 1.01 { off(&all, DAY_US, 7, 3) } else { Vec::new() };
        let off_hours =
            if self.length_us <= HOUR_US as f64 * 1.01 { off(&all, HOUR_US, 24, 0) } else { Vec::new() };
        let is_due = |time: i64| {
            !off_days.contains(&part(time, DAY_US, 7, 3)) && !off_hours.contains(&part(time, HOUR_US, 24, 0))
        };
        let due: Vec<&(i64, bool)> = all.iter().filter(|(time, _)| is_due(*time)).collect();
        let hit = due.iter().filter(|(_, hit)| *hit).count();
        let missed_us: Vec<i64> = due.iter().filter(|(_, hit)| !hit).map(|(time, _)| *time).collect();
        if (hit as f64) < due.len() as f64 * HITS_LEAST || hit < TURNS_LEAST {
            return None;
        }
        // As many instants at any time would be near to a turn as often as that.
        let by_chance = 1.0 - (-(instants as f64 / all.len() as f64) * 2.0 * ON_TIME).exp();
        let p = binomial_least(hits.len() as f64, all.len() as f64, by_chance);
        let (turns, hits) = (due.len() as u64, hit as u64);
        Some(Period { turns, hits, missed_us, off_days, off_hours, p, ..self })
    }
}

fn part(time: i64, length: i64, count: i64, shift: i64) -> usize {
    time.div_euclid(length).saturating_add(shift).rem_euclid(count).unsigned_abs() as usize
}

/// The parts of the week in which turns are missed nearly always, though there are enough of them.
fn off(turns: &[(i64, bool)], length: i64, count: i64, shift: i64) -> Vec<usize> {
    let parts = usize::try_from(count).unwrap_or(1);
    let (mut due, mut hit, mut weeks) = (vec![0.0; parts], vec![0.0; parts], vec![0.0; parts]);
    let mut last = None;
    for (time, is_hit) in turns {
        let part = part(*time, length, count, shift);
        let place = time.div_euclid(length);
        if last.replace(place) != Some(place) {
            add(&mut weeks, part, 1.0);
        }
        add(&mut due, part, 1.0);
        add(&mut hit, part, if *is_hit { 1.0 } else { 0.0 });
    }
    (0..parts).filter(|part| at(&weeks, *part) >= 3.0 && at(&hit, *part) < at(&due, *part) * OFF).collect()
}

/// Instants that each follow the one before it.
fn intervals(starts: &[i64], regular: &[f64], length: f64, end_us: i64) -> Option<Period> {
    let mut far: Vec<f64> = regular.iter().map(|gap| (gap - length).abs()).collect();
    far.sort_unstable_by(f64::total_cmp);
    let mut missed_us = Vec::new();
    let (mut turns, mut gone) = (0_u64, 0_u64);
    for (one, next) in starts.iter().zip(starts.iter().skip(1).chain([&end_us])) {
        let gap = next.saturating_sub(*one) as f64;
        let steps = (gap / length).round().max(1.0) as u64;
        turns = turns.saturating_add(steps);
        gone = gone.saturating_add(steps.saturating_sub(1));
        let due = |step: u64| one.saturating_add((length * step as f64) as i64);
        missed_us.extend((1..steps).map(due).take(1_000));
    }
    let on_time = far.iter().filter(|far| **far <= length * ON_TIME).count();
    let hits = turns.saturating_sub(gone);
    let gaps = starts.len().saturating_sub(1);
    // The time between independent instants lies that near to its median this seldom.
    let p = binomial_least(on_time as f64, gaps as f64, 0.139);
    let is_regular = on_time as f64 >= gaps as f64 * HITS_LEAST && hits as f64 >= turns as f64 * HITS_LEAST;
    let first_us = *starts.first()? as f64;
    let jitter_us = quantile(&far, 0.5);
    let found = Period {
        length_us: length,
        first_us,
        is_clock: false,
        jitter_us,
        turns,
        hits,
        missed_us,
        p,
        ..Period::none()
    };
    is_regular.then_some(found)
}
