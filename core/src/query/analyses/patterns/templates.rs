//! Templates of messages: how often each is there and since when, and what differs between two selections.

use super::super::{Analysis, Answers, Instant, Row, Scope, Statement};
use super::finding::{is, search};
use super::math::{believed, normal_above};
use super::{ALARM, alarm_is_valid};
use crate::error::Result;
use crate::query::filter::{Filter, Where};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Ids that became others are followed so far.
const MERGES_MAX: usize = 64;

/// The templates of messages by count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// Only those that were not there before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_since: Option<Instant>,
    /// The rarest first.
    #[serde(default)]
    pub rare: bool,
    /// Two further filters: what differs between the events of both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<(Filter, Filter)>,
    /// The share of differences that may be chance.
    #[serde(default = "super::alarm")]
    pub alarm: f64,
    /// How many.
    #[serde(default = "super::findings_shown")]
    pub limit: u64,
}

/// The report of [`Templates`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TemplatesReport {
    /// Events with a template.
    pub events: u64,
    /// Events without one.
    pub without: u64,
    /// Templates in all, of those that were asked for.
    pub found: u64,
    /// The templates.
    pub templates: Vec<TemplateCount>,
    /// What differs between the two selections, the surest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared: Option<Vec<TemplateChange>>,
    /// What there is to know about the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A template.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TemplateCount {
    /// Its id.
    pub id: String,
    /// Its text, with `<*>` for each parameter; none if the store's dictionary lacks it.
    pub template: Option<String>,
    /// Its events.
    pub events: u64,
    /// When the first one happened.
    pub first: Option<String>,
    /// When the last one happened.
    pub last: Option<String>,
    /// The level that most of them have.
    pub level: Option<String>,
    /// The source that most of them have.
    pub source: Option<String>,
    /// The message of one of them.
    pub example: Option<String>,
    /// The number of that event.
    pub seq: i64,
    /// The words of the command that shows the events.
    pub show: Vec<String>,
}

/// How a template's share of the events changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TemplateChange {
    /// Its id.
    pub id: String,
    /// Its text.
    pub template: Option<String>,
    /// `appeared`, `vanished`, `more` or `less`.
    pub change: &'static str,
    /// Its events in each selection.
    pub events: [u64; 2],
    /// Its share of the events of each.
    pub shares: [f64; 2],
    /// The probability of such a difference by chance, for independent events.
    pub p: f64,
}

impl Templates {
    /// Of these events.
    pub fn new(filter: Filter) -> Templates {
        let limit = super::findings_shown();
        Templates { filter, new_since: None, rare: false, compare: None, alarm: ALARM, limit }
    }

    fn counts(name: &'static str, condition: &Where) -> Statement {
        let sql = format!(
            "WITH grouped AS (SELECT template, level, source, count(*) AS n, min(ts) AS f, max(ts) AS l, \
             min(seq) AS s FROM events WHERE {} AND template IS NOT NULL GROUP BY 1, 2, 3) \
             SELECT template, sum(n)::BIGINT, min(f), max(l), arg_max(level, n), arg_max(source, n), min(s) \
             FROM grouped GROUP BY 1 ORDER BY 2 DESC, 1",
            condition.sql
        );
        Statement::over(name, sql, condition).reading(["seq", "ts", "template", "level", "source"], condition)
    }
}

