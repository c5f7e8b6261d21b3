//! Where rows begin and end, and their cells, after RFC 4180.

use memchr::memchr;

/// How much of a row may stand after its first line. A quote that is never closed costs no more than this.
pub const MORE_BYTES_MAX: usize = 1 << 20;

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Bytes before it.
    pub offset: usize,
    /// Its bytes without their line end. Of a row whose quotes do not match, its first line.
    pub raw: &'a [u8],
    /// Whether its quotes match.
    pub whole: bool,
}

/// Goes from row to row. A row whose quotes do not match is given up, and the next line begins another.
///
/// Time is linear, whatever the bytes are: each line is looked at as the beginning of a row once, and once as
/// the continuation of one, because rows that were given up all went on in the same way.
#[derive(Debug)]
pub struct Rows<'a> {
    bytes: &'a [u8],
    delimiter: u8,
    ended: bool,
    more_bytes_max: usize,
    position: usize,
    quoted: Quoted,
}

/// The lines that a row which was given up went over, all of them within quotes.
#[derive(Clone, Copy, Debug, Default)]
struct Quoted {
    /// The line that it reached.
    line: usize,
    /// Up to where that line certainly goes.
    line_end_min: usize,
    /// Whether the quotes go wrong there.
    wrong: bool,
}

/// Where the end of a line finds a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Within quotes.
    Quoted,
    /// At its end.
    Whole,
    /// With something between a closing quote and the delimiter.
    Wrong,
}

impl<'a> Rows<'a> {
    /// The rows of `bytes`, up to the first that needs more bytes; if they have `ended`, all rows.
    pub fn new(bytes: &'a [u8], delimiter: u8, ended: bool) -> Rows<'a> {
        let (position, quoted) = (0, Quoted::default());
        Rows { bytes, delimiter, ended, more_bytes_max: MORE_BYTES_MAX, position, quoted }
    }

    /// The same, with another limit on what follows a row's first line.
    pub fn with_limit(self, more_bytes_max: usize) -> Rows<'a> {
        Rows { more_bytes_max, ..self }
    }

    /// Where the next row begins.
    pub fn position(&self) -> usize {
        self.position
    }

    fn line(&self, start: usize, end: usize) -> &'a [u8] {
        without_returns(self.bytes.get(start..end).unwrap_or_default())
    }

    /// Where the first line of a row ends. None if that takes more bytes.
    fn first_line_end(&self) -> Option<usize> {
        let rest = self.bytes.get(self.position..).filter(|rest| !rest.is_empty())?;
        match memchr(b'\n', rest) {
            Some(newline) => Some(self.position + newline),
            None => self.ended.then_some(self.bytes.len()),
        }
    }

    /// Where a row ends that goes on after its first line, `Err(true)` if its quotes do not match, `Err(false)`
    /// if that takes more bytes.
    fn later_line_end(&mut self, first_end: usize) -> Result<usize, bool> {
        let limit = first_end.saturating_add(1).saturating_add(self.more_bytes_max);
        if self.quoted.line <= first_end {
            let line = first_end + 1;
            self.quoted = Quoted { line, line_end_min: line, wrong: false };
        }
        loop {
            let Quoted { line, line_end_min, wrong } = self.quoted;
            if wrong || line_end_min > limit {
                return Err(true);
            }
            let searched = self.bytes.len().min(limit.saturating_add(1));
            let newline = memchr(b'\n', self.bytes.get(line_end_min..searched).unwrap_or_default());
            self.quoted.line_end_min =
                newline.map_or(searched.max(line_end_min), |newline| line_end_min + newline);
            let end = self.quoted.line_end_min;
            if newline.is_none() {
                match end > limit {
                    true => return Err(true),
                    false if !self.ended => return Err(false),
                    false => {}
                }
            }
            match state_after(self.line(line, end), self.delimiter, true) {
                State::Whole => return Ok(end),
                State::Quoted if end < self.bytes.len() => {
                    self.quoted = Quoted { line: end + 1, line_end_min: end + 1, wrong: false };
                }
                _ => self.quoted.wrong = true,
            }
        }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        let offset = self.position;
        let first_end = self.first_line_end()?;
        let (end, whole) = match state_after(self.line(offset, first_end), self.delimiter, false) {
            State::Whole => (first_end, true),
            State::Wrong => (first_end, false),
            State::Quoted => match self.later_line_end(first_end) {
                Ok(end) => (end, true),
                Err(true) => (first_end, false),
                Err(false) => return None,
            },
        };
        self.position = self.bytes.len().min(end + 1);
        Some(Row { offset, raw: self.line(offset, end), whole })
    }
}

