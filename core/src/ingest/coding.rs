//! How a column's values are encoded, found by looking at some of them, and by trying where that does not tell.

use crate::error::{Error, ErrorKind, Result};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Float64Type, Int8Type, Int32Type, Int64Type, TimestampMicrosecondType};
use hashbrown::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// So many runs of values are looked at, spread over the array.
const RUNS: usize = 8;
/// Values in a run.
const RUN_VALUES: usize = 1024;
/// Texts of at least so many bytes on average share beginnings that are worth finding.
const LONG_TEXT_BYTES: usize = 96;
/// Of fewer values nothing can be told.
const TRIED_VALUES_MIN: usize = 256;

/// How values are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Each different value once, and numbers for them: values repeat.
    Dictionary,
    /// As they are: values hardly repeat.
    Plain,
    /// The differences of integers.
    Differences,
    /// Texts without the beginning that they share with the one before.
    Prefixes,
}

/// How often a value of some is there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeats {
    Mostly,
    Often,
    Hardly,
}

/// Codings that were found by trying.
#[derive(Debug, Default)]
pub struct Codings {
    tried: Mutex<HashMap<String, Tried>>,
}

#[derive(Clone, Copy, Debug)]
struct Tried {
    of: &'static [Coding],
    values: usize,
    best: Coding,
}

impl Codings {
    /// The coding for a column that begins with these values. `size` tells how large some of them get.
    pub fn of(
        &self,
        column: &str,
        array: &ArrayRef,
        size: impl Fn(Coding, &ArrayRef) -> Result<usize>,
    ) -> Result<Coding> {
        let candidates = candidates(array);
        let first = candidates.first().copied().unwrap_or(Coding::Dictionary);
        let values = array.len() - array.null_count();
        if candidates.len() < 2 || values < TRIED_VALUES_MIN {
            return Ok(first);
        }
        let known = self.tried.lock().unwrap_or_else(PoisonError::into_inner).get(column).copied();
        if let Some(known) = known.filter(|known| known.of == candidates && values / 4 < known.values) {
            return Ok(known.best);
        }
        let sample = sample(array)?;
        let (mut best, mut least) = (first, size(first, &sample)?);
        // The first is the one that gains most from more values than are tried.
        least -= least / 10;
        for coding in candidates.iter().skip(1) {
            let bytes = size(*coding, &sample)?;
            if bytes < least {
                (best, least) = (*coding, bytes);
            }
        }
        let tried = Tried { of: candidates, values, best };
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(column.to_string(), tried);
        Ok(best)
    }
}

/// The codings that may suit values like these, the most likely first.
fn candidates(array: &ArrayRef) -> &'static [Coding] {
    use Coding::{Dictionary, Differences, Plain, Prefixes};
    let integers = |repeats| match repeats {
        Repeats::Mostly => &[Dictionary][..],
        Repeats::Often => &[Dictionary, Differences, Plain],
        Repeats::Hardly => &[Differences, Plain],
    };
    match array.data_type() {
        DataType::Int8 => integers(scalars(array, array.as_primitive::<Int8Type>().values())),
        DataType::Int32 => integers(scalars(array, array.as_primitive::<Int32Type>().values())),
        DataType::Int64 => integers(scalars(array, array.as_primitive::<Int64Type>().values())),
        DataType::Timestamp(..) => {
            integers(scalars(array, array.as_primitive::<TimestampMicrosecondType>().values()))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values();
            match repeats(array, |at| values.get(at).map(|value| value.to_bits())) {
                Repeats::Mostly => &[Dictionary],
                Repeats::Often => &[Dictionary, Plain],
                Repeats::Hardly => &[Plain],
            }
        }
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            let values = (texts.len() - texts.null_count()).max(1);
            let is_long = texts.value_data().len() / values >= LONG_TEXT_BYTES;
            match repeats(array, |at| texts.is_valid(at).then(|| texts.value(at))) {
                Repeats::Hardly if is_long => &[Prefixes],
                Repeats::Hardly => &[Plain, Prefixes],
                Repeats::Often if !is_long => &[Dictionary, Plain, Prefixes],
                _ => &[Dictionary],
            }
        }
        _ => &[Dictionary],
    }
}

