//! Looks at each page's header of a Parquet file before the reader does, which makes room for what a page claims.

use super::footer::{I32, SKIP_DEPTH_MAX, STRUCT, Thrift};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

/// A page may have so many bytes; some writers make pages of 100 MB.
const PAGE_BYTES_MAX: u64 = 128 << 20;
/// The pages that are open at once, one of each column and its dictionary, may have so many.
const OPEN_BYTES_MAX: u64 = 160 << 20;
/// So many values of lists may begin in one batch of rows: a row's are read at once.
const LIST_VALUES_MAX: u64 = 16 << 20;
/// What errors say that are about these limits.
pub(super) const TOO_LARGE: &str = "would take too much memory";
/// A value of a dictionary takes so much, beside its bytes.
const ENTRY_BYTES: u64 = 16;
/// Headers have statistics in them, and are read in steps until they are whole.
const HEADER_BYTES: [u64; 3] = [1 << 12, 1 << 16, 1 << 24];

/// The kind of a page that has the values which others number.
const DICTIONARY_PAGE: i64 = 2;

/// What a page says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PageHeader {
    /// How long the header is.
    pub length: u64,
    pub bytes: u64,
    pub bytes_compressed: u64,
    pub values: u64,
    pub is_dictionary: bool,
}

/// The bytes of one column in one row group.
struct Chunk {
    group: usize,
    start: u64,
    end: u64,
    is_list: bool,
    is_compressed: bool,
    /// Where the page begins whose header was seen last, and whether there is anything in it.
    body: Option<(u64, bool)>,
    dictionary_bytes: u64,
    page_bytes: u64,
}

#[derive(Default)]
struct Budget {
    /// In the order of where they begin.
    chunks: Vec<Chunk>,
    group: usize,
    open_bytes: u64,
    list_values: u64,
}

/// A Parquet file whose pages are looked at before they are read.
#[derive(Clone)]
pub(super) struct CheckedPages {
    file: Arc<File>,
    budget: Arc<Mutex<Budget>>,
}

impl CheckedPages {
    /// An error if columns share bytes, which no writer does: each would be as large as both.
    pub(super) fn new(file: File, metadata: &ParquetMetaData) -> Result<CheckedPages> {
        let mut chunks = Vec::new();
        for (group, row_group) in metadata.row_groups().iter().enumerate() {
            for column in row_group.columns() {
                let (start, length) = column.byte_range();
                chunks.push(Chunk {
                    group,
                    start,
                    end: start.saturating_add(length),
                    is_list: column.column_descr().max_rep_level() > 0,
                    is_compressed: column.compression() != parquet::basic::Compression::UNCOMPRESSED,
                    body: None,
                    dictionary_bytes: 0,
                    page_bytes: 0,
                });
            }
        }
        chunks.sort_by_key(|chunk| (chunk.start, chunk.end));
        if chunks.iter().zip(chunks.iter().skip(1)).any(|(chunk, next)| next.start < chunk.end) {
            return Err(ParquetError::General("its columns overlap".to_string()));
        }
        let budget = Budget { chunks, ..Budget::default() };
        Ok(CheckedPages { file: Arc::new(file), budget: Arc::new(Mutex::new(budget)) })
    }

    /// Says that the rows of another batch are read now.
    pub(super) fn begin_batch(&self) {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner).list_values = 0;
    }

    fn header_at(&self, start: u64) -> io::Result<Option<PageHeader>> {
        let mut bytes = Vec::new();
        for most in HEADER_BYTES {
            let mut file: &File = &self.file;
            file.seek(SeekFrom::Start(start))?;
            bytes.clear();
            file.take(most).read_to_end(&mut bytes)?;
            let header = (Thrift { rest: &bytes }).page_header();
            if header.is_some() || (bytes.len() as u64) < most {
                return Ok(header);
            }
        }
        Ok(None)
    }
}

impl Budget {
    /// The column that has this place.
    fn chunk_at(&mut self, start: u64) -> Option<&mut Chunk> {
        let count = self.chunks.partition_point(|chunk| chunk.start <= start);
        self.chunks.get_mut(..count)?.last_mut().filter(|chunk| start < chunk.end)
    }

