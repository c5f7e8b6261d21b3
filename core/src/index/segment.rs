//! A segment of the index: which data files it covers, and their filters.

use super::bloom::{BLOCK_BYTES, block_of, may_hold};
use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use crate::storage::Storage;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The last bytes of a file of filters.
pub(super) const MAGIC: &[u8; 8] = b"daybkix1";
/// After the list: its length, its checksum, and [`MAGIC`].
const TAIL_BYTES: u64 = 16;

/// Some data files, a copy of their narrow columns, and filters of their ids.
#[derive(Debug)]
pub struct Segment {
    /// What its files are called.
    pub id: String,
    contents: Contents,
    numbers: HashMap<String, u32>,
}

/// What a segment covers, as its file of filters says at its end.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Contents {
    /// The columns that have filters.
    pub(super) columns: Vec<String>,
    /// The data files; the place in this list is what `part` is in the narrow columns.
    pub(super) parts: Vec<Part>,
}

/// A data file of a segment.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    /// The path below the store's folder.
    pub(super) path: String,
    /// Its rows.
    pub(super) rows: u64,
    /// For each column, the first block of its filter and how many it has: none if the file has no value.
    pub(super) filters: Vec<(u32, u32)>,
}

impl Contents {
    /// The end of the file, after the blocks.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)
            .map_err(|error| Error::new(ErrorKind::Internal, "cannot write the index").with_source(error))?;
        let checksum = crc32c::crc32c(&bytes);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        bytes.extend(length.to_le_bytes());
        bytes.extend(checksum.to_le_bytes());
        bytes.extend(MAGIC);
        Ok(bytes)
    }
}

impl Segment {
    /// Reads what a segment covers; none if its file of that size is not whole, or of another kind.
    pub fn read(storage: &dyn Storage, id: &str, size: u64) -> Result<Option<Segment>> {
        let path = layout::index_filters(id);
        let end = |bytes: u64| size.saturating_sub(bytes);
        let tail = storage.read_range(&path, end(TAIL_BYTES)..size)?;
        let Some((length, rest)) = tail.split_first_chunk::<4>() else { return Ok(None) };
        let Some((checksum, magic)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        if magic != MAGIC {
            return Ok(None);
        }
        let from = TAIL_BYTES.saturating_add(u64::from(u32::from_le_bytes(*length)));
        let list = storage.read_range(&path, end(from)..end(TAIL_BYTES))?;
        if crc32c::crc32c(&list) != u32::from_le_bytes(*checksum) {
            return Ok(None);
        }
        let Ok(contents) = serde_json::from_slice::<Contents>(&list) else { return Ok(None) };
        let numbered = (0_u32..).zip(&contents.parts);
        let numbers = numbered.map(|(number, part)| (part.path.clone(), number)).collect();
        Ok(Some(Segment { id: id.to_string(), contents, numbers }))
    }

    /// The number of a data file in this segment.
    pub fn number_of(&self, path: &str) -> Option<u32> {
        self.numbers.get(path).copied()
    }

    /// The data files it covers, and how many rows each has.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.contents.parts.iter().map(|part| (part.path.as_str(), part.rows))
    }

    /// Whether a data file may have a value in a column, by the hash of the value; true where nobody knows.
    pub fn may_hold(&self, storage: &dyn Storage, number: u32, column: &str, hash: u64) -> Result<bool> {
        let filter = || {
            let place = self.contents.columns.iter().position(|known| known == column)?;
            self.contents.parts.get(number as usize)?.filters.get(place).copied()
        };
        let Some((first, blocks)) = filter() else { return Ok(true) };
        if blocks == 0 {
            return Ok(false);
        }
        let start = u64::from(first).saturating_add(u64::from(block_of(hash, blocks)));
        let start = start.saturating_mul(BLOCK_BYTES as u64);
        let end = start.saturating_add(BLOCK_BYTES as u64);
        Ok(may_hold(&storage.read_range(&layout::index_filters(&self.id), start..end)?, hash))
    }
}
