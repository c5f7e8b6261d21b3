//! From records to data files: settling types against the catalogue, encoding, sorting.

pub mod arrays;
pub mod blocks;
pub mod coding;
pub mod columnar;
pub mod encoding;
pub mod known;
pub mod order;
pub mod pages;
#[cfg(feature = "native")]
pub mod parquet;
pub mod progress;
pub mod rest;
pub mod settle;

#[cfg(feature = "native")]
pub mod archive;
#[cfg(feature = "native")]
pub mod batch;
#[cfg(feature = "native")]
pub mod decompress;
#[cfg(feature = "native")]
mod encrypted;
#[cfg(feature = "native")]
pub mod explain;
#[cfg(feature = "native")]
pub mod follow;
#[cfg(feature = "native")]
pub mod input;
#[cfg(feature = "native")]
pub mod pipeline;
#[cfg(feature = "native")]
pub mod register;
#[cfg(feature = "native")]
pub mod source;
#[cfg(feature = "native")]
pub mod stats;
#[cfg(feature = "native")]
pub mod table;
#[cfg(feature = "native")]
pub mod templates;

#[cfg(test)]
#[cfg(feature = "native")]
mod tests;
