//! What a statement of the user's may be: one that reads the session's tables and nothing else.
//!
//! DuckDB's parser decides what a text is; its parse tree, as JSON, is checked here. `EXPLAIN` has no such
//! tree, so it is taken off first and put back as our own text in front of what was checked.

use crate::error::{Error, ErrorKind, Result};
use std::borrow::Cow;

/// The longest statement, in bytes: its parse tree is some four hundred times longer.
const MAX_BYTES: usize = 1 << 20;

/// A statement in two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// `EXPLAIN ...`, or nothing; text that was made here.
    pub explain: String,
    /// The statement itself, to be checked.
    pub body: &'a str,
}

/// Takes `EXPLAIN` off a statement. What cannot be one is left as it is, for DuckDB to refuse.
pub fn split(text: &str) -> Result<Statement<'_>> {
    if text.len() > MAX_BYTES {
        let message = format!("the query has {} bytes; it can have {MAX_BYTES}", text.len());
        return Err(Error::new(ErrorKind::Limit, message));
    }
    if text.contains('\0') {
        return Err(Error::new(ErrorKind::Syntax, "the query contains a NUL character"));
    }
    let whole = Statement { explain: String::new(), body: text };
    Ok(split_explain(text).unwrap_or(whole))
}

fn split_explain(text: &str) -> Option<Statement<'_>> {
    let mut rest = after_word(text, "explain")?;
    let mut analyze = false;
    let mut format = None;
    if let Some(after) = after_word(rest, "analyze") {
        analyze = true;
        rest = after;
    }
    if let Some(options) = skip_blank(rest).strip_prefix('(')
        && (after_word(options, "format").is_some() || after_word(options, "analyze").is_some())
    {
        let (inside, after) = options.split_once(')')?;
        for option in inside.split(',') {
            let words: Vec<&str> = option.split_whitespace().collect();
            match words.as_slice() {
                [word] if word.eq_ignore_ascii_case("analyze") => analyze = true,
                [word, name] if word.eq_ignore_ascii_case("format") => format = Some(plain_word(name)?),
                _ => return None,
            }
        }
        rest = after;
    }
    let explain = match (analyze, format) {
        (false, None) => "EXPLAIN ".to_string(),
        (true, None) => "EXPLAIN ANALYZE ".to_string(),
        (false, Some(format)) => format!("EXPLAIN (FORMAT {format}) "),
        (true, Some(format)) => format!("EXPLAIN (ANALYZE, FORMAT {format}) "),
    };
    Some(Statement { explain, body: rest })
}

fn plain_word(word: &str) -> Option<&str> {
    let letters = word.chars().all(|char| char.is_ascii_alphabetic());
    (letters && !word.is_empty()).then_some(word)
}

/// The text after a word, where it begins with it.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (first, rest) = skip_blank(text).split_at_checked(word.len())?;
    let ends = !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_' || next == '$');
    (first.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

/// The text after blanks and comments.
fn skip_blank(text: &str) -> &str {
    let mut text = text.trim_start();
    loop {
        let after = if let Some(comment) = text.strip_prefix("--") {
            comment.split_once('\n').map(|(_, after)| after)
        } else if let Some(comment) = text.strip_prefix("/*") {
            comment.split_once("*/").map(|(_, after)| after)
        } else {
            return text;
        };
        text = after.unwrap_or_default().trim_start();
    }
}

/// What DuckDB's parser says of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// One statement that only reads.
    Reads,
    /// It does not parse; preparing it gives DuckDB's message.
    DoesNotParse,
}

/// Checks the parse tree that `json_serialize_sql` gives of a statement's body.
pub fn check(tree: &str, body: &str) -> Result<Verdict> {
    let mut found = Found::default();
    walk(tree, &mut |event| found.add(event))?;
    if let Some(reason) = found.refused {
        return Err(Error::new(ErrorKind::Refused, reason));
    }
    if found.failed && found.message.contains("Only SELECT statements") {
        return Err(not_a_question(body));
    }
    if found.failed {
        return Ok(Verdict::DoesNotParse);
    }
    match found.statements {
        0 => Err(Error::new(ErrorKind::Syntax, "the query is empty")),
        1 => Ok(Verdict::Reads),
        more => {
            let message = format!("the query has {more} statements; it can have one");
            Err(Error::new(ErrorKind::Refused, message))
        }
    }
}

