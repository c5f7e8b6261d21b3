//! The arguments after they are checked: what is here fits together.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate, Utc};
use daybook::proof::SignedHead;
use daybook::{At, CompactRequest, IngestOptions, QuarantineFilter, RetryOptions};
use serde_json::Value;

use super::Zone;
use super::asking::{FacetsInput, SearchInput, TimelineInput};
use super::exporting::{BundleInput, Export};
use super::filter::FilterInput;
use super::global::RawGlobal;
use super::keeping::{ArchiveInput, EraseInput, ExpireInput, MaintainInput, RestoreInput};
use super::limits::LimitsInput;
use super::looking::{CourseInput, HistoryInput, Limited, SessionsInput, ShowInput, TailInput};
use super::output::{self, Format};
use super::patterns::PatternsInput;
pub use super::raw::ConfigAction;
use super::raw::{
    Raw, RawCommand, RawIngest, RawLog, RawMine, RawQuarantine, RawQuarantineCommand, RawQuarantineFilter,
    RawShell, RawSql,
};
use super::reporting::{AuditInput, MetricsInput, RawProof, RawVerify};
use crate::failure::Failure;

pub use super::units::State;

/// A command and what holds for all of them.
#[derive(Debug)]
pub struct Invocation {
    pub global: Global,
    pub command: Command,
}

/// A head that was kept elsewhere, and the file of the public key that it must be signed for.
#[derive(Debug)]
pub struct Signed {
    pub head: Option<SignedHead>,
    pub by: Option<PathBuf>,
}

/// What holds for every command.
#[derive(Debug)]
pub struct Global {
    /// The store, when `--store` names it.
    pub named_store: Option<PathBuf>,
    /// The store: `--store`, else `DAYBOOK_STORE`, else `./daybook`.
    pub store: PathBuf,
    pub zone: Zone,
    /// The file with the keys of the store, when `--key-file` names it.
    pub key_file: Option<PathBuf>,
    /// Archives of the store that are asked, too.
    pub archives: Vec<PathBuf>,
}

/// The command to run.
#[derive(Debug)]
pub enum Command {
    Demo(DemoRequest),
    Log(Log),
    Ingest(Box<Ingest>),
    Quarantine(Box<Quarantine>),
    Sql(Sql),
    Search(SearchInput),
    Stats(FilterInput),
    Timeline(TimelineInput),
    Facets(FacetsInput),
    Mine(Mine),
    Slowest(Limited),
    History(HistoryInput),
    Sessions(SessionsInput),
    Course(CourseInput),
    Show(ShowInput),
    Audit(Box<AuditInput>),
    Metrics(MetricsInput),
    Health(FilterInput),
    Patterns(Box<PatternsInput>),
    Tail(TailInput),
    Shell(Shell),
    Schema(LimitsInput),
    Info,
    Export(Box<Export>),
    Bundle(Box<BundleInput>),
    Config(ConfigAction),
    Compact(CompactRequest),
    Encrypt,
    Expire(ExpireInput),
    Erase(EraseInput),
    Maintain(MaintainInput),
    Backup(PathBuf),
    Archive(ArchiveInput),
    Restore(RestoreInput),
    Verify(Signed, bool),
    VerifyProof(PathBuf, Signed),
    Proof(RawProof),
    Completions(clap_complete::Shell),
    Man(Option<String>),
}

/// The sample events to make.
#[derive(Debug, PartialEq, Eq)]
pub struct DemoRequest {
    /// The last day.
    pub until: NaiveDate,
    /// About how many; else as many as the library makes.
    pub events: Option<u32>,
}

/// Messages to find the templates of.
#[derive(Debug, PartialEq, Eq)]
pub struct Mine {
    pub file: PathBuf,
    /// Print the template of each message.
    pub assign: bool,
}

/// Where the events to record come from.
#[derive(Debug, PartialEq)]
pub enum Log {
    /// From the arguments.
    One(Box<NewEvent>),
    /// From standard input, one a line.
    Lines,
}

