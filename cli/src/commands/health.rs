//! `daybook health`: ok, degraded or failing, and why.

use daybook::query::analyses::{Health, HealthStatus};
use daybook::{Error, ErrorKind};

use super::asking::ask;
use crate::args::FilterInput;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::printer::paint;

/// Looks, prints each check, and fails unless all is well.
pub fn run(context: &Context<'_>, input: &FilterInput) -> Result<(), Failure> {
    let report =
        ask(context, input, |store, filter, options| Ok(store.health(&Health { filter }, options)?))?;
    if context.printer.json() {
        context.printer.object(&report)?;
    } else {
        let color = context.printer.stdout().color;
        let mut data = context.printer.styled();
        for check in &report.checks {
            let style = match check.status {
                HealthStatus::Ok => "32",
                HealthStatus::Degraded => "33",
                HealthStatus::Failing => "31",
            };
            let status = paint(color, style, &format!("{:<9}", check.status.name()));
            data.write(
                format!("{status} {:<12} {}\n", check.name, escape::visible(&check.message)).as_bytes(),
            )?;
        }
        data.finish()?;
    }
    match report.status {
        HealthStatus::Ok => Ok(()),
        status => {
            Err(Error::new(ErrorKind::Invalid, format!("{}: {}", status.name(), report.message)).into())
        }
    }
}
