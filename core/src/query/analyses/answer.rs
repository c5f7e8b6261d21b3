//! The rows of a query, as plain values that any engine can give.

use crate::error::{Error, ErrorKind, Result};
use crate::event::time::{read_text, rfc3339};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::array_value_to_string;
use serde::Deserialize;
use serde_json::{Map, Number, Value as Json};

/// The rows of one query. Times are RFC 3339 in UTC; what JSON has no number for is null.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Answer {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a value for each column.
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Row(pub Vec<Json>);

/// The answers to the queries of an analysis, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers(Vec<(String, Answer)>);

impl Answers {
    /// Adds an answer.
    pub fn add(&mut self, name: impl Into<String>, answer: Answer) {
        self.0.push((name.into(), answer));
    }

    /// Whether no query was answered yet.
    pub fn is_new(&self) -> bool {
        self.0.is_empty()
    }

    /// The answer to a query; none if it was not run.
    pub fn get(&self, name: &str) -> Option<&Answer> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, answer)| answer)
    }

    /// Whether no query gave a row.
    pub fn are_empty(&self) -> bool {
        self.0.iter().all(|(_, answer)| answer.rows.is_empty())
    }

    /// The rows of a query; none if it was not run.
    pub fn rows(&self, name: &str) -> &[Row] {
        self.get(name).map_or(&[], |answer| &answer.rows)
    }

    /// The first row of a query.
    pub fn first(&self, name: &str) -> Option<&Row> {
        self.rows(name).first()
    }

    /// The rows of a query as objects.
    pub fn objects(&self, name: &str, nulls: bool) -> Vec<Map<String, Json>> {
        self.get(name).map_or_else(Vec::new, |answer| answer.objects(nulls))
    }
}

impl Answer {
    /// The rows of batches.
    pub fn of<'a>(batches: impl IntoIterator<Item = &'a RecordBatch>) -> Result<Answer> {
        let mut answer = Answer::default();
        for batch in batches {
            answer.add(batch)?;
        }
        Ok(answer)
    }

    /// Adds the rows of a batch.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.columns.is_empty() {
            self.columns = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        }
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|array| value_of(array, row));
            self.rows.push(Row(values.collect::<Result<_>>()?));
        }
        Ok(())
    }

    /// The rows as objects, with or without what is null.
    pub fn objects(&self, nulls: bool) -> Vec<Map<String, Json>> {
        let object = |row: &Row| {
            let entries = self.columns.iter().zip(&row.0).filter(|(_, value)| nulls || !value.is_null());
            entries.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        self.rows.iter().map(object).collect()
    }
}

impl Row {
    /// The value in a column; null beyond the last.
    pub fn get(&self, column: usize) -> &Json {
        self.0.get(column).unwrap_or(&Json::Null)
    }

    /// The text in a column.
    pub fn text(&self, column: usize) -> Option<&str> {
        self.get(column).as_str()
    }

    /// The text in a column, to keep.
    pub fn string(&self, column: usize) -> Option<String> {
        self.text(column).map(str::to_string)
    }

    /// The count in a column; 0 where there is none.
    pub fn count(&self, column: usize) -> u64 {
        self.get(column).as_u64().unwrap_or(0)
    }

    /// The number in a column.
    pub fn number(&self, column: usize) -> Option<f64> {
        self.get(column).as_f64()
    }

    /// The time in a column, in microseconds since 1970.
    pub fn time(&self, column: usize) -> Option<i64> {
        read_text(self.text(column)?).map(|(micros, _)| micros)
    }

    /// The numbers of a list in a column.
    pub fn numbers(&self, column: usize) -> Vec<Option<f64>> {
        self.get(column).as_array().map_or_else(Vec::new, |list| list.iter().map(Json::as_f64).collect())
    }
}

/// A value as JSON.
fn value_of(array: &ArrayRef, row: usize) -> Result<Json> {
    if array.is_null(row) {
        return Ok(Json::Null);
    }
    Ok(match array.data_type() {
        DataType::Utf8 => Json::from(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Json::from(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Json::from(array.as_string_view().value(row)),
        DataType::Boolean => Json::from(array.as_boolean().value(row)),
        DataType::Int64 => Json::from(array.as_primitive::<Int64Type>().value(row)),
        DataType::Int32 => Json::from(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int16 => Json::from(array.as_primitive::<Int16Type>().value(row)),
        DataType::Int8 => Json::from(array.as_primitive::<Int8Type>().value(row)),
        DataType::UInt64 => Json::from(array.as_primitive::<UInt64Type>().value(row)),
        DataType::UInt32 => Json::from(array.as_primitive::<UInt32Type>().value(row)),
        DataType::UInt16 => Json::from(array.as_primitive::<UInt16Type>().value(row)),
        DataType::UInt8 => Json::from(array.as_primitive::<UInt8Type>().value(row)),
        DataType::Float64 => number(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => number(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Json::from(rfc3339(array.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            Json::from(chrono::NaiveDate::from_epoch_days(days).unwrap_or_default().to_string())
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>().value(row);
            (0..list.len()).map(|element| value_of(&list, element)).collect::<Result<Vec<_>>>()?.into()
        }
        DataType::Null => Json::Null,
        DataType::Decimal128(_, scale) => {
            decimal(array.as_primitive::<Decimal128Type>().value(row), i32::from(*scale))
        }
        // What JSON does not know, as the text that a person reads.
        _ => Json::from(
            array_value_to_string(array, row)
                .map_err(|error| Error::new(ErrorKind::Internal, "a value has no text").with_source(error))?,
        ),
    })
}

/// A sum of whole numbers is a whole number, as far as JSON has them.
fn decimal(value: i128, scale: i32) -> Json {
    if scale == 0 {
        if let Ok(whole) = i64::try_from(value) {
            return Json::from(whole);
        }
        if let Ok(whole) = u64::try_from(value) {
            return Json::from(whole);
        }
    }
    // By its digits, so that it is the nearest double.
    number(format!("{value}e{}", scale.saturating_neg()).parse().unwrap_or(f64::NAN))
}

fn number(value: f64) -> Json {
    Number::from_f64(value).map_or(Json::Null, Json::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_whole_numbers_where_they_can_be() {
        for (value, scale, expected) in [
            (5, 0, "5"),
            (-5, 0, "-5"),
            (i128::from(i64::MAX) + 1, 0, "9223372036854775808"),
            (i128::MAX, 0, "1.7014118346046923e+38"),
            (267, 2, "2.67"),
            (5, -2, "500.0"),
        ] {
            assert_eq!(decimal(value, scale).to_string(), expected, "{value} {scale}");
        }
    }
}
