//! What is stored already of inputs: whole ones, and followed files up to a mark.

use crate::event::canonical::{from_hex, hex};
use crate::layout;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The halves of a check value in the log of commits.
const HALVES: [&str; 2] = [":a", ":b"];

/// The SHA-256 of an input's bytes.
pub type Hash = [u8; 32];

/// 126 bits of a SHA-256, as two numbers of 63 bits: versions in the log of commits hold no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Check([i64; 2]);

impl Check {
    /// The check value of a hash.
    pub fn of(hash: &Hash) -> Check {
        let half = |bytes: &[u8]| bytes.iter().fold(0_u64, |half, byte| half << 8 | u64::from(*byte)) >> 1;
        let (first, rest) = hash.split_at(8);
        let second = rest.get(..8).unwrap_or_default();
        // 63 bits fit.
        Check([half(first), half(second)].map(|half| i64::try_from(half).unwrap_or(i64::MAX)))
    }
}

/// How far a followed file is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Tells the file from all others; content that was written anew is another file.
    pub id: String,
    /// Bytes from its beginning that are stored.
    pub length: u64,
    /// The check value of these bytes.
    pub check: Check,
}

impl Mark {
    /// The application of the mark in the log of commits, whose version is the length.
    pub fn app_id(&self) -> String {
        format!("{}{}", layout::FOLLOW, self.id)
    }

    /// The mark as versions of applications.
    pub fn states(&self) -> Vec<(String, i64)> {
        let app_id = self.app_id();
        let halves = HALVES.iter().zip(self.check.0).map(|(half, value)| (format!("{app_id}{half}"), value));
        let length = i64::try_from(self.length).unwrap_or(i64::MAX);
        halves.chain([(app_id.clone(), length)]).collect()
    }

    /// The marks that versions of applications hold.
    pub fn of_states(states: &hashbrown::HashMap<&str, i64>) -> Vec<Mark> {
        let marks = states.iter().filter_map(|(app_id, length)| {
            let id = app_id.strip_prefix(layout::FOLLOW).filter(|id| !id.contains(':'))?;
            let [a, b] = HALVES.map(|half| states.get(format!("{app_id}{half}").as_str()).copied());
            Some(Mark { id: id.to_string(), length: u64::try_from(*length).ok()?, check: Check([a?, b?]) })
        });
        marks.collect()
    }
}

/// The name of a whole input in the log of commits, before the hash of its content.
const INPUT: &str = "input:";

/// A whole input as the version of an application.
pub fn input_state(length: u64, hash: &Hash) -> (String, i64) {
    (format!("{INPUT}{}", hex(hash)), i64::try_from(length).unwrap_or(i64::MAX))
}

/// Inputs that were stored before: how long each was, and the hash of its bytes.
#[derive(Clone, Debug, Default)]
pub struct Known {
    by_length: BTreeSet<(u64, Hash)>,
    followed: BTreeMap<(u64, Check), String>,
}

/// What is known about the beginning of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It was a whole input, whose last record may have had no end.
    Input,
    /// A followed file was stored so far, and its last record ended there.
    Followed,
}

impl Known {
    /// These inputs.
    pub fn new(inputs: impl IntoIterator<Item = (u64, Hash)>) -> Known {
        Known { by_length: inputs.into_iter().collect(), followed: BTreeMap::new() }
    }

    /// The whole inputs that versions of applications hold.
    pub fn of_states(states: &hashbrown::HashMap<&str, i64>) -> Known {
        Known::new(states.iter().filter_map(|(app_id, length)| {
            Some((u64::try_from(*length).ok()?, from_hex(app_id.strip_prefix(INPUT)?)?))
        }))
    }

