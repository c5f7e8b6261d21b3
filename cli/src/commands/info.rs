//! `daybook info`: what is in the store.

use daybook::Info;

use crate::args::Zone;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;

/// Prints the numbers of the store.
pub fn run(context: &Context<'_>) -> Result<(), Failure> {
    let store = context.open()?;
    let info = store.info()?;
    for warning in &info.warnings {
        context.printer.warn(warning);
    }
    if context.printer.json() {
        context.printer.object(&info)?;
    } else {
        let mut data = context.printer.styled();
        data.write(text(&info, context.global.zone).as_bytes())?;
        data.finish()?;
    }
    store.close()?;
    Ok(())
}

fn text(info: &Info, zone: Zone) -> String {
    let span = match (&info.from, &info.to) {
        (Some(from), Some(to)) => format!("{} to {}", zone.restate(from), zone.restate(to)),
        _ => "no events yet".to_string(),
    };
    let lines = [
        ("store", escape::visible(&info.path).into_owned()),
        ("events", human::count(info.events)),
        ("period", span),
        ("days", human::count(info.days)),
        (
            "on disk",
            format!("{} in {}", human::bytes(info.bytes), human::counted(info.files, "file", "files")),
        ),
        ("waiting", format!("{} in the write-ahead log", human::counted(info.wal_events, "event", "events"))),
        ("quarantined", human::count(info.quarantined)),
        ("version", format!("{} (format {})", info.version, info.format)),
    ];
    lines.iter().map(|(name, value)| format!("{name:<12} {value}\n")).collect()
}
