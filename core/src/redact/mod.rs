//! Takes secrets out of records before anything touches the disk: by the names of their keys, and by what they
//! look like. It only computes; a caller asks [`Redactor::is_suspect`] first, which costs next to nothing.

mod cards;
mod keys;
mod patterns;
mod raw;
mod record;
mod rules;
mod settings;
mod suspect;
#[cfg(test)]
mod tests;
mod text;

pub use rules::Rules;
pub use settings::{Action, Pattern, RedactSettings};

use crate::event::json::Tape;
use keys::Words;
use patterns::Found;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often a text is gone through again, where what was put in changed what stands beside it.
const PASSES_MAX: usize = 4;

/// What was redacted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// How many values of each rule: `key password` and the like for names of keys, `card`, `bearer`,
    /// `private key`, `email` and `ip` for patterns.
    pub by_rule: BTreeMap<String, u64>,
    /// How many values were cut because they are too long.
    pub cut: u64,
}

impl Counts {
    /// Adds what was redacted elsewhere.
    pub fn add(&mut self, other: &Counts) {
        for (rule, count) in &other.by_rule {
            let sum = self.by_rule.entry(rule.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
        self.cut = self.cut.saturating_add(other.cut);
    }

    /// Whether nothing was redacted.
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// How many values were replaced, removed or cut.
    pub fn total(&self) -> u64 {
        self.by_rule.values().fold(self.cut, |sum, count| sum.saturating_add(*count))
    }
}

/// Redacts records, one after the other, and counts what it redacts.
#[derive(Debug)]
pub struct Redactor {
    rules: Arc<Rules>,
    tally: Tally,
    found: Vec<Found>,
    words: Words,
    key: Vec<u8>,
    inner: Tape,
}

/// The counts, by the rule's position.
#[derive(Debug, Default)]
struct Tally {
    by_rule: Vec<u64>,
    cut: u64,
}

impl Tally {
    fn note(&mut self, rule: usize) {
        if self.by_rule.len() <= rule {
            self.by_rule.resize(rule.saturating_add(1), 0);
        }
        if let Some(count) = self.by_rule.get_mut(rule) {
            *count = count.saturating_add(1);
        }
    }
}

impl Redactor {
    /// One that has found nothing yet.
    pub fn new(rules: Arc<Rules>) -> Redactor {
        Redactor {
            rules,
            tally: Tally::default(),
            found: Vec::new(),
            words: Words::default(),
            key: Vec::new(),
            inner: Tape::default(),
        }
    }

    /// Whether JSON text may hold what [`Redactor::record`] redacts other than by its own keys: a pattern, JSON
    /// in a string, a value that is too long. It may be wrong with a yes. With a no it is wrong only about
    /// JSON in a string whose every colon stands after a tab, a line break or more than one space.
    pub fn is_suspect(&mut self, text: &[u8]) -> bool {
        suspect::is_suspect(text, &self.rules)
    }

    /// The record with its secrets replaced; none where it has none. `tape` is `text` parsed.
    ///
    /// - The value of a sensitive key is redacted as a whole, at any depth. Null, booleans, and empty strings,
    ///   objects and arrays stay.
    /// - Patterns are redacted in all other strings; cards only where the key does not name an id or a time.
    /// - A string that is JSON itself is redacted inside, one level deep.
    /// - A string that is longer than the limit is cut, and ends with `…[cut, N bytes]`, the length that it had.
    ///
    /// All else stays as it is written, and redacting the result again changes nothing.
    pub fn record(&mut self, text: &[u8], tape: &Tape) -> Option<Vec<u8>> {
        let rules = self.rules.clone();
        rules.is_enabled().then(|| self.rewrite(&rules, text, tape, true)).flatten()
    }

    /// Text that is no JSON, such as a line that could not be read, with its secrets replaced; none where it has
    /// none. The text need not be UTF-8.
    ///
    /// Patterns count everywhere, and so does a sensitive key before `=` or `:`. Its value goes up to the closing
    /// quote; without quotes, up to white space, `,`, `;`, `&`, `}` or `]`, and after `Authorization` and
    /// `Cookie:` up to the end of the line.
    pub fn raw(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let rules = self.rules.clone();
        if !rules.is_enabled() {
            return None;
        }
        let mut changed: Option<Vec<u8>> = None;
        for pass in 0..PASSES_MAX {
            let current = changed.as_deref().unwrap_or(text);
            let keyed = raw::redact_keys(current, &rules, &mut self.words, &mut self.tally, pass > 0);
            let current = keyed.as_deref().unwrap_or(current);
            let next = text::redact_once(current, &rules, &mut self.found, &mut self.tally, false, pass > 0);
            match next.or(keyed) {
                Some(next) => changed = Some(next),
                None => break,
            }
        }
        changed
    }

    /// What was redacted since the last call.
    pub fn take_counts(&mut self) -> Counts {
        let tally = std::mem::take(&mut self.tally);
        let counts = self.rules.labels().zip(tally.by_rule).filter(|(_, count)| *count > 0);
        Counts { by_rule: counts.map(|(label, count)| (label.to_string(), count)).collect(), cut: tally.cut }
    }
}
