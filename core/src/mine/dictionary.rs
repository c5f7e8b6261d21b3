//! The dictionary of templates: what a store keeps of what was learned, and hands from writer to writer.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// The version of the dictionary's form.
const VERSION: u32 = 1;

/// The id of a template: it follows from its text, so that whoever finds the template gives it the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId(u64);

impl TemplateId {
    /// The id of a template with this text.
    pub fn of(text: &str) -> TemplateId {
        let digest = Sha256::digest(text.as_bytes());
        TemplateId(digest.iter().take(8).fold(0, |id, byte| (id << 8) | u64::from(*byte)))
    }

    /// The id that a text of sixteen hexadecimal digits says.
    pub fn parse(text: &str) -> Option<TemplateId> {
        let digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digits { u64::from_str_radix(text, 16).ok().map(TemplateId) } else { None }
    }
}

impl fmt::Display for TemplateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a dictionary has of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The text, with `<*>` for each parameter.
    pub text: String,
    /// The more general template that it is part of now.
    pub merged_into: Option<TemplateId>,
    /// Which of its parameters were words once, by their position, as bits.
    pub learned: u64,
    /// When the first of its messages happened, in microseconds since 1970, if that is known.
    pub first_seen_us: Option<i64>,
    /// Whether it is of the first words of messages of which there were too many different ones to learn from.
    pub folded: bool,
}

/// Templates by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dictionary {
    entries: BTreeMap<TemplateId, Entry>,
}

/// Why a text is no dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DictionaryError {
    /// It is not JSON of the form that dictionaries have.
    Malformed(String),
    /// It is of a version that this program does not know.
    Version(u32),
    /// The id of a template is not the one that its text has.
    Id(String),
}

impl fmt::Display for DictionaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DictionaryError::Malformed(reason) => write!(f, "not a dictionary of templates: {reason}"),
            DictionaryError::Version(version) => {
                write!(f, "a dictionary of templates of version {version}, this program knows {VERSION}")
            }
            DictionaryError::Id(id) => {
                write!(f, "the template `{id}` does not have the text that its id says")
            }
        }
    }
}

impl std::error::Error for DictionaryError {}

#[derive(Serialize, Deserialize)]
struct FileOut {
    version: u32,
    templates: Vec<EntryOut>,
}

#[derive(Serialize, Deserialize)]
struct EntryOut {
    id: String,
    template: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merged_into: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    learned: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_seen_us: Option<i64>,
    #[serde(default, skip_serializing_if = "is_false")]
    folded: bool,
}

fn is_false(truth: &bool) -> bool {
    !truth
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

impl Dictionary {
    /// The templates, by their ids.
    pub fn entries(&self) -> &BTreeMap<TemplateId, Entry> {
        &self.entries
    }

    /// Adds a template. What is known of it already stays, and both are true.
    pub fn insert(&mut self, entry: Entry) -> TemplateId {
        let id = TemplateId::of(&entry.text);
        let merged_into = entry.merged_into.filter(|into| *into != id);
        let new =
            Entry { text: entry.text, merged_into: None, learned: 0, first_seen_us: None, folded: false };
        let known = self.entries.entry(id).or_insert(new);
        known.first_seen_us = known.first_seen_us.into_iter().chain(entry.first_seen_us).min();
        known.learned |= entry.learned;
        known.folded |= entry.folded;
        // Where two writers disagree, all go by the same one.
        known.merged_into = match (known.merged_into, merged_into) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        id
    }

    /// Notes that a message of a template happened at a time, in microseconds since 1970.
    pub fn seen(&mut self, id: TemplateId, at_us: i64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.first_seen_us = Some(entry.first_seen_us.map_or(at_us, |first| first.min(at_us)));
        }
    }

    /// Adds what another writer knows. The order of additions makes no difference.
    pub fn merge(&mut self, other: &Dictionary) {
        for entry in other.entries.values() {
            self.insert(entry.clone());
        }
    }

    /// What is here and not in another dictionary, or not in the same way.
    pub fn without(&self, other: &Dictionary) -> Dictionary {
        let new = self.entries.iter().filter(|(id, entry)| other.entries.get(id) != Some(entry));
        Dictionary { entries: new.map(|(id, entry)| (*id, entry.clone())).collect() }
    }

    /// The template that stands for an id now. An id of which nothing is known stands for itself.
    pub fn resolve(&self, id: TemplateId) -> TemplateId {
        let mut at = id;
        // A general template says less than its parts, which ends every chain; a file may say otherwise.
        for _ in 0..64 {
            match self.entries.get(&at).and_then(|entry| entry.merged_into) {
                Some(next) if self.entries.contains_key(&next) => at = next,
                _ => break,
            }
        }
        at
    }

    /// The text of the template that stands for an id now.
    pub fn text(&self, id: TemplateId) -> Option<&str> {
        self.entries.get(&self.resolve(id)).map(|entry| entry.text.as_str())
    }

    /// The ids that became part of others, each with the one that stands for it now.
    pub fn merged(&self) -> impl Iterator<Item = (TemplateId, TemplateId)> + '_ {
        self.entries.keys().map(|id| (*id, self.resolve(*id))).filter(|(id, now)| id != now)
    }

    /// All ids of the template that an id is of: messages of any of them are of one template.
    pub fn alike(&self, id: TemplateId) -> Vec<TemplateId> {
        let now = self.resolve(id);
        let others = self.merged().filter(|(_, into)| *into == now).map(|(old, _)| old);
        let mut alike: Vec<TemplateId> = others.chain([now, id]).collect();
        alike.sort_unstable();
        alike.dedup();
        alike
    }

    /// The dictionary as JSON, the same bytes for the same templates.
    pub fn to_json(&self) -> String {
        let templates = self.entries.iter().map(|(id, entry)| EntryOut {
            id: id.to_string(),
            template: entry.text.clone(),
            merged_into: entry.merged_into.map(|id| id.to_string()),
            learned: entry.learned,
            first_seen_us: entry.first_seen_us,
            folded: entry.folded,
        });
        let file = FileOut { version: VERSION, templates: templates.collect() };
        serde_json::to_string(&file).unwrap_or_default()
    }

    /// Reads what [`Dictionary::to_json`] wrote.
    pub fn from_json(json: &str) -> Result<Dictionary, DictionaryError> {
        let malformed = |error: serde_json::Error| DictionaryError::Malformed(error.to_string());
        let version: VersionOnly = serde_json::from_str(json).map_err(malformed)?;
        if version.version != VERSION {
            return Err(DictionaryError::Version(version.version));
        }
        let file: FileOut = serde_json::from_str(json).map_err(malformed)?;
        let mut dictionary = Dictionary::default();
        for entry in file.templates {
            let wrong = || DictionaryError::Id(entry.id.clone());
            let merged_into = match &entry.merged_into {
                Some(into) => Some(TemplateId::parse(into).ok_or_else(wrong)?),
                None => None,
            };
            if TemplateId::parse(&entry.id) != Some(TemplateId::of(&entry.template)) {
                return Err(wrong());
            }
            let EntryOut { template: text, learned, first_seen_us, folded, .. } = entry;
            dictionary.insert(Entry { text, merged_into, learned, first_seen_us, folded });
        }
        Ok(dictionary)
    }
}
