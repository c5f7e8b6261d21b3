//! The first look at events, before there is a DuckDB to ask: how many there are over time, and which come first.

use crate::error::{Error, ErrorKind, Result};
use crate::event::fixed::Fixed;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray,
};
use arrow::datatypes::{
    DataType, Float64Type, Int8Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Bands of severity: none, and those of `trace`, `debug`, `info`, `warning`, `error` and `critical`.
const BANDS: usize = 7;
/// A band has so many severities.
const BAND_SEVERITIES: i8 = 4;

/// The columns that a glance is made of.
pub const GLANCED: [Fixed; 3] = [Fixed::Ts, Fixed::Seq, Fixed::Severity];

/// When events happened, their numbers and severities, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Glance {
    ts: Vec<i64>,
    seq: Vec<i64>,
    bands: Vec<u8>,
}

/// The band of a severity.
fn band(severity: Option<i8>) -> u8 {
    let band = severity
        .filter(|severity| *severity >= 1)
        .map_or(0, |severity| severity.saturating_sub(1) / BAND_SEVERITIES + 1);
    u8::try_from(band).unwrap_or_default().min(BANDS as u8 - 1)
}

impl Glance {
    /// Adds decoded events, which have the columns [`GLANCED`].
    pub fn add(&mut self, events: &RecordBatch) -> Result<()> {
        let column = |fixed: Fixed| events.column_by_name(fixed.name());
        let ts = column(Fixed::Ts).and_then(|ts| ts.as_primitive_opt::<TimestampMicrosecondType>());
        let seq = column(Fixed::Seq).and_then(|seq| seq.as_primitive_opt::<Int64Type>());
        let severity = column(Fixed::Severity).and_then(|severity| severity.as_primitive_opt::<Int8Type>());
        let (Some(ts), Some(seq), Some(severity)) = (ts, seq, severity) else {
            return Err(Error::new(ErrorKind::Internal, "a glance needs times, numbers and severities"));
        };
        self.ts.extend_from_slice(ts.values());
        self.seq.extend_from_slice(seq.values());
        match severity.null_count() {
            0 => self.bands.extend(severity.values().iter().map(|severity| band(Some(*severity)))),
            _ => self.bands.extend(severity.iter().map(band)),
        }
        Ok(())
    }

    /// Puts the events in the order of time, which those of a copy are in already.
    pub fn sort(&mut self) {
        let pairs = || self.ts.iter().zip(&self.seq);
        if pairs().is_sorted() {
            return;
        }
        let mut all: Vec<((i64, i64), u8)> =
            pairs().map(|(ts, seq)| (*ts, *seq)).zip(self.bands.iter().copied()).collect();
        all.sort_unstable();
        self.ts = all.iter().map(|((ts, _), _)| *ts).collect();
        self.seq = all.iter().map(|((_, seq), _)| *seq).collect();
        self.bands = all.iter().map(|(_, band)| *band).collect();
    }

    /// The instants, in microseconds since 1970, and the numbers.
    pub fn order(&self) -> (&[i64], &[i64]) {
        (&self.ts, &self.seq)
    }

    /// How many events of each band are in equal stretches of time: the stretches of the first band, then those of the next.
    pub fn buckets(&self, origin_us: i64, step_us: i64, count: usize) -> Vec<f64> {
        let mut counts = vec![0.0; count.saturating_mul(BANDS)];
        for (ts, band) in self.ts.iter().zip(&self.bands) {
            let bucket = ts.saturating_sub(origin_us).checked_div_euclid(step_us);
            let bucket = bucket.and_then(|bucket| usize::try_from(bucket).ok()).filter(|at| *at < count);
            let slot = bucket.map(|bucket| usize::from(*band).saturating_mul(count).saturating_add(bucket));
            if let Some(counted) = slot.and_then(|slot| counts.get_mut(slot)) {
                *counted += 1.0;
            }
        }
        counts
    }
}

/// Some of decoded events, by their numbers and in the order of these, with some columns; none if a column is of lists.
pub fn rows_of(events: &[RecordBatch], seqs: &[i64], columns: &[&str]) -> Result<Option<RecordBatch>> {
    let places: HashMap<i64, usize> = seqs.iter().copied().zip(0..).collect();
    let mut picked: Vec<(usize, &RecordBatch, usize)> = Vec::new();
    for batch in events {
        let seqs =
            batch.column_by_name(Fixed::Seq.name()).and_then(|seq| seq.as_primitive_opt::<Int64Type>());
        let numbered = seqs.iter().flat_map(|seqs| seqs.values().iter().enumerate());
        picked.extend(numbered.filter_map(|(row, seq)| places.get(seq).map(|place| (*place, batch, row))));
    }
    picked.sort_unstable_by_key(|(place, ..)| *place);
    let mut found = Vec::with_capacity(columns.len());
    for name in columns {
        let cells = picked.iter().filter_map(|(_, batch, row)| Some((batch.column_by_name(name)?, *row)));
        match cells_of(&cells.collect::<Vec<_>>()) {
            Some(array) => found.push((*name, array, true)),
            None => return Ok(None),
        }
    }
    let rows = RecordBatch::try_from_iter_with_nullable(found);
    rows.map(Some)
        .map_err(|error| Error::new(ErrorKind::Internal, "rows cannot be picked").with_source(error))
}

