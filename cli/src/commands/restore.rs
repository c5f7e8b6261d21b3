//! `daybook restore`: brings days of an archive back.

use daybook::RestoreReceipt;

use crate::args::RestoreInput;
use crate::context::Context;
use crate::failure::Failure;
use crate::human;
use crate::progress::ProgressLine;

/// Restores, and says how much.
pub fn run(context: &Context<'_>, input: &RestoreInput) -> Result<(), Failure> {
    let store = context.open()?;
    let progress = ProgressLine::new(context.printer, "restoring");
    let receipt = store.restore(&input.from, input.period, &progress)?;
    drop(progress);
    store.close()?;
    if context.printer.json() {
        return context.printer.object(&receipt);
    }
    context.printer.receipt(&text(&receipt))
}

fn text(receipt: &RestoreReceipt) -> String {
    let events = human::counted(receipt.events, "event", "events");
    let mut lines = vec![format!("{events} of {} came back", human::counted(receipt.days, "day", "days"))];
    if receipt.events_before > 0 {
        lines.push(format!("{} are here already", human::counted(receipt.events_before, "event", "events")));
    }
    if receipt.events_erased > 0 {
        let events = human::counted(receipt.events_erased, "event", "events");
        lines.push(format!("{events} were erased here, and stay away"));
    }
    lines.join("\n")
}
