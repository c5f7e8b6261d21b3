//! Bundles: events as a folder of Parquet files that any static host serves, with one manifest.
//!
//! Nothing here does I/O: whoever reads a bundle fetches bytes, and asks here which, whether they are right, and what
//! they hold. A manifest is untrusted, as are the files that it names.

mod ask;
mod decode;
mod footer;
mod glance;
mod held;
mod manifest;
mod needs;
mod page;
mod plan;
mod tables;
#[cfg(test)]
mod tests;

pub use ask::{Ask, Given, Step, ToRun};
pub use decode::{Fetched, rest_column};
pub use footer::{ChunkPlace, Footer, HASH_BYTES, HASHES_KEY, is_file, short_hash};
pub use glance::{GLANCED, Glance, rows_of};
pub use held::{Dropped, read_dropped};
pub use manifest::{BundleFile, CopyFile, Manifest, Place, Source, Stored, TextRange, VERSION, is_below};
pub use needs::Needs;
pub use page::{Page, value_sql};
pub use plan::Plan;
pub use tables::{templates_table, without_zones};

/// The name of the manifest in a bundle's folder.
pub const MANIFEST: &str = "manifest.json";
/// The folder of a bundle's data files.
pub const EVENTS: &str = "events";
/// The folder of a bundle's copies of columns.
pub const COPIES: &str = "columns";
