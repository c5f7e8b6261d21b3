use super::*;
use crate::error::ErrorKind;
use crate::storage::{LocalStorage, Storage};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;

mod faults;
mod power;
mod processes;

const NOW: i64 = 1_800_000_000_000_000;

/// A clock that gives a later microsecond each time.
fn clock() -> Clock {
    let now = AtomicI64::new(NOW);
    Arc::new(move || now.fetch_add(1, Ordering::SeqCst))
}

fn folder() -> (TempDir, Arc<LocalStorage>) {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(LocalStorage::new(folder.path()));
    (folder, storage)
}

fn open(storage: &Arc<LocalStorage>) -> WalWriter {
    WalWriter::open(Arc::clone(storage), clock(), WalOptions::default()).unwrap()
}

/// All frames of a writer; none of its segments may be damaged.
fn frames(storage: &LocalStorage, writer: &str) -> Vec<Frame> {
    let logs = list_writers(storage).unwrap();
    let segments = logs.into_iter().find(|log| log.writer == writer).map(|log| log.segments);
    let read = |(number, _)| {
        let content = read_segment(storage, writer, number).unwrap();
        assert_eq!(content.damage, []);
        content.frames
    };
    segments.unwrap_or_default().into_iter().flat_map(read).collect()
}

/// All frames in a store.
fn all_frames(root: &Path) -> Vec<Frame> {
    let storage = LocalStorage::new(root);
    let writers = list_writers(&storage).unwrap();
    writers.iter().flat_map(|log| frames(&storage, &log.writer)).collect()
}

fn pairs(frames: &[Frame]) -> Vec<(i64, &str)> {
    frames.iter().map(|frame| (frame.seq, std::str::from_utf8(&frame.payload).unwrap())).collect()
}

#[test]
fn events_are_read_back_in_order_whatever_their_durability() {
    let (_folder, storage) = folder();
    let wal = open(&storage);
    let first = wal.append(b"one", Durability::Fsync).unwrap();
    let second = wal.append(b"two", Durability::Os).unwrap();
    let third = wal.append(b"three", Durability::Batched).unwrap();
    assert_eq!(pairs(&frames(&storage, wal.writer())), [(first, "one"), (second, "two")]);
    assert_eq!(wal.current().events, 3);
    wal.flush().unwrap();
    let more = wal.append_all(&[b"four", b"", b"six"], Durability::Fsync).unwrap();
    assert_eq!(wal.append_all(&[], Durability::Fsync).unwrap(), Vec::<i64>::new());
    let expected = [
        (first, "one"),
        (second, "two"),
        (third, "three"),
        (more[0], "four"),
        (more[1], ""),
        (more[2], "six"),
    ];
    assert_eq!(pairs(&frames(&storage, wal.writer())), expected);
    assert!(expected.is_sorted_by(|a, b| a.0 < b.0));
    let status = wal.current();
    assert_eq!((status.number, status.events, status.first_us), (1, 6, Some(NOW)));
    assert_eq!(status.bytes, 6 * 16 + 18);
}

