//! Which of the store's two number types holds a JSON number, if either does.

use std::io::Write;

/// A JSON number as the store holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A 64-bit integer holds it.
    Int(i64),
    /// A double holds it: its shortest spelling has the same value as what was written.
    Double(f64),
    /// Neither does: it is kept as it was written.
    Exact,
}

/// The largest integer up to which every integer is a double.
const DOUBLE_INTEGERS: i64 = 1 << 53;

/// Reads a number that is valid JSON.
pub fn read(text: &[u8]) -> Number {
    if text.len() <= 20 && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-') {
        match integer(text) {
            Some(0) if text.first() == Some(&b'-') => return Number::Double(-0.0),
            Some(value) => return Number::Int(value),
            None => {}
        }
    }
    let Some(value) = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()) else {
        return Number::Exact;
    };
    if value.is_finite() && (is_short(text) || same_value(text, value)) {
        Number::Double(value)
    } else {
        Number::Exact
    }
}

/// The value as a 64-bit integer, if it is one.
pub fn as_integer(value: f64) -> Option<i64> {
    // `i64::MAX as f64` is one above the largest integer.
    let in_range = value >= i64::MIN as f64 && value < i64::MAX as f64;
    let negative_zero = value == 0.0 && value.is_sign_negative();
    (in_range && value.fract() == 0.0 && !negative_zero).then_some(value as i64)
}

/// The value as a double, if one holds it.
pub fn as_double(value: i64) -> Option<f64> {
    let double = value as f64;
    let exact = value.unsigned_abs() <= DOUBLE_INTEGERS.unsigned_abs() || as_integer(double) == Some(value);
    exact.then_some(double)
}

/// Appends the one spelling of a value that row hashes use.
pub fn canonical_into(text: &[u8], out: &mut Vec<u8>) {
    match read(text) {
        Number::Int(value) => integer_into(value, out),
        Number::Double(value) => double_into(value, out),
        Number::Exact => out.extend_from_slice(text),
    }
}

/// Appends an integer.
pub fn integer_into(value: i64, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
}

/// Appends a double: as an integer where it is one, else in its shortest spelling.
pub fn double_into(value: f64, out: &mut Vec<u8>) {
    match as_integer(value) {
        Some(integer) => integer_into(integer, out),
        None => out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes()),
    }
}

fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    for digit in digits {
        let digit = i64::from(digit.wrapping_sub(b'0'));
        value = value.checked_mul(10)?;
        value = if negative { value.checked_sub(digit)? } else { value.checked_add(digit)? };
    }
    Some(value)
}

/// Whether a number has so few digits that a double always gives them back.
fn is_short(text: &[u8]) -> bool {
    text.len() <= 16 && !text.iter().any(|byte| matches!(byte, b'e' | b'E'))
}

/// Whether the shortest spelling of a double has the value that was written.
fn same_value(text: &[u8], value: f64) -> bool {
    let mut buffer = ryu::Buffer::new();
    let written = Decimal::of(text);
    written.is_some() && written == Decimal::of(buffer.format_finite(value).as_bytes())
}

/// A decimal number without leading and trailing zeros: 0.digits times ten to the exponent.
#[derive(PartialEq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    fn of(text: &[u8]) -> Option<Decimal> {
        let (negative, text) = match text.split_first() {
            Some((b'-', rest)) => (true, rest),
            _ => (false, text),
        };
        let mantissa_end = text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
        let (mantissa, power) = text.split_at_checked(mantissa_end)?;
        let power: i64 = match power.split_first() {
            // A power that does not fit is beyond any double.
            Some((_, digits)) => std::str::from_utf8(digits).ok()?.trim_start_matches('+').parse().ok()?,
            None => 0,
        };
        let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
        let digits: Vec<u8> = mantissa.iter().copied().filter(|byte| *byte != b'.').collect();
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        let trailing = digits.iter().rev().take_while(|digit| **digit == b'0').count();
        if leading == digits.len() {
            return Some(Decimal { negative, digits: Vec::new(), exponent: 0 });
        }
        let kept = digits.get(leading..digits.len() - trailing)?.to_vec();
        let exponent = power.checked_add(point as i64)?.checked_sub(leading as i64)?;
        Some(Decimal { negative, digits: kept, exponent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Number) {
        assert_eq!(read(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn integers_and_doubles() {
        check("0", Number::Int(0));
        check("-9223372036854775808", Number::Int(i64::MIN));
        check("9223372036854775807", Number::Int(i64::MAX));
        // Its shortest spelling as a double is another number.
        check("9223372036854775808", Number::Exact);
        check("9223372036854775809", Number::Exact);
        check("123456789012345678901234567890", Number::Exact);
        check("1.0", Number::Double(1.0));
        check("0.1", Number::Double(0.1));
        check("1e3", Number::Double(1000.0));
        check("1E+400", Number::Exact);
        check("1e-400", Number::Exact);
        check("1e99999999999999999999", Number::Exact);
        check("0.1000000000000000055511151231257827", Number::Exact);
        check("0.30000000000000004", Number::Double(0.1 + 0.2));
        check("5e-324", Number::Double(5e-324));
        check("100000000000000000000000.0", Number::Double(1e23));
        check("9007199254740993.0", Number::Exact);
    }

    #[test]
    fn negative_zero_stays() {
        for text in ["-0", "-0.0", "-0e5"] {
            match read(text.as_bytes()) {
                Number::Double(value) => assert!(value.is_sign_negative(), "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn types_meet_where_both_are_exact() {
        assert_eq!(as_integer(1e18), Some(1_000_000_000_000_000_000));
        assert_eq!(as_integer(1.5), None);
        assert_eq!(as_integer(9.3e18), None);
        assert_eq!(as_integer(-0.0), None);
        assert_eq!(as_double((1 << 53) + 1), None);
        assert_eq!(as_double(1 << 60), Some((1i64 << 60) as f64));
        assert_eq!(as_double(i64::MAX), None);
        assert_eq!(as_double(i64::MIN), Some(-9223372036854775808.0));
    }

    #[test]
    fn one_spelling_a_value() {
        for spellings in
            [vec!["1", "1.0", "1e0", "10E-1"], vec!["0.5", "5e-1", "0.50"], vec!["1e23", "1.0E+23"]]
        {
            let canonical = |text: &str| {
                let mut out = Vec::new();
                canonical_into(text.as_bytes(), &mut out);
                out
            };
            for spelling in &spellings {
                assert_eq!(canonical(spelling), canonical(spellings[0]), "{spelling}");
            }
        }
    }
}
