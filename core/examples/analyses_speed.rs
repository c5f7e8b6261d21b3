//! How long analyses take in process: `analyses_speed make DIR EVENTS`, then `analyses_speed ask DIR`.

#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use daybook::demo::{self, DemoOptions};
use daybook::query::analyses::{Every, Facets, Search, Show, Stats, Timeline};
use daybook::query::filter::{Context, Filter};
use daybook::{AskOptions, Error, ErrorKind, IngestOptions, Input, NoProgress, QueryRequest, Result, Store};
use std::io::Read;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["make", folder, events] => make(Path::new(folder), events.parse().unwrap_or(1_000_000)),
        ["ask", folder] => ask(&Store::open(Path::new(folder))?),
        _ => Err(Error::new(ErrorKind::Invalid, "make DIR EVENTS, or ask DIR")),
    }
}

/// The lines of events, as a file would have them.
struct Lines<I> {
    events: I,
    line: Vec<u8>,
    done: usize,
}

impl<I: Iterator<Item = demo::DemoEvent>> Read for Lines<I> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.done == self.line.len() {
            let Some(event) = self.events.next() else { return Ok(0) };
            self.line = event.record.into_bytes();
            self.line.push(b'\n');
            self.done = 0;
        }
        let mut rest = self.line.get(self.done..).unwrap_or_default();
        let read = rest.read(out)?;
        self.done += read;
        Ok(read)
    }
}

fn make(folder: &Path, events: u32) -> Result<()> {
    let mut options = DemoOptions::new(chrono::NaiveDate::default() + chrono::Days::new(20_700));
    options.events_per_day = f64::from(events) / 365.0 * 0.94;
    let reader = Box::new(Lines { events: demo::events(&options), line: Vec::new(), done: 0 });
    let store = Store::open_or_create(folder)?;
    let input = Input::Reader { name: "demo".to_string(), reader };
    let receipt = store.ingest(vec![input], &IngestOptions::default(), &NoProgress)?;
    println!("{} events in {:.1} s", receipt.stored, receipt.seconds);
    store.close()
}

fn ask(store: &Store) -> Result<()> {
    let options = AskOptions::default();
    let context = Context::new(0);
    let filter = |text: &str| Filter::parse(text, &context).map_err(Error::from);
    measure("count(*)", || sql(store, "SELECT count(*) FROM events"))?;
    let sets = "GROUP BY GROUPING SETS ((kind), (actor), (status))";
    let by_hand = format!("SELECT kind, actor, status, count(*) FROM events {sets}");
    measure("facets of kind, actor, status, in SQL", || sql(store, &by_hand))?;
    measure("stats", || store.ask(&Stats { filter: Filter::all() }, &options).map(|_| ()))?;
    measure("facets of kind, actor, status", || {
        store.ask(&Facets::by(["kind", "actor", "status"]), &options).map(|_| ())
    })?;
    let every = Timeline { filter: Filter::all(), every: Every::Auto, by: None, limit: 8 };
    measure("timeline", || store.ask(&every, &options).map(|_| ()))?;
    let by_kind = Timeline { by: Some("kind".to_string()), ..every };
    measure("timeline by kind", || store.ask(&by_kind, &options).map(|_| ()))?;
    measure("show a seq that is not there", || {
        store.show(&Show { id: "1000000000000001".to_string() }, &options).map(|_| ())
    })?;
    measure("show an id that is not there", || {
        store.show(&Show { id: "nobody".to_string() }, &options).map(|_| ())
    })?;
    for text in ["*", "kind:error", "is:error", "actor:nobody"] {
        let search = Search::new(filter(text)?);
        measure(&format!("search {text}"), || store.search(&search, &options).map(|_| ()))?;
        let found = store.search(&search, &options)?;
        let rows: usize = found.batches.iter().map(|batch| batch.num_rows()).sum();
        println!("    {rows} found, {} files", found.files);
    }
    Ok(())
}

fn sql(store: &Store, sql: &str) -> Result<()> {
    for batch in store.query(&QueryRequest::new(sql))? {
        batch?;
    }
    Ok(())
}

/// The time that the process has taken of all cores, in milliseconds; to 10 ms.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = text.split(' ').skip(13).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() * 10.0
}

/// The best of five, and the mean time of all cores.
fn measure(name: &str, mut run: impl FnMut() -> Result<()>) -> Result<()> {
    let mut best = f64::INFINITY;
    let before = cpu_ms();
    for _ in 0..5 {
        let started = Instant::now();
        run()?;
        best = best.min(started.elapsed().as_secs_f64() * 1000.0);
    }
    println!("{best:9.1} ms, {:7.1} ms of all cores  {name}", (cpu_ms() - before) / 5.0);
    Ok(())
}
