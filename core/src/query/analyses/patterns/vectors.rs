//! Values by their places, where a place that is not there counts as nothing.

/// The value at a place, or 0.
pub(super) fn at(values: &[f64], place: usize) -> f64 {
    values.get(place).copied().unwrap_or_default()
}

/// Adds to the value at a place.
pub(super) fn add(values: &mut [f64], place: usize, value: f64) {
    if let Some(slot) = values.get_mut(place) {
        *slot += value;
    }
}

/// The products of the values at the same places.
pub(super) fn product(one: &[f64], other: &[f64]) -> Vec<f64> {
    one.iter().zip(other).map(|(one, other)| one * other).collect()
}
