//! One followed name: the file behind it, and those that were behind it a moment ago.

use super::Follower;
use super::live::{Live, Seen};
use crate::error::{Error, ErrorKind, Result};
use crate::format::Format;
use crate::ingest::follow::Whole;
use crate::ingest::follow::place::{self, Beginnings, Identity};
use crate::ingest::input::Input;
use crate::ingest::known::{Check, Known, Mark};
use crate::ingest::pipeline::InputReceipt;
use std::path::{Path, PathBuf};

/// Files of more bytes are not read record by record when they are opened.
const BULK_BYTES: u64 = 8 << 20;
/// A file that was rotated is let go when nothing was written to it for so long.
const RETIRED_QUIET_US: i64 = 5_000_000;
/// A file that could not be read is tried again after this long.
const AGAIN_AFTER_US: i64 = 5_000_000;
/// So many files are looked at to find the copy of one that was cut.
const COPIES_MAX: usize = 4;
/// So many notes are kept for the receipt.
const NOTES_MAX: usize = 1_000;

/// A followed name, and what became of the files behind it.
pub struct Followed {
    path: PathBuf,
    receipt: InputReceipt,
    live: Option<Live>,
    /// Files that were rotated, and may still be written to.
    retired: Vec<Live>,
    /// The format of the file before.
    usual: Option<Format>,
    /// Whether the next file behind the name is certainly another one.
    is_new: bool,
    /// A file that cannot be followed, and until when.
    refused: Option<(Identity, i64)>,
    /// What was said last about the file being away or out of reach.
    said: Option<String>,
    started_us: Option<i64>,
}

impl Followed {
    /// A name that is to be followed.
    pub fn new(path: &Path) -> Followed {
        let receipt = InputReceipt { input: path.display().to_string(), ..InputReceipt::default() };
        Followed {
            path: path.to_path_buf(),
            receipt,
            live: None,
            retired: Vec::new(),
            usual: None,
            is_new: false,
            refused: None,
            said: None,
            started_us: None,
        }
    }

    /// The name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What became of the records so far.
    pub fn receipt(&self) -> &InputReceipt {
        &self.receipt
    }

    /// Stores what is there and not known, also of files that were rotated while nobody followed.
    pub fn start(&mut self, follower: &Follower<'_>) -> Result<()> {
        self.started_us = Some(follower.now_us());
        let known = follower.store.tables.known()?;
        let mut opened = place::open(&self.path)?;
        if let Some((file, identity)) = opened.take() {
            let mut live = Live::new(&self.path, file, identity, follower.now_us());
            live.pass(follower, &known)?;
            self.store_rotated(follower, &known, live.tail().beginning().known.is_some())?;
            self.store_passed(live, follower, &known)?;
        } else {
            self.store_rotated(follower, &known, false)?;
            self.say_once(follower, "it is not there; waiting for it".to_string());
        }
        Ok(())
    }

    /// Takes a file on whose records were passed over, once they are stored.
    fn store_passed(&mut self, live: Live, follower: &Follower<'_>, known: &Known) -> Result<()> {
        let layout_notes = live.tail().layout().map(|layout| layout.notes.clone()).unwrap_or_default();
        self.receipt.format = live.format().map(Format::name).or(self.receipt.format);
        let stored = live.store_passed(follower, known)?;
        if follower.is_stopped() {
            // Nobody knows whether all that was passed over is stored: it is not to be marked as such.
            stored.into_iter().for_each(|receipt| self.add(receipt));
            return Ok(());
        }
        let failed = stored.as_ref().and_then(|receipt| receipt.error.clone());
        match stored {
            Some(receipt) => self.add(receipt),
            None => layout_notes.into_iter().for_each(|note| self.note_in_receipt(note)),
        }
        match failed {
            Some(error) => {
                let until_us = follower.now_us().saturating_add(AGAIN_AFTER_US);
                self.refused = Some((live.identity(), until_us));
                self.say(follower, error);
            }
            None => self.live = Some(live),
        }
        Ok(())
    }

