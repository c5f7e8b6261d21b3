//! What the written forms of the report have in common: its sections as tables.

use super::{AuditReport, ChainHead, Counts, in_words};
use serde_json::{Map, Value as Json};

/// A section of the report.
pub(super) struct Section {
    pub(super) title: &'static str,
    /// A sentence above the table.
    pub(super) note: String,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

/// The sections, in order.
pub(super) fn sections(report: &AuditReport) -> Vec<Section> {
    let totals = &report.totals;
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_string());
    let head = |head: &Option<ChainHead>| {
        let shown =
            |head: &ChainHead| format!("version {} of {}: {}", head.version, head.committed_at, head.head);
        head.as_ref().map_or_else(|| "none".to_string(), shown)
    };
    let summary = [
        ("Events", totals.events.to_string()),
        ("Errors", format!("{} ({:.1} %)", totals.errors, totals.error_rate * 100.0)),
        ("Actors", totals.actors.to_string()),
        ("Entities", totals.entities.to_string()),
        ("First event", text(&totals.first)),
        ("Last event", text(&totals.last)),
        ("Filter", report.filter.clone()),
        ("Records in quarantine", report.store.quarantined.to_string()),
        ("Chain head at the start", head(&report.store.chain_at_start)),
        ("Chain head at the end", head(&report.store.chain_at_end)),
        ("Chain head now", head(&report.store.chain_now)),
    ];
    let section = |title, note: &str, columns: &[&'static str], rows| Section {
        title,
        note: note.to_string(),
        columns: columns.to_vec(),
        rows,
    };
    let out = &report.out_of_hours;
    let outside = format!("{} events outside of {}.", out.count, out.hours);
    let summary = summary.map(|(name, value)| vec![name.to_string(), value]).to_vec();
    let left_out = report.left_out.join(". ");
    vec![
        section("Summary", &left_out, &["", ""], summary),
        section("By kind", "", &["kind", "events"], counted(&report.by_kind)),
        section("By actor", "", &["actor", "events"], counted(&report.by_actor)),
        section("By day", "Days are days in UTC.", &["day", "events"], counted(&report.by_day)),
        section("Failures", "", &EVENT, report.failures.iter().map(event).collect()),
        section("Changes", "", &["entity", "when", "what", "who", "difference"], changes(report)),
        section("Sessions", "", &SESSION, sessions(report)),
        section("Out of hours", &outside, &EVENT, out.events.iter().map(event).collect()),
        section("Out of hours, by actor", "", &["actor", "events"], counted(&out.by_actor)),
        section("Gaps", "Times without events.", &["from", "to", "hours"], gaps(report)),
    ]
}

const EVENT: [&str; 6] = ["when", "level", "kind", "who", "about", "message"];
const SESSION: [&str; 7] = ["session", "who", "from", "to", "events", "errors", "outcome"];

fn counted(counts: &Counts) -> Vec<Vec<String>> {
    counts.0.iter().map(|(value, count)| vec![value.clone(), count.to_string()]).collect()
}

fn value(event: &Map<String, Json>, name: &str) -> String {
    event.get(name).and_then(Json::as_str).unwrap_or_default().to_string()
}

fn event(event: &Map<String, Json>) -> Vec<String> {
    let about = [value(event, "entity_type"), value(event, "entity_id")];
    let about = about.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(":");
    vec![
        value(event, "ts"),
        value(event, "level"),
        value(event, "kind"),
        value(event, "actor"),
        about,
        value(event, "message"),
    ]
}

fn changes(report: &AuditReport) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for entity in &report.changes {
        let name = [&entity.entity_type, &entity.entity_id];
        let name = name.into_iter().flatten().cloned().collect::<Vec<_>>().join(":");
        for changed in &entity.changes {
            let differences: Vec<String> = changed.diff.iter().map(in_words).collect();
            rows.push(vec![
                name.clone(),
                value(&changed.event, "ts"),
                value(&changed.event, "kind"),
                value(&changed.event, "actor"),
                differences.join("\n"),
            ]);
        }
    }
    rows
}

fn sessions(report: &AuditReport) -> Vec<Vec<String>> {
    let row = |session: &super::SessionSummary| {
        vec![
            session.session.clone(),
            session.actor.clone().unwrap_or_default(),
            session.from.clone().unwrap_or_default(),
            session.to.clone().unwrap_or_default(),
            session.events.to_string(),
            session.errors.to_string(),
            session.outcome.to_string(),
        ]
    };
    report.sessions.iter().map(row).collect()
}

fn gaps(report: &AuditReport) -> Vec<Vec<String>> {
    let row = |gap: &super::Silence| vec![gap.from.clone(), gap.to.clone(), format!("{:.1}", gap.hours)];
    report.gaps.iter().map(row).collect()
}
