//! Which pieces of a message are values by their look alone.

use super::class::{BACKSLASH, CONTROL, DASH, DIGIT, DOT, HEX, LETTER, OTHER, SLASH, UNDERSCORE, WIDE, of};

/// Whether a piece cannot be the text of a program: a number, an identifier, an address, a path. `bits` are those of
/// its bytes, `next` is the byte after it.
pub fn is_value(piece: &[u8], bits: u16, next: Option<u8>) -> bool {
    if bits & CONTROL != 0 || piece.len() > PIECE_BYTES_MAX || (bits & WIDE != 0 && !is_printable(piece)) {
        return true;
    }
    if bits & DIGIT != 0 && has_value_digits(piece, bits, next) {
        return true;
    }
    if bits & BACKSLASH != 0 {
        return piece.len() > 2;
    }
    if bits & SLASH != 0 {
        return is_path(piece, bits) || (piece == b"/" && next == Some(b'?'));
    }
    if bits & DOT != 0 {
        return next != Some(b'=') && (is_host(piece) || is_package(piece));
    }
    if bits & !(HEX | LETTER) != 0 {
        return false;
    }
    is_constant(piece) || (bits == HEX && piece.len() >= 8)
}

/// A longer piece is no word.
const PIECE_BYTES_MAX: usize = 128;

/// Whether the key of a JSON object is one of many, as the keys of a map are.
pub fn is_value_as_key(key: &[u8]) -> bool {
    let bits = key.iter().fold(0, |bits, byte| bits | of(*byte));
    key.len() > PIECE_BYTES_MAX
        || bits & CONTROL != 0
        || (bits & WIDE != 0 && !is_printable(key))
        || (bits & DIGIT != 0 && has_value_digits(key, bits, None))
}

/// Whether it is UTF-8 without what a terminal or an editor would act on, and without what stands for broken text.
fn is_printable(piece: &[u8]) -> bool {
    let hidden = |char: char| {
        char.is_control()
            || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(char, '\u{feff}' | '\u{fff0}'..='\u{ffff}')
    };
    std::str::from_utf8(piece).is_ok_and(|text| !text.chars().any(hidden))
}

/// Whether it is what programs print for a value that is not a number.
fn is_constant(piece: &[u8]) -> bool {
    const CONSTANTS: [&[u8]; 7] = [b"true", b"false", b"null", b"nil", b"none", b"nan", b"undefined"];
    (3..=9).contains(&piece.len()) && CONSTANTS.iter().any(|constant| piece.eq_ignore_ascii_case(constant))
}

/// Whether a piece without digits is a path: from the root, or with a slash and what words do not have.
fn is_path(piece: &[u8], bits: u16) -> bool {
    let slashes = piece.iter().filter(|byte| **byte == b'/').count();
    let rooted = piece.first() == Some(&b'/') && piece.len() > 1;
    rooted || slashes > 1 || (bits & DOT != 0 && piece.len() > 2)
}

/// Whether it is the name of a host: small letters, and at the end what names of hosts end with.
pub fn is_host(piece: &[u8]) -> bool {
    const GENERIC: [&[u8]; 8] = [b"com", b"org", b"net", b"edu", b"gov", b"mil", b"info", b"biz"];
    let is_generic = |label: Option<&[u8]>| label.is_some_and(|label| GENERIC.contains(&label));
    if piece.iter().any(u8::is_ascii_uppercase) || is_generic(piece.split(|byte| *byte == b'.').next()) {
        return false;
    }
    let mut labels = piece.rsplit(|byte| *byte == b'.');
    let last = labels.next();
    is_generic(last) || (last.is_some_and(|label| label.len() == 2) && is_generic(labels.next()))
}

/// Whether it is a name that begins with a domain written backwards, as packages and applications have. An exception is
/// what happened.
fn is_package(piece: &[u8]) -> bool {
    const DOMAINS: [&[u8]; 6] = [b"com.", b"org.", b"net.", b"edu.", b"gov.", b"io."];
    DOMAINS.iter().any(|domain| piece.starts_with(domain))
        && piece.iter().filter(|byte| **byte == b'.').count() > 1
        && ![b"Exception".as_slice(), b"Error"].iter().any(|end| piece.ends_with(end))
}

fn has_value_digits(piece: &[u8], bits: u16, next: Option<u8>) -> bool {
    let unsigned = match piece {
        [b'-' | b'+', rest @ ..] => rest,
        _ => piece,
    };
    if unsigned.first().is_some_and(u8::is_ascii_digit) {
        return true;
    }
    if next == Some(b'=') && bits & (SLASH | BACKSLASH | WIDE) == 0 {
        return false;
    }
    if bits & (BACKSLASH | SLASH | DASH | DOT | UNDERSCORE | OTHER) == 0 {
        return is_identifier(piece);
    }
    let separators = BACKSLASH | SLASH | DASH | DOT | UNDERSCORE | OTHER;
    piece.split(|byte| of(*byte) & separators != 0).any(is_identifier)
}

/// Whether a run of letters and digits is one of many: it begins with a digit, ends with two, has three,
/// or is hexadecimal.
fn is_identifier(part: &[u8]) -> bool {
    let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return false;
    }
    let ends = part.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let hex = part.len() >= 6 && part.iter().all(u8::is_ascii_hexdigit);
    part.first().is_some_and(u8::is_ascii_digit) || ends > 1 || digits > 2 || hex
}
