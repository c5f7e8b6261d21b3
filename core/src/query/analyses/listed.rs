//! Events as reports list them.

use super::{Answers, Counts};
use crate::query::filter::IS_ERROR;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// The columns of an event that reports list, and whether it is an error.
pub(super) fn columns() -> String {
    format!(
        "ts, seq, event_id, source, kind, level, actor, session, entity_type, entity_id, status, duration_ms, \
         message, trace_id, coalesce({IS_ERROR}, FALSE) AS is_error"
    )
}

/// Events in order of time, and what they have in common.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Course {
    /// When the first happened.
    pub from: Option<String>,
    /// When the last happened.
    pub to: Option<String>,
    /// How much time lies between them, in milliseconds.
    pub duration_ms: f64,
    /// How many there are.
    pub count: u64,
    /// How many of them are errors.
    pub errors: u64,
    /// `success`, `failure` if the last event is an error, `recovered` if another one is.
    pub outcome: Option<&'static str>,
    /// Who is in them.
    pub actors: Counts,
    /// What wrote them.
    pub sources: Counts,
    /// What happened.
    pub kinds: Counts,
    /// The times without an event that are longer than was asked for.
    pub gaps: Vec<Gap>,
    /// The events, the oldest first.
    pub events: Vec<Map<String, Json>>,
    /// Whether there are more than were asked for.
    pub more: bool,
}

/// A time without an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// When the event before it happened.
    pub from: String,
    /// When the event after it happened.
    pub to: String,
    /// How long it is, in milliseconds.
    pub duration_ms: f64,
}

/// An event with its time.
#[derive(Clone, Debug)]
pub(super) struct Timed {
    pub(super) ts_us: i64,
    pub(super) event: Map<String, Json>,
}

/// The events of a query over [`columns`].
pub(super) fn timed(answers: &Answers, name: &str) -> Vec<Timed> {
    let times = answers.rows(name).iter().map(|row| row.time(0).unwrap_or_default());
    times.zip(answers.objects(name, false)).map(|(ts_us, event)| Timed { ts_us, event }).collect()
}

impl Course {
    /// The course of events in order of time.
    pub(super) fn of(mut timed: Vec<Timed>, limit: u64, gap_us: i64) -> Course {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = timed.len() > limit;
        timed.truncate(limit);
        let text = |event: &Timed| event.event.get("ts").and_then(Json::as_str).map(str::to_string);
        let (from, to) = (timed.first().and_then(text), timed.last().and_then(text));
        let is_error = |event: &Timed| event.event.get("is_error") == Some(&Json::Bool(true));
        let errors = timed.iter().filter(|event| is_error(event)).count() as u64;
        let ends: Option<(i64, i64)> =
            timed.first().zip(timed.last()).map(|(first, last)| (first.ts_us, last.ts_us));
        Course {
            from,
            to,
            duration_ms: ends.map_or(0.0, |(first, last)| milliseconds(last.saturating_sub(first))),
            count: timed.len() as u64,
            errors,
            outcome: timed.last().map(|last| outcome(errors, is_error(last))),
            actors: counted(&timed, "actor"),
            sources: counted(&timed, "source"),
            kinds: counted(&timed, "kind"),
            gaps: gaps(&timed, gap_us),
            events: timed.into_iter().map(|event| event.event).collect(),
            more,
        }
    }
}

/// How something ended that has so many errors.
pub(super) fn outcome(errors: u64, last_is_error: bool) -> &'static str {
    match (errors, last_is_error) {
        (_, true) => "failure",
        (0, false) => "success",
        (_, false) => "recovered",
    }
}

pub(super) fn milliseconds(micros: i64) -> f64 {
    micros as f64 / 1_000.0
}

fn gaps(timed: &[Timed], longer_us: i64) -> Vec<Gap> {
    let pairs = timed.iter().zip(timed.iter().skip(1));
    let gap = |(before, after): (&Timed, &Timed)| {
        let length = after.ts_us.saturating_sub(before.ts_us);
        let text = |event: &Timed| Some(event.event.get("ts")?.as_str()?.to_string());
        let (from, to) = (text(before)?, text(after)?);
        (length > longer_us).then(|| Gap { from, to, duration_ms: milliseconds(length) })
    };
    pairs.filter_map(gap).collect()
}

/// The values of a column, the most frequent first.
fn counted(timed: &[Timed], column: &str) -> Counts {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for value in timed.iter().filter_map(|event| event.event.get(column)?.as_str()) {
        *counts.entry(value).or_default() += 1;
    }
    let mut counts: Vec<(String, u64)> =
        counts.into_iter().map(|(value, count)| (value.to_string(), count)).collect();
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    Counts(counts)
}
