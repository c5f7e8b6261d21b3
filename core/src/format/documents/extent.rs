//! Where a JSON value ends, found without taking it apart.

/// How far a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) enum Extent {
    /// It ends before this position.
    Whole(usize),
    /// It cannot be JSON: where that shows, and why.
    Broken(usize, &'static str),
    /// The text ends first.
    Open,
}

/// Finds the ends of values; reused from value to value.
#[derive(Debug, Default)]
pub(in crate::format) struct Extents {
    closers: Vec<u8>,
}

impl Extents {
    /// The extent of the value that begins at a position. Only what shows where it ends is checked. Numbers and
    /// words end with the text at the latest.
    pub(in crate::format) fn of(&mut self, text: &[u8], start: usize) -> Extent {
        match text.get(start) {
            None => Extent::Open,
            Some(b'"') => string(text, start + 1),
            Some(b'{' | b'[') => self.nested(text, start),
            Some(_) => Extent::Whole(word(text, start)),
        }
    }

    fn nested(&mut self, text: &[u8], start: usize) -> Extent {
        self.closers.clear();
        let mut previous = 0;
        let mut at = start;
        while let Some(&byte) = text.get(at) {
            at += 1;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => continue,
                b'"' => {
                    if !matches!(previous, b'{' | b'[' | b',' | b':') {
                        return Extent::Broken(at - 1, "a string stands where none can be");
                    }
                    match string(text, at) {
                        Extent::Whole(end) => at = end,
                        other => return other,
                    }
                }
                b'{' | b'[' => {
                    let fits = match self.closers.last() {
                        Some(b'}') => previous == b':',
                        Some(_) => matches!(previous, b',' | b'['),
                        None => true,
                    };
                    if !fits {
                        return Extent::Broken(at - 1, "a bracket opens where none can");
                    }
                    self.closers.push(if byte == b'{' { b'}' } else { b']' });
                }
                b'}' | b']' => {
                    if self.closers.pop() != Some(byte) {
                        return Extent::Broken(at - 1, "its brackets do not match");
                    }
                    if self.closers.is_empty() {
                        return Extent::Whole(at);
                    }
                }
                _ => {}
            }
            previous = byte;
        }
        Extent::Open
    }
}

/// The extent of a string whose opening quote is before a position.
pub(super) fn string(text: &[u8], start: usize) -> Extent {
    let mut at = start;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', rest) else { return Extent::Open };
        at += found + 1;
        match rest.get(found) {
            Some(b'"') => return Extent::Whole(at),
            Some(b'\n') => return Extent::Broken(at - 1, "a line ends inside a string"),
            // What is escaped cannot end the string, but a line's end is never escaped.
            _ if text.get(at) != Some(&b'\n') => at += 1,
            _ => {}
        }
    }
}

/// Where a number or a word ends, or what stands in the place of one.
fn word(text: &[u8], start: usize) -> usize {
    let ends = |byte: &u8| {
        matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"')
    };
    let rest = text.get(start + 1..).unwrap_or_default();
    start + 1 + rest.iter().position(ends).unwrap_or(rest.len())
}

/// The first position from one on that is no white space.
pub(super) fn after_space(text: &[u8], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    start + rest.iter().take_while(space).count()
}

/// Where the next line begins that begins with an object, at or after a position; with no more than this much before
/// the object, if that matters. The position is the line end before it.
pub(super) fn line_of_object(text: &[u8], start: usize, indent_max: Option<usize>) -> Option<usize> {
    let rest = text.get(start..)?;
    memchr::memchr_iter(b'\n', rest).map(|newline| start + newline).find(|newline| {
        let line = text.get(newline + 1..).unwrap_or_default();
        let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b',')).count();
        line.get(indent) == Some(&b'{') && indent_max.is_none_or(|most| indent <= most)
    })
}

/// How far a position is from the beginning of its line, if only blanks are between.
pub(super) fn indent_of(text: &[u8], position: usize) -> Option<usize> {
    let before = text.get(..position)?;
    let blanks = before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    (before.iter().rev().nth(blanks) == Some(&b'\n')).then_some(blanks)
}

/// A key and its value in an object.
#[derive(Clone, Copy, Debug)]
pub(in crate::format) struct Member<'a> {
    /// The key as written, without its quotes.
    pub key: &'a [u8],
    /// Where the value begins.
    pub start: usize,
    /// Where it ends, if it does.
    pub end: Option<usize>,
}

/// The members of the object that begins at a position, as far as they are there.
pub(in crate::format) fn members(text: &[u8], object: usize) -> Vec<Member<'_>> {
    let mut members = Vec::new();
    let mut extents = Extents::default();
    let mut at = object + 1;
    loop {
        at = after_space(text, at);
        match text.get(at) {
            Some(b',') => at += 1,
            Some(b'"') => {
                let Extent::Whole(key_end) = string(text, at + 1) else { break };
                let key = text.get(at + 1..key_end - 1).unwrap_or_default();
                let colon = after_space(text, key_end);
                if text.get(colon) != Some(&b':') {
                    break;
                }
                let start = after_space(text, colon + 1);
                let end = match extents.of(text, start) {
                    Extent::Whole(end) => Some(end),
                    _ => None,
                };
                members.push(Member { key, start, end });
                match end {
                    Some(end) => at = end,
                    None => break,
                }
            }
            _ => break,
        }
    }
    members
}
