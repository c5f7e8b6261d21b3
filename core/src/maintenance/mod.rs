//! Upkeep: compaction, and removal of files that nobody needs any more.

pub mod compact;
mod vacuum;

pub use compact::{CompactReceipt, CompactRequest};
