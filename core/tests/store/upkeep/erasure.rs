//! Erasure: nothing of a person stays, what stays verifies, and what was done is on record without the data.

use super::points::{Case, in_some_modes};
use super::{at_day, filter, ids, ingest, lines, verified};
use crate::support::{by_changes, fast_folder, number, texts};
use arrow::array::AsArray;
use daybook::{
    At, CompactRequest, Durability, EraseReceipt, EraseRequest, ErrorKind, NoProgress, QueryRequest, Store,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::path::Path;

/// A name that nothing else has in it.
const PERSON: &str = "person4711";

fn request(text: &str) -> EraseRequest {
    EraseRequest {
        filter: filter(text),
        text: text.to_string(),
        reason: "asked for on paper".to_string(),
        redact: Vec::new(),
        dry_run: false,
    }
}

fn erase(store: &Store, text: &str) -> EraseReceipt {
    store.erase(&request(text), &NoProgress).unwrap()
}

/// The files below a folder in which a text stands, also compressed.
fn traces(folder: &Path, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.extend(traces(&path, needle).into_iter().map(|file| format!("{name}/{file}")));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("zst") => text.push_str(&String::from_utf8_lossy(&zstd::decode_all(&bytes[..]).unwrap())),
            Some("parquet") => text.push_str(&parquet_text(&path)),
            _ => {}
        }
        if text.contains(needle) {
            found.push(path.strip_prefix(folder).unwrap().display().to_string());
        }
    }
    found
}

fn parquet_text(path: &Path) -> String {
    let file = std::fs::File::open(path).unwrap();
    let mut text = String::new();
    // A crash may leave a file that is not whole.
    let Ok(reader) = ParquetRecordBatchReaderBuilder::try_new(file) else { return text };
    for batch in reader.build().unwrap() {
        for column in batch.unwrap().columns() {
            if let Some(texts) = column.as_string_opt::<i32>() {
                texts.iter().flatten().for_each(|value| text.push_str(&format!("{value}\n")));
            } else {
                text.push_str(&format!("{column:?}\n"));
            }
        }
    }
    text
}

/// A line of the person for a day, with the name in several places.
fn of_person(day: i64) -> String {
    let ts = super::START_US / 1000 + day * super::DAY_US / 1000;
    format!(
        "{{\"ts\":{ts},\"actor\":\"{PERSON}\",\"id\":\"p-{day}-{PERSON}\",\"session\":\"{PERSON}\",\"deep\":{{\"mail\":\"{PERSON}@x.org\"}},\
         \"message\":\"{PERSON} opened the door of the garden\"}}\n"
    )
}

/// A store with the person in data files, in replaced files, in the quarantine and in messages.
fn with_person(folder: &Path, days: i64) {
    let (store, _) = at_day(folder, days);
    for name in ["a", "b"] {
        let mut text = lines(name, 0..days);
        if name == "a" {
            (0..days).for_each(|day| text.push_str(&of_person(day)));
            text.push_str(&format!("no record of {PERSON}\nno record of anybody\n"));
        }
        ingest(&store, name, &text);
    }
    store.compact(&CompactRequest::default(), &NoProgress).unwrap();
    store.close().unwrap();
}

