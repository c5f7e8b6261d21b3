//! Where rows are cut off that are too long for a record: lists of long values that stand once in a file have no end.

use super::BLOCK_BYTES;
use crate::event::json;

/// Longer than any record may be.
const ROW_BYTES_MAX: usize = 33 << 20;

/// Writes the comma before an item that is not the first. False if the row is so long that the rest of it makes no
/// difference: it is kept as one that is too long for a record. There may be a block of other rows before it.
pub(super) fn goes_on(is_later: bool, out: &mut Vec<u8>) -> bool {
    if is_later {
        out.push(b',');
    }
    out.len() <= BLOCK_BYTES.saturating_add(ROW_BYTES_MAX)
}

/// So much of a value as makes its row too long.
pub(super) fn shortened(bytes: &[u8]) -> &[u8] {
    bytes.get(..ROW_BYTES_MAX).unwrap_or(bytes)
}

/// Writes a text in quotes.
pub(super) fn string_into(text: &str, out: &mut Vec<u8>) {
    json::quote_into(text.get(..text.floor_char_boundary(ROW_BYTES_MAX)).unwrap_or(text), out);
}
