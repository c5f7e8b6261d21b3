use super::*;
use crate::error::{Error, ErrorKind, Result};
use arrow::array::*;
use arrow::datatypes::{DataType, Field, IntervalMonthDayNano, Schema};
use arrow::ipc::reader::FileReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::io::Cursor;
use std::sync::Arc;

fn batch(rows: std::ops::Range<i64>) -> RecordBatch {
    let texts = rows.clone().map(|n| (n % 3 != 0).then(|| format!("=t{n}")));
    let spans = rows.clone().map(|n| Some(IntervalMonthDayNano::new(0, n as i32, 0)));
    RecordBatch::try_from_iter_with_nullable(vec![
        ("n", Arc::new(rows.collect::<Int64Array>()) as ArrayRef, true),
        ("t", Arc::new(texts.collect::<StringArray>()) as ArrayRef, true),
        ("t", Arc::new(spans.collect::<IntervalMonthDayNanoArray>()) as ArrayRef, true),
    ])
    .unwrap()
}

fn written(format: OutputFormat, batches: Vec<Result<RecordBatch>>) -> (Vec<u8>, Result<u64>) {
    let mut out = Vec::new();
    let schema = batch(0..0).schema();
    let options = OutputOptions::default();
    let rows = write_rows(&schema, batches.into_iter(), format, &options, &mut out, &mut |_| Ok(()));
    (out, rows)
}

fn text(format: OutputFormat, rows: i64) -> String {
    let (out, count) = written(format, vec![Ok(batch(0..rows))]);
    assert_eq!(count.unwrap(), rows as u64);
    String::from_utf8(out).unwrap()
}

#[test]
fn text_formats_write_rows_one_after_the_other() {
    let check = |format, rows, expected: &str| assert_eq!(text(format, rows), expected);
    check(
        OutputFormat::JsonLines,
        2,
        "{\"n\":0,\"t\":null,\"t_2\":\"PT0S\"}\n{\"n\":1,\"t\":\"=t1\",\"t_2\":\"P1D\"}\n",
    );
    check(
        OutputFormat::Json,
        2,
        "[\n{\"n\":0,\"t\":null,\"t_2\":\"PT0S\"},\n{\"n\":1,\"t\":\"=t1\",\"t_2\":\"P1D\"}\n]\n",
    );
    check(OutputFormat::Csv, 2, "n,t,t\r\n0,,PT0S\r\n1,'=t1,P1D\r\n");
    check(
        OutputFormat::Markdown,
        2,
        "| n | t | t |\n| ---: | --- | --- |\n| 0 |  | PT0S |\n| 1 | =t1 | P1D |\n",
    );
    check(OutputFormat::Json, 0, "[]\n");
    check(OutputFormat::JsonLines, 0, "");
    check(OutputFormat::Csv, 0, "n,t,t\r\n");
}

fn read_parquet(bytes: Vec<u8>) -> Result<(Vec<String>, usize), parquet::errors::ParquetError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))?.build()?;
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    let names = batches.first().map(|batch| names_of(&batch.schema())).unwrap_or_default();
    Ok((names, batches.iter().map(RecordBatch::num_rows).sum()))
}

fn read_arrow(bytes: Vec<u8>) -> Result<(Vec<String>, usize), arrow::error::ArrowError> {
    let reader = FileReader::try_new(Cursor::new(bytes), None)?;
    let names = names_of(&reader.schema());
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    Ok((names, batches.iter().map(RecordBatch::num_rows).sum()))
}

fn names_of(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| format!("{}: {}", field.name(), field.data_type())).collect()
}

#[test]
fn files_have_every_row_and_names_that_differ() {
    let batches = || vec![Ok(batch(0..1000)), Ok(batch(1000..5000))];
    let (parquet, rows) = written(OutputFormat::Parquet, batches());
    assert_eq!(rows.unwrap(), 5000);
    let expected = ["n: Int64", "t: Utf8", "t_2: Utf8"].map(str::to_string).to_vec();
    assert_eq!(read_parquet(parquet).unwrap(), (expected, 5000));
    let (arrow, rows) = written(OutputFormat::Arrow, batches());
    assert_eq!(rows.unwrap(), 5000);
    let expected = ["n: Int64", "t: Utf8", "t_2: Interval(MonthDayNano)"].map(str::to_string).to_vec();
    assert_eq!(read_arrow(arrow).unwrap(), (expected, 5000));
}

