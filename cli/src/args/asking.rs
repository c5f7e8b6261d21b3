//! The arguments of the commands that ask about events.

use std::time::Duration;

use clap::Args;
use daybook::query::analyses::Every;

use super::filter::{FilterInput, RawFilter};
use super::units;
use crate::failure::Failure;

/// `search`
#[derive(Args, Debug)]
pub struct RawSearch {
    /// How many events at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub limit: u64,
    /// Print the last 10, then events as they come, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
    /// The columns to show, by name or path, with commas; `*` for all
    #[arg(long, value_name = "COLUMNS")]
    pub columns: Option<String>,
    #[command(flatten)]
    pub filter: RawFilter,
}

/// `recent`
#[derive(Args, Debug)]
pub struct RawRecent {
    /// How many hours back
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub hours: u32,
    #[command(flatten)]
    pub search: RawSearch,
}

/// `failures`
#[derive(Args, Debug)]
pub struct RawFailures {
    /// How many minutes back
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub minutes: u32,
    #[command(flatten)]
    pub search: RawSearch,
}

/// `stats`
#[derive(Args, Debug)]
pub struct RawStats {
    #[command(flatten)]
    pub filter: RawFilter,
}

/// `timeline`
#[derive(Args, Debug)]
pub struct RawTimeline {
    /// Count the most frequent values of this column each on its own
    #[arg(long, value_name = "COLUMN")]
    pub by: Option<String>,
    /// How long a stretch of time is: auto, 1m, 5m, 15m, 1h, 6h, 1d, 7d, 30d
    #[arg(long, value_name = "LENGTH", default_value = "auto", value_parser = units::every)]
    pub every: Every,
    /// How many values of the column
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub limit: u64,
    #[command(flatten)]
    pub filter: RawFilter,
}

/// `facets`
#[derive(Args, Debug)]
pub struct RawFacets {
    /// The columns, with commas; may be repeated
    #[arg(long, value_name = "COLUMN,...", required = true)]
    pub by: Vec<String>,
    /// How many values of each column
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub limit: u64,
    #[command(flatten)]
    pub filter: RawFilter,
}

/// Events to find.
#[derive(Debug, PartialEq, Eq)]
pub struct SearchInput {
    pub filter: FilterInput,
    pub limit: u64,
    pub columns: Shown,
    /// Only so far back.
    pub within: Option<Duration>,
    /// Only errors.
    pub errors: bool,
}

/// Which columns are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Those that people look at first.
    Usual,
    All,
    Named(Vec<String>),
}

/// A timeline to count.
#[derive(Debug, PartialEq, Eq)]
pub struct TimelineInput {
    pub filter: FilterInput,
    pub by: Option<String>,
    pub every: Every,
    pub limit: u64,
}

/// Columns to count.
#[derive(Debug, PartialEq, Eq)]
pub struct FacetsInput {
    pub filter: FilterInput,
    pub by: Vec<String>,
    pub limit: u64,
}

impl RawSearch {
    pub fn check(self) -> Result<SearchInput, Failure> {
        let columns = match self.columns.as_deref() {
            None => Shown::Usual,
            Some("*") => Shown::All,
            Some(names) => Shown::Named(listed([names])?),
        };
        let filter = self.filter.check()?;
        Ok(SearchInput { filter, limit: self.limit, columns, within: None, errors: false })
    }
}

impl RawRecent {
    pub fn check(self) -> Result<SearchInput, Failure> {
        let within = Some(Duration::from_secs(u64::from(self.hours) * 3_600));
        Ok(SearchInput { within, ..self.search.check()? })
    }
}

impl RawFailures {
    pub fn check(self) -> Result<SearchInput, Failure> {
        let within = Some(Duration::from_secs(u64::from(self.minutes) * 60));
        Ok(SearchInput { within, errors: true, ..self.search.check()? })
    }
}

impl RawTimeline {
    pub fn check(self) -> Result<TimelineInput, Failure> {
        let RawTimeline { filter, by, every, limit } = self;
        Ok(TimelineInput { filter: filter.check()?, by, every, limit })
    }
}

impl RawFacets {
    pub fn check(self) -> Result<FacetsInput, Failure> {
        let by = listed(self.by.iter().map(String::as_str))?;
        Ok(FacetsInput { filter: self.filter.check()?, by, limit: self.limit })
    }
}

/// Names with commas between them, each once; a comma in quotes is part of a name.
fn listed<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = Vec::new();
    for text in texts {
        let mut name = String::new();
        let mut in_quotes = false;
        for char in text.chars().chain([',']) {
            in_quotes ^= char == '"';
            if char != ',' || in_quotes {
                name.push(char);
                continue;
            }
            let whole = std::mem::take(&mut name).trim().to_string();
            if whole.is_empty() {
                return Err(Failure::usage("the name of a column is empty"));
            }
            if !names.contains(&whole) {
                names.push(whole);
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_listed_with_commas() {
        let check = |texts: &[&str], expected: &[&str]| {
            let names = listed(texts.iter().copied()).map_err(|failure| failure.message());
            assert_eq!(names, Ok(expected.iter().map(ToString::to_string).collect()));
        };
        check(&["kind, actor", "kind"], &["kind", "actor"]);
        check(&["\"a,b\",c"], &["\"a,b\"", "c"]);
        assert!(listed(["a,,b"]).is_err());
        assert!(listed([""]).is_err());
    }
}
