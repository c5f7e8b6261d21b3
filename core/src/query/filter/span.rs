//! The span of time outside of which a filter matches nothing.

use super::{Filter, Term};
use crate::query::prune::Span;

/// A span of `ts`, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TsSpan {
    /// The first instant; `i64::MIN` if there is none.
    pub from: i64,
    /// The instant after the last; `i64::MAX` if there is none. Not after `from` if nothing matches.
    pub until: i64,
}

const ALL: TsSpan = TsSpan { from: i64::MIN, until: i64::MAX };

impl TsSpan {
    /// The span with its last instant instead of the one after it.
    pub fn both_included(self) -> Span {
        let last = if self.until == i64::MAX { i64::MAX } else { self.until.saturating_sub(1) };
        (self.from, last)
    }
}

/// The span of a filter; none if it may be all of time.
pub(super) fn of(filter: &Filter) -> Option<TsSpan> {
    Some(span(filter, false)).filter(|span| *span != ALL)
}

fn span(filter: &Filter, negated: bool) -> TsSpan {
    match (filter, negated) {
        (Filter::Not(inner), _) => span(inner, !negated),
        (Filter::And(parts), false) | (Filter::Or(parts), true) => {
            parts.iter().map(|part| span(part, negated)).fold(ALL, |both, span| TsSpan {
                from: both.from.max(span.from),
                until: both.until.min(span.until),
            })
        }
        (Filter::And(parts), true) | (Filter::Or(parts), false) => parts
            .iter()
            .map(|part| span(part, negated))
            .filter(|span| span.from < span.until)
            .reduce(|either, span| TsSpan {
                from: either.from.min(span.from),
                until: either.until.max(span.until),
            })
            .unwrap_or(TsSpan { from: i64::MIN, until: i64::MIN }),
        (Filter::Term(Term::Since(from)), false) | (Filter::Term(Term::Until(from)), true) => {
            TsSpan { from: *from, ..ALL }
        }
        (Filter::Term(Term::Until(until)), false) | (Filter::Term(Term::Since(until)), true) => {
            TsSpan { until: *until, ..ALL }
        }
        (Filter::Term(_), _) => ALL,
    }
}
