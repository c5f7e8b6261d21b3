//! A running query: a thread of its own reads DuckDB's stream, a second one watches the clock.

use super::failure::{self, Known};
use super::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::query::statement::{self, Verdict};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use duckdb::types::Value;
use duckdb::{Connection, InterruptHandle, Statement, params_from_iter};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The answer to a query, batch by batch. A failure midway is an item; the answer never just ends early.
/// Dropping it stops the query.
pub struct Rows {
    schema: SchemaRef,
    answer: Answer,
    is_done: bool,
}

impl Rows {
    /// Starts the query, and waits until its columns are known.
    pub(super) fn start(job: Job, control: Arc<Control>) -> Result<Rows> {
        let (sender, receiver) = sync_channel(2);
        let in_thread = Arc::clone(&control);
        let worker = std::thread::Builder::new()
            .name("daybook-query".to_string())
            .stack_size(STACK_BYTES)
            .spawn(move || work(job, &in_thread, &sender))
            .map_err(|error| Error::io("start", "a thread for the query", error))?;
        let answer = Answer { receiver: Some(receiver), worker: Some(worker), control };
        match answer.receive()? {
            Message::Schema(schema) => Ok(Rows { schema, answer, is_done: false }),
            Message::Batch(_) | Message::End => Err(lost_thread()),
        }
    }

    /// The columns of the answer.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        match self.answer.receive() {
            Ok(Message::Batch(batch)) => Some(Ok(batch)),
            Ok(Message::End) => {
                self.is_done = true;
                None
            }
            Ok(Message::Schema(_)) => {
                self.is_done = true;
                Some(Err(lost_thread()))
            }
            Err(error) => {
                self.is_done = true;
                Some(Err(error))
            }
        }
    }
}

impl std::iter::FusedIterator for Rows {}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// What a query's thread needs; its connection is its own.
pub(super) struct Job {
    pub(super) connection: Connection,
    pub(super) sql: String,
    pub(super) parameters: Vec<(String, serde_json::Value)>,
    pub(super) known: Arc<Known>,
}

/// DuckDB walks expressions of up to a thousand levels on the stack.
const STACK_BYTES: usize = 16 << 20;

/// How long a stopped query may take to end. Some single functions over huge values cannot be stopped:
/// the caller gets its answer then, and the thread ends when the function does.
const GRACE: Duration = Duration::from_secs(1);

/// The consumer's end of a query.
struct Answer {
    receiver: Option<Receiver<Result<Message>>>,
    worker: Option<JoinHandle<()>>,
    control: Arc<Control>,
}

enum Message {
    Schema(SchemaRef),
    Batch(RecordBatch),
    End,
}

impl Answer {
    fn receive(&self) -> Result<Message> {
        let receiver = self.receiver.as_ref().ok_or_else(lost_thread)?;
        loop {
            match receiver.recv_timeout(GRACE / 4) {
                Ok(message) => return message,
                Err(RecvTimeoutError::Disconnected) => return Err(lost_thread()),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(error) = self.control.overdue() {
                        return Err(error);
                    }
                }
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.control.stop(Stop::Dropped);
        self.receiver = None;
        if self.control.wait_until_done(GRACE)
            && let Some(worker) = self.worker.take()
        {
            // A panic of the thread has been reported as an error by then.
            let _ = worker.join();
        }
    }
}

fn lost_thread() -> Error {
    Error::new(ErrorKind::Internal, "the query's thread ended without an answer")
}

/// Why a query stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Timeout(Duration),
    Interrupted,
    Dropped,
}

impl Stop {
    fn error(self) -> Error {
        match self {
            Stop::Timeout(timeout) => too_long(timeout),
            Stop::Interrupted | Stop::Dropped => {
                Error::new(ErrorKind::Interrupted, "the query was interrupted")
            }
        }
    }
}

/// The error of a query that takes longer than it may.
pub(super) fn too_long(timeout: Duration) -> Error {
    let message = format!("the query took longer than {} s", timeout.as_secs_f64());
    Error::new(ErrorKind::Limit, message).with_hint("ask for less, or raise the time limit")
}

/// Shared by a query's thread, its watcher and its consumer.
pub(super) struct Control {
    handle: Arc<InterruptHandle>,
    deadline: Option<(Instant, Duration)>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: Option<(Stop, Instant)>,
    is_done: bool,
}

impl Control {
    pub(super) fn new(handle: Arc<InterruptHandle>, deadline: Option<(Instant, Duration)>) -> Control {
        Control { handle, deadline, state: Mutex::default(), changed: Condvar::new() }
    }

    pub(super) fn interrupt(&self) {
        self.stop(Stop::Interrupted);
    }

    fn stop(&self, stop: Stop) {
        let mut state = lock(&self.state);
        state.stopped.get_or_insert((stop, Instant::now()));
        self.changed.notify_all();
    }

    fn stopped(&self) -> Option<Stop> {
        let stopped = lock(&self.state).stopped.map(|(stop, _)| stop);
        // Where no time is left at the start, the watcher may not have seen it yet.
        let is_late = self.deadline.filter(|(deadline, _)| *deadline <= Instant::now());
        stopped.or_else(|| is_late.map(|(_, timeout)| Stop::Timeout(timeout)))
    }

    /// The error of a query that was stopped and does not end.
    fn overdue(&self) -> Option<Error> {
        let (stop, since) = lock(&self.state).stopped?;
        (since.elapsed() > GRACE).then(|| stop.error())
    }