fn not_a_question(body: &str) -> Error {
    let error = Error::new(
        ErrorKind::Refused,
        "this statement cannot run here: a query is one `SELECT`, `EXPLAIN`, `DESCRIBE`, `SUMMARIZE` or `SHOW`",
    );
    if after_word(body, "pivot").is_some() || body.to_ascii_lowercase().contains("pivot ") {
        error.with_hint("a `PIVOT` must name its values: `PIVOT events ON kind IN ('a', 'b') USING count(*)`")
    } else {
        error
    }
}

/// Words with which a question begins.
const QUESTIONS: [&str; 11] = [
    "select",
    "from",
    "with",
    "values",
    "table",
    "describe",
    "desc",
    "summarize",
    "show",
    "pivot",
    "unpivot",
];

/// Refuses what does not begin as a question, where no parser can be asked for its tree.
pub fn check_begins(body: &str) -> Result<()> {
    let begins = QUESTIONS.iter().any(|word| after_word(body, word).is_some());
    match skip_blank(body) {
        "" => Err(Error::new(ErrorKind::Syntax, "the query is empty")),
        rest if begins || rest.starts_with('(') => Ok(()),
        _ => Err(not_a_question(body)),
    }
}

/// Functions in `FROM` that make their rows of their arguments or of the session's own tables.
const TABLE_FUNCTIONS: [&str; 20] = [
    "duckdb_columns",
    "duckdb_functions",
    "duckdb_keywords",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "histogram",
    "histogram_values",
    "json_each",
    "json_tree",
    "pragma_show",
    "pragma_table_info",
    "pragma_version",
    "range",
    "repeat",
    "repeat_row",
    "summary",
    "test_all_types",
    "unnest",
];

/// Functions that reach into the process or the session, or read raw bytes as inner state.
const REFUSED_FUNCTIONS: [&str; 13] = [
    "combine",
    "current_setting",
    "currval",
    "finalize",
    "getenv",
    "json_deserialize_sql",
    "json_serialize_plan",
    "nextval",
    "setval",
    "sleep_ms",
    "to_aggregate_state",
    "which_secret",
    "write_log",
];

/// Nodes that read. Every other kind of node changes something.
const READING_NODES: [&str; 4] = ["CTE_NODE", "RECURSIVE_CTE_NODE", "SELECT_NODE", "SET_OPERATION_NODE"];

#[derive(Debug, Default)]
struct Found {
    statements: usize,
    failed: bool,
    message: String,
    in_table_function: bool,
    refused: Option<String>,
}

impl Found {
    fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Open { depth: 2 } => self.statements += 1,
            Event::Open { .. } => {}
            Event::Value { depth: 1, key: "error", value } => self.failed = value == "true",
            Event::Value { depth: 1, key: "error_message", value } => self.message = value.to_string(),
            Event::Value { key: "type", value: "TABLE_FUNCTION", .. } => self.in_table_function = true,
            Event::Value { key: "type", value, .. } if value.ends_with("_NODE") => {
                if !READING_NODES.contains(&value) {
                    self.refuse("a query can only read, and this one changes data".to_string());
                }
            }
            Event::Value { key: "function_name", value, .. } => self.add_function(value),
            Event::Value { .. } => {}
        }
    }

    fn add_function(&mut self, name: &str) {
        let lowercase = name.to_ascii_lowercase();
        let is_refused = if std::mem::take(&mut self.in_table_function) {
            !TABLE_FUNCTIONS.contains(&lowercase.as_str())
        } else {
            REFUSED_FUNCTIONS.contains(&lowercase.as_str()) || lowercase.starts_with("__internal")
        };
        if is_refused {
            self.refuse(format!("`{name}` cannot be used here: a query reads the tables of the store only"));
        }
    }

    fn refuse(&mut self, reason: String) {
        self.refused.get_or_insert(reason);
    }
}

