//! Stretches of time in which a series is far above or below what is usual for it, at several lengths.

use super::fit::{Fit, Spread};
use super::math::{Count, normal_above, normal_quantile_above, quantile, residual};
use super::series::{sum_between, sums_before};

/// The lengths that are looked at, in stretches of the frame.
const LENGTHS: [usize; 5] = [1, 4, 24, 96, 384];
/// A length needs so many blocks to say what is usual for it.
const BLOCKS_LEAST: usize = 20;
/// Blocks nearer to their mean than so many deviations are not looked at closely.
const NEAR: f64 = 2.5;
/// Shares of blocks whose distance from the mean says whether the tail is as heavy as it is taken to be.
const SHARES: [f64; 6] = [0.8, 0.9, 0.95, 0.975, 0.99, 0.995];

/// Some stretches that are not as usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Block {
    /// The first stretch, and the one after the last.
    pub(super) from: usize,
    pub(super) until: usize,
    pub(super) seen: f64,
    pub(super) expected: f64,
    /// The probability of so many or more, or of so few or fewer.
    pub(super) p: f64,
}

impl Block {
    /// Whether there is more than usual.
    pub(super) fn is_more(&self) -> bool {
        self.seen > self.expected
    }

    fn overlaps(&self, other: &Block) -> bool {
        self.from < other.until && other.from < self.until
    }
}

/// The blocks of a series that may be unusual, and how many were tested.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    pub(super) blocks: Vec<Block>,
    pub(super) tests: f64,
    /// The lengths, and the spread of blocks of each.
    pub(super) spreads: Vec<(usize, Spread)>,
}

/// What the blocks of one length are measured with.
struct Scale {
    blocks: Vec<(usize, usize)>,
    spread: Spread,
}

/// The blocks of all lengths that may be unusual.
pub(super) fn candidates(counts: &[f64], fit: &Fit) -> Candidates {
    let squares: Vec<f64> = fit.expected.iter().map(|mean| mean * mean).collect();
    let doubts: Vec<f64> = squares.iter().zip(&fit.doubt).map(|(square, doubt)| square * doubt).collect();
    let sums = Sums {
        counts: sums_before(counts),
        expected: sums_before(&fit.expected),
        squares: sums_before(&squares),
        doubts: sums_before(&doubts),
        weights: sums_before(&fit.weights),
    };
    let mut found = Candidates::default();
    for length in LENGTHS {
        if counts.len() / length < BLOCKS_LEAST {
            break;
        }
        let scale = Scale::of(length, counts.len(), &sums);
        scale.add_to(&mut found, &sums);
        found.spreads.push((length, scale.spread));
    }
    found
}

/// The sums that blocks are made from.
struct Sums {
    counts: Vec<f64>,
    expected: Vec<f64>,
    squares: Vec<f64>,
    doubts: Vec<f64>,
    weights: Vec<f64>,
}

impl Sums {
    fn seen(&self, block: (usize, usize)) -> f64 {
        sum_between(&self.counts, block.0, block.1)
    }

    fn mean(&self, block: (usize, usize)) -> f64 {
        sum_between(&self.expected, block.0, block.1)
    }

    /// How uncertain the mean of a block is.
    fn doubt(&self, block: (usize, usize)) -> f64 {
        let squares = sum_between(&self.squares, block.0, block.1);
        let mean = self.mean(block);
        if squares > 0.0 { sum_between(&self.doubts, block.0, block.1) / squares * mean * mean } else { 0.0 }
    }
}

