//! Bad input: places, files and lines that are not what they should be. Each error says what and where.

use crate::support::{by_changes, by_export, by_sql, event, number, query, texts};
use daybook::storage::LocalStorage;
use daybook::storage::probe::{Operation, Probe};
use daybook::{
    Appended, CompactRequest, Durability, Error, ErrorKind, IngestOptions, Input, NoProgress, Receipt, Store,
};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const LONG_LINE: usize = 33_000_000;
const TOO_LONG_LINE: usize = 80_000_000;

fn store_with(folder: &Path, ids: &[&str]) -> Store {
    let store = Store::open_or_create(folder).unwrap();
    for id in ids {
        store.append(&event(id), Durability::Fsync).unwrap();
    }
    store
}

fn ids(store: &Store) -> Vec<String> {
    by_sql(store).0.into_keys().collect()
}

fn ingest(store: &Store, name: &str, bytes: impl Read + Send + 'static) -> Receipt {
    let input = Input::Reader { name: name.to_string(), reader: Box::new(bytes) };
    store.ingest(vec![input], &IngestOptions::default(), &NoProgress).unwrap()
}

/// Files below a folder whose path has a part in it.
fn files(folder: &Path, part: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, part));
        } else if path.to_string_lossy().contains(part) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[track_caller]
fn assert_error(error: &Error, kind: ErrorKind, parts: &[&str]) {
    assert_eq!(error.kind(), kind, "{error:?}");
    for part in parts {
        assert!(error.to_string().contains(part), "`{part}` is not in: {error:?}");
    }
    assert!(error.hint().is_some(), "nothing to do about: {error:?}");
}

#[test]
fn a_path_that_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display().to_string();
    let nowhere = folder.path().join("nowhere");
    assert_error(&Store::open(&nowhere).unwrap_err(), ErrorKind::NotFound, &["no store", "nowhere"]);
    assert!(!nowhere.exists());
    assert_error(&Store::open(folder.path()).unwrap_err(), ErrorKind::NotFound, &["no store", &place]);
    let file = folder.path().join("file.txt");
    std::fs::write(&file, "text").unwrap();
    assert_error(&Store::open(folder.path()).unwrap_err(), ErrorKind::NotFound, &["no store", &place]);
    let error = Store::open_or_create(folder.path()).unwrap_err();
    assert_error(&error, ErrorKind::Invalid, &[&place, "file.txt"]);
    for error in [Store::open(&file).unwrap_err(), Store::open_or_create(&file).unwrap_err()] {
        assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotFound), "{error:?}");
        assert!(error.to_string().contains("file.txt") && error.hint().is_some(), "{error:?}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
}

