//! The exact bytes that are hashed of a record and of a set of rows.
//!
//! A record's canonical bytes are its leaves, sorted by encoded path. A leaf is a value that is no object
//! with keys in it. It is written as: the length of its encoded path, 32 bits little-endian; that path (each key as its
//! length, 32 bits little-endian, and its bytes); a tag of one byte; the length of the value, 32 bits little-endian; and
//! the value:
//!
//! | tag | value |
//! |---|---|
//! | `s` | a string, its characters in UTF-8 |
//! | `n` | a number: an integer in decimal where a 64-bit integer holds it, else a double's shortest spelling, else as written |
//! | `t` `f` `z` `o` | true, false, null, an object without keys: empty |
//! | `a` | an array, as JSON without white space, keys sorted, numbers as above |
//! | `T` | the timestamp of the event: microseconds since 1970 in decimal |
//!
//! So the hash depends neither on the order of keys nor on the columns that the values are in, and a
//! record that is read back from any file hashes to the same.

use super::column::FieldPath;
use super::digest::{Digest, Messages};
use super::json::{self, Kind, Tape};
use super::number;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;

/// The tags of leaves.
const TAGS: [u8; 8] = *b"sntfzoaT";

/// The SHA-256 of bytes.
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    <Sha256 as sha2::Digest>::digest(bytes).into()
}

/// Appends the leaf that is the event's timestamp.
pub fn time_leaf_into(path: &[u8], micros: i64, out: &mut Vec<u8>) {
    leaf_with(path, b'T', out, |out| number::integer_into(micros, out));
}

/// Appends a leaf that is a string.
pub fn text_leaf_into(path: &[u8], plain: &[u8], out: &mut Vec<u8>) {
    leaf_with(path, b's', out, |out| out.extend_from_slice(plain));
}

/// Appends a leaf that is a number, which `write` appends in its one spelling.
pub fn number_leaf_into(path: &[u8], out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    leaf_with(path, b'n', out, write);
}

/// Appends a leaf of a tape.
pub fn leaf_into(path: &[u8], text: &[u8], tape: &Tape, value: usize, out: &mut Vec<u8>) {
    let Some(node) = tape.get(value) else { return };
    let raw = json::text_of(text, &node);
    match node.kind {
        Kind::String | Kind::Key => leaf_with(path, b's', out, |out| match node.escaped {
            true => json::unescape_into(raw, out),
            false => out.extend_from_slice(raw),
        }),
        Kind::Number => leaf_with(path, b'n', out, |out| number::canonical_into(raw, out)),
        Kind::True => leaf_with(path, b't', out, |_| ()),
        Kind::False => leaf_with(path, b'f', out, |_| ()),
        Kind::Null => leaf_with(path, b'z', out, |_| ()),
        Kind::Object => leaf_with(path, b'o', out, |_| ()),
        Kind::Array => leaf_with(path, b'a', out, |out| json_into(text, tape, value, out)),
    }
}

/// A leaf as it is hashed: the keys of its path, its tag, and its value as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf(pub Vec<String>, pub char, pub String);

impl Leaf {
    /// Appends its bytes; none if it can be no leaf.
    pub fn bytes_into(&self, out: &mut Vec<u8>) -> Option<()> {
        let Leaf(keys, tag, value) = self;
        let tag = u8::try_from(*tag).ok().filter(|tag| TAGS.contains(tag))?;
        let path = FieldPath::new(keys).encoded();
        leaf_with(&path, tag, out, |out| out.extend_from_slice(value.as_bytes()));
        Some(())
    }

    /// The leaves of canonical bytes; none if these are none.
    pub fn all_of(mut bytes: &[u8]) -> Option<Vec<Leaf>> {
        let mut leaves = Vec::new();
        while !bytes.is_empty() {
            let (mut path, rest) = counted(bytes)?;
            let (tag, rest) = rest.split_first()?;
            let (value, rest) = counted(rest)?;
            let mut keys = Vec::new();
            while !path.is_empty() {
                let (key, others) = counted(path)?;
                keys.push(text_of(key)?);
                path = others;
            }
            leaves.push(Leaf(keys, char::from(*tag), text_of(value)?));
            bytes = rest;
        }
        Some(leaves)
    }
}

