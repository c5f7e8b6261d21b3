//! One message of syslog: its parts, and the record that it becomes.

use crate::event::json;
use crate::format::fields::Fields;
use crate::format::stamp::{Form, Stamp, Stamps};

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];

const SEVERITIES: [&str; 8] =
    ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"];

/// The parts of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line<'a> {
    pub priority: Option<usize>,
    /// Of RFC 5424.
    pub version: Option<&'a str>,
    pub stamp: Option<Stamp>,
    pub host: Option<&'a str>,
    pub program: Option<&'a str>,
    pub pid: Option<&'a str>,
    pub msgid: Option<&'a str>,
    /// As JSON.
    pub structured: Option<&'a [u8]>,
    pub message: Option<&'a str>,
    /// Whether the time has a `T` and a zone.
    strict_time: bool,
}

/// Whether syslog has timestamps of a form.
pub(super) fn is_syslog(form: Form) -> bool {
    matches!(form, Form::Bsd | Form::BsdYear | Form::YearBsd | Form::Iso)
}

/// The priority that a text begins with, and what follows it.
pub(super) fn priority(text: &[u8]) -> Option<(usize, &[u8])> {
    let digits = text.strip_prefix(b"<")?;
    let count = digits.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = digits.split_at_checked(count)?;
    let rest = rest.strip_prefix(b">")?;
    let priority = number.iter().fold(0, |value, digit| value * 10 + usize::from(digit - b'0'));
    ((1..=3).contains(&count) && priority < 192).then_some((priority, rest))
}

