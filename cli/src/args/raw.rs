//! The arguments as typed: what clap accepts, before they are checked against each other.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use daybook::{Encoding, Format};
use serde_json::Value;

use super::asking::{RawFacets, RawFailures, RawRecent, RawSearch, RawStats, RawTimeline};
use super::exporting::RawExport;
use super::global::RawGlobal;
use super::keeping::{RawArchive, RawBackup, RawCompact, RawErase, RawExpire, RawMaintain, RawRestore};
use super::limits::RawLimits;
use super::looking::{
    RawFileHistory, RawHistory, RawSession, RawSessions, RawShow, RawSlowest, RawTail, RawTrace,
};
use super::patterns::RawPatterns;
use super::reporting::{RawAudit, RawHealth, RawMetrics, RawProof, RawVerify};
use super::{help, units};
use crate::printer::Output;

/// An event store to carry inside an application: audit trails, activity logs, change logs, any log.
#[derive(Debug, Parser)]
#[command(name = "daybook", version, after_help = help::ROOT, max_term_width = 100)]
#[command(arg_required_else_help = true)]
pub struct Raw {
    #[command(flatten)]
    pub global: RawGlobal,
    #[command(subcommand)]
    pub command: RawCommand,
}

impl Raw {
    /// How the command should speak, known before anything else is.
    pub fn output(&self) -> Output {
        Output { json: self.global.json, quiet: self.global.quiet, verbose: self.global.verbose }
    }
}

#[derive(Debug, Subcommand)]
pub enum RawCommand {
    /// Make a store with a year of sample events to explore
    #[command(after_help = help::DEMO)]
    Demo(RawDemo),
    /// Record one event, or one for each line of standard input
    #[command(after_help = help::LOG)]
    Log(Box<RawLog>),
    /// Store the events of files
    #[command(after_help = help::INGEST)]
    Ingest(RawIngest),
    /// Show what could not be read, and try again
    #[command(after_help = help::QUARANTINE, args_conflicts_with_subcommands = true)]
    Quarantine(RawQuarantine),
    /// Ask with SQL
    #[command(after_help = help::SQL)]
    Sql(RawSql),
    /// Find events, the newest first
    #[command(after_help = help::SEARCH)]
    Search(Box<RawSearch>),
    /// Find the events of the last hours
    #[command(after_help = help::RECENT)]
    Recent(Box<RawRecent>),
    /// Find the errors of the last minutes
    #[command(after_help = help::FAILURES)]
    Failures(Box<RawFailures>),
    /// Count events by kind, level, source, actor and more; errors and durations
    #[command(after_help = help::STATS)]
    Stats(Box<RawStats>),
    /// Count events over time, with a bar chart
    #[command(after_help = help::TIMELINE)]
    Timeline(Box<RawTimeline>),
    /// Count the most frequent values of columns
    #[command(after_help = help::FACETS)]
    Facets(Box<RawFacets>),
    /// Find the templates of messages: what is left of them without their parameters
    #[command(after_help = help::MINE)]
    Mine(RawMine),
    /// Find the events that took longest
    #[command(after_help = help::SLOWEST)]
    Slowest(Box<RawSlowest>),
    /// Show what happened to one thing, and what each change changed
    #[command(after_help = help::HISTORY)]
    History(Box<RawHistory>),
    /// Show what happened to a file, or to the files of a folder
    #[command(after_help = help::FILE_HISTORY)]
    FileHistory(Box<RawFileHistory>),
    /// List sessions, the last ones first
    #[command(after_help = help::SESSIONS)]
    Sessions(Box<RawSessions>),
    /// Show the events of one session, with gaps and outcome
    #[command(after_help = help::SESSION)]
    Session(Box<RawSession>),
    /// Show the events of all sources that share a trace, a session or a request
    #[command(after_help = help::TRACE)]
    Trace(Box<RawTrace>),
    /// Show one event with all that it has
    #[command(after_help = help::SHOW)]
    Show(RawShow),
    /// Print events as they come
    #[command(after_help = help::TAIL)]
    Tail(Box<RawTail>),
    /// Report on a period: totals, failures, changes, sessions, odd hours, gaps, the chain
    #[command(after_help = help::AUDIT)]
    Audit(Box<RawAudit>),
    /// Compute rates, errors and durations of the last hours; also for Prometheus
    #[command(after_help = help::METRICS)]
    Metrics(Box<RawMetrics>),
    /// Say whether all is well, and why not
    #[command(after_help = help::HEALTH)]
    Health(Box<RawHealth>),
    /// Find what is usual, what is new and what is wrong
    #[command(after_help = help::PATTERNS, args_conflicts_with_subcommands = true)]
    Patterns(Box<RawPatterns>),
    /// Ask with SQL, one question after the other
    #[command(after_help = help::SHELL)]
    Shell(RawShell),
    /// List the columns of the events
    #[command(after_help = help::SCHEMA)]
    Schema(RawSchema),
    /// Say what is in the store
    #[command(after_help = help::INFO)]
    Info,
    /// Write the events to a file
    #[command(after_help = help::EXPORT)]
    Export(Box<RawExport>),
    /// Check the settings, show them, or print their reference
    #[command(after_help = help::CONFIG)]
    Config(RawConfig),
    /// Merge the small files of each day
    #[command(after_help = help::COMPACT)]
    Compact(RawCompact),
    /// Encrypt what is not encrypted yet, or with another key
    #[command(after_help = help::ENCRYPT)]
    Encrypt,
    /// Take out what is old enough, or too much
    #[command(after_help = help::EXPIRE)]
    Expire(RawExpire),
    /// Take out one person's data on request, with everything older
    #[command(after_help = help::ERASE)]
    Erase(RawErase),
    /// Do all upkeep that daybook.toml asks for
    #[command(after_help = help::MAINTAIN)]
    Maintain(RawMaintain),
    /// Move old days to a store of their own
    #[command(after_help = help::ARCHIVE)]
    Archive(RawArchive),
    /// Bring days of an archive back
    #[command(after_help = help::RESTORE)]
    Restore(RawRestore),
    /// Make a consistent copy of the store while others use it
    #[command(after_help = help::BACKUP)]
    Backup(RawBackup),
    /// Check that nothing that was committed was touched
    #[command(after_help = help::VERIFY)]
    Verify(RawVerify),
    /// Print the head of the hash chain, to be kept elsewhere, or a proof of one event
    #[command(after_help = help::PROOF)]
    Proof(RawProof),
    /// Print a script that completes this command in a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions(RawCompletions),
    /// Print the manual page
    #[command(after_help = help::MAN)]
    Man(RawMan),
}

