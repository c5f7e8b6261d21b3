//! What a query perhaps meant, where it names a column or a table that is not there.

use super::Names;
use crate::query::filter::suggest::{close, did_you_mean};

/// How many columns of a nested field are named.
const NAMED: usize = 5;

/// The hint for an error of DuckDB's, if it is about a name.
pub(super) fn of(text: &str, names: &Names) -> Option<String> {
    if let Some(name) = missing_column(text) {
        return column(name, names);
    }
    if let Some(name) = between(text, "Table with name ", " does not exist") {
        let tables = names.tables.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let near = did_you_mean(&close(name, names.tables.iter().copied()));
        return near.or_else(|| Some(format!("the tables are {tables}")));
    }
    // `a.b` is the column `b` of the table `a` in SQL.
    nested(between(text, "Referenced table \"", "\" not found")?, names)
}

fn missing_column(text: &str) -> Option<&str> {
    between(text, "Referenced column \"", "\" not found")
        .or_else(|| between(text, "does not have a column named \"", "\""))
        .or_else(|| between(text, "Column with name ", " does not exist"))
}

fn column(name: &str, names: &Names) -> Option<String> {
    if let Some((_, column)) = names.paths.iter().find(|(path, _)| path == name) {
        return Some(format!("the field `{name}` is the column `{column}`"));
    }
    let near = close(name, names.columns.iter().map(String::as_str));
    let meant = did_you_mean(&near).or_else(|| nested(name, names));
    meant.or_else(|| Some(format!("{} lists the columns; text stands in single quotes", names.listed_by)))
}

/// The columns of the fields inside a field.
fn nested(name: &str, names: &Names) -> Option<String> {
    let inside = names
        .paths
        .iter()
        .filter(|(path, _)| path.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')));
    let columns: Vec<String> = inside.map(|(_, column)| format!("`{column}`")).take(NAMED).collect();
    (!columns.is_empty()).then(|| format!("fields inside `{name}` are columns: {}", columns.join(", ")))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(name, _)| name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, hint: Option<&str>) {
        let path = |path: &str, column: &str| (path.to_string(), column.to_string());
        let names = Names {
            tables: vec!["events", "quarantine"],
            columns: ["kind", "ts", "http_status"].map(str::to_string).to_vec(),
            paths: vec![path("http.status", "http_status"), path("http.path", "http_path")],
            listed_by: "`daybook schema`",
        };
        assert_eq!(of(text, &names).as_deref(), hint, "{text}");
    }

    #[test]
    fn names_that_are_close_are_suggested() {
        check(
            "Binder Error: Referenced column \"knd\" not found in FROM clause!",
            Some("did you mean `kind`?"),
        );
        check("Table \"e\" does not have a column named \"knid\"", Some("did you mean `kind`?"));
        check("Catalog Error: Table with name evnts does not exist!", Some("did you mean `events`?"));
        check(
            "Catalog Error: Table with name logs does not exist!",
            Some("the tables are `events`, `quarantine`"),
        );
        check(
            "Binder Error: Referenced column \"http.status\" not found in FROM clause!",
            Some("the field `http.status` is the column `http_status`"),
        );
        check(
            "Binder Error: Referenced table \"http\" not found!",
            Some("fields inside `http` are columns: `http_status`, `http_path`"),
        );
        check(
            "Binder Error: Referenced column \"quite_else\" not found in FROM clause!",
            Some("`daybook schema` lists the columns; text stands in single quotes"),
        );
        check("Parser Error: syntax error", None);
    }
}
