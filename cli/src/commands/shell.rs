//! `daybook shell`: asks with SQL, one question after the other.

mod completion;
mod dot;
mod history;
mod statement;
mod terminal;

use std::io::{BufRead, BufReader, IsTerminal};
use std::time::Instant;

use daybook::query::analyses::Search;
use daybook::{Error, QueryRequest, Store};

use super::asking::reading;
use super::search;
use super::sql::{self, Show};
use crate::args::{FilterInput, Format, Shell, Target};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::table::selects_all;
use crate::{human, interrupt, memory};

/// Questions to one store, and how they are answered.
struct Session<'a> {
    context: &'a Context<'a>,
    store: &'a Store,
    request: Shell,
    timer: bool,
}

/// What happens after a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Go,
    Leave,
}

/// Asks until the end of input.
pub fn run(context: &Context<'_>, request: &Shell) -> Result<(), Failure> {
    let store = context.open()?;
    let mut session = Session { context, store: &store, request: request.clone(), timer: false };
    memory::bound(&session.query_request("").limits);
    let done = if std::io::stdin().is_terminal() && context.printer.stdout().terminal {
        terminal::run(&mut session)
    } else {
        session.run_input()
    };
    store.close()?;
    done
}

impl Session<'_> {
    /// Runs the statements of standard input.
    fn run_input(&mut self) -> Result<(), Failure> {
        interrupt::install()?;
        let mut input = BufReader::new(interrupt::reader(std::io::stdin())?);
        let mut waiting = String::new();
        let mut has_failed = false;
        loop {
            let mut line = String::new();
            let read = input
                .read_line(&mut line)
                .map_err(|error| Error::io("read statements from", "standard input", error))?;
            interrupt::check()?;
            waiting.push_str(&line);
            while let Some((first, rest)) = statement::first(&waiting, read == 0) {
                waiting = rest;
                match self.run_statement(&first) {
                    Ok(Next::Go) => {}
                    Ok(Next::Leave) => return Ok(()),
                    Err(failure) if !self.goes_on_after(&failure) => return Err(failure),
                    Err(failure) => {
                        self.context.printer.failure(&failure);
                        has_failed = true;
                    }
                }
            }
            if read == 0 {
                break;
            }
        }
        if has_failed { Err(Failure::some_statements()) } else { Ok(()) }
    }

    fn goes_on_after(&self, failure: &Failure) -> bool {
        self.request.keep_going
            && !interrupt::happened()
            && !matches!(failure.exit(), Exit::Interrupted | Exit::Done)
    }

    /// Runs SQL, or a command that begins with a dot.
    fn run_statement(&mut self, text: &str) -> Result<Next, Failure> {
        match text.trim().strip_prefix('.') {
            Some(command) => dot::run(self, command),
            None => {
                self.ask(self.query_request(text))?;
                Ok(Next::Go)
            }
        }
    }

    /// Answers a query from the store as it is now.
    fn ask(&self, request: QueryRequest) -> Result<(), Failure> {
        let started = Instant::now();
        let rows = self.store.query(&request)?;
        let sparse = selects_all(&request.sql);
        let sent = sql::print(self.context.printer, &rows.schema(), rows, sparse, &self.show())?;
        self.tell_time(sent.rows, started);
        Ok(())
    }

    /// Prints the newest events that a filter matches.
    fn search(&self, words: &str, limit: u64) -> Result<(), Failure> {
        let started = Instant::now();
        let input = FilterInput::of_text(words, self.request.limits);
        let found = reading(self.context, &input, |filter, options| {
            let columns = if self.request.format == Format::Table { search::usual() } else { Vec::new() };
            Ok(self.store.search(&Search { filter, limit, columns }, options)?)
        })?;
        let rows = found.batches.iter().cloned().map(Ok);
        let sent = sql::print(self.context.printer, &found.schema, rows, true, &self.show())?;
        self.tell_time(sent.rows, started);
        Ok(())
    }

    fn show(&self) -> Show<'_> {
        let (format, zone) = (self.request.format, self.context.global.zone);
        Show { format, target: &Target::Stdout, raw_csv: false, zone }
    }

    fn tell_time(&self, rows: u64, started: Instant) {
        if self.timer {
            let rows = human::counted(rows, "row", "rows");
            let seconds = human::seconds(started.elapsed().as_secs_f64());
            self.context.printer.note(&format!("{rows} in {seconds}"));
        }
    }

    fn query_request(&self, text: &str) -> QueryRequest {
        let mut request = QueryRequest::new(text);
        self.request.limits.apply(&mut request.limits);
        request
    }

    fn set_format(&mut self, format: Format) {
        self.request.format = format;
    }
}