    /// Stores the rest of the file that was followed before under this name, and of those between.
    fn store_rotated(&mut self, follower: &Follower<'_>, known: &Known, is_known: bool) -> Result<()> {
        if known.is_empty() {
            return Ok(());
        }
        let (mut wanted, mut unknown) = (Vec::new(), Vec::new());
        for path in place::rotated(&self.path) {
            if follower.is_stopped() {
                return Ok(());
            }
            match place::beginnings(&path, known) {
                Ok(Beginnings::Unknown) if is_known => break,
                Ok(Beginnings::Unknown) => unknown.push(path),
                Ok(found) => {
                    wanted.append(&mut unknown);
                    wanted.extend(Some(path).filter(|_| found == Beginnings::Grown));
                    break;
                }
                Err(error) => self.say(follower, error.to_string()),
            }
        }
        // The oldest first.
        wanted.reverse();
        for path in wanted {
            self.store_file(path, follower)?;
        }
        Ok(())
    }

    /// Stores what is not known of a file to which nobody writes any more.
    fn store_file(&mut self, path: PathBuf, follower: &Follower<'_>) -> Result<()> {
        let name = path.display().to_string();
        for receipt in follower.ingest(vec![Input::File(path)], &follower.read_as)? {
            if let Some(error) = &receipt.error {
                self.say(follower, error.clone());
            }
            if receipt.records > receipt.duplicate {
                self.say(follower, format!("the rest of it was in `{name}` and is stored"));
            }
            self.add(receipt);
        }
        Ok(())
    }

    /// Stores what is new. True if there may be more already.
    pub fn look(&mut self, follower: &Follower<'_>) -> Result<bool> {
        let now = match place::look(&self.path) {
            Ok(now) => now,
            Err(error) => {
                self.say_once(follower, error.to_string());
                None
            }
        };
        let mut more = false;
        if let Some(live) = self.live.take_if(|live| now.is_some_and(|now| now != live.identity())) {
            self.usual = live.format().or(self.usual);
            self.retired.push(live);
            self.is_new = true;
            self.say(follower, "another file took its place, which is followed now".to_string());
        }
        if let Some(mut live) = self.live.take() {
            match live.look(follower, self.usual, &mut self.receipt)? {
                Ok(Seen::Rewritten) => self.rewritten(live, follower)?,
                Ok(seen) => {
                    more |= seen == Seen::More;
                    self.receipt.format = live.format().map(Format::name).or(self.receipt.format);
                    self.live = Some(live);
                    match now {
                        None => self.say_once(follower, "it is gone; waiting for it".to_string()),
                        Some(_) => self.said = None,
                    }
                }
                Err(error) => self.failed(&live, error, follower),
            }
        }
        more |= self.look_at_retired(follower)?;
        let is_refused = |(refused, until_us)| now == Some(refused) && follower.now_us() < until_us;
        if self.live.is_none() && now.is_some() && !self.refused.is_some_and(is_refused) {
            more |= self.open(follower)?;
        }
        Ok(more)
    }

