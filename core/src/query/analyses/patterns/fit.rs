//! What a series usually does: its level, which may move slowly, times the hour of the day and the day of the
//! week, and how far it strays from that.

use super::math::{residual, smallest};
use super::series::{Frame, sum_between, sums_before};
use super::vectors::{add, at, product};
use crate::event::time::{DAY_US, HOUR_US};

/// The level is that of so many days before and after.
const LEVEL_DAYS: usize = 14;
/// Fitted again without what stood out, so often.
const ROUNDS: usize = 4;
/// What is this far from what is usual, in deviations, does not count as usual.
const OUTLIER: f64 = 4.5;

/// Which part of the week each stretch is in.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    /// By hour of the day, by day of the week, by both: those that there are weeks enough for.
    seasons: Vec<Season>,
    /// The day of each stretch, or the stretch itself if it is longer.
    days: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Season {
    slots: Vec<usize>,
    count: usize,
    /// So many expected events are believed before any is seen.
    prior: f64,
}

impl Slots {
    /// The slots of a frame.
    pub(super) fn of(frame: &Frame) -> Slots {
        let span_days = frame.last_us.saturating_sub(frame.first_us) / DAY_US;
        let slot = |length_us: i64, count: i64, shift: i64| -> Vec<usize> {
            let place = |bucket| frame.begins(bucket).div_euclid(length_us).saturating_add(shift);
            (0..frame.buckets).map(|bucket| place(bucket).rem_euclid(count).unsigned_abs() as usize).collect()
        };
        let mut seasons = Vec::new();
        // 1970 began on a Thursday.
        if span_days >= 3 && frame.width_us < DAY_US {
            seasons.push(Season { slots: slot(HOUR_US, 24, 0), count: 24, prior: 2.0 });
        }
        if span_days >= 21 && frame.width_us <= DAY_US {
            seasons.push(Season { slots: slot(DAY_US, 7, 3), count: 7, prior: 2.0 });
        }
        if span_days >= 42 && frame.width_us < DAY_US {
            seasons.push(Season { slots: slot(HOUR_US, 168, 72), count: 168, prior: 20.0 });
        }
        let length = frame.width_us.max(DAY_US);
        let first = frame.start_us.div_euclid(length);
        let day = |bucket| frame.begins(bucket).div_euclid(length).saturating_sub(first);
        let days = (0..frame.buckets).map(|bucket| usize::try_from(day(bucket)).unwrap_or(0)).collect();
        Slots { seasons, days }
    }

    /// How many days there are.
    pub(super) fn day_count(&self) -> usize {
        self.days.last().map_or(0, |day| day.saturating_add(1))
    }

    /// Values of stretches added up by day.
    pub(super) fn by_day(&self, values: &[f64]) -> Vec<f64> {
        let mut days = vec![0.0; self.day_count()];
        for (value, day) in values.iter().zip(&self.days) {
            add(&mut days, *day, *value);
        }
        days
    }
}

/// How the variance of a count grows with its mean: `factor * mean + excess * mean^2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) factor: f64,
    pub(super) excess: f64,
}

impl Spread {
    /// No more than chance.
    pub(super) const CHANCE: Spread = Spread { factor: 1.0, excess: 0.0 };

    /// The variance of a count of this mean.
    pub(super) fn variance(&self, mean: f64) -> f64 {
        self.factor * mean + self.excess * mean * mean
    }

    /// The same without the few counts that are farthest from their means, which would hide themselves.
    fn trimmed(counts: &[f64], means: &[f64]) -> Spread {
        let part = |(count, mean): (&f64, &f64)| (count - mean) * (count - mean) / mean.max(1e-9);
        let mut parts: Vec<f64> = counts.iter().zip(means).map(part).collect();
        let kept = parts.len().saturating_sub((parts.len() / 400).saturating_add(3));
        let border = smallest(&mut parts, kept);
        let weight = |pair: (&f64, &f64)| if part(pair) < border { 1.0 } else { 0.0 };
        let weights: Vec<f64> = counts.iter().zip(means).map(weight).collect();
        Spread::of(counts, means, &weights)
    }

    /// The spread of counts about their means, from the squares of what is between them: of the smaller and of
    /// the larger means, which tells the two parts apart. Counts of weight 0 are left out.
    pub(super) fn of(counts: &[f64], means: &[f64], weights: &[f64]) -> Spread {
        let kept = || counts.iter().zip(means).zip(weights).filter(|(_, weight)| **weight > 0.0);
        let total: f64 = kept().map(|((_, mean), _)| mean).sum();
        let squares: f64 = kept().map(|((_, mean), _)| mean * mean).sum();
        if total <= 0.0 || squares <= 0.0 {
            return Spread::CHANCE;
        }
        let border = squares / total;
        // Of the means below and above the border: the sum, the squares, the squared distances.
        let (mut below, mut above) = ([0.0_f64; 3], [0.0_f64; 3]);
        for ((count, mean), _) in kept() {
            let side = if *mean < border { &mut below } else { &mut above };
            let parts = [*mean, mean * mean, (count - mean) * (count - mean)];
            side.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        }
        let ratio =
            |[mean, squares, distances]: [f64; 3]| (mean > 0.0).then(|| (squares / mean, distances / mean));
        let whole = || {
            let distances: f64 = kept().map(|((count, mean), _)| (count - mean) * (count - mean)).sum();
            Spread { factor: (distances / total).max(1.0), excess: 0.0 }
        };
        let (Some((low_x, low)), Some((high_x, high))) = (ratio(below), ratio(above)) else { return whole() };
        let [below, _, _] = below;
        let [above, _, _] = above;
        let noise = low * ((1.0 + 2.0 * low_x) / below + (1.0 + 2.0 * high_x) / above).sqrt();
        if high_x <= low_x * 1.2 || high <= low + 2.0 * noise {
            return whole();
        }
        let excess = (high - low) / (high_x - low_x);
        let factor = low - excess * low_x;
        if factor >= 1.0 {
            return Spread { factor, excess };
        }
        // All that is more than chance grows with the square.
        let distances: f64 = kept().map(|((count, mean), _)| (count - mean) * (count - mean)).sum();
        Spread { factor: 1.0, excess: ((distances - total) / squares).max(0.0) }
    }
}

