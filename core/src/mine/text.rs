//! The text of a template as the miner keeps it, with a mark for each parameter: its pieces, and which of them may
//! turn out to be parameters.

use super::class::{CONTROL, WORD, of};
use super::scan::MARK;
use std::ops::Range;

/// What stands for a parameter in the text of a template that people read.
pub const PARAMETER: &str = "<*>";

/// How many pieces of a text can become parameters; those after them stay what they are.
const HOLES_MAX: usize = 24;

/// A piece of a text that is a parameter or may become one.
#[derive(Clone, Debug)]
pub struct Hole {
    /// Where it is.
    pub range: Range<usize>,
    /// How many marks are before it.
    pub marks: u32,
    /// Whether the words before it say that a name comes.
    pub named: bool,
    /// Whether it is the first word of the text.
    pub first: bool,
    /// Whether it stands alone in brackets or quotes.
    pub enclosed: bool,
    /// How many words stay when this one goes.
    pub words: usize,
}

/// The pieces of a text: a mark, a run of what words consist of, or one other byte.
pub fn pieces(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let length = word_length(rest).max(1);
        let range = at..at.saturating_add(length);
        at = range.end;
        Some(range)
    })
}

/// The places of a text where a value may be. A name before `=` is a key and never a value.
pub fn holes(text: &[u8]) -> Vec<Hole> {
    let mut holes: Vec<Hole> = Vec::new();
    let mut words = 0_usize;
    let mut marks = 0_u32;
    let mut seen_word = false;
    let mut previous: &[u8] = &[];
    for range in pieces(text) {
        let piece = text.get(range.clone()).unwrap_or_default();
        let marked = piece == [MARK];
        if !marked && !piece.first().is_some_and(|byte| is_word(*byte)) {
            continue;
        }
        let is_key = text.get(range.end) == Some(&b'=');
        let enclosed = is_enclosed(text, &range);
        if !is_key && holes.len() < HOLES_MAX {
            let space = range.start.checked_sub(1).and_then(|before| text.get(before)) == Some(&b' ');
            let named = space && names_follow(previous);
            let (first, words) = (!seen_word && !enclosed, usize::from(is_wordy(piece)));
            holes.push(Hole { range: range.clone(), marks, named, first, enclosed, words });
        }
        words = words.saturating_add(usize::from(is_wordy(piece)));
        marks = marks.saturating_add(u32::from(marked));
        seen_word |= !marked && !enclosed;
        previous = piece;
    }
    for hole in &mut holes {
        hole.words = words.saturating_sub(hole.words);
    }
    holes
}

/// Whether a word stands alone in brackets or quotes, and so is no verb.
fn is_enclosed(text: &[u8], range: &Range<usize>) -> bool {
    let before = range.start.checked_sub(1).and_then(|before| text.get(before));
    let pair = before.zip(text.get(range.end)).map(|(before, after)| [*before, *after]);
    matches!(
        pair,
        Some([b'(', b')'] | [b'[', b']'] | [b'{', b'}'] | [b'<', b'>'] | [b'"', b'"'] | [b'\'', b'\''])
    )
}

fn is_word(byte: u8) -> bool {
    of(byte) & WORD & !CONTROL != 0
}

fn word_length(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_word(**byte)).count()
}

/// Whether it has two letters, as words have that say something.
pub fn is_wordy(piece: &[u8]) -> bool {
    piece.iter().filter(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii()).take(2).count() == 2
}

/// Whether a name comes after this word.
fn names_follow(word: &[u8]) -> bool {
    const NOUNS: [&[u8]; 6] = [b"user", b"username", b"host", b"hostname", b"account", b"login"];
    NOUNS.iter().any(|noun| word.eq_ignore_ascii_case(noun))
}

/// Whether a word looks like the name of a thing and not like a word of a sentence: it has dots, underscores,
/// hyphens, digits, or capitals inside.
pub fn is_name(word: &[u8]) -> bool {
    let inside = word.strip_suffix(b".").unwrap_or(word);
    let odd = inside.iter().any(|byte| !byte.is_ascii_alphabetic() && byte.is_ascii());
    let capitals = || {
        inside.windows(2).any(|two| matches!(two, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
    };
    is_wordy(inside) && (odd || capitals())
}

/// The text as people read it.
pub fn readable(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len().saturating_add(8));
    for byte in text {
        if *byte == MARK {
            out.extend_from_slice(PARAMETER.as_bytes());
        } else {
            out.push(*byte);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The text with marks, from the one that people read.
pub fn marked(text: &str) -> Vec<u8> {
    text.replace(PARAMETER, "\u{1}").into_bytes()
}
