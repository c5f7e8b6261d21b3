//! Templates of messages: `Took 12 ms to build` and `Took 7 ms to build` are both `Took <*> ms to build`.
//!
//! Nothing is set per system; the rules are about how programs print values, and about what the messages show together.
//!
//! **From a message to its text** (`scan`, one pass; a message of a known text costs a hash and no more):
//!
//! - White space separates words, punctuation stays in the text. What varies is mostly a whole word or what stands
//!   between punctuation, so that `size=12,` keeps `size=` and `,` and differs from `rank=12,`.
//! - A number is a value, with sign, point, unit (`16K`, `1000ms`) or prefix (`0x1f`). So are letters and digits
//!   together that begin with a digit, end with two, have three, or are hexadecimal: `blk_-77`, `node12`, `9f4ef63`.
//!   One digit at the end is not enough: `ipv4`, `log4j` and `ssh2` are words. Eight and more letters that are all
//!   hexadecimal digits are a number too.
//! - A path from the root, one with a backslash, a second slash, or a slash and a dot; a link; the query after it. One
//!   slash between words is `read/write`, a word.
//! - The name of a host, by its end and its small letters, or by the port after it. The name of a package or an
//!   application, by the domain that it begins with.
//! - Values that only colons part are one: times, ports, hardware addresses. Dates in words are one (`date`).
//! - `true`, `null` and the like: a program rarely has them in its own text. `none` after a word is a word.
//! - A name before `()` is a function's, and one that ends with `Exception` what happened: both stay.
//! - Messages of several lines that name what they say (`Process ID: 12`) have a value a line (`fields`).
//! - A quoted text after `=`, whatever words it has. `()` alone: something without a name was printed.
//! - What cannot be printed, and a piece that is longer than words are: binary data never is part of a template.
//! - A name before `=` is a key, and stays, even with digits: `r24=0x1` and `r25=0x1` are not the same.
//! - A message that is a JSON object has the template of its keys (`json`).
//!
//! **From texts to templates** (`learn`), where the look of a word does not tell:
//!
//! - Texts that are the same but for one word are evidence that this word is a parameter, the more of them there are.
//!   A name (dots, underscores, digits, capitals inside) says twice as much as a word of a language, because programs
//!   have few verbs and many names; after `user` and `host` it is nearly certain. Six words or three names are enough.
//!   A value seen in that place is: `chdir(pwd)` belongs to `chdir(/tmp)`.
//! - Where two words beside each other both vary freely, no two texts differ in one only: very many texts that have all
//!   but words in common are looked at by `columns`.
//! - Words that are the same but for their digits (`eth0`, `eth1`, `eth3`) are of things that are numbered: three are
//!   enough, or one where another text has a value (`numbered`).
//! - Two words have to stay, one beside a word alone in brackets, which says who. The first word takes four times the evidence: it mostly says what happened, and
//!   `cups started` and `ssh started` are different events where few programs log.
//! - Texts that differ in how many values stand in a row are one, since lists have lengths: (`rows`). So are those that
//!   differ in the unit (`5 B`, `5 KB`), in `<1` for `1`, in `key=null` for `key=Name{1}`, and in `****` beside values.
//! - How often a text was seen plays no part, nor does the order: the same messages have the same templates in a
//!   file, in another one that repeats it, and in a store that saw them over a year.
//!
//! The id of a template is a hash of its text. When a template turns out to be part of a more general one, the
//! [`Dictionary`] says which, and the old id goes on to be understood. The number of texts is bounded ([`Folded`]).

mod class;
mod columns;
mod date;
mod dictionary;
mod fields;
mod hash;
mod json;
mod learn;
pub mod lines;
mod numbered;
mod parameters;
mod profile;
mod rows;
mod scan;
mod shape;
mod skeletons;
#[cfg(test)]
mod tests;
mod text;

