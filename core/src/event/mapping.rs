//! Which of a record's fields map to which fixed column, and which are secret.

use super::column::FieldPath;
use super::fixed::{Fixed, WELL_KNOWN};
use std::fmt;
use std::sync::Arc;

/// Names of a format that map to fixed columns: paths, their keys joined with dots.
pub type FormatNames = &'static [(Fixed, &'static [&'static str])];

/// Ranks of names: lower wins. What the user chose comes first, then names of the format, then well-known
/// names, then those in another case.
const FORMAT_RANK: u8 = 40;
const WELL_KNOWN_RANK: u8 = 100;
/// Names that are well known in another case only have this rank or a higher one.
pub const OTHER_CASE_RANK: u8 = 150;

/// Columns that are filled by the store, so that no field maps to them.
const NOT_MAPPED: [Fixed; 5] = [Fixed::Seq, Fixed::Severity, Fixed::Template, Fixed::Shape, Fixed::Rest];

/// Which fields map to fixed columns, beside the well-known names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    chosen: Vec<(Fixed, String)>,
    format: FormatNames,
}

impl Mapping {
    /// The names of a format, and none of the user's.
    pub fn of_format(names: FormatNames) -> Mapping {
        Mapping { chosen: Vec::new(), format: names }
    }

    /// Maps a column to a field, its keys joined with dots; the first of several that a record has counts.
    /// The error says which columns there are.
    pub fn choose(&mut self, column: &str, path: &str) -> Result<(), String> {
        let mapped = || Fixed::ALL.into_iter().filter(|fixed| !NOT_MAPPED.contains(fixed));
        let Some(fixed) = mapped().find(|fixed| fixed.name() == column) else {
            let names: Vec<&str> = mapped().map(Fixed::name).collect();
            return Err(format!(
                "`{column}` is no column that a field can map to; there are: {}",
                names.join(", ")
            ));
        };
        if self.chosen.len() >= usize::from(FORMAT_RANK) {
            return Err(format!("more than {FORMAT_RANK} fields are mapped"));
        }
        self.chosen.push((fixed, path.to_string()));
        Ok(())
    }

    /// The fields that the user chose, each with its column.
    pub fn chosen(&self) -> &[(Fixed, String)] {
        &self.chosen
    }

    /// The same choices with the names of a format.
    #[must_use]
    pub fn with_format(&self, names: FormatNames) -> Mapping {
        Mapping { chosen: self.chosen.clone(), format: names }
    }

    /// The fixed column that a path may map to, and its rank among the names that do; lower wins.
    pub fn find(&self, path: &FieldPath) -> Option<(Fixed, u8)> {
        let name = path.keys().collect::<Vec<_>>().join(".");
        let chosen = self.chosen.iter().position(|(_, chosen)| *chosen == name);
        if let Some((rank, (fixed, _))) = chosen.and_then(|rank| Some((rank, self.chosen.get(rank)?))) {
            return Some((*fixed, u8::try_from(rank).unwrap_or(FORMAT_RANK)));
        }
        let format = ranked(self.format, FORMAT_RANK, |known| known == name);
        format.or_else(|| well_known(path, &name))
    }
}

/// A well-known name. One in another case than the table's comes after all names in the table's own case.
fn well_known(path: &FieldPath, name: &str) -> Option<(Fixed, u8)> {
    let nested = match path.keys().len() {
        1 => false,
        2 => true,
        _ => return None,
    };
    let dotted = name.contains('.');
    let exact = ranked(&WELL_KNOWN, WELL_KNOWN_RANK, |known| known == name && known.contains('.') == dotted);
    exact.or_else(|| match nested {
        true => None,
        false => ranked(&WELL_KNOWN, OTHER_CASE_RANK, |known| known.eq_ignore_ascii_case(name)),
    })
}

fn ranked(names: &[(Fixed, &[&str])], first: u8, matches: impl Fn(&str) -> bool) -> Option<(Fixed, u8)> {
    names.iter().find_map(|(fixed, names)| {
        let rank = names.iter().position(|known| matches(known))?;
        Some((*fixed, first.saturating_add(u8::try_from(rank).unwrap_or(u8::MAX))))
    })
}

/// Whether a key's value is secret.
pub type IsSecret = dyn Fn(&[u8]) -> bool + Send + Sync;

/// What is to be known about the keys of records.
#[derive(Clone, Default)]
pub struct Names {
    /// Which fields map to fixed columns.
    pub mapping: Mapping,
    /// Which keys have secret values, if that is asked for.
    pub is_secret: Option<Arc<IsSecret>>,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("mapping", &self.mapping).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_names() {
        let mapping = Mapping::default();
        let check = |keys: &[&str], expected: Option<Fixed>| {
            assert_eq!(mapping.find(&FieldPath::new(keys)).map(|(fixed, _)| fixed), expected, "{keys:?}");
        };
        check(&["timestamp"], Some(Fixed::Ts));
        check(&["log", "level"], Some(Fixed::Level));
        check(&["log.level"], Some(Fixed::Level));
        check(&["changes", "before"], Some(Fixed::Before));
        check(&["metadata", "kind"], None);
        check(&["Message"], Some(Fixed::Message));
        check(&["Id"], Some(Fixed::EventId));
        check(&["artist"], None);
        check(&["a", "timestamp"], None);
        let rank = |key: &str| mapping.find(&FieldPath::new([key])).unwrap().1;
        assert!(rank("timestamp") < rank("ts"));
        assert!(rank("type") < rank("Kind"));
    }

    #[test]
    fn the_users_choice_comes_first_then_the_formats() {
        let mut mapping =
            Mapping::of_format(&[(Fixed::Message, &["MESSAGE"]), (Fixed::Source, &["deep.in.it"])]);
        mapping.choose("message", "type").unwrap();
        let find = |keys: &[&str]| mapping.find(&FieldPath::new(keys));
        assert_eq!(find(&["type"]), Some((Fixed::Message, 0)));
        assert_eq!(find(&["MESSAGE"]), Some((Fixed::Message, FORMAT_RANK)));
        assert_eq!(find(&["deep", "in", "it"]), Some((Fixed::Source, FORMAT_RANK)));
        assert!(find(&["message"]).unwrap().1 > FORMAT_RANK);
        let error = mapping.choose("seq", "n").unwrap_err();
        assert!(
            error.starts_with("`seq` is no column that a field can map to; there are: ts, event_id"),
            "{error}"
        );
    }
}
