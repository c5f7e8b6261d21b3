//! Rows of data files hashed anew: what their records hashed to when they came in, if nobody changed them.
//!
//! Column after column gives its leaves, so that a column that few rows have costs little; then the leaves of each row are
//! put in order and hashed.

use super::assemble::value_into;
use super::canonical::{self, Leaf, row_hashes};
use super::catalogue::Catalogue;
use super::column::FieldPath;
use super::digest::{Digest, Messages};
use super::fixed::Fixed;
use super::json::Tape;
use super::shape::{Form, Shape};
use super::{nest, number};
use crate::error::{Error, ErrorKind, Result};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, Int64Type, Schema, TimestampMicrosecondType};
use hashbrown::HashMap;
use std::ops::Range;

/// So many rows have their leaves in memory at once.
const ROWS_AT_ONCE: usize = 1_024;
/// So many bytes are hashed together.
const HASHED_BYTES: usize = 256 << 10;

/// Hashes rows of batches of one schema.
pub struct Contents<'a> {
    catalogue: &'a Catalogue,
    /// Where each fixed column is in the batches.
    fixed: Vec<Option<usize>>,
    /// Where each field's column is, and its path as it is hashed; in the order of these.
    fields: Vec<(usize, Vec<u8>)>,
    plans: HashMap<i32, Plan<'a>>,
    leaves: Leaves,
}

/// What a shape says of leaves, ready to be hashed.
struct Plan<'a> {
    shape: &'a Shape,
    /// The paths of its origins.
    origins: Vec<Vec<u8>>,
    /// The leaves of what was null or empty.
    absent: Vec<Vec<u8>>,
}

/// Leaves of some rows.
#[derive(Default)]
struct Leaves {
    bytes: Vec<u8>,
    places: Vec<Place>,
    tape: Tape,
    json: Vec<u8>,
}

/// Where the bytes of a leaf are.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    start: usize,
    end: usize,
}

