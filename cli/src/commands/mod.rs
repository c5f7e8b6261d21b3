//! The commands, a file each.

mod asking;
mod compact;
mod completions;
mod demo;
mod export;
mod facets;
mod info;
mod ingest;
mod log;
mod man;
mod schema;
mod search;
mod sql;
mod stats;
mod timeline;

use crate::args::{Command, Invocation};
use crate::context::Context;
use crate::failure::Failure;
use crate::printer::Printer;

/// Runs a command.
pub fn run(invocation: Invocation, printer: &Printer) -> Result<(), Failure> {
    let context = Context { printer, global: invocation.global };
    match invocation.command {
        Command::Demo(request) => demo::run(&context, &request),
        Command::Log(request) => log::run(&context, request),
        Command::Ingest(request) => ingest::run(&context, &request),
        Command::Sql(request) => sql::run(&context, request),
        Command::Search(input) => search::run(&context, &input),
        Command::Stats(input) => stats::run(&context, &input),
        Command::Timeline(input) => timeline::run(&context, &input),
        Command::Facets(input) => facets::run(&context, &input),
        Command::Schema => schema::run(&context),
        Command::Info => info::run(&context),
        Command::Export(request) => export::run(&context, &request),
        Command::Compact(day) => compact::run(&context, day),
        Command::Completions(shell) => completions::run(&context, shell),
        Command::Man(command) => man::run(&context, command.as_deref()),
    }
}
