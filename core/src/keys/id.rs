//! The names of keys.

use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;

/// Tells a key from others, and says nothing about it: the first 8 bytes of a hash of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; KeyId::BYTES]);

impl KeyId {
    /// The bytes of an id.
    pub const BYTES: usize = 8;

    /// The id of a key.
    pub(super) fn of(key: &[u8]) -> KeyId {
        let hash = digest(&SHA256, &[b"daybook key id\n", key].concat());
        let mut id = [0; KeyId::BYTES];
        id.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
        KeyId(id)
    }

    /// The id that was written as these bytes.
    pub fn from_bytes(bytes: [u8; KeyId::BYTES]) -> KeyId {
        KeyId(bytes)
    }

    /// The id as bytes.
    pub fn bytes(self) -> [u8; KeyId::BYTES] {
        self.0
    }

    /// An id from its text: 16 hexadecimal digits.
    pub fn parse(text: &str) -> Option<KeyId> {
        let mut id = [0; KeyId::BYTES];
        if text.len() != 2 * KeyId::BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (to, digits) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *to = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(KeyId(id))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A name of a key that is not of ours, fit to be shown.
pub(super) fn printable(text: &str) -> String {
    text.chars().take(32).map(|letter| if letter.is_ascii_graphic() { letter } else { '?' }).collect()
}
