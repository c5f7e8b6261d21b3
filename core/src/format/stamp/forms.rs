//! What timestamps look like: their parts, before it is known which instant they mean.

use super::Form;
use crate::event::time::MINUTE_US;

/// A timestamp as it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub when: When,
    pub form: Form,
    pub length: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// Microseconds since 1970.
    Instant(i64),
    /// Date and time; nothing says yet that there is such a date.
    Civil { year: Option<i32>, month: u32, day: u32, clock_us: i64, offset_us: Option<i64> },
}

/// The timestamp that a text begins with.
pub(super) fn find(text: &[u8]) -> Option<Found> {
    let mut cursor = Cursor { text, at: 0 };
    let (form, when) = match text.first()? {
        b'0'..=b'9' => match text.iter().take(15).take_while(|byte| byte.is_ascii_digit()).count() {
            4 => year_first(&mut cursor),
            1 | 2 => day_first(&mut cursor),
            8 => compact(&mut cursor),
            14 => compact_whole(&mut cursor),
            6 => short(&mut cursor),
            count @ (10 | 13) => epoch(&mut cursor, count),
            _ => None,
        },
        b'A'..=b'Z' | b'a'..=b'z' => match text.get(1)? {
            b'0'..=b'9' => glog(&mut cursor),
            _ => named(&mut cursor),
        },
        _ => None,
    }?;
    cursor.is_boundary().then_some(Found { when, form, length: cursor.at })
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|byte| bytes.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    /// As many spaces as there are, up to a number of them, and at least one.
    fn spaces(&mut self, most: usize) -> Option<()> {
        self.one_of(b" ")?;
        for _ in 1..most {
            self.one_of(b" ");
        }
        Some(())
    }

    /// A number of so many digits.
    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let mut value = 0;
        let mut count = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek().filter(|_| count < most) {
            value = value * 10 + u32::from(digit - b'0');
            count += 1;
            self.at += 1;
        }
        (count >= least).then_some(value)
    }

    fn year(&mut self) -> Option<i32> {
        i32::try_from(self.number(4, 4)?).ok()
    }

    /// The number of a name of three letters, from 1.
    fn name(&mut self, names: &[&[u8; 3]]) -> Option<u32> {
        let letters = self.text.get(self.at..self.at + 3)?;
        let position = names.iter().position(|name| name.eq_ignore_ascii_case(letters))?;
        self.at += 3;
        u32::try_from(position + 1).ok()
    }

    /// Whether no letter or digit follows.
    fn is_boundary(&self) -> bool {
        !self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric())
    }

    /// What a reader finds, or nothing, and then it has taken nothing.
    fn attempt<T>(&mut self, reader: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.at;
        let found = reader(self);
        if found.is_none() {
            self.at = before;
        }
        found
    }
}

const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
const WEEKDAYS: [&[u8; 3]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];

/// Zones by name, in minutes. Names that mean different zones in different countries are not here.
const ZONES: [(&[u8], i64); 16] = [
    (b"UTC", 0),
    (b"GMT", 0),
    (b"UT", 0),
    (b"WET", 0),
    (b"WEST", 60),
    (b"CET", 60),
    (b"CEST", 120),
    (b"EET", 120),
    (b"EEST", 180),
    (b"JST", 540),
    (b"EST", -300),
    (b"EDT", -240),
    (b"MST", -420),
    (b"MDT", -360),
    (b"PST", -480),
    (b"PDT", -420),
];

fn micros_of(hour: u32, minute: u32, second: u32, fraction_us: i64) -> Option<i64> {
    // A leap second counts as the last of its minute, as POSIX has it.
    let valid = hour < 24 && minute < 60 && second <= 60;
    valid.then(|| i64::from(hour * 3600 + minute * 60 + second.min(59)) * 1_000_000 + fraction_us)
}

/// `10:30:45`, with a fraction or not, with `AM` or `PM` or not; `10:30` where seconds may be missing.
fn clock(cursor: &mut Cursor<'_>, needs_seconds: bool) -> Option<i64> {
    let hour = cursor.number(1, 2)?;
    let mark = cursor.one_of(b":.")?;
    let minute = cursor.number(2, 2)?;
    let second = cursor.attempt(|cursor| {
        cursor.one_of(&[mark])?;
        cursor.number(2, 2)
    });
    if second.is_none() && (needs_seconds || mark == b'.') {
        return None;
    }
    let fraction = if second.is_some() { cursor.attempt(fraction).unwrap_or(0) } else { 0 };
    let afternoon = cursor.attempt(|cursor| half(cursor).filter(|_| (1..=12).contains(&hour)));
    let hour = match afternoon {
        None => hour,
        Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
    };
    micros_of(hour, minute, second.unwrap_or(0), fraction)
}

