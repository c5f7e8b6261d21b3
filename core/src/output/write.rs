//! An answer to a stream, in constant memory.

use super::encoder::{Encoder, OutputFormat, OutputOptions};
use crate::error::{Error, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use std::io::Write;

/// So many rows are text in memory before they are handed on.
const ROWS_AT_ONCE: usize = 64;

/// Writes batches as they come, and gives the number of rows. `each` hears of the rows after each batch, and
/// ends it all with its error. After an error what was written has no end, so that it does not look whole.
pub fn write_rows(
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch>>,
    format: OutputFormat,
    options: &OutputOptions<'_>,
    out: &mut dyn Write,
    each: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<u64> {
    let at_once = if format.is_binary() { usize::MAX } else { ROWS_AT_ONCE };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(format, schema, options, &mut bytes)?;
    hand_on(&mut bytes, out)?;
    for batch in batches {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                // Who reads along sees the rows before the failure; the failure itself is what is told.
                let _ = out.flush();
                return Err(error);
            }
        };
        let mut from = 0;
        while from < batch.num_rows() {
            let rows = at_once.min(batch.num_rows().saturating_sub(from));
            encoder.add(&batch.slice(from, rows), &mut bytes)?;
            hand_on(&mut bytes, out)?;
            from += rows;
        }
        each(encoder.rows())?;
        out.flush().map_err(not_written)?;
    }
    let rows = encoder.end(&mut bytes)?;
    hand_on(&mut bytes, out)?;
    out.flush().map_err(not_written)?;
    Ok(rows)
}

fn hand_on(bytes: &mut Vec<u8>, out: &mut dyn Write) -> Result<()> {
    out.write_all(bytes).map_err(not_written)?;
    bytes.clear();
    Ok(())
}

fn not_written(error: std::io::Error) -> Error {
    Error::io("write", "the rows", error)
}
