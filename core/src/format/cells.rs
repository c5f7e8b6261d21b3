//! What formats with named columns share: the names, and what a cell becomes in JSON.

#[cfg(test)]
pub(super) mod tests;

use super::object::ObjectWriter;
use crate::event::json::Tape;
use crate::event::number::{self, Number};
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

/// How many rows of a sample are looked at.
pub(super) const SAMPLE_ROWS: usize = 1_000;

/// What the second line of a stored header begins with.
const KINDS: &str = "types:";

/// What the cells of a column become, where they can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Strings.
    #[default]
    Text,
    /// Numbers that are written without needless zeros.
    Number,
    /// Numbers with so many decimals, also where these end in zeros.
    Decimals(u8),
    /// `true` and `false`.
    Boolean,
}

/// The columns of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// Distinct names.
    pub names: Vec<String>,
    /// As many kinds.
    pub kinds: Vec<Kind>,
}

impl Columns {
    /// How many columns there are.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// The name and the kind of a column.
    pub fn get(&self, index: usize) -> Option<(&str, Kind)> {
        let kind = self.kinds.get(index).copied().unwrap_or_default();
        Some((self.names.get(index)?, kind))
    }
}

/// Gives columns without a name one, and names that stand twice a number. Says in notes what was changed.
pub(super) fn distinct(names: Vec<String>, notes: &mut Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
    let mut seen: HashSet<String> = HashSet::new();
    let mut next: HashMap<String, usize> = HashMap::new();
    let mut changed = Vec::new();
    let mut distinct = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        if !name.is_empty() && seen.insert(name.clone()) {
            distinct.push(name);
            continue;
        }
        let (base, first) = match name.as_str() {
            "" => ("column", index + 1),
            name => (name, 2),
        };
        let number = next.entry(name.clone()).or_insert(first);
        *number = first.max(*number);
        let mut given = format!("{base}_{number}");
        while !taken.insert(given.clone()) {
            *number += 1;
            given = format!("{base}_{number}");
        }
        changed.push(format!("column {} is called `{given}`", index + 1));
        distinct.push(given);
    }
    if let Some(first) = changed.first() {
        let more = match changed.len() {
            1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        notes.push(format!("not all columns have a name of their own: {first}{more}"));
    }
    distinct
}

/// How a number is written that is an integer or a decimal, without exponent or leading zeros, and that the store
/// holds exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    /// Digits after the point.
    pub decimals: usize,
    /// Whether the last of them is a zero.
    pub ends_in_zero: bool,
}

/// Reads a cell as a plain number.
pub(super) fn plain_number(text: &[u8]) -> Option<Plain> {
    const LENGTH_MAX: usize = 64;
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if !digits.first()?.is_ascii_digit() || text.len() > LENGTH_MAX {
        return None;
    }
    let mut parts = digits.splitn(2, |byte| *byte == b'.');
    let (whole, decimals) = (parts.next()?, parts.next());
    let are_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let leading_zero = whole.len() > 1 && whole.first() == Some(&b'0');
    if leading_zero || !are_digits(whole) || decimals.is_some_and(|decimals| !are_digits(decimals)) {
        return None;
    }
    let decimals = decimals.unwrap_or_default();
    let is_held = match number::read(text) {
        Number::Int(_) => true,
        Number::Double(_) => !decimals.is_empty(),
        Number::Exact => false,
    };
    let ends_in_zero = decimals.last() == Some(&b'0');
    is_held.then_some(Plain { decimals: decimals.len(), ends_in_zero })
}

impl Plain {
    /// Whether it has more zeros at its end than a double's usual spelling, such as `2.0`.
    fn is_padded(self) -> bool {
        self.ends_in_zero && self.decimals > 1
    }
}

/// Decides the kind of a column from its cells.
#[derive(Clone, Debug, Default)]
pub(super) struct KindGuess {
    cells: usize,
    booleans: usize,
    numbers: usize,
    padded: bool,
    uneven: bool,
    decimals: Option<usize>,
}

impl KindGuess {
    /// Takes a cell into account.
    pub fn add(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.cells += 1;
        if matches!(text, "true" | "false") {
            self.booleans += 1;
        } else if let Some(plain) = plain_number(text.as_bytes()) {
            self.numbers += 1;
            self.padded |= plain.is_padded();
            self.uneven |= *self.decimals.get_or_insert(plain.decimals) != plain.decimals;
        }
    }

