use super::*;
use crate::error::ErrorKind;
use crate::event::catalogue::Catalogue;
use crate::mine::Dictionary;
use crate::query::filter::TsSpan;
use chrono::NaiveDate;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

const DAY: i64 = 1_770_076_800_000_000;

fn stored(path: &str, rows: u64) -> Stored {
    Stored {
        path: path.to_string(),
        size: 1_000,
        rows,
        sha256: "ab".repeat(32),
        footer: Place { offset: 900, length: 100, sha256: "cd".repeat(32) },
        ts: (DAY + 5, DAY + 10),
        seq: (100, 200),
    }
}

fn file(path: &str) -> BundleFile {
    let texts = [("kind".to_string(), Some(("b".to_string(), "d".to_string()))), ("actor".to_string(), None)];
    let day = NaiveDate::from_ymd_opt(2026, 2, 3).unwrap();
    BundleFile { stored: stored(path, 10), day, severity: Some((9, 17)), texts: BTreeMap::from(texts) }
}

fn manifest() -> Json {
    let mut manifest = Manifest::new("t".to_string(), "2026-02-03T00:00:00Z".to_string(), Source::default());
    manifest.describe(&Catalogue::new(10), &Dictionary::default());
    manifest.add(file("events/day=2026-02-03/part-0001.parquet"));
    manifest.add(file("events/day=2026-02-03/part-0002.parquet"));
    serde_json::from_slice(&manifest.to_json()).unwrap()
}

fn read(json: &Json) -> crate::Result<Manifest> {
    Manifest::read(json.to_string().as_bytes())
}

#[test]
fn a_manifest_is_read_as_it_was_written() {
    let read = read(&manifest()).unwrap();
    assert_eq!((read.events, read.bytes, read.files.len()), (20, 2_000, 2));
    assert_eq!(read.span(), Some((DAY + 5, DAY + 10)));
    assert_eq!(serde_json::from_slice::<Json>(&read.to_json()).unwrap(), manifest());
}

#[test]
fn a_manifest_that_lies_is_refused() {
    let check = |pointer: &str, value: Json, kind: ErrorKind, part: &str| {
        let mut json = manifest();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        json.pointer_mut(parent).unwrap()[key] = value;
        let error = read(&json).unwrap_err();
        assert_eq!(error.kind(), kind, "{pointer}: {error}");
        assert!(error.to_string().contains(part), "{pointer}: {error}");
    };
    let corrupt = ErrorKind::Corrupt;
    check("/daybook_bundle", json!(2), ErrorKind::Unsupported, "of version 2");
    check("/daybook_bundle", json!(0), corrupt, "version 0");
    check("/daybook_bundle", json!("1"), corrupt, "cannot be read");
    check("/events", json!(21), corrupt, "21 events");
    check("/bytes", json!(1), corrupt, "1 bytes");
    check("/files/0/size", json!(-1), corrupt, "cannot be read");
    check("/files/0/size", json!(1_001), corrupt, "not at its end");
    check("/files/0/size", json!(u64::MAX), corrupt, "cannot be");
    check("/files/0/rows", json!(0), corrupt, "cannot be");
    check("/files/0/footer/offset", json!(901), corrupt, "not at its end");
    check("/files/0/footer/length", json!(u64::MAX), corrupt, "not at its end");
    check("/files/0/sha256", json!("AB".repeat(32)), corrupt, "hash");
    check("/files/0/footer/sha256", json!(""), corrupt, "hash");
    check("/files/0/day", json!("2026-02-04"), corrupt, "not of its day");
    check("/files/0/ts", json!([DAY + 10, DAY + 5]), corrupt, "end before they begin");
    check("/files/0/seq", json!([2, 1]), corrupt, "end before they begin");
    check("/files/1/path", json!("events/day=2026-02-03/part-0001.parquet"), corrupt, "named twice");
    check(
        "/catalogue/columns",
        json!([{"name": "kind", "path": ["kind"], "type": "string"}]),
        corrupt,
        "two columns",
    );
    check(
        "/catalogue/columns",
        json!([{"name": "x", "path": ["x"], "type": "decimal"}]),
        ErrorKind::Unsupported,
        "column type",
    );
    check(
        "/templates",
        json!({"version": 1, "templates": [{"id": "0", "template": "x"}]}),
        corrupt,
        "template",
    );
    for path in [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "//host/a",
        "https://host/a",
        "a%2e%2e/b",
        "a\\b",
        ".a",
        "a/",
        "a?b",
        "a#b",
        "a\u{1b}[2J",
    ] {
        check("/files/0/path", json!(path), corrupt, "not one below");
    }
}

/// The copies of a manifest: each of some files, with columns.
fn with_copies(files: usize, copies: &[(usize, usize)]) -> Json {
    let mut manifest = Manifest::new("t".to_string(), "2026-02-03T00:00:00Z".to_string(), Source::default());
    manifest.describe(&Catalogue::new(10), &Dictionary::default());
    for number in 0..files {
        let path = format!("events/day=2026-02-03/part-{number:04}.parquet");
        let mut file = file(&path);
        // Each has its own ten microseconds.
        let first = DAY + 10 * number as i64;
        file.stored.ts = (first, first + 9);
        manifest.add(file);
    }
    for (number, (from, to)) in copies.iter().enumerate() {
        let rows = 10 * (to - from) as u64;
        let mut stored = stored(&format!("columns/part-{number:04}.parquet"), rows);
        stored.ts = (DAY + 10 * *from as i64, DAY + 10 * *to as i64 - 1);
        let columns = ["ts", "seq", "kind"].map(str::to_string).to_vec();
        manifest.add_copy(CopyFile { stored, of: (*from, *to), columns });
    }
    serde_json::from_slice(&manifest.to_json()).unwrap()
}

