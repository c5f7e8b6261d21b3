use super::*;
use arrow::array::builder::*;
use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::io::Write;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Fields =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns.into_iter().map(|(_, column)| column).collect(),
    )
    .unwrap()
}

fn parquet_of(batch: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn file_of(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), batch.schema_ref()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn stream_of(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

/// The lines as far as they can be read, and the error.
fn lines(bytes: &[u8]) -> (String, Option<String>) {
    let Some(format) = is_columnar(bytes) else { return (String::new(), Some("neither".into())) };
    let mut reader = match ColumnarReader::open(spool(bytes).unwrap(), format, "input") {
        Ok(reader) => reader,
        Err(error) => return (String::new(), Some(error.to_string())),
    };
    let mut text = Vec::new();
    loop {
        match reader.next_block() {
            Ok(Some(block)) => text.extend_from_slice(&block),
            Ok(None) => return (String::from_utf8(text).unwrap(), None),
            Err(error) => {
                assert!(reader.next_block().unwrap().is_none());
                return (String::from_utf8(text).unwrap(), Some(error.to_string()));
            }
        }
    }
}

/// Checks the values of one column, in every form that can hold it.
fn check(column: impl Array + 'static, expected: &[&str]) {
    let batch = batch(vec![("v", Arc::new(column))]);
    let expected: String = expected.iter().map(|value| format!("{{\"v\":{value}}}\n")).collect();
    for line in expected.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let kind = batch.schema().field(0).data_type().to_string();
    assert_eq!(lines(&file_of(&batch)), (expected.clone(), None), "{kind} in a file");
    assert_eq!(lines(&stream_of(&batch)), (expected.clone(), None), "{kind} in a stream");
    if matches!(batch.schema().field(0).data_type(), DataType::Union(..)) {
        return;
    }
    let Ok(mut writer) = ArrowWriter::try_new(Vec::new(), batch.schema(), None) else { return };
    if writer.write(&batch).is_err() {
        return;
    }
    assert_eq!(lines(&writer.into_inner().unwrap()), (expected, None), "{kind} in Parquet");
}

#[test]
fn numbers_are_numbers() {
    check(Int8Array::from(vec![Some(-128), None, Some(127)]), &["-128", "null", "127"]);
    check(Int16Array::from(vec![i16::MIN]), &["-32768"]);
    check(Int32Array::from(vec![i32::MAX]), &["2147483647"]);
    check(Int64Array::from(vec![i64::MIN, i64::MAX]), &["-9223372036854775808", "9223372036854775807"]);
    check(UInt8Array::from(vec![255]), &["255"]);
    check(UInt16Array::from(vec![65535]), &["65535"]);
    check(UInt32Array::from(vec![u32::MAX]), &["4294967295"]);
    check(UInt64Array::from(vec![u64::MAX]), &["18446744073709551615"]);
    check(BooleanArray::from(vec![Some(true), Some(false), None]), &["true", "false", "null"]);
    check(Float32Array::from(vec![0.1, 1.0, -0.0]), &["0.1", "1.0", "-0.0"]);
    let floats =
        vec![Some(0.1), Some(1e300), Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY), None];
    check(Float64Array::from(floats), &["0.1", "1e300", "\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "null"]);
    let half = |value: f32| <Float16Type as ArrowPrimitiveType>::Native::from_f32(value);
    check(Float16Array::from(vec![half(0.5), half(f32::NAN)]), &["0.5", "\"NaN\""]);
    check(NullArray::new(2), &["null", "null"]);
}

#[test]
fn decimals_keep_their_digits() {
    let of =
        |values: Vec<i128>, scale| Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap();
    let most = 10_i128.pow(38) - 1;
    check(
        of(vec![5, -5, 0, 12345, most], 2),
        &["0.05", "-0.05", "0.00", "123.45", "999999999999999999999999999999999999.99"],
    );
    check(of(vec![7, -7], 0), &["7", "-7"]);
    check(Decimal32Array::from(vec![-1]).with_precision_and_scale(9, 3).unwrap(), &["-0.001"]);
    check(Decimal64Array::from(vec![15]).with_precision_and_scale(18, 1).unwrap(), &["1.5"]);
    let wide = arrow::datatypes::i256::from_i128(most);
    check(
        Decimal256Array::from(vec![wide]).with_precision_and_scale(76, 40).unwrap(),
        &["0.0099999999999999999999999999999999999999"],
    );
    let batch = batch(vec![("v", Arc::new(of(vec![12, -3, 0], -3)))]);
    assert_eq!(lines(&file_of(&batch)).0, "{\"v\":12000}\n{\"v\":-3000}\n{\"v\":0}\n");
}

#[test]
fn strings_are_quoted_and_bytes_are_base64() {
    let texts = vec![Some("plain"), Some("\"\\\n\u{1}é"), None, Some("a longer text than a view holds")];
    let expected = ["\"plain\"", "\"\\\"\\\\\\n\\u0001é\"", "null", "\"a longer text than a view holds\""];
    check(StringArray::from(texts.clone()), &expected);
    check(LargeStringArray::from(texts.clone()), &expected);
    check(StringViewArray::from(texts.clone()), &expected);
    check(texts.into_iter().collect::<DictionaryArray<Int8Type>>(), &expected);
    let bytes: Vec<Option<&[u8]>> = vec![Some(b"\0\xff"), None, Some(b"longer than a view holds")];
    let expected = ["\"AP8=\"", "null", "\"bG9uZ2VyIHRoYW4gYSB2aWV3IGhvbGRz\""];
    check(BinaryArray::from(bytes.clone()), &expected);
    check(LargeBinaryArray::from(bytes.clone()), &expected);
    check(BinaryViewArray::from_iter(bytes), &expected);
    check(FixedSizeBinaryArray::try_from_iter([[1_u8, 2, 3]].iter()).unwrap(), &["\"AQID\""]);
    let id = FixedSizeBinaryArray::try_from_iter([[0x1a_u8; 16]].iter()).unwrap();
    let field = Field::new("id", id.data_type().clone(), false)
        .with_metadata([("ARROW:extension:name".to_string(), "arrow.uuid".to_string())]);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(id)]).unwrap();
    assert_eq!(lines(&stream_of(&batch)).0, "{\"id\":\"1a1a1a1a-1a1a-1a1a-1a1a-1a1a1a1a1a1a\"}\n");
}

#[test]
fn times_are_text() {
    check(
        Date32Array::from(vec![Some(0), Some(19_000), Some(-1), None]),
        &["\"1970-01-01\"", "\"2022-01-08\"", "\"1969-12-31\"", "null"],
    );
    check(Date64Array::from(vec![86_400_000]), &["\"1970-01-02\""]);
    check(Time32SecondArray::from(vec![3_661]), &["\"01:01:01\""]);
    check(Time32MillisecondArray::from(vec![1_500]), &["\"00:00:01.500\""]);
    check(Time64MicrosecondArray::from(vec![1]), &["\"00:00:00.000001\""]);
    check(Time64NanosecondArray::from(vec![1]), &["\"00:00:00.000000001\""]);
    let zone = "Europe/Berlin";
    check(TimestampSecondArray::from(vec![0, -1]), &["\"1970-01-01T00:00:00\"", "\"1969-12-31T23:59:59\""]);
    check(
        TimestampMillisecondArray::from(vec![Some(1_500), None]).with_timezone("UTC"),
        &["\"1970-01-01T00:00:01.500Z\"", "null"],
    );
    check(
        TimestampMicrosecondArray::from(vec![-1]).with_timezone(zone),
        &["\"1969-12-31T23:59:59.999999Z\""],
    );
    check(
        TimestampNanosecondArray::from(vec![1_700_000_000_123_456_789]).with_timezone("+02:00"),
        &["\"2023-11-14T22:13:20.123456789Z\""],
    );
    check(TimestampNanosecondArray::from(vec![1]), &["\"1970-01-01T00:00:00.000000001\""]);
    let never = batch(vec![("v", Arc::new(TimestampSecondArray::from(vec![i64::MAX])))]);
    assert_eq!(lines(&file_of(&never)).0, "{\"v\":9223372036854775807}\n");
    check(DurationSecondArray::from(vec![2]), &["\"2s\""]);
    check(DurationMillisecondArray::from(vec![1_500]), &["\"1500ms\""]);
    check(DurationMicrosecondArray::from(vec![-3]), &["\"-3us\""]);
    check(DurationNanosecondArray::from(vec![4]), &["\"4ns\""]);
    check(IntervalYearMonthArray::from(vec![14, 0]), &["\"P14M\"", "\"PT0S\""]);
    check(IntervalDayTimeArray::from(vec![IntervalDayTime::new(3, -500)]), &["\"P3DT-0.5S\""]);
    check(
        IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3_000_000_001)]),
        &["\"P1M2DT3.000000001S\""],
    );
}