#[test]
fn nothing_of_a_person_stays_and_the_rest_verifies() {
    let folder = fast_folder();
    let (store, _) = at_day(folder.path(), 20);
    // So many days that there is an index.
    for day in 0..18 {
        ingest(&store, &format!("{day}"), &format!("{}{}", lines("a", day..day + 1), of_person(day)));
    }
    ingest(&store, "bad", &format!("no record of {PERSON}\nno record of anybody\n"));
    store.seal().unwrap();
    assert!(traces(folder.path(), PERSON).iter().any(|file| file.starts_with("_index")), "there is an index");
    let waiting = of_person(3).replace("p-3", "waiting");
    store.append_json(waiting.as_bytes(), Durability::Fsync).unwrap();
    let head = store.head().unwrap();
    let (others, version) = (ids(&store).len() - 19, store.info().unwrap().version);
    let cursor = by_changes(&store, None, 100).unwrap().1;
    let text = format!("actor:{PERSON}");
    let dry = store.erase(&EraseRequest { dry_run: true, ..request(&text) }, &NoProgress).unwrap();
    assert_eq!((dry.events, dry.rejects, dry.events_waiting), (18, 1, 1));
    assert_eq!(store.info().unwrap().version, version);
    let receipt = erase(&store, &text);
    assert_eq!((receipt.events, receipt.rejects, receipt.number), (19, 1, Some(1)));
    assert!(receipt.is_complete() && receipt.templates > 0 && receipt.commits_removed > 18, "{receipt:?}");
    assert_eq!(traces(folder.path(), PERSON), Vec::<String>::new());
    assert_eq!(ids(&store).len(), others);
    assert_eq!(
        texts(&store, "SELECT raw FROM quarantine").unwrap(),
        [Some("no record of anybody".to_string())]
    );
    let said = texts(&store, "SELECT reason FROM events WHERE kind = 'store_erase'").unwrap();
    assert_eq!(said, [Some("asked for on paper".to_string())]);
    // What was done is on record, and all else is as it was.
    let report = verified(&store, Some(head));
    let of_events = report.taken.iter().find(|taken| taken.table == "events").unwrap();
    assert_eq!((of_events.why.as_str(), of_events.events), ("erase", 19));
    assert!(of_events.note.contains("asked for on paper") && of_events.note.contains("hmac-sha256:"));
    let record = std::fs::read_to_string(folder.path().join("_erasures/0000000001.json")).unwrap();
    assert!(record.contains("\"events\":19") && record.contains("hmac-sha256:"), "{record}");
    // Older versions and cursors say that they are gone.
    let mut old = QueryRequest::new("SELECT 1 FROM events");
    old.at = At::Version(version);
    let error = store.query(&old).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.hint().unwrap().contains("cleaned up"), "{error:?}");
    assert_eq!(store.changes(Some(&cursor), 10).unwrap_err().kind(), ErrorKind::NotFound);
    // The same bytes are not stored again.
    ingest(&store, "again", &format!("{}{}", lines("a", 2..3), of_person(2)));
    assert_eq!(ids(&store).len(), others);
    store.close().unwrap();
    super::expiry::chain_script(folder.path());
}

#[test]
fn files_in_their_time_of_grace_go_too_though_nothing_matches_any_more() {
    let folder = fast_folder();
    with_person(folder.path(), 2);
    let (store, _) = at_day(folder.path(), 3);
    let text = format!("actor:{PERSON}");
    super::expire(&store, &super::expiry(&text, 0)).unwrap();
    assert!(traces(folder.path(), PERSON).len() > 3);
    let receipt = erase(&store, &text);
    assert_eq!((receipt.events, receipt.rejects), (0, 1));
    assert_eq!(traces(folder.path(), PERSON), Vec::<String>::new());
    let again = erase(&store, &text);
    assert_eq!((again.events, again.number), (0, None));
    verified(&store, None);
    store.close().unwrap();
}

#[test]
fn what_another_process_has_in_its_log_is_told_and_goes_the_next_time() {
    let folder = fast_folder();
    let (store, _) = at_day(folder.path(), 1);
    let (other, _) = at_day(folder.path(), 2);
    other.append_json(of_person(0).as_bytes(), Durability::Fsync).unwrap();
    let text = format!("actor:{PERSON}");
    ingest(&store, "a", &lines("a", 0..1));
    ingest(&store, "p", &of_person(1));
    let receipt = erase(&store, &text);
    assert_eq!((receipt.events, receipt.events_waiting, receipt.is_complete()), (1, 1, false));
    other.seal().unwrap();
    other.close().unwrap();
    let receipt = erase(&store, &text);
    assert_eq!((receipt.events, receipt.is_complete()), (1, true));
    assert_eq!(traces(folder.path(), PERSON), Vec::<String>::new());
    store.close().unwrap();
}