/// ` AM` or ` PM`: whether it is the latter.
fn half(cursor: &mut Cursor<'_>) -> Option<bool> {
    cursor.one_of(b" ");
    let afternoon = cursor.one_of(b"AaPp")?.eq_ignore_ascii_case(&b'P');
    cursor.one_of(b"Mm")?;
    cursor.is_boundary().then_some(afternoon)
}

/// `.123456` and any other number of digits, `,123` as well; after a colon there are three.
fn fraction(cursor: &mut Cursor<'_>) -> Option<i64> {
    let mark = cursor.one_of(b".,:")?;
    let mut micros = 0;
    let mut count = 0;
    while let Some(digit @ b'0'..=b'9') = cursor.peek() {
        if count < 6 {
            micros = micros * 10 + i64::from(digit - b'0');
        }
        count += 1;
        cursor.at += 1;
    }
    for _ in count..6 {
        micros *= 10;
    }
    let fits = if mark == b':' { count == 3 } else { count > 0 };
    fits.then_some(micros)
}

/// `103045`, with a fraction or not.
fn compact_clock(cursor: &mut Cursor<'_>) -> Option<i64> {
    let (hour, minute, second) = (cursor.number(2, 2)?, cursor.number(2, 2)?, cursor.number(2, 2)?);
    let fraction = cursor.attempt(fraction).unwrap_or(0);
    micros_of(hour, minute, second, fraction)
}

/// A zone, if one stands here: `Z`, `+02:00`, `+0200`, `+02`, ` +0200`, ` UTC`. In microseconds.
fn zone(cursor: &mut Cursor<'_>) -> Option<i64> {
    cursor.attempt(|cursor| {
        if cursor.one_of(b"Zz").is_some() {
            return cursor.is_boundary().then_some(0);
        }
        let spaced = cursor.one_of(b" ").is_some();
        let minutes = match cursor.one_of(b"+-") {
            Some(sign) => numeric_zone(cursor, spaced)? * if sign == b'-' { -1 } else { 1 },
            None => zone_name(cursor)?,
        };
        cursor.is_boundary().then_some(minutes * MINUTE_US)
    })
}

fn numeric_zone(cursor: &mut Cursor<'_>, spaced: bool) -> Option<i64> {
    let hours = cursor.number(2, 2)?;
    let colon = cursor.one_of(b":").is_some();
    let minutes = match cursor.number(2, 2) {
        Some(minutes) => minutes,
        None if spaced || colon => return None,
        None => 0,
    };
    (hours <= 24 && minutes < 60).then(|| i64::from(hours * 60 + minutes))
}

fn zone_name(cursor: &mut Cursor<'_>) -> Option<i64> {
    let rest = cursor.text.get(cursor.at..)?;
    let length = rest.iter().take(5).take_while(|byte| byte.is_ascii_uppercase()).count();
    let (_, minutes) = ZONES.into_iter().find(|(name, _)| rest.get(..length) == Some(*name))?;
    cursor.at += length;
    Some(minutes)
}

/// A date and a time, with the zone that follows, if one does.
fn civil(
    cursor: &mut Cursor<'_>,
    form: Form,
    date: (Option<i32>, u32, u32),
    clock_us: i64,
) -> Option<(Form, When)> {
    let (year, month, day) = date;
    let offset_us = zone(cursor);
    Some((form, When::Civil { year, month, day, clock_us, offset_us }))
}

