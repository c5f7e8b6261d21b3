//! Footers of data files that were read before. Data files never change, so that a footer is true for ever.

use super::file::{DataFileReader, opened};
use crate::error::Result;
use crate::keys::Key;
use crate::storage::FilePlace;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The footers that are kept take at most about so much memory.
const BYTES_MAX: usize = 32 << 20;

/// The footers that are kept, and how much was read of files that are opened through them.
#[derive(Debug, Default)]
pub struct Footers {
    kept: Mutex<Kept>,
    read: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Kept {
    footers: HashMap<PathBuf, (ArrowReaderMetadata, Option<Arc<Key>>)>,
    bytes: usize,
}

impl Footers {
    /// Opens a data file.
    pub fn open(&self, place: &FilePlace) -> Result<DataFileReader> {
        let known = self.lock().footers.get(&**place).cloned();
        let reader = match known {
            Some(footer) => DataFileReader::with_footer(place, opened(place)?, footer, self.read.clone())?,
            None => {
                let reader = DataFileReader::open(place, self.read.clone())?;
                self.keep(place, &reader);
                reader
            }
        };
        Ok(reader)
    }

    /// How many bytes were read of the files, the footers included.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    fn keep(&self, place: &Path, reader: &DataFileReader) {
        let footer = reader.footer();
        let bytes = footer.metadata().memory_size();
        let mut kept = self.lock();
        if kept.bytes.saturating_add(bytes) > BYTES_MAX {
            *kept = Kept::default();
        }
        if kept.footers.insert(place.to_path_buf(), (footer.clone(), reader.key().cloned())).is_none() {
            kept.bytes = kept.bytes.saturating_add(bytes);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
