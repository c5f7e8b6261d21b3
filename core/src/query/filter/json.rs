//! The JSON form of filters.

use super::error::{FilterError, quoted};
use super::time::Context;
use super::value::{Match, Value};
use super::{DEPTH_MAX, Field, Filter, Op, Term, build};
use crate::event::time::rfc3339;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value as Json, json};

/// Reads a filter.
pub(super) fn read(json: &Json, context: &Context<'_>) -> Result<Filter, FilterError> {
    read_node(json, context, 0)?.within_limits()
}

const KEYS: &str =
    "an object with `and`, `or`, `not`, `text`, `field`, `present`, `file`, `since`, `until` or `is`";

fn error(json: &Json, what: &str, expected: &str) -> FilterError {
    FilterError::new(None, format!("{} {what}", quoted(&json.to_string()))).expected(expected)
}

fn read_node(json: &Json, context: &Context<'_>, depth: usize) -> Result<Filter, FilterError> {
    if depth > DEPTH_MAX {
        return Err(FilterError::new(None, format!("the filter is nested deeper than {DEPTH_MAX} levels")));
    }
    let members = json.as_object().ok_or_else(|| error(json, "is no filter", KEYS))?;
    if members.contains_key("field") {
        return read_comparison(json, members, context);
    }
    let mut entries = members.iter();
    let (Some((key, inner)), None) = (entries.next(), entries.next()) else {
        return Err(error(json, "is no filter", KEYS));
    };
    let deeper = depth.saturating_add(1);
    let parts = || {
        let list = inner.as_array().ok_or_else(|| error(inner, "is no list of filters", "an array"))?;
        list.iter().map(|part| read_node(part, context, deeper)).collect::<Result<Vec<_>, _>>()
    };
    let field = |name: &str, value: Value| Filter::field(name, Op::Has, vec![value], context);
    Ok(match key.as_str() {
        "and" => Filter::and(parts()?),
        "or" => Filter::or(parts()?),
        "not" => read_node(inner, context, deeper)?.negated(),
        "text" => field("message", read_value(inner)?)?,
        "file" | "since" | "until" | "is" => field(key, read_value(inner)?)?,
        "present" => {
            let name = inner.as_str().ok_or_else(|| error(inner, "is no field", "its name as a text"))?;
            Filter::Term(Term::Present(build::aliased(Field::parse(name)?)))
        }
        _ => return Err(error(json, "is no filter", KEYS)),
    })
}

fn read_comparison(
    json: &Json,
    members: &Map<String, Json>,
    context: &Context<'_>,
) -> Result<Filter, FilterError> {
    let known = ["field", "op", "value", "values"];
    if let Some(other) = members.keys().find(|key| !known.contains(&key.as_str())) {
        let message = format!("a comparison has no {}", quoted(other));
        return Err(FilterError::new(None, message).expected("`field`, `op`, and `value` or `values`"));
    }
    let name = members.get("field").and_then(Json::as_str);
    let name = name.ok_or_else(|| error(json, "names no field", "`field` as a text"))?;
    let op = match members.get("op") {
        None => Op::Has,
        Some(op) => {
            let known = |sign: &str| Op::ALL.into_iter().find(|known| known.sign() == sign);
            let signs = "one of `=`, `!=`, `>`, `>=`, `<`, `<=`, `:`";
            op.as_str().and_then(known).ok_or_else(|| error(op, "is no operator", signs))?
        }
    };
    let values = match (members.get("value"), members.get("values").map(Json::as_array)) {
        (Some(value), None) => vec![read_value(value)?],
        (None, Some(Some(values))) => values.iter().map(read_value).collect::<Result<_, _>>()?,
        _ => return Err(error(json, "lacks a value", "`value`, or `values` as an array")),
    };
    Filter::field(name, op, values, context)
}

fn read_value(json: &Json) -> Result<Value, FilterError> {
    const FORMS: &str = "a text, a number, `true`, `false`, `{\"pattern\": ...}` or `{\"regex\": ...}`";
    match json {
        Json::String(text) => Ok(Value::text(text)),
        Json::Number(_) | Json::Bool(_) => Ok(Value::text(json.to_string())),
        Json::Object(members) if members.len() == 1 => {
            let text = |key: &str| members.get(key).and_then(Json::as_str);
            match (text("pattern"), text("regex")) {
                (Some(pattern), _) => Ok(Value::pattern(pattern)),
                (_, Some(regex)) => Value::regex(regex),
                _ => Err(error(json, "is no value", FORMS)),
            }
        }
        _ => Err(error(json, "is no value", FORMS)),
    }
}

fn written(filter: &Filter) -> Json {
    let all = |parts: &[Filter]| parts.iter().map(written).collect::<Vec<_>>();
    match filter {
        Filter::And(parts) => json!({ "and": all(parts) }),
        Filter::Or(parts) => json!({ "or": all(parts) }),
        Filter::Not(inner) => json!({ "not": written(inner) }),
        Filter::Term(Term::Text(value)) => json!({ "text": written_value(value) }),
        Filter::Term(Term::Present(field)) => json!({ "present": field.to_string() }),
        Filter::Term(Term::File(value)) => json!({ "file": written_value(value) }),
        Filter::Term(Term::Since(instant_us)) => json!({ "since": rfc3339(*instant_us) }),
        Filter::Term(Term::Until(instant_us)) => json!({ "until": rfc3339(*instant_us) }),
        Filter::Term(Term::Error) => json!({ "is": "error" }),
        Filter::Term(Term::Compare(comparison)) => {
            let (field, op) = (comparison.field.to_string(), comparison.op.sign());
            match comparison.values.as_slice() {
                [value] => json!({ "field": field, "op": op, "value": written_value(value) }),
                values => {
                    let values: Vec<Json> = values.iter().map(written_value).collect();
                    json!({ "field": field, "op": op, "values": values })
                }
            }
        }
    }
}

fn written_value(value: &Value) -> Json {
    match &value.matches {
        Match::Text(text) => json!(text),
        Match::Pattern(pattern) => json!({ "pattern": pattern.to_string() }),
        Match::Regex(regex) => json!({ "regex": regex }),
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        written(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        read(&json, &Context::without_clock()).map_err(de::Error::custom)
    }
}
