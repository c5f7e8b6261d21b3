//! How long questions take inside a process, for `tests/bench/ask.py`: `ask_times STORE ROUNDS`.
//!
//! Prints one JSON object: for each question the median, the least and the first time in milliseconds, how many rows
//! came, how much was read of data files without DuckDB the last time, and the SQL of the analyses whose time is
//! compared with DuckDB's own.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints what it measured")]

use daybook::event::TableSchema;
use daybook::query::analyses::{Analysis, Facets, History, Scope, Search, Session, Show, Stats};
use daybook::query::filter::{Columns, Context, Filter};
use daybook::{AskOptions, QueryRequest, Store};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Instant;

type Failed = Box<dyn std::error::Error>;

/// A field that is no fixed column.
const FIELD: &str = "user_agent";

fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: ask_times STORE ROUNDS")?;
    let rounds: usize = arguments.next().unwrap_or_else(|| "7".to_string()).parse()?;
    let store = Store::open(Path::new(&folder))?;
    let mut told = Map::new();
    told.insert("sql".to_string(), sql(&store)?);
    told.insert("times".to_string(), times(&store, rounds)?);
    println!("{}", Value::Object(told));
    Ok(())
}

/// The SQL of the analyses that DuckDB is to run, too.
fn sql(store: &Store) -> Result<Value, Failed> {
    let mut schema = TableSchema::default();
    for column in store.columns()? {
        schema.push(column)?;
    }
    let now_us = i64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_micros())?;
    let columns = Columns { context: Context::new(now_us), ..Columns::of(&schema) };
    let scope = Scope { columns, now_us, span: None, text: "" };
    let of = |statements: Vec<daybook::query::analyses::Statement>| -> Vec<String> {
        statements.into_iter().map(|statement| statement.sql).collect()
    };
    Ok(json!({
        "stats": of(Stats { filter: Filter::all() }.statements(&scope)?),
        "facets": of(facets().statements(&scope)?),
    }))
}

fn facets() -> Facets {
    let by = ["kind", "source", "actor", "status"].map(str::to_string).to_vec();
    Facets { filter: Filter::all(), by, limit: 20 }
}

fn times(store: &Store, rounds: usize) -> Result<Value, Failed> {
    let options = AskOptions::default();
    let old = row(store, "SELECT event_id, session, seq, entity_type, entity_id FROM events WHERE event_id IS NOT NULL \
        AND session IS NOT NULL AND entity_id IS NOT NULL AND ts < (SELECT max(ts) - INTERVAL 200 DAY FROM events) LIMIT 1")
        .or_else(|_| row(store, "SELECT any_value(event_id), any_value(session), any_value(seq), \
        any_value(entity_type), any_value(entity_id) FROM events WHERE day = (SELECT min(day) + 100 FROM events)"))?;
    let text = |place: usize| old.get(place).and_then(Value::as_str).unwrap_or_default().to_string();
    let read = |text: &str| Filter::parse(text, &Context::new(0));
    let mut times = Map::new();
    let mut time = |name: &str, ask: &dyn Fn() -> Result<usize, Failed>| -> Result<(), Failed> {
        let (mut taken, mut rows, mut bytes) = (Vec::new(), 0, 0);
        for _ in 0..rounds.max(1) {
            let (started, before) = (Instant::now(), store.bytes_read());
            rows = ask()?;
            bytes = store.bytes_read().saturating_sub(before);
            taken.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        let first = taken.first().copied().unwrap_or_default();
        taken.sort_by(f64::total_cmp);
        let middle = taken.get(taken.len() / 2).copied().unwrap_or_default();
        let least = taken.first().copied().unwrap_or_default();
        eprintln!(
            "{name}: {middle:.1} ms ({least:.1} at least, {first:.1} at first), {rows} rows, {bytes} bytes"
        );
        let times_ms = json!({
            "median_ms": middle, "least_ms": least, "first_ms": first, "rows": rows, "bytes_read": bytes,
        });
        times.insert(name.to_string(), times_ms);
        Ok(())
    };
    let search = |filter: &str| -> Result<usize, Failed> {
        let found = store.search(&Search::new(read(filter)?), &options)?;
        Ok(found.batches.iter().map(|batch| batch.num_rows()).sum())
    };
    time("newest 100, all", &|| search("*"))?;
    time("newest 100, a kind", &|| search("kind:user_action"))?;
    time("newest 100, errors", &|| search("is:error"))?;
    let show = |id: String| Ok(store.show(&Show { id }, &options)?.events.len());
    time("one event by event_id", &|| show(text(0)))?;
    time("one event by seq", &|| show(old.get(2).map(Value::to_string).unwrap_or_default()))?;
    time("one session", &|| {
        let session =
            Session { id: text(1), filter: Filter::all(), limit: 10_000, gap_minutes: 30, pause_minutes: 5 };
        Ok(store.ask(&session, &options)?.course.events.len())
    })?;
    time("one entity", &|| {
        let (entity_type, entity_id) = (text(3), text(4));
        let history = History { entity_type, entity_id, filter: Filter::all(), limit: 100 };
        Ok(store.ask(&history, &options)?.changes.len())
    })?;
    time("stats", &|| Ok(store.ask(&Stats { filter: Filter::all() }, &options)?.by_kind.0.len()))?;
    time("facets", &|| Ok(store.ask(&facets(), &options)?.facets.len()))?;
    time("group by a field", &|| count(store, &format!("SELECT {FIELD}, count(*) FROM events GROUP BY 1")))?;
    time("filter on a field", &|| count(store, "SELECT count(*) FROM events WHERE order_id = 1234"))?;
    Ok(Value::Object(times))
}

fn count(store: &Store, sql: &str) -> Result<usize, Failed> {
    let mut rows = 0;
    for batch in store.query(&QueryRequest::new(sql))? {
        rows += batch?.num_rows();
    }
    Ok(rows)
}

/// The first row of a query.
fn row(store: &Store, sql: &str) -> Result<Vec<Value>, Failed> {
    let batches = store.query(&QueryRequest::new(sql))?.collect::<Result<Vec<_>, _>>()?;
    let answer = daybook::query::analyses::Answer::of(&batches)?;
    answer.rows.into_iter().next().map(|row| row.0).ok_or_else(|| "no row".into())
}
