//! A terminal that acts on nothing of what stored data holds.

use std::io::{self, Write};

use daybook::output::escape::escape;
pub use daybook::output::escape::{is_unsafe, visible, visible_lines};

/// Passes UTF-8 text on to a terminal, line by line, with unsafe characters in JSON's spelling; line breaks
/// and tabs pass.
pub struct TerminalWriter<W: Write> {
    inner: W,
    line: Vec<u8>,
}

impl<W: Write> TerminalWriter<W> {
    /// A writer in front of a terminal.
    pub fn new(inner: W) -> Self {
        TerminalWriter { inner, line: Vec::new() }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let safe = escape(&text, |c| matches!(c, '\n' | '\t'));
        let safe =
            safe.strip_suffix("\\r\n").map_or_else(|| safe.clone(), |start| format!("{start}\r\n").into());
        self.inner.write_all(safe.as_bytes())
    }
}

impl<W: Write> Write for TerminalWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.pass_on()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.line.is_empty() {
            self.pass_on()?;
        }
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_writer_keeps_lines_and_characters_that_arrive_in_pieces() {
        let mut written = Vec::new();
        let mut writer = TerminalWriter::new(&mut written);
        for byte in "é\u{9b}31m\t1\r\n\u{1b}]0;x\u{7}".bytes() {
            assert!(writer.write(&[byte]).is_ok());
        }
        assert!(writer.flush().is_ok());
        assert_eq!(String::from_utf8_lossy(&written), "é\\u009b31m\t1\r\n\\u001b]0;x\\u0007");
    }
}
