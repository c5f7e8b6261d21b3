//! Parquet's own encryption, written: each page, each page's header and the footer by itself, with AES-GCM.
//!
//! It is done as DuckDB does it, without additional data that is authenticated: with that, DuckDB 2.0 cannot read lists,
//! nor columns that it filters by. That a page is in its place is for the hash of the file to say. And a column chunk has
//! a single page of data: where a filter lets DuckDB pass over an encrypted page, it loses its place in the chunk.

use super::pages::ColumnChunk;
use crate::error::{Error, Result};
use crate::keys::reading::{ADDED_BYTES, MAGIC, crypto_metadata};
use crate::keys::{Key, KeyId, TAG_BYTES, random};
use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataWriter};
use std::io::Write;

/// Encrypts the parts of one file.
pub(super) struct FileSealer {
    key: LessSafeKey,
    id: KeyId,
}

impl FileSealer {
    pub(super) fn new(key: &Key) -> Result<FileSealer> {
        Ok(FileSealer { key: key.of_parts()?, id: key.id() })
    }

    pub(super) fn key_id(&self) -> KeyId {
        self.id
    }

    /// The pages of a column chunk, encrypted.
    pub(super) fn chunk(&self, chunk: ColumnChunk) -> Result<ColumnChunk, ParquetError> {
        let ColumnChunk { bytes, mut close, mut pages } = chunk;
        let has_dictionary = close.metadata.dictionary_page_offset().is_some();
        if pages.len() != usize::from(has_dictionary) + 1 {
            return Err(ParquetError::General(
                "an encrypted column chunk has more than one page".to_string(),
            ));
        }
        let mut sealed = Vec::with_capacity(bytes.len() + pages.len() * 2 * ADDED_BYTES);
        let (mut rest, mut dictionary_bytes) = (&*bytes, 0);
        for (number, page) in pages.iter_mut().enumerate() {
            let (header, after) = rest.split_at_checked(page.header).ok_or_else(misplaced)?;
            let (data, after) = after.split_at_checked(page.data).ok_or_else(misplaced)?;
            rest = after;
            self.part(&mut sealed, header)?;
            self.part(&mut sealed, data)?;
            page.header += ADDED_BYTES;
            page.data += ADDED_BYTES;
            if has_dictionary && number == 0 {
                dictionary_bytes = sealed.len();
            }
        }
        let metadata = close.metadata.into_builder().set_total_compressed_size(sealed.len() as i64);
        let metadata = metadata.set_dictionary_page_offset(has_dictionary.then_some(0));
        close.metadata = metadata.set_data_page_offset(dictionary_bytes as i64).build()?;
        Ok(ColumnChunk { bytes: Bytes::from(sealed), close, pages })
    }

    /// The end of the file: how it is encrypted, in the clear, and everything else that a footer has.
    pub(super) fn footer(&self, metadata: &ParquetMetaData) -> Result<Vec<u8>, ParquetError> {
        let mut plain = Vec::new();
        ParquetMetaDataWriter::new(&mut plain, metadata).finish()?;
        // Its own length and the magic of a file that is not encrypted.
        plain.truncate(plain.len().saturating_sub(8));
        let mut end = crypto_metadata(self.id);
        self.part(&mut end, &plain)?;
        let length = u32::try_from(end.len()).map_err(|_| misplaced())?;
        end.extend_from_slice(&length.to_le_bytes());
        end.extend_from_slice(MAGIC);
        Ok(end)
    }

    /// Adds a part of the file: its length, a nonce, what is encrypted, and the tag.
    fn part(&self, out: &mut Vec<u8>, plain: &[u8]) -> Result<(), ParquetError> {
        let nonce = random::<NONCE_LEN>().map_err(external)?;
        let length = u32::try_from(plain.len() + NONCE_LEN + TAG_BYTES).map_err(|_| misplaced())?;
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&nonce);
        let from = out.len();
        out.extend_from_slice(plain);
        let content = out.get_mut(from..).unwrap_or_default();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::empty(), content);
        let tag = tag.map_err(|_| ParquetError::General("a page cannot be encrypted".to_string()))?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }
}

/// What Parquet's writer writes of a file; of one that is encrypted, the pages alone.
pub(super) struct Body<'a, W: Write> {
    pub(super) out: &'a mut W,
    skipped: u64,
    left: u64,
}

impl<'a, W: Write> Body<'a, W> {
    pub(super) fn plain(out: &'a mut W) -> Self {
        Body { out, skipped: 0, left: u64::MAX }
    }

    /// Begins a file with so many bytes of pages, to which a footer will be added.
    pub(super) fn sealed(out: &'a mut W, bytes: u64) -> Result<Self, ParquetError> {
        out.write_all(MAGIC)?;
        Ok(Body { out, skipped: MAGIC.len() as u64, left: bytes })
    }
}

impl<W: Write> Write for Body<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let length = |most: u64| usize::try_from(most).unwrap_or(usize::MAX);
        let skipped = length(self.skipped).min(bytes.len());
        let rest = bytes.get(skipped..).unwrap_or_default();
        let pages = rest.get(..length(self.left).min(rest.len())).unwrap_or_default();
        self.out.write_all(pages)?;
        self.skipped -= skipped as u64;
        self.left -= pages.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn misplaced() -> ParquetError {
    ParquetError::General("a file to be encrypted is too large, or not what was expected".to_string())
}

fn external(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}
