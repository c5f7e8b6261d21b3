//! `daybook export`: writes events to a file or to standard output.

use std::time::Instant;

use daybook::{ExportRequest, NoProgress, Progress};

use super::asking::ask;
use super::receipt::{Written, tell};
use crate::args::{Export, Target};
use crate::context::Context;
use crate::failure::Failure;
use crate::progress::ProgressLine;
use crate::target::{Content, send};

/// Exports, and says how much.
pub fn run(context: &Context<'_>, export: &Export) -> Result<(), Failure> {
    let started = Instant::now();
    let content = if export.format.is_binary() { Content::Binary } else { Content::Text };
    let sent = ask(context, &export.filter, |store, filter, options| {
        let Export { format, original, raw_csv, limit, .. } = *export;
        let request = ExportRequest { format, original, raw_csv, filter, limit };
        // No progress on standard output: the terminal may show the events themselves.
        let line = match export.target {
            Target::Stdout => None,
            Target::File(_) => Some(ProgressLine::new(context.printer, "exporting")),
        };
        let progress: &dyn Progress = line.as_ref().map_or(&NoProgress, |line| line);
        send(context.printer, &export.target, content, |out| store.export(&request, options, out, progress))
    })?;
    match &export.target {
        Target::Stdout => {
            context.printer.detail(&format!("{} exported", Written::Events.counted(sent.rows)));
            Ok(())
        }
        Target::File(file) => tell(context, file, Written::Events, sent, started),
    }
}
