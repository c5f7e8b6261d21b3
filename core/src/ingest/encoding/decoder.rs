//! UTF-16 and Windows-1252 as UTF-8, in pieces. A crate that knows all encodings of the web has tables that are a tenth
//! of the module for browsers.

use super::Encoding;

/// What Windows-1252 has at 0x80 to 0x9f. The places without a character are control characters, as browsers read them.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Makes UTF-8 of text that comes in pieces, which may end within a character.
#[derive(Debug)]
pub struct Decoder {
    encoding: Encoding,
    /// A byte that is half of what belongs together.
    half: Option<u8>,
    /// The first half of a character of two units.
    high: Option<u16>,
}

impl Decoder {
    pub(super) fn new(encoding: Encoding) -> Decoder {
        Decoder { encoding, half: None, high: None }
    }

    /// Appends the text of the next bytes; of `last` ones also what they leave open. What is no text becomes U+FFFD.
    pub fn decode(&mut self, bytes: &[u8], last: bool, text: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Utf8 => text.extend_from_slice(bytes),
            Encoding::Windows1252 => decode_windows_1252(bytes, text),
            Encoding::Utf16Le => self.decode_utf16(bytes, u16::from_le_bytes, text),
            Encoding::Utf16Be => self.decode_utf16(bytes, u16::from_be_bytes, text),
        }
        if last && (self.half.take().is_some() | self.high.take().is_some()) {
            push(char::REPLACEMENT_CHARACTER, text);
        }
    }

    fn decode_utf16(&mut self, mut bytes: &[u8], unit: fn([u8; 2]) -> u16, text: &mut Vec<u8>) {
        text.reserve(bytes.len());
        if let (Some(half), Some((first, rest))) = (self.half, bytes.split_first()) {
            self.half = None;
            self.unit(unit([half, *first]), text);
            bytes = rest;
        }
        let (pairs, rest) = bytes.as_chunks::<2>();
        for pair in pairs {
            self.unit(unit(*pair), text);
        }
        self.half = rest.first().copied().or(self.half);
    }

    fn unit(&mut self, unit: u16, text: &mut Vec<u8>) {
        let is_low = matches!(unit, 0xdc00..=0xdfff);
        if let Some(high) = self.high.take() {
            let both = if is_low { char::decode_utf16([high, unit]).next() } else { None };
            push(both.and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER), text);
            if is_low {
                return;
            }
        }
        match unit {
            0..0x80 => text.push(unit as u8),
            0xd800..=0xdbff => self.high = Some(unit),
            _ => push(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER), text),
        }
    }
}

/// The text of bytes in Windows-1252, which has every byte.
pub fn windows_1252(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    decode_windows_1252(bytes, &mut text);
    // It is made of characters.
    String::from_utf8(text).unwrap_or_default()
}

fn decode_windows_1252(mut bytes: &[u8], text: &mut Vec<u8>) {
    text.reserve(bytes.len());
    while !bytes.is_empty() {
        let ascii = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(bytes.len());
        let (plain, rest) = bytes.split_at_checked(ascii).unwrap_or((bytes, &[]));
        text.extend_from_slice(plain);
        let Some((byte, rest)) = rest.split_first() else { return };
        let high = byte.checked_sub(0x80).and_then(|place| HIGH.get(usize::from(place)));
        push(high.copied().unwrap_or(char::from(*byte)), text);
        bytes = rest;
    }
}

fn push(character: char, text: &mut Vec<u8>) {
    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoding: Encoding, pieces: &[&[u8]]) -> String {
        let (mut decoder, mut text) = (Decoder::new(encoding), Vec::new());
        for piece in pieces {
            decoder.decode(piece, false, &mut text);
        }
        decoder.decode(&[], true, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn every_byte_of_windows_1252_is_what_browsers_make_of_it() {
        let all: Vec<u8> = (0..=255).collect();
        let expected = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&all).0;
        assert_eq!(windows_1252(&all), expected);
        assert_eq!(decoded(Encoding::Windows1252, &[&all[..200], &all[200..]]), expected);
    }

    #[test]
    fn utf16_is_what_browsers_make_of_it_wherever_it_is_cut() {
        let units: [&[u16]; 8] = [
            &[0x61, 0x20ac, 0xd83d, 0xde00, 0xfffd, 0xffff],
            &[0xd83d, 0xd83d, 0xde00],
            &[0xde00, 0xd83d, 0x62],
            &[0xd83d],
            &[0xdbff, 0xdfff, 0xdc00],
            &[],
            &[0xfeff, 0xfffe],
            &[0x7f, 0x80, 0x7ff, 0x800],
        ];
        for units in units {
            for (encoding, known) in
                [(Encoding::Utf16Le, encoding_rs::UTF_16LE), (Encoding::Utf16Be, encoding_rs::UTF_16BE)]
            {
                let bytes = |unit: &u16| {
                    if encoding == Encoding::Utf16Le { unit.to_le_bytes() } else { unit.to_be_bytes() }
                };
                let bytes: Vec<u8> = units.iter().flat_map(bytes).collect();
                for length in 0..=bytes.len() {
                    let bytes = &bytes[..length];
                    let expected = known.decode_without_bom_handling(bytes).0;
                    for cut in 0..=length {
                        assert_eq!(
                            decoded(encoding, &[&bytes[..cut], &bytes[cut..]]),
                            expected,
                            "{bytes:x?} at {cut}"
                        );
                    }
                }
            }
        }
    }
}
