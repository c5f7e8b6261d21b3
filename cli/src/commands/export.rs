//! `daybook export`: writes events to a file or to standard output.

use std::path::Path;
use std::time::Instant;

use chrono::Utc;
use daybook::output::OutputFormat;
use daybook::query::filter::{Context as Clock, Filter};
use daybook::{ExportRequest, NoProgress, Progress};
use serde::Serialize;

use crate::args::{Export, Target, Zone};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::progress::ProgressLine;
use crate::target::{Content, send};

/// Exports, and says how much.
pub fn run(context: &Context<'_>, export: &Export) -> Result<(), Failure> {
    let started = Instant::now();
    let request = request(export, context.global.zone)?;
    let store = context.open()?;
    let content = if export.format.is_binary() { Content::Binary } else { Content::Text };
    // No progress on standard output: the terminal may show the events themselves.
    let line = match export.target {
        Target::Stdout => None,
        Target::File(_) => Some(ProgressLine::new(context.printer, "exporting")),
    };
    let progress: &dyn Progress = line.as_ref().map_or(&NoProgress, |line| line);
    let sent = send(context.printer, &export.target, content, |out| store.export(&request, out, progress))?;
    drop(line);
    let seconds = started.elapsed().as_secs_f64();
    match &export.target {
        Target::Stdout => {
            let events = human::counted(sent.rows, "event", "events");
            context.printer.detail(&format!("{events} exported"));
        }
        Target::File(file) => {
            tell(context, &Receipt { file, events: sent.rows, bytes: sent.bytes, seconds })?;
        }
    }
    store.close()?;
    Ok(())
}

fn request(export: &Export, zone: Zone) -> Result<ExportRequest, Failure> {
    let mut request = ExportRequest {
        format: export.format,
        original: export.original,
        raw_csv: export.raw_csv,
        filter: filter(&export.filter, zone)?,
        ..ExportRequest::default()
    };
    if let Some(bytes) = export.memory_bytes {
        request.limits.memory_bytes = bytes;
    }
    if export.original && !matches!(export.format, OutputFormat::Json | OutputFormat::JsonLines) {
        let message = "`--original` writes the producers' own records, which are JSON";
        return Err(Failure::usage(message).hint("use --format jsonl or json"));
    }
    Ok(request)
}

/// The filter of a text, with times in the zone; `None` for every event.
pub fn filter(text: &str, zone: Zone) -> Result<Option<Filter>, Failure> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let offset = |us: i64| zone.offset_at(us);
    let clock = Clock::new(Utc::now().timestamp_micros()).with_zone(&offset);
    match Filter::parse(text, &clock) {
        Ok(filter) => Ok(Some(filter).filter(|filter| !filter.is_all())),
        Err(error) => Err(error.into_error(text).into()),
    }
}

/// The JSON form.
#[derive(Serialize)]
struct Receipt<'a> {
    file: &'a Path,
    events: u64,
    bytes: u64,
    seconds: f64,
}

fn tell(context: &Context<'_>, receipt: &Receipt<'_>) -> Result<(), Failure> {
    if context.printer.json() {
        return context.printer.object(receipt);
    }
    context.printer.receipt(&format!(
        "{} in {} ({}), in {}",
        human::counted(receipt.events, "event", "events"),
        escape::visible(&receipt.file.display().to_string()),
        human::bytes(receipt.bytes),
        human::seconds(receipt.seconds),
    ))
}
