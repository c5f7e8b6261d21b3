//! Looking after a store: what is kept, what goes, and what is said about it.

mod archiving;
mod compaction;
mod encryption;
mod erasure;
mod expiry;
mod maintaining;
mod model;
mod points;
mod readonly;

use crate::support::{fast_folder, query};
use arrow::array::{Array, AsArray};
use daybook::query::filter::{Context, Filter};
use daybook::storage::LocalStorage;
use daybook::verify::{Head, VerifyReport, VerifyRequest};
use daybook::{ExpireReceipt, ExpireRequest, IngestOptions, Input, NoProgress, Result, Store};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub const DAY_US: i64 = 86_400_000_000;
/// 2026-01-10.
pub const START_US: i64 = 1_768_003_200_000_000;

/// A clock that can be set.
pub struct Now(Arc<AtomicI64>);

impl Now {
    pub fn go_on(&self, days: i64) {
        self.0.fetch_add(days * DAY_US, Ordering::Relaxed);
    }
}

/// The store in a folder, at a time in days after the start.
pub fn at_day(folder: &Path, day: i64) -> (Store, Now) {
    with_storage(LocalStorage::new(folder), day).unwrap()
}

pub fn with_storage(storage: LocalStorage, day: i64) -> Result<(Store, Now)> {
    let now = Arc::new(AtomicI64::new(START_US + day * DAY_US));
    let clock = now.clone();
    let store = Store::create_storage(storage, Arc::new(move || clock.fetch_add(1, Ordering::Relaxed)))?;
    Ok((store, Now(now)))
}

pub fn ingest(store: &Store, name: &str, text: &str) {
    let reader = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
    let input = Input::Reader { name: name.to_string(), reader };
    let options =
        IngestOptions { threads: 1, from: Some(daybook::Format::JsonLines), ..IngestOptions::default() };
    store.ingest(vec![input], &options, &NoProgress).unwrap();
}

/// Lines of three kinds of events for some days after the start: `debug`, and those of `ann` and `bob`.
pub fn lines(name: &str, days: std::ops::Range<i64>) -> String {
    let mut text = String::new();
    for day in days {
        for (number, (kind, actor)) in
            [("debug", "ann"), ("login", "ann"), ("login", "bob")].iter().enumerate()
        {
            let ts = START_US / 1000 + day * DAY_US / 1000 + number as i64;
            text.push_str(&format!(
                "{{\"ts\":{ts},\"kind\":\"{kind}\",\"actor\":\"{actor}\",\"id\":\"{name}-{day}-{number}\",\"n\":{day}}}\n"
            ));
        }
    }
    text
}

/// Two inputs for some days.
pub fn filled(folder: &Path, days: i64) {
    let (store, _) = at_day(folder, days);
    for name in ["a", "b"] {
        ingest(&store, name, &lines(name, 0..days));
    }
    store.close().unwrap();
}

/// The producers' ids of all events but those about the store.
pub fn ids(store: &Store) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for batch in query(store, "SELECT event_id FROM events WHERE source IS DISTINCT FROM 'daybook'").unwrap()
    {
        let column = batch.column(0).as_string::<i32>();
        for row in 0..column.len() {
            assert!(ids.insert(column.value(row).to_string()), "`{}` is there twice", column.value(row));
        }
    }
    ids
}

pub fn verified(store: &Store, against: Option<Head>) -> VerifyReport {
    let report = store.verify(&VerifyRequest { against, deep: true }, &NoProgress).unwrap();
    assert!(report.intact, "{:?}", report.problems);
    report
}

pub fn filter(text: &str) -> Filter {
    Filter::parse(text, &Context::without_clock()).unwrap()
}

pub fn expiry(text: &str, days: i64) -> ExpireRequest {
    ExpireRequest {
        older_than_ms: Some(days * DAY_US / 1000),
        max_bytes: None,
        filter: filter(text),
        text: text.to_string(),
        dry_run: false,
        is_policy: false,
    }
}

pub fn expire(store: &Store, request: &ExpireRequest) -> Result<ExpireReceipt> {
    store.expire(request, &NoProgress)
}

/// A store of some days to work on.
pub fn fixture(days: i64) -> tempfile::TempDir {
    let folder = fast_folder();
    filled(folder.path(), days);
    folder
}
