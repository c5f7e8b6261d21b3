//! Arrow values as JSON: each array becomes a function that writes the value of a row.

use super::DEPTH_MAX;
use super::lengths::{goes_on, shortened, string_into};
use crate::event::json;
use crate::event::number::integer_into;
use arrow::array::*;
use arrow::datatypes::*;
use arrow::error::ArrowError;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, NaiveTime};
use std::collections::{HashMap, HashSet};
use std::io::Write;

/// Writes the value of a row.
type Cell = Box<dyn Fn(usize, &mut Vec<u8>) + Send>;

/// The rows of a batch that are still to be written.
pub(super) struct Rows {
    cells: Vec<(Vec<u8>, Cell)>,
    next: usize,
    count: usize,
}

impl Rows {
    pub(super) fn new(batch: &RecordBatch) -> Result<Rows, ArrowError> {
        let cells = members(batch.schema_ref().fields(), batch.columns(), 0)?;
        Ok(Rows { cells, next: 0, count: batch.num_rows() })
    }

    /// Writes rows until there are so many bytes; says whether more are left.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, bytes: usize) -> bool {
        while self.next < self.count && out.len() < bytes {
            write_members(&self.cells, self.next, out);
            out.push(b'\n');
            self.next = self.next.saturating_add(1);
        }
        self.next < self.count
    }
}

fn write_members(cells: &[(Vec<u8>, Cell)], row: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    for (place, (key, cell)) in cells.iter().enumerate() {
        if !goes_on(place > 0, out) {
            break;
        }
        out.extend_from_slice(key);
        cell(row, out);
    }
    out.push(b'}');
}

/// The keys and values of an object. A name that stands twice gets a number, so that no value is lost.
fn members(fields: &Fields, columns: &[ArrayRef], depth: usize) -> Result<Vec<(Vec<u8>, Cell)>, ArrowError> {
    let mut taken: HashSet<String> = fields.iter().map(|field| field.name().clone()).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut cells = Vec::with_capacity(columns.len());
    for (field, column) in fields.iter().zip(columns) {
        let count = counts.entry(field.name()).or_insert(0);
        *count = count.saturating_add(1);
        let mut name = field.name().clone();
        while *count > 1 {
            name = format!("{}_{count}", field.name());
            if taken.insert(name.clone()) {
                break;
            }
            *count = count.saturating_add(1);
        }
        let mut key = Vec::new();
        json::quote_into(&name, &mut key);
        key.push(b':');
        cells.push((key, cell(column, field.extension_type_name(), depth)?));
    }
    Ok(cells)
}

/// A function for the values of an array of this type.
fn plain<A: Array + Clone + 'static>(
    array: &dyn Array,
    write: impl Fn(&A, usize, &mut Vec<u8>) + Send + 'static,
) -> Result<Cell, ArrowError> {
    let Some(typed) = array.as_any().downcast_ref::<A>().cloned() else {
        return Err(ArrowError::SchemaError(format!("`{}` is not what it says", array.data_type())));
    };
    Ok(match array.nulls().filter(|nulls| nulls.null_count() > 0).cloned() {
        None => Box::new(move |row, out| write(&typed, row, out)),
        Some(nulls) => Box::new(move |row, out| match nulls.is_null(row) {
            true => out.extend_from_slice(b"null"),
            false => write(&typed, row, out),
        }),
    })
}

fn cell(array: &ArrayRef, extension: Option<&str>, depth: usize) -> Result<Cell, ArrowError> {
    if depth > DEPTH_MAX {
        return Err(ArrowError::SchemaError(format!("values are nested more than {DEPTH_MAX} deep")));
    }
    match array.data_type() {
        DataType::Null => Ok(Box::new(|_, out| out.extend_from_slice(b"null"))),
        DataType::Boolean => plain::<BooleanArray>(array, |array, row, out| {
            out.extend_from_slice(if array.value(row) { b"true" } else { b"false" });
        }),
        DataType::Utf8 => plain::<StringArray>(array, |array, row, out| string_into(array.value(row), out)),
        DataType::LargeUtf8 => {
            plain::<LargeStringArray>(array, |array, row, out| string_into(array.value(row), out))
        }
        DataType::Utf8View => {
            plain::<StringViewArray>(array, |array, row, out| string_into(array.value(row), out))
        }
        DataType::Binary => plain::<BinaryArray>(array, |array, row, out| bytes_into(array.value(row), out)),
        DataType::LargeBinary => {
            plain::<LargeBinaryArray>(array, |array, row, out| bytes_into(array.value(row), out))
        }
        DataType::BinaryView => {
            plain::<BinaryViewArray>(array, |array, row, out| bytes_into(array.value(row), out))
        }
        DataType::FixedSizeBinary(16) if extension == Some("arrow.uuid") => {
            plain::<FixedSizeBinaryArray>(array, |array, row, out| uuid_into(array.value(row), out))
        }
        DataType::FixedSizeBinary(_) => {
            plain::<FixedSizeBinaryArray>(array, |array, row, out| bytes_into(array.value(row), out))
        }
        other if other.is_numeric() => number(array),
        other if other.is_temporal() => temporal(array),
        _ => nested(array, extension, depth.saturating_add(1)),
    }
}

