//! Exactly once: the same content is one set of events, whatever it is called and however it is compressed.

use crate::support::{World, counts};
use daybook::IngestOptions;

#[test]
fn the_same_content_is_stored_once_whatever_its_name() {
    let world = World::new();
    let text = "{\"kind\":\"a\"}\n{\"kind\":\"a\"}\nno json\n\n{\"kind\":\"b\"}\n";
    assert_eq!(counts(&world.ingest("a.jsonl", text)), [4, 3, 0, 1]);
    for (name, bytes) in [
        ("a.jsonl", text.as_bytes().to_vec()),
        ("other", text.as_bytes().to_vec()),
        ("a.zst", zstd::encode_all(text.as_bytes(), 3).unwrap()),
    ] {
        assert_eq!(counts(&world.ingest(name, bytes)), [4, 0, 4, 0], "{name}");
    }
    assert_eq!(world.texts("SELECT kind FROM events ORDER BY kind"), ["a", "a", "b"]);
    assert_eq!(world.number("SELECT count(*) FROM quarantine"), 1);
    // In one call too.
    let world = World::new();
    let paths = [world.file("1", text), world.file("2", text)];
    let receipt = world.try_ingest(&paths, &IngestOptions::default()).unwrap();
    assert_eq!(counts(&receipt), [8, 3, 4, 1]);
}

#[test]
fn two_events_that_are_equal_in_one_input_are_two() {
    let world = World::new();
    let line = "{\"ts\":1770112800,\"id\":\"same\",\"kind\":\"a\"}\n";
    assert_eq!(counts(&world.ingest("a", line.repeat(5))), [5, 5, 0, 0]);
    assert_eq!(world.number("SELECT count(*) FROM events"), 5);
    assert_eq!(world.number("SELECT count(DISTINCT seq) FROM events"), 5);
}

/// A file as it was each time that it was ingested, and what each time gave: records, stored, duplicate, quarantined.
fn check_growth(format: &str, steps: &[(&str, [u64; 4])], note: Option<&str>) -> World {
    let world = World::new();
    let mut notes = Vec::new();
    for (number, (text, expected)) in steps.iter().enumerate() {
        let receipt = world.ingest("a.log", text);
        assert_eq!(counts(&receipt), *expected, "{format}, step {number}: {receipt:#?}");
        assert_eq!(receipt.inputs[0].format, Some(format), "{format}, step {number}");
        notes.extend(receipt.inputs[0].notes.clone());
    }
    let said = notes.iter().any(|known| note.is_some_and(|note| known.contains(note)));
    assert_eq!(said, note.is_some(), "{notes:?}");
    world
}

const A: &str = "{\"kind\":\"a\"}\n";
const B: &str = "{\"kind\":\"b\"}\n";

#[test]
fn a_file_that_grew_goes_on_where_it_stopped() {
    let (two, three) = (format!("{A}{B}"), format!("{A}{B}{A}"));
    check_growth(
        "jsonl",
        &[(A, [1, 1, 0, 0]), (&two, [2, 1, 1, 0]), (&two, [2, 0, 2, 0]), (&three, [3, 1, 2, 0])],
        None,
    );
    let first = "2026-02-03 10:00:00 ERROR one\n  at x\n";
    let grown = format!("{first}2026-02-03 10:00:01 INFO two\n2026-02-03 10:00:02 INFO three\n");
    check_growth("text", &[(first, [1, 1, 0, 0]), (&grown, [3, 2, 1, 0])], None);
    let header = "time,kind\n2026-02-03,a\n";
    check_growth(
        "csv",
        &[(header, [1, 1, 0, 0]), (&format!("{header}2026-02-03,\"b\nb\"\n"), [2, 1, 1, 0])],
        None,
    );
}

