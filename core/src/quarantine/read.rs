//! Rejects as they were written: rows of the table back to what could not be read.

use super::{Reject, columns};
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::RowSet;
use crate::ingest::batch;
use crate::storage::FilePlace;
use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The rejects in a batch of the quarantine's rows.
#[derive(Debug)]
pub struct RejectRows {
    rows: usize,
    seq: Int64Array,
    byte_offset: Int64Array,
    raw: StringArray,
    raw_base64: StringArray,
    reason: StringArray,
    input: StringArray,
    format: StringArray,
    header: StringArray,
}

impl RejectRows {
    /// Of a batch with any of the table's columns; those that are not there are null.
    pub fn new(batch: &RecordBatch) -> Result<RejectRows> {
        let batch = batch::conform(batch, &columns())?;
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| strange(name));
        let number = |name: &str| -> Result<Int64Array> {
            column(name)?.as_primitive_opt::<Int64Type>().cloned().ok_or_else(|| strange(name))
        };
        let text = |name: &str| -> Result<StringArray> {
            column(name)?.as_string_opt::<i32>().cloned().ok_or_else(|| strange(name))
        };
        Ok(RejectRows {
            rows: batch.num_rows(),
            seq: number("seq")?,
            byte_offset: number("byte_offset")?,
            raw: text("raw")?,
            raw_base64: text("raw_base64")?,
            reason: text("reason")?,
            input: text("input")?,
            format: text("format")?,
            header: text("header")?,
        })
    }

    /// All of them, in the order of the rows.
    pub fn iter(&self) -> impl Iterator<Item = Result<Reject>> {
        (0..self.rows).map(|row| self.reject(row))
    }

    fn reject(&self, row: usize) -> Result<Reject> {
        let number = |array: &Int64Array| if array.is_valid(row) { array.value(row) } else { 0 };
        let written = |array: &StringArray| array.is_valid(row).then(|| array.value(row).to_string());
        let text = |array: &StringArray| written(array).unwrap_or_default();
        let raw = match self.raw_base64.is_valid(row) {
            true => BASE64_STANDARD.decode(self.raw_base64.value(row)).map_err(|_| strange("raw_base64"))?,
            false => text(&self.raw).into_bytes(),
        };
        Ok(Reject {
            seq: number(&self.seq),
            raw,
            reason: text(&self.reason),
            input: text(&self.input),
            byte_offset: number(&self.byte_offset),
            format: text(&self.format),
            header: written(&self.header),
        })
    }
}

/// The rejects in a data file, some at a time.
pub fn read_file(place: &FilePlace) -> Result<impl Iterator<Item = Result<RejectRows>> + use<>> {
    let batches = batch::read_file(place, 0)?;
    Ok(batches.map(|batch| RejectRows::new(&batch?)))
}

/// Adds the rows of a batch of a data file to a set, hashed anew.
pub fn add_rows(batch: &RecordBatch, rows: &mut RowSet) -> Result<()> {
    for reject in RejectRows::new(batch)?.iter() {
        let reject = reject?;
        rows.add_rows(&[reject.row_hash()]);
    }
    Ok(())
}

fn strange(column: &str) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("a file of the quarantine has no column `{column}` that can be read"),
    )
    .with_hint("restore the folder `_quarantine` from a copy")
}

#[cfg(test)]
mod tests {
    use super::super::batch_of;
    use super::*;

    #[test]
    fn rows_are_the_rejects_that_were_written() {
        let reject = |seq: i64, raw: &[u8], header: Option<&str>| Reject {
            seq,
            raw: raw.to_vec(),
            reason: "no \u{7} reason".to_string(),
            input: "a".to_string(),
            byte_offset: seq + 7,
            format: "csv".to_string(),
            header: header.map(str::to_string),
        };
        let rejects = [
            reject(1, b"plain", None),
            reject(2, b"\xff\xfe\0", Some("a,b")),
            reject(3, b"", Some("")),
            reject(4, "\u{fffd}".as_bytes(), None),
        ];
        let rows = RejectRows::new(&batch_of(&rejects).unwrap()).unwrap();
        assert_eq!(rows.iter().collect::<Result<Vec<_>>>().unwrap(), rejects);
    }

    #[test]
    fn what_is_no_quarantine_is_an_error() {
        let wrong: arrow::array::ArrayRef = std::sync::Arc::new(StringArray::from(vec!["x"]));
        let batch = RecordBatch::try_from_iter([("seq", wrong)]).unwrap();
        assert_eq!(RejectRows::new(&batch).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
