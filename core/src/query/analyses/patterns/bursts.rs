//! Bursts, drops, silences and lasting changes: what the rhythm of a series does not explain.

use super::super::{Analysis, Answers, Scope, Statement};
use super::examine::{Deviation, Examined, Sort, Subject, examine};
use super::finding::{Finding, What, command, is, length, minute, number, search};
use super::series::{DIMENSIONS, Frame, Measure, frame, series_statement};
use super::{ALARM, alarm_is_valid};
use crate::error::Result;
use crate::event::time::DAY_US;
use crate::mine::TemplateId;
use crate::query::filter::Filter;
use serde::{Deserialize, Serialize};

/// Points and periods that differ from what is usual at their hour and on their day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// The share of findings that may be chance.
    #[serde(default = "super::alarm")]
    pub alarm: f64,
    /// How many findings: the most surprising.
    #[serde(default = "super::findings_shown")]
    pub limit: u64,
}

/// The report of [`Bursts`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BurstsReport {
    /// Events that were looked at.
    pub events: u64,
    /// How long the stretches are that were counted in.
    pub every: String,
    /// How many series there are.
    pub series: u64,
    /// How many tests were made of them.
    pub tests: u64,
    /// The share of findings that may be chance: with nothing to find, the probability of any finding.
    pub alarm: f64,
    /// What was found, the most surprising first.
    pub findings: Vec<Finding>,
    /// How many there are in all.
    pub found: u64,
    /// What was not looked at, in sentences.
    pub left_out: Vec<String>,
}

impl Bursts {
    /// Of these events, with the usual rate of false alarms.
    pub fn new(filter: Filter) -> Bursts {
        Bursts { filter, alarm: ALARM, limit: super::findings_shown() }
    }
}

impl Analysis for Bursts {
    type Report = BurstsReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        alarm_is_valid(self.alarm)?;
        let condition = scope.condition(&self.filter)?;
        Ok(vec![series_statement(scope, &condition)?, durations(&condition)])
    }

    fn report(&self, scope: &Scope<'_>, answers: &Answers) -> Result<BurstsReport> {
        let Some(frame) = frame(answers) else {
            return Ok(BurstsReport { alarm: self.alarm, ..BurstsReport::default() });
        };
        let mut left_out = Vec::new();
        if frame.outside > 0 {
            left_out.push(format!(
                "{} events lie so far from the others in time that they are left out",
                number(frame.outside as f64)
            ));
        }
        let mut series = Vec::new();
        for dimension in DIMENSIONS {
            series.extend(dimension.series(answers, &frame));
            let rarer = dimension.left_out(answers);
            if let (Some(column), 1..) = (dimension.column, rarer) {
                let shown = dimension.values_max;
                left_out.push(format!(
                    "of `{column}` the {shown} most frequent values are looked at, {} are not",
                    number(rarer as f64)
                ));
            }
        }
        let examined = examine(&series, &speeds(answers, &frame), &frame, self.alarm);
        let (tests, count) = (examined.tests, examined.series);
        let findings = findings(&examined, &frame, scope, &self.filter);
        let found = findings.len() as u64;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        Ok(BurstsReport {
            events: frame.events,
            every: length(frame.width_us),
            series: count,
            tests,
            alarm: self.alarm,
            findings: findings.into_iter().take(limit).collect(),
            found,
            left_out,
        })
    }
}

/// How long the events of each source took, by day: their number and the mean of the logarithms.
fn durations(condition: &crate::query::filter::Where) -> Statement {
    let sql = format!(
        "WITH chosen AS (SELECT source, CAST(ts AS DATE) AS d, duration_ms FROM events \
         WHERE {} AND isfinite(duration_ms) AND duration_ms > 0 AND source IS NOT NULL), \
         top AS (SELECT source AS name FROM chosen GROUP BY source ORDER BY count(*) DESC, source LIMIT 60), \
         daily AS (SELECT source, d, count(*) AS n, avg(ln(duration_ms)) AS mean FROM chosen \
         WHERE source IN (SELECT name FROM top) GROUP BY source, d) \
         SELECT source, list(date_diff('day', DATE '1970-01-01', d) ORDER BY d), list(n ORDER BY d), \
         list(mean ORDER BY d) FROM daily GROUP BY source ORDER BY source",
        condition.sql
    );
    Statement::over("durations", sql, condition).reading(["ts", "source", "duration_ms"], condition)
}

/// The mean logarithm of durations by day, and how many there are, of each source.
fn speeds(answers: &Answers, frame: &Frame) -> Vec<(String, Vec<f64>, Vec<f64>)> {
    let first = frame.first_us.div_euclid(DAY_US);
    let days = frame.last_us.div_euclid(DAY_US).saturating_sub(first).saturating_add(1);
    let days = usize::try_from(days).unwrap_or(0).min(200_000);
    let of = |row: &super::super::Row| {
        let (mut means, mut counts) = (vec![0.0; days], vec![0.0; days]);
        let lists = row.numbers(1).into_iter().zip(row.numbers(2)).zip(row.numbers(3));
        for ((day, count), mean) in lists {
            let (Some(day), Some(count), Some(mean)) = (day, count, mean) else { continue };
            let place = usize::try_from((day as i64).saturating_sub(first)).unwrap_or(usize::MAX);
            super::vectors::add(&mut means, place, mean);
            super::vectors::add(&mut counts, place, count);
        }
        (row.string(0).unwrap_or_default(), means, counts)
    };
    answers.rows("durations").iter().map(of).collect()
}

