//! Paths of a store, and what a file says of itself.

use super::TEMPORARY;
use crate::storage::Entry;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// The folder of a path; empty for the store's own.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") }
}

pub(super) fn is_temporary(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with(TEMPORARY))
}

pub(super) fn to_entry(path: String, metadata: &Metadata) -> Entry {
    let modified_us =
        metadata.mtime().saturating_mul(1_000_000).saturating_add(metadata.mtime_nsec() / 1_000);
    Entry { path, size: metadata.len(), modified_us }
}
