//! Commits that are not whole. Daybook's own are whole or not there; a copy or another program can leave one.

use super::actions::{self, BadCommit};
use super::table::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use crate::storage::Put;

/// Where torn commits go, below the log.
pub(super) const TORN: &str = "_torn";

/// Looks for what keeps the table from being read. A last commit that is torn is moved aside, with a
/// sentence about it; one in the middle is an error, and so is a table that is not there. None if all commits
/// are whole.
pub(super) fn move_torn(table: &Table) -> Result<Option<String>> {
    let listing = table.listing()?;
    let start = listing.checkpoints.last().map_or(0, |(version, _)| *version);
    let mut torn = Vec::new();
    for (version, _) in listing.commits.iter().rev().take_while(|(version, _)| *version >= start) {
        let Some(bytes) = table.read(&layout::commit(*version))? else { continue };
        if let Err(BadCommit::Torn(reason)) = actions::parse_lines(&bytes) {
            torn.push((*version, reason, bytes));
        }
    }
    let last = listing.commits.last().map(|(version, _)| *version);
    match (last, torn.as_slice()) {
        (None, _) if listing.checkpoints.is_empty() => Err(table.missing()),
        (_, []) => Ok(None),
        (Some(last), [(version, reason, bytes)]) if *version == last => {
            let place = move_aside(table, *version, bytes)?;
            let commit = table.path(&layout::commit(*version));
            Ok(Some(format!("the last commit `{commit}` was torn ({reason}) and is now `{place}`")))
        }
        (_, [.., (version, reason, _)]) => Err(table.torn(*version, reason)),
    }
}

/// Moves a commit where no reader looks.
fn move_aside(table: &Table, version: u64, bytes: &[u8]) -> Result<String> {
    let commit = table.path(&layout::commit(version));
    for attempt in 0..1000_u32 {
        let name = format!("{}/{TORN}/{version:020}.json.{attempt}", layout::DELTA_LOG);
        let place = table.path(&name);
        if table.storage.put_if_absent(&place, bytes)? == Put::Written {
            table.storage.delete(&commit)?;
            return Ok(place);
        }
    }
    let message = format!("there is no free name for the torn commit `{commit}` in `{TORN}`");
    Err(Error::new(ErrorKind::Internal, message))
}
