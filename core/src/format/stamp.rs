//! Timestamps at the beginning of a text, in the forms that logs have.

mod forms;
#[cfg(test)]
mod tests;

use crate::event::time::{DAY_US, EARLIEST_US, LATEST_US, day_of, day_start_us};
use chrono::{Datelike, NaiveDate};
use forms::When;

/// How far after an input was last written its events may be: clocks and zones differ.
const TOLERANCE_US: i64 = DAY_US;

/// The forms of timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `2026-02-03T10:30:45Z`, `2026-02-03 10:30`
    Iso,
    /// `2026/02/03 10:30:45`, `2026.02.03 10:30:45`, `2026-Feb-03 10:30:45`
    YearFirst,
    /// `20260203T103045Z`, `20260203-10:30:45:123`
    Compact,
    /// `260203 103045`, `260203 10:30:45`
    Short,
    /// `26/02/03 10:30:45`
    ShortSlash,
    /// `02-03 10:30:45.123`
    MonthDay,
    /// `03/02/2026 10:30`: the sample tells which is the month.
    DayMonth,
    /// `03/Feb/2026:10:30:45 +0000`
    Clf,
    /// `03-Feb-2026 10:30:45`, `3 Feb 2026 10:30:45`
    DayName,
    /// `Feb  3 10:30:45`
    Bsd,
    /// `Feb 3 2026 10:30:45`
    BsdYear,
    /// `2026 Feb  3 10:30:45`
    YearBsd,
    /// `Feb 3, 2026 10:30:45 AM`
    NameDay,
    /// `Tue Feb 03 10:30:45 2026`
    Ctime,
    /// `Tue, 03 Feb 2026 10:30:45 GMT`
    Mail,
    /// `I0203 10:30:45.123456`, after a letter for the level.
    Glog,
    /// `1770114645`, `1770114645.123`, `1770114645123`
    Epoch,
}

impl Form {
    const ALL: [Form; 17] = [
        Form::Iso,
        Form::YearFirst,
        Form::Compact,
        Form::Short,
        Form::ShortSlash,
        Form::MonthDay,
        Form::DayMonth,
        Form::Clf,
        Form::DayName,
        Form::Bsd,
        Form::BsdYear,
        Form::YearBsd,
        Form::NameDay,
        Form::Ctime,
        Form::Mail,
        Form::Glog,
        Form::Epoch,
    ];

    /// The form in a word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Form::Iso => "iso",
            Form::YearFirst => "year-first",
            Form::Compact => "compact",
            Form::Short => "short",
            Form::ShortSlash => "short-slash",
            Form::MonthDay => "month-day",
            Form::DayMonth => "day-month",
            Form::Clf => "clf",
            Form::DayName => "day-name",
            Form::Bsd => "bsd",
            Form::BsdYear => "bsd-year",
            Form::YearBsd => "year-bsd",
            Form::NameDay => "name-day",
            Form::Ctime => "ctime",
            Form::Mail => "mail",
            Form::Glog => "glog",
            Form::Epoch => "epoch",
        }
    }

    /// The form of a word.
    pub(super) fn from_name(name: &str) -> Option<Form> {
        Form::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Whether nothing but a timestamp is likely to look like this.
    pub(super) fn is_distinct(self) -> bool {
        !matches!(self, Form::Compact | Form::Short | Form::MonthDay | Form::Glog | Form::Epoch)
    }
}

/// A timestamp at the beginning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Microseconds since 1970.
    pub micros: i64,
    /// How many bytes it takes.
    pub length: usize,
    /// How it is written.
    pub form: Form,
    /// Whether it says its zone; else it is UTC.
    pub had_zone: bool,
    /// Whether it says its year; else it is the latest that is not in the future.
    pub had_year: bool,
}

/// Reads the timestamps of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamps {
    written_us: i64,
    latest_us: i64,
    year: i32,
    month_first: bool,
}

impl Stamps {
    /// Of an input that was last written at a time; days are before months.
    pub(super) fn new(written_us: i64) -> Stamps {
        let written_us = written_us.clamp(EARLIEST_US, LATEST_US - 1);
        let latest_us = written_us.saturating_add(TOLERANCE_US);
        Stamps { written_us, latest_us, year: day_of(latest_us).year(), month_first: false }
    }

    /// Sets whether months are before days where both are numbers and the year is last.
    pub(super) fn with_month_first(self, month_first: bool) -> Stamps {
        Stamps { month_first, ..self }
    }

    /// Whether months are before days.
    pub(super) fn month_first(&self) -> bool {
        self.month_first
    }

    /// When the input was last written.
    pub(super) fn written_us(&self) -> i64 {
        self.written_us
    }

