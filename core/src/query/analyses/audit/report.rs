//! The audit report, as data.

use super::{html, markdown};
use crate::query::analyses::history::Changed;
use crate::query::analyses::{Counts, SessionSummary};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// The audit report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AuditReport {
    /// The period.
    pub period: Period,
    /// The filter, as the grammar writes it; `*` is everything.
    pub filter: String,
    /// Numbers over the period.
    pub totals: Totals,
    /// Events by kind.
    pub by_kind: Counts,
    /// Events by actor.
    pub by_actor: Counts,
    /// Events by day in UTC, in order.
    pub by_day: Counts,
    /// Those that are errors, by day in UTC, in order.
    pub errors_by_day: Counts,
    /// Events that are errors, the newest first.
    pub failures: Vec<Map<String, Json>>,
    /// What changed, by entity.
    pub changes: Vec<EntityHistory>,
    /// The sessions, the last ones first.
    pub sessions: Vec<SessionSummary>,
    /// What happened outside of the hours of work.
    pub out_of_hours: OutOfHours,
    /// Times without events.
    pub gaps: Vec<Silence>,
    /// Events with redacted values, by column.
    pub redacted: Counts,
    /// What the store says that it did in the period: events whose kind begins with `daybook.`, the newest first.
    pub upkeep: Vec<Map<String, Json>>,
    /// What the lists above lack, where they have not all.
    pub left_out: Vec<String>,
    /// What the store says of itself.
    pub store: StoreState,
}

/// A period.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Period {
    /// Its first instant.
    pub from: String,
    /// The instant after its last.
    pub until: String,
    /// When the report was made.
    pub made_at: String,
}

/// Numbers over a period.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Events.
    pub events: u64,
    /// Those that are errors.
    pub errors: u64,
    /// Errors over all events.
    pub error_rate: f64,
    /// Actors.
    pub actors: u64,
    /// Entities.
    pub entities: u64,
    /// Events that say what they changed.
    pub changes: u64,
    /// When the first event happened.
    pub first: Option<String>,
    /// When the last event happened.
    pub last: Option<String>,
}

/// What changed of an entity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntityHistory {
    /// The type of the entity.
    pub entity_type: Option<String>,
    /// The entity.
    pub entity_id: Option<String>,
    /// Its changes, the newest first.
    pub changes: Vec<Changed>,
}

/// What happened outside of the hours of work.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct OutOfHours {
    /// The hours of work, in words.
    pub hours: String,
    /// How many events.
    pub count: u64,
    /// By whom.
    pub by_actor: Counts,
    /// The newest of them.
    pub events: Vec<Map<String, Json>>,
}

/// A time without events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Silence {
    /// When it begins.
    pub from: String,
    /// When it ends.
    pub to: String,
    /// How long it is, in hours.
    pub hours: f64,
}

/// What a store says of itself, for a reader who verifies later.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StoreState {
    /// Records that came in the period and could not be read.
    pub quarantined: u64,
    /// The same by reason.
    pub quarantined_by_reason: Counts,
    /// Records that are in quarantine now, of all time.
    pub quarantined_ever: u64,
    /// Commits in the period.
    pub commits: u64,
    /// Those of them that are not new events: compaction, removal, retention.
    pub maintenance: Vec<Maintenance>,
    /// The last commit before the period.
    pub chain_at_start: Option<ChainHead>,
    /// The last commit before its end.
    pub chain_at_end: Option<ChainHead>,
    /// The last commit when the report was made.
    pub chain_now: Option<ChainHead>,
}

/// A commit that did not add events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Maintenance {
    /// When.
    pub ts: String,
    /// The version that it made.
    pub version: u64,
    /// What it calls itself.
    pub operation: String,
    /// Whether events came or went; false if they were only arranged anew.
    pub data_change: bool,
    /// Events in the files that came in.
    pub events_added: u64,
    /// Events in the files that went.
    pub events_removed: u64,
}

/// The head of the hash chain at a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// The version.
    pub version: u64,
    /// When it was committed.
    pub committed_at: String,
    /// The hash.
    pub head: String,
}

impl AuditReport {
    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        markdown::write(self)
    }

    /// The report as one HTML file that needs no other.
    pub fn to_html(&self) -> String {
        html::write(self)
    }
}
