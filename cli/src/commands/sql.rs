//! `daybook sql`: asks with SQL.

use std::io::{Read, Write};
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use daybook::output::{OutputFormat, OutputOptions, Times, write_rows};
use daybook::{Error, ErrorKind, QueryRequest};

use super::receipt::{Written, tell};
use crate::args::{Format, Sql, Target, Zone};
use crate::context::Context;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::table::{LeftOut, Look, RowsTable, selects_all};
use crate::target::{Content, Sent, send};
use crate::{human, interrupt, memory};

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
    let sent = print(context.printer, &rows.schema(), rows, selects_all(&request.sql), &show)?;
    match &target {
        Target::Stdout => {
            let (rows, seconds) = (Written::Rows.counted(sent.rows), started.elapsed().as_secs_f64());
            context.printer.detail(&format!("{rows} in {}", human::seconds(seconds)));
        }
        Target::File(file) => tell(context, file, Written::Rows, sent, started)?,
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
    sql.limits.apply(&mut request.limits);
    Ok(request)
}

/// Prints rows as they come; `sparse` leaves out columns of a table in which none has a value.
pub fn print(
    printer: &Printer,
    schema: &Schema,
    rows: impl Iterator<Item = Result<RecordBatch, Error>>,
    sparse: bool,
    show: &Show<'_>,
) -> Result<Sent, Failure> {
    match show.format {
        Format::Table => print_table(printer, schema, rows, sparse, show),
        Format::Rows(format) => print_rows(printer, schema, rows, format, show),
    }
}

fn print_rows(
    printer: &Printer,
    schema: &Schema,
    rows: impl Iterator<Item = Result<RecordBatch, Error>>,
    format: OutputFormat,
    show: &Show<'_>,
) -> Result<Sent, Failure> {
    let content = if format.is_binary() { Content::Binary } else { Content::Text };
    let times = |time| show.zone.show(time);
    let options = OutputOptions { raw_csv: show.raw_csv, times: Times::shown_by(&times) };
    let mut each = |_| if interrupt::happened() { Err(interrupted()) } else { Ok(()) };
    send(printer, show.target, content, |out| write_rows(schema, rows, format, &options, out, &mut each))
}

fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "interrupted")
}

fn print_table(
    printer: &Printer,
    schema: &Schema,
    rows: impl Iterator<Item = Result<RecordBatch, Error>>,
    sparse: bool,
    show: &Show<'_>,
) -> Result<Sent, Failure> {
    let look = match show.target {
        Target::Stdout => Look { width: printer.width(), color: printer.stdout().color },
        Target::File(_) => Look { width: None, color: false },
    };
    let mut table = RowsTable::new(schema, sparse, show.zone, look);
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
        left_out = if count > 0 { left } else { LeftOut::default() };
        if error.is_none() || count > 0 {
            write_text(out, &text)?;
        }
        error.map_or(Ok(count), Err)
    });
    for note in notes(&left_out) {
        printer.note(&note);
    }
    if sent.as_ref().is_ok_and(|sent| sent.rows == 0) {
        printer.note("no rows");
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
