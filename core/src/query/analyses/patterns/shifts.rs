//! Lasting changes of the level of a series: steps, and growth. By the largest cumulative sum of what its level
//! over all of the time does not explain.

use super::math::{bridge_above, median};
use super::series::{sum_between, sums_before};
use super::vectors::at;

/// So many values are the least that a change is looked for in.
const VALUES_LEAST: usize = 12;
/// So many changes of a series are looked for.
const CHANGES_MAX: usize = 6;
/// What is farther from the median than so many deviations is a burst and no level.
const FAR: f64 = 3.0;

/// A change of the level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shift {
    /// The first value of the new level, and the values before and after it that have one level each.
    pub(super) at: usize,
    pub(super) from: usize,
    pub(super) until: usize,
    pub(super) before: f64,
    pub(super) after: f64,
    pub(super) p: f64,
    /// Whether a line fits better than a step.
    pub(super) is_steady: bool,
}

/// The changes of values, each with a weight; `noise` is the least variance of a value times its weight. A first change is believed if its probability by chance is at
/// most `bound`, and then others on both sides of it.
pub(super) fn shifts(values: &[f64], weights: &[f64], noise: f64, bound: f64) -> Vec<Shift> {
    let mut found = Vec::new();
    let mut open = vec![(0, values.len())];
    while let Some((from, until)) = open.pop() {
        if found.len() >= CHANGES_MAX {
            break;
        }
        let Some(shift) = largest(values, weights, noise, (from, until)) else { continue };
        if shift.p > bound {
            continue;
        }
        found.push(shift);
        if !shift.is_steady {
            open.push((shift.at, until));
            open.push((from, shift.at));
        }
    }
    found.sort_by_key(|shift| shift.at);
    // What was found first was held against all that came after it.
    let borders: Vec<usize> = found.iter().map(|shift| shift.at).collect();
    let ends = borders.iter().skip(1).copied().chain([values.len()]);
    let begins = [0].into_iter().chain(borders.iter().copied());
    for ((shift, begin), end) in
        found.iter_mut().zip(begins).zip(ends).filter(|((shift, _), _)| !shift.is_steady)
    {
        shift.before = level_between(values, weights, begin, shift.at);
        shift.after = level_between(values, weights, shift.at, end);
    }
    found
}

fn level_between(values: &[f64], weights: &[f64], from: usize, until: usize) -> f64 {
    let part = |all: &[f64]| -> Vec<f64> {
        all.iter().skip(from).take(until.saturating_sub(from)).copied().collect()
    };
    level(&part(values), &part(weights))
}

/// The most probable change between two values.
fn largest(values: &[f64], weights: &[f64], noise: f64, (from, until): (usize, usize)) -> Option<Shift> {
    let part = |all: &[f64]| -> Vec<f64> {
        all.iter().skip(from).take(until.saturating_sub(from)).copied().collect()
    };
    let (values, weights) = (part(values), part(weights));
    let count = values.len();
    if count < VALUES_LEAST || weights.iter().sum::<f64>() <= 0.0 {
        return None;
    }
    let values = tamed(&values, &weights);
    let mean = level(&values, &weights);
    let distances: Vec<f64> =
        values.iter().zip(&weights).map(|(value, weight)| (value - mean) * weight).collect();
    let is_sparse = noise > 0.0 && median(values.clone()) <= 0.0;
    let deviation = long_run_deviation(&distances, is_sparse).max(noise.sqrt());
    if deviation <= 0.0 {
        return None;
    }
    let sums = sums_before(&distances);
    let inner = 1..count;
    let (place, height) =
        inner.map(|place| (place, at(&sums, place).abs())).max_by(|one, other| one.1.total_cmp(&other.1))?;
    let p = bridge_above(height / (deviation * (count as f64).sqrt()));
    let side = |from: usize, until: usize| level_between(&values, &weights, from, until);
    let (before, after) = (side(0, place), side(place, count));
    let line = line(&values, &weights, place, (before, after));
    let (before, after) = line.unwrap_or((before, after));
    let at = from.saturating_add(place);
    Some(Shift { at, from, until, before, after, p, is_steady: line.is_some() })
}

