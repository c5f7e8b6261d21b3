//! Copies of columns that questions asked for: of many data files in one, their pages as they are.
//!
//! DuckDB reads the footer of each file, all columns of it; a copy has one footer of a few columns. It is made when
//! a question first needs one, because making it takes less time than the question would without it.

use super::PART;
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType};
use crate::ingest::arrays::arrow_field;
use crate::ingest::pages::ColumnChunk;
use crate::ingest::parquet::{Encoded, in_parallel};
use crate::layout;
use crate::log::DataFile;
use crate::storage::{LocalStorage, Storage};
use arrow::array::{ArrayRef, Int32Array, new_null_array};
use arrow::datatypes::{Field, Schema};
use bytes::Bytes;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// So many files are read before what was read of them is written.
const FILES_AT_ONCE: usize = 64;

/// What is in a copy, as the file beside it says. The file is there once the copy is whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AskedCopy {
    /// What its files are called.
    #[serde(skip)]
    pub(super) id: String,
    /// The columns.
    pub(super) columns: Vec<String>,
    /// The data files; the place in this list is what [`PART`] is in the copy.
    pub(super) parts: Vec<String>,
    /// The size of the copy.
    pub(super) bytes: u64,
}

/// A copy to be made.
pub(super) struct Making<'a> {
    pub(super) storage: &'a LocalStorage,
    pub(super) root: &'a Path,
    pub(super) columns: &'a [Column],
    pub(super) files: &'a [&'a DataFile],
    /// It is not made if it would have more bytes.
    pub(super) bytes_max: u64,
    pub(super) threads: usize,
}

impl AskedCopy {
    /// Reads what is in a copy; none if that cannot be understood.
    pub(super) fn read(storage: &dyn Storage, id: &str) -> Result<Option<AskedCopy>> {
        let text = storage.read(&layout::index_copy(id))?;
        let read = serde_json::from_slice::<AskedCopy>(&text).ok();
        Ok(read.map(|copy| AskedCopy { id: id.to_string(), ..copy }))
    }

    /// Whether it has all of these columns.
    pub(super) fn has(&self, columns: &[Column]) -> bool {
        columns.iter().all(|column| self.columns.contains(&column.name))
    }
}

/// A row group of a data file: how many rows it has, and the columns, where it has them.
struct Group {
    rows: usize,
    chunks: Vec<Option<(ColumnChunkMetaData, Bytes)>>,
}

