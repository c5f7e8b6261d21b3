//! `daybook audit`: a report on a period, as JSON, Markdown or HTML.

use chrono::Utc;
use daybook::query::analyses::{Audit, AuditReport};
use daybook::query::filter::{Context as Reading, Filter, Op, Term, Value};
use daybook::{AskOptions, Error, ErrorKind};

use super::asking::ask;
use super::whole_file;
use crate::args::{AuditForm, AuditInput, zone};
use crate::context::Context;
use crate::failure::Failure;
use crate::human;

/// Makes the report, and prints or writes it.
pub fn run(context: &Context<'_>, input: &AuditInput) -> Result<(), Failure> {
    let report = ask(context, &input.filter, |store, filter, options| {
        let (from, until) =
            (since(&input.from, &options.context)?, until(input.to.as_deref(), &options.context)?);
        let (hours, zone_name) = store.hours()?;
        let zone = zone::parse(&zone_name).map_err(|why| {
            Error::new(ErrorKind::Invalid, format!("`hours.zone` in `daybook.toml` is `{zone_name}`: {why}"))
        })?;
        let offset = move |instant_us: i64| zone.offset_at(instant_us);
        let audit = Audit { filter, hours, gap_hours: input.gap_hours, ..Audit::new(from, until) };
        let reading = Reading::new(Utc::now().timestamp_micros()).with_zone(&offset);
        Ok(store.audit(&audit, &AskOptions { context: reading, ..options.clone() })?)
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

/// The first instant of a day, or the instant of a time.
fn since(text: &str, reading: &Reading<'_>) -> Result<i64, Failure> {
    match Filter::flag("since", text, reading).map_err(Error::from)? {
        Filter::Term(Term::Since(instant_us)) => Ok(instant_us),
        _ => Err(Failure::usage(format!("`{text}` is no time"))),
    }
}

/// The instant after the last of a day, or after a time.
fn until(text: Option<&str>, reading: &Reading<'_>) -> Result<i64, Failure> {
    let text = text.unwrap_or("now");
    let upto = Filter::field("ts", Op::LessOrEqual, vec![Value::text(text)], reading).map_err(Error::from)?;
    match upto {
        Filter::Term(Term::Until(instant_us)) => Ok(instant_us),
        _ => Err(Failure::usage(format!("`{text}` is no time"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_part_of_the_period() {
        const DAY_US: i64 = 86_400_000_000;
        let reading = Reading::new(5 * DAY_US);
        assert_eq!(since("1970-01-02", &reading).ok(), Some(DAY_US));
        assert_eq!(until(Some("1970-01-02"), &reading).ok(), Some(2 * DAY_US));
        assert_eq!(until(None, &reading).ok(), Some(5 * DAY_US + 1));
        assert!(since("someday", &reading).is_err());
    }
}
