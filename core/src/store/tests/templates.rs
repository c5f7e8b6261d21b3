//! Templates of messages: from the log, from data files, from several writers.

use super::*;
use crate::mine::TemplateId;

fn say(store: &Store, message: &str) {
    store.append(&Event::new("said").message(message), Durability::Os).unwrap();
}

fn texts(store: &Store, sql: &str) -> Vec<String> {
    let batches = store.query(&QueryRequest::new(sql)).unwrap();
    let of_batch = |batch: crate::Result<arrow::array::RecordBatch>| {
        let batch = batch.unwrap();
        let column = batch.column(0).as_string::<i32>();
        (0..column.len()).map(|row| column.value(row).to_string()).collect::<Vec<_>>()
    };
    batches.flat_map(of_batch).collect()
}

const JOINED: &str = "SELECT coalesce(general.template, known.template) AS text FROM events \
     JOIN templates AS known ON known.id = events.template \
     LEFT JOIN templates AS general ON general.id = known.merged_into ORDER BY seq";

#[test]
fn messages_have_templates_in_the_log_and_in_data_files() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    say(&store, "took 12 ms to build");
    let id = TemplateId::of("took <*> ms to build").to_string();
    assert_eq!(texts(&store, "SELECT template FROM events"), std::slice::from_ref(&id));
    assert_eq!(texts(&store, "SELECT template FROM templates"), ["took <*> ms to build"]);
    store.seal().unwrap();
    say(&store, "took 7 ms to build");
    append(&store, 0..1);
    assert_eq!(
        texts(&store, "SELECT template FROM events WHERE template IS NOT NULL"),
        [id.clone(), id.clone()]
    );
    ingest(&store, "{\"message\":\"took 1 ms to build\",\"ts\":\"2026-01-01T00:00:00Z\"}\n");
    store.close().unwrap();
    let files = std::fs::read_dir(fixture.folder.path().join("store/_templates")).unwrap().count();
    assert_eq!(files, 2, "one of each commit that knows something new");
    let store = fixture.store();
    assert_eq!(store.dictionary().unwrap().entries().len(), 1);
    let first = "SELECT CAST(first_seen AS VARCHAR) FROM templates";
    assert_eq!(texts(&store, first), ["2026-01-01 00:00:00"]);
    assert_eq!(texts(&store, "SELECT DISTINCT template FROM events WHERE template IS NOT NULL"), [id]);
}

#[test]
fn an_id_that_was_stored_leads_to_what_was_learned_later() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    let colours = ["red", "green", "blue", "black", "white", "grey", "pink"];
    for colour in colours {
        say(&store, &format!("the lamp is {colour} today"));
        store.seal().unwrap();
    }
    let ids = numbers(&store, "SELECT count(DISTINCT template) FROM events", At::Latest);
    assert!(ids[0] > 1, "the first were stored before anything was learned: {ids:?}");
    assert_eq!(texts(&store, JOINED), vec!["the lamp is <*> today"; colours.len()]);
    store.close().unwrap();
    let store = fixture.store();
    assert_eq!(texts(&store, JOINED), vec!["the lamp is <*> today"; colours.len()]);
    say(&store, "the lamp is violet today");
    assert_eq!(texts(&store, JOINED), vec!["the lamp is <*> today"; colours.len() + 1]);
}

#[test]
fn writers_that_meet_a_template_at_once_give_it_one_id() {
    let fixture = Fixture::new("");
    let (one, two) = (fixture.store(), fixture.store());
    say(&one, "took 1 ms to build");
    say(&two, "took 2 ms to build");
    say(&two, "nothing of the kind");
    one.seal().unwrap();
    two.seal().unwrap();
    assert_eq!(numbers(&one, "SELECT count(DISTINCT template) FROM events", At::Latest), [2]);
    assert_eq!(one.dictionary().unwrap(), two.dictionary().unwrap());
    let joined = "SELECT count(*) FROM events JOIN templates ON templates.id = events.template";
    assert_eq!(numbers(&one, joined, At::Latest), [3]);
    one.close().unwrap();
    two.close().unwrap();
}

#[test]
fn a_dictionary_that_is_damaged_is_named() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    say(&store, "took 1 ms to build");
    store.seal().unwrap();
    store.close().unwrap();
    let file = fixture.folder.path().join("store/_templates/0000000000.json.zst");
    std::fs::write(&file, "{}").unwrap();
    let store = fixture.store();
    let error = store.dictionary().unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Corrupt);
    assert!(error.to_string().contains("_templates/0000000000.json.zst"), "{error}");
    // Events come and go without it.
    say(&store, "took 2 ms to build");
    assert_eq!(numbers(&store, "SELECT count(*) FROM events", At::Latest), [2]);
    store.seal().unwrap();
    assert_eq!(numbers(&store, "SELECT count(*) FROM events WHERE template IS NULL", At::Latest), [1]);
}