fn scalars<T: Copy + Eq + Hash>(array: &ArrayRef, values: &[T]) -> Repeats {
    repeats(array, |at| values.get(at).copied())
}

/// How often values repeat, as far as some runs of them tell.
fn repeats<T: Eq + Hash>(array: &ArrayRef, value: impl Fn(usize) -> Option<T>) -> Repeats {
    let step = (array.len() / RUNS).max(RUN_VALUES);
    let (mut seen, mut different) = (0_usize, HashSet::new());
    for start in (0..array.len()).step_by(step) {
        for at in (start..array.len().min(start + RUN_VALUES)).filter(|at| array.is_valid(*at)) {
            seen += 1;
            different.extend(value(at));
        }
    }
    match different.len() {
        count if count * 10 > seen * 7 => Repeats::Hardly,
        count if count * 50 > seen => Repeats::Often,
        _ => Repeats::Mostly,
    }
}

/// Some runs of the values that are there.
fn sample(array: &ArrayRef) -> Result<ArrayRef> {
    let mut valid = (0..array.len()).filter(|at| array.is_valid(*at));
    let first = valid.next().unwrap_or(0);
    let values = array.slice(first, array.len() - first);
    if values.len() <= RUNS * RUN_VALUES {
        return Ok(values);
    }
    let starts = (0..values.len() - RUN_VALUES).step_by(values.len() / RUNS);
    let runs: Vec<ArrayRef> = starts.map(|start| values.slice(start, RUN_VALUES)).collect();
    concat(&runs.iter().map(|run| &**run).collect::<Vec<_>>())
        .map_err(|error| Error::new(ErrorKind::Internal, "values cannot be sampled").with_source(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{BooleanArray, Float64Array, Int64Array, StringArray};
    use std::sync::Arc;

    #[test]
    fn what_is_tried_is_remembered_until_there_is_much_more() {
        let codings = Codings::default();
        let tries = std::cell::Cell::new(0);
        let of = |count: i64, modulus: i64| {
            let array: ArrayRef = Arc::new((0..count).map(|number| number % modulus).collect::<Int64Array>());
            let size = |coding, _: &ArrayRef| {
                tries.set(tries.get() + 1);
                Ok(if coding == Coding::Plain { 80 } else { 100 })
            };
            codings.of("a", &array, size).unwrap()
        };
        assert_eq!((of(100, 50), tries.get()), (Coding::Dictionary, 0));
        assert_eq!((of(1_000, 500), tries.get()), (Coding::Plain, 3));
        assert_eq!((of(3_000, 1_500), tries.get()), (Coding::Plain, 3));
        assert_eq!((of(60_000, 4_000), tries.get()), (Coding::Plain, 6));
        assert_eq!((of(60_000, 60_000), tries.get()), (Coding::Plain, 8));
        assert_eq!((of(60_000, 2), tries.get()), (Coding::Dictionary, 8));
    }

    #[test]
    fn values_that_repeat_get_a_dictionary_and_others_what_suits_them() {
        let texts = |text: &dyn Fn(usize) -> String| -> ArrayRef {
            Arc::new((0..50_000).map(|number| Some(text(number))).collect::<StringArray>())
        };
        let long = "x".repeat(200);
        let cases: Vec<(ArrayRef, Coding)> = vec![
            (Arc::new((0..50_000).collect::<Int64Array>()), Coding::Differences),
            (Arc::new((0..50_000).map(|number| number % 100).collect::<Int64Array>()), Coding::Dictionary),
            (texts(&|number| format!("{number}")), Coding::Plain),
            (texts(&|number| format!("{long}{number}")), Coding::Prefixes),
            (texts(&|number| format!("{long}{}", number / 10)), Coding::Dictionary),
            (
                Arc::new((0..50_000).map(|number| f64::from(number) / 7.0).collect::<Float64Array>()),
                Coding::Plain,
            ),
            (Arc::new(Float64Array::from(vec![None; 10])), Coding::Dictionary),
            (Arc::new(BooleanArray::from(vec![true; 10])), Coding::Dictionary),
            (Arc::new(Int64Array::from(vec![Some(1), None, None, None])), Coding::Differences),
        ];
        for (array, expected) in cases {
            assert_eq!(
                candidates(&array).first(),
                Some(&expected),
                "{:?}",
                array.slice(0, array.len().min(3))
            );
        }
    }
}
