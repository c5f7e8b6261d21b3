//! A panic is a defect: say so in two lines and end with its exit code.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write;
use std::panic::PanicHookInfo;

use crate::escape;
use crate::failure::Exit;

/// From here on, a panic on any thread ends the program with a short message. What was acknowledged is on
/// disk, and the next one to open the store finishes what was begun.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if daybook::panics_are_caught() {
            return;
        }
        let mut stderr = std::io::stderr().lock();
        let _ = stderr.write_all(message(panic).as_bytes());
        let _ = stderr.flush();
        std::process::exit(i32::from(Exit::Defect.code()));
    }));
}

fn message(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let what = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let place = panic.location().map_or_else(|| "an unknown place".to_string(), ToString::to_string);
    let mut text = format!(
        "error: Daybook {} stopped at {place}: {}\n\
         hint: this is a defect in Daybook: please report it with this message\n",
        env!("CARGO_PKG_VERSION"),
        escape::visible(what),
    );
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        text.push_str(&trace.to_string());
    }
    text
}
