//! Parquet and Arrow: a damaged file is rows and then an error, within bounds.

use daybook::Format;
use daybook::event::json::{Kind, Tape};
use daybook::ingest::columnar::{ColumnarReader, is_columnar, spool};
use std::io::Cursor;

/// So much is read of one input: a file may say a few times that it has a billion nulls.
const BLOCKS_MAX: usize = 3;
/// Rows that are longer are cut.
const ROW_BYTES_MAX: usize = 32 << 20;

/// Reads a file, and a stream where it is one.
pub fn check(format: Format, data: &[u8]) {
    if is_columnar(data) != Some(format) {
        return;
    }
    let file = spool(data).expect("there is room for temporary files");
    if let Ok(reader) = ColumnarReader::open(file, format, "input") {
        read(reader);
    }
    if format == Format::Arrow
        && !data.starts_with(b"ARROW1")
        && let Ok(reader) = ColumnarReader::stream(Box::new(Cursor::new(data.to_vec())), "input")
    {
        read(reader);
    }
}

fn read(mut reader: ColumnarReader) {
    let mut tape = Tape::default();
    for _ in 0..BLOCKS_MAX {
        let Ok(Some(block)) = reader.next_block() else { return };
        assert_eq!(block.last(), Some(&b'\n'), "a block ends within a row");
        for row in block.split(|byte| *byte == b'\n').filter(|row| !row.is_empty()).take(100) {
            if row.len() > ROW_BYTES_MAX {
                continue;
            }
            tape.parse(row).unwrap_or_else(|error| panic!("{error:?}: {}", String::from_utf8_lossy(row)));
            assert_eq!(tape.get(0).map(|node| node.kind), Some(Kind::Object));
        }
    }
}
