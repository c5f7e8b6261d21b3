//! A file that is being read, and how its records get into the log.

use super::Follower;
use crate::error::{Error, Result};
use crate::event::mapping::Mapping;
use crate::event::reject::Reject as Unreadable;
use crate::format::{Format, Place, Records};
use crate::ingest::blocks::{RECORD_BYTES_MAX, ReadAs, kept_of};
use crate::ingest::follow::place::Identity;
use crate::ingest::follow::{Cut, Tail, Whole};
use crate::ingest::input::Input;
use crate::ingest::known::Known;
use crate::ingest::pipeline::InputReceipt;
use crate::intake::Intake;
use crate::quarantine::Reject;
use crate::seal::FOLLOWED;
use crate::seal::followed::{Followed, Parts};
use crate::wal::Durability;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Nothing came for so long: the last line is whole.
const QUIET_US: i64 = 500_000;
/// So much is read of one file before the next is looked at.
const TURN_BYTES: usize = 8 << 20;
/// A frame of the log holds no more than this.
const PARTS_BYTES_MAX: usize = 200 << 20;

/// A file that is being read.
pub struct Live {
    path: PathBuf,
    tail: Tail,
    identity: Identity,
    /// Tells it from all other files.
    id: String,
    intake: Option<(Mapping, Intake)>,
    /// When it grew last.
    pub grown_us: i64,
}

/// What became of a look at a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// All that is there was read.
    All,
    /// There may be more.
    More,
    /// It was cut, or written anew.
    Rewritten,
}

impl Live {
    /// A file to be read from its beginning.
    pub fn new(path: &Path, file: File, identity: Identity, now_us: i64) -> Live {
        let tail = Tail::new(path, file);
        Live { path: path.to_path_buf(), tail, identity, id: new_id(), intake: None, grown_us: now_us }
    }

    /// Which file it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The file, as far as it was read.
    pub fn tail(&self) -> &Tail {
        &self.tail
    }

    /// The format, once it is known.
    pub fn format(&self) -> Option<Format> {
        self.tail.layout().map(|layout| layout.format)
    }

    /// Passes over all whole records that are there, and finds how many of them are known.
    pub fn pass(&mut self, follower: &Follower<'_>, known: &Known) -> Result<()> {
        let read_as = &follower.read_as;
        while self.tail.read(read_as, None)? > 0 {
            while self.tail.cut(Whole::BySign, read_as, known)?.is_some() {}
            if follower.is_stopped() {
                break;
            }
        }
        self.tail.pass_known(known);
        let beginning = self.tail.beginning();
        if let (Some(id), Some(length)) = (&beginning.id, beginning.known)
            && known.is_furthest(id, length)
        {
            self.id.clone_from(id);
        }
        Ok(())
    }

    /// Reads the first bytes, so that the file can be told from others. Whether there are any.
    pub fn first_read(&mut self, follower: &Follower<'_>, usual: Option<Format>) -> Result<bool> {
        if self.tail.position() == 0 {
            self.tail.read(&follower.read_as, usual)?;
        }
        Ok(self.tail.position() > 0)
    }

    /// Stores what was passed over and is not known, as an ordinary input. None if it is not all stored.
    pub fn store_passed(&self, follower: &Follower<'_>, known: &Known) -> Result<Option<InputReceipt>> {
        let nothing = Ok(Some(InputReceipt::default()));
        let (length, hash) = (self.tail.beginning().length(), self.tail.beginning().hash());
        let Some(layout) = self.tail.layout().filter(|layout| length > layout.start as u64) else {
            return nothing;
        };
        if known.find(length, &hash).is_some() {
            return nothing;
        }
        let format = Some(layout.format);
        let read_as = ReadAs { format, encoding: self.tail.encoding(), ..follower.read_as.clone() };
        let file = self.tail.file().try_clone();
        let file = file.map_err(|error| Error::io("open", self.path.display(), error))?;
        let changed = Arc::new(AtomicBool::new(false));
        let path = self.path.clone();
        let input = Input::Part { path, file, bytes: length, sha256: hash, changed: changed.clone() };
        follower.ingest(input, &read_as, &changed)
    }

    /// Stores what is new. An error of the first kind is about the file.
    pub fn look(
        &mut self,
        follower: &Follower<'_>,
        usual: Option<Format>,
        receipt: &mut InputReceipt,
    ) -> Result<Result<Seen>> {
        match self.tail.was_rewritten() {
            Ok(true) => return Ok(Ok(Seen::Rewritten)),
            Ok(false) => {}
            Err(error) => return Ok(Err(error)),
        }
        let (mut turn, mut count) = (0, 0);
        while turn < TURN_BYTES {
            count = match self.tail.read(&follower.read_as, usual) {
                Ok(count) => count,
                Err(error) => return Ok(Err(error)),
            };
            if let Err(error) = self.store(Whole::BySign, follower, receipt)? {
                return Ok(Err(error));
            }
            if count == 0 {
                break;
            }
            turn += count;
            self.grown_us = follower.now_us();
        }
        if count == 0
            && self.tail.has_rest()
            && self.is_quiet(follower, QUIET_US)
            && let Err(error) = self.store(Whole::ByTime, follower, receipt)?
        {
            return Ok(Err(error));
        }
        follower.writer.flush()?;
        Ok(Ok(if count == 0 { Seen::All } else { Seen::More }))
    }

