//! What the written forms of the report have in common: its sections, and how values are written.

use super::{AuditReport, ChainHead, Counts, EntityHistory};
use crate::query::analyses::SessionSummary;
use chrono::{DateTime, Datelike, NaiveDate};
use serde_json::{Map, Value as Json};

/// So many values of a column are written; the JSON has more.
const VALUES_WRITTEN: usize = 25;
/// So much of a value is written.
const VALUE_CHARACTERS: usize = 400;
/// Longer periods are shown by month.
const DAYS_SHOWN: i64 = 400;

/// A section of the report.
pub(super) struct Section<'a> {
    /// A word for links.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// Sentences above.
    pub(super) note: String,
    pub(super) body: Body<'a>,
}

/// What a section shows.
pub(super) enum Body<'a> {
    /// Names with values.
    Pairs(Vec<(&'static str, String)>),
    /// Values with how often they occur.
    Counts { of: &'static str, counts: Vec<(String, u64)>, left_out: usize },
    /// Events over time, and how many of them are errors.
    Course(Vec<Stretch>),
    /// Rows.
    Table { columns: Vec<&'static str>, rows: Vec<Vec<String>> },
    /// What changed, by entity.
    Changes(&'a [EntityHistory]),
}

/// The events of a day or a month.
pub(super) struct Stretch {
    pub(super) name: String,
    pub(super) events: u64,
    pub(super) errors: u64,
}

/// The sections, in order.
pub(super) fn sections(report: &AuditReport) -> Vec<Section<'_>> {
    let section = |id, title, note: String, body| Section { id, title, note, body };
    let plain = |id, title, body| section(id, title, String::new(), body);
    let out = &report.out_of_hours;
    let outside = format!("{} outside of {}.", events(out.count), out.hours);
    let state = &report.store;
    let quarantined = format!(
        "{} came in the period and could not be read; {} in quarantine now, of all time.",
        counted(state.quarantined, "record", "records"),
        counted(state.quarantined_ever, "record is", "records are"),
    );
    let upkeep = format!(
        "{} in the period. Retention, erasure, archiving and compaction are listed; new events are not.",
        counted(state.commits, "commit", "commits")
    );
    vec![
        section("summary", "Summary", sentences(&report.left_out), Body::Pairs(summary(report))),
        section(
            "days",
            "Course",
            "Days and months are those of UTC.".to_string(),
            Body::Course(course(report)),
        ),
        plain("kinds", "By kind", counts("kind", &report.by_kind)),
        plain("actors", "By actor", counts("actor", &report.by_actor)),
        plain("failures", "Failures", table(&EVENT, report.failures.iter().map(event))),
        plain("changes", "Changes", Body::Changes(&report.changes)),
        plain("sessions", "Sessions", table(&SESSION, report.sessions.iter().map(session))),
        section("hours", "Out of hours", outside, counts("actor", &out.by_actor)),
        plain("odd", "Events out of hours", table(&EVENT, out.events.iter().map(event))),
        section("gaps", "Gaps", "Times without any event.".to_string(), gaps(report)),
        section("quarantine", "Quarantine", quarantined, counts("reason", &state.quarantined_by_reason)),
        section("redacted", "Redacted values", REDACTED.to_string(), counts("column", &report.redacted)),
        section("upkeep", "Actions on the store", upkeep, maintenance(report)),
        section("chain", "Chain of hashes", CHAIN.to_string(), Body::Pairs(chain(report))),
    ]
}

const EVENT: [&str; 6] = ["when", "level", "kind", "who", "about", "message"];
const SESSION: [&str; 7] = ["session", "who", "from", "to", "events", "errors", "outcome"];
const REDACTED: &str = "Events of the period in which a secret was replaced before it was stored.";
const CHAIN: &str = "Each commit of the store has a SHA-256 of its content and of the commit before it. Whoever keeps \
    these heads can check later that no event that was committed before them was altered, removed or put in since.";

fn summary(report: &AuditReport) -> Vec<(&'static str, String)> {
    let totals = &report.totals;
    let text = |text: &Option<String>| text.as_deref().map_or_else(|| "none".to_string(), time);
    vec![
        ("Events", number(totals.events)),
        ("Errors", format!("{} ({:.1} %)", number(totals.errors), totals.error_rate * 100.0)),
        ("Actors", number(totals.actors)),
        ("Entities", number(totals.entities)),
        ("Changes", number(totals.changes)),
        ("Out of hours", number(report.out_of_hours.count)),
        ("In quarantine", number(report.store.quarantined)),
        ("Redacted values", number(report.redacted.0.iter().map(|(_, count)| count).sum())),
        ("First event", text(&totals.first)),
        ("Last event", text(&totals.last)),
    ]
}

fn chain(report: &AuditReport) -> Vec<(&'static str, String)> {
    let head = |head: &Option<ChainHead>| {
        let shown = |head: &ChainHead| {
            format!("{}\nversion {}, {}", head.head, head.version, time(&head.committed_at))
        };
        head.as_ref().map_or_else(|| "none: the store was not there yet".to_string(), shown)
    };
    let state = &report.store;
    vec![
        ("At the start", head(&state.chain_at_start)),
        ("At the end", head(&state.chain_at_end)),
        ("When this was made", head(&state.chain_now)),
    ]
}

fn counts<'a>(of: &'static str, counts: &Counts) -> Body<'a> {
    let left_out = counts.0.len().saturating_sub(VALUES_WRITTEN);
    Body::Counts { of, counts: counts.0.iter().take(VALUES_WRITTEN).cloned().collect(), left_out }
}

fn table<'a>(columns: &[&'static str], rows: impl Iterator<Item = Vec<String>>) -> Body<'a> {
    Body::Table { columns: columns.to_vec(), rows: rows.collect() }
}

