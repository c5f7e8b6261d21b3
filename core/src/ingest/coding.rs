//! How a column's values are encoded, found by looking at some of them.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int8Type, Int32Type, Int64Type, TimestampMicrosecondType};
use std::collections::HashSet;
use std::hash::Hash;

/// So many runs of values are looked at, spread over the array.
const RUNS: usize = 8;
/// Values in a run.
const RUN_VALUES: usize = 1024;
/// Texts of at least so many bytes on average share beginnings that are worth finding.
const LONG_TEXT_BYTES: usize = 96;

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

impl Coding {
    /// The coding for values like these.
    pub fn of(array: &ArrayRef) -> Coding {
        match array.data_type() {
            DataType::Int8 => scalar(array, array.as_primitive::<Int8Type>().values()),
            DataType::Int32 => scalar(array, array.as_primitive::<Int32Type>().values()),
            DataType::Int64 => scalar(array, array.as_primitive::<Int64Type>().values()),
            DataType::Timestamp(..) => {
                scalar(array, array.as_primitive::<TimestampMicrosecondType>().values())
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>().values();
                match mostly_differ(array, |at| values.get(at).map(|value| value.to_bits())) {
                    true => Coding::Plain,
                    false => Coding::Dictionary,
                }
            }
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                if !mostly_differ(array, |at| texts.is_valid(at).then(|| texts.value(at))) {
                    return Coding::Dictionary;
                }
                let values = (texts.len() - texts.null_count()).max(1);
                if texts.value_data().len() / values >= LONG_TEXT_BYTES {
                    Coding::Prefixes
                } else {
                    Coding::Plain
                }
            }
            _ => Coding::Dictionary,
        }
    }
}

fn scalar<T: Copy + Eq + Hash>(array: &ArrayRef, values: &[T]) -> Coding {
    match mostly_differ(array, |at| values.get(at).copied()) {
        true => Coding::Differences,
        false => Coding::Dictionary,
    }
}

/// Whether most values are there once, as far as some runs of them tell.
fn mostly_differ<T: Eq + Hash>(array: &ArrayRef, value: impl Fn(usize) -> Option<T>) -> bool {
    let step = (array.len() / RUNS).max(RUN_VALUES);
    let (mut seen, mut different) = (0_usize, HashSet::new());
    for start in (0..array.len()).step_by(step) {
        for at in (start..array.len().min(start + RUN_VALUES)).filter(|at| array.is_valid(*at)) {
            seen += 1;
            different.extend(value(at));
        }
    }
    different.len() * 10 > seen * 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{BooleanArray, Float64Array, Int64Array, StringArray};
    use std::sync::Arc;

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
            assert_eq!(Coding::of(&array), expected, "{:?}", array.slice(0, array.len().min(3)));
        }
    }
}