#[test]
fn segments_are_closed_when_full_and_removed_on_demand() {
    let (_folder, storage) = folder();
    let options = WalOptions { segment_events: 3, segment_bytes: 1000, ..WalOptions::default() };
    let wal = WalWriter::open(Arc::clone(&storage), clock(), options).unwrap();
    for _ in 0..7 {
        wal.append(b"event", Durability::Os).unwrap();
    }
    assert_eq!(wal.closed_segments(), [1, 2]);
    wal.append(&[b'x'; 1000], Durability::Fsync).unwrap();
    wal.append(b"event", Durability::Fsync).unwrap();
    assert_eq!(wal.closed_segments(), [1, 2, 3]);
    wal.rotate().unwrap();
    wal.rotate().unwrap();
    assert_eq!(wal.closed_segments(), [1, 2, 3, 4]);
    assert_eq!(wal.current(), SegmentStatus { number: 5, events: 0, bytes: 0, first_us: None });
    assert_eq!(frames(&storage, wal.writer()).len(), 9);
    wal.remove_segments(2).unwrap();
    wal.remove_segments(2).unwrap();
    assert_eq!(wal.closed_segments(), [3, 4]);
    assert_eq!(frames(&storage, wal.writer()).len(), 3);
    let error = read_segment(&storage, wal.writer(), 2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn closing_syncs_and_leaves_what_is_not_removed() {
    let (_folder, storage) = folder();
    let wal = open(&storage);
    wal.append(b"event", Durability::Batched).unwrap();
    wal.close().unwrap();
    wal.close().unwrap();
    for error in [
        wal.append(b"x", Durability::Os).unwrap_err(),
        wal.flush().unwrap_err(),
        wal.rotate().unwrap_err(),
        wal.remove_segments(1).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
    let taken = take_over(&storage, wal.writer()).unwrap().unwrap();
    assert_eq!(taken.segments(), [1]);
    assert_eq!(frames(&storage, taken.writer()).len(), 1);
    taken.remove().unwrap();
    assert_eq!(list_writers(&storage).unwrap(), []);
}

#[test]
fn closing_an_empty_log_leaves_nothing() {
    let (_folder, storage) = folder();
    let wal = open(&storage);
    assert_eq!(list_writers(&storage).unwrap().len(), 1);
    wal.close().unwrap();
    assert_eq!(list_writers(&storage).unwrap(), []);
    let wal = open(&storage);
    wal.append(b"event", Durability::Fsync).unwrap();
    wal.rotate().unwrap();
    wal.remove_segments(1).unwrap();
    drop(wal);
    assert_eq!(list_writers(&storage).unwrap(), []);
}

#[test]
fn dropping_a_log_syncs_it_and_lets_it_be_taken_over() {
    let (_folder, storage) = folder();
    let wal = open(&storage);
    let writer = wal.writer().to_string();
    wal.append(b"event", Durability::Batched).unwrap();
    assert!(take_over(&storage, &writer).unwrap().is_none());
    drop(wal);
    let taken = take_over(&storage, &writer).unwrap().unwrap();
    assert!(take_over(&storage, &writer).unwrap().is_none());
    assert_eq!(frames(&storage, &writer).len(), 1);
    drop(taken);
    assert!(take_over(&storage, &writer).unwrap().is_some());
    assert!(take_over(&storage, "0123456789abcdef").unwrap().is_none());
}

#[test]
fn a_log_that_died_before_its_first_segment_can_be_removed() {
    let (folder, storage) = folder();
    std::fs::create_dir_all(folder.path().join("_wal/0123456789abcdef")).unwrap();
    std::fs::create_dir_all(folder.path().join("_wal/something else")).unwrap();
    let logs = list_writers(&storage).unwrap();
    assert_eq!(logs, [WriterLog { writer: "0123456789abcdef".to_string(), segments: vec![] }]);
    take_over(&storage, &logs[0].writer).unwrap().unwrap().remove().unwrap();
    assert_eq!(list_writers(&storage).unwrap(), []);
}

#[test]
fn a_torn_end_is_dropped_unless_the_segment_was_closed() {
    let (folder, storage) = folder();
    let wal = open(&storage);
    let writer = wal.writer().to_string();
    wal.append_all(&[b"one", b"two"], Durability::Fsync).unwrap();
    let path = folder.path().join(format!("_wal/{writer}/0000000001.wal"));
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - 1).unwrap();
    let content = read_segment(&storage, &writer, 1).unwrap();
    assert_eq!((content.frames.len(), content.damage.len(), content.torn), (1, 0, true));
    wal.rotate().unwrap();
    wal.append(b"three", Durability::Fsync).unwrap();
    let content = read_segment(&storage, &writer, 1).unwrap();
    assert_eq!((content.frames.len(), content.damage.len(), content.torn), (1, 1, false));
}

#[test]
fn numbers_increase_also_when_the_clock_goes_back() {
    let (_folder, storage) = folder();
    let times = Mutex::new([NOW, NOW + 50, NOW - 5_000_000, NOW - 4_000_000, NOW + 9_000_000].into_iter());
    let last = AtomicI64::new(NOW);
    let clock: Clock = Arc::new(move || {
        let now = times.lock().unwrap().next().unwrap_or(last.load(Ordering::SeqCst));
        last.store(now, Ordering::SeqCst);
        now
    });
    let wal = WalWriter::open(storage, clock, WalOptions::default()).unwrap();
    let seqs: Vec<_> = (0..5).map(|_| wal.append(b"x", Durability::Os).unwrap()).collect();
    assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
}

#[test]
fn numbers_are_unique_over_writers_and_threads() {
    let (folder, storage) = folder();
    let clock = clock();
    let wals: Vec<_> = (0..4)
        .map(|_| {
            // Half of them with a storage of their own.
            let storage = Arc::new(LocalStorage::new(folder.path()));
            WalWriter::open(storage, Arc::clone(&clock), WalOptions::default()).unwrap()
        })
        .collect();
    let seqs = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for wal in wals.iter().chain(&wals) {
            let seqs = &seqs;
            scope.spawn(move || {
                let payloads = vec![&b"x"[..]; 7_000];
                let mut mine = wal.append_all(&payloads, Durability::Os).unwrap();
                mine.extend((0..3_000).map(|_| wal.append(b"x", Durability::Os).unwrap()));
                mine.extend(wal.append_all(&payloads, Durability::Os).unwrap());
                assert!(mine.is_sorted_by(|a, b| a < b));
                seqs.lock().unwrap().extend(mine);
            });
        }
    });
    let mut seqs = seqs.into_inner().unwrap();
    seqs.sort_unstable();
    assert_eq!(seqs.len(), 8 * 17_000);
    assert!(seqs.is_sorted_by(|a, b| a < b));
    let mut stored: Vec<_> =
        wals.iter().flat_map(|wal| frames(&storage, wal.writer())).map(|frame| frame.seq).collect();
    stored.sort_unstable();
    assert_eq!(stored, seqs);
}

