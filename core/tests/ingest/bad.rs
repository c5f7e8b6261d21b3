//! Bad input: each file is taken in as far as it can be, and what cannot be is kept and said.

use crate::support::{WRITTEN_S, World, counts, data, from};
use daybook::{Encoding, IngestOptions, Input, NoProgress};
use serde_json::json;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

#[test]
fn a_wrong_format_keeps_everything_with_its_reason() {
    let files = [
        ("rows.csv", "jsonl", "JSON"),
        ("combined.log", "syslog", "the line has neither a priority nor a timestamp ahead"),
        ("rows.csv", "access", "no time stands between brackets"),
        ("combined.log", "cri", ""),
        ("rows.csv", "json", ""),
        ("syslog_bsd.log", "logfmt", ""),
        ("rows.csv", "journal", ""),
    ];
    for (file, format, reason) in files {
        let world = World::new();
        let bytes = data(&format!("formats/{file}"));
        let receipt = world.ingest_as(file, &bytes, &from(format));
        world.check_counts(&receipt);
        assert!(receipt.quarantined > 0, "{file} as {format}: {receipt:#?}");
        let reasons = world.quarantined("reason");
        assert!(reasons[0].contains(reason), "{file} as {format}: {reasons:?}");
        let formats = world.texts("SELECT DISTINCT format FROM quarantine");
        assert_eq!(formats, [format]);
        // What was not read is all there, but for commas that stand between values of JSON.
        let kept = world.quarantined("raw").concat().replace(',', "");
        let is_lost = |line: &&&[u8]| !kept.contains(&String::from_utf8_lossy(line).replace(',', ""));
        let lost = lines(&bytes).iter().filter(is_lost).count() as u64;
        assert!(lost <= receipt.stored, "{file} as {format}: {lost} lines are lost");
    }
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn numbered(count: usize) -> Vec<u8> {
    let line =
        |number: usize| format!("{{\"kind\":\"a\",\"n\":{number},\"text\":\"{:x}\"}}\n", number * 7_919);
    (0..count).map(line).collect::<String>().into_bytes()
}

#[test]
fn a_gzip_cut_short_stores_its_whole_records_and_says_so() {
    const ALL: usize = 20_000;
    let whole = gzip(&numbered(ALL));
    for end in [whole.len() / 3, whole.len() - 9, whole.len() - 1] {
        let world = World::new();
        let receipt = world.ingest("a.jsonl.gz", &whole[..end]);
        world.check_counts(&receipt);
        let error = receipt.inputs[0].error.as_deref().unwrap_or_default();
        assert!(error.contains("a.jsonl.gz"), "{error}");
        assert!(receipt.quarantined <= 1 && receipt.stored > 1_000, "{receipt:#?}");
        let stored = receipt.stored as i64;
        assert_eq!(
            world.number("SELECT count(DISTINCT n) FROM events WHERE n < (SELECT count(*) FROM events)"),
            stored
        );
        // Mended, the rest comes, and nothing twice.
        let mended = world.ingest("a.jsonl.gz", &whole);
        assert!(!mended.has_errors());
        assert_eq!(mended.duplicate, receipt.stored, "{mended:#?}");
        assert_eq!(world.number("SELECT count(DISTINCT n) FROM events"), ALL as i64);
        assert_eq!(world.number("SELECT count(*) FROM events"), ALL as i64);
    }
}

#[test]
fn a_record_that_is_cut_off_is_no_event_whatever_the_format() {
    for (format, line) in [
        ("logfmt", "ts=2026-02-03T10:00:00Z level=info msg=\"it went well\" n="),
        ("syslog", "<34>1 2026-02-03T10:00:00Z host app - ID47 - it went well "),
        ("text", "2026-02-03 10:00:00 INFO it went well "),
    ] {
        const ALL: usize = 3_000;
        let text: String = (0..ALL).map(|number| format!("{line}{}\n", number * 7_919)).collect();
        let whole = gzip(text.as_bytes());
        let world = World::new();
        let receipt = world.ingest_as("a", &whole[..whole.len() / 2], &from(format));
        world.check_counts(&receipt);
        assert!(receipt.has_errors() && receipt.stored > 100, "{format}: {receipt:#?}");
        for kept in world.texts("SELECT concat(raw, '|', reason) FROM quarantine") {
            assert!(
                text.contains(kept.split('|').next().unwrap()) && kept.contains("cut off"),
                "{format}: {kept}"
            );
        }
        let mended = world.ingest_as("a", &whole, &from(format));
        assert_eq!(mended.stored + receipt.stored, ALL as u64, "{format}: {mended:#?}");
    }
}

#[test]
fn binary_files_are_no_events_and_not_lost() {
    let random: Vec<u8> =
        (0..20_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let png = [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0"[..], &random[..500]].concat();
    let elf = [&b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0"[..], &random[..4_000]].concat();
    for (name, bytes) in [
        ("random", &random[..]),
        ("a.png", &png),
        ("elf", &elf),
        ("zeros", &[0; 70_000]),
        ("newlines", &[b'\n'; 5_000]),
    ] {
        let world = World::new();
        let receipt = world.ingest(name, bytes);
        world.check_counts(&receipt);
        assert_eq!(receipt.bytes, bytes.len() as u64, "{name}");
        assert_eq!(receipt.stored, 0, "{name}: {receipt:#?}");
        assert_eq!(receipt.quarantined > 0, name != "newlines", "{name}: {receipt:#?}");
    }
}

#[test]
fn empty_inputs_are_nothing() {
    let world = World::new();
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("bom", b"\xef\xbb\xbf"),
        ("blank", b"\n\n  \n"),
        ("empty.gz", &gzip(b"")),
        ("array", b"[]"),
        ("header.csv", b"a,b,time\n"),
    ] {
        let receipt = world.ingest(name, bytes);
        assert_eq!(counts(&receipt), [0; 4], "{name}: {:?}", world.quarantined("reason, raw"));
        assert!(!receipt.has_errors(), "{name}");
    }
    assert_eq!(world.number("SELECT count(*) FROM events"), 0);
}

/// Grows while it is read, as a file does that is written to.
struct Growing {
    left: usize,
    path: std::path::PathBuf,
    file: std::fs::File,
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left > 0 {
            self.left -= 1;
            let mut file = std::fs::File::options().append(true).open(&self.path)?;
            file.write_all(format!("{{\"kind\":\"late\",\"n\":{}}}\n", 1_000_000 + self.left).as_bytes())?;
        }
        let short = buffer.len().min(10_000);
        self.file.read(&mut buffer[..short])
    }
}

#[test]
fn a_file_that_changes_while_it_is_read() {
    let world = World::new();
    let path = world.file("a.jsonl", numbered(5_000));
    let file = std::fs::File::open(&path).unwrap();
    let reader = Box::new(Growing { left: 7, path: path.clone(), file });
    let input = Input::Reader { name: path.display().to_string(), reader };
    let receipt = world.store.ingest(vec![input], &IngestOptions::default(), &NoProgress).unwrap();
    assert_eq!(counts(&receipt), [5_007, 5_007, 0, 0]);
    let again = world.try_ingest(&[path], &IngestOptions::default()).unwrap();
    assert_eq!(counts(&again), [5_007, 0, 5_007, 0]);
}

#[test]
fn rows_of_csv_with_too_many_or_too_few_fields_are_kept_with_the_header() {
    let world = World::new();
    let good = "2026-02-03,a,1\n".repeat(20);
    let receipt = world.ingest(
        "a.csv",
        format!("time,kind,n\n{good}2026-02-03,b\n2026-02-03,c,2,3\n,,\n\n2026-02-03,\"d,4\n"),
    );
    world.check_counts(&receipt);
    assert_eq!((receipt.inputs[0].format, counts(&receipt)), (Some("csv"), [24, 21, 0, 3]));
    let rejects = world.quarantined("byte_offset, reason, raw, header");
    assert!(
        rejects[0].starts_with("312 | ") && rejects[0].contains("2026-02-03,b | time,kind,n"),
        "{rejects:?}"
    );
    assert!(rejects[1].contains('4') && rejects[1].contains('3'), "{rejects:?}");
    assert!(rejects[2].contains("quotes"), "{rejects:?}");
}

#[test]
fn a_year_that_is_not_written_comes_from_the_files_time_and_is_never_in_the_future() {
    let lines = "Feb  3 10:00:00 host app[1]: yesterday\nFeb  4 00:00:00 host app[1]: now\nFeb  5 12:00:00 host app[1]: a year ago\nDec 31 23:59:59 host app[1]: last year\nFeb 29 10:00:00 host app[1]: a leap year\n";
    let world = World::new();
    let explained =
        world.store.explain(Input::File(world.file("auth.log", lines)), &IngestOptions::default()).unwrap();
    assert!(explained[0].notes.iter().any(|note| note.contains("year")), "{:?}", explained[0].notes);
    let receipt = world.ingest("auth.log", lines);
    assert!(receipt.inputs[0].notes.iter().any(|note| note.contains("year")), "{receipt:#?}");
    let days = world.texts("SELECT concat(CAST(ts AS DATE), ' ', message) FROM events ORDER BY seq");
    assert_eq!(
        days,
        [
            "2026-02-03 yesterday",
            "2026-02-04 now",
            "2025-02-05 a year ago",
            "2025-12-31 last year",
            "2024-02-29 a leap year"
        ]
    );
    let world = World::new();
    let old = world.file_of("auth.log", lines, WRITTEN_S - 10 * 365 * 86_400);
    world.try_ingest(&[old], &IngestOptions::default()).unwrap();
    assert_eq!(world.number("SELECT count(*) FROM events WHERE year(ts) > 2016"), 0);
}

#[test]
fn several_formats_in_one_file_are_read_as_far_as_they_go() {
    let world = World::new();
    let text = "{\"kind\":\"a\"}\n2026-02-03T10:00:00Z plain text\n{\"kind\":\"b\"}\n<34>1 2003-10-11T22:14:15.003Z h su - ID47 - x\n{\"kind\":\"c\"}\n{\"kind\":\"d\"}\n";
    let receipt = world.ingest("mixed", text);
    world.check_counts(&receipt);
    assert_eq!(counts(&receipt), [6, 4, 0, 2]);
    assert_eq!(world.quarantined("byte_offset, raw")[0], "13 | 2026-02-03T10:00:00Z plain text");
}

const TEXT: &str =
    "{\"kind\":\"a\",\"name\":\"Käthe\",\"at\":\"Zürich\"}\n{\"kind\":\"b\",\"name\":\"Günter €\"}\n";

fn encoded(text: &str, encoding: Encoding, mark: bool) -> Vec<u8> {
    let mark = if mark { "\u{feff}" } else { "" };
    let text = format!("{mark}{text}");
    match encoding {
        Encoding::Utf8 => text.into_bytes(),
        Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
    }
}

#[test]
fn encodings_line_ends_and_marks_make_no_difference() {
    for ends in ["\n", "\r\n"] {
        for (encoding, mark) in [
            (Encoding::Utf8, false),
            (Encoding::Utf8, true),
            (Encoding::Utf16Le, true),
            (Encoding::Utf16Be, true),
            (Encoding::Utf16Le, false),
            (Encoding::Utf16Be, false),
            (Encoding::Windows1252, false),
        ] {
            for forced in [None, Some(encoding)] {
                let world = World::new();
                let options = IngestOptions { encoding: forced, ..IngestOptions::default() };
                let receipt =
                    world.ingest_as("a", encoded(&TEXT.replace('\n', ends), encoding, mark), &options);
                let what = format!("{encoding}, {mark}, {ends:?}, {forced:?}: {receipt:#?}");
                assert_eq!(counts(&receipt), [2, 2, 0, 0], "{what}");
                assert_eq!(receipt.lines, 2, "{what}");
                assert_eq!(
                    world.texts("SELECT name FROM events ORDER BY seq"),
                    ["Käthe", "Günter €"],
                    "{what}"
                );
                let said = receipt.inputs[0].notes.iter().any(|note| note.contains(encoding.name()));
                assert_eq!(said, encoding != Encoding::Utf8, "{what}");
            }
        }
    }
}

#[test]
fn every_format_reads_crlf_and_marks() {
    for (file, format) in [
        ("rows.csv", "csv"),
        ("plain.copy", "copy"),
        ("logfmt.log", "logfmt"),
        ("syslog_5424.log", "syslog"),
        ("combined.log", "access"),
        ("docker.log", "docker"),
        ("cri.log", "cri"),
        ("journal.json", "journal-json"),
        ("otel.jsonl", "otel"),
        ("traces.log", "text"),
        ("array.json", "json"),
        ("cloudtrail.json", "json"),
    ] {
        let plain = String::from_utf8(data(&format!("formats/{file}"))).unwrap();
        let events = |bytes: Vec<u8>| {
            let world = World::new();
            let receipt = world.ingest(file, bytes);
            assert_eq!(receipt.inputs[0].format, Some(format), "{file}");
            let values = |event: &serde_json::Value| {
                let mut event = event.clone();
                event.as_object_mut().unwrap().remove("seq");
                event.to_string().replace("\\r\\n", "\\n")
            };
            (counts(&receipt), world.events().iter().map(values).collect::<Vec<_>>())
        };
        let expected = events(plain.clone().into_bytes());
        assert_eq!(events(format!("\u{feff}{plain}").into_bytes()), expected, "{file} with a mark");
        assert_eq!(events(plain.replace('\n', "\r\n").into_bytes()), expected, "{file} with CRLF");
    }
}

#[test]
fn a_journals_binary_lengths_are_not_taken_for_utf_16() {
    let mut entry = Vec::new();
    for number in 0..50 {
        write!(entry, "__REALTIME_TIMESTAMP={}\nMESSAGE\n", 1_770_112_800_000_000_i64 + number).unwrap();
        entry.extend_from_slice(&4_u64.to_le_bytes());
        entry.extend_from_slice(b"a\nb\n\n\n");
    }
    let world = World::new();
    let receipt = world.ingest("journal", entry);
    assert_eq!(
        (receipt.inputs[0].format, counts(&receipt)),
        (Some("journal"), [50, 50, 0, 0]),
        "{receipt:#?}"
    );
    assert!(receipt.inputs[0].notes.iter().all(|note| !note.contains("utf-16")), "{receipt:#?}");
    assert_eq!(world.texts("SELECT DISTINCT message FROM events"), ["a\nb\n"]);
}

#[test]
fn lines_of_another_encoding_among_utf_8_are_read_and_said() {
    let world = World::new();
    let mut text: Vec<u8> = (0..60).flat_map(|_| "2026-02-03T10:00:00Z INFO größer\n".bytes()).collect();
    text.extend_from_slice(b"2026-02-03T10:00:01Z INFO caf\xe9\n");
    let receipt = world.ingest("a.log", text);
    assert_eq!(counts(&receipt), [61, 61, 0, 0]);
    assert_eq!(world.texts("SELECT message FROM events ORDER BY seq DESC LIMIT 1"), ["café"]);
    assert!(
        receipt.inputs[0].notes.iter().any(|note| note.starts_with("1 records were not UTF-8")),
        "{receipt:#?}"
    );
}

#[test]
fn of_keys_that_stand_twice_the_last_counts_and_the_others_are_in_rest() {
    let world = World::new();
    let receipt = world
        .ingest("a", "{\"kind\":\"a\",\"n\":1,\"kind\":\"b\",\"n\":\"2\",\"n\":3,\"o\":{\"x\":1,\"x\":2}}\n");
    assert_eq!(counts(&receipt), [1, 1, 0, 0]);
    let event = &world.events()[0];
    assert_eq!((&event["kind"], &event["n"], &event["o_x"]), (&json!("b"), &json!(3), &json!(2)));
    let rest = world.texts("SELECT rest FROM events").remove(0);
    for value in ["\"a\"", "1", "\"2\""] {
        assert!(rest.contains(value), "{rest}");
    }
    assert_eq!(world.originals()[0]["kind"], "b");
}

#[test]
fn a_folder_of_ten_thousand_files_is_quick() {
    const FILES: usize = 10_000;
    let world = World::new();
    for number in 0..FILES {
        let path = world.folder.path().join(format!("files/{}", number % 20));
        if number < 20 {
            std::fs::create_dir_all(&path).unwrap();
        }
        std::fs::write(path.join(format!("{number}.jsonl")), format!("{{\"kind\":\"a\",\"n\":{number}}}\n"))
            .unwrap();
    }
    let started = Instant::now();
    let receipt = world.try_ingest(&[world.folder.path().join("files")], &IngestOptions::default()).unwrap();
    let first = started.elapsed();
    assert_eq!(counts(&receipt), [FILES as u64, FILES as u64, 0, 0]);
    assert_eq!(world.number("SELECT count(DISTINCT n) FROM events"), FILES as i64);
    let again = world.try_ingest(&[world.folder.path().join("files")], &IngestOptions::default()).unwrap();
    assert_eq!(counts(&again), [FILES as u64, 0, FILES as u64, 0]);
    assert!(first < Duration::from_secs(60), "{first:?}");
    assert!(world.store.info().unwrap().version < 10, "{:?}", world.store.info());
}

#[test]
fn strict_stores_nothing_of_an_input_with_a_bad_record() {
    let world = World::new();
    let good = world.file("1.jsonl", "{\"kind\":\"good\"}\n".repeat(10));
    let bad = world.file("2.jsonl", [numbered(100), b"no json\n".to_vec(), numbered(100)].concat());
    let last = world.file("3.jsonl", "{\"kind\":\"last\"}\n");
    let strict = IngestOptions { strict: true, ..IngestOptions::default() };
    let error = world.try_ingest(&[good, bad, last], &strict).unwrap_err();
    assert!(error.to_string().contains("2.jsonl"), "{error}");
    assert_eq!(error.kind(), daybook::ErrorKind::Invalid);
    assert_eq!(world.number("SELECT count(*) FROM events"), 10);
    assert_eq!(world.number("SELECT count(*) FROM quarantine"), 0);
    let receipt = world.try_ingest(&[world.folder.path().join("files")], &IngestOptions::default()).unwrap();
    assert_eq!(counts(&receipt), [212, 201, 10, 1]);
}

#[test]
fn strict_has_nothing_against_what_is_stored_already() {
    let world = World::new();
    let text = [numbered(100), b"no json\n".to_vec(), numbered(100)].concat();
    assert_eq!(counts(&world.ingest("a.jsonl", &text)), [201, 200, 0, 1]);
    let strict = IngestOptions { strict: true, ..IngestOptions::default() };
    assert_eq!(counts(&world.ingest_as("b.jsonl", &text, &strict)), [201, 0, 201, 0]);
    // What came after that counts, and only that.
    let grown = [text.clone(), numbered(1)].concat();
    assert_eq!(counts(&world.ingest_as("b.jsonl", &grown, &strict)), [202, 1, 201, 0]);
    let path = world.file("b.jsonl", [grown, b"no json\n".to_vec()].concat());
    assert_eq!(world.try_ingest(&[path], &strict).unwrap_err().kind(), daybook::ErrorKind::Invalid);
    // More than a block, with what cannot be read in each.
    let large = [numbered(60_000), b"no json\n".to_vec()].concat().repeat(8);
    let first = world.ingest("c.jsonl", &large);
    assert_eq!(first.quarantined, 8);
    assert_eq!(counts(&world.ingest_as("d.jsonl", &large, &strict)), [480_008, 0, 480_008, 0]);
}

#[test]
fn rows_read_as_json_are_in_the_quarantine_to_the_last_byte() {
    let world = World::new();
    let text = "a,b\n1,\"x {y\"\n2,\"[z\n}\"\n3,{\"k\":1}\n\"\"\"q\",[\n".repeat(50);
    let receipt = world.ingest_as("a.csv", &text, &from("json"));
    world.check_counts(&receipt);
    let mut kept = world.quarantined("raw");
    kept.extend(world.originals().iter().map(ToString::to_string));
    let bytes = |text: &str| {
        let mut bytes: Vec<u8> =
            text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b',').collect();
        bytes.sort_unstable();
        String::from_utf8(bytes).unwrap()
    };
    let originals: String = kept.concat();
    let recorded = world.originals().iter().filter(|event| event.get("timestamp").is_some()).count();
    assert_eq!(recorded, 0, "{kept:?}");
    assert_eq!(bytes(&originals), bytes(&text));
}

#[test]
fn what_is_quarantined_is_what_stood_there() {
    let world = World::new();
    let text = "{\"kind\":\"a\"}\n \tnot json \u{1}\n{\"kind\":\n[1]\n\"x\"\n{\"ts\":\"never\"}\n";
    let receipt = world.ingest("a.jsonl", text);
    world.check_counts(&receipt);
    let rejects = world.texts("SELECT concat(byte_offset, '|', raw) FROM quarantine ORDER BY byte_offset");
    let places = [13, 26, 35, 39, 43];
    let expected: Vec<String> =
        text.lines().skip(1).zip(places).map(|(line, at)| format!("{at}|{line}")).collect();
    assert_eq!(rejects, expected);
}
