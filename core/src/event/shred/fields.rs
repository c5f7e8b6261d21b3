//! The values of a record that no fixed column takes.

use super::{ABSENCE, Plain, Shredder};
use crate::event::json::{self, Kind, Tape};
use crate::event::number::{self, Number};
use crate::event::path::{NodeId, ROOT};
use crate::event::values::{FieldValues, ListClass};

impl Shredder {
    /// Puts what no fixed column took into its fields.
    pub(super) fn take_fields(&mut self, text: &[u8], row: u32) {
        if self.fields.len() < self.paths.count() {
            self.fields.resize_with(self.paths.count(), FieldValues::default);
        }
        let mut absences: Vec<(u32, NodeId)> = Vec::new();
        for leaf in self.leaves.iter_mut().filter(|leaf| !leaf.taken) {
            let Some(value) = self.tape.get(leaf.value as usize) else { continue };
            let Some(values) = self.fields.get_mut(leaf.node as usize) else { continue };
            let raw = json::text_of(text, &value);
            let deep = self.paths.get(leaf.node).is_some_and(|node| node.in_rest);
            match value.kind {
                Kind::Null => absences.push((0, leaf.node)),
                Kind::Object => absences.push((1, leaf.node)),
                Kind::Array if raw == b"[]" || value.next == leaf.value + 1 => {
                    absences.push((2, leaf.node));
                    if !deep {
                        push_list(values, row, b"[]", ListClass::Empty);
                    }
                }
                Kind::String if deep => {
                    let quoted = text.get(value.start as usize - 1..value.end as usize + 1);
                    values.rare_mut().other.push(row, quoted.unwrap_or_default());
                }
                _ if deep => values.rare_mut().other.push(row, raw),
                Kind::String if value.escaped => {
                    values.texts.push_with(row, |out| json::unescape_into(raw, out));
                    leaf.plain = Some(Plain::Field);
                }
                Kind::String => values.texts.push(row, raw),
                Kind::Number => match number::read(raw) {
                    Number::Int(value) => values.ints.push(row, value),
                    Number::Double(value) => values.doubles.push(row, value),
                    Number::Exact => values.rare_mut().exact.push(row, raw),
                },
                Kind::True => values.bools.push(row, true),
                Kind::False => values.bools.push(row, false),
                Kind::Array => match list_class(text, &self.tape, leaf.value as usize) {
                    Some(class) => push_list(values, row, raw, class),
                    None => values.rare_mut().other.push(row, raw),
                },
                Kind::Key => {}
            }
        }
        if self.leaves.is_empty() {
            absences.push((1, ROOT));
        }
        absences.sort_unstable();
        self.shape_key.extend(absences.into_iter().flat_map(|(kind, node)| [ABSENCE + kind, node, 0]));
    }
}

fn push_list(values: &mut FieldValues, row: u32, raw: &[u8], class: ListClass) {
    let rare = values.rare_mut();
    rare.lists.push(row, raw);
    rare.classes.push(class);
}

/// What a list column would hold of an array; none where no list column can.
fn list_class(text: &[u8], tape: &Tape, array: usize) -> Option<ListClass> {
    let end = tape.get(array)?.next as usize;
    let mut class = ListClass::Nulls;
    let mut wide_integers = false;
    for position in array + 1..end {
        let node = tape.get(position)?;
        let element = match node.kind {
            Kind::Null => continue,
            Kind::String => ListClass::Texts,
            Kind::True | Kind::False => ListClass::Bools,
            Kind::Number => match number::read(json::text_of(text, &node)) {
                Number::Int(value) => {
                    wide_integers |= number::as_double(value).is_none();
                    ListClass::Ints
                }
                Number::Double(_) => ListClass::Doubles,
                Number::Exact => return None,
            },
            Kind::Object | Kind::Array | Kind::Key => return None,
        };
        class = match (class, element) {
            (ListClass::Nulls, element) => element,
            (ListClass::Ints, ListClass::Doubles) | (ListClass::Doubles, ListClass::Ints) => {
                ListClass::Doubles
            }
            (class, element) if class == element => class,
            _ => return None,
        };
    }
    match class {
        ListClass::Ints if wide_integers => Some(ListClass::WideInts),
        ListClass::Doubles if wide_integers => None,
        class => Some(class),
    }
}
