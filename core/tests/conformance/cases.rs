//! Each group of events is asked all its cases, once sealed and once not.

use daybook::query::analyses::{Answer, Search, read_filter};
use daybook::query::filter::Context;
use daybook::{
    AskOptions, Durability, Error, IngestOptions, Input, NoProgress, QueryRequest, Result, Store, found,
};
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance")
}

/// The folders of the groups, and the cases of each.
fn groups() -> Vec<(PathBuf, Vec<Json>)> {
    let mut groups: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    groups.sort();
    groups.into_iter().map(|group| (group.clone(), cases(&group))).collect()
}

fn cases(group: &Path) -> Vec<Json> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(group).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        serde_json::from_str::<Vec<Json>>(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    files.iter().flat_map(read).collect()
}

fn ingested(group: &Path, folder: &Path) -> Store {
    let store = Store::open_or_create(folder).unwrap();
    let reader = Box::new(std::fs::File::open(group.join("events.jsonl")).unwrap());
    let input = Input::Reader { name: "events.jsonl".to_string(), reader };
    let receipt = store.ingest(vec![input], &IngestOptions::default(), &NoProgress).unwrap();
    assert_eq!(receipt.quarantined, 0, "{}", group.display());
    store
}

fn appended(group: &Path, folder: &Path) -> Store {
    let store = Store::open_or_create(folder).unwrap();
    let text = std::fs::read_to_string(group.join("events.jsonl")).unwrap();
    for line in text.lines() {
        store.append_json(line.as_bytes(), Durability::Os).unwrap();
    }
    store
}

/// What a case gives.
fn answer(store: &Store, case: &Json) -> Result<Json> {
    if let Some(sql) = case.get("sql") {
        let mut request = QueryRequest::new(sql.as_str().unwrap());
        let none = Map::new();
        let parameters = case.get("parameters").and_then(Json::as_object).unwrap_or(&none);
        request.parameters = parameters.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut answer = Answer::default();
        for batch in store.query(&request)? {
            answer.add(&batch?)?;
        }
        return Ok(json!(answer.objects(true)));
    }
    if let Some(filter) = case.get("filter") {
        let filter = read_filter(filter, &store.context())?;
        let reread = daybook::query::filter::Filter::parse(&filter.to_string(), &Context::without_clock());
        assert_eq!(reread.as_ref(), Ok(&filter), "{case}: `{filter}` is not read as it was printed");
        let columns = case.get("columns").map_or_else(|| json!(["n"]), Clone::clone);
        let columns: Vec<String> = serde_json::from_value(columns).unwrap();
        let search = Search { columns: columns.clone(), limit: 1_000, ..Search::new(filter) };
        let events = found(&search, &store.search(&search, &AskOptions::default())?)?.events;
        let mut numbers: Vec<i64> =
            events.iter().filter_map(|event| event.get(&columns[0])?.as_i64()).collect();
        numbers.sort_unstable();
        return Ok(json!(numbers));
    }
    store.ask_json(case["analysis"].clone(), &AskOptions::default())
}

/// What is wrong with an answer, if anything.
fn fault(case: &Json, answer: Result<Json, Error>) -> Option<String> {
    match (answer, case.get("error")) {
        (Err(error), Some(expected)) => {
            let text = format!("{error} {}", error.hint().unwrap_or_default());
            let message = case.get("message").and_then(Json::as_str).unwrap_or_default();
            let is_it = json!(error.kind().name()) == *expected && text.contains(message);
            (!is_it).then(|| format!("gave {error:?}"))
        }
        (Err(error), None) => Some(format!("gave {error:?}")),
        (Ok(answer), Some(_)) => Some(format!("gave {answer}")),
        (Ok(mut answer), None) => {
            let expected = ["rows", "matches", "report"].into_iter().find_map(|key| case.get(key));
            let expected = expected.expect("a case has `rows`, `matches`, `report` or `error`");
            let ignored = case.get("ignore").and_then(Json::as_array).into_iter().flatten();
            let ignored: Vec<&str> = ignored.filter_map(Json::as_str).chain(["seq"]).collect();
            without(&mut answer, &ignored);
            (!is_same(&answer, expected)).then(|| format!("gave     {answer}\nexpected {expected}"))
        }
    }
}

/// What differs from store to store, such as the numbers of events.
fn without(json: &mut Json, ignored: &[&str]) {
    match json {
        Json::Object(members) => {
            members.retain(|name, _| !ignored.contains(&name.as_str()));
            members.values_mut().for_each(|member| without(member, ignored));
        }
        Json::Array(elements) => elements.iter_mut().for_each(|element| without(element, ignored)),
        _ => {}
    }
}

/// Equal, but for the last digits of doubles.
fn is_same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(a), Json::Number(b)) if a.is_f64() || b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        _ => one == other,
    }
}

fn check(make: impl Fn(&Path, &Path) -> Store) {
    let (mut faults, mut count) = (Vec::new(), 0);
    for (group, cases) in groups() {
        let folder = tempfile::tempdir().unwrap();
        let store = make(&group, folder.path());
        for case in cases {
            count += 1;
            if let Some(fault) = fault(&case, answer(&store, &case)) {
                let name = group.file_name().unwrap().to_string_lossy().into_owned();
                faults.push(format!("{name}: {}\n{fault}", case["name"]));
            }
        }
        store.close().unwrap();
    }
    assert!(faults.is_empty(), "{} of {count} cases:\n\n{}", faults.len(), faults.join("\n\n"));
    assert!(count >= 150, "there are only {count} cases");
}

#[test]
fn data_files_answer_as_expected() {
    check(ingested);
}

#[test]
fn events_that_are_not_sealed_answer_as_expected() {
    check(appended);
}

#[test]
fn cases_have_names_of_their_own() {
    for (group, cases) in groups() {
        let mut names: Vec<String> = cases.iter().map(|case| case["name"].to_string()).collect();
        names.sort();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None, "{}", group.display());
    }
}
