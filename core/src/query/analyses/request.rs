//! The JSON form of requests: the same in every binding.

use super::{
    Actors, Audit, Bursts, CoChanges, Facets, FileHistory, Health, History, Metrics, Patterns, Rhythms,
    Search, Sequences, Session, Sessions, Show, Slowest, Stats, Templates, Timeline, Trace,
};
use crate::error::{Error, ErrorKind, Result};
use crate::query::filter::{Context, Filter};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Any analysis: `{"analysis": "stats", "filter": ...}` and what else it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "analysis", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the analysis of its name")]
pub enum Request {
    Search(Search),
    Stats(Stats),
    Timeline(Timeline),
    Facets(Facets),
    Slowest(Slowest),
    History(History),
    FileHistory(FileHistory),
    Sessions(Sessions),
    Session(Session),
    Trace(Trace),
    Show(Show),
    Metrics(Metrics),
    Health(Health),
    Audit(Audit),
    Patterns(Patterns),
    Sequences(Sequences),
    Bursts(Bursts),
    Rhythms(Rhythms),
    CoChanges(CoChanges),
    Actors(Actors),
    Templates(Templates),
}

impl Request {
    /// Reads a request. Its filter may be the JSON form or a text of the grammar, with relative times.
    pub fn from_json(mut json: Json, context: &Context<'_>) -> Result<Request> {
        if let Some(filter) = json.get_mut("filter") {
            let read = read_filter(filter, context)?;
            *filter = serde_json::to_value(read).map_err(|error| invalid(&error))?;
        }
        for filter in json.get_mut("compare").and_then(Json::as_array_mut).into_iter().flatten() {
            let read = read_filter(filter, context)?;
            *filter = serde_json::to_value(read).map_err(|error| invalid(&error))?;
        }
        serde_json::from_value(json).map_err(|error| invalid(&error))
    }
}

/// Reads a filter that is JSON: its own form, or a text of the grammar.
pub fn read_filter(json: &Json, context: &Context<'_>) -> Result<Filter> {
    match json {
        Json::Null => Ok(Filter::all()),
        Json::String(text) => Filter::parse(text, context).map_err(|error| error.into_error(text)),
        other => Ok(Filter::from_json(other, context)?),
    }
}

fn invalid(error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Invalid, format!("the request cannot be read: {error}"))
}
