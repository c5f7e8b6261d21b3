//! Parquet files, and Arrow IPC files and streams, as JSON Lines.

mod cells;
mod footer;
mod lengths;
mod pages;

use crate::error::{Error, ErrorKind, Result};
use crate::format::Format;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use cells::Rows;
use pages::CheckedPages;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Blocks are about so large; a row is never cut.
const BLOCK_BYTES: usize = 4 << 20;
/// At most so many rows are decoded at once.
const BATCH_ROWS_MAX: u64 = 8192;
/// Types may be nested so deep.
const DEPTH_MAX: usize = 64;
/// How an Arrow stream begins, before the length of its schema.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Whether an input that begins with these bytes is Parquet or Arrow.
pub fn is_columnar(start: &[u8]) -> Option<Format> {
    match start {
        [b'P', b'A', b'R', b'1' | b'E', ..] => Some(Format::Parquet),
        [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] => Some(Format::Arrow),
        _ if is_stream(start) => Some(Format::Arrow),
        _ => None,
    }
}

/// Whether these bytes begin with the schema of a stream, as far as they go.
fn is_stream(start: &[u8]) -> bool {
    let Some((length, message)) = start
        .strip_prefix(&CONTINUATION)
        .and_then(|rest| rest.split_first_chunk::<4>())
        .and_then(|(length, message)| Some((usize::try_from(i32::from_le_bytes(*length)).ok()?, message)))
    else {
        return false;
    };
    match message.get(..length) {
        Some(message) => arrow::ipc::root_as_message(message)
            .is_ok_and(|message| message.header_type() == arrow::ipc::MessageHeader::Schema),
        None => length % 8 == 0 && length < 256 << 20,
    }
}

/// Copies what cannot be read from its end into a file without a name, which goes when it is closed.
#[cfg(unix)]
pub fn spool(mut reader: impl Read) -> std::io::Result<File> {
    use std::io;
    use std::os::unix::fs::OpenOptionsExt;
    use std::sync::atomic::{AtomicU64, Ordering};
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    for _ in 0..1_000 {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("daybook-{}-{number}.tmp", std::process::id()));
        let mut file = match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            file => file?,
        };
        std::fs::remove_file(&path)?;
        io::copy(&mut reader, &mut file)?;
        file.rewind()?;
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is no free name for a temporary file"))
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// Reads a Parquet file or Arrow data as blocks of JSON Lines, a row a line.
pub struct ColumnarReader {
    name: String,
    format: Format,
    batches: Batches,
    rows: Option<Rows>,
    failure: Option<Error>,
    ended: bool,
}

impl fmt::Debug for ColumnarReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ColumnarReader({})", self.name)
    }
}

impl ColumnarReader {
    /// Opens a file of a format that [`is_columnar`] told; the name is for errors.
    pub fn open(file: File, format: Format, name: &str) -> Result<ColumnarReader> {
        let batches = guarded(|| match format {
            Format::Parquet => parquet_batches(file, name),
            _ => arrow_batches(file).map_err(|error| damaged(name, format, error)),
        })
        .unwrap_or_else(|| Err(damaged(name, format, broken())))?;
        Ok(ColumnarReader::of(batches, format, name))
    }

    /// Reads an Arrow stream that comes through a pipe.
    pub fn stream(source: Box<dyn Read + Send>, name: &str) -> Result<ColumnarReader> {
        let batches = guarded(|| StreamReader::try_new_buffered(source, None))
            .unwrap_or_else(|| Err(broken()))
            .map_err(|error| damaged(name, Format::Arrow, error))?;
        Ok(ColumnarReader::of(Box::new(batches), Format::Arrow, name))
    }

    fn of(batches: Batches, format: Format, name: &str) -> ColumnarReader {
        ColumnarReader { name: name.to_string(), format, batches, rows: None, failure: None, ended: false }
    }

    /// The next rows, each a JSON object and a line; none at the end. Rows before damage come before the error.
    pub fn next_block(&mut self) -> Result<Option<Vec<u8>>> {
        let mut block = Vec::new();
        while block.len() < BLOCK_BYTES && !self.ended {
            let whole = block.len();
            let filled = guarded(|| self.fill(&mut block)).unwrap_or_else(|| Err(broken()));
            if let Err(error) = filled {
                // A row that was begun is not whole.
                block.truncate(block.iter().rposition(|byte| *byte == b'\n').map_or(whole, |end| end + 1));
                self.failure = Some(damaged(&self.name, self.format, error));
                self.ended = true;
            }
        }
        match self.failure.take_if(|_| block.is_empty()) {
            Some(error) => Err(error),
            None => Ok((!block.is_empty()).then_some(block)),
        }
    }

