//! Messages of several lines that name what they say: `Process ID: 12`, `HostName=web`. The name is text, the rest of
//! the line is one value, whatever it consists of.

use super::class::{SPACE, of};

/// So many lines must name what they say, and half of all.
const FIELDS_MIN: usize = 3;
/// A longer name, or one of more words, is a sentence.
const NAME_BYTES_MAX: usize = 48;
const NAME_WORDS_MAX: usize = 5;

/// Whether the lines of a message after its first one are names and values.
pub fn has_fields(message: &[u8]) -> bool {
    if memchr::memchr(b'\n', message).is_none() {
        return false;
    }
    let lines = || message.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.trim_ascii().is_empty());
    let fields = lines().filter(|line| name_of(line).is_some()).count();
    fields >= FIELDS_MIN && fields.saturating_mul(2) >= lines().count()
}

/// A line's name, with what parts it from the value, and the value, which is not empty.
pub fn name_of(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii();
    let end = line.iter().take(NAME_BYTES_MAX).position(|byte| matches!(byte, b':' | b'='))?;
    let (name, value) = line.split_at_checked(end.saturating_add(1))?;
    let is_colon = name.last() == Some(&b':');
    let words = line.get(..end)?.trim_ascii_end();
    let is_plain = words
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'_' | b'.' | b'(' | b')'));
    let named = words.first().is_some_and(u8::is_ascii_alphabetic)
        && is_plain
        && words.split(|byte| *byte == b' ').count() <= NAME_WORDS_MAX
        && (!is_colon || value.first().is_none_or(|byte| of(*byte) & SPACE != 0));
    (named && !value.trim_ascii().is_empty()).then_some((name, value))
}
