//! Names of fields.

use super::error::{FilterError, quoted};
use super::lexer::Cursor;
use super::value::Place;
use crate::event::column::FieldPath;

/// A field as a filter names it: by its column, its path, or an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    keys: Vec<String>,
    /// A single key in quotes: the producer's own, never an alias.
    is_exact: bool,
    pub(super) place: Place,
}

impl Field {
    pub(super) fn new(keys: Vec<String>, is_quoted: bool) -> Field {
        let is_exact = is_quoted && keys.len() == 1;
        Field { keys, is_exact, place: Place::default() }
    }

    pub(super) fn at(mut self, at: usize) -> Field {
        self.place = Place(Some(at));
        self
    }

    /// The field of a name as the grammar writes it: `kind`, `http.status`, `"a.b"`.
    pub fn parse(name: &str) -> Result<Field, FilterError> {
        let mut cursor = Cursor::new(name);
        match cursor.name()? {
            Some(field) if cursor.is_at_end() => Ok(field),
            _ => Err(FilterError::new(None, format!("{} is no name of a field", quoted(name)))
                .expected("a name such as `kind`, `http.status` or `\"a.b\"`")),
        }
    }

    /// A field of a fixed column.
    pub(super) fn named(name: &str) -> Field {
        Field::new(vec![name.to_string()], false)
    }

    /// The keys, outermost first.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// The path that the keys are.
    pub fn path(&self) -> FieldPath {
        FieldPath::new(&self.keys)
    }

    /// Whether the name is a producer's own key, in quotes.
    pub fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// The single key without quotes, which may be a column or an alias.
    pub fn word(&self) -> Option<&str> {
        match self.keys.as_slice() {
            [key] if !self.is_exact => Some(key),
            _ => None,
        }
    }

    /// Whether this is the fixed column of a name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.word().is_some_and(|word| word.eq_ignore_ascii_case(name))
    }
}
