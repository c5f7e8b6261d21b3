//! A filter to the condition of a WHERE clause over a view of events.

use super::build::no_time;
use super::error::{FilterError, quoted};
use super::field::Field;
use super::keys;
use super::matching::{How, Parameters, condition};
use super::number::Number;
use super::reads;
use super::resolve::{Columns, Target};
use super::span::{self, TsSpan};
use super::suggest::{close, did_you_mean};
use super::time;
use super::value::{Match, Value};
use super::{Comparison, Filter, Op, Term};
use crate::event::column::{ColumnType, FieldPath};
use crate::event::fixed::Fixed;
use crate::event::severity;
use crate::event::time::read_duration_ms;
use crate::query::sql::instant;
use crate::query::templates;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// The condition that an event is an error.
pub const IS_ERROR: &str = "(severity >= 17 OR status IN ('failure', 'failed', 'error', 'timeout'))";

/// A filter as SQL.
#[derive(Clone, Debug, PartialEq)]
pub struct Where {
    /// The condition, true for events that match. It is one expression: other conditions can be joined to it.
    pub sql: String,
    /// The values of `$p1`, `$p2`, ...
    pub parameters: Vec<(String, Json)>,
    /// The span of `ts` outside of which nothing matches, so that whole files can be left out.
    pub span: Option<TsSpan>,
    /// Values of which a matching event has one of each: pairs of a text column and a value.
    pub keys: Vec<Vec<(String, String)>>,
    /// Whether an event that has one of the values of each matches.
    pub keys_decide: bool,
    /// The stored columns that the condition reads.
    pub columns: BTreeSet<String>,
}

/// Compiles a filter over these columns.
pub fn compile(filter: &Filter, columns: &Columns<'_>) -> Result<Where, FilterError> {
    let filter = with_old_ids(filter.clone().within_limits()?, columns);
    let mut compiler = Compiler { columns, parameters: Parameters::default() };
    let sql = compiler.filter(&filter)?;
    let (keys, span) = (keys::of(&filter, columns), span::of(&filter));
    let keys_decide = keys::decide(&filter, columns);
    let columns = reads::of(&filter, columns);
    Ok(Where { sql, parameters: compiler.parameters.0, span, keys, keys_decide, columns })
}

/// The filter with all ids of each template that it names.
fn with_old_ids(filter: Filter, columns: &Columns<'_>) -> Filter {
    let Some(source) = columns.templates else { return filter };
    let is_template = |comparison: &Comparison| {
        let target = columns.resolve(&comparison.field);
        target.is_ok_and(|target| target.is_some_and(|target| target.fixed == Some(Fixed::Template)))
    };
    templates::widened(filter, source, &is_template)
}

struct Compiler<'a> {
    columns: &'a Columns<'a>,
    parameters: Parameters,
}

/// Matches nothing.
const NOTHING: &str = "FALSE";

