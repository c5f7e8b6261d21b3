//! Events: what they are made of, and how a producer's record becomes columns and comes back.

pub mod assemble;
pub mod canonical;
pub mod catalogue;
pub mod chunk;
pub mod column;
pub mod content;
pub mod digest;
pub mod fixed;
pub mod json;
pub mod mapping;
pub mod mask;
pub mod naming;
pub mod nest;
pub mod number;
pub mod path;
pub mod record;
pub mod reject;
pub mod severity;
pub mod shape;
pub mod shred;
pub mod time;
pub mod tree;
pub mod values;

pub use column::{Column, ColumnType, FieldPath, TableSchema};
pub use fixed::Fixed;
