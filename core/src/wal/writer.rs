//! Appending to the log.

use super::commit::{Commit, State};
use super::frame::{self, Framer};
use super::seq::{SeqAllocator, Window};
use super::tail::Tail;
use super::{Clock, Durability, SegmentStatus, WalOptions, flusher};
use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use crate::storage::{FileLock, LocalStorage, Storage, is_network_file_system};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;
use uuid::Uuid;

/// Frames are written at the latest when so many bytes are buffered.
const BUFFER_BYTES_MAX: usize = 256 << 10;
const ID_ATTEMPTS: usize = 16;

/// One writer's log, shared by all threads of a process. Events are numbered in the order of their frames.
///
/// After a failed write or sync it takes no more events; a full disk alone costs only the events at hand.
/// In a child made by `fork` it takes none.
pub struct WalWriter {
    storage: Arc<LocalStorage>,
    clock: Clock,
    options: WalOptions,
    writer: String,
    framer: Framer,
    process: u32,
    commit: Arc<Commit>,
    has_flusher: AtomicBool,
    owned: Mutex<Owned>,
}

/// What ends with the writer.
#[derive(Default)]
struct Owned {
    lock: Option<FileLock>,
    flusher: Option<JoinHandle<()>>,
}

impl WalWriter {
    /// A new writer with a folder of its own.
    pub fn open(storage: Arc<LocalStorage>, clock: Clock, options: WalOptions) -> Result<WalWriter> {
        if storage.is_in_bucket() {
            let message = format!(
                "events cannot be appended to `{}`: the log of what is new needs a local folder",
                storage.name()
            );
            let hint = "append to a store in a local folder, and archive it to the bucket; `daybook ingest` writes files there directly";
            return Err(Error::new(ErrorKind::Unsupported, message).with_hint(hint));
        }
        if let Some(root) = storage.local_root()
            && is_network_file_system(root)?
        {
            let message =
                format!("`{}` is on a network file system, which cannot hold a log", root.display());
            let hint = "put the store on a local disk";
            return Err(Error::new(ErrorKind::Unsupported, message).with_hint(hint));
        }
        let (writer, lock) = new_folder(&storage)?;
        let framer = Framer::new(&writer, storage.keys().map(|keys| &**keys))?;
        let tail = Tail::new(Arc::clone(&storage), &writer, framer.key_id(), options);
        let window = Window::new(SeqAllocator::new(Arc::clone(&storage), Arc::clone(&clock)));
        Ok(WalWriter {
            framer,
            process: std::process::id(),
            commit: Arc::new(Commit::new(tail, window)),
            has_flusher: AtomicBool::new(false),
            owned: Mutex::new(Owned { lock: Some(lock), flusher: None }),
            storage,
            clock,
            options,
            writer,
        })
    }

    /// The writer's id, which is the name of its folder.
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// Appends an event and gives its `seq` once it is acknowledged.
    pub fn append(&self, payload: &[u8], durability: Durability) -> Result<i64> {
        let mut seq = 0;
        self.append_each(&[payload], durability, |given| seq = given)?;
        Ok(seq)
    }

    /// Appends events that are acknowledged together, and gives the `seq` of each. After an error none of
    /// them is acknowledged.
    pub fn append_all(&self, payloads: &[&[u8]], durability: Durability) -> Result<Vec<i64>> {
        let mut seqs = Vec::with_capacity(payloads.len());
        self.append_each(payloads, durability, |seq| seqs.push(seq))?;
        Ok(seqs)
    }

    /// Appends one payload that holds `count` events, and gives the first of their successive numbers: all of
    /// them survive, or none.
    pub fn append_run(&self, payload: &[u8], count: u64, durability: Durability) -> Result<i64> {
        let mut first = 0;
        self.append_numbered(&[payload], count, durability, |given| first = given)?;
        Ok(first)
    }

    /// Returns once everything appended so far is on disk.
    pub fn flush(&self) -> Result<()> {
        let state = self.enter()?;
        let ticket = state.appended;
        self.commit.wait_durable(state, ticket)
    }

