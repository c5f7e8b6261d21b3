//! Runs one application: each day is planned, then its tasks happen in order of time and plan further ones.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fmt;

use chrono::{Datelike, NaiveDate};

use super::rng::Rng;
use super::{DemoEvent, DemoOptions};

pub(super) const MILLISECOND: i64 = 1_000;
pub(super) const SECOND: i64 = 1_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// An application that writes events.
pub(super) trait Application {
    type Task;
    const NAME: &'static str;
    /// The finest difference of time that its records show, in microseconds.
    const GRAIN_US: i64;

    /// Puts the day's sessions and jobs on the agenda.
    fn plan_day(&mut self, day: &Day, agenda: &mut Agenda<Self::Task>);

    /// Does one task: the record that it writes, if any; what follows from it goes on the agenda.
    fn perform(
        &mut self,
        now: &Moment<'_>,
        task: Self::Task,
        agenda: &mut Agenda<Self::Task>,
    ) -> Option<String>;
}

/// One day of the year in UTC.
#[derive(Clone)]
pub(super) struct Day {
    pub(super) date: NaiveDate,
    pub(super) start_us: i64,
    /// 0 on the first day, 1000 at the end of the last.
    pub(super) progress_per_mille: i64,
    text: String,
}

impl Day {
    fn new(date: NaiveDate, options: &DemoOptions) -> Day {
        let left = options.until.signed_duration_since(date).num_days();
        let days = i64::from(options.days.max(1));
        let progress_per_mille = 1000 * (days - left) / days;
        Day {
            date,
            start_us: midnight_us(date),
            progress_per_mille,
            text: date.format("%Y-%m-%d").to_string(),
        }
    }

    /// 0 is Monday.
    pub(super) fn weekday(&self) -> usize {
        self.date.weekday().num_days_from_monday() as usize
    }

    pub(super) fn at(&self, hour: i64, minute: i64) -> i64 {
        self.start_us + hour * HOUR + minute * MINUTE
    }
}

/// Microseconds since 1970 at which a day begins.
pub(super) fn midnight_us(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days() * DAY
}

/// A point in time; displays as date and time of day in UTC without a zone.
pub(super) struct Moment<'a> {
    pub(super) us: i64,
    pub(super) day: &'a Day,
    grain_us: i64,
}

impl Moment<'_> {
    pub(super) fn after(&self, delay_us: i64) -> i64 {
        self.us + delay_us
    }

    /// A time of day some days later, plus or minus a little.
    pub(super) fn on_later_day(&self, days: i64, hour: i64, rng: &mut Rng) -> i64 {
        let at = self.day.start_us + days * DAY + hour * HOUR + rng.between(0, 90 * MINUTE);
        at.max(self.us + MINUTE)
    }
}

impl fmt::Display for Moment<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_day = (self.us - self.day.start_us).max(0);
        let mut digits = *b"T00:00:00.000000";
        let seconds = in_day / SECOND;
        let parts = [(1, seconds / 3600), (4, seconds / 60 % 60), (7, seconds % 60)];
        let fraction = in_day % SECOND;
        let pairs = [(10, fraction / 10_000), (12, fraction / 100 % 100), (14, fraction % 100)];
        for (place, value) in parts.into_iter().chain(pairs) {
            if let Some([tens, ones]) = digits.get_mut(place..place + 2) {
                *tens = b'0' + (value / 10 % 10) as u8;
                *ones = b'0' + (value % 10) as u8;
            }
        }
        let length = if self.grain_us >= SECOND { 9 } else { digits.len() };
        let time = digits.get(..length).and_then(|digits| std::str::from_utf8(digits).ok());
        out.write_str(&self.day.text)?;
        out.write_str(time.unwrap_or_default())
    }
}

/// Tasks by the time at which they are due; those of one time in the order in which they were planned.
pub(super) struct Agenda<T> {
    tasks: BinaryHeap<Reverse<Due<T>>>,
    planned: u64,
}

impl<T> Agenda<T> {
    pub(super) fn plan(&mut self, at_us: i64, task: T) {
        self.planned += 1;
        self.tasks.push(Reverse(Due { at_us, number: self.planned, task }));
    }

