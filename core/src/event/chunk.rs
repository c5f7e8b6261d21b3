//! Records taken apart into columns, before the table's columns are known.

use super::column::FieldPath;
use super::fixed::Fixed;
use super::shape::Shape;
use super::values::{FieldValues, Sparse, Texts};
use std::sync::Arc;

/// The SHA-256 of a record's canonical bytes.
pub type ContentHash = [u8; 32];

/// A field and its values in one chunk.
#[derive(Clone, Debug)]
pub struct Field {
    /// The field.
    pub path: Arc<FieldPath>,
    /// Its values.
    pub values: FieldValues,
}

/// Some records, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// When each happened.
    pub ts: Vec<i64>,
    /// The severity of each; 0 for none.
    pub severity: Vec<i8>,
    /// Which of `shapes` each has.
    pub shape: Vec<u32>,
    /// A hash of the keys of each: records of one kind have the same.
    pub keys: Vec<u64>,
    /// The content hash of each.
    pub content: Vec<ContentHash>,
    /// The values of the fixed text columns, in the order of [`Fixed::ALL`]; empty for the others.
    pub fixed: Vec<Texts>,
    /// The values of `duration_ms`.
    pub duration_ms: Sparse<f64>,
    /// Every other field.
    pub fields: Vec<Field>,
    /// The shapes that occur.
    pub shapes: Vec<Shape>,
    /// About how many bytes all this takes.
    pub bytes: usize,
}

impl Chunk {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.ts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ts.is_empty()
    }

    /// The values of a fixed text column.
    pub fn fixed_texts(&self, column: Fixed) -> Option<&Texts> {
        self.fixed.get(column.position())
    }
}
