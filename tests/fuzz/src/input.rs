//! Inputs as they are read: decoded, and cut into blocks that have every byte.

use crate::format::arrivals;
use daybook::ingest::blocks::{Blocks, ReadAs};
use daybook::ingest::encoding::{self, Encoding, Transcoder};
use daybook::ingest::known::Known;
use std::io::{Cursor, Read};

/// Reads an input that comes in pieces, perhaps after it was stored before.
pub fn check(data: &[u8]) {
    let none = Known::default();
    let (whole, hash) = read(data, &none);
    let (encoding, mark) = encoding::detect(data, true);
    assert!(mark <= data.len());
    if encoding == Encoding::Utf8 {
        assert!(data.ends_with(&whole), "blocks are not what was read");
    }
    let before = data.len() / 2;
    let known = Known::new([(before as u64, read(&data[..before], &none).1), (data.len() as u64, hash)]);
    read(data, &known);
    check_transcoding(data, encoding);
}

fn read(data: &[u8], known: &Known) -> (Vec<u8>, [u8; 32]) {
    let source = Pieces { data: Cursor::new(data.to_vec()), size: arrivals(data)[0] };
    let mut blocks =
        Blocks::open(Box::new(source), "input", 0, &ReadAs::default(), known).expect("any input can be read");
    let mut bytes = Vec::new();
    let mut end = None;
    while let Some(block) = blocks.next_block().expect("memory can be read") {
        assert_eq!(block.offset, end.unwrap_or(block.offset), "a block is not where the one before ends");
        end = Some(block.offset + block.bytes.len() as u64);
        bytes.extend(block.bytes);
    }
    assert_eq!(blocks.decompressed_bytes(), data.len() as u64);
    (bytes, blocks.content_hash())
}

/// Text becomes UTF-8, the same in pieces of any size.
fn check_transcoding(data: &[u8], found: Encoding) {
    for encoding in [found, Encoding::Utf16Le, Encoding::Windows1252] {
        let text = |size: usize| {
            let mut text = Vec::new();
            let source = Pieces { data: Cursor::new(data.to_vec()), size };
            Transcoder::new(source, encoding).read_to_end(&mut text).expect("memory can be read");
            text
        };
        let whole = text(usize::MAX);
        assert_eq!(whole, text(arrivals(data)[1]));
        assert!(encoding == Encoding::Utf8 || std::str::from_utf8(&whole).is_ok());
    }
}

struct Pieces {
    data: Cursor<Vec<u8>>,
    size: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.size.min(buffer.len());
        self.data.read(&mut buffer[..size])
    }
}