/// So many bytes as the first four say, and what follows them.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

fn text_of(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn leaf_with(path: &[u8], tag: u8, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&(path.len() as u32).to_le_bytes());
    out.extend_from_slice(path);
    out.push(tag);
    let length_at = out.len();
    out.extend_from_slice(&[0; 4]);
    let start = out.len();
    write(out);
    let length = (out.len() - start) as u32;
    if let Some(place) = out.get_mut(length_at..start) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Appends a value as JSON without white space, keys sorted and each once, numbers in their one spelling.
pub fn json_into(text: &[u8], tape: &Tape, value: usize, out: &mut Vec<u8>) {
    let number = |raw: &[u8], out: &mut Vec<u8>| number::canonical_into(raw, out);
    write_value(text, tape, value, out, &number);
}

/// The key of an object, at the top of a record, that holds the earlier values of keys that stood several times:
/// for each such key, its path joined with dots, an array of them.
pub const REPEATED: &str = "_repeated";

/// A record in which every key stands once: the last one of several, the others in [`REPEATED`]. Numbers
/// stay as written.
pub fn without_duplicates(text: &[u8], tape: &Tape) -> Vec<u8> {
    let as_written = |raw: &[u8], out: &mut Vec<u8>| out.extend_from_slice(raw);
    let mut repeats = BTreeMap::new();
    find_repeats(text, tape, 0, &mut String::new(), &mut repeats);
    let mut out = Vec::with_capacity(text.len() + 64);
    write_value(text, tape, 0, &mut out, &as_written);
    out.pop();
    let taken = members(text, tape, 0);
    let names =
        std::iter::once(REPEATED.to_string()).chain((2..).map(|number| format!("{REPEATED}_{number}")));
    let name = names.into_iter().find(|name| !taken.contains_key(name.as_bytes())).unwrap_or_default();
    out.push(b',');
    json::quote_into(&name, &mut out);
    out.extend_from_slice(b":{");
    for (number, (path, values)) in repeats.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        json::quote_into(path, &mut out);
        out.extend_from_slice(b":[");
        for (number, value) in values.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            write_value(text, tape, *value, &mut out, &as_written);
        }
        out.push(b']');
    }
    out.extend_from_slice(b"}}");
    out
}

/// The values of an object's keys, and of those below it, that later ones with the same key replace.
fn find_repeats(
    text: &[u8],
    tape: &Tape,
    object: usize,
    path: &mut String,
    repeats: &mut BTreeMap<String, Vec<usize>>,
) {
    let last = members(text, tape, object);
    let end = tape.get(object).map_or(0, |node| node.next as usize);
    let mut position = object + 1;
    while position < end {
        let (Some(key), Some(value)) = (tape.get(position), tape.get(position + 1)) else { break };
        let name = plain(json::text_of(text, &key), key.escaped);
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(&String::from_utf8_lossy(&name));
        if last.get(&name) != Some(&(position + 1)) {
            repeats.entry(path.clone()).or_default().push(position + 1);
        } else if value.kind == Kind::Object {
            find_repeats(text, tape, position + 1, path, repeats);
        }
        path.truncate(length);
        position = value.next as usize;
    }
}

type WriteNumber<'a> = &'a dyn Fn(&[u8], &mut Vec<u8>);

