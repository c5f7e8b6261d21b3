use super::*;
use crate::format::Format;
use crate::ingest::columnar::{ColumnarReader, spool};
use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::*;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

fn parquet_of(columns: Vec<ArrayRef>, dictionary: bool) -> Vec<u8> {
    let fields = columns.iter().enumerate();
    let fields: Fields = fields
        .map(|(place, column)| Field::new(format!("c{place}"), column.data_type().clone(), true))
        .collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(dictionary)
        .set_data_page_size_limit(1 << 30)
        .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn text(bytes: usize) -> ArrayRef {
    Arc::new(StringArray::from(vec!["x".repeat(bytes)]))
}

/// A row whose one value is a list.
fn list(items: ArrayRef) -> ArrayRef {
    let field = Arc::new(Field::new("item", items.data_type().clone(), true));
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths([items.len()]), items, None))
}

/// How long the text is, and what stands at its end if it cannot be read further.
fn read(bytes: &[u8]) -> (usize, Option<String>) {
    let mut reader = match ColumnarReader::open(spool(bytes).unwrap(), Format::Parquet, "input") {
        Ok(reader) => reader,
        Err(error) => return (0, Some(error.to_string())),
    };
    let mut length = 0;
    loop {
        match reader.next_block() {
            Ok(Some(block)) => length += block.len(),
            Ok(None) => return (length, None),
            Err(error) => return (length, Some(error.to_string())),
        }
    }
}

#[test]
fn what_would_take_too_much_memory_is_refused() {
    let nulls = |count| list(Arc::new(Int8Array::new_null(count)));
    let cases = [
        (vec![text(120 << 20)], None),
        (vec![text(130 << 20)], Some("a page of 1363")),
        (vec![text(70 << 20), text(70 << 20)], None),
        (vec![text(90 << 20), text(90 << 20)], Some("pages of 1887")),
        (vec![nulls(1 << 20)], None),
        (vec![nulls(9 << 20), nulls(9 << 20)], Some("lists of 18874368 values at once")),
    ];
    for (columns, refused) in cases {
        let (length, told) = read(&parquet_of(columns, false));
        let expected = refused.map(|what| {
            format!("cannot read `input` as Parquet: Parquet argument error: Parquet error: {what}")
        });
        match (&told, expected) {
            (Some(told), Some(expected)) => assert!(told.starts_with(&expected), "{told}"),
            (told, expected) => assert_eq!(*told, expected),
        }
        assert_eq!(length > 0, told.is_none());
    }
}

#[test]
fn a_row_that_is_too_long_is_cut() {
    let mut texts = StringViewBuilder::new().with_deduplicate_strings();
    (0..60_000).for_each(|_| texts.append_value("x".repeat(1 << 10)));
    let (length, told) = read(&parquet_of(vec![list(Arc::new(texts.finish()))], true));
    assert!(told.is_none() && (33 << 20..40 << 20).contains(&length), "{length} {told:?}");
}

#[test]
fn a_header_is_read_as_the_reader_reads_it() {
    let header = |bytes: &[u8]| (Thrift { rest: bytes }).page_header();
    let data = [0x15, 0, 0x15, 0x20, 0x15, 0x24, 0x2c, 0x15, 6, 0x15, 16, 0x15, 6, 0x15, 6, 0, 0, 0x77];
    let expected =
        PageHeader { length: 17, bytes: 16, bytes_compressed: 18, values: 3, is_dictionary: false };
    assert_eq!(header(&data), Some(expected));
    let dictionary = [0x15, 4, 0x15, 0x20, 0x15, 0x24, 0x4c, 0x15, 6, 0x15, 0, 0x12, 0, 0];
    assert_eq!(header(&dictionary).unwrap(), PageHeader { length: 14, is_dictionary: true, ..expected });
    for length in 0..17 {
        assert_eq!(header(&data[..length]), None, "{length}");
    }
    for (name, bytes) in [
        ("a size of another type", &[0x15, 0, 0x16, 0x20, 0x15, 0x24, 0][..]),
        ("no size", &[0x15, 0, 0x25, 0x24, 0]),
        ("a negative size", &[0x15, 0, 0x15, 0x21, 0x15, 0x24, 0]),
        ("a size past 32 bits", &[0x15, 0, 0x15, 0x80, 0x80, 0x80, 0x80, 0x40, 0x15, 0x24, 0]),
        (
            "a field's number past 16 bits",
            &[0x15, 0, 0x15, 0x20, 0x15, 0x24, 0x05, 0x84, 0x80, 0x08, 0x20, 0],
        ),
        ("a count of another type", &[0x15, 0, 0x15, 0x20, 0x15, 0x24, 0x2c, 0x18, 1, 6, 0, 0]),
    ] {
        assert_eq!(header(bytes), None, "{name}");
    }
}

#[test]
fn columns_that_share_bytes_are_refused() {
    let bytes = parquet_of(vec![text(10), text(10)], false);
    let file = spool(&bytes[..]).unwrap();
    let options = parquet::arrow::arrow_reader::ArrowReaderOptions::new();
    let metadata = parquet::arrow::arrow_reader::ArrowReaderMetadata::load(&file, options).unwrap();
    let metadata = ParquetMetaData::clone(metadata.metadata());
    assert!(CheckedPages::new(file.try_clone().unwrap(), &metadata).is_ok());
    let group = metadata.row_group(0).clone();
    let twice = ParquetMetaData::new(metadata.file_metadata().clone(), vec![group.clone(), group]);
    let error = CheckedPages::new(file, &twice).err().unwrap();
    assert_eq!(error.to_string(), "Parquet error: its columns overlap");
}
