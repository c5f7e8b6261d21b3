//! Smallest and largest values of a file's columns, as Delta's log keeps them.

use crate::event::fixed::Fixed;
use crate::event::time::rfc3339;
use crate::log::FileStats;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute;
use arrow::datatypes::{Float64Type, Int8Type, Int64Type, TimestampMicrosecondType};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Fixed columns that the log has statistics of.
pub const COLUMNS: [Fixed; 12] = [
    Fixed::Seq,
    Fixed::Ts,
    Fixed::EventId,
    Fixed::Source,
    Fixed::Kind,
    Fixed::Level,
    Fixed::Severity,
    Fixed::Actor,
    Fixed::Session,
    Fixed::EntityType,
    Fixed::EntityId,
    Fixed::Status,
];

/// Longer texts get no statistics: a cut one would have to be rounded.
const TEXT_BYTES_MAX: usize = 64;

/// What is known of a file's columns so far.
#[derive(Debug, Default)]
pub struct ColumnRanges {
    ranges: BTreeMap<Fixed, ColumnRange>,
}

/// What is known of one column.
#[derive(Debug)]
pub struct ColumnRange {
    values: u64,
    least: Bound,
    most: Bound,
}

impl ColumnRange {
    /// The range of a column's values; none for a column without statistics.
    pub fn of(column: Fixed, array: &ArrayRef) -> Option<ColumnRange> {
        if !COLUMNS.contains(&column) {
            return None;
        }
        let (least, most) = bounds(column, array);
        Some(ColumnRange { values: (array.len() - array.null_count()) as u64, least, most })
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Bound {
    None,
    Integer(i64),
    Instant(i64),
    Double(f64),
    Text(String),
    /// Some text is too long to say.
    Unknown,
}

impl ColumnRanges {
    /// Takes in the range of some of a column's values.
    pub fn add(&mut self, column: Fixed, more: ColumnRange) {
        let none = || ColumnRange { values: 0, least: Bound::None, most: Bound::None };
        let range = self.ranges.remove(&column).unwrap_or_else(none);
        let values = range.values + more.values;
        let (least, most) = (range.least.pick(more.least, false), range.most.pick(more.most, true));
        self.ranges.insert(column, ColumnRange { values, least, most });
    }

    /// The statistics of a file of so many rows.
    pub fn into_stats(self, rows: u64) -> FileStats {
        let mut stats = FileStats { min: Map::new(), max: Map::new(), nulls: Map::new() };
        for column in COLUMNS {
            let range = self.ranges.get(&column);
            let values = range.map_or(0, |range| range.values);
            stats.nulls.insert(column.name().to_string(), Value::from(rows - values));
            if let Some((least, most)) =
                range.and_then(|range| Some((range.least.json()?, range.most.json()?)))
            {
                stats.min.insert(column.name().to_string(), least);
                stats.max.insert(column.name().to_string(), most);
            }
        }
        stats
    }
}

impl Bound {
    /// The smaller or the larger of two.
    fn pick(self, other: Bound, larger: bool) -> Bound {
        let first = match (&self, &other) {
            (Bound::Unknown, _) | (_, Bound::None) => true,
            (_, Bound::Unknown) | (Bound::None, _) => false,
            (Bound::Integer(a), Bound::Integer(b)) | (Bound::Instant(a), Bound::Instant(b)) => {
                (a > b) == larger
            }
            (Bound::Double(a), Bound::Double(b)) => (a > b) == larger,
            (Bound::Text(a), Bound::Text(b)) => (a > b) == larger,
            _ => true,
        };
        if first { self } else { other }
    }

    fn json(&self) -> Option<Value> {
        match self {
            Bound::None | Bound::Unknown => None,
            Bound::Integer(value) => Some(Value::from(*value)),
            Bound::Instant(value) => Some(Value::from(rfc3339(*value))),
            Bound::Double(value) => Some(Value::from(*value)),
            Bound::Text(value) => Some(Value::from(value.as_str())),
        }
    }
}

fn bounds(column: Fixed, array: &ArrayRef) -> (Bound, Bound) {
    let pair = |least: Option<Bound>, most: Option<Bound>| {
        (least.unwrap_or(Bound::None), most.unwrap_or(Bound::None))
    };
    match column {
        Fixed::Seq => {
            let array = array.as_primitive::<Int64Type>();
            pair(compute::min(array).map(Bound::Integer), compute::max(array).map(Bound::Integer))
        }
        Fixed::Ts => {
            let array = array.as_primitive::<TimestampMicrosecondType>();
            pair(compute::min(array).map(Bound::Instant), compute::max(array).map(Bound::Instant))
        }
        Fixed::Severity => {
            let array = array.as_primitive::<Int8Type>();
            let bound = |value: i8| Bound::Integer(i64::from(value));
            pair(compute::min(array).map(bound), compute::max(array).map(bound))
        }
        Fixed::DurationMs => {
            let array = array.as_primitive::<Float64Type>();
            pair(compute::min(array).map(Bound::Double), compute::max(array).map(Bound::Double))
        }
        _ => {
            let array = array.as_string::<i32>();
            let bound = |text: &str| match text.len() {
                ..=TEXT_BYTES_MAX => Bound::Text(text.to_string()),
                _ => Bound::Unknown,
            };
            pair(compute::min_string(array).map(bound), compute::max_string(array).map(bound))
        }
    }
}
