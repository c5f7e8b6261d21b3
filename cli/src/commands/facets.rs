//! `daybook facets`: the most frequent values of columns.

use daybook::query::analyses::{Facet, Facets};

use super::asking::ask;
use crate::args::FacetsInput;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::printer::paint;

/// Counts, and prints a list for each column.
pub fn run(context: &Context<'_>, input: &FacetsInput) -> Result<(), Failure> {
    let report = ask(context, &input.filter, |store, filter, options| {
        Ok(store.ask(&Facets { filter, by: input.by.clone(), limit: input.limit }, options)?)
    })?;
    if context.printer.json() {
        return context.printer.object(&report);
    }
    if report.facets.iter().all(|facet| facet.distinct == 0 && facet.missing == 0) {
        context.printer.note("no event matches");
        return Ok(());
    }
    let color = context.printer.stdout().color;
    let texts: Vec<String> = report.facets.iter().map(|facet| text(facet, color)).collect();
    let mut data = context.printer.styled();
    data.write(texts.join("\n").as_bytes())?;
    data.finish()
}

fn text(facet: &Facet, color: bool) -> String {
    let counts: Vec<String> = facet.values.iter().map(|value| human::count(value.count)).collect();
    let width = counts.iter().map(String::len).max().unwrap_or(0);
    let title = format!(
        "{}: {}, {} without",
        escape::visible(&facet.column),
        human::counted(facet.distinct, "value", "values"),
        human::counted(facet.missing, "event", "events"),
    );
    let mut text = format!("{}\n", paint(color, "1", &title));
    for (value, count) in facet.values.iter().zip(&counts) {
        text.push_str(&format!("  {count:>width$}  {}\n", escape::visible(&value.value)));
    }
    text
}
