//! The catalogue's files: whoever meets something new adds the next one, or reads the one that came first.

use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::{Addition, Catalogue};
use crate::event::chunk::Chunk;
use crate::layout;
use crate::storage::{Put, Storage};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Every so many files one holds all that those before it hold, so that opening reads few.
const COMPLETE_EVERY: u64 = 64;
/// How often another writer may come first before that is strange.
const TRIES: u32 = 1_000;

/// The catalogue of a store on disk.
#[derive(Debug)]
pub struct Register {
    storage: Arc<dyn Storage>,
    known: Mutex<Arc<Catalogue>>,
    /// Files before this one are known to be durable.
    durable: AtomicU64,
}

impl Register {
    /// Reads the catalogue; a store without one has an empty one.
    pub fn open(storage: Arc<dyn Storage>, columns_max: usize) -> Result<Register> {
        let numbers: Vec<u64> =
            storage.list(layout::SHAPES)?.iter().filter_map(|entry| number_of(&entry.path)).collect();
        let last = numbers.last().copied().unwrap_or(0);
        let mut catalogue = Catalogue::new(columns_max);
        for number in numbers.into_iter().filter(|number| *number >= last - last % COMPLETE_EVERY) {
            let place = layout::shapes(number);
            catalogue.apply(&Addition::from_json(&storage.read(&place)?, &place)?, number)?;
        }
        Ok(Register { storage, known: Mutex::new(Arc::new(catalogue)), durable: AtomicU64::new(0) })
    }

    /// The catalogue with all that others have added.
    pub fn latest(&self) -> Result<Arc<Catalogue>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let number = known.next_file();
            let place = layout::shapes(number);
            let bytes = match self.storage.read(&place) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(known.clone()),
                Err(error) => return Err(error),
            };
            Arc::make_mut(&mut known).apply(&Addition::from_json(&bytes, &place)?, number)?;
        }
    }

    /// The catalogue, grown on disk so that it covers these chunks, and durable.
    pub fn cover(&self, chunks: &[Chunk]) -> Result<Arc<Catalogue>> {
        for _ in 0..TRIES {
            let catalogue = self.latest()?;
            let addition = catalogue.missing(chunks.iter())?;
            let number = catalogue.next_file();
            if addition.is_empty() {
                self.make_durable(number)?;
                return Ok(catalogue);
            }
            let file = match number % COMPLETE_EVERY {
                0 if number > 0 => {
                    let mut grown = (*catalogue).clone();
                    grown.apply(&addition, number)?;
                    grown.complete()
                }
                _ => addition,
            };
            match self.storage.put_if_absent(&layout::shapes(number), &file.to_json())? {
                Put::Written | Put::Exists => self.durable.fetch_max(number + 1, Ordering::Relaxed),
            };
        }
        Err(Error::new(ErrorKind::Busy, "other writers kept adding new fields; none could be added here"))
    }

    /// Makes the files before a number durable: others' can be read before their names are.
    fn make_durable(&self, number: u64) -> Result<()> {
        if self.durable.load(Ordering::Relaxed) < number {
            self.storage.sync_folder(layout::SHAPES)?;
            self.durable.fetch_max(number, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// The catalogue as it would be with these chunks, for a reader that writes nothing.
pub fn grown<'a>(
    catalogue: &Arc<Catalogue>,
    chunks: impl Iterator<Item = &'a Chunk> + Clone,
) -> Result<Arc<Catalogue>> {
    let addition = catalogue.missing(chunks)?;
    if addition.is_empty() {
        return Ok(catalogue.clone());
    }
    let mut grown = (**catalogue).clone();
    grown.apply(&addition, catalogue.next_file())?;
    Ok(Arc::new(grown))
}

fn number_of(path: &str) -> Option<u64> {
    path.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}