#[test]
fn fields_are_blanked_and_the_events_stay() {
    let folder = fast_folder();
    let (store, _) = at_day(folder.path(), 1);
    ingest(&store, "a", &format!("{}{}", lines("a", 0..2), of_person(0)));
    // A value of another type than its column's is elsewhere.
    let other = format!(
        "{{\"id\":\"q\",\"actor\":\"{PERSON}\",\"n\":\"{PERSON}\",\"kept\":1,\"deep\":{{\"mail\":[\"{PERSON}\"]}}}}\n"
    );
    ingest(&store, "b", &other);
    let (head, count) = (store.head().unwrap(), ids(&store).len());
    let fields = ["actor", "session", "deep.mail", "message", "event_id", "n"].map(String::from).to_vec();
    let request = EraseRequest { redact: fields, ..request(&format!("actor:{PERSON}")) };
    let receipt = store.erase(&request, &NoProgress).unwrap();
    assert_eq!((receipt.events, receipt.files), (2, 2));
    assert_eq!(traces(folder.path(), PERSON), Vec::<String>::new());
    let all = number(&store, "SELECT count(*)::BIGINT FROM events WHERE source IS DISTINCT FROM 'daybook'");
    assert_eq!(all as usize, count);
    assert_eq!(number(&store, "SELECT count(*)::BIGINT FROM events WHERE kept = 1 AND actor IS NULL"), 1);
    let report = verified(&store, Some(head));
    assert_eq!(
        (report.taken[0].why.as_str(), report.taken[0].events, report.events_removed),
        ("redact", 2, 0)
    );
    store.close().unwrap();
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let folder = fast_folder();
    with_person(folder.path(), 1);
    let (store, _) = at_day(folder.path(), 3);
    let version = store.info().unwrap().version;
    let blank = |field: &str| EraseRequest { redact: vec![field.to_string()], ..request("actor:ann") };
    for (request, words) in [
        (request("*"), "every event"),
        (EraseRequest { reason: " ".to_string(), ..request("actor:ann") }, "reason"),
        (blank("seq"), "`seq` cannot be blanked"),
        (blank("nothing.like.it"), "no field `nothing.like.it`"),
        (request("nothing_like_it:1"), "nothing_like_it"),
    ] {
        let error = store.erase(&request, &NoProgress).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(store.info().unwrap().version, version);
    // Without a value to look for, the quarantine stays, and the receipt says so.
    let receipt = store.erase(&request("n<0"), &NoProgress).unwrap();
    assert_eq!((receipt.events, receipt.rejects, receipt.quarantine_skipped), (0, 0, true));
    store.close().unwrap();
}

#[test]
fn erasure_stops_anywhere_and_is_finished_by_the_next() {
    let folder = fast_folder();
    with_person(folder.path(), 1);
    let work = |store: &Store| store.erase(&request(&format!("actor:{PERSON}")), &NoProgress).map(drop);
    let check = |folder: &Path| assert_eq!(traces(folder, PERSON), Vec::<String>::new());
    in_some_modes(folder.path(), &Case { name: "erase", day: 2, work, check });
    // A cut off one is also finished by maintenance.
    let text = format!("actor:{PERSON}");
    let (store, _) = at_day(folder.path(), 2);
    erase(&store, &text);
    store.close().unwrap();
}

#[test]
fn redaction_stops_anywhere() {
    let folder = fast_folder();
    with_person(folder.path(), 1);
    let work = |store: &Store| {
        let redact = ["actor", "session", "deep.mail", "message"].map(String::from).to_vec();
        store.erase(&EraseRequest { redact, ..request(&format!("actor:{PERSON}")) }, &NoProgress).map(drop)
    };
    let check = |folder: &Path| {
        let left = traces(folder, PERSON);
        // The id was not asked for.
        assert!(
            left.iter().all(|file| !file.starts_with("_templates") && !file.starts_with("_quarantine")),
            "{left:?}"
        );
    };
    in_some_modes(folder.path(), &Case { name: "redact", day: 2, work, check });
}
