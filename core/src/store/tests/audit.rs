//! The audit report: what the store says of itself in a period.

use super::*;
use crate::maintenance::CompactRequest;
use crate::query::analyses::Audit;

const HOUR_US: i64 = 3_600_000_000;

fn audited(store: &Store, from_us: i64, until_us: i64) -> crate::query::analyses::AuditReport {
    store.audit(&Audit::new(from_us, until_us), &AskOptions::default()).unwrap()
}

#[test]
fn quarantine_and_commits_count_when_they_came() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    ingest(&store, "{\"kind\":\"a\",\"password\":\"x\"}\nnot JSON\n{\"kind\":\n");
    fixture.pass_seconds(2 * 3600);
    ingest(&store, "{\"kind\":\"b\"}\n\u{fffd}\n");
    let (first, last) = (START_US, START_US + HOUR_US);
    let report = audited(&store, first, last);
    assert_eq!((report.store.quarantined, report.store.quarantined_ever), (2, 3));
    assert_eq!(report.store.quarantined_by_reason.0.iter().map(|(_, count)| count).sum::<u64>(), 2);
    assert_eq!(report.redacted.0, [("password".to_string(), 1)]);
    assert_eq!((report.totals.events, report.store.maintenance.len()), (1, 0));
    let late = audited(&store, last, last + 2 * HOUR_US);
    assert_eq!((late.store.quarantined, late.totals.events, late.store.commits), (1, 1, 1));
}

#[test]
fn heads_of_the_chain_are_of_the_beginning_and_the_end() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    for number in 0..3 {
        ingest(&store, &format!("{{\"kind\":\"a\",\"n\":{number}}}\n"));
        fixture.pass_seconds(3600);
    }
    store.compact(&CompactRequest::default(), &crate::ingest::progress::NoProgress).unwrap();
    let head = |version: u64| store.tables.events.chain_record(version).unwrap().unwrap().hash;
    let report = audited(&store, START_US + 1_000_000, START_US + 2 * HOUR_US - 1);
    let (start, end) = (report.store.chain_at_start.unwrap(), report.store.chain_at_end.unwrap());
    assert_eq!((start.version, start.head), (1, head(1)));
    assert_eq!((end.version, end.head), (2, head(2)));
    assert_eq!((report.store.commits, report.store.maintenance.len()), (1, 0));
    let whole = audited(&store, START_US - 1, START_US + 9 * HOUR_US);
    assert_eq!(whole.store.chain_at_start, None);
    assert_eq!(whole.store.chain_at_end, whole.store.chain_now);
    let actions: Vec<_> = whole.store.maintenance.iter().map(|commit| commit.operation.as_str()).collect();
    assert_eq!(actions, ["OPTIMIZE"]);
    let commit = whole.store.maintenance.first().unwrap();
    assert_eq!((commit.data_change, commit.events_added, commit.events_removed), (false, 3, 3));
}
