//! Patterns of a store's events.

use super::Store;
use super::ask::{AskOptions, Asked};
use super::options::QueryRequest;
use crate::engine::Limits;
use crate::error::{ErrorKind, Result};
use crate::query::analyses::{Analysis, Answer, Fetch, Templates, TemplatesReport};

/// What queries for patterns may use: what they hand over, and the statistics of it, need memory too.
const MEMORY_BYTES: u64 = 640 << 20;
/// The table of templates, as the store may have it.
const DICTIONARY: &str = "SELECT id, template, merged_into FROM templates";

impl Store {
    /// Answers an analysis that counts much, in less memory than other questions may use.
    pub fn find<A: Analysis>(&self, analysis: &A, options: &AskOptions<'_>) -> Result<A::Report> {
        let memory_bytes = options.limits.memory_bytes.min(MEMORY_BYTES);
        let limits = Limits { memory_bytes, ..options.limits.clone() };
        self.ask(analysis, &AskOptions { limits, ..options.clone() })
    }

    /// The templates of messages, each with its text and an example.
    pub fn templates(&self, templates: &Templates, options: &AskOptions<'_>) -> Result<TemplatesReport> {
        let asked = Asked::new(self, options)?;
        let mut report = asked.scoped(|scope| {
            let mut answers = asked.answers(&templates.statements(scope)?)?;
            if !answers.rows("templates").is_empty() {
                answers.add("dictionary", self.known_templates(options)?);
            }
            templates.report(scope, &answers)
        })?;
        if !report.templates.is_empty() {
            let examples = Fetch { seqs: report.seqs(), ..Fetch::default() };
            report.illustrate(&self.ask(&examples, options)?.events);
        }
        Ok(report)
    }

    /// The rows of the table of templates; none where there is no such table.
    fn known_templates(&self, options: &AskOptions<'_>) -> Result<Answer> {
        let request =
            QueryRequest { at: options.at, limits: options.limits.clone(), ..QueryRequest::new(DICTIONARY) };
        let rows = match self.query(&request) {
            Err(error) if error.kind() == ErrorKind::Syntax => return Ok(Answer::default()),
            rows => rows?,
        };
        let mut answer = Answer::default();
        for batch in rows {
            answer.add(&batch?)?;
        }
        Ok(answer)
    }
}
