//! PostgreSQL's `COPY` as text, alone or in a dump: tabs between values, `\N` for null, backslash escapes.
//!
//! A dump may have several tables. Rows of the first one make blocks of any number. A later table stays with the
//! statement that names its columns in one block, and each of its rows carries that statement into the quarantine.

mod plan;
mod row;
#[cfg(test)]
mod tests;

use super::cells::{Columns, RowWriter};
use super::{Codec, Format, Guess, Layout, Place, Records, Sample, text_of};
use memchr::memmem;
use plan::{Plan, kinds_from};
use row::{Cells, Lines, Statement, decode, is_end_of_line, is_end_of_rows};
use std::sync::Arc;

#[derive(Debug)]
struct Copy {
    /// The columns of rows at the beginning. None if the input begins with other statements.
    columns: Option<Columns>,
    /// Whether there are statements around the rows.
    is_dump: bool,
}

/// Where a line of a block stands.
enum Section {
    /// Among rows of the columns that the input begins with.
    First,
    /// Among rows of other columns.
    Other(Box<Other>),
    /// Between tables.
    Between,
}

struct Other {
    columns: Columns,
    /// The statement, and then a row.
    alone: Vec<u8>,
    statement_bytes: usize,
}

impl Copy {
    fn at_start(&self) -> Section {
        if self.columns.is_some() { Section::First } else { Section::Between }
    }

    /// Whether a block may begin with a line of this section that says nothing of its section.
    fn may_begin_in(&self, section: &Section) -> bool {
        match section {
            Section::First => true,
            Section::Other(_) => false,
            Section::Between => self.columns.is_none(),
        }
    }

    fn is_first(&self, statement: &Statement) -> bool {
        self.columns.as_ref().is_some_and(|columns| columns.names == statement.names)
    }

    /// The section that a statement begins; `rows` are what follows it.
    fn section_of(&self, statement: Statement, rows: &[u8]) -> Section {
        if self.is_first(&statement) {
            return Section::First;
        }
        let kinds = statement.kinds.clone().unwrap_or_else(|| kinds_from(rows, true, statement.names.len()));
        let alone = statement.with_kinds(&kinds);
        let columns = Columns { names: statement.names, kinds };
        Section::Other(Box::new(Other { columns, statement_bytes: alone.len(), alone }))
    }
}

impl Codec for Copy {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        if self.columns.is_some() && !may_have_marks(pending) {
            let mut newlines = memchr::memrchr_iter(b'\n', pending);
            return newlines.find(|newline| is_end_of_line(pending, *newline)).map(|newline| newline + 1);
        }
        let mut section = self.at_start();
        let mut end = 0;
        for line in Lines::new(pending, false) {
            let next = if is_end_of_rows(line.raw) {
                Some(Section::Between)
            } else {
                // What the kinds are does not matter here.
                Statement::of(line.raw).map(|statement| self.section_of(statement, &[]))
            };
            if let Some(next) = next {
                end = line.offset;
                section = next;
            }
            if self.may_begin_in(&section) {
                end = line.next;
            }
        }
        Some(end).filter(|end| *end > 0)
    }

    /// In a dump, only what begins or ends a table says which table's rows follow.
    fn next_start(&self, bytes: &[u8]) -> Option<usize> {
        if !self.is_dump {
            return memchr::memchr(b'\n', bytes).map(|newline| newline + 1);
        }
        let mut newlines = memchr::memchr_iter(b'\n', bytes).map(|newline| newline + 1);
        newlines.find(|start| {
            let line = super::lines_of(bytes.get(*start..).unwrap_or_default()).next();
            line.is_some_and(|line| is_end_of_rows(line.raw) || Statement::of(line.raw).is_some())
        })
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        let mut reader = Reader::default();
        let mut section = self.at_start();
        for line in Lines::new(block, true) {
            if is_end_of_rows(line.raw) {
                section = Section::Between;
                continue;
            }
            if let Some(statement) = Statement::of(line.raw) {
                section = self.section_of(statement, block.get(line.next..).unwrap_or_default());
                continue;
            }
            let mut place = Place { offset: line.offset, raw: line.raw };
            match (&mut section, &self.columns) {
                (Section::First, Some(columns)) => reader.row(place, line.raw, columns, records),
                (Section::Other(other), _) => {
                    other.alone.truncate(other.statement_bytes);
                    other.alone.extend_from_slice(line.raw);
                    place.raw = &other.alone;
                    reader.row(place, line.raw, &other.columns, records);
                }
                _ => {}
            }
        }
    }
}

/// Whether a line may begin or end a table's rows.
fn may_have_marks(bytes: &[u8]) -> bool {
    let found = |mark: &[u8]| memmem::find(bytes, mark).is_some();
    bytes.starts_with(b"\\.") || bytes.starts_with(b"COPY ") || found(b"\n\\.") || found(b"\nCOPY ")
}

#[derive(Default)]
struct Reader {
    writer: RowWriter,
    cell: Vec<u8>,
}

impl Reader {
    fn row(&mut self, place: Place<'_>, raw: &[u8], columns: &Columns, records: &mut dyn Records) {
        if raw.is_empty() && columns.count() != 1 {
            return;
        }
        let text = text_of(raw, records);
        self.writer.begin();
        for cell in Cells::new(text.as_bytes()) {
            match decode(cell, &mut self.cell) {
                Ok(text) => self.writer.cell(columns, text),
                Err(_) => {
                    return records.unreadable(place, "an escape in the row makes bytes that are not UTF-8");
                }
            }
        }
        match self.writer.end(columns) {
            Ok(json) => records.record(place, json),
            Err(reason) => records.unreadable(place, &reason),
        }
    }
}

fn layout_of(plan: Plan) -> Layout {
    let header = plan.stored_header();
    let codec = Arc::new(Copy { columns: plan.columns, is_dump: plan.is_dump });
    let (start, notes) = (plan.start, plan.notes);
    Layout { format: Format::Copy, start, header, names: &[], notes, codec }
}

/// The layout of an input, whether it looks like `COPY` or not.
pub(super) fn layout(sample: &Sample<'_>) -> Layout {
    layout_of(Plan::of(sample))
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let plan = Plan::of(sample);
    let (sure, why) = plan.sure(sample)?;
    Some(Guess { layout: layout_of(plan), sure, why: why.to_string() })
}