impl Compiler<'_> {
    fn filter(&mut self, filter: &Filter) -> Result<String, FilterError> {
        match filter {
            Filter::And(parts) => self.joined(parts, " AND ", "TRUE"),
            Filter::Or(parts) => self.joined(parts, " OR ", NOTHING),
            Filter::Not(inner) => match **inner {
                // Comparisons of `ts`, which is never NULL, that row groups can be skipped by.
                Filter::Term(Term::Since(from)) => Ok(format!("ts < {}", instant(from))),
                Filter::Term(Term::Until(until)) => Ok(format!("ts >= {}", instant(until))),
                _ => Ok(format!("(({}) IS NOT TRUE)", self.filter(inner)?)),
            },
            Filter::Term(term) => self.term(term),
        }
    }

    fn joined(&mut self, parts: &[Filter], between: &str, none: &str) -> Result<String, FilterError> {
        let parts = parts.iter().map(|part| self.filter(part)).collect::<Result<Vec<_>, _>>()?;
        Ok(any_of(parts, between, none))
    }

    fn term(&mut self, term: &Term) -> Result<String, FilterError> {
        match term {
            Term::Since(from) => Ok(format!("ts >= {}", instant(*from))),
            Term::Until(until) => Ok(format!("ts < {}", instant(*until))),
            Term::Error => Ok(IS_ERROR.to_string()),
            Term::Present(field) => {
                let target = self.columns.resolve(field)?;
                Ok(target.map_or(NOTHING.into(), |target| format!("{} IS NOT NULL", target.expression)))
            }
            Term::Text(value) => {
                let Some(message) = self.columns.resolve(&Field::named("message"))? else {
                    return Ok(NOTHING.into());
                };
                Ok(self.text(&message.expression, value, How::InsideAnyCase))
            }
            Term::File(value) => Ok(self.file(value)),
            Term::Compare(comparison) => self.comparison(comparison),
        }
    }

    fn text(&mut self, expression: &str, value: &Value, how: How) -> String {
        condition(&mut self.parameters, expression, &value.matches, how)
    }

    /// A path and everything below it; below only, if it ends with a slash.
    fn file(&mut self, value: &Value) -> String {
        let paths = match &value.matches {
            Match::Text(path) if path.is_empty() || path.ends_with('/') => {
                format!("starts_with(entity_id, {})", self.parameters.bind(path.as_str()))
            }
            Match::Text(path) => {
                let itself = self.parameters.bind(path.as_str());
                let below = self.parameters.bind(format!("{path}/"));
                format!("(entity_id = {itself} OR starts_with(entity_id, {below}))")
            }
            _ => self.text("entity_id", value, How::Whole),
        };
        format!("(entity_type = 'file' AND {paths})")
    }

    fn comparison(&mut self, comparison: &Comparison) -> Result<String, FilterError> {
        let Some(target) = self.columns.resolve(&comparison.field)? else { return Ok(NOTHING.into()) };
        if target.fixed == Some(Fixed::Status) && comparison.field.word().is_some() {
            return self.status(comparison, &target);
        }
        self.values(comparison, &target)
    }

    /// A status that is a number has a column of its own.
    fn status(&mut self, comparison: &Comparison, target: &Target) -> Result<String, FilterError> {
        let is_number = |value: &Value| value.as_text().is_some_and(|text| Number::parse(text).is_some());
        let code =
            self.columns.at_path(&FieldPath::new(["status"])).filter(|code| is_numeric(code.column_type));
        match code {
            Some(code) if comparison.values.iter().all(is_number) => {
                let of_code = self.values(comparison, &code)?;
                if comparison.op != Op::Equal {
                    return Ok(of_code);
                }
                let of_text = self.values(comparison, target)?;
                Ok(format!("({of_text} OR {of_code})"))
            }
            _ => self.values(comparison, target),
        }
    }

    /// Any of the values.
    fn values(&mut self, comparison: &Comparison, target: &Target) -> Result<String, FilterError> {
        let is_plain_text = target.column_type == ColumnType::Text
            && target.stored == ColumnType::Text
            && target.fixed != Some(Fixed::Level);
        let texts: Vec<&str> = comparison.values.iter().filter_map(Value::as_text).collect();
        if is_plain_text
            && texts.len() > 1
            && texts.len() == comparison.values.len()
            && comparison.op == Op::Equal
        {
            let bound: Vec<String> = texts.into_iter().map(|text| self.parameters.bind(text)).collect();
            return Ok(format!("{} IN ({})", target.expression, bound.join(", ")));
        }
        let one = |value: &Value| self.value(comparison, target, value);
        let parts = comparison.values.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        Ok(any_of(parts, " OR ", NOTHING))
    }

    fn value(
        &mut self,
        comparison: &Comparison,
        target: &Target,
        value: &Value,
    ) -> Result<String, FilterError> {
        let expression = target.expression.as_str();
        let op = comparison.op;
        let compare = Compare { field: &comparison.field, op, value };
        match (target.fixed, &value.matches) {
            (Some(Fixed::Level), Match::Text(text)) => return self.level(&compare, text),
            (Some(Fixed::Severity), Match::Text(text)) if Number::parse(text).is_none() => {
                return compare.severity(text);
            }
            (Some(Fixed::Level), _) => return Ok(self.text(expression, value, How::WholeAnyCase)),
            _ => {}
        }
        let is_list = target.column_type.element().is_some();
        if is_list {
            return self.list(&compare, target.column_type, expression);
        }
        if target.column_type == ColumnType::Text && target.stored != ColumnType::Text {
            return self.mixed(&compare, target);
        }
        self.scalar(&compare, target.column_type, expression, target.fixed)
    }

    /// A level: a severity where it names one, else the word as written.
    fn level(&mut self, compare: &Compare<'_>, text: &str) -> Result<String, FilterError> {
        let is_number = Number::parse(text).is_some();
        match compare.op {
            Op::Equal if is_number || severity::of_level(text).is_none() => {
                Ok(self.text("level", compare.value, How::WholeAnyCase))
            }
            _ => compare.severity(text),
        }
    }

    /// Any element of a list.
    fn list(
        &mut self,
        compare: &Compare<'_>,
        list: ColumnType,
        expression: &str,
    ) -> Result<String, FilterError> {
        let element = list.element().unwrap_or(ColumnType::Text);
        if compare.op == Op::Equal && element != ColumnType::Timestamp {
            let bound = match (&compare.value.matches, element) {
                (Match::Text(text), ColumnType::Bool) => Some(Json::from(compare.truth(text)?)),
                (Match::Text(text), ColumnType::Text) => Some(Json::from(text.as_str())),
                (Match::Text(text), _) => match (compare.number(text, element, None)?, element) {
                    (Number::Whole(whole), ColumnType::Int64) => Some(Json::from(whole)),
                    (_, ColumnType::Int64) => return Ok(NOTHING.into()),
                    (number, _) => Some(Json::from(number.as_f64())),
                },
                _ => None,
            };
            if let Some(bound) = bound {
                return Ok(format!("list_contains({expression}, {})", self.parameters.bind(bound)));
            }
        }
        let inner = self.scalar(compare, element, "element", None)?;
        Ok(any_element(expression, &inner))
    }

    /// A field of mixed type, which the view shows as text.
    fn mixed(&mut self, compare: &Compare<'_>, target: &Target) -> Result<String, FilterError> {
        let expression = target.expression.as_str();
        let as_text = self.scalar(compare, ColumnType::Text, expression, None)?;
        let Match::Text(text) = &compare.value.matches else {
            return match target.stored.element() {
                None => Ok(as_text),
                Some(_) => {
                    let inner = self.scalar(compare, ColumnType::Text, "element", None)?;
                    let elements = format!("TRY_CAST({expression} AS VARCHAR[])");
                    Ok(format!("({as_text} OR {})", any_element(&elements, &inner)))
                }
            };
        };
        let number = Number::parse(text);
        let typed = match (target.stored, number) {
            (ColumnType::Timestamp, _) if time::read(text, &self.columns.context).is_ok() => self.scalar(
                compare,
                ColumnType::Timestamp,
                &format!("TRY_CAST({expression} AS TIMESTAMP)"),
                None,
            )?,
            (stored, Some(_)) if is_numeric(stored) => {
                self.scalar(compare, ColumnType::Double, &format!("TRY_CAST({expression} AS DOUBLE)"), None)?
            }
            (ColumnType::Int64List | ColumnType::DoubleList, Some(_)) => {
                self.list(compare, ColumnType::DoubleList, &format!("TRY_CAST({expression} AS DOUBLE[])"))?
            }
            (stored, _) if stored.element().is_some() => {
                self.list(compare, ColumnType::TextList, &format!("TRY_CAST({expression} AS VARCHAR[])"))?
            }
            _ => return Ok(as_text),
        };
        if compare.op == Op::Equal || target.stored.element().is_some() {
            return Ok(format!("({as_text} OR {typed})"));
        }
        Ok(typed)
    }

    fn scalar(
        &mut self,
        compare: &Compare<'_>,
        column_type: ColumnType,
        expression: &str,
        fixed: Option<Fixed>,
    ) -> Result<String, FilterError> {
        let Match::Text(text) = &compare.value.matches else {
            let shown = match column_type {
                ColumnType::Text => expression.to_string(),
                _ => format!("CAST({expression} AS VARCHAR)"),
            };
            return Ok(self.text(&shown, compare.value, How::Whole));
        };
        let sign = compare.op.sign();
        match column_type {
            ColumnType::Bool if compare.op == Op::Equal => {
                Ok(format!("{expression} = {}", self.parameters.bind(compare.truth(text)?)))
            }
            ColumnType::Bool => Err(compare.no_order()),
            ColumnType::Timestamp => compare.timestamp(expression, text, self.columns),
            ColumnType::Int8 | ColumnType::Int32 | ColumnType::Int64 => {
                let number = compare.number(text, column_type, fixed)?;
                Ok(self.whole(expression, compare.op, number))
            }
            ColumnType::Double => {
                let number = compare.number(text, column_type, fixed)?.as_f64();
                Ok(format!("{expression} {sign} {}", self.parameters.bind(number)))
            }
            _ => Ok(format!("{expression} {sign} {}", self.parameters.bind(text.as_str()))),
        }
    }

    /// Whole numbers compare with whole numbers, so that none is rounded.
    fn whole(&mut self, expression: &str, op: Op, number: Number) -> String {
        let (op, whole) = match (number, op) {
            (Number::Whole(whole), op) => (op, whole),
            (Number::Double(_), Op::Equal) => return NOTHING.to_string(),
            (Number::Double(double), op) => {
                let is_lower_bound = matches!(op, Op::Greater | Op::GreaterOrEqual);
                let rounded = if is_lower_bound { double.ceil() } else { double.floor() };
                match Number::of(rounded) {
                    Number::Whole(whole) if is_lower_bound => (Op::GreaterOrEqual, whole),
                    Number::Whole(whole) => (Op::LessOrEqual, whole),
                    // Beyond all whole numbers, on one side or the other.
                    Number::Double(_) if is_lower_bound == (double < 0.0) => {
                        return format!("{expression} IS NOT NULL");
                    }
                    Number::Double(_) => return NOTHING.to_string(),
                }
            }
        };
        format!("{expression} {} {}", op.sign(), self.parameters.bind(whole))
    }
}

