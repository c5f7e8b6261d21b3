//! From a message to its skeleton: one pass over its bytes, in which every value becomes one mark.

use super::class::{
    BACKSLASH, CONTROL, DIGIT, DOT, HEX, LETTER, OTHER, SLASH, SPACE, UNDERSCORE, WIDE, WORD, of,
};
use super::date;
use super::fields;
use super::json;
use super::shape;
use crate::event::json::Tape;

/// Stands for a value in a skeleton. No text has it, since a piece with a control character is a value.
pub const MARK: u8 = 1;

/// What is looked at of a message; the rest is one value.
pub const BYTES_MAX: usize = 4096;
/// How many pieces of a message can be words; the rest is one value.
const TOKENS_MAX: usize = 256;

/// A longer quoted text is looked at piece by piece.
const QUOTED_BYTES_MAX: usize = 512;

/// No address is longer.
const ADDRESS_BYTES_MAX: usize = 64;

/// Makes skeletons, one after the other, in the same memory.
#[derive(Debug, Default)]
pub struct Scanner {
    out: Vec<u8>,
    space: bool,
    tape: Tape,
}

impl Scanner {
    /// The skeleton of a message: its text with one space for white space, and the mark for each value.
    pub fn skeleton(&mut self, message: &[u8]) -> &[u8] {
        self.out.clear();
        self.space = false;
        if message.first() == Some(&b'{') && json::shape_of(message, &mut self.tape, &mut self.out) {
            return &self.out;
        }
        self.out.clear();
        let (head, cut) = match message.split_at_checked(BYTES_MAX) {
            Some((head, rest)) => (whole_words(head), !rest.is_empty()),
            None => (message, false),
        };
        let whole = if fields::has_fields(head) { self.lines(head) } else { self.words(head, &mut 0) };
        if whole && cut {
            self.space = !self.out.is_empty();
            self.value();
        }
        &self.out
    }

    /// The lines of a message that name what they say. Says whether there were not too many.
    fn lines(&mut self, head: &[u8]) -> bool {
        let mut tokens = 0_usize;
        let mut is_first = true;
        for line in head.split(|byte| *byte == b'\n') {
            let field = fields::name_of(line).filter(|_| !is_first);
            if let Some((name, value)) = field {
                for word in name.split(|byte| of(*byte) & SPACE != 0).filter(|word| !word.is_empty()) {
                    self.text(word);
                    self.space = true;
                }
                self.space = value.first().is_some_and(|byte| of(*byte) & SPACE != 0);
                self.value();
                tokens = tokens.saturating_add(2);
            } else if !self.words(line, &mut tokens) {
                return false;
            }
            is_first &= line.trim_ascii().is_empty();
            self.space = !self.out.is_empty();
        }
        true
    }

    /// The pieces of a text. Says whether there were not too many.
    #[inline]
    fn words(&mut self, text: &[u8], tokens: &mut usize) -> bool {
        let mut rest = text;
        while let Some(byte) = rest.first() {
            let class = of(*byte);
            if class & WORD != 0 {
                rest = self.piece(rest);
            } else if class & SPACE != 0 {
                *tokens = tokens.saturating_add(usize::from(!self.space));
                self.space = !self.out.is_empty();
                if *tokens > TOKENS_MAX {
                    self.value();
                    return false;
                }
                rest = rest.get(1..).unwrap_or_default();
            } else {
                rest = self.punctuation(*byte, rest);
            }
        }
        true
    }

    #[inline]
    fn text(&mut self, text: &[u8]) {
        if self.space {
            self.out.push(b' ');
            self.space = false;
        }
        self.out.extend_from_slice(text);
    }

    /// A value. Values that only a colon parts are one: a time, a host and its port.
    fn value(&mut self) {
        if self.space {
            self.out.push(b' ');
            self.space = false;
        } else {
            let colons = self.out.iter().rev().take_while(|byte| **byte == b':').count();
            let end = self.out.len().saturating_sub(colons);
            if end > 0 && self.out.get(end.saturating_sub(1)) == Some(&MARK) {
                self.out.truncate(end);
                return;
            }
        }
        self.out.push(MARK);
    }

