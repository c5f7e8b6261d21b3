//! Export: all events as JSON Lines, oldest first.

use super::options::{ExportRequest, default_limits};
use super::reader::View;
use crate::engine::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::event::assemble::Assembler;
use crate::event::time::{day_start_us, rfc3339};
use crate::ingest::progress::{Progress, Step, Unit};
use crate::log::DataFile;
use crate::query::sql::literal;
use crate::seal::Tables;
use chrono::NaiveDate;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// Days are sorted together until they have so many rows.
const ROWS_SORTED: u64 = 500_000;

/// Some days in a row, with their files.
struct Span<'a> {
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
    files: Vec<&'a DataFile>,
}

pub fn export(
    tables: &Tables,
    request: &ExportRequest,
    out: &mut dyn Write,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<u64> {
    let view = View::take(tables, request.at)?;
    let total = view.events.files.iter().map(|file| file.rows).sum::<u64>() + view.pending.num_rows() as u64;
    let mut done = 0;
    for span in spans(&view.events.files) {
        let files: Vec<DataFile> = span.files.into_iter().cloned().collect();
        let table = view.events_table(tables, &files, !request.original)?;
        let session = Session::open(vec![table], Vec::new(), &default_limits())?;
        let sql = select(request.original, span.from, span.until);
        let rows = session.query(&sql, &[])?;
        let assembler = Assembler::new(&rows.schema(), &view.catalogue);
        let mut lines = Vec::new();
        for batch in rows {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                match request.original {
                    true => assembler.original_into(&batch, row, &mut lines)?,
                    false => assembler.columns_into(&batch, row, &mut lines)?,
                }
                lines.push(b'\n');
            }
            out.write_all(&lines).map_err(|error| Error::io("write", "the export", error))?;
            lines.clear();
            done += batch.num_rows() as u64;
            progress.update(&Step { done, total: Some(total), unit: Unit::Events, events: done, note: "" });
            if stop.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Interrupted, "the export was interrupted"));
            }
        }
    }
    Ok(done)
}

/// The days in groups; the first group also has what is before, the last what is after.
fn spans(files: &[DataFile]) -> Vec<Span<'_>> {
    let mut spans: Vec<Span<'_>> = vec![Span { from: None, until: None, files: Vec::new() }];
    let mut rows = 0;
    for day in files.chunk_by(|a, b| a.day == b.day) {
        let (Some(first), Some(last)) = (day.first(), spans.last_mut()) else { continue };
        let of_day: u64 = day.iter().map(|file| file.rows).sum();
        if rows > 0 && rows + of_day > ROWS_SORTED {
            last.until = Some(first.day);
            spans.push(Span { from: Some(first.day), until: None, files: day.iter().collect() });
            rows = of_day;
        } else {
            last.files.extend(day);
            rows += of_day;
        }
    }
    spans
}

fn select(original: bool, from: Option<NaiveDate>, until: Option<NaiveDate>) -> String {
    let time =
        |day: NaiveDate| format!("TIMESTAMP {}", literal(rfc3339(day_start_us(day)).trim_end_matches('Z')));
    let from = from.map(|day| format!("ts >= {}", time(day)));
    let until = until.map(|day| format!("ts < {}", time(day)));
    let conditions: Vec<String> = from.into_iter().chain(until).collect();
    let filter = if conditions.is_empty() { "true".to_string() } else { conditions.join(" AND ") };
    let left_out = if original { "recorded_at, day" } else { "recorded_at, day, shape" };
    format!("SELECT * EXCLUDE ({left_out}) FROM events WHERE {filter} ORDER BY ts, seq")
}
