//! Whatever happens to a file, every line of it is accounted for: random damage to real files, of every format.

use crate::support::{World, counts, data, from};
use daybook::{IngestOptions, Receipt};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::path::Path;
use std::sync::LazyLock;

/// Files whose records are lines, each with its format.
const LINES: [(&str, &str); 7] = [
    ("real.jsonl", "jsonl"),
    ("logfmt.log", "logfmt"),
    ("syslog_bsd.log", "syslog"),
    ("syslog_5424.log", "syslog"),
    ("common.log", "access"),
    ("combined.log", "access"),
    ("lines.txt", "jsonl"),
];
/// Files whose records may be several lines, or several of which may be one line.
const OTHERS: [(&str, &str); 13] = [
    ("journal.json", "journal-json"),
    ("array.json", "json"),
    ("cloudtrail.json", "json"),
    ("concatenated.json", "json"),
    ("rows.csv", "csv"),
    ("rows.tsv", "csv"),
    ("copy.csv", "csv"),
    ("plain.copy", "copy"),
    ("docker.log", "docker"),
    ("cri.log", "cri"),
    ("journal.export", "journal"),
    ("otel.jsonl", "otel"),
    ("traces.log", "text"),
];

/// The beginnings of the real logs beside the checkout, where there are any.
static CORPORA: LazyLock<Vec<(&str, Vec<u8>, &str)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    let files = [
        ("windows_events.jsonl", "jsonl"),
        ("zeek.jsonl", "jsonl"),
        ("apache_combined.log", "access"),
        ("auth_syslog.log", "syslog"),
    ];
    let mut found = Vec::new();
    for (name, format) in files {
        let Ok(file) = std::fs::File::open(folder.join(format!("{name}.zst"))) else {
            eprintln!("skipped: there is no `{name}.zst` beside the checkout");
            continue;
        };
        let mut text = Vec::new();
        let source = zstd::stream::read::Decoder::new(file).unwrap();
        std::io::Read::read_to_end(&mut std::io::Read::take(source, 60_000), &mut text).unwrap();
        found.push((name, text, format));
    }
    found
});

/// One thing that happens to a file. Places are shares of its length.
#[derive(Clone, Debug)]
enum Damage {
    Cut(f64),
    Flip(f64, u8),
    Shuffle(u64),
    Repeat(f64, f64),
    Remove(f64, f64),
    Insert(f64, Vec<u8>),
    Windows,
    Crlf,
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |share: f64| ((bytes.len() as f64 * share) as usize).min(bytes.len().saturating_sub(1));
        match self {
            _ if bytes.is_empty() => {}
            Damage::Cut(share) => bytes.truncate(at(*share)),
            Damage::Flip(share, bit) => {
                let at = at(*share);
                bytes[at] ^= 1 << (bit % 8);
            }
            Damage::Shuffle(seed) => {
                let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
                lines.sort_by_key(|line| {
                    line.iter().fold(*seed, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(*byte)))
                });
                *bytes = lines.concat();
            }
            Damage::Repeat(a, b) => {
                let (a, b) = (at(a.min(*b)), at(a.max(*b)));
                let part = bytes[a..b].to_vec();
                bytes.splice(b..b, part);
            }
            Damage::Remove(a, b) => {
                let (a, b) = (at(a.min(*b)), at(a.max(*b)));
                bytes.drain(a..b);
            }
            Damage::Insert(share, what) => {
                let at = at(*share);
                bytes.splice(at..at, what.iter().copied());
            }
            Damage::Windows => {
                *bytes = encoding_rs::WINDOWS_1252.encode(&String::from_utf8_lossy(bytes)).0.into_owned()
            }
            Damage::Crlf => {
                *bytes = bytes.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..])
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let share = || 0.0..1.0;
    let what =
        prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'"'), Just(b'{'), Just(0)], 1..12);
    prop_oneof![
        share().prop_map(Damage::Cut),
        (share(), any::<u8>()).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        any::<u64>().prop_map(Damage::Shuffle),
        (share(), share()).prop_map(|(a, b)| Damage::Repeat(a, b)),
        (share(), share()).prop_map(|(a, b)| Damage::Remove(a, b)),
        (share(), what).prop_map(|(at, what)| Damage::Insert(at, what)),
        Just(Damage::Windows),
        Just(Damage::Crlf),
    ]
}