#[test]
fn a_store_of_a_newer_format() {
    let folder = tempfile::tempdir().unwrap();
    store_with(folder.path(), &["a"]).close().unwrap();
    let commit = folder.path().join("_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(&commit).unwrap();
    assert!(text.contains(r#""daybook.format":"1""#));
    std::fs::write(&commit, text.replace(r#""daybook.format":"1""#, r#""daybook.format":"2""#)).unwrap();
    for error in [Store::open(folder.path()).unwrap_err(), Store::open_or_create(folder.path()).unwrap_err()]
    {
        assert_error(&error, ErrorKind::Unsupported, &["format", "2"]);
        assert!(error.hint().unwrap().contains("newer"), "{error:?}");
    }
}

#[test]
fn no_permission() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("events");
    store_with(&store, &["a"]).close().unwrap();
    std::fs::set_permissions(&store, PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::read_dir(&store).is_ok() {
        eprintln!("skipped: permissions do not stop this user, who is root");
    } else {
        assert_error(&Store::open(&store).unwrap_err(), ErrorKind::Permission, &["events"]);
        std::fs::set_permissions(&store, PermissionsExt::from_mode(0o500)).unwrap();
        let readable = Store::open(&store).unwrap();
        assert_eq!(ids(&readable), ["a"]);
        let error = readable.append(&event("b"), Durability::Fsync).unwrap_err();
        assert_error(&error, ErrorKind::Permission, &["events"]);
    }
    std::fs::set_permissions(&store, PermissionsExt::from_mode(0o700)).unwrap();
}

/// Refuses everything that changes the disk.
#[derive(Debug, Default)]
struct Refusal(AtomicBool);

impl Probe for Refusal {
    fn before(&self, _operation: Operation, _path: &Path) -> std::io::Result<()> {
        let error = || std::io::Error::from_raw_os_error(13);
        if self.0.load(Ordering::Relaxed) { Err(error()) } else { Ok(()) }
    }
}

#[test]
fn a_store_that_may_only_be_read() {
    let folder = tempfile::tempdir().unwrap();
    store_with(folder.path(), &["a", "b"]).close().unwrap();
    let refusal = Arc::new(Refusal(AtomicBool::new(true)));
    let storage = LocalStorage::with_probe(folder.path(), refusal);
    let store = Store::open_storage(storage, Arc::new(|| 1_790_000_000_000_000)).unwrap();
    assert_eq!(ids(&store), ["a", "b"]);
    assert_eq!(by_export(&store).len(), 2);
    assert_eq!(store.info().unwrap().wal_events, 2);
    let error = store.append(&event("c"), Durability::Fsync).unwrap_err();
    assert_error(&error, ErrorKind::Permission, &[&folder.path().display().to_string()]);
    store.close().unwrap();
}

/// A small file system in memory; none where this user may not make one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(size: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path());
        mount.output().is_ok_and(|output| output.status.success()).then(|| SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_disk_that_is_really_full() {
    let Some(disk) = SmallDisk::new("3m") else {
        eprintln!("skipped: this user may not mount a small disk");
        return;
    };
    let ballast = disk.0.path().join("ballast");
    std::fs::write(&ballast, vec![0; 1 << 20]).unwrap();
    let folder = disk.0.path().join("events");
    let store = Store::open_or_create(&folder).unwrap();
    let text = "x".repeat(10_000);
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    for number in 0..400 {
        match store.append(&event(&format!("{number:03}")).field("text", text.as_str()), Durability::Fsync) {
            Ok(_) => acknowledged.push(format!("{number:03}")),
            Err(error) => {
                assert_error(&error, ErrorKind::Full, &["events"]);
                refused += 1;
            }
        }
    }
    assert!(acknowledged.len() > 50 && refused > 50, "{} and {refused}", acknowledged.len());
    assert_error(&store.seal().unwrap_err(), ErrorKind::Full, &[]);
    assert_eq!(ids(&store), acknowledged);
    assert_eq!(ids(&Store::open(&folder).unwrap()), acknowledged);

    // The same handle goes on once there is room.
    std::fs::remove_file(&ballast).unwrap();
    store.append(&event("later"), Durability::Fsync).unwrap();
    acknowledged.push("later".to_string());
    store.seal().unwrap();
    assert_eq!(ids(&store), acknowledged);
    store.close().unwrap();
    let store = Store::open(&folder).unwrap();
    assert_eq!(ids(&store), acknowledged);
    assert_eq!((store.info().unwrap().wal_events, store.info().unwrap().warnings), (0, vec![]));
}

#[test]
fn a_data_file_that_is_missing_or_cut_short_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_with(folder.path(), &["a"]);
    store.seal().unwrap();
    store.append(&event("b"), Durability::Fsync).unwrap();
    store.seal().unwrap();
    let file = files(folder.path(), "/part-").remove(0);
    let name = file.file_name().unwrap().to_str().unwrap().to_string();
    let whole = std::fs::read(&file).unwrap();
    let damages: [&dyn Fn(); 5] = [
        &|| std::fs::remove_file(&file).unwrap(),
        &|| std::fs::write(&file, b"").unwrap(),
        &|| std::fs::write(&file, &whole[..whole.len() / 2]).unwrap(),
        &|| std::fs::write(&file, &whole[..whole.len() - 1]).unwrap(),
        &|| std::fs::write(&file, vec![0; whole.len()]).unwrap(),
    ];
    for (number, damage) in damages.iter().enumerate() {
        damage();
        let store = Store::open(folder.path()).unwrap();
        let named = |what: &str, error: Error| {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}, damage {number}: {error:?}");
            assert!(error.to_string().contains(&name), "{what}, damage {number}: {error:?}");
            assert!(error.hint().is_some(), "{what}, damage {number}: {error:?}");
        };
        named("SQL", query(&store, "SELECT kind, count(*) FROM events GROUP BY kind").unwrap_err());
        let request = daybook::ExportRequest { original: true, ..Default::default() };
        named(
            "export",
            store
                .export(&request, &daybook::AskOptions::default(), &mut Vec::new(), &NoProgress)
                .unwrap_err(),
        );
        named("changes", by_changes(&store, None, 100).unwrap_err());
        named("compact", store.compact(&CompactRequest::default(), &NoProgress).unwrap_err());
    }
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(ids(&store), ["a", "b"]);
}

#[test]
fn a_commit_that_is_torn() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_with(folder.path(), &["a"]);
    store.seal().unwrap();
    store.append(&event("b"), Durability::Fsync).unwrap();
    store.seal().unwrap();
    store.close().unwrap();
    let commits = files(folder.path(), "/_delta_log/0");
    let commits: Vec<_> =
        commits.into_iter().filter(|path| !path.to_string_lossy().contains("_quarantine")).collect();
    let (last, middle) = (&commits[commits.len() - 1], &commits[commits.len() - 2]);
    let whole = std::fs::read(last).unwrap();

    let cut = std::fs::read(middle).unwrap();
    std::fs::write(middle, &cut[..cut.len() / 2]).unwrap();
    let name = middle.file_name().unwrap().to_str().unwrap();
    assert_error(&Store::open(folder.path()).unwrap_err(), ErrorKind::Corrupt, &[name, "torn"]);
    std::fs::write(middle, &cut).unwrap();

    std::fs::write(last, &whole[..whole.len() - 10]).unwrap();
    let name = last.file_name().unwrap().to_str().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(ids(&store), ["a"]);
    let warnings = store.info().unwrap().warnings;
    assert!(
        warnings.len() == 1 && warnings[0].contains(name) && warnings[0].contains("torn"),
        "{warnings:?}"
    );
    assert_eq!(store.warnings(), warnings);
    store.append(&event("c"), Durability::Fsync).unwrap();
    store.seal().unwrap();
    store.close().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!((ids(&store), store.warnings()), (vec!["a".to_string(), "c".to_string()], vec![]));
}

/// The only segment of a store whose writer is gone.
fn segment_of(folder: &Path, ids: &[&str]) -> (PathBuf, Vec<u8>) {
    store_with(folder, ids).close().unwrap();
    let segment = files(folder, ".wal").remove(0);
    let bytes = std::fs::read(&segment).unwrap();
    (segment, bytes)
}

#[test]
fn a_segment_torn_at_its_end_is_dropped_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let (segment, bytes) = segment_of(folder.path(), &["a", "b", "c"]);
    let third = last_frame(&bytes);
    for end in [third + 1, third + 20, bytes.len() - 1] {
        std::fs::write(&segment, &bytes[..end]).unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(ids(&store), ["a", "b"]);
        assert_eq!(store.info().unwrap().warnings, Vec::<String>::new());
    }
    let store = Store::open(folder.path()).unwrap();
    store.seal().unwrap();
    assert_eq!((ids(&store), store.warnings()), (vec!["a".to_string(), "b".to_string()], vec![]));
}

#[test]
fn a_segment_damaged_in_the_middle_is_reported_and_the_rest_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (segment, bytes) = segment_of(folder.path(), &["a", "b", "c", "d"]);
    let second = frames(&bytes)[1];
    let mut changed = bytes.clone();
    changed[second + 30] ^= 0x20;
    std::fs::write(&segment, &changed).unwrap();
    let place = segment.strip_prefix(folder.path()).unwrap().display().to_string();
    let says = |warnings: &[String]| {
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].contains(&place) && warnings[0].contains(&format!("byte {second} ")),
            "{warnings:?}"
        );
    };
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(ids(&store), ["a", "c", "d"]);
    says(&store.info().unwrap().warnings);
    assert_eq!(store.warnings(), Vec::<String>::new());
    store.seal().unwrap();
    assert_eq!(ids(&store), ["a", "c", "d"]);
    says(&store.warnings());
    says(&store.info().unwrap().warnings);
    store.close().unwrap();
    assert_eq!(ids(&Store::open(folder.path()).unwrap()), ["a", "c", "d"]);
}