    /// Begins with the file that is behind the name now.
    fn open(&mut self, follower: &Follower<'_>) -> Result<bool> {
        let (file, identity) = match place::open(&self.path) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(false),
            Err(error) => {
                self.say_once(follower, error.to_string());
                return Ok(false);
            }
        };
        let is_large = file.metadata().is_ok_and(|metadata| metadata.len() > BULK_BYTES);
        let mut live = Live::new(&self.path, file, identity, follower.now_us());
        self.said = None;
        if std::mem::take(&mut self.is_new) && !is_large {
            self.live = Some(live);
            return Ok(true);
        }
        // It may be one that was followed before and came back.
        let known = follower.store.tables.known()?;
        match live.pass(follower, &known) {
            Ok(()) => self.store_passed(live, follower, &known)?,
            Err(error) => self.failed(&live, error, follower),
        }
        Ok(true)
    }

    /// What was read and not stored yet is in a copy, or final.
    fn rewritten(&mut self, mut live: Live, follower: &Follower<'_>) -> Result<()> {
        self.say(follower, "it was cut or written anew, and is read from its beginning".to_string());
        self.usual = live.format().or(self.usual);
        let beginning = live.tail().beginning();
        let mut known = Known::default();
        let (length, check) = (beginning.length(), Check::of(&beginning.hash()));
        if length > 0 {
            known.mark(Mark { id: String::new(), length, check });
        }
        let has_more =
            |path: &PathBuf| place::beginnings(path, &known).is_ok_and(|found| found == Beginnings::Grown);
        // Whoever cuts a file may have copied it before, with lines that were not read here.
        match place::rotated(&self.path).into_iter().take(COPIES_MAX).find(has_more) {
            Some(copy) => self.store_file(copy, follower)?,
            None => self.store_rest(&mut live, follower)?,
        }
        match place::open(&self.path) {
            Ok(Some((file, identity))) => {
                self.live = Some(Live::new(&self.path, file, identity, follower.now_us()));
            }
            Ok(None) => self.is_new = true,
            Err(error) => self.say_once(follower, error.to_string()),
        }
        Ok(())
    }

    /// Stores what was read of a file, whole or not.
    fn store_rest(&mut self, live: &mut Live, follower: &Follower<'_>) -> Result<()> {
        if let Err(error) = live.store(Whole::AtEnd, follower, &mut self.receipt)? {
            self.say(follower, error.to_string());
        }
        follower.writer.flush()
    }

    fn look_at_retired(&mut self, follower: &Follower<'_>) -> Result<bool> {
        let mut more = false;
        for mut live in std::mem::take(&mut self.retired) {
            match live.look(follower, None, &mut self.receipt)? {
                Ok(Seen::More) => {
                    more = true;
                    self.retired.push(live);
                }
                Ok(Seen::All) if !live.is_quiet(follower, RETIRED_QUIET_US) => self.retired.push(live),
                Ok(_) => self.store_rest(&mut live, follower)?,
                Err(error) => self.say(follower, error.to_string()),
            }
        }
        Ok(more)
    }

    /// The end: what has no end yet waits for the next time, but in files that were rotated.
    pub fn end(mut self, follower: &Follower<'_>) -> Result<InputReceipt> {
        while self.look_at_retired(follower)? {}
        for mut live in std::mem::take(&mut self.retired) {
            self.store_rest(&mut live, follower)?;
        }
        let since_us = follower.now_us().saturating_sub(self.started_us.unwrap_or_default());
        self.receipt.seconds = since_us as f64 / 1e6;
        Ok(self.receipt)
    }

    fn failed(&mut self, live: &Live, error: Error, follower: &Follower<'_>) {
        let until_us = match error.kind() {
            ErrorKind::Invalid => i64::MAX,
            _ => follower.now_us().saturating_add(AGAIN_AFTER_US),
        };
        self.refused = Some((live.identity(), until_us));
        self.say(follower, error.to_string());
    }

    /// Takes in what became of a part.
    fn add(&mut self, receipt: InputReceipt) {
        self.receipt.records += receipt.records;
        self.receipt.stored += receipt.stored;
        self.receipt.duplicate += receipt.duplicate;
        self.receipt.quarantined += receipt.quarantined;
        self.receipt.lines += receipt.lines;
        self.receipt.bytes += receipt.bytes;
        self.receipt.redacted.add(&receipt.redacted);
        self.receipt.format = self.receipt.format.or(receipt.format);
        receipt.notes.into_iter().for_each(|note| self.note_in_receipt(note));
    }

    fn note_in_receipt(&mut self, note: String) {
        if self.receipt.notes.len() < NOTES_MAX && !self.receipt.notes.contains(&note) {
            self.receipt.notes.push(note);
        }
    }

    fn say(&self, follower: &Follower<'_>, what: String) {
        follower.watcher.note(&format!("{}: {what}", self.path.display()));
    }

    /// Says something that goes on, the first time.
    fn say_once(&mut self, follower: &Follower<'_>, what: String) {
        if self.said.as_ref() != Some(&what) {
            self.say(follower, what.clone());
            self.said = Some(what);
        }
    }
}