#[derive(Args, Debug)]
pub struct RawDemo {
    /// The last day of the year of events [default: yesterday]
    #[arg(long, value_name = "DAY", value_parser = units::day)]
    pub until: Option<NaiveDate>,
    /// About how many events to make [default: 230000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..=1_000_000_000))]
    pub events: Option<u32>,
}

#[derive(Args, Debug)]
pub struct RawLog {
    /// What happened (file_update, deploy, PAYMENT), or `-` to read JSON events from standard input
    pub kind: String,
    /// The text a person reads
    pub message: Option<String>,
    /// How grave: info, warning, error, ...
    #[arg(long)]
    pub level: Option<String>,
    /// Who did it
    #[arg(long)]
    pub actor: Option<String>,
    /// The session it belongs to
    #[arg(long)]
    pub session: Option<String>,
    /// What wrote the event: a service, an agent
    #[arg(long)]
    pub source: Option<String>,
    /// What it happened to
    #[arg(long, value_name = "TYPE:ID", value_parser = units::entity)]
    pub entity: Option<(String, String)>,
    /// How it ended: success, failure, ...
    #[arg(long)]
    pub status: Option<String>,
    /// How long it took, in milliseconds
    #[arg(long, value_name = "N", value_parser = units::milliseconds)]
    pub duration_ms: Option<f64>,
    /// When it happened [default: now]
    #[arg(long, value_name = "T")]
    pub ts: Option<String>,
    /// The state before the change, or `@` and a file that holds it
    #[arg(long, value_name = "JSON|@FILE", value_parser = units::state)]
    pub before: Option<units::State>,
    /// The state after the change, or `@` and a file that holds it
    #[arg(long, value_name = "JSON|@FILE", value_parser = units::state)]
    pub after: Option<units::State>,
    /// Another field; may be repeated
    #[arg(long = "field", value_name = "KEY=VALUE", value_parser = units::key_value)]
    pub fields: Vec<(String, Value)>,
}

impl RawLog {
    /// Whether anything but the kind was given.
    pub fn describes_an_event(&self) -> bool {
        let texts =
            [&self.message, &self.level, &self.actor, &self.session, &self.source, &self.status, &self.ts];
        texts.iter().any(|text| text.is_some())
            || self.entity.is_some()
            || self.duration_ms.is_some()
            || self.before.is_some()
            || self.after.is_some()
            || !self.fields.is_empty()
    }
}

#[derive(Args, Debug)]
pub struct RawMine {
    /// A file with one message a line, compressed or not; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print the id and the template of each line, in order, with a tab between them
    #[arg(long)]
    pub assign: bool,
}

#[derive(Args, Debug)]
pub struct RawIngest {
    /// Files, folders, patterns such as `logs/*.gz`, archives; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The format, if it is not to be found by looking: jsonl, json, csv, copy, logfmt, syslog, access, docker,
    /// cri, journal, journal-json, otel, text, parquet, arrow
    #[arg(long, value_name = "FORMAT", value_parser = units::format)]
    pub from: Option<Format>,
    /// The names of the columns, where the file begins with a row
    #[arg(long, value_name = "NAMES")]
    pub header: Option<String>,
    /// How the text is encoded: utf-8, utf-16le, utf-16be, windows-1252 (latin1)
    #[arg(long, value_parser = units::encoding)]
    pub encoding: Option<Encoding>,
    /// The field that goes to a column, its keys joined with dots; may be repeated
    #[arg(long, value_name = "COLUMN=PATH", value_parser = units::column_path)]
    pub map: Vec<(String, String)>,
    /// A mapping of the store's daybook.toml
    #[arg(long, value_name = "NAME")]
    pub mapping: Option<String>,
    /// Stop at the first record that cannot be read, and store nothing of its file
    #[arg(long)]
    pub strict: bool,
    /// Store nothing; say what would be stored, and how
    #[arg(long)]
    pub explain: bool,
    /// Go on with what is written to the files, also when they are rotated, until Ctrl-C or SIGTERM
    #[arg(long)]
    pub follow: bool,
}

