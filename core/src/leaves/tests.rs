//! What is written here is read by the crate's Arrow reader, and what its Arrow writer writes is read here.

use super::{Writer, holds, is_written, read};
use crate::event::column::ColumnType;
use crate::ingest::arrays::arrow_type;
use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeListArray, ListArray, MapArray, PrimitiveArray,
    RecordBatch, StringArray, StructArray, make_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::concat_batches;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Field, Fields, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, Schema, SchemaRef, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use std::sync::Arc;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end
    }

    fn nulls(&mut self, length: usize) -> Option<NullBuffer> {
        (self.below(4) > 0).then(|| (0..length).map(|_| self.below(5) > 0).collect::<Vec<bool>>().into())
    }

    fn primitive<T: ArrowPrimitiveType>(&mut self, length: usize, of: impl Fn(u64) -> T::Native) -> ArrayRef {
        let values = (0..length).map(|_| of(self.next())).collect();
        Arc::new(PrimitiveArray::<T>::new(values, self.nulls(length)))
    }

    fn offsets(&mut self, length: usize) -> OffsetBuffer<i32> {
        OffsetBuffer::from_lengths((0..length).map(|_| self.below(4)))
    }

    fn array(&mut self, data_type: &DataType, length: usize) -> ArrayRef {
        let nulls = self.nulls(length);
        let array: ArrayRef = match data_type {
            DataType::Boolean => {
                Arc::new(BooleanArray::new((0..length).map(|_| self.below(2) == 0).collect(), nulls))
            }
            DataType::Int8 => self.primitive::<Int8Type>(length, |x| x as i8),
            DataType::Int16 => self.primitive::<Int16Type>(length, |x| x as i16),
            DataType::Int32 => self.primitive::<Int32Type>(length, |x| x as i32),
            DataType::Int64 => self.primitive::<Int64Type>(length, |x| (x as i64).wrapping_mul(-77_777)),
            DataType::UInt8 => self.primitive::<UInt8Type>(length, |x| x as u8),
            DataType::UInt16 => self.primitive::<UInt16Type>(length, |x| x as u16),
            DataType::UInt32 => self.primitive::<UInt32Type>(length, |x| x as u32),
            DataType::UInt64 => self.primitive::<UInt64Type>(length, |x| x.wrapping_mul(77_777)),
            DataType::Float32 => self.primitive::<Float32Type>(length, |x| x as f32 / 3.0),
            DataType::Float64 => self.primitive::<Float64Type>(length, |x| x as f64 / 3.0),
            DataType::Date32 => self.primitive::<Date32Type>(length, |x| x as i32 % 50_000),
            DataType::Time64(_) => {
                self.primitive::<Time64MicrosecondType>(length, |x| x as i64 % 86_400_000_000)
            }
            DataType::Timestamp(unit, _) => match unit {
                TimeUnit::Second => self.primitive::<TimestampSecondType>(length, |x| x as i64),
                TimeUnit::Millisecond => self.primitive::<TimestampMillisecondType>(length, |x| x as i64),
                TimeUnit::Microsecond => self.primitive::<TimestampMicrosecondType>(length, |x| x as i64),
                TimeUnit::Nanosecond => self.primitive::<TimestampNanosecondType>(length, |x| x as i64),
            },
            DataType::Decimal128(precision, _) => {
                let most = 10_i128.pow(u32::from(*precision) - 1);
                self.primitive::<Decimal128Type>(length, |x| {
                    (i128::from(x) * i128::from(x) % most) - most / 2
                })
            }
            DataType::Utf8 => {
                let texts = (0..length).map(|_| "añ🎉x\n\"".repeat(self.below(5))).collect::<Vec<_>>();
                Arc::new(StringArray::new(
                    OffsetBuffer::from_lengths(texts.iter().map(String::len)),
                    texts.concat().into_bytes().into(),
                    nulls,
                ))
            }
            DataType::Binary => Arc::new(BinaryArray::from_iter(
                (0..length).map(|at| (at % 3 > 0).then(|| vec![self.next() as u8; self.below(9)])),
            )),
            DataType::List(item) => {
                let offsets = self.offsets(length);
                let values = self.array(item.data_type(), offsets.last() as usize);
                Arc::new(ListArray::new(item.clone(), offsets, values, nulls))
            }
            DataType::FixedSizeList(item, size) => {
                let values = self.array(item.data_type(), length * *size as usize);
                Arc::new(FixedSizeListArray::new(item.clone(), *size, values, nulls))
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().map(|field| self.array(field.data_type(), length)).collect();
                Arc::new(StructArray::new(fields.clone(), columns, nulls))
            }
            DataType::Map(entries, _) => {
                let offsets = self.offsets(length);
                let DataType::Struct(fields) = entries.data_type() else { panic!("entries are structs") };
                let length = offsets.last() as usize;
                let keys = self.array(fields[0].data_type(), length);
                let keys = keys.to_data().into_builder().nulls(None).build().unwrap();
                let values = self.array(fields[1].data_type(), length);
                let entries_of = StructArray::new(fields.clone(), vec![make_array(keys), values], None);
                Arc::new(MapArray::new(entries.clone(), offsets, entries_of, nulls, false))
            }
            other => panic!("no values of {other}"),
        };
        make_array(array.to_data().into_builder().data_type(data_type.clone()).build().unwrap())
    }

    fn batch(&mut self, schema: &SchemaRef, length: usize) -> RecordBatch {
        let columns = schema.fields().iter().map(|field| self.array(field.data_type(), length)).collect();
        RecordBatch::try_new(schema.clone(), columns).unwrap()
    }
}

