//! Completion of tables, columns, values and commands.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray};
use daybook::query::sql::identifier;
use daybook::{QueryRequest, Store};
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::dot;
use super::statement;
use crate::escape;

const WORDS: [&str; 42] = [
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "COUNT(*)",
    "DATE",
    "date_trunc",
    "day",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXPLAIN",
    "FROM",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "now()",
    "NULL",
    "OR",
    "ORDER",
    "recorded_at",
    "SELECT",
    "SHOW",
    "SUMMARIZE",
    "THEN",
    "TIMESTAMP",
    "UNION",
    "USING",
    "WHEN",
    "WHERE",
];
const TABLES: [&str; 4] = ["commits", "events", "quarantine", "templates"];

/// How long what was looked up is taken for true.
const FRESH: Duration = Duration::from_secs(60);
/// How long a key press waits for values.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many values of a column are offered, those that are there most often.
const VALUES: usize = 200;

/// Helps to write statements about a store.
pub struct Assistant<'a> {
    store: &'a Store,
    columns: RefCell<Option<(Instant, Vec<String>)>>,
    values: RefCell<HashMap<String, (Instant, Vec<String>)>>,
}

impl<'a> Assistant<'a> {
    /// Looks things up when they are first needed.
    pub fn new(store: &'a Store) -> Assistant<'a> {
        Assistant { store, columns: RefCell::default(), values: RefCell::default() }
    }

    fn columns(&self) -> Vec<String> {
        let mut known = self.columns.borrow_mut();
        match &*known {
            Some((since, names)) if since.elapsed() < FRESH => names.clone(),
            _ => {
                // Without names there is nothing to offer; the statement itself will say what is wrong.
                let columns = self.store.columns().unwrap_or_default();
                let names: Vec<String> = columns.into_iter().map(|column| column.name).collect();
                *known = Some((Instant::now(), names.clone()));
                names
            }
        }
    }

    fn values(&self, column: &str) -> Vec<String> {
        let mut known = self.values.borrow_mut();
        if let Some((_, values)) = known.get(column).filter(|(since, _)| since.elapsed() < FRESH) {
            return values.clone();
        }
        let values = self.look_up(column).unwrap_or_default();
        known.insert(column.to_string(), (Instant::now(), values.clone()));
        values
    }

    fn look_up(&self, column: &str) -> Option<Vec<String>> {
        let name = identifier(column);
        let mut request = QueryRequest::new(format!(
            "SELECT {name}::VARCHAR FROM events WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT {VALUES}"
        ));
        request.limits.timeout = Some(PATIENCE);
        let mut values = Vec::new();
        for batch in self.store.query(&request).ok()? {
            let batch = batch.ok()?;
            let texts = batch.columns().first()?.as_string_opt::<i32>()?;
            values.extend(
                (0..texts.len()).filter(|row| texts.is_valid(*row)).map(|row| texts.value(row).to_string()),
            );
        }
        values.retain(|value| !value.contains(escape::is_unsafe));
        Some(values)
    }

    fn of_word(&self, word: &str) -> Vec<Pair> {
        let columns: Vec<String> = self.columns().iter().map(|name| identifier(name)).collect();
        let known = TABLES.iter().copied().chain(columns.iter().map(String::as_str)).chain(WORDS);
        let wanted = word.to_lowercase();
        let mut found: Vec<&str> = known.filter(|name| name.to_lowercase().starts_with(&wanted)).collect();
        found.sort_unstable();
        found.dedup();
        found
            .into_iter()
            .filter(|name| !name.contains(escape::is_unsafe))
            .map(|name| pair(name, name))
            .collect()
    }

    fn of_value(&self, column: &str, begun: &str) -> Vec<Pair> {
        let wanted = begun.to_lowercase();
        let values = self.values(column);
        let found = values.iter().filter(|value| value.to_lowercase().starts_with(&wanted));
        found.map(|value| pair(value, &format!("{}'", value.replace('\'', "''")))).collect()
    }
}

fn pair(display: &str, replacement: &str) -> Pair {
    Pair { display: display.to_string(), replacement: replacement.to_string() }
}

/// What is being written at the end of a text.
#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    /// A value of a column, begun like this.
    Value { column: String, begun: &'a str },
    /// A table, begun like this.
    Table(&'a str),
    /// A word, begun like this.
    Word(&'a str),
    /// A command that begins with a dot.
    Command(&'a str),
    /// A text that nothing is known of.
    Text,
}

fn place(text: &str) -> Place<'_> {
    if text.trim_start().starts_with('.') && !text.trim_start().contains(char::is_whitespace) {
        return Place::Command(text.trim_start());
    }
    if text.matches('\'').count() % 2 == 1 {
        let Some((before, begun)) = text.rsplit_once('\'') else { return Place::Text };
        return match compared(before) {
            Some(column) => Place::Value { column, begun },
            None => Place::Text,
        };
    }
    let start = text.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |position| {
        position.saturating_add(
            text.get(position..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8),
        )
    });
    let (before, begun) = text.split_at_checked(start).unwrap_or((text, ""));
    let before = before.trim_end().to_ascii_lowercase();
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next();
    if matches!(word, Some("from" | "join" | "describe" | "summarize")) {
        return Place::Table(begun);
    }
    Place::Word(begun)
}

/// The column that a text compares with what comes next: `kind = `, `kind IN ('a', `, `"k" LIKE `.
fn compared(before: &str) -> Option<String> {
    let mut rest = before.trim_end();
    if let Some(open) = rest.rfind('(')
        && let Some(list) = rest.get(open.saturating_add(1)..)
        && list.split(',').all(|item| item.trim().is_empty() || item.trim().starts_with('\''))
    {
        rest = rest.get(..open)?.trim_end();
    }
    let lower = rest.to_ascii_lowercase();
    let operators = ["!=", "<>", ">=", "<=", "=", "<", ">", " in", " like", " ilike"];
    let operator = operators.into_iter().find(|operator| lower.ends_with(operator))?;
    let rest = rest.get(..rest.len().checked_sub(operator.len())?)?.trim_end();
    let rest = rest.strip_suffix(" not").or_else(|| rest.strip_suffix(" NOT")).unwrap_or(rest);
    if let Some(quoted) = rest.strip_suffix('"') {
        return quoted.rsplit_once('"').map(|(_, name)| name.to_string());
    }
    let name: String = rest.chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then(|| name.chars().rev().collect())
}

impl Completer for Assistant<'_> {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let text = line.get(..position).unwrap_or(line);
        let (begun, found) = match place(text) {
            Place::Value { column, begun } => (begun, self.of_value(&column, begun)),
            Place::Table(begun) => {
                let wanted = begun.to_lowercase();
                let names = TABLES.into_iter().filter(|name| name.starts_with(&wanted));
                (begun, names.map(|name| pair(name, name)).collect())
            }
            Place::Word(begun) => (begun, self.of_word(begun)),
            Place::Command(begun) => {
                let names = dot::NAMES.into_iter().filter(|name| name.starts_with(begun));
                (begun, names.map(|name| pair(name, name)).collect())
            }
            Place::Text => ("", Vec::new()),
        };
        Ok((position.saturating_sub(begun.len()), found))
    }
}

