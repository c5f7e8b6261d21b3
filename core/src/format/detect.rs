//! Finds the format of an input from its beginning.

use super::{
    Format, Guess, Layout, Place, Sample, access, copy, cri, csv, docker, documents, journal, lines,
    lines_of, logfmt, otel, syslog, text,
};

/// How many bytes of an input are looked at.
pub const SAMPLE_BYTES: usize = 256 << 10;

/// The lines of a sample that are certainly whole.
pub(super) fn whole_lines<'a>(sample: &Sample<'a>) -> impl Iterator<Item = Place<'a>> {
    let end = match sample.whole {
        true => sample.bytes.len(),
        // A sample in the middle of its only line shows that line's beginning.
        false => super::last_line_end(sample.bytes).unwrap_or(sample.bytes.len()),
    };
    lines_of(sample.bytes.get(..end).unwrap_or_default())
}

/// All formats that an input may have, the likeliest first.
pub fn guesses(sample: &Sample<'_>) -> Vec<Guess> {
    let mut guesses: Vec<Guess> =
        Format::ALL.into_iter().filter_map(|format| guess(format, sample)).collect();
    guesses.sort_by_key(|guess| std::cmp::Reverse(guess.sure));
    guesses
}

/// Whether an input may have a format, and how sure that is.
pub fn guess(format: Format, sample: &Sample<'_>) -> Option<Guess> {
    match format {
        Format::JsonLines => lines::guess(sample),
        Format::Json => documents::guess(sample),
        Format::Csv => csv::guess(sample),
        Format::Copy => copy::guess(sample),
        Format::Logfmt => logfmt::guess(sample),
        Format::Docker => docker::guess(sample),
        Format::Cri => cri::guess(sample),
        Format::Journal => journal::guess(sample),
        Format::JournalJson => journal::json::guess(sample),
        Format::Otel => otel::guess(sample),
        Format::Syslog => syslog::guess(sample),
        Format::Access => access::guess(sample),
        Format::Text => text::guess(sample),
        _ => None,
    }
}

/// How an input is read as a format, whether it looks like it or not. None where bytes in order are not how that
/// format is read.
pub fn layout(format: Format, sample: &Sample<'_>) -> Option<Layout> {
    match format {
        Format::JsonLines => Some(lines::layout()),
        Format::Json => Some(documents::layout(sample)),
        Format::Csv => Some(csv::layout(sample)),
        Format::Copy => Some(copy::layout(sample)),
        Format::Logfmt => Some(logfmt::layout(sample)),
        Format::Docker => Some(docker::layout(sample)),
        Format::Cri => Some(cri::layout()),
        Format::Journal => Some(journal::layout()),
        Format::JournalJson => Some(journal::json::layout()),
        Format::Otel => Some(otel::layout()),
        Format::Syslog => Some(syslog::layout(sample)),
        Format::Access => Some(access::layout(sample)),
        Format::Text => Some(text::layout(sample)),
        _ => {
            let _ = sample;
            None
        }
    }
}
