//! Timestamps as producers write them, and durations with a unit.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};

/// A minute, in microseconds.
pub const MINUTE_US: i64 = 60_000_000;
/// An hour, in microseconds.
pub const HOUR_US: i64 = 60 * MINUTE_US;
/// A day, in microseconds.
pub const DAY_US: i64 = 24 * HOUR_US;
/// The earliest instant that the store takes: the beginning of 1900.
pub const EARLIEST_US: i64 = -2_208_988_800_000_000;
/// The first instant that it does not take any more: the beginning of 2201.
pub const LATEST_US: i64 = 7_289_654_400_000_000;

/// How a producer wrote a timestamp, so that it can be written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimeForm {
    /// As text: RFC 3339 and its relatives, or RFC 2822.
    Text,
    /// As a number, or the digits of one in a string.
    Number {
        /// What it counts since 1970.
        unit: Unit,
        /// Whether it stands in a string.
        quoted: bool,
    },
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

impl Unit {
    /// The letters of the unit.
    pub fn letters(self) -> &'static str {
        match self {
            Unit::Seconds => "s",
            Unit::Milliseconds => "ms",
            Unit::Microseconds => "us",
            Unit::Nanoseconds => "ns",
        }
    }

    fn per_second(self) -> i128 {
        match self {
            Unit::Seconds => 1,
            Unit::Milliseconds => 1_000,
            Unit::Microseconds => 1_000_000,
            Unit::Nanoseconds => 1_000_000_000,
        }
    }
}

impl TimeForm {
    /// The name of the form in a shape.
    pub fn name(self) -> String {
        match self {
            TimeForm::Text => "text".to_string(),
            TimeForm::Number { unit, quoted: false } => unit.letters().to_string(),
            TimeForm::Number { unit, quoted: true } => format!("text {}", unit.letters()),
        }
    }

    /// The form of a name.
    pub fn from_name(name: &str) -> Option<TimeForm> {
        if name == "text" {
            return Some(TimeForm::Text);
        }
        let (quoted, letters) = match name.strip_prefix("text ") {
            Some(letters) => (true, letters),
            None => (false, name),
        };
        let units = [Unit::Seconds, Unit::Milliseconds, Unit::Microseconds, Unit::Nanoseconds];
        let unit = units.into_iter().find(|unit| unit.letters() == letters)?;
        Some(TimeForm::Number { unit, quoted })
    }

    /// The timestamp as JSON in this form.
    pub fn write(self, micros: i64) -> String {
        match self {
            TimeForm::Text => format!("\"{}\"", rfc3339(micros)),
            TimeForm::Number { unit, quoted } => {
                let number = in_unit(micros, unit);
                if quoted { format!("\"{number}\"") } else { number }
            }
        }
    }
}

/// Reads a timestamp that is text: its microseconds since 1970 and its form.
pub fn read_text(text: &str) -> Option<(i64, TimeForm)> {
    let text = text.trim();
    if let Some(micros) = iso(text.as_bytes()) {
        return Some((micros, TimeForm::Text));
    }
    if text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        && let Some((micros, TimeForm::Number { unit, .. })) = read_number(text)
    {
        return Some((micros, TimeForm::Number { unit, quoted: true }));
    }
    let instant = DateTime::parse_from_rfc2822(text).ok()?;
    Some((instant.timestamp_micros(), TimeForm::Text))
}

/// Reads a timestamp that is a number; its size tells the unit.
pub fn read_number(text: &str) -> Option<(i64, TimeForm)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || whole.len() > 19 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return scientific(text);
    }
    let Ok(whole) = whole.parse::<i64>() else { return scientific(text) };
    let unit = unit_of(whole);
    let scale = 1_000_000_000_i128 / unit.per_second();
    // Nanoseconds, so that every unit's fraction is a whole number of them.
    let mut nanos = i128::from(whole) * scale;
    let mut place = scale;
    for digit in fraction.bytes() {
        place /= 10;
        nanos += i128::from(digit - b'0') * place;
    }
    let nanos = if negative { -nanos } else { nanos };
    let micros = i64::try_from(nanos.div_euclid(1_000)).ok()?;
    Some((micros, TimeForm::Number { unit, quoted: false }))
}

/// A timestamp as text: RFC 3339 in UTC, with as many digits as it needs.
pub fn rfc3339(micros: i64) -> String {
    let Some(instant) = DateTime::from_timestamp_micros(micros) else { return String::new() };
    let base = instant.format("%Y-%m-%dT%H:%M:%S");
    match micros.rem_euclid(1_000_000) {
        0 => format!("{base}Z"),
        fraction if fraction % 1_000 == 0 => format!("{base}.{:03}Z", fraction / 1_000),
        fraction => format!("{base}.{fraction:06}Z"),
    }
}