/// One event from the arguments.
#[derive(Debug, PartialEq)]
pub struct NewEvent {
    pub kind: String,
    pub message: String,
    pub level: Option<String>,
    pub actor: Option<String>,
    pub session: Option<String>,
    pub source: Option<String>,
    pub entity: Option<(String, String)>,
    pub status: Option<String>,
    pub duration_ms: Option<f64>,
    /// As typed: the store reads more forms than a zone applies to.
    pub ts: Option<String>,
    pub before: Option<State>,
    pub after: Option<State>,
    pub fields: Vec<(String, Value)>,
}

/// Files to store, and how.
#[derive(Debug, PartialEq)]
pub struct Ingest {
    pub files: Vec<PathBuf>,
    pub options: IngestOptions,
    /// Store nothing, and say what would be.
    pub explain: bool,
    /// Go on with what is written to the files.
    pub follow: bool,
}

/// What to do with what could not be read.
#[derive(Debug, PartialEq)]
pub enum Quarantine {
    Summary(QuarantineFilter),
    List {
        filter: QuarantineFilter,
        limit: usize,
        /// Only records before this number.
        before: Option<i64>,
    },
    Retry(RetryOptions),
}

/// A query.
#[derive(Debug, PartialEq)]
pub struct Sql {
    /// `None`: it comes from standard input.
    pub query: Option<String>,
    pub format: Format,
    pub target: Target,
    pub raw_csv: bool,
    pub parameters: Vec<(String, Value)>,
    pub at: At,
    pub limits: LimitsInput,
}

/// Questions, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Shell {
    pub format: Format,
    pub limits: LimitsInput,
    pub keep_going: bool,
}

/// Where data goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Stdout,
    File(PathBuf),
}

impl Raw {
    /// Checks what was typed; `store_variable` is the value of `DAYBOOK_STORE`.
    pub fn check(self, store_variable: Option<OsString>) -> Result<Invocation, Failure> {
        let json = self.global.json;
        let global = check_global(self.global, store_variable)?;
        let command = match self.command {
            RawCommand::Demo(demo) => Command::Demo(DemoRequest {
                until: demo.until.unwrap_or_else(yesterday),
                events: demo.events,
            }),
            RawCommand::Log(log) => Command::Log(check_log(*log)?),
            RawCommand::Ingest(ingest) => Command::Ingest(Box::new(check_ingest(ingest)?)),
            RawCommand::Quarantine(quarantine) => {
                Command::Quarantine(Box::new(check_quarantine(quarantine, global.zone)?))
            }
            RawCommand::Sql(sql) => Command::Sql(check_sql(sql, json, global.zone)?),
            RawCommand::Search(raw) if raw.follow => {
                Command::Tail(TailInput { search: raw.check()?, last: 10 })
            }
            RawCommand::Search(raw) => Command::Search(raw.check()?),
            RawCommand::Recent(raw) => Command::Search(raw.check()?),
            RawCommand::Failures(raw) => Command::Search(raw.check()?),
            RawCommand::Stats(raw) => Command::Stats(raw.filter.check()?),
            RawCommand::Timeline(raw) => Command::Timeline(raw.check()?),
            RawCommand::Facets(raw) => Command::Facets(raw.check()?),
            RawCommand::Mine(RawMine { file, assign }) => Command::Mine(Mine { file, assign }),
            RawCommand::Slowest(raw) => Command::Slowest(raw.check()?),
            RawCommand::History(raw) => Command::History(raw.check()?),
            RawCommand::FileHistory(raw) => Command::History(raw.check()?),
            RawCommand::Sessions(raw) => Command::Sessions(raw.check()?),
            RawCommand::Session(raw) => Command::Course(raw.check()?),
            RawCommand::Trace(raw) => Command::Course(raw.check()?),
            RawCommand::Show(raw) => Command::Show(raw.check()),
            RawCommand::Tail(raw) => Command::Tail(raw.check()?),
            RawCommand::Audit(raw) => Command::Audit(Box::new(raw.check()?)),
            RawCommand::Metrics(raw) => Command::Metrics(raw.check()?),
            RawCommand::Health(raw) => Command::Health(raw.filter.check()?),
            RawCommand::Patterns(raw) => Command::Patterns(Box::new(raw.check()?)),
            RawCommand::Shell(shell) => Command::Shell(check_shell(&shell, json)),
            RawCommand::Schema(raw) => Command::Schema(raw.limits.check()),
            RawCommand::Info => Command::Info,
            RawCommand::Export(export) => export.check()?,
            RawCommand::Config(config) => Command::Config(config.action),
            RawCommand::Compact(compact) => Command::Compact(compact.check()),
            RawCommand::Encrypt => Command::Encrypt,
            RawCommand::Expire(expire) => Command::Expire(expire.check()?),
            RawCommand::Erase(erase) => Command::Erase(erase.check()),
            RawCommand::Maintain(maintain) => Command::Maintain(maintain.check()),
            RawCommand::Archive(archive) => Command::Archive(archive.check()?),
            RawCommand::Restore(restore) => Command::Restore(restore.check()),
            RawCommand::Backup(backup) => Command::Backup(backup.folder),
            RawCommand::Verify(RawVerify { against, signed_by, deep, proof }) => {
                let signed = Signed { head: against, by: signed_by };
                match proof {
                    Some(file) => Command::VerifyProof(file, signed),
                    None => Command::Verify(signed, deep),
                }
            }
            RawCommand::Proof(proof) => Command::Proof(proof),
            RawCommand::Completions(completions) => Command::Completions(completions.shell),
            RawCommand::Man(man) => Command::Man(man.command),
        };
        Ok(Invocation { global, command })
    }
}

