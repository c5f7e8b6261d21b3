//! `daybook demo`: makes a store with a year of sample events to explore.

mod lines;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use daybook::demo::{self, DemoOptions};
use daybook::{Error, ErrorKind, Info, IngestOptions, Input, Store};
use serde::Serialize;

use crate::args::{DemoRequest, Zone};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::printer::paint;
use crate::progress::ProgressLine;
use crate::shell;
use lines::{EventLines, Generated};

/// About so many events are made unless another number is asked for.
const EVENTS: u32 = 230_000;
const DEFAULT_STORE: &str = "daybook-demo";
/// The stories whose questions are shown, by a word of their titles.
const STORIES: [&str; 2] = ["stops answering", "deletes"];

/// Makes the store, or shows the one that is there already, then says what is in it and what to try.
pub fn run(context: &Context<'_>, request: &DemoRequest) -> Result<(), Failure> {
    let folder = context.global.named_store.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_STORE));
    let options = options(request)?;
    let survey = survey(&options);
    let store = context.open_or_create_at(&folder)?;
    let before = store.info()?;
    let is_new = before.events == 0 && before.quarantined == 0;
    let info = if is_new {
        fill(context, &store, &options, &survey)?;
        store.info()?
    } else {
        check_same(&before, &survey, &folder)?;
        before
    };
    store.close()?;
    let next = next_commands(&folder, &options);
    if context.printer.json() {
        return context.printer.object(&report(&info, &survey, &next));
    }
    if !is_new {
        context.printer.note("these events are in the store already");
    }
    let color = context.printer.stdout().color;
    context.printer.receipt(&text(&info, &survey, &next, context.global.zone, color))
}

fn options(request: &DemoRequest) -> Result<DemoOptions, Failure> {
    let end = request.until.succ_opt().ok_or_else(|| Failure::usage("`--until` lies beyond the calendar"))?;
    let mut options = DemoOptions::new(end);
    if let Some(events) = request.events {
        options.events_per_day *= f64::from(events) / f64::from(EVENTS);
    }
    Ok(options)
}

/// What the generator makes.
struct Survey {
    events: u64,
    first_us: i64,
    last_us: i64,
    applications: BTreeMap<&'static str, u64>,
}

fn survey(options: &DemoOptions) -> Survey {
    let mut survey =
        Survey { events: 0, first_us: i64::MAX, last_us: i64::MIN, applications: BTreeMap::new() };
    for event in demo::events(options) {
        survey.events += 1;
        survey.first_us = survey.first_us.min(event.ts_us);
        survey.last_us = survey.last_us.max(event.ts_us);
        *survey.applications.entry(event.application).or_default() += 1;
    }
    survey
}

fn fill(context: &Context<'_>, store: &Store, options: &DemoOptions, survey: &Survey) -> Result<(), Failure> {
    let progress = Generated::new(ProgressLine::new(context.printer, "making"), survey.events);
    let reader = Box::new(EventLines::new(demo::events(options), progress.counter()));
    let input = Input::Reader { name: format!("demo until {}", options.until), reader };
    store.ingest(vec![input], &IngestOptions::default(), &progress)?;
    Ok(())
}

/// Events that are not these must not be mixed with them.
fn check_same(info: &Info, survey: &Survey, folder: &Path) -> Result<(), Failure> {
    // The statistics of files hold milliseconds.
    let at = |time: &Option<String>, us: i64| {
        let time = time.as_deref().and_then(|time| Zone::Utc.read(time));
        time.is_some_and(|time| (time.timestamp_micros() - us).abs() <= 1000)
    };
    let same = info.events == survey.events
        && info.quarantined == 0
        && at(&info.from, survey.first_us)
        && at(&info.to, survey.last_us);
    if same {
        return Ok(());
    }
    let message = format!("the store `{}` has other events in it", folder.display());
    Err(Error::new(ErrorKind::Invalid, message).with_hint("name another folder with `--store`").into())
}

