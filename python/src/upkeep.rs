//! What upkeep is asked for.

use daybook::Period;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The days of `quarter 2026Q1`, `month 2026-02` or `before 2026-02-03`.
pub fn period_of((form, text): &(String, String)) -> PyResult<Period> {
    let (period, example) = match form.as_str() {
        "quarter" => (Period::quarter(text), "2026Q1"),
        "month" => (Period::month(text), "2026-02"),
        _ => (text.parse().ok().map(Period::before), "2026-02-03"),
    };
    period.ok_or_else(|| PyValueError::new_err(format!("`{form}` is written as {example}, not as `{text}`")))
}