impl Validator for Assistant<'_> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match statement::is_complete(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Hinter for Assistant<'_> {
    type Hint = String;
}

impl Highlighter for Assistant<'_> {}

impl Helper for Assistant<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_written_is_known() {
        let value = |text: &str| match place(text) {
            Place::Value { column, begun } => Some((column, begun.to_string())),
            _ => None,
        };
        let found = |column: &str, begun: &str| Some((column.to_string(), begun.to_string()));
        assert_eq!(value("SELECT * FROM events WHERE kind = 'lo"), found("kind", "lo"));
        assert_eq!(value("WHERE a = 'x' AND kind='"), found("kind", ""));
        assert_eq!(value("WHERE kind IN ('a', 'b', 'c"), found("kind", "c"));
        assert_eq!(value("WHERE \"Odd name\" != 'x"), found("Odd name", "x"));
        assert_eq!(value("WHERE kind NOT LIKE 'x"), found("kind", "x"));
        assert_eq!(value("WHERE kind not in ('x"), found("kind", "x"));
        assert_eq!(value("SELECT 'x"), None);
        assert_eq!(place("SELECT ki"), Place::Word("ki"));
        assert_eq!(place("SELECT count("), Place::Word(""));
        assert_eq!(place("SELECT * FROM ev"), Place::Table("ev"));
        assert_eq!(place("FROM events JOIN "), Place::Table(""));
        assert_eq!(place("größe"), Place::Word("größe"));
        assert_eq!(place(".ti"), Place::Command(".ti"));
        assert_eq!(place("= 'done' "), Place::Word(""));
    }
}