/// Every day of the period, or every month of a long one, also those without events.
fn course(report: &AuditReport) -> Vec<Stretch> {
    let day = |text: &str| text.get(..10)?.parse::<NaiveDate>().ok();
    let (totals, period) = (&report.totals, &report.period);
    let ends = totals.first.as_deref().and_then(day).zip(totals.last.as_deref().and_then(day));
    let Some((mut first, mut last)) = ends else { return Vec::new() };
    if let Some((from, until)) = day(&period.from).zip(day(&period.until))
        && (until - from).num_days() <= DAYS_SHOWN
    {
        let ends_at_midnight = period.until.get(10..).is_some_and(|time| time == "T00:00:00Z");
        let until = if ends_at_midnight { until.pred_opt().unwrap_or(until) } else { until };
        (first, last) = (from.min(first), until.max(last));
    }
    let by_month = (last - first).num_days() > DAYS_SHOWN;
    let name = |day: NaiveDate| match by_month {
        true => day.format("%Y-%m").to_string(),
        false => day.format("%Y-%m-%d").to_string(),
    };
    let (mut stretches, mut next): (Vec<Stretch>, _) = (Vec::new(), Some(first));
    while let Some(day) = next.filter(|day| *day <= last) {
        stretches.push(Stretch { name: name(day), events: 0, errors: 0 });
        next = if by_month { next_month(day) } else { day.succ_opt() };
    }
    let places: hashbrown::HashMap<String, usize> =
        stretches.iter().enumerate().map(|(place, stretch)| (stretch.name.clone(), place)).collect();
    let mut add = |counts: &Counts, is_error: bool| {
        for (text, count) in &counts.0 {
            let place = day(text).and_then(|day| places.get(&name(day)));
            let Some(stretch) = place.and_then(|place| stretches.get_mut(*place)) else { continue };
            let sum = if is_error { &mut stretch.errors } else { &mut stretch.events };
            *sum = sum.saturating_add(*count);
        }
    };
    add(&report.by_day, false);
    add(&report.errors_by_day, true);
    stretches
}

fn next_month(day: NaiveDate) -> Option<NaiveDate> {
    let (year, month) = if day.month() == 12 { (day.year() + 1, 1) } else { (day.year(), day.month() + 1) };
    NaiveDate::from_ymd_opt(year, month, 1)
}

