//! The fixed columns, and the names under which producers write them.

use super::column::{Column, ColumnType, TableSchema};

/// A fixed column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the column of its name, described in FORMAT.md")]
pub enum Fixed {
    Seq,
    Ts,
    EventId,
    Source,
    Kind,
    Level,
    Severity,
    Actor,
    Session,
    EntityType,
    EntityId,
    Status,
    DurationMs,
    Message,
    Template,
    Before,
    After,
    TraceId,
    SpanId,
    Shape,
    Rest,
}

impl Fixed {
    /// All fixed columns, in the order of the table.
    pub const ALL: [Fixed; 21] = [
        Fixed::Seq,
        Fixed::Ts,
        Fixed::EventId,
        Fixed::Source,
        Fixed::Kind,
        Fixed::Level,
        Fixed::Severity,
        Fixed::Actor,
        Fixed::Session,
        Fixed::EntityType,
        Fixed::EntityId,
        Fixed::Status,
        Fixed::DurationMs,
        Fixed::Message,
        Fixed::Template,
        Fixed::Before,
        Fixed::After,
        Fixed::TraceId,
        Fixed::SpanId,
        Fixed::Shape,
        Fixed::Rest,
    ];

    /// The name of the column.
    pub fn name(self) -> &'static str {
        match self {
            Fixed::Seq => "seq",
            Fixed::Ts => "ts",
            Fixed::EventId => "event_id",
            Fixed::Source => "source",
            Fixed::Kind => "kind",
            Fixed::Level => "level",
            Fixed::Severity => "severity",
            Fixed::Actor => "actor",
            Fixed::Session => "session",
            Fixed::EntityType => "entity_type",
            Fixed::EntityId => "entity_id",
            Fixed::Status => "status",
            Fixed::DurationMs => "duration_ms",
            Fixed::Message => "message",
            Fixed::Template => "template",
            Fixed::Before => "before",
            Fixed::After => "after",
            Fixed::TraceId => "trace_id",
            Fixed::SpanId => "span_id",
            Fixed::Shape => "shape",
            Fixed::Rest => "rest",
        }
    }

    /// The type of the column.
    pub fn column_type(self) -> ColumnType {
        match self {
            Fixed::Seq => ColumnType::Int64,
            Fixed::Ts => ColumnType::Timestamp,
            Fixed::Severity => ColumnType::Int8,
            Fixed::DurationMs => ColumnType::Double,
            Fixed::Shape => ColumnType::Int32,
            _ => ColumnType::Text,
        }
    }

    /// The position of the column in the table.
    pub fn position(self) -> usize {
        self as usize
    }

    /// The column of the table.
    pub fn column(self) -> Column {
        Column { name: self.name().to_string(), column_type: self.column_type(), path: None }
    }
}

/// Names that no field's column may have although no stored column has them; lowercase.
pub const RESERVED: [&str; 2] = ["day", "recorded_at"];

/// The columns of a new table.
pub fn new_table() -> TableSchema {
    let mut schema = TableSchema::default();
    for fixed in Fixed::ALL {
        // Fixed names differ, so that pushing them cannot fail.
        let _ = schema.push(fixed.column());
    }
    schema
}

/// The well-known names of `ts`, and names that come after them.
macro_rules! names_of_ts {
    ($($more:literal),*) => {
        &[
            "timestamp",
            "@timestamp",
            "ts",
            "time",
            "datetime",
            "eventTime",
            "event_time",
            "created_at",
            "createdAt",
            "date",
            "timeUnixNano",
            "_time",
            "__REALTIME_TIMESTAMP",
            $($more),*
        ]
    };
}
pub(crate) use names_of_ts;

/// The names that map to each fixed column, in order of precedence. A dotted name is a nested field or a
/// key with a dot.
pub const WELL_KNOWN: [(Fixed, &[&str]); 16] = [
    (Fixed::Ts, names_of_ts!()),
    (Fixed::EventId, &["event_id", "id", "uuid", "eventID", "Id", "_id"]),
    (
        Fixed::Source,
        &[
            "source",
            "agent_id",
            "provider_name",
            "service",
            "service_name",
            "logger",
            "logger_name",
            "app",
            "application",
            "eventSource",
            "program",
            "unit",
            "container",
        ],
    ),
    (
        Fixed::Kind,
        &[
            "kind",
            "event_name",
            "eventName",
            "event_type",
            "eventType",
            "change_type",
            "action_type",
            "category",
            "action",
            "Operation",
            "event",
            "type",
        ],
    ),
    (
        Fixed::Level,
        &[
            "level",
            "severity",
            "severity_text",
            "severityText",
            "log.level",
            "loglevel",
            "levelname",
            "lvl",
            "priority",
        ],
    ),
    (Fixed::Actor, &["actor", "user_id", "userId", "user", "username", "user_name", "UserId", "remote_user"]),
    (Fixed::Session, &["session", "session_id", "sessionId"]),
    (Fixed::EntityType, &["entity_type", "resource_type"]),
    (Fixed::EntityId, &["entity_id", "resource_id", "file_path"]),
    (Fixed::Status, &["status", "outcome", "result"]),
    (
        Fixed::DurationMs,
        &["duration_ms", "execution_time_ms", "elapsed_ms", "latency_ms", "response_time_ms", "duration"],
    ),
    (Fixed::Message, &["message", "msg", "description", "body", "text", "log", "event.original"]),
    (Fixed::Before, &["before", "before_state", "old_value", "changes.before"]),
    (Fixed::After, &["after", "after_state", "new_value", "changes.after"]),
    (Fixed::TraceId, &["trace_id", "traceId", "dd.trace_id"]),
    (Fixed::SpanId, &["span_id", "spanId"]),
];

/// Containers whose fields are named without them: `metadata.artist` is `artist`.
pub const HOISTED: [&str; 7] = ["metadata", "attributes", "extra", "context", "details", "labels", "fields"];
