//! The arguments: as typed ([`Raw`]), then checked ([`Invocation`]).

mod asking;
mod checked;
mod exporting;
mod filter;
mod global;
mod help;
mod keeping;
mod limits;
mod looking;
mod output;
mod patterns;
mod raw;
mod reporting;
mod units;

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

pub use asking::{FacetsInput, SearchInput, Shown, TimelineInput};
pub use checked::{
    Command, ConfigAction, DemoRequest, Global, Ingest, Invocation, Log, Mine, NewEvent, Quarantine, Shell,
    Signed, Sql, State, Target, is_dash,
};
pub use daybook::zone::Zone;
pub use exporting::{BundleInput, Export};
pub use filter::FilterInput;
pub use keeping::{ArchiveInput, EraseInput, ExpireInput, MaintainInput, RestoreInput};
pub use limits::{LimitsInput, read_timeout};
pub use looking::{CourseInput, HistoryInput, HistoryOf, Limited, SessionsInput, ShowInput, TailInput};
pub use output::Format;
pub use patterns::{PatternsInput, PatternsWhat};
pub use raw::Raw;
pub use reporting::{AuditForm, AuditInput, MetricsInput, RawProof};

use crate::failure::{Exit, Failure};
use crate::printer::{Output, Printer};

/// Reads the command line.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Raw, Refusal> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let json = arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json");
    Raw::try_parse_from(arguments).map_err(|error| Refusal { error: Box::new(error), json })
}

/// The whole command, for completions and manual pages.
pub fn definition() -> clap::Command {
    Raw::command()
}

/// What to say in place of running a command: help, the version, or what is wrong with the arguments.
#[derive(Debug)]
pub struct Refusal {
    error: Box<clap::Error>,
    json: bool,
}

impl Refusal {
    /// Says it, and how the program ends.
    pub fn show(&self) -> Exit {
        if !self.error.use_stderr() {
            // Whoever reads help may stop reading.
            let _ = self.error.print();
            return Exit::Done;
        }
        if self.json {
            let output = Output { json: true, quiet: false, verbose: 0 };
            Printer::standard(output).failure(&Failure::usage(self.message()));
        } else {
            let _ = self.error.print();
        }
        Exit::Usage
    }

    fn message(&self) -> String {
        let text = self.error.to_string();
        let first = text.split("\n\n").next().unwrap_or(&text);
        first.trim_start_matches("error: ").trim_end().to_string()
    }
}

#[cfg(test)]
mod tests;
