//! Pages of encoded columns, compressed as they come.
//!
//! Parquet's own writer keeps a compressor and a decompressor for each open column, which together take
//! more memory than the data where many days have many columns. So its columns are written uncompressed
//! into the store of pages below, and each page is compressed here, with one compressor a thread. A page is
//! its header and its data; the header's third field says how large the compressed data is.

use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::page_store::{PageKey, PageStore, PageStoreArgs, PageStoreFactory};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zstd::zstd_safe::CParameter;

/// How far back the compressor looks, as a power of two.
const WINDOW_LOG: u32 = 23;
/// The type of a page that holds a dictionary, in its header.
const DICTIONARY_PAGE: u64 = 2;
/// How a Thrift header begins a field that is the next one and a 32-bit integer.
const NEXT_INTEGER: u8 = 0x15;

thread_local! {
    static COMPRESSOR: RefCell<Option<(i32, zstd::bulk::Compressor<'static>)>> = const { RefCell::new(None) };
}

/// The compressed pages of one column chunk.
#[derive(Clone, Debug)]
pub struct Pages {
    shared: Arc<Mutex<Written>>,
}

#[derive(Debug, Default)]
struct Written {
    level: i32,
    dictionary: Vec<u8>,
    data: Vec<u8>,
    header: Option<Bytes>,
    dictionary_page: Option<PageBytes>,
    data_pages: Vec<PageBytes>,
}

/// How long a page is.
#[derive(Clone, Copy, Debug)]
pub struct PageBytes {
    /// Its header.
    pub header: usize,
    /// What comes after it.
    pub data: usize,
}

/// The bytes of a whole column chunk, and what the file says of it.
#[derive(Debug)]
pub struct ColumnChunk {
    /// The pages, the dictionary first.
    pub bytes: Bytes,
    /// What the file's end says of them.
    pub close: ColumnCloseResult,
    /// The pages one by one.
    pub pages: Vec<PageBytes>,
}

impl Pages {
    /// No pages yet, to be compressed with zstd at a level.
    pub fn new(level: i32) -> Pages {
        Pages { shared: Arc::new(Mutex::new(Written { level, ..Written::default() })) }
    }

    /// Compresses the pages to come at another level.
    pub fn set_level(&self, level: i32) {
        lock(&self.shared).level = level;
    }

    /// The column chunk of all pages, whose writer has been closed.
    pub fn chunk(self, mut close: ColumnCloseResult) -> Result<ColumnChunk> {
        let mut written = lock(&self.shared);
        let Written { level, mut dictionary, mut data, dictionary_page, data_pages, .. } =
            std::mem::take(&mut *written);
        let pages = dictionary_page.into_iter().chain(data_pages).collect();
        let dictionary_bytes = dictionary.len() as i64;
        let bytes = match dictionary_bytes {
            0 => std::mem::take(&mut data),
            _ => {
                dictionary.append(&mut data);
                dictionary
            }
        };
        let codec = Compression::ZSTD(ZstdLevel::try_new(level)?);
        close.metadata = close
            .metadata
            .into_builder()
            .set_compression_codec(codec.into())
            .set_total_compressed_size(bytes.len() as i64)
            .set_dictionary_page_offset((dictionary_bytes > 0).then_some(0))
            .set_data_page_offset(dictionary_bytes)
            // Readers do without, and of many columns they are much of a file.
            .clear_page_encoding_stats()
            .set_unencoded_byte_array_data_bytes(None)
            .set_repetition_level_histogram(None)
            .set_definition_level_histogram(None)
            .build()?;
        Ok(ColumnChunk { bytes: Bytes::from(bytes), close, pages })
    }
}

impl PageStoreFactory for Pages {
    fn create(&self, _args: &PageStoreArgs<'_>) -> Result<Box<dyn PageStore>> {
        Ok(Box::new(self.clone()))
    }
}

impl PageStore for Pages {
    /// Takes a page's header, then its data.
    fn put(&mut self, value: Bytes) -> Result<PageKey> {
        let mut written = lock(&self.shared);
        match written.header.take() {
            None => written.header = Some(value),
            Some(header) => {
                let compressed = compress(written.level, &value)?;
                let (kind, header) = with_compressed_size(&header, compressed.len())?;
                let page = PageBytes { header: header.len(), data: compressed.len() };
                let pages = match kind {
                    DICTIONARY_PAGE => {
                        written.dictionary_page = Some(page);
                        &mut written.dictionary
                    }
                    _ => {
                        written.data_pages.push(page);
                        &mut written.data
                    }
                };
                pages.extend_from_slice(&header);
                pages.extend_from_slice(&compressed);
            }
        }
        Ok(PageKey::new(0))
    }

    fn take(&mut self, _key: PageKey) -> Result<Bytes> {
        Err(ParquetError::General("pages are taken as a whole column chunk".to_string()))
    }

    fn memory_size(&self) -> usize {
        let written = lock(&self.shared);
        written.dictionary.capacity() + written.data.capacity()
    }
}

fn lock(shared: &Mutex<Written>) -> MutexGuard<'_, Written> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn compress(level: i32, data: &[u8]) -> Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        let external = |error: std::io::Error| ParquetError::External(Box::new(error));
        let compressor = match slot {
            Some((same, compressor)) if *same == level => compressor,
            _ => &mut slot.insert((level, compressor(level).map_err(external)?)).1,
        };
        compressor.compress(data).map_err(external)
    })
}

