//! The commands, a file each.

mod compact;
mod completions;
mod config;
mod demo;
mod export;
mod info;
mod ingest;
mod log;
mod man;
mod schema;
mod shell;
mod sql;

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
        Command::Shell(request) => shell::run(&context, &request),
        Command::Schema => schema::run(&context),
        Command::Info => info::run(&context),
        Command::Export(request) => export::run(&context, &request),
        Command::Config(action) => config::run(&context, action),
        Command::Compact(day) => compact::run(&context, day),
        Command::Completions(shell) => completions::run(&context, shell),
        Command::Man(command) => man::run(&context, command.as_deref()),
    }
}
