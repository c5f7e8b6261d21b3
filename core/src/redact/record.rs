//! A JSON record without its secrets.

use super::rules::{Rules, is_redacted};
use super::settings::Action;
use super::{PASSES_MAX, Redactor, text};
use crate::event::json::{self, Kind, Node, Tape};

/// An object or array that the walk is in.
struct Frame {
    /// The position on the tape after it.
    next: usize,
    /// Whether it is an array under a key that names an id.
    is_id: bool,
    /// Where the last member ends that stays.
    kept_end: Option<usize>,
}

/// The key whose value comes next.
#[derive(Clone, Copy, Default)]
struct Key {
    start: usize,
    rule: Option<usize>,
    is_id: bool,
}

/// The text with changes, as far as it is written.
struct Output<'a> {
    text: &'a [u8],
    copied: usize,
    written: Option<Vec<u8>>,
}

impl Output<'_> {
    /// Leaves out a part of the text, and gives what to write in its place to.
    fn cut(&mut self, start: usize, end: usize) -> &mut Vec<u8> {
        let written = self.written.get_or_insert_with(|| Vec::with_capacity(self.text.len()));
        written.extend_from_slice(self.text.get(self.copied..start).unwrap_or_default());
        self.copied = end;
        written
    }

    fn finish(mut self) -> Option<Vec<u8>> {
        let rest = self.text.get(self.copied..).unwrap_or_default();
        if let Some(written) = &mut self.written {
            written.extend_from_slice(rest);
        }
        self.written
    }
}

impl Redactor {
    /// The JSON text without its secrets. `strings` says whether strings may be JSON in turn.
    pub(super) fn rewrite(
        &mut self,
        rules: &Rules,
        text: &[u8],
        tape: &Tape,
        strings: bool,
    ) -> Option<Vec<u8>> {
        let mut output = Output { text, copied: 0, written: None };
        let mut frames: Vec<Frame> = Vec::new();
        let mut key = Key::default();
        let mut position = 0;
        while let Some(node) = tape.get(position) {
            position = position.saturating_add(1);
            while frames.last().is_some_and(|frame| frame.next < position) {
                frames.pop();
            }
            if node.kind == Kind::Key {
                key = self.read_key(rules, text, &node);
                continue;
            }
            let Key { rule, start: key_start, is_id } = std::mem::take(&mut key);
            let is_id = is_id || frames.last().is_some_and(|frame| frame.is_id);
            let (start, end) = outer(&node);
            match rule.filter(|_| is_secret(text, &node, position)) {
                Some(rule) if rules.action(rule) == Action::Drop => {
                    self.tally.note(rule);
                    remove(&mut output, tape, frames.last(), key_start, &node);
                    position = node.next as usize;
                    continue;
                }
                Some(rule) => {
                    self.tally.note(rule);
                    let out = output.cut(start, end);
                    self.replace_value(rules, rule, text, &node, out);
                    position = node.next as usize;
                }
                None if node.kind == Kind::String => {
                    if let Some(changed) = self.string(rules, text, &node, is_id, strings) {
                        json::quote_into(&String::from_utf8_lossy(&changed), output.cut(start, end));
                    }
                }
                None => {}
            }
            if let Some(frame) = frames.last_mut() {
                frame.kept_end = Some(end);
            }
            if matches!(node.kind, Kind::Object | Kind::Array) && position < node.next as usize {
                let is_id = is_id && node.kind == Kind::Array;
                frames.push(Frame { next: node.next as usize, is_id, kept_end: None });
            }
        }
        output.finish()
    }

    fn read_key(&mut self, rules: &Rules, text: &[u8], node: &Node) -> Key {
        let raw = json::text_of(text, node);
        if node.escaped {
            self.key.clear();
            json::unescape_into(raw, &mut self.key);
            self.words.read(&self.key);
        } else {
            self.words.read(raw);
        }
        Key { start: outer(node).0, rule: rules.rule_of_key(&self.words), is_id: self.words.is_id() }
    }

