//! One followed name: the file behind it, and those that were behind it a moment ago.

use super::Follower;
use super::live::{Live, Seen};
use crate::error::{Error, ErrorKind, Result};
use crate::format::Format;
use crate::ingest::follow::Whole;
use crate::ingest::follow::place::{self, Beginnings, Identity, Rotated};
use crate::ingest::input::Input;
use crate::ingest::known::Known;
use crate::ingest::pipeline::InputReceipt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// A file that was rotated is let go when nothing was written to it for so long.
const RETIRED_QUIET_US: i64 = 5_000_000;
/// A file that could not be read is tried again after this long.
const AGAIN_AFTER_US: i64 = 2_000_000;
/// So many files are looked at to find the copy of one that was cut.
const COPIES_MAX: usize = 4;
/// So many notes are kept for the receipt.
const NOTES_MAX: usize = 1_000;

/// What a file is that has the name of one that was rotated.
enum Beside {
    /// The one that had the name when it was opened last.
    Now,
    /// A copy of that, or of some of it.
    Copy,
    /// One that is being read still, or a copy of it.
    Retired,
    /// One that was followed before, all of which is stored, or not.
    Before { wants_more: bool },
    /// None that is known.
    Unknown,
}

/// A followed name, and what became of the files behind it.
pub struct Followed {
    path: PathBuf,
    receipt: InputReceipt,
    live: Option<Live>,
    /// Files that were rotated, and may still be written to.
    retired: Vec<Live>,
    /// Files beside it of which nothing is to be stored unless they change, and whether something was.
    settled: Vec<(Rotated, bool)>,
    /// The format of the file before.
    usual: Option<Format>,
    /// Whether the next file behind the name is certainly another one.
    is_new: bool,
    /// Whether nothing was read yet of the file behind the name.
    is_unread: bool,
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
            settled: Vec::new(),
            usual: None,
            is_new: false,
            is_unread: false,
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
        match place::open(&self.path)? {
            Some((file, identity)) => {
                let known = follower.store.tables.known()?;
                let mut live = Live::new(&self.path, file, identity, follower.now_us());
                live.pass(follower, &known)?;
                self.begin(live, &known, follower)
            }
            None => {
                self.say_once(follower, "it is not there; waiting for it".to_string());
                self.store_rotated(follower, &follower.store.tables.known()?, None)
            }
        }
    }

    /// Takes on a file that was passed over, of which something may be known.
    fn begin(&mut self, live: Live, known: &Known, follower: &Follower<'_>) -> Result<()> {
        self.store_rotated(follower, known, Some(&live))?;
        if follower.is_stopped() {
            // Nobody knows whether all that was passed over is stored: it is not to be marked as such.
            return Ok(());
        }
        self.is_unread = live.tail().position() == 0;
        self.receipt.format = live.format().map(Format::name).or(self.receipt.format);
        let notes = live.tail().layout().map(|layout| layout.notes.clone()).unwrap_or_default();
        notes.into_iter().for_each(|note| self.note_in_receipt(note));
        // Where it changed meanwhile, the next look begins again.
        if let Some(receipt) = live.store_passed(follower, known)? {
            match receipt.error.clone() {
                Some(error) => {
                    self.refuse(&live, AGAIN_AFTER_US, follower);
                    self.say(follower, error);
                }
                None => self.live = Some(live),
            }
            self.add(receipt);
        }
        Ok(())
    }

    /// Stores what is not stored of the files that had the name before, the oldest first. They begin with the
    /// oldest of which anything is stored, however much is stored of newer ones: a process may have been killed
    /// while it read several of them.
    fn store_rotated(&mut self, follower: &Follower<'_>, known: &Known, live: Option<&Live>) -> Result<()> {
        let beside = place::rotated(&self.path);
        let (mut wanted, mut unknown, mut settled) = (Vec::new(), Vec::new(), Vec::new());
        for file in &beside {
            if follower.is_stopped() {
                return Ok(());
            }
            match self.look_beside(file, known, live) {
                // It was rotated meanwhile, and what is newer comes later.
                Ok(Beside::Now) => unknown.clear(),
                Ok(Beside::Copy) => {}
                Ok(Beside::Retired) => wanted.append(&mut unknown),
                Ok(Beside::Before { wants_more }) => {
                    wanted.append(&mut unknown);
                    match wants_more {
                        true => wanted.push(file.clone()),
                        false => settled.push((file.clone(), true)),
                    }
                }
                Ok(Beside::Unknown) => unknown.push(file.clone()),
                Err(error) => self.say(follower, error.to_string()),
            }
        }
        settled.extend(unknown.into_iter().map(|file| (file, false)));
        self.settled = settled;
        let is_part = |file: &Rotated, of: &Rotated| {
            file != of && place::is_part(&file.path, &of.path).unwrap_or(false)
        };
        wanted.retain(|file| !beside.iter().any(|other| is_part(file, other)));
        wanted.into_iter().rev().try_for_each(|file| self.store_file(file.path, follower))
    }

    /// What a file is that has the name of one that was rotated.
    fn look_beside(&self, file: &Rotated, known: &Known, live: Option<&Live>) -> Result<Beside> {
        if live.is_some_and(|live| live.identity() == file.identity()) {
            return Ok(Beside::Now);
        }
        if self.retired.iter().any(|live| live.identity() == file.identity()) {
            return Ok(Beside::Retired);
        }
        match self.settled.iter().find(|(settled, _)| settled.is_unchanged(file)) {
            Some((_, true)) => return Ok(Beside::Before { wants_more: false }),
            Some((_, false)) => return Ok(Beside::Unknown),
            None => {}
        }
        if let Some(live) = live
            && place::is_copy(&file.path, live.tail().file())?
        {
            return Ok(Beside::Copy);
        }
        for live in &self.retired {
            // It may have been compressed while something of it waits to be stored.
            if place::is_copy(&file.path, live.tail().file())? {
                return Ok(Beside::Retired);
            }
        }
        Ok(match place::beginnings(&file.path, known)? {
            Beginnings::Unknown => Beside::Unknown,
            found => Beside::Before { wants_more: found == Beginnings::Grown },
        })
    }

    /// Stores what is not known of a file to which nobody writes any more.
    fn store_file(&mut self, path: PathBuf, follower: &Follower<'_>) -> Result<()> {
        // Of some of which nothing was stored, something is now.
        self.settled.retain(|(_, is_known)| *is_known);
        let name = path.display().to_string();
        if let Some(receipt) =
            follower.ingest(Input::File(path), &follower.read_as, &AtomicBool::new(false))?
        {
            if let Some(error) = &receipt.error {
                self.say(follower, error.clone());
            }
            if receipt.records > receipt.duplicate {
                self.say(follower, format!("what was rotated to `{name}` is stored"));
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
        if let Some(live) = self.live.take_if(|live| now.is_some_and(|now| now != live.identity())) {
            self.usual = live.format().or(self.usual);
            if std::mem::take(&mut self.is_unread) {
                // It was empty at the last look, so that nobody looked what came before it.
                self.store_rotated(follower, &follower.store.tables.known()?, Some(&live))?;
            }
            self.retired.push(live);
            self.is_new = true;
            self.say(follower, "another file took its place, which is followed now".to_string());
        }
        // The old ones come first: once something of the new one is stored, nobody looks for them.
        if self.look_at_retired(follower)? {
            return Ok(true);
        }
        let is_refused = |(refused, until_us)| now == Some(refused) && follower.now_us() < until_us;
        if self.live.is_none() && now.is_some() && !self.refused.is_some_and(is_refused) {
            self.open(follower)?;
        }
        match self.live.take() {
            Some(live) => self.look_at(live, now.is_some(), follower),
            None => Ok(false),
        }
    }

    /// Takes on the file that is behind the name now.
    fn open(&mut self, follower: &Follower<'_>) -> Result<()> {
        let (file, identity) = match place::open(&self.path) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(()),
            Err(error) => {
                self.say_once(follower, error.to_string());
                return Ok(());
            }
        };
        self.said = None;
        let mut live = Live::new(&self.path, file, identity, follower.now_us());
        if std::mem::take(&mut self.is_new) {
            (self.live, self.is_unread) = (Some(live), true);
            return Ok(());
        }
        // It may be one that was followed before and came back.
        let known = follower.store.tables.known()?;
        match live.pass(follower, &known) {
            Ok(()) => self.begin(live, &known, follower),
            Err(error) => {
                self.failed(&live, &error, follower);
                Ok(())
            }
        }
    }

    fn look_at(&mut self, mut live: Live, is_there: bool, follower: &Follower<'_>) -> Result<bool> {
        if self.is_unread {
            match live.first_read(follower, self.usual) {
                Ok(false) => {
                    self.live = Some(live);
                    return Ok(false);
                }
                Ok(true) => {
                    self.is_unread = false;
                    self.store_rotated(follower, &follower.store.tables.known()?, Some(&live))?;
                    if follower.is_stopped() {
                        return Ok(false);
                    }
                }
                Err(error) => {
                    self.failed(&live, &error, follower);
                    return Ok(false);
                }
            }
        }
        match live.look(follower, self.usual, &mut self.receipt)? {
            Ok(Seen::Rewritten) => {
                self.rewritten(live, follower)?;
                Ok(true)
            }
            Ok(seen) => {
                self.receipt.format = live.format().map(Format::name).or(self.receipt.format);
                self.live = Some(live);
                match is_there {
                    false => self.say_once(follower, "it is gone; waiting for it".to_string()),
                    true => self.said = None,
                }
                Ok(seen == Seen::More)
            }
            Err(error) => {
                self.failed(&live, &error, follower);
                Ok(false)
            }
        }
    }

    /// What was read and not stored yet is in a copy, or final.
    fn rewritten(&mut self, mut live: Live, follower: &Follower<'_>) -> Result<()> {
        self.say(follower, "it was cut or written anew, and is read from its beginning".to_string());
        self.usual = live.format().or(self.usual);
        let all = live.tail().all_read();
        let known = Known::new([(all.length(), all.hash())]);
        let is_copy =
            |path: &PathBuf| place::beginnings(path, &known).is_ok_and(|found| found != Beginnings::Unknown);
        // Whoever cuts a file may have copied it before, with lines that were not read here.
        let beside = place::rotated(&self.path).into_iter().map(|file| file.path);
        match beside.take(COPIES_MAX).find(is_copy) {
            Some(copy) if all.length() > 0 => self.store_file(copy, follower)?,
            _ => self.store_rest(&mut live, follower)?,
        }
        self.is_new = true;
        Ok(())
    }

    /// Stores what was read of a file, whole or not.
    fn store_rest(&mut self, live: &mut Live, follower: &Follower<'_>) -> Result<()> {
        if let Err(error) = live.store(Whole::AtEnd, follower, &mut self.receipt)? {
            self.say(follower, error.to_string());
        }
        follower.writer.flush()
    }

    /// Stores what is new in files that were rotated, one after the other. True if there may be more already.
    fn look_at_retired(&mut self, follower: &Follower<'_>) -> Result<bool> {
        let mut more = false;
        for mut live in std::mem::take(&mut self.retired) {
            if more {
                self.retired.push(live);
                continue;
            }
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

    /// Lets go of a file that cannot be read.
    fn failed(&mut self, live: &Live, error: &Error, follower: &Follower<'_>) {
        let for_us = if error.kind() == ErrorKind::Invalid { i64::MAX } else { AGAIN_AFTER_US };
        self.refuse(live, for_us, follower);
        self.say(follower, error.to_string());
    }

    fn refuse(&mut self, live: &Live, for_us: i64, follower: &Follower<'_>) {
        self.refused = Some((live.identity(), follower.now_us().saturating_add(for_us)));
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