    fn punctuation<'a>(&mut self, byte: u8, rest: &'a [u8]) -> &'a [u8] {
        let alone = self.space || self.out.is_empty();
        if alone
            && let [b'(', b')', after @ ..] | [b'[', b']', after @ ..] = rest
            && after.first().is_none_or(|next| of(*next) & SPACE != 0)
        {
            self.text(&[byte, MARK]);
            return rest.get(1..).unwrap_or_default();
        }
        if rest.starts_with(b"::")
            && !self.out.last().is_some_and(|last| !alone && of(*last) & WORD != 0)
            && let Some(length) = address(rest)
        {
            self.value();
            return rest.get(length..).unwrap_or_default();
        }
        self.text(&[byte]);
        let rest = rest.get(1..).unwrap_or_default();
        if byte == b'='
            && let Some(length) = quoted(rest)
        {
            self.text(b"\"");
            self.value();
            self.text(b"\"");
            return rest.get(length..).unwrap_or_default();
        }
        rest
    }

    /// Takes the piece that `rest` begins with, and gives what is after it.
    #[inline]
    fn piece<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let mut bits = 0;
        let mut length = 0_usize;
        for byte in rest {
            let class = of(*byte);
            if class & WORD == 0 {
                break;
            }
            bits |= class;
            length += 1;
        }
        let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if bits & !(HEX | LETTER | UNDERSCORE) == 0 && after.first() != Some(&b':') && length != 3 {
            if bits & UNDERSCORE == 0 && shape::is_value(piece, bits, None) && !self.is_in_sentence(piece) {
                self.value();
            } else {
                self.text(piece);
            }
            return after;
        }
        if bits & !DIGIT == 0 && after.first() != Some(&b':') {
            self.value();
            return after;
        }
        self.difficult(piece, bits, after, rest)
    }

    /// Whether a quote is just before.
    fn is_quoted(&self) -> bool {
        !self.space && self.out.last() == Some(&b'"')
    }

    /// Whether a word that may be a value follows another word: `none of them`, and not `size=none`.
    fn is_in_sentence(&self, piece: &[u8]) -> bool {
        let after_word = || self.out.last().is_some_and(|last| of(*last) & (HEX | LETTER) != 0);
        piece.len() == 4 && piece.eq_ignore_ascii_case(b"none") && self.space && after_word()
    }

    fn difficult<'a>(&mut self, piece: &'a [u8], bits: u16, after: &'a [u8], rest: &'a [u8]) -> &'a [u8] {
        let piece = if bits & DOT == 0 {
            piece
        } else {
            match without_dots(piece) {
                Ok(shorter) => shorter,
                Err(dots) => {
                    let (dots, after) = rest.split_at_checked(dots).unwrap_or((rest, &[]));
                    self.text(dots);
                    return after;
                }
            }
        };
        let after = if bits & DOT == 0 { after } else { rest.get(piece.len()..).unwrap_or_default() };
        // The sign for a parameter, in the message itself.
        if piece == b"*" && !self.space && self.out.last() == Some(&b'<') && after.first() == Some(&b'>') {
            self.out.pop();
            self.value();
            return after.get(1..).unwrap_or_default();
        }
        if let Some(length) = special(piece, bits, after, rest) {
            let length = if self.is_quoted() { length.max(quoted_link(after, rest)) } else { length };
            self.value();
            return rest.get(length..).unwrap_or_default();
        }
        let is_name = bits & (CONTROL | WIDE) == 0 && is_function(piece, after);
        if shape::is_value(piece, bits, after.first().copied()) && !is_name {
            self.value();
            if bits & SLASH != 0 && after.first() == Some(&b'?') {
                let query = after.iter().take_while(|byte| !ends_link(**byte)).count();
                return after.get(query..).unwrap_or_default();
            }
        } else {
            self.text(piece);
        }
        after
    }
}

