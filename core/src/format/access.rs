//! Access logs of Apache and nginx: common and combined, with a virtual host ahead or more fields behind.

use super::detect::whole_lines;
use super::fields::Fields;
use super::stamp::{Open, Order, Stamps};
use super::{Codec, Format, Guess, Layout, Records, Sample, last_line_end, lines_of, text_of};
use std::borrow::Cow;
use std::sync::Arc;

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 200;

#[derive(Debug)]
struct Access {
    stamps: Stamps,
}

impl Codec for Access {
    fn last_end(&self, pending: &[u8]) -> Option<usize> {
        last_line_end(pending)
    }

    fn read(&self, block: &[u8], records: &mut dyn Records) {
        let mut fields = Fields::default();
        for place in lines_of(block) {
            if place.raw.trim_ascii().is_empty() {
                continue;
            }
            let text = text_of(place.raw, records);
            match Line::parse(text.trim_end_matches('\r'), &self.stamps) {
                Ok(line) => {
                    line.write(&mut fields);
                    records.record(place, fields.end());
                }
                Err(reason) => records.unreadable(place, reason),
            }
        }
    }
}

/// The parts of a line.
struct Line<'a> {
    vhost: Option<&'a str>,
    client: &'a str,
    ident: &'a str,
    user: &'a str,
    micros: i64,
    /// As it stands between its quotes.
    request: &'a str,
    status: &'a str,
    bytes: Option<&'a str>,
    referer: Option<&'a str>,
    user_agent: Option<&'a str>,
    tail: &'a str,
}

impl<'a> Line<'a> {
    fn parse(text: &'a str, stamps: &Stamps) -> Result<Line<'a>, &'static str> {
        let (who, micros, rest) = split_at_time(text, stamps).ok_or("no time stands between brackets")?;
        let (vhost, client, ident, user) =
            parse_who(who).ok_or("client, identity and user do not stand before the time")?;
        let (request, rest) = quoted(rest.trim_start()).ok_or("no request stands between quotes")?;
        let (status, rest) = word(rest).ok_or("no status follows the request")?;
        if status != "-" && !(status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err("no status follows the request");
        }
        let is_size = |size: &&str| *size == "-" || size.bytes().all(|byte| byte.is_ascii_digit());
        let (bytes, rest) = match word(rest).filter(|(size, _)| is_size(size)) {
            Some((size, rest)) => (Some(size), rest),
            None => (None, rest),
        };
        let (referer, rest) = optional_quoted(rest);
        let (user_agent, rest) = match referer {
            Some(_) => optional_quoted(rest),
            None => (None, rest),
        };
        let tail = rest.strip_prefix(' ').unwrap_or(rest);
        Ok(Line { vhost, client, ident, user, micros, request, status, bytes, referer, user_agent, tail })
    }

    fn write(&self, fields: &mut Fields) {
        fields.begin();
        fields.timestamp(self.micros);
        if let Some(vhost) = self.vhost {
            fields.text("vhost", vhost);
        }
        fields.text("client", self.client);
        text_or_null(fields, "ident", self.ident);
        text_or_null(fields, "remote_user", self.user);
        let request = unescaped(self.request);
        match split_request(&request) {
            Some((method, path, protocol)) => {
                fields.text("method", method);
                fields.text("path", path);
                fields.text("protocol", protocol);
            }
            None => text_or_null(fields, "request", &request),
        }
        number_or_null(fields, "status", self.status);
        if let Some(bytes) = self.bytes {
            number_or_null(fields, "bytes", bytes);
        }
        for (key, value) in [("referer", self.referer), ("user_agent", self.user_agent)] {
            if let Some(value) = value {
                text_or_null(fields, key, &unescaped(value));
            }
        }
        if !self.tail.is_empty() {
            fields.text("tail", self.tail);
        }
    }
}

fn text_or_null(fields: &mut Fields, key: &str, value: &str) {
    match value {
        "-" => fields.null(key),
        value => fields.text(key, value),
    }
}

fn number_or_null(fields: &mut Fields, key: &str, value: &str) {
    match value {
        "-" => fields.null(key),
        value => fields.number_or_text(key, value),
    }
}

