//! `daybook maintain`: all upkeep in one call, once or again and again.

use std::time::{Duration, Instant};

use daybook::{ErrorKind, MaintainReceipt, Store};

use super::{compact, expire};
use crate::args::MaintainInput;
use crate::context::Context;
use crate::failure::Failure;
use crate::human;
use crate::interrupt;
use crate::progress::ProgressLine;

/// How often Ctrl-C is looked for while nothing is to be done.
const PAUSE: Duration = Duration::from_millis(200);

/// Looks after the store, and says what was done.
pub fn run(context: &Context<'_>, input: &MaintainInput) -> Result<(), Failure> {
    let store = context.open()?;
    let Some(every) = input.every else {
        let receipt = once(context, &store, input.dry_run)?;
        store.close()?;
        return tell(context, &receipt);
    };
    loop {
        let started = Instant::now();
        match once(context, &store, false) {
            Ok(receipt) if receipt.is_idle() => {}
            Ok(receipt) => tell(context, &receipt)?,
            // Another one is at work; that is as good.
            Err(Failure::Error(error)) if error.kind() == ErrorKind::Busy => {
                context.printer.detail(error.message());
            }
            Err(failure) => return Err(failure),
        }
        while started.elapsed() < every {
            interrupt::check()?;
            std::thread::sleep(PAUSE);
        }
    }
}

fn once(context: &Context<'_>, store: &Store, dry_run: bool) -> Result<MaintainReceipt, Failure> {
    interrupt::check()?;
    let progress = ProgressLine::new(context.printer, "maintaining");
    Ok(store.maintain(dry_run, &progress)?)
}

fn tell(context: &Context<'_>, receipt: &MaintainReceipt) -> Result<(), Failure> {
    if context.printer.json() {
        return context.printer.object(receipt);
    }
    context.printer.receipt(&text(receipt))
}

/// What was done, or would be, in sentences.
pub fn text(receipt: &MaintainReceipt) -> String {
    if receipt.is_idle() {
        return "nothing to do".to_string();
    }
    let mut lines = Vec::new();
    if receipt.sealed > 0 {
        let events = human::counted(receipt.sealed, "event", "events");
        let what = if receipt.dry_run { "would go" } else { "went" };
        lines.push(format!("{events} {what} from the write-ahead log to data files"));
    }
    let expired = receipt.expired.iter().filter(|expired| expired.expired > 0);
    lines.extend(expired.map(expire::text));
    if let Some(archived) = receipt.archived.as_ref().filter(|archived| archived.days > 0) {
        let events = human::counted(archived.events, "event", "events");
        let days = human::counted(archived.days, "day", "days");
        let size = human::bytes(archived.bytes);
        lines.push(match (receipt.dry_run, archived.removed) {
            (true, _) => format!("{events} of {days} ({size}) would be archived"),
            (false, 0) => format!("{events} of {days} ({size}) are in the archive, and stay here, too"),
            (false, _) => format!("{events} of {days} ({size}) went to the archive"),
        });
    }
    let compacted = &receipt.compacted;
    if compacted.days > 0 || compacted.files_removed > 0 {
        lines.push(compact::text(compacted));
    }
    if let Some(version) = receipt.checkpoint {
        lines.push(format!("a checkpoint of version {version} made"));
    }
    if receipt.commits_removed > 0 {
        lines.push(format!(
            "{} removed",
            human::counted(receipt.commits_removed, "old commit", "old commits")
        ));
    }
    lines.join("\n")
}
