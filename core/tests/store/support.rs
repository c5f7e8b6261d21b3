//! What the tests ask a store.

use daybook::{AskOptions, Event, ExportRequest, NoProgress, QueryRequest, Result, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use tempfile::TempDir;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;

/// A folder in memory where that is possible: thousands of stores are made in it.
pub fn fast_folder() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    match tempfile::tempdir_in(memory) {
        Ok(folder) => folder,
        Err(_) => tempfile::tempdir().unwrap(),
    }
}

/// An event that can be told from all others.
pub fn event(id: &str) -> Event {
    Event::new("test").message(format!("event {id}")).field("id", id)
}

/// All rows of a query.
pub fn query(store: &Store, sql: &str) -> Result<Vec<RecordBatch>> {
    let mut request = QueryRequest::new(sql);
    request.limits.threads = 1;
    store.query(&request)?.filter(|batch| batch.as_ref().map_or(true, |batch| batch.num_rows() > 0)).collect()
}

/// A column of text of a query, in its order.
pub fn texts(store: &Store, sql: &str) -> Result<Vec<Option<String>>> {
    let batches = query(store, sql)?;
    Ok(batches.iter().flat_map(|batch| column_texts(batch, 0)).collect())
}

/// The only number that a query gives.
pub fn number(store: &Store, sql: &str) -> i64 {
    let batches = query(store, sql).unwrap();
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

fn column_texts(batch: &RecordBatch, column: usize) -> Vec<Option<String>> {
    let column = batch.column(column).as_string::<i32>();
    (0..column.len()).map(|row| column.is_valid(row).then(|| column.value(row).to_string())).collect()
}

/// The numbers of events by their ids, and of rejects by their lines, as SQL finds them.
pub fn by_sql(store: &Store) -> (BTreeMap<String, i64>, BTreeMap<String, i64>) {
    let sql =
        "SELECT event_id, seq, true AS stored FROM events UNION ALL SELECT raw, seq, false FROM quarantine";
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    for batch in query(store, sql).unwrap() {
        let stored = batch.column(2).as_boolean().clone();
        for (row, pair) in ids_and_seqs(&batch).into_iter().enumerate() {
            if stored.value(row) { events.push(pair) } else { rejects.push(pair) }
        }
    }
    (once("SQL", events), once("the quarantine", rejects))
}

/// The numbers of events by their ids, as they are in batches of all columns.
pub fn ids_and_seqs(batch: &RecordBatch) -> Vec<(String, i64)> {
    let ids = batch.column_by_name("event_id").unwrap().as_string::<i32>();
    let seqs = batch.column_by_name("seq").unwrap().as_primitive::<Int64Type>();
    (0..batch.num_rows()).map(|row| (ids.value(row).to_string(), seqs.value(row))).collect()
}

/// The producers' records.
pub fn exported(store: &Store) -> String {
    let mut out = Vec::new();
    let request = ExportRequest { original: true, ..ExportRequest::default() };
    store.export(&request, &AskOptions::default(), &mut out, &NoProgress).unwrap();
    String::from_utf8(out).unwrap()
}

/// The ids in an export of the producers' records.
pub fn by_export(store: &Store) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for line in exported(store).lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = record["id"].as_str().unwrap_or_else(|| panic!("a record without its id: {line}"));
        assert!(ids.insert(id.to_string()), "the export has `{id}` twice");
    }
    ids
}

/// All events after a cursor, a few at a time, and the cursor after them.
pub fn by_changes(store: &Store, cursor: Option<&str>, limit: usize) -> Result<(Vec<(String, i64)>, String)> {
    let mut given = Vec::new();
    let mut changes = store.changes(cursor, limit)?;
    loop {
        given.extend(changes.events.iter().flat_map(ids_and_seqs));
        if !changes.more {
            return Ok((given, changes.cursor));
        }
        changes = store.changes(Some(&changes.cursor), limit)?;
    }
}

/// Events by their ids, each of which there is once, as each `seq`.
pub fn once(place: &str, events: impl IntoIterator<Item = (String, i64)>) -> BTreeMap<String, i64> {
    let (mut known, mut seqs) = (BTreeMap::new(), BTreeSet::new());
    for (id, seq) in events {
        assert!(seqs.insert(seq), "{place} gives the number {seq} twice");
        assert!(known.insert(id.clone(), seq).is_none(), "{place} gives the event `{id}` twice");
    }
    known
}
