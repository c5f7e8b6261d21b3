//! The texts of templates and how they become one another.
//!
//! What is learned depends on which texts were seen, not on how often or in which order, so that two runs over the
//! same messages, or two writers that exchange what they know, end with the same templates.

use super::columns::{self, Alike};
use super::hash;
use super::numbered;
use super::rows;
use super::scan::MARK;
use super::text::{self, Hole};
use hashbrown::hash_table::{Entry as Slot, HashTable};
use std::collections::HashMap;

/// The number of a text among those that a miner knows.
pub type Index = u32;

/// No text, and the end of a chain.
const NONE: u32 = u32::MAX;
/// How much speaks for a parameter before it is one.
const EVIDENCE_MIN: usize = 6;
/// How much it takes for the first word, which says what happened in most messages.
const EVIDENCE_FIRST_MIN: usize = 24;
/// How many words have to remain when one becomes a parameter.
const WORDS_MIN: usize = 2;
/// How many templates with several learned parameters may begin alike.
const ALIKE_MAX: usize = 32;

#[derive(Debug)]
struct Known {
    hash: u64,
    start: usize,
    length: usize,
    /// The text that it is now part of; itself if it stands for itself.
    into: Index,
    /// Which of its marks words were once, by their position, as bits.
    learned: u64,
    /// Whether its id was given to anybody.
    published: bool,
    /// Whether it is of the first words of messages that were too many.
    folded: bool,
}

/// The texts, and how they became one another.
#[derive(Debug, Default)]
pub struct Texts {
    arena: Vec<u8>,
    known: Vec<Known>,
    table: HashTable<Index>,
    /// How many texts stand for others.
    merged: usize,
    /// By the hash of what is around a hole, the last link of those that have it.
    around: HashMap<u64, u32>,
    /// A text, and the link before it with the same around.
    links: Vec<(Index, u32)>,
    /// By the hash of the canonical form, a text that has it.
    canonical: HashMap<u64, Index>,
    /// By the hash of a text that is not there yet, those that would be it if words with digits were values.
    numbered: HashMap<u64, Vec<Index>>,
    /// Texts with several learned parameters, by how they begin and how many pieces they have.
    general: HashMap<u64, Vec<Index>>,
}

impl Texts {
    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// How many of them are part of others.
    pub fn merged(&self) -> usize {
        self.merged
    }

    /// How many bytes they have.
    pub fn bytes(&self) -> usize {
        self.arena.len()
    }

    /// A text, by its number.
    pub fn text(&self, index: Index) -> &[u8] {
        let known = self.known.get(index as usize);
        known
            .and_then(|known| self.arena.get(known.start..known.start.saturating_add(known.length)))
            .unwrap_or_default()
    }

    /// The text that a text is now part of.
    pub fn resolve(&self, index: Index) -> Index {
        let mut at = index;
        while let Some(known) = self.known.get(at as usize) {
            if known.into == at {
                break;
            }
            at = known.into;
        }
        at
    }

    /// The number of a text, if it is known.
    #[inline]
    pub fn find(&self, text: &[u8]) -> Option<Index> {
        let hash = hash::of(text);
        self.table.find(hash, |index| self.text(*index) == text).copied()
    }

    /// Notes that the id of a text is known to others.
    pub fn publish(&mut self, index: Index) {
        if let Some(known) = self.known.get_mut(index as usize) {
            known.published = true;
        }
    }

