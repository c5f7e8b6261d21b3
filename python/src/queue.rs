//! A queue in front of a store: an application hands an event over and goes on; a thread appends it.

use crate::failure::exception;
use crate::store::NativeStore;
use crate::values;
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use daybook::{Appended, Durability, Error, ErrorKind, Store};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFrozenSet};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a flush waits between looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// How long the thread sleeps when there is nothing to do. Nobody wakes it for an event, which would cost the
/// application more than all else of a call.
const REST: Duration = Duration::from_millis(5);
/// So many events are taken out of the queue at once.
const AT_ONCE: usize = 256;

/// What goes through the queue.
enum Item {
    Record(Vec<u8>),
    /// Everything before it is to be on disk when the sender hears of it.
    Flush(Sender<Result<(), Error>>),
}

/// A bounded queue.
#[pyclass(frozen, module = "daybook._daybook")]
pub struct Queue {
    lane: Mutex<Option<Arc<Lane>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    dropped: AtomicU64,
    /// Whether the last wait for room was in vain.
    stuck: AtomicBool,
}

/// What both sides share.
struct Lane {
    state: Mutex<State>,
    /// Told that the thread is to look now.
    work: Condvar,
    /// Told that there is room again.
    room: Condvar,
    capacity: usize,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    closed: bool,
    /// Whether somebody waits for room.
    wanted: bool,
}

impl Lane {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item in, if there is room; a flush always has some. Gives it back otherwise.
    fn try_push(&self, item: Item) -> Result<(), Item> {
        let mut state = self.state();
        let is_record = matches!(item, Item::Record(_));
        if is_record && state.items.len() >= self.capacity {
            return Err(item);
        }
        state.items.push_back(item);
        let waiting = state.items.len();
        drop(state);
        if !is_record || waiting == self.capacity || waiting.is_multiple_of(AT_ONCE) {
            self.work.notify_one();
        }
        Ok(())
    }

    /// Waits until there may be room.
    fn wait_for_room(&self) {
        let mut state = self.state();
        if state.items.len() >= self.capacity {
            state.wanted = true;
            self.work.notify_one();
            drop(self.room.wait_timeout(state, LOOK));
        }
    }

    /// The next items; none once it is closed and empty.
    fn take(&self, taken: &mut VecDeque<Item>) -> bool {
        let mut state = self.state();
        while state.items.is_empty() {
            if state.closed {
                return false;
            }
            state = self.work.wait_timeout(state, REST).unwrap_or_else(PoisonError::into_inner).0;
        }
        let count = state.items.len().min(AT_ONCE);
        taken.extend(state.items.drain(..count));
        if std::mem::take(&mut state.wanted) {
            self.room.notify_all();
        }
        true
    }

