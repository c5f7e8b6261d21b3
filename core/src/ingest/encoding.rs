//! How text is encoded: told by its beginning, and made UTF-8 as it is read.

mod decoder;

pub use decoder::{Decoder, windows_1252};

use std::fmt;
use std::io::{self, Read};

/// How the text of an input is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8, and ASCII.
    Utf8,
    /// UTF-16, the lower byte first.
    Utf16Le,
    /// UTF-16, the higher byte first.
    Utf16Be,
    /// Windows-1252, of which Latin-1 is a part.
    Windows1252,
}

impl Encoding {
    /// All encodings.
    pub const ALL: [Encoding; 4] =
        [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Windows1252];

    /// The names of the encoding; the first is the one that is shown.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Encoding::Utf8 => &["utf-8", "utf8", "ascii"],
            Encoding::Utf16Le => &["utf-16le", "utf-16", "utf16", "utf16le"],
            Encoding::Utf16Be => &["utf-16be", "utf16be"],
            Encoding::Windows1252 => &["windows-1252", "latin1", "latin-1", "iso-8859-1", "cp1252"],
        }
    }

    /// The name that is shown.
    pub fn name(self) -> &'static str {
        self.names().first().copied().unwrap_or_default()
    }

    /// What makes UTF-8 of it; none where it is UTF-8.
    pub fn decoder(self) -> Option<Decoder> {
        (self != Encoding::Utf8).then(|| Decoder::new(self))
    }

    /// The encoding of a name.
    pub fn from_name(name: &str) -> Option<Encoding> {
        Encoding::ALL
            .into_iter()
            .find(|encoding| encoding.names().iter().any(|known| known.eq_ignore_ascii_case(name)))
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How an input is encoded that begins with these bytes, and the length of its byte order mark. `whole` says
/// that they are all of it.
pub fn detect(sample: &[u8], whole: bool) -> (Encoding, usize) {
    match sample {
        [0xef, 0xbb, 0xbf, ..] => return (Encoding::Utf8, 3),
        [0xff, 0xfe, ..] => return (Encoding::Utf16Le, 2),
        [0xfe, 0xff, ..] => return (Encoding::Utf16Be, 2),
        _ => {}
    }
    if let Some(encoding) = utf16_without_mark(sample) {
        return (encoding, 0);
    }
    match looks_latin(sample, whole) {
        true => (Encoding::Windows1252, 0),
        false => (Encoding::Utf8, 0),
    }
}

/// Text has letters, digits and signs of ASCII, in any language; in UTF-16 each has a zero byte.
fn utf16_without_mark(sample: &[u8]) -> Option<Encoding> {
    let (mut characters, mut little, mut big, mut others) = (0_usize, 0_usize, 0_usize, 0_usize);
    for pair in sample.chunks_exact(2) {
        characters += 1;
        match *pair {
            [0, 0] => return None,
            [byte, 0] if !is_control(byte) => little += 1,
            [0, byte] if !is_control(byte) => big += 1,
            [_, 0] | [0, _] => others += 1,
            _ => {}
        }
    }
    let most = |count: usize, against: usize| {
        characters >= 2
            && count.saturating_mul(10) >= characters.saturating_mul(4)
            && against.saturating_mul(10) <= count
    };
    if most(little, big.saturating_add(others)) {
        Some(Encoding::Utf16Le)
    } else if most(big, little.saturating_add(others)) {
        Some(Encoding::Utf16Be)
    } else {
        None
    }
}

/// A control character that text does not have.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\r' | b'\n') || byte == 0x7f
}

/// Whether bytes that are no UTF-8 look like letters and signs of Western European languages. Damaged UTF-8 does
/// not: it has valid characters of several bytes, or too few that are invalid.
fn looks_latin(sample: &[u8], whole: bool) -> bool {
    let (mut invalid, mut latin, mut characters) = (0_usize, 0_usize, 0_usize);
    let mut place = 0_usize;
    for chunk in sample.utf8_chunks() {
        characters += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        place = place.saturating_add(chunk.valid().len());
        let cut = !whole
            && place.saturating_add(chunk.invalid().len()) == sample.len()
            && may_go_on(chunk.invalid());
        if !cut {
            invalid = invalid.saturating_add(chunk.invalid().len());
            let places = place..place.saturating_add(chunk.invalid().len());
            latin += places.filter(|place| is_latin_at(sample, *place)).count();
        }
        place = place.saturating_add(chunk.invalid().len());
    }
    let controls = sample.iter().filter(|byte| is_control(**byte)).count();
    invalid > 0
        && !sample.contains(&0)
        && controls.saturating_mul(200) <= sample.len()
        && characters.saturating_mul(20) <= invalid
        && latin.saturating_mul(4) >= invalid.saturating_mul(3)
        && (whole || (invalid >= 3 && invalid.saturating_mul(20_000) >= sample.len()))
}

