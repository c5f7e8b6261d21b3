//! A process that dies, or a machine that loses power, before any operation.

use super::*;
use crate::storage::probe::{Operation, Probe};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

/// Stops all operations from one on, and knows what of the files would survive a loss of power.
#[derive(Debug, Default)]
struct Machine {
    stop_at: usize,
    state: Mutex<Disk>,
}

#[derive(Debug, Default)]
struct Disk {
    operations: usize,
    /// For files the synced length; whether the name is synced.
    names: BTreeMap<PathBuf, (Option<u64>, bool)>,
}

impl Probe for Machine {
    fn before(&self, _operation: Operation, _path: &Path) -> io::Result<()> {
        let mut disk = self.state.lock().unwrap();
        disk.operations += 1;
        if disk.operations > self.stop_at { Err(io::Error::other("stopped")) } else { Ok(()) }
    }

    fn after(&self, operation: Operation, path: &Path) {
        let names = &mut self.state.lock().unwrap().names;
        match operation {
            Operation::Create => drop(names.insert(path.to_path_buf(), (Some(0), false))),
            Operation::CreateFolder => drop(names.insert(path.to_path_buf(), (None, false))),
            Operation::SyncFile => {
                if let Some((synced, _)) = names.get_mut(path) {
                    *synced = Some(std::fs::metadata(path).unwrap().len());
                }
            }
            Operation::SyncFolder => {
                let inside = names.iter_mut().filter(|(name, _)| name.parent() == Some(path));
                inside.for_each(|(_, (_, durable))| *durable = true);
            }
            Operation::Remove => drop(names.remove(path)),
            Operation::Write(_) | Operation::Truncate(_) => {}
            Operation::Rename | Operation::Link => unreachable!(),
        }
    }
}

impl Machine {
    fn lose_power(&self) {
        let disk = self.state.lock().unwrap();
        for (path, (synced, durable)) in disk.names.iter().filter(|(path, _)| path.exists()) {
            match (durable, synced) {
                (true, Some(length)) => {
                    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(*length).unwrap();
                }
                (true, None) => {}
                (false, Some(_)) => std::fs::remove_file(path).unwrap(),
                (false, None) => std::fs::remove_dir_all(path).unwrap(),
            }
        }
    }
}

/// What was acknowledged: by the disk, and by the operating system.
#[derive(Default)]
struct Acknowledged {
    on_disk: BTreeSet<i64>,
    in_memory: BTreeSet<i64>,
}

fn work(storage: &Arc<LocalStorage>, done: &mut Acknowledged) -> crate::error::Result<()> {
    let options = WalOptions { segment_events: 2, ..WalOptions::default() };
    let wal = WalWriter::open(Arc::clone(storage), clock(), options)?;
    done.on_disk.insert(wal.append(b"one", Durability::Fsync)?);
    done.in_memory.insert(wal.append(b"two", Durability::Os)?);
    done.in_memory.extend(wal.append_all(&[b"three", b"four"], Durability::Os)?);
    let batched = wal.append(b"five", Durability::Batched)?;
    done.on_disk.insert(wal.append(b"six", Durability::Fsync)?);
    wal.flush()?;
    done.on_disk.insert(batched);
    done.on_disk.append(&mut done.in_memory);
    wal.rotate()?;
    // As if they had been committed.
    let committed: Vec<_> = frames(storage, wal.writer()).iter().map(|frame| frame.seq).collect();
    wal.remove_segments(u64::MAX).inspect_err(|_| done.on_disk.clear())?;
    done.on_disk.retain(|seq| !committed.contains(seq));
    done.on_disk.insert(wal.append(b"seven", Durability::Fsync)?);
    let batched = wal.append(b"eight", Durability::Batched)?;
    wal.close()?;
    done.on_disk.insert(batched);
    Ok(())
}

fn stop_everywhere(loses_power: bool) {
    for stop_at in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let machine = Arc::new(Machine { stop_at, ..Machine::default() });
        let storage = LocalStorage::with_probe(folder.path(), machine.clone());
        let mut acknowledged = Acknowledged::default();
        let ended = work(&Arc::new(storage), &mut acknowledged);
        let mut expected = acknowledged.on_disk;
        if loses_power {
            machine.lose_power();
        } else {
            expected.append(&mut acknowledged.in_memory);
        }

        let found: Vec<_> = all_frames(folder.path()).into_iter().map(|frame| frame.seq).collect();
        let unique = BTreeSet::from_iter(found.iter().copied());
        assert_eq!(unique.len(), found.len(), "stopped at {stop_at}");
        assert!(unique.is_superset(&expected), "stopped at {stop_at}: {found:?} without all of {expected:?}");

        // Two seconds later the store is opened again.
        let storage = Arc::new(LocalStorage::new(folder.path()));
        let later: Clock = Arc::new(|| NOW + 2_000_000);
        let wal = WalWriter::open(Arc::clone(&storage), later, WalOptions::default()).unwrap();
        let next = wal.append(b"next", Durability::Fsync).unwrap();
        assert!(found.iter().all(|seq| *seq < next));
        for log in list_writers(&storage).unwrap() {
            match take_over(&storage, &log.writer).unwrap() {
                Some(taken) => taken.remove().unwrap(),
                None => assert_eq!(log.writer, wal.writer()),
            }
        }
        assert_eq!(list_writers(&storage).unwrap().len(), 1);
        if ended.is_ok() {
            assert!(stop_at > 30, "{stop_at}");
            break;
        }
    }
}

#[test]
fn a_process_may_die_before_any_operation() {
    stop_everywhere(false);
}

#[test]
fn a_machine_may_lose_power_before_any_operation() {
    stop_everywhere(true);
}
