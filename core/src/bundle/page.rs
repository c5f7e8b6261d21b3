//! Events in a page: the SQL that makes DuckDB's tables of them, and what questions about them need.

use super::ask::Ask;
use super::decode::{in_memory_type, rest_column};
use super::manifest::Manifest;
use super::needs::Needs;
use super::plan::Plan;
use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::Catalogue;
use crate::event::column::{Column, ColumnType, TableSchema};
use crate::event::fixed::Fixed;
use crate::event::time::day_start_us;
use crate::mine::Dictionary;
use crate::query::analyses::{ChainHead, Request, Scope};
use crate::query::failed::{self, Names};
use crate::query::filter::{Columns, Context, Filter};
use crate::query::sql::{identifier, literal, stored_type};
use crate::query::view::{MixedField, UTC_CLOCK, ViewParts, create_view_in_memory};
use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{Field, Schema};
use serde_json::Value as Json;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// The table of stored events; no column nor table of a user's is named so.
pub(super) const STORED: &str = "stored events";
/// The schema of the table that stands for the events while a query is planned.
const PLANS: &str = "plan";

/// Events that a page asks about.
#[derive(Debug)]
pub struct Page {
    catalogue: Catalogue,
    mixed: Vec<MixedField>,
    templates: Dictionary,
    span: Option<(i64, i64)>,
    /// The days that have events, and how many.
    days: Vec<(i64, u64)>,
    /// The head of the chain of the store that they are of.
    head: Option<ChainHead>,
}

impl Page {
    /// The events of a bundle.
    pub fn of(manifest: &Manifest) -> Result<Page> {
        let days =
            manifest.files.iter().map(|file| (crate::event::time::day_start_us(file.day), file.stored.rows));
        let page = Page::new(manifest.catalogue()?, manifest.templates()?, manifest.span(), days.collect());
        Ok(Page { head: Some(manifest.source.head.clone()), ..page })
    }

    /// Events that are known by their columns, templates, and times.
    pub fn new(
        catalogue: Catalogue,
        templates: Dictionary,
        span: Option<(i64, i64)>,
        mut days: Vec<(i64, u64)>,
    ) -> Page {
        days.sort_unstable();
        days.dedup_by(|next, day| {
            let is_same = next.0 == day.0;
            if is_same {
                day.1 = day.1.saturating_add(next.1);
            }
            is_same
        });
        Page { mixed: MixedField::of(&catalogue), catalogue, templates, span, days, head: None }
    }

    /// The columns.
    pub fn schema(&self) -> &TableSchema {
        self.catalogue.schema()
    }

    /// The templates of messages.
    pub fn templates(&self) -> &Dictionary {
        &self.templates
    }

    /// The head of the hash chain of the store that they are of, when they were taken from it.
    pub fn head(&self) -> Option<&ChainHead> {
        self.head.as_ref()
    }

    /// The first and the last instant of the events, if there are any.
    pub fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    /// The days that have events, the oldest first: when each begins, and how many events it has.
    pub fn days(&self) -> &[(i64, u64)] {
        &self.days
    }

    /// The statements that an empty DuckDB begins with. After them comes the table [`Page::planned`], then [`Page::views`],
    /// then for the connection that plans [`Page::planning`], and last [`Page::sealing`].
    pub fn setup(&self) -> Vec<String> {
        let mut statements: Vec<String> =
            ["SET autoinstall_known_extensions = false", "SET autoload_known_extensions = false"]
                .map(str::to_string)
                .to_vec();
        statements
            .extend(UTC_CLOCK.split(';').map(|one| one.trim().to_string()).filter(|one| !one.is_empty()));
        statements.push(format!("CREATE SCHEMA {PLANS}"));
        statements
    }

