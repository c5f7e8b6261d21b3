//! Joins what container runtimes split: a long line of output is several lines of the log file.

use super::{Place, last_line_end, lines_of};
use crate::event::json::{self, Kind, Tape};

/// A part whose next part does not come within so many bytes stays without it.
const GAP_BYTES_MAX: usize = 1 << 20;
/// A line of output ends at this length, so that joining has an end.
const JOINED_BYTES_MAX: usize = 32 << 20;

/// What a line of a log file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing that is joined with others.
    Alone,
    /// Output, or a part of it.
    Part {
        /// Whether it went to the standard error stream.
        is_error: bool,
        /// Whether it is the last part.
        ends: bool,
    },
}

/// Hands on the lines of a block in groups that belong together. Gives the last position where no group is open.
pub(super) fn for_each_group<'a>(
    block: &'a [u8],
    line_of: impl Fn(&[u8]) -> Line,
    mut each: impl FnMut(&[Place<'a>]),
) -> usize {
    let mut open: [Vec<Place<'a>>; 2] = Default::default();
    let mut clean = 0;
    for place in lines_of(block) {
        if open.iter().all(Vec::is_empty) {
            clean = place.offset;
        }
        for group in &mut open {
            let end = group.last().map(|part| part.offset + part.raw.len());
            if end.is_some_and(|end| place.offset - end > GAP_BYTES_MAX) {
                each(group);
                group.clear();
            }
        }
        match line_of(place.raw) {
            _ if place.raw.trim_ascii().is_empty() => {}
            Line::Alone => each(&[place]),
            Line::Part { is_error, ends } => {
                let [output, errors] = &mut open;
                let group = if is_error { errors } else { output };
                group.push(place);
                let joined: usize = match ends {
                    true => 0,
                    false => place.offset - group.first().map_or(place.offset, |first| first.offset),
                };
                if ends || joined > JOINED_BYTES_MAX {
                    each(group);
                    group.clear();
                }
            }
        }
    }
    if open.iter().all(Vec::is_empty) {
        clean = block.len();
    }
    open.sort_by_key(|group| group.first().map(|first| first.offset));
    for group in open.iter().filter(|group| !group.is_empty()) {
        each(group);
    }
    clean
}

/// Where the last line ends after which no part waits for the next one.
pub(super) fn last_end(pending: &[u8], line_of: impl Fn(&[u8]) -> Line) -> Option<usize> {
    let lines = pending.get(..last_line_end(pending)?)?;
    Some(for_each_group(lines, line_of, |_| {})).filter(|end| *end > 0)
}

/// The lines of a group as they would stand together in a file.
pub(super) fn joined_into(group: &[Place<'_>], out: &mut Vec<u8>) {
    out.clear();
    for (position, part) in group.iter().enumerate() {
        if position > 0 {
            out.push(b'\n');
        }
        out.extend_from_slice(part.raw);
    }
}

/// Writes a container's output as a record: output that is a JSON object is the record, other output is a text in one.
/// What the runtime says of it goes to an object `container`, of another name where the output has one itself, so
/// that it is under the same name whatever the output is. `others` are members of an object, each with a comma
/// before it.
pub(super) fn record_into(tape: &mut Tape, key: &str, output: &str, others: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let inner = output.trim();
    let is_object = inner.starts_with('{')
        && tape.parse(inner.as_bytes()).is_ok()
        && tape.get(0).is_some_and(|root| root.kind == Kind::Object);
    let mut name: &[u8] = b"\"container\":{";
    if is_object {
        out.extend_from_slice(inner.as_bytes());
        if has_key(tape, inner.as_bytes(), b"container") {
            name = b"\"container_log\":{";
        }
    } else {
        out.push(b'{');
        json::quote_into(key, out);
        out.push(b':');
        json::quote_into(output.trim_end_matches(['\n', '\r']), out);
        out.push(b'}');
    }
    let Some((_, others)) = others.split_first() else { return };
    out.pop();
    if !is_object || tape.nodes().len() > 1 {
        out.push(b',');
    }
    out.extend_from_slice(name);
    out.extend_from_slice(others);
    out.extend_from_slice(b"}}");
}

/// Whether the object at the root of a tape has a key.
fn has_key(tape: &Tape, text: &[u8], key: &[u8]) -> bool {
    let mut position = 1;
    while let (Some(node), Some(value)) = (tape.get(position), tape.get(position + 1)) {
        if json::text_of(text, &node) == key {
            return true;
        }
        position = value.next as usize;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_does_not_wait_for_ever() {
        let line_of = |line: &[u8]| match line.first() {
            Some(b'p') => Line::Part { is_error: false, ends: false },
            Some(b'e') => Line::Part { is_error: false, ends: true },
            _ => Line::Alone,
        };
        let groups = |block: &[u8]| {
            let mut lengths = Vec::new();
            let clean = for_each_group(block, line_of, |group| lengths.push(group.len()));
            (lengths, clean)
        };
        assert_eq!(groups(b"p\nx\np\ne\n"), (vec![1, 3], 8));
        assert_eq!(groups(b"x\np\nx\n"), (vec![1, 1, 1], 2));
        let far = format!("p\n{}\ne\n", "x".repeat(GAP_BYTES_MAX));
        assert_eq!(groups(far.as_bytes()), (vec![1, 1, 1], far.len()));
        assert_eq!(last_end(b"x\np\nx\n", line_of), Some(2));
        assert_eq!(last_end(b"p\nx\ne\nx", line_of), Some(6));
        assert_eq!(last_end(b"p", line_of), None);
    }
}