    /// The texts whose ids are known to others, with their learned marks.
    pub fn published(&self) -> impl Iterator<Item = (Index, u64)> + '_ {
        let published = self.known.iter().zip(0..).filter(|(known, _)| known.published);
        published.map(|(known, index)| (index, known.learned))
    }

    /// Takes in a text, and joins what it shows to be one.
    pub fn add(&mut self, text: &[u8], learned: u64) -> Index {
        let (index, new) = self.enter(text);
        if let Some(known) = self.known.get_mut(index as usize) {
            known.learned |= learned;
        }
        if new {
            self.note_general(index);
            let mut waiting = vec![index];
            while let Some(next) = waiting.pop() {
                self.learn(next, &mut waiting);
            }
        }
        index
    }

    /// Takes in a text that is part of another one.
    pub fn add_merged(&mut self, text: &[u8], into: Index) -> Index {
        let (index, _) = self.enter(text);
        if self.is_alive(index) {
            self.join(index, into);
        }
        index
    }

    /// Takes in a text of first words, and learns nothing from it.
    pub fn add_folded(&mut self, text: &[u8]) -> Index {
        let (index, _) = self.enter(text);
        if let Some(known) = self.known.get_mut(index as usize) {
            known.folded = true;
        }
        index
    }

    /// Whether a text is of first words.
    pub fn is_folded(&self, index: Index) -> bool {
        self.known.get(index as usize).is_some_and(|known| known.folded)
    }

    /// Which marks of a text words were once.
    pub fn learned(&self, index: Index) -> u64 {
        self.known.get(index as usize).map_or(0, |known| known.learned)
    }

    /// Joins what is known to be one only now.
    pub fn settle(&mut self) {
        self.learn_columns();
        if self.general.is_empty() {
            return;
        }
        for index in 0..u32::try_from(self.known.len()).unwrap_or(NONE) {
            if self.is_alive(index)
                && let Some(general) = self.general_of(self.text(index), index)
            {
                self.join(index, general);
            }
        }
    }

    fn learn_columns(&mut self) {
        let count = u32::try_from(self.known.len()).unwrap_or(NONE);
        let alive = (0..count).filter(|index| self.is_alive(*index));
        let mut found = columns::alike(alive.map(|index| (index, self.text(index))));
        found.sort_unstable_by(|left, right| left.general.cmp(&right.general));
        let mut waiting = Vec::new();
        for Alike { members, general, learned } in found {
            let (into, new) = self.enter(&general);
            if new {
                waiting.push(into);
            }
            for member in members {
                self.join(member, into);
            }
            if let Some(known) = self.known.get_mut(into as usize) {
                known.learned |= learned;
            }
            self.note_general(into);
        }
        while let Some(next) = waiting.pop() {
            self.learn(next, &mut waiting);
        }
    }

    /// The template that a new text is of, if one is known already.
    pub fn template_of(&self, text: &[u8]) -> Option<Index> {
        if let Some(index) = numbered::marked(text).and_then(|general| self.find(&general)) {
            return Some(self.resolve(index));
        }
        for hole in text::holes(text) {
            let (before, after) = (text.get(..hole.range.start)?, text.get(hole.range.end..)?);
            if text.get(hole.range.clone()) == Some(&[MARK]) || hole.words < WORDS_MIN || hole.first {
                continue;
            }
            if let Some(index) = self.find(&[before, &[MARK], after].concat()) {
                return Some(self.resolve(index));
            }
        }
        self.general_of(text, NONE)
    }

    fn enter(&mut self, text: &[u8]) -> (Index, bool) {
        let Self { arena, known, table, .. } = self;
        let hash = hash::of(text);
        let same = |index: &Index| {
            let known = known.get(*index as usize);
            known.is_some_and(|known| {
                arena.get(known.start..known.start.saturating_add(known.length)) == Some(text)
            })
        };
        let of = |index: &Index| known.get(*index as usize).map_or(0, |known| known.hash);
        match table.entry(hash, same, of) {
            Slot::Occupied(slot) => (*slot.get(), false),
            Slot::Vacant(slot) => {
                let index = Index::try_from(known.len()).unwrap_or(NONE);
                slot.insert(index);
                let start = arena.len();
                known.push(Known {
                    hash,
                    start,
                    length: text.len(),
                    into: index,
                    learned: 0,
                    published: false,
                    folded: false,
                });
                arena.extend_from_slice(text);
                (index, true)
            }
        }
    }

    fn is_alive(&self, index: Index) -> bool {
        self.known.get(index as usize).is_some_and(|known| known.into == index)
    }

    /// Makes a text part of another one, which says less.
    fn join(&mut self, from: Index, into: Index) {
        let (from, into) = (self.resolve(from), self.resolve(into));
        if from == into {
            return;
        }
        if let Some(known) = self.known.get_mut(from as usize) {
            known.into = into;
            self.merged = self.merged.saturating_add(1);
        }
    }

    fn learn(&mut self, index: Index, waiting: &mut Vec<Index>) {
        let text = self.text(index).to_vec();
        self.learn_rows(index, &text, waiting);
        self.learn_numbers(index, &text);
        for hole in &text::holes(&text) {
            if !self.is_alive(index) {
                return;
            }
            self.learn_hole(index, &text, hole, waiting);
        }
    }

    /// Joins texts that have the same canonical form.
    fn learn_rows(&mut self, index: Index, text: &[u8], waiting: &mut Vec<Index>) {
        if !text.contains(&MARK) {
            return;
        }
        let canonical = rows::canonical(text);
        let key = hash::of(&canonical);
        let Some(other) = self.canonical.insert(key, index) else { return };
        let other = self.resolve(other);
        if other == index {
            return;
        }
        let (into, new) = self.enter(&canonical);
        if new {
            waiting.push(into);
        }
        self.join(other, into);
        self.join(index, into);
        self.canonical.insert(key, self.resolve(into));
    }

    /// Joins texts that differ in whether a word with a digit is a value by its look: `node1`, `node12`.
    fn learn_numbers(&mut self, index: Index, text: &[u8]) {
        for member in self.numbered.remove(&hash::of(text)).unwrap_or_default() {
            if numbered::marked(self.text(member)).as_deref() == Some(text) {
                self.join(member, index);
            }
        }
        let Some(general) = numbered::marked(text) else { return };
        match self.find(&general) {
            Some(into) => self.join(index, into),
            None => self.numbered.entry(hash::of(&general)).or_default().push(index),
        }
    }

    /// Notes what stands in a hole, and makes it a parameter if that is enough.
    fn learn_hole(&mut self, index: Index, text: &[u8], hole: &Hole, waiting: &mut Vec<Index>) {
        let (Some(before), Some(after)) = (text.get(..hole.range.start), text.get(hole.range.end..)) else {
            return;
        };
        if hole.words < if hole.enclosed { 1 } else { WORDS_MIN } {
            return;
        }
        let key = hash::around(before, after);
        let mut members = self.members(key, index);
        let evidence =
            members.iter().fold(0_usize, |sum, member| sum.saturating_add(self.weight(*member, hole, after)));
        let needed = if hole.first { EVIDENCE_FIRST_MIN } else { EVIDENCE_MIN };
        if members.len() < 2 {
            return;
        }
        if evidence < needed {
            members = self.numbered_alike(members, index, hole, after);
        }
        if members.is_empty() {
            return;
        }
        let general = [before, &[MARK], after].concat();
        let (into, new) = self.enter(&general);
        if new {
            waiting.push(into);
        }
        for member in members {
            self.hand_on_learned(member, into, hole.marks);
            self.join(member, into);
        }
        self.note_general(into);
        self.members(key, self.resolve(into));
    }

    /// Those of the texts with the same around a hole that are numbered: their words there are the same but for their
    /// digits, and are three, or there is a text with a value instead. None if they are too few.
    fn numbered_alike(&self, members: Vec<Index>, index: Index, hole: &Hole, after: &[u8]) -> Vec<Index> {
        let word = |member: Index| self.in_hole(member, hole, after);
        let is_value = |member: &Index| word(*member) == [MARK];
        let own = numbered::stem(word(index));
        if own.is_none() && !is_value(&index) {
            return Vec::new();
        }
        let has_value = members.iter().any(is_value);
        let is_alike = |member: &Index| {
            let stem = numbered::stem(word(*member));
            is_value(member) || (stem.is_some() && (has_value || stem == own))
        };
        let alike: Vec<Index> = members.into_iter().filter(is_alike).collect();
        let enough = if has_value { 2 } else { numbered::STEMS_MIN };
        if alike.len() >= enough { alike } else { Vec::new() }
    }

    /// What a text has in the hole that it has in common with others.
    fn in_hole(&self, member: Index, hole: &Hole, after: &[u8]) -> &[u8] {
        let text = self.text(member);
        let end = text.len().saturating_sub(after.len());
        text.get(hole.range.start..end).unwrap_or_default()
    }

    /// The texts with the same around a hole that stand for themselves, with a new one among them.
    fn members(&mut self, key: u64, index: Index) -> Vec<Index> {
        let mut members = vec![index];
        let mut dead = false;
        let mut at = self.around.get(&key).copied().unwrap_or(NONE);
        while let Some((member, next)) = self.links.get(at as usize).copied() {
            if self.is_alive(member) && member != index {
                members.push(member);
            } else {
                dead = true;
            }
            at = next;
        }
        if dead {
            self.around.remove(&key);
            for member in members.iter().rev() {
                self.link(key, *member);
            }
        } else {
            self.link(key, index);
        }
        members
    }

    fn link(&mut self, key: u64, index: Index) {
        let link = u32::try_from(self.links.len()).unwrap_or(NONE);
        let previous = self.around.insert(key, link).unwrap_or(NONE);
        self.links.push((index, previous));
    }

    /// How much a text says about the hole that it has in common with others.
    fn weight(&self, member: Index, hole: &Hole, after: &[u8]) -> usize {
        match self.in_hole(member, hole, after) {
            [MARK] => EVIDENCE_MIN,
            _ if hole.named => EVIDENCE_MIN / 2,
            value if text::is_name(value) => 2,
            _ => 1,
        }
    }

    /// What was learned of a text, said of the more general one, in which one more mark may be after `marks` others.
    fn hand_on_learned(&mut self, from: Index, into: Index, marks: u32) {
        if from == into {
            return;
        }
        let count = |text: &[u8]| text.iter().filter(|byte| **byte == MARK).count();
        let same = count(self.text(from)) == count(self.text(into));
        let learned = self.known.get(from as usize).map_or(0, |known| known.learned);
        let hole = 1_u64.checked_shl(marks).unwrap_or(0);
        let below = learned & hole.wrapping_sub(1);
        let moved = if same { learned } else { below | ((learned & !below) << 1) };
        if let Some(known) = self.known.get_mut(into as usize) {
            known.learned |= moved | hole;
        }
    }

    /// Keeps a text at hand if several of its parameters are learned: no single other text leads to it.
    fn note_general(&mut self, index: Index) {
        if self.known.get(index as usize).is_none_or(|known| known.learned.count_ones() < 2) {
            return;
        }
        let key = beginning(self.text(index));
        let alike = self.general.entry(key).or_default();
        if !alike.contains(&index) && alike.len() < ALIKE_MAX {
            alike.push(index);
        }
    }

    /// The template with several learned parameters that a text is of.
    fn general_of(&self, text: &[u8], not: Index) -> Option<Index> {
        let alike = self.general.get(&beginning(text))?;
        let mut found = alike.iter().copied().filter(|index| *index != not && self.is_alive(*index));
        found.find(|index| {
            let learned = self.known.get(*index as usize).map_or(0, |known| known.learned);
            is_instance(text, self.text(*index), learned)
        })
    }
}

/// The hash of the first word of a text and of how many pieces it has.
fn beginning(text: &[u8]) -> u64 {
    let first = text::pieces(text).find_map(|range| text.get(range).filter(|piece| text::is_wordy(piece)));
    hash::around(first.unwrap_or_default(), &text::pieces(text).count().to_le_bytes())
}

/// Whether a text is a template with words for some of its learned parameters.
fn is_instance(text: &[u8], template: &[u8], learned: u64) -> bool {
    let mut marks = 0_u32;
    let mut theirs = text::pieces(template);
    for range in text::pieces(text) {
        let piece = text.get(range.clone()).unwrap_or_default();
        let Some(other) = theirs.next().and_then(|range| template.get(range)) else { return false };
        if other == [MARK] {
            let may_be_word = learned & 1_u64.checked_shl(marks).unwrap_or(0) != 0;
            let is_key = text.get(range.end) == Some(&b'=');
            marks = marks.saturating_add(1);
            if piece != [MARK] && (!may_be_word || is_key || !piece.iter().any(u8::is_ascii_alphanumeric)) {
                return false;
            }
        } else if piece != other {
            return false;
        }
    }
    theirs.next().is_none()
}
