//! Templates of messages: how often each is there and since when, and what differs between two selections.

use super::super::{Analysis, Answers, Instant, Row, Scope, Statement};
use super::finding::{is, number, search};
use super::{ALARM, alarm_is_valid};
use crate::error::{Error, ErrorKind, Result};
use crate::event::time::read_text;
use crate::mine::{ParameterProfile, TemplateId};
use crate::query::filter::{Filter, Where};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Only the template of this id, which may be an old one, or only its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
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
    /// What stands in its parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ParameterProfile>,
    /// Of how many of its messages that is known.
    pub sampled: u64,
    /// Whether it is of the first words of messages, of which there were too many different ones to learn from.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub folded: bool,
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
        Templates { filter, new_since: None, rare: false, template: None, compare: None, alarm: ALARM, limit }
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

    fn report(&self, scope: &Scope<'_>, answers: &Answers) -> Result<TemplatesReport> {
        let all = counted(scope, answers.rows("templates"));
        let mut notes = Vec::new();
        let without = answers.first("without").map_or(0, |row| row.count(0));
        if all.is_empty() && without > 0 {
            notes.push("no event has a template: messages are mined when events are sealed".to_string());
        }
        if all.iter().any(|template| template.template.is_none()) {
            notes.push(
                "the store's dictionary lacks templates, of which only their ids are known".to_string(),
            );
        }
        let folded: u64 = all.iter().filter(|one| one.folded).map(|one| one.events).sum();
        if folded > 0 {
            let events = number(folded as f64);
            notes.push(format!("{events} events have the template of their first words: too many are different to learn from all"));
        }
        let events = all.iter().map(|template| template.events).sum();
        let since = self.new_since.map(|since| since.0);
        let is_new = |template: &TemplateCount| since.is_none() || time(&template.first) >= since;
        let mut kept: Vec<TemplateCount> = all.into_iter().filter(is_new).collect();
        if let Some(id) = &self.template {
            let id = self.chosen(id, &kept, scope)?;
            kept.retain(|template| template.id == id);
        }
        if self.rare {
            kept.sort_by(|one, other| one.events.cmp(&other.events).then(one.id.cmp(&other.id)));
        }
        let found = kept.len() as u64;
        kept.truncate(
            usize::try_from(self.limit.max(u64::from(self.template.is_some()))).unwrap_or(usize::MAX),
        );
        for template in &mut kept {
            let parts = vec![self.filter.clone(), is("template", &template.id, scope)];
            template.show = search(&Filter::and(parts));
        }
        let compared = self.compare.is_some().then(|| self.changes(scope, answers));
        Ok(TemplatesReport { events, without, found, templates: kept, compared, notes })
    }
}

impl Templates {
    /// The id of the only template whose present id, or an old one, begins with this text.
    fn chosen(&self, text: &str, templates: &[TemplateCount], scope: &Scope<'_>) -> Result<String> {
        let digits = text.to_ascii_lowercase();
        let present = templates.iter().map(|template| &template.id);
        let mut found: BTreeSet<String> = present.filter(|id| id.starts_with(&digits)).cloned().collect();
        let is_present = |id: &String| templates.iter().any(|template| template.id == *id);
        for (old, now) in scope.dictionary().into_iter().flat_map(|dictionary| dictionary.merged()) {
            if old.to_string().starts_with(&digits) {
                found.extend(Some(now.to_string()).filter(is_present));
            }
        }
        let hint = "`daybook patterns templates` lists them with their ids";
        match found.len() {
            1 => Ok(found.pop_first().unwrap_or_default()),
            0 => Err(Error::new(
                ErrorKind::Invalid,
                format!("no event has a template whose id begins with `{text}`"),
            )
            .with_hint(hint)),
            several => Err(Error::new(
                ErrorKind::Invalid,
                format!("{several} templates have ids that begin with `{text}`"),
            )
            .with_hint(hint)),
        }
    }
}

fn time(text: &Option<String>) -> Option<i64> {
    text.as_deref().and_then(read_text).map(|(us, _)| us)
}

/// The templates of rows, the most frequent first; those that became one are one.
pub(super) fn counted(scope: &Scope<'_>, rows: &[Row]) -> Vec<TemplateCount> {
    let dictionary = scope.dictionary();
    let mut all: BTreeMap<String, TemplateCount> = BTreeMap::new();
    for row in rows {
        let Some(stored) = row.text(0) else { continue };
        let id = dictionary.zip(TemplateId::parse(stored)).map(|(dictionary, id)| dictionary.resolve(id));
        let now = id.map_or_else(|| stored.to_string(), |id| id.to_string());
        let template = all.entry(now.clone()).or_insert_with(|| TemplateCount {
            id: now,
            template: dictionary.zip(id).and_then(|(dictionary, id)| dictionary.text(id)).map(str::to_string),
            folded: dictionary
                .zip(id)
                .and_then(|(known, id)| known.entries().get(&id))
                .is_some_and(|one| one.folded),
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
        if row.time(2) < time(&template.first) {
            template.first = row.string(2);
        }
        if row.time(3) > time(&template.last) {
            template.last = row.string(3);
        }
    }
    let mut all: Vec<TemplateCount> = all.into_values().collect();
    all.sort_by(|one, other| other.events.cmp(&one.events).then(one.id.cmp(&other.id)));
    all
}
