//! All series together: each is fitted, and what is believed of all their tests is kept.

use super::fit::{Fit, Slots};
use super::math::believed;
use super::series::{Frame, Measure, Series, sum_between, sums_before};
use super::shifts::shifts;
use super::silences::{Place, Quiet, silences};
use super::stretches::{Block, candidates, merged};
use super::vectors::at;
use crate::event::time::DAY_US;

/// A series of fewer events is not looked at.
const EVENTS_LEAST: f64 = 8.0;
/// A lasting change of a smaller ratio is no news.
const RATIO_LEAST: f64 = 1.25;
/// A burst or a drop of a smaller ratio is none that anybody cares about.
const BURST_RATIO_LEAST: f64 = 1.2;
/// So many counts are shown of what is around a finding.
const SHOWN: usize = 48;

/// What a deviation is of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Subject {
    pub(super) column: Option<&'static str>,
    pub(super) value: String,
    /// What was counted; none for durations.
    pub(super) measure: Option<Measure>,
}

impl Subject {
    /// As the grammar of filters writes it, nearly: text of events is not quoted.
    pub(super) fn about(&self) -> String {
        let what = match self.column {
            Some(column) => format!("{column}:{}", self.value),
            None => "all events".to_string(),
        };
        match self.measure {
            Some(Measure::Errors) => format!("errors of {what}"),
            Some(Measure::Events) => what,
            None => format!("durations of {what}"),
        }
    }

    pub(super) fn unit(&self) -> &'static str {
        if self.measure == Some(Measure::Errors) { "errors" } else { "events" }
    }
}

/// How a series deviates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Block,
    Silence,
    /// A silence that lasts until the end.
    Ended,
    /// A silence until the first event.
    Begun,
    Step,
    Line,
}

/// A deviation of a series that is believed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Deviation {
    pub(super) subject: Subject,
    pub(super) sort: Sort,
    pub(super) from_us: i64,
    pub(super) to_us: i64,
    /// What is usual, and what there was; of a lasting change, what was before and after.
    pub(super) expected: f64,
    pub(super) seen: f64,
    pub(super) p: f64,
    pub(super) counts: Vec<f64>,
}

impl Deviation {
    pub(super) fn excess(&self) -> f64 {
        (self.seen - self.expected).abs()
    }

    pub(super) fn is_lasting(&self) -> bool {
        matches!(self.sort, Sort::Step | Sort::Line)
    }

