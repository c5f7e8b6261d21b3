//! What DuckDB's errors mean. It says the class of an error only at the start of its text.

mod hints;

use crate::error::{Error, ErrorKind};
use crate::event::column::Column;

/// The names that a query can use, for hints.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Tables.
    pub tables: Vec<&'static str>,
    /// Columns.
    pub columns: Vec<String>,
    /// The paths of fields, and their columns.
    pub paths: Vec<(String, String)>,
    /// What lists the columns.
    pub listed_by: &'static str,
}

impl Names {
    /// Adds columns of a table.
    pub fn add(&mut self, columns: &[Column]) {
        for column in columns {
            self.columns.push(column.name.clone());
            let path = column.path.as_ref().map(ToString::to_string);
            self.paths
                .extend(path.filter(|path| *path != column.name).map(|path| (path, column.name.clone())));
        }
    }
}

/// What an error of DuckDB's means for who asked.
pub fn explain(text: &str, names: &Names) -> Error {
    let explained = meaning(text);
    match hints::of(text, names).filter(|_| explained.kind() == ErrorKind::Syntax) {
        Some(hint) => explained.with_hint(hint),
        None => explained,
    }
}

/// The class of an error.
pub fn class(text: &str) -> &str {
    text.split_once(':').map_or("", |(class, _)| class)
}

fn meaning(text: &str) -> Error {
    let class = class(text);
    let text = without_advice(text);
    if text.contains("in the icu extension") || text.contains("extension 'icu") {
        return plain(ErrorKind::Syntax, text)
            .with_hint("times here are UTC and have no zone; cast to `TIMESTAMP`");
    }
    match class {
        "Parser Error" | "Syntax Error" | "Binder Error" | "Catalog Error" | "Not implemented Error" => {
            plain(ErrorKind::Syntax, text)
        }
        "Parameter Not Resolved Error" | "Parameter Not Allowed Error" => plain(ErrorKind::Syntax, text),
        "Permission Error" => refused(text),
        "TransactionContext Error" if text.contains("read-only mode") => refused(text),
        _ if text.contains("Cannot prepare multiple statements") => refused(text),
        "Invalid Input Error" if text.contains("configuration has been locked") => refused(text),
        "Invalid Input Error" if regex_fault(text).is_some() => {
            let fault = regex_fault(text).unwrap_or_default();
            let message = format!("a regex of the query or its filter cannot be read: {fault}");
            Error::new(ErrorKind::Syntax, message)
        }
        "INTERRUPT Error" => plain(ErrorKind::Interrupted, text),
        _ if is_memory(class, text) => {
            plain(ErrorKind::Limit, text).with_hint("ask for less, or raise the memory limit")
        }
        "INTERNAL Error" | "FATAL Error" => plain(ErrorKind::Internal, text),
        "IO Error" if text.contains("No space left") => {
            plain(ErrorKind::Full, text).with_hint("make room on the disk, then try again")
        }
        "IO Error" => plain(ErrorKind::Io, text),
        _ => plain(ErrorKind::Invalid, text),
    }
}

/// What is wrong with a regex, in the words of RE2, if the error is about one.
fn regex_fault(text: &str) -> Option<&str> {
    const FAULTS: [&str; 13] = [
        "invalid escape sequence",
        "invalid character class",
        "missing ]",
        "missing )",
        "unexpected )",
        "trailing \\",
        "no argument for repetition operator",
        "invalid repetition size",
        "bad repetition operator",
        "invalid perl operator",
        "invalid UTF-8",
        "invalid named capture group",
        "pattern too large",
    ];
    let fault = text.strip_prefix("Invalid Input Error: ")?;
    FAULTS.iter().any(|known| fault.starts_with(known)).then_some(fault)
}

/// Whether memory or temporary space ran out; an appender's error does not say its class.
fn is_memory(class: &str, text: &str) -> bool {
    class == "Out of Memory Error"
        || text.contains("failed to offload")
        || text.contains("failed to allocate")
        || text.contains("std::bad_alloc")
}

/// DuckDB's advice to change settings or to install something is left out: nobody can, here.
pub fn without_advice(text: &str) -> &str {
    let advices = ["\nThis limit was set", "\n\nPossible solutions", "\n\nPlease try installing"];
    let ends = advices.map(|advice| text.find(advice));
    let end = ends.into_iter().flatten().min().unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim_end()
}

fn refused(text: &str) -> Error {
    plain(ErrorKind::Refused, text).with_hint("a query can read its tables and nothing else")
}

fn plain(kind: ErrorKind, text: &str) -> Error {
    Error::new(kind, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, kind: ErrorKind, message: &str) {
        let error = explain(text, &Names::default());
        assert_eq!(error.kind(), kind, "{text}");
        assert_eq!(error.message(), message);
    }

    #[test]
    fn classes_become_kinds() {
        let same = |text: &str, kind| check(text, kind, text);
        same("Binder Error: no column\nDid you mean \"kind\"?", ErrorKind::Syntax);
        same("Permission Error: Cannot access file \"/etc/passwd\"", ErrorKind::Refused);
        same("TransactionContext Error: Cannot write: read-only mode", ErrorKind::Refused);
        same("Cannot prepare multiple statements at once!", ErrorKind::Refused);
        check(
            "Invalid Input Error: invalid repetition size: {1001}",
            ErrorKind::Syntax,
            "a regex of the query or its filter cannot be read: invalid repetition size: {1001}",
        );
        same("Conversion Error: Could not convert string 'a' to INT32", ErrorKind::Invalid);
        same("IO Error: Could not write: No space left on device", ErrorKind::Full);
        same("INTERNAL Error: oh", ErrorKind::Internal);
        same("no class", ErrorKind::Invalid);
        check(
            "Out of Memory Error: failed to allocate\n\nPossible solutions:\n* Reducing",
            ErrorKind::Limit,
            "Out of Memory Error: failed to allocate",
        );
    }
}
