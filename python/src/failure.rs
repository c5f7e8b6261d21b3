//! Errors, as the exceptions of `daybook.errors`.

use daybook::Error;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The exception for an error. An interrupted call is `KeyboardInterrupt` where Ctrl-C was the reason, which `work`
/// knows.
pub fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let kind = error.kind().name();
    match function(py).and_then(|make| make.call1(py, (kind, error.to_string(), error.hint()))) {
        Ok(made) => PyErr::from_value(made.into_bound(py)),
        Err(error) => error,
    }
}

/// `daybook.errors.of`.
fn function(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    MAKE.get_or_try_init(py, || Ok(py.import("daybook.errors")?.getattr("of")?.unbind()))
}