/// `2026-02-03T10:30:45`, `2026/2/3 10:30:45`, `2026-Feb-03 10:30:45`, `2026 Feb  3 10:30:45`,
/// `2026-02-03-10.30.45.123456`
fn year_first(cursor: &mut Cursor<'_>) -> Option<(Form, When)> {
    let year = cursor.year()?;
    let mark = cursor.one_of(b"-/. ")?;
    let (form, month, least) = match cursor.attempt(|cursor| cursor.name(&MONTHS)) {
        Some(month) if mark == b' ' => (Form::YearBsd, month, 1),
        Some(month) => (Form::YearFirst, month, 1),
        None if mark == b'-' => (Form::Iso, cursor.number(2, 2)?, 2),
        None if mark == b' ' => return None,
        None => (Form::YearFirst, cursor.number(1, 2)?, 1),
    };
    cursor.one_of(&[mark])?;
    if mark == b' ' {
        cursor.one_of(b" ");
    }
    let day = cursor.number(least, 2)?;
    cursor.one_of(b"Tt _-:")?;
    cursor.one_of(b" ");
    let clock_us = clock(cursor, false)?;
    civil(cursor, form, (Some(year), month, day), clock_us)
}

/// `03/Feb/2026:10:30:45`, `03-Feb-2026 10:30:45`, `03/02/2026 10:30`, `26/02/03 10:30:45`,
/// `02-03 10:30:45.123`
fn day_first(cursor: &mut Cursor<'_>) -> Option<(Form, When)> {
    let first = cursor.number(1, 2)?;
    let two_digits = cursor.at == 2;
    let mark = cursor.one_of(b"/-. ")?;
    if let Some(month) = cursor.attempt(|cursor| cursor.name(&MONTHS)) {
        return day_name(cursor, Form::DayName, mark, month, first);
    }
    let second = cursor.number(1, 2)?;
    if mark == b'-' && two_digits && cursor.one_of(b" ").is_some() {
        let clock_us = clock(cursor, true)?;
        return civil(cursor, Form::MonthDay, (None, first, second), clock_us);
    }
    if mark == b' ' {
        return None;
    }
    cursor.one_of(&[mark])?;
    if let Some(year) = cursor.attempt(Cursor::year) {
        cursor.one_of(b",");
        cursor.one_of(b" T")?;
        let clock_us = clock(cursor, false)?;
        return civil(cursor, Form::DayMonth, (Some(year), second, first), clock_us);
    }
    let day = cursor.number(2, 2)?;
    cursor.one_of(b" ").filter(|_| mark == b'/')?;
    let clock_us = clock(cursor, true)?;
    civil(cursor, Form::ShortSlash, (Some(short_year(first)), second, day), clock_us)
}

/// The year and the time after a day and a month's name.
fn day_name(cursor: &mut Cursor<'_>, form: Form, mark: u8, month: u32, day: u32) -> Option<(Form, When)> {
    cursor.one_of(&[mark])?;
    let year = cursor.year()?;
    let form = match cursor.one_of(b": T")? {
        b':' => Form::Clf,
        _ => form,
    };
    let clock_us = clock(cursor, true)?;
    civil(cursor, form, (Some(year), month, day), clock_us)
}

fn short_year(year: u32) -> i32 {
    let century = if year < 69 { 2000 } else { 1900 };
    i32::try_from(year).unwrap_or(0) + century
}

fn compact_date(cursor: &mut Cursor<'_>) -> Option<(Option<i32>, u32, u32)> {
    Some((Some(cursor.year()?), cursor.number(2, 2)?, cursor.number(2, 2)?))
}

/// `10:30:45:123` whose numbers have no zeros ahead, `9:3:5:7`; the last counts milliseconds.
fn loose_clock(cursor: &mut Cursor<'_>) -> Option<i64> {
    let hour = cursor.number(1, 2)?;
    cursor.one_of(b":")?;
    let minute = cursor.number(1, 2)?;
    cursor.one_of(b":")?;
    let second = cursor.number(1, 2)?;
    cursor.one_of(b":")?;
    let millis = cursor.number(1, 3)?;
    micros_of(hour, minute, second, i64::from(millis) * 1_000)
}

/// `20260203T103045Z`, `20260203 10:30:45`, `20260203-10:30:45:123`
fn compact(cursor: &mut Cursor<'_>) -> Option<(Form, When)> {
    let date = compact_date(cursor)?;
    let mark = cursor.one_of(b"Tt -_")?;
    let loose = cursor.attempt(|cursor| loose_clock(cursor).filter(|_| mark == b'-'));
    let clock_us = match loose.or_else(|| cursor.attempt(compact_clock)) {
        Some(clock_us) => clock_us,
        None => clock(cursor, true)?,
    };
    civil(cursor, Form::Compact, date, clock_us)
}

/// `20260203103045`
fn compact_whole(cursor: &mut Cursor<'_>) -> Option<(Form, When)> {
    let date = compact_date(cursor)?;
    let clock_us = compact_clock(cursor)?;
    civil(cursor, Form::Compact, date, clock_us)
}

