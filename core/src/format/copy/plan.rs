//! Where the rows of an input begin, and the columns that they have.

use super::row::{Cells, Lines, Statement, decode, is_end_of_rows};
use crate::format::Sample;
use crate::format::cells::{Columns, Kind, KindGuess, SAMPLE_ROWS, distinct, kinds_line, kinds_of};
use memchr::memmem;

/// What `pg_dump` begins with.
const DUMP: &[u8] = b"-- PostgreSQL database dump";
/// How far into the input that stands.
const DUMP_BYTES: usize = 1_000;

/// How an input is read.
#[derive(Debug, Default)]
pub struct Plan {
    /// The columns of the rows at `start`; none if statements stand there.
    pub columns: Option<Columns>,
    /// Whether there are statements around the rows.
    pub is_dump: bool,
    /// Bytes up to the first row.
    pub start: usize,
    /// What people should know.
    pub notes: Vec<String>,
}

impl Plan {
    /// The plan of an input.
    pub fn of(sample: &Sample<'_>) -> Plan {
        if let Some(header) = sample.header {
            return Plan::of_given(sample, header);
        }
        for line in Lines::new(sample.bytes, sample.whole) {
            if let Some(statement) = Statement::of(line.raw) {
                return Plan::of_statement(sample, statement, line.next);
            }
        }
        if is_dump(sample) {
            let note =
                "no COPY statement stands at the beginning of the dump: its rows are read where one comes";
            return Plan { is_dump: true, notes: vec![note.to_string()], ..Plan::default() };
        }
        let first = Lines::new(sample.bytes, true).find(|line| !line.raw.is_empty());
        let line = first.map_or(&[][..], |line| line.raw);
        let start = first.map_or(sample.bytes.len(), |line| line.next);
        Plan::new(sample, start, names_of(line))
    }

    fn new(sample: &Sample<'_>, start: usize, names: Vec<String>) -> Plan {
        let mut notes = Vec::new();
        let names = distinct(names, &mut notes);
        let rows = sample.bytes.get(start..).unwrap_or_default();
        let kinds = kinds_from(rows, sample.whole, names.len());
        Plan { columns: Some(Columns { names, kinds }), is_dump: false, start, notes }
    }

    fn of_statement(sample: &Sample<'_>, statement: Statement, start: usize) -> Plan {
        let Statement { table, names, kinds, .. } = statement;
        let mut plan = Plan::new(sample, start, names);
        plan.is_dump = true;
        if let (Some(kinds), Some(columns)) = (kinds, plan.columns.as_mut()) {
            columns.kinds = kinds;
        }
        let rows = sample.bytes.get(start..).unwrap_or_default();
        let others = Lines::new(rows, sample.whole).filter_map(|line| Statement::of(line.raw));
        if let Some(other) = others.map(|statement| statement.table).find(|other| *other != table) {
            plan.notes.push(format!("the dump has more than one table: {table}, {other}"));
        }
        plan
    }

    /// The names are known: the input begins with a row.
    fn of_given(sample: &Sample<'_>, header: &str) -> Plan {
        let mut lines = header.lines();
        let line = lines.next().unwrap_or_default();
        let Some(stored) = lines.next() else {
            let names = match line.contains('\t') {
                true => names_of(line.as_bytes()),
                false => line.split(',').map(|name| name.trim().to_string()).collect(),
            };
            return Plan::new(sample, 0, names);
        };
        let names = distinct(names_of(line.as_bytes()), &mut Vec::new());
        let kinds = kinds_of(stored, names.len()).unwrap_or_default();
        Plan { columns: Some(Columns { names, kinds }), ..Plan::default() }
    }

    /// What a row needs to be read alone: a line of names, and one with the kinds of their columns.
    pub fn stored_header(&self) -> Option<String> {
        let columns = self.columns.as_ref()?;
        let names: Vec<String> = columns.names.iter().map(|name| escaped(name)).collect();
        Some(format!("{}\n{}", names.join("\t"), kinds_line(&columns.kinds, None)))
    }

    /// How sure it is that the input is `COPY` as text, and why.
    pub fn sure(&self, sample: &Sample<'_>) -> Option<(u8, &'static str)> {
        let Some(columns) = &self.columns else {
            let is_other = memmem::find(sample.bytes, b"\nINSERT INTO ").is_some();
            return (!is_other).then_some((90, "it begins as a dump of PostgreSQL does"));
        };
        if self.is_dump {
            return Some((97, "it has a COPY statement"));
        }
        let (mut rows, mut agreeing, mut marks) = (0, 0, 0);
        for line in sample_rows(sample.bytes.get(self.start..).unwrap_or_default(), sample.whole) {
            rows += 1;
            if Cells::new(line).count() == columns.count() {
                agreeing += 1;
                marks += Cells::new(line).filter(|cell| *cell == b"\\N").count();
            }
        }
        let fits = columns.count() > 1 && marks > 0 && agreeing * 10 >= rows * 9;
        fits.then_some((96, "there are tabs between the values, and `\\N` for null"))
    }
}

fn is_dump(sample: &Sample<'_>) -> bool {
    let beginning = sample.bytes.get(..DUMP_BYTES).unwrap_or(sample.bytes);
    beginning.starts_with(b"--") && memmem::find(beginning, DUMP).is_some()
}

fn names_of(line: &[u8]) -> Vec<String> {
    let mut buffer = Vec::new();
    let name = |cell| match decode(cell, &mut buffer) {
        Ok(name) => name.unwrap_or_default().trim().to_string(),
        Err(_) => String::from_utf8_lossy(cell).trim().to_string(),
    };
    Cells::new(line).map(name).collect()
}

fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The first rows of a table.
fn sample_rows(rows: &[u8], ended: bool) -> impl Iterator<Item = &[u8]> {
    let is_row = |raw: &&[u8]| !is_end_of_rows(raw) && Statement::of(raw).is_none();
    Lines::new(rows, ended).map(|line| line.raw).take_while(is_row).take(SAMPLE_ROWS)
}

/// What the cells of each column become, from the first rows of a table.
pub fn kinds_from(rows: &[u8], ended: bool, columns: usize) -> Vec<Kind> {
    let mut guesses = vec![KindGuess::default(); columns];
    let mut buffer = Vec::new();
    for row in sample_rows(rows, ended).filter(|row| Cells::new(row).count() == columns) {
        for (guess, cell) in guesses.iter_mut().zip(Cells::new(row)) {
            if let Ok(Some(text)) = decode(cell, &mut buffer) {
                guess.add(text);
            }
        }
    }
    guesses.iter().map(KindGuess::kind).collect()
}