    /// Closes the current segment, synced, if it holds events.
    pub fn rotate(&self) -> Result<()> {
        self.enter()?.rotate()
    }

    /// The segments that are closed and not removed, in order.
    pub fn closed_segments(&self) -> Vec<u64> {
        if self.is_forked() { Vec::new() } else { self.commit.lock().tail.closed().to_vec() }
    }

    /// The segment that events go to now.
    pub fn current(&self) -> SegmentStatus {
        if self.is_forked() {
            return SegmentStatus { number: 0, events: 0, bytes: 0, first_us: None };
        }
        let state = self.commit.lock();
        state.tail.status(&state.buffer)
    }

    /// Removes closed segments up to a number, once their events are kept elsewhere.
    pub fn remove_segments(&self, up_to: u64) -> Result<()> {
        let mut state = self.enter_even_if_broken()?;
        state.tail.remove(up_to)
    }

    /// Flushes, closes the segment and lets go of the folder, which is removed if no segment is left. Later
    /// calls give an error, but closing again is none. If the disk is full, the writer stays open.
    pub fn close(&self) -> Result<()> {
        self.check_process()?;
        let mut state = self.commit.lock();
        if state.closed {
            return Ok(());
        }
        let done = state.rotate();
        if done.is_err() && state.broken.is_none() {
            return done;
        }
        drop(state);
        self.let_go();
        done
    }

    fn append_each(&self, payloads: &[&[u8]], durability: Durability, give: impl FnMut(i64)) -> Result<()> {
        self.append_numbered(payloads, 1, durability, give)
    }

    /// Appends payloads that take `count` numbers each.
    fn append_numbered(
        &self,
        payloads: &[&[u8]],
        count: u64,
        durability: Durability,
        mut give: impl FnMut(i64),
    ) -> Result<()> {
        payloads.iter().try_for_each(|payload| frame::check_payload(payload))?;
        let is_batched = durability == Durability::Batched;
        if is_batched && !self.has_flusher.load(Ordering::Acquire) {
            self.ensure_flusher()?;
        }
        let mut state = self.enter()?;
        if payloads.is_empty() {
            return Ok(());
        }
        if state.buffer.bytes().len() >= BUFFER_BYTES_MAX {
            state.write()?;
        }
        let mark = state.buffer.mark();
        let now_us = (self.clock)();
        for (payload, left) in payloads.iter().zip((1..=payloads.len()).rev()) {
            let number = match count {
                1 => state.window.next(now_us, left as u64),
                _ => state.window.run(now_us, count),
            };
            let pushed = number.and_then(|seq| {
                state.buffer.push(&self.framer, seq, payload, is_batched, now_us).map(|()| seq)
            });
            match pushed {
                Ok(seq) => give(seq),
                Err(error) => {
                    state.buffer.back_to(mark);
                    return Err(error);
                }
            }
        }
        state.appended += payloads.len() as u64;
        match durability {
            Durability::Fsync => {
                let ticket = state.appended;
                self.commit.wait_durable(state, ticket)
            }
            Durability::Batched => {
                self.note_batched(&mut state);
                Ok(())
            }
            Durability::Os => state.write().inspect_err(|_| state.buffer.back_to(mark)),
        }
    }

    /// Starts the thread that syncs batched events in time.
    fn ensure_flusher(&self) -> Result<()> {
        self.check_process()?;
        let mut owned = self.owned();
        if owned.flusher.is_none() {
            let started = flusher::start(Arc::clone(&self.commit), self.options.batched_within);
            owned.flusher = Some(started.map_err(|error| Error::io("start", "the log's thread", error))?);
            self.has_flusher.store(true, Ordering::Release);
        }
        Ok(())
    }

    fn note_batched(&self, state: &mut State) {
        if state.batched_since.is_none() {
            state.batched_since = Some(Instant::now());
            self.commit.wake_flusher.notify_one();
        }
    }

    /// The state, if the log takes events.
    fn enter(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.enter_even_if_broken()?;
        match &state.broken {
            Some(cause) => Err(state.broken_error(cause)),
            None => Ok(state),
        }
    }

