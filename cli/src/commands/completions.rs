//! `daybook completions`: a script for a shell.

use clap_complete::Shell;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;

/// Prints the script.
pub fn run(context: &Context<'_>, shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::definition(), "daybook", &mut script);
    let mut data = context.printer.data();
    data.write(&script)?;
    data.finish()
}
