//! Which files of a bundle can have rows that a question is about.

use super::manifest::BundleFile;
use crate::query::analyses::Statement;
use crate::query::filter::TsSpan;

/// What the rows of a question have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// They happened within this span; none is all of time.
    pub span: Option<TsSpan>,
    /// They have one of these numbers, which rise; empty if any.
    pub seqs: Vec<i64>,
    /// They have one of the values of each: pairs of a text column and a value.
    pub keys: Vec<Vec<(String, String)>>,
}

impl Needs {
    /// What a statement says of its rows.
    pub fn of(statement: &Statement) -> Needs {
        Needs { span: statement.span, seqs: statement.seqs.clone(), keys: statement.keys.clone() }
    }

    /// Whether a file can have such a row.
    pub fn may_be_in(&self, file: &BundleFile) -> bool {
        let is_within = self.span.is_none_or(|span| {
            let (from, to) = span.both_included();
            file.ts.0 <= to && file.ts.1 >= from
        });
        let next = self.seqs.get(self.seqs.partition_point(|seq| *seq < file.seq.0));
        let has_seq = self.seqs.is_empty() || next.is_some_and(|seq| *seq <= file.seq.1);
        let has_one =
            |any: &Vec<(String, String)>| any.iter().any(|(column, value)| may_have(file, column, value));
        is_within && has_seq && self.keys.iter().all(has_one)
    }
}

/// Whether a text column can have a value: within its smallest and largest, where the manifest says.
fn may_have(file: &BundleFile, column: &str, value: &str) -> bool {
    match file.texts.get(column) {
        Some(Some((least, most))) => least.as_str() <= value && value <= most.as_str(),
        Some(None) => false,
        None => true,
    }
}
