//! Progress of long work on standard error: nothing unless someone looks at it.

use std::fmt;
use std::time::Duration;

use daybook::{Progress, Step, Unit};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::escape;
use crate::human;
use crate::printer::Printer;

const REDRAW_EVERY: Duration = Duration::from_millis(200);

/// A line that shows how far the work is, until dropped.
pub struct ProgressLine {
    bar: Option<ProgressBar>,
}

impl ProgressLine {
    /// A line that starts with what is done, such as `ingesting`.
    pub fn new(printer: &Printer, what: &'static str) -> ProgressLine {
        if !printer.shows_progress() {
            return ProgressLine { bar: None };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style(None));
        bar.set_prefix(what);
        bar.enable_steady_tick(REDRAW_EVERY);
        ProgressLine { bar: Some(bar) }
    }

    /// Prints something else while the line is away.
    pub fn aside(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Progress for ProgressLine {
    fn update(&self, now: &Step<'_>) {
        let Some(bar) = &self.bar else { return };
        if bar.length() != now.total || bar.position() == 0 {
            bar.set_style(style(Some(now)));
            match now.total {
                Some(total) => bar.set_length(total),
                None => bar.unset_length(),
            }
        }
        bar.set_position(now.done);
        let message = message(now);
        if bar.message() != message {
            bar.set_message(message);
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(step: Option<&Step<'_>>) -> ProgressStyle {
    let template = match step.map(|step| (step.unit, step.total.is_some())) {
        None => "{spinner} {prefix} {elapsed}",
        Some((Unit::Bytes, true)) => {
            "{spinner} {prefix} [{bar:24}] {percent}%  {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left  {wide_msg}"
        }
        Some((Unit::Bytes, false)) => {
            "{spinner} {prefix}  {decimal_bytes}, {decimal_bytes_per_sec}, {elapsed}  {wide_msg}"
        }
        Some((_, true)) => {
            "{spinner} {prefix} [{bar:24}] {percent}%  {human_pos} of {human_len} {unit}, {rate}, {eta} left  {wide_msg}"
        }
        Some((_, false)) => "{spinner} {prefix}  {human_pos} {unit}, {rate}, {elapsed}  {wide_msg}",
    };
    let unit = step.map_or("", |step| unit(step.unit));
    let template = template.replace("{unit}", unit);
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    let style = style.with_key("rate", |state: &ProgressState, text: &mut dyn fmt::Write| {
        // There is nobody to tell that a line could not be drawn.
        let _ = write!(text, "{}/s", human::count(state.per_sec() as u64));
    });
    style.progress_chars("━╸─").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}

/// The events so far, where something else is counted, and what is being worked on.
fn message(step: &Step<'_>) -> String {
    let note = escape::visible(step.note);
    if step.unit == Unit::Events || step.events == 0 {
        return note.into_owned();
    }
    format!("{}  {note}", human::counted(step.events, "event", "events"))
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "bytes",
        Unit::Events => "events",
        Unit::Files => "files",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printer::testing::printer;
    use crate::printer::{Output, Stream};

    const LOUD: Output = Output { json: false, quiet: false, verbose: 0 };

    #[test]
    fn nothing_is_drawn_unless_someone_looks() {
        let shows = |output, terminal| {
            let (printer, _, _) = printer(output, Stream { terminal, color: false });
            ProgressLine::new(&printer, "testing").bar.is_some()
        };
        assert!(!shows(LOUD, false));
        assert!(!shows(Output { quiet: true, ..LOUD }, true));
        assert!(shows(LOUD, true));
    }

    #[test]
    fn the_message_counts_events_where_bytes_are_counted() {
        let step = Step { done: 1, total: None, unit: Unit::Bytes, events: 1234, note: "a\u{7}.jsonl" };
        assert_eq!(message(&step), "1,234 events  a\\u0007.jsonl");
        assert_eq!(message(&Step { unit: Unit::Events, ..step }), "a\\u0007.jsonl");
    }

    #[test]
    fn every_template_is_sound() {
        for unit in [Unit::Bytes, Unit::Events, Unit::Files] {
            for total in [None, Some(3)] {
                let step = Step { done: 1, total, unit, events: 0, note: "" };
                let bar = ProgressBar::hidden();
                bar.set_style(style(Some(&step)));
                let line = ProgressLine { bar: Some(bar) };
                line.update(&step);
                let shown = line.bar.as_ref().map(|bar| (bar.position(), bar.length()));
                assert_eq!(shown, Some((1, total)));
            }
        }
    }
}