impl<'a> Contents<'a> {
    /// For batches of a schema, whose columns are found by name.
    pub fn new(schema: &Schema, catalogue: &'a Catalogue) -> Contents<'a> {
        let places: HashMap<&str, usize> =
            schema.fields().iter().enumerate().map(|(place, field)| (field.name().as_str(), place)).collect();
        let columns = catalogue.schema().columns().iter();
        let mut fields: Vec<(usize, Vec<u8>)> = columns
            .filter_map(|column| Some((*places.get(column.name.as_str())?, column.path.as_ref()?.encoded())))
            .collect();
        fields.sort_by(|(_, one), (_, other)| one.cmp(other));
        let fixed = Fixed::ALL.iter().map(|fixed| places.get(fixed.name()).copied()).collect();
        Contents { catalogue, fixed, fields, plans: HashMap::new(), leaves: Leaves::default() }
    }

    /// The hashes of all rows of a batch.
    pub fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<Digest>> {
        let lacks = || Error::new(ErrorKind::Corrupt, "a data file has no `ts` or no `seq`");
        let seqs = batch.column_by_name(Fixed::Seq.name()).ok_or_else(lacks)?;
        let seqs = seqs.as_primitive_opt::<Int64Type>().ok_or_else(lacks)?;
        let times = batch.column_by_name(Fixed::Ts.name()).ok_or_else(lacks)?;
        let times = times.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(lacks)?;
        let mut contents = Vec::with_capacity(batch.num_rows());
        for first in (0..batch.num_rows()).step_by(ROWS_AT_ONCE) {
            let rows = batch.slice(first, ROWS_AT_ONCE.min(batch.num_rows().saturating_sub(first)));
            self.fill(&rows)?;
            self.leaves.hash_into(rows.num_rows(), &mut contents);
        }
        let rows = seqs.values().iter().zip(times.values()).zip(&contents);
        Ok(row_hashes(rows.map(|((seq, ts), content)| (*seq, *ts, content))))
    }

    /// The leaves of a row's record, as they are hashed.
    pub fn leaves(&mut self, batch: &RecordBatch, row: usize) -> Result<Vec<Leaf>> {
        self.fill(&batch.slice(row, 1))?;
        let mut bytes = Vec::new();
        self.leaves.ordered(1).iter().for_each(|place| bytes.extend_from_slice(self.leaves.bytes_of(place)));
        Leaf::all_of(&bytes)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "canonical bytes of an event cannot be read"))
    }

    /// Puts the leaves of all rows of a batch in place of those before.
    fn fill(&mut self, batch: &RecordBatch) -> Result<()> {
        self.leaves.bytes.clear();
        self.leaves.places.clear();
        for (place, path) in &self.fields {
            let Some(array) = batch.columns().get(*place).filter(|array| array.null_count() < array.len())
            else {
                continue;
            };
            match array.nulls() {
                None => (0..array.len()).try_for_each(|row| self.leaves.field(path, array, row))?,
                Some(nulls) => {
                    nulls.valid_indices().try_for_each(|row| self.leaves.field(path, array, row))?
                }
            }
        }
        for row in 0..batch.num_rows() {
            self.rest_of(batch, row)?;
        }
        Ok(())
    }

    /// The leaves that are in fixed columns, in the shape, and in `rest`.
    fn rest_of(&mut self, batch: &RecordBatch, row: usize) -> Result<()> {
        let Contents { catalogue, fixed, plans, leaves, .. } = self;
        let column = |column: Fixed| {
            let place = (*fixed.get(column.position())?)?;
            batch.columns().get(place).filter(|array| array.is_valid(row))
        };
        let id = column(Fixed::Shape).map_or(-1, |array| array.as_primitive::<Int32Type>().value(row));
        let plan = match plans.entry(id) {
            hashbrown::hash_map::Entry::Occupied(known) => known.into_mut(),
            hashbrown::hash_map::Entry::Vacant(free) => free.insert(Plan::of(catalogue, id)?),
        };
        let mut is_time_known = false;
        for (origin, path) in plan.shape.origins.iter().zip(&plan.origins) {
            let Some(array) = column(origin.column) else { continue };
            if origin.column == Fixed::Ts && !std::mem::replace(&mut is_time_known, true) {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                leaves.add(row, |out| canonical::time_leaf_into(path, micros, out));
                continue;
            }
            match (origin.form, origin.column) {
                (Form::Time(form), _) => {
                    let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                    leaves.json(path, row, form.write(micros).as_bytes())?;
                }
                (Form::Number | Form::Bool | Form::Json, column) if column != Fixed::DurationMs => {
                    let text = array.as_string::<i32>().value(row).as_bytes();
                    match origin.form == Form::Json && text.first() == Some(&b'{') && text != b"{}" {
                        true => leaves.nested(&origin.path, row, text)?,
                        false => leaves.json(path, row, text)?,
                    }
                }
                _ => leaves.field(path, array, row)?,
            }
        }
        for leaf in &plan.absent {
            leaves.add(row, |out| out.extend_from_slice(leaf));
        }
        if let Some(rest) = column(Fixed::Rest) {
            let text = rest.as_string::<i32>().value(row);
            leaves.nested(&FieldPath::new::<&str>([]), row, text.as_bytes())?;
        }
        Ok(())
    }
}

impl<'a> Plan<'a> {
    fn of(catalogue: &'a Catalogue, id: i32) -> Result<Plan<'a>> {
        let shape = catalogue.shape(id).ok_or_else(|| {
            let message = format!("the catalogue has no shape {id}, which an event refers to");
            Error::new(ErrorKind::Corrupt, message).with_hint("restore the folder `_shapes` from a copy")
        })?;
        let mut absent = Leaves::default();
        for (paths, json) in
            [(&shape.nulls, "null"), (&shape.empty_objects, "{}"), (&shape.empty_arrays, "[]")]
        {
            for path in paths.iter().filter(|path| path.keys().len() > 0) {
                absent.json(&path.encoded(), 0, json.as_bytes())?;
            }
        }
        let absent = absent.places.iter().map(|place| absent.bytes_of(place).to_vec()).collect();
        let origins = shape.origins.iter().map(|origin| origin.path.encoded()).collect();
        Ok(Plan { shape, origins, absent })
    }
}

impl Leaves {
    fn add(&mut self, row: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.places.push(Place { row, start, end: self.bytes.len() });
    }

