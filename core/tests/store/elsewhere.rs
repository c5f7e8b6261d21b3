//! The store as another engine reads it.

use crate::support::{event, fast_folder};
use crate::upkeep::ingest;
use daybook::log::At;
use daybook::query::analyses::{Answer, Answers};
use daybook::{AskOptions, Durability, ErrorKind, QueryRequest, Store};
use serde_json::{Value, json};

const LINES: &str = concat!(
    "{\"ts\":\"2026-01-10T00:00:00Z\",\"id\":\"1\",\"kind\":\"login\",\"level\":\"info\",\"message\":\"ann came\",\"n\":1}\n",
    "{\"ts\":\"2026-01-10T01:00:00Z\",\"id\":\"2\",\"kind\":\"login\",\"level\":\"error\",\"message\":\"bob came\",\"n\":2}\n",
    "{\"ts\":\"2026-01-11T00:00:00Z\",\"id\":\"3\",\"kind\":\"logout\",\"level\":\"info\",\"message\":\"ann went\",\"n\":\"x\"}\n",
    "no JSON\n",
);

/// Three events in files and one that is not yet, and a reject.
fn filled(folder: &std::path::Path) -> Store {
    let store = Store::open_or_create(folder).unwrap();
    ingest(&store, "lines", LINES);
    store.append(&event("waiting"), Durability::Fsync).unwrap();
    store
}

#[test]
fn the_files_and_columns_of_a_version_are_all_that_another_engine_needs() {
    let folder = fast_folder();
    let store = filled(folder.path());
    let found = store.elsewhere(At::Latest).unwrap();
    assert_eq!((found.events.rows, found.quarantine.rows), (3, 1), "what waits is in no file");
    assert_eq!((found.events.files.len(), found.quarantine.files.len()), (2, 1));
    for file in found.events.files.iter().chain(&found.quarantine.files) {
        assert!(file.is_absolute() && file.is_file(), "{}", file.display());
    }
    let names: Vec<&str> = found.events.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names.get(..2), Some(&["seq", "ts"][..]));
    let field = |name: &str| found.events.columns.iter().find(|column| column.name == name).unwrap();
    // It has a number in its column, and a text in `rest`: it reads as text.
    assert_eq!((field("n").reads, field("n").path.join(".")), (Some("string"), "n".to_string()));
    assert_eq!((field("kind").stored, field("kind").reads), ("string", None));
    // The version of then stays what it was.
    store.seal().unwrap();
    let now = store.elsewhere(At::Latest).unwrap();
    assert_eq!((now.events.rows, now.version > found.version), (4, true));
    assert_eq!(store.elsewhere(At::Version(found.version)).unwrap(), found);
    let error = store.elsewhere(At::Version(now.version + 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    store.close().unwrap();
}

/// The rows of all queries of a request, as any engine with the same SQL gives them.
fn answered(store: &Store, request: &Value) -> Answers {
    let mut answers = Answers::default();
    loop {
        let statements =
            store.statements_elsewhere(request.clone(), &answers, &AskOptions::default()).unwrap();
        if statements.is_empty() {
            return answers;
        }
        for statement in statements {
            let query = QueryRequest { parameters: statement.parameters, ..QueryRequest::new(statement.sql) };
            let batches: Vec<_> = store.query(&query).unwrap().collect::<Result<_, _>>().unwrap();
            answers.add(statement.name, Answer::of(&batches).unwrap());
        }
    }
}

#[test]
fn questions_are_answered_elsewhere_as_here() {
    let folder = fast_folder();
    let store = filled(folder.path());
    let options = AskOptions::default();
    for request in [
        json!({"analysis": "stats"}),
        json!({"analysis": "stats", "filter": "kind:login"}),
        json!({"analysis": "timeline"}),
        json!({"analysis": "facets", "by": ["kind", "level"]}),
    ] {
        let here = store.ask_json(request.clone(), &options).unwrap();
        let answers = answered(&store, &request);
        let elsewhere = store.report_elsewhere(request.clone(), &answers, &options).unwrap();
        assert_eq!(elsewhere, here, "{request}");
    }
    // The profiles of parameters are found here alone.
    let request = json!({"analysis": "templates"});
    let here = store.ask_json(request.clone(), &options).unwrap();
    let elsewhere = store.report_elsewhere(request.clone(), &answered(&store, &request), &options).unwrap();
    for name in ["events", "without", "found"] {
        assert_eq!(elsewhere[name], here[name], "{name}");
    }
    let error = store
        .statements_elsewhere(json!({"analysis": "patterns"}), &Answers::default(), &options)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    store.close().unwrap();
}

#[test]
fn a_filter_is_a_condition_with_its_values_beside_it() {
    let folder = fast_folder();
    let store = filled(folder.path());
    for (filter, expected) in [("kind:login", 2), ("level:error OR kind:logout", 2), ("o'brien", 0), ("*", 4)]
    {
        let condition = store.condition_elsewhere(&json!(filter), &AskOptions::default()).unwrap();
        assert!(!condition.sql.contains("o'brien"), "{}", condition.sql);
        let sql = format!("SELECT count(*)::BIGINT AS n FROM events WHERE {}", condition.sql);
        let query = QueryRequest { parameters: condition.parameters, ..QueryRequest::new(sql) };
        let batches: Vec<_> = store.query(&query).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(Answer::of(&batches).unwrap().rows[0].0[0], json!(expected), "{filter}");
    }
    assert!(store.condition_elsewhere(&json!("kind:("), &AskOptions::default()).is_err());
    store.close().unwrap();
}
