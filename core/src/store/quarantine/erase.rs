//! Records of the quarantine that are erased.

use super::rewrite::Rewrite;
use crate::error::Result;
use crate::log::At;
use crate::seal::Tables;

/// Takes out the records whose text is meant; how many.
pub fn erase_rejects(
    tables: &Tables,
    is_meant: &dyn Fn(&[u8]) -> bool,
    note: &str,
    now_ms: i64,
) -> Result<u64> {
    let mut rewrite = Rewrite::default();
    let snapshot = tables.quarantine.snapshot(At::Latest)?;
    for file in &snapshot.files {
        let passed = rewrite.pass(tables, file, now_ms, &mut |reject| Ok(is_meant(&reject.raw)));
        passed.inspect_err(|_| rewrite.abandon(tables))?;
    }
    rewrite.commit_erased(tables, note, now_ms)
}
