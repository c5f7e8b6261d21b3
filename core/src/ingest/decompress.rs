//! Decompression, told by the first bytes: gzip, zstd, bzip2 and xz, several members or frames in one input too.

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;
use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// As many bytes tell how an input is compressed.
const MAGIC_BYTES: usize = 10;
/// Compressed bytes are read in pieces of this size.
const PIECE_BYTES: usize = 1 << 18;
/// The largest window of zstd, as a power of two: 128 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// The largest dictionary of xz, 256 MiB, and what its decoder needs besides, in KiB.
const XZ_KIB_MAX: u32 = (256 << 10) + 1024;

/// How an input is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
}

impl Compression {
    /// What the first bytes of an input say.
    pub fn of(start: &[u8]) -> Compression {
        match start {
            [0x1f, 0x8b, 0x08, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Compression::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            _ => Compression::None,
        }
    }

    /// The name that people know.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Looks how an input is compressed, and decompresses it as it is read. Damaged or cut input gives what can be
/// decompressed, then an error, and that error again if it is read on.
pub fn decompressed(mut source: Box<dyn Read + Send>) -> io::Result<(Compression, Box<dyn Read + Send>)> {
    let mut start = Vec::with_capacity(MAGIC_BYTES);
    (&mut source).take(MAGIC_BYTES as u64).read_to_end(&mut start)?;
    let kind = Compression::of(&start);
    let whole = Cursor::new(start).chain(source);
    if kind == Compression::None {
        return Ok((kind, Box::new(whole)));
    }
    let failed = Arc::new(AtomicBool::new(false));
    let source = BufReader::with_capacity(PIECE_BYTES, Source { inner: whole, failed: failed.clone() });
    let inner: Box<dyn Read + Send> = match kind {
        Compression::None | Compression::Gzip => Box::new(Gzip { member: Some(GzDecoder::new(source)) }),
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(source)),
        Compression::Xz => Box::new(XzReader::new_mem_limit(source, true, XZ_KIB_MAX)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    };
    Ok((kind, Box::new(Decompressing { kind, inner, source_failed: failed, failure: None })))
}

/// The compressed bytes; remembers whether reading them failed, to tell that from damaged bytes.
struct Source<R> {
    inner: R,
    failed: Arc<AtomicBool>,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buffer) {
                // Decoders may lose their place on an error that means only to try again.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed.store(true, Ordering::Relaxed);
                    return Err(error);
                }
                read => return read,
            }
        }
    }
}

/// The members of a gzip input. Zeros after a member are padding, as they are for gzip itself.
struct Gzip<R: BufRead> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(ended) = self.member.take() else { break };
            let mut source = ended.into_inner();
            if more_follows(&mut source)? {
                self.member = Some(GzDecoder::new(source));
            }
        }
        Ok(0)
    }
}

fn more_follows(source: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = source.fill_buf()?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        match bytes.get(zeros) {
            Some(0x1f) => {
                source.consume(zeros);
                return Ok(true);
            }
            Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, AFTER_THE_END)),
            None if zeros == 0 => return Ok(false),
            None => source.consume(zeros),
        }
    }
}

const AFTER_THE_END: &str = "there are other bytes after its end";

/// A decoder whose errors are told in words, and stay.
struct Decompressing {
    kind: Compression,
    inner: Box<dyn Read + Send>,
    source_failed: Arc<AtomicBool>,
    failure: Option<(io::ErrorKind, String)>,
}

impl Read for Decompressing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some((kind, message)) = &self.failure {
            return Err(io::Error::new(*kind, message.clone()));
        }
        self.inner.read(buffer).map_err(|error| {
            if self.source_failed.load(Ordering::Relaxed) {
                self.failure = Some((error.kind(), error.to_string()));
                return error;
            }
            let (kind, message) = explained(self.kind, &error);
            self.failure = Some((kind, message.clone()));
            io::Error::new(kind, message)
        })
    }
}