#[test]
fn lists_of_all_kinds_are_arrays() {
    let rows = vec![Some(vec![Some(1), None]), None, Some(vec![]), Some(vec![Some(2)])];
    let expected = ["[1,null]", "null", "[]", "[2]"];
    check(ListArray::from_iter_primitive::<Int32Type, _, _>(rows.clone()), &expected);
    check(LargeListArray::from_iter_primitive::<Int32Type, _, _>(rows.clone()), &expected);
    check(ListArray::from_iter_primitive::<Int32Type, _, _>(rows).slice(2, 2), &expected[2..]);
    let fixed = vec![Some(vec![Some(1), Some(2)]), None, Some(vec![Some(3), None])];
    check(
        FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(fixed.clone(), 2),
        &["[1,2]", "null", "[3,null]"],
    );
    check(FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(fixed, 2).slice(2, 1), &["[3,null]"]);
    let item = Arc::new(Field::new("item", DataType::Int32, true));
    let values: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let nulls = Some(NullBuffer::from(vec![true, false, true]));
    let view = ListViewArray::new(
        item.clone(),
        vec![1, 0, 0].into(),
        vec![2, 0, 2].into(),
        values.clone(),
        nulls.clone(),
    );
    check(view, &["[2,3]", "null", "[1,2]"]);
    let view = LargeListViewArray::new(item, vec![1, 0, 0].into(), vec![2, 0, 2].into(), values, nulls);
    check(view, &["[2,3]", "null", "[1,2]"]);
}

