//! Following files: what is there is stored first, then each line as it comes, until somebody says stop.

mod file;
mod live;

use super::Store;
use super::intake;
use super::options::{IngestOptions, Receipt};
use super::writer::Writer;
use crate::error::{Error, ErrorKind, Result};
use crate::event::mapping::Mapping;
use crate::ingest::blocks::ReadAs;
use crate::ingest::follow;
use crate::ingest::input::Input;
use crate::ingest::pipeline::{self, Context, InputReceipt};
use crate::ingest::progress::{Progress, Step, Unit};
use crate::redact::Rules;
use crate::wal::SeqAllocator;
use file::Followed;
use std::path::PathBuf;
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
            writer: self.writer()?,
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
        for path in paths {
            if !files.iter().any(|file| file.path() == path) {
                files.push(Followed::new(path));
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
            receipt.add(file.end(self)?);
        }
        self.writer.flush()?;
        Ok(receipt)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn now_us(&self) -> i64 {
        (self.store.clock)()
    }

    /// Ingests inputs that are there as a whole.
    fn ingest(&self, inputs: Vec<Input>, read_as: &ReadAs) -> Result<Vec<InputReceipt>> {
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
            progress: self.watcher,
            stop: self.stop,
        };
        let mut receipts = Vec::new();
        match pipeline::ingest(inputs, &context, &mut |receipt| receipts.push(receipt)) {
            // Nothing of what was under way is stored; whoever follows again begins there.
            Err(error) if error.kind() == ErrorKind::Interrupted && self.is_stopped() => Ok(receipts),
            ingested => ingested.map(|()| receipts),
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
