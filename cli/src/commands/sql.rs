//! `daybook sql`: asks with SQL.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;

use daybook::output::{OutputFormat, OutputOptions, Times, write_rows};
use daybook::{Error, ErrorKind, QueryRequest, Rows};
use serde::Serialize;

use crate::args::{Format, Sql, Target, Timeout, Zone};
use crate::context::Context;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::table::{LeftOut, Look, RowsTable, selects_all};
use crate::target::{Content, Sent, send};
use crate::{escape, human, interrupt, memory};

/// How rows are shown.
#[derive(Clone, Copy, Debug)]
pub struct Show<'a> {
    pub format: Format,
    pub target: &'a Target,
    pub raw_csv: bool,
    pub zone: Zone,
}

/// Asks, and prints the rows as they come.
pub fn run(context: &Context<'_>, sql: Sql) -> Result<(), Failure> {
    let started = Instant::now();
    let (format, target, raw_csv) = (sql.format, sql.target.clone(), sql.raw_csv);
    let show = Show { format, target: &target, raw_csv, zone: context.global.zone };
    let request = request(sql)?;
    let store = context.open()?;
    memory::bound(&request.limits);
    let rows = store.query(&request)?;
    let sent = print(context.printer, rows, &request.sql, &show)?;
    let seconds = started.elapsed().as_secs_f64();
    match &target {
        Target::Stdout => {
            let rows = human::counted(sent.rows, "row", "rows");
            context.printer.detail(&format!("{rows} in {}", human::seconds(seconds)));
        }
        Target::File(file) => tell(context, &Receipt { file, rows: sent.rows, bytes: sent.bytes, seconds })?,
    }
    store.close()?;
    Ok(())
}

fn request(sql: Sql) -> Result<QueryRequest, Failure> {
    let text = match sql.query {
        Some(text) => text,
        None => {
            let mut text = String::new();
            interrupt::reader(std::io::stdin())?
                .read_to_string(&mut text)
                .map_err(|error| Error::io("read the query from", "standard input", error))?;
            text
        }
    };
    let mut request = QueryRequest::new(text);
    request.parameters = sql.parameters;
    request.at = sql.at;
    limit(&mut request, sql.timeout, sql.memory_bytes);
    Ok(request)
}

/// Puts the limits that were asked for in place of the default ones.
pub fn limit(request: &mut QueryRequest, timeout: Timeout, memory_bytes: Option<u64>) {
    match timeout {
        Timeout::Default => {}
        Timeout::Never => request.limits.timeout = None,
        Timeout::After(duration) => request.limits.timeout = Some(duration),
    }
    if let Some(bytes) = memory_bytes {
        request.limits.memory_bytes = bytes;
    }
}

/// The JSON form of what became of a file.
#[derive(Serialize)]
struct Receipt<'a> {
    file: &'a Path,
    rows: u64,
    bytes: u64,
    seconds: f64,
}

fn tell(context: &Context<'_>, receipt: &Receipt<'_>) -> Result<(), Failure> {
    if context.printer.json() {
        return context.printer.object(receipt);
    }
    context.printer.receipt(&format!(
        "{} in {} ({}), in {}",
        human::counted(receipt.rows, "row", "rows"),
        escape::visible(&receipt.file.display().to_string()),
        human::bytes(receipt.bytes),
        human::seconds(receipt.seconds),
    ))
}

/// Prints rows as they come.
pub fn print(printer: &Printer, rows: Rows, sql: &str, show: &Show<'_>) -> Result<Sent, Failure> {
    match show.format {
        Format::Table => print_table(printer, rows, sql, show),
        Format::Rows(format) => print_rows(printer, rows, format, show),
    }
}

fn print_rows(printer: &Printer, rows: Rows, format: OutputFormat, show: &Show<'_>) -> Result<Sent, Failure> {
    let content = if format.is_binary() { Content::Binary } else { Content::Text };
    let times = |time| show.zone.show(time);
    let options = OutputOptions { raw_csv: show.raw_csv, times: Times::shown_by(&times) };
    let mut each = |_| if interrupt::happened() { Err(interrupted()) } else { Ok(()) };
    let schema = rows.schema();
    send(printer, show.target, content, |out| write_rows(&schema, rows, format, &options, out, &mut each))
}

fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "interrupted")
}

fn print_table(printer: &Printer, rows: Rows, sql: &str, show: &Show<'_>) -> Result<Sent, Failure> {
    let look = match show.target {
        Target::Stdout => Look { width: printer.width(), color: printer.stdout().color },
        Target::File(_) => Look { width: None, color: false },
    };
    let mut table = RowsTable::new(&rows.schema(), selects_all(sql), show.zone, look);
    let mut left_out = LeftOut::default();
    let sent = send(printer, show.target, Content::Styled, |out| {
        let mut error = None;
        for batch in rows {
            match batch {
                Ok(_) if interrupt::happened() => error = Some(interrupted()),
                Ok(batch) => write_text(out, &table.add(&batch))?,
                Err(failed) => error = Some(failed),
            }
            if error.is_some() {
                break;
            }
        }
        let (text, left, count) = table.finish();
        left_out = left;
        if error.is_none() || count > 0 {
            write_text(out, &text)?;
        }
        error.map_or(Ok(count), Err)
    });
    for note in notes(&left_out) {
        printer.note(&note);
    }
    sent
}

fn write_text(out: &mut dyn Write, text: &str) -> Result<(), Error> {
    out.write_all(text.as_bytes()).map_err(|error| Error::io("write", "the rows", error))
}

fn notes(left_out: &LeftOut) -> Vec<String> {
    let mut notes = Vec::new();
    if !left_out.empty.is_empty() {
        notes.push(format!("left out, as no row has a value: {}", left_out.empty.join(", ")));
    }
    if !left_out.late.is_empty() {
        notes.push(format!(
            "yet rows further down have values of: {}; name them in SELECT",
            left_out.late.join(", ")
        ));
    }
    if !left_out.unfit.is_empty() {
        notes.push(format!(
            "left out, as the terminal is too narrow: {}; name columns in SELECT, or use --format jsonl",
            left_out.unfit.join(", ")
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_table_leaves_out_is_said() {
        assert!(notes(&LeftOut::default()).is_empty());
        let mut left_out = LeftOut::default();
        left_out.empty = vec!["a".to_string(), "b".to_string()];
        left_out.unfit = vec!["c".to_string()];
        assert_eq!(
            notes(&left_out),
            [
                "left out, as no row has a value: a, b",
                "left out, as the terminal is too narrow: c; name columns in SELECT, or use --format jsonl",
            ]
        );
    }
}
