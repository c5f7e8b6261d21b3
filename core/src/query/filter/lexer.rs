//! The smallest parts of the grammar: names, quoted text, regexes, bare text with wildcards.

use super::Op;
use super::error::{FilterError, quoted};
use super::field::Field;
use super::regex;
use super::value::{Match, Units, Value};

/// A place in the text of a filter.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// Where bare text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// As a word of the message.
    Word,
    /// As a value, also at a comma.
    Value,
    /// As a value before a colon.
    ValueBeforeColon,
    /// As a flag's value: only at a comma.
    Comma,
    /// Nowhere before the end.
    Never,
}

impl Ends {
    fn at(self, char: char) -> bool {
        let ends_word = || char.is_whitespace() || matches!(char, '(' | ')' | '"');
        match self {
            Ends::Word => ends_word(),
            Ends::Value => char == ',' || ends_word(),
            Ends::ValueBeforeColon => char == ':' || char == ',' || ends_word(),
            Ends::Comma => char == ',',
            Ends::Never => false,
        }
    }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at = self.at.saturating_add(char.len_utf8());
        Some(char)
    }

    pub(super) fn take(&mut self, prefix: &str) -> bool {
        let is_there = self.rest().starts_with(prefix);
        if is_there {
            self.at = self.at.saturating_add(prefix.len());
        }
        is_there
    }

    pub(super) fn skip_blank(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    /// Whether a term can end here.
    pub(super) fn is_at_boundary(&self) -> bool {
        self.peek().is_none_or(|char| char.is_whitespace() || char == ')')
    }

    /// Takes a keyword, in any case, that ends here.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let is_there = self.is_keyword(word);
        if is_there {
            self.at = self.at.saturating_add(word.len());
        }
        is_there
    }

    pub(super) fn is_keyword(&self, word: &str) -> bool {
        let Some((first, after)) = self.rest().split_at_checked(word.len()) else { return false };
        let ends = |char: char| char.is_whitespace() || matches!(char, '(' | ')');
        first.eq_ignore_ascii_case(word) && after.chars().next().is_none_or(ends)
    }

    /// The operator here, `:` and `=` last.
    pub(super) fn operator(&self) -> Option<Op> {
        Op::ALL.into_iter().find(|op| self.rest().starts_with(op.sign()))
    }

    /// Text in quotes, of which the first is here; `\"` and `\\` are a quote and a backslash.
    pub(super) fn quoted(&mut self) -> Result<String, FilterError> {
        let begins = self.at;
        self.next();
        let mut text = String::new();
        while let Some(char) = self.next() {
            match char {
                '"' => return Ok(text),
                '\\' if matches!(self.peek(), Some('"' | '\\')) => text.extend(self.next()),
                _ => text.push(char),
            }
        }
        let mut error =
            FilterError::new(Some(begins), "the quoted text has no end").expected("a closing `\"`");
        if text.ends_with('"') {
            error = error.suggest("`\\\"` is a quote in the text; write `\\\\` for a backslash at its end");
        }
        Err(error)
    }

    /// A regex between slashes, of which the first is here; `\/` is a slash.
    pub(super) fn regex(&mut self) -> Result<Value, FilterError> {
        let begins = self.at;
        let whole = self.rest();
        let slashes = || format!("for a text that begins with `/`, write {}", in_quotes(word_of(whole)));
        self.next();
        let inside = self.at;
        let mut is_closed = false;
        while let Some(char) = self.next() {
            match char {
                '\\' => {
                    self.next();
                }
                '/' => {
                    is_closed = true;
                    break;
                }
                _ => {}
            }
        }
        if !is_closed {
            let error = FilterError::new(Some(begins), "the regex has no end").expected("a closing `/`");
            return Err(error.suggest(slashes()));
        }
        let written = self.text.get(inside..self.at.saturating_sub(1)).unwrap_or_default();
        if !(self.is_at_boundary() || self.peek() == Some(',')) {
            let flags = self.rest().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
            let suggestion = match flags {
                "i" => format!("for any case, write `/(?i){written}/`"),
                _ => slashes(),
            };
            let error = FilterError::new(Some(self.at), "the regex ends at the `/` before this");
            return Err(error.expected("a space").suggest(suggestion));
        }
        if let Some(fault) = regex::fault(written) {
            return Err(fault.into_error(Some(inside)));
        }
        Ok(Value::regex(written)?.at(begins))
    }

    /// Text without quotes. `*` and `?` are wildcards; punctuation and blanks are themselves after a `\`.
    pub(super) fn bare(&mut self, ends: Ends) -> Match {
        let mut units = Units::default();
        while let Some(char) = self.peek() {
            if ends.at(char) {
                break;
            }
            self.next();
            match char {
                '*' => units.many(),
                '?' => units.one(),
                '\\' => match self.peek() {
                    Some(next) if next.is_ascii_punctuation() || next.is_whitespace() => {
                        units.char(next);
                        self.next();
                    }
                    _ => units.char(char),
                },
                _ => units.char(char),
            }
        }
        units.finish()
    }

    /// The name of a field that an operator or the end follows; nothing where a word begins.
    pub(super) fn name(&mut self) -> Result<Option<Field>, FilterError> {
        let begins = self.at;
        let mut keys = Vec::new();
        let mut is_quoted;
        let mut lacks_key = false;
        loop {
            is_quoted = self.peek() == Some('"');
            if is_quoted {
                keys.push(self.quoted()?);
            } else {
                let key = self.key();
                if key.contains('\\') {
                    self.at = begins;
                    return Ok(None);
                }
                lacks_key |= key.is_empty();
                keys.push(key.to_string());
            }
            if !self.take(".") {
                break;
            }
        }
        let written = self.text.get(begins..self.at).unwrap_or_default();
        if self.operator().is_none() && !self.is_at_end() || written.is_empty() && self.is_at_end() {
            self.at = begins;
            return Ok(None);
        }
        let is_bare = !written.contains('"');
        let field = Field::new(keys, is_quoted);
        match name_fault(written, is_bare, lacks_key) {
            None => Ok(Some(field.at(begins))),
            Some(_) if self.is_at_end() => {
                self.at = begins;
                Ok(None)
            }
            Some(error) => Err(FilterError { at: Some(begins), ..error }),
        }
    }

    /// The characters of a key without quotes.
    fn key(&mut self) -> &'a str {
        let rest = self.rest();
        let stops = |(at, char): &(usize, char)| {
            char.is_whitespace()
                || matches!(char, '.' | '(' | ')' | '"' | ':' | '=' | '<' | '>')
                || (*char == '!'
                    && rest.get(at.saturating_add(1)..).is_some_and(|next| next.starts_with('=')))
        };
        let length = rest.char_indices().find(stops).map_or(rest.len(), |(at, _)| at);
        self.at = self.at.saturating_add(length);
        rest.get(..length).unwrap_or_default()
    }
}