impl Scale {
    /// Blocks side by side, and others halfway between them.
    fn of(length: usize, buckets: usize, sums: &Sums) -> Scale {
        let side_by_side = |first: usize| {
            (first..buckets.saturating_sub(length.saturating_sub(1)))
                .step_by(length)
                .map(move |from| (from, from.saturating_add(length)))
        };
        let whole: Vec<(usize, usize)> = side_by_side(0).collect();
        let of = |value: fn(&Sums, (usize, usize)) -> f64| -> Vec<f64> {
            whole.iter().map(|block| value(sums, *block)).collect()
        };
        let usual: Vec<f64> = whole
            .iter()
            .map(|(from, until)| {
                let kept = sum_between(&sums.weights, *from, *until);
                if kept + 0.5 > length as f64 { 1.0 } else { 0.0 }
            })
            .collect();
        let (seen, means) = (of(Sums::seen), of(Sums::mean));
        let mut spread = Spread::of(&seen, &means, &usual);
        // What stands out at this length only is no part of what is usual at it.
        for _ in 0..2 {
            let weights: Vec<f64> = seen
                .iter()
                .zip(&means)
                .zip(&usual)
                .map(|((seen, mean), usual)| {
                    let far = residual(*seen, *mean, spread.variance(*mean)).abs() > 4.0;
                    if far { 0.0 } else { *usual }
                })
                .collect();
            spread = Spread::of(&seen, &means, &weights);
        }
        let mut blocks = whole;
        if length > 1 {
            blocks.extend(side_by_side(length / 2));
        }
        Scale { blocks, spread }
    }

    fn add_to(&self, found: &mut Candidates, sums: &Sums) {
        let variance = |block: (usize, usize), mean: f64| self.spread.variance(mean) + sums.doubt(block);
        let residuals: Vec<f64> = self
            .blocks
            .iter()
            .map(|block| {
                let mean = sums.mean(*block);
                residual(sums.seen(*block), mean, variance(*block, mean))
            })
            .collect();
        let mut sorted = residuals.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let (more, less) = (excess(&sorted, false), excess(&sorted, true));
        found.tests += 2.0 * self.blocks.len() as f64;
        for (block, residual) in self.blocks.iter().zip(&residuals) {
            if residual.abs() < NEAR {
                continue;
            }
            let (seen, expected) = (sums.seen(*block), sums.mean(*block));
            let count = Count::new(expected, variance(*block, expected));
            let (p, excess) =
                if seen > expected { (count.least(seen), more) } else { (count.most(seen), less) };
            let p = if excess > 1.0 { normal_above(normal_quantile_above(p) / excess) } else { p };
            found.blocks.push(Block { from: block.0, until: block.1, seen, expected, p });
        }
    }
}

/// How many times farther from the mean the blocks above it, or those below it, are than normal values would be;
/// at least 1.
fn excess(sorted: &[f64], is_below: bool) -> f64 {
    let shares = SHARES.iter().filter(|share| (1.0 - **share) * sorted.len() as f64 >= 8.0);
    let ratio = |share: &f64| {
        let far = if is_below { -quantile(sorted, 1.0 - share) } else { quantile(sorted, *share) };
        far / normal_quantile_above(1.0 - share)
    };
    shares.map(ratio).fold(1.0, f64::max)
}

/// The unusual blocks that are believed: of those that overlap the least probable one, and neighbours of one
/// length and direction as one.
pub(super) fn merged(candidates: &[Block], bound: f64) -> Vec<Block> {
    let mut believed: Vec<Block> = candidates.iter().copied().filter(|block| block.p <= bound).collect();
    let length = |block: &Block| block.until.saturating_sub(block.from);
    believed.sort_by(|one, other| {
        one.p.total_cmp(&other.p).then(length(one).cmp(&length(other))).then(one.from.cmp(&other.from))
    });
    let mut kept: Vec<Block> = Vec::new();
    for block in &believed {
        if kept.iter().any(|other| other.overlaps(block)) {
            continue;
        }
        kept.push(grown(*block, &believed, &kept));
    }
    kept.sort_by_key(|block| block.from);
    kept
}

/// The block with its neighbours.
fn grown(block: Block, believed: &[Block], taken: &[Block]) -> Block {
    let length = block.until.saturating_sub(block.from);
    let mut whole = block;
    let alike = |other: &&Block| {
        other.until.saturating_sub(other.from) == length
            && other.is_more() == block.is_more()
            && !taken.iter().any(|taken| taken.overlaps(other))
    };
    loop {
        let next = believed
            .iter()
            .filter(alike)
            .find(|other| other.from == whole.until || other.until == whole.from);
        let Some(next) = next else { return whole };
        whole.from = whole.from.min(next.from);
        whole.until = whole.until.max(next.until);
        whole.seen += next.seen;
        whole.expected += next.expected;
    }
}