    /// The table that stands for the events while a query is planned: its schema, its name and its rows. They have null, the
    /// least and the greatest value of each column, so that no condition can be ruled out without looking.
    pub fn planned(&self) -> Result<(&'static str, &'static str, RecordBatch)> {
        let columns = self.stored_columns();
        let fields = columns.iter().map(|(name, kind)| Field::new(name, in_memory_type(*kind), true));
        let arrays = columns.iter().map(|(_, kind)| extremes(*kind)).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), arrays);
        let failed = |error| Error::new(ErrorKind::Internal, "no table to plan with").with_source(error);
        Ok((PLANS, STORED, batch.map_err(failed)?))
    }

    /// The statements that make the views: of the table that queries are planned over, and of no rows.
    pub fn views(&self) -> Vec<String> {
        let table = format!("{PLANS}.{}", identifier(STORED));
        vec![self.view(PLANS, &table), self.view_of_some("main", None)]
    }

    /// The statement for the connection that plans.
    pub fn planning(&self) -> String {
        format!("SET search_path = '{PLANS},main'")
    }

    /// The statements after which nothing outside of DuckDB can be reached, and no setting changed.
    pub fn sealing(&self) -> Vec<String> {
        ["SET enable_external_access = false", "SET lock_configuration = true"].map(str::to_string).to_vec()
    }

    /// The statement that makes `events` of a table in memory with some of the columns of [`Page::needed`]; of no rows
    /// without a table.
    pub fn view_of_some(&self, schema: &str, loaded: Option<(&str, &[String])>) -> String {
        let (table, present) = loaded.unwrap_or_default();
        let present: HashSet<&str> = present.iter().map(String::as_str).collect();
        let column = |(name, kind): &(String, ColumnType)| match present.contains(name.as_str()) {
            true => identifier(name),
            false => format!("NULL::{} AS {}", shown_type(*kind), identifier(name)),
        };
        let columns: Vec<String> = self.stored_columns().iter().map(column).collect();
        let from = match loaded {
            Some(_) => format!(" FROM {}", identifier(table)),
            None => " WHERE false".to_string(),
        };
        self.view(schema, &format!("(SELECT {}{from})", columns.join(", ")))
    }

    fn view(&self, schema: &str, source: &str) -> String {
        let columns = self.schema().columns();
        let parts = ViewParts {
            name: "events",
            columns,
            files: &[],
            encrypted: &[],
            copies: &[],
            held: Some(source),
            mixed: &self.mixed,
        };
        let view = create_view_in_memory(&parts, &rest_column);
        view.replacen("VIEW events AS", &format!("VIEW {schema}.events AS"), 1)
    }

    /// The columns of the stored table: those of the table, and those with what `rest` has of fields of mixed type.
    fn stored_columns(&self) -> Vec<(String, ColumnType)> {
        let stored = self.schema().columns().iter().map(|column| (column.name.clone(), column.column_type));
        let in_rest = self.mixed.iter().map(|field| (rest_column(&field.column), ColumnType::Text));
        stored.chain(in_rest).collect()
    }

    /// Whether a column is read as it is stored.
    pub fn is_plain(&self, column: &str) -> bool {
        let is_stored = self.schema().by_name(column).is_some_and(|known| known.name == column);
        is_stored && !self.mixed.iter().any(|field| field.column == column)
    }

    /// What a question needs that reads all rows of some columns, as far as there are such columns.
    pub fn plan_of(&self, columns: &[String]) -> Plan {
        let names = self.stored_columns().into_iter().map(|(name, _)| name);
        Plan { reads: true, columns: names.filter(|name| columns.contains(name)).collect(), span: None }
    }

    /// What an error of DuckDB's means for who asked.
    pub fn explain(&self, text: &str) -> Error {
        let tables = vec!["events", "templates"];
        let mut names = Names { tables, listed_by: "`store.about.columns`", ..Names::default() };
        names.add(self.schema().columns());
        names.columns.extend(["recorded_at", "day"].map(str::to_string));
        failed::explain(text, &names)
    }

    /// What a query reads, from its plan; everything if the plan says nothing.
    pub fn plan(&self, explained: &str) -> Plan {
        let names: Vec<String> = self.stored_columns().into_iter().map(|(name, _)| name).collect();
        Plan::read(explained, &names).unwrap_or_else(|| Plan {
            reads: true,
            columns: names.into_iter().collect(),
            span: None,
        })
    }

    /// The stored columns and the fields of mixed type that have to be decoded for columns of [`Page::plan`], and `seq`
    /// if there are none: rows are to be counted.
    pub fn needed(&self, wanted: &BTreeSet<String>) -> Result<(TableSchema, Vec<MixedField>)> {
        let is_wanted =
            |name: &str| wanted.contains(name) || (wanted.is_empty() && name == Fixed::Seq.name());
        let fields: Vec<MixedField> =
            self.mixed.iter().filter(|field| wanted.contains(&rest_column(&field.column))).cloned().collect();
        let is_field = |column: &Column| fields.iter().any(|field| field.column == column.name);
        let columns =
            self.schema().columns().iter().filter(|column| is_wanted(&column.name) || is_field(column));
        let columns = columns.cloned().collect::<Vec<_>>();
        // A field of lists may be read from `rest` alone, and `rest` is no column of its own then.
        if columns.is_empty() {
            return Err(Error::new(ErrorKind::Internal, "a query reads columns that are not there"));
        }
        Ok((TableSchema::of(columns)?, fields))
    }

    /// The names of the columns that a table of [`Page::needed`] has, in order.
    pub fn names(&self, columns: &TableSchema, fields: &[MixedField]) -> Vec<String> {
        let stored = columns.columns().iter().map(|column| column.name.clone());
        stored.chain(fields.iter().map(|field| rest_column(&field.column))).collect()
    }

    /// The names of all columns of the stored table, in order.
    pub fn all_names(&self) -> Vec<String> {
        self.names(self.schema(), &self.mixed)
    }

    /// What files must have for a filter, and its SQL with its values. A lenient one matches nothing by a field that no event has.
    pub fn filter(&self, text: &str, now_us: i64, lenient: bool) -> Result<(String, Needs)> {
        let context = Context::new(now_us);
        let filter = Filter::parse(text, &context).map_err(|error| error.into_error(text))?;
        self.scoped(now_us, text, lenient, |scope| {
            let condition = scope.condition(&filter)?;
            let needs = Needs { span: condition.span, keys: condition.keys, ..Needs::default() };
            Ok((with_values(&condition.sql, &condition.parameters)?, needs))
        })
    }

    /// Begins to answer a request in its JSON form.
    pub fn ask(&self, request: Json, now_us: i64, lenient: bool) -> Result<Ask> {
        let text = request.get("filter").and_then(Json::as_str).unwrap_or_default().to_string();
        Ok(Ask::new(Request::from_json(request, &Context::new(now_us))?, now_us, text, lenient))
    }

    pub(super) fn scoped<T>(
        &self,
        now_us: i64,
        text: &str,
        lenient: bool,
        ask: impl FnOnce(&Scope<'_>) -> Result<T>,
    ) -> Result<T> {
        let columns = Columns {
            schema: self.schema(),
            mixed: &self.mixed,
            context: Context::new(now_us),
            lenient,
            templates: Some(&self.templates),
        };
        ask(&Scope { columns, now_us, span: self.span, text })
    }
}

