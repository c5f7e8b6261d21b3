//! The rows that have certain values, found in the columns of these values alone.

use super::DataFileReader;
use crate::error::{Error, ErrorKind, Result};
use crate::event::fixed::Fixed;
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::kernels::cmp::eq;
use arrow::compute::{and, cast, or, prep_null_mask_filter};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;

/// What each row has: for each list, one of its pairs of a text column and a value.
pub type Keys<'a> = &'a [Vec<(String, String)>];

/// The numbers of the rows of a file that have one of the values of each, rising.
pub fn rows_having(file: &DataFileReader, keys: Keys<'_>) -> Result<Vec<u32>> {
    let is_key = |name: &str| keys.iter().flatten().any(|(column, _)| column == name);
    let mut rows = Vec::new();
    let mut first = 0_u32;
    for batch in file.batches(&is_key, None)? {
        let found = rows_in_batch(&batch, keys)?;
        rows.extend(found.into_iter().map(|row| first.saturating_add(row)));
        first = first.saturating_add(u32::try_from(batch.num_rows()).unwrap_or(u32::MAX));
    }
    Ok(rows)
}

/// The numbers of the rows of a file that have one of these `seq`, which rise.
pub fn rows_numbered(file: &DataFileReader, seqs: &[i64]) -> Result<Vec<u32>> {
    let mut rows = Vec::new();
    let mut row = 0_u32;
    for batch in file.batches(&|name| name == Fixed::Seq.name(), None)? {
        let column = batch.columns().first().and_then(|column| column.as_primitive_opt::<Int64Type>());
        for seq in column.iter().flat_map(|column| column.values()) {
            if seqs.binary_search(seq).is_ok() {
                rows.push(row);
            }
            row = row.saturating_add(1);
        }
    }
    Ok(rows)
}

/// The numbers of the rows of a batch that have one of the values of each, rising. Where a column is not there, no
/// row has a value of it.
pub fn rows_in_batch(batch: &RecordBatch, keys: Keys<'_>) -> Result<Vec<u32>> {
    let mut chosen: Option<BooleanArray> = None;
    for any in keys {
        let has_one = has_one(batch, any).map_err(|error| failed(&error))?;
        chosen = Some(match chosen {
            Some(chosen) => and(&chosen, &has_one).map_err(|error| failed(&error))?,
            None => has_one,
        });
    }
    let rows = u32::try_from(batch.num_rows()).unwrap_or(u32::MAX);
    Ok(match chosen {
        Some(chosen) => {
            (0..rows).zip(chosen.values()).filter(|(_, is_in)| *is_in).map(|(row, _)| row).collect()
        }
        None => (0..rows).collect(),
    })
}

fn has_one(batch: &RecordBatch, any: &[(String, String)]) -> Result<BooleanArray, ArrowError> {
    let mut found = BooleanArray::from(vec![false; batch.num_rows()]);
    for (column, value) in any {
        let Some(array) = batch.column_by_name(column) else { continue };
        let texts =
            if *array.data_type() == DataType::Utf8 { array.clone() } else { cast(array, &DataType::Utf8)? };
        let equal = eq(texts.as_string::<i32>(), &StringArray::new_scalar(value))?;
        let equal = if equal.null_count() > 0 { prep_null_mask_filter(&equal) } else { equal };
        found = or(&found, &equal)?;
    }
    Ok(found)
}

fn failed(error: &ArrowError) -> Error {
    Error::new(ErrorKind::Internal, format!("events cannot be compared: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn check(keys: &[&[(&str, &str)]], expected: &[u32]) {
        let texts = |values: [Option<&str>; 4]| Arc::new(StringArray::from(values.to_vec())) as _;
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("a", texts([Some("x"), None, Some("y"), Some("x")]), true),
            ("b", texts([Some("1"), Some("1"), None, Some("2")]), true),
        ]);
        let pair = |(column, value): &(&str, &str)| (column.to_string(), value.to_string());
        let keys: Vec<Vec<(String, String)>> =
            keys.iter().map(|any| any.iter().map(pair).collect()).collect();
        assert_eq!(rows_in_batch(&batch.unwrap(), &keys).unwrap(), expected, "{keys:?}");
    }

    #[test]
    fn rows_have_one_of_each() {
        check(&[&[("a", "x")]], &[0, 3]);
        check(&[&[("a", "x")], &[("b", "2")]], &[3]);
        check(&[&[("a", "y"), ("b", "1")]], &[0, 1, 2]);
        check(&[&[("a", "z")]], &[]);
        check(&[&[("missing", "x")]], &[]);
        check(&[&[("missing", "x"), ("a", "y")]], &[2]);
        check(&[], &[0, 1, 2, 3]);
    }
}