/// The UTC day of a timestamp.
pub fn day_of(micros: i64) -> NaiveDate {
    let days = i32::try_from(micros.div_euclid(DAY_US)).unwrap_or(0);
    NaiveDate::from_epoch_days(days).unwrap_or_default()
}

/// The beginning of a UTC day, in microseconds since 1970.
pub fn day_start_us(day: NaiveDate) -> i64 {
    i64::from(day.num_days_from_ce() - 719_163) * DAY_US
}

/// A duration with its unit, in milliseconds: `1.5s`, `250ms`, `1m30s`.
pub fn read_duration_ms(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(number_end)?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_end)?;
        let factor = match unit.trim() {
            "ns" => 1e-6,
            "us" | "µs" | "μs" => 1e-3,
            "ms" => 1.0,
            "s" | "sec" | "secs" | "second" | "seconds" => 1e3,
            "m" | "min" | "mins" | "minute" | "minutes" => 6e4,
            "h" | "hour" | "hours" => 3.6e6,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = tail.trim_start();
    }
    Some(total)
}

/// Seconds, milliseconds, microseconds or nanoseconds, by size: each unit covers 1970 to the year 5138.
fn unit_of(whole: i64) -> Unit {
    const MILLISECONDS: i64 = 100_000_000_000;
    const MICROSECONDS: i64 = MILLISECONDS * 1_000;
    const NANOSECONDS: i64 = MICROSECONDS * 1_000;
    match whole {
        ..MILLISECONDS => Unit::Seconds,
        MILLISECONDS..MICROSECONDS => Unit::Milliseconds,
        MICROSECONDS..NANOSECONDS => Unit::Microseconds,
        NANOSECONDS.. => Unit::Nanoseconds,
    }
}

/// A number with an exponent, as some encoders write large ones.
fn scientific(text: &str) -> Option<(i64, TimeForm)> {
    let value: f64 = text.parse().ok()?;
    if !text.contains(['e', 'E']) || value.abs() >= 9e18 {
        return None;
    }
    let unit = unit_of(value.abs() as i64);
    // Both powers of ten are exact, and so is what they make of a whole number of microseconds.
    let micros = match unit.per_second() {
        fine @ 1_000_000.. => value / (fine / 1_000_000) as f64,
        coarse => value * (1_000_000 / coarse) as f64,
    };
    Some((micros.floor() as i64, TimeForm::Number { unit, quoted: false }))
}

/// Microseconds counted in a unit, with a fraction where one is needed.
fn in_unit(micros: i64, unit: Unit) -> String {
    let nanos = i128::from(micros) * 1_000;
    let scale = 1_000_000_000_i128 / unit.per_second();
    let (whole, rest) = (nanos.abs() / scale, nanos.abs() % scale);
    let sign = if nanos < 0 { "-" } else { "" };
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let width = scale.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
}

/// `YYYY-MM-DD`, then `T` or a space, `HH:MM[:SS[.fraction]]`, then a zone or none, which is UTC.
fn iso(text: &[u8]) -> Option<i64> {
    let year = number(text, 0, 4)?;
    let (b'-' | b'/', month) = (*text.get(4)?, number(text, 5, 2)?) else { return None };
    let (b'-' | b'/', day) = (*text.get(7)?, number(text, 8, 2)?) else { return None };
    let date = NaiveDate::from_ymd_opt(year as i32, month, day)?;
    let midnight = day_start_us(date);
    match text.get(10) {
        None => return Some(midnight),
        Some(b'T' | b't' | b' ') => {}
        Some(_) => return None,
    }
    let (hour, b':', minute) = (number(text, 11, 2)?, *text.get(13)?, number(text, 14, 2)?) else {
        return None;
    };
    let (second, mut position) = match text.get(16) {
        Some(b':') => (number(text, 17, 2)?, 19),
        _ => (0, 16),
    };
    // A leap second counts as the last of its minute, as POSIX has it.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut micros = 0;
    if let Some(b'.' | b',') = text.get(position) {
        position += 1;
        let digits = text.get(position..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        for place in 0..6 {
            let digit = if place < digits { text.get(position + place)? - b'0' } else { 0 };
            micros = micros * 10 + i64::from(digit);
        }
        position += digits;
    }
    let offset = zone_offset_us(text.get(position..)?)?;
    let seconds = i64::from(hour * 3600 + minute * 60 + second.min(59));
    Some(midnight + seconds * 1_000_000 + micros - offset)
}

/// The offset of `Z`, `UTC`, `+02:00`, `+0200`, `+02`, or of nothing, which is UTC.
fn zone_offset_us(zone: &[u8]) -> Option<i64> {
    let zone = zone.trim_ascii_start();
    let (sign, digits) = match zone.split_first() {
        None => return Some(0),
        Some((b'+', digits)) => (1, digits),
        Some((b'-', digits)) => (-1, digits),
        _ if matches!(zone, b"Z" | b"z" | b"UTC" | b"GMT") => return Some(0),
        _ => return None,
    };
    let minutes = match (digits.len(), digits.get(2)) {
        (2, _) => 0,
        (5, Some(b':')) => number(digits, 3, 2)?,
        (4, _) => number(digits, 2, 2)?,
        _ => return None,
    };
    let hours = number(digits, 0, 2)?;
    (hours <= 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes) * MINUTE_US)
}