fn integer<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<Cell, ArrowError>
where
    T::Native: Into<i64>,
{
    plain::<PrimitiveArray<T>>(array, |array, row, out| integer_into(array.value(row).into(), out))
}

fn decimal<T: DecimalType>(array: &ArrayRef) -> Result<Cell, ArrowError> {
    plain::<PrimitiveArray<T>>(array, |array, row, out| {
        out.extend_from_slice(array.value_as_string(row).as_bytes())
    })
}

fn number(array: &ArrayRef) -> Result<Cell, ArrowError> {
    match array.data_type() {
        DataType::Int8 => integer::<Int8Type>(array),
        DataType::Int16 => integer::<Int16Type>(array),
        DataType::Int32 => integer::<Int32Type>(array),
        DataType::Int64 => integer::<Int64Type>(array),
        DataType::UInt8 => integer::<UInt8Type>(array),
        DataType::UInt16 => integer::<UInt16Type>(array),
        DataType::UInt32 => integer::<UInt32Type>(array),
        DataType::UInt64 => plain::<UInt64Array>(array, |array, row, out| text_into(array.value(row), out)),
        DataType::Float16 => {
            plain::<Float16Array>(array, |array, row, out| single_into(array.value(row).to_f32(), out))
        }
        DataType::Float32 => {
            plain::<Float32Array>(array, |array, row, out| single_into(array.value(row), out))
        }
        DataType::Float64 => {
            plain::<Float64Array>(array, |array, row, out| double_into(array.value(row), out))
        }
        DataType::Decimal32(_, _) => decimal::<Decimal32Type>(array),
        DataType::Decimal64(_, _) => decimal::<Decimal64Type>(array),
        DataType::Decimal128(_, _) => decimal::<Decimal128Type>(array),
        DataType::Decimal256(_, _) => decimal::<Decimal256Type>(array),
        other => unknown(other),
    }
}

/// A function for values that are so many seconds, or parts of them.
fn counted<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    write: impl Fn(i64, &mut Vec<u8>) + Send + 'static,
) -> Result<Cell, ArrowError>
where
    T::Native: Into<i64>,
{
    plain::<PrimitiveArray<T>>(array, move |array, row, out| write(array.value(row).into(), out))
}

fn temporal(array: &ArrayRef) -> Result<Cell, ArrowError> {
    match array.data_type() {
        DataType::Date32 => counted::<Date32Type>(array, date_into),
        DataType::Date64 => {
            counted::<Date64Type>(array, |value, out| date_into(value.div_euclid(86_400_000), out))
        }
        DataType::Time32(TimeUnit::Second) => {
            counted::<Time32SecondType>(array, |value, out| time_into(value, 1, out))
        }
        DataType::Time32(_) => {
            counted::<Time32MillisecondType>(array, |value, out| time_into(value, 1_000, out))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            counted::<Time64MicrosecondType>(array, |value, out| time_into(value, 1_000_000, out))
        }
        DataType::Time64(_) => {
            counted::<Time64NanosecondType>(array, |value, out| time_into(value, 1_000_000_000, out))
        }
        DataType::Timestamp(unit, zone) => {
            let (parts, end) = (parts(*unit), if zone.is_some() { "Z\"" } else { "\"" });
            let write = move |value: i64, out: &mut Vec<u8>| instant_into(value, parts, end, out);
            match unit {
                TimeUnit::Second => counted::<TimestampSecondType>(array, write),
                TimeUnit::Millisecond => counted::<TimestampMillisecondType>(array, write),
                TimeUnit::Microsecond => counted::<TimestampMicrosecondType>(array, write),
                TimeUnit::Nanosecond => counted::<TimestampNanosecondType>(array, write),
            }
        }
        DataType::Duration(unit) => {
            let unit = *unit;
            let write = move |value: i64, out: &mut Vec<u8>| {
                text_into(format_args!("\"{value}{}\"", letters(unit)), out)
            };
            match unit {
                TimeUnit::Second => counted::<DurationSecondType>(array, write),
                TimeUnit::Millisecond => counted::<DurationMillisecondType>(array, write),
                TimeUnit::Microsecond => counted::<DurationMicrosecondType>(array, write),
                TimeUnit::Nanosecond => counted::<DurationNanosecondType>(array, write),
            }
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            counted::<IntervalYearMonthType>(array, |value, out| span_into(value, 0, 0, out))
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            plain::<IntervalDayTimeArray>(array, |array, row, out| {
                let value = array.value(row);
                span_into(0, value.days.into(), i64::from(value.milliseconds).saturating_mul(1_000_000), out);
            })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            plain::<IntervalMonthDayNanoArray>(array, |array, row, out| {
                let value = array.value(row);
                span_into(value.months.into(), value.days.into(), value.nanoseconds, out);
            })
        }
        other => unknown(other),
    }
}

