//! The proof that an event was committed to a store, which whoever has a head of its hash chain can check without it.
//!
//! The event's leaves give its content hash, and with `seq` and `ts` the hash of its row; the hashes beside its way up
//! the tree of the file's rows give the root of that tree, which is in the record of the commit that added the file; and
//! each record names the hash of one before it, up to the head.

use super::head::Head;
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::{Leaf, from_hex, hash, hex, row_hashes};
use crate::event::column::FieldPath;
use crate::event::digest::Digest;
use crate::event::json;
use crate::event::nest;
use crate::event::time::rfc3339;
use crate::event::tree::root_of;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The format of proofs that this version writes and reads.
pub const FORMAT: u32 = 1;
/// A proof of more bytes is not read.
pub const PROOF_BYTES_MAX: u64 = 256 << 20;
/// Paths of more hashes belong to no file.
const PATH_MAX: usize = 64;

/// A proof of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventProof {
    /// [`FORMAT`].
    pub daybook_proof: u32,
    /// The event.
    pub event: ProvenEvent,
    /// The data file that it was committed in, as the record names it.
    pub file: String,
    /// Which of the file's rows it is, from 0.
    pub row: u64,
    /// The hashes beside its way up the tree of the file's rows, in hexadecimal.
    pub path: Vec<String>,
    /// Records of the chain: the one that added the file, and each further one that names the one before it here; the
    /// last is the head.
    pub records: Vec<String>,
}

/// The event that a proof is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenEvent {
    /// Its number in the store.
    pub seq: i64,
    /// When it happened, in microseconds since 1970.
    pub ts: i64,
    /// What its producer wrote: path, tag and value of each leaf, as they are hashed.
    pub leaves: Vec<Leaf>,
}

/// What a proof proves.
#[derive(Debug, Serialize)]
pub struct Provenance {
    /// The event's number.
    pub seq: i64,
    /// When it happened.
    pub ts: String,
    /// The event as its producer wrote it, but for numbers that no double and no 64-bit integer holds.
    pub event: Value,
    /// The same as JSON, exactly.
    #[serde(skip)]
    pub text: String,
    /// The data file that it was committed in.
    pub file: String,
    /// The version of the table that the commit made.
    pub version: u64,
    /// The version of the last record of the proof.
    pub head_version: u64,
    /// The hash of that record, which is in the head of the events.
    pub head_hash: String,
    /// Whether that is known to be a record of the store, since a head that was kept elsewhere has it.
    pub is_under_known_head: bool,
}

