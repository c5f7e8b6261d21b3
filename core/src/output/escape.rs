//! Characters of stored data that a terminal could take for a command, made visible.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal could act on the character, or show the text around it in another order.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text on one line: `\n`, `\t`, `\u{1b}` and their like stand for the characters.
pub fn visible(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

/// The text with its line breaks and tabs kept.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| c == '\n' || c == '\t')
}

/// The text with its unsafe characters made visible, but those that are to be kept.
pub fn escape(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    let hostile = |c| is_unsafe(c) && !keep(c);
    if !text.contains(hostile) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !hostile(c) => escaped.push(c),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c => push_unicode(&mut escaped, c),
        }
    }
    Cow::Owned(escaped)
}

/// JSON's spelling, which people read too; every unsafe character lies in the basic plane.
fn push_unicode(text: &mut String, c: char) {
    let _ = write!(text, "\\u{:04x}", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_becomes_visible() {
        assert_eq!(visible("plain, ünï, 日本, 👩‍👩‍👧"), "plain, ünï, 日本, 👩‍👩‍👧");
        assert_eq!(visible("a\u{1b}[31mb\u{7}\u{9b}c\u{7f}"), "a\\u001b[31mb\\u0007\\u009bc\\u007f");
        assert_eq!(visible("abc\u{202e}txt.exe"), "abc\\u202etxt.exe");
        assert_eq!(visible("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(visible_lines("a\nb\tc\r"), "a\nb\tc\\r");
    }
}
