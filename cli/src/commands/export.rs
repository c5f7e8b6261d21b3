//! `daybook export`: writes the events to a file or to standard output.

pub mod partial;

use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use daybook::{At, Error, ExportRequest, Store};
use serde::Serialize;

use crate::args::{Export, ExportTarget};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::interrupt;
use crate::progress::ProgressLine;
use partial::PartialFile;

/// Exports, and says how much.
pub fn run(context: &Context<'_>, export: &Export) -> Result<(), Failure> {
    let store = context.open()?;
    let request = ExportRequest { original: export.original, at: At::Latest };
    match &export.target {
        ExportTarget::Stdout => to_stdout(context, &store, &request)?,
        ExportTarget::File(file) => to_file(context, &store, &request, file)?,
    }
    store.close()?;
    Ok(())
}

fn to_stdout(context: &Context<'_>, store: &Store, request: &ExportRequest) -> Result<(), Failure> {
    let mut data = context.printer.data();
    let mut watched = Watched { inner: data.stream(), bytes: 0, failure: None };
    // No progress: the terminal may show the events themselves.
    let exported = store.export(request, &mut watched, &daybook::NoProgress);
    if let Some(failure) = watched.failure {
        return Err(Failure::output(failure));
    }
    let events = exported?;
    data.finish()?;
    context.printer.detail(&format!("{} exported", human::counted(events, "event", "events")));
    Ok(())
}

/// The JSON form.
#[derive(Serialize)]
struct Receipt<'a> {
    file: &'a Path,
    events: u64,
    bytes: u64,
    seconds: f64,
}

fn to_file(
    context: &Context<'_>,
    store: &Store,
    request: &ExportRequest,
    file: &Path,
) -> Result<(), Failure> {
    let started = Instant::now();
    let mut partial = PartialFile::create(file)?;
    let progress = ProgressLine::new(context.printer, "exporting");
    let mut watched = Watched { inner: partial.writer(), bytes: 0, failure: None };
    let exported = store.export(request, &mut watched, &progress);
    let (bytes, failure) = (watched.bytes, watched.failure);
    drop(progress);
    if let Some(failure) = failure {
        return Err(Error::io("write", file.display(), failure).into());
    }
    let events = exported?;
    interrupt::check()?;
    partial.finish()?;
    let receipt = Receipt { file, events, bytes, seconds: started.elapsed().as_secs_f64() };
    if context.printer.json() {
        return context.printer.object(&receipt);
    }
    context.printer.receipt(&format!(
        "{} in {} ({}), in {}",
        human::counted(events, "event", "events"),
        escape::visible(&file.display().to_string()),
        human::bytes(bytes),
        human::seconds(receipt.seconds),
    ))
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