impl<'a> Line<'a> {
    /// The parts of a message, if it has a priority or a timestamp ahead.
    /// Structured data becomes JSON in `structured`.
    pub fn parse(text: &'a str, stamps: &Stamps, structured: &'a mut Vec<u8>) -> Option<Line<'a>> {
        let Some((priority, rest)) = priority(text.as_bytes()) else {
            return Line::bsd(text, stamps).filter(|line| line.stamp.is_some());
        };
        let rest = text.get(text.len() - rest.len()..)?;
        let line = Line::ietf(rest, stamps, structured).or_else(|| Line::bsd(rest, stamps))?;
        Some(Line { priority: Some(priority), ..line })
    }

    /// Whether it has the timestamp of RFC 3164.
    pub fn is_bsd(&self) -> bool {
        self.stamp.is_some_and(|stamp| matches!(stamp.form, Form::Bsd | Form::BsdYear))
    }

    /// Whether it may be a line as rsyslog writes files.
    pub fn is_rsyslog(&self) -> bool {
        self.strict_time && self.host.is_some() && self.program.is_some()
    }

    /// RFC 5424, after the priority.
    fn ietf(text: &'a str, stamps: &Stamps, structured: &'a mut Vec<u8>) -> Option<Line<'a>> {
        let (version, rest) = text.split_once(' ')?;
        let is_version =
            (1..=2).contains(&version.len()) && version.bytes().all(|byte| byte.is_ascii_digit());
        if !is_version || version.starts_with('0') {
            return None;
        }
        let (time, rest) = rest.split_once(' ')?;
        let stamp = match time {
            "-" => None,
            time => Some(stamps.read(time.as_bytes()).filter(|stamp| stamp.length == time.len())?),
        };
        let (host, rest) = rest.split_once(' ')?;
        let (program, rest) = rest.split_once(' ')?;
        let (pid, rest) = rest.split_once(' ')?;
        let (msgid, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let length = structured_data(rest, structured).unwrap_or(0);
        let (data, rest) = rest.split_at_checked(length)?;
        let message = rest.strip_prefix(' ').unwrap_or(rest);
        let message = message.strip_prefix('\u{feff}').unwrap_or(message);
        let present = |value: &'a str| Some(value).filter(|value| *value != "-");
        Some(Line {
            version: Some(version),
            stamp,
            host: present(host),
            program: present(program),
            pid: present(pid),
            msgid: present(msgid).filter(|msgid| !msgid.is_empty()),
            structured: data.starts_with('[').then_some(structured),
            message: Some(message).filter(|message| !message.is_empty()),
            ..Line::default()
        })
    }

    /// RFC 3164, after the priority, if there is one; its timestamp may be an RFC 3339 one as well.
    fn bsd(text: &'a str, stamps: &Stamps) -> Option<Line<'a>> {
        let stamp = stamps.read(text.as_bytes()).filter(|stamp| is_syslog(stamp.form));
        let Some(found) = stamp else {
            return Some(Line::default().with_content(text));
        };
        let (time, rest) = text.split_at_checked(found.length)?;
        let strict_time = found.form == Form::Iso && found.had_zone && time.as_bytes().get(10) == Some(&b'T');
        let line = Line { stamp, strict_time, ..Line::default() };
        let Some(rest) = rest.strip_prefix(' ') else {
            // Some devices write a colon after the time, and no host.
            let rest = rest.strip_prefix(": ").unwrap_or(rest);
            return Some(line.with_content(rest));
        };
        let rest = rest.trim_start_matches(' ');
        if Program::parse(rest).is_some_and(|program| program.has_colon) || is_repetition(rest) {
            return Some(line.with_content(rest));
        }
        let (host, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let line = Line { host: Some(host).filter(|host| !host.is_empty()), ..line };
        Some(line.with_content(rest))
    }

    /// Sets program, process and message from what stands after the host.
    fn with_content(self, text: &'a str) -> Line<'a> {
        match Program::parse(text) {
            Some(program) => {
                Line { program: Some(program.name), pid: program.pid, message: Some(program.message), ..self }
            }
            None => Line { message: Some(text), ..self },
        }
    }
}

fn is_repetition(text: &str) -> bool {
    text.starts_with("last message repeated ") || text.starts_with("message repeated ")
}

/// `program[pid]: message`
struct Program<'a> {
    name: &'a str,
    pid: Option<&'a str>,
    message: &'a str,
    has_colon: bool,
}

impl<'a> Program<'a> {
    fn parse(text: &'a str) -> Option<Program<'a>> {
        let end = memchr::memchr(b' ', text.as_bytes()).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let (tag, message, has_colon) = match (word.strip_suffix(':'), word.find("]:")) {
            // Brackets and colons later in the word are the message's.
            (_, Some(close)) if close + 2 < word.len() => (word.get(..=close)?, text.get(close + 2..)?, true),
            (Some(tag), _) => (tag, rest, true),
            (None, _) if word.ends_with(']') => (word, rest, false),
            _ => return None,
        };
        let (name, pid) = match tag.strip_suffix(']').and_then(|tag| tag.split_once('[')) {
            Some((name, pid)) => (name, Some(pid)),
            None if has_colon => (tag, None),
            None => return None,
        };
        (!name.is_empty() && !name.contains("//")).then_some(Program { name, pid, message, has_colon })
    }
}

/// How many bytes the structured data takes that a text begins with, if it is right. Its elements are
/// written as a JSON object.
fn structured_data(text: &str, out: &mut Vec<u8>) -> Option<usize> {
    if text == "-" || text.starts_with("- ") {
        return Some(1);
    }
    out.clear();
    let mut elements = Elements { text, at: 0, out, scratch: String::new() };
    elements.out.push(b'{');
    while elements.text.as_bytes().get(elements.at) == Some(&b'[') {
        elements.element()?;
    }
    elements.out.push(b'}');
    let ends = matches!(text.as_bytes().get(elements.at), None | Some(b' '));
    (elements.at > 0 && ends).then_some(elements.at)
}

struct Elements<'a, 'b> {
    text: &'a str,
    at: usize,
    out: &'b mut Vec<u8>,
    scratch: String,
}

impl<'a> Elements<'a, '_> {
    /// `[id key="value" key="value"]`
    fn element(&mut self) -> Option<()> {
        self.at += 1;
        let id = self.name()?;
        self.key(id, self.at > id.len() + 1);
        self.out.push(b'{');
        let mut first = true;
        loop {
            match self.text.as_bytes().get(self.at)? {
                b']' => break,
                b' ' => self.at += 1,
                _ => return None,
            }
            let key = self.name()?;
            self.at = self.text.get(self.at..)?.starts_with("=\"").then_some(self.at + 2)?;
            self.key(key, !first);
            self.value()?;
            first = false;
        }
        self.at += 1;
        self.out.push(b'}');
        Some(())
    }

    fn key(&mut self, key: &str, follows: bool) {
        if follows {
            self.out.push(b',');
        }
        json::quote_into(key, self.out);
        self.out.push(b':');
    }

    /// The name of an element or of a value.
    fn name(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let end = rest.bytes().position(|byte| matches!(byte, b' ' | b'=' | b']' | b'"'))?;
        self.at += end;
        rest.get(..end).filter(|name| !name.is_empty())
    }

    /// A value up to its closing quote; `\"`, `\\` and `\]` stand for what is escaped.
    fn value(&mut self) -> Option<()> {
        self.scratch.clear();
        loop {
            let rest = self.text.get(self.at..)?;
            let found = memchr::memchr2(b'"', b'\\', rest.as_bytes())?;
            self.scratch.push_str(rest.get(..found)?);
            self.at += found + 1;
            if rest.as_bytes().get(found) == Some(&b'"') {
                break;
            }
            match rest.as_bytes().get(found + 1)? {
                escaped @ (b'"' | b'\\' | b']') => {
                    self.scratch.push(char::from(*escaped));
                    self.at += 1;
                }
                _ => self.scratch.push('\\'),
            }
        }
        json::quote_into(&self.scratch, self.out);
        Some(())
    }
}

impl Line<'_> {
    /// Writes the message as a record.
    pub fn write(&self, fields: &mut Fields) {
        fields.begin();
        if let Some(stamp) = self.stamp {
            fields.timestamp(stamp.micros);
        }
        if let Some(priority) = self.priority {
            let name = |names: &[&'static str], position| names.get(position).copied().unwrap_or_default();
            fields.text("facility", name(&FACILITIES, priority / 8));
            fields.text("level", name(&SEVERITIES, priority % 8));
        }
        if let Some(version) = self.version.filter(|version| *version != "1") {
            fields.number_or_text("version", version);
        }
        let texts = [("host", self.host), ("program", self.program), ("msgid", self.msgid)];
        for (key, value) in texts.into_iter().filter_map(|(key, value)| Some((key, value?))) {
            fields.text(key, value);
        }
        if let Some(pid) = self.pid {
            fields.number_or_text("pid", pid);
        }
        if let Some(structured) = self.structured {
            fields.json("structured_data", structured);
        }
        if let Some(message) = self.message {
            fields.text("message", message);
        }
    }
}
