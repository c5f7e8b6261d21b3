//! The store as another engine reads it: the data files and columns of one version, and questions as SQL with the way
//! from rows to reports.

use super::Store;
use super::ask::{AskOptions, Asked};
use super::reader::View;
use crate::engine::Mixed;
use crate::error::{Error, ErrorKind, Result};
use crate::event::column::Column;
use crate::log::{At, DataFile};
use crate::quarantine;
use crate::query::analyses::{
    Analysis, Answers, Request, Scope, Statement, Templates, TemplatesReport, read_filter,
};
use serde::Serialize;
use serde_json::Value as Json;
use std::path::PathBuf;

/// One version of the store, as files. What is not yet in data files is not in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Elsewhere {
    /// The version of the events.
    pub version: u64,
    /// The events.
    pub events: TableElsewhere,
    /// What could not be read.
    pub quarantine: TableElsewhere,
}

/// A table as files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableElsewhere {
    /// Its columns, in order; a file may lack some, which are null there.
    pub columns: Vec<ColumnElsewhere>,
    /// The absolute paths of its files.
    pub files: Vec<PathBuf>,
    /// How many rows these have.
    pub rows: u64,
}

/// A column of such a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnElsewhere {
    /// Its name.
    pub name: String,
    /// Its type in files.
    pub stored: &'static str,
    /// For a field that has values in `rest`, too: `double` or `string`, as which it reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<&'static str>,
    /// The keys that lead to those values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
}

impl Store {
    /// The data files and columns of a version.
    pub fn elsewhere(&self, at: At) -> Result<Elsewhere> {
        let latest = self.tables.events.snapshot(at)?.version;
        let view = View::take(&self.tables, At::Version(latest))?;
        let mixed = view.mixed_fields();
        let column = |column: &Column| {
            let field = mixed.iter().find(|field| field.column == column.name);
            ColumnElsewhere {
                name: column.name.clone(),
                stored: column.column_type.name(),
                reads: field.map(|field| match field.reads {
                    Mixed::Double => "double",
                    Mixed::Text => "string",
                }),
                path: field.map(|field| field.path.keys().map(str::to_string).collect()).unwrap_or_default(),
            }
        };
        let table = |prefix: &str, columns: &[Column], files: &[DataFile]| -> Result<TableElsewhere> {
            if files.iter().any(|file| !file.key.is_empty()) {
                let message = "the store is encrypted, and another engine cannot read its files";
                return Err(Error::new(ErrorKind::Unsupported, message)
                    .with_hint("ask Daybook or DuckDB, or export the events"));
            }
            let place = |file: &DataFile| Ok::<_, Error>(self.tables.place(prefix, &file.path)?.into_path());
            Ok(TableElsewhere {
                columns: columns.iter().map(column).collect(),
                files: files.iter().map(place).collect::<Result<_>>()?,
                rows: files.iter().map(|file| file.rows).fold(0, u64::saturating_add),
            })
        };
        let rejects: Vec<DataFile> = view.quarantine.files.clone();
        if rejects.iter().any(|file| view.has_retried(file)) {
            return Err(Error::new(ErrorKind::Busy, "a retry of the quarantine is under way")
                .with_hint("wait until it has ended, then try again"));
        }
        Ok(Elsewhere {
            version: latest,
            events: table("", view.catalogue.schema().columns(), &view.events.files)?,
            quarantine: table(quarantine::PREFIX, quarantine::columns().columns(), &rejects)?,
        })
    }

    /// The condition that events match a filter, in DuckDB's SQL, with the values of its parameters.
    pub fn condition_elsewhere(&self, filter: &Json, options: &AskOptions<'_>) -> Result<Statement> {
        let filter = read_filter(filter, &options.context)?;
        Asked::new(self, options)?.scoped(|scope| {
            let condition = scope.condition(&filter)?;
            let (sql, parameters) = (condition.sql, condition.parameters);
            Ok(Statement { name: "condition", sql, parameters, ..Statement::default() })
        })
    }

    /// The queries of a request, in DuckDB's SQL over `events`. With the answers to the first of them there may be
    /// more: ask until there are none.
    pub fn statements_elsewhere(
        &self,
        request: Json,
        answers: &Answers,
        options: &AskOptions<'_>,
    ) -> Result<Vec<Statement>> {
        let request = Request::from_json(request, &options.context)?;
        Asked::new(self, options)?.scoped(|scope| match request {
            Request::Templates(templates) => statements_of_templates(&templates, answers, scope),
            _ if !answers.is_new() => Ok(Vec::new()),
            Request::Stats(stats) => stats.statements(scope),
            Request::Timeline(timeline) => timeline.statements(scope),
            Request::Facets(facets) => facets.statements(scope),
            _ => Err(not_elsewhere()),
        })
    }

    /// The report of a request whose queries were answered.
    pub fn report_elsewhere(
        &self,
        request: Json,
        answers: &Answers,
        options: &AskOptions<'_>,
    ) -> Result<Json> {
        let request = Request::from_json(request, &options.context)?;
        Asked::new(self, options)?.scoped(|scope| match request {
            Request::Stats(stats) => json(&stats.report(scope, answers)?),
            Request::Timeline(timeline) => json(&timeline.report(scope, answers)?),
            Request::Facets(facets) => json(&facets.report(scope, answers)?),
            Request::Templates(templates) => json(&report_of_templates(&templates, answers, scope)?),
            _ => Err(not_elsewhere()),
        })
    }
}

/// The counts first; then the messages of the templates that are shown.
fn statements_of_templates(
    templates: &Templates,
    answers: &Answers,
    scope: &Scope<'_>,
) -> Result<Vec<Statement>> {
    if answers.is_new() {
        return templates.statements(scope);
    }
    let report = report_of_templates(templates, answers, scope)?;
    let seqs = report.without_example();
    if templates.compare.is_some() || seqs.is_empty() || answers.get("examples").is_some() {
        return Ok(Vec::new());
    }
    Ok(vec![report.examples(scope, &seqs)?])
}

/// With an example of each, and without what stands in parameters, which is learned from many messages.
fn report_of_templates(
    templates: &Templates,
    answers: &Answers,
    scope: &Scope<'_>,
) -> Result<TemplatesReport> {
    let mut report = templates.report(scope, answers)?;
    if let Some(examples) = answers.get("examples") {
        report.add_samples(scope, examples);
    }
    Ok(report)
}

fn not_elsewhere() -> Error {
    Error::new(ErrorKind::Unsupported, "another engine answers stats, timeline, facets and templates alone")
        .with_hint("ask the store itself")
}

fn json(report: &impl Serialize) -> Result<Json> {
    serde_json::to_value(report).map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))
}
