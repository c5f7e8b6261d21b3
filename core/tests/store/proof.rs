//! Proofs of single events: whoever has a head needs no store, and nothing else fits.

use crate::support::fast_folder;
use daybook::proof::{EventProof, Head};
use daybook::{AskOptions, CompactRequest, ErrorKind, IngestOptions, Input, NoProgress, Store};
use serde_json::{Value, json};

fn ingest(store: &Store, name: &str, events: u64) {
    let line = |n: u64| {
        let event = json!({
            "ts": format!("2026-01-{:02}T10:00:00Z", n % 3 + 1), "id": format!("{name}-{n}"), "kind": "k",
            "message": "ümlaut \u{1} \"x\"", "n": n, "price": 1.5, "ok": true, "none": null, "list": [1, {"b": 2, "a": []}],
            "nested": {"deep": {"empty": {}, "text": "a.b"}},
        });
        format!("{event}\n")
    };
    let lines: String = (0..events).map(line).collect();
    let reader = Box::new(std::io::Cursor::new(lines.into_bytes()));
    let input = Input::Reader { name: name.to_string(), reader };
    let options = IngestOptions { from: Some(daybook::Format::JsonLines), ..IngestOptions::default() };
    assert_eq!(store.ingest(vec![input], &options, &NoProgress).unwrap().stored, events);
}

fn prove(store: &Store, id: &str, against: Option<&Head>) -> EventProof {
    store.prove(id, against, &AskOptions::default()).unwrap()
}

fn read(json: &Value) -> daybook::Result<EventProof> {
    EventProof::parse(json.to_string().as_bytes())
}

#[test]
fn each_event_is_proven_with_the_head_alone_before_and_after_compaction() {
    let folder = fast_folder();
    let store = Store::open_or_create(folder.path()).unwrap();
    for name in ["a", "b", "c", "d", "e"] {
        ingest(&store, name, 40);
    }
    for round in 0..2 {
        let head = store.head().unwrap();
        for id in ["a-0", "a-39", "c-7", "e-38"] {
            let proof = prove(&store, id, None);
            let proven = proof.check(Some(&head)).unwrap();
            assert!(proven.is_under_known_head);
            assert_eq!(proven.event["id"], json!(id));
            assert_eq!(proven.event["list"], json!([1, {"b": 2, "a": []}]));
            assert_eq!(proven.event["nested"], json!({"deep": {"empty": {}, "text": "a.b"}}));
            assert_eq!(proven.event["none"], Value::Null);
            assert_eq!(proven.ts.get(..10).unwrap().len(), 10);
            // It reads as it was written, also by its number.
            let text = serde_json::to_string(&proof).unwrap();
            assert_eq!(EventProof::parse(text.as_bytes()).unwrap(), proof);
            assert_eq!(prove(&store, &proof.event.seq.to_string(), None), proof);
        }
        if round == 0 {
            assert_eq!(store.compact(&CompactRequest::default(), &NoProgress).unwrap().days, 3);
        }
    }
    assert!(
        store
            .verify(&daybook::verify::VerifyRequest { against: None, deep: true }, &NoProgress)
            .unwrap()
            .intact
    );
}

#[test]
fn a_proof_is_made_for_a_head_that_was_kept_and_is_short_after_many_commits() {
    let folder = fast_folder();
    let store = Store::open_or_create(folder.path()).unwrap();
    ingest(&store, "first", 5);
    let early = store.head().unwrap();
    let proof = prove(&store, "first-3", None);
    for number in 0..150 {
        ingest(&store, &format!("later-{number}"), 1);
    }
    let late = prove(&store, "first-3", None);
    assert!((2..=25).contains(&late.records.len()), "{} records", late.records.len());
    assert!(late.check(Some(&store.head().unwrap())).unwrap().is_under_known_head);
    // For the early head, it is what it was then.
    assert_eq!(prove(&store, "first-3", Some(&early)), proof);
    assert!(proof.check(Some(&early)).unwrap().is_under_known_head);
    assert!(!proof.check(None).unwrap().is_under_known_head);
    let error = store.prove("later-7-0", Some(&early), &AskOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("written after that head"), "{error}");
    let mut strange = early.clone();
    strange.events.hash = "0".repeat(64);
    assert_eq!(
        store.prove("first-3", Some(&strange), &AskOptions::default()).unwrap_err().kind(),
        ErrorKind::Invalid
    );
    // Nobody's record is the head of another store.
    let error = late.check(Some(&strange)).unwrap_err();
    assert!(error.to_string().contains("does not lead to the head that was kept"), "{error}");
}

