//! `daybook archive`: moves old days to a store of their own.

use std::path::Path;

use daybook::storage::is_bucket;
use daybook::{ArchiveReceipt, ArchiveRequest};

use crate::args::ArchiveInput;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::progress::ProgressLine;

/// Archives, or prints jobs that do it.
pub fn run(context: &Context<'_>, input: &ArchiveInput) -> Result<(), Failure> {
    let (period, to, keep) = match input {
        ArchiveInput::Schedule { to } => return print_schedule(context, to.as_deref()),
        ArchiveInput::Days { period, to, keep } => (*period, to, *keep),
    };
    let store = context.open()?;
    let progress = ProgressLine::new(context.printer, "archiving");
    let receipt = store.archive(to, &ArchiveRequest { period, keep }, &progress)?;
    drop(progress);
    store.close()?;
    if context.printer.json() {
        return context.printer.object(&receipt);
    }
    context.printer.receipt(&text(&receipt, to))
}

fn text(receipt: &ArchiveReceipt, to: &Path) -> String {
    if receipt.days == 0 {
        return "nothing to archive: there are no events of these days".to_string();
    }
    let events = human::counted(receipt.events, "event", "events");
    let days = human::counted(receipt.days, "day", "days");
    let to = to.display().to_string();
    let mut lines = vec![format!(
        "{events} of {days} are in {}, read back and compared: {} here, {} there",
        escape::visible(&to),
        human::bytes(receipt.bytes),
        human::bytes(receipt.bytes_archived),
    )];
    if receipt.events_before > 0 {
        lines.push(format!("{} were there before", human::counted(receipt.events_before, "event", "events")));
    }
    lines.push(match receipt.removed {
        0 => "they stay here, too".to_string(),
        removed => format!("{} taken out here", human::counted(removed, "event", "events")),
    });
    lines.push(receipt.head.clone());
    lines.join("\n")
}

/// The job of a quarter, a few days after its end, and again the days after: what is done is not done again.
fn print_schedule(context: &Context<'_>, to: Option<&Path>) -> Result<(), Failure> {
    let named = &context.global.store;
    let store = match is_bucket(named) {
        true => named.clone(),
        false => std::path::absolute(named).unwrap_or_else(|_| named.clone()),
    };
    let to = to.map_or_else(|| "/archive/daybook".to_string(), |to| to.display().to_string());
    let quarter = "$(date -u -d \"$(date -u +%%Y-%%m-01) -3 months\" +%%Y)Q$(( ($(date -u -d \"$(date -u +%%Y-%%m-01) -3 months\" +%%-m) + 2) / 3 ))";
    let command = format!(
        "daybook --store {} archive --quarter \"{quarter}\" --to {}",
        in_shell(&store.display().to_string()),
        in_shell(&to),
    );
    let cron = command.replace("%%", "\\%");
    let text = format!(
        "# systemd: /etc/systemd/system/daybook-archive.service\n\
         [Unit]\nDescription=Archive the last quarter\n\n[Service]\nType=oneshot\nExecStart=/bin/sh -c '{}'\n\n\
         # systemd: /etc/systemd/system/daybook-archive.timer\n\
         [Timer]\nOnCalendar=*-01,04,07,10-05..07 03:30:00 UTC\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n\n\
         # cron\n30 3 5-7 1,4,7,10 * {cron}\n",
        command.replace('\'', "'\\''").replace('$', "$$"),
    );
    let mut data = context.printer.data();
    data.write(text.as_bytes())?;
    data.finish()
}

fn in_shell(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('`', "\\`"))
}
