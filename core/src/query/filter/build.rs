//! What a name, an operator and values mean: aliases, times, entities.

use super::error::{FilterError, quoted};
use super::field::Field;
use super::lexer::{Cursor, Ends};
use super::time::{self, Context, Covered, Unread};
use super::value::{Match, Value};
use super::{Comparison, Filter, Op, Term};

/// Other names of fixed columns; they beat columns of these names, which are reached in quotes.
pub(super) const ALIASES: [(&str, &str); 5] =
    [("type", "kind"), ("user", "actor"), ("text", "message"), ("trace", "trace_id"), ("id", "event_id")];

/// Names that are no fields.
pub(super) const SPECIAL: [&str; 8] = ["since", "until", "last", "day", "file", "entity", "is", "error"];

/// Whether a slash at the beginning of a value is a path's.
pub(super) fn takes_paths(field: &Field) -> bool {
    ["file", "since", "until", "last", "day"].iter().any(|name| field.is(name))
}

/// The filter that a comparison means.
pub(super) fn comparison(
    field: Field,
    op: Op,
    values: Vec<Value>,
    context: &Context<'_>,
) -> Result<Filter, FilterError> {
    if values.is_empty() {
        let error = FilterError::new(field.place.0, format!("`{field}` is compared with nothing"));
        return Err(error.expected("a value"));
    }
    let field = aliased(field);
    if op == Op::Unequal {
        return Ok(comparison(field, Op::Equal, values, context)?.negated());
    }
    check_values(op, &values)?;
    let name = field.word().unwrap_or_default().to_ascii_lowercase();
    match name.as_str() {
        "since" | "until" | "last" => bound(&name, op, &values, context),
        "day" => day(op, &values, context),
        "ts" if values.iter().all(|value| value.as_text().is_some()) => instants(op, &values, context),
        "file" => file(op, values),
        "entity" => entity_of_text(op, &values),
        "is" => is(op, &values),
        "error" if values.len() == 1 && truth(values.first()).is_some() => {
            let errors = Filter::errors();
            Ok(if truth(values.first()) == Some(true) { errors } else { errors.negated() })
        }
        _ => Ok(plain(field, op, values)),
    }
}

/// The field with its alias replaced.
pub(super) fn aliased(field: Field) -> Field {
    let Some((_, column)) = ALIASES.iter().find(|(alias, _)| field.is(alias)) else { return field };
    let mut named = Field::named(column);
    named.place = field.place;
    named
}

/// Only equality takes several values, patterns or regexes.
fn check_values(op: Op, values: &[Value]) -> Result<(), FilterError> {
    if op.is_equality() {
        return Ok(());
    }
    let sign = op.sign();
    if let Some(second) = values.get(1) {
        let error = FilterError::new(second.place.0, format!("`{sign}` compares with one value"));
        return Err(error.suggest("only `:`, `=` and `!=` take several; put a value with commas in quotes"));
    }
    let not_text = values.iter().find(|value| value.as_text().is_none());
    not_text.map_or(Ok(()), |value| {
        let error =
            FilterError::new(value.place.0, format!("`{sign}` compares with neither patterns nor regexes"));
        Err(error
            .suggest("write `:` before a pattern or a regex; put `*` or `?` in quotes if they are meant"))
    })
}

/// The comparison of a column or a field.
fn plain(field: Field, op: Op, mut values: Vec<Value>) -> Filter {
    if values.len() == 1 && values.iter().all(Value::is_any) {
        return Filter::Term(Term::Present(field));
    }
    if op == Op::Has && field.is("message") {
        return Filter::or(values.drain(..).map(|value| Filter::Term(Term::Text(value))).collect());
    }
    let op = if op == Op::Has { Op::Equal } else { op };
    Filter::Term(Term::Compare(Comparison { field, op, values }))
}

