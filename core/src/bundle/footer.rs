//! The footer of a data file: where its columns are, and the hashes of their bytes.
//!
//! The manifest has the hash of the footer, and the footer those of the column chunks, so that any part of a file can be
//! checked without the rest of it.

use super::decode::fits;
use super::manifest::Stored;
use super::needs::Needs;
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::hex;
use crate::event::column::TableSchema;
use crate::event::fixed::Fixed;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The key in a file's footer under which the hashes of its column chunks are, as base64: row group by row group, in
/// each the columns in the order of the schema.
pub const HASHES_KEY: &str = "daybook.chunks";
/// The first bytes of a chunk's SHA-256 are kept.
pub const HASH_BYTES: usize = 16;

/// The footer of a data file, which is what the manifest says.
#[derive(Clone, Debug)]
pub struct Footer {
    pub(super) metadata: Arc<ParquetMetaData>,
    pub(super) size: u64,
    pub(super) path: String,
    hashes: Vec<[u8; HASH_BYTES]>,
}

/// A column chunk: a column in a row group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ChunkPlace {
    /// The row group's number.
    pub group: usize,
    /// The leaf column's number.
    pub leaf: usize,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
    /// Its bytes when it is not compressed.
    pub decoded: u64,
}

impl Footer {
    /// Reads the end of a file, from the footer on, after a check of its hash. Its columns must be the table's.
    pub fn read(file: &Stored, bytes: &Bytes, schema: &TableSchema) -> Result<Footer> {
        let path = file.path.clone();
        if bytes.len() as u64 != file.footer.length || hex(&Sha256::digest(bytes)) != file.footer.sha256 {
            return Err(damaged(&path, "its end is not the one that the manifest has the hash of"));
        }
        let body = bytes.len().checked_sub(8).and_then(|length| bytes.get(..length)).unwrap_or_default();
        let metadata = ParquetMetaDataReader::decode_metadata(body)
            .map_err(|error| damaged(&path, &format!("its footer cannot be read: {error}")))?;
        let rows = u64::try_from(metadata.file_metadata().num_rows()).ok();
        if rows != Some(file.rows) {
            return Err(damaged(&path, "it has not the rows that the manifest says"));
        }
        let hashes = hashes_of(&metadata).ok_or_else(|| damaged(&path, "it has no hashes of its parts"))?;
        fits(&metadata, schema).map_err(|what| damaged(&path, &what))?;
        Ok(Footer { metadata: Arc::new(metadata), size: file.size, path, hashes })
    }

    /// How many row groups there are.
    pub fn groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    /// The row groups that can have a row of a question.
    pub fn groups_with(&self, needs: &Needs) -> Vec<usize> {
        let can_have = |group: &RowGroupMetaData| {
            let ts = group.columns().iter().find(|column| column.column_path().string() == Fixed::Ts.name());
            let Some(Statistics::Int64(range)) = ts.and_then(|column| column.statistics()) else {
                return true;
            };
            let first = range.min_opt().copied().unwrap_or(i64::MIN);
            needs.may_be_within((first, range.max_opt().copied().unwrap_or(i64::MAX)))
        };
        let groups = self.metadata.row_groups().iter().enumerate();
        groups.filter(|(_, group)| can_have(group)).map(|(number, _)| number).collect()
    }

    /// The rows of some row groups.
    pub fn rows(&self, groups: &[usize]) -> u64 {
        let rows = |group: &usize| self.metadata.row_groups().get(*group).map(|group| group.num_rows());
        groups.iter().filter_map(rows).filter_map(|rows| u64::try_from(rows).ok()).sum()
    }

    /// Where columns are, of those that the file has, in some row groups.
    pub fn places(&self, wanted: &dyn Fn(&str) -> bool, groups: &[usize]) -> Result<Vec<ChunkPlace>> {
        let metadata = &self.metadata;
        let mut places = Vec::new();
        for group in groups {
            let columns = metadata.row_groups().get(*group).map(|group| group.columns());
            for (leaf, column) in columns.into_iter().flatten().enumerate() {
                if !column.column_path().parts().first().is_some_and(|root| wanted(root)) {
                    continue;
                }
                let (offset, length) = column_range(column).ok_or_else(|| self.nowhere())?;
                let decoded = u64::try_from(column.uncompressed_size()).map_err(|_| self.nowhere())?;
                if offset.checked_add(length).is_none_or(|end| end > self.size) {
                    return Err(self.nowhere());
                }
                places.push(ChunkPlace { group: *group, leaf, offset, length, decoded });
            }
        }
        Ok(places)
    }

    /// Checks the bytes of a chunk, whose SHA-256 may be known already.
    pub fn check(&self, place: &ChunkPlace, bytes: &[u8], digest: Option<&[u8]>) -> Result<()> {
        let metadata = &self.metadata;
        let columns = metadata.file_metadata().schema_descr().num_columns();
        let number = place.group.saturating_mul(columns).saturating_add(place.leaf);
        let known = digest.and_then(|digest| digest.first_chunk()).copied();
        let hash = known.unwrap_or_else(|| short_hash(bytes));
        if bytes.len() as u64 == place.length && self.hashes.get(number) == Some(&hash) {
            return Ok(());
        }
        Err(damaged(&self.path, "its bytes are not those that were written"))
    }

    fn nowhere(&self) -> Error {
        damaged(&self.path, "its footer names a place that is not in it")
    }
}

/// Whether bytes are those of a whole file.
pub fn is_file(file: &Stored, bytes: &[u8]) -> bool {
    bytes.len() as u64 == file.size && hex(&Sha256::digest(bytes)) == file.sha256
}

/// The first bytes of the SHA-256 of a chunk.
pub fn short_hash(bytes: &[u8]) -> [u8; HASH_BYTES] {
    let digest = Sha256::digest(bytes);
    let mut short = [0; HASH_BYTES];
    short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    short
}

fn hashes_of(metadata: &ParquetMetaData) -> Option<Vec<[u8; HASH_BYTES]>> {
    let pairs = metadata.file_metadata().key_value_metadata()?;
    let text = pairs.iter().find(|pair| pair.key == HASHES_KEY)?.value.as_ref()?;
    let bytes = STANDARD.decode(text).ok()?;
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    let chunks =
        metadata.num_row_groups().checked_mul(metadata.file_metadata().schema_descr().num_columns())?;
    (rest.is_empty() && hashes.len() == chunks).then(|| hashes.to_vec())
}

fn column_range(column: &parquet::file::metadata::ColumnChunkMetaData) -> Option<(u64, u64)> {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    Some((u64::try_from(start).ok()?, u64::try_from(column.compressed_size()).ok()?))
}

/// What a file of a bundle that cannot be believed is reported as.
pub(super) fn damaged(path: &str, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the file `{path}` of the bundle is damaged: {what}"))
        .with_hint("load the page again; if that does not help, copy the bundle anew")
}
