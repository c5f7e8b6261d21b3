//! `daybook tail`, and `search --follow`: events as they come.

use std::time::Duration;

use daybook::output::json;
use daybook::query::analyses::Search;
use daybook::{AskOptions, FoundBatches, Store};

use super::asking::ask;
use super::search::{bounded, columns};
use crate::args::{TailInput, Zone};
use crate::cell::{self, cell};
use crate::context::Context;
use crate::failure::Failure;
use crate::{escape, interrupt};

/// How long to wait until new events are looked for again.
const PAUSE: Duration = Duration::from_millis(300);

/// Prints the last events, then those that come, until Ctrl-C.
pub fn run(context: &Context<'_>, input: &TailInput) -> Result<(), Failure> {
    ask(context, &input.search.filter, |store, filter, options| {
        let filter = bounded(filter, &input.search);
        let columns = columns(&input.search, context.printer.json());
        let search = Search { filter, limit: input.last, columns };
        follow(context, store, &search, input.last, options)
    })
}

fn follow(
    context: &Context<'_>,
    store: &Store,
    search: &Search,
    last: u64,
    options: &AskOptions<'_>,
) -> Result<(), Failure> {
    let (first, mut tail) = store.tail(search, last, options)?;
    print(context, &first, true)?;
    loop {
        interrupt::check()?;
        let found = store.tail_on(&mut tail, options)?;
        print(context, &found, false)?;
        if !found.more {
            std::thread::sleep(PAUSE);
        }
    }
}

/// A line for each event: JSON, or its values without names.
fn print(context: &Context<'_>, found: &FoundBatches, newest_first: bool) -> Result<(), Failure> {
    let mut lines = Vec::new();
    let keys = json::keys(&found.schema);
    for batch in &found.batches {
        for row in 0..batch.num_rows() {
            let mut line = Vec::new();
            match context.printer.json() {
                true => json::write_row(&mut line, &keys, batch, row),
                false => line.extend(plain(batch, row, context.global.zone).into_bytes()),
            }
            line.push(b'\n');
            lines.push(line);
        }
    }
    if newest_first {
        lines.reverse();
    }
    let mut data = context.printer.data();
    data.write(&lines.concat())?;
    data.finish()
}

fn plain(batch: &arrow::array::RecordBatch, row: usize, zone: Zone) -> String {
    let texts = batch.columns().iter().filter_map(|column| cell::plain(&cell(column, row), zone));
    texts.map(|text| escape::visible(&text).into_owned()).collect::<Vec<_>>().join("  ")
}