impl Making<'_> {
    /// Makes the copy, unless it would be too large.
    pub(super) fn make(&self, id: &str) -> Result<Option<AskedCopy>> {
        let place = layout::index_columns(id);
        let file = self.storage.create(&place)?;
        let written = self.write(file);
        let Ok(Some(bytes)) = written else {
            self.storage.delete(&place)?;
            return written.map(|_| None);
        };
        let copy = AskedCopy {
            id: id.to_string(),
            columns: self.columns.iter().map(|column| column.name.clone()).collect(),
            parts: self.files.iter().map(|file| file.path.clone()).collect(),
            bytes,
        };
        let text = serde_json::to_vec(&copy).map_err(|error| {
            Error::new(ErrorKind::Internal, "cannot describe a copy of columns").with_source(error)
        })?;
        self.storage.put_if_absent(&layout::index_copy(id), &text)?;
        Ok(Some(copy))
    }

    /// Writes the copy; its size, or none if that is too large.
    fn write(&self, mut file: Box<dyn crate::storage::StorageFile>) -> Result<Option<u64>> {
        let part = Column { name: PART.to_string(), column_type: ColumnType::Int32, path: None };
        let fields = self.columns.iter().chain([&part]).map(|column| Arc::new(arrow_field(column)));
        let fields: Vec<Arc<Field>> = fields.collect();
        let encoding = Encoded::zstd(3);
        let mut writer = encoding.writer(&mut file, &Schema::new(fields.clone()))?;
        let rows_of = |files: &[&DataFile]| files.iter().map(|file| file.rows).sum::<u64>();
        let rows = rows_of(self.files);
        let (mut number, mut rows_done, mut bytes) = (0_i32, 0_u64, 0_u64);
        for files in self.files.chunks(FILES_AT_ONCE) {
            let numbered: Vec<(usize, &&DataFile)> = files.iter().enumerate().collect();
            let threads = self.threads.min(files.len());
            let mut read = in_parallel(numbered, threads, |(place, file)| Ok((place, self.groups(file)?)))?;
            read.sort_by_key(|(place, _)| *place);
            rows_done = rows_done.saturating_add(rows_of(files));
            for (_, groups) in read {
                for group in groups {
                    let rows = group.rows;
                    let mut row_group = writer.next_row_group().map_err(unwritable)?;
                    for (field, chunk) in fields.iter().zip(group.chunks) {
                        let chunk = match chunk {
                            Some((metadata, bytes)) => as_it_is(metadata, bytes, rows)?,
                            None => encoding.chunk(field, &new_null_array(field.data_type(), rows))?,
                        };
                        bytes = bytes.saturating_add(chunk.bytes.len() as u64);
                        row_group.append_column(&chunk.bytes, chunk.close).map_err(unwritable)?;
                    }
                    let part: ArrayRef = Arc::new(Int32Array::from(vec![number; rows]));
                    if let Some(field) = fields.last() {
                        let chunk = encoding.chunk(field, &part)?;
                        row_group.append_column(&chunk.bytes, chunk.close).map_err(unwritable)?;
                    }
                    row_group.close().map_err(unwritable)?;
                }
                number = number.saturating_add(1);
            }
            // As much as all of it will be, if the rest is as what was read.
            let expected = u128::from(bytes) * u128::from(rows) / u128::from(rows_done.max(1));
            if expected > u128::from(self.bytes_max) {
                return Ok(None);
            }
        }
        writer.finish().map_err(unwritable)?;
        drop(writer);
        let bytes = file.written();
        file.finish()?;
        Ok(Some(bytes))
    }

    /// The columns in the row groups of a data file.
    fn groups(&self, file: &DataFile) -> Result<Vec<Group>> {
        let place = self.root.join(&file.path);
        let damaged = |error: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Corrupt, format!("`{}` cannot be read: {error}", place.display()))
        };
        let opened = File::open(&place).map_err(|error| Error::io("open", place.display(), error))?;
        let footer = ParquetMetaDataReader::new().parse_and_finish(&opened);
        let footer = footer.map_err(|error| damaged(&error))?;
        let leaves: Vec<Option<usize>> =
            self.columns.iter().map(|column| leaf(&footer, &column.name)).collect();
        let mut groups = Vec::with_capacity(footer.num_row_groups());
        for group in footer.row_groups() {
            let mut chunks = Vec::with_capacity(leaves.len());
            for leaf in &leaves {
                let Some(column) = leaf.and_then(|leaf| group.columns().get(leaf)) else {
                    chunks.push(None);
                    continue;
                };
                let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
                let (start, size) = (u64::try_from(start), usize::try_from(column.compressed_size()));
                let (Ok(start), Ok(size)) = (start, size) else {
                    return Err(damaged(&"a place is no place"));
                };
                if size as u64 > file.size {
                    return Err(damaged(&"a column is larger than the file"));
                }
                let mut bytes = vec![0; size];
                opened.read_exact_at(&mut bytes, start).map_err(|error| damaged(&error))?;
                chunks.push(Some((column.clone(), bytes.into())));
            }
            let rows = usize::try_from(group.num_rows()).map_err(|error| damaged(&error))?;
            groups.push(Group { rows, chunks });
        }
        Ok(groups)
    }
}

/// The place of a column among the leaves.
fn leaf(footer: &ParquetMetaData, name: &str) -> Option<usize> {
    let columns = footer.file_metadata().schema_descr().columns();
    columns.iter().position(|column| column.path().parts().first().is_some_and(|first| first == name))
}

/// A column chunk that begins at the start of its bytes now.
fn as_it_is(metadata: ColumnChunkMetaData, bytes: Bytes, rows: usize) -> Result<ColumnChunk> {
    let (dictionary, data) = (metadata.dictionary_page_offset(), metadata.data_page_offset());
    let start = dictionary.unwrap_or(data);
    let metadata = metadata
        .into_builder()
        .set_dictionary_page_offset(dictionary.map(|_| 0))
        .set_data_page_offset(data.saturating_sub(start))
        .set_bloom_filter_offset(None)
        .set_bloom_filter_length(None)
        .build()
        .map_err(unwritable)?;
    let close = ColumnCloseResult {
        bytes_written: bytes.len() as u64,
        rows_written: rows as u64,
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    };
    Ok(ColumnChunk { bytes, close, pages: Vec::new() })
}

fn unwritable(error: ParquetError) -> Error {
    Error::new(ErrorKind::Internal, "cannot copy columns").with_source(error)
}
