//! The filter grammar: text or JSON to a [`Filter`], and a [`Filter`] to the condition of a WHERE clause.
//!
//! [`HELP`] is the reference of the grammar. A filter prints back to it, so that reading what was printed
//! gives the same filter. Relative times (`last:24h`, `since:yesterday`) become instants when they are read.
//!
//! # JSON form
//!
//! One object a node, the same in every binding:
//!
//! | JSON | grammar |
//! |---|---|
//! | `{"and": [F, ...]}` | `F ...`; the empty list is everything, `*` |
//! | `{"or": [F, ...]}` | `F or ...` |
//! | `{"not": F}` | `-F` |
//! | `{"text": V}` | a word, `"quoted text"` or `/regex/` in `message` |
//! | `{"field": "http.status", "op": ">=", "value": V}` | `http.status>=V` |
//! | `{"field": "kind", "op": "=", "values": [V, ...]}` | `kind:V,...` |
//! | `{"present": "artist"}` | `artist:*` |
//! | `{"file": V}` | `file:V` |
//! | `{"since": "2026-02-03T10:00:00Z"}`, `{"until": "..."}` | `since:...`, `until:...` |
//! | `{"is": "error"}` | `is:error` |
//!
//! A value `V` is a text, a number or a truth value, `{"pattern": "time*"}` or `{"regex": "time ?out"}`. In a
//! pattern `*`, `?` and `\` stand for themselves after a `\`. A field is named as in the grammar: `a.b` is
//! nesting, `"\"a.b\""` a key with a dot. Operators are `=`, `!=`, `>`, `>=`, `<`, `<=`, and `:`, which is
//! `=` but for `message`; without one it is `:`. Where there is a clock, times may be relative, and
//! `{"field": "last", "value": "24h"}` and the like are read as the grammar reads them.

mod build;
mod compile;
mod error;
mod field;
mod help;
mod json;
mod keys;
mod lexer;
mod matching;
mod number;
mod parser;
mod print;
mod reads;
mod regex;
mod resolve;
mod span;
pub mod suggest;
mod time;
mod value;
mod words;

#[cfg(test)]
mod tests;

pub use compile::{IS_ERROR, Where, compile};
pub use error::FilterError;
pub use field::Field;
pub use help::HELP;
pub use resolve::Columns;
pub use span::TsSpan;
pub use time::Context;
pub use value::{Match, Pattern, Piece, Value};
pub use words::{has_words, in_text};

use crate::event::time::{EARLIEST_US, LATEST_US};

/// The longest text of a filter, in bytes.
pub const BYTES_MAX: usize = 64 << 10;
/// How many terms a filter can have; each of several values counts.
pub const TERMS_MAX: usize = 1_000;
/// How deep parentheses and negations can be nested in the text.
pub const NESTING_MAX: usize = 100;
/// How deep a filter can be: its JSON form must stay within what JSON readers take.
pub const DEPTH_MAX: usize = 60;

/// Which events a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All of these; everything, if there are none.
    And(Vec<Filter>),
    /// Any of these.
    Or(Vec<Filter>),
    /// Every event that this one does not match, also those without the field that it is about.
    Not(Box<Filter>),
    /// A single condition.
    Term(Term),
}

/// A single condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// The message contains this, whatever the case; a regex minds it.
    Text(Value),
    /// A field compares with a value.
    Compare(Comparison),
    /// The field has a value.
    Present(Field),
    /// A file at this path or below it, or whose path matches a pattern; no regex.
    File(Value),
    /// At this instant or later, in microseconds since 1970.
    Since(i64),
    /// Before this instant, in microseconds since 1970.
    Until(i64),
    /// The event is an error, by its severity or its status.
    Error,
}

/// A comparison of a field with values; only [`Op::Equal`] takes several, and matches any of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The field.
    pub field: Field,
    /// The comparison, neither [`Op::Has`] nor [`Op::Unequal`].
    pub op: Op,
    /// The values.
    pub values: Vec<Value>,
}

/// How a field compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `:`, which is `=`, but contains for `message`.
    Has,
    /// `=`
    Equal,
    /// `!=`, the negation of `=`.
    Unequal,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

impl Op {
    const ALL: [Op; 7] =
        [Op::GreaterOrEqual, Op::LessOrEqual, Op::Unequal, Op::Greater, Op::Less, Op::Equal, Op::Has];

    /// The operator as it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Op::Has => ":",
            Op::Equal => "=",
            Op::Unequal => "!=",
            Op::Greater => ">",
            Op::GreaterOrEqual => ">=",
            Op::Less => "<",
            Op::LessOrEqual => "<=",
        }
    }

    fn is_equality(self) -> bool {
        matches!(self, Op::Has | Op::Equal | Op::Unequal)
    }
}

impl Filter {
    /// Reads a filter of the grammar.
    pub fn parse(text: &str, context: &Context<'_>) -> Result<Filter, FilterError> {
        parser::parse(text, context)
    }

