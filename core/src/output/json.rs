//! Rows as JSON. Text is escaped so that no terminal acts on it; it parses to the same.

use std::fmt::Display;
use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use serde_json::ser::Formatter;

use super::Times;
use super::cell::{self, Cell, cell};
use super::escape;

/// The keys of a row's object: the columns' names, where one that comes again gets `_2`, `_3`.
pub fn keys(schema: &Schema) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    for field in schema.fields() {
        let mut name = field.name().clone();
        let mut number = 2;
        while taken.contains(&name) {
            name = format!("{}_{number}", field.name());
            number += 1;
        }
        taken.push(name);
    }
    taken
}

/// Appends a row as one object. Times are in UTC.
pub fn write_row(out: &mut Vec<u8>, keys: &[String], batch: &RecordBatch, row: usize) {
    out.push(b'{');
    for (place, (key, column)) in keys.iter().zip(batch.columns()).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_text(out, key);
        out.push(b':');
        write_cell(out, &cell(column, row), Times::UTC);
    }
    out.push(b'}');
}

/// Appends a value: 64-bit integers and decimals as numbers with all their digits, times as RFC 3339, binary
/// data as base64, and what JSON has no number for (NaN, infinity) as null.
pub fn write_cell(out: &mut Vec<u8>, value: &Cell<'_>, times: Times<'_>) {
    match value {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Nested(array) => write_cell(out, &cell(array, 0), times),
        Cell::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Cell::Int(value) => write_number(out, *value),
        Cell::Unsigned(value) => write_number(out, *value),
        Cell::Exact(digits) => out.extend_from_slice(digits.as_bytes()),
        Cell::Float(value) if value.is_finite() => out.extend_from_slice(cell::float(*value).as_bytes()),
        Cell::Single(value) if value.is_finite() => out.extend_from_slice(cell::single(*value).as_bytes()),
        Cell::Float(_) | Cell::Single(_) => out.extend_from_slice(b"null"),
        Cell::Text(text) => write_text(out, text),
        Cell::Plain(text) => write_text(out, text),
        Cell::Bytes(bytes) => write_text(out, &cell::base64(bytes)),
        Cell::Time(time) => write_text(out, &times.show(*time)),
        Cell::List(values) => write_sequence(out, b'[', b']', 0..values.len(), |out, row| {
            write_cell(out, &cell(values, row), times);
        }),
        Cell::Struct(array, row) => {
            let fields = array.fields().iter().zip(array.columns());
            write_sequence(out, b'{', b'}', fields, |out, (field, column)| {
                write_text(out, field.name());
                out.push(b':');
                write_cell(out, &cell(column, *row), times);
            });
        }
        Cell::Map(entries) => write_map(out, entries, times),
    }
}

fn write_number(out: &mut Vec<u8>, value: impl Display) {
    // Writing into memory cannot fail.
    let _ = write!(out, "{value}");
}

fn write_map(out: &mut Vec<u8>, entries: &arrow::array::StructArray, times: Times<'_>) {
    let [keys, values] = entries.columns() else {
        out.extend_from_slice(b"{}");
        return;
    };
    write_sequence(out, b'{', b'}', 0..keys.len(), |out, row| {
        write_text(out, &cell::plain(&cell(keys, row), times).unwrap_or_default());
        out.push(b':');
        write_cell(out, &cell(values, row), times);
    });
}

fn write_sequence<T>(
    out: &mut Vec<u8>,
    open: u8,
    close: u8,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(open);
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(close);
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    let mut serializer = serde_json::Serializer::with_formatter(out, SafeFormatter);
    // Text into memory: neither can fail.
    let _ = serde::Serializer::serialize_str(&mut serializer, text);
}

/// Compact JSON in which no terminal finds anything to act on.
pub struct SafeFormatter;

