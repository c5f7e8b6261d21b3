//! One error type for the whole library; its kind says what the caller can do next.

use std::fmt;

/// What the caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no store, file or entry of that name: name another, or create it.
    NotFound,
    /// The request or its input is wrong: change it.
    Invalid,
    /// The text of a query or filter does not parse or bind: change the text.
    Syntax,
    /// A query asked for what it may not have: ask for something else.
    Refused,
    /// A time or memory limit was reached: raise the limit or ask for less.
    Limit,
    /// The caller interrupted the work.
    Interrupted,
    /// The operating system denies access: mend the permissions.
    Permission,
    /// The disk is full: make room, then try again.
    Full,
    /// Bytes on disk are not what was written: verify, then restore from a copy.
    Corrupt,
    /// The store needs a newer Daybook, or the place cannot hold one.
    Unsupported,
    /// Others won the race too often: try again.
    Busy,
    /// This handle takes no more work: open a new one.
    Closed,
    /// Input or output failed in another way: look at the cause, then try again.
    Io,
    /// A defect in Daybook: report it.
    Internal,
}

impl ErrorKind {
    /// Its name, which every binding uses.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::NotFound => "not_found",
            ErrorKind::Invalid => "invalid",
            ErrorKind::Syntax => "syntax",
            ErrorKind::Refused => "refused",
            ErrorKind::Limit => "limit",
            ErrorKind::Interrupted => "interrupted",
            ErrorKind::Permission => "permission",
            ErrorKind::Full => "full",
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Busy => "busy",
            ErrorKind::Closed => "closed",
            ErrorKind::Io => "io",
            ErrorKind::Internal => "internal",
        }
    }
}

/// An error: what happened and where, in a sentence, with an optional hint and a cause.
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync + 'static>>,
}

/// The result of everything in this library that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without a cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), hint: None, source: None }
    }

    /// The same error with a line that says what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// An input or output error at a place; its kind follows from the operating system's.
    pub fn io(action: &str, place: impl fmt::Display, source: std::io::Error) -> Self {
        let kind = match source.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => ErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                ErrorKind::Permission
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorKind::Full,
            _ => ErrorKind::Io,
        };
        let error = Error::new(kind, format!("cannot {action} `{place}`"));
        let error = match kind {
            ErrorKind::Full => error.with_hint("make room on the disk, then try again"),
            ErrorKind::Permission => error.with_hint("check who owns it and whether it may be written"),
            _ => error,
        };
        error.with_source(source)
    }

    /// What the caller can do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What happened and where, without the causes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, if there is something to say.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            // A cause of our own type has already written its own causes.
            if error.is::<Error>() {
                break;
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind)?;
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