#[test]
fn structs_and_maps_are_objects() {
    let inner: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "z"]));
    let fields: Fields =
        vec![Field::new("n", DataType::Int32, true), Field::new("t\"", DataType::Utf8, true)].into();
    let nulls = Some(NullBuffer::from(vec![true, true, false]));
    let array = StructArray::new(fields, vec![inner, text], nulls);
    check(array.clone(), &["{\"n\":1,\"t\\\"\":\"x\"}", "{\"n\":null,\"t\\\"\":\"y\"}", "null"]);
    check(array.slice(1, 2), &["{\"n\":null,\"t\\\"\":\"y\"}", "null"]);
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    maps.keys().append_value("a");
    maps.values().append_value(1);
    maps.keys().append_value("b");
    maps.values().append_null();
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    maps.append(true).unwrap();
    check(maps.finish(), &["{\"a\":1,\"b\":null}", "null", "{}"]);
    let mut maps = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    maps.keys().append_value(7);
    maps.values().append_value("x");
    maps.append(true).unwrap();
    check(maps.finish(), &["[{\"key\":7,\"value\":\"x\"}]"]);
}

#[test]
fn dictionaries_runs_and_unions_give_their_values() {
    let keys = Int32Array::from(vec![Some(1), None, Some(0), Some(1)]);
    let values: ArrayRef = Arc::new(StringArray::from(vec![None, Some("b")]));
    check(DictionaryArray::new(keys, values), &["\"b\"", "null", "null", "\"b\""]);
    let empty: ArrayRef = Arc::new(StringArray::from(Vec::<&str>::new()));
    check(DictionaryArray::new(UInt8Array::from(vec![None, None]), empty), &["null", "null"]);
    let values = StringArray::from(vec![Some("a"), None, Some("c")]);
    let runs = RunArray::try_new(&Int32Array::from(vec![2, 3, 5]), &values).unwrap();
    check(runs, &["\"a\"", "\"a\"", "null", "\"c\"", "\"c\""]);
    let runs = RunArray::try_new(&Int16Array::from(vec![1, 2]), &Int64Array::from(vec![7, 8])).unwrap();
    check(runs, &["7", "8"]);
    let fields = UnionFields::try_new(
        [0, 5],
        [Field::new("n", DataType::Int32, true), Field::new("t", DataType::Utf8, true)],
    )
    .unwrap();
    let children: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(vec![Some(1), None])), Arc::new(StringArray::from(vec!["x"]))];
    let ids = ScalarBuffer::from(vec![0_i8, 5, 0]);
    let dense = UnionArray::try_new(fields.clone(), ids, Some(vec![0, 0, 1].into()), children).unwrap();
    check(dense, &["1", "\"x\"", "null"]);
    let children: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(vec![1, 2])), Arc::new(StringArray::from(vec!["x", "y"]))];
    let sparse = UnionArray::try_new(fields, vec![5_i8, 0].into(), None, children).unwrap();
    check(sparse, &["\"x\"", "2"]);
}

