//! `daybook slowest`: the events that took longest.

use daybook::query::analyses::Slowest;

use super::asking::ask;
use super::events;
use crate::args::Limited;
use crate::context::Context;
use crate::failure::Failure;
use crate::table::Look;

/// Asks, and prints.
pub fn run(context: &Context<'_>, input: &Limited) -> Result<(), Failure> {
    let limit = input.limit;
    let report = ask(context, &input.filter, |store, filter, options| {
        Ok(store.ask(&Slowest { filter, limit }, options)?)
    })?;
    if context.printer.json() {
        return context.printer.object(&report);
    }
    if report.events.is_empty() {
        context.printer.note("no event that matches has a duration");
        return Ok(());
    }
    let look = Look { width: context.printer.width(), color: context.printer.stdout().color };
    let mut data = context.printer.styled();
    data.write(events::table(&report.events, context.global.zone, look).as_bytes())?;
    data.finish()
}
