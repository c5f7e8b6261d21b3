//! What became of a file that was written.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::target::Sent;
use crate::{escape, human};

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Rows,
    Events,
}

/// The JSON form.
#[derive(Serialize)]
struct Receipt<'a> {
    file: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<u64>,
    bytes: u64,
    seconds: f64,
}

impl Written {
    /// So many of them, in words.
    pub fn counted(self, count: u64) -> String {
        match self {
            Written::Rows => human::counted(count, "row", "rows"),
            Written::Events => human::counted(count, "event", "events"),
        }
    }
}

/// Says what is in the file now.
pub fn tell(
    context: &Context<'_>,
    file: &Path,
    written: Written,
    sent: Sent,
    started: Instant,
) -> Result<(), Failure> {
    let seconds = started.elapsed().as_secs_f64();
    if context.printer.json() {
        let of = |this: Written| (this == written).then_some(sent.rows);
        let (rows, events) = (of(Written::Rows), of(Written::Events));
        return context.printer.object(&Receipt { file, rows, events, bytes: sent.bytes, seconds });
    }
    context.printer.receipt(&format!(
        "{} in {} ({}), in {}",
        written.counted(sent.rows),
        escape::visible(&file.display().to_string()),
        human::bytes(sent.bytes),
        human::seconds(seconds),
    ))
}
