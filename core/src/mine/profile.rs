//! What stands in the parameters of a template: of what kind, how many different values, which are the most frequent.

use super::hash;
use super::parameters::{ParameterKind, parameters};
use super::text::PARAMETER;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// So many messages of a template are looked at.
const MESSAGES_MAX: u64 = 20_000;
/// So many values of a parameter are named.
const VALUES_SHOWN: usize = 5;
/// So much of a value is shown.
const VALUE_CHARS_MAX: usize = 120;

/// Collects the values of a template's parameters, message by message.
#[derive(Debug)]
pub struct Profile {
    template: String,
    places: Vec<Place>,
    messages: u64,
}

/// What was seen of one parameter.
#[derive(Debug, Default)]
struct Place {
    after: Option<String>,
    /// By the hash of a value, how often it was seen, and its beginning.
    values: HashMap<u64, (u64, String)>,
    kinds: BTreeMap<ParameterKind, u64>,
    /// The values as numbers, as long as all are.
    numbers: Option<Vec<f64>>,
}

/// What stands in a parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParameterProfile {
    /// The word before it in the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What most of its values are: `number`, `ip`, `uuid`, `path`, `hex` or `word`.
    pub kind: &'static str,
    /// The share of its values that are of this kind.
    pub kind_share: f64,
    /// How many different values it has; an estimate unless it is `exact`.
    pub distinct: u64,
    /// Whether all messages were looked at.
    pub exact: bool,
    /// The values that most of the messages have.
    pub top: Vec<ValueCount>,
    /// The least, the middle and the greatest value, if all are plain numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 3]>,
}

/// A value, and how many of the messages have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueCount {
    /// The value; only its beginning if it is long.
    pub value: String,
    /// How many of the messages that were looked at.
    pub count: u64,
    /// Their share of those.
    pub share: f64,
}

impl Profile {
    /// Of the template with this text.
    pub fn of(template: &str) -> Profile {
        let mut segments: Vec<&str> = template.split(PARAMETER).collect();
        segments.pop();
        let place =
            |before: &str| Place { after: last_word(before), numbers: Some(Vec::new()), ..Place::default() };
        let places = segments.into_iter().map(place).collect();
        Profile { template: template.to_string(), places, messages: 0 }
    }

    /// Takes in a message. One that is not of the template says nothing.
    pub fn add(&mut self, message: &str) {
        if self.messages >= MESSAGES_MAX {
            return;
        }
        let Some(values) = parameters(&self.template, message) else { return };
        self.messages = self.messages.saturating_add(1);
        for (place, value) in self.places.iter_mut().zip(values) {
            place.add(value);
        }
    }

    /// How many messages it knows.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// What stands in each parameter, if the template has so many messages in all.
    pub fn finish(self, all: u64) -> Vec<ParameterProfile> {
        let messages = self.messages;
        let known = self.places.into_iter().filter(|place| !place.values.is_empty());
        known.map(|place| place.finish(messages, all)).collect()
    }
}

/// The last word of a text, without the punctuation around it.
fn last_word(text: &str) -> Option<String> {
    let is_odd = |char: char| !char.is_alphanumeric();
    let word = text.trim_end_matches(is_odd).split_whitespace().next_back()?.trim_start_matches(is_odd);
    (!word.is_empty()).then(|| word.to_string())
}

impl Place {
    fn add(&mut self, value: &str) {
        let (count, _) =
            self.values.entry(hash::of(value.as_bytes())).or_insert_with(|| (0, beginning(value)));
        *count = count.saturating_add(1);
        let kind = self.kinds.entry(ParameterKind::of(value)).or_default();
        *kind = kind.saturating_add(1);
        let number = value.parse().ok().filter(|number: &f64| number.is_finite());
        match (&mut self.numbers, number) {
            (Some(numbers), Some(number)) => numbers.push(number),
            (numbers, _) => *numbers = None,
        }
    }

    fn finish(self, messages: u64, all: u64) -> ParameterProfile {
        let seen = messages.max(1) as f64;
        let (kind, of_kind) = self
            .kinds
            .into_iter()
            .max_by_key(|(kind, count)| (*count, std::cmp::Reverse(*kind)))
            .unwrap_or((ParameterKind::Word, 0));
        let once = self.values.values().filter(|(count, _)| *count == 1).count() as f64;
        let exact = messages >= all;
        let distinct = distinct(self.values.len() as f64, once, seen, all.max(messages) as f64);
        let mut top: Vec<(u64, String)> = self.values.into_values().collect();
        top.sort_unstable_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        let top = top.into_iter().take(VALUES_SHOWN);
        let top = top.map(|(count, value)| ValueCount { value, count, share: count as f64 / seen }).collect();
        let range = self.numbers.and_then(range);
        ParameterProfile {
            after: self.after,
            kind: kind.name(),
            kind_share: of_kind as f64 / seen,
            distinct,
            exact,
            top,
            range,
        }
    }
}