#[derive(Args, Debug)]
pub struct RawQuarantine {
    #[command(subcommand)]
    pub command: Option<RawQuarantineCommand>,
    #[command(flatten)]
    pub filter: RawQuarantineFilter,
}

#[derive(Debug, Subcommand)]
pub enum RawQuarantineCommand {
    /// Count by reason and by input
    #[command(after_help = help::QUARANTINE_SUMMARY)]
    Summary(RawQuarantineFilter),
    /// List records, the latest first
    #[command(after_help = help::QUARANTINE_LIST)]
    List(RawQuarantineList),
    /// Read records again, and store those that can be read now
    #[command(after_help = help::QUARANTINE_RETRY)]
    Retry(RawQuarantineRetry),
}

#[derive(Args, Debug)]
pub struct RawQuarantineFilter {
    /// Only records whose reason contains this
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only records of inputs whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub input: Option<String>,
    /// Only records that arrived then or later: a day, or a time
    #[arg(long, value_name = "T")]
    pub since: Option<String>,
    /// Only records that arrived before
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
}

#[derive(Args, Debug)]
pub struct RawQuarantineList {
    #[command(flatten)]
    pub filter: RawQuarantineFilter,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Only records before this number, where a list ended
    #[arg(long, value_name = "SEQ")]
    pub before: Option<i64>,
}

#[derive(Args, Debug)]
pub struct RawQuarantineRetry {
    #[command(flatten)]
    pub filter: RawQuarantineFilter,
    /// The format to read them as [default: the one that each was read as]
    #[arg(long, value_name = "FORMAT", value_parser = units::format)]
    pub from: Option<Format>,
    /// The names of the columns [default: those of the input]
    #[arg(long, value_name = "NAMES")]
    pub header: Option<String>,
    /// The field that goes to a column, its keys joined with dots; may be repeated
    #[arg(long, value_name = "COLUMN=PATH", value_parser = units::column_path)]
    pub map: Vec<(String, String)>,
    /// A mapping of the store's daybook.toml
    #[arg(long, value_name = "NAME")]
    pub mapping: Option<String>,
}

#[derive(Args, Debug)]
pub struct RawSql {
    /// The query; `-` to read it from standard input
    pub query: String,
    /// How to print the rows [default: table]
    #[arg(long, value_enum)]
    pub format: Option<RawFormat>,
    /// The file to write; it gets its name when it is complete. `-` for standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// CSV with text as it is, also text that a spreadsheet would run as a formula
    #[arg(long)]
    pub raw_csv: bool,
    /// A value for `$NAME` in the query: text, or JSON after `:=`; may be repeated
    #[arg(long = "param", value_name = "NAME=TEXT|NAME:=JSON", value_parser = units::parameter)]
    pub parameters: Vec<(String, Value)>,
    /// Ask the store as it was at a version or a time
    #[arg(long, value_name = "VERSION|TIME")]
    pub at: Option<String>,
    #[command(flatten)]
    pub limits: RawLimits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RawFormat {
    /// Aligned columns that fit the terminal
    Table,
    /// One JSON object a line
    Jsonl,
    /// One JSON array of objects
    Json,
    /// RFC 4180, safe to open in a spreadsheet
    Csv,
    /// A Markdown table
    Markdown,
    /// A Parquet file
    Parquet,
    /// An Arrow file (Feather, version 2)
    Arrow,
}

#[derive(Args, Debug)]
pub struct RawShell {
    /// How to print rows [default: table]
    #[arg(long, value_enum)]
    pub format: Option<RawShellFormat>,
    /// Go on after a statement of standard input fails; the exit code is 1 then
    #[arg(long)]
    pub keep_going: bool,
    /// For each query on its own
    #[command(flatten)]
    pub limits: RawLimits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RawShellFormat {
    /// Aligned columns that fit the terminal
    Table,
    /// One JSON object a line
    Jsonl,
    /// One JSON array of objects
    Json,
    /// RFC 4180, safe to open in a spreadsheet
    Csv,
    /// A Markdown table
    Markdown,
}

#[derive(Args, Debug)]
pub struct RawConfig {
    /// What to do
    #[arg(value_enum)]
    pub action: ConfigAction,
}

/// What to do with the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConfigAction {
    /// Read daybook.toml and say what is wrong with it
    Check,
    /// Print the settings in force, each with what it is for
    Show,
    /// Print the reference of all settings
    Reference,
}

#[derive(Args, Debug)]
pub struct RawSchema {
    #[command(flatten)]
    pub limits: RawLimits,
}

#[derive(Args, Debug)]
pub struct RawCompletions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub struct RawMan {
    /// The page of one command
    pub command: Option<String>,
}
