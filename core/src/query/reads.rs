//! Which columns of `events` a query may read, from its parse tree, so that the others can be left out of the view.
//!
//! What is not understood may read all of them.

use super::prune::is_clock;
use serde_json::Value;
use std::collections::HashSet;

/// Functions in `FROM` that know nothing of the session's tables.
const PLAIN_FUNCTIONS: [&str; 4] = ["generate_series", "range", "repeat", "unnest"];
/// Columns that are made of others.
const MADE: [&str; 2] = ["day", "recorded_at"];

/// The names, in lower case, of the columns that a query may read, of those of the table; none if it may read any.
/// `tree` is what DuckDB's `json_serialize_sql` gives of the query.
pub fn columns_of<'a>(tree: &str, columns: impl Iterator<Item = &'a str>) -> Option<HashSet<String>> {
    // A tree that is too deep to read is not looked into.
    let tree: Value = serde_json::from_str(tree).ok()?;
    if tree.get("error").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let mut found = Found::default();
    found.visit(&tree)?;
    let known: HashSet<String> =
        columns.chain(MADE).map(str::to_lowercase).filter(|name| found.texts.contains(name)).collect();
    let is_known = |name: &String| known.contains(name) || found.named_here.contains(name) || is_clock(name);
    // A column that is not there: the error is to tell of all that are. A table as a column is all of its columns.
    let are_understood = found.references.iter().all(|names| {
        names.iter().any(is_known) && names.last().is_some_and(|last| !found.tables.contains(last))
    });
    are_understood.then_some(known)
}

#[derive(Default)]
struct Found {
    /// All texts, in lower case.
    texts: HashSet<String>,
    /// The parts of the names of columns.
    references: Vec<Vec<String>>,
    /// What tables are called.
    tables: HashSet<String>,
    /// Names that the query itself gives to columns.
    named_here: HashSet<String>,
}

impl Found {
    /// None if the query may read any column.
    fn visit(&mut self, node: &Value) -> Option<()> {
        match node {
            Value::Object(members) => {
                let text = |key: &str| members.get(key).and_then(Value::as_str).unwrap_or_default();
                let lower = |key: &str| text(key).to_lowercase();
                let is_any = matches!(text("class"), "STAR" | "POSITIONAL_REFERENCE")
                    || matches!(text("type"), "SHOW_REF" | "PIVOT" | "COLUMN_DATA" | "DELIM_GET")
                    || text("ref_type") == "NATURAL"
                    || !is_empty_list(members.get("column_name_alias"));
                if is_any {
                    return None;
                }
                match text("type") {
                    "TABLE_FUNCTION" => {
                        let function =
                            members.get("function").and_then(|function| function.get("function_name"));
                        let name = function.and_then(Value::as_str).unwrap_or_default().to_lowercase();
                        if !PLAIN_FUNCTIONS.contains(&name.as_str()) {
                            return None;
                        }
                        self.tables.insert(lower("alias"));
                    }
                    "BASE_TABLE" => {
                        self.tables.extend([lower("table_name"), lower("alias")]);
                    }
                    _ if members.contains_key("from_table") || text("class").is_empty() => {
                        self.tables.insert(lower("alias"));
                    }
                    _ => {
                        self.named_here.insert(lower("alias"));
                    }
                }
                if text("class") == "COLUMN_REF" {
                    let names = members.get("column_names")?.as_array()?.iter();
                    self.references
                        .push(names.map(|name| Some(name.as_str()?.to_lowercase())).collect::<Option<_>>()?);
                }
                members.values().try_for_each(|member| self.visit(member))
            }
            Value::Array(elements) => elements.iter().try_for_each(|element| self.visit(element)),
            Value::String(text) => {
                self.texts.insert(text.to_lowercase());
                Some(())
            }
            _ => Some(()),
        }
    }
}

fn is_empty_list(value: Option<&Value>) -> bool {
    value.and_then(Value::as_array).is_none_or(Vec::is_empty)
}

/// Whether a column has to be there for those that a query reads: `day` and `recorded_at` are made of others.
pub fn is_needed(column: &str, read: &HashSet<String>) -> bool {
    let is_source = match column {
        "ts" => read.contains("day"),
        "seq" => read.contains("recorded_at"),
        _ => false,
    };
    is_source || read.contains(&column.to_lowercase())
}
