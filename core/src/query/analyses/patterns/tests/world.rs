//! A generator of numbers and of series.

use super::super::series::{Frame, Measure, Series};
use crate::event::time::{DAY_US, HOUR_US};

/// splitmix64.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub(crate) fn normal(&mut self) -> f64 {
        let (one, other) = (self.unit().max(1e-300), self.unit());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }

    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 50.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0.0);
        while product > limit {
            product *= self.unit();
            count += 1.0;
        }
        count
    }

    /// Of mean 1 and of this variance.
    pub(crate) fn gamma(&mut self, variance: f64) -> f64 {
        if variance <= 0.0 {
            return 1.0;
        }
        // Marsaglia and Tsang; a shape below 1 takes one more factor.
        let shape = 1.0 / variance;
        let (own, factor) =
            if shape < 1.0 { (shape + 1.0, self.unit().powf(1.0 / shape)) } else { (shape, 1.0) };
        let d = own - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.unit().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return factor * d * v / shape;
            }
        }
    }
}

/// How a made-up series goes.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) per_hour: f64,
    /// Whether nights and weekends are quieter.
    pub(crate) season: bool,
    /// How many events come together.
    pub(crate) group: f64,
    /// The variance of how busy an hour, and of how busy a day is.
    pub(crate) hours: f64,
    pub(crate) days: f64,
}

pub(crate) const HOURLY: Shape = Shape { per_hour: 5.0, season: true, group: 1.0, hours: 0.0, days: 0.0 };

pub(crate) fn frame(days: i64) -> Frame {
    // A Monday.
    let start_us = 20_486 * DAY_US;
    let buckets = usize::try_from(days * 24).unwrap();
    let last_us = start_us + days * DAY_US - 1;
    Frame { start_us, width_us: HOUR_US, buckets, first_us: start_us, last_us, events: 0, outside: 0 }
}

impl Shape {
    pub(crate) fn mean(&self, hour: usize) -> f64 {
        if !self.season {
            return self.per_hour;
        }
        let by_day = 1.0 + 0.8 * (((hour % 24) as f64 - 14.0) / 24.0 * std::f64::consts::TAU).cos();
        let by_week = if (hour / 24) % 7 >= 5 { 0.3 } else { 1.0 };
        self.per_hour * by_day * by_week
    }

    /// The counts of a series, where the mean of each hour is multiplied by what `factor` says.
    pub(crate) fn counts(&self, rng: &mut Rng, hours: usize, factor: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut day = 1.0;
        (0..hours)
            .map(|hour| {
                if hour % 24 == 0 {
                    day = rng.gamma(self.days);
                }
                let mean = self.mean(hour) * factor(hour) * day * rng.gamma(self.hours);
                let groups = rng.poisson(mean / self.group);
                (0..groups as u64).map(|_| 1.0 + rng.poisson(self.group - 1.0)).sum()
            })
            .collect()
    }
}

pub(crate) fn series(name: &str, counts: Vec<f64>, frame: &Frame) -> Series {
    let filled = || counts.iter().enumerate().filter(|(_, count)| **count > 0.0).map(|(hour, _)| hour);
    Series {
        column: Some("kind"),
        value: name.to_string(),
        measure: Measure::Events,
        first_us: frame.begins(filled().next().unwrap_or(0)),
        last_us: frame.begins(filled().next_back().unwrap_or(0)),
        exposure: frame.shares(),
        counts,
    }
}
