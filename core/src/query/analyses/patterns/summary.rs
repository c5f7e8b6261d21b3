//! The summary: what is most telling of all patterns.

use super::super::{Analysis, Answers, Scope, Statement};
use super::actors::Actors;
use super::bursts::Bursts;
use super::finding::{Finding, What, length, number};
use super::rhythms::Rhythms;
use super::sequences::Sequences;
use super::series::frame;
use super::{ALARM, alarm_is_valid};
use crate::error::Result;
use crate::event::time::rfc3339;
use crate::query::filter::Filter;
use serde::{Deserialize, Serialize};

/// So many findings of one sort are shown before others have had their turn.
const OF_ONE_SORT: usize = 3;

/// What is usual, what is new and what is wrong, on one screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patterns {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// The share of findings of each sort that may be chance.
    #[serde(default = "super::alarm")]
    pub alarm: f64,
    /// How many findings.
    #[serde(default = "shown")]
    pub limit: u64,
}

fn shown() -> u64 {
    8
}

/// The report of [`Patterns`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PatternsReport {
    /// Events that were looked at.
    pub events: u64,
    /// When the first and the last of them happened.
    pub from: Option<String>,
    /// When the last of them happened.
    pub to: Option<String>,
    /// The share of findings of each sort that may be chance.
    pub alarm: f64,
    /// What is usual, in sentences.
    pub usual: Vec<String>,
    /// What is not, the most telling first.
    pub findings: Vec<Finding>,
    /// How many findings there are in all.
    pub found: u64,
    /// What was not looked at, in sentences.
    pub left_out: Vec<String>,
}

impl Patterns {
    /// Of these events.
    pub fn new(filter: Filter) -> Patterns {
        Patterns { filter, alarm: ALARM, limit: shown() }
    }

    fn parts(&self) -> (Bursts, Rhythms, Sequences, Actors) {
        let (filter, alarm, limit) = (|| self.filter.clone(), self.alarm, 200);
        (
            Bursts { alarm, limit, ..Bursts::new(filter()) },
            Rhythms { alarm, limit, ..Rhythms::new(filter()) },
            Sequences { alarm, limit, ..Sequences::new(filter()) },
            Actors { alarm, limit: 50, ..Actors::new(filter()) },
        )
    }
}

impl Analysis for Patterns {
    type Report = PatternsReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        alarm_is_valid(self.alarm)?;
        let (bursts, rhythms, sequences, actors) = self.parts();
        let mut statements = bursts.statements(scope)?;
        statements.extend(rhythms.statements(scope)?);
        statements.extend(sequences.statements(scope)?);
        statements.extend(actors.statements(scope)?);
        Ok(statements)
    }

    fn report(&self, scope: &Scope<'_>, answers: &Answers) -> Result<PatternsReport> {
        let (bursts, rhythms, sequences, actors) = self.parts();
        let bursts = bursts.report(scope, answers)?;
        let rhythms = rhythms.report(scope, answers)?;
        let sequences = sequences.report(scope, answers)?;
        let actors = actors.report(scope, answers)?;
        let mut usual = Vec::new();
        let frame = frame(answers);
        if let Some(frame) = frame {
            usual.push(format!(
                "{} events in {}, {} series in stretches of {}",
                number(frame.events as f64),
                length(frame.last_us.saturating_sub(frame.first_us)),
                number(bursts.series as f64),
                bursts.every
            ));
        }
        if let Some(rhythm) = rhythms.rhythms.iter().max_by(|one, other| one.events.cmp(&other.events)) {
            usual.push(format!(
                "{} with a rhythm, such as {}: {}",
                counted(rhythms.found, "kind", "kinds"),
                rhythm.value,
                rhythm.every
            ));
        }
        if let Some(path) = sequences.paths.first() {
            usual.push(format!(
                "{}; the most frequent path is {}, {} times",
                counted(sequences.sessions, "session", "sessions"),
                path.kinds.join(" → "),
                number(path.support as f64)
            ));
        }
        let mut findings = bursts.findings;
        findings.extend(rhythms.findings(&self.filter, scope));
        findings.extend(sequences.findings());
        findings.extend(actors.findings());
        let found = (findings.len() as u64).max(bursts.found);
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut left_out = bursts.left_out;
        left_out.extend([rhythms.left_out, sequences.left_out, actors.left_out].into_iter().flatten());
        left_out.dedup();
        Ok(PatternsReport {
            events: frame.map_or(0, |frame| frame.events),
            from: frame.map(|frame| rfc3339(frame.first_us)),
            to: frame.map(|frame| rfc3339(frame.last_us)),
            alarm: self.alarm,
            usual,
            findings: most_telling(findings, limit),
            found,
            left_out,
        })
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count as f64), if count == 1 { one } else { many })
}

/// The most surprising findings, where no sort takes all of the room, and nothing is told twice.
fn most_telling(mut findings: Vec<Finding>, limit: usize) -> Vec<Finding> {
    let weight = |finding: &Finding| {
        // A turn that is missed of a clock is telling, although it has no small probability.
        if finding.what == What::Missed { 8.0 + finding.score } else { finding.score.min(40.0) }
    };
    findings.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
    let mut rounds: Vec<(usize, usize, Finding)> = Vec::new();
    for (place, finding) in findings.into_iter().enumerate() {
        let before = rounds.iter().filter(|(_, _, other)| other.what == finding.what).count();
        rounds.push((before / OF_ONE_SORT, place, finding));
    }
    rounds.sort_by_key(|(round, place, _)| (*round, *place));
    let mut shown: Vec<(usize, Finding)> =
        rounds.into_iter().take(limit).map(|(_, place, finding)| (place, finding)).collect();
    shown.sort_by_key(|(place, _)| *place);
    shown.into_iter().map(|(_, finding)| finding).collect()
}