/// `260203 103045`, `260203 10:30:45`, `260203  9:30:45`
fn short(cursor: &mut Cursor<'_>) -> Option<(Form, When)> {
    let year = short_year(cursor.number(2, 2)?);
    let (month, day) = (cursor.number(2, 2)?, cursor.number(2, 2)?);
    cursor.spaces(2)?;
    let clock_us = match cursor.attempt(compact_clock) {
        Some(clock_us) => clock_us,
        None => clock(cursor, true)?,
    };
    civil(cursor, Form::Short, (Some(year), month, day), clock_us)
}

/// Seconds or milliseconds since 1970, by the count of their digits.
fn epoch(cursor: &mut Cursor<'_>, digits: usize) -> Option<(Form, When)> {
    let text = cursor.text.get(..digits)?;
    let whole = text.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    cursor.at = digits;
    let fraction = cursor
        .attempt(|cursor| {
            let is_decimal = cursor.peek() == Some(b'.');
            fraction(cursor).filter(|_| is_decimal)
        })
        .unwrap_or(0);
    let micros = match digits {
        10 => whole * 1_000_000 + fraction,
        _ => whole * 1_000 + fraction / 1_000,
    };
    // With a zero ahead it is a number of something else.
    (text.first() != Some(&b'0')).then_some((Form::Epoch, When::Instant(micros)))
}

/// `I0203 10:30:45.123456`, `I20260203 10:30:45.123456`
fn glog(cursor: &mut Cursor<'_>) -> Option<(Form, When)> {
    cursor.one_of(b"VDIWEF")?;
    let year = cursor.attempt(|cursor| {
        let year = cursor.year()?;
        cursor.attempt(|cursor| cursor.number(4, 4)).map(|_| year)
    });
    cursor.at = if year.is_some() { 5 } else { 1 };
    let (month, day) = (cursor.number(2, 2)?, cursor.number(2, 2)?);
    cursor.one_of(b" ")?;
    let clock_us = clock(cursor, true)?;
    civil(cursor, Form::Glog, (year, month, day), clock_us)
}

/// Forms that begin with the name of a weekday or a month.
fn named(cursor: &mut Cursor<'_>) -> Option<(Form, When)> {
    let weekday = cursor.attempt(|cursor| cursor.name(&WEEKDAYS)).is_some();
    if weekday && cursor.one_of(b",").is_some() {
        cursor.spaces(2)?;
        let day = cursor.number(1, 2)?;
        let mark = cursor.one_of(b" -")?;
        let month = cursor.name(&MONTHS)?;
        return day_name(cursor, Form::Mail, mark, month, day);
    }
    if weekday {
        cursor.spaces(1)?;
    }
    let month = cursor.name(&MONTHS)?;
    cursor.spaces(2)?;
    let day = cursor.number(1, 2)?;
    if cursor.one_of(b",").is_some() {
        return year_then_clock(cursor, Form::NameDay, month, day);
    }
    if let Some(found) = cursor.attempt(|cursor| year_then_clock(cursor, Form::BsdYear, month, day)) {
        return Some(found);
    }
    cursor.spaces(1)?;
    let clock_us = clock(cursor, true)?;
    match cursor.attempt(|cursor| year_last(cursor).filter(|_| weekday)) {
        Some((year, offset_us)) => {
            Some((Form::Ctime, When::Civil { year: Some(year), month, day, clock_us, offset_us }))
        }
        None => civil(cursor, Form::Bsd, (None, month, day), clock_us),
    }
}

/// ` 2026 10:30:45`
fn year_then_clock(cursor: &mut Cursor<'_>, form: Form, month: u32, day: u32) -> Option<(Form, When)> {
    cursor.one_of(b" ")?;
    let year = cursor.year()?;
    cursor.one_of(b",");
    cursor.one_of(b" ")?;
    let clock_us = clock(cursor, true)?;
    civil(cursor, form, (Some(year), month, day), clock_us)
}

/// ` 2026` or ` UTC 2026`
fn year_last(cursor: &mut Cursor<'_>) -> Option<(i32, Option<i64>)> {
    let offset_us = zone(cursor);
    cursor.one_of(b" ")?;
    let year = cursor.year()?;
    cursor.is_boundary().then_some((year, offset_us))
}
