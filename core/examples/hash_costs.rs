//! What hashing and encryption cost by themselves: `hash_costs ROWS BYTES_OF_ROWS BYTES_OF_FILES` prints the seconds of one
//! core for as many rows of so many bytes together, and for files of so many bytes, as JSON. `tests/bench/trust.py` holds them against
//! what ingest takes in all.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program that prints")]

use daybook::event::canonical::{RowSet, row_hashes};
use daybook::event::digest::{Digest, Messages};
use daybook::event::tree::Tree;
use sha2::Digest as _;
use std::time::Instant;

const AT_ONCE: u64 = 2_048;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [rows, row_bytes, file_bytes] = numbers.as_slice() else {
        eprintln!("usage: hash_costs ROWS BYTES_OF_ROWS BYTES_OF_FILES");
        std::process::exit(2);
    };
    let size = usize::try_from(row_bytes / rows.max(&1)).unwrap_or(1);
    let record: Vec<u8> = (0..size).map(|place| (place % 251) as u8).collect();
    let started = Instant::now();
    let (mut set, mut tree, mut messages) = (RowSet::default(), Tree::default(), Messages::default());
    for first in (0..*rows).step_by(AT_ONCE as usize) {
        let count = AT_ONCE.min(rows - first);
        let mut contents: Vec<Digest> = Vec::new();
        for _ in 0..count {
            messages.push_with(|out| out.extend_from_slice(&record));
            if messages.bytes() > 256 << 10 {
                messages.hash_into(&mut contents);
            }
        }
        messages.hash_into(&mut contents);
        let hashes = row_hashes(contents.iter().zip(0..).map(|(content, seq)| (seq, seq, content)));
        set.add_rows(&hashes);
        tree.push(&hashes);
    }
    std::hint::black_box((set, tree.finish()));
    let of_rows = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let mut hash = sha2::Sha256::new();
    let chunk = vec![7_u8; 1 << 20];
    let mut left = *file_bytes;
    while left > 0 {
        let now = left.min(chunk.len() as u64);
        hash.update(chunk.get(..now as usize).unwrap_or_default());
        left -= now;
    }
    std::hint::black_box(hash.finalize());
    let of_files = started.elapsed().as_secs_f64();
    let encryption = encryption(*file_bytes);
    println!("{{\"rows\":{of_rows:.4},\"files\":{of_files:.4},\"encryption\":{encryption:.4}}}");
}

/// The seconds that it takes to encrypt so many bytes, a page at a time.
fn encryption(bytes: u64) -> f64 {
    let Ok(keys) = daybook::Keys::parse(&"1a".repeat(32), "the example") else { return f64::NAN };
    let page = vec![7_u8; 32 << 10];
    let started = Instant::now();
    for _ in 0..bytes.div_ceil(page.len() as u64) {
        std::hint::black_box(keys.first().seal("page", &page).is_ok());
    }
    started.elapsed().as_secs_f64()
}
