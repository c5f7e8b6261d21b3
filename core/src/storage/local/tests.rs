use super::*;
use crate::storage::probe::Operation;
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;
use tempfile::TempDir;

/// Notes each operation, and fails the one with a number, or all from it on.
#[derive(Debug, Default)]
struct Script {
    seen: Mutex<Vec<(Operation, String)>>,
    fail_at: Option<usize>,
    stop: bool,
}

impl Probe for Script {
    fn before(&self, operation: Operation, path: &Path) -> io::Result<()> {
        let mut seen = self.seen.lock().unwrap();
        let number = seen.len();
        seen.push((operation, path.file_name().unwrap().to_string_lossy().into_owned()));
        match self.fail_at {
            Some(at) if number == at || (self.stop && number > at) => Err(io::Error::other("told to fail")),
            _ => Ok(()),
        }
    }
}

fn storage() -> (TempDir, LocalStorage) {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::new(&folder.path().join("store"));
    (folder, storage)
}

fn operations(work: impl Fn(&LocalStorage)) -> Vec<Operation> {
    let folder = tempfile::tempdir().unwrap();
    let script = Arc::new(Script::default());
    work(&LocalStorage::with_probe(&folder.path().join("store"), script.clone()));
    let seen = script.seen.lock().unwrap();
    seen.iter().map(|(operation, _)| *operation).collect()
}

fn paths(storage: &LocalStorage, folder: &str) -> Vec<String> {
    storage.list(folder).unwrap().into_iter().map(|entry| entry.path).collect()
}

#[test]
fn what_is_put_is_read() {
    let (_folder, storage) = storage();
    assert_eq!(storage.put_if_absent("a/b/c.json", b"one").unwrap(), Put::Written);
    assert_eq!(storage.put_if_absent("a/b/c.json", b"two").unwrap(), Put::Exists);
    assert_eq!(storage.read("a/b/c.json").unwrap(), b"one");
    storage.replace("a/b/c.json", b"three").unwrap();
    assert_eq!(storage.read("a/b/c.json").unwrap(), b"three");
    assert_eq!(storage.read_range("a/b/c.json", 1..3).unwrap(), b"hr");
    assert_eq!(storage.read_range("a/b/c.json", 3..100).unwrap(), b"ee");
    assert_eq!(storage.read_range("a/b/c.json", 100..200).unwrap(), b"");
    storage.delete("a/b/c.json").unwrap();
    storage.delete("a/b/c.json").unwrap();
    assert_eq!(storage.read("a/b/c.json").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn listings_are_deep_sorted_and_without_temporary_files() {
    let (folder, storage) = storage();
    assert_eq!(storage.list("").unwrap(), []);
    assert_eq!(storage.list("x/y").unwrap(), []);
    for path in ["b/2", "b/10", "a", "b/c/d"] {
        storage.put_if_absent(path, path.as_bytes()).unwrap();
    }
    std::fs::write(folder.path().join("store/b/.tmp-1"), b"left").unwrap();
    assert_eq!(paths(&storage, ""), ["a", "b/10", "b/2", "b/c/d"]);
    assert_eq!(paths(&storage, "b"), ["b/10", "b/2", "b/c/d"]);
    let entry = storage.list("b/c").unwrap().remove(0);
    assert_eq!(entry.size, 5);
    assert!(entry.modified_us > 1_700_000_000_000_000);
    assert_eq!(storage.remove_leftovers("", 0).unwrap(), 0);
    assert_eq!(storage.remove_leftovers("", i64::MAX).unwrap(), 1);
    assert!(!folder.path().join("store/b/.tmp-1").exists());
}

#[test]
fn folders_and_files_are_for_their_owner_only() {
    let (folder, storage) = storage();
    storage.put_if_absent("a/b", b"").unwrap();
    storage.create("a/c").unwrap().finish().unwrap();
    storage.open_append("a/d").unwrap();
    let mode = |path: &str| std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("store"), 0o700);
    assert_eq!(mode("store/a"), 0o700);
    for file in ["store/a/b", "store/a/c", "store/a/d"] {
        assert_eq!(mode(file), 0o600);
    }
}

#[test]
fn paths_stay_inside_the_store() {
    let (_folder, storage) = storage();
    for path in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".", "a/./b", "a\0b"] {
        assert_eq!(storage.read(path).unwrap_err().kind(), ErrorKind::Invalid, "{path:?}");
        assert_eq!(storage.put_if_absent(path, b"").unwrap_err().kind(), ErrorKind::Invalid, "{path:?}");
    }
}

#[test]
fn what_is_promised_durable_is_synced_in_order() {
    use Operation::*;
    let put = [Create, Write(2), SyncFile, Link, Remove, SyncFolder];
    let folders = [CreateFolder, SyncFolder, CreateFolder, SyncFolder];
    let expected: Vec<_> = folders.iter().chain(&put).chain(&put).copied().collect();
    let seen = operations(|storage| {
        storage.put_if_absent("a/b", b"xx").unwrap();
        storage.put_if_absent("a/c", b"xx").unwrap();
    });
    assert_eq!(seen, expected);
    let seen = operations(|storage| storage.replace("b", b"xx").unwrap());
    assert_eq!(seen, [CreateFolder, SyncFolder, Create, Write(2), SyncFile, Rename, SyncFolder]);
    let seen = operations(|storage| {
        let mut file = storage.create("b").unwrap();
        file.write_all(b"xx").unwrap();
        assert_eq!(file.written(), 2);
        file.sync().unwrap();
        file.write_all(b"y").unwrap();
        file.finish().unwrap();
    });
    let new_file = [Create, Write(2), SyncFile, SyncFolder, Write(1), SyncFile];
    assert_eq!(seen, [&[CreateFolder, SyncFolder], &new_file[..]].concat());
}

