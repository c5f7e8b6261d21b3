//! Findings as paragraphs: what, how surprising, and the command that shows the events.

use daybook::query::analyses::{BurstsReport, Finding, PatternsReport, What};

use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::printer::paint;
use crate::shell;

/// The summary.
pub fn summary(context: &Context<'_>, report: &PatternsReport) -> Result<(), Failure> {
    if report.events == 0 {
        context.printer.note("no event matches");
        return Ok(());
    }
    let mut text: String = report.usual.iter().map(|line| format!("{}\n", escape::visible(line))).collect();
    if report.findings.is_empty() {
        text.push_str("\nnothing unusual\n");
    }
    for finding in &report.findings {
        text.push_str(&paragraph(context, finding));
    }
    write(context, &text)?;
    let shown = report.findings.len() as u64;
    if report.found > shown {
        let more = human::count(report.found - shown.min(report.found));
        context
            .printer
            .note(&format!("{more} more: `daybook patterns bursts|rhythms|sequences|changes|actors`"));
    }
    remarks(context, report.alarm, &report.left_out);
    Ok(())
}

/// Bursts, drops, silences and changes.
pub fn bursts(context: &Context<'_>, report: &BurstsReport) -> Result<(), Failure> {
    if report.events == 0 {
        context.printer.note("no event matches");
        return Ok(());
    }
    let mut text = format!(
        "{} in {} of {} each, {} tests\n",
        human::counted(report.events, "event", "events"),
        human::counted(report.series, "series", "series"),
        report.every,
        human::count(report.tests)
    );
    if report.findings.is_empty() {
        text.push_str("nothing unusual\n");
    }
    for finding in &report.findings {
        text.push_str(&paragraph(context, finding));
    }
    write(context, &text)?;
    if report.found > report.findings.len() as u64 {
        context.printer.note(&format!("the first of {}; `--limit N` shows more", human::count(report.found)));
    }
    remarks(context, report.alarm, &report.left_out);
    Ok(())
}

/// What may be chance, and what was not looked at.
pub fn remarks(context: &Context<'_>, alarm: f64, left_out: &[String]) {
    for sentence in left_out {
        context.printer.note(sentence);
    }
    context.printer.note(&format!("of each sort, at most {} may be chance (--alarm)", human::share(alarm)));
}

pub fn write(context: &Context<'_>, text: &str) -> Result<(), Failure> {
    let mut data = context.printer.styled();
    data.write(text.as_bytes())?;
    data.finish()
}

/// The command of a finding, on the store that was named.
pub fn command(context: &Context<'_>, words: &[String]) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    escape::visible(&shell::command(context.global.named_store.as_deref(), &words)).into_owned()
}

fn paragraph(context: &Context<'_>, finding: &Finding) -> String {
    let color = context.printer.stdout().color;
    let style = match finding.what {
        What::Burst | What::Session | What::Actor | What::Slower => "31",
        What::Drop | What::Silence | What::Missed => "33",
        _ => "36",
    };
    let what = paint(color, style, &format!("{:<8}", finding.what.name()));
    let about = paint(color, "1", &escape::visible(&finding.about));
    let line = sparkline(&finding.counts);
    let line = if line.is_empty() { line } else { format!("  {line}") };
    let mut text = format!("\n{what} {about}{line}\n");
    let also =
        if finding.also.is_empty() { String::new() } else { format!("; also {}", finding.also.join(", ")) };
    let told = escape::visible(&format!("{}{also}", finding.title)).into_owned();
    let room = context.printer.width().unwrap_or(usize::MAX).saturating_sub(9);
    text.push_str(&format!("         {}\n", cut(&told, room)));
    let shown = command(context, &finding.show);
    text.push_str(&format!("         {}\n", paint(color, "2", &shown)));
    text
}

/// A line that fits.
fn cut(line: &str, room: usize) -> String {
    if line.chars().count() <= room {
        return line.to_string();
    }
    line.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

/// Values as bars of eighths, in a line.
pub fn sparkline(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().fold(0.0, f64::max);
    let bar = |value: &f64| {
        let height = (value / most * 7.0).ceil().clamp(0.0, 7.0) as usize;
        BARS.get(height).copied().unwrap_or(' ')
    };
    if most > 0.0 { values.iter().map(bar).collect() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparklines_rise_with_the_values() {
        assert_eq!(sparkline(&[0.0, 1.0, 4.0, 8.0]), "▁▂▅█");
        assert_eq!(sparkline(&[0.0, 0.0]), "");
        assert_eq!(sparkline(&[]), "");
    }
}
