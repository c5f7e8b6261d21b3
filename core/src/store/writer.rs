//! The writing side of an open store: its log, and the thread that seals it.

use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use crate::log::At;
use crate::seal::{SegmentId, Tables};
use crate::settings::Settings;
use crate::storage::Storage;
use crate::wal::{Clock, Durability, Takeover, WalOptions, WalWriter, list_writers, take_over};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the sealing thread looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Dead writers' logs are sealed once there are so many, however little is in them.
const DEAD_WRITERS_MAX: usize = 32;

/// The writing side of an open store.
pub struct Writer {
    tables: Arc<Tables>,
    wal: WalWriter,
    settings: Settings,
    clock: Clock,
    /// Why sealing failed the last time, for people.
    trouble: Mutex<Option<String>>,
    /// Held while segments are sealed, so that no two threads seal the same ones.
    sealing: Mutex<()>,
    thread: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl Writer {
    /// Makes a log, takes over what dead writers left if it is much, and starts the sealing thread.
    pub fn open(tables: Arc<Tables>, settings: &Settings, clock: Clock) -> Result<Arc<Writer>> {
        let options = WalOptions {
            segment_bytes: settings.seal.bytes,
            segment_events: settings.seal.events,
            ..WalOptions::default()
        };
        tables.seqs(&clock)?;
        let wal = WalWriter::open(tables.storage.clone(), clock.clone(), options)?;
        let (sealing, thread, trouble) = (Mutex::new(()), Mutex::new(None), Mutex::new(None));
        let settings = settings.clone();
        let writer = Arc::new(Writer { tables, wal, settings, clock, trouble, sealing, thread });
        writer.recover_if_due()?;
        Ok(writer)
    }

    /// Appends a payload of a kind.
    pub fn append(self: &Arc<Self>, kind: u8, payload: &[u8], durability: Durability) -> Result<i64> {
        self.append_run(kind, payload, 1, durability)
    }

    /// Appends a payload of a kind that holds so many events, all of which survive, or none.
    pub fn append_run(
        self: &Arc<Self>,
        kind: u8,
        payload: &[u8],
        count: u64,
        durability: Durability,
    ) -> Result<i64> {
        self.start_thread()?;
        let mut frame = Vec::with_capacity(payload.len() + 1);
        frame.push(kind);
        frame.extend_from_slice(payload);
        self.wal.append_run(&frame, count, durability)
    }

    /// Returns once everything appended is on disk.
    pub fn flush(&self) -> Result<()> {
        self.wal.flush()
    }

    /// Why the sealing thread failed, if it did the last time.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Seals everything that was appended so far, here and by dead writers.
    pub fn seal_all(&self) -> Result<()> {
        self.wal.rotate()?;
        self.seal_closed()?;
        self.recover()
    }

    /// Seals if much is left, and lets go of the log.
    pub fn close(&self) -> Result<()> {
        self.stop_thread();
        let current = self.wal.current();
        if current.events >= self.settings.seal.events / 10 || current.bytes >= self.settings.seal.bytes / 4 {
            self.wal.rotate()?;
        }
        self.seal_closed()?;
        self.wal.close()
    }

    /// Seals the logs of all dead writers.
    pub fn recover(&self) -> Result<()> {
        let _sealing = self.sealing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken: Vec<Takeover> = Vec::new();
        for log in list_writers(&self.tables.storage)? {
            taken.extend(take_over(&self.tables.storage, &log.writer)?);
        }
        let segments: Vec<SegmentId> = taken
            .iter()
            .flat_map(|log| {
                let writer = log.writer().to_string();
                log.segments().into_iter().map(move |number| SegmentId { writer: writer.clone(), number })
            })
            .collect();
        self.tables.seal(&segments, (self.clock)() / 1000)?;
        for log in taken {
            let last = log.segments().last().copied();
            if last.is_none_or(|last| self.is_committed(log.writer(), last).unwrap_or(false)) {
                log.remove()?;
            }
        }
        Ok(())
    }

    /// Seals dead writers' logs if they have become many or large or old.
    fn recover_if_due(&self) -> Result<()> {
        let others = list_writers(&self.tables.storage)?;
        let others = others.iter().filter(|log| log.writer != self.wal.writer());
        let (mut logs, mut bytes, mut oldest_us) = (0, 0, i64::MAX);
        for log in others.filter(|log| !log.segments.is_empty()) {
            logs += 1;
            bytes += log.segments.iter().map(|(_, size)| size).sum::<u64>();
            let files = self.tables.storage.list(&layout::writer_folder(&log.writer))?;
            let segments = files.iter().filter(|entry| entry.path.ends_with(".wal"));
            oldest_us = segments.map(|entry| entry.modified_us).fold(oldest_us, i64::min);
        }
        let age_us = (self.clock)().saturating_sub(oldest_us);
        let old =
            logs > 0 && age_us > i64::try_from(self.settings.seal.seconds).unwrap_or(i64::MAX) * 1_000_000;
        if logs >= DEAD_WRITERS_MAX || bytes >= self.settings.seal.bytes || old {
            self.recover()?;
        }
        Ok(())
    }

    fn seal_closed(&self) -> Result<()> {
        let _sealing = self.sealing.lock().unwrap_or_else(PoisonError::into_inner);
        let writer = self.wal.writer().to_string();
        let closed = self.wal.closed_segments();
        let Some(last) = closed.last().copied() else { return Ok(()) };
        let segment = |number: u64| SegmentId { writer: writer.clone(), number };
        self.tables.seal(&closed.into_iter().map(segment).collect::<Vec<_>>(), (self.clock)() / 1000)?;
        if !self.is_committed(&writer, last)? {
            let message = "segments of the log were not committed with the others";
            return Err(Error::new(ErrorKind::Busy, message));
        }
        self.wal.remove_segments(last)?;
        self.tables.maintain((self.clock)() / 1000, self.settings.keep_versions_ms()).map(drop)
    }

    /// Whether a segment is committed, durably.
    fn is_committed(&self, writer: &str, segment: u64) -> Result<bool> {
        let done = self.tables.events.snapshot(At::Latest)?.transaction(&layout::wal_app_id(writer))?;
        if done < i64::try_from(segment).ok() {
            return Ok(false);
        }
        // The commit may be one that its writer could not make durable, and the segment is to go.
        self.tables.events.sync().map(|()| true)
    }

    /// Starts the sealing thread with the first event, so that readers have none.
    fn start_thread(self: &Arc<Self>) -> Result<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let (sender, receiver) = channel();
            let weak = Arc::downgrade(self);
            let spawned = std::thread::Builder::new()
                .name("daybook-seal".to_string())
                .spawn(move || watch(&weak, &receiver));
            let handle = spawned.map_err(|error| Error::io("start a thread for", "sealing", error))?;
            *thread = Some((sender, handle));
        }
        Ok(())
    }

    fn stop_thread(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((sender, handle)) = thread {
            drop(sender);
            if handle.thread().id() != std::thread::current().id() {
                // A panic in it was reported when it happened.
                let _ = handle.join();
            }
        }
    }

    /// One look of the sealing thread.
    pub fn look(&self) -> Result<()> {
        let age_us = self.wal.current().first_us.map_or(0, |first_us| (self.clock)() - first_us);
        if age_us > i64::try_from(self.settings.seal.seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000) {
            self.wal.rotate()?;
        }
        self.seal_closed()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop_thread();
    }
}

/// Looks from time to time until the writer closes or is gone.
fn watch(writer: &Weak<Writer>, closed: &Receiver<()>) {
    while let Err(RecvTimeoutError::Timeout) = closed.recv_timeout(LOOK_EVERY) {
        let Some(writer) = writer.upgrade() else { return };
        // What fails here stays in the log, where readers find it, and is tried again.
        let trouble = writer.look().err().map(|error| format!("the log could not be sealed: {error}"));
        *writer.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}
