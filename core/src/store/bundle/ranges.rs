//! Smallest and largest values of the columns of a bundle's file.

use crate::bundle::TextRange;
use crate::event::fixed::Fixed;
use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::compute;
use arrow::datatypes::{Int8Type, Int64Type, TimestampMicrosecondType};
use std::collections::BTreeMap;

/// Text columns whose values the manifest bounds.
const TEXTS: [Fixed; 11] = [
    Fixed::EventId,
    Fixed::Source,
    Fixed::Kind,
    Fixed::Level,
    Fixed::Actor,
    Fixed::Session,
    Fixed::EntityType,
    Fixed::EntityId,
    Fixed::Status,
    Fixed::TraceId,
    Fixed::Template,
];
/// Longer texts get no bounds.
const TEXT_BYTES_MAX: usize = 64;

/// What is known of a file's columns so far.
#[derive(Debug, Default)]
pub struct Ranges {
    pub ts: Option<(i64, i64)>,
    pub seq: Option<(i64, i64)>,
    pub severity: Option<(i64, i64)>,
    texts: BTreeMap<&'static str, Text>,
}

#[derive(Clone, Debug, PartialEq)]
enum Text {
    Within(TextRange),
    /// Some text is too long to say.
    Unknown,
}

impl Ranges {
    /// Takes in the values of a column.
    pub fn add(&mut self, column: Fixed, array: &ArrayRef) {
        match column {
            Fixed::Ts => widen(&mut self.ts, bounds::<TimestampMicrosecondType>(array)),
            Fixed::Seq => widen(&mut self.seq, bounds::<Int64Type>(array)),
            Fixed::Severity => widen(&mut self.severity, bounds::<Int8Type>(array)),
            _ if TEXTS.contains(&column) => self.add_text(column, array),
            _ => {}
        }
    }

    /// The bounds of text columns; null for those without a value.
    pub fn into_texts(mut self) -> BTreeMap<String, Option<TextRange>> {
        let of_column = |fixed: &Fixed| match self.texts.remove(fixed.name()) {
            None => Some((fixed.name().to_string(), None)),
            Some(Text::Within(range)) => Some((fixed.name().to_string(), Some(range))),
            Some(Text::Unknown) => None,
        };
        TEXTS.iter().filter_map(of_column).collect()
    }

    fn add_text(&mut self, column: Fixed, array: &ArrayRef) {
        let Some(texts) = array.as_string_opt::<i32>() else { return };
        let (Some(least), Some(most)) = (compute::min_string(texts), compute::max_string(texts)) else {
            return;
        };
        let is_short = least.len() <= TEXT_BYTES_MAX && most.len() <= TEXT_BYTES_MAX;
        let new = (least.to_string(), most.to_string());
        let known = self.texts.remove(column.name());
        let both = match (known, is_short) {
            (None, true) => Text::Within(new),
            (Some(Text::Within(known)), true) => Text::Within((known.0.min(new.0), known.1.max(new.1))),
            _ => Text::Unknown,
        };
        self.texts.insert(column.name(), both);
    }
}

fn bounds<T: ArrowPrimitiveType>(array: &ArrayRef) -> Option<(i64, i64)>
where
    T::Native: Into<i64>,
{
    let values = array.as_primitive_opt::<T>()?;
    Some((compute::min(values)?.into(), compute::max(values)?.into()))
}

fn widen(known: &mut Option<(i64, i64)>, new: Option<(i64, i64)>) {
    let all = known.iter().chain(&new).copied();
    *known = all.reduce(|all, new| (all.0.min(new.0), all.1.max(new.1)));
}