#[test]
fn a_copy_that_lies_is_refused() {
    let whole = with_copies(30, &[(0, 10), (12, 30)]);
    assert_eq!(read(&whole).unwrap().bytes, 32_000);
    let check = |pointer: &str, value: Json, part: &str| {
        let mut json = whole.clone();
        *json.pointer_mut(pointer).unwrap() = value;
        let error = read(&json).unwrap_err();
        assert!(error.kind() == ErrorKind::Corrupt && error.to_string().contains(part), "{pointer}: {error}");
    };
    check("/copies/0/of", json!([0, 11]), "not the rows");
    check("/copies/0/of", json!([10, 0]), "files that cannot be");
    check("/copies/0/of", json!([0, 0]), "files that cannot be");
    check("/copies/1/of", json!([12, 31]), "files that cannot be");
    check("/copies/1/of", json!([9, 27]), "files that cannot be");
    check("/copies/1/rows", json!(181), "not the rows");
    check("/copies/1/ts/1", json!(DAY + 298), "not the times");
    check("/copies/1/seq/0", json!(101), "not the times");
    check("/copies/1/path", json!("../x"), "not one below");
    check("/copies/1/path", json!("events/day=2026-02-03/part-0000.parquet"), "named twice");
    check("/copies/1/footer/length", json!(99), "not at its end");
    check("/bytes", json!(31_000), "31000 bytes");
}

#[test]
fn a_copy_stands_for_many_files_or_for_none() {
    let manifest = read(&with_copies(30, &[(0, 10), (12, 30)])).unwrap();
    let check = |span: Option<(i64, i64)>, columns: &[&str], expected: Vec<usize>| {
        let span = span.map(|(from, until)| TsSpan { from: DAY + 10 * from, until: DAY + 10 * until });
        let needs = Needs { span, ..Needs::default() };
        assert_eq!(manifest.files_with(&needs, columns), expected, "{span:?} {columns:?}");
    };
    check(None, &["kind", "ts"], vec![10, 11, 30, 31]);
    check(None, &[], vec![10, 11, 30, 31]);
    check(None, &["kind", "actor"], (0..30).collect());
    check(Some((3, 5)), &["kind"], vec![3, 4]);
    check(Some((2, 10)), &["kind"], vec![30]);
    check(Some((6, 10)), &["kind"], vec![30]);
    check(Some((7, 10)), &["kind"], vec![7, 8, 9]);
    check(Some((9, 30)), &["kind"], vec![9, 10, 11, 31]);
    // Each row is there once: a copy has its files' rows, and no others are read of them.
    let rows: u64 = manifest
        .files_with(&Needs::default(), &["ts"])
        .into_iter()
        .map(|number| manifest.stored().nth(number).unwrap().rows)
        .sum();
    assert_eq!(rows, manifest.events);
}

#[test]
fn what_is_no_manifest_is_refused() {
    let check = |bytes: &[u8], part: &str| {
        let error = Manifest::read(bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains(part), "{error}");
    };
    check(b"", "cannot be read");
    check(b"<!doctype html>", "cannot be read");
    check(b"{}", "does not say that it is a bundle's");
    check(b"{\"daybook_bundle\":1}", "cannot be read");
    check("[".repeat(100_000).as_bytes(), "cannot be read");
}

#[test]
fn files_are_chosen_by_time_number_and_text() {
    let check = |needs: Needs, expected: bool| assert_eq!(needs.may_be_in(&file("a")), expected, "{needs:?}");
    let span = |from: i64, until: i64| Needs { span: Some(TsSpan { from, until }), ..Needs::default() };
    let seqs = |seqs: &[i64]| Needs { seqs: seqs.to_vec(), ..Needs::default() };
    let key = |column: &str, values: &[&str]| {
        let any = values.iter().map(|value| (column.to_string(), (*value).to_string())).collect();
        Needs { keys: vec![any], ..Needs::default() }
    };
    check(Needs::default(), true);
    check(span(DAY + 10, i64::MAX), true);
    check(span(DAY + 11, i64::MAX), false);
    check(span(i64::MIN, DAY + 5), false);
    check(span(i64::MIN, DAY + 6), true);
    let among = |spans: &[(i64, i64)]| Needs {
        among: spans.iter().map(|(from, until)| TsSpan { from: *from, until: *until }).collect(),
        ..Needs::default()
    };
    check(among(&[(DAY, DAY + 5), (DAY + 11, DAY + 20)]), false);
    check(among(&[(DAY, DAY + 5), (DAY + 7, DAY + 8), (DAY + 11, DAY + 20)]), true);
    check(among(&[(DAY, DAY + 6)]), true);
    check(among(&[(DAY + 10, i64::MAX)]), true);
    check(seqs(&[1, 99, 201]), false);
    check(seqs(&[1, 150, 201]), true);
    check(key("kind", &["c"]), true);
    check(key("kind", &["a", "e"]), false);
    check(key("kind", &["a", "d"]), true);
    check(key("actor", &["ann"]), false);
    check(key("session", &["s"]), true);
}
