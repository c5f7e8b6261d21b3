//! Encrypted Parquet files, read: a file as its reader would see it if it were not encrypted.
//!
//! Each page's header, each page and the footer are encrypted by themselves, as DuckDB does it: a length of 4 bytes,
//! the nonce, what was encrypted, and the tag, which is about nothing else. A column chunk is decrypted as a whole and
//! stands where it was.

use super::{Key, KeyId, Keys, TAG_BYTES, id, lacks};
use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use bytes::{Buf, Bytes};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

/// How a file begins and ends whose footer is encrypted.
pub const MAGIC: &[u8; 4] = b"PARE";
/// What encryption adds to a part: its length, the nonce and the tag.
pub const ADDED_BYTES: usize = 4 + NONCE_LEN + TAG_BYTES;
/// The length of the footer and the magic.
const END_BYTES: u64 = 8;
/// The header of an empty page of a kind that readers pass over. What is decrypted is shorter by a multiple of its
/// length, and the reader reads on to the end of the chunk.
const NO_PAGE: [u8; 8] = [0x15, 0x82, 0, 0x15, 0, 0x15, 0, 0];
/// Thrift's `FileCryptoMetaData` up to the id of the key: AES_GCM_V1 without anything that is authenticated besides.
const ALGORITHM: [u8; 6] = [0x1C, 0x1C, 0, 0, 0x18, 2 * KeyId::BYTES as u8];

/// What stands in front of the encrypted footer: the algorithm, and the id of the key.
pub fn crypto_metadata(id: KeyId) -> Vec<u8> {
    [&ALGORITHM[..], id.to_string().as_bytes(), &[0]].concat()
}

/// The footer of a file, with the key of its pages where it is encrypted.
pub fn footer<R: ChunkReader>(
    file: &R,
    keys: Option<&Keys>,
    options: ArrowReaderOptions,
) -> Result<(ArrowReaderMetadata, Option<Arc<Key>>)> {
    match decrypted_footer(file, keys)? {
        None => Ok((ArrowReaderMetadata::load(file, options)?, None)),
        Some((metadata, key)) => Ok((ArrowReaderMetadata::try_new(Arc::new(metadata), options)?, Some(key))),
    }
}

/// What the footer of a file says.
pub fn metadata<R: ChunkReader>(file: &R, keys: Option<&Keys>) -> Result<ParquetMetaData> {
    match decrypted_footer(file, keys)? {
        None => ParquetMetaDataReader::new().parse_and_finish(file),
        Some((metadata, _)) => Ok(metadata),
    }
}

/// The footer of an encrypted file, and its key; none of a file that is not encrypted.
fn decrypted_footer<R: ChunkReader>(
    file: &R,
    keys: Option<&Keys>,
) -> Result<Option<(ParquetMetaData, Arc<Key>)>> {
    let Some(end) = file.len().checked_sub(END_BYTES) else { return Ok(None) };
    let tail = file.get_bytes(end, END_BYTES as usize)?;
    let Some((length, _)) = tail.split_first_chunk::<4>().filter(|(_, magic)| *magic == MAGIC) else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*length);
    let start = end.checked_sub(u64::from(length)).ok_or_else(damaged)?;
    let footer = file.get_bytes(start, length as usize)?;
    let of_key = footer.strip_prefix(&ALGORITHM[..]).ok_or_else(|| {
        ParquetError::General("it is encrypted in another way than Daybook does it".to_string())
    })?;
    let (id, rest) = of_key.split_at_checked(2 * KeyId::BYTES).ok_or_else(damaged)?;
    let id = String::from_utf8_lossy(id);
    let key = KeyId::parse(&id).and_then(|id| keys?.find(id));
    let key = key.ok_or_else(|| {
        ParquetError::General(format!("it is encrypted, and {}", lacks(&id::printable(&id))))
    })?;
    let mut plain = Vec::new();
    let cipher = key.of_parts().map_err(|error| ParquetError::External(Box::new(error)))?;
    part(&cipher, rest.get(1..).unwrap_or_default(), &mut plain)?;
    Ok(Some((ParquetMetaDataReader::decode_metadata(&plain)?, Arc::clone(key))))
}

