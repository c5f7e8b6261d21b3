//! What a change changed: the state before and after it, compared.

use serde::Serialize;
use serde_json::{Map, Value as Json};

/// So many differences of one change are listed.
const DIFFERENCES_MAX: usize = 500;
/// Lines are compared with each other as long as there are at most so many pairs of them.
const PAIRS_MAX: usize = 1_000_000;
/// So many lines that are equal are shown around a difference.
const CONTEXT: usize = 2;

/// A place in a state where it differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Where, keys joined with dots; empty for the whole state.
    pub path: String,
    /// What happened there.
    pub change: Change,
    /// The value before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Json>,
    /// The value after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Json>,
    /// For a text of several lines: those that differ, with a sign, and some around them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
}

/// What happened to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It is another one.
    Changed,
}

/// The differences of two states, which are JSON texts.
pub fn diff(before: Option<&str>, after: Option<&str>) -> Vec<Difference> {
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Json::from(text));
    let mut found = Vec::new();
    match (before.map(read), after.map(read)) {
        (None, None) => {}
        (before, after) => compare(String::new(), before.as_ref(), after.as_ref(), &mut found),
    }
    found.truncate(DIFFERENCES_MAX);
    found
}

/// JSON is not nested deeper than its reader allows, and neither is this.
fn compare(path: String, before: Option<&Json>, after: Option<&Json>, found: &mut Vec<Difference>) {
    if before == after || found.len() >= DIFFERENCES_MAX {
        return;
    }
    let none = Map::new();
    match (before, after) {
        (Some(Json::Object(before)), Some(Json::Object(after))) => members(&path, before, after, found),
        (None, Some(Json::Object(after))) if !after.is_empty() => members(&path, &none, after, found),
        (Some(Json::Object(before)), None) if !before.is_empty() => members(&path, before, &none, found),
        (Some(Json::Array(before)), Some(Json::Array(after))) if before.len() == after.len() => {
            for (place, (before, after)) in before.iter().zip(after).enumerate() {
                compare(format!("{path}[{place}]"), Some(before), Some(after), found);
            }
        }
        (before, after) => {
            let lines = match (before, after) {
                (Some(Json::String(before)), Some(Json::String(after)))
                    if before.contains('\n') || after.contains('\n') =>
                {
                    lines(before, after)
                }
                _ => Vec::new(),
            };
            let change = match (before, after) {
                (None, _) => Change::Added,
                (_, None) => Change::Removed,
                _ => Change::Changed,
            };
            found.push(Difference { path, change, before: before.cloned(), after: after.cloned(), lines });
        }
    }
}

fn members(path: &str, before: &Map<String, Json>, after: &Map<String, Json>, found: &mut Vec<Difference>) {
    let new = after.keys().filter(|key| !before.contains_key(*key));
    let mut keys: Vec<&String> = before.keys().chain(new).collect();
    keys.sort();
    for key in keys {
        let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        compare(inner, before.get(key), after.get(key), found);
    }
}

/// The lines of two texts that differ, each with `-`, `+` or, around them, a space.
fn lines(before: &str, after: &str) -> Vec<String> {
    let before: Vec<&str> = before.lines().collect();
    let after: Vec<&str> = after.lines().collect();
    let same = |(one, other): &(&&str, &&str)| one == other;
    let head = before.iter().zip(&after).take_while(same).count();
    let rest = before.len().min(after.len()).saturating_sub(head);
    let tail = before.iter().rev().zip(after.iter().rev()).take_while(same).count().min(rest);
    let inside = |lines: &[&str]| -> Vec<String> {
        let end = lines.len().saturating_sub(tail);
        lines.iter().take(end).skip(head).map(ToString::to_string).collect()
    };
    let mut shown: Vec<String> = Vec::new();
    let context = |line: &&str| format!(" {line}");
    shown.extend(before.iter().take(head).skip(head.saturating_sub(CONTEXT)).map(context));
    shown.extend(matched(&inside(&before), &inside(&after)));
    shown.extend(after.iter().skip(after.len().saturating_sub(tail)).take(CONTEXT).map(context));
    shown
}