    /// The prefix of the applications of whole inputs.
    pub fn prefix() -> &'static str {
        INPUT
    }

    /// One more input.
    pub fn add(&mut self, length: u64, hash: Hash) {
        self.by_length.insert((length, hash));
    }

    /// How far one more followed file is stored.
    pub fn mark(&mut self, mark: Mark) {
        self.followed.insert((mark.length, mark.check), mark.id);
    }

    /// Whether a followed file is stored that far, and no further under the same id.
    pub fn is_furthest(&self, id: &str, length: u64) -> bool {
        let after = (length.saturating_add(1), Check([i64::MIN; 2]));
        self.followed.range(after..).all(|(_, other)| other != id)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.by_length.is_empty() && self.followed.is_empty()
    }

    /// The shortest length above another.
    pub fn next_length(&self, length: u64) -> Option<u64> {
        let after = length.saturating_add(1);
        let input = self.by_length.range((after, [0; 32])..).next().map(|(length, _)| *length);
        let least = Check([i64::MIN; 2]);
        let followed = self.followed.range((after, least)..).next().map(|((length, _), _)| *length);
        input.into_iter().chain(followed).min()
    }

    /// What is known of an input that begins with so many bytes of this hash.
    pub fn find(&self, length: u64, hash: &Hash) -> Option<Found> {
        if self.id(length, hash).is_some() {
            return Some(Found::Followed);
        }
        self.by_length.contains(&(length, *hash)).then_some(Found::Input)
    }

    /// The id of the followed file that begins so and is stored so far.
    pub fn id(&self, length: u64, hash: &Hash) -> Option<&str> {
        self.followed.get(&(length, Check::of(hash))).map(String::as_str)
    }
}

/// Takes a beginning in, piece by piece, and finds how much of it is known.
#[derive(Clone, Debug, Default)]
pub struct Beginning {
    hash: Sha256,
    length: u64,
    /// The longest part that is known.
    pub known: Option<u64>,
    /// The id of the followed file that it is.
    pub id: Option<String>,
}

impl Beginning {
    /// Takes the next bytes in.
    pub fn take(&mut self, mut bytes: &[u8], known: &Known) {
        while let Some(next) = known.next_length(self.length) {
            let to_next = usize::try_from(next - self.length).unwrap_or(usize::MAX);
            let Some((part, rest)) = bytes.split_at_checked(to_next) else { break };
            self.update(part);
            bytes = rest;
            let hash = self.hash();
            if known.find(next, &hash).is_some() {
                self.known = Some(next);
                self.id = known.id(next, &hash).map(str::to_string).or(self.id.take());
            }
        }
        self.update(bytes);
    }

    /// Takes the next bytes in, of which nothing can be known.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// How many bytes there are so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Their hash.
    pub fn hash(&self) -> Hash {
        self.hash.clone().finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(bytes: &[u8]) -> Hash {
        Sha256::digest(bytes).into()
    }

    fn mark(id: &str, bytes: &[u8]) -> Mark {
        Mark { id: id.to_string(), length: bytes.len() as u64, check: Check::of(&hash(bytes)) }
    }

    #[test]
    fn a_mark_comes_back_from_the_log_of_commits() {
        let marks = [mark("a", b"one"), mark("b", b"one and two")];
        let states: Vec<(String, i64)> = marks.iter().flat_map(Mark::states).collect();
        let mut states: hashbrown::HashMap<&str, i64> =
            states.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let mut found = Mark::of_states(&states);
        found.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(found, marks);
        assert!(states.values().all(|value| *value >= 0));
        states.remove("follow:a:b");
        assert_eq!(Mark::of_states(&states), marks[1..]);
    }

    #[test]
    fn the_longest_known_beginning_is_found_however_the_bytes_come() {
        let text = b"one two three four";
        let mut known = Known::new([(3, hash(b"one")), (7, hash(b"one xxx"))]);
        known.mark(mark("f", b"one two"));
        known.mark(mark("g", b"one two thrEE"));
        for piece in 1..=text.len() {
            let mut beginning = Beginning::default();
            text.chunks(piece).for_each(|bytes| beginning.take(bytes, &known));
            assert_eq!((beginning.known, beginning.id.as_deref()), (Some(7), Some("f")), "{piece}");
            assert_eq!((beginning.length(), beginning.hash()), (18, hash(text)));
        }
        assert_eq!(known.find(3, &hash(b"one")), Some(Found::Input));
        assert_eq!(known.find(7, &hash(b"one two")), Some(Found::Followed));
        assert_eq!(known.find(7, &hash(b"two one")), None);
        assert_eq!([0, 3, 7, 13].map(|length| known.next_length(length)), [Some(3), Some(7), Some(13), None]);
    }
}
