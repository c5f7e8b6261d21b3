//! `daybook ingest --follow`: stores the events of files as they are written.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use daybook::{Error, Progress, Step, Watcher, check_followed};
use signal_hook::consts::SIGTERM;

use crate::args::Ingest;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;
use crate::progress::ProgressLine;

/// Follows the files until Ctrl-C or SIGTERM, and says what became of their records.
pub fn run(context: &Context<'_>, request: &Ingest) -> Result<(), Failure> {
    let files = files(&request.files)?;
    // Before the store is made, so that a wrong name leaves nothing behind.
    files.iter().try_for_each(|file| check_followed(file))?;
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGTERM, stop.clone())
        .map_err(|error| Error::io("listen for", "SIGTERM", error))?;
    let store = context.open_or_create()?;
    let at_interrupt = stop.clone();
    interrupt::on_interrupt(move || at_interrupt.store(true, Ordering::Relaxed));
    let line = ProgressLine::new(context.printer, "following");
    let receipt = store.follow(&files, &request.options, &Shown { printer: context.printer, line }, &stop)?;
    store.close()?;
    if context.printer.json() {
        receipt.inputs.iter().try_for_each(|input| context.printer.object(input))
    } else {
        context.printer.receipt(&super::text(&receipt, context.global.named_store.as_deref()))
    }
}

/// Names that nothing has are waited for, unless they are patterns.
fn files(names: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for name in names {
        let is_pattern = name.to_str().is_some_and(|name| name.contains(['*', '?', '[']));
        if !is_pattern || name.exists() {
            files.push(name.clone());
            continue;
        }
        let expanded = daybook::expand(std::slice::from_ref(name))?;
        files.extend(expanded.inputs.iter().map(|input| PathBuf::from(input.name())));
    }
    Ok(files)
}

/// Shows how far it is, and notes.
struct Shown<'a> {
    printer: &'a Printer,
    line: ProgressLine,
}

impl Progress for Shown<'_> {
    fn update(&self, now: &Step<'_>) {
        self.line.update(now);
    }
}

impl Watcher for Shown<'_> {
    fn note(&self, text: &str) {
        self.line.aside(|| self.printer.note(&escape::visible(text)));
    }
}
