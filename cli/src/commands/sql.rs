//! `daybook sql`: asks with SQL.

use std::io::Read;
use std::time::Instant;

use arrow::array::RecordBatch;
use daybook::{Error, QueryRequest, Rows};

use crate::args::{Format, Sql, Timeout, Zone};
use crate::context::Context;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::table::{LeftOut, Look, RowsTable, selects_all};
use crate::{csv, human, interrupt, json};

/// Asks, and prints the rows as they come.
pub fn run(context: &Context<'_>, sql: Sql) -> Result<(), Failure> {
    let started = Instant::now();
    let (request, format) = request(sql)?;
    let store = context.open()?;
    let rows = store.query(&request)?;
    let zone = context.global.zone;
    let count = match format {
        Format::Table => print_table(context.printer, rows, &request.sql, zone)?,
        Format::JsonLines => print_json_lines(context.printer, rows)?,
        Format::Json => print_json(context.printer, rows)?,
        Format::Csv => print_csv(context.printer, rows, zone)?,
    };
    context.printer.detail(&format!(
        "{} in {}",
        human::counted(count, "row", "rows"),
        human::seconds(started.elapsed().as_secs_f64())
    ));
    store.close()?;
    Ok(())
}

fn request(sql: Sql) -> Result<(QueryRequest, Format), Failure> {
    let text = match sql.query {
        Some(text) => text,
        None => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| Error::io("read the query from", "standard input", error))?;
            text
        }
    };
    let mut request = QueryRequest::new(text);
    request.parameters = sql.parameters;
    request.at = sql.at;
    match sql.timeout {
        Timeout::Default => {}
        Timeout::Never => request.limits.timeout = None,
        Timeout::After(duration) => request.limits.timeout = Some(duration),
    }
    if let Some(bytes) = sql.memory_bytes {
        request.limits.memory_bytes = bytes;
    }
    Ok((request, sql.format))
}

fn print_json_lines(printer: &Printer, rows: Rows) -> Result<u64, Failure> {
    let keys = json::keys(&rows.schema());
    print_rows(printer, rows, Framing::default(), |text, batch, row| {
        json::write_row(text, &keys, batch, row);
        text.push(b'\n');
    })
}

fn print_json(printer: &Printer, rows: Rows) -> Result<u64, Failure> {
    let keys = json::keys(&rows.schema());
    let framing = Framing { before: b"[".to_vec(), between: b",", after: b"\n]\n", empty: b"]\n" };
    print_rows(printer, rows, framing, |text, batch, row| {
        text.push(b'\n');
        json::write_row(text, &keys, batch, row);
    })
}

fn print_csv(printer: &Printer, rows: Rows, zone: Zone) -> Result<u64, Failure> {
    let mut header = Vec::new();
    csv::write_header(&mut header, &rows.schema());
    let framing = Framing { before: header, ..Framing::default() };
    print_rows(printer, rows, framing, |text, batch, row| csv::write_row(text, batch, row, zone))
}

/// What stands around rows.
#[derive(Default)]
struct Framing {
    before: Vec<u8>,
    between: &'static [u8],
    after: &'static [u8],
    /// In place of `after` when there are no rows.
    empty: &'static [u8],
}

/// Prints row after row. After an error midway there is no end: what was printed does not look whole.
fn print_rows(
    printer: &Printer,
    rows: Rows,
    framing: Framing,
    mut write: impl FnMut(&mut Vec<u8>, &RecordBatch, usize),
) -> Result<u64, Failure> {
    let mut data = printer.data();
    data.write(&framing.before)?;
    let mut count = 0_u64;
    let mut text = Vec::new();
    for batch in rows {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                data.flush()?;
                return Err(error.into());
            }
        };
        for row in 0..batch.num_rows() {
            if count > 0 {
                text.extend_from_slice(framing.between);
            }
            write(&mut text, &batch, row);
            data.write(&text)?;
            text.clear();
            count += 1;
        }
        interrupt::check()?;
        data.flush()?;
    }
    data.write(if count > 0 { framing.after } else { framing.empty })?;
    data.finish()?;
    Ok(count)
}

fn print_table(printer: &Printer, rows: Rows, sql: &str, zone: Zone) -> Result<u64, Failure> {
    let look = Look { width: printer.width(), color: printer.stdout().color };
    let mut table = RowsTable::new(&rows.schema(), selects_all(sql), zone, look);
    let mut data = printer.styled();
    let mut error = None;
    for batch in rows {
        interrupt::check()?;
        match batch {
            Ok(batch) => data.write(table.add(&batch).as_bytes())?,
            Err(failed) => {
                error = Some(failed);
                break;
            }
        }
    }
    let (text, left_out, count) = table.finish();
    if error.is_none() || count > 0 {
        data.write(text.as_bytes())?;
    }
    data.finish()?;
    for note in notes(&left_out) {
        printer.note(&note);
    }
    error.map_or(Ok(count), |error| Err(error.into()))
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
