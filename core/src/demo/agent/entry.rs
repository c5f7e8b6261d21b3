//! The entries of the change log, and the states of files in them.

use std::fmt;

use super::super::names::at;
use super::super::record::{Hex, Record};
use super::super::rng::mix;
use super::super::simulation::Moment;
use super::{AGENTS, Task};

pub(super) struct Entry {
    pub(super) change_type: &'static str,
    pub(super) level: &'static str,
    pub(super) file: Option<FileChange>,
    pub(super) setting: Option<Setting>,
}

pub(super) struct Setting {
    pub(super) before: i64,
    pub(super) after: i64,
}

pub(super) struct FileChange {
    pub(super) path: &'static str,
    pub(super) index: usize,
    pub(super) before: Option<File>,
    pub(super) after: Option<File>,
}

impl Entry {
    pub(super) fn new(change_type: &'static str, level: &'static str) -> Entry {
        Entry { change_type, level, file: None, setting: None }
    }

    pub(super) fn write(
        &self,
        now: &Moment<'_>,
        task: &Task,
        text: fmt::Arguments<'_>,
        metadata: impl FnOnce(&mut Record),
    ) -> String {
        let mut record = Record::spaced();
        let id = mix(task.session ^ now.us as u64);
        record.say("id", format_args!("{}", Hex(id, 16))).say("timestamp", format_args!("{now}"));
        record.say("session_id", format_args!("{}", Hex(task.session, 12)));
        record.text("agent_id", at(&AGENTS, task.agent).0).text("change_type", self.change_type);
        record.say("description", text).text("level", self.level);
        self.write_states(&mut record);
        record.object("metadata", metadata);
        record.finish()
    }

    fn write_states(&self, record: &mut Record) {
        record.maybe("file_path", self.file.as_ref().map(|file| file.path));
        let index = self.file.as_ref().map_or(0, |file| file.index);
        let states = self.file.as_ref().map_or((None, None), |file| (file.before, file.after));
        for (name, state) in [("file_hash_before", states.0), ("file_hash_after", states.1)] {
            match state {
                Some(file) => record.say(name, format_args!("sha256:{}", Digest(index, file.revision))),
                None => record.null(name),
            };
        }
        let settings = self.setting.as_ref().map(|setting| (setting.before, setting.after)).unzip();
        for (name, state, setting) in
            [("before_state", states.0, settings.0), ("after_state", states.1, settings.1)]
        {
            match (state, setting) {
                (Some(file), _) => {
                    record.say(name, format_args!("# revision {}\n# {} bytes\n", file.revision, file.size))
                }
                (None, Some(seconds)) => record.say(name, format_args!("{{\"timeout_s\": {seconds}}}")),
                (None, None) => record.null(name),
            };
        }
    }
}

/// A made-up hash of a revision of a file: 64 hexadecimal digits.
pub(super) struct Digest(usize, u32);

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = ((self.0 as u64) << 32) | u64::from(self.1);
        (0..4_u64).try_for_each(|part| fmt::Display::fmt(&Hex(mix(start ^ (part << 56)), 16), out))
    }
}

#[derive(Clone, Copy, Default)]
pub(super) struct File {
    pub(super) revision: u32,
    pub(super) size: i64,
    pub(super) exists: bool,
}