/// A comparison with one value.
struct Compare<'a> {
    field: &'a Field,
    op: Op,
    value: &'a Value,
}

impl Compare<'_> {
    fn error(&self, message: String) -> FilterError {
        FilterError::new(self.value.place.0.or(self.field.place.0), message)
    }

    fn truth(&self, text: &str) -> Result<bool, FilterError> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => {
                let message = format!("`{}` is true or false, and {} is neither", self.field, quoted(text));
                Err(self.error(message).expected("`true` or `false`"))
            }
        }
    }

    fn no_order(&self) -> FilterError {
        let message = format!("`{}` is true or false, which has no order", self.field);
        self.error(message).expected(format!("`{}:true` or `{}:false`", self.field, self.field))
    }

    fn number(
        &self,
        text: &str,
        column_type: ColumnType,
        fixed: Option<Fixed>,
    ) -> Result<Number, FilterError> {
        let duration = || match fixed {
            Some(Fixed::DurationMs) => read_duration_ms(text).filter(|ms| ms.is_finite()).map(Number::of),
            _ => None,
        };
        Number::parse(text).or_else(duration).ok_or_else(|| {
            let field = self.field;
            let message = format!("`{field}` holds numbers ({column_type}), and {} is none", quoted(text));
            let error = self.error(message).expected("a number");
            let digits = text.to_ascii_lowercase();
            let lowest = digits.strip_suffix("xx").and_then(|first| first.parse::<u32>().ok());
            match (text.split_once(".."), lowest.and_then(|lowest| Some((lowest, lowest.checked_add(1)?)))) {
                (Some((from, to)), _) if !from.is_empty() && !to.is_empty() => {
                    error.suggest(format!("write `{field}>={from} {field}<={to}`"))
                }
                (_, Some((lowest, next))) => {
                    error.suggest(format!("write `{field}>={lowest}00 {field}<{next}00`"))
                }
                _ => error,
            }
        })
    }

    /// A severity by its name; a name stands for its whole range.
    fn severity(&self, text: &str) -> Result<String, FilterError> {
        let Some(least) = severity::of_level(text) else {
            let names = ["trace", "debug", "info", "notice", "warning", "error", "critical", "fatal"];
            let message = format!("{} is no severity", quoted(text));
            let error = self.error(message).expected(format!("one of {}", names.join(", ")));
            return Err(match did_you_mean(&close(text, names)) {
                Some(suggestion) => error.suggest(suggestion),
                None => error,
            });
        };
        // OpenTelemetry's names stand for four numbers each; others for one in between.
        let is_range = least.rem_euclid(4) == 1 && Number::parse(text).is_none();
        let most = if is_range { least.saturating_add(3) } else { least };
        Ok(match self.op {
            Op::Greater => format!("severity > {most}"),
            Op::GreaterOrEqual => format!("severity >= {least}"),
            Op::Less => format!("severity < {least}"),
            Op::LessOrEqual => format!("severity <= {most}"),
            _ if least == most => format!("severity = {least}"),
            _ => format!("(severity >= {least} AND severity <= {most})"),
        })
    }

    fn timestamp(&self, expression: &str, text: &str, columns: &Columns<'_>) -> Result<String, FilterError> {
        let covered = time::read(text, &columns.context)
            .map_err(|why| no_time(self.value, text, why, time::FORMS, "is no time"))?;
        let (from, until) = (instant(covered.from), instant(covered.until));
        Ok(match self.op {
            Op::Greater => format!("{expression} >= {until}"),
            Op::GreaterOrEqual => format!("{expression} >= {from}"),
            Op::Less => format!("{expression} < {from}"),
            Op::LessOrEqual => format!("{expression} < {until}"),
            _ => format!("({expression} >= {from} AND {expression} < {until})"),
        })
    }
}

fn is_numeric(column_type: ColumnType) -> bool {
    matches!(column_type, ColumnType::Int8 | ColumnType::Int32 | ColumnType::Int64 | ColumnType::Double)
}

fn any_of(mut parts: Vec<String>, between: &str, none: &str) -> String {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            parts.push(last);
            format!("({})", parts.join(between))
        }
        _ => none.to_string(),
    }
}

/// Whether the condition on `element` holds for an element of a list.
fn any_element(list: &str, condition: &str) -> String {
    format!("len(list_filter({list}, lambda element: {condition})) > 0")
}
