//! Each format with real samples and the examples of its own specification: it is found by looking, what is named
//! with `--from` reads the same, and the events are as expected.

use crate::support::{World, check_receipt, counts, data, from, normal};
use daybook::{Format, IngestOptions, Input, Receipt};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;

/// A receipt, what the input holds as columns, and what could not be read.
fn story(world: &World, receipt: &Receipt) -> String {
    let mut story = String::new();
    for input in &receipt.inputs {
        let format = input.format.unwrap_or("none");
        writeln!(story, "{format}: {:?} of {} lines", counts(receipt), input.lines).unwrap();
        input.notes.iter().for_each(|note| writeln!(story, "note: {note}").unwrap());
        input.error.iter().for_each(|error| writeln!(story, "error: {error}").unwrap());
    }
    for mut event in world.events() {
        event.as_object_mut().unwrap().remove("seq");
        writeln!(story, "{event}").unwrap();
    }
    for reject in world.quarantined("byte_offset, reason, coalesce(raw, raw_base64)") {
        writeln!(story, "quarantined: {reject}").unwrap();
    }
    story
}

fn check(file: &str, format: &str) {
    let bytes = data(&format!("formats/{file}"));
    let world = World::new();
    let explained =
        world.store.explain(Input::File(world.file(file, &bytes)), &IngestOptions::default()).unwrap();
    assert_eq!(explained[0].format, format, "{file}: {:?}", explained[0].because);
    assert!(explained[0].sure.is_some_and(|sure| sure > 5), "{file}: {:?}", explained[0]);
    let receipt = world.ingest(file, &bytes);
    world.check_counts(&receipt);
    assert_eq!(explained[0].records, receipt.records, "{file}");
    assert_eq!(explained[0].quarantined, receipt.quarantined, "{file}");
    let found = story(&world, &receipt);

    for name in Format::from_name(format).unwrap().names() {
        let world = World::new();
        let receipt = world.ingest_as(file, &bytes, &from(name));
        assert_eq!(story(&world, &receipt), found, "{file} --from {name}");
    }
    insta::assert_snapshot!(file, found);
}

/// The files under `data/formats`, and the format that each has.
const FILES: [(&str, &str); 22] = [
    ("real.jsonl", "jsonl"),
    ("array.json", "json"),
    ("cloudtrail.json", "json"),
    ("concatenated.json", "json"),
    ("rows.csv", "csv"),
    ("rows.tsv", "csv"),
    ("semicolons.csv", "csv"),
    ("copy.csv", "csv"),
    ("plain.copy", "copy"),
    ("logfmt.log", "logfmt"),
    ("syslog_bsd.log", "syslog"),
    ("syslog_5424.log", "syslog"),
    ("common.log", "access"),
    ("combined.log", "access"),
    ("docker.log", "docker"),
    ("cri.log", "cri"),
    ("journal.export", "journal"),
    ("journal.json", "journal-json"),
    ("otel.jsonl", "otel"),
    ("traces.log", "text"),
    ("python.log", "text"),
    ("lines.txt", "text"),
];

