//! Which files of a bundle can have rows that a question is about.

use super::manifest::{BundleFile, CopyFile, Manifest};
use crate::query::analyses::Statement;
use crate::query::filter::TsSpan;

/// A copy is read in place of so many of its data files, or more.
const FILES_MANY: usize = 4;

/// What the rows of a question have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// They happened within this span; none is all of time.
    pub span: Option<TsSpan>,
    /// They happened within one of these, which rise and do not overlap; empty if any.
    pub among: Vec<TsSpan>,
    /// They have one of these numbers, which rise; empty if any.
    pub seqs: Vec<i64>,
    /// They have one of the values of each: pairs of a text column and a value.
    pub keys: Vec<Vec<(String, String)>>,
}

impl Needs {
    /// What a statement says of its rows.
    pub fn of(statement: &Statement) -> Needs {
        let (seqs, keys) = (statement.seqs.clone(), statement.keys.clone());
        Needs { span: statement.span, among: Vec::new(), seqs, keys }
    }

    /// Whether such a row can be among some of which the first and the last instant are known.
    pub fn may_be_within(&self, (first, last): (i64, i64)) -> bool {
        let overlaps = |span: &TsSpan| {
            let (from, to) = span.both_included();
            first <= to && last >= from
        };
        let next = self.among.get(self.among.partition_point(|span| span.both_included().1 < first));
        self.span.as_ref().is_none_or(overlaps) && (self.among.is_empty() || next.is_some_and(overlaps))
    }

    /// Whether a file can have such a row.
    pub fn may_be_in(&self, file: &BundleFile) -> bool {
        let numbers = file.stored.seq;
        let next = self.seqs.get(self.seqs.partition_point(|seq| *seq < numbers.0));
        let has_seq = self.seqs.is_empty() || next.is_some_and(|seq| *seq <= numbers.1);
        let has_one =
            |any: &Vec<(String, String)>| any.iter().any(|(column, value)| may_have(file, column, value));
        self.may_be_within(file.stored.ts) && has_seq && self.keys.iter().all(has_one)
    }
}

impl Manifest {
    /// The numbers of the files to read for some columns of the rows of a question. Together they have each of those rows
    /// once: a copy stands for its data files where it has the columns and many of them are needed.
    pub fn files_with(&self, needs: &Needs, columns: &[&str]) -> Vec<usize> {
        let mut needed: Vec<bool> = self.files.iter().map(|file| needs.may_be_in(file)).collect();
        let mut instead = Vec::new();
        for (number, copy) in self.copies.iter().enumerate() {
            let Some(copied) = needed.get_mut(copy.of.0..copy.of.1) else { continue };
            let of = copied.iter().filter(|is_needed| **is_needed).count();
            if of >= FILES_MANY && has_all(copy, columns) {
                copied.fill(false);
                instead.push(self.files.len().saturating_add(number));
            }
        }
        let days = needed.iter().enumerate().filter(|(_, is_needed)| **is_needed).map(|(number, _)| number);
        days.chain(instead).collect()
    }
}

fn has_all(copy: &CopyFile, columns: &[&str]) -> bool {
    columns.iter().all(|wanted| copy.columns.iter().any(|column| column == wanted))
}

/// Whether a text column can have a value: within its smallest and largest, where the manifest says.
fn may_have(file: &BundleFile, column: &str, value: &str) -> bool {
    match file.texts.get(column) {
        Some(Some((least, most))) => least.as_str() <= value && value <= most.as_str(),
        Some(None) => false,
        None => true,
    }
}
