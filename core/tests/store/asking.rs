//! Analyses of a store that changes.

use crate::support::{event, fast_folder, query};
use arrow::array::{AsArray, RecordBatch};
use daybook::query::analyses::{Facets, Search, Show, Stats};
use daybook::query::filter::Filter;
use daybook::{
    AskOptions, Durability, ErrorKind, Event, FoundBatches, IngestOptions, Input, NoProgress, Store,
};

/// A store of so many days with so many events each.
fn store_of_days(folder: &std::path::Path, days: u32, events: u32) -> Store {
    let store = Store::open_or_create(folder).unwrap();
    let mut lines = String::new();
    for day in 0..days {
        for number in 0..events {
            let ts = 1_767_225_600_000_i64 + i64::from(day) * 86_400_000 + i64::from(number) * 10;
            let last = if number + 1 == events { "last" } else { "other" };
            lines.push_str(&format!(
                "{{\"ts\":{ts},\"kind\":\"{last}\",\"id\":\"{day}-{number}\",\"day_number\":{day}}}\n"
            ));
        }
    }
    let reader = Box::new(std::io::Cursor::new(lines.into_bytes()));
    let input = Input::Reader { name: "days".to_string(), reader };
    store.ingest(vec![input], &IngestOptions::default(), &NoProgress).unwrap();
    store
}

fn search(text: &str, limit: u64) -> Search {
    let filter = Filter::parse(text, &daybook::query::filter::Context::new(0)).unwrap();
    Search { filter, limit, columns: vec!["event_id".to_string()] }
}

fn ids(batches: &[RecordBatch]) -> Vec<String> {
    let texts = batches.iter().map(|batch| batch.column(0).as_string::<i32>());
    texts.flat_map(|texts| texts.iter().map(|text| text.unwrap_or("-").to_string())).collect()
}

#[test]
fn a_search_for_new_events_opens_the_newest_files_only() {
    let folder = fast_folder();
    let store = store_of_days(folder.path(), 40, 4_000);
    let find = |text: &str, limit| store.search(&search(text, limit), &AskOptions::default()).unwrap();
    let newest = find("*", 3);
    assert_eq!(ids(&newest.batches), ["39-3999", "39-3998", "39-3997"]);
    assert!(newest.more && newest.files < 20, "{} files", newest.files);
    let all = find("kind:last", 100);
    assert_eq!((ids(&all.batches).len(), all.more, all.files), (40, false, 40));
    assert_eq!(ids(&all.batches).first().map(String::as_str), Some("39-3999"));
    let old = find("day_number:0 kind:last", 1);
    assert_eq!(ids(&old.batches), ["0-3999"]);
    let day = find("kind:last day:2026-01-05", 1);
    assert_eq!((ids(&day.batches), day.files), (vec!["4-3999".to_string()], 1));
}

#[test]
fn all_columns_are_those_of_the_events_that_were_found() {
    let folder = fast_folder();
    let store = store_of_days(folder.path(), 12, 4_000);
    let late = Event::new("late").field("ts", "2026-01-03T12:00:00Z").field("id", "late");
    store.append(&late, Durability::Os).unwrap();
    for (text, limit) in [("*", 3), ("kind:last,late", 100), ("kind:last", 2), ("kind:none", 5), ("*", 0)] {
        let named = store.search(&search(text, limit), &AskOptions::default()).unwrap();
        let whole = Search { columns: Vec::new(), ..search(text, limit) };
        let all = store.search(&whole, &AskOptions::default()).unwrap();
        let found = daybook::found(&whole, &all).unwrap().events;
        let found: Vec<&str> = found.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
        assert_eq!(
            (found, all.more),
            (ids(&named.batches).iter().map(String::as_str).collect(), named.more),
            "{text}"
        );
    }
}

#[test]
fn events_that_are_not_sealed_are_found_in_their_place() {
    let folder = fast_folder();
    let store = store_of_days(folder.path(), 3, 10);
    let late = Event::new("late").field("ts", "2026-01-02T12:00:00Z").field("id", "late");
    store.append(&late, Durability::Os).unwrap();
    let found = store.search(&search("-kind:other", 10), &AskOptions::default()).unwrap();
    assert_eq!(ids(&found.batches), ["2-9", "late", "1-9", "0-9"]);
}

#[test]
fn tail_gives_each_event_once_sealed_or_not() {
    let folder = fast_folder();
    let store = Store::open_or_create(folder.path()).unwrap();
    let append = |id: &str| store.append(&event(id), Durability::Os).unwrap();
    append("a");
    append("b");
    let options = AskOptions::default();
    let (first, mut tail) = store.tail(&search("kind:test", 1), 1, &options).unwrap();
    assert_eq!(ids(&first.batches), ["b"]);
    let mut next = |store: &Store| {
        let FoundBatches { batches, .. } = store.tail_on(&mut tail, &options).unwrap();
        ids(&batches)
    };
    assert!(next(&store).is_empty());
    append("c");
    append("d");
    store.append(&Event::new("other"), Durability::Os).unwrap();
    assert_eq!(next(&store), ["c", "d"]);
    store.seal().unwrap();
    assert!(next(&store).is_empty());
    append("e");
    store.seal().unwrap();
    assert_eq!(next(&store), ["e"]);
    let (none, _) = store.tail(&search("*", 1), 0, &options).unwrap();
    assert!(none.batches.is_empty());
}

#[test]
fn an_event_is_shown_by_its_number_or_its_id() {
    let folder = fast_folder();
    let store = store_of_days(folder.path(), 3, 10);
    let seq = query(&store, "SELECT seq::VARCHAR FROM events WHERE event_id = '1-5'").unwrap();
    for id in [ids(&seq)[0].clone(), "1-5".to_string()] {
        let found = store.show(&Show { id }, &AskOptions::default()).unwrap();
        assert_eq!(found.events.len(), 1);
        assert_eq!(found.events[0]["event_id"], "1-5");
    }
}

#[test]
fn an_error_points_at_the_place_in_the_filter() {
    let folder = fast_folder();
    let store = store_of_days(folder.path(), 1, 1);
    let text = "kind:last colour:red";
    let options = AskOptions { text, ..AskOptions::default() };
    let filter = Filter::parse(text, &store.context()).unwrap();
    let error = store.ask(&Stats { filter: filter.clone() }, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Syntax);
    assert!(error.to_string().contains("colour:red\n            ^"), "{error}");
    let lenient = AskOptions { lenient: true, ..options };
    assert_eq!(store.ask(&Stats { filter }, &lenient).unwrap().total, 0);
    let facets = store.ask(&Facets::by(["colour"]), &lenient).unwrap().facets;
    assert_eq!((facets[0].distinct, facets[0].missing), (0, 1));
}
