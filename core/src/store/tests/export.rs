//! Exports in every format, of some events, and what stops them.

use super::*;
use crate::ingest::progress::{NoProgress, Step};
use crate::output::OutputFormat;
use crate::query::filter::Context;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

fn filled() -> (Fixture, Store) {
    let fixture = Fixture::new("");
    let store = fixture.store();
    ingest(
        &store,
        "{\"ts\":\"2026-02-01T00:00:00Z\",\"kind\":\"a\",\"n\":1,\"x\":1}\n\
         {\"ts\":\"2026-02-02T00:00:00Z\",\"kind\":\"b\",\"n\":2,\"x\":\"two\",\"note\":\"=1+1\"}\n\
         {\"ts\":\"2026-02-03T00:00:00Z\",\"kind\":\"a\",\"n\":3,\"x\":\"three\",\"list\":[1,2]}\n",
    );
    append(&store, 4..5);
    (fixture, store)
}

fn exported(store: &Store, request: &ExportRequest) -> (String, u64) {
    let mut out = Vec::new();
    let events = store.export(request, &mut out, &NoProgress).unwrap();
    (String::from_utf8_lossy(&out).into_owned(), events)
}

fn request(format: OutputFormat, filter: &str) -> ExportRequest {
    let filter = Filter::parse(filter, &Context::new(START_US)).unwrap();
    ExportRequest { format, filter: Some(filter), ..ExportRequest::default() }
}

#[test]
fn json_is_one_array_or_one_object_a_line() {
    let (_fixture, store) = filled();
    let (text, events) = exported(&store, &request(OutputFormat::Json, "*"));
    let array: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!((array.len(), events), (4, 4));
    let (text, _) = exported(&store, &request(OutputFormat::JsonLines, "*"));
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, array);
    assert_eq!(exported(&store, &request(OutputFormat::Json, "kind:none")).0, "[]\n");
    assert_eq!(exported(&store, &request(OutputFormat::JsonLines, "kind:none")), (String::new(), 0));
}

#[test]
fn a_filter_chooses_events_from_files_and_from_the_log() {
    let (_fixture, store) = filled();
    let count = |filter: &str| exported(&store, &request(OutputFormat::JsonLines, filter)).1;
    assert_eq!(count("kind:a"), 2);
    assert_eq!(count("n>=3"), 2);
    assert_eq!(count("until:2026-02-02"), 1);
    assert_eq!(count("since:2026-02-02 kind:a"), 1);
    assert_eq!(count("x:two"), 1);
    let wrong = Filter::parse("knid:a", &Context::new(START_US)).unwrap();
    let wrong = ExportRequest { filter: Some(wrong), ..ExportRequest::default() };
    let error = store.export(&wrong, &mut Vec::new(), &NoProgress).unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Syntax, Some("did you mean `kind`?")));
}

/// A field of mixed type is found as queries see it, and written as its producer did.
#[test]
fn producers_own_records_can_be_chosen_by_any_field() {
    let (_fixture, store) = filled();
    let original = |filter| ExportRequest { original: true, ..request(OutputFormat::JsonLines, filter) };
    let (text, _) = exported(&store, &original("x:1"));
    assert_eq!(text, "{\"kind\":\"a\",\"n\":1,\"ts\":\"2026-02-01T00:00:00Z\",\"x\":1}\n");
    let (text, events) = exported(&store, &original("x:two,three"));
    assert_eq!(events, 2, "{text}");
    let refused = ExportRequest { format: OutputFormat::Csv, ..original("*") };
    let error = store.export(&refused, &mut Vec::new(), &NoProgress).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn csv_is_safe_unless_it_is_to_be_raw() {
    let (_fixture, store) = filled();
    let safe = request(OutputFormat::Csv, "kind:b");
    let (text, events) = exported(&store, &safe);
    assert_eq!((text.lines().count(), events), (2, 1));
    assert!(text.starts_with("seq,ts,") && text.contains(",'=1+1"), "{text}");
    let (text, _) = exported(&store, &ExportRequest { raw_csv: true, ..safe });
    assert!(text.contains(",=1+1"), "{text}");
}

#[test]
fn parquet_and_arrow_have_instants_in_utc_and_every_column() {
    let (_fixture, store) = filled();
    let mut out = Vec::new();
    let parquet = request(OutputFormat::Parquet, "*");
    assert_eq!(store.export(&parquet, &mut out, &NoProgress).unwrap(), 4);
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(out)).unwrap();
    let schema = reader.schema().clone();
    assert_eq!(schema.field_with_name("ts").unwrap().data_type().to_string(), "Timestamp(µs, \"UTC\")");
    assert!(schema.field_with_name("list").is_ok() && schema.field_with_name("day").is_err());
    assert_eq!(reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 4);
    let mut out = Vec::new();
    store.export(&request(OutputFormat::Arrow, "kind:none"), &mut out, &NoProgress).unwrap();
    let reader = arrow::ipc::reader::FileReader::try_new(std::io::Cursor::new(out), None).unwrap();
    assert_eq!(reader.schema().fields().len(), schema.fields().len());
}

