//! Where rows go, and in which format.

use std::path::{Path, PathBuf};

use daybook::output::OutputFormat;

use super::checked::{Target, is_dash};
use super::exporting::RawExportFormat;
use super::raw::{RawFormat, RawShellFormat};
use crate::failure::Failure;

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for people.
    Table,
    /// A format of the library's.
    Rows(OutputFormat),
}

/// The target that an option names.
pub fn target(file: Option<PathBuf>) -> Target {
    match file {
        Some(file) if !is_dash(&file) => Target::File(file),
        _ => Target::Stdout,
    }
}

/// The format of a query's rows: what was asked for, else what the name of the file says.
pub fn of_rows(raw: Option<RawFormat>, json: bool, target: &Target) -> Result<Format, Failure> {
    let format = match raw {
        Some(RawFormat::Table) => Format::Table,
        Some(RawFormat::Jsonl) => Format::Rows(OutputFormat::JsonLines),
        Some(RawFormat::Json) => Format::Rows(OutputFormat::Json),
        Some(RawFormat::Csv) => Format::Rows(OutputFormat::Csv),
        Some(RawFormat::Markdown) => Format::Rows(OutputFormat::Markdown),
        Some(RawFormat::Parquet) => Format::Rows(OutputFormat::Parquet),
        Some(RawFormat::Arrow) => Format::Rows(OutputFormat::Arrow),
        None => match (named_by(target)?, json) {
            (Some(named), _) => Format::Rows(named),
            (None, true) => Format::Rows(OutputFormat::Json),
            (None, false) => Format::Table,
        },
    };
    let is_json = matches!(format, Format::Rows(OutputFormat::Json | OutputFormat::JsonLines));
    if json && *target == Target::Stdout && !is_json {
        let message = "`--json` and this `--format` contradict each other";
        return Err(Failure::usage(message).hint("leave one out"));
    }
    Ok(format)
}

/// The format of a shell's rows.
pub fn of_shell(raw: Option<RawShellFormat>, json: bool) -> Format {
    match raw {
        Some(RawShellFormat::Table) => Format::Table,
        Some(RawShellFormat::Jsonl) => Format::Rows(OutputFormat::JsonLines),
        Some(RawShellFormat::Json) => Format::Rows(OutputFormat::Json),
        Some(RawShellFormat::Csv) => Format::Rows(OutputFormat::Csv),
        Some(RawShellFormat::Markdown) => Format::Rows(OutputFormat::Markdown),
        None if json => Format::Rows(OutputFormat::JsonLines),
        None => Format::Table,
    }
}

/// The format of an export.
pub fn of_export(raw: Option<RawExportFormat>, target: &Target) -> Result<OutputFormat, Failure> {
    Ok(match raw {
        Some(RawExportFormat::Jsonl) => OutputFormat::JsonLines,
        Some(RawExportFormat::Json) => OutputFormat::Json,
        Some(RawExportFormat::Csv) => OutputFormat::Csv,
        Some(RawExportFormat::Parquet) => OutputFormat::Parquet,
        Some(RawExportFormat::Arrow) => OutputFormat::Arrow,
        None => match named_by(target)? {
            Some(OutputFormat::Markdown) => {
                let message = "an export is no Markdown";
                return Err(
                    Failure::usage(message).hint("`daybook sql --format markdown` writes rows as one")
                );
            }
            named => named.unwrap_or(OutputFormat::JsonLines),
        },
    })
}

/// What the end of the name says; a name that promises compression is refused, for there is none.
fn named_by(target: &Target) -> Result<Option<OutputFormat>, Failure> {
    let Target::File(file) = target else { return Ok(None) };
    Ok(match ending(file).as_str() {
        "jsonl" | "ndjson" => Some(OutputFormat::JsonLines),
        "json" => Some(OutputFormat::Json),
        "csv" => Some(OutputFormat::Csv),
        "md" | "markdown" => Some(OutputFormat::Markdown),
        "parquet" => Some(OutputFormat::Parquet),
        "arrow" | "feather" => Some(OutputFormat::Arrow),
        ending @ ("gz" | "zst" | "bz2" | "xz") => {
            let message = format!("`.{ending}` promises compression, and there is none");
            return Err(Failure::usage(message).hint("write to `-` and pipe it into a compressor"));
        }
        _ => None,
    })
}

fn ending(file: &Path) -> String {
    file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}
