//! Numbers in filters.

/// A number: a whole one, or one that is not or does not fit 64 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Whole(i64),
    Double(f64),
}

impl Number {
    /// The number that a text spells; neither infinite nor NaN.
    pub(super) fn parse(text: &str) -> Option<Number> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let starts = unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|c: char| c.is_ascii_digit());
        if !starts {
            return None;
        }
        if let Ok(whole) = text.parse::<i64>() {
            return Some(Number::Whole(whole));
        }
        let double = text.parse::<f64>().ok().filter(|double| double.is_finite())?;
        Some(Number::of(double))
    }

    /// A double, as a whole number where it is one.
    pub(super) fn of(double: f64) -> Number {
        // 2^63 itself is no 64-bit integer.
        let fits = double.fract() == 0.0
            && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&double);
        if fits { Number::Whole(double as i64) } else { Number::Double(double) }
    }

    pub(super) fn as_f64(self) -> f64 {
        match self {
            Number::Whole(whole) => whole as f64,
            Number::Double(double) => double,
        }
    }
}
