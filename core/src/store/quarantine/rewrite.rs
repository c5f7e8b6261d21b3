//! Files of the quarantine written anew, without what leaves it.

use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::RowSet;
use crate::layout;
use crate::log::{Change, DataFile, Snapshot, Taken};
use crate::quarantine::{PREFIX, Reject, read_file};
use crate::seal::{Tables, commit_one};
use crate::storage::Storage;

/// The files that come and go.
#[derive(Debug, Default)]
pub(super) struct Rewrite {
    adds: Vec<DataFile>,
    removes: Vec<String>,
    /// What leaves.
    gone: RowSet,
    gone_count: u64,
}

impl Rewrite {
    /// Asks of each record of a file whether it leaves, and writes the others anew if one does.
    pub fn pass(
        &mut self,
        tables: &Tables,
        file: &DataFile,
        now_ms: i64,
        leaves: &mut dyn FnMut(&Reject) -> Result<bool>,
    ) -> Result<()> {
        let (mut rows, mut gone, mut count, mut stay) =
            (RowSet::default(), RowSet::default(), 0_u64, Vec::new());
        for some in read_file(&tables.place(PREFIX, &file.path)?)? {
            for reject in some?.iter() {
                let reject = reject?;
                rows.add_rows(&[reject.row_hash()]);
                count += 1;
                match leaves(&reject)? {
                    true => gone.add_rows(&[reject.row_hash()]),
                    false => stay.push(reject),
                }
            }
        }
        if stay.len() as u64 == count {
            return Ok(());
        }
        if !file.rows_hash.is_empty() && rows.to_hex() != file.rows_hash {
            let message =
                format!("`{PREFIX}{}` does not hold the records that were written to it", file.path);
            return Err(Error::new(ErrorKind::Corrupt, message).with_hint("restore the file from a copy"));
        }
        self.gone.add(&gone);
        self.gone_count = self.gone_count.saturating_add(count.saturating_sub(stay.len() as u64));
        self.adds.extend(tables.write_rejects(stay, now_ms)?);
        self.removes.push(file.path.clone());
        Ok(())
    }

    /// Commits it, with a marker of the retry.
    pub fn commit(&self, tables: &Tables, marker: (String, i64), now_ms: i64) -> Result<()> {
        let change = |_: &Snapshot| {
            Ok(Change {
                operation: "DELETE",
                adds: self.adds.clone(),
                removes: self.removes.clone(),
                transactions: vec![marker.clone()],
                data_change: true,
                ..Change::default()
            })
        };
        commit_one(&tables.quarantine, now_ms, change).map(drop)
    }

    /// Commits it as an erasure, if something leaves; how many do.
    pub fn commit_erased(&self, tables: &Tables, note: &str, now_ms: i64) -> Result<u64> {
        if self.removes.is_empty() {
            return Ok(0);
        }
        let taken = Taken {
            why: "erase".to_string(),
            events: self.gone_count,
            rows_hash: self.gone.to_hex(),
            note: note.to_string(),
            ..Taken::default()
        };
        let change = |base: &Snapshot| {
            let version = i64::try_from(base.version.saturating_add(1)).unwrap_or(i64::MAX);
            Ok(Change {
                operation: "DELETE",
                adds: self.adds.clone(),
                removes: self.removes.clone(),
                states: vec![(layout::ERASED.to_string(), version)],
                data_change: true,
                taken: Some(taken.clone()),
                ..Change::default()
            })
        };
        commit_one(&tables.quarantine, now_ms, change).map(|_| self.gone_count)
    }

    /// Removes what was written: nothing will refer to it.
    pub fn abandon(&self, tables: &Tables) {
        for file in &self.adds {
            // A file that stays is removed later, as one that no commit names.
            let _ = tables.storage.delete(&format!("{PREFIX}{}", file.path));
        }
    }
}
