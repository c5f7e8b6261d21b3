//! The shell on a terminal: lines that can be edited, with a history.

use std::path::{Path, PathBuf};

use daybook::Error;
use rustyline::error::ReadlineError;
use rustyline::history::{FileHistory, History};
use rustyline::{CompletionType, Config, Editor};

use super::completion::Assistant;
use super::{Next, Session, history, statement};
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::interrupt;

/// How many statements are remembered.
const REMEMBERED: usize = 2_000;
/// Longer statements are not.
const REMEMBERED_BYTES: usize = 64 * 1024;

type Lines<'a> = Editor<Assistant<'a>, FileHistory>;

/// Reads and runs statements until Ctrl-D or `.quit`.
pub fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let store = session.store;
    let printer = session.context.printer;
    let file = history::file().unwrap_or_else(|error| {
        printer.warn(&format!("there is no history: {error}"));
        None
    });
    let mut lines = editor(Assistant::new(store), file.as_deref()).map_err(not_readable)?;
    // After the editor, which takes Ctrl-C for itself when it is made; what listens here hands it on.
    interrupt::install()?;
    printer.note("SQL ends with `;`. `.help` says more, Tab completes, Ctrl-D leaves.");
    loop {
        match lines.readline("daybook> ") {
            Ok(text) => {
                remember(&mut lines, file.as_ref(), &text);
                if run_all(session, &text)? == Next::Leave {
                    return Ok(());
                }
            }
            // The line is gone; the next one is empty.
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => {}
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(not_readable(error)),
        }
    }
}

/// Runs every statement of what was typed; a failure ends only these.
fn run_all(session: &mut Session<'_>, text: &str) -> Result<Next, Failure> {
    let mut rest = text.to_string();
    while let Some((first, after)) = statement::first(&rest, true) {
        rest = after;
        interrupt::forget();
        let outcome = session.run_statement(&first);
        let was_interrupted = interrupt::forget();
        match outcome {
            Ok(Next::Leave) => return Ok(Next::Leave),
            Ok(Next::Go) => {}
            // Nobody sees what would come.
            Err(Failure::Closed) => return Err(Failure::Closed),
            Err(failure) if was_interrupted && failure.exit() != Exit::Defect => {
                session.context.printer.note("interrupted");
                break;
            }
            Err(failure) => {
                session.context.printer.failure(&failure);
                break;
            }
        }
    }
    Ok(Next::Go)
}

fn editor<'a>(assistant: Assistant<'a>, file: Option<&Path>) -> rustyline::Result<Lines<'a>> {
    let config = Config::builder()
        .max_history_size(REMEMBERED)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .build();
    let mut lines = Editor::with_config(config)?;
    lines.set_helper(Some(assistant));
    if let Some(file) = file {
        // Without what was asked before, one can still ask.
        let _ = lines.load_history(file);
    }
    Ok(lines)
}

/// Keeps a statement for later sessions; each is written at once, so that several shells share a history.
fn remember(lines: &mut Lines<'_>, file: Option<&PathBuf>, text: &str) {
    let text = text.trim_end();
    if text.is_empty() || text.len() > REMEMBERED_BYTES || text.contains(unsafe_letter) {
        return;
    }
    let is_new = lines.history_mut().add(text).unwrap_or(false);
    if let (true, Some(file)) = (is_new, file) {
        // A full disk is no reason to stop asking.
        let _ = lines.append_history(file);
    }
}

/// What a terminal would act on when the statement is shown again.
fn unsafe_letter(letter: char) -> bool {
    letter != '\n' && letter != '\t' && escape::is_unsafe(letter)
}

fn not_readable(error: ReadlineError) -> Failure {
    let error = match error {
        ReadlineError::Io(error) => error,
        other => std::io::Error::other(other.to_string()),
    };
    Error::io("read from", "the terminal", error).into()
}
