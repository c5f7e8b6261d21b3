//! `daybook schema`: the columns of the events.

use daybook::{ColumnReport, SchemaReport};

use super::asking::ask;
use crate::args::{FilterInput, LimitsInput};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::table::{self, Column, Look, Text};

/// How many of the fields without a column are named.
const NAMED: usize = 20;

/// Prints the columns.
pub fn run(context: &Context<'_>, limits: LimitsInput) -> Result<(), Failure> {
    let all = FilterInput::of_text("", limits);
    let report = ask(context, &all, |store, _, options| Ok(store.schema(options)?))?;
    if context.printer.json() {
        return context.printer.object(&report);
    }
    let columns = [
        Column::text("column"),
        Column::text("path"),
        Column::text("type"),
        Column::number("events"),
        Column::number("share"),
        Column::number("distinct ≈"),
        Column::text("example"),
    ];
    let rows: Vec<Vec<Text>> = report.columns.iter().map(row).collect();
    let look = Look { width: context.printer.width(), color: context.printer.stdout().color };
    let mut data = context.printer.styled();
    data.write(table::render(&columns, &rows, look).as_bytes())?;
    data.finish()?;
    if let Some(sampled) = report.sampled {
        context.printer.note(&format!(
            "distinct values and examples are of {}, spread over all {}; events and share are of all",
            human::counted(sampled, "event", "events"),
            human::count(report.events)
        ));
    }
    if let Some(note) = beyond_the_limit(&report) {
        context.printer.note(&note);
    }
    Ok(())
}

fn row(column: &ColumnReport) -> Vec<Text> {
    let visible = |text: &str| escape::visible(text).into_owned();
    let column_type = match &column.read_as {
        Some(read_as) => format!("{} (read as {read_as})", column.column_type),
        None => column.column_type.clone(),
    };
    vec![
        Some(visible(&column.name)),
        Some(column.path.as_deref().map(visible).unwrap_or_default()),
        Some(column_type),
        Some(human::count(column.events)),
        Some(human::share(column.share)),
        Some(human::count(column.distinct)),
        column.example.as_deref().map(visible),
    ]
}

fn beyond_the_limit(report: &SchemaReport) -> Option<String> {
    if report.in_rest.is_empty() {
        return None;
    }
    let named: Vec<String> = report.in_rest.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = report.in_rest.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!(
        "The table has its {} columns; these fields have none and are in `rest`: {}{more}",
        report.limit,
        named.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_says_how_it_is_read() {
        let column = ColumnReport {
            name: "a\u{7}".to_string(),
            path: None,
            column_type: "int64".to_string(),
            read_as: Some("double".to_string()),
            events: 1234,
            share: 0.5,
            distinct: 7,
            example: None,
        };
        let texts: Vec<String> = row(&column).into_iter().map(Option::unwrap_or_default).collect();
        assert_eq!(texts, ["a\\u0007", "", "int64 (read as double)", "1,234", "50.0 %", "7", ""]);
    }

    #[test]
    fn fields_past_the_limit_are_named() {
        let report = |count: usize| SchemaReport {
            events: 3,
            sampled: None,
            columns: Vec::new(),
            limit: 1000,
            in_rest: (0..count).map(|number| format!("k{number}")).collect(),
        };
        assert_eq!(beyond_the_limit(&report(0)), None);
        assert_eq!(
            beyond_the_limit(&report(2)).as_deref(),
            Some("The table has its 1000 columns; these fields have none and are in `rest`: `k0`, `k1`")
        );
        assert!(beyond_the_limit(&report(25)).is_some_and(|note| note.ends_with("`k19` and 5 more")));
    }
}
