//! One value of a result, whatever Arrow type holds it. The only file that knows Arrow's types.

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DecimalType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::Times;

/// One value.
#[derive(Debug)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer that is not negative.
    Unsigned(u64),
    /// The digits of a decimal or of an integer beyond 64 bits.
    Exact(String),
    /// A float.
    Float(f64),
    /// A float of 32 bits.
    Single(f32),
    /// Text.
    Text(&'a str),
    /// Binary data.
    Bytes(&'a [u8]),
    /// An instant.
    Time(DateTime<Utc>),
    /// A date, a time of day, an interval, a time beyond the calendar: its text.
    Plain(String),
    /// Its values.
    List(ArrayRef),
    /// Fields, and the row.
    Struct(&'a StructArray, usize),
    /// Its entries: a key and a value each.
    Map(StructArray),
    /// The one value of an array of length 1.
    Nested(ArrayRef),
}

/// Whether a column of the type holds numbers.
pub fn is_numeric(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// Whether values of the type are of no use when they are cut.
pub fn is_rigid(data_type: &DataType) -> bool {
    is_numeric(data_type) || data_type.is_temporal() || *data_type == DataType::Boolean
}

/// The value in a row.
pub fn cell(array: &dyn Array, row: usize) -> Cell<'_> {
    if array.is_null(row) {
        return Cell::Null;
    }
    scalar(array, row)
        .or_else(|| temporal(array, row))
        .or_else(|| nested(array, row))
        .unwrap_or_else(|| other(array, row))
}

macro_rules! value {
    ($array:expr, $row:expr, $type:ty) => {
        $array.as_primitive::<$type>().value($row)
    };
}

fn scalar(array: &dyn Array, row: usize) -> Option<Cell<'_>> {
    Some(match array.data_type() {
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Int8 => Cell::Int(value!(array, row, Int8Type).into()),
        DataType::Int16 => Cell::Int(value!(array, row, Int16Type).into()),
        DataType::Int32 => Cell::Int(value!(array, row, Int32Type).into()),
        DataType::Int64 => Cell::Int(value!(array, row, Int64Type)),
        DataType::UInt8 => Cell::Unsigned(value!(array, row, UInt8Type).into()),
        DataType::UInt16 => Cell::Unsigned(value!(array, row, UInt16Type).into()),
        DataType::UInt32 => Cell::Unsigned(value!(array, row, UInt32Type).into()),
        DataType::UInt64 => Cell::Unsigned(value!(array, row, UInt64Type)),
        DataType::Float16 => Cell::Single(value!(array, row, Float16Type).into()),
        DataType::Float32 => Cell::Single(value!(array, row, Float32Type)),
        DataType::Float64 => Cell::Float(value!(array, row, Float64Type)),
        DataType::Decimal32(p, s) => {
            Cell::Exact(Decimal32Type::format_decimal(value!(array, row, Decimal32Type), *p, *s))
        }
        DataType::Decimal64(p, s) => {
            Cell::Exact(Decimal64Type::format_decimal(value!(array, row, Decimal64Type), *p, *s))
        }
        DataType::Decimal128(p, s) => {
            Cell::Exact(Decimal128Type::format_decimal(value!(array, row, Decimal128Type), *p, *s))
        }
        DataType::Decimal256(p, s) => {
            Cell::Exact(Decimal256Type::format_decimal(value!(array, row, Decimal256Type), *p, *s))
        }
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row)),
        DataType::Binary => Cell::Bytes(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Cell::Bytes(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => Cell::Bytes(array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => Cell::Bytes(array.as_fixed_size_binary().value(row)),
        _ => return None,
    })
}

fn temporal(array: &dyn Array, row: usize) -> Option<Cell<'_>> {
    Some(match array.data_type() {
        DataType::Timestamp(unit, _) => timestamp(array, row, *unit),
        DataType::Date32 => date(value!(array, row, Date32Type)),
        DataType::Date64 => match DateTime::from_timestamp_millis(value!(array, row, Date64Type)) {
            Some(time) => Cell::Plain(time.date_naive().to_string()),
            None => return None,
        },
        DataType::Time32(TimeUnit::Second) => time_of_day(i64::from(value!(array, row, Time32SecondType)), 1),
        DataType::Time32(_) => time_of_day(i64::from(value!(array, row, Time32MillisecondType)), 1_000),
        DataType::Time64(TimeUnit::Microsecond) => {
            time_of_day(value!(array, row, Time64MicrosecondType), 1_000_000)
        }
        DataType::Time64(_) => time_of_day(value!(array, row, Time64NanosecondType), 1_000_000_000),
        DataType::Interval(unit) => Cell::Plain(interval(array, row, *unit)),
        DataType::Duration(unit) => {
            let nanoseconds = match unit {
                TimeUnit::Second => i128::from(value!(array, row, DurationSecondType)) * 1_000_000_000,
                TimeUnit::Millisecond => i128::from(value!(array, row, DurationMillisecondType)) * 1_000_000,
                TimeUnit::Microsecond => i128::from(value!(array, row, DurationMicrosecondType)) * 1_000,
                TimeUnit::Nanosecond => i128::from(value!(array, row, DurationNanosecondType)),
            };
            Cell::Plain(iso_duration(0, 0, nanoseconds))
        }
        _ => return None,
    })
}

fn nested(array: &dyn Array, row: usize) -> Option<Cell<'_>> {
    Some(match array.data_type() {
        DataType::List(_) => Cell::List(array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => Cell::List(array.as_list::<i64>().value(row)),
        DataType::ListView(_) => Cell::List(array.as_list_view::<i32>().value(row)),
        DataType::LargeListView(_) => Cell::List(array.as_list_view::<i64>().value(row)),
        DataType::FixedSizeList(..) => Cell::List(array.as_fixed_size_list().value(row)),
        DataType::Struct(_) => Cell::Struct(array.as_struct(), row),
        DataType::Map(..) => Cell::Map(array.as_map().value(row)),
        DataType::Union(..) => Cell::Nested(array.as_union().value(row)),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = match cell(dictionary.keys(), row) {
                Cell::Int(key) => usize::try_from(key).ok()?,
                Cell::Unsigned(key) => usize::try_from(key).ok()?,
                _ => return None,
            };
            cell(dictionary.values().as_ref(), key)
        }
        DataType::Null => Cell::Null,
        _ => return None,
    })
}