    /// The leaf of a column's value, which is there.
    fn field(&mut self, path: &[u8], array: &ArrayRef, row: usize) -> Result<()> {
        match array.data_type() {
            DataType::Utf8 => {
                let text = array.as_string::<i32>().value(row).as_bytes();
                self.add(row, |out| canonical::text_leaf_into(path, text, out));
            }
            DataType::Int64 => {
                let value = array.as_primitive::<Int64Type>().value(row);
                self.add(row, |out| {
                    canonical::number_leaf_into(path, out, |out| number::integer_into(value, out))
                });
            }
            _ => {
                let mut json = std::mem::take(&mut self.json);
                json.clear();
                value_into(array, row, &mut json)?;
                // An empty list is in the shape, or in `rest`.
                if json != b"[]" {
                    self.json(path, row, &json)?;
                }
                self.json = json;
            }
        }
        Ok(())
    }

    /// The leaf of a value that is no object with keys in it.
    fn json(&mut self, path: &[u8], row: usize, json: &[u8]) -> Result<()> {
        let Leaves { bytes, places, tape, .. } = self;
        tape.parse(json).map_err(|error| {
            Error::new(ErrorKind::Corrupt, format!("a value of an event is no JSON: {}", error.reason))
        })?;
        let start = bytes.len();
        canonical::leaf_into(path, json, tape, 0, bytes);
        places.push(Place { row, start, end: bytes.len() });
        Ok(())
    }

    /// The leaves of an object.
    fn nested(&mut self, path: &FieldPath, row: usize, json: &[u8]) -> Result<()> {
        for (below, value) in nest::leaves(json) {
            self.json(&FieldPath::new(path.keys().chain(below.keys())).encoded(), row, &value)?;
        }
        Ok(())
    }

    /// The places of all leaves, row after row, and those of each by their paths.
    fn ordered(&self, rows: usize) -> Vec<Place> {
        let mut ordered = self.places.clone();
        let mut next = self.starts(rows);
        for place in &self.places {
            let Some(at) = next.get_mut(place.row) else { continue };
            if let Some(slot) = ordered.get_mut(*at) {
                *slot = *place;
            }
            *at += 1;
        }
        ordered.chunk_by_mut(|one, other| one.row == other.row).for_each(|of_row| {
            of_row.sort_by(|one, other| self.path_of(one).cmp(self.path_of(other)));
        });
        ordered
    }

    /// Where the leaves of each row begin, if they stand row after row.
    fn starts(&self, rows: usize) -> Vec<usize> {
        let mut counts = vec![0_usize; rows];
        for place in &self.places {
            if let Some(count) = counts.get_mut(place.row) {
                *count += 1;
            }
        }
        let mut sum = 0_usize;
        let start = |count: &usize| {
            let start = sum;
            sum = sum.saturating_add(*count);
            start
        };
        counts.iter().map(start).collect()
    }

    /// The content hash of each row.
    fn hash_into(&self, rows: usize, digests: &mut Vec<Digest>) {
        let (mut messages, ordered) = (Messages::default(), self.ordered(rows));
        let mut rest = ordered.as_slice();
        for row in 0..rows {
            let count = rest.iter().take_while(|place| place.row == row).count();
            let (own, others) = rest.split_at(count);
            rest = others;
            messages
                .push_with(|out| own.iter().for_each(|place| out.extend_from_slice(self.bytes_of(place))));
            if messages.bytes() >= HASHED_BYTES {
                messages.hash_into(digests);
            }
        }
        messages.hash_into(digests);
    }

    fn bytes_of(&self, place: &Place) -> &[u8] {
        self.slice(place.start..place.end)
    }

    /// The path of a leaf, whose length stands before it.
    fn path_of(&self, place: &Place) -> &[u8] {
        let leaf = self.bytes_of(place);
        leaf.split_first_chunk::<4>()
            .and_then(|(length, rest)| rest.get(..u32::from_le_bytes(*length) as usize))
            .unwrap_or_default()
    }

    fn slice(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }
}