fn write_value(text: &[u8], tape: &Tape, value: usize, out: &mut Vec<u8>, number: WriteNumber<'_>) {
    let Some(node) = tape.get(value) else { return };
    let raw = json::text_of(text, &node);
    match node.kind {
        Kind::Object => {
            let members = members(text, tape, value);
            out.push(b'{');
            for (position, (key, member)) in members.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                json::quote_into(&String::from_utf8_lossy(key), out);
                out.push(b':');
                write_value(text, tape, *member, out, number);
            }
            out.push(b'}');
        }
        Kind::Array => {
            out.push(b'[');
            let mut element = value + 1;
            while element < node.next as usize {
                if element > value + 1 {
                    out.push(b',');
                }
                write_value(text, tape, element, out, number);
                element = tape.get(element).map_or(usize::MAX, |node| node.next as usize);
            }
            out.push(b']');
        }
        Kind::String | Kind::Key => {
            json::quote_into(&String::from_utf8_lossy(&plain(raw, node.escaped)), out)
        }
        Kind::Number => number(raw, out),
        Kind::True => out.extend_from_slice(b"true"),
        Kind::False => out.extend_from_slice(b"false"),
        Kind::Null => out.extend_from_slice(b"null"),
    }
}

/// The members of an object by key; of several with one key, the last.
fn members(text: &[u8], tape: &Tape, object: usize) -> BTreeMap<Vec<u8>, usize> {
    let mut members = BTreeMap::new();
    let end = tape.get(object).map_or(0, |node| node.next as usize);
    let mut position = object + 1;
    while position < end {
        let (Some(key), Some(value)) = (tape.get(position), tape.get(position + 1)) else { break };
        members.insert(plain(json::text_of(text, &key), key.escaped), position + 1);
        position = value.next as usize;
    }
    members
}

fn plain(raw: &[u8], escaped: bool) -> Vec<u8> {
    if !escaped {
        return raw.to_vec();
    }
    let mut out = Vec::with_capacity(raw.len());
    json::unescape_into(raw, &mut out);
    out
}

/// The hashes of rows, of the `seq`, `ts` and content hash of each: the SHA-256 of `daybook row\n`, `seq` and `ts` (64
/// bits, little-endian) and the content hash.
pub fn row_hashes<'a>(rows: impl Iterator<Item = (i64, i64, &'a Digest)>) -> Vec<Digest> {
    let mut rows = rows.peekable();
    let (mut messages, mut hashes) = (Messages::default(), Vec::with_capacity(rows.size_hint().0));
    while rows.peek().is_some() {
        for (seq, ts, content) in rows.by_ref().take(ROWS_AT_ONCE) {
            messages.push_with(|out| {
                out.extend_from_slice(b"daybook row\n");
                out.extend_from_slice(&seq.to_le_bytes());
                out.extend_from_slice(&ts.to_le_bytes());
                out.extend_from_slice(content);
            });
        }
        messages.hash_into(&mut hashes);
    }
    hashes
}

/// The hash of a set of rows: it depends neither on their order nor on the files that they are in.
///
/// A row's hash is stretched to 2,048 bits: the SHA-256 of the row's hash followed by one byte, 0 to 7,
/// in turn. The set's hash is the sum of these as little-endian numbers, modulo 2 to the 2,048th. The hash
/// of two sets together is their sum, so that compaction can be checked without the order of rows; the
/// width is what keeps anyone from finding other rows with the same sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowSet([u64; 32]);

/// So many rows are hashed together.
const ROWS_AT_ONCE: usize = 64;

impl Default for RowSet {
    /// The empty set.
    fn default() -> Self {
        RowSet([0; 32])
    }
}

impl RowSet {
    /// Adds rows by their hashes.
    pub fn add_rows(&mut self, rows: &[Digest]) {
        let (mut messages, mut stretched) = (Messages::default(), Vec::new());
        for rows in rows.chunks(ROWS_AT_ONCE) {
            for row in rows {
                for part in 0..8 {
                    messages.push_with(|out| {
                        out.extend_from_slice(row);
                        out.push(part);
                    });
                }
            }
            stretched.clear();
            messages.hash_into(&mut stretched);
            stretched.as_chunks::<8>().0.iter().for_each(|parts| self.add_number(parts));
        }
    }

    fn add_number(&mut self, parts: &[Digest; 8]) {
        let mut carry = false;
        for (word, bytes) in self.0.iter_mut().zip(parts.as_flattened().as_chunks::<8>().0) {
            (*word, carry) = word.carrying_add(u64::from_le_bytes(*bytes), carry);
        }
    }