/// A type that no result has today: as Arrow writes it.
fn other(array: &dyn Array, row: usize) -> Cell<'_> {
    let options = FormatOptions::default();
    match ArrayFormatter::try_new(array, &options) {
        Ok(formatter) => Cell::Plain(formatter.value(row).to_string()),
        Err(error) => Cell::Plain(error.to_string()),
    }
}

fn timestamp(array: &dyn Array, row: usize, unit: TimeUnit) -> Cell<'_> {
    let (value, per_second) = match unit {
        TimeUnit::Second => (value!(array, row, TimestampSecondType), 1),
        TimeUnit::Millisecond => (value!(array, row, TimestampMillisecondType), 1_000),
        TimeUnit::Microsecond => (value!(array, row, TimestampMicrosecondType), 1_000_000),
        TimeUnit::Nanosecond => (value!(array, row, TimestampNanosecondType), 1_000_000_000),
    };
    let nanoseconds = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    let time = u32::try_from(nanoseconds)
        .ok()
        .and_then(|nanoseconds| DateTime::from_timestamp(value.div_euclid(per_second), nanoseconds));
    match (value, time) {
        (i64::MAX, _) => Cell::Plain("infinity".to_string()),
        (value, _) if value == -i64::MAX => Cell::Plain("-infinity".to_string()),
        (_, Some(time)) => Cell::Time(time),
        (value, None) => Cell::Plain(format!("{value}")),
    }
}

