//! `daybook patterns`: what is usual, what is new and what is wrong.

mod findings;
mod tables;
mod templates;

use daybook::query::analyses::{Actors, Bursts, CoChanges, Instant, Patterns, Rhythms, Sequences, Templates};
use daybook::query::filter::{Context as Reading, Filter, Term};
use daybook::{AskOptions, Error, Store};
use serde::Serialize;

use super::asking::ask;
use crate::args::{PatternsInput, PatternsWhat};
use crate::context::Context;
use crate::failure::Failure;

/// Finds, and prints.
pub fn run(context: &Context<'_>, input: &PatternsInput) -> Result<(), Failure> {
    ask(context, &input.filter, |store, filter, options| found(context, input, store, filter, options))
}

fn found(
    context: &Context<'_>,
    input: &PatternsInput,
    store: &Store,
    filter: Filter,
    options: &AskOptions<'_>,
) -> Result<(), Failure> {
    let PatternsInput { limit, alarm, .. } = *input;
    match &input.what {
        PatternsWhat::Summary => {
            let report = store.find(&Patterns { filter, alarm, limit }, options)?;
            print(context, &report, findings::summary)
        }
        PatternsWhat::Bursts => {
            let report = store.find(&Bursts { filter, alarm, limit }, options)?;
            print(context, &report, findings::bursts)
        }
        PatternsWhat::Sequences { gap, support } => {
            let sequences = Sequences { filter, gap_minutes: *gap, support: *support, alarm, limit };
            print(context, &store.find(&sequences, options)?, tables::sequences)
        }
        PatternsWhat::Rhythms { by } => {
            let rhythms = Rhythms { filter, by: by.clone(), alarm, limit };
            print(context, &store.find(&rhythms, options)?, tables::rhythms)
        }
        PatternsWhat::Changes { window, support } => {
            let changes = CoChanges { filter, window_minutes: *window, support: *support, alarm, limit };
            print(context, &store.find(&changes, options)?, tables::changes)
        }
        PatternsWhat::Actors => {
            print(context, &store.find(&Actors { filter, alarm, limit }, options)?, tables::actors)
        }
        PatternsWhat::Templates { new_since, rare, template, compare } => {
            let reading = &options.context;
            let new_since = new_since.as_ref().map(|text| since(text, reading)).transpose()?.map(Instant);
            let read = |text: &String| Filter::parse(text, reading).map_err(|error| error.into_error(text));
            let compare = match compare {
                Some((one, other)) => Some((read(one)?, read(other)?)),
                None => None,
            };
            let (template, is_one) = (template.clone(), template.is_some());
            let templates = Templates { filter, new_since, rare: *rare, template, compare, alarm, limit };
            let report = store.templates(&templates, options)?;
            print(context, &report, |context, report| templates::templates(context, report, is_one))
        }
    }
}

/// The report as JSON, or as text for people.
fn print<R: Serialize>(
    context: &Context<'_>,
    report: &R,
    text: impl FnOnce(&Context<'_>, &R) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if context.printer.json() { context.printer.object(report) } else { text(context, report) }
}

/// The first instant of a day, or the instant of a time.
fn since(text: &str, reading: &Reading<'_>) -> Result<i64, Failure> {
    match Filter::flag("since", text, reading).map_err(Error::from)? {
        Filter::Term(Term::Since(instant_us)) => Ok(instant_us),
        _ => Err(Failure::usage(format!("`{text}` is no time"))),
    }
}