fn value(event: &Map<String, Json>, name: &str) -> String {
    event.get(name).and_then(Json::as_str).unwrap_or_default().to_string()
}

pub(super) fn event(event: &Map<String, Json>) -> Vec<String> {
    let about = [value(event, "entity_type"), value(event, "entity_id")];
    let about = about.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(":");
    vec![
        time(&value(event, "ts")),
        value(event, "level"),
        value(event, "kind"),
        value(event, "actor"),
        about,
        cut(&value(event, "message")),
    ]
}

fn session(session: &SessionSummary) -> Vec<String> {
    vec![
        session.session.clone(),
        session.actor.clone().unwrap_or_default(),
        session.from.as_deref().map(time).unwrap_or_default(),
        session.to.as_deref().map(time).unwrap_or_default(),
        number(session.events),
        number(session.errors),
        session.outcome.to_string(),
    ]
}

fn gaps<'a>(report: &AuditReport) -> Body<'a> {
    let rows =
        report.gaps.iter().map(|gap| vec![time(&gap.from), time(&gap.to), format!("{:.1}", gap.hours)]);
    table(&["from", "to", "hours"], rows)
}

fn maintenance<'a>(report: &AuditReport) -> Body<'a> {
    let commits = report.store.maintenance.iter().map(|commit| {
        let what = match commit.data_change {
            true => {
                format!("{} removed, {} added", events(commit.events_removed), number(commit.events_added))
            }
            false => format!("{} arranged anew", events(commit.events_removed)),
        };
        (commit.ts.clone(), commit.operation.clone(), format!("version {}: {what}", commit.version))
    });
    let told = report.upkeep.iter().map(|event| {
        let about = [value(event, "actor"), value(event, "message")];
        let about = about.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
        (value(event, "ts"), value(event, "kind"), about)
    });
    let mut all: Vec<(String, String, String)> = commits.chain(told).collect();
    all.sort();
    table(&["when", "what", "how"], all.into_iter().map(|(ts, what, how)| vec![time(&ts), what, cut(&how)]))
}

/// What is not listed, as one sentence.
fn sentences(left_out: &[String]) -> String {
    match left_out.is_empty() {
        true => String::new(),
        false => format!("Not all is in the lists: {}. The numbers are of everything.", left_out.join("; ")),
    }
}

/// The period in words: whole days as days.
pub(super) fn period(report: &AuditReport) -> String {
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    let midnight = |text: &str| instant(text).filter(|time| time.time() == chrono::NaiveTime::MIN);
    let (from, until) = (&report.period.from, &report.period.until);
    match midnight(from).zip(midnight(until).and_then(|until| until.date_naive().pred_opt())) {
        Some((from, last)) if from.date_naive() == last => last.to_string(),
        Some((from, last)) => format!("{} to {last}", from.date_naive()),
        None => format!("{} until {}", time(from), time(until)),
    }
}

/// A time of the report to the second; the JSON has all digits.
pub(super) fn time(text: &str) -> String {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.to_utc().format("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => text.to_string(),
    }
}

/// A count with its thousands apart.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of something.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

fn events(count: u64) -> String {
    counted(count, "event", "events")
}

/// The beginning of a long text.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_string(),
    }
}

/// A value of a difference.
pub(super) fn shown(value: Option<&Json>) -> String {
    match value {
        None => String::new(),
        Some(Json::String(text)) => cut(text),
        Some(other) => cut(&other.to_string()),
    }
}

/// What a change is about: when, what, who, and the message.
pub(super) fn headline(event: &Map<String, Json>) -> [String; 4] {
    [time(&value(event, "ts")), value(event, "kind"), value(event, "actor"), cut(&value(event, "message"))]
}

/// The entity of changes.
pub(super) fn entity(entity: &EntityHistory) -> String {
    let parts = [&entity.entity_type, &entity.entity_id].into_iter().flatten().cloned();
    let name = parts.collect::<Vec<_>>().join(":");
    if name.is_empty() { "(no entity)".to_string() } else { name }
}