#[test]
fn a_proof_that_was_touched_is_none() {
    let folder = fast_folder();
    let store = Store::open_or_create(folder.path()).unwrap();
    ingest(&store, "a", 30);
    ingest(&store, "b", 1);
    ingest(&store, "c", 1);
    let head = store.head().unwrap();
    let good = serde_json::to_value(prove(&store, "a-7", None)).unwrap();
    let other = serde_json::to_value(prove(&store, "a-10", None)).unwrap();
    read(&good).unwrap().check(Some(&head)).unwrap();
    let leaf =
        good["event"]["leaves"].as_array().unwrap().iter().position(|leaf| leaf[0] == json!(["n"])).unwrap();
    let changes: [(&str, Value); 14] = [
        ("/event/seq", json!(good["event"]["seq"].as_i64().unwrap() + 1)),
        ("/event/ts", json!(good["event"]["ts"].as_i64().unwrap() + 1)),
        (&format!("/event/leaves/{leaf}/2"), json!("8")),
        (&format!("/event/leaves/{leaf}/2"), json!("7,\"x\":1")),
        (&format!("/event/leaves/{leaf}/1"), json!("s")),
        (&format!("/event/leaves/{leaf}/1"), json!("q")),
        (&format!("/event/leaves/{leaf}/0"), json!(["m"])),
        ("/event", other["event"].clone()),
        ("/row", json!(good["row"].as_u64().unwrap() + 1)),
        ("/path/0", json!("0".repeat(64))),
        ("/path", json!(vec!["0".repeat(64); 70])),
        ("/file", json!("day=2026-01-02/part-x.parquet")),
        ("/records", json!([])),
        ("/records", json!([good["records"][0], good["records"][0]])),
    ];
    for (place, value) in changes {
        let mut changed = good.clone();
        *changed.pointer_mut(place).unwrap() = value.clone();
        let error = read(&changed).and_then(|proof| proof.check(Some(&head))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{place} {value}: {error}");
    }
    // A record that was changed has another hash, so that nothing after it names it.
    let mut changed = good.clone();
    let text = good["records"][0].as_str().unwrap();
    changed["records"][0] = json!(text.replace("version 1", "version 2"));
    assert_eq!(read(&changed).unwrap().check(Some(&head)).unwrap_err().kind(), ErrorKind::Corrupt);
    for (place, value, kind) in [
        ("/daybook_proof", json!(2), ErrorKind::Unsupported),
        ("/row", json!(-1), ErrorKind::Invalid),
        ("/event/leaves/0", json!(["a"]), ErrorKind::Invalid),
    ] {
        let mut changed = good.clone();
        *changed.pointer_mut(place).unwrap() = value;
        assert_eq!(read(&changed).unwrap_err().kind(), kind, "{place}");
    }
    assert_eq!(EventProof::parse(b"\x00").unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn what_cannot_be_proven_says_why() {
    let folder = fast_folder();
    let store = Store::open_or_create(folder.path()).unwrap();
    ingest(&store, "a", 3);
    let appended = store.append(&daybook::Event::new("waits"), daybook::Durability::Os).unwrap();
    let prove = |id: &str| store.prove(id, None, &AskOptions::default()).unwrap_err();
    assert_eq!(prove("nobody").kind(), ErrorKind::NotFound);
    let waiting = prove(&appended.to_string());
    assert_eq!(waiting.kind(), ErrorKind::NotFound);
    assert!(waiting.hint().unwrap_or_default().contains("sealed"), "{waiting}");
    let text = "{\"id\":\"twice\",\"n\":1}\n{\"id\":\"twice\",\"n\":2}\n";
    let input =
        Input::Reader { name: "t".to_string(), reader: Box::new(std::io::Cursor::new(text.as_bytes())) };
    let options = IngestOptions { from: Some(daybook::Format::JsonLines), ..IngestOptions::default() };
    store.ingest(vec![input], &options, &NoProgress).unwrap();
    let twice = prove("twice");
    assert!(twice.to_string().contains("2 events have the id"), "{twice}");
}
