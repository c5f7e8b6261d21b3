//! Paths of data files in the log: percent-encoded, as Delta asks.

use crate::error::{Error, ErrorKind, Result};

/// A path as it stands in an action. What a URL's path cannot hold is encoded, and all that is not ASCII,
/// so that the result has no blanks.
pub(super) fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !b"\"#%<>?[\\]^`{|}".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(hex_digit(byte >> 4));
            encoded.push(hex_digit(byte & 15));
        }
    }
    encoded
}

/// The path on disk of a path in an action. A `%` that starts no code stands for itself.
pub(super) fn decode(path: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'%', [high, low, tail @ ..]) => match (hex_value(*high), hex_value(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = tail;
                }
                _ => bytes.push(*first),
            },
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).map_err(|error| {
        Error::new(ErrorKind::Corrupt, format!("the path `{path}` of a data file is not UTF-8"))
            .with_source(error)
    })
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase()
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_encoding() {
        let check = |path: &str, expected: &str| {
            assert_eq!(encode(path), expected);
            assert_eq!(decode(expected).unwrap(), path);
        };
        check("day=2026-02-03/part-1.parquet", "day=2026-02-03/part-1.parquet");
        check("a b%20#?", "a%20b%2520%23%3F");
        check("München\n", "M%C3%BCnchen%0A");
        check("a:b@c+d~e'(f)&", "a:b@c+d~e'(f)&");
    }

    #[test]
    fn a_stray_percent_sign_is_kept_and_bad_text_refused() {
        assert_eq!(decode("100%").unwrap(), "100%");
        assert_eq!(decode("a%zzb%4").unwrap(), "a%zzb%4");
        assert_eq!(decode("%ff").unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