    fn close(&self) {
        self.state().closed = true;
        self.work.notify_one();
    }
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
        let lane = Arc::new(Lane {
            state: Mutex::default(),
            work: Condvar::new(),
            room: Condvar::new(),
            capacity: capacity.max(1),
        });
        let theirs = Arc::clone(&lane);
        let (store, durability) = (store.get(py)?, durability_of(durability)?);
        let thread = std::thread::Builder::new()
            .name("daybook-queue".to_string())
            .spawn(move || work(&store, durability, &theirs, &on_failure))
            .map_err(|error| exception(py, &Error::io("start", "a thread for the queue", error)))?;
        Ok(Queue {
            lane: Mutex::new(Some(lane)),
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
        self.put_json(py, json, wait_seconds)
    }

    /// The same for a record of `logging`, of which these are the attributes: a level in words, the message, and members
    /// that each has, as JSON, with their names. None if it is not as simple as most: some that it brings are members
    /// that each has.
    #[pyo3(signature = (attributes, level, message, base, taken, standard, wait_seconds))]
    #[expect(clippy::too_many_arguments, reason = "a call for each event is to make no other object")]
    fn put_log(
        &self,
        py: Python<'_>,
        attributes: &Bound<'_, PyDict>,
        level: &str,
        message: &Bound<'_, PyAny>,
        base: &[u8],
        taken: &Bound<'_, PyFrozenSet>,
        standard: usize,
        wait_seconds: Option<f64>,
    ) -> PyResult<Option<bool>> {
        let mut json = Vec::with_capacity(256);
        if !values::write_log(attributes, (level, message), base, (taken, standard), &mut json)? {
            return Ok(None);
        }
        self.put_json(py, json, wait_seconds).map(Some)
    }

    /// How many events were dropped.
    #[getter]
    fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// How many events wait.
    #[getter]
    fn waiting(&self) -> usize {
        let lane = self.lane.lock().unwrap_or_else(PoisonError::into_inner);
        lane.as_ref().map_or(0, |lane| lane.state().items.len())
    }

    /// Returns once everything handed over is on disk. False if that takes longer than `timeout` seconds.
    #[pyo3(signature = (timeout=None))]
    fn flush(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let deadline = deadline(timeout);
        let is_over = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let (done, heard) = bounded(1);
        // One is always taken.
        let _ = self.lane(py)?.try_push(Item::Flush(done));
        loop {
            let result = py.detach(|| match heard.recv_timeout(LOOK) {
                Ok(result) => Some(result),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => {
                    Some(Err(Error::new(ErrorKind::Closed, "the queue is closed")))
                }
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
        if let Some(lane) = self.lane.lock().unwrap_or_else(PoisonError::into_inner).take() {
            lane.close();
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic was reported on standard error.
            let _ = py.detach(|| thread.join());
        }
    }

    /// Leaves everything as it is: for a process that was forked, where the thread is not. False if another thread of
    /// the parent was at it: then this object must not be let go of.
    fn abandon(&self) -> bool {
        let locked = (self.lane.try_lock(), self.thread.try_lock());
        if let (Ok(mut lane), Ok(mut thread)) = locked {
            std::mem::forget((lane.take(), thread.take()));
            return true;
        }
        false
    }
}

impl Queue {
    fn put_json(&self, py: Python<'_>, json: Vec<u8>, wait_seconds: Option<f64>) -> PyResult<bool> {
        let lane = self.lane(py)?;
        let item = match lane.try_push(Item::Record(json)) {
            Ok(()) => {
                self.stuck.store(false, Ordering::Relaxed);
                return Ok(true);
            }
            Err(item) => item,
        };
        if wait_seconds != Some(0.0) && !self.stuck.load(Ordering::Relaxed) {
            if push_in_time(py, &lane, item, deadline(wait_seconds))? {
                return Ok(true);
            }
            // Nobody waits again before there was room.
            self.stuck.store(wait_seconds.is_some(), Ordering::Relaxed);
        }
        self.dropped.fetch_add(1, Ordering::Relaxed);
        Ok(false)
    }

    fn lane(&self, py: Python<'_>) -> PyResult<Arc<Lane>> {
        let lane = self.lane.lock().unwrap_or_else(PoisonError::into_inner);
        lane.clone().ok_or_else(|| gone(py))
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
fn push_in_time(py: Python<'_>, lane: &Lane, item: Item, deadline: Option<Instant>) -> PyResult<bool> {
    let mut waiting = item;
    loop {
        py.detach(|| lane.wait_for_room());
        match lane.try_push(waiting) {
            Ok(()) => return Ok(true),
            Err(item) => waiting = item,
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
fn work(store: &Arc<Store>, durability: Durability, lane: &Lane, on_failure: &Py<PyAny>) {
    let mut items = VecDeque::with_capacity(AT_ONCE);
    while lane.take(&mut items) {
        for item in items.drain(..) {
            match item {
                Item::Record(record) => append(store, durability, &record, on_failure),
                Item::Flush(done) => {
                    // Whoever asked may have given up.
                    let _ = done.send(store.flush());
                }
            }
        }
    }
}

fn append(store: &Store, durability: Durability, record: &[u8], on_failure: &Py<PyAny>) {
    match store.append_json(record, durability) {
        Ok(Appended::Stored { .. }) => {}
        Ok(Appended::Quarantined { reason, .. }) => {
            tell(on_failure, record, &format!("quarantined: {reason}"));
        }
        Err(error) => tell(on_failure, record, &error.to_string()),
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