impl Analysis for Templates {
    type Report = TemplatesReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        alarm_is_valid(self.alarm)?;
        let condition = scope.condition(&self.filter)?;
        let mut statements = vec![Templates::counts("templates", &condition)];
        let sql = format!("SELECT count(*) FROM events WHERE {} AND template IS NULL", condition.sql);
        statements.push(Statement::over("without", sql, &condition).reading(["template"], &condition));
        if let Some((one, other)) = &self.compare {
            for (name, filter) in [("templates_one", one), ("templates_other", other)] {
                let both = Filter::and(vec![self.filter.clone(), filter.clone()]);
                statements.push(Templates::counts(name, &scope.condition(&both)?));
            }
        }
        Ok(statements)
    }

    /// The report; the rows of the table `templates` (id, text, the id that it became) are the answer
    /// `dictionary`, where the store has that table.
    fn report(&self, scope: &Scope<'_>, answers: &Answers) -> Result<TemplatesReport> {
        let dictionary = Dictionary::of(answers.rows("dictionary"));
        let all = dictionary.counted(answers.rows("templates"));
        let mut notes = Vec::new();
        let without = answers.first("without").map_or(0, |row| row.count(0));
        if all.is_empty() && without > 0 {
            notes.push("no event has a template: messages are mined when events are sealed".to_string());
        } else if dictionary.texts.is_empty() && !all.is_empty() {
            notes.push(
                "the store has no dictionary of templates, so that only their ids are known".to_string(),
            );
        }
        let events = all.iter().map(|template| template.events).sum();
        let since = self.new_since.map(|since| crate::event::time::rfc3339(since.0));
        let is_new = |template: &TemplateCount| {
            let Some(since) = &since else { return true };
            let read = |text: &str| crate::event::time::read_text(text).map(|(us, _)| us);
            template.first.as_deref().and_then(read) >= read(since)
        };
        let mut kept: Vec<TemplateCount> = all.into_iter().filter(is_new).collect();
        if self.rare {
            kept.sort_by(|one, other| one.events.cmp(&other.events).then(one.id.cmp(&other.id)));
        }
        let found = kept.len() as u64;
        kept.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        for template in &mut kept {
            let parts = vec![self.filter.clone(), is("template", &template.id, scope)];
            template.show = search(&Filter::and(parts));
        }
        let compared = self.compare.is_some().then(|| self.changes(&dictionary, answers));
        Ok(TemplatesReport { events, without, found, templates: kept, compared, notes })
    }
}

impl TemplatesReport {
    /// The numbers of the events that are examples.
    pub fn seqs(&self) -> Vec<i64> {
        self.templates.iter().map(|template| template.seq).collect()
    }

    /// Puts in the messages of events.
    pub fn illustrate(&mut self, events: &[serde_json::Map<String, serde_json::Value>]) {
        for template in &mut self.templates {
            let is_it = |event: &&serde_json::Map<String, serde_json::Value>| {
                event.get("seq").and_then(serde_json::Value::as_i64) == Some(template.seq)
            };
            let message = events.iter().find(is_it).and_then(|event| event.get("message")?.as_str());
            template.example = message.map(|message| message.chars().take(300).collect());
        }
    }
}

/// The texts of templates, and which became others.
#[derive(Default)]
struct Dictionary<'a> {
    texts: BTreeMap<&'a str, &'a str>,
    merged: BTreeMap<&'a str, &'a str>,
}

