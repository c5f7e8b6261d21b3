//! The table of a query's rows, in memory that does not grow with them.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::{Column, Layout, Look, Text};
use crate::args::Zone;
use crate::cell::{self, cell};
use crate::escape;

/// The layout is decided when this many rows, or this much text, have come.
const ROWS_FIRST: usize = 2_000;
const BYTES_FIRST: usize = 8 << 20;

/// What people look for first when they ask for all columns and not all fit.
const FIRST: [&str; 9] =
    ["ts", "message", "kind", "level", "actor", "source", "status", "entity_id", "duration_ms"];

/// Takes batches, gives text.
pub struct RowsTable {
    columns: Vec<Column>,
    /// Columns without a value are left out.
    sparse: bool,
    zone: Zone,
    look: Look,
    waiting: Vec<Vec<Text>>,
    waiting_bytes: usize,
    layout: Option<Layout>,
    left_out: LeftOut,
    rows: u64,
}

/// What a table does not show, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Columns without a value.
    pub empty: Vec<String>,
    /// Columns that do not fit the terminal.
    pub unfit: Vec<String>,
    /// Columns left out as empty that turned out to have a value further down.
    pub late: Vec<String>,
    /// The positions of `empty`.
    empty_places: Vec<usize>,
}

impl RowsTable {
    /// A table of these columns; `sparse` leaves out those without a value, and where the others do not all
    /// fit, keeps what people look for first.
    pub fn new(schema: &Schema, sparse: bool, zone: Zone, look: Look) -> RowsTable {
        let columns = schema.fields().iter().map(|field| Column {
            name: field.name().clone(),
            numeric: cell::is_numeric(field.data_type()),
            rigid: cell::is_rigid(field.data_type()),
            rank: if sparse { rank(field.name()) } else { 0 },
        });
        RowsTable {
            columns: columns.collect(),
            sparse,
            zone,
            look,
            waiting: Vec::new(),
            waiting_bytes: 0,
            layout: None,
            left_out: LeftOut::default(),
            rows: 0,
        }
    }

    /// The text that the rows of a batch bring, if any yet.
    pub fn add(&mut self, batch: &RecordBatch) -> String {
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            self.rows += 1;
            let texts: Vec<Text> = batch.columns().iter().map(|column| self.text(column, row)).collect();
            match &self.layout {
                Some(layout) => {
                    text.push_str(&layout.row(&self.columns, &texts));
                    self.left_out.notice(&self.columns, &texts);
                }
                None => {
                    self.waiting_bytes += texts.iter().flatten().map(String::len).sum::<usize>();
                    self.waiting.push(texts);
                    if self.waiting.len() >= ROWS_FIRST || self.waiting_bytes >= BYTES_FIRST {
                        text.push_str(&self.lay_out());
                    }
                }
            }
        }
        text
    }

    /// The text of what still waits, what was left out, and the number of rows.
    pub fn finish(mut self) -> (String, LeftOut, u64) {
        let text = if self.layout.is_none() { self.lay_out() } else { String::new() };
        (text, self.left_out, self.rows)
    }

    fn lay_out(&mut self) -> String {
        let rows = std::mem::take(&mut self.waiting);
        let has_value = |place: &usize| rows.iter().any(|row| row.get(*place).is_some_and(Option::is_some));
        let hides = self.sparse && !rows.is_empty();
        let (shown, empty): (Vec<usize>, Vec<usize>) =
            (0..self.columns.len()).partition(|place| !hides || has_value(place));
        let layout = Layout::new(&self.columns, &shown, &rows, self.look);
        self.left_out.empty = self.names(&empty);
        self.left_out.unfit = self.names(&layout.unfit);
        self.left_out.empty_places = empty;
        let mut text = layout.header(&self.columns);
        for row in &rows {
            text.push_str(&layout.row(&self.columns, row));
        }
        self.layout = Some(layout);
        text
    }

    fn names(&self, places: &[usize]) -> Vec<String> {
        places.iter().filter_map(|place| self.columns.get(*place)).map(|column| column.name.clone()).collect()
    }

    fn text(&self, column: &arrow::array::ArrayRef, row: usize) -> Text {
        let text = match cell(column, row) {
            cell::Cell::Bytes(bytes) => hexadecimal(bytes),
            value => cell::plain(&value, self.zone)?,
        };
        Some(escape::visible(&text).into_owned())
    }
}

impl LeftOut {
    fn notice(&mut self, columns: &[Column], row: &[Text]) {
        for place in &self.empty_places {
            let Some((column, Some(_))) = columns.get(*place).zip(row.get(*place)) else { continue };
            if !self.late.contains(&column.name) {
                self.late.push(column.name.clone());
            }
        }
    }
}

fn rank(name: &str) -> usize {
    FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{}", digits.concat())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::*;

    use super::*;

    fn batch(rows: usize, late: Option<&str>) -> RecordBatch {
        let empty = StringArray::from_iter((0..rows).map(|row| late.filter(|_| row + 1 == rows)));
        RecordBatch::try_from_iter_with_nullable(vec![
            ("n", Arc::new(Int64Array::from_iter_values(0..rows as i64)) as ArrayRef, true),
            ("empty", Arc::new(empty) as ArrayRef, true),
            (
                "text",
                Arc::new(StringArray::from_iter_values((0..rows).map(|_| "a\u{1b}\nb"))) as ArrayRef,
                true,
            ),
        ])
        .unwrap()
    }

    fn table(batches: &[RecordBatch], sparse: bool, width: Option<usize>) -> (String, LeftOut, u64) {
        let look = Look { width, color: false };
        let mut table = RowsTable::new(&batches[0].schema(), sparse, Zone::Utc, look);
        let mut text: String = batches.iter().map(|batch| table.add(batch)).collect();
        let (rest, left_out, rows) = table.finish();
        text.push_str(&rest);
        (text, left_out, rows)
    }

    #[test]
    fn columns_without_a_value_are_left_out_and_named() {
        let (text, left_out, rows) = table(&[batch(1, None)], true, None);
        assert_eq!(text, "n  text\n─  ──────────\n0  a\\u001b\\nb\n");
        assert_eq!((left_out.empty.as_slice(), rows), (["empty".to_string()].as_slice(), 1));
        let (text, left_out, _) = table(&[batch(1, None)], false, None);
        assert!(text.starts_with("n  empty  text\n"));
        assert_eq!(left_out, LeftOut::default());
    }

    #[test]
    fn an_answer_without_rows_still_names_its_columns() {
        let (text, left_out, rows) = table(&[batch(0, None)], true, None);
        assert!(text.starts_with("n  empty  text\n"));
        assert_eq!((left_out, rows), (LeftOut::default(), 0));
    }

    #[test]
    fn a_value_that_comes_late_is_told() {
        let batches = [batch(ROWS_FIRST, None), batch(10, Some("late"))];
        let (text, left_out, rows) = table(&batches, true, None);
        assert_eq!(left_out.late, ["empty"]);
        assert_eq!(rows, 2010);
        assert_eq!(text.lines().count(), 2012);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (_, left_out, _) = table(&[batch(1, Some("x"))], true, Some(9));
        assert_eq!(left_out.unfit, ["text"]);
    }

    #[test]
    fn binary_data_is_hexadecimal() {
        assert_eq!(hexadecimal(b"\x00\xff"), "0x00ff");
    }
}
