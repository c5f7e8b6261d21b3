//! Reading the logs of others, and taking over those of the dead.

use super::frame::{self, SegmentContent, SegmentName};
use super::writer::{lock_path, remove_folder};
use crate::error::{ErrorKind, Result};
use crate::keys::KeyId;
use crate::layout;
use crate::storage::{FileLock, LocalStorage, Storage};
use std::sync::Arc;

/// The log of a writer, alive or dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterLog {
    /// The writer's id.
    pub writer: String,
    /// Number and size of each segment, in order.
    pub segments: Vec<(u64, u64)>,
}

/// The log of a dead writer, which nobody else can take as long as this is held.
#[derive(Debug)]
pub struct Takeover {
    storage: Arc<LocalStorage>,
    log: WriterLog,
    _lock: FileLock,
}

impl Takeover {
    /// The id of the dead writer.
    pub fn writer(&self) -> &str {
        &self.log.writer
    }

    /// The numbers of its segments, in order.
    pub fn segments(&self) -> Vec<u64> {
        self.log.segments.iter().map(|(number, _)| *number).collect()
    }

    /// Removes the segments and the folder, once the events are kept elsewhere.
    pub fn remove(self) -> Result<()> {
        for number in self.segments() {
            self.storage.delete(&layout::segment(self.writer(), number))?;
        }
        remove_folder(&self.storage, self.writer())
    }
}

/// The logs of all writers, in the order of their ids, also those without a segment.
pub fn list_writers(storage: &LocalStorage) -> Result<Vec<WriterLog>> {
    let mut logs = Vec::new();
    for writer in storage.folders(layout::WAL)? {
        if frame::is_writer_id(&writer) {
            logs.push(list_writer(storage, &writer)?);
        }
    }
    Ok(logs)
}

/// What a segment holds now. The writer may be appending to it: a frame that is being written is not yet
/// there. `NotFound` if the segment is gone.
pub fn read_segment(storage: &LocalStorage, writer: &str, number: u64) -> Result<SegmentContent> {
    // Asked first: a segment that is closed now will be whole when it is read.
    let segments = list_writer(storage, writer)?.segments;
    let closed = segments.last().is_some_and(|(last, _)| *last > number);
    let bytes = storage.read(&layout::segment(writer, number))?;
    frame::decode(&bytes, SegmentName { writer, number, closed }, storage.keys().map(|keys| &**keys))
}

/// The id of the key that a segment is encrypted with; none where it is not.
pub fn segment_key(storage: &LocalStorage, writer: &str, number: u64) -> Result<Option<KeyId>> {
    let head = storage.read_range(&layout::segment(writer, number), 0..frame::SEALED_HEADER_BYTES as u64)?;
    Ok(frame::key_of(&head))
}

/// Takes over the log of a writer; `None` if it is alive, here or in another process, or if it is gone.
pub fn take_over(storage: &Arc<LocalStorage>, writer: &str) -> Result<Option<Takeover>> {
    let lock = match storage.try_lock(&lock_path(writer)) {
        Ok(Some(lock)) => lock,
        Ok(None) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let log = list_writer(storage, writer)?;
    Ok(Some(Takeover { storage: Arc::clone(storage), log, _lock: lock }))
}

fn list_writer(storage: &LocalStorage, writer: &str) -> Result<WriterLog> {
    let folder = layout::writer_folder(writer);
    let mut segments: Vec<_> = storage
        .list(&folder)?
        .iter()
        .filter_map(|entry| Some((segment_number(entry.path.strip_prefix(&folder)?)?, entry.size)))
        .collect();
    segments.sort_unstable();
    Ok(WriterLog { writer: writer.to_string(), segments })
}

fn segment_number(name: &str) -> Option<u64> {
    name.strip_prefix('/')?.strip_suffix(".wal")?.parse().ok()
}
