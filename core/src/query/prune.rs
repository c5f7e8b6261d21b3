//! Which span of time a query can be about, from its conditions on `ts` and `day`.
//!
//! DuckDB opens every file that a view names before it looks at a condition on `ts`. So files that cannot
//! have a row are left out beforehand. What is not understood bounds nothing: the span may be too wide,
//! never too narrow.

use crate::event::time::{DAY_US, HOUR_US, MINUTE_US, TimeForm, read_text};
use serde_json::Value;

/// From and to, in microseconds since 1970, both included.
pub type Span = (i64, i64);

const ALL: Span = (i64::MIN, i64::MAX);

/// The span of time of the rows of `events` that a query looks at; none if it may look at all of them.
/// `tree` is what DuckDB's `json_serialize_sql` gives of the query.
pub fn span_of(tree: &str, now_us: i64) -> Option<Span> {
    // A tree that is too deep to read is not looked into.
    let tree: Value = serde_json::from_str(tree).ok()?;
    let mut search = Search { now_us, direct: 0, span: None, alias: String::new() };
    search.visit(&tree);
    let all = mentions(&tree);
    (all == search.direct && all > 0).then_some(search.span?)
}

/// How often the table is named; a huge number where a name may mean something else.
fn mentions(tree: &Value) -> usize {
    match tree {
        Value::Object(members) => {
            let is_table = text(tree, "table_name").is_some_and(|name| name.eq_ignore_ascii_case("events"));
            let shows = text(tree, "type") == Some("SHOW_REF");
            let names = members.get("cte_map").and_then(|ctes| ctes.get("map")).and_then(Value::as_array);
            let is_events =
                |cte: &Value| text(cte, "key").is_some_and(|name| name.eq_ignore_ascii_case("events"));
            let defines = names.into_iter().flatten().any(is_events);
            let own = if shows || defines { usize::MAX / 2 } else { usize::from(is_table) };
            members.values().fold(own, |sum, member| sum.saturating_add(mentions(member)))
        }
        Value::Array(elements) => {
            elements.iter().fold(0, |sum, element| sum.saturating_add(mentions(element)))
        }
        _ => 0,
    }
}

struct Search {
    now_us: i64,
    /// How often the table is all that a SELECT is from.
    direct: usize,
    span: Option<Span>,
    /// What columns of the table may be qualified with.
    alias: String,
}

impl Search {
    fn visit(&mut self, node: &Value) {
        match node {
            Value::Object(members) => {
                let from = members.get("from_table");
                let table = from.filter(|from| text(from, "type") == Some("BASE_TABLE"));
                let name = table.and_then(|table| text(table, "table_name"));
                if name.is_some_and(|name| name.eq_ignore_ascii_case("events")) {
                    self.direct += 1;
                    let alias =
                        table.and_then(|table| text(table, "alias")).filter(|alias| !alias.is_empty());
                    self.alias = alias.unwrap_or("events").to_string();
                    let span = members.get("where_clause").map_or(ALL, |clause| self.condition(clause));
                    self.span =
                        Some(self.span.map_or(span, |known| (known.0.min(span.0), known.1.max(span.1))));
                }
                members.values().for_each(|member| self.visit(member));
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.visit(element)),
            _ => {}
        }
    }

    /// The span outside of which a condition is never true.
    fn condition(&self, node: &Value) -> Span {
        let children = || node.get("children").and_then(Value::as_array).into_iter().flatten();
        match text(node, "type").unwrap_or_default() {
            "CONJUNCTION_AND" => children()
                .map(|child| self.condition(child))
                .fold(ALL, |both, span| (both.0.max(span.0), both.1.min(span.1))),
            "CONJUNCTION_OR" => children()
                .map(|child| self.condition(child))
                .reduce(|either, span| (either.0.min(span.0), either.1.max(span.1)))
                .unwrap_or(ALL),
            "COMPARE_BETWEEN" => {
                let part = |name: &str| node.get(name).unwrap_or(&Value::Null);
                let from = self.compare(part("input"), "COMPARE_GREATERTHANOREQUALTO", part("lower"));
                let to = self.compare(part("input"), "COMPARE_LESSTHANOREQUALTO", part("upper"));
                (from.0.max(to.0), from.1.min(to.1))
            }
            comparison => {
                let (Some(left), Some(right)) = (node.get("left"), node.get("right")) else { return ALL };
                let turned = match comparison {
                    "COMPARE_GREATERTHANOREQUALTO" => "COMPARE_LESSTHANOREQUALTO",
                    "COMPARE_GREATERTHAN" => "COMPARE_LESSTHAN",
                    "COMPARE_LESSTHANOREQUALTO" => "COMPARE_GREATERTHANOREQUALTO",
                    "COMPARE_LESSTHAN" => "COMPARE_GREATERTHAN",
                    other => other,
                };
                match self.time_column(left) {
                    Some(_) => self.compare(left, comparison, right),
                    None => self.compare(right, turned, left),
                }
            }
        }
    }

    fn compare(&self, column: &Value, comparison: &str, value: &Value) -> Span {
        let (Some(width), Some((least, most))) = (self.time_column(column), self.instant(value)) else {
            return ALL;
        };
        // A time that is compared with a day may count as the beginning of its day.
        let least = if width == 0 { least } else { beginning_of_day(least) };
        match comparison {
            "COMPARE_EQUAL" => (least, most.saturating_add(width)),
            "COMPARE_GREATERTHANOREQUALTO" | "COMPARE_GREATERTHAN" => (least, i64::MAX),
            "COMPARE_LESSTHANOREQUALTO" | "COMPARE_LESSTHAN" => (i64::MIN, most.saturating_add(width)),
            _ => ALL,
        }
    }