fn explained(compression: Compression, error: &io::Error) -> (io::ErrorKind, String) {
    let text = error.to_string();
    let too_large = error.kind() == io::ErrorKind::OutOfMemory || text.contains("too much memory");
    let after_the_end =
        [AFTER_THE_END, "Unknown frame descriptor", "header missing", "invalid data after stream"];
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            (io::ErrorKind::UnexpectedEof, format!("the {compression} data is cut off before its end"))
        }
        _ if too_large && compression == Compression::Xz => {
            (io::ErrorKind::InvalidData, "the xz data needs a dictionary of more than 256 MiB".to_string())
        }
        _ if too_large => (
            io::ErrorKind::InvalidData,
            format!("the {compression} data needs a window of more than 128 MiB"),
        ),
        _ if after_the_end.iter().any(|known| text.contains(known)) => (
            io::ErrorKind::InvalidData,
            format!("after the end of the {compression} data there are other bytes"),
        ),
        _ => (io::ErrorKind::InvalidData, format!("the {compression} data is damaged: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const ALL: [Compression; 4] = [Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz];

    fn compressed(kind: Compression, bytes: &[u8]) -> Vec<u8> {
        match kind {
            Compression::None => bytes.to_vec(),
            Compression::Gzip => {
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                writer.write_all(bytes).unwrap();
                writer.finish().unwrap()
            }
            Compression::Zstd => {
                let mut writer = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
                writer.include_checksum(true).unwrap();
                writer.write_all(bytes).unwrap();
                writer.finish().unwrap()
            }
            Compression::Bzip2 => {
                let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                writer.write_all(bytes).unwrap();
                writer.finish().unwrap()
            }
            Compression::Xz => xz(bytes, 16),
        }
    }

    /// An xz stream whose chunks are stored, with a dictionary of a size.
    fn xz(bytes: &[u8], dictionary: u8) -> Vec<u8> {
        let sum = |bytes: &[u8]| {
            let mut crc = flate2::Crc::new();
            crc.update(bytes);
            crc.sum().to_le_bytes()
        };
        let flags = [0, 1];
        let mut out = [&b"\xfd7zXZ\0"[..], &flags, &sum(&flags)].concat();
        let block_header = [2, 0, 0x21, 1, dictionary, 0, 0, 0];
        let block = out.len();
        out.extend_from_slice(&[&block_header[..], &sum(&block_header)].concat());
        for (number, chunk) in bytes.chunks(1 << 16).enumerate() {
            out.push(if number == 0 { 1 } else { 2 });
            out.extend_from_slice(&((chunk.len() - 1) as u16).to_be_bytes());
            out.extend_from_slice(chunk);
        }
        out.push(0);
        let unpadded = out.len() - block + 4;
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend_from_slice(&sum(bytes));
        let mut index = [&[0, 1][..], &shortest(unpadded), &shortest(bytes.len())].concat();
        index.resize(index.len().next_multiple_of(4), 0);
        out.extend_from_slice(&[&index[..], &sum(&index)].concat());
        let size = (index.len() / 4) as u32;
        let footer = [&size.to_le_bytes()[..], &flags].concat();
        out.extend_from_slice(&[&sum(&footer)[..], &footer, b"YZ"].concat());
        out
    }

    fn shortest(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value > 0x7f {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    /// What is read, and the error after it.
    fn read(bytes: &[u8]) -> (Vec<u8>, Option<String>) {
        let (_, mut reader) = decompressed(Box::new(Cursor::new(bytes.to_vec()))).unwrap();
        let mut out = Vec::new();
        let error = reader.read_to_end(&mut out).err().map(|error| error.to_string());
        if let Some(error) = &error {
            let again = reader.read(&mut [0; 8]).unwrap_err().to_string();
            assert_eq!(*error, again);
        }
        (out, error)
    }

    fn lines(count: usize) -> Vec<u8> {
        (0..count).flat_map(|line| format!("{{\"line\":{line}}}\n").into_bytes()).collect()
    }

    #[test]
    fn what_was_compressed_comes_back() {
        for kind in ALL {
            for text in [Vec::new(), b"x".to_vec(), lines(50_000)] {
                let bytes = compressed(kind, &text);
                assert_eq!(Compression::of(&bytes), kind);
                assert!(read(&bytes) == (text, None), "{kind}");
            }
        }
        for text in [&b""[..], b"B", b"BZh9 is a name", b"{\"a\":1}", b"\x1f\x8b", b"(\xb5/"] {
            assert_eq!(Compression::of(text), Compression::None);
            assert_eq!(read(text), (text.to_vec(), None));
        }
    }

    /// What `xz` makes of 300 lines.
    const XZ_OF_LINES: &[u8] =
        b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\
        \xe0\x0e\xcd\x01\x05\x5d\x00\x3d\x88\x89\x86\xd4\x1f\x45\xbe\x7d\xf4\x1c\x8a\x03\x54\x9b\x23\xa7\
        \x69\xbd\x39\xe5\xea\x8f\xd0\x3d\x70\xfe\xed\xd4\x5f\x37\x1d\x4f\xd1\x68\x86\xea\x2d\xb9\xa8\xba\
        \xa8\x9b\xd8\x6a\x3b\x35\x64\xcd\xbf\xa1\x2e\xdd\xb5\xb8\xa0\xb5\x17\xd5\x94\xad\xbb\x89\x25\x2a\
        \x35\x79\x81\x2d\x9c\x29\xff\x21\xe2\x4e\x2b\x3c\x26\x99\x86\xce\x79\x96\xeb\xc7\x94\xfd\x1f\xaf\
        \x95\xa3\xbd\x3a\x07\x1d\x89\x26\xf4\x6e\xe6\x7f\xad\x67\xe9\x82\xdf\xdc\xc1\xa1\xb9\xd5\x8f\x3d\
        \x81\x7f\x6d\x53\x7f\x02\x09\x56\xdd\x59\xdf\x47\x28\x23\x89\xe8\xb4\xe9\x99\xb8\xdc\xea\x0c\x05\
        \x1d\x49\xba\x68\x23\x9c\xdc\x3a\x4f\x94\x28\xc4\xdb\xc1\x4e\xec\xa5\xbe\xef\x23\x06\xf0\x54\x09\
        \xde\xba\xfc\x9a\x41\xf2\xc8\xe5\x45\xf1\xd6\xc6\xa4\x31\xac\xc6\x08\xf7\xa0\xf3\x64\x37\x53\x77\
        \xf5\x0b\x60\x00\x23\xdd\x1f\xcb\x1d\x14\xcb\x66\xa0\xd5\xbd\x1c\x8a\x18\xe8\xd7\x56\x7d\x4c\xd5\
        \x0d\x1f\xe6\x00\xa5\xd1\xfd\xae\xbf\x2e\xba\x7e\x94\xdd\xe2\x33\xbb\x00\x01\x6e\x37\xec\x68\xbd\
        \xdd\x70\xf2\x7d\xf6\x9b\x55\xde\x8e\xfd\xc4\x63\x1b\x35\xb9\x00\xd8\x76\x9d\xf1\x3e\x47\x5f\x96\
        \x31\xbb\x07\x00\x00\x00\x00\x00\x1f\x67\xb9\x77\xb1\x02\x86\xe0\x00\x01\xa1\x02\xce\x1d\x00\x00\
        \xe0\xec\xb9\xe9\xb1\xc4\x67\xfb\x02\x00\x00\x00\x00\x04\x59\x5a";

    #[test]
    fn what_xz_compressed_is_read() {
        assert_eq!(read(XZ_OF_LINES), (lines(300), None));
        for length in MAGIC_BYTES..XZ_OF_LINES.len() {
            let (out, error) = read(&XZ_OF_LINES[..length]);
            assert!(lines(300).starts_with(&out) && error.is_some(), "{length}");
        }
        for place in 0..XZ_OF_LINES.len() {
            let mut damaged = XZ_OF_LINES.to_vec();
            damaged[place] ^= 4;
            let _ = read(&damaged);
        }
    }

    #[test]
    fn members_and_frames_follow_one_another() {
        for kind in ALL {
            let (one, two) = (lines(1_000), lines(3));
            let bytes = [compressed(kind, &one), compressed(kind, &[]), compressed(kind, &two)].concat();
            assert!(read(&bytes) == ([one, two].concat(), None), "{kind}");
        }
        let skippable = [&[0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let frame = compressed(Compression::Zstd, b"text");
        let bytes = [&skippable[..], &frame, &skippable, &frame, &skippable].concat();
        assert_eq!(read(&bytes), (b"texttext".to_vec(), None));
        let padded = [compressed(Compression::Gzip, b"text"), vec![0; 1_000_000]].concat();
        assert_eq!(read(&padded), (b"text".to_vec(), None));
    }

    #[test]
    fn other_bytes_after_the_end_are_told() {
        for kind in ALL {
            let bytes = [compressed(kind, b"text"), b"garbage that follows".to_vec()].concat();
            let told = format!("after the end of the {kind} data there are other bytes");
            assert_eq!(read(&bytes), (b"text".to_vec(), Some(told)));
        }
    }

    #[test]
    fn input_cut_anywhere_gives_its_beginning_and_an_error() {
        let text = lines(300);
        for kind in ALL {
            let bytes = compressed(kind, &text);
            let mut longest = 0;
            for length in MAGIC_BYTES..bytes.len() {
                let (out, error) = read(&bytes[..length]);
                let told = format!("the {kind} data is cut off before its end");
                assert_eq!(error, Some(told), "{length} of {}", bytes.len());
                assert!(text.starts_with(&out) && out.len() >= longest, "{kind} {length}");
                longest = out.len();
            }
            assert_eq!(longest, text.len(), "{kind}: all of it is given before the checksum is missed");
        }
    }

    #[test]
    fn damaged_input_is_an_error_or_its_own_bytes() {
        for kind in ALL {
            let bytes = compressed(kind, &lines(60));
            for position in 0..bytes.len() {
                for bit in [0, 3, 7] {
                    let mut damaged = bytes.clone();
                    damaged[position] ^= 1 << bit;
                    let _ = read(&damaged);
                }
            }
        }
    }

    #[test]
    fn decoders_that_would_need_much_memory_are_refused() {
        let told = Some("the xz data needs a dictionary of more than 256 MiB".to_string());
        for (size, expected) in [(32, None), (33, told.clone()), (40, told)] {
            assert_eq!(read(&xz(b"text", size)).1, expected, "{size}");
        }
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(28).unwrap();
        encoder.write_all(b"text").unwrap();
        let told = "the zstd data needs a window of more than 128 MiB".to_string();
        assert_eq!(read(&encoder.finish().unwrap()), (Vec::new(), Some(told)));
    }

    #[test]
    fn a_source_that_fails_says_so_itself() {
        struct Fails(u8);
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                Err(match self.0 {
                    1 | 2 => io::Error::from(io::ErrorKind::Interrupted),
                    _ => io::Error::new(io::ErrorKind::UnexpectedEof, "torn"),
                })
            }
        }
        for kind in ALL {
            let bytes = compressed(kind, &lines(10));
            let half = Cursor::new(bytes[..bytes.len() / 2].to_vec());
            let (_, mut reader) = decompressed(Box::new(half.chain(Fails(0)))).unwrap();
            assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap_err().to_string(), "torn", "{kind}");
        }
    }
}
