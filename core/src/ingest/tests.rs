//! Records through chunks, catalogue and Parquet, and back.

use super::batch::batch_of;
use super::parquet::Encoded;
use super::register::Register;
use super::table::{TableWriter, settle};
use crate::event::assemble::Assembler;
use crate::event::canonical::row_hashes;
use crate::event::catalogue::{COLUMNS_MAX, Catalogue};
use crate::event::column::ColumnType;
use crate::event::content::Contents;
use crate::event::shred::Shredder;
use crate::storage::LocalStorage;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

const ARRIVAL: i64 = 1_770_000_000_000_000;

/// A catalogue that covers the chunks, and the records as they come out of a data file.
struct Stored {
    catalogue: Catalogue,
    batches: Vec<RecordBatch>,
}

fn grow(catalogue: &mut Catalogue, shredded: &[crate::event::chunk::Chunk]) {
    let addition = catalogue.missing(shredded.iter()).unwrap();
    let reread = crate::event::catalogue::Addition::from_json(&addition.to_json(), "test").unwrap();
    catalogue.apply(&reread, catalogue.next_file()).unwrap();
    assert!(catalogue.missing(shredded.iter()).unwrap().is_empty());
}

/// Stores groups of records, each group a chunk of its own that grows the catalogue.
fn store(groups: &[&[String]], columns_max: usize) -> Stored {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(LocalStorage::new(folder.path()));
    let mut catalogue = Catalogue::new(columns_max);
    let mut writer = TableWriter::new(storage, "", Encoded::zstd(1), 2);
    let mut shredder = Shredder::default();
    let mut seq = 1;
    for group in groups {
        for record in *group {
            shredder.push(record.as_bytes(), ARRIVAL).unwrap_or_else(|reject| panic!("{record}: {reject}"));
        }
        let chunk = shredder.take();
        grow(&mut catalogue, std::slice::from_ref(&chunk));
        let seqs: Vec<i64> = (seq..seq + chunk.len() as i64).collect();
        seq += chunk.len() as i64;
        let settled = settle(vec![(chunk, seqs)], &catalogue).unwrap();
        assert_eq!(batch_of(&settled, catalogue.schema()).unwrap().num_rows(), group.len());
        writer.push(&settled, &catalogue, 0).unwrap();
    }
    let files = writer.finish(0).unwrap();
    let batches = files.iter().flat_map(|file| {
        let file = std::fs::File::open(folder.path().join(&file.path)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        reader.collect::<Result<Vec<_>, _>>().unwrap()
    });
    Stored { catalogue, batches: batches.collect() }
}

impl Stored {
    fn records(&self) -> Vec<(String, [u8; 32])> {
        let mut records = Vec::new();
        for batch in &self.batches {
            let assembler = Assembler::new(&batch.schema(), &self.catalogue);
            let mut contents = Contents::new(&batch.schema(), &self.catalogue);
            let hashes = contents.rows(batch).unwrap();
            for (row, hash) in hashes.iter().enumerate() {
                let mut record = Vec::new();
                assembler.original_into(batch, row, &mut record).unwrap();
                let mut shredder = Shredder::default();
                shredder.push(&record, ARRIVAL).unwrap();
                let record = String::from_utf8(record).unwrap();
                let content = shredder.take().content[0];
                let mut canonical = Vec::new();
                for leaf in contents.leaves(batch, row).unwrap() {
                    leaf.bytes_into(&mut canonical).unwrap();
                }
                assert_eq!(crate::event::canonical::hash(&canonical), content, "{record}");
                let numbers = |name: &str| batch.column_by_name(name).unwrap().clone();
                let seq = numbers("seq").as_primitive::<Int64Type>().value(row);
                let ts = numbers("ts").as_primitive::<TimestampMicrosecondType>().value(row);
                let expected = row_hashes(std::iter::once((seq, ts, &content)));
                assert_eq!(*hash, expected[0], "{record}");
                records.push((record, content));
            }
        }
        records
    }

    fn column(&self, name: &str) -> Option<ColumnType> {
        self.catalogue.schema().by_name(name).map(|column| column.column_type)
    }
}

fn content(record: &str) -> [u8; 32] {
    let mut shredder = Shredder::default();
    shredder.push(record.as_bytes(), ARRIVAL).unwrap();
    shredder.take().content[0]
}

/// Records come back equal, and hash to the same.
#[track_caller]
fn check_round_trip(groups: &[&[&str]]) -> Stored {
    let owned: Vec<Vec<String>> =
        groups.iter().map(|group| group.iter().map(|record| record.to_string()).collect()).collect();
    let groups: Vec<&[String]> = owned.iter().map(Vec::as_slice).collect();
    let stored = store(&groups, COLUMNS_MAX);
    compare(&owned.concat(), &stored);
    stored
}

#[track_caller]
fn compare(records: &[String], stored: &Stored) {
    let mut back = stored.records();
    for record in records {
        let expected: Value = serde_json::from_str(record).unwrap();
        let found = back.iter().position(|(text, hash)| {
            same(&serde_json::from_str(text).unwrap(), &expected) && *hash == content(record)
        });
        match found {
            Some(position) => drop(back.swap_remove(position)),
            None => panic!("{record} is not among {back:#?}"),
        }
    }
    assert!(back.is_empty(), "more came out than went in: {back:?}");
}

/// Equal as JSON, numbers by value.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[test]
fn a_number_today_and_a_string_tomorrow() {
    let stored =
        check_round_trip(&[&[r#"{"x":1}"#, r#"{"x":2}"#], &[r#"{"x":"a"}"#, r#"{"x":1.5}"#, r#"{"x":3.0}"#]]);
    assert_eq!(stored.column("x"), Some(ColumnType::Int64));
    let stored =
        check_round_trip(&[&[r#"{"x":1.5}"#], &[r#"{"x":2}"#, r#"{"x":9007199254740993}"#, r#"{"x":true}"#]]);
    assert_eq!(stored.column("x"), Some(ColumnType::Double));
    let stored = check_round_trip(&[&[
        r#"{"x":"1"}"#,
        r#"{"x":1}"#,
        r#"{"x":1.0}"#,
        r#"{"x":"2"}"#,
        r#"{"x":"1.0"}"#,
    ]]);
    assert_eq!(stored.column("x"), Some(ColumnType::Text));
}

#[test]
fn numbers_beyond_64_bits_keep_every_digit() {
    let records = [r#"{"x":123456789012345678901234567890}"#, r#"{"x":18446744073709551615}"#, r#"{"x":7}"#];
    let stored = check_round_trip(&[&records]);
    let texts: Vec<String> = stored.records().into_iter().map(|(text, _)| text).collect();
    for record in records {
        assert!(texts.iter().any(|text| text == record), "{record} in {texts:?}");
    }
    check_round_trip(&[&[
        r#"{"x":-9223372036854775808}"#,
        r#"{"x":9007199254740993}"#,
        r#"{"x":1e300}"#,
        r#"{"x":-0.0}"#,
    ]]);
}

#[test]
fn null_absent_and_empty_differ() {
    check_round_trip(&[&[
        r#"{"x":null}"#,
        r#"{}"#,
        r#"{"x":{}}"#,
        r#"{"x":[]}"#,
        r#"{"x":""}"#,
        r#"{"x":[null]}"#,
    ]]);
    check_round_trip(&[
        &[r#"{"a":{"b":null}}"#, r#"{"a":null}"#, r#"{"a":{"b":{}}}"#, r#"{"a":{}}"#],
        &[r#"{"a":{"b":1}}"#],
    ]);
    check_round_trip(&[&[
        r#"{"ts":null,"kind":null,"level":null}"#,
        r#"{"metadata":{}}"#,
        r#"{"before":null,"after":{}}"#,
    ]]);
}

#[test]
fn arrays() {
    let stored = check_round_trip(&[
        &[
            r#"{"a":[1,2]}"#,
            r#"{"a":[]}"#,
            r#"{"a":[null,3]}"#,
            r#"{"b":["x","y\n"]}"#,
            r#"{"c":[true,null]}"#,
        ],
        &[
            r#"{"a":[1.5]}"#,
            r#"{"a":["x"]}"#,
            r#"{"a":5}"#,
            r#"{"b":[1]}"#,
            r#"{"d":[0.5,1]}"#,
            r#"{"d":[9007199254740993,0.5]}"#,
        ],
        &[
            r#"{"e":[{"x":1},{"y":[2]}]}"#,
            r#"{"e":[[1],[2]]}"#,
            r#"{"e":[1,"x"]}"#,
            r#"{"a":[null]}"#,
            r#"{"e":[99999999999999999999]}"#,
        ],
    ]);
    assert_eq!(stored.column("a"), Some(ColumnType::Int64List));
    assert_eq!(stored.column("b"), Some(ColumnType::TextList));
    assert_eq!(stored.column("c"), Some(ColumnType::BoolList));
    assert_eq!(stored.column("d"), Some(ColumnType::DoubleList));
    assert_eq!(stored.column("e"), None);
}

#[test]
fn keys_of_every_kind() {
    check_round_trip(&[&[
        r#"{"a.b":1,"a":{"b":2},"a_b":3}"#,
        r#"{"a b":1,"a\"b":2,"a,;{}()=\tb":3,"😀":4,"":5}"#,
        r#"{"Key":1,"key":2,"KEY":3}"#,
        r#"{"seq":1,"ts":"2026-01-01T00:00:00Z","day":"x","shape":9,"rest":{"a":1},"recorded_at":2,"template":"t","severity":"high","level":"info"}"#,
        r#"{"\u0061":1,"b\/c":2,"Ärger":3}"#,
    ]]);
    check_round_trip(&[
        &[r#"{"seq":"x","severity":9}"#],
        &[r#"{"a":1}"#, r#"{"a":{"":{"":2}}}"#, r#"{"a":{"b.c":{"d":1}}}"#],
    ]);
}

#[test]
fn deep_nesting() {
    let deep = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    let stored = store(&[&[deep(100), deep(31), deep(32), deep(33)]], COLUMNS_MAX);
    compare(&[deep(100), deep(31), deep(32), deep(33)], &stored);
}

#[test]
fn more_keys_than_columns() {
    let records: Vec<String> = (0..50).map(|n| format!(r#"{{"k{n}":{n},"k{}":"x"}}"#, n + 50)).collect();
    let stored = store(&[&records[..25], &records[25..]], 10);
    compare(&records, &stored);
    assert_eq!(stored.catalogue.schema().columns().len(), 21 + 10);
    assert!(stored.catalogue.fields_in_rest().count() == 90);
}

#[test]
fn well_known_names_under_their_own_types() {
    check_round_trip(&[&[
        r#"{"timestamp":"2026-02-03T10:30:45.123456Z","user_id":12345,"event":true,"message":5.50,"status":200}"#,
        r#"{"ts":1770000000,"id":"x","actor":"a","user_id":7,"result":"ok","status":3,"outcome":"fine"}"#,
        r#"{"time":1770000000123,"duration":"1.5s","file_path":"/x/y","entity_type":"z"}"#,
        r#"{"time":"1770000000123456","duration_ms":12.5,"file_path":"/x/y"}"#,
        r#"{"log":{"level":"warn","x":1},"changes":{"before":{"a":[1]},"after":{"a":[2]},"other":3}}"#,
        r#"{"before":"old","after":null,"before_state":{"x":1},"user":{"name":"n"},"duration_ms":"5"}"#,
        r#"{"before":{},"after":[1,{"b":2}],"trace_id":"t","spanId":4,"duration_ms":1}"#,
        r#"{"created_at":"2026-02-03T10:30:45Z","time":"not read","date":"2026-02-04T00:00:00Z"}"#,
    ]]);
}

#[test]
fn of_repeated_keys_the_last_counts_and_the_others_are_in_rest() {
    let stored = store(&[&[r#"{"a":1,"b":{"c":1,"c":2},"a":"x"}"#.to_string()]], COLUMNS_MAX);
    let expected = json!({"a": "x", "b": {"c": 2}, "_repeated": {"a": [1], "b.c": [1]}});
    compare(&[expected.to_string()], &stored);
    assert!(stored.catalogue.schema().columns().iter().all(|column| !column.name.contains("repeated")));
}

/// Writers that meet new fields at the same moment, with different types, agree on one column each.
#[test]
fn writers_agree_on_columns() {
    let folder = tempfile::tempdir().unwrap();
    let values = ["1", "1.5", r#""x""#, "true", "[1]", r#"["x"]"#];
    let open = || Register::open(Arc::new(LocalStorage::new(folder.path())), COLUMNS_MAX).unwrap();
    let barrier = std::sync::Barrier::new(values.len());
    let catalogues: Vec<Arc<Catalogue>> = std::thread::scope(|scope| {
        let writer = |value: &'static str| {
            let (register, barrier) = (open(), &barrier);
            scope.spawn(move || {
                for round in 0..60 {
                    let mut shredder = Shredder::default();
                    shredder.push(format!(r#"{{"new{round}":{value}}}"#).as_bytes(), ARRIVAL).unwrap();
                    barrier.wait();
                    register.cover(&[shredder.take()]).unwrap();
                }
                register.latest().unwrap()
            })
        };
        let threads: Vec<_> = values.into_iter().map(writer).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let last = open().latest().unwrap();
    for round in 0..60 {
        let of = |catalogue: &Catalogue| catalogue.schema().by_name(&format!("new{round}")).cloned().unwrap();
        assert!(catalogues.iter().all(|catalogue| of(catalogue) == of(&last)), "round {round}");
        assert!(last.reads(&of(&last)).is_some(), "the other types are in `rest`");
    }
    assert!(last.next_file() > 64, "a complete file was among them");
}

/// Any JSON, with keys that often meet each other and the well-known ones.
fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-5i64..5).prop_map(Value::from),
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Value::from),
        (-4.0f64..4.0).prop_map(|x| Value::from((x * 2.0).round() / 2.0)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        any::<String>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any_key(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    let known = [
        "a",
        "b",
        "a.b",
        "A",
        "",
        "kind",
        "user_id",
        "level",
        "severity",
        "message",
        "metadata",
        "status",
        "before",
        "after",
        "changes",
        "log",
        "entity_type",
        "file_path",
        "duration",
        "duration_ms",
        "seq",
        "rest",
        "day",
        "id",
    ];
    prop_oneof![3 => prop::sample::select(known.to_vec()).prop_map(str::to_string), 1 => any::<String>()]
}

fn any_record() -> impl Strategy<Value = String> {
    prop::collection::vec((any_key(), any_json()), 0..6)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()).to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_object_comes_back(
        first in prop::collection::vec(any_record(), 1..5),
        second in prop::collection::vec(any_record(), 1..5),
    ) {
        let stored = store(&[&first, &second], 12);
        compare(&[first, second].concat(), &stored);
    }
}