    /// Whether the other one tells the same of the same time.
    pub(super) fn tells(&self, other: &Deviation) -> bool {
        let common = self.to_us.min(other.to_us).saturating_sub(self.from_us.max(other.from_us));
        let length = |one: &Deviation| one.to_us.saturating_sub(one.from_us);
        let shorter = length(self).min(length(other));
        let is_down = |one: &Deviation| one.seen < one.expected;
        let alike = self.is_lasting() == other.is_lasting()
            && is_down(self) == is_down(other)
            && self.subject.measure.is_none() == other.subject.measure.is_none();
        let ratio = self.excess() / other.excess().max(1e-9);
        let near = if self.is_lasting() { 0.8..1.25 } else { 0.6..1.67 };
        let same = self.subject == other.subject || near.contains(&ratio);
        alike && same && common.saturating_mul(2) >= shorter
    }
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub(super) struct Examined {
    pub(super) deviations: Vec<Deviation>,
    pub(super) series: u64,
    pub(super) tests: u64,
}

/// The largest probabilities that are believed.
struct Bounds {
    block: f64,
    quiet: f64,
    step: f64,
}

/// What may be unusual of one series.
struct Looked {
    place: usize,
    blocks: Vec<Block>,
    quiet: Vec<Quiet>,
}

/// Looks at all series, and at the logarithms of durations by day. With nothing to find, anything is found with
/// the probability `alarm`: a third of it each is for blocks, for silences, and for lasting changes.
pub(super) fn examine(
    series: &[Series],
    speeds: &[(String, Vec<f64>, Vec<f64>)],
    frame: &Frame,
    alarm: f64,
) -> Examined {
    let slots = Slots::of(frame);
    let (mut looked, mut tests, mut quiet_tests) = (Vec::new(), 0.0, 0.0);
    let mut steps = Vec::new();
    for (place, one) in series.iter().enumerate() {
        let total: f64 = one.counts.iter().sum();
        if total < EVENTS_LEAST {
            continue;
        }
        let fit = Fit::of(&one.counts, &one.exposure, &slots);
        let found = candidates(&one.counts, &fit);
        let (quiet, silences_tested) = match one.measure {
            Measure::Events => silences(&one.counts, &fit, &found.spreads, frame.width_us),
            Measure::Errors => (Vec::new(), 0.0),
        };
        tests += found.tests;
        quiet_tests += silences_tested;
        looked.push(Looked { place, blocks: found.blocks, quiet });
        steps.push(Steps::of_series(one, &fit, &slots, frame));
    }
    steps.extend(
        speeds.iter().filter_map(|(source, means, counts)| Steps::of_speed(source, means, counts, frame)),
    );
    let alarm = alarm / 3.0;
    let blocks = looked.iter().flat_map(|one| one.blocks.iter().map(|block| block.p));
    let quiet = looked.iter().flat_map(|one| one.quiet.iter().map(|quiet| quiet.p));
    let bounds = Bounds {
        block: believed(blocks.collect(), tests, alarm),
        quiet: believed(quiet.collect(), quiet_tests, alarm),
        step: alarm / (steps.len() as f64).max(1.0),
    };
    let mut deviations: Vec<Deviation> =
        steps.iter().flat_map(|one| one.deviations(frame, bounds.step)).collect();
    for one in &looked {
        let Some(series) = series.get(one.place) else { continue };
        deviations.extend(of_series(series, one, frame, &bounds));
    }
    let tests = tests + quiet_tests + steps.len() as f64;
    Examined { deviations, series: looked.len() as u64, tests: tests as u64 }
}

/// The deviations of one series that are believed.
fn of_series(series: &Series, looked: &Looked, frame: &Frame, bounds: &Bounds) -> Vec<Deviation> {
    let subject =
        Subject { column: series.column, value: series.value.clone(), measure: Some(series.measure) };
    let quiet: Vec<&Quiet> = looked.quiet.iter().filter(|quiet| quiet.p <= bounds.quiet).collect();
    let silence = |quiet: &&Quiet| {
        let (sort, from_us, to_us) = match quiet.place {
            Place::Before => (Sort::Begun, series.first_us, frame.last_us),
            Place::After => (Sort::Ended, series.last_us, frame.last_us),
            Place::Between => (Sort::Silence, frame.begins(quiet.from), frame.begins(quiet.until)),
        };
        let seen = if sort == Sort::Begun { series.counts.iter().sum() } else { 0.0 };
        let counts = around(&series.counts, quiet.from, quiet.until);
        let (subject, expected, p) = (subject.clone(), quiet.expected, quiet.p);
        Deviation { subject, sort, from_us, to_us, expected, seen, p, counts }
    };
    // What begins soon after the first event of all may only look as if it were new.
    let early = frame.buckets / 20;
    let told = |quiet: &&&Quiet| quiet.place != Place::Before || quiet.until > early;
    let mut deviations: Vec<Deviation> = quiet.iter().filter(told).map(silence).collect();
    let is_silent = |block: &Block| {
        !block.is_more() && quiet.iter().any(|quiet| quiet.from < block.until && block.from < quiet.until)
    };
    let is_small = |block: &Block| {
        let (high, low) = (block.seen.max(block.expected), block.seen.min(block.expected));
        high < low * BURST_RATIO_LEAST
    };
    let blocks = merged(&looked.blocks, bounds.block);
    for block in blocks.iter().filter(|block| !is_silent(block) && !is_small(block)) {
        deviations.push(Deviation {
            subject: subject.clone(),
            sort: Sort::Block,
            from_us: frame.begins(block.from),
            to_us: frame.begins(block.until),
            expected: block.expected,
            seen: block.seen,
            p: block.p,
            counts: around(&series.counts, block.from, block.until),
        });
    }
    deviations
}

/// The values of a series in which a lasting change is looked for.
struct Steps {
    subject: Subject,
    values: Vec<f64>,
    weights: Vec<f64>,
    /// When the first value begins, and how long each is.
    start_us: i64,
    width_us: i64,
    /// The least variance of what is counted in a day.
    noise: f64,
    /// What makes a value a number that people know.
    unit: f64,
}

impl Steps {
    /// The level of each day at the season's own pace.
    fn of_series(series: &Series, fit: &Fit, slots: &Slots, frame: &Frame) -> Steps {
        let (counts, season) = (slots.by_day(&series.counts), slots.by_day(&fit.season));
        let whole: f64 = season.iter().sum();
        let days = season.iter().filter(|weight| **weight > 0.0).count().max(1);
        // A day on which much is counted says no more about a share than others.
        let weights = match series.measure {
            Measure::Errors => {
                let filled = season.iter().copied().filter(|weight| *weight > 0.0);
                let most = 3.0 * super::math::median(filled.collect());
                season.iter().map(|weight| weight.min(most)).collect()
            }
            Measure::Events => season.clone(),
        };
        let noise = fit.expected.iter().map(|mean| fit.spread.variance(*mean)).sum::<f64>() / days as f64;
        let values = counts.iter().zip(&season).map(|(count, season)| count / season.max(1e-9)).collect();
        let width_us = frame.width_us.max(DAY_US);
        let per_day = whole / days as f64 * DAY_US as f64 / width_us as f64;
        Steps {
            subject: Subject {
                column: series.column,
                value: series.value.clone(),
                measure: Some(series.measure),
            },
            values,
            weights,
            noise,
            start_us: frame.start_us.saturating_sub(frame.start_us.rem_euclid(width_us)),
            width_us,
            unit: if series.measure == Measure::Errors { 1.0 } else { per_day },
        }
    }

