//! The write-ahead log: events acknowledged and not yet in Parquet.
//!
//! Each writer has a folder `_wal/<writer>/` with numbered segments and a file `lock`, whose lock it holds as
//! long as it lives. Payloads are opaque here.
//!
//! - [`WalWriter`] appends; threads that wait for the disk share one sync.
//! - [`read_segment`] reads, also what a writer is still writing.
//! - [`take_over`] gives the folder of a dead writer to somebody who will empty it.
//! - [`SeqAllocator`] hands out numbers that are unique over all writers.

mod buffer;
mod commit;
mod flusher;
mod frame;
mod recovery;
mod seq;
mod tail;
mod writer;

use std::sync::Arc;
use std::time::Duration;

pub use frame::{Damage, Frame, PAYLOAD_BYTES_MAX, SegmentContent};
pub use recovery::{Takeover, WriterLog, list_writers, read_segment, segment_key, take_over};
pub use seq::SeqAllocator;
pub use writer::WalWriter;

/// The time, in microseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What an append waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// The event is on the disk: it survives a loss of power.
    #[default]
    Fsync,
    /// Nothing; the event is acknowledged by the next flush, and synced within
    /// [`WalOptions::batched_within`] in any case.
    Batched,
    /// The operating system has the event: it survives the death of the process.
    Os,
}

/// The settings of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalOptions {
    /// A segment is closed once it has this many bytes.
    pub segment_bytes: u64,
    /// A segment is closed once it has this many events.
    pub segment_events: u64,
    /// How long a [`Durability::Batched`] event may wait for its sync.
    pub batched_within: Duration,
}

impl Default for WalOptions {
    fn default() -> Self {
        WalOptions {
            segment_bytes: 32 << 20,
            segment_events: 100_000,
            batched_within: Duration::from_secs(1),
        }
    }
}

/// The segment that a writer appends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentStatus {
    /// Its number, or the next one's as long as it holds nothing.
    pub number: u64,
    /// Events in it, also those not yet written.
    pub events: u64,
    /// Bytes of these events, with their frames.
    pub bytes: u64,
    /// When its first event was appended.
    pub first_us: Option<i64>,
}

#[cfg(test)]
mod tests;