fn level(values: &[f64], weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    values.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>() / total.max(1e-12)
}

/// The values without bursts.
fn tamed(values: &[f64], weights: &[f64]) -> Vec<f64> {
    let kept = || values.iter().zip(weights).filter(|(_, weight)| **weight > 0.0).map(|(value, _)| *value);
    let middle = median(kept().collect());
    let deviation = 1.4826 * median(kept().map(|value| (value - middle).abs()).collect());
    let deviation = if deviation > 0.0 { deviation } else { f64::INFINITY };
    // A level that lasts is farther away for long: only what its neighbours are not is cut.
    let far = |value: f64| (value - middle).abs() > FAR * deviation;
    let neighbours = |place: usize| {
        let around = place.saturating_sub(2)..place.saturating_add(3);
        around.filter(|other| *other != place && values.get(*other).is_some_and(|value| far(*value))).count()
    };
    let tame = |(place, value): (usize, &f64)| {
        if far(*value) && neighbours(place) < 2 {
            middle + (value - middle).clamp(-FAR * deviation, FAR * deviation)
        } else {
            *value
        }
    };
    values.iter().enumerate().map(tame).collect()
}

/// The deviation of sums of values, over the root of their number: from differences of blocks of them, which a
/// few changes of the level hardly touch: the largest are left out, but where most values are 0.
fn long_run_deviation(values: &[f64], is_sparse: bool) -> f64 {
    let count = values.len();
    let sums = sums_before(values);
    let longest = (count as f64).cbrt().round().max(1.0) as usize;
    let of = |length: usize| {
        let blocks: Vec<f64> = (0..count / length)
            .map(|block| {
                let from = block.saturating_mul(length);
                sum_between(&sums, from, from.saturating_add(length))
            })
            .collect();
        let pairs = blocks.iter().zip(blocks.iter().skip(1));
        let mut squares: Vec<f64> = pairs.map(|(one, next)| (one - next) * (one - next)).collect();
        squares.sort_unstable_by(f64::total_cmp);
        let kept = squares.len().saturating_sub(if is_sparse { 0 } else { squares.len() / 10 });
        // Of the squares of normal values, the lower nine tenths have 0.623 of the mean of all.
        let share = if kept < squares.len() { 0.623 } else { 1.0 };
        let mean = squares.iter().take(kept).sum::<f64>() / kept.max(1) as f64 / share;
        // A difference has twice the variance; few blocks give a rough one.
        mean / 2.0 / length as f64 * (1.0 + 2.0 / kept.max(1) as f64)
    };
    let lengths = [1, longest.div_ceil(2), longest];
    lengths.into_iter().map(of).fold(0.0, f64::max).sqrt()
}

/// Both ends of a straight line, if it is nearer to the values than a step.
fn line(values: &[f64], weights: &[f64], place: usize, levels: (f64, f64)) -> Option<(f64, f64)> {
    let points = || (0_u32..).map(f64::from).zip(values.iter().zip(weights));
    let total: f64 = weights.iter().sum();
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        points().map(|(x, (value, weight))| weight * of(x, *value)).sum()
    };
    let (mean_x, mean) = (sum(&|x, _| x) / total, sum(&|_, value| value) / total);
    let across = sum(&|x, _| (x - mean_x) * (x - mean_x));
    let slope = sum(&|x, value| (x - mean_x) * (value - mean)) / across.max(1e-12);
    let of_line = sum(&|x, value| (value - mean - slope * (x - mean_x)).powi(2));
    let of_step = sum(&|x, value| {
        let level = if (x as usize) < place { levels.0 } else { levels.1 };
        (value - level).powi(2)
    });
    let end = |x: f64| (mean + slope * (x - mean_x)).max(0.0);
    (of_line < of_step).then(|| (end(0.0), end(values.len() as f64)))
}
