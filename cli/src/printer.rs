//! What the program says: data on standard output, all else on standard error.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use daybook::output::json::SafeFormatter;
use serde::Serialize;
use serde_json::json;

use crate::escape::{self, TerminalWriter};
use crate::failure::Failure;

/// How a command was asked to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
    pub verbose: u8,
}

/// What is known of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// Someone looks at it.
    pub terminal: bool,
    /// It may be styled.
    pub color: bool,
}

type Sink = Mutex<Box<dyn Write + Send>>;

/// Both streams of the program. Everything it prints goes through here.
pub struct Printer {
    output: Output,
    stdout: Stream,
    stderr: Stream,
    out: Sink,
    err: Sink,
}

impl Printer {
    /// The printer of this process.
    pub fn standard(output: Output) -> Printer {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let plain = dumb || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let stream = |terminal: bool| Stream { terminal, color: terminal && !plain };
        Printer {
            output,
            stdout: stream(io::stdout().is_terminal()),
            stderr: stream(io::stderr().is_terminal()),
            out: Mutex::new(Box::new(io::stdout())),
            err: Mutex::new(Box::new(io::stderr())),
        }
    }

    /// Whether programs read the output.
    pub fn json(&self) -> bool {
        self.output.json
    }

    /// What is known of standard output.
    pub fn stdout(&self) -> Stream {
        self.stdout
    }

    /// Whether long work shows its progress.
    pub fn shows_progress(&self) -> bool {
        self.stderr.terminal && !self.output.quiet
    }

    /// The columns of the terminal that shows standard output, if one does.
    pub fn width(&self) -> Option<usize> {
        if !self.stdout.terminal {
            return None;
        }
        terminal_size::terminal_size_of(io::stdout()).map_or(Some(80), |(width, _)| Some(width.0.into()))
    }

    /// Standard output for data as it is; on a terminal, characters that it could act on are escaped.
    pub fn data(&self) -> Data<'_> {
        let sink = lock(&self.out);
        let stream = if self.stdout.terminal {
            Guarded::Terminal(TerminalWriter::new(SinkWriter(sink)))
        } else {
            Guarded::Plain(SinkWriter(sink))
        };
        Data { writer: BufWriter::with_capacity(64 * 1024, stream) }
    }

    /// Standard output for text that is escaped and may be styled.
    pub fn styled(&self) -> Data<'_> {
        let stream = Guarded::Plain(SinkWriter(lock(&self.out)));
        Data { writer: BufWriter::with_capacity(64 * 1024, stream) }
    }

    /// One JSON value on standard output: one line, or indented where someone looks at it.
    pub fn object(&self, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = Vec::new();
        let written = if self.stdout.terminal {
            let mut pretty = serde_json::Serializer::pretty(&mut text);
            value.serialize(&mut pretty)
        } else {
            let mut compact = serde_json::Serializer::with_formatter(&mut text, SafeFormatter);
            value.serialize(&mut compact)
        };
        written.map_err(|error| {
            daybook::Error::new(daybook::ErrorKind::Internal, "cannot write the answer as JSON")
                .with_source(error)
        })?;
        let mut data = self.data();
        data.write(&text)?;
        data.write(b"\n")?;
        data.finish()
    }

    /// What a command answers to a person, on standard output; nothing when quiet.
    pub fn receipt(&self, text: &str) -> Result<(), Failure> {
        if self.output.quiet {
            return Ok(());
        }
        let mut data = self.styled();
        data.write(text.as_bytes())?;
        data.write(b"\n")?;
        data.finish()
    }

    /// A remark on standard error; nothing when quiet.
    pub fn note(&self, text: &str) {
        if !self.output.quiet {
            self.say(&self.dim(&escape::visible_lines(text)));
        }
    }

    /// Something to look after, on standard error; nothing when quiet.
    pub fn warn(&self, text: &str) {
        if !self.output.quiet {
            self.say(&format!("{} {}", self.paint("33;1", "warning:"), escape::visible_lines(text)));
        }
    }

    /// A remark on standard error when asked for more.
    pub fn detail(&self, text: &str) {
        if self.output.verbose > 0 {
            self.note(text);
        }
    }

    /// What went wrong, on standard error: `error:` and `hint:` lines, or one JSON object.
    pub fn failure(&self, failure: &Failure) {
        if matches!(failure, Failure::Closed) {
            return;
        }
        if self.output.json {
            let mut error = json!({"kind": failure.kind(), "message": failure.message()});
            if let (Some(hint), Some(error)) = (failure.hint_text(), error.as_object_mut()) {
                error.insert("hint".to_string(), hint.into());
            }
            let mut text = Vec::new();
            let mut serializer = serde_json::Serializer::with_formatter(&mut text, SafeFormatter);
            if json!({ "error": error }).serialize(&mut serializer).is_ok() {
                self.say(&String::from_utf8_lossy(&text));
            }
            return;
        }
        self.say(&format!("{} {}", self.paint("31;1", "error:"), escape::visible_lines(&failure.message())));
        if let Some(hint) = failure.hint_text() {
            self.say(&format!("{} {}", self.paint("36;1", "hint:"), escape::visible_lines(hint)));
        }
    }

    fn say(&self, line: &str) {
        let mut err = lock(&self.err);
        // When standard error is gone too, there is nobody left to tell.
        let _ = err.write_all(format!("{line}\n").as_bytes()).and_then(|()| err.flush());
    }

    fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(&self, style: &str, text: &str) -> String {
        paint(self.stderr.color, style, text)
    }
}

