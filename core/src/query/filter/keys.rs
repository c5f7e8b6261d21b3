//! Values that an event must have for a filter to match, by which whole files can be left out.

use super::field::Field;
use super::resolve::Columns;
use super::value::{Match, Value};
use super::{Filter, Op, Term};
use crate::event::column::ColumnType;
use crate::event::fixed::Fixed;

/// Of more values than these, nothing is said.
const VALUES_MAX: usize = 64;

/// Pairs of a text column and a value, of which a row that matches has at least one.
type AnyOf = Vec<(String, String)>;

/// What a matching event has one of, each.
pub(super) fn of(filter: &Filter, columns: &Columns<'_>) -> Vec<AnyOf> {
    match filter {
        Filter::And(parts) => parts.iter().flat_map(|part| of(part, columns)).collect(),
        Filter::Or(parts) => either(parts, columns).into_iter().collect(),
        Filter::Not(_) => Vec::new(),
        Filter::Term(Term::Compare(comparison)) if comparison.op == Op::Equal => {
            compared(&comparison.field, &comparison.values, columns).into_iter().collect()
        }
        Filter::Term(_) => Vec::new(),
    }
}

/// Whether having one of the values of each is all that it takes to match.
pub(super) fn decide(filter: &Filter, columns: &Columns<'_>) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| decide(part, columns)),
        Filter::Term(Term::Compare(comparison)) if comparison.op == Op::Equal => {
            compared(&comparison.field, &comparison.values, columns).is_some()
        }
        _ => false,
    }
}

/// Whichever part matches, it says that a value is there.
fn either(parts: &[Filter], columns: &Columns<'_>) -> Option<AnyOf> {
    let mut any = AnyOf::new();
    for part in parts {
        any.extend(of(part, columns).into_iter().min_by_key(Vec::len)?);
    }
    Some(any).filter(|any| !any.is_empty() && any.len() <= VALUES_MAX)
}

fn compared(field: &Field, values: &[Value], columns: &Columns<'_>) -> Option<AnyOf> {
    let target = columns.resolve(field).ok()??;
    let name = target.name?;
    let is_text = target.column_type == ColumnType::Text && target.stored == ColumnType::Text;
    let is_mixed = columns.mixed.iter().any(|mixed| mixed.column == name);
    // Levels are compared as severities, and a status may be a number in another column.
    if !is_text || is_mixed || matches!(target.fixed, Some(Fixed::Level | Fixed::Status)) {
        return None;
    }
    let texts = values.iter().map(|value| match &value.matches {
        Match::Text(text) => Some((name.clone(), text.clone())),
        _ => None,
    });
    texts.collect::<Option<AnyOf>>().filter(|any| !any.is_empty() && any.len() <= VALUES_MAX)
}