/// What is wrong with a name, as it is written and read.
fn name_fault(written: &str, is_bare: bool, lacks_key: bool) -> Option<FilterError> {
    let error = |message: String| FilterError::new(None, message);
    if written.is_empty() {
        let error = error("there is no name before the operator".to_string());
        return Some(
            error
                .expected("a field, such as `kind:x`")
                .suggest("put text with `:`, `=`, `<` or `>` in quotes"),
        );
    }
    if is_bare && written.contains(['*', '?']) {
        let error = error(format!("the name {} has a wildcard; only values can", quoted(written)));
        return Some(error.suggest("put it in quotes if the text is meant"));
    }
    if is_bare && written.starts_with('!') {
        let name = written.trim_start_matches('!');
        return Some(error("`!` is no negation".to_string()).suggest(format!("write `-{name}:...`")));
    }
    let bad_bare = is_bare && written.contains([',', '!']) || written.starts_with(['-', '/']);
    if bad_bare || lacks_key {
        let error = error(format!("{} is no name of a field", quoted(written)));
        return Some(error.expected("a name such as `kind`, `http.status` or `\"a.b\"`"));
    }
    None
}

/// The text up to the first blank.
fn word_of(text: &str) -> &str {
    text.split(|char: char| char.is_whitespace() || char == ')').next().unwrap_or_default()
}

/// A text in the grammar's quotes.
pub(super) fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