#[test]
fn samples_of_each_format_are_what_they_should_be() {
    let mut failed = Vec::new();
    for (file, format) in FILES {
        if std::panic::catch_unwind(|| check(file, format)).is_err() {
            failed.push(file);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

const LINES: usize = 3_000;

fn lines() -> Vec<u8> {
    let line =
        |number: usize| format!("{{\"ts\":{},\"n\":{number},\"kind\":\"a\"}}\n", 1_770_112_800 + number);
    (0..LINES).map(line).collect::<String>().into_bytes()
}

/// Compressed in each way, as one member and as several.
fn compressed() -> Vec<(&'static str, Vec<u8>)> {
    let lines = lines();
    let (first, second) = lines.split_at(lines.len() / 3);
    let gzip = |bytes: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let bzip2 = |bytes: &[u8]| {
        let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    vec![
        ("plain", lines.clone()),
        ("gz", gzip(&lines)),
        ("zst", zstd(&lines)),
        ("bz2", bzip2(&lines)),
        ("several.gz", [gzip(first), gzip(b""), gzip(second)].concat()),
        ("several.zst", [zstd(first), zstd(second)].concat()),
        ("several.bz2", [bzip2(first), bzip2(second)].concat()),
    ]
}

#[test]
fn compressed_inputs_are_their_content() {
    for (name, bytes) in compressed() {
        let world = World::new();
        let receipt = world.ingest(name, bytes);
        assert_eq!(counts(&receipt), [LINES as u64, LINES as u64, 0, 0], "{name}");
        assert_eq!(receipt.bytes, lines().len() as u64, "{name}");
        assert_eq!(world.number("SELECT count(DISTINCT n) FROM events"), LINES as i64, "{name}");
    }
    let world = World::new();
    let receipt = world.ingest("two.xz", [data("formats/one.xz"), data("formats/one.xz")].concat());
    assert_eq!(counts(&receipt), [2, 2, 0, 0]);
    // Once one is known, the others are, whatever they are called.
    let world = World::new();
    for (number, (name, bytes)) in compressed().into_iter().enumerate() {
        let all = LINES as u64;
        let expected = if number == 0 { [all, all, 0, 0] } else { [all, 0, all, 0] };
        assert_eq!(counts(&world.ingest(name, bytes)), expected, "{name}");
    }
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mtime(crate::support::WRITTEN_S);
        header.set_cksum();
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

#[test]
fn folders_patterns_and_archives_are_all_their_files() {
    let members: [(&str, &[u8]); 4] = [
        ("a.jsonl", b"{\"kind\":\"a\"}\n"),
        ("deep/er/b.log", b"ts=2026-02-03T10:00:00Z level=info msg=b\n"),
        ("deep/c.csv", b"time,kind\n2026-02-03,c\n2026-02-04,c2\n"),
        ("deep/empty.log", b""),
    ];
    let world = World::new();
    for (name, bytes) in members {
        world.file(&format!("in/{name}"), bytes);
    }
    let place = world.folder.path().join("files");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&tar(&members)).unwrap();
    let names: [(&str, [u64; 4]); 6] = [
        ("in", [4, 4, 0, 0]),
        ("in/**/*.log", [1, 0, 1, 0]),
        ("in/deep/?.csv", [2, 0, 2, 0]),
        ("in/*", [4, 0, 4, 0]),
        ("all.tar", [4, 0, 4, 0]),
        ("all.tar.gz", [4, 0, 4, 0]),
    ];
    world.file("all.tar", tar(&members));
    world.file("all.tar.gz", gz.finish().unwrap());
    for (name, expected) in names {
        let receipt = world.try_ingest(&[place.join(name)], &IngestOptions::default()).unwrap();
        assert_eq!(counts(&receipt), expected, "{name}: {receipt:#?}");
        assert!(!receipt.has_errors(), "{name}: {receipt:#?}");
    }
    assert_eq!(world.texts("SELECT coalesce(kind, message) FROM events ORDER BY 1"), ["a", "b", "c", "c2"]);
    let world = World::new();
    let receipt = world.ingest("new.tar", tar(&members));
    let inputs: Vec<&str> =
        receipt.inputs.iter().map(|input| input.input.rsplit_once(".tar/").unwrap().1).collect();
    assert_eq!(inputs, ["a.jsonl", "deep/er/b.log", "deep/c.csv", "deep/empty.log"]);
    assert_eq!(counts(&receipt), [4, 4, 0, 0]);
}

#[test]
fn an_archive_that_is_cut_short_keeps_its_whole_records() {
    let line = "{\"kind\":\"x\"}\n".repeat(2_000);
    let archive = tar(&[("a.jsonl", line.as_bytes()), ("b.jsonl", &lines())]);
    let world = World::new();
    let receipt = world.ingest("cut.tar", &archive[..archive.len() / 2]);
    assert!(receipt.has_errors(), "{receipt:#?}");
    assert_eq!(receipt.inputs[0].stored, 2_000);
    assert!(receipt.quarantined <= 1 && receipt.stored > 2_000, "{receipt:#?}");
    world.check_counts(&receipt);
}

mod columnar {
    use super::*;
    use arrow::array::{
        ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
    };
    use arrow::datatypes::Int64Type;
    use std::sync::Arc;

    fn batch() -> RecordBatch {
        let times = TimestampMicrosecondArray::from(vec![1_770_112_800_000_000, 1_770_112_801_500_000])
            .with_timezone("UTC");
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), Some(2)]), None]);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("timestamp", Arc::new(times)),
            ("event_type", Arc::new(StringArray::from(vec![Some("sale"), Some("refund")]))),
            ("user_id", Arc::new(Int64Array::from(vec![Some(7), None]))),
            ("amount", Arc::new(Float64Array::from(vec![Some(12.5), Some(-0.25)]))),
            ("tags", Arc::new(lists)),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn parquet() -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut out, batch().schema(), None).unwrap();
        writer.write(&batch()).unwrap();
        writer.close().unwrap();
        out
    }

    fn arrow_file() -> Vec<u8> {
        let mut writer = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &batch().schema()).unwrap();
        writer.write(&batch()).unwrap();
        writer.into_inner().unwrap()
    }

    fn arrow_stream() -> Vec<u8> {
        let mut writer = arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &batch().schema()).unwrap();
        writer.write(&batch()).unwrap();
        writer.into_inner().unwrap()
    }

    #[test]
    fn columns_of_other_files_are_events() {
        let expected = [
            json!({"ts": "2026-02-03T10:00:00Z", "kind": "sale", "actor": "7", "amount": 12.5, "tags": [1, 2]}),
            json!({"ts": "2026-02-03T10:00:01.500Z", "kind": "refund", "actor": null, "amount": -0.25, "tags": null}),
        ];
        for (format, name, bytes) in [
            ("parquet", "x", parquet()),
            ("arrow", "file", arrow_file()),
            ("arrow", "stream", arrow_stream()),
        ] {
            for compressed in [false, true] {
                for options in [IngestOptions::default(), from(format)] {
                    let bytes =
                        if compressed { zstd::encode_all(&bytes[..], 1).unwrap() } else { bytes.clone() };
                    let world = World::new();
                    let receipt = world.ingest_as(name, bytes, &options);
                    assert_eq!(receipt.inputs[0].format, Some(format), "{receipt:#?}");
                    assert_eq!(counts(&receipt), [2, 2, 0, 0], "{format}, {name}");
                    for (event, expected) in world.events().iter().zip(&expected) {
                        for (column, value) in expected.as_object().unwrap() {
                            assert_eq!(normal(&event[column]), normal(value), "{name}: {event}");
                        }
                    }
                    let again =
                        world.try_ingest(&[world.folder.path().join("files").join(name)], &options).unwrap();
                    assert_eq!(counts(&again), [2, 0, 2, 0]);
                }
            }
        }
    }

    #[test]
    fn what_is_no_such_file_is_said_and_not_stored() {
        let world = World::new();
        for (name, bytes) in [("cut.parquet", &parquet()[..100]), ("cut.arrow", &arrow_file()[..100])] {
            let receipt = world.ingest(name, bytes);
            assert!(
                receipt.inputs[0].error.as_ref().is_some_and(|error| error.contains(name)),
                "{receipt:#?}"
            );
            assert_eq!(receipt.stored, 0);
        }
        let text = world.ingest_as("text.parquet", b"{\"a\":1}\n", &from("parquet"));
        check_receipt(&text);
        assert!(text.inputs[0].error.as_ref().is_some_and(|error| error.contains("parquet")), "{text:#?}");
        // A format of text does not make text of columns: the receipt says what they are.
        let columns = world.ingest_as("columns", parquet(), &from("jsonl"));
        assert_eq!((columns.inputs[0].format, columns.stored), (Some("parquet"), 2));
    }

    #[test]
    fn explaining_columns_shows_them() {
        let world = World::new();
        let explained =
            world.store.explain(Input::File(world.file("x", parquet())), &IngestOptions::default()).unwrap();
        assert_eq!((explained[0].format, explained[0].records), ("parquet", 2));
        assert!(explained[0].events.iter().any(|event: &Value| event["kind"] == "refund"));
    }
}

