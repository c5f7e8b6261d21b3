//! Tails of distributions, robust quantiles, and what may be believed of many tests together.

use std::f64::consts::PI;

/// The smallest probability that is told apart from none.
pub(super) const LEAST: f64 = 1e-300;

/// The logarithm of the gamma function, for what is positive.
pub(super) fn ln_gamma(x: f64) -> f64 {
    const FIRST: f64 = 0.999_999_999_999_809_9;
    const OTHERS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Euler's reflection.
        return (PI / (PI * x).sin()).abs().ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let terms = (1_u32..).zip(OTHERS).map(|(place, factor)| factor / (x + f64::from(place)));
    let (sum, t) = (FIRST + terms.sum::<f64>(), x + 7.5);
    0.5 * (2.0 * PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// The probability that a normal value is above `z`.
pub(super) fn normal_above(z: f64) -> f64 {
    // The fraction by Numerical Recipes, good to a millionth of the value.
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    const FACTORS: [f64; 9] = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
    ];
    let inner = FACTORS.iter().fold(0.0, |sum, factor| sum * t + factor);
    let above = 0.5 * t * (-x * x - 1.265_512_23 + t * inner).exp();
    if z >= 0.0 { above } else { 1.0 - above }
}

/// The value above which a normal value lies with this probability.
pub(super) fn normal_quantile_above(p: f64) -> f64 {
    let p = p.clamp(LEAST, 1.0 - 1e-16);
    if p > 0.5 {
        return -normal_quantile_above(1.0 - p);
    }
    let mut low = 0.0;
    let mut high = 40.0;
    // The tail falls with z, so that halving finds it.
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if normal_above(middle) > p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The regularized incomplete beta function.
pub(super) fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || !x.is_finite() {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

/// Lentz's way through the continued fraction of the beta function.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let kept = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
    let mut product = d;
    // The steps grow with the root of the larger argument.
    let steps = 200 + (a.max(b).sqrt() as u32).saturating_mul(4).min(20_000);
    for step in 1..=steps {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / kept(1.0 + even * d);
        c = kept(1.0 + even / c);
        product *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / kept(1.0 + odd * d);
        c = kept(1.0 + odd / c);
        let change = d * c;
        product *= change;
        if (change - 1.0).abs() < 1e-12 {
            break;
        }
    }
    product
}

/// The probability of at least `k` of `n`, each with the probability `p`.
pub(super) fn binomial_least(k: f64, n: f64, p: f64) -> f64 {
    if k <= 0.0 {
        return 1.0;
    }
    if k > n {
        return 0.0;
    }
    beta(p, k, n - k + 1.0)
}

/// A count with this mean and a variance that is at least as large: Poisson, or negative binomial.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    mean: f64,
    variance: f64,
    /// The second parameter of the negative binomial.
    shape: f64,
}

/// A negative binomial of a larger shape is as good as Poisson.
const SHAPE_MAX: f64 = 1e7;
/// The tails of counts of a larger mean are those of a normal value at the root of the deviance.
const MEAN_SMALL: f64 = 1e4;

impl Count {
    /// A count of this mean and variance.
    pub(super) fn new(mean: f64, variance: f64) -> Count {
        let mean = mean.max(1e-12);
        let extra = (variance - mean).max(mean * mean / SHAPE_MAX);
        Count { mean, variance: variance.max(mean), shape: (mean * mean / extra).max(1e-9) }
    }

    /// A count of this mean and no more than chance about it.
    pub(super) fn poisson(mean: f64) -> Count {
        Count::new(mean, mean)
    }

    /// The probability of at least so many.
    pub(super) fn least(&self, seen: f64) -> f64 {
        if seen <= 0.0 {
            return 1.0;
        }
        if self.mean > MEAN_SMALL {
            return normal_above(residual(seen, self.mean, self.variance));
        }
        beta(self.mean / (self.mean + self.shape), seen, self.shape).clamp(0.0, 1.0)
    }

    /// The probability of at most so many.
    pub(super) fn most(&self, seen: f64) -> f64 {
        if self.mean > MEAN_SMALL {
            return normal_above(-residual(seen, self.mean, self.variance));
        }
        beta(self.shape / (self.mean + self.shape), self.shape, seen.max(0.0) + 1.0).clamp(0.0, 1.0)
    }
}

/// How far a count is from its mean, in deviations: the root of the deviance, half an event nearer, so that
/// small counts look no stranger than they are.
pub(super) fn residual(count: f64, mean: f64, variance: f64) -> f64 {
    let mean = mean.max(1e-9);
    let nearer = if count > mean { (count - 0.5).max(mean) } else { (count + 0.5).min(mean) };
    let log = |ratio: f64| if ratio > 0.0 { ratio.ln() } else { 0.0 };
    let own = nearer * log(nearer / mean);
    let excess = (variance - mean) / (mean * mean);
    let deviance = if excess * mean < 1e-6 {
        own - (nearer - mean)
    } else {
        let shape = 1.0 / excess;
        own - (nearer + shape) * ((nearer + shape) / (mean + shape)).ln()
    };
    (2.0 * deviance.max(0.0)).sqrt().copysign(nearer - mean)
}

/// The probability that the largest distance of a Brownian bridge from 0 is at least this.
pub(super) fn bridge_above(distance: f64) -> f64 {
    if distance < 0.3 {
        return 1.0;
    }
    let term = |place: u32| {
        let sign = if place % 2 == 1 { 1.0 } else { -1.0 };
        sign * (-2.0 * f64::from(place * place) * distance * distance).exp()
    };
    (2.0 * (1..=20).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// The largest of these probabilities that may be believed, if at most the share `alarm` of what is believed
/// may be chance: Benjamini and Hochberg's step over `tests` tests, of which these are the smallest.
pub(super) fn believed(mut probabilities: Vec<f64>, tests: f64, alarm: f64) -> f64 {
    probabilities.sort_unstable_by(f64::total_cmp);
    let tests = tests.max(probabilities.len() as f64).max(1.0);
    let mut rank = 0.0;
    let mut bound = alarm / tests;
    for p in probabilities {
        rank += 1.0;
        let allowed = alarm * rank / tests;
        if p <= allowed {
            bound = allowed;
        }
    }
    bound
}

/// How surprising a probability is: its decimal places.
pub(super) fn surprise(p: f64) -> f64 {
    -p.clamp(LEAST, 1.0).log10()
}

/// The value below which a share of the sorted values lies; 0 without any.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let one = sorted.get(low).copied().unwrap_or_default();
    let next = sorted.get(low.saturating_add(1)).copied().unwrap_or(one);
    one + (next - one) * part
}

/// The value at a place, if the values were sorted; 0 without any.
pub(super) fn smallest(values: &mut [f64], place: usize) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    *values.select_nth_unstable_by(place.min(last), f64::total_cmp).1
}

/// The median of values in any order; 0 without any.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= expected.abs() * 1e-6 + 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn tails_are_those_of_the_tables() {
        near(ln_gamma(5.0), 24.0_f64.ln());
        near(ln_gamma(0.5), PI.sqrt().ln());
        near(normal_above(0.0), 0.5);
        near(normal_above(1.959_963_985), 0.025);
        near(normal_above(-1.959_963_985), 0.975);
        near(normal_above(6.0), 9.865_876e-10);
        near(normal_quantile_above(0.025), 1.959_964);
        near(binomial_least(3.0, 5.0, 0.5), 0.5);
        near(binomial_least(5.0, 5.0, 0.1), 1e-5);
        // 1 - e^-2 (1 + 2), and e^-2 (1 + 2).
        assert!((Count::poisson(2.0).least(2.0) - 0.593_994).abs() < 1e-5);
        assert!((Count::poisson(2.0).most(1.0) - 0.406_006).abs() < 1e-5);
        // Of the geometric distribution with mean 1: half to the k.
        near(Count::new(1.0, 2.0).least(3.0), 0.125);
        near(Count::new(1.0, 2.0).most(0.0), 0.5);
        assert!((bridge_above(1.358_1) - 0.05).abs() < 1e-5);
    }

    #[test]
    fn tails_of_large_counts_are_nearly_normal() {
        let check = |mean: f64, variance: f64| {
            let seen = mean + 3.0 * variance.sqrt();
            let found = Count::new(mean, variance).least(seen);
            assert!((0.0011..0.003).contains(&found), "{mean} {variance}: {found}");
        };
        check(1e4, 1e4);
        check(1e6, 2e6);
        check(1e8, 1e8);
    }

    #[test]
    fn belief_grows_with_what_else_is_believed() {
        near(believed(vec![0.5], 10.0, 0.01), 0.001);
        near(believed(vec![0.0001, 0.0015, 0.9], 10.0, 0.01), 0.002);
        near(believed(Vec::new(), 0.0, 0.01), 0.01);
    }

    #[test]
    fn quantiles_lie_between_values() {
        near(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        near(median(vec![3.0, 1.0, 2.0]), 2.0);
        near(median(Vec::new()), 0.0);
    }
}