    /// The mean logarithm of durations of each day that has some.
    fn of_speed(source: &str, means: &[f64], counts: &[f64], frame: &Frame) -> Option<Steps> {
        (means.len() > 1).then(|| Steps {
            subject: Subject { column: Some("source"), value: source.to_string(), measure: None },
            values: means.to_vec(),
            weights: counts.iter().map(|count| count.min(50.0)).collect(),
            noise: 0.0,
            start_us: frame.first_us.saturating_sub(frame.first_us.rem_euclid(DAY_US)),
            width_us: DAY_US,
            unit: 1.0,
        })
    }

    fn deviations(&self, frame: &Frame, bound: f64) -> Vec<Deviation> {
        let begins = |place: usize| {
            let place = i64::try_from(place).unwrap_or(i64::MAX);
            self.start_us.saturating_add(self.width_us.saturating_mul(place))
        };
        let shown = |value: f64| match self.subject.measure {
            None => value.exp(),
            Some(_) => value * self.unit,
        };
        let mut found = shifts(&self.values, &self.weights, self.noise, bound);
        // A level lasts until the next change.
        let ends: Vec<usize> = found.iter().skip(1).map(|next| next.at).chain([self.values.len()]).collect();
        let known = found.iter_mut().zip(ends).map(|(shift, end)| {
            let from = if shift.is_steady { shift.from } else { shift.at };
            let until = if shift.is_steady { shift.until } else { end };
            let (before, after) = (shown(shift.before), shown(shift.after));
            Deviation {
                subject: self.subject.clone(),
                sort: if shift.is_steady { Sort::Line } else { Sort::Step },
                from_us: begins(from).max(frame.first_us),
                to_us: begins(until).min(frame.last_us.saturating_add(1)),
                expected: before,
                seen: after,
                p: shift.p,
                counts: squeezed(&self.values.iter().map(|value| shown(*value)).collect::<Vec<_>>()),
            }
        });
        let is_large = |one: &Deviation| {
            let (high, low) = (one.seen.max(one.expected), one.seen.min(one.expected));
            high >= low * RATIO_LEAST
        };
        known.filter(is_large).collect()
    }
}

/// The counts from a while before some stretches to a while after them, not too many.
fn around(counts: &[f64], from: usize, until: usize) -> Vec<f64> {
    let length = until.saturating_sub(from).max(1);
    let room = (SHOWN / 3).max(length);
    let (first, last) = (from.saturating_sub(room), until.saturating_add(room).min(counts.len()));
    let shown: Vec<f64> = counts.iter().skip(first).take(last.saturating_sub(first)).copied().collect();
    squeezed(&shown)
}

/// Means of neighbours, so that there are few values.
fn squeezed(values: &[f64]) -> Vec<f64> {
    let sums = sums_before(values);
    let count = values.len().min(SHOWN);
    let border = |place: usize| place.saturating_mul(values.len()) / count.max(1);
    let mean = |place: usize| {
        let (from, until) = (border(place), border(place.saturating_add(1)));
        sum_between(&sums, from, until) / until.saturating_sub(from).max(1) as f64
    };
    if values.len() <= SHOWN {
        (0..count).map(|place| at(values, place)).collect()
    } else {
        (0..count).map(mean).collect()
    }
}
