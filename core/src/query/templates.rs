//! What questions know of the templates of messages: their texts, and which ids are of one template.

use super::filter::{Comparison, Filter, Op, Term, Value};
use crate::mine::{Dictionary, TemplateId};
use std::fmt::Debug;

/// Where the dictionary of templates is, which is read only if a question is about templates.
pub trait TemplateSource: Debug {
    /// The dictionary; none if it cannot be read.
    fn dictionary(&self) -> Option<&Dictionary>;
}

impl TemplateSource for Dictionary {
    fn dictionary(&self) -> Option<&Dictionary> {
        Some(self)
    }
}

/// The comparison of a template's id with all ids that this template has had.
pub fn with_old_ids(comparison: &Comparison, source: &dyn TemplateSource) -> Comparison {
    let mut wider = comparison.clone();
    if comparison.op != Op::Equal {
        return wider;
    }
    let ids: Vec<TemplateId> =
        comparison.values.iter().filter_map(Value::as_text).filter_map(TemplateId::parse).collect();
    let Some(dictionary) = source.dictionary().filter(|_| !ids.is_empty()) else { return wider };
    let mut alike: Vec<TemplateId> = ids.iter().flat_map(|id| dictionary.alike(*id)).collect();
    alike.sort_unstable();
    alike.dedup();
    wider
        .values
        .extend(alike.into_iter().filter(|id| !ids.contains(id)).map(|id| Value::text(id.to_string())));
    wider
}

/// A filter in which each comparison that `is_template` says so of names all ids that a template has had.
pub fn widened(
    filter: Filter,
    source: &dyn TemplateSource,
    is_template: &dyn Fn(&Comparison) -> bool,
) -> Filter {
    let all = |parts: Vec<Filter>| parts.into_iter().map(|part| widened(part, source, is_template)).collect();
    match filter {
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Not(inner) => Filter::Not(Box::new(widened(*inner, source, is_template))),
        Filter::Term(Term::Compare(comparison)) if is_template(&comparison) => {
            Filter::Term(Term::Compare(with_old_ids(&comparison, source)))
        }
        other => other,
    }
}
