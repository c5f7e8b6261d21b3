//! Words that are the same but for their digits: `node1`, `node2` and `node3` are of things that are numbered.

use super::class::{DIGIT, WORD, of};
use super::scan::MARK;
use super::text;

/// So many words that are the same but for their digits are a parameter.
pub const STEMS_MIN: usize = 3;
/// How many words have to remain.
const WORDS_LEFT_MIN: usize = 2;

/// The text with a mark for each word that has a digit, if there is one, and enough remains.
pub fn marked(text: &[u8]) -> Option<Vec<u8>> {
    if !text.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut words = 0_usize;
    let mut is_new = false;
    for range in text::pieces(text) {
        let piece = text.get(range.clone()).unwrap_or_default();
        let is_key = text.get(range.end) == Some(&b'=');
        if piece == [MARK] {
            push_mark(&mut out);
        } else if !is_key && has_digit(piece) {
            push_mark(&mut out);
            is_new = true;
        } else {
            words = words.saturating_add(usize::from(text::is_wordy(piece)));
            out.extend_from_slice(piece);
        }
    }
    (is_new && words >= WORDS_LEFT_MIN).then_some(out)
}

/// Values that only colons part are one, as they are where each is a value by its look.
fn push_mark(out: &mut Vec<u8>) {
    let colons = out.iter().rev().take_while(|byte| **byte == b':').count();
    let end = out.len().saturating_sub(colons);
    if colons > 0 && end > 0 && out.get(end.saturating_sub(1)) == Some(&MARK) {
        out.truncate(end);
    } else {
        out.push(MARK);
    }
}

fn has_digit(piece: &[u8]) -> bool {
    piece.first().is_some_and(|byte| of(*byte) & WORD != 0) && piece.iter().any(u8::is_ascii_digit)
}

/// A word without its digits, if it has letters and digits.
pub fn stem(word: &[u8]) -> Option<Vec<u8>> {
    let stem: Vec<u8> = word.iter().filter(|byte| of(**byte) & DIGIT == 0).copied().collect();
    (stem.len() < word.len() && text::is_wordy(&stem)).then_some(stem)
}