impl EventProof {
    /// Reads a proof.
    pub fn parse(bytes: &[u8]) -> Result<EventProof> {
        #[derive(Deserialize)]
        struct Version {
            daybook_proof: u32,
        }
        let unreadable = |error: serde_json::Error| {
            Error::new(ErrorKind::Invalid, "this is no proof of an event")
                .with_source(error)
                .with_hint("`daybook proof --event ID` prints one")
        };
        let Version { daybook_proof } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if daybook_proof != FORMAT {
            let message = format!("the proof has format {daybook_proof}, and this version reads {FORMAT}");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    /// Checks everything that can be checked without the store. Without a head that was kept elsewhere, that is only
    /// whether the proof fits itself: anyone can make such a one.
    pub fn check(&self, against: Option<&Head>) -> Result<Provenance> {
        let text = self.event.as_written()?;
        let event =
            serde_json::from_str(&text).map_err(|_| broken("is of an event whose leaves make no object"))?;
        let Some((first, later)) = self.records.split_first() else { return Err(broken("has no records")) };
        let mut last = Record::parse(first)?;
        let root = self.root(last.rows_of(&self.file)?)?;
        let version = last.version;
        if last.tree_of(&self.file)? != hex(&root) {
            return Err(broken("is of another event than the ones that the commit put into the file"));
        }
        let is_known = |record: &Record<'_>| {
            against
                .is_some_and(|head| head.events.hash == record.hash && head.events.version >= record.version)
        };
        let mut is_under_known_head = is_known(&last);
        for text in later {
            let record = Record::parse(text)?;
            if record.version <= last.version || ![record.previous, record.jump].contains(&last.hash.as_str())
            {
                let message = format!(
                    "has a record of version {} that does not name the one before it",
                    record.version
                );
                return Err(broken(&message));
            }
            is_under_known_head |= is_known(&record);
            last = record;
        }
        if let Some(head) = against.filter(|_| !is_under_known_head) {
            let message = format!(
                "the proof does not lead to the head that was kept: it ends at version {} with the hash {}, and the \
                 head is of version {}",
                last.version, last.hash, head.events.version
            );
            return Err(Error::new(ErrorKind::Corrupt, message)
                .with_hint("it is of another store, or made for another head: `daybook proof --event ID --against HEAD` makes one for a head"));
        }
        Ok(Provenance {
            seq: self.event.seq,
            ts: rfc3339(self.event.ts),
            event,
            text,
            file: self.file.clone(),
            version,
            head_version: last.version,
            head_hash: last.hash,
            is_under_known_head,
        })
    }

    /// The root of the tree of the file's rows, of which there are so many, if the event is the row that the proof says.
    fn root(&self, rows_of_file: u64) -> Result<Digest> {
        let mut content = Vec::new();
        for leaf in &self.event.leaves {
            leaf.bytes_into(&mut content)
                .ok_or_else(|| broken("has a leaf of the event that cannot be hashed"))?;
        }
        let ProvenEvent { seq, ts, .. } = self.event;
        let rows = row_hashes(std::iter::once((seq, ts, &hash(&content))));
        let path: Option<Vec<Digest>> =
            self.path.iter().take(PATH_MAX + 1).map(|digits| from_hex(digits)).collect();
        let path =
            path.filter(|path| path.len() <= PATH_MAX).ok_or_else(|| broken("has hashes that are none"))?;
        let row = rows.first().copied().unwrap_or_default();
        root_of(row, self.row, rows_of_file, &path)
            .ok_or_else(|| broken("does not fit the number of rows that the file has"))
    }
}

impl ProvenEvent {
    /// The event as its producer wrote it.
    fn as_written(&self) -> Result<String> {
        let mut entries = Vec::new();
        for Leaf(path, tag, value) in &self.leaves {
            let json = match tag {
                's' => {
                    let mut quoted = Vec::new();
                    json::quote_into(value, &mut quoted);
                    quoted
                }
                'T' if *value != self.ts.to_string() => {
                    return Err(broken("says of the event's time what it is not"));
                }
                'T' => format!("\"{}\"", rfc3339(self.ts)).into_bytes(),
                't' => b"true".to_vec(),
                'f' => b"false".to_vec(),
                'z' => b"null".to_vec(),
                'o' => b"{}".to_vec(),
                _ => value.clone().into_bytes(),
            };
            let is_json = serde_json::from_slice::<Value>(&json).is_ok_and(|read| match tag {
                'n' => read.is_number(),
                'a' => read.is_array(),
                _ => true,
            });
            if !is_json {
                return Err(broken("has a leaf of the event whose value is not what its tag says"));
            }
            entries.push((FieldPath::new(path), json));
        }
        entries.sort();
        let mut text = Vec::new();
        nest::object_into(&entries, &mut text);
        String::from_utf8(text).map_err(|_| broken("is of an event that is no text"))
    }
}

/// What a check needs of a record's text.
struct Record<'a> {
    text: &'a str,
    hash: String,
    previous: &'a str,
    jump: &'a str,
    version: u64,
}

impl<'a> Record<'a> {
    fn parse(text: &'a str) -> Result<Record<'a>> {
        let mut lines = text.split_terminator('\n');
        let mut word = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let parsed = (|| {
            word("daybook").filter(|rest| *rest == "chain 1")?;
            Some((word("previous")?, word("jump")?, word("version")?.parse().ok()?))
        })();
        let (previous, jump, version) = parsed.ok_or_else(|| broken("has a record that is none"))?;
        Ok(Record { text, hash: hex(&hash(text.as_bytes())), previous, jump, version })
    }

    /// The words of the line that adds a file.
    fn add(&self, file: &str) -> Result<Vec<&'a str>> {
        let lines = self.text.split_terminator('\n').map(|line| line.split(' ').collect::<Vec<_>>());
        let mut adds = lines.filter(|words| words.len() == 8 && words.starts_with(&["add", file]));
        adds.next().ok_or_else(|| broken("has no record of a commit that adds the file"))
    }

    fn tree_of(&self, file: &str) -> Result<&'a str> {
        Ok(self.add(file)?.get(5).copied().unwrap_or_default())
    }

    fn rows_of(&self, file: &str) -> Result<u64> {
        let rows = self.add(file)?.get(3).and_then(|rows| rows.parse().ok());
        rows.ok_or_else(|| broken("has a record without a number of rows"))
    }
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the proof is not valid: it {what}"))
}