/// How many different values there are in all, from those of a sample: Haas and Stokes' estimate, which goes by how many
/// values were seen once.
fn distinct(seen: f64, once: f64, sample: f64, all: f64) -> u64 {
    let estimate = sample * seen / (sample - once + once * sample / all).max(1e-9);
    estimate.clamp(seen, all.max(seen)).round() as u64
}

fn beginning(value: &str) -> String {
    let mut chars = value.chars();
    let mut text: String = chars.by_ref().take(VALUE_CHARS_MAX).collect();
    if chars.next().is_some() {
        text.push('…');
    }
    text
}

fn range(mut numbers: Vec<f64>) -> Option<[f64; 3]> {
    numbers.sort_unstable_by(f64::total_cmp);
    let middle = numbers.get(numbers.len() / 2)?;
    Some([*numbers.first()?, *middle, *numbers.last()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(
        template: &str,
        messages: impl IntoIterator<Item = String>,
        all: u64,
    ) -> Vec<ParameterProfile> {
        let mut profile = Profile::of(template);
        messages.into_iter().for_each(|message| profile.add(&message));
        profile.finish(all)
    }

    #[test]
    fn parameters_have_kinds_counts_and_the_words_before_them() {
        let messages = (0..100).map(|at| {
            let user = if at % 4 == 0 { "anna" } else { "ben" };
            format!("login of {user} from 10.0.0.{at} took {at} ms, path=/srv/{}", at % 10)
        });
        let found = profile("login of <*> from <*> took <*> ms, path=<*>", messages, 100);
        let told: Vec<(&str, &str, u64, bool)> = found
            .iter()
            .map(|one| (one.after.as_deref().unwrap_or_default(), one.kind, one.distinct, one.exact))
            .collect();
        assert_eq!(
            told,
            [
                ("of", "word", 2, true),
                ("from", "ip", 100, true),
                ("took", "number", 100, true),
                ("path", "path", 10, true)
            ]
        );
        let top = &found[0].top;
        assert_eq!((top[0].value.as_str(), top[0].count, top[0].share), ("ben", 75, 0.75));
        assert_eq!((found[2].range, found[1].range), (Some([0.0, 50.0, 99.0]), None));
        assert_eq!(found[3].top.len(), VALUES_SHOWN);
    }

    #[test]
    fn a_kind_that_is_not_of_all_says_of_how_many() {
        let messages = (0..10).map(|at| if at < 7 { format!("id {at}") } else { "id none".to_string() });
        let found = profile("id <*>", messages, 10);
        assert_eq!((found[0].kind, found[0].kind_share, found[0].range), ("number", 0.7, None));
    }

    #[test]
    fn distinct_values_are_estimated_from_a_sample() {
        let mut state = 7_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        for true_count in [3, 100, 2_000, 40_000] {
            let messages: Vec<String> = (0..5_000).map(|_| format!("a {}", random() % true_count)).collect();
            let found = profile("a <*>", messages, 1_000_000);
            let ratio = found[0].distinct as f64 / true_count as f64;
            assert!(!found[0].exact && (0.6..1.7).contains(&ratio), "{true_count}: {}", found[0].distinct);
        }
        // All of them differ.
        let found = profile("a <*>", (0..500).map(|at| format!("a {at}")), 1_000_000);
        assert_eq!(found[0].distinct, 1_000_000);
    }

    #[test]
    fn objects_and_odd_messages_are_read_too() {
        let messages =
            [r#"{"a":5,"b":[1,2],"c":{"d":"x"}}"#, r#"{ "a": 6, "b": [], "c": {"d": "x"} }"#, "no", "{}"];
        let found = profile(r#"{"a": <*>, "b": [<*>], "c": {"d": <*>}}"#, messages.map(String::from), 2);
        let told: Vec<(&str, &str, u64)> = found
            .iter()
            .map(|one| (one.after.as_deref().unwrap_or_default(), one.top[0].value.as_str(), one.distinct))
            .collect();
        assert_eq!(told, [("a", "5", 2), ("b", "", 2), ("d", "x", 1)]);
        assert_eq!(profile("a <*>", Vec::new(), 5), []);
        assert_eq!(profile("a", vec!["a".to_string()], 1), []);
        let long = profile("a <*>", vec![format!("a {}", "ü".repeat(1_000))], 1);
        assert_eq!(long[0].top[0].value.chars().count(), VALUE_CHARS_MAX + 1);
    }
}
