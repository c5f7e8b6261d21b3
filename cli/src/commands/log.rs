//! `daybook log`: records one event, or one for each line of standard input.

mod lines;
mod stream;

use daybook::{Durability, Error, ErrorKind, Event};
use serde::Serialize;
use serde_json::Value;

use crate::args::{Log, NewEvent, State, Zone};
use crate::context::Context;
use crate::failure::Failure;

/// Records, and prints each event's `seq`.
pub fn run(context: &Context<'_>, log: Log) -> Result<(), Failure> {
    match log {
        Log::One(event) => one(context, *event),
        Log::Lines => stream::run(context),
    }
}

/// The JSON form of an acknowledgement.
#[derive(Debug, Serialize)]
struct Acknowledged {
    seq: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantined: Option<String>,
}

fn one(context: &Context<'_>, new: NewEvent) -> Result<(), Failure> {
    let event = event(new, context.global.zone)?;
    let store = context.open_or_create()?;
    let seq = store.append(&event, Durability::Fsync)?;
    store.close()?;
    if context.printer.json() {
        return context.printer.object(&Acknowledged { seq, quarantined: None });
    }
    let mut data = context.printer.data();
    data.write(format!("{seq}\n").as_bytes())?;
    data.finish()
}

fn event(new: NewEvent, zone: Zone) -> Result<Event, Failure> {
    let mut event = Event::new(new.kind).message(new.message);
    if let Some(level) = new.level {
        event = event.level(level);
    }
    if let Some(actor) = new.actor {
        event = event.actor(actor);
    }
    if let Some(session) = new.session {
        event = event.session(session);
    }
    if let Some(source) = new.source {
        event = event.source(source);
    }
    if let Some((kind, id)) = new.entity {
        event = event.entity(kind, id);
    }
    if let Some(status) = new.status {
        event = event.status(status);
    }
    if let Some(duration_ms) = new.duration_ms {
        event = event.duration_ms(duration_ms);
    }
    if let Some(ts) = new.ts {
        event = match zone.read(&ts) {
            Some(time) => event.ts_us(time.timestamp_micros()),
            // The store reads more forms, such as RFC 2822 and numbers.
            None => event.ts_text(&ts),
        };
    }
    if let Some(before) = new.before {
        event = event.before(state(before)?);
    }
    if let Some(after) = new.after {
        event = event.after(state(after)?);
    }
    Ok(new.fields.into_iter().fold(event, |event, (key, value)| event.field(key, value)))
}

fn state(state: State) -> Result<Value, Failure> {
    match state {
        State::Json(value) => Ok(value),
        State::File(file) => {
            let bytes = std::fs::read(&file).map_err(|error| Error::io("read", file.display(), error))?;
            serde_json::from_slice(&bytes).map_err(|error| {
                let message = format!("`{}` is not JSON", file.display());
                Error::new(ErrorKind::Invalid, message).with_source(error).into()
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_comes_from_the_argument_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
        std::fs::write(&good, "{\"a\": 1}\n").unwrap();
        std::fs::write(&bad, "{").unwrap();
        assert_eq!(state(State::Json(json!(1))).ok(), Some(json!(1)));
        assert_eq!(state(State::File(good)).ok(), Some(json!({"a": 1})));
        assert!(state(State::File(bad)).is_err_and(|failure| failure.kind() == "invalid"));
        assert!(state(State::File("/nonsense".into())).is_err_and(|failure| failure.kind() == "not_found"));
    }

    #[test]
    fn an_acknowledgement_has_one_json_form() {
        let json = |value: &Acknowledged| serde_json::to_string(value).unwrap();
        assert_eq!(json(&Acknowledged { seq: 7, quarantined: None }), "{\"seq\":7}");
        let bad = Acknowledged { seq: 8, quarantined: Some("not JSON".to_string()) };
        assert_eq!(json(&bad), "{\"seq\":8,\"quarantined\":\"not JSON\"}");
    }
}