fn list(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("element", item, true)))
}

fn structure(types: &[DataType]) -> DataType {
    let field = |(at, data_type): (usize, &DataType)| Field::new(format!("f{at}"), data_type.clone(), true);
    DataType::Struct(types.iter().enumerate().map(field).collect())
}

fn map(value: DataType) -> DataType {
    let fields =
        Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
}

/// The types of what SQL answers.
fn answered() -> Vec<DataType> {
    let zone = || Some(Arc::from("UTC"));
    let mut types = vec![
        DataType::Boolean,
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float32,
        DataType::Float64,
        DataType::Date32,
        DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(TimeUnit::Second, None),
        DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Timestamp(TimeUnit::Microsecond, zone()),
        DataType::Timestamp(TimeUnit::Nanosecond, None),
        DataType::Decimal128(9, 2),
        DataType::Decimal128(18, 3),
        DataType::Decimal128(38, 0),
        DataType::Utf8,
        DataType::Binary,
    ];
    let nested = vec![
        list(DataType::Utf8),
        list(list(DataType::Int64)),
        DataType::FixedSizeList(Arc::new(Field::new("element", DataType::Float32, true)), 3),
        structure(&types),
        list(structure(&[DataType::Int64, list(DataType::Utf8)])),
        map(DataType::Float64),
        map(list(structure(&[map(DataType::Int32)]))),
    ];
    types.extend(nested);
    types
}

#[test]
fn what_is_written_is_read_by_others() {
    let types = answered();
    assert!(types.iter().all(is_written));
    let field = |(at, data_type): (usize, &DataType)| Field::new(format!("c{at}"), data_type.clone(), true);
    let schema: SchemaRef = Arc::new(Schema::new(types.iter().enumerate().map(field).collect::<Vec<_>>()));
    let properties =
        || WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap()));
    for (seed, lengths) in
        [(1, vec![0]), (2, vec![1]), (3, vec![7, 0, 300, 5]), (4, vec![]), (5, vec![100, 100])]
    {
        let mut numbers = Numbers(seed);
        let batches: Vec<RecordBatch> =
            lengths.iter().map(|length| numbers.batch(&schema, *length)).collect();
        let properties = properties().set_max_row_group_row_count(Some(64)).build();
        let mut writer = Writer::try_new(Vec::new(), schema.clone(), Some(properties)).unwrap();
        for batch in &batches {
            writer.write(batch).unwrap();
        }
        let bytes = Bytes::from(writer.into_inner().unwrap());
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        let groups = reader.metadata().row_groups().iter().map(|group| group.num_rows());
        assert!(groups.clone().all(|rows| rows <= 64), "{:?}", groups.collect::<Vec<_>>());
        assert_eq!(reader.schema().fields(), schema.fields());
        let read: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let (read, given) =
            (concat_batches(&schema, &read).unwrap(), concat_batches(&schema, &batches).unwrap());
        for ((read, given), field) in read.columns().iter().zip(given.columns()).zip(schema.fields()) {
            assert_eq!(read, given, "{field} of {seed}");
        }
    }
}

#[test]
fn types_that_are_not_written_are_told() {
    let unknown = DataType::Duration(TimeUnit::Second);
    for data_type in [unknown.clone(), list(unknown.clone()), structure(&[unknown]), structure(&[])] {
        assert!(!is_written(&data_type), "{data_type}");
    }
}

