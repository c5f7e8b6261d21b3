//! Makes a segment of the index from data files.

use super::bloom::{self, Bloom};
use super::segment::{Contents, Part};
use super::{FILTERED, NARROW, PART};
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType};
use crate::ingest::arrays::{arrow_field, arrow_type};
use crate::ingest::batch::read_columns;
use crate::layout;
use crate::log::DataFile;
use crate::storage::{FilePlace, LocalStorage, Storage, StorageFile};
use arrow::array::{ArrayRef, AsArray, Int32Array, RecordBatch, new_null_array};
use arrow::datatypes::Schema;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Rows of a row group: what is read for one span of time, and by one thread.
const GROUP_ROWS: usize = 122_880;

/// So many batches are read ahead.
const AHEAD: usize = 4;

/// Writes a segment of these files, in this order. A thread reads ahead.
pub(super) fn build(storage: &LocalStorage, root: &Path, id: &str, files: &[&DataFile]) -> Result<()> {
    let mut narrow = Narrow::create(storage, id)?;
    let mut filters = Filters::create(storage, id)?;
    let (sender, parts) = std::sync::mpsc::sync_channel(AHEAD);
    std::thread::scope(|scope| {
        let read = move || {
            for (number, file) in (0_i32..).zip(files) {
                let read = read_part(&FilePlace::from(root.join(&file.path)), |batch| {
                    sender.send(Ok(Step::Rows(batch, number))).is_ok()
                });
                let is_over = read.is_err();
                if sender.send(read.map(|ids| Step::Ids(file, ids))).is_err() || is_over {
                    return;
                }
            }
        };
        let reader = std::thread::Builder::new().name("index".to_string()).spawn_scoped(scope, read);
        let reader = reader.map_err(|error| Error::io("start a thread for", layout::INDEX, error))?;
        for step in parts {
            match step? {
                Step::Rows(batch, number) => narrow.add(&batch, number)?,
                Step::Ids(file, ids) => filters.add(file, &ids)?,
            }
        }
        reader.join().map_err(|_| Error::new(ErrorKind::Internal, "the thread that reads ahead panicked"))
    })?;
    // A segment is there once its filters are.
    narrow.finish()?;
    filters.finish()
}

/// What was read of a data file.
enum Step<'a> {
    /// Some rows of the file with this number.
    Rows(RecordBatch, i32),
    /// The file ends; hashes of the ids in it, by column.
    Ids(&'a DataFile, Vec<HashSet<u64>>),
}

/// Reads the columns that a segment is made of, until `take` wants no more, and hashes the ids.
fn read_part(file: &FilePlace, mut take: impl FnMut(RecordBatch) -> bool) -> Result<Vec<HashSet<u64>>> {
    let wanted = |name: &str| FILTERED.contains(&name) || NARROW.iter().any(|fixed| fixed.name() == name);
    let mut ids: Vec<HashSet<u64>> = FILTERED.iter().map(|_| HashSet::new()).collect();
    for batch in read_columns(file, wanted)? {
        let batch = batch?;
        for (column, ids) in FILTERED.iter().zip(&mut ids) {
            add_hashes(&batch, column, ids);
        }
        if !take(batch) {
            break;
        }
    }
    Ok(ids)
}

fn add_hashes(batch: &RecordBatch, column: &str, hashes: &mut HashSet<u64>) {
    // A field of this name that is no text has no filter.
    let Some(texts) = batch.column_by_name(column).and_then(|array| array.as_string_opt::<i32>()) else {
        return;
    };
    let mut last = None;
    for text in texts.iter().flatten() {
        if last != Some(text) {
            hashes.insert(bloom::hash(text));
            last = Some(text);
        }
    }
}

/// The copy of the narrow columns.
struct Narrow {
    schema: Arc<Schema>,
    writer: ArrowWriter<Box<dyn StorageFile>>,
}

impl Narrow {
    fn create(storage: &LocalStorage, id: &str) -> Result<Narrow> {
        let part = Column { name: PART.to_string(), column_type: ColumnType::Int32, path: None };
        let columns = NARROW.iter().map(|fixed| fixed.column()).chain([part]);
        let schema = Arc::new(Schema::new(columns.map(|column| arrow_field(&column)).collect::<Vec<_>>()));
        let file = storage.create(&layout::index_columns(id))?;
        let level = ZstdLevel::try_new(3).unwrap_or_default();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_column_dictionary_enabled(ColumnPath::from("seq"), false)
            .set_column_encoding(ColumnPath::from("seq"), Encoding::DELTA_BINARY_PACKED)
            .set_column_dictionary_enabled(ColumnPath::from("ts"), false)
            .set_column_encoding(ColumnPath::from("ts"), Encoding::DELTA_BINARY_PACKED)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(unwritable)?;
        Ok(Narrow { schema, writer })
    }

    fn add(&mut self, batch: &RecordBatch, number: i32) -> Result<()> {
        let rows = batch.num_rows();
        let array = |fixed: &crate::event::fixed::Fixed| -> ArrayRef {
            match batch.column_by_name(fixed.name()) {
                Some(array) => array.clone(),
                None => new_null_array(&arrow_type(fixed.column_type()), rows),
            }
        };
        let part: ArrayRef = Arc::new(Int32Array::from(vec![number; rows]));
        let arrays = NARROW.iter().map(array).chain([part]).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "a data file's columns are not the table's").with_source(error)
        })?;
        self.writer.write(&batch).map_err(unwritable)
    }

    fn finish(self) -> Result<()> {
        self.writer.into_inner().map_err(unwritable)?.finish()
    }
}

fn unwritable(error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(error) => Error::io("write", layout::INDEX, *error),
            Err(source) => Error::new(ErrorKind::Internal, source.to_string()),
        },
        error => Error::new(ErrorKind::Internal, "cannot write the index").with_source(error),
    }
}

/// The filters, block by block; what they are of comes after them.
struct Filters {
    contents: Contents,
    blocks: u32,
    file: std::io::BufWriter<Box<dyn StorageFile>>,
}

impl Filters {
    fn create(storage: &LocalStorage, id: &str) -> Result<Filters> {
        let file = std::io::BufWriter::new(storage.create(&layout::index_filters(id))?);
        let columns = FILTERED.map(str::to_string).to_vec();
        Ok(Filters { contents: Contents { columns, parts: Vec::new() }, blocks: 0, file })
    }

    fn add(&mut self, file: &DataFile, ids: &[HashSet<u64>]) -> Result<()> {
        let mut filters = Vec::with_capacity(ids.len());
        for hashes in ids {
            let bloom = Bloom::of(hashes.iter().copied());
            filters.push((self.blocks, bloom.block_count()));
            self.blocks = self.blocks.saturating_add(bloom.block_count());
            for word in bloom.bytes() {
                self.write(&word)?;
            }
        }
        self.contents.parts.push(Part { path: file.path.clone(), rows: file.rows, filters });
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| Error::io("write", layout::INDEX, error))
    }

    fn finish(mut self) -> Result<()> {
        let end = self.contents.to_bytes()?;
        self.write(&end)?;
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error);
        file.map_err(|error| Error::io("write", layout::INDEX, error))?.finish()
    }
}
