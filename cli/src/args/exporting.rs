//! The arguments of `daybook export`: a file of events, or a folder for browsers.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use daybook::output::OutputFormat;

use super::checked::{Command, Target};
use super::filter::{FilterInput, RawFilter};
use super::{output, units};
use crate::failure::Failure;

#[derive(Args, Debug)]
pub struct RawExport {
    /// The file to write; `-` for standard output
    #[arg(value_name = "FILE", required_unless_present = "bundle")]
    pub file: Option<PathBuf>,
    /// How to write the events [default: what the name of the file says, else jsonl]
    #[arg(long, value_enum)]
    pub format: Option<RawExportFormat>,
    /// Write the producers' own records, under their own names, not Daybook's columns
    #[arg(long)]
    pub original: bool,
    /// CSV with text as it is, also text that a spreadsheet would run as a formula
    #[arg(long)]
    pub raw_csv: bool,
    /// At most so many events, the oldest
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<u64>,
    #[command(flatten)]
    pub bundle: RawBundle,
    #[command(flatten)]
    pub filter: RawFilter,
}

/// A bundle in place of a file.
#[derive(Args, Debug)]
#[command(next_help_heading = "A folder for browsers")]
pub struct RawBundle {
    /// Write a folder that any static host serves, for a browser that asks it without a server
    #[arg(long, value_name = "DIR", conflicts_with_all = ["format", "original", "raw_csv", "limit"])]
    pub bundle: Option<PathBuf>,
    /// Only these days (UTC): 2026-02-03, 2026-02-01..2026-02-28, 2026-02-01.., or ..2026-02-28
    #[arg(long, value_name = "DAYS", value_parser = days, requires = "bundle")]
    pub days: Option<DaySpan>,
    /// What the page is called [default: the name of the store]
    #[arg(long, value_name = "TEXT", requires = "bundle")]
    pub title: Option<String>,
    /// Look for secrets in what is stored, and for e-mail and IP addresses
    #[arg(long, requires = "bundle")]
    pub redact: bool,
    /// Refuse to write more than so much: 500MB, 2GiB
    #[arg(long, value_name = "SIZE", value_parser = units::size, requires = "bundle")]
    pub max_size: Option<u64>,
    /// Only the data, without the page that shows it
    #[arg(long, requires = "bundle")]
    pub no_viewer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RawExportFormat {
    /// One JSON object a line
    Jsonl,
    /// One JSON array of objects
    Json,
    /// RFC 4180, safe to open in a spreadsheet
    Csv,
    /// A Parquet file
    Parquet,
    /// An Arrow file (Feather, version 2)
    Arrow,
}

/// The first and the last of some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaySpan {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

/// What to export, and where to.
#[derive(Debug, PartialEq, Eq)]
pub struct Export {
    pub target: Target,
    pub format: OutputFormat,
    pub original: bool,
    pub raw_csv: bool,
    pub limit: Option<u64>,
    pub filter: FilterInput,
}

/// What to put into a bundle.
#[derive(Debug, PartialEq, Eq)]
pub struct BundleInput {
    pub folder: PathBuf,
    pub days: Option<DaySpan>,
    pub title: Option<String>,
    pub redact: bool,
    pub max_bytes: Option<u64>,
    pub viewer: bool,
    pub filter: FilterInput,
}

impl RawExport {
    pub fn check(self) -> Result<Command, Failure> {
        let RawExport { file, format, original, raw_csv, limit, bundle, mut filter } = self;
        let Some(folder) = bundle.bundle else {
            let target = output::target(file);
            let format = output::of_export(format, &target)?;
            if original && !matches!(format, OutputFormat::Json | OutputFormat::JsonLines) {
                let message = "`--original` writes the producers' own records, which are JSON";
                return Err(Failure::usage(message).hint("use --format jsonl or json"));
            }
            let filter = filter.check()?;
            return Ok(Command::Export(Box::new(Export {
                target,
                format,
                original,
                raw_csv,
                limit,
                filter,
            })));
        };
        // There is no file, so that what stands in its place is a term.
        filter.terms.splice(0..0, file.map(|term| term.to_string_lossy().into_owned()));
        Ok(Command::Bundle(Box::new(BundleInput {
            folder,
            days: bundle.days,
            title: bundle.title,
            redact: bundle.redact,
            max_bytes: bundle.max_size,
            viewer: !bundle.no_viewer,
            filter: filter.check()?,
        })))
    }
}

/// `2026-02-03`, or two days with `..` between them, of which one may lack.
fn days(text: &str) -> Result<DaySpan, String> {
    let Some((from, to)) = text.split_once("..") else {
        let day = Some(units::day(text)?);
        return Ok(DaySpan { from: day, to: day });
    };
    let one = |text: &str| if text.is_empty() { Ok(None) } else { units::day(text).map(Some) };
    let span = DaySpan { from: one(from)?, to: one(to)? };
    match (span.from, span.to) {
        (None, None) => Err("both days lack; write `2026-02-01..` or `..2026-02-28`".to_string()),
        (Some(from), Some(to)) if from > to => Err(format!("{to} is before {from}")),
        _ => Ok(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_a_first_and_a_last_one() {
        let check = |text: &str, expected: Option<(Option<u32>, Option<u32>)>| {
            let day = |day| NaiveDate::from_ymd_opt(2026, 2, day).unwrap();
            let expected = expected.map(|(from, to)| DaySpan { from: from.map(day), to: to.map(day) });
            assert_eq!(days(text).ok(), expected, "{text}");
        };
        check("2026-02-03", Some((Some(3), Some(3))));
        check("2026-02-03..2026-02-28", Some((Some(3), Some(28))));
        check("2026-02-03..", Some((Some(3), None)));
        check("..2026-02-28", Some((None, Some(28))));
        for wrong in ["", "..", "2026-02-04..2026-02-03", "2026-02-30", "30d"] {
            check(wrong, None);
        }
    }
}
