//! What each byte of a message is, as one bit, so that the bits of a piece say what can be in it.

/// A letter of a hexadecimal number.
pub const HEX: u16 = 1;
/// Another letter.
pub const LETTER: u16 = 1 << 1;
/// A decimal digit.
pub const DIGIT: u16 = 1 << 2;
/// The underscore.
pub const UNDERSCORE: u16 = 1 << 3;
/// The full stop.
pub const DOT: u16 = 1 << 4;
/// The hyphen.
pub const DASH: u16 = 1 << 5;
/// The slash.
pub const SLASH: u16 = 1 << 6;
/// The backslash.
pub const BACKSLASH: u16 = 1 << 7;
/// What else may stand within a word: `+`, `~`, `%`, `$`, `*`.
pub const OTHER: u16 = 1 << 8;
/// A byte of a character beyond ASCII.
pub const WIDE: u16 = 1 << 9;
/// White space.
pub const SPACE: u16 = 1 << 10;
/// A control character.
pub const CONTROL: u16 = 1 << 11;
/// Punctuation that ends a word.
pub const PUNCTUATION: u16 = 1 << 12;

/// What a piece may consist of.
pub const WORD: u16 =
    HEX | LETTER | DIGIT | UNDERSCORE | DOT | DASH | SLASH | BACKSLASH | OTHER | WIDE | CONTROL;

const fn class(byte: u8) -> u16 {
    match byte {
        b'a'..=b'f' | b'A'..=b'F' => HEX,
        b'a'..=b'z' | b'A'..=b'Z' => LETTER,
        b'0'..=b'9' => DIGIT,
        b'_' => UNDERSCORE,
        b'.' => DOT,
        b'-' => DASH,
        b'/' => SLASH,
        b'\\' => BACKSLASH,
        b'+' | b'~' | b'%' | b'$' | b'*' => OTHER,
        b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => SPACE,
        0x80..=0xff => WIDE,
        0..=0x1f | 0x7f => CONTROL,
        _ => PUNCTUATION,
    }
}

static CLASSES: [u16; 256] = {
    let mut table = [0; 256];
    let mut rest: &mut [u16] = &mut table;
    let mut byte: u8 = 0;
    while let Some((first, others)) = rest.split_first_mut() {
        *first = class(byte);
        byte = byte.wrapping_add(1);
        rest = others;
    }
    table
};

/// What a byte is.
#[inline]
pub fn of(byte: u8) -> u16 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}