/// Decrypts the part that begins some bytes, adds it to others, and gives what comes after it.
fn part<'a>(cipher: &LessSafeKey, bytes: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
    let (sealed, after) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(damaged)?;
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
    let from = out.len();
    out.extend_from_slice(sealed);
    let content = out.get_mut(from..).unwrap_or_default();
    let opened = cipher.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), content);
    let length = opened.map_err(|_| damaged())?.len();
    out.truncate(from.saturating_add(length));
    Ok(after)
}

fn damaged() -> ParquetError {
    ParquetError::General("a part of it is not what was encrypted".to_string())
}

/// A file whose column chunks are decrypted when they are read.
#[derive(Clone)]
pub struct Decrypting<R> {
    file: R,
    chunks: Option<Arc<Chunks>>,
}

/// Where the chunks of an encrypted file are, and those that are open.
struct Chunks {
    cipher: LessSafeKey,
    /// The place of each, with its length and its row group.
    places: BTreeMap<u64, (u64, usize)>,
    open: Mutex<BTreeMap<u64, (usize, Bytes)>>,
}

impl<R: ChunkReader> Decrypting<R> {
    /// A file with its footer, and its key if it is encrypted.
    pub fn new(file: R, metadata: &ParquetMetaData, key: Option<&Arc<Key>>) -> crate::error::Result<Self> {
        let Some(key) = key else { return Ok(Decrypting { file, chunks: None }) };
        let mut places = BTreeMap::new();
        for (group, row_group) in metadata.row_groups().iter().enumerate() {
            for column in row_group.columns() {
                let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
                let length = u64::try_from(column.compressed_size()).unwrap_or_default();
                places.insert(u64::try_from(start).unwrap_or_default(), (length, group));
            }
        }
        let chunks = Chunks { cipher: key.of_parts()?, places, open: Mutex::default() };
        Ok(Decrypting { file, chunks: Some(Arc::new(chunks)) })
    }

    /// The same, with another file for the same bytes.
    pub fn over(&self, file: R) -> Decrypting<R> {
        Decrypting { file, chunks: self.chunks.clone() }
    }

    /// The bytes as they are.
    pub fn file(&self) -> &R {
        &self.file
    }
}

impl Chunks {
    /// What is at a place and after it, up to the end of its chunk.
    fn from<R: ChunkReader>(&self, file: &R, place: u64) -> Result<Bytes> {
        let (start, (length, group)) = self.places.range(..=place).next_back().ok_or_else(damaged)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !open.contains_key(start) {
            open.retain(|_, (other, _)| *other == *group);
            let sealed = file.get_bytes(*start, usize::try_from(*length).map_err(|_| damaged())?)?;
            let (mut plain, mut rest) = (Vec::with_capacity(sealed.len()), &sealed[..]);
            while !rest.is_empty() {
                rest = part(&self.cipher, rest, &mut plain)?;
            }
            while plain.len() < sealed.len() {
                plain.extend_from_slice(&NO_PAGE);
            }
            open.insert(*start, (*group, Bytes::from(plain)));
        }
        let (_, chunk) = open.get(start).ok_or_else(damaged)?;
        let skipped = usize::try_from(place.saturating_sub(*start)).map_err(|_| damaged())?;
        Ok(if skipped <= chunk.len() { chunk.slice(skipped..) } else { Bytes::new() })
    }
}

impl<R: Length> Length for Decrypting<R> {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl<R: ChunkReader> ChunkReader for Decrypting<R> {
    type T = Part<R::T>;

    fn get_read(&self, start: u64) -> Result<Part<R::T>> {
        Ok(match &self.chunks {
            None => Part::AsIs(self.file.get_read(start)?),
            Some(chunks) => Part::Decrypted(chunks.from(&self.file, start)?.reader()),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let Some(chunks) = &self.chunks else { return self.file.get_bytes(start, length) };
        let bytes = chunks.from(&self.file, start)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("there are no {length} bytes at {start}")));
        }
        Ok(bytes.slice(..length))
    }
}

/// Reads on from a place in a file.
pub enum Part<T> {
    /// As it is in the file.
    AsIs(T),
    /// What was decrypted.
    Decrypted(bytes::buf::Reader<Bytes>),
}

impl<T: Read> Read for Part<T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Part::AsIs(file) => file.read(buffer),
            Part::Decrypted(bytes) => bytes.read(buffer),
        }
    }
}

impl<R: fmt::Debug> fmt::Debug for Decrypting<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypting").field("file", &self.file).finish_non_exhaustive()
    }
}
