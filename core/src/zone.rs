//! The time zone in which times are shown and read.

use std::str::FromStr;

use chrono::{
    DateTime, FixedOffset, Local, LocalResult, NaiveDate, NaiveDateTime, Offset, SecondsFormat, TimeZone, Utc,
};
use chrono_tz::{TZ_VARIANTS, Tz};

/// A time zone; UTC unless another one is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Zone {
    /// The zone of days.
    #[default]
    Utc,
    /// The zone of this machine.
    Local,
    /// An offset such as `+02:00`.
    Fixed(FixedOffset),
    /// A zone of the IANA database.
    Named(Tz),
}

/// `UTC`, `local`, `+02:00` or `Europe/Berlin`.
pub fn parse(text: &str) -> Result<Zone, String> {
    if text.eq_ignore_ascii_case("utc") || text == "Z" {
        return Ok(Zone::Utc);
    }
    if text.eq_ignore_ascii_case("local") {
        return Ok(Zone::Local);
    }
    if text.starts_with(['+', '-']) {
        return FixedOffset::from_str(text)
            .map(Zone::Fixed)
            .map_err(|_| "not an offset such as +02:00".to_string());
    }
    let named = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(text));
    named.map(|zone| Zone::Named(*zone)).ok_or_else(|| {
        "no such zone: use UTC, local, an offset such as +02:00, or a name such as Europe/Berlin".to_string()
    })
}

impl Zone {
    /// The time as RFC 3339, with as many digits of the second as it needs: `Z` in UTC, else the offset.
    pub fn show(self, time: DateTime<Utc>) -> String {
        match self {
            Zone::Utc => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            Zone::Local => time.with_timezone(&Local).to_rfc3339_opts(SecondsFormat::AutoSi, false),
            Zone::Fixed(offset) => time.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::AutoSi, false),
            Zone::Named(zone) => time.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false),
        }
    }

    /// The seconds that clocks of this zone are ahead of UTC at a time.
    fn offset_seconds(self, time: DateTime<Utc>) -> i32 {
        match self {
            Zone::Utc => 0,
            Zone::Local => time.with_timezone(&Local).offset().fix().local_minus_utc(),
            Zone::Fixed(offset) => offset.local_minus_utc(),
            Zone::Named(zone) => time.with_timezone(&zone).offset().fix().local_minus_utc(),
        }
    }

    /// A time of a report, which is RFC 3339 in UTC, in this zone.
    pub fn restate(self, time: &str) -> String {
        match DateTime::parse_from_rfc3339(time) {
            Ok(time) => self.show(time.to_utc()),
            Err(_) => time.to_string(),
        }
    }

    /// How many seconds it is ahead of UTC at an instant, in microseconds since 1970.
    pub fn offset_at(self, instant_us: i64) -> i32 {
        DateTime::from_timestamp_micros(instant_us).map_or(0, |time| self.offset_seconds(time))
    }

    /// Reads a day, a day and time, or RFC 3339; without an offset it is in this zone. `None` if it is
    /// none of these, or a time that the clocks of this zone skipped; of a time that came twice, the first.
    pub fn read(self, text: &str) -> Option<DateTime<Utc>> {
        let text = text.trim();
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Some(time.to_utc());
        }
        let naive = naive(text)?;
        match self {
            Zone::Utc => Some(naive.and_utc()),
            Zone::Local => first(Local.from_local_datetime(&naive)),
            Zone::Fixed(offset) => first(offset.from_local_datetime(&naive)),
            Zone::Named(zone) => first(zone.from_local_datetime(&naive)),
        }
    }
}

fn naive(text: &str) -> Option<NaiveDateTime> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return day.and_hms_opt(0, 0, 0);
    }
    let text = text.replacen('T', " ", 1);
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
}

fn first<Z: TimeZone>(time: LocalResult<DateTime<Z>>) -> Option<DateTime<Utc>> {
    time.earliest().map(|time| time.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
    }

    #[test]
    fn zones_have_names_and_offsets() {
        assert_eq!(parse("utc"), Ok(Zone::Utc));
        assert_eq!(parse("local"), Ok(Zone::Local));
        assert_eq!(parse("europe/berlin"), Ok(Zone::Named(Tz::Europe__Berlin)));
        assert!(matches!(parse("+02:00"), Ok(Zone::Fixed(_))));
        assert!(["", "Mars/Olympus", "+99:00", "+2 hours"].map(parse).iter().all(Result::is_err));
    }

    #[test]
    fn times_are_shown_with_the_digits_they_need() {
        let berlin = Zone::Named(Tz::Europe__Berlin);
        let show = |zone: Zone, text| at(text).map(|time| zone.show(time)).unwrap_or_default();
        assert_eq!(show(Zone::Utc, "2026-02-03T04:05:06Z"), "2026-02-03T04:05:06Z");
        assert_eq!(show(Zone::Utc, "2026-02-03T04:05:06.5Z"), "2026-02-03T04:05:06.500Z");
        assert_eq!(show(Zone::Utc, "2026-02-03T04:05:06.000001Z"), "2026-02-03T04:05:06.000001Z");
        assert_eq!(show(berlin, "2026-02-03T23:30:00Z"), "2026-02-04T00:30:00+01:00");
        assert_eq!(show(berlin, "2026-07-03T23:30:00Z"), "2026-07-04T01:30:00+02:00");
    }

    #[test]
    fn times_of_reports_are_stated_in_the_zone() {
        let berlin = Zone::Named(Tz::Europe__Berlin);
        assert_eq!(berlin.restate("2026-02-03T04:05:06.5Z"), "2026-02-03T05:05:06.500+01:00");
        assert_eq!(berlin.restate("never"), "never");
    }

    #[test]
    fn times_without_an_offset_are_read_in_the_zone() {
        let berlin = Zone::Named(Tz::Europe__Berlin);
        assert_eq!(Zone::Utc.read("2026-02-03"), at("2026-02-03T00:00:00Z"));
        assert_eq!(berlin.read("2026-07-03"), at("2026-07-02T22:00:00Z"));
        assert_eq!(berlin.read("2026-02-03 04:05"), at("2026-02-03T03:05:00Z"));
        assert_eq!(berlin.read("2026-02-03T04:05:06.25"), at("2026-02-03T03:05:06.25Z"));
        assert_eq!(berlin.read("2026-02-03T04:05:06Z"), at("2026-02-03T04:05:06Z"));
        assert_eq!(berlin.read("2026-03-29 02:30"), None);
        assert_eq!(berlin.read("2026-10-25 02:30"), at("2026-10-25T00:30:00Z"));
        assert_eq!(Zone::Utc.read("yesterday"), None);
    }
}
