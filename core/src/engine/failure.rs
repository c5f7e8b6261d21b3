//! DuckDB's errors as ours, also those about files.

use crate::error::{Error, ErrorKind};
use crate::query::failed::{self, Names};
use std::path::Path;
use std::sync::Arc;

/// What a session knows, for messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The files that it may read.
    pub(super) files: Arc<[String]>,
    /// The names that queries can use.
    pub(super) names: Names,
}

/// Whether the error is the answer to an interrupt.
pub(super) fn is_interrupt(error: &duckdb::Error) -> bool {
    matches!(error, duckdb::Error::DuckDBFailure(_, Some(text)) if text.starts_with("INTERRUPT Error"))
}

/// What an error of a query means for the caller.
pub(super) fn explain(error: &duckdb::Error, known: &Known) -> Error {
    match error {
        duckdb::Error::DuckDBFailure(_, Some(text)) => explain_text(text, known),
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

fn explain_text(text: &str, known: &Known) -> Error {
    let class = failed::class(text);
    if let Some(error) = about_file(class, failed::without_advice(text), &known.files) {
        return error;
    }
    // Thrift throws past DuckDB's own errors, and only over the bytes of a Parquet file.
    if text.contains("TProtocolException") || text.contains("TTransportException") {
        return damaged("a data file is damaged", failed::without_advice(text));
    }
    failed::explain(text, &known.names)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, kind: ErrorKind, message: &str) {
        let files = ["/nowhere/day=2026-02-03/a.parquet".to_string()];
        let error = explain_text(text, &Known { files: files.into(), ..Known::default() });
        assert_eq!(error.kind(), kind, "{text}");
        assert_eq!(error.message(), message);
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
