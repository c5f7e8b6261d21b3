//! Group commit: threads that wait for the disk share one sync.
//!
//! A thread that wants its frames durable leads if nobody does: it writes what is buffered and syncs, while
//! others buffer their frames and wait. Then it wakes those that its sync served, and hands over to one of
//! those that came meanwhile. Writing happens under the lock of the state, syncing does not.

use super::buffer::Buffer;
use super::seq::Window;
use super::tail::{Tail, WriteError};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::SyncHandle;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// How long a leader may wait for the threads that it expects, at most, and as a part of a sync's time.
const GATHER_MAX: Duration = Duration::from_millis(1);
const GATHER_PART: u32 = 4;

/// What the threads of a writer share.
pub(super) struct Commit {
    state: Mutex<State>,
    /// Tells the leader that the threads it waits for have come.
    gathered: Condvar,
    /// Tells the flusher that there is something to do.
    pub(super) wake_flusher: Condvar,
}

pub(super) struct State {
    pub(super) buffer: Buffer,
    pub(super) tail: Tail,
    pub(super) window: Window,
    /// Frames that were ever appended; the count after an append is its ticket.
    pub(super) appended: u64,
    /// Frames of tickets up to here are written, or were given up.
    written: u64,
    /// Frames of tickets up to here are on disk, or were given up.
    durable: u64,
    /// Since when the oldest batched frame has waited for a sync.
    pub(super) batched_since: Option<Instant>,
    /// The first failure after which the log cannot go on.
    pub(super) broken: Option<String>,
    pub(super) closed: bool,
    /// Whether a thread leads. Only then does anybody wait.
    leading: bool,
    round: Arc<Round>,
    waiters: Vec<Arc<Waiter>>,
    crowd: Crowd,
}

/// Appends that the same sync serves.
#[derive(Default)]
struct Round {
    outcome: OnceLock<Outcome>,
}

struct Waiter {
    thread: Thread,
    leads: AtomicBool,
}

/// What became of a round.
struct Outcome {
    durable: u64,
    failure: Option<Failure>,
}

