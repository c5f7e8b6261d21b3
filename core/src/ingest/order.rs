//! The order of rows in files: records that are alike stand together, which makes their columns small.

use super::arrays::Settled;
use crate::error::{Error, ErrorKind, Result};
use crate::event::chunk::Chunk;
use crate::event::fixed::Fixed;
use arrow::array::{Array, ArrayRef, UInt32Array, UInt64Array};
use arrow::compute::{SortColumn, lexsort_to_indices};
use hashbrown::HashMap;
use std::sync::Arc;

/// A number for each record that is the same for those that are alike: with the same source, kind and keys. Those
/// of one source follow each other, and among them those of one kind.
pub fn ranks(chunks: &[Settled]) -> Vec<Vec<u32>> {
    let mut likeness: Vec<Vec<u64>> = chunks.iter().map(|settled| likeness_of(&settled.chunk)).collect();
    let mut firsts = HashMap::new();
    for (settled, likeness) in chunks.iter().zip(&likeness) {
        let text = |fixed: Fixed, row: usize| settled.chunk.fixed_texts(fixed)?.of_row(row as u32);
        for (row, likeness) in likeness.iter().enumerate() {
            let keys = || settled.chunk.keys.get(row).copied();
            firsts
                .entry(*likeness)
                .or_insert_with(|| (text(Fixed::Source, row), text(Fixed::Kind, row), keys()));
        }
    }
    let mut sorted: Vec<_> = firsts.into_iter().map(|(likeness, first)| (first, likeness)).collect();
    sorted.sort_unstable();
    let ranks: HashMap<u64, u32> = sorted.into_iter().map(|(_, likeness)| likeness).zip(0..).collect();
    let rank = |likeness: u64| ranks.get(&likeness).copied().unwrap_or_default();
    likeness.iter_mut().map(|of_chunk| of_chunk.drain(..).map(rank).collect()).collect()
}

/// Where the rows of arrays go that [`ranks`] would put together: by source, kind, what fields they have, and `seq`.
/// `kinds` are those of [`kinds_of_rows`].
pub fn sorted(source: ArrayRef, kind: ArrayRef, kinds: Vec<u64>, seq: ArrayRef) -> Result<UInt32Array> {
    let keys = [source, kind, Arc::new(UInt64Array::from(kinds)), seq];
    let keys: Vec<SortColumn> = keys.into_iter().map(|values| SortColumn { values, options: None }).collect();
    lexsort_to_indices(&keys, None)
        .map_err(|error| Error::new(ErrorKind::Internal, "events cannot be sorted").with_source(error))
}

/// A number for each record that is the same for those with the same keys, source and kind.
fn likeness_of(chunk: &Chunk) -> Vec<u64> {
    let mut likeness = chunk.keys.clone();
    for fixed in [Fixed::Source, Fixed::Kind] {
        for (row, text) in chunk.fixed_texts(fixed).into_iter().flat_map(|texts| texts.iter()) {
            if let Some(number) = likeness.get_mut(row as usize) {
                *number = mixed(*number ^ fixed.position() as u64, text);
            }
        }
    }
    likeness
}

/// A number that differs where a number or a text does, most likely.
fn mixed(number: u64, text: &[u8]) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |number: u64, word: u64| ((number ^ word).wrapping_mul(ODD)).rotate_left(29);
    let (words, tail) = text.as_chunks::<8>();
    let words =
        words.iter().fold(mix(number, text.len() as u64), |all, word| mix(all, u64::from_le_bytes(*word)));
    let last = tail.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    mix(mix(words, last), ODD)
}

/// A number for each of so many rows that is the same for those with values in the same columns, which have numbers.
pub fn kinds_of_rows<'a>(rows: usize, columns: impl Iterator<Item = (usize, &'a ArrayRef)>) -> Vec<u64> {
    let mut kinds = vec![0; rows];
    for (position, array) in columns {
        let add = |kind: &mut u64| *kind = mixed(*kind, &position.to_le_bytes());
        match array.nulls() {
            None => kinds.iter_mut().for_each(add),
            Some(valid) => {
                valid.valid_indices().for_each(|row| kinds.get_mut(row).into_iter().for_each(add));
            }
        }
    }
    kinds
}
