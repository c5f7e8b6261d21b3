//! Values by path as one nested JSON object, and back.

use super::column::FieldPath;
use super::json::{self, Kind, Tape};
use std::borrow::Borrow;

/// Appends an object of values at their paths. `entries` are sorted by path, and no path is another's
/// beginning.
pub fn object_into<P: Borrow<FieldPath>, J: AsRef<[u8]>>(entries: &[(P, J)], out: &mut Vec<u8>) {
    level_into(entries, 0, out);
}

/// The entries below one object; their first `depth` keys are the same.
fn level_into<P: Borrow<FieldPath>, J: AsRef<[u8]>>(entries: &[(P, J)], depth: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut rest = entries;
    let mut first = true;
    while let Some((path, value)) = rest.first() {
        let path: &FieldPath = path.borrow();
        let key = path.keys().nth(depth).unwrap_or_default();
        let same = rest
            .iter()
            .take_while(|(other, _)| Borrow::<FieldPath>::borrow(other).keys().nth(depth) == Some(key));
        let (group, after) = rest.split_at_checked(same.count().max(1)).unwrap_or((rest, &[]));
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        json::quote_into(key, out);
        out.push(b':');
        if path.keys().len() <= depth + 1 {
            out.extend_from_slice(value.as_ref());
        } else {
            level_into(group, depth + 1, out);
        }
        rest = after;
    }
    out.push(b'}');
}

/// The leaves of a JSON object with their paths: values that are no objects with keys.
pub fn leaves(text: &[u8]) -> Vec<(FieldPath, Vec<u8>)> {
    let mut tape = Tape::default();
    let mut found = Vec::new();
    if tape.parse(text).is_ok() {
        collect(text, &tape, 0, &mut Vec::new(), &mut found);
    }
    found
}

fn collect(
    text: &[u8],
    tape: &Tape,
    object: usize,
    path: &mut Vec<String>,
    found: &mut Vec<(FieldPath, Vec<u8>)>,
) {
    let end = tape.get(object).map_or(0, |node| node.next as usize);
    let mut position = object + 1;
    while position < end {
        let (Some(key), Some(value)) = (tape.get(position), tape.get(position + 1)) else { break };
        let mut name = Vec::new();
        json::unescape_into(json::text_of(text, &key), &mut name);
        path.push(String::from_utf8_lossy(&name).into_owned());
        if value.kind == Kind::Object && value.next as usize > position + 2 {
            collect(text, tape, position + 1, path, found);
        } else {
            let quotes = usize::from(value.kind == Kind::String);
            let raw = text.get(value.start as usize - quotes..value.end as usize + quotes);
            found.push((FieldPath::new(&*path), raw.unwrap_or_default().to_vec()));
        }
        path.pop();
        position = value.next as usize;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in [
            r#"{}"#,
            r#"{"":{"":1},"a":{"b":[1,{"c":2}],"b.c":"x\n"},"a.b":null,"z":{"e":{}}}"#,
            r#"{"a":{"b":{"c":{"d":1}},"c":2},"b":3}"#,
        ] {
            let mut entries = leaves(text.as_bytes());
            entries.sort();
            let mut out = Vec::new();
            object_into(&entries, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
