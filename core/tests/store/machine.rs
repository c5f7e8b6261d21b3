//! A machine whose disk fails, fills up, stops or loses power at a chosen operation.
//!
//! It is a probe of the store's operations that keeps a second disk in mind: the one that would be found if
//! the power went now. On it are the bytes that were synced, under the names that were synced.

use daybook::storage::probe::{Operation, Probe};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What goes wrong, and at which operation, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing.
    Nothing,
    /// One operation fails; all others work.
    FailOnce(usize),
    /// This operation and all after it fail: the process is dead, as far as the disk can tell.
    Stop(usize),
    /// There is no room for this one of the operations that need room, nor for those after it.
    Full(usize),
}

/// What is found of names and bytes that were not synced when the power went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// No change of a name that was not synced, also no removal.
    Everything,
    /// Removals were made; new names were not.
    NewNames,
    /// All names are there, with the bytes that were synced.
    Bytes,
    /// All names are there, and the first half of what was not synced.
    HalfTheBytes,
}

#[derive(Debug)]
pub struct Machine {
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    plan: Plan,
    operations: usize,
    /// Operations that need room on the disk.
    growths: usize,
    struck: Option<String>,
    disk: Disk,
}

#[derive(Debug, Default)]
struct Disk {
    nodes: Vec<Node>,
    by_inode: HashMap<u64, usize>,
    live: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
}

#[derive(Debug, Default)]
struct Node {
    is_folder: bool,
    synced: Vec<u8>,
    /// A sync failed: the kernel forgets what was to be written, and later syncs say nothing about it.
    forgotten: bool,
}

impl Machine {
    /// A machine with the files that are in a folder already.
    pub fn new(root: &Path, plan: Plan) -> Machine {
        let mut disk = Disk::default();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                disk.enter(&path, path.is_dir());
                disk.sync_file(&path);
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        disk.durable = disk.live.clone();
        let state = State { plan, operations: 0, growths: 0, struck: None, disk };
        Machine { root: root.to_path_buf(), state: Mutex::new(state) }
    }

    /// The operation that the plan struck, if it came so far.
    pub fn struck(&self) -> Option<String> {
        self.state().struck.clone()
    }

    /// From now on everything works.
    pub fn mend(&self) {
        self.state().plan = Plan::Nothing;
    }

    /// From now on this goes wrong; operations are counted anew.
    pub fn go_on_with(&self, plan: Plan) {
        let mut state = self.state();
        (state.plan, state.operations, state.growths, state.struck) = (plan, 0, 0, None);
    }

    /// The power goes, and the machine starts again.
    pub fn lose_power(&self, loss: Loss) {
        let state = self.state();
        let found = state.disk.after_loss(&self.root, loss);
        let entries = std::fs::read_dir(&self.root).unwrap();
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
        }
        for (path, content) in found {
            match content {
                None => std::fs::create_dir(path).unwrap(),
                Some(bytes) => std::fs::write(path, bytes).unwrap(),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Probe for Machine {
    fn before(&self, operation: Operation, path: &Path) -> io::Result<()> {
        use Operation::{Create, CreateFolder, Link, Write};
        let mut state = self.state();
        let number = state.operations;
        state.operations += 1;
        let grows = matches!(operation, Create | CreateFolder | Link | Write(_));
        let growth = state.growths;
        state.growths += usize::from(grows);
        let (strikes, error) = match state.plan {
            Plan::Nothing => (false, io::ErrorKind::Other.into()),
            Plan::FailOnce(at) => (number == at, io::Error::from_raw_os_error(5)),
            Plan::Stop(at) => (number >= at, io::Error::other("stopped")),
            Plan::Full(at) => (grows && growth >= at, io::Error::from_raw_os_error(28)),
        };
        if !strikes {
            return Ok(());
        }
        let place = path.strip_prefix(&self.root).unwrap_or(path).display();
        state.struck.get_or_insert_with(|| format!("{operation:?} of `{place}`"));
        if operation == Operation::SyncFile && matches!(state.plan, Plan::FailOnce(_)) {
            state.disk.forget(path);
        }
        Err(error)
    }

    fn after(&self, operation: Operation, path: &Path) {
        let mut state = self.state();
        let disk = &mut state.disk;
        match operation {
            Operation::Create => disk.enter(path, false),
            Operation::CreateFolder => disk.enter(path, true),
            Operation::SyncFile => disk.sync_file(path),
            Operation::SyncFolder => disk.sync_folder(path),
            Operation::Remove => drop(disk.live.remove(path)),
            Operation::Rename => disk.name(path, true),
            Operation::Link => disk.name(path, false),
            Operation::Write(_) | Operation::Truncate(_) => {}
        }
    }
}

impl Disk {
    fn enter(&mut self, path: &Path, is_folder: bool) {
        // Whoever made it may have removed it again meanwhile.
        let Ok(metadata) = std::fs::symlink_metadata(path) else { return };
        self.by_inode.insert(metadata.ino(), self.nodes.len());
        self.live.insert(path.to_path_buf(), self.nodes.len());
        self.nodes.push(Node { is_folder, ..Node::default() });
    }

    fn name(&mut self, path: &Path, only: bool) {
        let Ok(metadata) = std::fs::symlink_metadata(path) else { return };
        let node = self.by_inode[&metadata.ino()];
        if only {
            self.live.retain(|_, other| *other != node);
        }
        self.live.insert(path.to_path_buf(), node);
    }

    fn sync_file(&mut self, path: &Path) {
        let Some(node) = self.live.get(path).map(|node| &mut self.nodes[*node]) else { return };
        if let (false, Ok(bytes)) = (node.forgotten, std::fs::read(path)) {
            node.synced = bytes;
        }
    }

    fn forget(&mut self, path: &Path) {
        if let Some(node) = self.live.get(path) {
            self.nodes[*node].forgotten = true;
        }
    }

    fn sync_folder(&mut self, folder: &Path) {
        let inside = |path: &PathBuf| path.parent() == Some(folder);
        self.durable.retain(|path, _| !inside(path));
        let synced = self.live.iter().filter(|(path, _)| inside(path));
        self.durable.extend(synced.map(|(path, node)| (path.clone(), *node)));
    }

    /// What is found after a loss: folders, and files with their bytes; folders before what is in them.
    fn after_loss(&self, root: &Path, loss: Loss) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let names = match loss {
            Loss::Everything | Loss::NewNames => &self.durable,
            Loss::Bytes | Loss::HalfTheBytes => &self.live,
        };
        let mut found: BTreeMap<PathBuf, Option<Vec<u8>>> = BTreeMap::new();
        for (path, node) in names {
            if loss == Loss::NewNames && !self.live.contains_key(path) {
                continue;
            }
            let folder = path.parent().unwrap();
            if folder != root && !found.contains_key(folder) {
                continue;
            }
            let node = &self.nodes[*node];
            let content = match loss {
                _ if node.is_folder => None,
                Loss::HalfTheBytes => Some(half(&node.synced, &std::fs::read(path).unwrap())),
                _ => Some(node.synced.clone()),
            };
            found.insert(path.clone(), content);
        }
        found
    }
}

/// What is found if the half of what changed reached the disk.
fn half(synced: &[u8], written: &[u8]) -> Vec<u8> {
    let same = synced.iter().zip(written).take_while(|(a, b)| a == b).count();
    let reached = same + (written.len() - same) / 2;
    let rest = synced.get(reached..).unwrap_or_default();
    [&written[..reached], rest].concat()
}