/// Where the frames of a segment start.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let (mut starts, mut at) = (Vec::new(), 36);
    while at < bytes.len() {
        starts.push(at);
        at += 16 + u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    }
    starts
}

fn last_frame(bytes: &[u8]) -> usize {
    frames(bytes).pop().unwrap()
}

#[test]
fn text_that_is_not_utf8() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_or_create(folder.path()).unwrap();
    let text = b"{\"id\":\"a\"}\n{\"id\":\"b\",\"name\":\"caf\xe9\"}\n\xff\xfe\n{\"id\":\"c\"}\n";
    let receipt = ingest(&store, "latin", &text[..]);
    assert_eq!((receipt.records, receipt.stored, receipt.quarantined), (4, 2, 2));
    let appended = store.append_json(b"{\"id\":\"d\",\"x\":\"\xf0\x28\"}", Durability::Fsync).unwrap();
    let Appended::Quarantined { reason, .. } = appended else { panic!("{appended:?}") };
    assert!(reason.contains("UTF-8"), "{reason}");
    assert_eq!(ids(&store), ["a", "c"]);
    let sql = "SELECT concat_ws('|', input, byte_offset, reason, hex(from_base64(raw_base64))) FROM quarantine ORDER BY input, byte_offset";
    let rejects = texts(&store, sql).unwrap();
    let rejects: Vec<_> = rejects.iter().flatten().map(String::as_str).collect();
    assert_eq!(rejects.len(), 3);
    assert!(rejects[0].starts_with("append|0|") && rejects[0].ends_with("F028227D"), "{rejects:?}");
    assert!(rejects[1].starts_with("latin|11|") && rejects[1].contains("UTF-8"), "{rejects:?}");
    assert!(rejects[2].starts_with("latin|36|") && rejects[2].ends_with("|FFFE"), "{rejects:?}");
}

