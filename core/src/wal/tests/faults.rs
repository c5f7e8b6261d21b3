//! Disks that fail or fill up.

use super::*;
use crate::storage::probe::{Operation, Probe};
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Asks a function about each operation on a segment.
struct Segments<F>(F);

impl<F> std::fmt::Debug for Segments<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Segments")
    }
}

impl<F: Fn(Operation, &Path) -> io::Result<()> + Send + Sync> Probe for Segments<F> {
    fn before(&self, operation: Operation, path: &Path) -> io::Result<()> {
        if path.extension().is_some_and(|extension| extension == "wal") {
            return self.0(operation, path);
        }
        Ok(())
    }
}

fn open_with(
    folder: &TempDir,
    options: WalOptions,
    probe: impl Fn(Operation, &Path) -> io::Result<()> + Send + Sync + 'static,
) -> WalWriter {
    let storage = LocalStorage::with_probe(folder.path(), Arc::new(Segments(probe)));
    WalWriter::open(Arc::new(storage), clock(), options).unwrap()
}

fn full() -> io::Result<()> {
    Err(io::ErrorKind::StorageFull.into())
}

fn payloads(folder: &TempDir) -> Vec<String> {
    all_frames(folder.path()).into_iter().map(|frame| String::from_utf8(frame.payload).unwrap()).collect()
}

#[test]
fn after_a_failed_sync_the_log_takes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let fails = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&fails);
    let wal = open_with(&folder, WalOptions::default(), move |operation, _| match operation {
        Operation::SyncFile if switch.load(Ordering::SeqCst) => Err(io::Error::other("bad sector")),
        _ => Ok(()),
    });
    wal.append(b"kept", Durability::Fsync).unwrap();
    fails.store(true, Ordering::SeqCst);
    let first = wal.append(b"lost", Durability::Fsync).unwrap_err();
    fails.store(false, Ordering::SeqCst);
    for error in [
        first,
        wal.append(b"more", Durability::Fsync).unwrap_err(),
        wal.append(b"more", Durability::Os).unwrap_err(),
        wal.append(b"more", Durability::Batched).unwrap_err(),
        wal.flush().unwrap_err(),
        wal.rotate().unwrap_err(),
        wal.close().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert!(error.to_string().contains("bad sector"), "{error}");
        assert_eq!(error.hint(), Some("open the store again"));
    }
    assert_eq!(wal.flush().unwrap_err().to_string(), "the write-ahead log is closed");
    assert_eq!(payloads(&folder)[0], "kept");
    assert!(!payloads(&folder).contains(&"more".to_string()));
    let storage = Arc::new(LocalStorage::new(folder.path()));
    assert!(take_over(&storage, wal.writer()).unwrap().is_some());
}

#[test]
fn a_failed_write_breaks_the_log_but_leaves_no_part() {
    let folder = tempfile::tempdir().unwrap();
    let writes = AtomicUsize::new(0);
    let wal = open_with(&folder, WalOptions::default(), move |operation, path| match operation {
        // The header is the first write.
        Operation::Write(_) if writes.fetch_add(1, Ordering::SeqCst) == 2 => {
            append_garbage(path);
            Err(io::Error::other("bad sector"))
        }
        _ => Ok(()),
    });
    wal.append(b"one", Durability::Os).unwrap();
    assert_eq!(wal.append(b"two", Durability::Os).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(wal.append(b"three", Durability::Os).unwrap_err().kind(), ErrorKind::Closed);
    let content = read_segment(&LocalStorage::new(folder.path()), wal.writer(), 1).unwrap();
    assert_eq!((content.frames.len(), content.torn), (1, false));
}

fn append_garbage(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(b"half a fra").unwrap();
}

/// A log whose disk is full while the flag is set; each failed write leaves a part.
fn open_on_small_disk(folder: &TempDir) -> (WalWriter, Arc<AtomicBool>) {
    let is_full = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_full);
    let options = WalOptions { batched_within: Duration::from_secs(3600), ..WalOptions::default() };
    let wal = open_with(folder, options, move |operation, path| match operation {
        Operation::Write(_) if switch.load(Ordering::SeqCst) => {
            append_garbage(path);
            full()
        }
        _ => Ok(()),
    });
    (wal, is_full)
}

