//! The end of a writer's log: the segment that grows, and those before it.

use super::buffer::Buffer;
use super::{SegmentStatus, WalOptions, frame};
use crate::error::{Error, ErrorKind, Result};
use crate::keys::KeyId;
use crate::layout;
use crate::storage::{AppendFile, LocalStorage, Storage, SyncHandle};
use std::sync::Arc;

/// The segments of a live writer.
#[derive(Debug)]
pub(super) struct Tail {
    storage: Arc<LocalStorage>,
    writer: String,
    key: Option<KeyId>,
    options: WalOptions,
    segment: Option<Segment>,
    closed: Vec<u64>,
    next_number: u64,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    file: AppendFile,
    events: u64,
    first_us: Option<i64>,
}

/// Why frames were not written.
#[derive(Debug)]
pub(super) enum WriteError {
    /// The log is as it was before, and may be tried again.
    Refused(Error),
    /// Nobody knows what is on the disk.
    Broken(Error),
}

impl Tail {
    pub(super) fn new(
        storage: Arc<LocalStorage>,
        writer: &str,
        key: Option<KeyId>,
        options: WalOptions,
    ) -> Tail {
        let writer = writer.to_string();
        Tail { storage, writer, key, options, segment: None, closed: Vec::new(), next_number: 1 }
    }

    /// Writes all frames of a buffer to one segment, a new one if the last is full.
    pub(super) fn write(&mut self, buffer: &Buffer) -> Result<(), WriteError> {
        if self.segment.as_ref().is_some_and(|segment| self.is_full(segment)) {
            self.rotate()?;
        }
        let mut segment = match self.segment.take() {
            Some(segment) => segment,
            None => self.new_segment()?,
        };
        let written = write_whole(&mut segment.file, buffer.bytes());
        if written.is_ok() {
            segment.events += buffer.frames();
            segment.first_us = segment.first_us.or(buffer.first_us());
        }
        self.segment = Some(segment);
        written
    }

    /// Closes the segment, synced, if it holds frames.
    pub(super) fn rotate(&mut self) -> Result<(), WriteError> {
        let Some(segment) = self.segment.take_if(|segment| segment.events > 0) else { return Ok(()) };
        segment.file.sync_handle().sync().map_err(WriteError::Broken)?;
        self.closed.push(segment.number);
        Ok(())
    }

    /// What syncs the segment; those before it are synced.
    pub(super) fn sync_handle(&self) -> Option<SyncHandle> {
        self.segment.as_ref().map(|segment| segment.file.sync_handle())
    }

    /// The closed segments that were not removed.
    pub(super) fn closed(&self) -> &[u64] {
        &self.closed
    }

    /// Removes closed segments up to a number.
    pub(super) fn remove(&mut self, up_to: u64) -> Result<()> {
        while let Some(number) = self.closed.first().copied().filter(|number| *number <= up_to) {
            self.storage.delete(&layout::segment(&self.writer, number))?;
            self.closed.retain(|closed| *closed != number);
        }
        Ok(())
    }

    /// Removes the segment if it holds no frames.
    pub(super) fn remove_empty(&mut self) -> Result<()> {
        match self.segment.take_if(|segment| segment.events == 0) {
            Some(segment) => self.storage.delete(&layout::segment(&self.writer, segment.number)),
            None => Ok(()),
        }
    }

    /// Whether a segment file is there.
    pub(super) fn is_empty(&self) -> bool {
        self.segment.is_none() && self.closed.is_empty()
    }

    /// The state of the segment, once it has the frames of a buffer too.
    pub(super) fn status(&self, buffer: &Buffer) -> SegmentStatus {
        let (number, events, bytes, first_us) = match &self.segment {
            Some(segment) => {
                let bytes = segment.file.length().saturating_sub(frame::HEADER_BYTES as u64);
                (segment.number, segment.events, bytes, segment.first_us)
            }
            None => (self.next_number, 0, 0, None),
        };
        SegmentStatus {
            number,
            events: events + buffer.frames(),
            bytes: bytes + buffer.bytes().len() as u64,
            first_us: first_us.or(buffer.first_us()),
        }
    }

    fn is_full(&self, segment: &Segment) -> bool {
        segment.file.length() >= self.options.segment_bytes || segment.events >= self.options.segment_events
    }

    fn new_segment(&mut self) -> Result<Segment, WriteError> {
        let number = self.next_number;
        self.next_number += 1;
        let path = layout::segment(&self.writer, number);
        let mut file = self.storage.open_append(&path).map_err(WriteError::Refused)?;
        if let Err(error) = write_whole(&mut file, &frame::header(&self.writer, number, self.key)) {
            let _ = self.storage.delete(&path);
            return Err(error);
        }
        // Without its name on disk, no frame in the segment is.
        self.storage.sync_folder(&layout::writer_folder(&self.writer)).map_err(WriteError::Broken)?;
        Ok(Segment { number, file, events: 0, first_us: None })
    }
}

/// Writes all bytes, or none if the disk is full.
fn write_whole(file: &mut AppendFile, bytes: &[u8]) -> Result<(), WriteError> {
    let Err(error) = file.write_all(bytes) else { return Ok(()) };
    let cut = file.truncate(file.length());
    if error.kind() == ErrorKind::Full && cut.is_ok() {
        return Err(WriteError::Refused(error));
    }
    Err(WriteError::Broken(error))
}
