//! Rows with a header, after RFC 4180: values between commas, semicolons, tabs or bars. PostgreSQL's
//! `COPY ... CSV` is one of them, and gives the rule for what is null: an empty cell without quotes.

mod header;
mod rows;
#[cfg(test)]
mod tests;

use super::cells::{Columns, RowWriter};
use super::{Codec, Format, Guess, Layout, Place, Records, Sample, last_line_end, text_of};
use header::{DELIMITERS, Plan};
use memchr::memchr;
use rows::{Cells, MORE_BYTES_MAX, Rows};
use std::sync::Arc;

/// An input with fewer rows than this has few.
const FEW_ROWS: usize = 20;
/// How sure it is at least that plain names are names.
const PLAIN_NAMES: usize = 80;

/// Why a row is none whose quotes do not match.
const QUOTES: &str = "the quotes in the row do not match";

#[derive(Debug)]
struct Csv {
    delimiter: u8,
    columns: Columns,
    /// The line with the names, where the input has one: it stands again where files were joined, and is no row.
    header_line: Option<Vec<u8>>,
    more_bytes_max: usize,
}

impl Csv {
    fn rows<'a>(&self, bytes: &'a [u8], ended: bool) -> Rows<'a> {
        Rows::new(bytes, self.delimiter, ended).with_limit(self.more_bytes_max)
    }

    fn is_no_row(&self, raw: &[u8]) -> bool {
        let is_blank = match self.columns.count() {
            0 | 1 => raw.is_empty(),
            _ => raw.iter().all(|byte| *byte == b' '),
        };
        is_blank || self.header_line.as_deref() == Some(raw)
    }
}

impl Codec for Csv {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        if memchr(b'"', pending).is_none() {
            return last_line_end(pending);
        }
        let mut rows = self.rows(pending, false);
        while rows.next().is_some() {}
        Some(rows.position()).filter(|end| *end > 0)
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        let mut writer = RowWriter::default();
        let mut buffer = String::new();
        for row in self.rows(block, true) {
            let place = Place { offset: row.offset, raw: row.raw };
            if !row.whole {
                records.unreadable(place, QUOTES);
                continue;
            }
            if self.is_no_row(row.raw) {
                continue;
            }
            let text = text_of(row.raw, records);
            writer.begin();
            for cell in Cells::new(&text, self.delimiter) {
                writer.cell(&self.columns, cell.text(&mut buffer));
            }
            match writer.end(&self.columns) {
                Ok(json) => records.record(place, json),
                Err(reason) => records.unreadable(place, &reason),
            }
        }
    }
}

fn layout_of(plan: Plan) -> Layout {
    let stored = plan.stored_header();
    let codec = Csv {
        delimiter: plan.delimiter,
        columns: plan.columns,
        header_line: (plan.start > 0).then_some(plan.header_line),
        more_bytes_max: MORE_BYTES_MAX,
    };
    Layout {
        format: Format::Csv,
        start: plan.start,
        header: Some(stored),
        names: &[],
        notes: plan.notes,
        codec: Arc::new(codec),
    }
}

/// The layout of an input, whether it looks like rows or not.
pub(super) fn layout(sample: &Sample<'_>) -> Layout {
    layout_of(Plan::of(sample))
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let plan = Plan::of(sample);
    let names = plan.columns.count();
    let fit = plan.fit;
    if names < 2 || (fit.rows == 0 && !sample.whole) {
        return None;
    }
    let best = match sample.header {
        Some(_) => 92,
        None => plan.sure_of_names()?,
    };
    let best = match fit.rows {
        0 => best / 2,
        _ if fit.agreeing * 5 >= fit.rows * 4 => best * fit.agreeing / fit.rows,
        // Of few rows one that is wrong is much, and names tell more than that row.
        1..FEW_ROWS if sample.whole && best >= PLAIN_NAMES && fit.agreeing * 2 > fit.rows => {
            best * (fit.agreeing + fit.rows) / (fit.rows * 2)
        }
        _ => return None,
    };
    let between = DELIMITERS.iter().find(|(byte, _)| *byte == plan.delimiter).map_or("", |(_, name)| name);
    let why = match fit.rows {
        0 => format!("its only line has {names} names with {between}s between them"),
        1 => format!("there are {names} names with {between}s between them, and a row of as many values"),
        rows => format!(
            "there are {names} names with {between}s between them, and {} of the first {rows} rows have as many values",
            fit.agreeing
        ),
    };
    Some(Guess { layout: layout_of(plan), sure: u8::try_from(best).unwrap_or(92), why })
}