    /// The timestamp that a text begins with.
    pub(super) fn read(&self, text: &[u8]) -> Option<Stamp> {
        let found = forms::find(text)?;
        let (micros, had_zone, had_year) = match found.when {
            When::Instant(micros) => (micros, true, true),
            When::Civil { year, month, day, clock_us, offset_us } => {
                let (month, day) = match found.form {
                    Form::DayMonth => self.in_order(month, day),
                    _ => (month, day),
                };
                let time_us = clock_us - offset_us.unwrap_or(0);
                let micros = match year {
                    Some(year) => civil_us(year, month, day, time_us)?,
                    None => self.latest(month, day, time_us)?,
                };
                (micros, offset_us.is_some(), year.is_some())
            }
        };
        let in_range = (EARLIEST_US..LATEST_US).contains(&micros);
        in_range.then_some(Stamp { micros, length: found.length, form: found.form, had_zone, had_year })
    }

    /// Month and day in this input's order, unless they make sense in the other one only.
    fn in_order(&self, month: u32, day: u32) -> (u32, u32) {
        let swapped = if self.month_first { day <= 12 } else { month > 12 };
        if swapped { (day, month) } else { (month, day) }
    }

    /// The latest year's day of that name that is not in the future. Every eight years have a 29th of
    /// February.
    fn latest(&self, month: u32, day: u32, time_us: i64) -> Option<i64> {
        (self.year - 8..=self.year)
            .rev()
            .filter_map(|year| civil_us(year, month, day, time_us))
            .find(|micros| *micros <= self.latest_us)
    }
}

fn civil_us(year: i32, month: u32, day: u32, time_us: i64) -> Option<i64> {
    NaiveDate::from_ymd_opt(year, month, day).map(|date| day_start_us(date) + time_us)
}

/// Whether days or months come first in timestamps like `03/02/2026 10:30`, as far as these texts tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Order {
    seen: bool,
    day_first: bool,
    month_first: bool,
}

impl Order {
    /// Takes a text into account that may begin with a timestamp.
    pub(super) fn add(&mut self, text: &[u8]) {
        if let Some(forms::Found { form: Form::DayMonth, when: When::Civil { month, day, .. }, .. }) =
            forms::find(text)
        {
            self.seen = true;
            self.day_first |= day > 12;
            self.month_first |= month > 12;
        }
    }

    /// Whether months come first.
    pub(super) fn month_first(&self) -> bool {
        self.month_first && !self.day_first
    }

    fn note(&self) -> Option<String> {
        let note = match (self.seen, self.day_first, self.month_first) {
            (true, false, false) => "days are taken to come before months: 03/02/2026 is the 3rd of February",
            (true, true, true) => {
                "some dates have days first and some have months first: 03/02/2026 is the 3rd of February"
            }
            _ => return None,
        };
        Some(note.to_string())
    }
}

/// What timestamps of a sample left open.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Open {
    yearless: bool,
    zoneless: bool,
}

impl Open {
    /// Takes a timestamp into account.
    pub(super) fn add(&mut self, stamp: &Stamp) {
        self.yearless |= !stamp.had_year;
        self.zoneless |= !stamp.had_zone;
    }

    /// What was taken for granted, in sentences.
    pub(super) fn notes(&self, stamps: &Stamps, order: &Order) -> Vec<String> {
        let mut notes = Vec::new();
        if self.yearless {
            let year = day_of(stamps.written_us).year();
            notes.push(format!(
                "the lines give no year: {year} is taken from when the file was last written, and the year \
                 before for what would be later than that"
            ));
        }
        if self.zoneless {
            notes.push("the timestamps give no zone: they are taken as UTC".to_string());
        }
        notes.extend(order.note());
        notes
    }
}

/// Appends a timestamp as a JSON string, spelt as [`crate::event::time::rfc3339`] does.
pub(super) fn quote_into(micros: i64, out: &mut Vec<u8>) {
    let day = day_of(micros);
    let of_day = micros.rem_euclid(DAY_US);
    let second = of_day / 1_000_000;
    let fraction = of_day % 1_000_000;
    out.push(b'"');
    digits_into(i64::from(day.year()), 4, out);
    for (mark, value) in [(b'-', i64::from(day.month())), (b'-', i64::from(day.day()))] {
        out.push(mark);
        digits_into(value, 2, out);
    }
    for (mark, value) in [(b'T', second / 3600), (b':', second / 60 % 60), (b':', second % 60)] {
        out.push(mark);
        digits_into(value, 2, out);
    }
    if fraction != 0 {
        out.push(b'.');
        match fraction % 1_000 {
            0 => digits_into(fraction / 1_000, 3, out),
            _ => digits_into(fraction, 6, out),
        }
    }
    out.extend_from_slice(b"Z\"");
}

fn digits_into(value: i64, width: u32, out: &mut Vec<u8>) {
    for place in (0..width).rev() {
        // A digit is below ten.
        out.push(b'0' + (value / 10_i64.pow(place) % 10) as u8);
    }
}
