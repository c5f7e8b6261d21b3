//! Periods of whole days, as people write them.

use chrono::{Datelike, Days, Months, NaiveDate};

/// Some days in a row, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day; all before, without one.
    pub from: Option<NaiveDate>,
    /// The day after the last one.
    pub until: NaiveDate,
}

impl Period {
    /// A quarter: `2026Q1`.
    pub fn quarter(text: &str) -> Option<Period> {
        let (year, quarter) = text.split_once(['Q', 'q'])?;
        let quarter = quarter.parse::<u32>().ok().filter(|quarter| (1..=4).contains(quarter))?;
        let month = quarter.checked_sub(1)?.checked_mul(3)?.checked_add(1)?;
        Period::months(year, month, 3)
    }

    /// A month: `2026-02`.
    pub fn month(text: &str) -> Option<Period> {
        let (year, month) = text.split_once('-')?;
        Period::months(year, month.parse().ok()?, 1)
    }

    /// All days before one.
    pub fn before(day: NaiveDate) -> Period {
        Period { from: None, until: day }
    }

    fn months(year: &str, month: u32, count: u32) -> Option<Period> {
        let year = Some(year).filter(|year| year.len() == 4)?.parse().ok()?;
        let from = NaiveDate::from_ymd_opt(year, month, 1)?;
        Some(Period { from: Some(from), until: from.checked_add_months(Months::new(count))? })
    }

    /// The quarter before the one that a day is in.
    pub fn quarter_before(day: NaiveDate) -> Option<String> {
        let before = day.checked_sub_months(Months::new(3))?;
        Some(format!("{}Q{}", before.year(), before.month0() / 3 + 1))
    }

    /// The first day of the quarter so many before the one that a day is in.
    pub fn quarters_ago(day: NaiveDate, quarters: u32) -> Option<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1)?;
        first.checked_sub_months(Months::new(quarters.checked_mul(3)?))
    }

    /// Whether a day is in it.
    pub fn has(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && day < self.until
    }

    /// The last day.
    pub fn last_day(&self) -> NaiveDate {
        self.until.checked_sub_days(Days::new(1)).unwrap_or(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_people_write_them() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let quarter = Period::quarter("2026Q1").unwrap();
        assert_eq!((quarter.from, quarter.until), (Some(day("2026-01-01")), day("2026-04-01")));
        assert!(quarter.has(day("2026-03-31")) && !quarter.has(day("2026-04-01")));
        assert_eq!(Period::quarter("2025q4").unwrap().last_day(), day("2025-12-31"));
        assert_eq!(Period::month("2026-02").unwrap().last_day(), day("2026-02-28"));
        for wrong in ["2026Q5", "2026Q0", "26Q1", "Q1", "2026", "2026Qx", ""] {
            assert_eq!(Period::quarter(wrong), None, "{wrong}");
        }
        for wrong in ["2026-13", "2026-0", "2026", "x-1"] {
            assert_eq!(Period::month(wrong), None, "{wrong}");
        }
        assert!(Period::before(day("2026-01-01")).has(day("1999-01-01")));
        assert_eq!(Period::quarter_before(day("2026-02-03")).unwrap(), "2025Q4");
        assert_eq!(Period::quarter_before(day("2026-12-31")).unwrap(), "2026Q3");
        assert_eq!(Period::quarters_ago(day("2026-02-03"), 0).unwrap(), day("2026-01-01"));
        assert_eq!(Period::quarters_ago(day("2026-06-30"), 1).unwrap(), day("2026-01-01"));
        assert_eq!(Period::quarters_ago(day("2026-06-30"), 5).unwrap(), day("2025-01-01"));
        assert_eq!(Period::quarters_ago(day("2026-06-30"), u32::MAX), None);
    }
}
