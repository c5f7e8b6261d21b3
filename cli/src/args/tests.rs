use std::ffi::OsString;
use std::path::PathBuf;

use daybook::output::OutputFormat;
use daybook::{At, QuarantineFilter};
use serde_json::json;

use super::*;

fn check(line: &[&str], variable: Option<&str>) -> Result<Invocation, String> {
    let arguments = std::iter::once("daybook").chain(line.iter().copied()).map(OsString::from);
    let raw = parse(arguments).map_err(|refusal| refusal.message())?;
    raw.check(variable.map(OsString::from)).map_err(|failure| failure.message())
}

fn store(line: &[&str], variable: Option<&str>) -> Option<PathBuf> {
    check(line, variable).ok().map(|invocation| invocation.global.store)
}

fn sql(line: &[&str]) -> Result<Sql, String> {
    match check(line, None)?.command {
        Command::Sql(sql) => Ok(sql),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn the_definition_is_sound() {
    definition().debug_assert();
}

#[test]
fn the_store_is_the_option_then_the_variable_then_the_default() {
    assert_eq!(store(&["info"], None), Some("./daybook".into()));
    assert_eq!(store(&["info"], Some("")), Some("./daybook".into()));
    assert_eq!(store(&["info"], Some("/v")), Some("/v".into()));
    assert_eq!(store(&["--store", "/o", "info"], Some("/v")), Some("/o".into()));
    assert_eq!(store(&["info", "--store", "/o"], Some("/v")), Some("/o".into()));
    assert!(check(&["info", "--store", ""], None).is_err());
}

#[test]
fn global_options_go_before_or_after_the_command() {
    for line in [["--json", "-v", "info"], ["info", "--json", "-v"], ["-v", "info", "--json"]] {
        let raw = parse(std::iter::once("daybook").chain(line).map(OsString::from)).ok();
        assert_eq!(raw.map(|raw| raw.output()), Some(Output { json: true, quiet: false, verbose: 1 }));
    }
    assert!(check(&["-q", "info", "-v"], None).is_err());
}

#[test]
fn a_log_line_is_one_event_or_standard_input() {
    let log = |line: &[&str]| match check(line, None).map(|invocation| invocation.command) {
        Ok(Command::Log(log)) => Some(log),
        _ => None,
    };
    assert_eq!(log(&["log", "-"]), Some(Log::Lines));
    assert_eq!(log(&["log", "-", "text"]), None);
    assert_eq!(log(&["log", "-", "--actor", "a"]), None);
    assert_eq!(log(&["log", "deploy"]), None);
    assert_eq!(log(&["log", "a", "b", "--field", "x=1", "--field", "x=2"]), None);
    let Some(Log::One(event)) =
        log(&["log", "a", "b", "--entity", "file:x", "--field", "n=1", "--after", "[1]"])
    else {
        panic!("one event")
    };
    assert_eq!((event.kind.as_str(), event.message.as_str()), ("a", "b"));
    assert_eq!(event.entity, Some(("file".to_string(), "x".to_string())));
    assert_eq!(event.fields, [("n".to_string(), json!(1))]);
    assert_eq!(event.after, Some(State::Json(json!([1]))));
}

#[test]
fn json_and_format_agree() {
    let format = |line: &[&str]| sql(line).ok().map(|sql| sql.format);
    assert_eq!(format(&["sql", "q"]), Some(Format::Table));
    let rows = |format| Some(Format::Rows(format));
    assert_eq!(format(&["sql", "q", "--json"]), rows(OutputFormat::Json));
    assert_eq!(format(&["sql", "q", "--json", "--format", "jsonl"]), rows(OutputFormat::JsonLines));
    assert_eq!(format(&["sql", "q", "--format", "csv"]), rows(OutputFormat::Csv));
    assert_eq!(format(&["sql", "q", "--json", "--format", "csv"]), None);
    assert_eq!(format(&["sql", "q", "-o", "a.parquet"]), rows(OutputFormat::Parquet));
    assert_eq!(format(&["sql", "q", "-o", "a.MD"]), rows(OutputFormat::Markdown));
    assert_eq!(format(&["sql", "q", "-o", "a.parquet", "--json"]), rows(OutputFormat::Parquet));
    assert_eq!(format(&["sql", "q", "-o", "a.txt"]), Some(Format::Table));
    assert_eq!(format(&["sql", "q", "-o", "a.csv.gz"]), None);
    assert_eq!(format(&["sql", "q", "-o", "-", "--format", "arrow"]), rows(OutputFormat::Arrow));
}

#[test]
fn limits_and_versions_of_a_query() {
    let limits = sql(&["sql", "q", "--timeout", "0", "--memory", "1GB", "--at", "12"]);
    let limits = limits.map(|sql| (sql.limits, sql.at));
    let expected =
        limits::RawLimits { timeout: Some(std::time::Duration::ZERO), memory: Some(1_000_000_000) };
    assert_eq!(limits, Ok((expected.check(), At::Version(12))));
    assert_eq!(expected.check().timeout, limits::Timeout::Never);
    let at = |line: &[&str]| sql(line).map(|sql| sql.at);
    assert_eq!(at(&["sql", "q", "--at", "1970-01-02"]), Ok(At::Time(86_400_000)));
    assert_eq!(at(&["sql", "q", "--at", "1970-01-02", "--tz", "+01:00"]), Ok(At::Time(82_800_000)));
    assert!(at(&["sql", "q", "--at", "soon"]).is_err());
    assert_eq!(sql(&["sql", "-"]).map(|sql| sql.query), Ok(None));
}

#[test]
fn an_export_goes_to_a_file_or_standard_output() {
    let export = |line: &[&str]| match check(line, None)?.command {
        Command::Export(export) => Ok(export),
        other => Err(format!("{other:?}")),
    };
    let parts = |line: &[&str]| export(line).map(|export| (export.target, export.format)).ok();
    let file = |name: &str| Target::File(name.into());
    assert_eq!(parts(&["export", "-"]), Some((Target::Stdout, OutputFormat::JsonLines)));
    assert_eq!(parts(&["export", "a.jsonl"]), Some((file("a.jsonl"), OutputFormat::JsonLines)));
    assert_eq!(parts(&["export", "a"]), Some((file("a"), OutputFormat::JsonLines)));
    assert_eq!(parts(&["export", "a.csv"]), Some((file("a.csv"), OutputFormat::Csv)));
    assert_eq!(parts(&["export", "a.csv", "--format", "json"]), Some((file("a.csv"), OutputFormat::Json)));
    assert_eq!(parts(&["export", "a.jsonl.gz"]), None);
    assert_eq!(parts(&["export", "a.md"]), None);
    let filter = |line: &[&str]| export(line).map(|export| export.filter.text);
    assert_eq!(filter(&["export", "-"]), Ok(String::new()));
    assert_eq!(filter(&["export", "-", "kind:a", "last:2d"]), Ok("kind:a last:2d".to_string()));
    assert!(filter(&["export", "-", "--filter", "a b", "--", "-c"]).is_err());
    assert!(filter(&["export", "a.csv", "--original"]).is_err());
}

#[test]
fn standard_input_is_read_once() {
    assert!(check(&["ingest", "-", "a", "-"], None).is_err());
    assert!(check(&["ingest"], None).is_err());
}

#[test]
fn a_refusal_has_one_message_for_programs() {
    assert_eq!(
        check(&["sql", "q", "--format", "xml"], None).err().as_deref().map(|text| text.lines().next()),
        Some(Some("invalid value 'xml' for '--format <FORMAT>'"))
    );
}

#[test]
fn the_quarantine_is_summarised_unless_asked_for_more() {
    let quarantine = |line: &[&str]| match check(line, None)?.command {
        Command::Quarantine(quarantine) => Ok(*quarantine),
        other => Err(format!("{other:?}")),
    };
    let all = QuarantineFilter::default();
    assert_eq!(quarantine(&["quarantine"]), Ok(Quarantine::Summary(all.clone())));
    let day_us = 1_770_076_800_000_000;
    let since = QuarantineFilter { from_us: Some(day_us), reason: Some("x".to_string()), ..all.clone() };
    let words = ["--since", "2026-02-03", "--reason", "x"];
    assert_eq!(quarantine(&[&["quarantine"], &words[..]].concat()), Ok(Quarantine::Summary(since.clone())));
    assert_eq!(
        quarantine(&[&["quarantine", "summary"], &words[..]].concat()),
        Ok(Quarantine::Summary(since))
    );
    let list = Quarantine::List { filter: all.clone(), limit: 20, before: Some(7) };
    assert_eq!(quarantine(&["quarantine", "list", "--before", "7"]), Ok(list));
    let Ok(Quarantine::Retry(retry)) = quarantine(&[
        "quarantine",
        "retry",
        "--from",
        "nginx",
        "--map",
        "ts=a.b",
        "--tz",
        "+01:00",
        "--until",
        "2026-02-03",
    ]) else {
        panic!("no retry");
    };
    assert_eq!((retry.from, retry.map.len()), (Some(daybook::Format::Access), 1));
    assert_eq!(retry.filter.until_us, Some(day_us - 3_600_000_000));
    let refused = quarantine(&["quarantine", "list", "--since", "2026-02-03", "--until", "2026-02-03"]);
    assert_eq!(
        refused,
        Err("`--until` is not after `--since`, so that nothing lies between them".to_string())
    );
}
