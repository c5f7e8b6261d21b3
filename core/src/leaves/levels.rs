//! Where values of nested columns stand: the levels of Parquet.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, FieldRef};

/// A leaf of a column: its array, the levels of its slots, and which elements of the array have them.
#[derive(Debug)]
pub struct Leaf {
    /// The array of the leaf.
    pub array: ArrayRef,
    /// How much of the path to each slot is there.
    pub definitions: Vec<i16>,
    /// At which list each slot goes on.
    pub repetitions: Vec<i16>,
    /// The places of the values in the array, without nulls.
    pub values: Vec<usize>,
}

/// A place on the way to a leaf: its levels so far, and where it is in the array, unless it ends before.
#[derive(Clone, Copy, Debug)]
struct Slot {
    definition: i16,
    repetition: i16,
    at: Option<usize>,
}

/// The leaves of a column, in the order of its schema.
pub fn leaves(column: &ArrayRef, is_nullable: bool) -> Vec<Leaf> {
    let slots = (0..column.len()).map(|row| Slot { definition: 0, repetition: 0, at: Some(row) }).collect();
    let mut found = Vec::new();
    descend(column, is_nullable, slots, 0, &mut found);
    found
}

/// Goes down the types of a schema, which is as deep as the SQL that made it.
fn descend(array: &ArrayRef, is_nullable: bool, mut slots: Vec<Slot>, lists: i16, found: &mut Vec<Leaf>) {
    if is_nullable {
        let nulls = array.logical_nulls();
        define(&mut slots, |at| !nulls.as_ref().is_some_and(|nulls: &NullBuffer| nulls.is_null(at)));
    }
    match array.data_type() {
        DataType::Struct(fields) => {
            for (field, child) in fields.iter().zip(array.as_struct().columns()) {
                descend(child, field.is_nullable(), slots.clone(), lists, found);
            }
        }
        DataType::List(item) => {
            let lists_of = array.as_list::<i32>();
            let range = |at| bounds(lists_of.value_offsets(), at);
            elements(lists_of.values(), item, &slots, lists, &range, found);
        }
        DataType::FixedSizeList(item, size) => {
            let size = usize::try_from(*size).unwrap_or_default();
            let range = |at: usize| at.saturating_mul(size)..at.saturating_add(1).saturating_mul(size);
            elements(array.as_fixed_size_list().values(), item, &slots, lists, &range, found);
        }
        DataType::Map(_, _) => {
            let map = array.as_map();
            let slots = expand(&slots, lists, &|at| bounds(map.value_offsets(), at));
            let entries = map.entries();
            for (field, child) in entries.fields().iter().zip(entries.columns()) {
                descend(child, field.is_nullable(), slots.clone(), lists.saturating_add(1), found);
            }
        }
        _ => found.push(Leaf {
            array: array.clone(),
            definitions: slots.iter().map(|slot| slot.definition).collect(),
            repetitions: slots.iter().map(|slot| slot.repetition).collect(),
            values: slots.iter().filter_map(|slot| slot.at).collect(),
        }),
    }
}

fn elements(
    values: &ArrayRef,
    item: &FieldRef,
    slots: &[Slot],
    lists: i16,
    range: &dyn Fn(usize) -> std::ops::Range<usize>,
    found: &mut Vec<Leaf>,
) {
    descend(values, item.is_nullable(), expand(slots, lists, range), lists.saturating_add(1), found);
}

/// One level more for what is there; what is not there ends here.
fn define(slots: &mut [Slot], is_there: impl Fn(usize) -> bool) {
    for slot in slots {
        slot.at = slot.at.filter(|at| is_there(*at));
        if slot.at.is_some() {
            slot.definition = slot.definition.saturating_add(1);
        }
    }
}

/// The slots of the elements of lists.
fn expand(slots: &[Slot], lists: i16, range: &dyn Fn(usize) -> std::ops::Range<usize>) -> Vec<Slot> {
    let mut expanded = Vec::with_capacity(slots.len());
    for slot in slots {
        let Some(range) = slot.at.map(range).filter(|range| !range.is_empty()) else {
            expanded.push(Slot { at: None, ..*slot });
            continue;
        };
        let first = range.start;
        let definition = slot.definition.saturating_add(1);
        expanded.extend(range.map(|at| {
            let repetition = if at == first { slot.repetition } else { lists.saturating_add(1) };
            Slot { definition, repetition, at: Some(at) }
        }));
    }
    expanded
}

fn bounds(offsets: &[i32], at: usize) -> std::ops::Range<usize> {
    let offset =
        |at: usize| offsets.get(at).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or_default();
    offset(at)..offset(at.saturating_add(1))
}