#[test]
fn names_that_stand_twice_keep_their_values() {
    let one = || -> ArrayRef { Arc::new(Int32Array::from(vec![1])) };
    let batch = batch(vec![("a", one()), ("a", one()), ("a_2", one()), ("a", one()), ("\n", one())]);
    let expected = "{\"a\":1,\"a_3\":1,\"a_2\":1,\"a_4\":1,\"\\n\":1}\n";
    assert_eq!(lines(&file_of(&batch)), (expected.to_string(), None));
}

#[test]
fn deep_nesting_is_refused_or_read() {
    for (depth, fine) in [(20, true), (63, false), (100, false)] {
        let mut array: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        for _ in 0..depth {
            let item = Arc::new(Field::new("item", array.data_type().clone(), true));
            array = Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([1]), array, None));
        }
        let batch = batch(vec![("v", array)]);
        assert_eq!(lines(&stream_of(&batch)).1.is_none(), fine, "{depth}");
    }
}

#[test]
fn many_rows_come_in_blocks_of_whole_lines() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..400_000));
    let texts: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..400_000).map(|row| format!("message {row}"))));
    let batch = batch(vec![("n", numbers), ("t", texts)]);
    let expected: String =
        (0..400_000).map(|row| format!("{{\"n\":{row},\"t\":\"message {row}\"}}\n")).collect();
    for bytes in [parquet_of(&batch, WriterProperties::default()), stream_of(&batch)] {
        let file = spool(&bytes[..]).unwrap();
        let mut reader = ColumnarReader::open(file, is_columnar(&bytes).unwrap(), "input").unwrap();
        let mut text = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            assert!(block.len() < BLOCK_BYTES + 100 && block.ends_with(b"\n"));
            text.extend_from_slice(&block);
        }
        assert!(text == expected.as_bytes());
    }
    let mut piped = ColumnarReader::stream(Box::new(std::io::Cursor::new(stream_of(&batch))), "-").unwrap();
    assert!(expected.as_bytes().starts_with(&piped.next_block().unwrap().unwrap()));
}

#[test]
fn repeated_long_strings_take_little_memory_at_once() {
    let long = "x".repeat(1 << 18);
    let mut texts = StringViewBuilder::new().with_deduplicate_strings();
    (0..300).for_each(|_| texts.append_value(&long));
    let texts: ArrayRef = Arc::new(texts.finish());
    let properties = WriterProperties::builder().set_dictionary_page_size_limit(4 << 20).build();
    let bytes = parquet_of(&batch(vec![("t", texts)]), properties);
    assert!(bytes.len() < 4 << 20);
    let mut reader = ColumnarReader::open(spool(&bytes[..]).unwrap(), Format::Parquet, "input").unwrap();
    let block = reader.next_block().unwrap().unwrap();
    assert!(block.len() < 5 << 20);
    let Some(Rows { .. }) = &reader.rows else { panic!("rows are left") };
}

