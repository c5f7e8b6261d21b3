//! Decompression and archives. They need crates that the core has for operating systems only, so that they are
//! compiled here from its sources.

#[allow(dead_code, reason = "the sources of the core; not all of it is used here")]
#[path = "../../../core/src/ingest/archive.rs"]
mod archive;
#[allow(dead_code, reason = "the sources of the core; not all of it is used here")]
#[path = "../../../core/src/ingest/decompress.rs"]
mod decompress;

use std::io::{Cursor, Read};

/// So much is read of one input: a few bytes may stand for gigabytes of zeros.
const BYTES_MAX: u64 = 4 << 20;

/// Decompresses what may be damaged.
pub fn check_decompression(data: &[u8]) {
    let Ok((kind, mut reader)) = decompress::decompressed(Box::new(Cursor::new(data.to_vec()))) else {
        return;
    };
    let mut bytes = Vec::new();
    let result = (&mut reader).take(BYTES_MAX).read_to_end(&mut bytes);
    match (kind, result) {
        (decompress::Compression::None, _) => assert_eq!(bytes, data),
        (_, Err(error)) => {
            let again = reader.read(&mut [0; 8]).expect_err("what failed goes on");
            assert_eq!((again.kind(), again.to_string()), (error.kind(), error.to_string()));
        }
        (_, Ok(_)) => {}
    }
}

/// Reads the members of what may be an archive.
pub fn check_archive(data: &[u8]) {
    let _ = archive::is_archive(data);
    let mut members = archive::Members::new(Box::new(Cursor::new(data.to_vec())));
    let mut total = 0;
    while let Ok(Some(mut member)) = members.next_member() {
        let mut bytes = Vec::new();
        // Every other member is left to be skipped.
        if member.name.len() % 2 == 0 && member.reader.read_to_end(&mut bytes).is_ok() {
            total += bytes.len();
            assert!(total <= data.len(), "members are longer than the archive");
        }
    }
    let _ = members.next_member();
}
