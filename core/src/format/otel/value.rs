//! OpenTelemetry's attributes and values as plain JSON.

use crate::event::json::{self, Kind, Tape};
use crate::event::number::integer_into;

/// A parsed text; nodes are named by their positions on the tape.
#[derive(Clone, Copy)]
pub(super) struct Tree<'a> {
    pub text: &'a [u8],
    pub tape: &'a Tape,
}

impl<'a> Tree<'a> {
    pub(super) fn kind(&self, node: usize) -> Option<Kind> {
        self.tape.get(node).map(|node| node.kind)
    }

    /// Where the text of a node begins.
    pub(super) fn start(&self, node: usize) -> usize {
        self.tape.get(node).map_or(0, |node| node.start as usize)
    }

    /// The text of a node, without quotes.
    pub(super) fn text(&self, node: usize) -> &'a [u8] {
        self.tape.get(node).map(|node| json::text_of(self.text, &node)).unwrap_or_default()
    }

    /// The JSON of a node, with quotes.
    pub(super) fn json(&self, node: usize) -> &'a [u8] {
        match self.tape.get(node) {
            Some(node) if node.kind == Kind::String => {
                self.text.get((node.start as usize).saturating_sub(1)..node.end as usize + 1)
            }
            Some(node) => self.text.get(node.start as usize..node.end as usize),
            None => None,
        }
        .unwrap_or_default()
    }

    /// The keys of an object, as written, and their values; none of anything else.
    pub(super) fn members(self, object: usize) -> impl Iterator<Item = (&'a [u8], usize)> {
        let is_object = self.kind(object) == Some(Kind::Object);
        let end = self.tape.get(object).filter(|_| is_object).map_or(0, |node| node.next as usize);
        let mut position = object + 1;
        std::iter::from_fn(move || {
            let value = self.tape.get(position + 1).filter(|_| position < end)?;
            let member = (self.text(position), position + 1);
            position = value.next as usize;
            Some(member)
        })
    }

    /// The items of an array; none of anything else.
    pub(super) fn items(self, array: usize) -> impl Iterator<Item = usize> + use<'a> {
        let is_array = self.kind(array) == Some(Kind::Array);
        let end = self.tape.get(array).filter(|_| is_array).map_or(0, |node| node.next as usize);
        let mut position = array + 1;
        std::iter::from_fn(move || {
            let item = self.tape.get(position).filter(|_| position < end)?;
            let at = position;
            position = item.next as usize;
            Some(at)
        })
    }

    /// The value of a key, if the object has that one only.
    fn only_member(self, object: usize, key: &[u8]) -> Option<usize> {
        let mut members = self.members(object);
        let (only, value) = members.next()?;
        (only == key && members.next().is_none()).then_some(value)
    }

    /// The key and the value of an attribute; no value if it is not set. None if it is no attribute.
    fn attribute(self, node: usize) -> Option<(usize, Option<usize>)> {
        let (mut key, mut value) = (None, None);
        for (name, member) in self.members(node) {
            match name {
                b"key" if self.kind(member) == Some(Kind::String) => key = Some(member),
                b"value" => value = Some(member),
                _ => return None,
            }
        }
        Some((key?, value))
    }
}

/// Appends a member as it is, after a comma.
pub(super) fn member_into(tree: &Tree<'_>, key: &[u8], value: usize, out: &mut Vec<u8>) {
    for part in [b",\"", key, b"\":", tree.json(value)] {
        out.extend_from_slice(part);
    }
}

/// Appends attributes as an object. What is no list of attributes stays as it is.
pub(super) fn attributes_into(tree: &Tree<'_>, list: usize, out: &mut Vec<u8>) {
    let is_list = tree.kind(list) == Some(Kind::Array);
    if !is_list || tree.items(list).any(|item| tree.attribute(item).is_none()) {
        return out.extend_from_slice(tree.json(list));
    }
    out.push(b'{');
    let mut separator: &[u8] = b"";
    for (key, value) in tree.items(list).filter_map(|item| tree.attribute(item)) {
        for part in [separator, tree.json(key), b":"] {
            out.extend_from_slice(part);
        }
        separator = b",";
        match value {
            Some(value) => any_value_into(tree, value, out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
}

/// Appends a value without the name of its type. What is no such value stays as it is. Values nest no deeper than
/// the text that was parsed.
pub(super) fn any_value_into(tree: &Tree<'_>, node: usize, out: &mut Vec<u8>) {
    let mut members = tree.members(node);
    let (Some((kind, value)), None) = (members.next(), members.next()) else {
        let is_empty = tree.text(node).first() == Some(&b'{') && tree.members(node).next().is_none();
        return out.extend_from_slice(if is_empty { b"null" } else { tree.json(node) });
    };
    match kind {
        b"stringValue" | b"boolValue" | b"doubleValue" | b"bytesValue" => {
            out.extend_from_slice(tree.json(value));
        }
        b"intValue" => {
            let text = std::str::from_utf8(tree.text(value)).unwrap_or_default();
            match text.parse::<i64>() {
                Ok(number) => integer_into(number, out),
                Err(_) => out.extend_from_slice(tree.json(value)),
            }
        }
        b"arrayValue" => match values_of(tree, value) {
            Values::None => out.extend_from_slice(b"[]"),
            Values::List(list) => {
                let mut separator = b'[';
                for item in tree.items(list) {
                    out.push(separator);
                    separator = b',';
                    any_value_into(tree, item, out);
                }
                out.extend_from_slice(if separator == b'[' { b"[]" } else { b"]" });
            }
            Values::Other => out.extend_from_slice(tree.json(node)),
        },
        b"kvlistValue" => match values_of(tree, value) {
            Values::None => out.extend_from_slice(b"{}"),
            Values::List(list) => attributes_into(tree, list, out),
            Values::Other => out.extend_from_slice(tree.json(node)),
        },
        _ => out.extend_from_slice(tree.json(node)),
    }
}

enum Values {
    None,
    List(usize),
    Other,
}

/// The list in `{"values":[...]}`.
fn values_of(tree: &Tree<'_>, node: usize) -> Values {
    match tree.only_member(node, b"values") {
        Some(list) if tree.kind(list) == Some(Kind::Array) => Values::List(list),
        None if tree.kind(node) == Some(Kind::Object) && tree.members(node).next().is_none() => Values::None,
        _ => Values::Other,
    }
}