#[test]
fn files_without_rows_have_their_columns() {
    let (parquet, _) = written(OutputFormat::Parquet, Vec::new());
    let schema = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(parquet)).unwrap();
    assert_eq!(schema.schema().fields().len(), 3);
    let (arrow, _) = written(OutputFormat::Arrow, Vec::new());
    assert_eq!(read_arrow(arrow).unwrap().0.len(), 3);
}

/// In each format, what was written before a failure cannot be taken for the whole.
#[test]
fn a_failure_midway_never_looks_like_the_end() {
    for format in OutputFormat::ALL {
        let failed = Err(Error::new(ErrorKind::Corrupt, "a page is damaged"));
        let (out, rows) = written(format, vec![Ok(batch(0..200_000)), failed, Ok(batch(0..1))]);
        assert_eq!(rows.unwrap_err().kind(), ErrorKind::Corrupt, "{format:?}");
        assert!(!out.is_empty(), "{format:?}");
        match format {
            OutputFormat::Parquet => assert!(read_parquet(out).is_err()),
            OutputFormat::Arrow => assert!(read_arrow(out).is_err()),
            OutputFormat::Json => assert!(serde_json::from_slice::<serde_json::Value>(&out).is_err()),
            _ => {}
        }
    }
}

#[test]
fn whoever_watches_can_end_it() {
    let mut out = Vec::new();
    let batches = std::iter::repeat_with(|| Ok(batch(0..10)));
    let mut each = |rows| match rows {
        30 => Err(Error::new(ErrorKind::Interrupted, "enough")),
        _ => Ok(()),
    };
    let options = OutputOptions::default();
    let format = OutputFormat::Csv;
    let rows = write_rows(&batch(0..0).schema(), batches, format, &options, &mut out, &mut each);
    assert_eq!(rows.unwrap_err().kind(), ErrorKind::Interrupted);
}

#[test]
fn parquet_comes_out_a_row_group_at_a_time() {
    let mut out = Vec::new();
    let schema = batch(0..0).schema();
    let options = OutputOptions::default();
    let mut encoder = Encoder::new(OutputFormat::Parquet, &schema, &options, &mut out).unwrap();
    let mut largest = 0;
    for number in 0..100 {
        encoder.add(&batch(number * 5000..(number + 1) * 5000), &mut out).unwrap();
        largest = largest.max(out.len());
        out.clear();
    }
    assert!(largest > 1000, "nothing came out before the end");
    assert_eq!(encoder.end(&mut out).unwrap(), 500_000);
}

#[test]
fn every_format_has_a_name() {
    for format in OutputFormat::ALL {
        assert_eq!(OutputFormat::from_name(format.name()), Some(format));
    }
    assert_eq!(OutputFormat::from_name("xlsx"), None);
}

#[test]
fn types_without_a_form_in_parquet_become_text() {
    let field =
        Arc::new(Field::new("item", DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano), true));
    let mut spans = ListBuilder::new(IntervalMonthDayNanoBuilder::new()).with_field(field);
    spans.append_value([Some(IntervalMonthDayNano::new(1, 2, 3))]);
    let batch = RecordBatch::try_from_iter(vec![
        ("spans", Arc::new(spans.finish()) as ArrayRef),
        ("half", Arc::new(Time32SecondArray::from(vec![3600])) as ArrayRef),
        ("none", Arc::new(NullArray::new(1)) as ArrayRef),
    ])
    .unwrap();
    let mut out = Vec::new();
    let options = OutputOptions::default();
    let format = OutputFormat::Parquet;
    write_rows(&batch.schema(), [Ok(batch.clone())].into_iter(), format, &options, &mut out, &mut |_| Ok(()))
        .unwrap();
    let names = read_parquet(out).unwrap().0;
    assert_eq!(names, ["spans: Utf8", "half: Utf8", "none: Null"]);
}
