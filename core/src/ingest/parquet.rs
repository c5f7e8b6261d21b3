//! Data files: columns are encoded as they come, and the file is put together when its columns are known.
//!
//! A column may turn up in the middle of a file. So the encoded columns of each row group wait, compressed,
//! until the file ends; row groups that lack a column then get it as nulls.

use super::coding::{Coding, Codings};
use super::encrypted::{Body, FileSealer};
use super::pages::{ColumnChunk, Pages};
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::hex;
use crate::storage::{Storage, StorageFile};
use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::{Field, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

/// A row group ends at so many rows.
const ROW_GROUP_ROWS: usize = 262_144;
/// A page of data ends at so many bytes: what repeats is found within a page only.
const DATA_PAGE_BYTES: usize = 8 << 20;
/// A page of data ends at so many rows.
const DATA_PAGE_ROWS: usize = 100_000;

/// The dictionary of a column ends at so many bytes: what follows is written as it is.
const DICTIONARY_BYTES: usize = 1 << 20;
/// Least and largest values of texts are cut to so many bytes in a file's end.
const BOUND_BYTES: usize = 24;
/// For at most so many bytes of records there is time to compress harder, at this level; the least first.
const MORE_TIME: [(usize, i32); 2] = [(16 << 20, 19), (128 << 20, 12)];

/// How files are encoded.
#[derive(Clone, Debug)]
pub struct Encoded {
    level: i32,
    takes_time: bool,
    is_encrypted: bool,
    codings: Arc<Codings>,
}

/// One file's encoded columns.
#[derive(Debug)]
pub struct OpenFile {
    encoding: Encoded,
    fields: BTreeMap<usize, Arc<Field>>,
    closed: Vec<RowGroup<ColumnChunk>>,
    open: RowGroup<OpenWriter>,
}

#[derive(Debug)]
struct RowGroup<C> {
    rows: usize,
    columns: BTreeMap<usize, C>,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The SHA-256 of the file in hexadecimal.
    pub file_hash: String,
    /// The size of the file in bytes.
    pub size: u64,
    /// The rows in it.
    pub rows: u64,
    /// The id of the key that it is encrypted with; empty if it is not.
    pub key: String,
}

impl Encoded {
    /// Files compressed with zstd at a level.
    pub fn zstd(level: i32) -> Encoded {
        Encoded { level, takes_time: false, is_encrypted: false, codings: Arc::default() }
    }

    /// The same, but small files are compressed harder.
    pub fn taking_time(self) -> Encoded {
        Encoded { takes_time: true, ..self }
    }

    /// The same, for files of a storage, which encrypts them if it has keys.
    pub fn within(self, storage: &dyn Storage) -> Encoded {
        Encoded { is_encrypted: storage.keys().is_some(), ..self }
    }

    /// The level for the last pages of so many bytes of records, where it is another one.
    pub fn level_for(&self, bytes: usize) -> Option<i32> {
        let (_, level) = MORE_TIME.iter().find(|(most, _)| bytes <= *most)?;
        self.takes_time.then_some(*level)
    }

    /// The coding of a column that begins with these values.
    fn coding_of(&self, field: &Arc<Field>, array: &ArrayRef) -> Result<Coding> {
        match field.name().as_str() {
            // They grow, and hardly repeat.
            "seq" | "ts" => Ok(Coding::Differences),
            name => self.codings.of(name, array, |coding, sample| {
                let mut writer = self.column_writer(field, coding)?;
                writer.append(field, sample)?;
                Ok(writer.close(None)?.bytes.len())
            }),
        }
    }

    /// A writer for one column.
    fn column_writer(&self, field: &Arc<Field>, coding: Coding) -> Result<OpenWriter> {
        let schema = Arc::new(Schema::new(vec![field.clone()]));
        let writer = self.file_writer(std::io::sink(), &schema, coding)?;
        let pages = Pages::new(self.level);
        let factory = ArrowRowGroupWriterFactory::new(&writer, schema);
        let factory = factory.with_page_store_factory(Arc::new(pages.clone()));
        let writers = factory.create_column_writers(0).map_err(|error| failed("begin", &error))?;
        let writer = writers.into_iter().next();
        let writer = writer.ok_or_else(|| Error::new(ErrorKind::Internal, "a column has no writer"))?;
        Ok(OpenWriter { writer, pages })
    }

    /// The column chunk of an array.
    pub fn chunk(&self, field: &Arc<Field>, array: &ArrayRef) -> Result<ColumnChunk> {
        let mut writer = self.column_writer(field, Coding::Dictionary)?;
        writer.append(field, array)?;
        writer.close(None)
    }

    /// The column chunk of an array, in the coding that suits its values.
    pub fn coded_chunk(&self, field: &Arc<Field>, array: &ArrayRef) -> Result<ColumnChunk> {
        let mut writer = self.column_writer(field, self.coding_of(field, array)?)?;
        writer.append(field, array)?;
        writer.close(None)
    }

    /// A writer of a file of column chunks.
    pub fn writer<W: Write + Send>(&self, out: W, schema: &Schema) -> Result<SerializedFileWriter<W>> {
        self.file_writer(out, schema, Coding::Dictionary)
    }

    fn file_writer<W: Write + Send>(
        &self,
        out: W,
        schema: &Schema,
        coding: Coding,
    ) -> Result<SerializedFileWriter<W>> {
        let parquet = ArrowSchemaConverter::new().schema_root("events").convert(schema);
        let parquet = parquet.map_err(|error| failed("describe", &error))?;
        SerializedFileWriter::new(out, parquet.root_schema_ptr(), Arc::new(self.properties(coding)))
            .map_err(|error| failed("begin", &error))
    }

    fn properties(&self, coding: Coding) -> WriterProperties {
        // Of what is encrypted, a column chunk has one page.
        let at_most = |limit: usize| if self.is_encrypted { usize::MAX } else { limit };
        let properties = WriterProperties::builder()
            .set_compression(Compression::UNCOMPRESSED)
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by(concat!("daybook ", env!("CARGO_PKG_VERSION")).to_string())
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_dictionary_page_size_limit(at_most(DICTIONARY_BYTES))
            .set_data_page_size_limit(at_most(DATA_PAGE_BYTES))
            .set_data_page_row_count_limit(at_most(DATA_PAGE_ROWS))
            .set_statistics_truncate_length(Some(BOUND_BYTES));
        let properties = properties.set_dictionary_enabled(coding == Coding::Dictionary);
        let properties = match coding {
            Coding::Dictionary => properties,
            Coding::Plain => properties.set_encoding(Encoding::PLAIN),
            Coding::Differences => properties.set_encoding(Encoding::DELTA_BINARY_PACKED),
            Coding::Prefixes => properties.set_encoding(Encoding::DELTA_BYTE_ARRAY),
        };
        properties.build()
    }
}

impl OpenFile {
    /// A file without rows.
    pub fn new(encoding: Encoded) -> OpenFile {
        let open = RowGroup { rows: 0, columns: BTreeMap::new() };
        OpenFile { encoding, fields: BTreeMap::new(), closed: Vec::new(), open }
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.open.rows + self.closed.iter().map(|group| group.rows).sum::<usize>()
    }

    /// Rows of the row group that is open.
    pub fn open_rows(&self) -> usize {
        self.open.rows
    }

    /// Whether the open row group is as large as one should be.
    pub fn row_group_is_full(&self) -> bool {
        let mut columns = self.open.columns.values();
        self.open.rows >= ROW_GROUP_ROWS
            || self.encoding.is_encrypted
                && columns.any(|column| column.writer.memory_size() >= DATA_PAGE_BYTES)
    }

    /// About how much memory the file takes.
    pub fn memory_bytes(&self) -> usize {
        let open: usize = self.open.columns.values().map(|column| column.writer.memory_size()).sum();
        open + self.encoded_bytes()
    }

    /// Bytes of the row groups that are closed.
    pub fn encoded_bytes(&self) -> usize {
        let chunks = self.closed.iter().flat_map(|group| group.columns.values());
        chunks.map(|chunk| chunk.bytes.len()).sum()
    }

    /// Adds a batch of rows.
    pub fn write(&mut self, rows: usize, columns: Vec<(usize, Arc<Field>, ArrayRef)>) -> Result<()> {
        for (position, field, array) in columns {
            let mut column = self.take_column(position, &field);
            column.append(&array)?;
            self.put_column(column);
        }
        self.end_batch(rows);
        Ok(())
    }

    /// Whether the open row group has a column.
    pub fn has_column(&self, position: usize) -> bool {
        self.open.columns.contains_key(&position)
    }

    /// Takes a column out, to be written to, perhaps by another thread.
    pub fn take_column(&mut self, position: usize, field: &Arc<Field>) -> OpenColumn {
        let writer = self.open.columns.remove(&position);
        let (encoding, rows_before) = (self.encoding.clone(), self.open.rows);
        OpenColumn { position, field: field.clone(), writer, encoding, rows_before }
    }

    /// Puts a column back.
    pub fn put_column(&mut self, column: OpenColumn) {
        if let Some(writer) = column.writer {
            self.fields.entry(column.position).or_insert(column.field);
            self.open.columns.insert(column.position, writer);
        }
    }

    /// Ends a batch: all columns that had values have as many rows now.
    pub fn end_batch(&mut self, rows: usize) {
        self.open.rows += rows;
    }

    /// Ends the open row group, several columns at once.
    pub fn close_row_group(&mut self, threads: usize) -> Result<()> {
        let columns = self.begin_close().collect();
        let close = |(position, writer): (usize, OpenWriter)| Ok((position, writer.close(None)?));
        let closed = in_parallel(columns, threads, close)?;
        self.end_close(closed);
        Ok(())
    }

    /// Gives the writers of the open row group, to be closed by any thread; [`OpenFile::end_close`] follows.
    pub fn begin_close(&mut self) -> impl Iterator<Item = (usize, OpenWriter)> + use<> {
        std::mem::take(&mut self.open.columns).into_iter()
    }

    /// Ends the open row group with all its columns, which are closed.
    pub fn end_close(&mut self, columns: Vec<(usize, ColumnChunk)>) {
        let rows = std::mem::take(&mut self.open.rows);
        if rows > 0 {
            self.closed.push(RowGroup { rows, columns: columns.into_iter().collect() });
        }
    }

    /// Puts the file together, durably; encrypted, where the storage has keys.
    pub fn finish(mut self, storage: &dyn Storage, path: &str) -> Result<Written> {
        self.close_row_group(1)?;
        let rows = self.rows() as u64;
        let sealer = storage.keys().map(|keys| FileSealer::new(keys.first())).transpose()?;
        let key = sealer.as_ref().map(|sealer| sealer.key_id().to_string()).unwrap_or_default();
        let mut hashed = HashedFile { file: storage.create(path)?, hash: Sha256::new() };
        self.put_together(&mut hashed, sealer.as_ref()).map_err(|error| storage_error(path, &error))?;
        let HashedFile { file, hash } = hashed;
        let size = file.written();
        file.finish()?;
        Ok(Written { file_hash: hex(&hash.finalize()), size, rows, key })
    }

    fn put_together(mut self, out: &mut HashedFile, sealer: Option<&FileSealer>) -> Result<(), ParquetError> {
        let schema = Schema::new(self.fields.values().cloned().collect::<Vec<_>>());
        let groups = self.chunks(sealer)?;
        let encoding = self.encoding;
        let mut body = Body::plain(out);
        if sealer.is_some() {
            let bytes = groups.iter().flatten().map(|chunk| chunk.bytes.len() as u64).sum();
            body = Body::sealed(body.out, bytes)?;
        }
        let writer = encoding.file_writer(&mut body, &schema, Coding::Dictionary);
        let mut writer = writer.map_err(|error| ParquetError::External(Box::new(error)))?;
        for group in groups {
            let mut row_group = writer.next_row_group()?;
            for chunk in group {
                row_group.append_column(&chunk.bytes, chunk.close)?;
            }
            row_group.close()?;
        }
        // Giving the file back would hide what went wrong with it.
        let metadata = writer.finish()?;
        drop(writer);
        if let Some(sealer) = sealer {
            out.write_all(&sealer.footer(&metadata)?)?;
        }
        Ok(())
    }

    /// The chunks of all row groups, each with every column.
    fn chunks(&mut self, sealer: Option<&FileSealer>) -> Result<Vec<Vec<ColumnChunk>>, ParquetError> {
        let mut groups = Vec::new();
        for mut group in std::mem::take(&mut self.closed) {
            let mut chunks = Vec::new();
            for (position, field) in &self.fields {
                let chunk = match group.columns.remove(position) {
                    Some(chunk) => Ok(chunk),
                    None => self.encoding.chunk(field, &new_null_array(field.data_type(), group.rows)),
                };
                let chunk = chunk.map_err(|error| ParquetError::External(Box::new(error)))?;
                chunks.push(match sealer {
                    Some(sealer) => sealer.chunk(chunk)?,
                    None => chunk,
                });
            }
            groups.push(chunks);
        }
        Ok(groups)
    }
}

/// A column of an open file.
#[derive(Debug)]
pub struct OpenColumn {
    position: usize,
    field: Arc<Field>,
    writer: Option<OpenWriter>,
    encoding: Encoded,
    rows_before: usize,
}

impl OpenColumn {
    /// Adds the values of a batch. A column that never had one begins with the first.
    pub fn append(&mut self, array: &ArrayRef) -> Result<()> {
        if self.writer.is_none() && array.null_count() == array.len() {
            return Ok(());
        }
        if self.writer.is_none() {
            let coding = self.encoding.coding_of(&self.field, array)?;
            let mut writer = self.encoding.column_writer(&self.field, coding)?;
            if self.rows_before > 0 {
                writer.append(&self.field, &new_null_array(self.field.data_type(), self.rows_before))?;
            }
            self.writer = Some(writer);
        }
        match &mut self.writer {
            Some(writer) => writer.append(&self.field, array),
            None => Ok(()),
        }
    }

    /// Adds rows without a value.
    pub fn append_nulls(&mut self, rows: usize) -> Result<()> {
        match &mut self.writer {
            Some(writer) => writer.append(&self.field, &new_null_array(self.field.data_type(), rows)),
            None => Ok(()),
        }
    }
}

/// The writer of a column, and the pages that it has written.
#[derive(Debug)]
pub struct OpenWriter {
    writer: ArrowColumnWriter,
    pages: Pages,
}

impl OpenWriter {
    fn append(&mut self, field: &Field, array: &ArrayRef) -> Result<()> {
        let leaves = compute_leaves(field, array).map_err(|error| failed("encode", &error))?;
        leaves.iter().try_for_each(|leaf| self.writer.write(leaf)).map_err(|error| failed("encode", &error))
    }

    /// The column chunk of all that was written, what is not compressed yet at this level.
    pub fn close(self, level: Option<i32>) -> Result<ColumnChunk> {
        level.into_iter().for_each(|level| self.pages.set_level(level));
        let chunk = self.writer.close().map_err(|error| failed("encode", &error))?;
        self.pages.chunk(chunk.close().clone()).map_err(|error| failed("compress", &error))
    }
}

/// Runs a task on each item, on several threads, and gives back all that they return.
pub fn in_parallel<T: Send, R: Send>(
    items: Vec<T>,
    threads: usize,
    task: impl Fn(T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let queue = Mutex::new(items.into_iter());
    let work = || {
        let mut done = Vec::new();
        loop {
            let next = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
            match next {
                Some(item) => done.push(task(item)?),
                None => return Ok(done),
            }
        }
    };
    if threads <= 1 {
        return work();
    }
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work()?;
        for other in others {
            let more =
                other.join().map_err(|_| Error::new(ErrorKind::Internal, "a worker thread panicked"))?;
            done.extend(more?);
        }
        Ok(done)
    })
}

fn failed(action: &str, error: &ParquetError) -> Error {
    Error::new(ErrorKind::Internal, format!("cannot {action} a column of Parquet: {error}"))
}

/// What went wrong when the bytes went to storage, which tells more than Parquet's word for it.
fn storage_error(path: &str, error: &ParquetError) -> Error {
    if let ParquetError::External(cause) = error
        && let Some(cause) = cause.downcast_ref::<std::io::Error>()
    {
        let copy = match cause.raw_os_error() {
            Some(code) => std::io::Error::from_raw_os_error(code),
            None => std::io::Error::new(cause.kind(), cause.to_string()),
        };
        return Error::io("write", path, copy);
    }
    Error::new(ErrorKind::Io, format!("cannot write `{path}`: {error}"))
}

/// Hashes what goes to a file.
struct HashedFile {
    file: Box<dyn StorageFile>,
    hash: Sha256,
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