/// What was written when it is stopped does not look whole.
#[test]
fn an_export_that_is_stopped_ends_with_an_error() {
    struct Stops<'a>(&'a Store);
    impl Progress for Stops<'_> {
        fn update(&self, _now: &Step<'_>) {
            self.0.interrupter().interrupt();
        }
    }
    let (_fixture, store) = filled();
    let mut out = Vec::new();
    let error = store.export(&request(OutputFormat::Json, "*"), &mut out, &Stops(&store)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(serde_json::from_slice::<serde_json::Value>(&out).is_err());
}

/// Files that a condition on time excludes are not opened, and row groups of the others are left out.
#[test]
fn a_filter_on_time_opens_few_files() {
    let (_fixture, store) = filled();
    store.seal().unwrap();
    let files_read = |condition: &str| {
        let sql = format!("EXPLAIN ANALYZE SELECT kind FROM events WHERE {condition}");
        let batches = store.query(&QueryRequest::new(sql)).unwrap().map(|batch| batch.unwrap());
        let plan: String =
            batches.map(|batch| batch.column(1).as_string::<i32>().value(0).to_string()).collect();
        let (_, count) = plan.split_once("Total Files Read:").expect(&plan);
        count.split_whitespace().next().unwrap().parse::<usize>().unwrap()
    };
    let (of_day, all) = (files_read("ts < TIMESTAMP '2026-02-02'"), files_read("kind = 'a'"));
    assert!(of_day < all && all == store.info().unwrap().files as usize, "{of_day} of {all}");
}

#[test]
fn of_a_large_store_the_newest_events_tell_what_columns_hold() {
    let (_fixture, store) = filled();
    let of = |report: &SchemaReport, name: &str| {
        let column = report.columns.iter().find(|column| column.name == name).unwrap();
        (column.events, column.share, column.distinct)
    };
    let whole = store.schema().unwrap();
    assert_eq!((whole.events, whole.sampled), (4, None));
    assert_eq!(of(&whole, "kind"), (4, 1.0, 3));
    // The newest day, and what is not yet in files.
    let sampled = reports::schema_from(&store.tables, 3, 1).unwrap();
    assert_eq!((sampled.events, sampled.sampled), (4, Some(2)));
    assert_eq!(of(&sampled, "list"), (1, 0.5, 1));
    assert_eq!(of(&sampled, "note"), (0, 0.0, 0));
    assert_eq!(reports::schema_from(&store.tables, 4, 1).unwrap().sampled, None);
}

#[test]
fn a_typo_in_sql_is_answered_with_what_is_close() {
    let (_fixture, store) = filled();
    let hint = |sql: &str| store.query(&QueryRequest::new(sql)).unwrap_err().hint().map(str::to_string);
    assert_eq!(hint("SELECT knd FROM events").as_deref(), Some("did you mean `kind`?"));
    assert_eq!(hint("SELECT * FROM evnts").as_deref(), Some("did you mean `events`?"));
    assert_eq!(hint("SELECT * FROM comits").as_deref(), Some("did you mean `commits`?"));
    assert_eq!(
        hint("SELECT * FROM logs").as_deref(),
        Some("the tables are `events`, `quarantine`, `commits`, `templates`")
    );
    assert_eq!(
        hint("SELECT zzzzzzzz FROM events").as_deref(),
        Some("`daybook schema` lists the columns; text stands in single quotes")
    );
}