const STORED: [ColumnType; 12] = [
    ColumnType::Bool,
    ColumnType::Int8,
    ColumnType::Int32,
    ColumnType::Int64,
    ColumnType::Double,
    ColumnType::Text,
    ColumnType::Timestamp,
    ColumnType::BoolList,
    ColumnType::Int64List,
    ColumnType::DoubleList,
    ColumnType::TextList,
    ColumnType::TimestampList,
];

/// A file of all types that columns have, of two row groups.
fn file(properties: WriterPropertiesBuilder, batch: &RecordBatch) -> Bytes {
    let properties =
        properties.set_max_row_group_row_count(Some(700)).set_data_page_row_count_limit(100).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    Bytes::from(writer.into_inner().unwrap())
}

fn stored() -> SchemaRef {
    let field = |column_type: &ColumnType| Field::new(column_type.name(), arrow_type(*column_type), true);
    Arc::new(Schema::new(STORED.iter().map(field).collect::<Vec<_>>()))
}

#[test]
fn what_others_write_is_read() {
    let (schema, builder) = (stored(), WriterProperties::builder);
    let codings = [
        builder(),
        builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap())),
        builder().set_writer_version(WriterVersion::PARQUET_2_0),
        builder().set_dictionary_enabled(false),
        builder().set_dictionary_enabled(false).set_writer_version(WriterVersion::PARQUET_2_0),
        builder()
            .set_dictionary_enabled(false)
            .set_column_encoding("text".into(), Encoding::DELTA_BYTE_ARRAY)
            .set_column_encoding("int64".into(), Encoding::DELTA_BINARY_PACKED)
            .set_column_encoding("double".into(), Encoding::BYTE_STREAM_SPLIT),
    ];
    for (seed, properties) in (1..).zip(codings) {
        let batch = Numbers(seed).batch(&schema, 1_000);
        let bytes = file(properties, &batch);
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes).unwrap();
        let mut begin = 0;
        for group in metadata.row_groups() {
            let rows = group.num_rows() as usize;
            for ((chunk, column_type), given) in group.columns().iter().zip(STORED).zip(batch.columns()) {
                let read = read(Arc::new(bytes.clone()), chunk, rows, column_type).unwrap();
                let given = super::without_zone(&given.slice(begin, rows));
                assert_eq!(&read, &given, "{} of {seed}", column_type.name());
            }
            begin += rows;
        }
        assert_eq!(begin, 1_000);
    }
}

#[test]
fn a_column_of_another_type_is_no_column() {
    let bytes = file(WriterProperties::builder(), &Numbers(1).batch(&stored(), 10));
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes).unwrap();
    let group = metadata.row_group(0);
    // A narrow number is a number of 32 bits that is small enough.
    let is_narrow = |column_type| matches!(column_type, ColumnType::Int8 | ColumnType::Int32);
    for (chunk, is) in group.columns().iter().zip(STORED) {
        for wanted in STORED {
            let expected = is == wanted || (is_narrow(is) && is_narrow(wanted));
            assert_eq!(holds(chunk.column_descr(), wanted), expected, "{} as {}", is.name(), wanted.name());
            if !expected {
                assert!(read(Arc::new(bytes.clone()), chunk, 10, wanted).is_err());
            }
        }
    }
    assert!(read(Arc::new(bytes.clone()), &group.columns()[2], 10, ColumnType::Int8).is_err());
    assert!(read(Arc::new(bytes), &group.columns()[2], 11, ColumnType::Int32).is_err());
}

#[test]
fn damaged_columns_have_their_rows_or_none() {
    let batch = Numbers(9).batch(&stored(), 200);
    let bytes = file(WriterProperties::builder(), &batch);
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes).unwrap();
    let group = metadata.row_group(0);
    let mut numbers = Numbers(3);
    for (chunk, column_type) in group.columns().iter().zip(STORED) {
        let (begin, length) = chunk.byte_range();
        for _ in 0..200 {
            let mut damaged = bytes.to_vec();
            damaged[begin as usize + numbers.below(length as usize)] ^= 1 << numbers.below(8);
            // Some damage gives other values, and some makes the crate panic; none gives another number of rows.
            let read = || read(Arc::new(Bytes::from(damaged)), chunk, 200, column_type);
            if let Ok(Ok(array)) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)) {
                assert_eq!(array.len(), 200, "{}", column_type.name());
            }
        }
    }
}
