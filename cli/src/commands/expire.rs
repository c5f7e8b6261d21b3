//! `daybook expire`: takes out what is old enough, or too much.

use chrono::Utc;
use daybook::query::filter::{Context as Reading, Filter};
use daybook::{ExpireReceipt, ExpireRequest};

use crate::args::ExpireInput;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::progress::ProgressLine;

/// Expires what the arguments say, or the policies of the settings.
pub fn run(context: &Context<'_>, input: &ExpireInput) -> Result<(), Failure> {
    let store = context.open()?;
    let progress = ProgressLine::new(context.printer, "expiring");
    let receipts = match input {
        ExpireInput::ByPolicy { dry_run } => store.expire_by_policy(*dry_run, &progress)?,
        ExpireInput::Chosen { filter: text, older_than_ms, max_bytes, dry_run } => {
            let zone = context.global.zone;
            let offset = move |instant_us: i64| zone.offset_at(instant_us);
            let reading = Reading::new(Utc::now().timestamp_micros()).with_zone(&offset);
            let filter = Filter::parse(text, &reading).map_err(|error| error.into_error(text))?;
            let request = ExpireRequest {
                older_than_ms: *older_than_ms,
                max_bytes: *max_bytes,
                filter,
                text: text.clone(),
                dry_run: *dry_run,
                lenient: false,
            };
            vec![store.expire(&request, &progress)?]
        }
    };
    drop(progress);
    store.close()?;
    if context.printer.json() {
        return context.printer.object(&receipts);
    }
    if receipts.is_empty() {
        return context.printer.receipt(
            "nothing expires: daybook.toml has no `[[keep.policy]]`, and no `--older-than` or `--max-size` was given",
        );
    }
    let text: Vec<String> = receipts.iter().map(text).collect();
    context.printer.receipt(&text.join("\n"))
}

/// What expired, in sentences.
pub fn text(receipt: &ExpireReceipt) -> String {
    let which = match receipt.filter.as_str() {
        "" => String::new(),
        filter => format!(" of `{}`", escape::visible(filter)),
    };
    if receipt.expired == 0 {
        return format!("nothing{which} is old enough, or too much");
    }
    let (verb, about) = if receipt.dry_run { ("would expire", "about ") } else { ("expired", "") };
    let days = match (receipt.from_day, receipt.to_day) {
        (Some(from), Some(to)) if from == to => format!(" of {from}"),
        (Some(from), Some(to)) => format!(" of {from} to {to}"),
        _ => String::new(),
    };
    let stay = if receipt.dry_run { "" } else { "\nfiles go when no version that can be read needs them" };
    format!(
        "{}{which} {verb}{days}\nbefore: {} in {}\nafter: {} in {about}{}{stay}",
        human::counted(receipt.expired, "event", "events"),
        human::counted(receipt.events_before, "event", "events"),
        human::bytes(receipt.bytes_before),
        human::counted(receipt.events_after, "event", "events"),
        human::bytes(receipt.bytes_after),
    )
}
