//! `daybook man`: manual pages.

use clap_mangen::Man;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;

/// Prints the page of the program, or of one of its commands.
pub fn run(context: &Context<'_>, command: Option<&str>) -> Result<(), Failure> {
    let mut page = Vec::new();
    let definition = definition(command)?;
    let title = definition.get_display_name().unwrap_or("daybook").to_uppercase();
    let source = concat!("daybook ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(definition).title(title).source(source).manual("Daybook");
    man.render(&mut page).map_err(Failure::output)?;
    let mut data = context.printer.data();
    data.write(&page)?;
    data.finish()
}

fn definition(command: Option<&str>) -> Result<clap::Command, Failure> {
    let mut program = args::definition();
    program.build();
    let Some(name) = command else { return Ok(program) };
    match program.find_subcommand(name) {
        Some(command) => Ok(command.clone().display_name(format!("daybook-{name}"))),
        None => {
            Err(Failure::usage(format!("there is no command `{name}`")).hint("`daybook help` lists them"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page() {
        for command in args::definition().get_subcommands() {
            assert!(definition(Some(command.get_name())).is_ok());
        }
        assert!(definition(Some("nonsense")).is_err());
    }
}
