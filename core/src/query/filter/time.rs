//! Times as filters write them: days, instants, `now`, `yesterday`, `-2h`.

use crate::event::time::{DAY_US, TimeForm, day_of, day_start_us, read_text};
use std::fmt;

const SECOND_US: i64 = 1_000_000;

/// What reading a filter depends on: the clock, and the zone in which times without one are meant.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    now_us: Option<i64>,
    /// Seconds that local time is ahead of UTC at an instant, in microseconds since 1970.
    offset_seconds: &'a dyn Fn(i64) -> i32,
}

impl Context<'static> {
    /// A clock that shows this instant, in microseconds since 1970; times are in UTC.
    pub fn new(now_us: i64) -> Self {
        Context { now_us: Some(now_us), offset_seconds: &utc }
    }

    /// No clock: relative times are errors. Times are in UTC.
    pub fn without_clock() -> Self {
        Context { now_us: None, offset_seconds: &utc }
    }
}

impl Context<'_> {
    /// The same clock; times are in a zone, given by the seconds that it is ahead of UTC at an instant in
    /// microseconds since 1970. `day:` stays the day in UTC.
    pub fn with_zone<'a>(self, offset_seconds: &'a dyn Fn(i64) -> i32) -> Context<'a> {
        Context { now_us: self.now_us, offset_seconds }
    }

    fn in_utc(self) -> Context<'static> {
        Context { now_us: self.now_us, offset_seconds: &utc }
    }

    /// The instant of a local time: both as microseconds, the local ones as if they were UTC.
    fn instant_of(&self, local_us: i64) -> i64 {
        let nearly = local_us.saturating_sub(self.offset_us(local_us));
        local_us.saturating_sub(self.offset_us(nearly))
    }

    /// How many seconds local time is ahead of UTC at an instant, in microseconds since 1970.
    pub fn offset_seconds(&self, instant_us: i64) -> i32 {
        (self.offset_seconds)(instant_us)
    }

    fn offset_us(&self, instant_us: i64) -> i64 {
        i64::from(self.offset_seconds(instant_us)).saturating_mul(SECOND_US)
    }

    fn now(&self) -> Result<i64, Unread> {
        self.now_us.ok_or(Unread::NoClock)
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("now_us", &self.now_us).finish_non_exhaustive()
    }
}

fn utc(_instant_us: i64) -> i32 {
    0
}

/// What a time covers: a whole day, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Covered {
    /// The first microsecond.
    pub(super) from: i64,
    /// The microsecond after the last.
    pub(super) until: i64,
}

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    NoTime,
    NoClock,
}

/// The forms of a time, for messages.
pub(super) const FORMS: &str =
    "a time such as 2026-02-03, 2026-02-03T10:30, 2026-02-03T10:30:00+01:00, now, today, yesterday or -2h";
/// The forms of a length of time, for messages.
pub(super) const LENGTHS: &str = "a length of time such as 90s, 30m, 24h, 7d or 2w";

/// Reads a time.
pub(super) fn read(text: &str, context: &Context<'_>) -> Result<Covered, Unread> {
    let text = text.trim();
    if let Some(relative) = read_relative(text, context) {
        return relative;
    }
    let (micros, form) = read_text(text).ok_or(Unread::NoTime)?;
    let instant = |micros: i64| Covered { from: micros, until: micros.saturating_add(1) };
    match form {
        // A few digits are a year or a mistake, hardly a second in 1970.
        TimeForm::Number { .. } if text.len() < 9 => Err(Unread::NoTime),
        TimeForm::Number { .. } => Ok(instant(micros)),
        TimeForm::Text if is_day(text) => Ok(local_day(micros, context)),
        TimeForm::Text if has_zone(text) => Ok(instant(micros)),
        TimeForm::Text => Ok(instant(context.instant_of(micros))),
    }
}

/// Reads a day in UTC: `2026-02-03`, `today`, `yesterday`.
pub(super) fn read_day(text: &str, context: &Context<'_>) -> Result<Covered, Unread> {
    let text = text.trim();
    let is_word = ["today", "yesterday", "tomorrow"].iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_word || is_day(text) { read(text, &context.in_utc()) } else { Err(Unread::NoTime) }
}

/// Reads a length of time in microseconds: `24h`, `1h30m`.
pub(super) fn read_length(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit())?;
        let (count, tail) = rest.split_at_checked(digits)?;
        let mut letters = tail.chars();
        let seconds = match letters.next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return None,
        };
        let micros = count.parse::<i64>().ok()?.checked_mul(seconds)?.checked_mul(SECOND_US)?;
        total = total.checked_add(micros)?;
        rest = letters.as_str();
    }
    (!text.is_empty()).then_some(total)
}

fn read_relative(text: &str, context: &Context<'_>) -> Option<Result<Covered, Unread>> {
    let day = |days: i64| {
        let now = context.now()?;
        let local = now.saturating_add(context.offset_us(now)).saturating_add(days.saturating_mul(DAY_US));
        Ok(local_day(local.saturating_sub(local.rem_euclid(DAY_US)), context))
    };
    let instant = |micros: i64| Covered { from: micros, until: micros.saturating_add(1) };
    Some(match text.to_ascii_lowercase().as_str() {
        "now" => context.now().map(instant),
        "today" => day(0),
        "yesterday" => day(-1),
        "tomorrow" => day(1),
        _ => {
            let length = read_length(text.strip_prefix('-').unwrap_or(text))?;
            context.now().map(|now| instant(now.saturating_sub(length)))
        }
    })
}

/// The day that begins at a local midnight.
fn local_day(midnight_us: i64, context: &Context<'_>) -> Covered {
    let next = day_start_us(day_of(midnight_us)).saturating_add(DAY_US);
    Covered { from: context.instant_of(midnight_us), until: context.instant_of(next) }
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && matches!(read_text(text), Some((_, TimeForm::Text)))
}

/// Whether a time that can be read says its zone. RFC 2822 always does, and does not begin with a year.
fn has_zone(text: &str) -> bool {
    let is_iso = text.get(..4).is_some_and(|year| year.bytes().all(|byte| byte.is_ascii_digit()));
    !is_iso || text.get(16..).is_some_and(|tail| tail.contains(['Z', 'z', '+', '-', 'U', 'G']))
}