/// A command to try, and what it shows.
struct Next {
    title: String,
    command: String,
}

fn next_commands(folder: &Path, options: &DemoOptions) -> Vec<Next> {
    let sql = |title: &str, sql: &str| Next {
        title: title.to_string(),
        command: shell::command(Some(folder), &["sql", sql]),
    };
    let mut next = vec![sql(
        "What happens most often",
        "SELECT source, kind, count(*) AS events FROM events GROUP BY ALL ORDER BY events DESC LIMIT 10",
    )];
    let stories = demo::stories(options);
    let told = STORIES.iter().filter_map(|word| stories.iter().find(|story| story.title.contains(word)));
    next.extend(told.map(|story| sql(&format!("{} ({})", story.title, story.when), &story.sql)));
    next
}

/// The JSON form.
#[derive(Serialize)]
struct Report<'a> {
    store: &'a str,
    events: u64,
    days: u64,
    files: u64,
    bytes: u64,
    from: Option<&'a str>,
    to: Option<&'a str>,
    applications: &'a BTreeMap<&'static str, u64>,
    next: Vec<&'a str>,
}

fn report<'a>(info: &'a Info, survey: &'a Survey, next: &'a [Next]) -> Report<'a> {
    Report {
        store: &info.path,
        events: info.events,
        days: info.days,
        files: info.files,
        bytes: info.bytes,
        from: info.from.as_deref(),
        to: info.to.as_deref(),
        applications: &survey.applications,
        next: next.iter().map(|next| next.command.as_str()).collect(),
    }
}

fn text(info: &Info, survey: &Survey, next: &[Next], zone: Zone, color: bool) -> String {
    let time = |time: &Option<String>| time.as_deref().map(|time| zone.restate(time)).unwrap_or_default();
    let mut lines = vec![
        format!(
            "{} of {}, in {} ({} on disk)",
            human::counted(info.events, "event", "events"),
            human::counted(info.days, "day", "days"),
            escape::visible(&info.path),
            human::bytes(info.bytes),
        ),
        format!("from {} to {}", time(&info.from), time(&info.to)),
        String::new(),
    ];
    for (application, events) in &survey.applications {
        lines.push(format!("  {application:<10} {:>9} events", human::count(*events)));
    }
    lines.push(String::new());
    lines.push("Try next:".to_string());
    for next in next {
        lines.push(String::new());
        lines.push(format!("  {}", paint(color, "2", &format!("# {}", next.title))));
        lines.push(format!("  {}", next.command));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};

    use super::*;

    fn small() -> DemoOptions {
        DemoOptions { days: 3, ..DemoOptions::new(NaiveDate::from_ymd_opt(2026, 2, 3).unwrap_or_default()) }
    }

    fn info(survey: &Survey) -> Info {
        let time = |us| DateTime::from_timestamp_micros(us).map(|time| Zone::Utc.show(time));
        Info {
            path: "d".into(),
            format: 1,
            events: survey.events,
            days: 3,
            files: 3,
            bytes: 1,
            wal_events: 0,
            quarantined: 0,
            version: 1,
            from: time(survey.first_us),
            to: time(survey.last_us),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn only_the_same_events_are_shown_again() {
        let survey = survey(&small());
        let same = info(&survey);
        assert!(check_same(&same, &survey, Path::new("d")).is_ok());
        assert!(check_same(&Info { events: 1, ..same.clone() }, &survey, Path::new("d")).is_err());
        assert!(check_same(&Info { to: None, ..same }, &survey, Path::new("d")).is_err());
    }

    #[test]
    fn three_commands_are_shown_ready_to_paste() {
        let options = DemoOptions::new(NaiveDate::from_ymd_opt(2026, 2, 3).unwrap_or_default());
        let next = next_commands(Path::new("my store"), &options);
        assert_eq!(next.len(), 3);
        assert!(next.iter().all(|next| next.command.contains(" sql --store \"my store\" \"SELECT ")));
    }
}