/// A value of a parameter as SQL.
pub fn value_sql(value: &Json) -> Result<String> {
    Ok(match value {
        Json::Null => "NULL".to_string(),
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => literal(text),
        Json::Array(values) if values.iter().all(|value| !value.is_array() && !value.is_object()) => {
            let values = values.iter().map(value_sql).collect::<Result<Vec<_>>>()?;
            format!("[{}]", values.join(", "))
        }
        _ => {
            return Err(Error::new(
                ErrorKind::Invalid,
                "a parameter is a text, a number, a truth value or a list of these",
            ));
        }
    })
}

/// SQL with values in the place of its parameters. What stands in quotes is no parameter.
fn with_values(sql: &str, parameters: &[(String, Json)]) -> Result<String> {
    let mut written = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some((before, from)) = rest.find(['\'', '"', '$']).and_then(|at| rest.split_at_checked(at)) {
        written.push_str(before);
        let (part, after) = if let Some(named) = from.strip_prefix('$') {
            let end = named.find(|char: char| !char.is_ascii_alphanumeric() && char != '_');
            let (name, after) = named.split_at_checked(end.unwrap_or(named.len())).unwrap_or((named, ""));
            let value = parameters.iter().find(|(one, _)| one == name).map(|(_, value)| value_sql(value));
            (value.transpose()?.unwrap_or_else(|| format!("${name}")), after)
        } else {
            let mark = if from.starts_with('"') { '"' } else { '\'' };
            let end = from.char_indices().skip(1).find(|(_, char)| *char == mark);
            let end = end.map_or(from.len(), |(at, _)| at.saturating_add(1));
            let (quoted, after) = from.split_at_checked(end).unwrap_or((from, ""));
            (quoted.to_string(), after)
        };
        written.push_str(&part);
        rest = after;
    }
    written.push_str(rest);
    Ok(written)
}

/// DuckDB's type of a column in memory: instants are in UTC, without a zone.
fn shown_type(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Timestamp => "TIMESTAMP",
        ColumnType::TimestampList => "TIMESTAMP[]",
        other => stored_type(other),
    }
}

/// No value, the least and the greatest one; no values of lists, which no condition is ruled out by.
fn extremes(column_type: ColumnType) -> ArrayRef {
    let day = |year| chrono::NaiveDate::from_ymd_opt(year, 12, 31).map(day_start_us);
    match column_type {
        ColumnType::Bool => Arc::new(BooleanArray::from(vec![None, Some(false), Some(true)])),
        ColumnType::Int8 => Arc::new(Int8Array::from(vec![None, Some(i8::MIN), Some(i8::MAX)])),
        ColumnType::Int32 => Arc::new(Int32Array::from(vec![None, Some(i32::MIN), Some(i32::MAX)])),
        ColumnType::Int64 => Arc::new(Int64Array::from(vec![None, Some(i64::MIN), Some(i64::MAX)])),
        ColumnType::Double => {
            Arc::new(Float64Array::from(vec![None, Some(f64::NEG_INFINITY), Some(f64::NAN)]))
        }
        ColumnType::Text => {
            let most = char::MAX.to_string().repeat(8);
            Arc::new(StringArray::from(vec![None, Some(""), Some(most.as_str())]))
        }
        ColumnType::Timestamp => Arc::new(TimestampMicrosecondArray::from(vec![None, day(0), day(9999)])),
        other => new_null_array(&in_memory_type(other), 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_place_of_parameters() {
        let parameters = [("p1".to_string(), Json::from("it's $p2")), ("p2".to_string(), Json::from(7))];
        for (sql, expected) in [
            ("kind = $p1 AND n > $p2", "kind = 'it''s $p2' AND n > 7"),
            ("\"a$p1\" = '$p2''$p1' OR x = $p2", "\"a$p1\" = '$p2''$p1' OR x = 7"),
            ("n IN ($p2,$p2) AND $p22", "n IN (7,7) AND $p22"),
            ("TRUE", "TRUE"),
        ] {
            assert_eq!(with_values(sql, &parameters).unwrap(), expected);
        }
    }
}