    /// The kind. Numbers that are padded to different lengths are versions and the like: text.
    pub fn kind(&self) -> Kind {
        if self.cells == 0 {
            return Kind::Text;
        }
        let decimals = self.decimals.and_then(|decimals| u8::try_from(decimals).ok());
        match (self.booleans == self.cells, self.numbers == self.cells, self.padded, decimals) {
            (true, ..) => Kind::Boolean,
            (_, true, false, _) => Kind::Number,
            (_, true, true, Some(decimals)) if !self.uneven => Kind::Decimals(decimals),
            _ => Kind::Text,
        }
    }
}

/// A second line for stored headers, so that a row that is read alone becomes what it became among others.
pub(super) fn kinds_line(kinds: &[Kind], extra: Option<&str>) -> String {
    let mut line = KINDS.to_string();
    let mut separator = ' ';
    if let Some(extra) = extra {
        line.push(separator);
        line.push_str(extra);
        separator = ',';
    }
    for (index, kind) in kinds.iter().enumerate() {
        let name = match kind {
            Kind::Text => continue,
            Kind::Number => "number".to_string(),
            Kind::Decimals(decimals) => format!("decimal{decimals}"),
            Kind::Boolean => "boolean".to_string(),
        };
        // Writing to a string cannot fail.
        let _ = write!(line, "{separator}{}={name}", index + 1);
        separator = ',';
    }
    line
}

/// The entries of such a line, if it is one.
pub(super) fn kinds_entries(line: &str) -> Option<impl Iterator<Item = (&str, &str)>> {
    let entries = line.trim().strip_prefix(KINDS)?;
    Some(entries.split(',').filter_map(|entry| entry.trim().split_once('=')))
}

/// The kinds that such a line gives to columns, if it is one.
pub(super) fn kinds_of(line: &str, columns: usize) -> Option<Vec<Kind>> {
    let mut kinds = vec![Kind::Text; columns];
    for (column, name) in kinds_entries(line)? {
        let index = column.parse::<usize>().ok().and_then(|column| column.checked_sub(1));
        let kind = match name {
            "number" => Some(Kind::Number),
            "boolean" => Some(Kind::Boolean),
            other => other.strip_prefix("decimal").and_then(|digits| digits.parse().ok()).map(Kind::Decimals),
        };
        if let (Some(place), Some(kind)) = (index.and_then(|index| kinds.get_mut(index)), kind) {
            *place = kind;
        }
    }
    Some(kinds)
}

/// Why a row with so many fields is none of an input with so many columns.
pub(super) fn miscount(fields: usize, columns: usize) -> String {
    let plural = if fields == 1 { "" } else { "s" };
    format!("the row has {fields} field{plural}, the header {columns}")
}

/// Writes rows as JSON objects; reused from row to row.
#[derive(Debug, Default)]
pub(super) struct RowWriter {
    object: ObjectWriter,
    tape: Tape,
    fields: usize,
}

impl RowWriter {
    /// Begins a row.
    pub fn begin(&mut self) {
        self.object.begin();
        self.fields = 0;
    }

    /// Adds the next cell; `None` is null.
    pub fn cell(&mut self, columns: &Columns, text: Option<&str>) {
        let column = columns.get(self.fields);
        self.fields += 1;
        let Some((name, kind)) = column else { return };
        let Some(text) = text else { return self.object.null(name) };
        let bytes = text.as_bytes();
        let is_json = match kind {
            Kind::Boolean if matches!(text, "true" | "false") => true,
            Kind::Number => plain_number(bytes).is_some_and(|plain| !plain.is_padded()),
            Kind::Decimals(decimals) => plain_number(bytes)
                .is_some_and(|plain| !plain.is_padded() || plain.decimals == usize::from(decimals)),
            _ => matches!(bytes.first(), Some(b'{' | b'[')) && self.tape.parse(bytes).is_ok(),
        };
        match is_json {
            true => self.object.json(name, bytes),
            false => self.object.text(name, text),
        }
    }

    /// The object; or why it is none.
    pub fn end(&mut self, columns: &Columns) -> Result<&[u8], String> {
        match self.fields == columns.count() {
            true => Ok(self.object.end()),
            false => Err(miscount(self.fields, columns.count())),
        }
    }
}
