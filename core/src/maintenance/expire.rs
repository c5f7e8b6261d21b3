//! Retention: events that are old enough, or too many, leave the table.

use super::erase::keyed_hash;
use super::take::{Account, Chosen, Rows, Work, event_about, take};
use crate::error::Result;
use crate::log::DataFile;
use crate::query::filter::Filter;
use chrono::{DateTime, NaiveDate};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is to expire: what is old enough, and what is too much.
#[derive(Clone, Debug)]
pub struct ExpireRequest {
    /// Events of days (UTC) that ended so many milliseconds ago, or longer.
    pub older_than_ms: Option<i64>,
    /// The oldest days, until what is left has at most so many bytes.
    pub max_bytes: Option<u64>,
    /// Only events that match.
    pub filter: Filter,
    /// The filter as it was written.
    pub text: String,
    /// Whether to say only what would be done.
    pub dry_run: bool,
    /// Whether it is a policy of the settings: then a field that no event has is no error, and the filter is recorded
    /// in words. What a person asks for may name another person, and is recorded as a keyed hash.
    pub is_policy: bool,
}

/// What expired, or would.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ExpireReceipt {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// The filter, as it was written; empty for every event.
    pub filter: String,
    /// Events of days before this one are old enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_day: Option<NaiveDate>,
    /// Events in data files before.
    pub events_before: u64,
    /// Bytes of data files before.
    pub bytes_before: u64,
    /// Events in data files after; the one about it is among them.
    pub events_after: u64,
    /// Bytes of data files after; of files that are only to be written, about so many.
    pub bytes_after: u64,
    /// Events that expired.
    pub expired: u64,
    /// The first day of which some did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_day: Option<NaiveDate>,
    /// The last day of which some did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_day: Option<NaiveDate>,
    /// Files of which all events did.
    pub files_removed: u64,
    /// Files that were written anew without some of their events.
    pub files_rewritten: u64,
    /// The version that took them out; none if there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

impl ExpireRequest {
    /// The day before which events are old enough.
    pub fn before_day(&self, now_ms: i64) -> Option<NaiveDate> {
        let at = now_ms.checked_sub(self.older_than_ms?)?;
        Some(DateTime::from_timestamp_millis(at)?.date_naive())
    }

    /// Of the events that match, those that are to go.
    pub fn chosen(&self, matching: Chosen, now_ms: i64) -> Chosen {
        let old = self.before_day(now_ms);
        let full = self.max_bytes.map(|most| days_that_fit(&matching, most));
        matching
            .into_iter()
            .filter(|(file, _)| {
                let is_old = old.is_some_and(|day| file.day < day);
                // The event about an expiry must not be what is too much the next time.
                is_old || (!is_own(file) && full.as_ref().is_some_and(|kept| !kept.contains(&file.day)))
            })
            .collect()
    }

    /// Files that can have events that are to go.
    pub fn candidates<'a>(&self, files: &'a [DataFile], now_ms: i64) -> Vec<&'a DataFile> {
        let old = self.before_day(now_ms);
        let any = self.max_bytes.is_some();
        files.iter().filter(|file| any || old.is_some_and(|day| file.day < day)).collect()
    }
}

/// Whether a file has only events of Daybook's own.
fn is_own(file: &DataFile) -> bool {
    let source = |bounds: &serde_json::Map<String, serde_json::Value>| {
        bounds.get("source").and_then(serde_json::Value::as_str) == Some("daybook")
    };
    let nulls = file.stats.nulls.get("source").and_then(serde_json::Value::as_u64);
    source(&file.stats.min) && source(&file.stats.max) && nulls == Some(0)
}

/// The newest days whose events have at most so many bytes together.
fn days_that_fit(matching: &Chosen, most: u64) -> BTreeSet<NaiveDate> {
    let mut days: BTreeMap<NaiveDate, u64> = BTreeMap::new();
    for (file, rows) in matching {
        let bytes = days.entry(file.day).or_default();
        *bytes = bytes.saturating_add(share(file, rows));
    }
    let mut room = Some(most);
    let mut fits = |bytes: u64| {
        room = room.and_then(|left| left.checked_sub(bytes));
        room.is_some()
    };
    days.into_iter().rev().take_while(|(_, bytes)| fits(*bytes)).map(|(day, _)| day).collect()
}

/// `1 event`, `12 events`.
pub fn counted(events: u64) -> String {
    format!("{events} event{}", if events == 1 { "" } else { "s" })
}

/// About how many bytes the events take.
pub fn bytes_of(chosen: &Chosen) -> u64 {
    chosen.iter().map(|(file, rows)| share(file, rows)).sum()
}

/// About how many bytes of a file the events take.
fn share(file: &DataFile, rows: &Rows) -> u64 {
    match rows {
        Rows::All => file.size,
        Rows::Some(seqs) => {
            let share = u128::from(file.size).saturating_mul(seqs.len() as u128);
            u64::try_from(share.checked_div(u128::from(file.rows)).unwrap_or_default()).unwrap_or(u64::MAX)
        }
    }
}

/// What would be done.
pub fn plan(request: &ExpireRequest, live: &[DataFile], chosen: &Chosen, now_ms: i64) -> ExpireReceipt {
    let events_before = live.iter().map(|file| file.rows).sum::<u64>();
    let bytes_before = live.iter().map(|file| file.size).sum::<u64>();
    let expired: u64 = chosen.iter().map(|(file, rows)| rows.count(file)).sum();
    let bytes: u64 = chosen.iter().map(|(file, rows)| share(file, rows)).sum();
    let days = || chosen.iter().map(|(file, _)| file.day);
    let whole = chosen.iter().filter(|(_, rows)| matches!(rows, Rows::All)).count() as u64;
    ExpireReceipt {
        dry_run: request.dry_run,
        filter: request.text.clone(),
        before_day: request.before_day(now_ms),
        events_before,
        bytes_before,
        events_after: events_before.saturating_sub(expired),
        bytes_after: bytes_before.saturating_sub(bytes),
        expired,
        from_day: days().min(),
        to_day: days().max(),
        files_removed: whole,
        files_rewritten: (chosen.len() as u64).saturating_sub(whole),
        version: None,
    }
}

/// Takes events out of the table, if there are any.
pub fn expire(
    work: &Work<'_>,
    chosen: &Chosen,
    receipt: ExpireReceipt,
    is_policy: bool,
    seq: i64,
) -> Result<ExpireReceipt> {
    if chosen.is_empty() {
        return Ok(receipt);
    }
    let filter = match is_policy || receipt.filter.is_empty() {
        true => receipt.filter.clone(),
        false => keyed_hash(&*work.tables.storage, &receipt.filter)?,
    };
    let note = serde_json::json!({
        "filter": filter,
        "before_day": receipt.before_day,
        "from_day": receipt.from_day,
        "to_day": receipt.to_day,
    });
    let details = serde_json::json!({
        "filter": filter,
        "expired": receipt.expired,
        "events_before": receipt.events_before,
        "bytes_before": receipt.bytes_before,
        "from_day": receipt.from_day,
        "to_day": receipt.to_day,
    });
    let event = event_about("expire", format!("{} expired", counted(receipt.expired)), details);
    let account = Account { why: "expire", note: note.to_string(), event, seq, marker: None };
    let (version, _) = take(work, chosen, &account, None)?;
    let snapshot = work.tables.events.snapshot(crate::log::At::Version(version))?;
    Ok(ExpireReceipt {
        events_after: snapshot.files.iter().map(|file| file.rows).sum(),
        bytes_after: snapshot.files.iter().map(|file| file.size).sum(),
        version: Some(version),
        ..receipt
    })
}
