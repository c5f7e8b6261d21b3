//! Entries of the journal's export format: fields as text or with a length, up to an empty line.

/// No field is longer; a length beyond is damage.
const VALUE_BYTES_MAX: u64 = 100 << 20;
const NAME_BYTES_MAX: usize = 256;
const NO_NAME: &str = "a field does not begin with its name";
const WRONG_LENGTH: &str = "a field does not end where its length says";

/// What an entry says.
#[derive(Debug)]
pub(super) enum Made<'a> {
    /// Names and values, in order.
    Fields(Vec<(&'a str, &'a [u8])>),
    /// Nothing that can be read, and why.
    Damaged(&'static str),
}

/// An entry.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub start: usize,
    pub end: usize,
    pub made: Made<'a>,
    /// Whether its end is there.
    pub cut: bool,
}

/// Finds entries one after the other.
#[derive(Debug)]
pub(super) struct Entries<'a> {
    text: &'a [u8],
    at: usize,
}

enum Field<'a> {
    Value {
        name: &'a str,
        value: &'a [u8],
        end: usize,
    },
    EmptyLine,
    Damaged(&'static str),
    /// Its end is not there.
    Open,
}

impl<'a> Entries<'a> {
    pub(super) fn new(text: &'a [u8]) -> Entries<'a> {
        Entries { text, at: 0 }
    }

    /// The entry ends with an empty line after its damage.
    fn damaged(&mut self, start: usize, damage: usize, reason: &'static str, certain: bool) -> Entry<'a> {
        let rest = self.text.get(damage..).unwrap_or_default();
        let found = memchr::memmem::find(rest, b"\n\n");
        let end = found.map_or(self.text.len(), |position| damage + position + 2);
        self.at = end;
        Entry { start, end, made: Made::Damaged(reason), cut: certain && found.is_some() }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        while self.text.get(self.at) == Some(&b'\n') {
            self.at += 1;
        }
        let start = self.at;
        let mut fields = Vec::new();
        while self.at < self.text.len() {
            match field(self.text, self.at) {
                Field::Value { name, value, end } => {
                    fields.push((name, value));
                    self.at = end;
                }
                Field::EmptyLine => {
                    self.at += 1;
                    return Some(Entry { start, end: self.at, made: Made::Fields(fields), cut: true });
                }
                Field::Damaged(reason) => return Some(self.damaged(start, self.at, reason, true)),
                Field::Open => return Some(self.damaged(start, self.at, WRONG_LENGTH, false)),
            }
        }
        let end = self.at;
        (!fields.is_empty()).then_some(Entry { start, end, made: Made::Fields(fields), cut: false })
    }
}

fn field(text: &[u8], at: usize) -> Field<'_> {
    let rest = text.get(at..).unwrap_or_default();
    let separator = memchr::memchr2(b'=', b'\n', rest).unwrap_or(rest.len());
    if rest.first() == Some(&b'\n') {
        return Field::EmptyLine;
    }
    let Some(name) = rest.get(..separator).and_then(name_of) else { return Field::Damaged(NO_NAME) };
    let after = rest.get(separator + 1..).unwrap_or_default();
    match rest.get(separator) {
        Some(b'=') => {
            let length = memchr::memchr(b'\n', after).unwrap_or(after.len());
            let value = after.get(..length).unwrap_or_default();
            Field::Value { name, value, end: (at + separator + 1 + length + 1).min(text.len()) }
        }
        Some(_) => {
            let Some((length, data)) = after.split_first_chunk::<8>() else { return Field::Open };
            let length = u64::from_le_bytes(*length);
            let Some(length) = usize::try_from(length).ok().filter(|_| length <= VALUE_BYTES_MAX) else {
                return Field::Damaged(WRONG_LENGTH);
            };
            match (data.get(..length), data.get(length)) {
                (Some(value), Some(b'\n')) => {
                    Field::Value { name, value, end: at + separator + 1 + 8 + length + 1 }
                }
                (Some(_), Some(_)) => Field::Damaged(WRONG_LENGTH),
                _ => Field::Open,
            }
        }
        None => Field::Open,
    }
}

fn name_of(name: &[u8]) -> Option<&str> {
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.iter().all(legal);
    std::str::from_utf8(name).ok().filter(|_| fits)
}
