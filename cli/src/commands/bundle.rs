//! `daybook export --bundle`: a folder that a browser asks without a server.

use std::borrow::Cow;
use std::io::ErrorKind;

use daybook::{BundleReceipt, BundleRequest};

use super::asking::ask;
use crate::args::BundleInput;
use crate::context::Context;
use crate::failure::Failure;
use crate::progress::ProgressLine;
use crate::{escape, human};

/// The file beside the program that has the built viewer.
const VIEWER: &str = "daybook-web.tar.gz";
/// The viewer, where it was there when the program was built.
#[cfg(has_viewer)]
const EMBEDDED: Option<&[u8]> =
    Some(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../wasm/embedded/daybook-web.tar.gz")));
#[cfg(not(has_viewer))]
const EMBEDDED: Option<&[u8]> = None;

/// Writes a bundle, and says before what it gives away.
pub fn run(context: &Context<'_>, input: &BundleInput) -> Result<(), Failure> {
    let viewer = if input.viewer { Some(viewer()?) } else { None };
    let receipt = ask(context, &input.filter, |store, filter, options| {
        let request = BundleRequest {
            title: input.title.clone(),
            filter,
            from: input.days.and_then(|days| days.from),
            to: input.days.and_then(|days| days.to),
            redact: input.redact,
            bytes_max: input.max_bytes,
            viewer,
        };
        for told in store.bundle_gives_away(&request) {
            context.printer.note(&told);
        }
        let line = ProgressLine::new(context.printer, "bundling");
        Ok(store.bundle(&input.folder, &request, options, &line)?)
    })?;
    if context.printer.json() {
        return context.printer.object(&receipt);
    }
    context.printer.receipt(&text(
        &receipt,
        &escape::visible(&input.folder.display().to_string()),
        input.viewer,
    ))
}

fn text(receipt: &BundleReceipt, folder: &str, has_viewer: bool) -> String {
    let mut lines = vec![format!(
        "{} of {} in {folder} ({} in {})",
        human::counted(receipt.events, "event", "events"),
        human::counted(receipt.days, "day", "days"),
        human::bytes(receipt.bytes),
        human::counted(receipt.files, "file", "files"),
    )];
    if receipt.redacted > 0 {
        lines.push(format!("{} redacted", human::counted(receipt.redacted, "value", "values")));
    }
    if has_viewer {
        lines.push(format!("to look at it: python3 -m http.server --directory {folder} 8000"));
    }
    lines.push(receipt.head.clone());
    lines.join("\n")
}

/// The viewer that the program was built with, or the one beside it.
fn viewer() -> Result<Cow<'static, [u8]>, Failure> {
    if let Some(viewer) = EMBEDDED {
        return Ok(Cow::Borrowed(viewer));
    }
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join(VIEWER)));
    match beside.map(std::fs::read) {
        Some(Ok(viewer)) => Ok(Cow::Owned(viewer)),
        Some(Err(error)) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::usage(format!("`{VIEWER}` beside this program cannot be read: {error}")))
        }
        _ => Err(Failure::usage("this program comes without the viewer").hint(
            "run wasm/package, which needs Node, and build the program again; or put the daybook-web.tar.gz that it makes beside \
             the program; or add `--no-viewer`",
        )),
    }
}
