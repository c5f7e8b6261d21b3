//! Times in which nothing comes of a series, and the probability of that.

use super::fit::{Fit, Spread};
use super::math::quantile;
use super::series::{sum_between, sums_before};

/// The level before a silence is that of so many expected stretches of a day.
const LEVEL_US: i64 = 28 * crate::event::time::DAY_US;
/// A series of fewer events says nothing about its silences.
const EVENTS_LEAST: f64 = 8.0;
const SHARES: [f64; 4] = [0.8, 0.9, 0.95, 0.99];

/// Where in its series a silence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Before the first event: it is new.
    Before,
    Between,
    /// After the last event.
    After,
}

/// Stretches without events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quiet {
    pub(super) from: usize,
    pub(super) until: usize,
    pub(super) expected: f64,
    pub(super) p: f64,
    pub(super) place: Place,
}

/// The silences that may be unusual, and how many were tested.
pub(super) fn silences(
    counts: &[f64],
    fit: &Fit,
    spreads: &[(usize, Spread)],
    width_us: i64,
) -> (Vec<Quiet>, f64) {
    let total: f64 = counts.iter().sum();
    if total < EVENTS_LEAST {
        return (Vec::new(), 0.0);
    }
    let window = usize::try_from(LEVEL_US / width_us.max(1)).unwrap_or(1).max(20);
    // What came in a burst says nothing of what would have come in the silence.
    let usual = |(count, mean): (&f64, &f64)| count.min(mean * 10.0 + 10.0);
    let capped: Vec<f64> = counts.iter().zip(&fit.expected).map(usual).collect();
    let (seen, season) = (sums_before(&capped), sums_before(&fit.season));
    // Events come in groups, whose size the variance of single stretches says.
    let group = fit.spread.factor.max(1.0);
    let measure = |gap: &Gap| {
        let (from, until) = match gap.place {
            Place::Before => (gap.until, gap.until.saturating_add(window)),
            _ => (gap.from.saturating_sub(window), gap.from),
        };
        let known = sum_between(&seen, from, until);
        let level = known / sum_between(&season, from, until).max(1e-9);
        (level * sum_between(&season, gap.from, gap.until), known)
    };
    let gaps = gaps(counts);
    // The gap with the group after it is distributed as one step between groups.
    let measured: Vec<(f64, f64)> = gaps.iter().map(measure).collect();
    let filled = counts.iter().filter(|count| **count > 0.0).count();
    let scale = scale(&measured, filled, group);
    let quiet = gaps.iter().zip(&measured).map(|(gap, (expected, known))| {
        // The level is uncertain, and differs from day to day: then the tail is that of a ratio.
        let spread = spread_of(gap.until.saturating_sub(gap.from), spreads, fit.spread);
        let group = spread.factor.max(group);
        let shape = 1.0 / (1.0 / (known / group).max(1.0) + spread.excess);
        let p = (1.0 + expected / group / scale / shape).powf(-shape);
        Quiet { from: gap.from, until: gap.until, expected: *expected, p, place: gap.place }
    });
    (quiet.filter(|quiet| quiet.p < 1e-3).collect(), filled as f64 + 1.0)
}

/// The spread of the longest blocks that are no longer than a silence.
fn spread_of(length: usize, spreads: &[(usize, Spread)], shortest: Spread) -> Spread {
    spreads.iter().rev().find(|(block, _)| *block <= length).map_or(shortest, |(_, spread)| *spread)
}

#[derive(Clone, Copy)]
struct Gap {
    from: usize,
    until: usize,
    place: Place,
}

/// The runs of stretches without events.
fn gaps(counts: &[f64]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut begun: Option<usize> = None;
    let place = |from: usize| if from == 0 { Place::Before } else { Place::Between };
    for (bucket, count) in counts.iter().enumerate() {
        match (begun, *count > 0.0) {
            (None, false) => begun = Some(bucket),
            (Some(from), true) => {
                gaps.push(Gap { from, until: bucket, place: place(from) });
                begun = None;
            }
            _ => {}
        }
    }
    if let Some(from) = begun.filter(|from| *from > 0) {
        gaps.push(Gap { from, until: counts.len(), place: Place::After });
    }
    gaps
}

/// How many times longer the gaps are than those of independent groups; at least 1.
fn scale(measured: &[(f64, f64)], filled: usize, group: f64) -> f64 {
    // Where events follow each other without an empty stretch, the gap is 0.
    let mut lengths: Vec<f64> = measured.iter().map(|(expected, _)| expected / group).collect();
    lengths.resize(filled.max(lengths.len()), 0.0);
    lengths.sort_unstable_by(f64::total_cmp);
    let shares = SHARES.iter().filter(|share| (1.0 - **share) * lengths.len() as f64 >= 3.0);
    let ratios = shares.map(|share| quantile(&lengths, *share) / -(1.0 - share).ln());
    ratios.fold(1.0, f64::max)
}