pub use dictionary::{Dictionary, DictionaryError, Entry, TemplateId};
pub use parameters::{ParameterKind, parameters};
pub use profile::{ParameterProfile, Profile, ValueCount};
pub use skeletons::Skeletons;
pub use text::PARAMETER;

use learn::{Index, Texts};
use scan::{MARK, Scanner};

/// How many texts are learned from.
const TEXTS_MAX: usize = 1 << 16;
/// How many bytes they may have.
const TEXT_BYTES_MAX: usize = 32 << 20;
/// How many texts of templates that are known are kept, so that the next message finds them at once.
const MERGED_MAX: usize = 1 << 15;
/// How many templates there may be of messages that are folded.
const FOLDED_MAX: usize = 1 << 12;
/// So many bytes at most stay of a message that is folded.
const FOLDED_BYTES_MAX: usize = 64;

/// The text that a message was found to have. [`Miner::id`] says which template that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Assigned(Index);

/// What became of messages after there were more different ones than a miner learns from: they have the template of
/// their first words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// How many messages; of those that came as [`Skeletons`], how many different texts.
    pub messages: u64,
    /// How many templates they have.
    pub templates: usize,
}

/// Finds the templates of messages.
///
/// It learns as it goes: first all messages of a batch are assigned, then [`Miner::settle`] is called, and only then
/// are ids asked for, so that what the last message shows is true of the first one.
///
/// ```
/// use daybook::mine::{Dictionary, Miner};
///
/// let mut miner = Miner::with(&Dictionary::default());
/// let first = miner.assign(b"Took 12 ms to build /srv/a");
/// let second = miner.assign(b"Took 7 ms to build /srv/b");
/// miner.settle();
/// assert_eq!(miner.template(first), "Took <*> ms to build <*>");
/// assert_eq!(miner.id(first), miner.id(second));
/// assert_eq!(miner.dictionary().entries().len(), 1);
/// ```
#[derive(Debug, Default)]
pub struct Miner {
    scanner: Scanner,
    texts: Texts,
    folded: Folded,
    /// How many texts there were when it made up its mind.
    settled_at: usize,
    /// Whether it made up its mind since it takes no more texts.
    is_full: bool,
}

impl Miner {
    /// A miner that knows what others have learned.
    pub fn with(dictionary: &Dictionary) -> Miner {
        let mut miner = Miner::default();
        miner.know(dictionary);
        miner
    }

    /// Takes in what others have learned.
    pub fn know(&mut self, dictionary: &Dictionary) {
        let stands_for = |id: &TemplateId| Some(dictionary.resolve(*id)).filter(|into| into != id);
        for (id, entry) in dictionary.entries() {
            if entry.folded {
                let index = self.texts.add_folded(&text::marked(&entry.text));
                self.texts.publish(index);
            } else if stands_for(id).is_none() {
                let index = self.texts.add(&text::marked(&entry.text), entry.learned);
                self.texts.publish(index);
            }
        }
        for (id, entry) in dictionary.entries() {
            let general = stands_for(id).and_then(|into| dictionary.entries().get(&into));
            if let Some(general) = general {
                let into = self.texts.add(&text::marked(&general.text), general.learned);
                let index = self.texts.add_merged(&text::marked(&entry.text), into);
                self.texts.publish(index);
            }
        }
    }

    /// Takes in a message.
    #[inline]
    pub fn assign(&mut self, message: &[u8]) -> Assigned {
        let Self { scanner, texts, folded, is_full, .. } = self;
        let text = scanner.skeleton(message);
        match texts.find(text) {
            Some(index) => Assigned(index),
            None => Assigned(assign_new(texts, folded, is_full, text)),
        }
    }

    /// Takes in messages whose texts were found already; each with its row.
    pub fn assign_all(&mut self, skeletons: &Skeletons) -> Vec<(u32, Assigned)> {
        let Self { texts, folded, is_full, .. } = self;
        let known = |text: &[u8]| match texts.find(text) {
            Some(index) => index,
            None => assign_new(texts, folded, is_full, text),
        };
        let indexes: Vec<Index> = skeletons.texts().map(known).collect();
        let of_row = |(row, text): &(u32, u32)| Some((*row, Assigned(*indexes.get(*text as usize)?)));
        skeletons.rows().iter().filter_map(of_row).collect()
    }

