//! The arguments of `patterns`.

use clap::{Args, Subcommand};

use super::filter::{FilterInput, RawFilter};
use super::help;
use crate::failure::Failure;

/// `patterns`
#[derive(Args, Debug)]
pub struct RawPatterns {
    #[command(flatten)]
    pub asked: RawFound<8>,
    #[command(subcommand)]
    pub command: Option<RawPatternsCommand>,
}

/// `patterns WHAT`
#[derive(Subcommand, Debug)]
pub enum RawPatternsCommand {
    /// Which kinds follow which in a session, frequent paths, sessions that leave them
    #[command(after_help = help::PATTERNS_SEQUENCES)]
    Sequences(RawSequences),
    /// Bursts, drops, silences and lasting changes that the hour and the weekday do not explain
    #[command(after_help = help::PATTERNS_BURSTS)]
    Bursts(RawBursts),
    /// Kinds with a period, and what was missed
    #[command(after_help = help::PATTERNS_RHYTHMS)]
    Rhythms(RawRhythms),
    /// Entities that change together, and those that change most
    #[command(after_help = help::PATTERNS_CHANGES)]
    Changes(RawChanges),
    /// Who does most, and what is new for an actor
    #[command(after_help = help::PATTERNS_ACTORS)]
    Actors(RawActors),
    /// Templates of messages: how many, since when, what differs
    #[command(after_help = help::PATTERNS_TEMPLATES)]
    Templates(RawTemplates),
}

/// What all of them take.
#[derive(Args, Debug)]
pub struct RawFound<const N: u64> {
    #[command(flatten)]
    pub filter: RawFilter,
    /// How many at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = N)]
    pub limit: u64,
    /// The share of what is found that may be chance
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    pub alarm: f64,
}

#[derive(Args, Debug)]
pub struct RawBursts {
    #[command(flatten)]
    pub asked: RawFound<20>,
}

#[derive(Args, Debug)]
pub struct RawActors {
    #[command(flatten)]
    pub asked: RawFound<15>,
}

#[derive(Args, Debug)]
pub struct RawSequences {
    #[command(flatten)]
    pub asked: RawFound<15>,
    /// Without a session, what an actor does ends when nothing happens for so many minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 30)]
    pub gap: u32,
    /// How often a pair or a path must be there
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub support: u64,
}

#[derive(Args, Debug)]
pub struct RawRhythms {
    #[command(flatten)]
    pub asked: RawFound<30>,
    /// Look at the values of this column
    #[arg(long, value_name = "COLUMN", default_value = "kind")]
    pub by: String,
}

#[derive(Args, Debug)]
pub struct RawChanges {
    #[command(flatten)]
    pub asked: RawFound<15>,
    /// Without a session, what an actor changes within so many minutes changes together
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    pub window: u32,
    /// How often two must change together
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub support: u64,
}

#[derive(Args, Debug)]
pub struct RawTemplates {
    #[command(flatten)]
    pub asked: RawFound<30>,
    /// Only those that were not there before: 2026-02-03, yesterday, -2h
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub new_since: Option<String>,
    /// The rarest first
    #[arg(long)]
    pub rare: bool,
    /// Only this one, with what stands in its parameters: its id, or the beginning of it
    #[arg(long, value_name = "ID", conflicts_with_all = ["rare", "compare"])]
    pub template: Option<String>,
    /// What differs between the events of two filters
    #[arg(long, num_args = 2, value_names = ["FILTER", "FILTER"], allow_hyphen_values = true)]
    pub compare: Option<Vec<String>>,
}

/// What to find.
#[derive(Debug, PartialEq)]
pub struct PatternsInput {
    pub filter: FilterInput,
    pub limit: u64,
    pub alarm: f64,
    pub what: PatternsWhat,
}

/// Which patterns.
#[derive(Debug, PartialEq)]
pub enum PatternsWhat {
    Summary,
    Sequences {
        gap: u32,
        support: u64,
    },
    Bursts,
    Rhythms {
        by: String,
    },
    Changes {
        window: u32,
        support: u64,
    },
    Actors,
    Templates {
        new_since: Option<String>,
        rare: bool,
        template: Option<String>,
        compare: Option<(String, String)>,
    },
}

impl RawPatterns {
    pub fn check(self) -> Result<PatternsInput, Failure> {
        match self.command {
            None => found(self.asked, PatternsWhat::Summary),
            Some(RawPatternsCommand::Sequences(raw)) => {
                found(raw.asked, PatternsWhat::Sequences { gap: raw.gap, support: raw.support })
            }
            Some(RawPatternsCommand::Bursts(raw)) => found(raw.asked, PatternsWhat::Bursts),
            Some(RawPatternsCommand::Rhythms(raw)) => found(raw.asked, PatternsWhat::Rhythms { by: raw.by }),
            Some(RawPatternsCommand::Changes(raw)) => {
                found(raw.asked, PatternsWhat::Changes { window: raw.window, support: raw.support })
            }
            Some(RawPatternsCommand::Actors(raw)) => found(raw.asked, PatternsWhat::Actors),
            Some(RawPatternsCommand::Templates(raw)) => {
                let compare = raw.compare.and_then(|filters| {
                    let [one, other]: [String; 2] = filters.try_into().ok()?;
                    Some((one, other))
                });
                let RawTemplates { asked, new_since, rare, template, .. } = raw;
                found(asked, PatternsWhat::Templates { new_since, rare, template, compare })
            }
        }
    }
}

fn found<const N: u64>(raw: RawFound<N>, what: PatternsWhat) -> Result<PatternsInput, Failure> {
    if !(raw.alarm > 0.0 && raw.alarm < 1.0) {
        return Err(Failure::usage(format!("`--alarm {}` does not lie between 0 and 1", raw.alarm)));
    }
    Ok(PatternsInput { filter: raw.filter.check()?, limit: raw.limit, alarm: raw.alarm, what })
}
