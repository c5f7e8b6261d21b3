//! An event as an application builds it.

use super::json::quote_into;
use super::time::rfc3339;
use serde_json::Value;

/// An event to be appended: its fixed columns, and any fields.
///
/// ```
/// use daybook::Event;
/// let event = Event::new("order_paid").message("paid by card").actor("u-17").entity("order", "55").field("amount", 12.5);
/// assert_eq!(
///     String::from_utf8_lossy(&event.to_json()),
///     r#"{"kind":"order_paid","message":"paid by card","actor":"u-17","entity_type":"order","entity_id":"55","amount":12.5}"#
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    members: Vec<(String, Value)>,
}

impl Event {
    /// An event of a kind.
    pub fn new(kind: impl Into<String>) -> Event {
        Event::default().with("kind", Value::from(kind.into()))
    }

    /// The text that a person reads.
    #[must_use]
    pub fn message(self, message: impl Into<String>) -> Event {
        self.with("message", Value::from(message.into()))
    }

    /// The severity, as a word.
    #[must_use]
    pub fn level(self, level: impl Into<String>) -> Event {
        self.with("level", Value::from(level.into()))
    }

    /// Who did it.
    #[must_use]
    pub fn actor(self, actor: impl Into<String>) -> Event {
        self.with("actor", Value::from(actor.into()))
    }

    /// In which session.
    #[must_use]
    pub fn session(self, session: impl Into<String>) -> Event {
        self.with("session", Value::from(session.into()))
    }

    /// What wrote it: a service, agent, logger or provider.
    #[must_use]
    pub fn source(self, source: impl Into<String>) -> Event {
        self.with("source", Value::from(source.into()))
    }

    /// What it happened to.
    #[must_use]
    pub fn entity(self, entity_type: impl Into<String>, id: impl Into<String>) -> Event {
        self.with("entity_type", Value::from(entity_type.into())).with("entity_id", Value::from(id.into()))
    }

    /// How it ended: `success`, `failure`, `timeout`, ...
    #[must_use]
    pub fn status(self, status: impl Into<String>) -> Event {
        self.with("status", Value::from(status.into()))
    }

    /// How long it took.
    #[must_use]
    pub fn duration_ms(self, duration_ms: f64) -> Event {
        self.with("duration_ms", Value::from(duration_ms))
    }

    /// When it happened, in microseconds since 1970; without it, when it arrives.
    #[must_use]
    pub fn ts_us(self, micros: i64) -> Event {
        self.with("ts", Value::from(rfc3339(micros)))
    }

    /// When it happened, as text in any form that the store reads.
    #[must_use]
    pub fn ts_text(self, ts: impl Into<String>) -> Event {
        self.with("ts", Value::from(ts.into()))
    }

    /// The state before a change.
    #[must_use]
    pub fn before(self, before: impl Into<Value>) -> Event {
        self.with("before", before.into())
    }

    /// The state after a change.
    #[must_use]
    pub fn after(self, after: impl Into<Value>) -> Event {
        self.with("after", after.into())
    }

    /// Any other field.
    #[must_use]
    pub fn field(self, key: impl Into<String>, value: impl Into<Value>) -> Event {
        self.with(key, value.into())
    }

    /// The event as the JSON object that is stored.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = vec![b'{'];
        for (position, (key, value)) in self.members.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            quote_into(key, &mut out);
            out.push(b':');
            out.extend_from_slice(value.to_string().as_bytes());
        }
        out.push(b'}');
        out
    }

    /// Sets a member; a later value replaces an earlier one.
    fn with(mut self, key: impl Into<String>, value: Value) -> Event {
        let key = key.into();
        self.members.retain(|(known, _)| *known != key);
        self.members.push((key, value));
        self
    }
}