#[test]
fn what_this_build_cannot_read_is_named() {
    let text = batch(vec![("t", Arc::new(StringArray::from(vec!["x"])))]);
    let bytes = parquet_of(&text, WriterProperties::builder().build());
    let mut encrypted = bytes.clone();
    let end = encrypted.len();
    encrypted[..4].copy_from_slice(b"PARE");
    encrypted[end - 4..].copy_from_slice(b"PARE");
    assert!(lines(&encrypted).1.unwrap().contains("encrypted"), "{:?}", lines(&encrypted));
    let told = lines(&bytes[..bytes.len() - 1]).1.unwrap();
    assert!(told.starts_with("cannot read `input` as Parquet: "), "{told}");
    assert_eq!(lines(b"PAR1").0, "");
    for start in [
        &b""[..],
        b"PAR",
        b"ARROW1",
        b"\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\x05\0\0\0abcdefgh",
        b"{\"a\":1}",
    ] {
        assert_eq!(is_columnar(start), None);
    }
    assert_eq!(is_columnar(&stream_of(&text)[..20]), Some(Format::Arrow));
}

fn sample() -> RecordBatch {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1)]), None]);
    batch(vec![
        ("n", Arc::new(Int64Array::from(vec![1, 2]))),
        ("t", Arc::new(StringArray::from(vec!["one", "two"]))),
        ("d", Arc::new(vec!["x", "y"].into_iter().collect::<DictionaryArray<Int8Type>>())),
        ("l", Arc::new(lists)),
        ("m", Arc::new(maps.finish())),
    ])
}

#[test]
fn files_cut_anywhere_are_errors_or_whole_rows() {
    let whole = lines(&stream_of(&sample())).0;
    for bytes in
        [parquet_of(&sample(), WriterProperties::default()), file_of(&sample()), stream_of(&sample())]
    {
        for length in 8..bytes.len() {
            let (text, _) = lines(&bytes[..length]);
            assert!(text.is_empty() || whole.starts_with(&text), "{length}");
        }
    }
}

#[test]
fn damaged_files_do_no_harm() {
    for bytes in
        [parquet_of(&sample(), WriterProperties::default()), file_of(&sample()), stream_of(&sample())]
    {
        for place in 0..bytes.len() {
            for bit in [0, 7] {
                let mut damaged = bytes.clone();
                damaged[place] ^= 1 << bit;
                for line in lines(&damaged).0.lines() {
                    serde_json::from_str::<serde_json::Value>(line).unwrap();
                }
            }
        }
    }
}

#[test]
fn what_is_spooled_has_no_name() {
    let mut file = spool(&b"text"[..]).unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "text");
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().unwrap();
    assert_eq!((metadata.nlink(), metadata.mode() & 0o777), (0, 0o600));
    file.write_all(b"more").unwrap();
}

/// A file without rows whose one column is in so many groups.
fn nested_groups(depth: usize) -> Vec<u8> {
    use parquet::basic::{Repetition, Type as Physical};
    use parquet::schema::types::Type;
    let mut inner = Type::primitive_type_builder("v", Physical::INT32).build().unwrap();
    for number in 0..depth {
        let name = if number + 1 == depth { "schema" } else { "g" };
        let group = Type::group_type_builder(name).with_fields(vec![Arc::new(inner)]);
        inner = group.with_repetition(Repetition::REQUIRED).build().unwrap();
    }
    let writer =
        parquet::file::writer::SerializedFileWriter::new(Vec::new(), Arc::new(inner), Default::default())
            .unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn deep_groups_are_refused_before_they_are_read() {
    let write = || [1, 60, 130, 131, 3_000].map(nested_groups);
    let deep = std::thread::Builder::new().stack_size(1 << 30).spawn(write).unwrap().join().unwrap();
    for (bytes, error) in deep.iter().zip([false, false, false, true, true]) {
        let told =
            "cannot read `input` as Parquet: Schema error: columns are nested more than 130 deep".to_string();
        assert_eq!(lines(bytes), (String::new(), error.then_some(told)));
    }
}

#[test]
fn a_panic_in_a_reader_is_an_error_and_is_known_as_such() {
    assert!(!panics_are_caught());
    assert_eq!(guarded(panics_are_caught), Some(true));
    assert_eq!(guarded(|| -> u8 { panic!("damaged") }), None);
    assert!(!panics_are_caught());
}