    /// Between which instants an expression's value lies.
    fn instant(&self, node: &Value) -> Option<Span> {
        match text(node, "class")? {
            "CONSTANT" => {
                let literal =
                    node.get("literal").filter(|literal| text(literal, "kind") == Some("STRING"))?;
                match read_text(text(literal, "text")?)? {
                    (micros, TimeForm::Text) => Some((micros, micros)),
                    _ => None,
                }
            }
            "CAST" => {
                let name = text(node.get("type_expr")?, "type_name")?.to_ascii_uppercase();
                let (least, most) = self.instant(node.get("child")?)?;
                match name.as_str() {
                    "TIMESTAMP" | "DATETIME" => Some((least, most)),
                    "DATE" => Some((beginning_of_day(least), most)),
                    _ => None,
                }
            }
            "FUNCTION" => self.instant_of_function(node),
            "COLUMN_REF" => match node.get("column_names")?.as_array()?.as_slice() {
                [name] if is_clock(&name.as_str()?.to_ascii_lowercase()) => Some(self.about_now()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The query's own clock is read a little later, and may give the beginning of the day.
    fn about_now(&self) -> Span {
        (self.now_us.saturating_sub(DAY_US), self.now_us.saturating_add(DAY_US))
    }

    /// For `ts`, 0; for the day of it, what is left of a day after its beginning.
    fn time_column(&self, node: &Value) -> Option<i64> {
        match text(node, "class")? {
            "COLUMN_REF" => {
                let names = node.get("column_names")?.as_array()?.as_slice();
                let name = match names {
                    [name] => name,
                    // A column of another table, perhaps of the query around this one.
                    [table, name] if table.as_str()?.eq_ignore_ascii_case(&self.alias) => name,
                    _ => return None,
                };
                match name.as_str()?.to_ascii_lowercase().as_str() {
                    "ts" => Some(0),
                    "day" => Some(DAY_US),
                    _ => None,
                }
            }
            "CAST" if text(node.get("type_expr")?, "type_name")?.eq_ignore_ascii_case("DATE") => {
                self.time_column(node.get("child")?).map(|_| DAY_US)
            }
            _ => None,
        }
    }

    fn instant_of_function(&self, node: &Value) -> Option<Span> {
        let arguments = arguments(node);
        let name = text(node, "function_name")?.to_ascii_lowercase();
        match (name.as_str(), arguments.as_slice()) {
            (clock, []) if is_clock(clock) => Some(self.about_now()),
            ("date_trunc", [_, instant]) => {
                let (least, most) = self.instant(instant)?;
                Some((least.saturating_sub(1_000 * 366 * DAY_US), most))
            }
            ("-", [instant, interval]) => {
                let ((least, most), (short, long)) = (self.instant(instant)?, interval_us(interval)?);
                Some((least.saturating_sub(long), most.saturating_sub(short)))
            }
            ("+", [instant, interval]) => {
                let ((least, most), (short, long)) = (self.instant(instant)?, interval_us(interval)?);
                Some((least.saturating_add(short), most.saturating_add(long)))
            }
            _ => None,
        }
    }
}

fn text<'a>(node: &'a Value, key: &str) -> Option<&'a str> {
    node.get(key)?.as_str()
}

fn arguments(node: &Value) -> Vec<&Value> {
    let list = node.get("arguments").or_else(|| node.get("children")).and_then(Value::as_array);
    list.into_iter().flatten().map(|argument| argument.get("expression").unwrap_or(argument)).collect()
}

fn beginning_of_day(instant_us: i64) -> i64 {
    instant_us.saturating_sub(instant_us.rem_euclid(DAY_US))
}

pub(super) fn is_clock(name: &str) -> bool {
    const CLOCKS: [&str; 8] = [
        "now",
        "current_timestamp",
        "get_current_timestamp",
        "current_localtimestamp",
        "localtimestamp",
        "transaction_timestamp",
        "today",
        "current_date",
    ];
    CLOCKS.contains(&name)
}

/// How long an interval is at least and at most.
fn interval_us(node: &Value) -> Option<Span> {
    let (name, count) = match text(node, "class")? {
        "CAST" => {
            // `INTERVAL '2 hours'`
            let words = text(node.get("child")?.get("literal")?, "text")?;
            let (count, unit) = words.trim().split_once(' ')?;
            (format!("to_{}s", unit.trim().to_ascii_lowercase().trim_end_matches('s')), count.parse().ok()?)
        }
        _ => (text(node, "function_name")?.to_ascii_lowercase(), number(arguments(node).first()?)?),
    };
    let days = |days: i64| days.checked_mul(DAY_US)?.checked_mul(count);
    let exact = |micros: i64| Some((micros.checked_mul(count)?, micros.checked_mul(count)?));
    if count < 0 {
        return None;
    }
    match name.as_str() {
        "to_microseconds" => exact(1),
        "to_milliseconds" => exact(1_000),
        "to_seconds" => exact(1_000_000),
        "to_minutes" => exact(MINUTE_US),
        "to_hours" => exact(HOUR_US),
        "to_days" => exact(DAY_US),
        "to_weeks" => exact(7 * DAY_US),
        "to_months" => Some((days(28)?, days(31)?)),
        "to_quarters" => Some((days(89)?, days(93)?)),
        "to_years" => Some((days(365)?, days(366)?)),
        _ => None,
    }
}

/// A whole number, also one that the parser has wrapped into casts.
fn number(node: &Value) -> Option<i64> {
    match text(node, "class")? {
        "CONSTANT" => text(node.get("literal")?, "text")?.parse().ok(),
        "CAST" => number(node.get("child")?),
        "FUNCTION" if text(node, "function_name") == Some("trunc") => number(arguments(node).first()?),
        _ => None,
    }
}
