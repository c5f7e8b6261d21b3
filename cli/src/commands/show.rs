//! `daybook show`: one event with all that it has.

use daybook::query::analyses::Show;
use daybook::{Error, ErrorKind};
use serde_json::{Map, Value};

use super::asking::ask;
use super::events;
use crate::args::{FilterInput, ShowInput, Zone};
use crate::context::Context;
use crate::failure::Failure;
use crate::printer::paint;

/// Asks, and prints a line for each column.
pub fn run(context: &Context<'_>, input: &ShowInput) -> Result<(), Failure> {
    let id = &input.id;
    let show = Show { id: id.clone() };
    let all = FilterInput::of_text("", input.limits);
    let report = ask(context, &all, |store, _, options| Ok(store.show(&show, options)?))?;
    if report.events.is_empty() {
        let message = format!("there is no event with the seq or event_id `{id}`");
        return Err(Error::new(ErrorKind::NotFound, message).into());
    }
    if context.printer.json() {
        return context.printer.object(&report);
    }
    let color = context.printer.stdout().color;
    let texts: Vec<String> =
        report.events.iter().map(|event| text(event, context.global.zone, color)).collect();
    let mut data = context.printer.styled();
    data.write(texts.join("\n").as_bytes())?;
    data.finish()
}

fn text(event: &Map<String, Value>, zone: Zone, color: bool) -> String {
    let width = event.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): (&String, &Value)| {
        let label = format!("{:<width$}", crate::escape::visible(name));
        format!("{}  {}\n", paint(color, "1", &label), events::text(name, value, zone))
    };
    event.iter().map(line).collect()
}