/// A piece of a JSON text.
enum Event<'a> {
    /// An object begins, inside so many others and arrays.
    Open { depth: usize },
    /// A key has this value, a text or anything but an object or array.
    Value { depth: usize, key: &'a str, value: &'a str },
}

/// Walks over a JSON text of any depth, which a recursive reader could not.
fn walk(json: &str, visit: &mut impl FnMut(Event<'_>)) -> Result<()> {
    let mut rest = json;
    let mut depth = 0usize;
    let mut key: Option<Cow<'_, str>> = None;
    while let Some(next) = rest.chars().next() {
        let (token, after) = token(rest, next).ok_or_else(unreadable)?;
        rest = after;
        match next {
            '{' => {
                visit(Event::Open { depth });
                depth += 1;
                key = None;
            }
            '[' => {
                depth += 1;
                key = None;
            }
            '}' | ']' => depth = depth.checked_sub(1).ok_or_else(unreadable)?,
            ',' => key = None,
            ':' | ' ' | '\n' | '\r' | '\t' => {}
            _ => {
                let value = if next == '"' { unescape(token)? } else { Cow::Borrowed(token) };
                match &key {
                    Some(key) => visit(Event::Value { depth, key, value: &value }),
                    None => key = Some(value),
                }
            }
        }
    }
    Ok(())
}

/// The first token of a JSON text, and what follows.
fn token(text: &str, first: char) -> Option<(&str, &str)> {
    let length = match first {
        '"' => text_length(text)?,
        '{' | '}' | '[' | ']' | ',' | ':' | ' ' | '\n' | '\r' | '\t' => 1,
        _ => text.find(['{', '}', '[', ']', ',', ':', '"', ' ', '\n', '\r', '\t']).unwrap_or(text.len()),
    };
    text.split_at_checked(length)
}

/// The length of the quoted text at the start, quotes included.
fn text_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (position, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(position + 1),
            _ => {}
        }
    }
    None
}