/// The findings, the most surprising first; those that tell the same as one are named in it.
fn findings(examined: &Examined, frame: &Frame, scope: &Scope<'_>, filter: &Filter) -> Vec<Finding> {
    let mut sorted: Vec<&Deviation> = examined.deviations.iter().collect();
    sorted.sort_by(|one, other| one.p.total_cmp(&other.p).then(other.excess().total_cmp(&one.excess())));
    let mut findings: Vec<(&Deviation, Finding)> = Vec::new();
    for deviation in sorted {
        let same = findings.iter_mut().find(|(known, _)| known.tells(deviation));
        match same {
            Some((_, finding)) if finding.also.len() < 8 => finding.also.push(deviation.subject.about()),
            Some(_) => {}
            None => findings.push((deviation, finding(deviation, frame, scope, filter))),
        }
    }
    findings.into_iter().map(|(_, finding)| finding).collect()
}

fn finding(deviation: &Deviation, frame: &Frame, scope: &Scope<'_>, filter: &Filter) -> Finding {
    let subject = &deviation.subject;
    let about = subject.about();
    let (from, to) = (deviation.from_us, deviation.to_us);
    let lasting = length(to.saturating_sub(from));
    let (expected, seen) = (number(deviation.expected), number(deviation.seen));
    let (what, title) = match deviation.sort {
        Sort::Block if deviation.seen > deviation.expected => {
            let title =
                format!("{seen} {} in {lasting} from {}, usual are {expected}", subject.unit(), minute(from));
            (What::Burst, title)
        }
        Sort::Block => {
            let title = format!(
                "only {seen} {} in {lasting} from {}, usual are {expected}",
                subject.unit(),
                minute(from)
            );
            (What::Drop, title)
        }
        Sort::Silence => {
            let title = format!("nothing for {lasting} from {}, usual are {expected}", minute(from));
            (What::Silence, title)
        }
        Sort::Ended => {
            (What::Silence, format!("nothing since {}, in {lasting}; usual are {expected}", minute(from)))
        }
        Sort::Begun => (What::New, format!("new since {}: nothing before, then {seen} events", minute(from))),
        Sort::Step | Sort::Line => lasting_change(deviation, frame),
    };
    let title = match text_of_template(subject, scope) {
        Some(text) => format!("{title}: {text}"),
        None => title,
    };
    let mut parts = vec![filter.clone()];
    parts.extend(subject.column.map(|column| is(column, &subject.value, scope)));
    if subject.measure == Some(Measure::Errors) {
        parts.push(Filter::errors());
    }
    // A silence shows in what comes before and after it.
    let is_wide = deviation.seen == 0.0 || deviation.is_lasting() || deviation.sort == Sort::Begun;
    let around = if is_wide { to.saturating_sub(from).clamp(DAY_US, 28 * DAY_US) } else { 0 };
    let whole = |instant: i64| instant.saturating_sub(instant.rem_euclid(1_000_000));
    let begin = from.saturating_sub(around).max(frame.first_us);
    parts.push(Filter::since(whole(begin)));
    let end = to.saturating_add(around).min(frame.last_us.saturating_add(1_000_000));
    parts.push(Filter::until(whole(end)));
    let shown = Filter::and(parts);
    let mut finding = Finding::new(what, about, title, deviation.p).within(from, to);
    finding = finding.counted(deviation.expected, deviation.seen);
    finding.show = if around > 0 { command("timeline", &shown) } else { search(&shown) };
    finding.counts = deviation.counts.clone();
    finding
}

/// So much of a template is shown in a title.
const TEMPLATE_CHARS_MAX: usize = 80;

/// The beginning of the text of a template, if the subject is one.
fn text_of_template(subject: &Subject, scope: &Scope<'_>) -> Option<String> {
    let id = TemplateId::parse(&subject.value).filter(|_| subject.column == Some("template"))?;
    let mut chars = scope.dictionary()?.text(id)?.chars();
    let mut text: String = chars.by_ref().take(TEMPLATE_CHARS_MAX).collect();
    if chars.next().is_some() {
        text.push('…');
    }
    Some(text)
}

fn lasting_change(deviation: &Deviation, frame: &Frame) -> (What, String) {
    let Subject { measure, .. } = deviation.subject;
    let (before, after) = (deviation.expected, deviation.seen);
    let value = |value: f64| match measure {
        None => format!("{} ms", number(value)),
        Some(Measure::Errors) => format!("{} %", number(value * 100.0)),
        Some(Measure::Events) => number(value),
    };
    let until = if deviation.to_us < frame.last_us {
        format!(" until {}", minute(deviation.to_us))
    } else {
        String::new()
    };
    let unit = match measure {
        None => "typical duration",
        Some(Measure::Errors) => "share of errors",
        Some(Measure::Events) => "events a day",
    };
    let from = minute(deviation.from_us);
    let title = if deviation.sort == Sort::Line {
        format!("{unit} from {} to {}, steadily from {from}{until}", value(before), value(after))
    } else {
        format!("{unit} from {} to {} since {from}{until}", value(before), value(after))
    };
    let what = match (measure, deviation.sort, after > before) {
        (None, _, true) => What::Slower,
        (None, _, false) => What::Faster,
        (_, Sort::Line, _) => What::Growth,
        _ => What::Step,
    };
    (what, title)
}
