//! A small seeded generator and the skewed choices made with it: integers only, the same on every platform.

/// xoshiro256++, seeded through splitmix64.
pub(super) struct Rng {
    a: u64,
    b: u64,
    c: u64,
    d: u64,
}

impl Rng {
    /// A generator of its own for each `stream` of the same `seed`.
    pub(super) fn new(seed: u64, stream: u64) -> Rng {
        let start = mix(seed) ^ mix(stream.wrapping_mul(0xd6e8_feb8_6659_fd93));
        let at = |n: u64| mix(start.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        Rng { a: at(1), b: at(2), c: at(3), d: at(4) }
    }

    pub(super) fn next(&mut self) -> u64 {
        let result = self.a.wrapping_add(self.d).rotate_left(23).wrapping_add(self.a);
        let shifted = self.b << 17;
        self.c ^= self.a;
        self.d ^= self.b;
        self.b ^= self.c;
        self.a ^= self.d;
        self.c ^= shifted;
        self.d = self.d.rotate_left(45);
        result
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low.wrapping_add(self.below(high.wrapping_sub(low).max(0) as u64 + 1) as i64)
    }

    /// True `per_mille` times in a thousand.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `items`; the default value when there is none.
    pub(super) fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let index = self.below(items.len() as u64) as usize;
        items.get(index).copied().unwrap_or_default()
    }

    /// One of `items`, each as often as its weight says.
    pub(super) fn weighted<T: Copy + Default>(&mut self, items: &[(T, u32)]) -> T {
        let total: u64 = items.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = self.below(total);
        for (item, weight) in items {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return *item,
            }
        }
        T::default()
    }

    /// A value with a long tail around `median`: half to twice of it mostly, six times now and then.
    pub(super) fn spread(&mut self, median: i64) -> i64 {
        let position = self.below(((SPREAD_PERCENT.len() as u64) - 1) * 256);
        let index = (position / 256) as usize;
        let low = SPREAD_PERCENT.get(index).copied().unwrap_or(100);
        let high = SPREAD_PERCENT.get(index + 1).copied().unwrap_or(low);
        let percent_256 = low * 256 + (high - low) * (position % 256) as i64;
        (median * percent_256 / 25_600).max(1)
    }
}

/// Quantiles of a log-normal-like distribution, in percent of the median.
const SPREAD_PERCENT: [i64; 33] = [
    28, 38, 44, 50, 55, 59, 63, 67, 71, 75, 79, 83, 87, 90, 93, 97, 100, 104, 108, 112, 117, 122, 128, 134,
    141, 150, 160, 172, 188, 210, 245, 320, 650,
];

/// Item 0 is chosen most often, item n about 1/(n+2) times as often.
pub(super) struct Skew {
    cumulative: Vec<u64>,
}

impl Skew {
    pub(super) fn new(count: usize) -> Skew {
        let weights = (0..count as u64).scan(0, |total, n| {
            *total += 1_000_000 / (n + 2);
            Some(*total)
        });
        Skew { cumulative: weights.collect() }
    }

    pub(super) fn pick(&self, rng: &mut Rng) -> usize {
        let target = rng.below(self.cumulative.last().copied().unwrap_or(0));
        self.cumulative.partition_point(|reached| *reached <= target)
    }
}

/// The finalizer of splitmix64: a fixed, well-mixed number for a number.
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_pinned() {
        let mut rng = Rng::new(7, 1);
        let first: Vec<u64> = (0..3).map(|_| rng.next()).collect();
        assert_eq!(first, PINNED);
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    }

    const PINNED: [u64; 3] =
        [5_482_929_456_048_048_633, 18_433_201_433_296_132_790, 8_610_206_376_875_638_914];

    #[test]
    fn choices_stay_inside_their_bounds() {
        let mut rng = Rng::new(1, 2);
        let skew = Skew::new(5);
        let mut seen = [0; 5];
        for _ in 0..10_000 {
            assert!((3..=9).contains(&rng.between(3, 9)));
            assert!(rng.below(4) < 4);
            let spread = rng.spread(1000);
            assert!((280..=6500).contains(&spread), "{spread}");
            seen[skew.pick(&mut rng)] += 1;
        }
        assert!(seen.is_sorted_by(|left, right| left > right), "{seen:?}");
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.pick::<u8>(&[]), 0);
    }

    #[test]
    fn weights_are_followed() {
        let mut rng = Rng::new(1, 3);
        let many = (0..10_000).filter(|_| rng.weighted(&[('a', 9), ('b', 1), ('c', 0)]) == 'a').count();
        assert!((8_700..9_300).contains(&many), "{many}");
    }
}
