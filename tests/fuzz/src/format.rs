//! Formats: whatever the bytes are, what is read of them does not depend on where they are cut.

use daybook::Format;
use daybook::event::json::Tape;
use daybook::format::{Codec, Place, Records, Sample, detect};
use std::fmt;

/// A file's time: 2026-02-03.
const TIME_US: i64 = 1_770_076_800_000_000;

#[derive(PartialEq)]
struct Seen {
    offset: usize,
    raw: Vec<u8>,
    result: Result<Vec<u8>, String>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = self.result.as_ref().map(|json| String::from_utf8_lossy(json));
        write!(f, "`{}` at {}: {result:?}", String::from_utf8_lossy(&self.raw), self.offset)
    }
}

#[derive(Debug, Default, PartialEq)]
struct Collected {
    base: usize,
    seen: Vec<Seen>,
    decoded: usize,
}

impl Collected {
    fn push(&mut self, place: Place<'_>, result: Result<Vec<u8>, String>) {
        self.seen.push(Seen { offset: self.base + place.offset, raw: place.raw.to_vec(), result });
    }
}

impl Records for Collected {
    fn record(&mut self, place: Place<'_>, json: &[u8]) {
        self.push(place, Ok(json.to_vec()));
    }

    fn unreadable(&mut self, place: Place<'_>, reason: &str) {
        self.push(place, Err(reason.to_string()));
    }

    fn decoded(&mut self) {
        self.decoded += 1;
    }
}

fn sample(bytes: &[u8], whole: bool) -> Sample<'_> {
    Sample { bytes, whole, time_us: TIME_US, header: None }
}

fn read_whole(codec: &dyn Codec, block: &[u8]) -> Collected {
    let mut collected = Collected::default();
    codec.read(block, &mut collected);
    collected
}

/// The same in blocks, as they are cut when so many bytes have come each time.
fn read_in_pieces(codec: &dyn Codec, input: &[u8], arrivals: [usize; 3]) -> Collected {
    let mut collected = Collected::default();
    let (mut start, mut arrived) = (0, 0);
    for arrival in arrivals.into_iter().cycle() {
        arrived += arrival;
        if arrived >= input.len() {
            break;
        }
        if let Some(end) = codec.last_end(&input[start..arrived]) {
            assert!(0 < end && start + end <= arrived, "a block ends where there is nothing");
            collected.base = start;
            codec.read(&input[start..start + end], &mut collected);
            start += end;
        }
    }
    collected.base = start;
    codec.read(&input[start..], &mut collected);
    collected.base = 0;
    collected
}

/// Sizes of pieces that follow from the input, so that any file is an input.
pub fn arrivals(data: &[u8]) -> [usize; 3] {
    let hash = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    // At most some hundred pieces: a format may look at all that is pending for each.
    let least = data.len() / 100 + 1;
    [hash, hash >> 20, hash >> 40].map(|part| least + part as usize % (least + 16))
}

/// Whether each record of a format is a line of its own.
fn is_of_lines(format: Format) -> bool {
    matches!(format, Format::JsonLines | Format::Logfmt | Format::Access)
}

/// Reads an input as a format.
pub fn check(format: Format, data: &[u8]) {
    let Some(layout) = detect::layout(format, &sample(data, true)) else { return };
    let _ = detect::guess(format, &sample(data, true));
    let _ = detect::guess(format, &sample(data, false));
    let input = data.get(layout.start..).expect("a layout begins within its input");
    let codec = layout.codec.as_ref();
    let whole = read_whole(codec, input);
    assert_eq!(whole, read_in_pieces(codec, input, arrivals(data)), "pieces read otherwise");
    let _ = codec.next_start(input).map(|start| assert!(start <= input.len()));
    check_places(format, input, &whole.seen);
    for seen in whole.seen.iter().filter(|seen| stands_alone(format, seen)) {
        match layout.header.as_deref() {
            None => check_alone(codec, seen),
            Some(header) => {
                let alone = Sample { header: Some(header), ..sample(&seen.raw, true) };
                let layout = detect::layout(format, &alone).expect("the format is the same");
                check_alone(layout.codec.as_ref(), seen);
            }
        }
    }
}

/// Records stand one after the other, and nothing but blanks between those that are lines.
fn check_places(format: Format, input: &[u8], all: &[Seen]) {
    // Containers write several streams at a time, and a record of one has parts around those of another.
    if matches!(format, Format::Docker | Format::Cri) {
        return;
    }
    let mut end = 0;
    for seen in all {
        let between = input.get(end..seen.offset).expect("records overlap, or stand in no order");
        if is_of_lines(format) {
            assert!(between.iter().all(u8::is_ascii_whitespace), "bytes before {seen:?} are lost");
        }
        // A row of a later section carries the statement that names its columns.
        let is_as_it_stands = input[seen.offset..].starts_with(&seen.raw);
        end = seen.offset + if is_as_it_stands { seen.raw.len() } else { 1 };
    }
    if is_of_lines(format) {
        assert!(input[end..].iter().all(u8::is_ascii_whitespace), "bytes at the end are lost");
    }
}

/// Whether a record or its damage can be told from a whole input that looks so.
fn stands_alone(format: Format, seen: &Seen) -> bool {
    match format {
        // A piece of a damaged document may be a document.
        Format::Json | Format::JournalJson | Format::Otel => {
            seen.result.as_ref().is_ok_and(|json| Tape::default().parse(json).is_ok())
        }
        // An empty row of a dump's only column is no row.
        Format::Copy => seen.raw.last().is_some_and(|last| *last != b'\n'),
        _ => true,
    }
}

/// What the quarantine keeps reads as what it was.
fn check_alone(codec: &dyn Codec, seen: &Seen) {
    let again = read_whole(codec, &seen.raw);
    assert_eq!(again.seen.len(), 1, "{seen:?} read again is {again:?}");
    let again = &again.seen[0];
    // What was cut off by the end of a line is cut off by the end of the input.
    assert_eq!((&again.raw, again.result.as_ref().ok()), (&seen.raw, seen.result.as_ref().ok()), "{seen:?}");
}

/// Looks which format an input has, and reads it as that.
pub fn check_detection(data: &[u8]) {
    let _ = detect::guesses(&sample(data, false));
    let guesses = detect::guesses(&sample(data, true));
    for guess in &guesses {
        assert!((1..=100).contains(&guess.sure), "{guess:?}");
        assert!(!guess.why.is_empty() && guess.layout.start <= data.len());
    }
    if let Some(best) = guesses.first() {
        let mut tape = Tape::default();
        for seen in read_whole(best.layout.codec.as_ref(), &data[best.layout.start..]).seen {
            let _ = seen.result.map(|json| tape.parse(&json));
        }
    }
}
