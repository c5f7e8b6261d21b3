//! Columns of Parquet files as Arrow arrays and back, leaf by leaf, over the plain column readers and writers.
//!
//! The Arrow readers and writers of the `parquet` crate carry conversions between all pairs of types, which are most of
//! the weight of a module for browsers. Here is what Daybook's own columns need to be read, and what DuckDB's answers
//! need to be written. The native library uses the crate's; tests compare the two.

mod bits;
mod levels;
mod read;
#[cfg(test)]
mod tests;
mod values;
mod write;

pub use read::{holds, read, without_zone};
pub use write::{Writer, is_written};