    /// Writes rows of one batch, until the block is full or the batch ends.
    fn fill(&mut self, block: &mut Vec<u8>) -> Result<(), ArrowError> {
        match &mut self.rows {
            Some(rows) => {
                if !rows.write(block, BLOCK_BYTES) {
                    self.rows = None;
                }
            }
            None => match self.batches.next() {
                Some(batch) => self.rows = Some(Rows::new(&batch?)?),
                None => self.ended = true,
            },
        }
        Ok(())
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a reader that may panic on a damaged file, which then becomes an error: a panic
/// hook has nothing to say about that.
pub fn panics_are_caught() -> bool {
    GUARDED.get()
}

/// Runs what may panic on damaged files; none if it did.
fn guarded<T>(action: impl FnOnce() -> T) -> Option<T> {
    let before = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(action)).ok();
    GUARDED.set(before);
    result
}

fn broken() -> ArrowError {
    ArrowError::ParseError("its parts do not fit together".to_string())
}

fn damaged(name: &str, format: Format, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let kind = match format {
        Format::Parquet => "Parquet",
        _ => "Arrow",
    };
    let message = format!("cannot read `{name}` as {kind}");
    let text = error.to_string();
    let refused = Error::new(ErrorKind::Invalid, message).with_source(error);
    if text.contains("IPC decompression requires") {
        return refused.with_hint("write it again without compression");
    }
    match text.contains(pages::TOO_LARGE) {
        true => refused.with_hint("write it again with smaller pages, or fewer rows in a row group"),
        false => refused,
    }
}

fn arrow_batches(mut file: File) -> Result<Batches, ArrowError> {
    let mut start = [0; 6];
    file.read_exact(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(match &start == b"ARROW1" {
        true => {
            footer::check_arrow(&mut file)?;
            Box::new(FileReader::try_new_buffered(file, None)?)
        }
        false => Box::new(StreamReader::try_new(BufReader::with_capacity(1 << 18, file), None)?),
    })
}

fn parquet_batches(mut file: File, name: &str) -> Result<Batches> {
    footer::check_parquet(&mut file).map_err(|error| damaged(name, Format::Parquet, error))?;
    let wrong = |error: ParquetError| damaged(name, Format::Parquet, error);
    let plain = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(wrong)?;
    if let Some(codec) = unknown_codec(plain.metadata()) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("cannot read `{name}` as Parquet: it is compressed with {codec}"),
        )
        .with_hint("write it again with zstd or snappy"));
    }
    let schema = Arc::new(with_views(plain.schema()));
    let options = ArrowReaderOptions::new().with_schema(schema);
    let metadata = ArrowReaderMetadata::try_new(plain.metadata().clone(), options).unwrap_or(plain);
    let pages = CheckedPages::new(file, metadata.metadata()).map_err(wrong)?;
    let rows = batch_rows(metadata.metadata());
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(pages.clone(), metadata);
    let mut reader = builder.with_batch_size(rows).build().map_err(wrong)?;
    Ok(Box::new(std::iter::from_fn(move || {
        pages.begin_batch();
        reader.next()
    })))
}

/// A codec of a column that is not in this build.
fn unknown_codec(metadata: &ParquetMetaData) -> Option<&'static str> {
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    columns.into_iter().find_map(|column| match column.compression() {
        Compression::LZO => Some("lzo"),
        _ => None,
    })
}

/// As many rows at once as take about the space of a block.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let widest = metadata.row_groups().iter().map(|group| {
        let bytes = u64::try_from(group.total_byte_size()).unwrap_or(0);
        let values = group.columns().iter().map(|column| u64::try_from(column.num_values()).unwrap_or(0));
        let values = values.fold(0_u64, u64::saturating_add);
        bytes.max(values.saturating_mul(8)) / u64::try_from(group.num_rows()).unwrap_or(0).max(1)
    });
    let fixed = metadata.file_metadata().schema_descr().columns().iter();
    let fixed = fixed.map(|column| u64::try_from(column.type_length()).unwrap_or(0)).max().unwrap_or(0);
    let widest = widest.max().unwrap_or(0).max(fixed).max(1);
    usize::try_from((BLOCK_BYTES as u64 / widest).clamp(1, BATCH_ROWS_MAX)).unwrap_or(1)
}

/// The schema with strings and bytes as views: what stands once in a file is then once in memory.
fn with_views(schema: &Schema) -> Schema {
    Schema::new_with_metadata(fields_with_views(schema.fields(), 0), schema.metadata().clone())
}

fn fields_with_views(fields: &Fields, depth: usize) -> Fields {
    fields.iter().map(|field| field_with_views(field, depth)).collect()
}

fn field_with_views(field: &FieldRef, depth: usize) -> FieldRef {
    if depth >= DEPTH_MAX {
        return field.clone();
    }
    let inner = |field: &FieldRef| field_with_views(field, depth.saturating_add(1));
    let data_type = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Struct(fields) => DataType::Struct(fields_with_views(fields, depth.saturating_add(1))),
        DataType::List(item) => DataType::List(inner(item)),
        DataType::LargeList(item) => DataType::LargeList(inner(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(inner(item), *length),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        other => other.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}

#[cfg(test)]
mod tests;