/// What stands before the time in brackets, the time, and what stands after it.
fn split_at_time<'a>(text: &'a str, stamps: &Stamps) -> Option<(&'a str, i64, &'a str)> {
    memchr::memchr_iter(b'[', text.as_bytes()).find_map(|position| {
        let (who, after) = text.split_at_checked(position)?;
        let after = after.strip_prefix('[')?;
        let stamp = stamps.read(after.as_bytes())?;
        let rest = after.get(stamp.length..)?.strip_prefix(']')?;
        Some((who, stamp.micros, rest))
    })
}

type Who<'a> = (Option<&'a str>, &'a str, &'a str, &'a str);

/// Client, identity and user; a virtual host ahead of them where the third word is no user already. Users may
/// have spaces.
fn parse_who(who: &str) -> Option<Who<'_>> {
    let who = who.strip_suffix(' ').unwrap_or(who);
    let mut words = who.splitn(3, ' ');
    let (first, second, rest) = (words.next()?, words.next()?, words.next()?);
    if first.is_empty() || second.is_empty() {
        return None;
    }
    match rest.split_once(' ') {
        Some((ident, user)) if second != "-" && !ident.is_empty() => Some((Some(first), second, ident, user)),
        _ => Some((None, first, second, rest)),
    }
}

/// What stands between quotes, as it stands, and what follows them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut from = 0;
    loop {
        let found = from + memchr::memchr2(b'"', b'\\', inner.as_bytes().get(from..)?)?;
        match inner.as_bytes().get(found)? {
            b'"' => return Some((inner.get(..found)?, inner.get(found + 1..)?)),
            // What follows it belongs to it.
            _ => from = found + 2,
        }
    }
}

fn optional_quoted(text: &str) -> (Option<&str>, &str) {
    match text.strip_prefix(' ').and_then(quoted) {
        Some((value, rest)) => (Some(value), rest),
        None => (None, text),
    }
}

/// The next word after a space.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix(' ')?;
    let end = memchr::memchr(b' ', text.as_bytes()).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(word, _)| !word.is_empty())
}

/// `\"` and `\\` as what they stand for; other escapes as they are.
fn unescaped(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = match character {
            '\\' => characters.next_if(|next| matches!(next, '"' | '\\')),
            _ => None,
        };
        out.push(escaped.unwrap_or(character));
    }
    Cow::Owned(out)
}

/// Method, path and protocol of a request that has all three.
fn split_request(request: &str) -> Option<(&str, &str, &str)> {
    let (method, rest) = request.split_once(' ')?;
    let (path, protocol) = rest.rsplit_once(' ')?;
    let is_method = (1..=32).contains(&method.len())
        && method.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'));
    (is_method && !path.is_empty() && protocol.starts_with("HTTP/")).then_some((method, path, protocol))
}

/// The layout of access logs.
pub(super) fn layout(sample: &Sample<'_>) -> Layout {
    let stamps = Stamps::new(sample.time_us);
    let mut open = Open::default();
    for place in whole_lines(sample).take(SAMPLE_LINES) {
        let position = memchr::memchr(b'[', place.raw).map_or(0, |position| position + 1);
        if let Some(stamp) = place.raw.get(position..).and_then(|text| stamps.read(text)) {
            open.add(&stamp);
        }
    }
    Layout {
        format: Format::Access,
        start: 0,
        header: None,
        names: &[],
        notes: open.notes(&stamps, &Order::default()),
        codec: Arc::new(Access { stamps }),
    }
}

pub(super) fn guess(sample: &Sample<'_>) -> Option<Guess> {
    let stamps = Stamps::new(sample.time_us);
    let (mut all, mut fitting) = (0_usize, 0_usize);
    let lines = whole_lines(sample).filter(|place| !place.raw.trim_ascii().is_empty());
    for place in lines.take(SAMPLE_LINES) {
        all += 1;
        fitting += usize::from(Line::parse(&String::from_utf8_lossy(place.raw), &stamps).is_ok());
    }
    if fitting == 0 || fitting * 2 < all {
        return None;
    }
    let why = match all {
        all if all == fitting => format!("each of the first {all} lines is an access log's"),
        all => format!("{fitting} of the first {all} lines are an access log's"),
    };
    Some(Guess { layout: layout(sample), sure: u8::try_from(fitting * 95 / all).unwrap_or(95), why })
}

#[cfg(test)]
mod tests;