/// How long a link is that ends with the quote after it, whatever punctuation it has; 0 if it is none.
fn quoted_link(after: &[u8], rest: &[u8]) -> usize {
    let inside = |byte: &&u8| of(**byte) & (SPACE | CONTROL) == 0 && **byte != b'"';
    let length = rest.iter().take(BYTES_MAX).take_while(inside).count();
    if after.starts_with(b"://") && rest.get(length) == Some(&b'"') { length } else { 0 }
}

/// Whether it is the name of a function: letters first, and nothing between the brackets after it.
fn is_function(piece: &[u8], after: &[u8]) -> bool {
    after.starts_with(b"()") && piece.first().is_some_and(u8::is_ascii_alphabetic)
}

/// How long a quoted text is that is not empty, with its quotes.
fn quoted(text: &[u8]) -> Option<usize> {
    let inner = text.strip_prefix(b"\"")?;
    let length = inner.iter().take(QUOTED_BYTES_MAX).position(|byte| *byte == b'"')?;
    (length > 0).then_some(length.saturating_add(2))
}

/// What remains of a head that may end within a character or a word.
fn whole_words(head: &[u8]) -> &[u8] {
    let end = head.iter().rposition(|byte| of(*byte) & SPACE != 0);
    end.and_then(|end| head.get(..end)).unwrap_or_default()
}

/// A piece before the first two dots in a row, or before those at its end; or how many dots it begins with.
fn without_dots(piece: &[u8]) -> Result<&[u8], usize> {
    let leading = piece.iter().take_while(|byte| **byte == b'.').count();
    if leading > 1 && piece.get(leading) != Some(&b'/') {
        return Err(leading);
    }
    let end = piece.windows(2).position(|two| two == b"..").unwrap_or(piece.len());
    let shorter = piece.get(..end).unwrap_or(piece);
    match shorter.strip_suffix(b".") {
        Some([]) => Err(1),
        Some(shorter) => Ok(shorter),
        None => Ok(shorter),
    }
}

/// How long a value is that is more than a piece: an address with colons, a link, a path of Windows, a date.
fn special(piece: &[u8], bits: u16, after: &[u8], rest: &[u8]) -> Option<usize> {
    if piece.starts_with(b"\\\\") {
        return Some(rest.iter().take_while(|byte| !ends_link(**byte)).count());
    }
    if after.first() != Some(&b':') {
        return if bits & !(HEX | LETTER) == 0 && piece.len() == 3 { date::length(rest) } else { None };
    }
    if after.starts_with(b"://")
        || (piece.len() == 1 && (after.starts_with(b":\\") || after.starts_with(b":/")))
    {
        // What ends a link can be within the piece: the value is never shorter than the piece.
        let link = after.iter().take_while(|byte| !ends_link(**byte)).count();
        return Some(piece.len().saturating_add(link));
    }
    if bits & !(HEX | DIGIT) == 0
        && piece.len() <= 4
        && let Some(length) = address(rest)
    {
        return Some(length);
    }
    let host = bits & DOT != 0
        && bits & (CONTROL | SLASH | BACKSLASH | OTHER | UNDERSCORE) == 0
        && !piece.iter().any(u8::is_ascii_uppercase);
    let port = after.get(1..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    if host && (2..=5).contains(&port) {
        return Some(piece.len().saturating_add(1).saturating_add(port));
    }
    None
}

/// How long an address of hardware or of IPv6 is.
fn address(rest: &[u8]) -> Option<usize> {
    let run = rest.iter().take(ADDRESS_BYTES_MAX);
    let run = run.take_while(|byte| byte.is_ascii_hexdigit() || **byte == b':').count();
    let (address, after) = rest.split_at_checked(run)?;
    let colons = address.iter().filter(|byte| **byte == b':').count();
    let short = address.windows(2).any(|two| two == b"::") && address.iter().any(u8::is_ascii_digit);
    let groups = address.split(|byte| *byte == b':').all(|group| group.len() <= 4);
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b':';
    let ends = address.last() != Some(&b':') && !after.first().is_some_and(goes_on);
    (groups && ends && (colons >= 5 || short)).then_some(run)
}

fn ends_link(byte: u8) -> bool {
    of(byte) & (SPACE | CONTROL) != 0
        || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b',' | b';' | b')' | b']' | b'}')
}