/// `{"id":"ID","message":"xxx..."}`, made while it is read.
fn long_line(id: &str, length: usize) -> impl Read + Send + 'static {
    let start = std::io::Cursor::new(format!("{{\"id\":\"{id}\",\"message\":\""));
    start.chain(std::io::repeat(b'x').take(length as u64)).chain(&b"\"}\n"[..])
}

#[test]
fn very_long_lines() {
    let folder = tempfile::tempdir().unwrap();
    // Else the value would be cut at the limit for values.
    std::fs::write(folder.path().join("daybook.toml"), "[redact]\nmax_value_bytes = 0\n").unwrap();
    let store = Store::open_or_create(folder.path()).unwrap();
    let lines = long_line("long", LONG_LINE)
        .chain(long_line("too-long", TOO_LONG_LINE))
        .chain(&b"{\"id\":\"short\",\"message\":\"m\"}\n"[..]);
    let receipt = ingest(&store, "long", lines);
    assert_eq!((receipt.records, receipt.stored, receipt.quarantined, receipt.lines), (3, 2, 1, 3));
    assert_eq!(ids(&store), ["long", "short"]);
    assert_eq!(number(&store, "SELECT max(length(message)) FROM events"), LONG_LINE as i64);
    let reasons =
        texts(&store, "SELECT reason FROM quarantine WHERE starts_with(raw, '{\"id\":\"too-long\"')");
    let reasons = reasons.unwrap();
    assert!(matches!(&reasons[..], [Some(reason)] if reason.contains("longer")), "{reasons:?}");
    let mut out = Vec::new();
    let request = daybook::ExportRequest { original: true, ..Default::default() };
    store.export(&request, &daybook::AskOptions::default(), &mut out, &NoProgress).unwrap();
    assert!(out.len() > LONG_LINE && out.len() < LONG_LINE + 1000, "{}", out.len());
}

