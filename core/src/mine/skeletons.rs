//! The texts of many messages, each once, found without knowing any others: threads find them side by side, and a
//! miner takes in what they found.

use super::hash;
use super::scan::Scanner;
use hashbrown::hash_table::{Entry, HashTable};

/// The texts of some messages.
#[derive(Clone, Debug, Default)]
pub struct Skeletons {
    /// The row of each message, and the position of its text.
    rows: Vec<(u32, u32)>,
    bytes: Vec<u8>,
    /// Where each text ends.
    ends: Vec<usize>,
}

impl Skeletons {
    /// The texts of these messages, each with its row.
    pub fn of<'a>(messages: impl Iterator<Item = (u32, &'a [u8])>) -> Skeletons {
        let mut scanner = Scanner::default();
        let mut found = Skeletons::default();
        let mut table: HashTable<(u64, u32)> = HashTable::new();
        for (row, message) in messages {
            let text = scanner.skeleton(message);
            let hash = hash::of(text);
            let same = |(other, at): &(u64, u32)| *other == hash && found.text(*at) == text;
            let position = match table.entry(hash, same, |(hash, _)| *hash) {
                Entry::Occupied(known) => known.get().1,
                Entry::Vacant(vacant) => {
                    let position = u32::try_from(found.ends.len()).unwrap_or(u32::MAX);
                    vacant.insert((hash, position));
                    found.bytes.extend_from_slice(text);
                    found.ends.push(found.bytes.len());
                    position
                }
            };
            found.rows.push((row, position));
        }
        found
    }

    /// Each message's row, and the position of its text.
    pub(super) fn rows(&self) -> &[(u32, u32)] {
        &self.rows
    }

    /// The texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        (0..).zip(&self.ends).map(|(position, _)| self.text(position))
    }

    fn text(&self, position: u32) -> &[u8] {
        let start = position.checked_sub(1).and_then(|before| self.ends.get(before as usize)).copied();
        let end = self.ends.get(position as usize).copied().unwrap_or_default();
        self.bytes.get(start.unwrap_or_default()..end).unwrap_or_default()
    }

    /// Whether there are no messages.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many bytes of memory they take.
    pub fn byte_count(&self) -> usize {
        self.bytes.len().saturating_add(std::mem::size_of_val(self.rows.as_slice()))
    }
}