/// Whether these bytes may be the beginning of a character.
fn may_go_on(bytes: &[u8]) -> bool {
    matches!(bytes, [0xc2..=0xf4, ..]) && bytes.len() < 4
}

/// Whether the byte at a place is a letter beside a letter, or a sign that stands alone.
fn is_latin_at(sample: &[u8], place: usize) -> bool {
    let byte = sample.get(place).copied().unwrap_or_default();
    let before = place.checked_sub(1).and_then(|before| sample.get(before)).copied().unwrap_or(b' ');
    let after = place.checked_add(1).and_then(|after| sample.get(after)).copied().unwrap_or(b' ');
    match byte {
        0xd7 | 0xf7 => before.is_ascii() && after.is_ascii(),
        0xc0..=0xff | 0x8a | 0x8c | 0x8e | 0x9a | 0x9c | 0x9e | 0x9f => {
            before.is_ascii_alphabetic() || after.is_ascii_alphabetic()
        }
        0x80 | 0x82..=0x85 | 0x8b | 0x91..=0x97 | 0x99 | 0x9b | 0xa0..=0xbf => {
            before.is_ascii() && after.is_ascii()
        }
        _ => false,
    }
}

/// Encoded bytes are read in pieces of this size.
const PIECE_BYTES: usize = 1 << 16;

/// Reads text of any encoding as UTF-8. What is not text becomes U+FFFD; UTF-8 stays as it is.
pub struct Transcoder<R> {
    source: R,
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// So much of the text was taken.
    taken: usize,
    ended: bool,
}

impl<R> fmt::Debug for Transcoder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcoder").field("decoder", &self.decoder).finish_non_exhaustive()
    }
}