fn nested(array: &ArrayRef, extension: Option<&str>, depth: usize) -> Result<Cell, ArrowError> {
    match array.data_type() {
        DataType::List(_) => list::<i32>(array, depth),
        DataType::LargeList(_) => list::<i64>(array, depth),
        DataType::ListView(_) => list_view::<i32>(array, depth),
        DataType::LargeListView(_) => list_view::<i64>(array, depth),
        DataType::FixedSizeList(item, length) => {
            let length = usize::try_from(*length).unwrap_or(0);
            let items = cell(array.as_fixed_size_list().values(), item.extension_type_name(), depth)?;
            plain::<FixedSizeListArray>(array, move |_, row, out| {
                list_into(&items, row.saturating_mul(length), length, out);
            })
        }
        DataType::Struct(fields) => {
            let cells = members(fields, array.as_struct().columns(), depth)?;
            plain::<StructArray>(array, move |_, row, out| write_members(&cells, row, out))
        }
        DataType::Map(_, _) => map(array, depth),
        DataType::Dictionary(_, _) => dictionary(array, extension, depth),
        DataType::Union(fields, _) => union(array, fields, depth),
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(array, extension, depth),
            DataType::Int32 => runs::<Int32Type>(array, extension, depth),
            _ => runs::<Int64Type>(array, extension, depth),
        },
        other => unknown(other),
    }
}

fn unknown(data_type: &DataType) -> Result<Cell, ArrowError> {
    Err(ArrowError::NotYetImplemented(format!("values of type `{data_type}`")))
}

fn list<O: OffsetSizeTrait>(array: &ArrayRef, depth: usize) -> Result<Cell, ArrowError> {
    let lists = array.as_list::<O>();
    let extension = match array.data_type() {
        DataType::List(item) | DataType::LargeList(item) => item.extension_type_name(),
        _ => None,
    };
    let items = cell(lists.values(), extension, depth)?;
    plain::<GenericListArray<O>>(array, move |array, row, out| {
        list_into(&items, start_of(array.value_offsets(), row), array.value_length(row).as_usize(), out);
    })
}

fn list_view<O: OffsetSizeTrait>(array: &ArrayRef, depth: usize) -> Result<Cell, ArrowError> {
    let items = cell(array.as_list_view::<O>().values(), None, depth)?;
    plain::<GenericListViewArray<O>>(array, move |array, row, out| {
        list_into(&items, start_of(array.value_offsets(), row), array.value_size(row).as_usize(), out);
    })
}

fn start_of<O: OffsetSizeTrait>(offsets: &[O], row: usize) -> usize {
    offsets.get(row).map_or(0, |offset| offset.as_usize())
}

fn list_into(items: &Cell, start: usize, length: usize, out: &mut Vec<u8>) {
    out.push(b'[');
    for place in start..start.saturating_add(length) {
        if !goes_on(place > start, out) {
            break;
        }
        items(place, out);
    }
    out.push(b']');
}

/// Maps whose keys are strings are objects; others are lists of pairs.
fn map(array: &ArrayRef, depth: usize) -> Result<Cell, ArrowError> {
    let map = array.as_map();
    let (keys, values) = (cell(map.keys(), None, depth)?, cell(map.values(), None, depth)?);
    let strings = matches!(map.keys().data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        && map.keys().null_count() == 0;
    let [open, before, between, after, close] = match strings {
        true => [&b"{"[..], b"", b":", b"", b"}"],
        false => [&b"["[..], b"{\"key\":", b",\"value\":", b"}", b"]"],
    };
    plain::<MapArray>(array, move |array, row, out| {
        let start = start_of(array.value_offsets(), row);
        let end = start_of(array.value_offsets(), row.saturating_add(1));
        out.extend_from_slice(open);
        for place in start..end {
            if !goes_on(place > start, out) {
                break;
            }
            out.extend_from_slice(before);
            keys(place, out);
            out.extend_from_slice(between);
            values(place, out);
            out.extend_from_slice(after);
        }
        out.extend_from_slice(close);
    })
}

fn dictionary(array: &ArrayRef, extension: Option<&str>, depth: usize) -> Result<Cell, ArrowError> {
    let dictionary = array.as_any_dictionary();
    if dictionary.values().is_empty() {
        return Ok(Box::new(|_, out| out.extend_from_slice(b"null")));
    }
    let values = cell(dictionary.values(), extension, depth)?;
    let places = dictionary.normalized_keys();
    let nulls = array.nulls().cloned();
    Ok(Box::new(move |row, out| match places.get(row) {
        Some(place) if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) => values(*place, out),
        _ => out.extend_from_slice(b"null"),
    }))
}

