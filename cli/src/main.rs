//! The `daybook` command: parse, dispatch, exit code.

mod args;
mod cell;
mod commands;
mod context;
mod defect;
mod escape;
mod failure;
mod human;
mod interrupt;
mod memory;
mod printer;
mod progress;
mod shell;
mod table;
mod target;

use std::process::ExitCode;

use failure::{Exit, Failure};
use printer::Printer;

fn main() -> ExitCode {
    defect::report_panics();
    let raw = match args::parse(std::env::args_os()) {
        Ok(raw) => raw,
        Err(refusal) => return refusal.show().into(),
    };
    let printer = Printer::standard(raw.output());
    let exit = match run(raw, &printer) {
        Ok(()) => Exit::Done,
        Err(failure) => report(&printer, failure),
    };
    exit.into()
}

fn run(raw: args::Raw, printer: &Printer) -> Result<(), Failure> {
    let invocation = raw.check(std::env::var_os("DAYBOOK_STORE"))?;
    // The shell listens by itself: the editor of its lines takes over what listened before it.
    if !matches!(invocation.command, args::Command::Shell(_)) {
        interrupt::install()?;
    }
    commands::run(invocation, printer)
}

/// Says on standard error what went wrong, and which exit code tells it.
fn report(printer: &Printer, failure: Failure) -> Exit {
    let failure = if interrupt::happened() { failure.after_interrupt() } else { failure };
    printer.failure(&failure);
    failure.exit()
}