/// A compressor that finds what repeats anywhere in a page of the usual size.
fn compressor(level: i32) -> std::io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    compressor.set_parameter(CParameter::WindowLog(WINDOW_LOG))?;
    Ok(compressor)
}

/// The kind of a page, and its header with another compressed size.
fn with_compressed_size(header: &[u8], size: usize) -> Result<(u64, Vec<u8>)> {
    let unknown = || ParquetError::General("the header of a page is not as expected".to_string());
    let (kind, after_kind) = next_integer(header).ok_or_else(unknown)?;
    let (_, after_uncompressed) = next_integer(after_kind).ok_or_else(unknown)?;
    let (_, rest) = next_integer(after_uncompressed).ok_or_else(unknown)?;
    let kept = header.len() - after_uncompressed.len();
    let mut changed = header.get(..kept).ok_or_else(unknown)?.to_vec();
    changed.push(NEXT_INTEGER);
    let mut zigzag = (size as u64) << 1;
    while zigzag >= 0x80 {
        changed.push((zigzag & 0x7F) as u8 | 0x80);
        zigzag >>= 7;
    }
    changed.push(zigzag as u8);
    changed.extend_from_slice(rest);
    Ok((kind, changed))
}

/// The integer that begins a header, which is not negative, and what follows it.
fn next_integer(header: &[u8]) -> Option<(u64, &[u8])> {
    let (&NEXT_INTEGER, mut rest) = header.split_first()? else { return None };
    let mut value = 0_u64;
    for shift in (0..35).step_by(7) {
        let (byte, after) = rest.split_first()?;
        rest = after;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some((value >> 1, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_gets_another_size() {
        let header = [0x15, 0x04, 0x15, 0xAC, 0x02, 0x15, 0xAC, 0x02, 0x4C, 0x15, 0x02, 0x00];
        let (kind, changed) = with_compressed_size(&header, 70).unwrap();
        assert_eq!(kind, DICTIONARY_PAGE);
        assert_eq!(changed, [0x15, 0x04, 0x15, 0xAC, 0x02, 0x15, 0x8C, 0x01, 0x4C, 0x15, 0x02, 0x00]);
        assert!(with_compressed_size(&[0x15, 0x80], 1).is_err());
        assert!(with_compressed_size(&[0x25, 0x04], 1).is_err());
    }
}
