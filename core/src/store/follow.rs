//! Following files: what is there is stored first, then each line as it comes, until somebody says stop.

mod file;
mod live;

use super::Store;
use super::intake;
use super::options::{IngestOptions, Receipt};
use super::writer::Writer;
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::hex;
use crate::event::mapping::Mapping;
use crate::ingest::blocks::ReadAs;
use crate::ingest::follow;
use crate::ingest::input::Input;
use crate::ingest::pipeline::{self, Context, InputReceipt};
use crate::ingest::progress::{Progress, Step, Unit};
use crate::layout;
use crate::redact::Rules;
use crate::storage::{FileLock, Storage};
use crate::wal::SeqAllocator;
use file::Followed;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Hears what a follower has to say.
pub trait Watcher: Progress {
    /// Something that people should know, in a sentence.
    fn note(&self, text: &str);
}

/// What all followed files share.
struct Follower<'a> {
    store: &'a Store,
    writer: Arc<Writer>,
    options: &'a IngestOptions,
    read_as: ReadAs,
    mapping: Mapping,
    rules: Arc<Rules>,
    seqs: SeqAllocator,
    watcher: &'a dyn Watcher,
    stop: &'a AtomicBool,
}

/// Halts an ingest when the follower is to stop.
struct Relay<'a> {
    follower: &'a Follower<'a>,
    halt: &'a AtomicBool,
}

impl Progress for Relay<'_> {
    fn update(&self, now: &Step<'_>) {
        if self.follower.is_stopped() {
            self.halt.store(true, Ordering::Relaxed);
        }
        self.follower.watcher.update(now);
    }
}

impl Store {
    /// Stores all records of files, and those that are written to them, until `stop` is set; then it says what
    /// became of them. A file that is rotated or written anew goes on with what took its place, and one that is
    /// not there is waited for.
    ///
    /// How far a file is stored is written down with its records: whoever follows it again, or ingests it, goes
    /// on there, whenever this ended and however.
    pub fn follow(
        &self,
        files: &[PathBuf],
        options: &IngestOptions,
        watcher: &dyn Watcher,
        stop: &AtomicBool,
    ) -> Result<Receipt> {
        if options.strict {
            return Err(Error::new(ErrorKind::Invalid, "a file cannot be followed and read strictly")
                .with_hint("what cannot be read goes to the quarantine"));
        }
        files.iter().try_for_each(|file| follow::check(file))?;
        let (read_as, mapping) = intake::how(options, &self.settings)?;
        let follower = Follower {
            store: self,
            writer: self.appender()?,
            options,
            read_as,
            mapping,
            rules: self.intakes.rules()?,
            seqs: self.tables.seqs(&self.clock)?,
            watcher,
            stop,
        };
        follower.run(files)
    }
}

impl Follower<'_> {
    fn run(&self, paths: &[PathBuf]) -> Result<Receipt> {
        let mut files: Vec<Followed> = Vec::new();
        let mut locks = Vec::new();
        for path in paths {
            if !files.iter().any(|file| file.path() == path) {
                files.push(Followed::new(path));
                locks.push(self.lock(path)?);
            }
        }
        for file in &mut files {
            file.start(self)?;
        }
        let mut trouble = None;
        while !self.is_stopped() {
            let mut more = false;
            for file in &mut files {
                more |= file.look(self)?;
            }
            self.say_trouble(&mut trouble);
            self.say_progress(&files);
            if !more {
                std::thread::sleep(LOOK_EVERY);
            }
        }
        let mut receipt = Receipt::default();
        for mut file in files {
            file.look(self)?;
            let one = file.end(self)?;
            receipt.seconds = receipt.seconds.max(one.seconds);
            receipt.add(one);
        }
        self.writer.flush()?;
        for (place, lock) in locks {
            // A lock's file that stays is in nobody's way.
            let _ = self.store.tables.storage.delete(&place);
            drop(lock);
        }
        Ok(receipt)
    }

    /// Sees to it that nobody else follows a file into this store: what two store would be there twice.
    fn lock(&self, path: &Path) -> Result<(String, FileLock)> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        let name = folder.join(path.file_name().unwrap_or_default());
        let hash = hex(&Sha256::digest(name.as_os_str().as_encoded_bytes()));
        let place = layout::follow_lock(hash.get(..16).unwrap_or(&hash));
        let taken = || {
            let message = format!("`{}` is being followed into this store already", path.display());
            Error::new(ErrorKind::Busy, message).with_hint("stop the other `daybook ingest --follow` first")
        };
        let lock = self.store.tables.storage.try_lock(&place)?.ok_or_else(taken)?;
        Ok((place, lock))
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn now_us(&self) -> i64 {
        (self.store.clock)()
    }

    /// Ingests an input that is there as a whole, unless `halt` is set meanwhile. None if nothing of it is stored
    /// for that or since all is to stop.
    fn ingest(&self, input: Input, read_as: &ReadAs, halt: &AtomicBool) -> Result<Option<InputReceipt>> {
        let relay = Relay { follower: self, halt };
        let context = Context {
            tables: &self.store.tables,
            seqs: &self.seqs,
            clock: &self.store.clock,
            threads: self.options.threads,
            read_as,
            mapping: &self.mapping,
            rules: &self.rules,
            strict: false,
            keep_versions_ms: self.store.settings.keep_versions_ms(),
            progress: &relay,
            stop: halt,
        };
        let mut receipt = None;
        match pipeline::ingest(vec![input], &context, &mut |one| receipt = Some(one)) {
            Err(error) if error.kind() == ErrorKind::Interrupted && halt.load(Ordering::Relaxed) => Ok(None),
            ingested => ingested.map(|()| receipt),
        }
    }

    fn say_trouble(&self, said: &mut Option<String>) {
        let trouble = self.writer.trouble();
        if let Some(trouble) = trouble.as_ref().filter(|_| trouble != *said) {
            self.watcher.note(trouble);
        }
        *said = trouble;
    }

    fn say_progress(&self, files: &[Followed]) {
        let sum = |count: fn(&InputReceipt) -> u64| files.iter().map(|file| count(file.receipt())).sum();
        let records = sum(|receipt| receipt.records);
        let note = match files {
            [file] => file.path().display().to_string(),
            _ => format!("{} files", files.len()),
        };
        let step = Step { done: records, total: None, unit: Unit::Events, events: records, note: &note };
        self.watcher.update(&step);
    }
}