/// Cells of a column as one array, in the type of the first of them.
fn cells_of(cells: &[(&ArrayRef, usize)]) -> Option<ArrayRef> {
    fn numbers<T: ArrowPrimitiveType>(cells: &[(&ArrayRef, usize)]) -> ArrayRef {
        let value = |(array, row): &(&ArrayRef, usize)| {
            array.as_primitive_opt::<T>().filter(|array| array.is_valid(*row)).map(|array| array.value(*row))
        };
        Arc::new(PrimitiveArray::<T>::from_iter(cells.iter().map(value)))
    }
    Some(match cells.first()?.0.data_type() {
        DataType::Int8 => numbers::<Int8Type>(cells),
        DataType::Int32 => numbers::<Int32Type>(cells),
        DataType::Int64 => numbers::<Int64Type>(cells),
        DataType::Float64 => numbers::<Float64Type>(cells),
        DataType::Timestamp(TimeUnit::Microsecond, None) => numbers::<TimestampMicrosecondType>(cells),
        DataType::Boolean => {
            let value = |(array, row): &(&ArrayRef, usize)| {
                array.as_boolean_opt().filter(|array| array.is_valid(*row)).map(|array| array.value(*row))
            };
            Arc::new(cells.iter().map(value).collect::<BooleanArray>())
        }
        DataType::Utf8 => {
            let value = |(array, row): &(&ArrayRef, usize)| {
                let texts = array.as_string_opt::<i32>().filter(|array| array.is_valid(*row))?;
                Some(texts.value(*row).to_string())
            };
            Arc::new(cells.iter().map(value).collect::<StringArray>())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int8Array, Int64Array, TimestampMicrosecondArray};

    fn events(ts: &[i64], seq: &[i64], severity: &[Option<i8>], message: &[Option<&str>]) -> RecordBatch {
        let columns: [(&str, ArrayRef, bool); 4] = [
            ("ts", Arc::new(TimestampMicrosecondArray::from(ts.to_vec())), true),
            ("seq", Arc::new(Int64Array::from(seq.to_vec())), true),
            ("severity", Arc::new(Int8Array::from(severity.to_vec())), true),
            ("message", Arc::new(StringArray::from(message.to_vec())), true),
        ];
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    }

    #[test]
    fn severities_have_bands() {
        let severities = [
            None,
            Some(-1),
            Some(0),
            Some(1),
            Some(4),
            Some(5),
            Some(9),
            Some(13),
            Some(17),
            Some(20),
            Some(21),
            Some(127),
        ];
        assert_eq!(severities.map(band), [0, 0, 0, 1, 1, 2, 3, 4, 5, 5, 6, 6]);
    }

    #[test]
    fn events_are_counted_and_ordered_whatever_the_order_they_come_in() {
        let mut glance = Glance::default();
        let none = [None; 3];
        glance.add(&events(&[30, -5, 10], &[3, 9, 1], &[Some(9), None, Some(17)], &none)).unwrap();
        glance.add(&events(&[10, 29, 99], &[0, 4, 5], &[None, Some(9), Some(21)], &none)).unwrap();
        glance.sort();
        assert_eq!(glance.order(), ([-5, 10, 10, 29, 30, 99].as_slice(), [9, 0, 1, 4, 3, 5].as_slice()));
        // Two stretches of ten from 10 on; the others are outside.
        let mut expected = vec![0.0; 2 * BANDS];
        (expected[0], expected[2 * 5], expected[2 * 3 + 1]) = (1.0, 1.0, 1.0);
        assert_eq!(glance.buckets(10, 10, 2), expected);
        assert_eq!(glance.buckets(10, 0, 2), vec![0.0; 2 * BANDS]);
        assert!(glance.add(&events(&[1], &[1], &[None], &[None]).project(&[0, 1]).unwrap()).is_err());
    }

    #[test]
    fn rows_are_picked_in_the_order_that_is_asked_for() {
        let one = events(&[1, 2], &[10, 20], &[Some(9), None], &[Some("a"), None]);
        let other = events(&[3], &[30], &[None], &[Some("c")]);
        let rows =
            rows_of(&[one, other], &[30, 10, 40, 20], &["seq", "message", "severity"]).unwrap().unwrap();
        assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[30, 10, 20]);
        assert_eq!(
            rows.column(1).as_string::<i32>().iter().collect::<Vec<_>>(),
            [Some("c"), Some("a"), None]
        );
        assert_eq!(
            rows.column(2).as_primitive::<Int8Type>().iter().collect::<Vec<_>>(),
            [None, Some(9), None]
        );
        assert!(rows_of(&[], &[1], &["seq"]).unwrap().is_none());
    }
}