fn number(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    let digits = text.get(at..at + digits)?;
    digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u32::from(digit - b'0')))
}

/// The instant of a naive time taken as UTC.
pub fn naive_us(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp_micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, form: &str) {
        let (micros, read) = read_text(text).unwrap_or_else(|| panic!("{text} is not read"));
        assert_eq!((rfc3339(micros).as_str(), read.name().as_str()), (expected, form), "{text}");
    }

    #[test]
    fn text_forms() {
        let expected = "2026-02-03T10:30:45Z";
        for text in [
            "2026-02-03T10:30:45Z",
            "2026-02-03 10:30:45",
            "2026-02-03t10:30:45z",
            "2026-02-03T11:30:45+01:00",
            "2026-02-03T05:30:45-0500",
            "2026-02-03 10:30:45 UTC",
            "2026/02/03 10:30:45",
            "2026-02-03T12:30:45+02",
            "Tue, 03 Feb 2026 10:30:45 +0000",
            "Tue, 3 Feb 2026 05:30:45 -0500",
            " 2026-02-03T10:30:45Z ",
        ] {
            check(text, expected, "text");
        }
        check("2026-02-03T10:30:45.123456", "2026-02-03T10:30:45.123456Z", "text");
        check("2026-02-03T10:30:45,5", "2026-02-03T10:30:45.500Z", "text");
        check("2026-02-03T10:30:45.123456789Z", "2026-02-03T10:30:45.123456Z", "text");
        check("2026-02-03", "2026-02-03T00:00:00Z", "text");
        check("2026-02-03T10:30", "2026-02-03T10:30:00Z", "text");
        check("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", "text");
        check("1700000000000000", "2023-11-14T22:13:20Z", "text us");
        check("1700000000000000000", "2023-11-14T22:13:20Z", "text ns");
    }

    #[test]
    fn what_is_no_time() {
        for text in
            ["", "banana", "2026-13-01", "2026-02-30", "2026-02-03T25:00:00", "2026-02-03X", "10:30:45"]
        {
            assert_eq!(read_text(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_by_size_and_back() {
        for (text, expected, unit) in [
            ("1700000000", "2023-11-14T22:13:20Z", "s"),
            ("1700000000.25", "2023-11-14T22:13:20.250Z", "s"),
            ("1700000000123", "2023-11-14T22:13:20.123Z", "ms"),
            ("1700000000123456", "2023-11-14T22:13:20.123456Z", "us"),
            ("1700000000123456000", "2023-11-14T22:13:20.123456Z", "ns"),
            ("-1.5", "1969-12-31T23:59:58.500Z", "s"),
            ("0", "1970-01-01T00:00:00Z", "s"),
        ] {
            let (micros, form) = read_number(text).unwrap();
            assert_eq!((rfc3339(micros).as_str(), form.name().as_str()), (expected, unit), "{text}");
            assert_eq!(form.write(micros), text);
            assert_eq!(TimeForm::from_name(&form.name()), Some(form));
        }
        assert_eq!(rfc3339(read_number("1.7e9").unwrap().0), "2023-11-14T22:13:20Z");
        for text in ["1e14", "1e17", "100000000e9"] {
            assert_eq!(rfc3339(read_number(text).unwrap().0), "1973-03-03T09:46:40Z", "{text}");
        }
        assert_eq!(read_number("1e300"), None);
        assert_eq!(read_number("99999999999999999999999"), None);
    }

    #[test]
    fn durations() {
        assert_eq!(read_duration_ms("1.5s"), Some(1500.0));
        assert_eq!(read_duration_ms("250ms"), Some(250.0));
        assert_eq!(read_duration_ms("1m30s"), Some(90_000.0));
        assert_eq!(read_duration_ms("3 h"), Some(10_800_000.0));
        for text in ["", "5", "s", "1 fortnight", "1..5s"] {
            assert_eq!(read_duration_ms(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_utc() {
        assert_eq!(day_of(-1).to_string(), "1969-12-31");
        assert_eq!(day_start_us(day_of(1_700_000_000_000_000)), 1_699_920_000_000_000);
        assert_eq!(rfc3339(EARLIEST_US), "1900-01-01T00:00:00Z");
        assert_eq!(rfc3339(LATEST_US), "2201-01-01T00:00:00Z");
    }
}