    /// Reads the JSON form; unlike deserializing, with a clock for relative times.
    pub fn from_json(json: &serde_json::Value, context: &Context<'_>) -> Result<Filter, FilterError> {
        json::read(json, context)
    }

    /// The filter that matches every event.
    pub fn all() -> Filter {
        Filter::And(Vec::new())
    }

    /// Whether it is the filter that matches every event.
    pub fn is_all(&self) -> bool {
        matches!(self, Filter::And(parts) if parts.is_empty())
    }

    /// What all of these match.
    pub fn and(filters: Vec<Filter>) -> Filter {
        let mut parts = Vec::with_capacity(filters.len());
        for filter in filters {
            match filter {
                Filter::And(inner) => parts.extend(inner),
                other => parts.push(other),
            }
        }
        only(parts).unwrap_or_else(Filter::And)
    }

    /// What any of these matches; nothing, if there are none.
    pub fn or(filters: Vec<Filter>) -> Filter {
        let mut parts = Vec::with_capacity(filters.len());
        for filter in filters {
            match filter {
                Filter::Or(inner) => parts.extend(inner),
                other => parts.push(other),
            }
        }
        if parts.is_empty() {
            return Filter::all().negated();
        }
        only(parts).unwrap_or_else(Filter::Or)
    }

    /// What this does not match.
    #[must_use]
    pub fn negated(self) -> Filter {
        match self {
            Filter::Not(inner) => *inner,
            other => Filter::Not(Box::new(other)),
        }
    }

    /// Events whose message contains the text, whatever the case.
    pub fn text(text: impl Into<String>) -> Filter {
        Filter::Term(Term::Text(Value::text(text)))
    }

    /// A comparison of a field, named as in the grammar, aliases included, with any of these values.
    pub fn field(
        name: &str,
        op: Op,
        values: Vec<Value>,
        context: &Context<'_>,
    ) -> Result<Filter, FilterError> {
        build::comparison(Field::parse(name)?, op, values, context)
    }

    /// The filter of a flag such as `--kind a,b`: the text is a value of the grammar that may have spaces
    /// without quotes; for `message` commas do not part it.
    pub fn flag(name: &str, text: &str, context: &Context<'_>) -> Result<Filter, FilterError> {
        build::flag(name, text, context)
    }

    /// Events at an instant or later, in microseconds since 1970.
    pub fn since(instant_us: i64) -> Filter {
        Filter::Term(Term::Since(instant_us.clamp(EARLIEST_US, LATEST_US)))
    }

    /// Events before an instant, in microseconds since 1970.
    pub fn until(instant_us: i64) -> Filter {
        Filter::Term(Term::Until(instant_us.clamp(EARLIEST_US, LATEST_US)))
    }

    /// Events about the file at a path, or about files below it.
    pub fn file(path: impl Into<String>) -> Filter {
        Filter::Term(Term::File(Value::text(path)))
    }

    /// Events about an entity.
    pub fn entity(entity_type: impl Into<String>, id: impl Into<String>) -> Filter {
        build::entity(Value::text(entity_type), Value::text(id))
    }

    /// Events that are errors.
    pub fn errors() -> Filter {
        Filter::Term(Term::Error)
    }

    /// How deep the filter is, as far as a limit.
    fn is_deeper_than(&self, limit: usize) -> bool {
        match self {
            Filter::Term(_) => false,
            Filter::And(parts) | Filter::Or(parts) => {
                limit.checked_sub(1).is_none_or(|less| parts.iter().any(|part| part.is_deeper_than(less)))
            }
            Filter::Not(inner) => limit.checked_sub(1).is_none_or(|less| inner.is_deeper_than(less)),
        }
    }

    /// The same filter, unless it is larger than filters can be.
    fn within_limits(self) -> Result<Filter, FilterError> {
        if self.is_deeper_than(DEPTH_MAX) {
            return Err(FilterError::new(
                None,
                format!("the filter is nested deeper than {DEPTH_MAX} levels of `and`, `or` and `not`"),
            ));
        }
        let terms = self.terms();
        if terms > TERMS_MAX {
            return Err(error::too_many_terms(None));
        }
        Ok(self)
    }

    fn terms(&self) -> usize {
        match self {
            Filter::And(parts) | Filter::Or(parts) => {
                parts.iter().fold(0, |sum, part| sum.saturating_add(part.terms()))
            }
            Filter::Not(inner) => inner.terms(),
            Filter::Term(Term::Compare(comparison)) => comparison.values.len(),
            Filter::Term(_) => 1,
        }
    }
}

impl From<Term> for Filter {
    fn from(term: Term) -> Filter {
        Filter::Term(term)
    }
}

/// The only one of the parts, or all of them.
fn only(mut parts: Vec<Filter>) -> Result<Filter, Vec<Filter>> {
    match parts.pop() {
        Some(part) if parts.is_empty() => Ok(part),
        Some(part) => {
            parts.push(part);
            Err(parts)
        }
        None => Err(parts),
    }
}
