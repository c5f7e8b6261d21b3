//! The rows of data files, hashed anew: whether they are those that came in, whoever wrote the file since.

use super::files::Place;
use super::replay::Recorded;
use super::{Problem, ProblemKind, stopped};
use crate::error::{ErrorKind, Result};
use crate::event::canonical::{RowSet, hex};
use crate::event::catalogue::Catalogue;
use crate::event::content::Contents;
use crate::event::fixed::Fixed;
use crate::event::tree::Tree;
use crate::ingest::batch::read_file;
use crate::log::decoded_path;
use crate::quarantine;
use crate::seal::Tables;
use crate::storage::FilePlace;
use arrow::array::{AsArray, RecordBatch};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What hashing rows needs.
pub(super) struct Rows<'a> {
    tables: &'a Tables,
    place: &'a Place<'a>,
    /// What says where the values of events are; none for the quarantine, whose columns are its own.
    catalogue: Option<Arc<Catalogue>>,
    hashed: &'a AtomicU64,
    stop: &'a AtomicBool,
    templates: Mutex<BTreeSet<String>>,
}

impl<'a> Rows<'a> {
    /// For the files of a table; none where rows are not to be hashed.
    pub(super) fn of(
        tables: &'a Tables,
        place: &'a Place<'a>,
        hashed: &'a AtomicU64,
        stop: &'a AtomicBool,
    ) -> Result<Option<Rows<'a>>> {
        if !place.deep {
            return Ok(None);
        }
        let catalogue = (place.prefix.is_empty()).then(|| tables.register.latest()).transpose()?;
        Ok(Some(Rows { tables, place, catalogue, hashed, stop, templates: Mutex::default() }))
    }

    /// The ids of templates that rows have.
    pub(super) fn into_templates(self) -> BTreeSet<String> {
        self.templates.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_templates(&self, batch: &RecordBatch) {
        let ids = batch.column_by_name(Fixed::Template.name()).and_then(|ids| ids.as_string_opt::<i32>());
        let mut last = None;
        for id in ids.iter().flat_map(|ids| ids.iter().flatten()) {
            // The same often stand together.
            if last.replace(id) != Some(id) {
                let mut known = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
                if !known.contains(id) {
                    known.insert(id.to_string());
                }
            }
        }
    }

    /// What is wrong with the rows of a file, if anything is.
    pub(super) fn check(&self, path: &str, recorded: &Recorded) -> Result<Option<Problem>> {
        let name = decoded_path(path)?;
        let problem = |message: String| {
            let place = format!("{}{name}", self.place.prefix);
            let message = format!("the file `{place}` {message}");
            let problem = Problem::new(ProblemKind::RowsAltered, self.place.table, message);
            Ok(Some(problem.at(recorded.version).of(place)))
        };
        let (rows, set, tree) = match self.hash(&self.tables.place(self.place.prefix, &name)?) {
            Ok(hashed) => hashed,
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                return problem(format!("cannot be read: {error}"));
            }
            Err(error) => return Err(error),
        };
        self.hashed.fetch_add(rows, Ordering::Relaxed);
        if rows != recorded.rows {
            return problem(format!("has {rows} rows, and was committed with {}", recorded.rows));
        }
        // Files without a hash were compacted of some that had none.
        if recorded.rows_hash != "-" && set.to_hex() != recorded.rows_hash {
            return problem(format!("does not have the {rows} rows that it was committed with"));
        }
        let root = tree.finish().map(|(root, _)| hex(&root));
        if recorded.tree != "-" && root.is_none_or(|root| root != recorded.tree) {
            return problem("has its rows in another order than its commit says".to_string());
        }
        Ok(None)
    }

    fn hash(&self, file: &FilePlace) -> Result<(u64, RowSet, Tree)> {
        let (mut rows, mut set, mut tree) = (0_u64, RowSet::default(), Tree::default());
        for batch in read_file(file, 0)? {
            let batch = batch?;
            if self.stop.load(Ordering::Relaxed) {
                return Err(stopped());
            }
            rows = rows.saturating_add(batch.num_rows() as u64);
            match &self.catalogue {
                Some(catalogue) => {
                    let hashes = Contents::new(&batch.schema(), catalogue).rows(&batch)?;
                    set.add_rows(&hashes);
                    tree.push(&hashes);
                    self.note_templates(&batch);
                }
                None => quarantine::add_rows(&batch, &mut set)?,
            }
        }
        Ok((rows, set, tree))
    }
}
