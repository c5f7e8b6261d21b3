//! Parquet files of a bundle, from row groups, with the hashes that prove each part of them.

use crate::bundle::{HASHES_KEY, Place, Stored, short_hash};
use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::hex;
use crate::event::column::TableSchema;
use crate::ingest::arrays::arrow_field;
use crate::ingest::pages::ColumnChunk;
use crate::ingest::parquet::{Encoded, in_parallel};
use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::Schema;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parquet::file::metadata::KeyValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bundles are made once and loaded often.
const LEVEL: i32 = 12;
const THREADS: usize = 2;

/// Row groups of one file, which wait for its columns to be known.
pub struct Groups<'a> {
    schema: &'a TableSchema,
    /// The positions of the columns that it can have, in the order in which they stand in a row group.
    order: Vec<usize>,
    encoded: Encoded,
    waiting: Vec<Group>,
}

/// A row group: its columns by their position, those without a value left out.
struct Group {
    rows: usize,
    columns: BTreeMap<usize, ColumnChunk>,
}

impl<'a> Groups<'a> {
    /// None yet.
    pub fn new(schema: &'a TableSchema, order: Vec<usize>) -> Groups<'a> {
        Groups { schema, order, encoded: Encoded::zstd(LEVEL), waiting: Vec::new() }
    }

    /// Encodes a row group of columns, by their positions. Gives its bytes.
    pub fn add(&mut self, rows: usize, columns: &[(usize, ArrayRef)]) -> Result<usize> {
        let encode = |(position, array): &(usize, ArrayRef)| -> Result<Option<(usize, ColumnChunk)>> {
            let Some(column) = self.schema.columns().get(*position) else { return Ok(None) };
            if array.null_count() == array.len() {
                return Ok(None);
            }
            Ok(Some((*position, self.encoded.column(&Arc::new(arrow_field(column)), array)?)))
        };
        let chunks = in_parallel(columns.iter().collect(), THREADS, encode)?;
        let columns: BTreeMap<usize, ColumnChunk> = chunks.into_iter().flatten().collect();
        let bytes = columns.values().map(|chunk| chunk.bytes.len()).sum();
        self.waiting.push(Group { rows, columns });
        Ok(bytes)
    }

    /// The bytes of all row groups.
    pub fn bytes(&self) -> usize {
        let chunks = self.waiting.iter().flat_map(|group| group.columns.values());
        chunks.map(|chunk| chunk.bytes.len()).sum()
    }

    /// Forgets all row groups.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// The names of the columns that any row group has.
    pub fn columns(&self) -> Vec<String> {
        let names = self.positions().into_iter().filter_map(|at| self.schema.columns().get(at));
        names.map(|column| column.name.clone()).collect()
    }

    fn positions(&self) -> Vec<usize> {
        let has = |at: &usize| self.waiting.iter().any(|group| group.columns.contains_key(at));
        self.order.iter().filter(|at| has(at)).copied().collect()
    }

    /// The bytes of the file with all row groups, each of which has all columns of any, and what the manifest says of it.
    pub fn finish(&mut self, path: String, ts: (i64, i64), seq: (i64, i64)) -> Result<(Vec<u8>, Stored)> {
        let positions = self.positions();
        let fields = positions.iter().filter_map(|at| self.schema.columns().get(*at)).map(arrow_field);
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let failed = |error: parquet::errors::ParquetError| {
            Error::new(ErrorKind::Internal, format!("cannot put a file of the bundle together: {error}"))
        };
        let (mut bytes, mut hashes, mut rows) = (Vec::new(), Vec::new(), 0_u64);
        let mut writer = self.encoded.writer(&mut bytes, &schema)?;
        for mut group in self.waiting.drain(..) {
            let mut row_group = writer.next_row_group().map_err(failed)?;
            for (position, field) in positions.iter().zip(schema.fields()) {
                let chunk = match group.columns.remove(position) {
                    Some(chunk) => chunk,
                    None => self.encoded.chunk(field, &new_null_array(field.data_type(), group.rows))?,
                };
                hashes.extend(short_hash(&chunk.bytes));
                row_group.append_column(&chunk.bytes, chunk.close).map_err(failed)?;
            }
            row_group.close().map_err(failed)?;
            rows = rows.saturating_add(group.rows as u64);
        }
        writer.append_key_value_metadata(KeyValue::new(HASHES_KEY.to_string(), STANDARD.encode(&hashes)));
        writer.finish().map_err(failed)?;
        drop(writer);
        let (size, sha256) = (bytes.len() as u64, hex(&Sha256::digest(&bytes)));
        let stored = Stored { path, size, rows, sha256, footer: footer_of(&bytes)?, ts, seq };
        Ok((bytes, stored))
    }
}

/// Where the footer of a Parquet file is, up to the end of the file.
fn footer_of(bytes: &[u8]) -> Result<Place> {
    let broken = || Error::new(ErrorKind::Internal, "a file of the bundle has no footer");
    let length =
        bytes.len().checked_sub(8).and_then(|at| bytes.get(at..)).and_then(|end| end.first_chunk::<4>());
    let length = u32::from_le_bytes(*length.ok_or_else(broken)?) as usize;
    let offset = bytes.len().checked_sub(length.saturating_add(8)).ok_or_else(broken)?;
    let footer = bytes.get(offset..).unwrap_or_default();
    Ok(Place { offset: offset as u64, length: footer.len() as u64, sha256: hex(&Sha256::digest(footer)) })
}
