//! What lies beside the data files: the catalogue, and the dictionary of templates.

use super::{Problem, ProblemKind};
use crate::error::Result;
use crate::ingest::templates;
use crate::layout;
use crate::log::{Log, Shapes};
use crate::mine::TemplateId;
use crate::seal::Tables;
use std::collections::BTreeSet;

/// Whether the files of the catalogue are what commits say that they were.
pub(super) fn shapes(log: &Log, said: &[(u64, Shapes)], table: &'static str) -> Result<Option<Problem>> {
    let most = said.iter().map(|(_, shapes)| shapes.files).max().unwrap_or(0);
    let there = log.shapes_up_to(most)?;
    for (version, shapes) in said {
        let last = shapes.files.saturating_sub(1);
        let file = layout::shapes(last);
        let found = usize::try_from(last).ok().and_then(|last| there.get(last));
        let message = match found {
            Some(found) if found == shapes => continue,
            Some(_) => format!(
                "the files of the catalogue up to `{file}` are not what they were at commit {version}"
            ),
            None => format!(
                "the catalogue had {} files at commit {version}, and `{}` is not there",
                shapes.files,
                layout::shapes(there.len() as u64)
            ),
        };
        return Ok(Some(Problem::new(ProblemKind::CatalogueAltered, table, message).at(*version).of(file)));
    }
    Ok(None)
}

/// Whether each file of the dictionary can be read, each template has the id that its text gives, and all are there that
/// events have.
pub(super) fn templates(tables: &Tables, used: &BTreeSet<String>) -> Result<Vec<Problem>> {
    let problem = |message: String| Problem::new(ProblemKind::TemplatesAltered, "events", message);
    let (all, wrong) = templates::check(&*tables.storage)?;
    let mut problems: Vec<Problem> = wrong
        .into_iter()
        .map(|(file, why)| problem(format!("the dictionary of templates was altered: {why}")).of(file))
        .collect();
    let is_known = |id: &&String| TemplateId::parse(id).is_some_and(|id| all.entries().contains_key(&id));
    let lacking: Vec<&String> = used.iter().filter(|id| !is_known(id)).collect();
    if let Some(first) = lacking.first() {
        let count = lacking.len();
        let message =
            format!("the dictionary lacks {count} of the templates that events have, such as `{first}`");
        problems.push(problem(message).of(layout::TEMPLATES));
    }
    Ok(problems)
}