    /// Whether nothing came for so long.
    pub fn is_quiet(&self, follower: &Follower<'_>, long_us: i64) -> bool {
        follower.now_us().saturating_sub(self.grown_us) >= long_us
    }

    /// Stores what was read, as far as it is whole.
    pub fn store(
        &mut self,
        whole: Whole,
        follower: &Follower<'_>,
        receipt: &mut InputReceipt,
    ) -> Result<Result<()>> {
        loop {
            match self.tail.cut(whole, &follower.read_as, &Known::default()) {
                Ok(Some(cut)) => self.append(&cut, follower, receipt)?,
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// Appends records to the log, with the place up to which the file is stored then.
    fn append(&mut self, cut: &Cut, follower: &Follower<'_>, receipt: &mut InputReceipt) -> Result<()> {
        let Some(layout) = self.tail.layout().cloned() else { return Ok(()) };
        let mapping = follower.mapping.with_format(layout.names);
        let intake = match &mut self.intake {
            Some((same, intake)) if *same == mapping => intake,
            other => &mut other.insert((mapping.clone(), Intake::new(mapping, &follower.rules))).1,
        };
        let input = self.path.display().to_string();
        let mut taken = Taken {
            intake,
            parts: Parts::default(),
            now_us: follower.now_us(),
            offset: cut.offset,
            input: &input,
            format: layout.format,
            header: layout.header.as_deref(),
            rejected: 0,
        };
        if cut.too_long {
            taken.too_long(&cut.bytes);
        } else {
            layout.codec.read(&cut.bytes, &mut taken);
            if taken.parts.size() > PARTS_BYTES_MAX {
                (taken.parts, taken.rejected) = (Parts::default(), 0);
                taken.too_long(kept_of(&cut.bytes));
            }
        }
        let Taken { parts, rejected, .. } = taken;
        if parts.count() > 0 {
            let chosen = follower.mapping.chosen().iter();
            let mut followed = Followed {
                id: self.id.clone(),
                input: input.clone(),
                format: layout.format.name().to_string(),
                length: 0,
                sha256: String::new(),
                map: chosen.map(|(column, path)| (column.name().to_string(), path.clone())).collect(),
            };
            followed.set_mark(cut.length, &cut.hash);
            let payload = parts.to_payload(&followed);
            follower.writer.append_run(FOLLOWED, &payload, parts.count(), Durability::Os)?;
        }
        receipt.redacted.add(&intake.take_counts());
        receipt.records += parts.count();
        receipt.stored += parts.count() - rejected;
        receipt.quarantined += rejected;
        receipt.bytes += cut.bytes.len() as u64;
        receipt.lines += memchr::memchr_iter(b'\n', &cut.bytes).count() as u64;
        receipt.lines += u64::from(cut.bytes.last().is_some_and(|last| *last != b'\n'));
        Ok(())
    }
}

fn new_id() -> String {
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    format!("{:016x}", high ^ low)
}

/// Takes the records of a block in.
struct Taken<'a> {
    intake: &'a mut Intake,
    parts: Parts,
    now_us: i64,
    offset: u64,
    input: &'a str,
    format: Format,
    header: Option<&'a str>,
    rejected: u64,
}

impl Taken<'_> {
    fn too_long(&mut self, raw: &[u8]) {
        let reason = Unreadable::TooLong { limit: RECORD_BYTES_MAX }.to_string();
        self.unreadable(Place { offset: 0, raw }, &reason);
    }
}

impl Records for Taken<'_> {
    fn record(&mut self, place: Place<'_>, json: &[u8]) {
        let unreadable = match self.intake.checked(json, self.now_us) {
            Ok(record) => return self.parts.record(&record),
            Err(reject) => reject.to_string(),
        };
        self.unreadable(place, &unreadable);
    }

    fn unreadable(&mut self, place: Place<'_>, reason: &str) {
        let reject = Reject {
            seq: 0,
            raw: self.intake.raw(place.raw).into_owned(),
            reason: self.intake.reason(reason),
            input: self.input.to_string(),
            byte_offset: i64::try_from(self.offset + place.offset as u64).unwrap_or(i64::MAX),
            format: self.format.name().to_string(),
            header: self.header.map(str::to_string),
        };
        self.parts.reject(&reject.to_payload());
        self.rejected += 1;
    }

    fn decoded(&mut self) {}
}
