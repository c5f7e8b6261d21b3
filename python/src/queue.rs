//! A queue in front of a store: an application hands an event over and goes on; a thread appends it.

use crate::failure::exception;
use crate::store::NativeStore;
use crate::values;
use crossbeam_channel::{Receiver, SendTimeoutError, Sender, TrySendError, bounded};
use daybook::{Appended, Durability, Error, ErrorKind, Store};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a flush waits between looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// What goes through the queue.
enum Item {
    Record(Vec<u8>),
    /// Everything before it is to be on disk when the sender hears of it.
    Flush(Sender<Result<(), Error>>),
}

/// A bounded queue.
#[pyclass(frozen, module = "daybook._daybook")]
pub struct Queue {
    sender: Mutex<Option<Sender<Item>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    dropped: AtomicU64,
    /// Whether the last wait for room was in vain.
    stuck: AtomicBool,
}

#[pymethods]
impl Queue {
    /// A queue of so many events. `on_failure` is called with a record and the reason, from another thread, when an
    /// event could not be appended or went to the quarantine.
    #[new]
    fn new(
        py: Python<'_>,
        store: &NativeStore,
        capacity: usize,
        durability: &str,
        on_failure: Py<PyAny>,
    ) -> PyResult<Queue> {
        let (sender, receiver) = bounded(capacity.max(1));
        let (store, durability) = (store.get(py)?, durability_of(durability)?);
        let thread = std::thread::Builder::new()
            .name("daybook-queue".to_string())
            .spawn(move || work(&store, durability, &receiver, &on_failure))
            .map_err(|error| exception(py, &Error::io("start", "a thread for the queue", error)))?;
        Ok(Queue {
            sender: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            dropped: AtomicU64::new(0),
            stuck: AtomicBool::new(false),
        })
    }

    /// Hands over an object as a record. When the queue is full it waits, for so many seconds or for ever, and then
    /// drops and counts. False if it dropped.
    #[pyo3(signature = (record, wait_seconds))]
    fn put(&self, py: Python<'_>, record: &Bound<'_, PyAny>, wait_seconds: Option<f64>) -> PyResult<bool> {
        let mut json = Vec::with_capacity(256);
        values::write(record, &mut json, 0)?;
        let sender = self.sender(py)?;
        match sender.try_send(Item::Record(json)) {
            Ok(()) => {
                self.stuck.store(false, Ordering::Relaxed);
                return Ok(true);
            }
            Err(TrySendError::Full(item))
                if wait_seconds != Some(0.0) && !self.stuck.load(Ordering::Relaxed) =>
            {
                if send(py, &sender, item, deadline(wait_seconds))? {
                    return Ok(true);
                }
                // Nobody waits again before there was room.
                self.stuck.store(wait_seconds.is_some(), Ordering::Relaxed);
            }
            Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => return Err(gone(py)),
        }
        self.dropped.fetch_add(1, Ordering::Relaxed);
        Ok(false)
    }

    /// How many events were dropped.
    #[getter]
    fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// How many events wait.
    #[getter]
    fn waiting(&self) -> usize {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().map_or(0, Sender::len)
    }

    /// Returns once everything handed over is on disk. False if that takes longer than `timeout` seconds.
    #[pyo3(signature = (timeout=None))]
    fn flush(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let sender = self.sender(py)?;
        let deadline = deadline(timeout);
        let is_over = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let (done, heard) = bounded(1);
        let mut item = Some(Item::Flush(done));
        loop {
            let result = py.detach(|| {
                if let Some(waiting) = item.take() {
                    match sender.send_timeout(waiting, LOOK) {
                        Ok(()) => {}
                        Err(error) if error.is_timeout() => {
                            item = Some(error.into_inner());
                            return None;
                        }
                        Err(_) => return Some(Err(Error::new(ErrorKind::Closed, "the queue is closed"))),
                    }
                }
                heard.recv_timeout(LOOK).ok()
            });
            match result {
                Some(Ok(())) => return Ok(true),
                Some(Err(error)) => return Err(exception(py, &error)),
                None if is_over() => return Ok(false),
                None => py.check_signals()?,
            }
        }
    }

    /// Appends what waits, and ends the thread.
    fn close(&self, py: Python<'_>) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic was reported on standard error.
            let _ = py.detach(|| thread.join());
        }
    }

    /// Leaves everything as it is: for a process that was forked, where the thread is not. False if another thread of
    /// the parent was at it: then this object must not be let go of.
    fn abandon(&self) -> bool {
        let locked = (self.sender.try_lock(), self.thread.try_lock());
        if let (Ok(mut sender), Ok(mut thread)) = locked {
            std::mem::forget((sender.take(), thread.take()));
            return true;
        }
        false
    }
}

impl Queue {
    fn sender(&self, py: Python<'_>) -> PyResult<Sender<Item>> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        sender.clone().ok_or_else(|| gone(py))
    }
}

/// The durability of this name.
pub fn durability_of(name: &str) -> PyResult<Durability> {
    match name {
        "fsync" => Ok(Durability::Fsync),
        "batched" => Ok(Durability::Batched),
        "os" => Ok(Durability::Os),
        other => Err(PyValueError::new_err(format!("durability is fsync, batched or os, and not `{other}`"))),
    }
}

/// A time that no clock reaches is none.
fn deadline(seconds: Option<f64>) -> Option<Instant> {
    let wait = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok());
    wait.and_then(|wait| Instant::now().checked_add(wait))
}

/// Waits until there is room; false if there is none in time. A signal whose handler raises ends it, too.
fn send(py: Python<'_>, sender: &Sender<Item>, item: Item, deadline: Option<Instant>) -> PyResult<bool> {
    let mut waiting = item;
    loop {
        match py.detach(|| sender.send_timeout(waiting, LOOK)) {
            Ok(()) => return Ok(true),
            Err(SendTimeoutError::Timeout(item)) => waiting = item,
            Err(SendTimeoutError::Disconnected(_)) => return Err(gone(py)),
        }
        py.check_signals()?;
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Ok(false);
        }
    }
}

fn gone(py: Python<'_>) -> PyErr {
    exception(py, &Error::new(ErrorKind::Closed, "the queue is closed"))
}

/// The thread: appends records, and flushes when asked.
fn work(store: &Arc<Store>, durability: Durability, items: &Receiver<Item>, on_failure: &Py<PyAny>) {
    for item in items {
        match item {
            Item::Record(record) => match store.append_json(&record, durability) {
                Ok(Appended::Stored { .. }) => {}
                Ok(Appended::Quarantined { reason, .. }) => {
                    tell(on_failure, &record, &format!("quarantined: {reason}"));
                }
                Err(error) => tell(on_failure, &record, &error.to_string()),
            },
            Item::Flush(done) => {
                // Whoever asked may have given up.
                let _ = done.send(store.flush());
            }
        }
    }
}

fn tell(on_failure: &Py<PyAny>, record: &[u8], reason: &str) {
    // Not where the interpreter is shutting down: then nobody is left to be told.
    let _ = Python::try_attach(|py| {
        if let Err(error) = on_failure.call1(py, (PyBytes::new(py, record), reason)) {
            error.write_unraisable(py, None);
        }
    });
}
