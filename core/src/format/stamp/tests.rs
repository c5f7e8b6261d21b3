use super::*;
use crate::event::time::{read_text, rfc3339};
use proptest::prelude::*;

fn at(text: &str) -> Stamps {
    Stamps::new(read_text(text).unwrap().0)
}

fn check(text: &str, expected: &str, form: Form, rest: &str) {
    let stamp = at("2026-02-04T00:00:00Z").read(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
    assert_eq!((rfc3339(stamp.micros).as_str(), stamp.form), (expected, form), "{text}");
    assert_eq!(&text[stamp.length..], rest, "{text}");
}

const FORMS: &[(&str, Form, &str)] = &[
    ("2026-02-03T10:30:45Z x", Form::Iso, " x"),
    ("2026-02-03 10:30:45", Form::Iso, ""),
    ("2026-02-03 10:30:45, Info", Form::Iso, ", Info"),
    ("2026-02-03t10:30:45z]", Form::Iso, "]"),
    ("2026-02-03T12:30:45+02:00 x", Form::Iso, " x"),
    ("2026-02-03 12:30:45 +0200 x", Form::Iso, " x"),
    ("2026-02-03 05:30:45-0500", Form::Iso, ""),
    ("2026-02-03 12:30:45+02 x", Form::Iso, " x"),
    ("2026-02-03 10:30:45 UTC [7]", Form::Iso, " [7]"),
    ("2026-02-03 11:30:45 CET [7]", Form::Iso, " [7]"),
    ("2026-02-03 10:30:45 CST [7]", Form::Iso, " CST [7]"),
    ("2026-02-03 10:30:45 - x", Form::Iso, " - x"),
    ("2026-02-03 10:30:45 -12 x", Form::Iso, " -12 x"),
    ("2026-02-03-10.30.45 x", Form::Iso, " x"),
    ("2026-02-03_10:30:45 x", Form::Iso, " x"),
    ("2026/02/03 10:30:45 [error]", Form::YearFirst, " [error]"),
    ("2026/2/3:10:30:45 x", Form::YearFirst, " x"),
    ("2026.02.03 10:30:45 x", Form::YearFirst, " x"),
    ("2026-Feb-03 10:30:45 x", Form::YearFirst, " x"),
    ("2026 Feb  3 10:30:45 x", Form::YearBsd, " x"),
    ("03/Feb/2026:10:30:45 +0000] x", Form::Clf, "] x"),
    ("03/Feb/2026:05:30:45 -0500]", Form::Clf, "]"),
    ("03-Feb-2026 10:30:45 x", Form::DayName, " x"),
    ("3 Feb 2026 10:30:45 x", Form::DayName, " x"),
    ("Feb  3 10:30:45 host", Form::Bsd, " host"),
    ("Feb 3 10:30:45 host", Form::Bsd, " host"),
    ("Feb 03 10:30:45 host", Form::Bsd, " host"),
    ("Feb  3 10:30:45: %SYS", Form::Bsd, ": %SYS"),
    ("Feb 3 2026 10:30:45: %ASA", Form::BsdYear, ": %ASA"),
    ("Feb 03, 2026 10:30:45 AM org.x", Form::NameDay, " org.x"),
    ("Tue Feb 03 10:30:45 2026] [core:error]", Form::Ctime, "] [core:error]"),
    ("Tue Feb  3 10:30:45 UTC 2026: x", Form::Ctime, ": x"),
    ("Tue Feb  3 10:30:45 CST 2026 x", Form::Bsd, " CST 2026 x"),
    ("Tue, 03 Feb 2026 10:30:45 GMT x", Form::Mail, " x"),
    ("Tue, 3 Feb 2026 05:30:45 -0500", Form::Mail, ""),
    ("20260203T103045Z x", Form::Compact, " x"),
    ("20260203 10:30:45 x", Form::Compact, " x"),
    ("20260203103045 x", Form::Compact, " x"),
    ("260203 103045 148 INFO", Form::Short, " 148 INFO"),
    ("260203 10:30:45 [Note]", Form::Short, " [Note]"),
    ("26/02/03 10:30:45 INFO", Form::ShortSlash, " INFO"),
    ("02-03 10:30:45 x", Form::MonthDay, " x"),
    ("I0203 10:30:45 7 a.go:1] x", Form::Glog, " 7 a.go:1] x"),
    ("W20260203 10:30:45 7", Form::Glog, " 7"),
    ("1770114645 2026.02.03", Form::Epoch, " 2026.02.03"),
    ("1770114645000 x", Form::Epoch, " x"),
    ("03/02/2026 10:30:45 x", Form::DayMonth, " x"),
    ("3.2.2026 10:30:45 x", Form::DayMonth, " x"),
    ("03/02/2026, 10:30:45 AM x", Form::DayMonth, " x"),
];

#[test]
fn every_form_of_the_same_time() {
    let expected = "2026-02-03T10:30:45Z";
    for &(text, form, rest) in FORMS {
        check(text, expected, form, rest);
    }
}

#[test]
fn fractions_halves_and_minutes() {
    check("2026-02-03T10:30:45.123456789Z", "2026-02-03T10:30:45.123456Z", Form::Iso, "");
    check("2026-02-03 10:30:45,5 x", "2026-02-03T10:30:45.500Z", Form::Iso, " x");
    check("2026-02-03 10:30 x", "2026-02-03T10:30:00Z", Form::Iso, " x");
    check("2026-02-03-10.30.45.675872 x", "2026-02-03T10:30:45.675872Z", Form::Iso, " x");
    check("20260203-10:30:45:123|Step", "2026-02-03T10:30:45.123Z", Form::Compact, "|Step");
    check("20260203-9:3:5:7|Step", "2026-02-03T09:03:05.007Z", Form::Compact, "|Step");
    check("260203  9:30:45 x", "2026-02-03T09:30:45Z", Form::Short, " x");
    check("02-03 10:30:45.123  1702", "2026-02-03T10:30:45.123Z", Form::MonthDay, "  1702");
    check("1770114645.25 x", "2026-02-03T10:30:45.250Z", Form::Epoch, " x");
    check("2/3/2026 12:30:45 PM", "2026-03-02T12:30:45Z", Form::DayMonth, "");
    check("2/3/2026 12:30:45 am", "2026-03-02T00:30:45Z", Form::DayMonth, "");
    check("Feb 3, 2026 1:30:45 PM x", "2026-02-03T13:30:45Z", Form::NameDay, " x");
    check("2026-02-03 13:30:45 PM started", "2026-02-03T13:30:45Z", Form::Iso, " PM started");
    check("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", Form::Iso, "");
    check("Tue Feb 03 10:30:45.678901 2026]", "2026-02-03T10:30:45.678901Z", Form::Ctime, "]");
}

#[test]
fn what_is_no_timestamp() {
    for text in [
        "",
        "10:30:45",
        "10:30:45 x",
        "2026-02-03",
        "2026-02-03 x",
        "2026-02-30 10:30:45",
        "2026-13-01 10:30:45",
        "2026-02-03 25:00:00",
        "2026-02-03 10:30:45x",
        "2026-02-03x10:30:45",
        "Feb 3",
        "Feb 30 10:30:45",
        "Febr 3 10:30:45",
        "Tuesday",
        "I0203",
        "17701146450",
        "0770114645",
        "99991231T000000Z",
        "31/31/2026 10:30",
        "1.2.3.4 - -",
        "127.0.0.1 10:30:45",
        "12 34 5678 10:30",
    ] {
        assert_eq!(at("2026-02-04T00:00:00Z").read(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_missing_year_is_the_latest_that_is_not_in_the_future() {
    for (written, text, expected) in [
        ("2026-01-05T00:00:00Z", "Dec 31 23:59:59", "2025-12-31T23:59:59Z"),
        ("2026-01-05T00:00:00Z", "Jan  1 00:00:00", "2026-01-01T00:00:00Z"),
        ("2026-01-05T00:00:00Z", "Jan  5 23:00:00", "2026-01-05T23:00:00Z"),
        ("2026-01-05T00:00:00Z", "Jan  6 00:00:01", "2025-01-06T00:00:01Z"),
        ("2025-12-31T23:30:00Z", "Jan  1 00:10:00", "2026-01-01T00:10:00Z"),
        ("2026-01-05T00:00:00Z", "Feb 29 10:00:00", "2024-02-29T10:00:00Z"),
        ("1904-01-05T00:00:00Z", "Feb 29 10:00:00", ""),
    ] {
        let read = at(written).read(text.as_bytes()).map(|stamp| {
            assert!(!stamp.had_year && !stamp.had_zone);
            rfc3339(stamp.micros)
        });
        assert_eq!(read.unwrap_or_default(), expected, "{written} {text}");
    }
}

#[test]
fn the_sample_tells_days_from_months() {
    let read = |texts: &[&str]| {
        let mut order = Order::default();
        texts.iter().for_each(|text| order.add(text.as_bytes()));
        let stamps = at("2026-12-31T00:00:00Z").with_month_first(order.month_first());
        let stamp = stamps.read(b"03/02/2026 10:30").unwrap();
        (rfc3339(stamp.micros), Open::default().notes(&stamps, &order).len())
    };
    assert_eq!(read(&["03/02/2026 10:30"]), ("2026-02-03T10:30:00Z".to_string(), 1));
    assert_eq!(read(&["03/02/2026 10:30", "13/02/2026 10:30"]), ("2026-02-03T10:30:00Z".to_string(), 0));
    assert_eq!(read(&["03/02/2026 10:30", "02/13/2026 10:30"]), ("2026-03-02T10:30:00Z".to_string(), 0));
    assert_eq!(read(&["13/02/2026 10:30", "02/13/2026 10:30"]), ("2026-02-03T10:30:00Z".to_string(), 1));
    // What makes sense in the other order only is read in that.
    check("02/13/2026 10:30", "2026-02-13T10:30:00Z", Form::DayMonth, "");
}

#[test]
fn notes_say_what_was_taken_for_granted() {
    let stamps = at("2026-02-04T00:00:00Z");
    let mut open = Open::default();
    open.add(&stamps.read(b"2026-02-03T10:30:45Z").unwrap());
    assert!(open.notes(&stamps, &Order::default()).is_empty());
    open.add(&stamps.read(b"Feb  3 10:30:45").unwrap());
    let notes = open.notes(&stamps, &Order::default());
    assert!(notes[0].starts_with("the lines give no year: 2026 is taken"), "{notes:?}");
    assert_eq!(notes[1], "the timestamps give no zone: they are taken as UTC");
}

#[test]
fn forms_have_names() {
    for form in Form::ALL {
        assert_eq!(Form::from_name(form.name()), Some(form));
    }
    assert_eq!(Form::from_name("no form"), None);
}

proptest! {
    #[test]
    fn any_text_is_read_without_harm(text in "[ -~]{0,40}", written in any::<i64>()) {
        if let Some(stamp) = Stamps::new(written).read(text.as_bytes()) {
            prop_assert!(stamp.length <= text.len());
        }
    }

    #[test]
    fn almost_timestamps_are_read_without_harm(
        text in "(Feb|Tue|I|1|20)?[ 0-9TZ:/.,+-]{0,30}", month_first in any::<bool>()
    ) {
        let stamps = at("2026-02-04T00:00:00Z").with_month_first(month_first);
        if let Some(stamp) = stamps.read(text.as_bytes()) {
            prop_assert!(stamp.length <= text.len());
            prop_assert!((EARLIEST_US..LATEST_US).contains(&stamp.micros));
        }
    }

    #[test]
    fn timestamps_are_written_as_everywhere(micros in EARLIEST_US..LATEST_US, round in 0..3) {
        let micros = micros / [1, 1_000, 1_000_000][round as usize] * [1, 1_000, 1_000_000][round as usize];
        let mut out = Vec::new();
        quote_into(micros, &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), format!("\"{}\"", rfc3339(micros)));
    }
}