impl Formatter for SafeFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Control characters below U+0020 do not come here: JSON escapes them by itself.
        let harmless = fragment.bytes().all(|byte| byte.is_ascii() && byte != 0x7f);
        if harmless {
            return writer.write_all(fragment.as_bytes());
        }
        writer.write_all(escape::visible(fragment).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::*;
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::*;

    use super::*;

    fn check(array: impl Array + 'static, expected: &[&str]) {
        let rows: Vec<String> = (0..array.len())
            .map(|row| {
                let mut text = Vec::new();
                write_cell(&mut text, &cell(&array, row), Times::UTC);
                String::from_utf8_lossy(&text).into_owned()
            })
            .collect();
        assert_eq!(rows, expected);
        let parsed: Result<Vec<serde_json::Value>, _> =
            rows.iter().map(|row| serde_json::from_str(row)).collect();
        assert!(parsed.is_ok(), "{rows:?}");
    }

    #[test]
    fn numbers_keep_their_digits() {
        check(Int64Array::from(vec![i64::MIN, i64::MAX]), &["-9223372036854775808", "9223372036854775807"]);
        check(UInt64Array::from(vec![u64::MAX]), &["18446744073709551615"]);
        check(
            Float64Array::from(vec![1.0, 0.1, 1e300, -0.0, f64::NAN, f64::INFINITY]),
            &["1.0", "0.1", "1e+300", "-0.0", "null", "null"],
        );
        check(Float32Array::from(vec![0.1]), &["0.1"]);
        let huge = Decimal128Array::from(vec![i128::from(i64::MAX) * 10]).with_precision_and_scale(38, 0);
        check(huge.unwrap(), &["92233720368547758070"]);
        let money = Decimal128Array::from(vec![1230, -5]).with_precision_and_scale(18, 2);
        check(money.unwrap(), &["12.30", "-0.05"]);
    }

    #[test]
    fn times_are_utc_with_the_digits_they_need() {
        let base = 1_770_091_506_000_000;
        check(
            TimestampMicrosecondArray::from(vec![base, base + 500_000, base + 1, -1, i64::MAX]),
            &[
                "\"2026-02-03T04:05:06Z\"",
                "\"2026-02-03T04:05:06.500Z\"",
                "\"2026-02-03T04:05:06.000001Z\"",
                "\"1969-12-31T23:59:59.999999Z\"",
                "\"infinity\"",
            ],
        );
        check(TimestampSecondArray::from(vec![0]).with_timezone("UTC"), &["\"1970-01-01T00:00:00Z\""]);
        check(Date32Array::from(vec![20487, -1]), &["\"2026-02-03\"", "\"1969-12-31\""]);
        check(
            Time64MicrosecondArray::from(vec![3_600_000_001, 86_400_000_000]),
            &["\"01:00:00.000001\"", "\"24:00:00\""],
        );
        let interval = IntervalMonthDayNano::new(14, 2, 3_500_000_000);
        check(
            IntervalMonthDayNanoArray::from(vec![interval, IntervalMonthDayNano::ZERO]),
            &["\"P14M2DT3.5S\"", "\"PT0S\""],
        );
    }

    #[test]
    fn text_is_safe_on_a_terminal_and_parses_to_the_same() {
        let text = "a\"\\\n\u{1b}\u{7f}\u{9b}\u{202e}é日👩‍👧";
        check(StringArray::from(vec![text]), &["\"a\\\"\\\\\\n\\u001b\\u007f\\u009b\\u202eé日👩‍👧\""]);
        let mut written = Vec::new();
        write_text(&mut written, text);
        assert_eq!(serde_json::from_slice::<String>(&written).ok().as_deref(), Some(text));
        check(BinaryArray::from_vec(vec![b"\x00\xff\x10"]), &["\"AP8Q\""]);
        check(NullArray::new(1), &["null"]);
    }

    #[test]
    fn nested_values_nest() {
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>(vec![
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
        ]);
        check(list, &["[1,null]", "null", "[]"]);
        let fields = vec![
            (
                Arc::new(Field::new("x", DataType::Int64, true)),
                Arc::new(Int64Array::from(vec![None, Some(2)])) as ArrayRef,
            ),
            (
                Arc::new(Field::new("y z", DataType::Utf8, true)),
                Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef,
            ),
        ];
        check(StructArray::from(fields), &["{\"x\":null,\"y z\":\"a\"}", "{\"x\":2,\"y z\":\"b\"}"]);
        let levels: DictionaryArray<Int32Type> = vec![Some("info"), None, Some("info")].into_iter().collect();
        check(levels, &["\"info\"", "null", "\"info\""]);
    }

    #[test]
    fn maps_are_objects_whatever_their_keys() {
        let key = Arc::new(Field::new("key", DataType::Int64, false));
        let value = Arc::new(Field::new("value", DataType::Boolean, true));
        let entries = StructArray::from(vec![
            (key, Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
            (value, Arc::new(BooleanArray::from(vec![Some(true), None])) as ArrayRef),
        ]);
        let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
        check(
            MapArray::new(field, OffsetBuffer::from_lengths([2]), entries, None, false),
            &["{\"1\":true,\"2\":null}"],
        );
    }

    #[test]
    fn columns_of_one_name_have_keys_of_their_own() {
        let names = ["a", "a_2", "a", "a", "b"];
        let schema = Schema::new(names.map(|name| Field::new(name, DataType::Int64, true)).to_vec());
        assert_eq!(keys(&schema), ["a", "a_2", "a_3", "a_4", "b"]);
    }
}