/// Where a line finds the row that it is part of, which begins there or goes on within quotes.
fn state_after(line: &[u8], delimiter: u8, mut quoted: bool) -> State {
    if !quoted && memchr(b'"', line).is_none() {
        return State::Whole;
    }
    let mut rest = line;
    loop {
        if !quoted {
            match rest.strip_prefix(b"\"") {
                Some(inside) => rest = inside,
                None => match memchr(delimiter, rest) {
                    Some(position) => {
                        rest = rest.get(position + 1..).unwrap_or_default();
                        continue;
                    }
                    None => return State::Whole,
                },
            }
        }
        let Some(quote) = memchr(b'"', rest) else { return State::Quoted };
        rest = rest.get(quote + 1..).unwrap_or_default();
        match rest.split_first() {
            None => return State::Whole,
            Some((b'"', after)) => {
                rest = after;
                quoted = true;
            }
            Some((byte, after)) if *byte == delimiter => {
                rest = after;
                quoted = false;
            }
            Some(_) => return State::Wrong,
        }
    }
}

/// A line without the carriage returns at its end.
pub fn without_returns(line: &[u8]) -> &[u8] {
    let mut line = line;
    while let Some(shorter) = line.strip_suffix(b"\r") {
        line = shorter;
    }
    line
}

/// A cell as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Without quotes.
    Bare(&'a str),
    /// What stands between quotes, quotes in it doubled.
    Quoted(&'a str),
}

impl<'a> Cell<'a> {
    /// What the cell says: nothing if it is empty and not in quotes.
    pub fn text<'b>(self, buffer: &'b mut String) -> Option<&'b str>
    where
        'a: 'b,
    {
        match self {
            Cell::Bare("") => None,
            Cell::Bare(text) => Some(text),
            Cell::Quoted(text) if memchr(b'"', text.as_bytes()).is_none() => Some(text),
            Cell::Quoted(text) => {
                buffer.clear();
                for (index, part) in text.split("\"\"").enumerate() {
                    if index > 0 {
                        buffer.push('"');
                    }
                    buffer.push_str(part);
                }
                Some(buffer)
            }
        }
    }
}

/// The cells of a row whose quotes match.
#[derive(Debug)]
pub struct Cells<'a> {
    rest: Option<&'a str>,
    delimiter: u8,
}

impl<'a> Cells<'a> {
    /// The cells of a row.
    pub fn new(row: &'a str, delimiter: u8) -> Cells<'a> {
        Cells { rest: Some(row), delimiter }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cell<'a>;

    fn next(&mut self) -> Option<Cell<'a>> {
        let rest = self.rest.take()?;
        let Some(inside) = rest.strip_prefix('"') else {
            let Some(end) = memchr(self.delimiter, rest.as_bytes()) else { return Some(Cell::Bare(rest)) };
            self.rest = rest.get(end + 1..);
            return Some(Cell::Bare(rest.get(..end).unwrap_or_default()));
        };
        let bytes = inside.as_bytes();
        let mut end = 0;
        loop {
            match memchr(b'"', bytes.get(end..).unwrap_or_default()) {
                None => return Some(Cell::Quoted(inside)),
                Some(quote) if bytes.get(end + quote + 1) == Some(&b'"') => end += quote + 2,
                Some(quote) => {
                    end += quote;
                    break;
                }
            }
        }
        if bytes.get(end + 1) == Some(&self.delimiter) {
            self.rest = inside.get(end + 2..);
        }
        Some(Cell::Quoted(inside.get(..end).unwrap_or_default()))
    }
}