#[test]
fn a_full_disk_costs_only_the_events_at_hand() {
    let folder = tempfile::tempdir().unwrap();
    let (wal, is_full) = open_on_small_disk(&folder);
    is_full.store(true, Ordering::SeqCst);
    assert_eq!(wal.append(b"no segment", Durability::Fsync).unwrap_err().kind(), ErrorKind::Full);
    is_full.store(false, Ordering::SeqCst);
    wal.append(b"one", Durability::Fsync).unwrap();
    wal.append(b"kept", Durability::Batched).unwrap();
    is_full.store(true, Ordering::SeqCst);
    for durability in [Durability::Fsync, Durability::Os] {
        let error = wal.append_all(&[b"a", b"b"], durability).unwrap_err();
        assert_eq!((error.kind(), error.hint().is_some()), (ErrorKind::Full, true));
    }
    assert_eq!(wal.flush().unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(wal.rotate().unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(wal.close().unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(payloads(&folder), ["one"]);
    is_full.store(false, Ordering::SeqCst);
    wal.flush().unwrap();
    wal.append(b"two", Durability::Os).unwrap();
    wal.close().unwrap();
    assert_eq!(payloads(&folder), ["one", "kept", "two"]);
}

#[test]
fn batched_events_do_not_pile_up_on_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (wal, is_full) = open_on_small_disk(&folder);
    is_full.store(true, Ordering::SeqCst);
    let taken = (0..1000).take_while(|_| wal.append(&[b'x'; 4096], Durability::Batched).is_ok()).count();
    assert!((60..70).contains(&taken), "{taken}");
    is_full.store(false, Ordering::SeqCst);
    wal.close().unwrap();
    assert_eq!(payloads(&folder).len(), taken);
}

#[test]
fn exactly_the_acknowledged_events_are_there_after_many_threads_met_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let writes = AtomicUsize::new(0);
    let options = WalOptions { segment_events: 40, ..WalOptions::default() };
    let wal = open_with(&folder, options, move |operation, path| match operation {
        Operation::Write(_) if writes.fetch_add(1, Ordering::SeqCst) % 5 == 1 => {
            append_garbage(path);
            full()
        }
        _ => Ok(()),
    });
    let stored = Mutex::new(BTreeSet::new());
    let refused = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (wal, stored, refused) = (&wal, &stored, &refused);
            scope.spawn(move || {
                for number in 0..100 {
                    let payload = format!("{thread}-{number}");
                    let durability = match number % 5 {
                        0 => Durability::Os,
                        1 => Durability::Batched,
                        _ => Durability::Fsync,
                    };
                    match wal.append(payload.as_bytes(), durability) {
                        Ok(_) => assert!(stored.lock().unwrap().insert(payload)),
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Full, "{error}");
                            refused.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                    // Two writes in a row never fail.
                    let _ = number % 10 == 0 && wal.flush().or_else(|_| wal.flush()).is_ok();
                }
            });
        }
    });
    while wal.close().is_err() {}
    let found = payloads(&folder);
    assert_eq!(found.len(), stored.lock().unwrap().len());
    assert_eq!(BTreeSet::from_iter(found), *stored.lock().unwrap());
    assert!(refused.into_inner() > 0);
}

/// A log whose syncs wait for a word each, after having said that they wait.
fn open_with_gate(folder: &TempDir) -> (WalWriter, Receiver<()>, Sender<io::Result<()>>) {
    let (started, starts) = channel();
    let (go, going) = channel::<io::Result<()>>();
    let gate = Mutex::new((started, going));
    let wal = open_with(folder, WalOptions::default(), move |operation, _| match operation {
        Operation::SyncFile => {
            let gate = gate.lock().unwrap();
            let _ = gate.0.send(());
            gate.1.recv().unwrap_or(Ok(()))
        }
        _ => Ok(()),
    });
    (wal, starts, go)
}

