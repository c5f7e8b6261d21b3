//! The parts of analyses that need no engine.

use super::{Request, Walk};
use crate::error::ErrorKind;
use crate::event::time::DAY_US;
use crate::query::filter::{Context, TsSpan};
use serde_json::json;

fn walk(days: &[(i64, u64)], within: Option<TsSpan>) -> Vec<TsSpan> {
    Walk::new(days.iter().map(|(day, rows)| (day * DAY_US, *rows)).collect(), within).collect()
}

/// Spans follow each other from the end to the beginning without a gap.
fn check_chain(spans: &[TsSpan], within: TsSpan) {
    assert_eq!(spans.first().map(|span| span.until), Some(within.until));
    assert_eq!(spans.last().map(|span| span.from), Some(within.from));
    for pair in spans.windows(2) {
        assert_eq!(pair[0].from, pair[1].until, "{spans:?}");
        assert!(pair[1].from < pair[1].until, "{spans:?}");
    }
}

const ALL: TsSpan = TsSpan { from: i64::MIN, until: i64::MAX };

#[test]
fn a_walk_begins_with_few_events_and_covers_all_of_time() {
    let days: Vec<(i64, u64)> = (0..365).map(|day| (day, 27_000)).collect();
    let spans = walk(&days, None);
    check_chain(&spans, ALL);
    assert_eq!(spans[0].from, 364 * DAY_US);
    assert!((3..8).contains(&spans.len()), "{spans:?}");
}

#[test]
fn a_day_with_many_events_is_walked_in_parts() {
    let spans = walk(&[(0, 100), (1, 6_000_000)], None);
    check_chain(&spans, ALL);
    assert!(spans[0].from > 2 * DAY_US - DAY_US / 50, "{spans:?}");
    assert!(spans.len() > 3, "{spans:?}");
}

#[test]
fn a_walk_stays_within_its_span() {
    let days: Vec<(i64, u64)> = (0..365).map(|day| (day, 100_000)).collect();
    let within = TsSpan { from: 10 * DAY_US + 5, until: 20 * DAY_US - 7 };
    check_chain(&walk(&days, Some(within)), within);
    assert_eq!(walk(&days, Some(TsSpan { from: 5, until: 5 })), []);
    assert_eq!(walk(&[], None), [ALL]);
    let later = TsSpan { from: 1_000 * DAY_US, until: i64::MAX };
    assert_eq!(walk(&days, Some(later)), [later]);
}

#[test]
fn requests_are_the_same_after_they_were_written() {
    let requests = [
        json!({"analysis": "stats", "filter": "kind:deploy last:24h"}),
        json!({"analysis": "timeline", "by": "kind", "every": "1h"}),
        json!({"analysis": "facets", "by": ["kind"], "filter": {"is": "error"}}),
        json!({"analysis": "search", "limit": 5, "columns": ["n"]}),
        json!({"analysis": "file-history", "path": "api/"}),
        json!({"analysis": "audit", "from": "2026-02-01T00:00:00Z", "until": "2026-02-02T00:00:00Z"}),
    ];
    for request in requests {
        let read = Request::from_json(request.clone(), &Context::new(DAY_US)).unwrap();
        let written = serde_json::to_value(&read).unwrap();
        let again = Request::from_json(written, &Context::without_clock()).unwrap();
        assert_eq!(again, read, "{request}");
    }
}

#[test]
fn requests_that_cannot_be_read_say_why() {
    let check = |request, kind, message: &str| {
        let error = Request::from_json(request, &Context::new(0)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    };
    check(json!({"analysis": "x"}), ErrorKind::Invalid, "unknown variant `x`");
    check(json!([]), ErrorKind::Invalid, "the request cannot be read");
    check(json!({"analysis": "stats", "filter": "(a"}), ErrorKind::Syntax, "^");
    check(json!({"analysis": "timeline", "every": "2h"}), ErrorKind::Invalid, "`2h`");
    check(json!({"analysis": "search", "limit": -1}), ErrorKind::Invalid, "-1");
}