/// Runs a check on a file of a list with random damage, as many times as `DAYBOOK_DAMAGE_CASES` says.
fn run(files: usize, check: impl Fn(usize, &[Damage])) {
    let cases = std::env::var("DAYBOOK_DAMAGE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let strategy = (0..files, prop::collection::vec(damage(), 0..6));
    TestRunner::new(config)
        .run(&strategy, |(file, damages)| {
            check(file, &damages);
            Ok(())
        })
        .unwrap();
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    damages.iter().for_each(|damage| damage.apply(&mut bytes));
    bytes
}

/// What holds for every input: the counts add up, SQL counts the same, and the same again is all known.
fn check_input(world: &World, name: &str, bytes: &[u8], options: &IngestOptions) -> Receipt {
    let receipt = world.ingest_as(name, bytes, options);
    world.check_counts(&receipt);
    assert!(!receipt.has_errors(), "{receipt:#?}");
    assert_eq!(receipt.duplicate, 0, "{receipt:#?}");
    assert_eq!(receipt.bytes, bytes.len() as u64, "{receipt:#?}");
    let again = world.ingest_as(name, bytes, options);
    assert_eq!(counts(&again), [again.records, 0, again.records, 0]);
    receipt
}

/// The lines of a text, and how many of them are not blank.
fn line_counts(text: &[u8]) -> [u64; 2] {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let records = lines.iter().filter(|line| !line.trim_ascii().is_empty()).count();
    [lines.len() as u64, records as u64]
}

/// What is in the quarantine stands in the input where it says.
fn check_places(world: &World, bytes: &[u8]) {
    let sql = "SELECT concat(byte_offset, ' ', coalesce(raw_base64, to_base64(encode(raw)))) FROM quarantine";
    for place in world.texts(sql) {
        let (offset, raw) = place.split_once(' ').unwrap();
        let raw = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, raw).unwrap();
        let offset: usize = offset.parse().unwrap();
        let there = bytes.get(offset..offset + raw.len());
        assert_eq!(there, Some(&raw[..]), "{}", String::from_utf8_lossy(&raw));
    }
}

fn check_lines(name: &str, bytes: &[u8], format: &str) {
    let world = World::with_settings("[redact]\nenabled = false\n");
    let options = IngestOptions { encoding: Some(daybook::Encoding::Utf8), ..from(format) };
    let receipt = check_input(&world, name, bytes, &options);
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    assert_eq!([receipt.lines, receipt.records], line_counts(text), "{receipt:#?}");
    check_places(&world, bytes);
    // Found by looking, nothing is lost either.
    let world = World::new();
    check_input(&world, name, bytes, &IngestOptions::default());
}

#[test]
fn every_line_of_a_damaged_file_is_accounted_for() {
    run(LINES.len(), |file, damages| {
        let (name, format) = LINES[file];
        check_lines(name, &damaged(data(&format!("formats/{name}")), damages), format);
    });
}

#[test]
fn every_line_of_a_damaged_real_log_is_accounted_for() {
    if CORPORA.is_empty() {
        return;
    }
    run(CORPORA.len(), |file, damages| {
        let (name, bytes, format) = &CORPORA[file];
        check_lines(name, &damaged(bytes.clone(), damages), format);
    });
}

#[test]
fn the_counts_of_every_damaged_format_add_up() {
    run(OTHERS.len(), |file, damages| {
        let (name, format) = OTHERS[file];
        let bytes = damaged(data(&format!("formats/{name}")), damages);
        for options in [IngestOptions::default(), from(format)] {
            check_input(&World::new(), name, &bytes, &options);
        }
        let lines = check_input(
            &World::new(),
            name,
            &bytes,
            &IngestOptions { encoding: Some(daybook::Encoding::Utf8), ..from(format) },
        )
        .lines;
        assert!(lines <= line_counts(&bytes)[0], "{lines}");
    });
}

#[test]
fn an_encoding_that_changes_within_a_file_loses_no_line() {
    run(LINES.len(), |file, damages| {
        let (name, _) = LINES[file];
        let bytes = data(&format!("formats/{name}"));
        let utf16: Vec<u8> =
            String::from_utf8_lossy(&bytes).encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (first, second) = if damages.len() % 2 == 0 { (bytes, utf16) } else { (utf16, bytes) };
        check_input(
            &World::new(),
            name,
            &damaged([first, second].concat(), damages),
            &IngestOptions::default(),
        );
    });
}

#[test]
fn damaged_compression_stores_what_comes_before_and_says_so() {
    let text = "{\"kind\":\"a\",\"text\":\"some words\"}\n".repeat(400);
    let whole = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    let files = [whole, gzip.finish().unwrap()];
    run(files.len(), |file, damages| {
        let world = World::new();
        let receipt = world.ingest("a", damaged(files[file].clone(), damages));
        world.check_counts(&receipt);
        assert!(receipt.stored <= 1_200, "{receipt:#?}");
    });
}