fn wait_for_events(wal: &WalWriter, events: u64) {
    while wal.current().events < events {
        std::thread::yield_now();
    }
}

#[test]
fn threads_that_come_during_a_sync_share_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (wal, starts, go) = open_with_gate(&folder);
    let acknowledged = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let append = || {
            wal.append(b"event", Durability::Fsync).unwrap();
            acknowledged.fetch_add(1, Ordering::SeqCst);
        };
        scope.spawn(append);
        starts.recv().unwrap();
        let _others: Vec<_> = (0..20).map(|_| scope.spawn(append)).collect();
        wait_for_events(&wal, 21);
        assert_eq!(acknowledged.load(Ordering::SeqCst), 0);
        go.send(Ok(())).unwrap();
        starts.recv().unwrap();
        assert!(acknowledged.load(Ordering::SeqCst) <= 1);
        go.send(Ok(())).unwrap();
    });
    assert_eq!(acknowledged.load(Ordering::SeqCst), 21);
    assert!(starts.try_recv().is_err(), "a third sync");
    drop(go);
}

#[test]
fn all_threads_that_wait_hear_of_a_failed_sync() {
    let folder = tempfile::tempdir().unwrap();
    let (wal, starts, go) = open_with_gate(&folder);
    std::thread::scope(|scope| {
        let append = || wal.append(b"event", Durability::Fsync).unwrap_err();
        let first = scope.spawn(append);
        starts.recv().unwrap();
        let others: Vec<_> = (0..20).map(|_| scope.spawn(append)).collect();
        wait_for_events(&wal, 21);
        go.send(Err(io::Error::other("bad sector"))).unwrap();
        for thread in others.into_iter().chain([first]) {
            let error = thread.join().unwrap();
            assert_eq!(error.kind(), ErrorKind::Closed);
            assert!(error.to_string().ends_with("bad sector"), "{error}");
        }
    });
    assert!(starts.try_recv().is_err(), "a sync after the failed one");
    drop(go);
}

#[test]
fn unsynced_appends_do_not_wait_for_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let (wal, starts, go) = open_with_gate(&folder);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| wal.append(b"slow", Durability::Fsync).unwrap());
        starts.recv().unwrap();
        wal.append(b"fast", Durability::Os).unwrap();
        wal.append(b"fast", Durability::Batched).unwrap();
        assert!(!waiting.is_finished());
        assert_eq!(payloads(&folder), ["slow", "fast"]);
        drop(go);
    });
}

#[test]
fn batched_events_are_synced_in_time_without_a_flush() {
    let folder = tempfile::tempdir().unwrap();
    let (synced, syncs) = channel();
    let synced = Mutex::new(synced);
    let options = WalOptions { batched_within: Duration::from_millis(2), ..WalOptions::default() };
    let wal = open_with(&folder, options, move |operation, _| {
        if operation == Operation::SyncFile {
            let _ = synced.lock().unwrap().send(());
        }
        Ok(())
    });
    for count in 1..=3 {
        wal.append(b"event", Durability::Batched).unwrap();
        syncs.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(payloads(&folder).len(), count);
    }
}

#[test]
fn a_failed_sync_of_batched_events_is_told_at_the_flush() {
    let folder = tempfile::tempdir().unwrap();
    let options = WalOptions { batched_within: Duration::ZERO, ..WalOptions::default() };
    let wal = open_with(&folder, options, |operation, _| match operation {
        Operation::SyncFile => Err(io::Error::other("bad sector")),
        _ => Ok(()),
    });
    let _ = wal.append(b"event", Durability::Batched);
    assert_eq!(wal.flush().unwrap_err().kind(), ErrorKind::Closed);
}