impl<R: Read> Transcoder<R> {
    /// Reads what is in this encoding, from after its byte order mark.
    pub fn new(source: R, encoding: Encoding) -> Transcoder<R> {
        let decoder = encoding.decoder();
        let raw = if decoder.is_some() { vec![0; PIECE_BYTES] } else { Vec::new() };
        Transcoder { source, decoder, raw, text: Vec::new(), taken: 0, ended: false }
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.decoder else { return self.source.read(buffer) };
        while self.taken == self.text.len() && !self.ended {
            let length = self.source.read(&mut self.raw)?;
            self.ended = length == 0;
            self.text.clear();
            self.taken = 0;
            decoder.decode(self.raw.get(..length).unwrap_or_default(), self.ended, &mut self.text);
        }
        let count = self.text.get(self.taken..).unwrap_or_default().read(buffer)?;
        self.taken = self.taken.saturating_add(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"name\":\"Käthe Grün\",\"at\":\"Zürich 😀\"}\r\n";

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn latin(text: &str) -> Vec<u8> {
        encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
    }

    fn check(sample: &[u8], whole: bool, expected: (Encoding, usize)) {
        assert_eq!(detect(sample, whole), expected, "{}", String::from_utf8_lossy(sample));
    }

    #[test]
    fn byte_order_marks_tell() {
        check(b"\xef\xbb\xbf{}", true, (Encoding::Utf8, 3));
        check(b"\xff\xfe{\0", true, (Encoding::Utf16Le, 2));
        check(b"\xfe\xff\0{", true, (Encoding::Utf16Be, 2));
    }

    #[test]
    fn utf16_is_known_without_a_mark() {
        for text in [TEXT, "{\"a\":1}\n", "ab", "日時,値\n2024-01-02 03:04:05,十二\n"] {
            for whole in [true, false] {
                check(&utf16(text, true), whole, (Encoding::Utf16Le, 0));
                check(&utf16(text, false), whole, (Encoding::Utf16Be, 0));
                let sample = utf16(&text.repeat(3), true);
                check(&sample[..sample.len() - 1], whole, (Encoding::Utf16Le, 0));
            }
        }
        let numbers: Vec<u8> = (0..2_000_u16).flat_map(u16::to_le_bytes).collect();
        let small: Vec<u8> = [1_u8, 0, 2, 0, 3, 0, 7, 0, 9, 0].repeat(20);
        for sample in [&b""[..], b"a", b"a\0", &[0; 512], &numbers, &small, b"{\"a\":1}\n\0\0\0\0\0\0\0\0"] {
            check(sample, true, (Encoding::Utf8, 0));
        }
    }

    #[test]
    fn latin_text_is_known() {
        for text in [
            "{\"name\":\"Käthe\",\"city\":\"Zürich\"}\n",
            "nom;préfèré;créé à\nÉlodie;œuvre;été\n",
            "caf\u{e9}\n",
            "He said \u{201c}no\u{201d} \u{2013} it\u{2019}s 5 \u{20ac} at 20\u{b0}C",
            "ÄRGER ÜBER ÖL",
        ] {
            check(&latin(text), true, (Encoding::Windows1252, 0));
            check(&latin(&text.repeat(50)), false, (Encoding::Windows1252, 0));
            check(text.as_bytes(), true, (Encoding::Utf8, 0));
        }
    }

    #[test]
    fn damaged_utf8_stays_utf8() {
        let text = TEXT.repeat(40).into_bytes();
        let mut damaged = text.clone();
        for place in (7..damaged.len()).step_by(97) {
            damaged[place] ^= 0x80;
        }
        assert!(std::str::from_utf8(&damaged).is_err());
        check(&damaged, true, (Encoding::Utf8, 0));
        // One byte in much ASCII is damage, or a letter: a reader of lines can still decide.
        let mut ascii = b"{\"level\":\"info\",\"message\":\"all is well\"}\n".repeat(2_000);
        ascii[500] ^= 0x80;
        check(&ascii, false, (Encoding::Utf8, 0));
        for other in [encoding_rs::WINDOWS_1251, encoding_rs::SHIFT_JIS, encoding_rs::EUC_KR] {
            let text = if other == encoding_rs::WINDOWS_1251 { "Привет, мир" } else { "日本語" };
            check(&other.encode(&text.repeat(9)).0, true, (Encoding::Utf8, 0));
        }
        check(b"\x80\x81\x82\x00\x01\xff\xfe\xfd", true, (Encoding::Utf8, 0));
    }

    #[test]
    fn a_sample_may_end_within_a_character() {
        for text in ["aé", "a€", "a😀"] {
            let bytes = text.as_bytes();
            for length in 2..bytes.len() {
                check(&bytes[..length], false, (Encoding::Utf8, 0));
            }
        }
        check(b"caf\xe9", true, (Encoding::Windows1252, 0));
    }

    #[test]
    fn names_are_known() {
        for encoding in Encoding::ALL {
            for name in encoding.names() {
                assert_eq!(Encoding::from_name(name), Some(encoding));
            }
        }
        assert_eq!(Encoding::from_name("UTF-16LE"), Some(Encoding::Utf16Le));
        assert_eq!(Encoding::from_name("ebcdic"), None);
    }

    /// Gives bytes in pieces of a size.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    fn transcoded(bytes: &[u8], encoding: Encoding, piece: usize) -> String {
        let mut text = String::new();
        Transcoder::new(Slow(bytes, piece), encoding).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn text_becomes_utf8() {
        let long = TEXT.repeat(20_000);
        for text in ["", "a", TEXT, &long, &"€".repeat(100_000)] {
            for piece in [1, 3, 1 << 20] {
                assert!(transcoded(text.as_bytes(), Encoding::Utf8, piece) == text);
                assert!(transcoded(&utf16(text, true), Encoding::Utf16Le, piece) == text);
                assert!(transcoded(&utf16(text, false), Encoding::Utf16Be, piece) == text);
                let plain = text.replace('😀', "!");
                assert!(transcoded(&latin(&plain), Encoding::Windows1252, piece) == plain);
            }
        }
    }

    #[test]
    fn what_is_no_text_becomes_a_replacement_character() {
        let bytes = [0x61, 0, 0x3d, 0xd8, 0x62, 0, 0, 0xdc, 0x63, 0, 0x3d, 0xd8];
        for piece in [1, 2, 64] {
            assert_eq!(transcoded(&bytes, Encoding::Utf16Le, piece), "a\u{fffd}b\u{fffd}c\u{fffd}");
            assert_eq!(transcoded(&bytes[..1], Encoding::Utf16Le, piece), "\u{fffd}");
        }
        let text = utf16(TEXT, true);
        for length in 0..text.len() {
            let back = transcoded(&text[..length], Encoding::Utf16Le, 5);
            assert!(TEXT.starts_with(back.trim_end_matches('\u{fffd}')), "{length}");
        }
    }

    #[test]
    fn a_failing_source_is_told_after_its_text() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("torn"))
            }
        }
        let mut text = Vec::new();
        let mut reader = Transcoder::new(b"caf\xe9".chain(Fails), Encoding::Windows1252);
        assert_eq!(reader.read_to_end(&mut text).unwrap_err().to_string(), "torn");
        assert_eq!(text, "café".as_bytes());
    }
}