    /// Writes what stands in the place of a sensitive key's value.
    fn replace_value(&mut self, rules: &Rules, rule: usize, text: &[u8], node: &Node, out: &mut Vec<u8>) {
        let raw = json::text_of(text, node);
        out.push(b'"');
        if node.escaped && rules.action(rule) == Action::Hash {
            self.key.clear();
            json::unescape_into(raw, &mut self.key);
            rules.replace_into(rule, Action::Hash, &self.key, out);
        } else {
            rules.replace_into(rule, rules.action(rule), raw, out);
        }
        out.push(b'"');
    }

    /// What a string becomes, without escapes; none where it stays.
    fn string(
        &mut self,
        rules: &Rules,
        text: &[u8],
        node: &Node,
        is_id: bool,
        strings: bool,
    ) -> Option<Vec<u8>> {
        let raw = json::text_of(text, node);
        if !node.escaped {
            return self.plain_string(rules, raw, is_id, strings);
        }
        let mut plain = Vec::with_capacity(raw.len());
        json::unescape_into(raw, &mut plain);
        self.plain_string(rules, &plain, is_id, strings)
    }

    fn plain_string(&mut self, rules: &Rules, plain: &[u8], is_id: bool, strings: bool) -> Option<Vec<u8>> {
        let limit = rules.value_bytes_max();
        let mut changed = match strings && looks_like_json(plain) {
            true => self.inner_json(rules, plain, is_id),
            false => text::redact(plain, rules, &mut self.found, &mut self.tally, is_id),
        };
        // What is cut may look different at its end, and be JSON no longer.
        for pass in 0..PASSES_MAX {
            let Some(cut) = text::cut(changed.as_deref().unwrap_or(plain), limit) else { break };
            if pass == 0 {
                self.tally.cut = self.tally.cut.saturating_add(1);
            }
            changed = Some(text::redact(&cut, rules, &mut self.found, &mut self.tally, is_id).unwrap_or(cut));
        }
        changed
    }

    /// Redacts inside a string that is JSON; as other text where it is not.
    fn inner_json(&mut self, rules: &Rules, plain: &[u8], is_id: bool) -> Option<Vec<u8>> {
        let mut tape = std::mem::take(&mut self.inner);
        let changed = match tape.parse(plain) {
            Ok(()) => self.rewrite(rules, plain, &tape, false),
            Err(_) => text::redact(plain, rules, &mut self.found, &mut self.tally, is_id),
        };
        self.inner = tape;
        changed
    }
}

/// Where a node begins and ends, quotes included.
fn outer(node: &Node) -> (usize, usize) {
    let (start, end) = (node.start as usize, node.end as usize);
    match node.kind {
        Kind::String | Kind::Key => (start.saturating_sub(1), end.saturating_add(1)),
        _ => (start, end),
    }
}

/// Whether a sensitive key's value says anything, and is not redacted yet.
fn is_secret(text: &[u8], node: &Node, after: usize) -> bool {
    let raw = json::text_of(text, node);
    match node.kind {
        Kind::String => !raw.is_empty() && !is_redacted(raw),
        Kind::Number => true,
        Kind::Object | Kind::Array => node.next as usize > after,
        Kind::Key | Kind::True | Kind::False | Kind::Null => false,
    }
}

/// Removes a key and its value, and one comma with them.
fn remove(output: &mut Output, tape: &Tape, frame: Option<&Frame>, key_start: usize, value: &Node) {
    let (_, end) = outer(value);
    let next = value.next as usize;
    let next_key = match frame {
        Some(frame) if next < frame.next => tape.get(next).map(|key| outer(&key).0),
        _ => None,
    };
    match (frame.and_then(|frame| frame.kept_end), next_key) {
        (Some(kept_end), _) => output.cut(kept_end, end),
        (None, Some(next_key)) => output.cut(key_start, next_key),
        (None, None) => output.cut(key_start, end),
    };
}

fn looks_like_json(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b'{' | b'['))
}