#[test]
fn a_reader_beside_a_writer_sees_a_growing_beginning() {
    let (_folder, storage) = folder();
    let options = WalOptions { segment_events: 500, ..WalOptions::default() };
    let wal = WalWriter::open(Arc::clone(&storage), clock(), options).unwrap();
    std::thread::scope(|scope| {
        let appending = scope.spawn(|| {
            for _ in 0..5_000 {
                wal.append(b"some text that takes some room", Durability::Os).unwrap();
            }
        });
        let mut seen = 0;
        while !appending.is_finished() {
            let count = frames(&storage, wal.writer()).len();
            assert!(count >= seen);
            seen = count;
        }
    });
    assert_eq!(frames(&storage, wal.writer()).len(), 5_000);
}

#[test]
fn batched_events_are_written_when_they_are_many() {
    let (_folder, storage) = folder();
    let options = WalOptions { batched_within: Duration::from_secs(3600), ..WalOptions::default() };
    let wal = WalWriter::open(Arc::clone(&storage), clock(), options).unwrap();
    for _ in 0..300 {
        wal.append(&[b'x'; 1024], Durability::Batched).unwrap();
    }
    let written = frames(&storage, wal.writer()).len();
    assert!((250..300).contains(&written), "{written}");
    wal.flush().unwrap();
    assert_eq!(frames(&storage, wal.writer()).len(), 300);
}

#[test]
fn an_event_that_is_too_long_is_refused() {
    let (_folder, storage) = folder();
    let wal = open(&storage);
    let error = wal.append(&vec![0; PAYLOAD_BYTES_MAX + 1], Durability::Fsync).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    wal.append(b"next", Durability::Fsync).unwrap();
    assert_eq!(storage.list("_wal").unwrap().len(), 4);
}