#[test]
fn the_number_of_a_severity_decides_and_the_text_is_the_level() {
    let world = World::new();
    let records = [
        r#"{"severityText":"Weird","severityNumber":18,"body":{"stringValue":"a"}}"#,
        r#"{"severityText":"INFO","severityNumber":1,"body":{"stringValue":"b"}}"#,
        r#"{"severityText":"WARN","body":{"stringValue":"c"}}"#,
        r#"{"severityNumber":24,"body":{"stringValue":"d"}}"#,
        r#"{"severityText":"WARN","severityNumber":99,"body":{"stringValue":"e"}}"#,
    ];
    let text =
        format!("{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{}]}}]}}]}}\n", records.join(","));
    world.ingest("a.json", &text);
    assert_eq!(
        world.texts("SELECT concat(message, ' ', level, ' ', severity) FROM events ORDER BY message"),
        ["a Weird 18", "b INFO 1", "c WARN 13", "d 24 24", "e WARN 13"]
    );
}

#[test]
fn what_stands_beside_the_records_is_named_before_and_after() {
    let world = World::new();
    let records = "{\"time\":\"2026-02-03\",\"kind\":\"a\"}";
    let text = format!("{{\"total\":1,\"limit\":50,\"items\":[{records}],\"next_cursor\":\"x\"}}");
    let expected = ["other fields of the wrapper are not stored: total, limit, next_cursor"];
    let explained = world.store.explain(Input::File(world.file("a.json", &text)), &IngestOptions::default());
    assert_eq!(explained.unwrap()[0].notes, expected);
    let receipt = world.ingest("a.json", &text);
    assert_eq!(
        (counts(&receipt), &receipt.inputs[0].notes[..]),
        ([1, 1, 0, 0], &expected.map(String::from)[..])
    );
}