    /// Adds all rows of another set.
    pub fn add(&mut self, other: &RowSet) {
        let mut carry = false;
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            (*word, carry) = word.carrying_add(*more, carry);
        }
    }

    /// Takes out all rows of another set, which are in this one.
    pub fn subtract(&mut self, other: &RowSet) {
        let mut borrow = false;
        for (word, less) in self.0.iter_mut().zip(&other.0) {
            (*word, borrow) = word.borrowing_sub(*less, borrow);
        }
    }

    /// The hash in hexadecimal, 512 digits.
    pub fn to_hex(&self) -> String {
        let bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        hex(&bytes)
    }

    /// The hash of hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<RowSet> {
        let digits = text.as_bytes().as_chunks::<16>().0;
        let mut set = RowSet::default();
        if text.len() != 512 {
            return None;
        }
        for (word, digits) in set.0.iter_mut().zip(digits) {
            let value = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            *word = value.swap_bytes();
        }
        Some(set)
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The SHA-256 of hexadecimal digits.
pub fn from_hex(digits: &str) -> Option<[u8; 32]> {
    let pairs = digits.as_bytes().as_chunks::<2>().0;
    let mut hash = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_rows_has_no_order() {
        let rows: Vec<(i64, i64, [u8; 32])> = (0..5).map(|n| (n, n * 7, [n as u8; 32])).collect();
        let of = |rows: &[&(i64, i64, [u8; 32])]| {
            let mut set = RowSet::default();
            set.add_rows(&row_hashes(rows.iter().map(|(seq, ts, content)| (*seq, *ts, content))));
            set
        };
        let [a, b, c, d, e] = rows.iter().collect::<Vec<_>>().try_into().unwrap();
        let mut parts = of(&[a, b]);
        parts.add(&of(&[e, d, c]));
        assert_eq!(parts, of(&[c, a, e, b, d]));
        assert_ne!(parts, of(&[a, b, c, d, d]));
        let mut fewer = parts.clone();
        fewer.subtract(&of(&[c, a]));
        assert_eq!(fewer, of(&[e, b, d]));
        assert_eq!(RowSet::from_hex(&parts.to_hex()), Some(parts));
        assert_eq!(RowSet::from_hex("00"), None);
    }

    #[test]
    fn a_set_is_the_sum_of_its_stretched_rows() {
        let rows: Vec<(i64, i64, [u8; 32])> = (0..150).map(|n| (n, -n, [n as u8; 32])).collect();
        let mut sum = RowSet::default();
        for (seq, ts, content) in &rows {
            let row = [&b"daybook row\n"[..], &seq.to_le_bytes(), &ts.to_le_bytes(), content].concat();
            let row = hash(&row);
            let parts: [Digest; 8] = std::array::from_fn(|part| hash(&[&row[..], &[part as u8]].concat()));
            sum.add_number(&parts);
        }
        let mut set = RowSet::default();
        set.add_rows(&row_hashes(rows.iter().map(|(seq, ts, content)| (*seq, *ts, content))));
        assert_eq!(set, sum);
    }

    #[test]
    fn keys_stand_once_and_earlier_values_are_kept_apart() {
        let text = br#"{"a":1,"b":{"c":[{"x":1,"x":2}],"c":3},"a":{"d":1.50}}"#;
        let mut tape = Tape::default();
        tape.parse(text).unwrap();
        let unique = without_duplicates(text, &tape);
        let expected = r#"{"a":{"d":1.50},"b":{"c":3},"_repeated":{"a":[1],"b.c":[[{"x":2}]]}}"#;
        assert_eq!(std::str::from_utf8(&unique).unwrap(), expected);
        let text = br#"{"_repeated":0,"a":1,"a":2,"a":3}"#;
        tape.parse(text).unwrap();
        let unique = without_duplicates(text, &tape);
        let expected = r#"{"_repeated":0,"a":3,"_repeated_2":{"a":[1,2]}}"#;
        assert_eq!(std::str::from_utf8(&unique).unwrap(), expected);
    }
}