impl<'a> Dictionary<'a> {
    fn of(rows: &'a [Row]) -> Dictionary<'a> {
        let mut dictionary = Dictionary::default();
        for row in rows {
            let Some(id) = row.text(0) else { continue };
            dictionary.texts.extend(row.text(1).map(|text| (id, text)));
            dictionary.merged.extend(row.text(2).map(|other| (id, other)));
        }
        dictionary
    }

    /// What an id became.
    fn now(&self, id: &'a str) -> &'a str {
        let mut now = id;
        for _ in 0..MERGES_MAX {
            match self.merged.get(now) {
                Some(next) => now = next,
                None => break,
            }
        }
        now
    }

    /// The templates of rows, the most frequent first; those that became one are one.
    fn counted(&self, rows: &'a [Row]) -> Vec<TemplateCount> {
        let mut all: BTreeMap<&str, TemplateCount> = BTreeMap::new();
        for row in rows {
            let Some(id) = row.text(0) else { continue };
            let now = self.now(id);
            let template = all.entry(now).or_insert_with(|| TemplateCount {
                id: now.to_string(),
                template: self.texts.get(now).map(ToString::to_string),
                first: row.string(2),
                last: row.string(3),
                // Rows come by count, so that the first one has most events.
                level: row.string(4),
                source: row.string(5),
                seq: row.get(6).as_i64().unwrap_or_default(),
                ..TemplateCount::default()
            });
            template.events = template.events.saturating_add(row.count(1));
            // Times of one length and zone compare as texts, but not all have a fraction.
            let time = |text: &Option<String>| text.as_deref().and_then(crate::event::time::read_text);
            if row.time(2) < time(&template.first).map(|(us, _)| us) {
                template.first = row.string(2);
            }
            if row.time(3) > time(&template.last).map(|(us, _)| us) {
                template.last = row.string(3);
            }
        }
        let mut all: Vec<TemplateCount> = all.into_values().collect();
        all.sort_by(|one, other| other.events.cmp(&one.events).then(one.id.cmp(&other.id)));
        all
    }
}

impl Templates {
    fn changes(&self, dictionary: &Dictionary<'_>, answers: &Answers) -> Vec<TemplateChange> {
        let mut counts: BTreeMap<String, [u64; 2]> = BTreeMap::new();
        let one = dictionary.counted(answers.rows("templates_one"));
        let other = dictionary.counted(answers.rows("templates_other"));
        let total = |of: &[TemplateCount]| of.iter().map(|template| template.events).sum::<u64>();
        let totals = [total(&one), total(&other)];
        for template in one {
            let [first, _] = counts.entry(template.id).or_default();
            *first = template.events;
        }
        for template in other {
            let [_, second] = counts.entry(template.id).or_default();
            *second = template.events;
        }
        let change = |(id, events): (String, [u64; 2])| {
            let ([one, other], [all_one, all_other]) = (events, totals);
            let shares = [one as f64 / all_one.max(1) as f64, other as f64 / all_other.max(1) as f64];
            let change = match (one, other) {
                (0, _) => "appeared",
                (_, 0) => "vanished",
                _ if shares.is_sorted() => "more",
                _ => "less",
            };
            let template = dictionary.texts.get(id.as_str()).map(ToString::to_string);
            TemplateChange { id, template, change, events, shares, p: differs(events, totals) }
        };
        let mut changes: Vec<TemplateChange> = counts.into_iter().map(change).collect();
        let tests = changes.len() as f64;
        let bound = believed(changes.iter().map(|change| change.p).collect(), tests, self.alarm);
        changes.retain(|change| change.p <= bound);
        let apart = |change: &TemplateChange| {
            let [one, other] = change.shares;
            (one - other).abs()
        };
        changes.sort_by(|one, other| one.p.total_cmp(&other.p).then(apart(other).total_cmp(&apart(one))));
        changes.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        changes
    }
}

/// The probability that two shares differ as much by chance: the likelihood ratio of one share and two.
fn differs([one, other]: [u64; 2], [all_one, all_other]: [u64; 2]) -> f64 {
    let counts = [one, other].map(|count| count as f64);
    let totals = [all_one, all_other].map(|count| count as f64);
    let share = counts.iter().sum::<f64>() / totals.iter().sum::<f64>().max(1.0);
    let part = |seen: f64, expected: f64| {
        if seen > 0.0 && expected > 0.0 { seen * (seen / expected).ln() } else { 0.0 }
    };
    let parts = counts
        .iter()
        .zip(totals)
        .map(|(count, total)| part(*count, total * share) + part(total - count, total * (1.0 - share)));
    let ratio = 2.0 * parts.sum::<f64>();
    (2.0 * normal_above(ratio.max(0.0).sqrt())).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_differ_as_the_likelihood_says() {
        assert!((differs([10, 10], [100, 100]) - 1.0).abs() < 1e-6);
        // G = 3.8415 has a probability of 5 %.
        assert!((0.01..0.1).contains(&differs([10, 20], [100, 100])));
        assert!(differs([0, 40], [1000, 1000]) < 1e-9);
        assert!((differs([0, 0], [0, 0]) - 1.0).abs() < 1e-6);
    }
}
