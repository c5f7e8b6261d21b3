//! Daybook: an event store to carry inside an application.
//!
//! A [`Store`] keeps events as an open Delta table of Parquet files, one partition a UTC day. An append
//! that returns is on the disk; every record that comes in is stored, known already, or kept with the reason
//! why it cannot be read; and every field is a column that SQL can ask about.
//!
//! It is no message queue and no server: it is a library that writes files, which any reader of Delta opens.
//!
//! ```
//! # fn main() -> daybook::Result<()> {
//! use daybook::{Durability, Event, QueryRequest, Store};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! let store = Store::open_or_create(&folder.path().join("events"))?;
//! store.append(&Event::new("order_paid").message("paid by card").field("amount", 12.5), Durability::Fsync)?;
//! let rows = store.query(&QueryRequest::new("SELECT kind, amount FROM events"))?;
//! assert_eq!(rows.map(|batch| batch.map(|batch| batch.num_rows())).sum::<daybook::Result<usize>>()?, 1);
//! # store.close()
//! # }
//! ```

// Makes this crate stale in another checkout that shares the build folder; see `.cargo/config.toml`.
const _: Option<&str> = option_env!("DAYBOOK_CHECKOUT");

pub mod bundle;
pub mod demo;
pub mod described;
pub mod error;
pub mod event;
pub mod format;
pub mod ingest;
pub mod intake;
#[cfg(feature = "native")]
pub mod keys;
pub mod layout;
pub mod leaves;
pub mod mine;
pub mod output;
pub mod proof;
pub mod query;
pub mod redact;

#[cfg(feature = "native")]
pub mod engine;
#[cfg(feature = "native")]
pub mod heads;
#[cfg(feature = "native")]
pub mod index;
#[cfg(feature = "native")]
pub mod log;
#[cfg(feature = "native")]
pub mod maintenance;
#[cfg(feature = "native")]
pub mod quarantine;
#[cfg(feature = "native")]
pub mod rows;
#[cfg(feature = "native")]
pub mod seal;
#[cfg(feature = "native")]
pub mod settings;
#[cfg(feature = "native")]
pub mod storage;
#[cfg(feature = "native")]
pub mod store;
#[cfg(feature = "native")]
pub mod verify;
#[cfg(feature = "native")]
pub mod wal;
#[cfg(feature = "native")]
pub mod zone;

pub use error::{Error, ErrorKind, Result};
pub use event::record::Event;
pub use format::Format;

#[cfg(feature = "native")]
pub use engine::{Limits, Rows};
#[cfg(feature = "native")]
pub use ingest::blocks::RECORD_BYTES_MAX;
#[cfg(feature = "native")]
pub use ingest::columnar::panics_are_caught;
#[cfg(feature = "native")]
pub use ingest::encoding::Encoding;
#[cfg(feature = "native")]
pub use ingest::explain::{ExplainedColumn, Explanation, Unreadable};
#[cfg(feature = "native")]
pub use ingest::follow::check as check_followed;
#[cfg(feature = "native")]
pub use ingest::input::Input;
#[cfg(feature = "native")]
pub use ingest::pipeline::InputReceipt;
pub use ingest::progress::{NoProgress, Progress, Step, Unit};
#[cfg(feature = "native")]
pub use ingest::source::{Expanded, expand};
#[cfg(feature = "native")]
pub use keys::Keys;
#[cfg(feature = "native")]
pub use log::At;
#[cfg(feature = "native")]
pub use maintenance::{
    ArchiveReceipt, BackupReceipt, CompactReceipt, CompactRequest, EncryptReceipt, EraseReceipt,
    ExpireReceipt, ExpireRequest, Period, RestoreReceipt,
};
pub use redact::Counts as RedactedCounts;
#[cfg(feature = "native")]
pub use store::{
    Appended, ArchiveRequest, AskOptions, BundleReceipt, BundleRequest, Changes, ColumnElsewhere,
    ColumnReport, ColumnSize, DaySize, Elsewhere, EraseRequest, ExportRequest, FoundBatches, Info,
    IngestOptions, InputGroup, Interrupter, KeepReport, MaintainReceipt, MetricsOfStore, QuarantineFilter,
    QuarantinePage, QuarantineSummary, Quarantined, QueryRequest, Quota, ReasonCount, ReasonGroup, Receipt,
    RetryOptions, RetryReceipt, SchemaReport, Store, StoreOptions, TableElsewhere, Tail, Watcher, explain,
    found,
};
#[cfg(feature = "native")]
pub use wal::Durability;