    fn take_before(&mut self, end_us: i64) -> Option<Due<T>> {
        if self.tasks.peek()?.0.at_us >= end_us {
            return None;
        }
        self.tasks.pop().map(|due| due.0)
    }
}

struct Due<T> {
    at_us: i64,
    number: u64,
    task: T,
}

impl<T> Due<T> {
    fn key(&self) -> (i64, u64) {
        (self.at_us, self.number)
    }
}

impl<T> Ord for Due<T> {
    fn cmp(&self, other: &Due<T>) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl<T> PartialOrd for Due<T> {
    fn partial_cmp(&self, other: &Due<T>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Due<T> {
    fn eq(&self, other: &Due<T>) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Due<T> {}

/// How busy the hours of a day (UTC, any unit) and the days of a week (percent, Monday first) are.
pub(super) struct Rhythm {
    pub(super) hours: [u32; 24],
    pub(super) weekdays: [u64; 7],
}

impl Rhythm {
    fn time_of_day_us(&self, rng: &mut Rng) -> i64 {
        let total: u64 = self.hours.iter().copied().map(u64::from).sum();
        let mut left = rng.below(total);
        let mut chosen = 0;
        for (hour, weight) in (0_i64..).zip(self.hours) {
            chosen = hour;
            match left.checked_sub(u64::from(weight)) {
                Some(rest) => left = rest,
                None => break,
            }
        }
        chosen * HOUR + rng.between(0, HOUR - 1)
    }
}

/// How many sessions there are on a day; what is left of a fraction goes to the next.
pub(super) struct Pace {
    per_day_millionths: u64,
    carried: u64,
}

impl Pace {
    pub(super) fn new(sessions_per_day: f64) -> Pace {
        Pace { per_day_millionths: (sessions_per_day * 1e6).clamp(0.0, 1e15) as u64, carried: 0 }
    }

    /// The start of each session of a day whose business is `percent` of the usual.
    pub(super) fn starts(&mut self, day: &Day, rhythm: &Rhythm, percent: u64, rng: &mut Rng) -> Vec<i64> {
        let weekday = rhythm.weekdays.get(day.weekday()).copied().unwrap_or(100);
        let chance = 90 + rng.below(21);
        let due = u128::from(self.per_day_millionths) * u128::from(weekday * percent * chance) / 1_000_000;
        let total = due as u64 + self.carried;
        self.carried = total % 1_000_000;
        (0..total / 1_000_000).map(|_| day.start_us + rhythm.time_of_day_us(rng)).collect()
    }
}

/// The events of one application over all days, in order of time.
pub(super) struct Simulation<A: Application> {
    application: A,
    agenda: Agenda<A::Task>,
    options: DemoOptions,
    day: Option<Day>,
    next_date: Option<NaiveDate>,
}

impl<A: Application> Simulation<A> {
    pub(super) fn new(application: A, options: &DemoOptions) -> Simulation<A> {
        let first = options.until.checked_sub_days(chrono::Days::new(u64::from(options.days)));
        let agenda = Agenda { tasks: BinaryHeap::new(), planned: 0 };
        Simulation { application, agenda, options: options.clone(), day: None, next_date: first }
    }
}

impl<A: Application> Iterator for Simulation<A> {
    type Item = DemoEvent;

    fn next(&mut self) -> Option<DemoEvent> {
        loop {
            if let Some(day) = &self.day {
                while let Some(due) = self.agenda.take_before(day.start_us + DAY) {
                    let us = due.at_us - due.at_us.rem_euclid(A::GRAIN_US);
                    let now = Moment { us, day, grain_us: A::GRAIN_US };
                    if let Some(record) = self.application.perform(&now, due.task, &mut self.agenda) {
                        return Some(DemoEvent { ts_us: us, application: A::NAME, record });
                    }
                }
            }
            let date = self.next_date.filter(|date| *date < self.options.until)?;
            let day = Day::new(date, &self.options);
            self.application.plan_day(&day, &mut self.agenda);
            self.day = Some(day);
            self.next_date = date.succ_opt();
        }
    }
}
