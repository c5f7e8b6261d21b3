//! Columns of Parquet files as Arrow arrays and back, leaf by leaf.
//!
//! The Arrow readers and writers of the `parquet` crate carry conversions between all pairs of types, which are most of
//! the weight of a module for browsers. Here is what Daybook's own columns need to be read, by the crate `daybook-pages`, and
//! what DuckDB's answers need to be written, over the plain column writers. The native library uses the crate's; tests
//! compare the two.

mod levels;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{holds, read, without_zone};
pub use write::{Writer, is_written};
