//! Upkeep: compaction, retention, and removal of files that nobody needs any more.

pub mod archive;
pub mod backup;
pub mod compact;
pub mod encrypt;
pub mod erase;
pub mod expire;
mod rewrite;
pub mod take;
mod vacuum;

pub use archive::{ArchiveReceipt, Period, RestoreReceipt};
pub use backup::BackupReceipt;
pub use compact::{CompactReceipt, CompactRequest, CompactSettings};
pub use encrypt::EncryptReceipt;
pub use erase::EraseReceipt;
pub use expire::{ExpireReceipt, ExpireRequest};
pub use take::{Account, Chosen, Rows, Work};

use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use crate::seal::Tables;
use crate::storage::FileLock;

/// Takes the lock of the upkeep: one process at a time looks after a store, so that nothing is done twice and
/// what one removes is not what another is writing anew.
pub fn begin(tables: &Tables) -> Result<FileLock> {
    tables.storage.try_lock(layout::UPKEEP_LOCK)?.ok_or_else(|| {
        Error::new(ErrorKind::Busy, "another upkeep of this store is under way")
            .with_hint("wait until it has ended, then try again")
    })
}
