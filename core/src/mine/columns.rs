//! Parameters that stand beside each other: two words that both vary freely are never the same but for one of them.

use super::class::{WORD, of};
use super::hash;
use super::scan::MARK;
use super::text;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// So many texts have to be alike in all but words before their columns say anything.
const TEXTS_MIN: usize = 64;
/// So many different words in one column are no words of a program.
const WORDS_MIN: usize = 32;
/// How many words have to remain.
const WORDS_LEFT_MIN: usize = 2;

/// Texts that are one, and the general text of them.
#[derive(Debug)]
pub struct Alike<T> {
    /// The texts.
    pub members: Vec<T>,
    /// The text with a mark in each column that varies.
    pub general: Vec<u8>,
    /// Which of its marks words were once.
    pub learned: u64,
}

/// Finds texts that have their first word and all that is no word in common, and differ in columns of very many words.
pub fn alike<'a, T: Copy>(texts: impl Iterator<Item = (T, &'a [u8])>) -> Vec<Alike<T>> {
    let mut groups: HashMap<u64, Vec<(T, &'a [u8])>> = HashMap::new();
    for (index, text) in texts {
        groups.entry(structure(text)).or_default().push((index, text));
    }
    let mut found = Vec::new();
    for group in groups.into_values().filter(|group| group.len() >= TEXTS_MIN) {
        split(&group, &mut found);
    }
    found
}

/// What stands in a column: a word or a mark. The first word and keys are in none.
fn columns(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut first = true;
    text::pieces(text).filter(move |range| {
        let piece = text.get(range.clone()).unwrap_or_default();
        let is_first = first && text::is_wordy(piece);
        first &= !is_first;
        let word = piece.first().is_some_and(|byte| of(*byte) & WORD != 0);
        word && !is_first && text.get(range.end) != Some(&b'=')
    })
}

/// The hash of a text without what is in its columns.
fn structure(text: &[u8]) -> u64 {
    let mut rest = Vec::with_capacity(text.len());
    let mut at = 0;
    for range in columns(text) {
        rest.extend_from_slice(text.get(at..range.start).unwrap_or_default());
        rest.push(MARK);
        at = range.end;
    }
    rest.extend_from_slice(text.get(at..).unwrap_or_default());
    hash::of(&rest)
}

/// Splits texts of one structure by the columns that do not vary.
fn split<T: Copy>(group: &[(T, &[u8])], found: &mut Vec<Alike<T>>) {
    let mut words: Vec<HashSet<&[u8]>> = Vec::new();
    for (_, text) in group {
        for (column, range) in columns(text).enumerate() {
            if words.len() <= column {
                words.push(HashSet::new());
            }
            if let Some(words) = words.get_mut(column) {
                words.insert(text.get(range).unwrap_or_default());
            }
        }
    }
    let varies: Vec<bool> =
        words.iter().map(|words| words.len() >= WORDS_MIN.max(group.len() / 64)).collect();
    if !varies.contains(&true) {
        return;
    }
    let mut parts: HashMap<Vec<u8>, (u64, Vec<T>)> = HashMap::new();
    for (index, text) in group {
        let (general, learned) = without(text, &varies);
        let part = parts.entry(general).or_default();
        part.0 |= learned;
        part.1.push(*index);
    }
    for (general, (learned, members)) in parts {
        let left =
            text::pieces(&general).filter(|range| general.get(range.clone()).is_some_and(text::is_wordy));
        if members.len() >= WORDS_MIN && left.count() >= WORDS_LEFT_MIN {
            found.push(Alike { members, general, learned });
        }
    }
}

/// A text with marks in the columns that vary, and which marks those are.
fn without(text: &[u8], varies: &[bool]) -> (Vec<u8>, u64) {
    let mut general = Vec::with_capacity(text.len());
    let mut learned = 0_u64;
    let mut at = 0;
    for (range, varies) in columns(text).zip(varies) {
        let piece = text.get(range.clone()).unwrap_or_default();
        general.extend_from_slice(text.get(at..range.start).unwrap_or_default());
        if *varies {
            let marks = general.iter().filter(|byte| **byte == MARK).count();
            learned |= u32::try_from(marks).ok().and_then(|marks| 1_u64.checked_shl(marks)).unwrap_or(0);
            general.push(MARK);
        } else {
            general.extend_from_slice(piece);
        }
        at = range.end;
    }
    general.extend_from_slice(text.get(at..).unwrap_or_default());
    (general, learned)
}