fn unescape(quoted: &str) -> Result<Cow<'_, str>> {
    if quoted.contains('\\') {
        return serde_json::from_str(quoted).map(Cow::Owned).map_err(|error| unreadable().with_source(error));
    }
    let inside = quoted.strip_prefix('"').and_then(|quoted| quoted.strip_suffix('"'));
    inside.map(Cow::Borrowed).ok_or_else(unreadable)
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Internal, "DuckDB gave a parse tree that cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_split(text: &str, explain: &str, body: &str) {
        assert_eq!(split(text).unwrap(), Statement { explain: explain.to_string(), body }, "{text}");
    }

    #[test]
    fn explain_comes_off() {
        check_split("SELECT 1", "", "SELECT 1");
        check_split("explain SELECT 1", "EXPLAIN ", " SELECT 1");
        check_split("-- why\n/* how */ EXPLAIN\nAnalyze SELECT 1", "EXPLAIN ANALYZE ", " SELECT 1");
        check_split("EXPLAIN (FORMAT json) SELECT 1", "EXPLAIN (FORMAT json) ", " SELECT 1");
        check_split(
            "EXPLAIN (analyze, format HTML) SELECT 1",
            "EXPLAIN (ANALYZE, FORMAT HTML) ",
            " SELECT 1",
        );
        check_split("EXPLAIN (SELECT 1)", "EXPLAIN ", " (SELECT 1)");
        check_split("EXPLAIN(SELECT 1)", "EXPLAIN ", "(SELECT 1)");
        check_split("EXPLAIN ANALYZE COPY x TO 'y'", "EXPLAIN ANALYZE ", " COPY x TO 'y'");
        check_split("EXPLAIN EXPLAIN SELECT 1", "EXPLAIN ", " EXPLAIN SELECT 1");
    }

    #[test]
    fn what_is_no_explain_stays() {
        check_split("explained", "", "explained");
        check_split("-- EXPLAIN", "", "-- EXPLAIN");
        check_split("/* open", "", "/* open");
        check_split("é", "", "é");
        check_split("EXPLAIN (FORMAT 'x') SELECT 1", "", "EXPLAIN (FORMAT 'x') SELECT 1");
        check_split("EXPLAIN (FORMAT json; DROP) SELECT 1", "", "EXPLAIN (FORMAT json; DROP) SELECT 1");
        check_split("EXPLAIN (FORMAT json", "", "EXPLAIN (FORMAT json");
    }

    #[test]
    fn too_long_and_nul_are_refused() {
        assert_eq!(split(&"x".repeat(MAX_BYTES + 1)).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(split("SELECT 1\0; DROP VIEW events").unwrap_err().kind(), ErrorKind::Syntax);
    }

    fn tree(statements: &[&str]) -> String {
        format!(r#"{{"error":false,"statements":[{}]}}"#, statements.join(","))
    }

    fn kind_of(tree: &str) -> ErrorKind {
        check(tree, "").unwrap_err().kind()
    }

    #[test]
    fn statements_are_counted() {
        let select = r#"{"node":{"type":"SELECT_NODE","modifiers":[],"cte_map":{"map":[]}}}"#;
        assert_eq!(check(&tree(&[select]), "").unwrap(), Verdict::Reads);
        assert_eq!(kind_of(&tree(&[])), ErrorKind::Syntax);
        assert_eq!(kind_of(&tree(&[select, select])), ErrorKind::Refused);
    }

    #[test]
    fn nodes_that_write_are_refused_at_any_depth() {
        let mut node = r#"{"type":"INSERT_QUERY_NODE"}"#.to_string();
        for _ in 0..10_000 {
            node = format!(r#"{{"type":"SELECT_NODE","inner":[{node}]}}"#);
        }
        assert_eq!(kind_of(&tree(&[&format!(r#"{{"node":{node}}}"#)])), ErrorKind::Refused);
    }

    #[test]
    fn functions_are_checked_by_their_place() {
        let scalar = |name: &str| format!(r#"{{"node":{{"type":"FUNCTION","function_name":"{name}"}}}}"#);
        let table = |name: &str| {
            format!(
                r#"{{"node":{{"type":"TABLE_FUNCTION","function":{{"type":"FUNCTION","function_name":"{name}"}}}}}}"#
            )
        };
        assert_eq!(check(&tree(&[&scalar("lower")]), "").unwrap(), Verdict::Reads);
        assert_eq!(kind_of(&tree(&[&scalar("getenv")])), ErrorKind::Refused);
        assert_eq!(kind_of(&tree(&[&scalar("__internal_x")])), ErrorKind::Refused);
        assert_eq!(check(&tree(&[&table("Range")]), "").unwrap(), Verdict::Reads);
        assert_eq!(kind_of(&tree(&[&table("lower")])), ErrorKind::Refused);
        assert_eq!(kind_of(&tree(&[&table("read\\u005fcsv")])), ErrorKind::Refused);
    }

    #[test]
    fn texts_in_the_tree_are_only_texts() {
        let text = r#"{"node":{"text":"\"type\":\"INSERT_QUERY_NODE\",{[","type":"SELECT_NODE"}}"#;
        assert_eq!(check(&tree(&[text]), "").unwrap(), Verdict::Reads);
    }

    #[test]
    fn errors_of_the_parser_are_told_apart() {
        let failed = |message: &str| format!(r#"{{"error":true,"error_message":"{message}"}}"#);
        assert_eq!(check(&failed("syntax error at or near x"), "").unwrap(), Verdict::DoesNotParse);
        let refused =
            check(&failed("Only SELECT statements can be serialized to json!"), "PIVOT events ON kind");
        assert!(refused.unwrap_err().hint().unwrap().contains("IN ('a', 'b')"));
    }

    #[test]
    fn a_broken_tree_is_no_panic() {
        for broken in ["}", "\"", "{\"a\":\"\\", "{\"a\":\"\\x\"}"] {
            assert_eq!(kind_of(broken), ErrorKind::Internal, "{broken}");
        }
    }
}
