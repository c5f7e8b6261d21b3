//! The arguments of commands that look after the store.

use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use clap::Args;
use daybook::{CompactRequest, Period};

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

#[derive(Args, Debug)]
pub struct RawErase {
    /// Which events, as in `daybook search`; after `--` if a term starts with `-`
    #[arg(required = true, value_name = "TERM")]
    pub terms: Vec<String>,
    /// Why; it is kept and shown, and should not name the person
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Blank this field and keep the events; may be repeated
    #[arg(long, value_name = "FIELD")]
    pub redact: Vec<String>,
    /// Change nothing; say what would go
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Args, Debug)]
pub struct RawMaintain {
    /// Change nothing; say what would be done
    #[arg(long, conflicts_with = "watch")]
    pub dry_run: bool,
    /// Stay, and do it again and again, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// How often, with `--watch`: 30s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = units::duration, requires = "watch")]
    pub every: Duration,
}

#[derive(Args, Debug)]
pub struct RawBackup {
    /// An empty folder, or a new one
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// What is to be erased.
#[derive(Debug, PartialEq, Eq)]
pub struct EraseInput {
    pub filter: String,
    pub reason: String,
    pub redact: Vec<String>,
    pub dry_run: bool,
}

/// How the store is to be looked after.
#[derive(Debug, PartialEq, Eq)]
pub struct MaintainInput {
    pub dry_run: bool,
    /// How often; once, without it.
    pub every: Option<Duration>,
}

impl RawErase {
    pub fn check(self) -> EraseInput {
        let RawErase { terms, reason, redact, dry_run } = self;
        EraseInput { filter: terms.join(" "), reason, redact, dry_run }
    }
}

impl RawMaintain {
    pub fn check(&self) -> MaintainInput {
        MaintainInput { dry_run: self.dry_run, every: self.watch.then_some(self.every) }
    }
}

#[derive(Args, Debug)]
pub struct RawArchive {
    /// A quarter (UTC): 2026Q1
    #[arg(long, value_name = "QUARTER", value_parser = quarter)]
    pub quarter: Option<Period>,
    /// A month (UTC): 2026-02
    #[arg(long, value_name = "MONTH", value_parser = month, conflicts_with = "quarter")]
    pub month: Option<Period>,
    /// All days before this one
    #[arg(long, value_name = "DAY", value_parser = units::day, conflicts_with_all = ["quarter", "month"])]
    pub before: Option<NaiveDate>,
    /// The folder of the archive, or s3://bucket/prefix: empty, new, or an archive of this store
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Leave the events here, too
    #[arg(long)]
    pub keep: bool,
    /// Print a job for each quarter, for systemd and for cron
    #[arg(long, conflicts_with_all = ["quarter", "month", "before", "keep"])]
    pub print_schedule: bool,
}

#[derive(Args, Debug)]
pub struct RawRestore {
    /// The folder of the archive, or s3://bucket/prefix
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// Only this quarter (UTC): 2026Q1
    #[arg(long, value_name = "QUARTER", value_parser = quarter)]
    pub quarter: Option<Period>,
}

/// What is to be archived.
#[derive(Debug, PartialEq, Eq)]
pub enum ArchiveInput {
    /// Jobs that do it.
    Schedule { to: Option<PathBuf> },
    /// These days.
    Days { period: Period, to: PathBuf, keep: bool },
}

/// What is to come back.
#[derive(Debug, PartialEq, Eq)]
pub struct RestoreInput {
    pub from: PathBuf,
    pub period: Option<Period>,
}

fn quarter(text: &str) -> Result<Period, String> {
    Period::quarter(text).ok_or_else(|| "not a quarter such as 2026Q1".to_string())
}

fn month(text: &str) -> Result<Period, String> {
    Period::month(text).ok_or_else(|| "not a month such as 2026-02".to_string())
}

impl RawArchive {
    pub fn check(self) -> Result<ArchiveInput, Failure> {
        if self.print_schedule {
            return Ok(ArchiveInput::Schedule { to: self.to });
        }
        let period = self.quarter.or(self.month).or(self.before.map(Period::before));
        let period = period.ok_or_else(|| {
            Failure::usage("nothing says which days")
                .hint("add `--quarter 2026Q1`, `--month 2026-02` or `--before DAY`")
        })?;
        let to = self.to.ok_or_else(|| Failure::usage("nothing says where to").hint("add `--to DIR`"))?;
        Ok(ArchiveInput::Days { period, to, keep: self.keep })
    }
}

impl RawRestore {
    pub fn check(self) -> RestoreInput {
        RestoreInput { from: self.from, period: self.quarter }
    }
}
