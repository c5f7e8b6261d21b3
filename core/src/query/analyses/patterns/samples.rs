//! The parameters of templates, from a sample of their messages.

use super::super::{Answer, Scope, Statement};
use super::templates::{TemplateCount, Templates, TemplatesReport};
use crate::error::Result;
use crate::mine::{Profile, TemplateId};
use crate::query::filter::{Context, Filter, Op, Value};
use std::collections::HashMap;

/// So many messages are looked at of the one template that was asked for, and of each one of a list.
const CHOSEN_MESSAGES: u64 = 5_000;
const LISTED_MESSAGES: u64 = 200;
/// Of so few events all are looked at.
const FEW: u64 = 20_000;
/// The parameters of so many templates of a list are looked at.
const LISTED_MAX: usize = 100;
/// So much is read of a message.
const MESSAGE_CHARS: u64 = 8_192;
/// So many characters of an example are shown.
const EXAMPLE_CHARS: usize = 300;

/// A query for messages, and how many rows it should be asked of.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The query: the template, the message, and the number of its event.
    pub statement: Statement,
    /// It is asked of files that have about so many rows together, if all have more.
    pub rows: u64,
}

impl Templates {
    /// The query for messages of the templates that were found; none if none are shown.
    pub fn samples(&self, scope: &Scope<'_>, report: &TemplatesReport) -> Result<Option<Samples>> {
        let ids: Vec<Value> =
            report.templates.iter().take(LISTED_MAX).map(|template| Value::text(&template.id)).collect();
        if ids.is_empty() || self.compare.is_some() {
            return Ok(None);
        }
        let these = Filter::field("template", Op::Equal, ids, &Context::without_clock())?;
        let condition = scope.condition(&Filter::and(vec![self.filter.clone(), these]))?;
        let (most, rows) = match self.template {
            Some(_) => (CHOSEN_MESSAGES, 1_000_000),
            None if report.events.saturating_add(report.without) <= FEW => (FEW, FEW),
            None => (LISTED_MESSAGES, 250_000),
        };
        // Those with the least hashes are as good as drawn, and the same ones every time.
        let sql = format!(
            "SELECT template, unnest(messages), unnest(numbers) FROM (SELECT template, \
             arg_min(left(message, {MESSAGE_CHARS}), hash(seq), {most}) AS messages, \
             arg_min(seq, hash(seq), {most}) AS numbers FROM events \
             WHERE {} AND message IS NOT NULL GROUP BY template) AS drawn",
            condition.sql
        );
        let statement = Statement::over("samples", sql, &condition);
        let statement = statement.reading(["seq", "template", "message"], &condition);
        Ok(Some(Samples { statement, rows }))
    }
}

impl TemplatesReport {
    /// Puts in what the rows of [`Templates::samples`] say, or of another query like it.
    pub fn add_samples(&mut self, scope: &Scope<'_>, answer: &Answer) {
        let dictionary = scope.dictionary();
        let mut messages: HashMap<String, Vec<(&str, i64)>> = HashMap::new();
        for row in &answer.rows {
            let (Some(id), Some(message)) = (row.text(0), row.text(1)) else { continue };
            let now = dictionary.zip(TemplateId::parse(id)).map(|(dictionary, id)| dictionary.resolve(id));
            let now = now.map_or_else(|| id.to_string(), |id| id.to_string());
            messages.entry(now).or_default().push((message, row.get(2).as_i64().unwrap_or_default()));
        }
        for template in &mut self.templates {
            if let Some(messages) = messages.get(&template.id) {
                template.add_messages(messages);
            }
        }
    }

    /// The numbers of events of templates without a message yet.
    pub fn without_example(&self) -> Vec<i64> {
        let lacking = self.templates.iter().filter(|template| template.example.is_none());
        lacking.map(|template| template.seq).take(LISTED_MAX).collect()
    }

    /// The query for the messages of these events.
    pub fn examples(&self, scope: &Scope<'_>, seqs: &[i64]) -> Result<Statement> {
        let condition = scope.condition(&Filter::all())?;
        let seqs: Vec<String> = seqs.iter().map(i64::to_string).collect();
        let sql = format!(
            "SELECT template, left(message, {MESSAGE_CHARS}), seq FROM events WHERE seq IN ({})",
            seqs.join(", ")
        );
        Ok(Statement::over("examples", sql, &condition).reading(["seq", "template", "message"], &condition))
    }
}

impl TemplateCount {
    fn add_messages(&mut self, messages: &[(&str, i64)]) {
        if let Some((message, seq)) = messages.first() {
            self.example = Some(message.chars().take(EXAMPLE_CHARS).collect());
            self.seq = *seq;
        }
        let Some(text) = &self.template else { return };
        let mut profile = Profile::of(text);
        messages.iter().for_each(|(message, _)| profile.add(message));
        self.sampled = profile.messages();
        self.parameters = profile.finish(self.events);
    }
}