    fn enter_even_if_broken(&self) -> Result<MutexGuard<'_, State>> {
        self.check_process()?;
        let state = self.commit.lock();
        if state.closed {
            return Err(Error::new(ErrorKind::Closed, "the write-ahead log is closed"));
        }
        Ok(state)
    }

    fn check_process(&self) -> Result<()> {
        if !self.is_forked() {
            return Ok(());
        }
        let message = "the write-ahead log was opened by another process (`fork`)";
        Err(Error::new(ErrorKind::Closed, message).with_hint("open the store again"))
    }

    /// Whether this is a child of the process that opened the log. Nothing of it may be used then, not even
    /// its mutex, which may be locked for ever.
    fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    fn owned(&self) -> MutexGuard<'_, Owned> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the thread, removes the folder if it holds nothing, and gives up the lock.
    fn let_go(&self) {
        let mut state = self.commit.lock();
        state.closed = true;
        let is_empty = state.tail.remove_empty().is_ok() && state.tail.is_empty();
        drop(state);
        self.commit.wake_flusher.notify_all();
        let Owned { lock, flusher } = std::mem::take(&mut *self.owned());
        if let Some(flusher) = flusher {
            let _ = flusher.join();
        }
        if is_empty {
            // What stays is removed by whoever takes the folder over.
            let _ = remove_folder(&self.storage, &self.writer);
        }
        drop(lock);
    }
}

impl Drop for WalWriter {
    fn drop(&mut self) {
        if self.is_forked() {
            // The thread is not in this process, and the lock is not this process's.
            if let Ok(owned) = self.owned.get_mut() {
                std::mem::forget(std::mem::take(owned));
            }
            return;
        }
        if self.close().is_err() {
            self.let_go();
        }
    }
}

impl fmt::Debug for WalWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WalWriter").field("writer", &self.writer).finish_non_exhaustive()
    }
}

/// The lock file of a writer.
pub(super) fn lock_path(writer: &str) -> String {
    format!("{}/{}", layout::writer_folder(writer), layout::WRITER_LOCK)
}

/// Removes a writer's folder that holds nothing but its lock, which the caller holds.
pub(super) fn remove_folder(storage: &LocalStorage, writer: &str) -> Result<()> {
    storage.delete(&lock_path(writer))?;
    storage.remove_folder(&layout::writer_folder(writer))?;
    Ok(())
}

/// A folder with a new name, and its lock. Somebody may see the folder before it is locked, take it for a
/// dead writer's and remove it; then another is made.
fn new_folder(storage: &LocalStorage) -> Result<(String, FileLock)> {
    for _ in 0..ID_ATTEMPTS {
        let (high, low) = Uuid::new_v4().as_u64_pair();
        let writer = format!("{:016x}", high ^ low);
        storage.create_folder(&layout::writer_folder(&writer))?;
        match storage.try_lock(&lock_path(&writer)) {
            Ok(Some(lock)) => return Ok((writer, lock)),
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::new(ErrorKind::Busy, format!("others keep taking the new folders in `{}`", layout::WAL)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wal::{list_writers, take_over};

    #[test]
    fn a_child_of_the_process_that_opened_the_log_cannot_use_it() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Arc::new(LocalStorage::new(folder.path()));
        let mut wal = WalWriter::open(Arc::clone(&storage), Arc::new(|| 1), WalOptions::default()).unwrap();
        wal.append(b"event", Durability::Batched).unwrap();
        let parent = wal.process;
        wal.process = parent.wrapping_add(1);
        for error in [
            wal.append(b"x", Durability::Fsync).unwrap_err(),
            wal.append(b"x", Durability::Batched).unwrap_err(),
            wal.flush().unwrap_err(),
            wal.rotate().unwrap_err(),
            wal.remove_segments(1).unwrap_err(),
            wal.close().unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Closed);
            assert!(error.message().contains("`fork`"), "{error}");
        }
        assert!(wal.closed_segments().is_empty());
        let writer = wal.writer().to_string();
        drop(wal);
        assert_eq!(list_writers(&storage).unwrap().len(), 1);
        assert!(take_over(&storage, &writer).unwrap().is_none());
    }
}
