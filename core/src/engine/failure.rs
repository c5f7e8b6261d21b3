//! DuckDB's errors as ours. DuckDB says the class of an error only at the start of its text.

use super::hints;
use crate::error::{Error, ErrorKind};
use std::path::Path;
use std::sync::Arc;

/// What a session knows, for messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The files that it may read.
    pub(super) files: Arc<[String]>,
    /// The names of its tables.
    pub(super) tables: Vec<&'static str>,
    /// The names of its columns.
    pub(super) columns: Vec<String>,
    /// The paths of fields, and their columns.
    pub(super) paths: Vec<(String, String)>,
}

/// Whether the error is the answer to an interrupt.
pub(super) fn is_interrupt(error: &duckdb::Error) -> bool {
    matches!(error, duckdb::Error::DuckDBFailure(_, Some(text)) if text.starts_with("INTERRUPT Error"))
}

/// What an error of a query means for the caller.
pub(super) fn explain(error: &duckdb::Error, known: &Known) -> Error {
    match error {
        duckdb::Error::DuckDBFailure(_, Some(text)) => {
            let explained = explain_text(text, &known.files);
            match hints::of(text, known).filter(|_| explained.kind() == ErrorKind::Syntax) {
                Some(hint) => explained.with_hint(hint),
                None => explained,
            }
        }
        other => Error::new(ErrorKind::Invalid, format!("the query cannot be answered: {other}")),
    }
}

/// What it means that rows of ours cannot be taken.
pub(super) fn explain_load(error: duckdb::Error, table: &str) -> Error {
    let explained = explain(&error, &Known::default());
    if explained.kind() == ErrorKind::Limit {
        return explained;
    }
    let message = format!("DuckDB cannot take the rows of `{table}` that are not in Parquet");
    Error::new(ErrorKind::Internal, message).with_source(error)
}

/// What it means that a view over files cannot be made: DuckDB looks into one of them.
pub(super) fn explain_view(error: duckdb::Error, files: &[String]) -> Error {
    let known = Known { files: files.into(), ..Known::default() };
    let explained = explain(&error, &known);
    match explained.kind() {
        ErrorKind::Corrupt | ErrorKind::Permission | ErrorKind::Io | ErrorKind::Limit => explained,
        _ => super::internal(error),
    }
}

fn explain_text(text: &str, files: &[String]) -> Error {
    let class = text.split_once(':').map_or("", |(class, _)| class);
    let text = without_advice(text);
    if let Some(error) = about_file(class, text, files) {
        return error;
    }
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
        "Invalid Input Error" if text.contains("configuration has been locked") => refused(text),
        "Invalid Input Error" if regex_fault(text).is_some() => {
            let fault = regex_fault(text).unwrap_or_default();
            Error::new(
                ErrorKind::Syntax,
                format!("a regex of the query or its filter cannot be read: {fault}"),
            )
        }
        _ if is_memory(class, text) => {
            plain(ErrorKind::Limit, text).with_hint("ask for less, or raise the memory limit")
        }
        "INTERNAL Error" | "FATAL Error" => plain(ErrorKind::Internal, text),
        "IO Error" if text.contains("No space left") => {
            plain(ErrorKind::Full, text).with_hint("make room on the disk, then try again")
        }
        "IO Error" => plain(ErrorKind::Io, text),
        // Thrift throws past DuckDB's own errors, and only over the bytes of a Parquet file.
        _ if text.contains("TProtocolException") || text.contains("TTransportException") => {
            damaged("a data file is damaged", text)
        }
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
fn without_advice(text: &str) -> &str {
    let advices = ["\nThis limit was set", "\n\nPossible solutions", "\n\nPlease try installing"];
    let ends = advices.map(|advice| text.find(advice));
    let end = ends.into_iter().flatten().min().unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim_end()
}

/// The error, if it is that a file of the snapshot is not there or is damaged.
fn about_file(class: &str, text: &str, files: &[String]) -> Option<Error> {
    let is_input = matches!(class, "Permission Error" | "IO Error" | "Invalid Input Error");
    if !is_input && !text.contains("while reading file") {
        return None;
    }
    let file = files.iter().find(|file| text.contains(file.as_str()))?;
    match Path::new(file).symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let message = format!("the data file `{file}` is missing");
            Some(Error::new(ErrorKind::Corrupt, message).with_hint(VERIFY))
        }
        _ if class == "Permission Error" => None,
        Err(error) => Some(Error::io("read", file, error)),
        Ok(_) => Some(damaged(&format!("the data file `{file}` cannot be read"), text)),
    }
}

const VERIFY: &str = "restore the file from a copy";

fn damaged(what: &str, text: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{what}: {text}")).with_hint(VERIFY)
}

fn refused(text: &str) -> Error {
    plain(ErrorKind::Refused, text).with_hint("a query can read the tables of the store and nothing else")
}

fn plain(kind: ErrorKind, text: &str) -> Error {
    Error::new(kind, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, kind: ErrorKind, message: &str) {
        let error = explain_text(text, &["/nowhere/day=2026-02-03/a.parquet".to_string()]);
        assert_eq!(error.kind(), kind, "{text}");
        assert_eq!(error.message(), message);
    }

    #[test]
    fn classes_become_kinds() {
        let same = |text: &str, kind| check(text, kind, text);
        same("Binder Error: no column\nDid you mean \"kind\"?", ErrorKind::Syntax);
        same("Permission Error: Cannot access file \"/etc/passwd\"", ErrorKind::Refused);
        same("TransactionContext Error: Cannot write: read-only mode", ErrorKind::Refused);
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

    #[test]
    fn a_missing_file_is_named() {
        check(
            "Permission Error: Cannot access file \"/nowhere/day=2026-02-03/a.parquet/**/*.parquet\"",
            ErrorKind::Corrupt,
            "the data file `/nowhere/day=2026-02-03/a.parquet` is missing",
        );
    }
}
