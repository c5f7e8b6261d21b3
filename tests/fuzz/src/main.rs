//! Every parser of the core, fed by libFuzzer. The environment variable `DAYBOOK_FUZZ_TARGET` chooses one;
//! `tests/fuzz/run` runs them all.
#![no_main]

mod catalogue;
mod columnar;
mod filter;
mod format;
mod ingest;
mod input;
mod json;
#[allow(dead_code, reason = "the sources of the core, of which `wal` needs some")]
#[path = "../../../core/src/keys/mod.rs"]
mod keys;
mod mine;
mod redact;
mod roundtrip;
mod sql;
mod time;
mod wal;

// The parts of the core that `ingest` and `wal` take from its sources name them so.
use daybook::{Format, ingest::columnar::panics_are_caught};
use daybook::{error, layout};
use std::panic::PanicHookInfo;
use std::sync::OnceLock;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 27] = [
    ("jsonl", |data| format::check(Format::JsonLines, data)),
    ("json", |data| format::check(Format::Json, data)),
    ("csv", |data| format::check(Format::Csv, data)),
    ("copy", |data| format::check(Format::Copy, data)),
    ("logfmt", |data| format::check(Format::Logfmt, data)),
    ("syslog", |data| format::check(Format::Syslog, data)),
    ("access", |data| format::check(Format::Access, data)),
    ("docker", |data| format::check(Format::Docker, data)),
    ("cri", |data| format::check(Format::Cri, data)),
    ("journal", |data| format::check(Format::Journal, data)),
    ("journal-json", |data| format::check(Format::JournalJson, data)),
    ("otel", |data| format::check(Format::Otel, data)),
    ("text", |data| format::check(Format::Text, data)),
    ("parquet", |data| columnar::check(Format::Parquet, data)),
    ("arrow", |data| columnar::check(Format::Arrow, data)),
    ("detect", format::check_detection),
    ("input", input::check),
    ("decompress", ingest::check_decompression),
    ("archive", ingest::check_archive),
    ("value", json::check),
    ("record", roundtrip::check),
    ("redact", redact::check),
    ("filter", filter::check),
    ("mine", mine::check),
    ("sql", sql::check),
    ("time", time::check),
    ("disk", check_files_of_the_store),
];

fn check_files_of_the_store(data: &[u8]) {
    wal::check(data);
    catalogue::check(data);
}

static TARGET: OnceLock<Target> = OnceLock::new();

/// Ends the process at a panic, so that libFuzzer keeps the input. Readers of Parquet and Arrow catch panics of
/// other crates; these are no findings.
fn end_at_panics() {
    let _ = std::panic::take_hook();
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        if !panics_are_caught() {
            print(panic);
            std::process::abort();
        }
    }));
}

fn choose_target() -> Target {
    let name = std::env::var("DAYBOOK_FUZZ_TARGET").unwrap_or_default();
    if let Some((_, target)) = TARGETS.into_iter().find(|(known, _)| *known == name) {
        return target;
    }
    TARGETS.iter().for_each(|(name, _)| println!("{name}"));
    std::process::exit(i32::from(name != "list"));
}

libfuzzer_sys::fuzz_target!(
    init: {
        end_at_panics();
        TARGET.get_or_init(choose_target);
    },
    |data: &[u8]| {
        if let Some(target) = TARGET.get() {
            target(data);
        }
    }
);
