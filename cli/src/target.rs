//! Where data goes: to standard output, or to a file that gets its name when it is complete.

use std::io::{self, Write};
use std::path::Path;

use daybook::Error;
use daybook::storage::PartialFile;

use crate::args::Target;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text that is escaped and may be styled.
    Styled,
    /// Text as it is.
    Text,
    /// What is of no use on a terminal.
    Binary,
}

/// How much was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub rows: u64,
    pub bytes: u64,
}

/// Has `write` write rows, and gives their number.
pub fn send(
    printer: &Printer,
    target: &Target,
    content: Content,
    write: impl FnOnce(&mut dyn Write) -> Result<u64, Error>,
) -> Result<Sent, Failure> {
    match target {
        Target::Stdout => to_stdout(printer, content, write),
        Target::File(file) => to_file(file, write),
    }
}

fn to_stdout(
    printer: &Printer,
    content: Content,
    write: impl FnOnce(&mut dyn Write) -> Result<u64, Error>,
) -> Result<Sent, Failure> {
    if content == Content::Binary && printer.stdout().terminal {
        let message = "this format is of no use on a terminal";
        return Err(Failure::usage(message).hint("name a file, or pipe it into a program"));
    }
    let mut data = if content == Content::Styled { printer.styled() } else { printer.data() };
    let mut watched = Watched { inner: data.stream(), bytes: 0, failure: None };
    let written = write(&mut watched);
    let bytes = watched.bytes;
    if let Some(failure) = watched.failure {
        return Err(Failure::output(failure));
    }
    let rows = match written {
        Ok(rows) => rows,
        Err(error) => {
            // What came before the failure is shown.
            data.flush()?;
            return Err(error.into());
        }
    };
    data.finish()?;
    Ok(Sent { rows, bytes })
}

fn to_file(file: &Path, write: impl FnOnce(&mut dyn Write) -> Result<u64, Error>) -> Result<Sent, Failure> {
    let mut partial = PartialFile::create(file)?;
    let mut watched = Watched { inner: partial.writer(), bytes: 0, failure: None };
    let written = write(&mut watched);
    let bytes = watched.bytes;
    if let Some(failure) = watched.failure {
        return Err(Error::io("write", file.display(), failure).into());
    }
    let rows = written?;
    interrupt::check()?;
    partial.finish()?;
    Ok(Sent { rows, bytes })
}

/// A writer that counts, remembers why it failed, and stops at Ctrl-C.
struct Watched<W> {
    inner: W,
    bytes: u64,
    failure: Option<io::Error>,
}

impl<W: Write> Watched<W> {
    fn remember<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failure = Some(error);
            }
            kind.into()
        })
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if interrupt::happened() {
            return Err(io::Error::other("interrupted"));
        }
        let result = self.inner.write(bytes);
        let count = self.remember(result)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.remember(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn why_the_stream_failed_is_remembered() {
        let mut watched = Watched { inner: Broken, bytes: 0, failure: None };
        assert!(watched.write_all(b"x").is_err());
        assert_eq!(watched.failure.map(|failure| failure.kind()), Some(io::ErrorKind::BrokenPipe));
    }

    #[test]
    fn bytes_are_counted() {
        let mut watched = Watched { inner: Vec::new(), bytes: 0, failure: None };
        assert!(watched.write_all(b"abc").and_then(|()| watched.flush()).is_ok());
        assert_eq!((watched.bytes, watched.inner.len()), (3, 3));
    }
}
