//! Answers as text and files: JSON, CSV, Markdown, Parquet and Arrow, batch by batch in constant memory.
//!
//! [`Encoder`] turns batches into bytes and does no I/O; [`write_rows`] drives it. What is written without its
//! end never looks whole: a JSON array stays open, and Parquet and Arrow files lack their footer.

pub mod cell;
pub mod csv;
pub mod escape;
pub mod json;

mod binary;
mod encoder;
mod markdown;
mod times;
mod write;

pub use encoder::{Encoder, OutputFormat, OutputOptions};
pub use times::Times;
pub use write::write_rows;

#[cfg(test)]
mod tests;
