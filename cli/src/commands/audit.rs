//! `daybook audit`: a report on a period, as JSON, Markdown or HTML.

use daybook::query::analyses::AuditReport;
use daybook::{Error, ErrorKind};

use super::asking::ask;
use super::whole_file;
use crate::args::{AuditForm, AuditInput};
use crate::context::Context;
use crate::failure::Failure;
use crate::human;

/// Makes the report, and prints or writes it.
pub fn run(context: &Context<'_>, input: &AuditInput) -> Result<(), Failure> {
    let report = ask(context, &input.filter, |store, filter, options| {
        let gap_hours = Some(input.gap_hours);
        Ok(store.audit_between(&input.from, input.to.as_deref(), gap_hours, filter, options)?)
    })?;
    match &input.output {
        None if context.printer.json() => context.printer.object(&report),
        None => {
            let mut data = context.printer.data();
            data.write(report.to_markdown().as_bytes())?;
            data.finish()
        }
        Some((file, form)) => {
            whole_file::write(file, written(&report, *form)?.as_bytes())?;
            let events = human::counted(report.totals.events, "event", "events");
            context.printer.note(&format!("wrote `{}`: {events}", file.display()));
            Ok(())
        }
    }
}

fn written(report: &AuditReport, form: AuditForm) -> Result<String, Failure> {
    Ok(match form {
        AuditForm::Markdown => report.to_markdown(),
        AuditForm::Html => report.to_html(),
        AuditForm::Json => {
            let json = serde_json::to_string_pretty(report);
            json.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))? + "\n"
        }
    })
}
