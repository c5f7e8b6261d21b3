//! Names, delimiter and kinds of columns: from the beginning of an input, or from a stored header.

use super::rows::{Cells, Row, Rows};
use crate::format::Sample;
use crate::format::cells::{
    Columns, Kind, KindGuess, SAMPLE_ROWS, distinct, kinds_entries, kinds_line, kinds_of,
};
use crate::ingest::encoding::windows_1252;
use std::collections::HashSet;

/// What may stand between values; earlier ones win where all else is equal.
pub const DELIMITERS: [(u8, &str); 4] = [(b',', "comma"), (b';', "semicolon"), (b'\t', "tab"), (b'|', "bar")];

/// The longest name of a column that is one for sure.
const NAME_CHARS_MAX: usize = 64;

/// How rows fit their header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    /// The rows that were looked at.
    pub rows: usize,
    /// Those with as many cells as there are names.
    pub agreeing: usize,
    /// How often a name stands as a value in its own column.
    pub names_as_values: usize,
}

impl Fit {
    /// In thousandths.
    fn share(self) -> usize {
        self.agreeing * 1_000 / self.rows.max(1)
    }
}

/// How an input is read.
#[derive(Debug)]
pub struct Plan {
    pub delimiter: u8,
    pub columns: Columns,
    /// The line with the names.
    pub header_line: Vec<u8>,
    /// Bytes up to the first row.
    pub start: usize,
    pub fit: Fit,
    pub notes: Vec<String>,
    /// The names as they are written.
    written: Vec<String>,
}

impl Plan {
    /// The plan of an input.
    pub fn of(sample: &Sample<'_>) -> Plan {
        match sample.header {
            Some(header) => Plan::of_given(sample, header),
            None => Plan::of_first_line(sample),
        }
    }

    /// The names are in the input's first row: the delimiter is the one that most rows agree on.
    fn of_first_line(sample: &Sample<'_>) -> Plan {
        let mut best: Option<([usize; 3], Plan)> = None;
        for (delimiter, _) in DELIMITERS {
            let mut rows = Rows::new(sample.bytes, delimiter, true);
            let first = rows.by_ref().find(|row| !row.raw.trim_ascii().is_empty());
            let header_line = first.map_or(&[][..], |row| row.raw).to_vec();
            let start = rows.position();
            let written = names_of(&String::from_utf8_lossy(&header_line), delimiter);
            let body = Sample { bytes: sample.bytes.get(start..).unwrap_or_default(), ..*sample };
            let fit = fit(&body, delimiter, &written);
            let score = match (written.len(), fit.share()) {
                (0 | 1, _) => [0; 3],
                (names, share @ 800..) => [2, names, share],
                (names, share) => [1, share, names],
            };
            let (notes, columns) = (Vec::new(), Columns::default());
            let plan = Plan { delimiter, columns, header_line, start, fit, notes, written };
            if best.as_ref().is_none_or(|(before, _)| score > *before) {
                best = Some((score, plan));
            }
        }
        let (_, mut plan) = best.unwrap_or_default();
        plan.header_line = decoded(plan.header_line);
        plan.written = names_of(&String::from_utf8_lossy(&plan.header_line), plan.delimiter);
        let body = Sample { bytes: sample.bytes.get(plan.start..).unwrap_or_default(), ..*sample };
        plan.settle(&body);
        plan
    }

    /// The names are known: the input begins with a row.
    fn of_given(sample: &Sample<'_>, header: &str) -> Plan {
        let parts = header.rsplit_once('\n').filter(|(_, last)| kinds_entries(last).is_some());
        let (line, decided) = parts.unwrap_or((header.trim_end_matches(['\r', '\n']), ""));
        let mut delimiter = delimiter_of(line);
        let named =
            kinds_entries(decided).and_then(|mut entries| entries.find(|(key, _)| *key == "delimiter"));
        if let Some((byte, _)) =
            named.and_then(|(_, name)| DELIMITERS.iter().find(|(_, known)| *known == name))
        {
            delimiter = *byte;
        }
        let written = names_of(line, delimiter);
        let header_line = line.as_bytes().to_vec();
        let mut plan = Plan { delimiter, written, header_line, ..Plan::default() };
        plan.fit = fit(sample, delimiter, &plan.written);
        if let Some(kinds) = kinds_of(decided, plan.written.len()) {
            let names = distinct(plan.written.clone(), &mut Vec::new());
            plan.columns = Columns { names, kinds };
            return plan;
        }
        for (delimiter, _) in DELIMITERS {
            let other = fit(sample, delimiter, &plan.written);
            if other.share() > plan.fit.share() {
                plan.delimiter = delimiter;
                plan.fit = other;
            }
        }
        if plan.delimiter != delimiter {
            plan.header_line = joined(&plan.written, plan.delimiter);
        }
        plan.settle(sample);
        plan
    }

    /// Makes names distinct, and takes the kinds of columns from rows.
    fn settle(&mut self, body: &Sample<'_>) {
        let names = distinct(self.written.clone(), &mut self.notes);
        let mut guesses = vec![KindGuess::default(); names.len()];
        let mut buffer = String::new();
        for row in sample_rows(body, self.delimiter).filter(|row| row.whole && row.raw != self.header_line) {
            let text = String::from_utf8_lossy(row.raw);
            if Cells::new(&text, self.delimiter).count() != names.len() {
                continue;
            }
            for (guess, cell) in guesses.iter_mut().zip(Cells::new(&text, self.delimiter)) {
                guess.add(cell.text(&mut buffer).unwrap_or_default());
            }
        }
        let kinds: Vec<Kind> = guesses.iter().map(KindGuess::kind).collect();
        self.columns = Columns { names, kinds };
    }