#[test]
fn timestamps_of_all_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_or_create(folder.path()).unwrap();
    let good = [
        ("s", "1770112800", "2026-02-03 10:00:00"),
        ("s with a part", "1770112800.25", "2026-02-03 10:00:00.25"),
        ("ms", "1770112800123", "2026-02-03 10:00:00.123"),
        ("us", "1770112800123456", "2026-02-03 10:00:00.123456"),
        ("ns", "1770112800123456789", "2026-02-03 10:00:00.123456"),
        ("text of a number", "\"1770112800\"", "2026-02-03 10:00:00"),
        ("RFC 3339", "\"2026-02-03T12:00:00.5+02:00\"", "2026-02-03 10:00:00.5"),
        ("RFC 3339 in UTC", "\"2026-02-03T10:00:00Z\"", "2026-02-03 10:00:00"),
        ("no zone", "\"2026-02-03 10:00:00\"", "2026-02-03 10:00:00"),
        ("no zone, T", "\"2026-02-03T10:00:00.123456\"", "2026-02-03 10:00:00.123456"),
        ("RFC 2822", "\"Tue, 3 Feb 2026 11:00:00 +0100\"", "2026-02-03 10:00:00"),
        ("RFC 2822 in GMT", "\"Tue, 03 Feb 2026 10:00:00 GMT\"", "2026-02-03 10:00:00"),
        ("the first", "\"1900-01-01T00:00:00Z\"", "1900-01-01 00:00:00"),
        ("the last", "\"2200-12-31T23:59:59.999999Z\"", "2200-12-31 23:59:59.999999"),
    ];
    let bad = [
        ("unreadable", "\"yesterday\"", "yesterday"),
        ("no day", "\"2026-02-30T10:00:00Z\"", "2026-02-30"),
        ("too early", "\"1899-12-31T23:59:59Z\"", "1900"),
        ("too late", "\"2201-01-01T00:00:00Z\"", "2200"),
        ("far too late", "99999999999", "2200"),
        ("a truth", "true", "true"),
    ];
    let line = |name: &str, ts: &str| format!("{{\"id\":\"{name}\",\"ts\":{ts}}}\n");
    let mut text: String = good.iter().map(|(name, ts, _)| line(name, ts)).collect();
    text.extend(bad.iter().map(|(name, ts, _)| line(name, ts)));
    text.push_str("{\"id\":\"none\"}\n");
    text.push_str("{\"id\":\"null\",\"ts\":null}\n");
    let receipt = ingest(&store, "times", std::io::Cursor::new(text));
    assert_eq!((receipt.stored, receipt.quarantined), (good.len() as u64 + 2, bad.len() as u64));
    for (name, _, expected) in good {
        let found =
            texts(&store, &format!("SELECT CAST(ts AS VARCHAR) FROM events WHERE event_id = '{name}'"));
        assert_eq!(found.unwrap(), [Some(expected.to_string())], "{name}");
    }
    for (name, _, expected) in bad {
        let sql = format!("SELECT reason FROM quarantine WHERE contains(raw, '\"{name}\"')");
        let reasons = texts(&store, &sql).unwrap();
        let says =
            matches!(&reasons[..], [Some(reason)] if reason.contains(expected) && reason.contains("ts"));
        assert!(says, "{name}: {reasons:?}");
    }
    // Without a time, the time of arrival.
    let arrival = "event_id IN ('none', 'null') AND abs(epoch_us(ts) - epoch_us(recorded_at)) < 60000000";
    assert_eq!(number(&store, &format!("SELECT count(*) FROM events WHERE {arrival}")), 2);
}
