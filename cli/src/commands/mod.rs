//! The commands, a file each.

mod archive;
mod asking;
mod audit;
mod backup;
mod bundle;
mod compact;
mod completions;
mod config;
mod course;
mod demo;
mod encrypt;
mod erase;
mod events;
mod expire;
mod export;
mod facets;
mod health;
mod history;
mod info;
mod ingest;
mod log;
mod maintain;
mod man;
mod metrics;
mod mine;
mod patterns;
mod quarantine;
mod receipt;
mod restore;
mod schema;
mod search;
mod sessions;
mod shell;
mod show;
mod slowest;
mod sql;
mod stats;
mod tail;
mod timeline;
mod verify;
mod whole_file;

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
        Command::Quarantine(request) => quarantine::run(&context, *request),
        Command::Sql(request) => sql::run(&context, request),
        Command::Search(input) => search::run(&context, &input),
        Command::Stats(input) => stats::run(&context, &input),
        Command::Timeline(input) => timeline::run(&context, &input),
        Command::Facets(input) => facets::run(&context, &input),
        Command::Mine(request) => mine::run(&context, &request),
        Command::Slowest(input) => slowest::run(&context, &input),
        Command::History(input) => history::run(&context, &input),
        Command::Sessions(input) => sessions::run(&context, &input),
        Command::Course(input) => course::run(&context, &input),
        Command::Show(input) => show::run(&context, &input),
        Command::Tail(input) => tail::run(&context, &input),
        Command::Audit(input) => audit::run(&context, &input),
        Command::Metrics(input) => metrics::run(&context, &input),
        Command::Health(input) => health::run(&context, &input),
        Command::Patterns(input) => patterns::run(&context, &input),
        Command::Shell(request) => shell::run(&context, &request),
        Command::Schema(limits) => schema::run(&context, limits),
        Command::Info => info::run(&context),
        Command::Export(request) => export::run(&context, &request),
        Command::Bundle(input) => bundle::run(&context, &input),
        Command::Config(action) => config::run(&context, action),
        Command::Compact(request) => compact::run(&context, &request),
        Command::Encrypt => encrypt::run(&context),
        Command::Expire(input) => expire::run(&context, &input),
        Command::Erase(input) => erase::run(&context, input),
        Command::Maintain(input) => maintain::run(&context, &input),
        Command::Archive(input) => archive::run(&context, &input),
        Command::Restore(input) => restore::run(&context, &input),
        Command::Backup(folder) => backup::run(&context, &folder),
        Command::Verify(signed, deep) => verify::run(&context, signed, deep),
        Command::VerifyProof(file, signed) => verify::of_event(&context, &file, signed),
        Command::Proof(proof) => verify::proof(&context, &proof),
        Command::Completions(shell) => completions::run(&context, shell),
        Command::Man(command) => man::run(&context, command.as_deref()),
    }
}
