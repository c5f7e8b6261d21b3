//! Why a command did not succeed, and the exit code that says so.

use std::io;
use std::process::ExitCode;

use daybook::{Error, ErrorKind};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// A failure that the user can mend, a refused or timed-out query, a check that found something.
    Failed,
    /// Wrong usage, SQL or filter syntax.
    Usage,
    /// A defect in Daybook.
    Defect,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Defect => 70,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Why a command did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// The library, a file or a stream failed.
    Error(Error),
    /// The arguments do not fit together.
    Usage { message: String, hint: Option<String> },
    /// Whoever read standard output has gone: there is nothing left to do, and nothing is wrong.
    Closed,
}

impl Failure {
    /// Arguments that do not fit together.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::Usage { message: message.into(), hint: None }
    }

    /// The same with a line that says what to do.
    #[must_use]
    pub fn hint(self, text: impl Into<String>) -> Failure {
        match self {
            Failure::Error(error) => Failure::Error(error.with_hint(text)),
            Failure::Usage { message, .. } => Failure::Usage { message, hint: Some(text.into()) },
            Failure::Closed => Failure::Closed,
        }
    }

    /// A failure to write to standard output.
    pub fn output(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Failure::Error(Error::io("write to", "standard output", error)),
        }
    }

    /// What it means when Ctrl-C came first.
    #[must_use]
    pub fn after_interrupt(self) -> Failure {
        match self {
            Failure::Error(error) if error.kind() != ErrorKind::Internal => Failure::interrupted(),
            other => other,
        }
    }

    /// Ctrl-C.
    pub fn interrupted() -> Failure {
        Failure::Error(Error::new(ErrorKind::Interrupted, "interrupted"))
    }

    /// Several statements of which some failed; each failure has been told.
    pub fn some_statements() -> Failure {
        Failure::Error(Error::new(ErrorKind::Invalid, "some statements failed"))
    }

    /// The exit code that tells it.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::Closed => Exit::Done,
            Failure::Usage { .. } => Exit::Usage,
            Failure::Error(error) => match error.kind() {
                ErrorKind::Syntax => Exit::Usage,
                ErrorKind::Interrupted => Exit::Interrupted,
                ErrorKind::Internal => Exit::Defect,
                _ => Exit::Failed,
            },
        }
    }

    /// A word for programs: the `kind` of the JSON form.
    pub fn kind(&self) -> &'static str {
        match self {
            Failure::Closed => "closed",
            Failure::Usage { .. } => "usage",
            Failure::Error(error) => error.kind().name(),
        }
    }

    /// What happened and where.
    pub fn message(&self) -> String {
        match self {
            Failure::Closed => String::new(),
            Failure::Usage { message, .. } => message.clone(),
            Failure::Error(error) => error.to_string(),
        }
    }

    /// What to do about it.
    pub fn hint_text(&self) -> Option<&str> {
        match self {
            Failure::Closed => None,
            Failure::Usage { hint, .. } => hint.as_deref(),
            Failure::Error(error) if error.kind() == ErrorKind::Internal => {
                Some(error.hint().unwrap_or("this is a defect in Daybook: please report it"))
            }
            Failure::Error(error) => error.hint(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_exit_code() {
        let code = |kind| Failure::from(Error::new(kind, "x")).exit().code();
        assert_eq!(code(ErrorKind::NotFound), 1);
        assert_eq!(code(ErrorKind::Refused), 1);
        assert_eq!(code(ErrorKind::Limit), 1);
        assert_eq!(code(ErrorKind::Syntax), 2);
        assert_eq!(code(ErrorKind::Internal), 70);
        assert_eq!(code(ErrorKind::Interrupted), 130);
        assert_eq!(Failure::usage("x").exit().code(), 2);
    }

    #[test]
    fn a_broken_pipe_is_success_and_a_full_disk_is_not() {
        assert_eq!(Failure::output(io::ErrorKind::BrokenPipe.into()).exit(), Exit::Done);
        assert_eq!(Failure::output(io::ErrorKind::StorageFull.into()).kind(), "full");
    }

    #[test]
    fn after_an_interrupt_every_failure_but_a_defect_is_the_interrupt() {
        let code = |kind| Failure::from(Error::new(kind, "x")).after_interrupt().exit().code();
        assert_eq!(code(ErrorKind::Io), 130);
        assert_eq!(code(ErrorKind::Internal), 70);
    }
}
