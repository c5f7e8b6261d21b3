//! Work beside the interpreter: other threads of Python go on meanwhile, and Ctrl-C stops it.

use crate::failure::exception;
use daybook::{Error, ErrorKind, Interrupter, Result};
use pyo3::prelude::*;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// How often signals are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Does some work. A signal whose handler raises stops it, and what the handler raised comes out.
pub fn run<T: Send>(
    py: Python<'_>,
    interrupter: &Interrupter,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    let done = py.detach(|| {
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(1);
            let worker = std::thread::Builder::new().name("daybook".to_string());
            let worker = worker.spawn_scoped(scope, move || {
                // Nobody waits any more only where this thread panicked, too.
                let _ = sender.send(work());
            });
            if let Err(error) = worker {
                return Done::Failed(Error::io("start", "a thread", error));
            }
            let mut raised = None;
            loop {
                match receiver.recv_timeout(LOOK) {
                    Ok(result) => return Done::of(result, raised),
                    Err(RecvTimeoutError::Disconnected) => return Done::Failed(lost()),
                    Err(RecvTimeoutError::Timeout) => {}
                }
                if raised.is_none() {
                    raised = Python::attach(|py| py.check_signals().err());
                }
                if raised.is_some() {
                    // Again and again: a query may begin only now.
                    interrupter.interrupt();
                }
            }
        })
    });
    match done {
        Done::Well(value) => Ok(value),
        Done::Failed(error) => Err(exception(py, &error)),
        Done::Raised(error) => Err(error),
    }
}

/// How work ended.
enum Done<T> {
    Well(T),
    Failed(Error),
    Raised(PyErr),
}

impl<T> Done<T> {
    fn of(result: Result<T>, raised: Option<PyErr>) -> Done<T> {
        match (result, raised) {
            (_, Some(raised)) => Done::Raised(raised),
            (Ok(value), None) => Done::Well(value),
            (Err(error), None) => Done::Failed(error),
        }
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Internal, "a thread of Daybook panicked; please report this with what you called")
}
