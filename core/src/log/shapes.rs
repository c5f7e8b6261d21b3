//! The files of the catalogue, as each commit of the events says that they were: they only come, and never change.

use super::actions::Shapes;
use super::table::Table;
use crate::error::Result;
use crate::event::canonical::hex;
use crate::layout;
use sha2::{Digest, Sha256};

/// The files that were read so far, and the hash of their bytes.
#[derive(Clone, Debug, Default)]
pub struct ShapesRead {
    files: u64,
    hash: Sha256,
}

impl ShapesRead {
    /// Reads the next file of a table's catalogue; false if there is none.
    pub(super) fn next(&mut self, table: &Table) -> Result<bool> {
        let Some(bytes) = table.read(&layout::shapes(self.files))? else { return Ok(false) };
        self.hash.update(&bytes);
        self.files = self.files.saturating_add(1);
        Ok(true)
    }

    /// What a commit says of them; nothing where there are none.
    pub(super) fn said(&self) -> Option<Shapes> {
        let sha256 = hex(&self.hash.clone().finalize());
        (self.files > 0).then_some(Shapes { files: self.files, sha256 })
    }
}
