//! The words of keys, and which keys are sensitive or name an id.

/// A key as words in lower case: cut at everything that is no letter or digit, and at capitals.
#[derive(Debug, Default)]
pub(super) struct Words {
    joined: Vec<u8>,
    starts: Vec<usize>,
}

/// A name of sensitive keys: its words, joined.
#[derive(Debug)]
pub(super) struct Name(Vec<u8>);

/// Long numbers in values of keys that end with one of these words are no cards.
const ID_WORDS: [&[u8]; 13] = [
    b"id",
    b"ids",
    b"uuid",
    b"guid",
    b"seq",
    b"trace",
    b"span",
    b"session",
    b"timestamp",
    b"time",
    b"ts",
    b"nano",
    b"nanos",
];

impl Words {
    /// Takes a key apart.
    pub(super) fn read(&mut self, key: &[u8]) {
        self.joined.clear();
        self.starts.clear();
        let mut previous = b'_';
        for (index, byte) in key.iter().enumerate() {
            if is_in_word(*byte) {
                let next = key.get(index.saturating_add(1));
                let capital = byte.is_ascii_uppercase()
                    && (!previous.is_ascii_uppercase() || next.is_some_and(u8::is_ascii_lowercase));
                if capital || !is_in_word(previous) {
                    self.starts.push(self.joined.len());
                }
                self.joined.push(byte.to_ascii_lowercase());
            }
            previous = *byte;
        }
    }

    /// Whether the last word says that values are ids or times.
    pub(super) fn is_id(&self) -> bool {
        let last = self.starts.last().and_then(|start| self.joined.get(*start..)).unwrap_or_default();
        ID_WORDS.contains(&last)
    }

    /// Whether the last word is this one.
    pub(super) fn ends_with(&self, word: &[u8]) -> bool {
        self.starts.last().and_then(|start| self.joined.get(*start..)) == Some(word)
    }
}

impl Name {
    /// A name; none where it has no words.
    pub(super) fn new(words: &Words) -> Option<Name> {
        (!words.joined.is_empty()).then(|| Name(words.joined.clone()))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the key's last words are the name's, joined or apart.
    pub(super) fn matches(&self, key: &Words) -> bool {
        let before = key.joined.strip_suffix(self.0.as_slice()).map(<[u8]>::len);
        before.is_some_and(|before| key.starts.binary_search(&before).is_ok())
    }
}

fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}
