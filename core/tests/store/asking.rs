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
fn a_whole_event_is_what_sql_gives() {
    let folder = fast_folder();
    let store = store_of_days(folder.path(), 3, 40);
    let fields = [
        r#"{"kind":"m","id":"m1","v":1,"w":[1,2],"when":["2026-01-01T00:00:00Z"],"x":{"y":1.5}}"#,
        r#"{"kind":"m","id":"m2","v":"one","w":["a"],"b":true,"ts":"2026-01-02T03:04:05.678901Z"}"#,
        r#"{"kind":"m","id":"m3","v":{"deep":[null]},"w":2.5,"x":{"y":"text"},"level":"error","status":500}"#,
    ];
    for sealed in [true, false] {
        for line in fields {
            store.append_json(line.as_bytes(), Durability::Os).unwrap();
        }
        if sealed {
            store.seal().unwrap();
        }
    }
    let all = Search { columns: Vec::new(), ..search("*", 1_000) };
    let found = store.search(&all, &AskOptions::default()).unwrap();
    let sql = "SELECT * EXCLUDE (recorded_at, shape, day, template) FROM events ORDER BY ts DESC, seq DESC";
    let rows = store.query(&daybook::QueryRequest::new(sql)).unwrap();
    assert_eq!(found.schema.fields(), rows.schema().fields());
    let schema = rows.schema();
    let one = |batches: &[RecordBatch]| arrow::compute::concat_batches(&schema, batches).unwrap();
    let expected = one(&rows.collect::<Result<Vec<_>, _>>().unwrap());
    let found = one(&found.batches);
    assert_eq!(found.num_rows(), 126);
    for (field, (found, expected)) in
        schema.fields().iter().zip(found.columns().iter().zip(expected.columns()))
    {
        assert_eq!(found, expected, "{field}");
    }
}

#[test]
fn the_newest_events_of_an_entity_come_from_the_newest_files() {
    let folder = fast_folder();
    let store = Store::open_or_create(folder.path()).unwrap();
    for day in 0..30_i64 {
        let line = |number: i64| {
            let ts = 1_767_225_600_000 + day * 86_400_000 + number;
            format!(
                "{{\"ts\":{ts},\"id\":\"{day}-{number}\",\"resource_type\":\"t\",\"resource_id\":\"x\"}}\n"
            )
        };
        let lines: String = (0..4).map(line).collect();
        let reader = Box::new(std::io::Cursor::new(lines.into_bytes()));
        let input = Input::Reader { name: format!("day{day}"), reader };
        store.ingest(vec![input], &IngestOptions::default(), &NoProgress).unwrap();
    }
    let ask = |limit, filter: &str| {
        let question = serde_json::json!({
            "analysis": "history", "entity_type": "t", "entity_id": "x", "limit": limit, "filter": filter,
        });
        let answer = store.ask_json(question, &AskOptions::default()).unwrap();
        let ids = answer["changes"].as_array().unwrap().iter().map(|event| event["event_id"].clone());
        (ids.map(|id| id.as_str().unwrap().to_string()).collect::<Vec<_>>(), answer["more"] == true)
    };
    assert_eq!(ask(3, "*"), (["29-3", "29-2", "29-1"].map(String::from).to_vec(), true));
    assert_eq!(ask(5, "*").0.last().unwrap(), "28-3");
    assert_eq!((ask(120, "*").0.len(), ask(120, "*").1, ask(119, "*").1), (120, false, true));
    assert_eq!(ask(3, "event_id:0-1").0, ["0-1"]);
    for day in 0..25 {
        let file = std::fs::read_dir(folder.path().join(format!("day=2026-01-{:02}", day + 1))).unwrap();
        file.for_each(|file| std::fs::write(file.unwrap().path(), "no Parquet").unwrap());
    }
    assert_eq!(ask(3, "*").0.len(), 3);
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