#[test]
fn a_folder_that_somebody_else_made_is_synced_too() {
    let (folder, first) = storage();
    first.put_if_absent("a/b", b"").unwrap();
    let script = Arc::new(Script::default());
    let second = LocalStorage::with_probe(&folder.path().join("store"), script.clone());
    second.put_if_absent("a/c", b"").unwrap();
    let seen = script.seen.lock().unwrap();
    assert!(seen.contains(&(Operation::SyncFolder, "store".to_string())), "{seen:?}");
}

#[test]
fn a_folder_that_went_is_made_again() {
    let (_folder, storage) = storage();
    storage.put_if_absent("a/b/c", b"").unwrap();
    storage.delete("a/b/c").unwrap();
    assert!(storage.remove_folder("a/b").unwrap());
    assert_eq!(storage.folders("a").unwrap(), [""; 0]);
    storage.put_if_absent("a/b/d", b"").unwrap();
    assert!(!storage.remove_folder("a/b").unwrap());
    std::fs::remove_dir_all(storage.root.join("a/b")).unwrap();
    storage.put_if_absent("a/b/e", b"").unwrap();
    assert_eq!(paths(&storage, "a"), ["a/b/e"]);
}

#[test]
fn one_of_many_threads_wins_the_race_for_a_name() {
    let (_folder, storage) = storage();
    for round in 0..50 {
        let name = format!("log/{round}");
        let barrier = Barrier::new(8);
        let put = |thread: usize| {
            barrier.wait();
            let text = format!("thread {thread}");
            storage.put_if_absent(&name, text.as_bytes()).unwrap() == Put::Written
        };
        let put = &put;
        let won: Vec<usize> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || put(thread))).collect();
            let results = threads.into_iter().map(|thread| thread.join().unwrap());
            results.enumerate().filter_map(|(thread, won)| won.then_some(thread)).collect()
        });
        assert_eq!(won.len(), 1);
        assert_eq!(storage.read(&name).unwrap(), format!("thread {}", won[0]).as_bytes());
    }
    assert!(storage.remove_leftovers("", i64::MAX).unwrap() == 0);
}

/// Fails or stops `work` at each operation in turn; `path` then holds one of `allowed`, and nothing else is
/// listed. An error must have been returned, except for the clean-up that may fail.
fn fail_everywhere(work: impl Fn(&LocalStorage) -> Result<()>, path: &str, allowed: &[Option<&[u8]>]) {
    for stop in [false, true] {
        for at in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().join("store");
            LocalStorage::new(&root).put_if_absent("seen", b"").unwrap();
            let script = Arc::new(Script { fail_at: Some(at), stop, ..Script::default() });
            let done = work(&LocalStorage::with_probe(&root, script.clone()));
            let seen = script.seen.lock().unwrap();
            let after = LocalStorage::new(&root);
            let found = after.read(path).ok();
            assert!(allowed.contains(&found.as_deref()), "at {at} of {seen:?}: {found:?}");
            let leftovers = after.remove_leftovers("", i64::MAX).unwrap();
            match seen.get(at) {
                None => {
                    done.unwrap();
                    assert_eq!(found.as_deref(), allowed[allowed.len() - 1]);
                    break;
                }
                Some((Operation::Remove, _)) if !stop => done.unwrap(),
                Some(_) => {
                    done.unwrap_err();
                    assert!(stop || leftovers == 0, "at {at} of {seen:?}");
                }
            }
        }
    }
}

#[test]
fn a_put_is_whole_or_not_at_all_wherever_it_fails() {
    fail_everywhere(|storage| storage.put_if_absent("a/b", b"new").map(|_| ()), "a/b", &[None, Some(b"new")]);
}

#[test]
fn a_replacement_is_whole_or_not_at_all_wherever_it_fails() {
    fail_everywhere(|storage| storage.replace("seen", b"new"), "seen", &[Some(b""), Some(b"new")]);
}

#[test]
fn a_file_that_is_never_finished_is_removed() {
    let (_folder, storage) = storage();
    let mut file = storage.create("a").unwrap();
    file.write_all(b"half").unwrap();
    drop(file);
    assert_eq!(paths(&storage, ""), [""; 0]);
    let mut file = storage.create("a").unwrap();
    file.sync().unwrap();
    drop(file);
    assert_eq!(paths(&storage, ""), ["a"]);
    assert!(storage.create("a").is_err());
}

#[test]
fn a_log_is_cut_back_to_its_length_after_a_failed_write() {
    let (folder, storage) = storage();
    let mut file = storage.open_append("wal").unwrap();
    file.write_all(b"one two").unwrap();
    file.truncate(4).unwrap();
    assert_eq!(file.length(), 4);
    file.write_all(b"three").unwrap();
    file.sync_handle().sync().unwrap();
    assert_eq!(std::fs::read(folder.path().join("store/wal")).unwrap(), b"one three");
    assert!(storage.open_append("wal").is_err());
}

#[test]
fn errors_keep_their_kind_and_name_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("file/store");
    std::fs::write(folder.path().join("file"), b"").unwrap();
    let error = LocalStorage::new(&store).put_if_absent("a", b"").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("file/store"), "{error}");

    #[derive(Debug)]
    struct FullDisk;
    impl Probe for FullDisk {
        fn before(&self, operation: Operation, _path: &Path) -> io::Result<()> {
            match operation {
                Operation::CreateFolder => Err(io::ErrorKind::StorageFull.into()),
                _ => Ok(()),
            }
        }
    }
    let storage = LocalStorage::with_probe(folder.path(), Arc::new(FullDisk));
    assert_eq!(storage.replace("a/b", b"").unwrap_err().kind(), ErrorKind::Full);
}