fn truth(value: Option<&Value>) -> Option<bool> {
    match value?.as_text()?.to_ascii_lowercase().as_str() {
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

/// `since`, `until`, `last`: one time each.
fn bound(name: &str, op: Op, values: &[Value], context: &Context<'_>) -> Result<Filter, FilterError> {
    let first = values.first();
    let place = first.and_then(|value| value.place.0);
    if !op.is_equality() {
        let error = FilterError::new(place, format!("`{name}` takes no `{}`", op.sign()));
        return Err(error.suggest(format!("write `{name}:...`, or `ts{}...`", op.sign())));
    }
    let forms = if name == "last" { time::LENGTHS } else { time::FORMS };
    let (Some(value), [_]) = (first, values) else {
        let error = FilterError::new(
            values.get(1).and_then(|second| second.place.0),
            format!("`{name}` takes one time"),
        );
        return Err(error.expected(forms));
    };
    let text = text_of(value, forms)?;
    if name == "last" {
        if time::read_length(text).is_none() {
            return Err(no_time(value, text, Unread::NoTime, forms, "is no length of time"));
        }
        return Ok(Filter::since(read(value, text, context)?.from));
    }
    let covered = read(value, text, context)?;
    Ok(if name == "since" { Filter::since(covered.from) } else { Filter::until(covered.from) })
}

/// Comparisons of `ts`, which are bounds.
fn instants(op: Op, values: &[Value], context: &Context<'_>) -> Result<Filter, FilterError> {
    let spans = values.iter().map(|value| {
        let covered = read(value, text_of(value, time::FORMS)?, context)?;
        Ok(within(op, covered))
    });
    Ok(Filter::or(spans.collect::<Result<_, FilterError>>()?))
}

/// What compares so with a day or an instant.
fn within(op: Op, covered: Covered) -> Filter {
    match op {
        Op::Greater => Filter::since(covered.until),
        Op::GreaterOrEqual => Filter::since(covered.from),
        Op::Less => Filter::until(covered.from),
        Op::LessOrEqual => Filter::until(covered.until),
        Op::Has | Op::Equal | Op::Unequal => {
            Filter::and(vec![Filter::since(covered.from), Filter::until(covered.until)])
        }
    }
}

const DAYS: &str = "a day such as 2026-02-03, today or yesterday, or days such as 2026-02-01..2026-02-05";

fn day(op: Op, values: &[Value], context: &Context<'_>) -> Result<Filter, FilterError> {
    if values.len() == 1 && values.iter().all(Value::is_any) {
        return Ok(Filter::all());
    }
    let days = values.iter().map(|value| {
        let text = text_of(value, DAYS)?;
        let read = |part: &str| {
            let unread = |why| no_time(value, part, why, DAYS, "is no day");
            time::read_day(part, context).map_err(unread)
        };
        match text.split_once("..") {
            Some((first, last)) if op.is_equality() => {
                let (first, last) = (read(first)?, read(last)?);
                if last.from < first.from {
                    let error =
                        FilterError::new(value.place.0, format!("{} ends before it begins", quoted(text)));
                    return Err(error.expected("the earlier day first"));
                }
                Ok(within(Op::Equal, Covered { from: first.from, until: last.until }))
            }
            _ => Ok(within(op, read(text)?)),
        }
    });
    Ok(Filter::or(days.collect::<Result<_, FilterError>>()?))
}

fn text_of<'a>(value: &'a Value, forms: &str) -> Result<&'a str, FilterError> {
    let error = || FilterError::new(value.place.0, "a time is neither a pattern nor a regex").expected(forms);
    value.as_text().ok_or_else(error)
}

fn read(value: &Value, text: &str, context: &Context<'_>) -> Result<Covered, FilterError> {
    time::read(text, context).map_err(|why| no_time(value, text, why, time::FORMS, "is no time"))
}

/// The error of a text that is no time.
pub(super) fn no_time(value: &Value, text: &str, why: Unread, forms: &str, what: &str) -> FilterError {
    let text = quoted(text);
    match why {
        Unread::NoTime => FilterError::new(value.place.0, format!("{text} {what}")).expected(forms),
        Unread::NoClock => {
            FilterError::new(value.place.0, format!("{text} needs a clock, and there is none here"))
                .expected("a day or an instant")
        }
    }
}

