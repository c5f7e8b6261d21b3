//! What stands between the timestamp and the message: levels, loggers, threads, in the orders that loggers have.

use super::level;

/// A part of a line, in order. Blanks may stand ahead of each.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// These characters.
    Mark(&'static str),
    /// These characters, and a blank or the end of the line after them.
    Lone(&'static str),
    /// A word for a level, in brackets or not, with a colon behind it or not.
    Level,
    /// A word for a level in brackets.
    BracketedLevel,
    /// A letter for a level.
    Letter,
    /// Digits.
    Number(&'static str),
    /// All up to a blank.
    Word(&'static str),
    /// A word with a dot in it.
    Dotted(&'static str),
    /// All up to this character, without blanks.
    Until(&'static str, char),
    /// All up to a colon before a blank or the end of the line; with blanks where the flag is set.
    Colon(&'static str, bool),
    /// What stands in brackets, and may have brackets in it.
    Bracketed(&'static str),
}

/// The order of parts that a kind of logger writes.
#[derive(Debug)]
pub(super) struct Shape {
    /// In a word.
    pub name: &'static str,
    /// Before the message.
    pub parts: &'static [Part],
}

use Part::{Bracketed, BracketedLevel, Colon, Dotted, Letter, Level, Lone, Mark, Number, Until, Word};

const fn shape(name: &'static str, parts: &'static [Part]) -> Shape {
    Shape { name, parts }
}

/// All shapes; the first that fits counts.
pub(super) static SHAPES: &[Shape] = &[
    shape("logcat", &[Number("pid"), Number("thread"), Letter, Colon("logger", true)]),
    shape("logcat-time", &[Letter, Mark("/"), Until("logger", '('), Number("pid"), Mark("):")]),
    shape("glog", &[Number("thread"), Until("caller", ']')]),
    shape(
        "spring",
        &[
            Level,
            Number("pid"),
            Lone("---"),
            Bracketed("application"),
            Bracketed("thread"),
            Word("logger"),
            Lone(":"),
        ],
    ),
    shape("spring-old", &[Level, Number("pid"), Lone("---"), Bracketed("thread"), Word("logger"), Lone(":")]),
    shape("nginx", &[BracketedLevel, Number("pid"), Mark("#"), Number("thread"), Mark(":")]),
    shape(
        "apache",
        &[
            Mark("["),
            Until("logger", ':'),
            Until("level", ']'),
            Mark("[pid"),
            Number("pid"),
            Mark(":tid"),
            Number("thread"),
            Mark("]"),
        ],
    ),
    shape(
        "apache-process",
        &[Mark("["), Until("logger", ':'), Until("level", ']'), Mark("[pid"), Number("pid"), Mark("]")],
    ),
    shape(
        "bgl",
        &[
            Word("date"),
            Word("node"),
            Word("local_time"),
            Word("reporter"),
            Word("kind"),
            Word("logger"),
            Level,
        ],
    ),
    shape("health", &[Mark("|"), Until("logger", '|'), Number("pid"), Mark("|")]),
    shape("pid-level-logger", &[Number("pid"), Level, Colon("logger", false)]),
    shape("pid-level-dotted", &[Number("pid"), Level, Dotted("logger")]),
    shape("thread-level", &[Number("thread"), BracketedLevel]),
    shape("pid-level", &[Number("pid"), Level]),
    shape("pid", &[Mark("["), Number("pid"), Mark("]")]),
    shape("loguru", &[Lone("|"), Level, Lone("|"), Word("logger"), Lone("-")]),
    shape("bars", &[Lone("|"), Level, Lone("|")]),
    shape("python", &[Lone("-"), Word("logger"), Lone("-"), Level, Lone("-")]),
    shape("python-level-logger", &[Lone("-"), Level, Lone("-"), Word("logger"), Lone("-")]),
    shape("zookeeper", &[Lone("-"), Level, Bracketed("thread"), Lone("-")]),
    shape("python-level", &[Lone("-"), Level, Lone("-")]),
    shape("python-level-last", &[Lone("-"), Level]),
    shape("servicing", &[Mark(","), Level, Word("logger")]),
    shape("thread-level-dash", &[Bracketed("thread"), Level, Word("logger"), Lone("-")]),
    shape("thread-level-logger", &[Bracketed("thread"), Level, Colon("logger", false)]),
    shape("level-thread-dash", &[Level, Bracketed("thread"), Word("logger"), Lone("-")]),
    shape("level-thread-logger", &[Level, Bracketed("thread"), Colon("logger", false)]),
    shape("bracketed-thread-level", &[Bracketed("thread"), BracketedLevel]),
    shape("level-dash", &[Level, Word("logger"), Lone("-")]),
    shape("level-logger", &[Level, Colon("logger", false)]),
    shape("open-level-logger", &[Level, Until("logger", ']')]),
    shape("open-level", &[Level, Mark("]")]),
    shape("open-celery", &[Mark(":"), Until("level", '/'), Until("process", ']')]),
    shape("level", &[Level]),
    shape("dash", &[Lone("-")]),
    shape("colon", &[Lone(":")]),
];

/// The most fields that a line's parts become.
pub(super) const FIELDS_MAX: usize = 8;

/// A field: its name, its text, and whether it is a number where its text is one.
pub(super) type Field<'a> = (&'static str, &'a str, bool);

/// The fields of a line, and how many bytes they take.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Matched<'a> {
    fields: [Field<'a>; FIELDS_MAX],
    count: usize,
    pub length: usize,
}

impl<'a> Matched<'a> {
    pub fn fields(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().take(self.count)
    }

    pub fn has_level(&self) -> bool {
        self.fields().any(|(key, _, _)| *key == "level")
    }

    fn push(&mut self, key: &'static str, value: &'a str, number: bool) -> Option<()> {
        *self.fields.get_mut(self.count)? = (key, value, number);
        self.count += 1;
        Some(())
    }
}

impl Shape {
    /// The shape of a word.
    pub fn from_name(name: &str) -> Option<&'static Shape> {
        SHAPES.iter().find(|shape| shape.name == name)
    }

    /// Whether the last bracket of the shape is the one that is open before the timestamp.
    pub fn closes_bracket(&self) -> bool {
        self.name.starts_with("open-")
    }

    /// The fields at the beginning of what a line has after its timestamp, if it has this shape.
    pub fn read<'a>(&self, line: &'a str) -> Option<Matched<'a>> {
        let mut matched = Matched::default();
        let mut rest = line;
        for part in self.parts {
            rest = part.read(skip_blanks(rest), &mut matched)?;
        }
        matched.length = line.len() - rest.len();
        Some(matched)
    }
}

impl Part {
    /// Takes the part from the beginning of a text, and gives what follows.
    fn read<'a>(self, text: &'a str, matched: &mut Matched<'a>) -> Option<&'a str> {
        match self {
            Part::Mark(mark) => text.strip_prefix(mark),
            Part::Lone(mark) => text.strip_prefix(mark).filter(|rest| is_apart(rest)),
            Part::Level | Part::BracketedLevel => {
                let (word, rest) = level_word(text)?;
                let level = word.trim_start_matches('[').trim_end_matches([']', ':']).trim();
                let is_bracketed = word.starts_with('[');
                let fits = level::is_level(level) && (is_bracketed || matches!(self, Part::Level));
                matched.push("level", level, false)?;
                fits.then_some(rest)
            }
            Part::Letter => {
                matched.push("level", level::of_letter(*text.as_bytes().first()?)?, false)?;
                text.get(1..)
            }
            Part::Number(key) => {
                let (digits, rest) =
                    text.split_at_checked(text.bytes().take_while(u8::is_ascii_digit).count())?;
                matched.push(key, digits, true)?;
                (!digits.is_empty()).then_some(rest)
            }
            Part::Word(key) | Part::Dotted(key) => {
                let (word, rest) = word(text)?;
                matched.push(key, word, false)?;
                let fits = !matches!(self, Part::Dotted(_)) || word.trim_end_matches('.').contains('.');
                fits.then_some(rest)
            }
            Part::Until(key, end) => {
                let (value, rest) = text.split_once(end)?;
                matched.push(key, value, false)?;
                (!value.is_empty() && !value.contains([' ', '\t'])).then_some(rest)
            }
            Part::Colon(key, blanks) => {
                let (value, rest) = until_colon(text)?;
                matched.push(key, value.trim_end(), false)?;
                (!value.is_empty() && (blanks || !value.contains([' ', '\t']))).then_some(rest)
            }
            Part::Bracketed(key) => {
                let (value, rest) = bracketed(text)?;
                matched.push(key, value.trim(), false)?;
                Some(rest)
            }
        }
    }
}

/// The text after blanks and colours of terminals.
pub(super) fn skip_blanks(text: &str) -> &str {
    let mut text = text;
    loop {
        text = text.trim_start_matches([' ', '\t']);
        match text.split_at_checked(colours(text.as_bytes())) {
            Some((colours, rest)) if !colours.is_empty() => text = rest,
            _ => return text,
        }
    }
}

/// How many bytes colours of terminals take ahead of a line.
pub(super) fn colours(line: &[u8]) -> usize {
    let mut taken = 0;
    while let Some(rest) = line.get(taken..).and_then(|rest| rest.strip_prefix(b"\x1b[")) {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        match rest.get(digits) {
            Some(b'm') => taken += digits + 3,
            _ => return taken,
        }
    }
    taken
}

/// Whether a text begins with a blank or is at its end.
fn is_apart(text: &str) -> bool {
    matches!(text.as_bytes().first(), None | Some(b' ' | b'\t' | b'\r' | 0x1b))
}

/// All up to the next blank or colour of a terminal.
fn word(text: &str) -> Option<(&str, &str)> {
    let end = text.find([' ', '\t', '\u{1b}']).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(word, _)| !word.is_empty())
}

/// A word that may be one for a level, with its brackets and colon; in brackets it may be padded with blanks.
fn level_word(text: &str) -> Option<(&str, &str)> {
    let end = match text.strip_prefix('[') {
        Some(inner) => inner.find(']')? + 2,
        None => text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len()),
    };
    let end = if text.get(end..)?.starts_with(':') { end + 1 } else { end };
    text.split_at_checked(end).filter(|(word, rest)| !word.is_empty() && is_apart(rest))
}

/// All up to the first colon before a blank or the end.
fn until_colon(text: &str) -> Option<(&str, &str)> {
    memchr::memchr_iter(b':', text.as_bytes()).find_map(|position| {
        let rest = text.get(position + 1..)?;
        is_apart(rest).then_some((text.get(..position)?, rest))
    })
}

/// What stands between a bracket and the one that closes it.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let mut open = 0_usize;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => open += 1,
            _ if open == 0 => return None,
            b']' if open == 1 => {
                return Some((text.get(1..position)?, text.get(position + 1..)?));
            }
            b']' => open -= 1,
            _ => {}
        }
    }
    None
}