    /// Adds what a page takes to what the others take that are open with it.
    fn open(&mut self, start: u64, header: PageHeader) -> Result<()> {
        let of_batch = self.list_values;
        let Some(chunk) = self.chunk_at(start) else { return Err(damaged()) };
        let most = header.bytes.max(header.bytes_compressed);
        if most > PAGE_BYTES_MAX {
            return Err(too_large(format!("a page of {most} bytes")));
        }
        let body = start.saturating_add(header.length);
        chunk.body = Some((body, header.bytes_compressed > 0));
        let is_list = chunk.is_list && !header.is_dictionary;
        let group = chunk.group;
        let (slot, cost) = match header.is_dictionary {
            true => {
                let entries = header.values.saturating_mul(ENTRY_BYTES);
                (&mut chunk.dictionary_bytes, header.bytes.saturating_add(entries))
            }
            false => {
                (&mut chunk.page_bytes, if chunk.is_compressed { most } else { header.bytes_compressed })
            }
        };
        let grown = cost.saturating_sub(*slot);
        *slot = cost.max(*slot);
        if group != self.group {
            (self.group, self.open_bytes) = (group, 0);
        }
        self.open_bytes = self.open_bytes.saturating_add(grown);
        if self.open_bytes > OPEN_BYTES_MAX {
            return Err(too_large(format!("pages of {} bytes at once", self.open_bytes)));
        }
        self.list_values = of_batch.saturating_add(if is_list { header.values } else { 0 });
        if self.list_values > LIST_VALUES_MAX {
            return Err(too_large(format!("lists of {} values at once", self.list_values)));
        }
        Ok(())
    }
}

impl Thrift<'_> {
    /// Reads the header of a page. The reader of the file does not look at the types of fields that it knows, so that
    /// one which says another type than it has would be read in another way there.
    fn page_header(&mut self) -> Option<PageHeader> {
        let before = self.left();
        let mut header = PageHeader::default();
        let (mut last, mut sizes) = (0, 0_u8);
        while let Some((number, kind)) = self.field(&mut last)? {
            match (number, kind) {
                (1, I32) => header.is_dictionary = self.zigzag()? == DICTIONARY_PAGE,
                (2, I32) => header.bytes = self.count()?,
                (3, I32) => header.bytes_compressed = self.count()?,
                (4, I32) => drop(self.zigzag()?),
                (5 | 7 | 8, STRUCT) => header.values = self.values(number)?,
                (6, STRUCT) => self.skip(kind, 1)?,
                (1..=8, _) => return None,
                _ => self.skip(kind, SKIP_DEPTH_MAX)?,
            }
            sizes |= match number {
                2 => 1,
                3 => 2,
                _ => 0,
            };
        }
        header.length = u64::try_from(before.checked_sub(self.left())?).ok()?;
        (sizes == 3).then_some(header)
    }

    /// How many values a page has, of the part of its header that goes with its kind.
    fn values(&mut self, part: i64) -> Option<u64> {
        let (numbers, truths) = match part {
            5 => (1..=4, 0),
            7 => (1..=2, 3),
            _ => (1..=6, 7),
        };
        let (mut last, mut values) = (0, None);
        while let Some((number, kind)) = self.field(&mut last)? {
            match (number, kind) {
                (1, I32) => values = Some(self.count()?),
                (_, I32) if numbers.contains(&number) => drop(self.zigzag()?),
                (_, 1 | 2) if number == truths => {}
                _ if numbers.contains(&number) || number == truths => return None,
                _ => self.skip(kind, SKIP_DEPTH_MAX)?,
            }
        }
        values
    }

    /// A number that is not negative and that the reader does not cut off.
    fn count(&mut self) -> Option<u64> {
        self.zigzag()
            .and_then(|number| i32::try_from(number).ok())
            .and_then(|number| u64::try_from(number).ok())
    }
}

fn damaged() -> ParquetError {
    ParquetError::General("a page is not what was written".to_string())
}

fn too_large(what: String) -> ParquetError {
    let most = PAGE_BYTES_MAX >> 20;
    ParquetError::General(format!("{what} {TOO_LARGE}; a page may have {most} MiB"))
}

impl Length for CheckedPages {
    fn len(&self) -> u64 {
        Length::len(&*self.file)
    }
}

impl ChunkReader for CheckedPages {
    type T = Box<dyn Read>;

    /// The reader asks for this where it expects a header, and once more where it has read one already.
    fn get_read(&self, start: u64) -> Result<Box<dyn Read>> {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = budget.chunk_at(start).and_then(|chunk| chunk.body).filter(|(body, _)| *body == start);
        if seen.is_some_and(|(_, is_filled)| is_filled) {
            return Ok(Box::new(io::empty()));
        }
        match self.header_at(start)? {
            Some(header) => budget.open(start, header)?,
            // What comes after an empty page is not always a page.
            None if seen.is_some() => return Ok(Box::new(io::empty())),
            None => return Err(damaged()),
        }
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Box::new(BufReader::new(file)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes> {
        self.file.get_bytes(start, length)
    }
}

#[cfg(test)]
mod tests;