fn yesterday() -> NaiveDate {
    let today = Utc::now().date_naive();
    today.checked_sub_days(Days::new(1)).unwrap_or(today)
}

fn check_global(raw: RawGlobal, store_variable: Option<OsString>) -> Result<Global, Failure> {
    if raw.quiet && raw.verbose > 0 {
        return Err(Failure::usage("`--quiet` and `--verbose` contradict each other"));
    }
    if raw.store.as_ref().is_some_and(|store| store.as_os_str().is_empty()) {
        return Err(Failure::usage("`--store` names no folder"));
    }
    let from_variable = store_variable.filter(|value| !value.is_empty()).map(PathBuf::from);
    let store = raw.store.clone().or(from_variable).unwrap_or_else(|| PathBuf::from("./daybook"));
    let (zone, archives, key_file) = (raw.tz.unwrap_or_default(), raw.with_archive, raw.key_file);
    Ok(Global { named_store: raw.store, store, zone, key_file, archives })
}

fn check_log(raw: RawLog) -> Result<Log, Failure> {
    if raw.kind == "-" {
        if raw.describes_an_event() {
            let message =
                "`daybook log -` reads whole events from standard input and takes no other arguments";
            return Err(Failure::usage(message).hint("write the fields into the JSON of each line"));
        }
        return Ok(Log::Lines);
    }
    let Some(message) = raw.message else {
        return Err(Failure::usage("the message is missing")
            .hint("`daybook log KIND MESSAGE`, or `daybook log -` to read JSON from standard input"));
    };
    let mut keys: Vec<&str> = raw.fields.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    let twice = keys.iter().zip(keys.iter().skip(1)).find(|(first, second)| first == second);
    if let Some((key, _)) = twice {
        return Err(Failure::usage(format!("the field `{key}` is given twice")));
    }
    Ok(Log::One(Box::new(NewEvent {
        kind: raw.kind,
        message,
        level: raw.level,
        actor: raw.actor,
        session: raw.session,
        source: raw.source,
        entity: raw.entity,
        status: raw.status,
        duration_ms: raw.duration_ms,
        ts: raw.ts,
        before: raw.before,
        after: raw.after,
        fields: raw.fields,
    })))
}

fn check_ingest(raw: RawIngest) -> Result<Ingest, Failure> {
    if raw.files.iter().filter(|file| is_dash(file)).count() > 1 {
        return Err(Failure::usage("standard input (`-`) can be read once"));
    }
    let RawIngest { files, from, header, encoding, map, mapping, strict, explain, follow } = raw;
    if follow {
        check_follow(&files, strict, explain)?;
    }
    let options = IngestOptions { from, header, encoding, mapping, map, strict, ..IngestOptions::default() };
    Ok(Ingest { files, options, explain, follow })
}