    /// What a row needs to be read alone: the names as they stand in the input, and a line with what was decided.
    pub fn stored_header(&self) -> String {
        let line = String::from_utf8_lossy(&self.header_line);
        let name = DELIMITERS.iter().find(|(byte, _)| *byte == self.delimiter).map_or("", |(_, name)| name);
        let extra = (delimiter_of(&line) != self.delimiter).then(|| format!("delimiter={name}"));
        format!("{line}\n{}", kinds_line(&self.columns.kinds, extra.as_deref()))
    }

    /// How sure it is that these are names and not values, from 1 to 100, if they may be names at all.
    pub fn sure_of_names(&self) -> Option<usize> {
        let written = &self.written;
        let empty = written.iter().filter(|name| name.is_empty()).count();
        let distinct: HashSet<&String> = written.iter().collect();
        if empty > 1 || distinct.len() * 2 < written.len() || !written.iter().all(|name| may_be_name(name)) {
            return None;
        }
        let plain = written.iter().all(|name| is_plain_name(name));
        let rare = !matches!(self.delimiter, b',' | b'|');
        let sure = match (plain, written.len()) {
            (true, 3..) => 92,
            (true, _) => 80,
            (false, 3..) => 75,
            (false, _) if rare => 60,
            (false, _) => return None,
        };
        let line = String::from_utf8_lossy(&self.header_line);
        let is_spaced = line.matches(", ").count() + 1 >= written.len();
        match (is_spaced, plain, self.fit.names_as_values) {
            // Sentences have a space after each comma.
            (true, false, _) => None,
            // Where a name is also a value of its column, the first row may be one like the others.
            (true, ..) | (_, _, 1..) => Some(sure / 2),
            _ => Some(sure),
        }
    }
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            delimiter: b',',
            columns: Columns::default(),
            header_line: Vec::new(),
            start: 0,
            fit: Fit::default(),
            notes: Vec::new(),
            written: Vec::new(),
        }
    }
}

/// The delimiter of a line of names: the one that makes most of them.
fn delimiter_of(header: &str) -> u8 {
    let mut best = (0, b',');
    for (delimiter, _) in DELIMITERS {
        let row = Rows::new(header.as_bytes(), delimiter, true).next();
        let text = row.and_then(|row| std::str::from_utf8(row.raw).ok()).unwrap_or_default();
        let cells = Cells::new(text, delimiter).count();
        if cells > best.0 {
            best = (cells, delimiter);
        }
    }
    best.1
}

fn names_of(line: &str, delimiter: u8) -> Vec<String> {
    let mut buffer = String::new();
    Cells::new(line, delimiter)
        .map(|cell| cell.text(&mut buffer).unwrap_or_default().trim().to_string())
        .collect()
}

/// A line of names.
fn joined(names: &[String], delimiter: u8) -> Vec<u8> {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    quoted.join(char::from(delimiter).encode_utf8(&mut [0; 4])).into_bytes()
}

/// Bytes as UTF-8; those that are not are Windows-1252.
fn decoded(line: Vec<u8>) -> Vec<u8> {
    match std::str::from_utf8(&line) {
        Ok(_) => line,
        Err(_) => windows_1252(&line).into_bytes(),
    }
}

fn sample_rows<'a>(body: &Sample<'a>, delimiter: u8) -> impl Iterator<Item = Row<'a>> {
    let rows = Rows::new(body.bytes, delimiter, body.whole);
    rows.filter(move |row| !row.raw.trim_ascii().is_empty() || row.raw.contains(&delimiter)).take(SAMPLE_ROWS)
}

fn fit(body: &Sample<'_>, delimiter: u8, names: &[String]) -> Fit {
    let mut fit = Fit::default();
    for row in sample_rows(body, delimiter) {
        let text = String::from_utf8_lossy(row.raw);
        fit.rows += 1;
        if !row.whole || Cells::new(&text, delimiter).count() != names.len() {
            continue;
        }
        fit.agreeing += 1;
        let mut buffer = String::new();
        let same = |(cell, name): (super::rows::Cell<'_>, &String)| {
            !name.is_empty() && cell.text(&mut buffer) == Some(name.as_str())
        };
        let same = Cells::new(&text, delimiter).zip(names).map(same).filter(|same| *same).count();
        // A row of nothing but names is the header of a file that was joined to this one.
        if same < names.len() {
            fit.names_as_values += same;
        }
    }
    fit
}

/// Whether a cell of a first row may name its column.
fn may_be_name(name: &str) -> bool {
    let begins = name.chars().next().is_none_or(|first| first.is_alphabetic() || "_@#$%".contains(first));
    let clean = !name.contains(|character: char| "{}[]\"=<>\\".contains(character) || character.is_control());
    let has_time = name.as_bytes().windows(3).any(|three| match three {
        [before, b':', after] => before.is_ascii_digit() && after.is_ascii_digit(),
        _ => false,
    });
    let is_short = name.chars().take(NAME_CHARS_MAX + 1).count() <= NAME_CHARS_MAX;
    begins && clean && !has_time && is_short && name.split_whitespace().count() <= 5
}

/// Whether a name is one as programs write them.
fn is_plain_name(name: &str) -> bool {
    !name.contains(|character: char| !(character.is_alphanumeric() || "_-.@#$%:/".contains(character)))
}