/// What is usual for a series.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    /// The mean of each stretch.
    pub(super) expected: Vec<f64>,
    /// The same at a level of 1.
    pub(super) season: Vec<f64>,
    /// How uncertain each mean is: its variance over its square.
    pub(super) doubt: Vec<f64>,
    pub(super) spread: Spread,
    /// 0 where the series is not as usual.
    pub(super) weights: Vec<f64>,
}

impl Fit {
    /// Fits counts of stretches of which there is so much each.
    pub(super) fn of(counts: &[f64], exposure: &[f64], slots: &Slots) -> Fit {
        let mut fit = Fit {
            expected: Vec::new(),
            season: exposure.to_vec(),
            doubt: Vec::new(),
            spread: Spread::CHANCE,
            weights: vec![1.0; counts.len()],
        };
        // One great burst would explain itself: by its hour, its day and its weeks together.
        fit.again(&capped(counts), counts, exposure, slots);
        for _ in 1..ROUNDS {
            fit.again(counts, counts, exposure, slots);
        }
        fit.spread = Spread::of(counts, &fit.expected, &fit.weights);
        fit
    }

    /// Fits once more what was `counted`, and weighs the counts as they are.
    fn again(&mut self, counted: &[f64], counts: &[f64], exposure: &[f64], slots: &Slots) {
        let counted = product(counted, &self.weights);
        let (levels, doubt) = levels(&counted, &product(&self.season, &self.weights), slots);
        let mut doubt: Vec<f64> = slots.days.iter().map(|day| at(&doubt, *day)).collect();
        let level: Vec<f64> = slots.days.iter().map(|day| at(&levels, *day)).collect();
        let mut expected = product(exposure, &level);
        self.season = exposure.to_vec();
        for season in &slots.seasons {
            let prior = season.prior * self.spread.factor;
            let (mut seen, mut meant) = (vec![0.0; season.count], vec![0.0; season.count]);
            for ((slot, weight), (count, mean)) in
                season.slots.iter().zip(&self.weights).zip(counted.iter().zip(&expected))
            {
                add(&mut seen, *slot, *count);
                add(&mut meant, *slot, weight * mean);
            }
            for (place, slot) in season.slots.iter().enumerate() {
                let factor = (at(&seen, *slot) + prior) / (at(&meant, *slot) + prior);
                for values in [&mut expected, &mut self.season] {
                    if let Some(value) = values.get_mut(place) {
                        *value *= factor;
                    }
                }
                add(&mut doubt, place, 1.0 / (at(&seen, *slot) + prior));
            }
        }
        self.expected = expected;
        self.spread = Spread::trimmed(counts, &self.expected);
        let factor = self.spread.variance(1.0).min(self.spread.factor * 4.0);
        doubt.iter_mut().for_each(|doubt| *doubt *= factor);
        self.doubt = doubt;
        self.weights = counts
            .iter()
            .zip(&self.expected)
            .map(|(count, mean)| {
                let far = residual(*count, *mean, self.spread.variance(*mean)).abs() > OUTLIER;
                if far { 0.0 } else { 1.0 }
            })
            .collect();
    }
}

/// The counts, none of them far above nearly all others.
fn capped(counts: &[f64]) -> Vec<f64> {
    let place = counts.len().saturating_sub(counts.len() / 200).saturating_sub(1);
    let most = (2.0 * smallest(&mut counts.to_vec(), place)).max(3.0);
    counts.iter().map(|count| count.min(most)).collect()
}

/// The level of each day from the days around it, and how uncertain it is.
fn levels(counts: &[f64], season: &[f64], slots: &Slots) -> (Vec<f64>, Vec<f64>) {
    let (counts, season) = (slots.by_day(counts), slots.by_day(season));
    let whole = (counts.iter().sum::<f64>() + 0.5) / season.iter().sum::<f64>().max(1e-9);
    let (counts, season) = (sums_before(&counts), sums_before(&season));
    let around = |day: usize| {
        let (from, until) =
            (day.saturating_sub(LEVEL_DAYS), day.saturating_add(LEVEL_DAYS).saturating_add(1));
        let seen = sum_between(&counts, from, until) + 1.0;
        (seen / (sum_between(&season, from, until) + 1.0 / whole), 1.0 / seen)
    };
    (0..slots.day_count()).map(around).unzip()
}