fn union(array: &ArrayRef, fields: &UnionFields, depth: usize) -> Result<Cell, ArrowError> {
    let union = array.as_union().clone();
    let mut children: Vec<Option<Cell>> = (0..128).map(|_| None).collect();
    for (id, field) in fields.iter() {
        if let Some(child) = usize::try_from(id).ok().and_then(|id| children.get_mut(id)) {
            *child = Some(cell(union.child(id), field.extension_type_name(), depth)?);
        }
    }
    Ok(Box::new(move |row, out| {
        match usize::try_from(union.type_id(row)).ok().and_then(|id| children.get(id)) {
            Some(Some(child)) => child(union.value_offset(row), out),
            _ => out.extend_from_slice(b"null"),
        }
    }))
}

fn runs<R: RunEndIndexType>(
    array: &ArrayRef,
    extension: Option<&str>,
    depth: usize,
) -> Result<Cell, ArrowError> {
    let Some(runs) = array.as_any().downcast_ref::<RunArray<R>>().cloned() else {
        return unknown(array.data_type());
    };
    let values = cell(runs.values(), extension, depth)?;
    Ok(Box::new(move |row, out| values(runs.get_physical_index(row), out)))
}

/// Writing to a vector cannot fail.
fn text_into(text: impl std::fmt::Display, out: &mut Vec<u8>) {
    let _ = write!(out, "{text}");
}

fn double_into(value: f64, out: &mut Vec<u8>) {
    match value.is_finite() {
        true => out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes()),
        false => out.extend_from_slice(not_finite(value)),
    }
}

fn single_into(value: f32, out: &mut Vec<u8>) {
    match value.is_finite() {
        true => out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes()),
        false => out.extend_from_slice(not_finite(value.into())),
    }
}

/// JSON has no such numbers.
fn not_finite(value: f64) -> &'static [u8] {
    if value.is_nan() {
        b"\"NaN\""
    } else if value > 0.0 {
        b"\"Infinity\""
    } else {
        b"\"-Infinity\""
    }
}

fn bytes_into(bytes: &[u8], out: &mut Vec<u8>) {
    text_into(format_args!("\"{}\"", base64::display::Base64Display::new(shortened(bytes), &STANDARD)), out);
}

fn uuid_into(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        text_into(format_args!("{byte:02x}"), out);
    }
    out.push(b'"');
}

fn parts(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

fn letters(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

/// Whole seconds, and the nanoseconds after them.
fn seconds_of(value: i64, parts: i64) -> (i64, u32) {
    let nanos = value.rem_euclid(parts).saturating_mul(1_000_000_000 / parts);
    (value.div_euclid(parts), u32::try_from(nanos).unwrap_or(0))
}

/// What the calendar does not have stays a number.
fn date_into(days: i64, out: &mut Vec<u8>) {
    match i32::try_from(days).ok().and_then(NaiveDate::from_epoch_days) {
        Some(date) => text_into(format_args!("\"{date}\""), out),
        None => integer_into(days, out),
    }
}

fn time_into(value: i64, parts: i64, out: &mut Vec<u8>) {
    let (seconds, nanos) = seconds_of(value, parts);
    let time = u32::try_from(seconds)
        .ok()
        .and_then(|seconds| NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos));
    match time {
        Some(time) => text_into(format_args!("\"{time}\""), out),
        None => integer_into(value, out),
    }
}

fn instant_into(value: i64, parts: i64, end: &str, out: &mut Vec<u8>) {
    let (seconds, nanos) = seconds_of(value, parts);
    match DateTime::from_timestamp(seconds, nanos) {
        Some(instant) => text_into(format_args!("\"{:?}{end}", instant.naive_utc()), out),
        None => integer_into(value, out),
    }
}

/// A span of time as ISO 8601 has it: months, days and seconds, which are not of one length each.
fn span_into(months: i64, days: i64, nanos: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"P");
    if months != 0 {
        text_into(format_args!("{months}M"), out);
    }
    if days != 0 {
        text_into(format_args!("{days}D"), out);
    }
    if nanos != 0 || (months == 0 && days == 0) {
        let sign = if nanos < 0 { "-" } else { "" };
        let (seconds, rest) = (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
        text_into(format_args!("T{sign}{seconds}"), out);
        if rest != 0 {
            let digits = format!("{rest:09}");
            text_into(format_args!(".{}", digits.trim_end_matches('0')), out);
        }
        out.push(b'S');
    }
    out.push(b'"');
}