    /// Makes up its mind after a batch.
    pub fn settle(&mut self) {
        if self.settled_at != self.texts.len() {
            self.texts.settle();
            self.settled_at = self.texts.len();
        }
    }

    /// The id of the template that a message has now. From here on the dictionary has it.
    pub fn id(&mut self, assigned: Assigned) -> TemplateId {
        let index = self.texts.resolve(assigned.0);
        self.texts.publish(index);
        TemplateId::of(&text::readable(self.texts.text(index)))
    }

    /// The text of the template that a message has now.
    pub fn template(&self, assigned: Assigned) -> String {
        text::readable(self.texts.text(self.texts.resolve(assigned.0)))
    }

    /// What stands for a template in tables of the caller: the same for all messages of one template.
    pub fn resolved(&self, assigned: Assigned) -> Assigned {
        Assigned(self.texts.resolve(assigned.0))
    }

    /// How many different texts there were: a bound for what [`Miner::resolved`] gives.
    pub fn texts(&self) -> usize {
        self.texts.len()
    }

    /// The templates whose ids were asked for, here or by who made the dictionary that this began with, and what
    /// became of them.
    pub fn dictionary(&self) -> Dictionary {
        let mut dictionary = Dictionary::default();
        let entry = |index: Index, learned: u64, merged_into: Option<TemplateId>| Entry {
            text: text::readable(self.texts.text(index)),
            merged_into,
            learned,
            first_seen_us: None,
            folded: self.texts.is_folded(index),
        };
        for (index, learned) in self.texts.published() {
            let into = self.texts.resolve(index);
            if into == index {
                dictionary.insert(entry(index, learned, None));
            } else {
                let into = dictionary.insert(entry(into, self.texts.learned(into), None));
                dictionary.insert(entry(index, 0, Some(into)));
            }
        }
        dictionary
    }

    /// What was folded.
    pub fn folded(&self) -> Folded {
        self.folded
    }
}

impl Assigned {
    /// The position of the text among [`Miner::texts`].
    pub fn position(self) -> usize {
        self.0 as usize
    }
}

fn is_full(texts: &Texts) -> bool {
    texts.len() >= TEXTS_MAX || texts.bytes() >= TEXT_BYTES_MAX
}

#[cold]
fn assign_new(texts: &mut Texts, folded: &mut Folded, was_full: &mut bool, text: &[u8]) -> Index {
    let room = !is_full(texts);
    if !room && !*was_full {
        *was_full = true;
        texts.settle();
    }
    if room && texts.merged() < MERGED_MAX {
        return texts.add(text, 0);
    }
    if let Some(known) = texts.template_of(text) {
        return known;
    }
    if room {
        return texts.add(text, 0);
    }
    folded.messages = folded.messages.saturating_add(1);
    let coarse = first_words(text);
    if let Some(index) = texts.find(&coarse) {
        return index;
    }
    let coarse = if folded.templates < FOLDED_MAX { coarse } else { vec![MARK] };
    let before = texts.len();
    let index = texts.add_folded(&coarse);
    folded.templates = folded.templates.saturating_add(usize::from(texts.len() > before));
    index
}

/// The first two words of a text, and a mark for the rest.
fn first_words(text: &[u8]) -> Vec<u8> {
    let mut spaces = text.iter().zip(0..).filter(|(byte, _)| **byte == b' ').map(|(_, at)| at);
    let end = spaces.nth(1).filter(|end| *end <= FOLDED_BYTES_MAX).unwrap_or(0);
    let mut coarse = text.get(..end).unwrap_or_default().to_vec();
    if !coarse.is_empty() {
        coarse.push(b' ');
    }
    coarse.push(MARK);
    coarse
}
