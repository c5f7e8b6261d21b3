//! What the commands that ask about events share.

use chrono::Utc;
use daybook::query::filter::{Context as Reading, Filter};
use daybook::{AskOptions, FoundBatches, Store};

use crate::args::FilterInput;
use crate::context::Context;
use crate::failure::Failure;
use crate::memory;
use crate::table::{Look, RowsTable};

/// Opens the store, reads the filter, asks, and closes the store.
pub fn ask<T>(
    context: &Context<'_>,
    input: &FilterInput,
    ask: impl FnOnce(&Store, Filter, &AskOptions<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    reading(context, input, |filter, options| {
        let store = context.open()?;
        memory::bound(&options.limits);
        let answer = ask(&store, filter, options)?;
        store.close()?;
        Ok(answer)
    })
}

/// Reads the filter, with relative times from now on and in the zone that was asked for, and asks.
pub fn reading<T>(
    context: &Context<'_>,
    input: &FilterInput,
    ask: impl FnOnce(Filter, &AskOptions<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let zone = context.global.zone;
    let offset = move |instant_us: i64| zone.offset_at(instant_us);
    let reading = Reading::new(Utc::now().timestamp_micros()).with_zone(&offset);
    let filter = input.read(&reading)?;
    let mut options = AskOptions { context: reading, text: &input.text, ..AskOptions::default() };
    input.limits.apply(&mut options.limits);
    // Opening the store is a part of what takes time.
    options.limits = options.limits.shared();
    ask(filter, &options)
}

/// Prints events as a table without the columns in which none has a value.
pub fn print_events(context: &Context<'_>, found: &FoundBatches) -> Result<u64, Failure> {
    let printer = context.printer;
    let look = Look { width: printer.width(), color: printer.stdout().color };
    let mut table = RowsTable::new(&found.schema, true, context.global.zone, look);
    let mut data = printer.styled();
    for batch in &found.batches {
        data.write(table.add(batch).as_bytes())?;
    }
    let (text, left_out, count) = table.finish();
    if count > 0 {
        data.write(text.as_bytes())?;
    }
    data.finish()?;
    if count > 0 && !left_out.unfit.is_empty() {
        printer.note(&format!(
            "left out, as the terminal is too narrow: {}; name columns with --columns",
            left_out.unfit.join(", ")
        ));
    }
    Ok(count)
}
