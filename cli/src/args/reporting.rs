//! The arguments of the commands that report: metrics, health, audit.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use daybook::proof::{Head, SignedHead};

use super::filter::{FilterInput, RawFilter, RawFilterFlags};
use super::units;
use crate::failure::Failure;

/// `metrics`
#[derive(Args, Debug)]
pub struct RawMetrics {
    /// How far back: 5m, 1h, 24h
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = units::duration)]
    pub window: Duration,
    /// Write them as text for Prometheus, to a file that gets its name when it is complete; `-` prints it
    #[arg(long, value_name = "FILE")]
    pub prometheus: Option<PathBuf>,
    #[command(flatten)]
    pub filter: RawFilter,
}

/// `health`
#[derive(Args, Debug)]
pub struct RawHealth {
    #[command(flatten)]
    pub filter: RawFilter,
}

/// `verify`
#[derive(Args, Debug)]
pub struct RawVerify {
    /// A head of the chain that `daybook proof` printed earlier: nothing before it was touched
    #[arg(long, value_name = "HEAD", value_parser = SignedHead::from_str)]
    pub against: Option<SignedHead>,
    /// The head must be signed by whoever has the private key to this public one (Ed25519, PEM)
    #[arg(long, value_name = "FILE", requires = "against")]
    pub signed_by: Option<PathBuf>,
    /// Read the rows of all files too, and hash them anew
    #[arg(long, conflicts_with = "proof")]
    pub deep: bool,
    /// Check a proof of an event that `daybook proof --event` printed, without a store; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub proof: Option<PathBuf>,
}

/// `proof`
#[derive(Args, Debug)]
pub struct RawProof {
    /// Print a proof of the event with this `seq` or id, for `daybook verify --proof`
    #[arg(long, value_name = "ID")]
    pub event: Option<String>,
    /// Prove it under a head that was printed earlier, and not the one as it is now
    #[arg(long, value_name = "HEAD", value_parser = Head::from_str, requires = "event")]
    pub against: Option<Head>,
    /// Make a key that signs heads, for `heads.sign_with` in daybook.toml, and print the public one that checks them
    #[arg(long, value_name = "FILE", conflicts_with_all = ["event", "against"])]
    pub new_key: Option<PathBuf>,
}

/// `audit`
#[derive(Args, Debug)]
pub struct RawAudit {
    /// The first day or time of the period
    pub from: String,
    /// The last day or time of it [default: now]
    pub to: Option<String>,
    /// The file to write: .json, .md or .html; `-` for Markdown on standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// A time without events is a gap from so many hours on
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    pub gap: u32,
    #[command(flatten)]
    pub filter: RawFilterFlags,
}

/// Metrics to compute.
#[derive(Debug, PartialEq, Eq)]
pub struct MetricsInput {
    pub filter: FilterInput,
    pub window_minutes: u32,
    pub prometheus: Option<PathBuf>,
}

/// An audit report to make.
#[derive(Debug, PartialEq, Eq)]
pub struct AuditInput {
    pub from: String,
    pub to: Option<String>,
    pub filter: FilterInput,
    pub output: Option<(PathBuf, AuditForm)>,
    pub gap_hours: u32,
}

/// How an audit report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditForm {
    Json,
    Markdown,
    Html,
}

impl RawMetrics {
    pub fn check(self) -> Result<MetricsInput, Failure> {
        let minutes = self.window.as_secs() / 60;
        let window_minutes = u32::try_from(minutes).ok().filter(|minutes| *minutes > 0);
        let window_minutes = window_minutes.ok_or_else(|| {
            Failure::usage("`--window` is a minute or more, and a few thousand years at most")
        })?;
        Ok(MetricsInput { filter: self.filter.check()?, window_minutes, prometheus: self.prometheus })
    }
}

impl RawAudit {
    pub fn check(self) -> Result<AuditInput, Failure> {
        let extension = self.output.extension().and_then(|extension| extension.to_str());
        let form = match extension.map(str::to_ascii_lowercase).as_deref() {
            _ if super::is_dash(&self.output) => None,
            Some("json") => Some(AuditForm::Json),
            Some("md" | "markdown") => Some(AuditForm::Markdown),
            Some("html" | "htm") => Some(AuditForm::Html),
            _ => {
                let message = format!("`--output {}` does not say what to write", self.output.display());
                return Err(Failure::usage(message).hint("end its name in .json, .md or .html"));
            }
        };
        Ok(AuditInput {
            from: self.from,
            to: self.to,
            filter: self.filter.check(Vec::new())?,
            output: form.map(|form| (self.output, form)),
            gap_hours: self.gap,
        })
    }
}
