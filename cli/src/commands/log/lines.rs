//! Lines of a stream, in groups of those that have already arrived.

use std::io::{self, BufRead, BufReader, Read};

/// A group does not grow beyond this much text, unless one line does.
const GROUP_BYTES_MAX: usize = 1 << 20;

/// Waits for a line, then takes those behind it that have arrived whole: it never waits for a second one.
/// Line ends are not part of a line, and blank lines are none. Of a line of more than `line_bytes_max`, so many and
/// one byte more are kept: whoever gets it sees that it is too long. `None` at the end of the stream.
pub fn read_group(
    reader: &mut BufReader<impl Read>,
    line_bytes_max: usize,
) -> io::Result<Option<Vec<Vec<u8>>>> {
    let mut group = Vec::new();
    let mut bytes = 0;
    loop {
        let Some(line) = read_line(reader, line_bytes_max)? else {
            return Ok(if group.is_empty() { None } else { Some(group) });
        };
        bytes += line.len();
        if !line.trim_ascii().is_empty() {
            group.push(line);
        }
        if !group.is_empty() && (bytes >= GROUP_BYTES_MAX || !reader.buffer().contains(&b'\n')) {
            return Ok(Some(group));
        }
    }
}

/// One line without its end; `None` at the end of the stream.
fn read_line(reader: &mut BufReader<impl Read>, line_bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut line: Vec<u8> = Vec::new();
    let mut any = false;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(any.then_some(line));
        }
        any = true;
        let part = buffer.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let used = part.len();
        let content = part.strip_suffix(b"\n");
        let room = (line_bytes_max + 1).saturating_sub(line.len());
        let kept = content.unwrap_or(part);
        line.extend_from_slice(kept.get(..room).unwrap_or(kept));
        let ended = content.is_some();
        reader.consume(used);
        if ended {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// A stream that gives one piece a read, and fails the test when it is read too far.
    struct Pieces(VecDeque<&'static [u8]>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let mut piece = self.0.pop_front().ok_or_else(|| io::Error::other("read without need"))?;
            piece.read(buffer)
        }
    }

    fn group(reader: &mut BufReader<impl Read>) -> Option<Vec<String>> {
        let group = read_group(reader, 1 << 20).unwrap()?;
        Some(group.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect())
    }

    fn lines(texts: &[&str]) -> Option<Vec<String>> {
        Some(texts.iter().map(|text| (*text).to_string()).collect())
    }

    #[test]
    fn what_has_arrived_is_one_group_and_nothing_more_is_waited_for() {
        let pieces: [&[u8]; 5] = [b"a\nb\nc", b"c\n", b"\n  \r\n", b"d\r\n", b""];
        let mut reader = BufReader::new(Pieces(pieces.into()));
        assert_eq!(group(&mut reader), lines(&["a", "b"]));
        assert_eq!(group(&mut reader), lines(&["cc"]));
        assert_eq!(group(&mut reader), lines(&["d"]));
        assert_eq!(group(&mut reader), None);
    }

    #[test]
    fn the_last_line_needs_no_end() {
        let mut reader = BufReader::new(&b"a\nb"[..]);
        assert_eq!(group(&mut reader), lines(&["a"]));
        assert_eq!(group(&mut reader), lines(&["b"]));
        assert_eq!(group(&mut reader), None);
        assert_eq!(group(&mut BufReader::new(&b""[..])), None);
    }

    #[test]
    fn a_long_line_is_cut_to_one_byte_too_many() {
        let mut reader = BufReader::with_capacity(3, &b"12345678\n1234\n"[..]);
        let first = read_group(&mut reader, 4).unwrap();
        assert_eq!(first, Some(vec![b"12345".to_vec()]));
        let second = read_group(&mut reader, 4).unwrap();
        assert_eq!(second, Some(vec![b"1234".to_vec()]));
    }
}
