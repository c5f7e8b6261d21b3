//! The arguments of the commands that look at one thing: an entity, a file, a session, a trace, an event.

use clap::Args;

use super::asking::{RawSearch, SearchInput};
use super::filter::{FilterInput, RawFilter};
use super::limits::{LimitsInput, RawLimits};
use super::units;
use crate::failure::Failure;

/// `slowest`
#[derive(Args, Debug)]
pub struct RawSlowest {
    /// How many events at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub limit: u64,
    #[command(flatten)]
    pub filter: RawFilter,
}

/// `history`
#[derive(Args, Debug)]
pub struct RawHistory {
    /// What it happened to: order:55
    #[arg(value_name = "TYPE:ID", value_parser = units::entity)]
    pub entity: (String, String),
    /// How many events at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub limit: u64,
    #[command(flatten)]
    pub filter: RawFilter,
}

/// `file-history`
#[derive(Args, Debug)]
pub struct RawFileHistory {
    /// The file, or a folder for all files below it
    pub path: String,
    /// How many events at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub limit: u64,
    #[command(flatten)]
    pub filter: RawFilter,
}

/// `sessions`
#[derive(Args, Debug)]
pub struct RawSessions {
    /// How many sessions at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub limit: u64,
    /// Without an id, a session ends when its actor does nothing for so many minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 30)]
    pub gap: u32,
    #[command(flatten)]
    pub filter: RawFilter,
}

/// `session`
#[derive(Args, Debug)]
pub struct RawSession {
    /// The session, as `daybook sessions` lists it, or an actor for its last one
    pub id: String,
    /// How many events at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10_000)]
    pub limit: u64,
    /// Without an id, a session ends when its actor does nothing for so many minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 30)]
    pub gap: u32,
    /// List the gaps that are longer than so many minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 5)]
    pub pause: u32,
    #[command(flatten)]
    pub filter: RawFilter,
}

/// `trace`
#[derive(Args, Debug)]
pub struct RawTrace {
    /// The id of a trace, a session or a request
    pub id: String,
    /// How many events at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10_000)]
    pub limit: u64,
    #[command(flatten)]
    pub filter: RawFilter,
}

/// `show`
#[derive(Args, Debug)]
pub struct RawShow {
    /// The seq or the event_id
    pub id: String,
    #[command(flatten)]
    pub limits: RawLimits,
}

/// `tail`
#[derive(Args, Debug)]
pub struct RawTail {
    /// How many events to show that are there already
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub last: u64,
    #[command(flatten)]
    pub search: RawSearch,
}

/// An event to show.
#[derive(Debug, PartialEq, Eq)]
pub struct ShowInput {
    pub id: String,
    pub limits: LimitsInput,
}

/// A filter and how many.
#[derive(Debug, PartialEq, Eq)]
pub struct Limited {
    pub filter: FilterInput,
    pub limit: u64,
}

/// Whose history to show.
#[derive(Debug, PartialEq, Eq)]
pub struct HistoryInput {
    pub of: HistoryOf,
    pub asked: Limited,
}

#[derive(Debug, PartialEq, Eq)]
pub enum HistoryOf {
    Entity(String, String),
    File(String),
}

/// Sessions to list.
#[derive(Debug, PartialEq, Eq)]
pub struct SessionsInput {
    pub asked: Limited,
    pub gap_minutes: u32,
}

/// The events of a session or a trace to show.
#[derive(Debug, PartialEq, Eq)]
pub struct CourseInput {
    pub id: String,
    pub asked: Limited,
    /// Of a session; else of a trace.
    pub session: Option<SessionGaps>,
}

/// What is a gap, in minutes.
#[derive(Debug, PartialEq, Eq)]
pub struct SessionGaps {
    pub ends: u32,
    pub listed: u32,
}

/// Events to follow.
#[derive(Debug, PartialEq, Eq)]
pub struct TailInput {
    pub search: SearchInput,
    pub last: u64,
}

fn limited(filter: RawFilter, limit: u64) -> Result<Limited, Failure> {
    Ok(Limited { filter: filter.check()?, limit })
}

impl RawSlowest {
    pub fn check(self) -> Result<Limited, Failure> {
        limited(self.filter, self.limit)
    }
}

impl RawHistory {
    pub fn check(self) -> Result<HistoryInput, Failure> {
        let of = HistoryOf::Entity(self.entity.0, self.entity.1);
        Ok(HistoryInput { of, asked: limited(self.filter, self.limit)? })
    }
}

impl RawFileHistory {
    pub fn check(self) -> Result<HistoryInput, Failure> {
        let of = HistoryOf::File(self.path);
        Ok(HistoryInput { of, asked: limited(self.filter, self.limit)? })
    }
}

impl RawSessions {
    pub fn check(self) -> Result<SessionsInput, Failure> {
        Ok(SessionsInput { asked: limited(self.filter, self.limit)?, gap_minutes: self.gap })
    }
}

impl RawSession {
    pub fn check(self) -> Result<CourseInput, Failure> {
        let gaps = SessionGaps { ends: self.gap, listed: self.pause };
        Ok(CourseInput { id: self.id, asked: limited(self.filter, self.limit)?, session: Some(gaps) })
    }
}

impl RawTrace {
    pub fn check(self) -> Result<CourseInput, Failure> {
        Ok(CourseInput { id: self.id, asked: limited(self.filter, self.limit)?, session: None })
    }
}

impl RawShow {
    pub fn check(self) -> ShowInput {
        ShowInput { id: self.id, limits: self.limits.check() }
    }
}

impl RawTail {
    pub fn check(self) -> Result<TailInput, Failure> {
        Ok(TailInput { search: self.search.check()?, last: self.last })
    }
}