fn date(days: i32) -> Cell<'static> {
    match days {
        i32::MAX => Cell::Plain("infinity".to_string()),
        days if days == -i32::MAX => Cell::Plain("-infinity".to_string()),
        days => Cell::Plain(
            NaiveDate::from_epoch_days(days).map_or_else(|| days.to_string(), |date| date.to_string()),
        ),
    }
}

fn time_of_day(value: i64, per_second: i64) -> Cell<'static> {
    let seconds = u32::try_from(value.div_euclid(per_second));
    let nanoseconds = u32::try_from(value.rem_euclid(per_second) * (1_000_000_000 / per_second));
    let time = match (seconds, nanoseconds) {
        (Ok(seconds), Ok(nanoseconds)) => NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanoseconds),
        _ => None,
    };
    // DuckDB has 24:00:00, the calendar here has not.
    Cell::Plain(time.map_or_else(|| "24:00:00".to_string(), |time| time.to_string()))
}

fn interval(array: &dyn Array, row: usize, unit: IntervalUnit) -> String {
    match unit {
        IntervalUnit::YearMonth => iso_duration(value!(array, row, IntervalYearMonthType), 0, 0),
        IntervalUnit::DayTime => {
            let value = value!(array, row, IntervalDayTimeType);
            iso_duration(0, value.days, i128::from(value.milliseconds) * 1_000_000)
        }
        IntervalUnit::MonthDayNano => {
            let value = value!(array, row, IntervalMonthDayNanoType);
            iso_duration(value.months, value.days, value.nanoseconds.into())
        }
    }
}

/// ISO 8601: `P1M2DT3.5S`.
fn iso_duration(months: i32, days: i32, nanoseconds: i128) -> String {
    let mut text = "P".to_string();
    if months != 0 {
        text.push_str(&format!("{months}M"));
    }
    if days != 0 {
        text.push_str(&format!("{days}D"));
    }
    if nanoseconds != 0 || text == "P" {
        let sign = if nanoseconds < 0 { "-" } else { "" };
        let (seconds, fraction) = (nanoseconds.abs() / 1_000_000_000, nanoseconds.abs() % 1_000_000_000);
        let digits = format!("{fraction:09}");
        let digits = digits.trim_end_matches('0');
        let point = if digits.is_empty() { "" } else { "." };
        text.push_str(&format!("T{sign}{seconds}{point}{digits}S"));
    }
    text
}

/// Binary data as text.
pub fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// A float as JSON and JavaScript write it; what JSON has no number for by name.
pub fn float(value: f64) -> String {
    serde_json::Number::from_f64(value)
        .map_or_else(|| unusual(value).to_string(), |number| number.to_string())
}

/// A float of 32 bits, in the digits that it needs.
pub fn single(value: f32) -> String {
    if value.is_finite() {
        serde_json::to_string(&value).unwrap_or_default()
    } else {
        unusual(value.into()).to_string()
    }
}

fn unusual(value: f64) -> &'static str {
    if value.is_nan() {
        "nan"
    } else if value > 0.0 {
        "inf"
    } else {
        "-inf"
    }
}

/// The value as text for people and spreadsheets, not escaped; `None` for NULL.
pub fn plain(cell: &Cell<'_>, times: Times<'_>) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Nested(array) => return plain(&self::cell(array, 0), times),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Unsigned(value) => value.to_string(),
        Cell::Float(value) => float(*value),
        Cell::Single(value) => single(*value),
        Cell::Exact(text) | Cell::Plain(text) => text.clone(),
        Cell::Text(text) => (*text).to_string(),
        Cell::Bytes(bytes) => base64(bytes),
        Cell::Time(time) => times.show(*time),
        Cell::List(_) | Cell::Struct(..) | Cell::Map(_) => {
            let mut text = Vec::new();
            super::json::write_cell(&mut text, cell, times);
            String::from_utf8(text).unwrap_or_default()
        }
    })
}