#[test]
fn a_file_whose_first_line_is_longer_than_what_is_looked_at_grows_too() {
    let long = format!("{{\"kind\":\"long\",\"text\":\"{}\"}}\n", "x".repeat(300 << 10));
    let grown = format!("{long}{A}");
    let more = format!("{grown}{B}{B}");
    let world = check_growth(
        "json",
        &[(&long, [1, 1, 0, 0]), (&grown, [2, 1, 1, 0]), (&more, [4, 2, 2, 0]), (&more, [4, 0, 4, 0])],
        None,
    );
    assert_eq!(world.texts("SELECT kind FROM events ORDER BY seq"), ["long", "a", "b", "b"]);
}

#[test]
fn a_last_record_that_had_no_end_and_grew_is_a_further_one_and_that_is_said() {
    let grown = "has grown";
    let open = "{\"kind\":\"a\"}\n{\"kind\":\"b\"}";
    // The newline alone changes nothing.
    check_growth("jsonl", &[(open, [2, 2, 0, 0]), (&format!("{open}\n"), [2, 0, 2, 0])], None);
    check_growth("jsonl", &[(open, [2, 2, 0, 0]), (&format!("{open}\n{A}"), [3, 1, 2, 0])], None);
    let half = "{\"kind\":\"a\"}\n{\"ki";
    let world = check_growth(
        "jsonl",
        &[(half, [2, 1, 0, 1]), (&format!("{half}nd\":\"b\"}}\n"), [2, 1, 1, 0])],
        Some(grown),
    );
    assert_eq!(world.texts("SELECT kind FROM events ORDER BY kind"), ["a", "b"]);
    assert_eq!(world.quarantined("raw"), ["{\"ki"]);
    let line = "ts=2026-02-03T10:00:00Z level=info msg=on";
    let world =
        check_growth("logfmt", &[(line, [1, 1, 0, 0]), (&format!("{line}e\n"), [1, 1, 0, 0])], Some(grown));
    assert_eq!(world.texts("SELECT message FROM events ORDER BY seq"), ["on", "one"]);
}

#[test]
fn what_was_stored_of_a_file_does_not_change_how_it_is_read() {
    let (header, row) = ("timestamp\tevent\tnote\n", "2026-02-03T10:00:00Z\tsale\tx");
    let open = format!("{header}{row}");
    let grown = format!("{open}yz\n{row}\n");
    let steps: [(&str, [u64; 4]); 3] = [(&open, [1, 1, 0, 0]), (&open, [1, 0, 1, 0]), (&grown, [2, 2, 0, 0])];
    let world = check_growth("csv", &steps, Some("has grown"));
    assert_eq!(world.texts("SELECT note FROM events ORDER BY seq"), ["x", "xyz", "x"]);
}

#[test]
fn a_file_that_was_rotated_or_truncated_is_new() {
    let (long, short) = (format!("{A}{B}{A}"), format!("{B}{A}"));
    check_growth(
        "jsonl",
        &[(&long, [3, 3, 0, 0]), (&short, [2, 2, 0, 0]), (&format!("{short}{B}"), [3, 1, 2, 0])],
        None,
    );
    // Cut to what was stored as the beginning of the longer file, it is told apart: its bytes are other bytes.
    let world = World::new();
    assert_eq!(counts(&world.ingest("a", &long)), [3, 3, 0, 0]);
    let beginning = world.ingest("a", A);
    assert_eq!(beginning.records, 1);
}

#[test]
fn what_is_appended_is_never_taken_for_an_input() {
    let world = World::new();
    for _ in 0..3 {
        world.store.append_json(A.trim_end().as_bytes(), daybook::Durability::Fsync).unwrap();
    }
    assert_eq!(counts(&world.ingest("a", A)), [1, 1, 0, 0]);
    assert_eq!(world.number("SELECT count(*) FROM events"), 4);
}

#[test]
fn inputs_are_known_after_the_store_is_opened_again() {
    let world = World::new();
    world.ingest("a", A);
    let input = daybook::Input::File(world.file("b", A));
    let place = world.place();
    world.store.close().unwrap();
    let store = daybook::Store::open(&place).unwrap();
    let receipt = store.ingest(vec![input], &IngestOptions::default(), &daybook::NoProgress).unwrap();
    assert_eq!(counts(&receipt), [1, 0, 1, 0]);
}
