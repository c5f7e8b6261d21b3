//! The stored columns that a filter's condition reads.

use super::field::Field;
use super::resolve::Columns;
use super::{Filter, Term};
use crate::event::column::FieldPath;
use crate::event::fixed::Fixed;
use std::collections::BTreeSet;

/// The columns, by name.
pub(super) fn of(filter: &Filter, columns: &Columns<'_>) -> BTreeSet<String> {
    let mut read = BTreeSet::new();
    add(filter, columns, &mut read);
    read
}

fn add(filter: &Filter, columns: &Columns<'_>, read: &mut BTreeSet<String>) {
    let mut fixed = |all: &[Fixed]| read.extend(all.iter().map(|fixed| fixed.name().to_string()));
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| add(part, columns, read)),
        Filter::Not(inner) => add(inner, columns, read),
        Filter::Term(Term::Since(_) | Term::Until(_)) => fixed(&[Fixed::Ts]),
        Filter::Term(Term::Error) => fixed(&[Fixed::Severity, Fixed::Status]),
        Filter::Term(Term::File(_)) => fixed(&[Fixed::EntityType, Fixed::EntityId]),
        Filter::Term(Term::Text(_)) => fixed(&[Fixed::Message]),
        Filter::Term(Term::Present(field)) => read.extend(columns.stored(field)),
        Filter::Term(Term::Compare(comparison)) => {
            read.extend(columns.stored(&comparison.field));
            // A level is compared as a severity, and a status that is a number has a column of its own.
            if read.contains(Fixed::Level.name()) {
                read.insert(Fixed::Severity.name().to_string());
            }
            if read.contains(Fixed::Status.name()) {
                read.extend(columns.at_path(&FieldPath::new(["status"])).and_then(|code| code.name));
            }
        }
    }
}

impl Columns<'_> {
    /// The stored columns that the column of a name, as filters write it, is read from.
    pub fn reads(&self, name: &str) -> Vec<String> {
        Field::parse(name).map(|field| self.stored(&super::build::aliased(field))).unwrap_or_default()
    }

    fn stored(&self, field: &Field) -> Vec<String> {
        let Ok(Some(target)) = self.resolve(field) else { return Vec::new() };
        // A time of recording is computed from the number.
        let name = target.name.unwrap_or_else(|| Fixed::Seq.name().to_string());
        let is_mixed = self.mixed.iter().any(|mixed| mixed.column == name);
        let rest = is_mixed.then(|| Fixed::Rest.name().to_string());
        std::iter::once(name).chain(rest).collect()
    }
}