/// Files at or below paths.
fn file(op: Op, values: Vec<Value>) -> Result<Filter, FilterError> {
    if !op.is_equality() {
        let place = values.first().and_then(|value| value.place.0);
        let error = FilterError::new(place, format!("`file` takes no `{}`", op.sign()));
        return Err(error.suggest("write `file:api/`"));
    }
    let one = |value: Value| match value.matches {
        Match::Regex(_) => entity(Value::text("file"), value),
        _ => Filter::Term(Term::File(value)),
    };
    Ok(Filter::or(values.into_iter().map(one).collect()))
}

/// Events about an entity.
pub(super) fn entity(entity_type: Value, id: Value) -> Filter {
    let part = |column: &str, value: Value| plain(Field::named(column), Op::Equal, vec![value]);
    Filter::and(vec![part("entity_type", entity_type), part("entity_id", id)])
}

/// Any entity.
pub(super) fn entity_present(op: Op, at: usize) -> Result<Filter, FilterError> {
    equal_or_not(op, at, Filter::Term(Term::Present(Field::named("entity_id"))))
}

pub(super) fn entity_comparison(
    op: Op,
    entity_type: Value,
    id: Value,
    at: usize,
) -> Result<Filter, FilterError> {
    equal_or_not(op, at, entity(entity_type, id))
}

fn equal_or_not(op: Op, at: usize, filter: Filter) -> Result<Filter, FilterError> {
    match op {
        Op::Unequal => Ok(filter.negated()),
        Op::Has | Op::Equal => Ok(filter),
        _ => {
            let error = FilterError::new(Some(at), format!("`entity` takes no `{}`", op.sign()));
            Err(error.suggest("write `entity:TYPE:ID`"))
        }
    }
}

/// An entity that is one text, as flags and JSON give it.
fn entity_of_text(op: Op, values: &[Value]) -> Result<Filter, FilterError> {
    let mut entities = Vec::with_capacity(values.len());
    for value in values {
        let parts = value.as_text().and_then(|text| text.split_once(':'));
        let parts = parts.filter(|(entity_type, id)| !entity_type.is_empty() && !id.is_empty());
        let Some((entity_type, id)) = parts else {
            let error = FilterError::new(value.place.0, "an entity is its type and its id");
            return Err(error.expected("`TYPE:ID`"));
        };
        entities.push(entity(Value::text(entity_type), Value::text(id)));
    }
    equal_or_not(op, 0, Filter::or(entities))
}

fn is(op: Op, values: &[Value]) -> Result<Filter, FilterError> {
    match values {
        [value] if op.is_equality() && value.as_text() == Some("error") => Ok(Filter::errors()),
        _ => {
            let place = values.first().and_then(|value| value.place.0);
            let error =
                FilterError::new(place, "`is` knows `error` only").expected("`is:error` or `-is:error`");
            Err(error.suggest("a column of this name is reached in quotes: `\"is\":...`"))
        }
    }
}

/// The filter of a flag.
pub(super) fn flag(name: &str, text: &str, context: &Context<'_>) -> Result<Filter, FilterError> {
    let field = aliased(Field::parse(name)?);
    let one = ["message", "since", "until", "last", "entity"].iter().any(|single| field.is(single));
    let mut cursor = Cursor::new(text);
    let mut values = Vec::new();
    loop {
        let matches = match cursor.peek() {
            _ if field.is("entity") => Match::Text(text.to_string()),
            _ => cursor.bare(if one { Ends::Never } else { Ends::Comma }),
        };
        values.push(Value::new(matches));
        if field.is("entity") || !cursor.take(",") {
            break;
        }
    }
    if values.iter().any(|value| value.as_text() == Some("")) {
        let error = FilterError::new(None, format!("there is an empty value for `{name}`"));
        return Err(error.expected("a value"));
    }
    comparison(field, Op::Has, values, context)?.within_limits()
}