/// Two lists of lines as one, those that both have matched in order.
fn matched(before: &[String], after: &[String]) -> Vec<String> {
    let width = after.len().saturating_add(1);
    let pairs = before.len().saturating_add(1).saturating_mul(width);
    let removed = |line: &String| format!("-{line}");
    let added = |line: &String| format!("+{line}");
    if pairs > PAIRS_MAX {
        return before.iter().map(removed).chain(after.iter().map(added)).collect();
    }
    // How many lines the rests from each pair of places on have in common.
    let mut common = vec![0_u32; pairs];
    let at = |one: usize, other: usize| one.saturating_mul(width).saturating_add(other);
    let get = |common: &[u32], one: usize, other: usize| common.get(at(one, other)).copied().unwrap_or(0);
    for (one, line) in before.iter().enumerate().rev() {
        for (other, candidate) in after.iter().enumerate().rev() {
            let best = match line == candidate {
                true => get(&common, one + 1, other + 1).saturating_add(1),
                false => get(&common, one + 1, other).max(get(&common, one, other + 1)),
            };
            if let Some(cell) = common.get_mut(at(one, other)) {
                *cell = best;
            }
        }
    }
    let (mut one, mut other, mut shown) = (0, 0, Vec::new());
    loop {
        match (before.get(one), after.get(other)) {
            (Some(line), Some(candidate)) if line == candidate => {
                shown.push(format!(" {line}"));
                (one, other) = (one + 1, other + 1);
            }
            (Some(line), candidate)
                if candidate.is_none() || get(&common, one + 1, other) >= get(&common, one, other + 1) =>
            {
                shown.push(removed(line));
                one += 1;
            }
            (_, Some(line)) => {
                shown.push(added(line));
                other += 1;
            }
            (_, None) => return shown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: Option<&str>, after: Option<&str>, expected: &[&str]) {
        let shown: Vec<String> = diff(before, after)
            .iter()
            .map(|difference| {
                let text = |value: &Option<Json>| value.as_ref().map_or("-".to_string(), Json::to_string);
                format!("{} {}>{}", difference.path, text(&difference.before), text(&difference.after))
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn objects_differ_key_by_key() {
        check(
            Some(r#"{"a":1,"b":{"c":"x","d":true},"e":2}"#),
            Some(r#"{"a":1,"b":{"c":"y","d":true},"f":null}"#),
            &["b.c \"x\">\"y\"", "e 2>-", "f ->null"],
        );
        check(None, Some(r#"{"a":1}"#), &["a ->1"]);
        check(Some(r#"{"a":1}"#), None, &["a 1>-"]);
        check(None, Some("{}"), &[" ->{}"]);
        check(None, None, &[]);
        check(Some("{}"), Some("{}"), &[]);
        check(Some(r#"{"a":1}"#), Some("5"), &[" {\"a\":1}>5"]);
        check(Some("no json"), Some("\"x\""), &[" \"no json\">\"x\""]);
    }

    #[test]
    fn lists_of_one_length_differ_place_by_place() {
        check(Some("[1,2,3]"), Some("[1,5,3]"), &["[1] 2>5"]);
        check(Some("[1]"), Some("[1,2]"), &[" [1]>[1,2]"]);
    }

    #[test]
    fn texts_differ_line_by_line() {
        let check = |before: &str, after: &str, expected: &[&str]| assert_eq!(lines(before, after), expected);
        check("a\nb\nc", "a\nx\nc", &[" a", "-b", "+x", " c"]);
        check("1\n2\n3\n4\n5", "1\n2\n3\n4\n5\n6", &[" 4", " 5", "+6"]);
        check("a\nb\nc\nd", "b\nd\ne", &["-a", " b", "-c", " d", "+e"]);
        check("", "a", &["+a"]);
        check("a\na\na", "a", &[" a", "-a", "-a"]);
        let long = |line: &str| vec![line; 2_000].join("\n");
        assert_eq!(lines(&long("a"), &long("b")).len(), 4_000);
    }

    #[test]
    fn there_are_not_too_many_differences() {
        let state = |value: i32| {
            let members: Map<String, Json> =
                (0..2_000).map(|key| (format!("k{key}"), value.into())).collect();
            Json::Object(members).to_string()
        };
        assert_eq!(diff(Some(&state(1)), Some(&state(2))).len(), DIFFERENCES_MAX);
    }
}
