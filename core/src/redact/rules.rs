//! Settings made ready to be applied.

use super::keys::{Name, Words};
use super::settings::{Action, Pattern, RedactSettings};
use crate::error::{Error, ErrorKind, Result};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;

/// The smallest limit for the length of a value: what says that it was cut has to fit.
const VALUE_BYTES_MIN: usize = 64;

/// What is redacted, and how. A rule is known by its position: names of keys first, then patterns.
#[derive(Debug)]
pub struct Rules {
    enabled: bool,
    names: Vec<Name>,
    labels: Vec<String>,
    actions: Vec<Action>,
    patterns: Vec<Pattern>,
    value_bytes_max: usize,
    hasher: Option<Hmac<Sha256>>,
}

impl Rules {
    /// The rules of these settings. `hash_key` makes equal secrets equal hashes; it is kept by the store.
    pub fn new(settings: &RedactSettings, hash_key: Option<[u8; 32]>) -> Result<Rules> {
        let invalid = |message: String| Error::new(ErrorKind::Invalid, message);
        let limit = settings.max_value_bytes;
        if limit > 0 && limit < VALUE_BYTES_MIN {
            let message = format!("`max_value_bytes` of `[redact]` is `{limit}`");
            return Err(invalid(message).with_hint("give at least 64, or 0 for no limit"));
        }
        if hash_key.is_none() && Rules::needs_key(settings) {
            return Err(invalid("the action `hash` of `[redact]` needs a key".to_string()));
        }
        let mut actions_by_name: BTreeMap<&str, Action> =
            settings.keys.iter().map(|name| (name.as_str(), settings.action)).collect();
        actions_by_name.extend(settings.key_actions.iter().map(|(name, action)| (name.as_str(), *action)));
        let mut names: Vec<(Name, &str, Action)> = Vec::new();
        let mut words = Words::default();
        for (name, action) in actions_by_name {
            words.read(name.as_bytes());
            let Some(read) = Name::new(&words) else {
                return Err(invalid(format!("`{name}` in `[redact]` is no name of a key"))
                    .with_hint("a name has letters or digits"));
            };
            names.push((read, name, action));
        }
        // The longest name that matches is the one that says most.
        names.sort_by_key(|(name, _, _)| std::cmp::Reverse(name.len()));
        let labels = names.iter().map(|(_, name, _)| format!("key {name}"));
        let labels = labels.chain(Pattern::ALL.map(|pattern| pattern.label().to_string())).collect();
        let actions = names.iter().map(|(_, _, action)| *action);
        let actions = actions.chain(Pattern::ALL.map(|_| settings.action)).collect();
        Ok(Rules {
            enabled: settings.enabled,
            names: names.into_iter().map(|(name, _, _)| name).collect(),
            labels,
            actions,
            patterns: settings.patterns.clone(),
            value_bytes_max: limit,
            hasher: hash_key.and_then(|key| Hmac::new_from_slice(&key).ok()),
        })
    }

    /// Whether settings need a key for hashes.
    pub fn needs_key(settings: &RedactSettings) -> bool {
        let mut actions = settings.key_actions.values().chain([&settings.action]);
        settings.enabled && actions.any(|action| *action == Action::Hash)
    }

    /// Whether the values of a key are secrets. `key` has no escapes.
    pub fn is_sensitive_key(&self, key: &[u8]) -> bool {
        let mut words = Words::default();
        words.read(key);
        self.rule_of_key(&words).is_some()
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(super) fn has(&self, pattern: Pattern) -> bool {
        self.enabled && self.patterns.contains(&pattern)
    }

    pub(super) fn value_bytes_max(&self) -> usize {
        match self.value_bytes_max {
            0 => usize::MAX,
            limit => limit,
        }
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }

    /// The rule for the values of a key.
    pub(super) fn rule_of_key(&self, words: &Words) -> Option<usize> {
        if !self.enabled {
            return None;
        }
        self.names.iter().position(|name| name.matches(words))
    }

    /// The rule of a pattern.
    pub(super) fn rule_of_pattern(&self, pattern: Pattern) -> usize {
        let place = Pattern::ALL.iter().position(|other| *other == pattern).unwrap_or_default();
        self.names.len().saturating_add(place)
    }

    pub(super) fn action(&self, rule: usize) -> Action {
        self.actions.get(rule).copied().unwrap_or(Action::Mask)
    }

    /// Appends what stands in a secret's place.
    pub(super) fn replace_into(&self, rule: usize, action: Action, secret: &[u8], out: &mut Vec<u8>) {
        match (action, &self.hasher) {
            (Action::Drop, _) => {}
            (Action::Hash, Some(hasher)) => {
                let mut hasher = hasher.clone();
                if rule == self.rule_of_pattern(Pattern::Card) {
                    // The same card is the same, however it is grouped.
                    let digits: Vec<u8> = secret.iter().copied().filter(u8::is_ascii_digit).collect();
                    hasher.update(&digits);
                } else {
                    hasher.update(secret);
                }
                let hash = hasher.finalize().into_bytes();
                let hash = hash.first_chunk::<8>().copied().unwrap_or_default();
                out.extend_from_slice(format!("[hmac {:016x}]", u64::from_be_bytes(hash)).as_bytes());
            }
            _ if rule < self.names.len() => out.extend_from_slice(b"[redacted]"),
            _ => {
                let label = self.labels.get(rule).map(String::as_str).unwrap_or_default();
                out.extend_from_slice(format!("[redacted {label}]").as_bytes());
            }
        }
    }
}

/// Whether a value is what stands in a redacted one's place.
pub(super) fn is_redacted(value: &[u8]) -> bool {
    let hash = value.strip_prefix(b"[hmac ").and_then(|rest| rest.strip_suffix(b"]"));
    value == b"[redacted]"
        || hash.is_some_and(|hash| hash.len() == 16 && hash.iter().all(u8::is_ascii_hexdigit))
}
