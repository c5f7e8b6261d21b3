//! A first look at regexes: what is plainly wrong is said with its place. DuckDB has the last word.

use super::error::FilterError;

/// What is wrong with a regex, and at which of its bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    message: &'static str,
    suggestion: Option<&'static str>,
}

impl Fault {
    /// The error of a regex whose text begins at this byte of the filter.
    pub(super) fn into_error(self, begins: Option<usize>) -> FilterError {
        let at = begins.map(|begins| begins.saturating_add(self.at));
        let error = FilterError::new(at, format!("invalid regex: {}", self.message));
        match self.suggestion {
            Some(suggestion) => error.suggest(suggestion),
            None => error,
        }
    }
}

const NO_LOOKING_AROUND: &str = "combine terms instead: `/this/ -/that/`";

/// The first thing that is wrong, if any.
pub(super) fn fault(regex: &str) -> Option<Fault> {
    let fault = |at, message, suggestion| Some(Fault { at, message, suggestion });
    if regex.is_empty() {
        return fault(0, "it is empty", None);
    }
    let mut open: Vec<usize> = Vec::new();
    let mut repeatable = false;
    let mut chars = regex.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let rest = regex.get(at..).unwrap_or_default();
        let repeated = std::mem::replace(&mut repeatable, true);
        match char {
            '\\' => match chars.next() {
                None => return fault(at, "it ends with `\\`", Some("write `\\\\` for a backslash")),
                Some((_, '1'..='9')) => return fault(at, "references to groups are not supported", None),
                Some(_) => {}
            },
            '[' => match class_end(rest) {
                None => return fault(at, "this `[` is not closed", Some("write `\\[` for a bracket")),
                Some(end) => while chars.next_if(|(next, _)| *next < at.saturating_add(end)).is_some() {},
            },
            '(' => {
                if ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|look| rest.starts_with(look)) {
                    return fault(at, "looking ahead or behind is not supported", Some(NO_LOOKING_AROUND));
                }
                chars.next_if(|(_, next)| *next == '?');
                open.push(at);
                repeatable = rest.starts_with("(?");
            }
            ')' if open.pop().is_none() => {
                return fault(at, "no `(` for this `)`", Some("write `\\)` for a parenthesis"));
            }
            '|' => repeatable = false,
            '*' | '+' | '?' if !repeated => {
                let suggestion = Some("write `.*` for any text, or `\\*` for a star");
                return fault(at, "there is nothing to repeat before this", suggestion);
            }
            _ => {}
        }
    }
    open.pop().and_then(|at| fault(at, "this `(` is not closed", Some("write `\\(` for a parenthesis")))
}

/// How many bytes a class such as `[^]a-z]` or `[[:alpha:]]` has.
fn class_end(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1).peekable();
    chars.next_if(|(_, char)| *char == '^');
    chars.next_if(|(_, char)| *char == ']');
    while let Some((at, char)) = chars.next() {
        match char {
            ']' => return Some(at.saturating_add(1)),
            '\\' => {
                chars.next()?;
            }
            '[' if chars.next_if(|(_, next)| *next == ':').is_some() => {
                let named = text.get(at..)?.find(":]")?.saturating_add(at).saturating_add(2);
                while chars.next_if(|(next, _)| *next < named).is_some() {}
            }
            _ => {}
        }
    }
    None
}
