//! How many events a second a store acknowledges, beside what the disk does with bare writes and syncs.
//!
//! `append_rates FOLDER [SECONDS [ROUNDS]]`: each round measures every way in turn, so that a disk whose
//! speed drifts is compared with itself. Prints one JSON object: medians, and medians of the ratios.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark stops at the first surprise, and prints what it measured"
)]

use daybook::{Durability, Store};
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// An event of about 200 bytes.
fn record(number: u64) -> Vec<u8> {
    json!({
        "timestamp": "2026-02-03T10:30:45.123456Z", "kind": "order_paid", "message": "paid by card after two tries",
        "level": "info", "actor": format!("u-{}", number % 1000), "entity_type": "order", "entity_id": number.to_string(),
        "amount": 12.5, "n": number,
    })
    .to_string()
    .into_bytes()
}

fn fresh(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}

/// Writes and syncs of as many bytes, one after the other.
fn bare(folder: &Path, time: Duration, sync: bool) -> f64 {
    let path = fresh(folder, "bare");
    std::fs::create_dir_all(&path).expect("the folder can be made");
    let mut file = File::create(path.join("file")).expect("a file can be made");
    let bytes = record(1);
    let (started, mut count) = (Instant::now(), 0_u64);
    while started.elapsed() < time {
        file.write_all(&bytes).expect("a write");
        if sync {
            file.sync_data().expect("a sync");
        }
        count += 1;
    }
    count as f64 / started.elapsed().as_secs_f64()
}

fn store(folder: &Path, time: Duration, threads: usize, durability: Durability) -> f64 {
    let path = fresh(folder, "store");
    let store = Store::open_or_create(&path).expect("a store can be made");
    store.append_json(&record(0), Durability::Fsync).expect("an append");
    let count = AtomicU64::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (store, count) = (&store, &count);
            scope.spawn(move || {
                let record = record(thread as u64);
                let mut done = 0;
                while done % 64 != 0 || started.elapsed() < time {
                    store.append_json(&record, durability).expect("an append");
                    done += 1;
                    if durability == Durability::Fsync && started.elapsed() >= time {
                        break;
                    }
                }
                count.fetch_add(done, Ordering::Relaxed);
            });
        }
    });
    store.flush().expect("a flush");
    count.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("usage: append_rates FOLDER [SECONDS [ROUNDS]]"));
    let seconds = arguments.next().map_or(0.3, |text| text.parse().expect("seconds"));
    let rounds: usize = arguments.next().map_or(9, |text| text.parse().expect("rounds"));
    let time = Duration::from_secs_f64(seconds);
    let names = ["bare_fsync", "fsync_1", "fsync_8", "fsync_64", "bare_write", "os_1", "batched_1"];
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    for _ in 0..rounds {
        let round = [
            bare(&folder, time, true),
            store(&folder, time, 1, Durability::Fsync),
            store(&folder, time, 8, Durability::Fsync),
            store(&folder, time, 64, Durability::Fsync),
            bare(&folder, time, false),
            store(&folder, time, 1, Durability::Os),
            store(&folder, time, 1, Durability::Batched),
        ];
        rates.iter_mut().zip(round).for_each(|(all, rate)| all.push(rate));
    }
    let ratio = |above: usize, below: usize| {
        median(rates[above].iter().zip(&rates[below]).map(|(a, b)| a / b).collect())
    };
    let ratios = json!({
        "fsync_1 / bare_fsync": ratio(1, 0), "fsync_8 / fsync_1": ratio(2, 1), "fsync_64 / fsync_1": ratio(3, 1),
    });
    let medians: serde_json::Map<_, _> = names
        .iter()
        .zip(&rates)
        .map(|(name, all)| (name.to_string(), median(all.clone()).round().into()))
        .collect();
    println!("{}", json!({ "events_per_second": medians, "ratios": ratios, "rounds": rounds }));
    let _ = std::fs::remove_dir_all(&folder);
}
