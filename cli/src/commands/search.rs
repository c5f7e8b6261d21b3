//! `daybook search`, `recent` and `failures`: the newest events that match.

use chrono::Utc;
use daybook::found;
use daybook::query::analyses::Search;
use daybook::query::filter::Filter;

use super::asking::{ask, print_events};
use crate::args::{SearchInput, Shown};
use crate::context::Context;
use crate::failure::Failure;
use crate::human;

/// What people look at first.
const USUAL: [&str; 11] = [
    "ts",
    "level",
    "source",
    "kind",
    "actor",
    "entity_type",
    "entity_id",
    "status",
    "duration_ms",
    "message",
    "seq",
];

/// Finds, and prints.
pub fn run(context: &Context<'_>, input: &SearchInput) -> Result<(), Failure> {
    let json = context.printer.json();
    let (search, batches) = ask(context, &input.filter, |store, filter, options| {
        let search =
            Search { filter: bounded(filter, input), limit: input.limit, columns: columns(input, json) };
        let batches = store.search(&search, options)?;
        Ok((search, batches))
    })?;
    if json {
        return context.printer.object(&found(&search, &batches)?);
    }
    let count = print_events(context, &batches)?;
    if count == 0 {
        context.printer.note("no event matches");
    } else if batches.more {
        let shown = human::counted(count, "event", "events");
        context.printer.note(&format!("the newest {shown} that match; `--limit N` shows more"));
    }
    Ok(())
}

/// The filter of what is asked for.
pub fn bounded(filter: Filter, input: &SearchInput) -> Filter {
    let mut parts = vec![filter];
    if let Some(within) = input.within {
        let micros = i64::try_from(within.as_micros()).unwrap_or(i64::MAX);
        parts.push(Filter::since(Utc::now().timestamp_micros().saturating_sub(micros)));
    }
    if input.errors {
        parts.push(Filter::errors());
    }
    Filter::and(parts)
}

/// The names of what people look at first.
pub fn usual() -> Vec<String> {
    USUAL.map(str::to_string).to_vec()
}

/// Programs get every column that has a value, unless they ask for some.
pub fn columns(input: &SearchInput, json: bool) -> Vec<String> {
    match &input.columns {
        Shown::Named(names) => names.clone(),
        Shown::Usual if !json => usual(),
        Shown::Usual | Shown::All => Vec::new(),
    }
}