/// The text in a style of ANSI's, if `color` says so.
pub fn paint(color: bool, style: &str, text: &str) -> String {
    if color { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_string() }
}

/// Standard output, buffered. What is not [finished](Data::finish) may be lost.
pub struct Data<'a> {
    writer: BufWriter<Guarded<'a>>,
}

impl Data<'_> {
    /// Writes bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.writer.write_all(bytes).map_err(Failure::output)
    }

    /// Hands everything on.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(Failure::output)
    }

    /// Hands everything on, for the last time.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.flush()
    }

    /// The stream, for code that writes for itself.
    pub fn stream(&mut self) -> &mut dyn Write {
        &mut self.writer
    }
}

enum Guarded<'a> {
    Plain(SinkWriter<'a>),
    Terminal(TerminalWriter<SinkWriter<'a>>),
}

impl Write for Guarded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Guarded::Plain(writer) => writer.write(bytes),
            Guarded::Terminal(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Guarded::Plain(writer) => writer.flush(),
            Guarded::Terminal(writer) => writer.flush(),
        }
    }
}

struct SinkWriter<'a>(MutexGuard<'a, Box<dyn Write + Send>>);

impl Write for SinkWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn lock(sink: &Sink) -> MutexGuard<'_, Box<dyn Write + Send>> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub mod testing {
    use std::sync::Arc;

    use super::*;

    /// What a printer under test has printed.
    #[derive(Clone, Default)]
    pub struct Printed(Arc<Mutex<Vec<u8>>>);

    impl Printed {
        pub fn text(&self) -> String {
            let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }

    impl Write for Printed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A printer into memory: its standard output, its standard error.
    pub fn printer(output: Output, stream: Stream) -> (Printer, Printed, Printed) {
        let (out, err) = (Printed::default(), Printed::default());
        let printer = Printer {
            output,
            stdout: stream,
            stderr: stream,
            out: Mutex::new(Box::new(out.clone())),
            err: Mutex::new(Box::new(err.clone())),
        };
        (printer, out, err)
    }
}

#[cfg(test)]
mod tests {
    use daybook::{Error, ErrorKind};

    use super::testing::printer;
    use super::*;

    const PLAIN: Output = Output { json: false, quiet: false, verbose: 0 };
    const FILE: Stream = Stream { terminal: false, color: false };
    const TERMINAL: Stream = Stream { terminal: true, color: true };

    #[test]
    fn notes_follow_quiet_and_verbose() {
        let say = |output| {
            let (printer, out, err) = printer(output, FILE);
            printer.note("a note");
            printer.detail("a detail");
            printer.warn("a warning");
            assert!(printer.receipt("a receipt").is_ok());
            (out.text(), err.text())
        };
        assert_eq!(say(PLAIN), ("a receipt\n".to_string(), "a note\nwarning: a warning\n".to_string()));
        assert_eq!(say(Output { quiet: true, ..PLAIN }), (String::new(), String::new()));
        assert!(say(Output { verbose: 1, ..PLAIN }).1.contains("a detail"));
    }

    #[test]
    fn an_error_is_lines_for_people_and_an_object_for_programs() {
        let error =
            || Failure::from(Error::new(ErrorKind::NotFound, "no store at `a\u{1b}b`").with_hint("make one"));
        let (people, _, err) = printer(Output { quiet: true, ..PLAIN }, FILE);
        people.failure(&error());
        assert_eq!(err.text(), "error: no store at `a\\u001bb`\nhint: make one\n");
        let (programs, out, err) = printer(Output { json: true, ..PLAIN }, FILE);
        programs.failure(&error());
        programs.failure(&Failure::Closed);
        assert_eq!(
            err.text(),
            "{\"error\":{\"hint\":\"make one\",\"kind\":\"not_found\",\"message\":\"no store at `a\\u001bb`\"}}\n"
        );
        assert_eq!(out.text(), "");
    }

    #[test]
    fn colors_are_for_terminals() {
        let (colored, _, err) = printer(PLAIN, TERMINAL);
        colored.failure(&Failure::usage("x"));
        assert_eq!(err.text(), "\u{1b}[31;1merror:\u{1b}[0m x\n");
        let (plain, _, err) = printer(PLAIN, Stream { terminal: true, color: false });
        plain.failure(&Failure::usage("x"));
        assert_eq!(err.text(), "error: x\n");
    }

    #[test]
    fn data_is_escaped_on_a_terminal_only() {
        let write = |stream| {
            let (printer, out, _) = printer(PLAIN, stream);
            let mut data = printer.data();
            assert!(data.write("a\u{9b}b\n".as_bytes()).is_ok());
            assert!(data.finish().is_ok());
            out.text()
        };
        assert_eq!(write(FILE), "a\u{9b}b\n");
        assert_eq!(write(TERMINAL), "a\\u009bb\n");
    }

    #[test]
    fn objects_are_one_line_for_programs() {
        let (printer, out, _) = printer(PLAIN, FILE);
        assert!(printer.object(&json!({"a": [1, "\u{9b}"]})).is_ok());
        assert_eq!(out.text(), "{\"a\":[1,\"\\u009b\"]}\n");
    }
}