/// An error that several threads return.
struct Failure {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

/// What the last round says about the next.
#[derive(Default)]
struct Crowd {
    /// How many threads are likely to come.
    expected: usize,
    /// How many the leader waits for now.
    wanted: Option<usize>,
    sync_time: Duration,
}

impl Commit {
    pub(super) fn new(tail: Tail, window: Window) -> Commit {
        let state = State {
            buffer: Buffer::default(),
            tail,
            window,
            appended: 0,
            written: 0,
            durable: 0,
            batched_since: None,
            broken: None,
            closed: false,
            leading: false,
            round: Arc::default(),
            waiters: Vec::new(),
            crowd: Crowd::default(),
        };
        Commit { state: Mutex::new(state), gathered: Condvar::new(), wake_flusher: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the frames up to a ticket are durable.
    pub(super) fn wait_durable(&self, mut state: MutexGuard<'_, State>, ticket: u64) -> Result<()> {
        if state.durable >= ticket {
            return Ok(());
        }
        if !state.leading {
            state.leading = true;
            return self.lead(state).of(ticket);
        }
        let waiter = Arc::new(Waiter { thread: std::thread::current(), leads: AtomicBool::new(false) });
        state.waiters.push(Arc::clone(&waiter));
        let round = Arc::clone(&state.round);
        if state.crowd.wanted.is_some_and(|wanted| state.waiters.len() >= wanted) {
            state.crowd.wanted = None;
            self.gathered.notify_one();
        }
        drop(state);
        loop {
            if let Some(outcome) = round.outcome.get() {
                return outcome.of(ticket);
            }
            if waiter.leads.load(Ordering::Acquire) {
                return self.lead(self.lock()).of(ticket);
            }
            std::thread::park();
        }
    }

    /// Serves the current round, whose outcome it gives, and hands over to the next.
    fn lead(&self, state: MutexGuard<'_, State>) -> Outcome {
        let mut state = self.gather(state);
        let refused = state.write_for_round();
        // Of a broken log nothing more is believed to be durable.
        let ticket = if state.broken.is_some() { state.durable } else { state.written };
        let sync_handle = state.tail.sync_handle().filter(|_| state.broken.is_none());
        let round = std::mem::take(&mut state.round);
        let waiters = std::mem::take(&mut state.waiters);
        drop(state);

        let started = Instant::now();
        let synced = sync_handle.as_ref().map_or(Ok(()), SyncHandle::sync);
        let sync_time = started.elapsed();

        let mut state = self.lock();
        state.crowd.sync_time = sync_time;
        state.crowd.expected = waiters.len() + state.waiters.len();
        let outcome = state.settle(ticket, synced, refused);
        let next = state.hand_over();
        drop(state);
        finish(&round, waiters, &outcome);
        match next {
            Next::Nobody => {}
            Next::Leader(waiter) => {
                waiter.leads.store(true, Ordering::Release);
                waiter.thread.unpark();
            }
            Next::Broken(round, waiters, outcome) => finish(&round, waiters, &outcome),
        }
        outcome
    }

    /// Waits a little for the threads that the last sync woke, so that one sync serves them all.
    fn gather<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let expected = state.crowd.expected;
        if state.waiters.len() >= expected {
            return state;
        }
        let within = (state.crowd.sync_time / GATHER_PART).min(GATHER_MAX);
        state.crowd.wanted = Some(expected);
        let waiting = |state: &mut State| state.crowd.wanted.is_some();
        let (mut state, _) =
            self.gathered.wait_timeout_while(state, within, waiting).unwrap_or_else(PoisonError::into_inner);
        state.crowd.wanted = None;
        state
    }
}

enum Next {
    Nobody,
    Leader(Arc<Waiter>),
    Broken(Arc<Round>, Vec<Arc<Waiter>>, Outcome),
}

impl State {
    /// Writes what is buffered. Frames that are refused stay in the buffer; a broken log takes no more.
    pub(super) fn write(&mut self) -> Result<()> {
        if let Some(cause) = &self.broken {
            return Err(self.broken_error(cause));
        }
        if self.buffer.is_empty() {
            self.written = self.appended;
            return Ok(());
        }
        match self.tail.write(&self.buffer) {
            Ok(()) => {
                self.buffer.clear();
                self.written = self.appended;
                Ok(())
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Writes what is buffered and closes the segment.
    pub(super) fn rotate(&mut self) -> Result<()> {
        self.write()?;
        match self.tail.rotate() {
            Ok(()) => {
                self.durable = self.written;
                self.batched_since = None;
                Ok(())
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// The error of every call after the log broke.
    pub(super) fn broken_error(&self, cause: &str) -> Error {
        let message = format!("the write-ahead log takes no more events after a failure: {cause}");
        Error::new(ErrorKind::Closed, message).with_hint("open the store again")
    }

    fn fail(&mut self, error: WriteError) -> Error {
        match error {
            WriteError::Refused(error) => error,
            WriteError::Broken(error) => {
                let cause = self.broken.get_or_insert_with(|| error.to_string()).clone();
                self.broken_error(&cause)
            }
        }
    }

    /// Writes for the threads of a round. If that fails, their frames are given up; batched ones stay.
    fn write_for_round(&mut self) -> Option<Error> {
        self.batched_since = None;
        let error = self.write().err()?;
        self.buffer.drop_waited_for();
        if !self.buffer.is_empty() {
            self.batched_since = Some(Instant::now());
        }
        Some(error)
    }

    /// Takes note of a sync of the frames up to a ticket, and says what it means for its round.
    fn settle(&mut self, ticket: u64, synced: Result<()>, refused: Option<Error>) -> Outcome {
        if let Err(error) = synced {
            let error = self.fail(WriteError::Broken(error));
            return Outcome { durable: 0, failure: Some(error.into()) };
        }
        self.durable = self.durable.max(ticket);
        Outcome { durable: ticket, failure: refused.map(Failure::from) }
    }

    /// Ends the lead, or finds the next leader. Those who wait on a broken log are sent home.
    fn hand_over(&mut self) -> Next {
        if let Some(cause) = self.broken.clone() {
            self.leading = false;
            let failure = Some(self.broken_error(&cause).into());
            let outcome = Outcome { durable: 0, failure };
            return Next::Broken(std::mem::take(&mut self.round), std::mem::take(&mut self.waiters), outcome);
        }
        match self.waiters.pop() {
            Some(waiter) => Next::Leader(waiter),
            None => {
                self.leading = false;
                Next::Nobody
            }
        }
    }
}

impl Outcome {
    fn of(&self, ticket: u64) -> Result<()> {
        match &self.failure {
            Some(failure) if self.durable < ticket => Err(failure.error()),
            _ => Ok(()),
        }
    }
}

impl Failure {
    fn error(&self) -> Error {
        let error = Error::new(self.kind, self.message.clone());
        match &self.hint {
            Some(hint) => error.with_hint(hint.clone()),
            None => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { kind: error.kind(), message: error.to_string(), hint: error.hint().map(String::from) }
    }
}

fn finish(round: &Round, waiters: Vec<Arc<Waiter>>, outcome: &Outcome) {
    let failure = outcome.failure.as_ref().map(|failure| Failure::from(failure.error()));
    let _ = round.outcome.set(Outcome { durable: outcome.durable, failure });
    for waiter in waiters {
        waiter.thread.unpark();
    }
}