fn check_follow(files: &[PathBuf], strict: bool, explain: bool) -> Result<(), Failure> {
    if explain {
        return Err(
            Failure::usage("`--follow` stores events, and `--explain` stores none").hint("leave one out")
        );
    }
    if strict {
        return Err(Failure::usage("`--follow` and `--strict` contradict each other")
            .hint("what cannot be read goes to the quarantine"));
    }
    if files.iter().any(|file| is_dash(file)) {
        return Err(Failure::usage("standard input cannot be followed")
            .hint("`daybook log -` stores each line of it as it comes"));
    }
    Ok(())
}

fn check_quarantine(raw: RawQuarantine, zone: Zone) -> Result<Quarantine, Failure> {
    match raw.command {
        None => Ok(Quarantine::Summary(check_filter(raw.filter, zone)?)),
        Some(RawQuarantineCommand::Summary(filter)) => Ok(Quarantine::Summary(check_filter(filter, zone)?)),
        Some(RawQuarantineCommand::List(list)) => Ok(Quarantine::List {
            filter: check_filter(list.filter, zone)?,
            limit: usize::try_from(list.limit).unwrap_or(usize::MAX),
            before: list.before,
        }),
        Some(RawQuarantineCommand::Retry(retry)) => Ok(Quarantine::Retry(RetryOptions {
            filter: check_filter(retry.filter, zone)?,
            from: retry.from,
            header: retry.header,
            mapping: retry.mapping,
            map: retry.map,
        })),
    }
}

fn check_filter(raw: RawQuarantineFilter, zone: Zone) -> Result<QuarantineFilter, Failure> {
    let time = |option: &str, text: Option<String>| {
        text.map(|text| match zone.read(&text) {
            Some(time) => Ok(time.timestamp_micros()),
            None => Err(Failure::usage(format!("`--{option} {text}` is no time"))
                .hint("write a day such as 2026-02-03, or a time such as 2026-02-03T04:05:06Z")),
        })
        .transpose()
    };
    let (from_us, until_us) = (time("since", raw.since)?, time("until", raw.until)?);
    if from_us.zip(until_us).is_some_and(|(from_us, until_us)| from_us >= until_us) {
        return Err(Failure::usage("`--until` is not after `--since`, so that nothing lies between them"));
    }
    Ok(QuarantineFilter { reason: raw.reason, input: raw.input, from_us, until_us })
}

fn check_sql(raw: RawSql, json: bool, zone: Zone) -> Result<Sql, Failure> {
    let target = output::target(raw.output);
    let format = output::of_rows(raw.format, json, &target)?;
    Ok(Sql {
        query: (raw.query != "-").then_some(raw.query),
        format,
        target,
        raw_csv: raw.raw_csv,
        parameters: raw.parameters,
        at: raw.at.map_or(Ok(At::Latest), |at| check_at(&at, zone))?,
        limits: raw.limits.check(),
    })
}

/// Digits are a version, all else is a time.
fn check_at(text: &str, zone: Zone) -> Result<At, Failure> {
    if let Ok(version) = text.parse::<u64>() {
        return Ok(At::Version(version));
    }
    match zone.read(text) {
        Some(time) => Ok(At::Time(time.timestamp_millis())),
        None => Err(Failure::usage(format!("`--at {text}` is neither a version nor a time")).hint(
            "write a version such as 12, a day such as 2026-02-03, or a time such as 2026-02-03T04:05:06Z",
        )),
    }
}

fn check_shell(raw: &RawShell, json: bool) -> Shell {
    let format = output::of_shell(raw.format, json);
    Shell { format, limits: raw.limits.check(), keep_going: raw.keep_going }
}

/// Whether the name stands for standard input or output.
pub fn is_dash(file: &Path) -> bool {
    file.as_os_str() == "-"
}