    fn wait_until_done(&self, timeout: Duration) -> bool {
        let state = lock(&self.state);
        let waited = self.changed.wait_timeout_while(state, timeout, |state| !state.is_done);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_done
    }

    /// Interrupts DuckDB once the query is to stop, and again until it has: an interrupt that comes
    /// between two steps of a query is forgotten by DuckDB.
    fn watch(&self) {
        let mut pause = Duration::from_millis(1);
        let mut state = lock(&self.state);
        while !state.is_done {
            let wait = match (state.stopped, self.deadline) {
                (Some(_), _) => {
                    self.handle.interrupt();
                    pause = (pause * 2).min(Duration::from_millis(100));
                    pause
                }
                (None, Some((deadline, timeout))) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        state.stopped = Some((Stop::Timeout(timeout), Instant::now()));
                        continue;
                    }
                    left
                }
                (None, None) => Duration::from_secs(3600),
            };
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Says that a query is done, however it ends.
struct Done<'a>(&'a Control);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).is_done = true;
        self.0.changed.notify_all();
    }
}

/// The body of a query's thread.
fn work(job: Job, control: &Control, sender: &SyncSender<Result<Message>>) {
    let outcome = std::thread::scope(|scope| {
        let _done = Done(control);
        std::thread::Builder::new()
            .name("daybook-watch".to_string())
            .spawn_scoped(scope, || control.watch())
            .map_err(|error| Error::io("start", "a thread for the query", error))?;
        let known = Arc::clone(&job.known);
        job.answer(control, sender).map_err(|failed| match (failed, control.stopped()) {
            (Failed::Engine(error), stopped) if failure::is_interrupt(&error) => {
                stopped.unwrap_or(Stop::Interrupted).error()
            }
            (Failed::Engine(error), _) => failure::explain(&error, &known),
            (Failed::Ours(error), _) => error,
        })
    });
    // The consumer may be gone.
    let _ = sender.send(outcome.map(|()| Message::End));
}

enum Failed {
    Engine(duckdb::Error),
    Ours(Error),
}

impl From<duckdb::Error> for Failed {
    fn from(error: duckdb::Error) -> Self {
        Failed::Engine(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed::Ours(error)
    }
}

impl Job {
    /// Checks, runs, and sends the answer until its end or until nobody listens.
    fn answer(self, control: &Control, sender: &SyncSender<Result<Message>>) -> Result<(), Failed> {
        self.connection.execute_batch("BEGIN TRANSACTION READ ONLY")?;
        let sql = self.checked_sql()?;
        if let Some(stop) = control.stopped() {
            return Err(stop.error().into());
        }
        let mut statement = self.connection.prepare(&sql)?;
        let values = self.values(&statement)?;
        let stream = statement.stream_arrow(params_from_iter(values))?;
        if sender.send(Ok(Message::Schema(stream.get_schema()))).is_err() {
            return Ok(());
        }
        for batch in stream {
            if sender.send(Ok(Message::Batch(batch?))).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The statement, if it only reads.
    fn checked_sql(&self) -> Result<String, Failed> {
        let statement = statement::split(&self.sql)?;
        let tree = parse_tree(&self.connection, statement.body)?;
        match statement::check(&tree, statement.body)? {
            Verdict::Reads => Ok(format!("{}{}", statement.explain, statement.body)),
            // Nothing runs of a text that does not parse; DuckDB's message shows the place.
            Verdict::DoesNotParse => match self.connection.prepare(statement.body) {
                Err(error) => Err(error.into()),
                Ok(_) => Err(Error::new(ErrorKind::Syntax, "the query cannot be checked").into()),
            },
        }
    }

    /// The values of the statement's parameters, in its order.
    fn values(&self, statement: &Statement<'_>) -> Result<Vec<Value>, Failed> {
        let mut names = Vec::with_capacity(statement.parameter_count());
        for index in 1..=statement.parameter_count() {
            names.push(statement.parameter_name(index)?);
        }
        if let Some((name, _)) = self.parameters.iter().find(|(name, _)| !names.contains(name)) {
            let message = format!("the query has no parameter `${name}`");
            return Err(Error::new(ErrorKind::Invalid, message).into());
        }
        let mut values = Vec::with_capacity(names.len());
        for name in &names {
            let Some((_, value)) = self.parameters.iter().find(|(given, _)| given == name) else {
                let message = format!("the query's parameter `${name}` has no value");
                return Err(Error::new(ErrorKind::Invalid, message).into());
            };
            values.push(bound(value));
        }
        Ok(values)
    }
}

/// DuckDB's parse tree of a statement, as JSON.
pub(super) fn parse_tree(connection: &Connection, body: &str) -> Result<String, duckdb::Error> {
    connection.query_row("SELECT json_serialize_sql($1::VARCHAR)::VARCHAR", [body], |row| row.get(0))
}

/// A JSON value as a parameter; an object is its JSON text.
fn bound(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Boolean(*value),
        serde_json::Value::Number(number) => {
            let signed = number.as_i64().map(Value::BigInt);
            let unsigned = || number.as_u64().map(Value::UBigInt);
            let double = || number.as_f64().map(Value::Double);
            signed.or_else(unsigned).or_else(double).unwrap_or(Value::Null)
        }
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(values) => Value::List(values.iter().map(bound).collect()),
        serde_json::Value::Object(_) => Value::Text(value.to_string()),
    }
}
