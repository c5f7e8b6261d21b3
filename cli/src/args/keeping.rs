//! The arguments of commands that look after the store.

use std::time::Duration;

use chrono::NaiveDate;
use clap::Args;
use daybook::CompactRequest;

use super::units;
use crate::failure::Failure;

#[derive(Args, Debug)]
pub struct RawCompact {
    /// Only this day
    #[arg(long, value_name = "DAY", value_parser = units::day)]
    pub day: Option<NaiveDate>,
    /// Change nothing; say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Args, Debug)]
pub struct RawExpire {
    /// Which events, as in `daybook search`; after `--` if a term starts with `-` [default: all]
    #[arg(value_name = "TERM")]
    pub terms: Vec<String>,
    /// Of days (UTC) that ended so long ago: 90d, 12w, 36h
    #[arg(long, value_name = "AGE", value_parser = units::age)]
    pub older_than: Option<Duration>,
    /// The oldest days, until the events that match have at most this size: 500MB, 2GiB
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub max_size: Option<u64>,
    /// Change nothing; say what would go
    #[arg(long)]
    pub dry_run: bool,
}

/// What is to expire.
#[derive(Debug, PartialEq, Eq)]
pub enum ExpireInput {
    /// What the policies of the settings say.
    ByPolicy { dry_run: bool },
    /// What these words say.
    Chosen { filter: String, older_than_ms: Option<i64>, max_bytes: Option<u64>, dry_run: bool },
}

impl RawCompact {
    pub fn check(&self) -> CompactRequest {
        CompactRequest { day: self.day, dry_run: self.dry_run }
    }
}

impl RawExpire {
    pub fn check(self) -> Result<ExpireInput, Failure> {
        let RawExpire { terms, older_than, max_size, dry_run } = self;
        if older_than.is_none() && max_size.is_none() {
            if terms.is_empty() {
                return Ok(ExpireInput::ByPolicy { dry_run });
            }
            return Err(Failure::usage("nothing says how old these events are to be, or how much may stay")
                .hint("add `--older-than 90d` or `--max-size 500MB`; `daybook erase` takes events whatever their age"));
        }
        let older_than_ms = older_than.map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        Ok(ExpireInput::Chosen { filter: terms.join(" "), older_than_ms, max_bytes: max_size, dry_run })
    }
}
