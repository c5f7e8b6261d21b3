//! Finds the array of records in the object around it.

use super::extent::{Extent, Extents, Member, after_space, members};
use crate::event::fixed::{Fixed, WELL_KNOWN};

/// Keys under which records usually are, in lowercase.
const USUAL_KEYS: [&str; 20] = [
    "records",
    "value",
    "values",
    "items",
    "data",
    "results",
    "result",
    "events",
    "logs",
    "logevents",
    "entries",
    "hits",
    "rows",
    "documents",
    "messages",
    "list",
    "content",
    "elements",
    "objects",
    "activities",
];

/// An object around an array of records.
#[derive(Debug)]
pub(super) struct Wrapper {
    /// The keys from the root to the array.
    pub path: Vec<Box<[u8]>>,
    /// The paths of everything else in it.
    pub others: Vec<String>,
    /// Whether more of it may come after the array, which is not seen yet.
    pub has_more: bool,
    /// Whether it can hardly be a record itself.
    pub certain: bool,
}

/// The wrapper that a text begins with.
pub(super) fn find(text: &[u8]) -> Option<Wrapper> {
    let object = after_space(text, 0);
    if text.get(object) != Some(&b'{') {
        return None;
    }
    let top = members(text, object);
    let (path, array) = largest_array(text, &top)?;
    let others = others_of(text, &top, &path);
    let has_time = top.iter().any(is_time);
    let has_times = elements_have_times(text, array.start);
    let usual = path.last().is_some_and(|key| is_usual(key));
    let certain = others.is_empty() || (usual && has_times && !has_time);
    let likely = (has_times && !has_time) || (usual && (has_times || !has_time));
    if certain || (likely && is_alone(text, object)) {
        let has_more = array.end.is_none();
        return Some(Wrapper { path: path.into_iter().map(Box::from).collect(), others, has_more, certain });
    }
    None
}

/// The array of objects with the most bytes, at most two keys deep.
fn largest_array<'a>(text: &'a [u8], top: &[Member<'a>]) -> Option<(Vec<&'a [u8]>, Member<'a>)> {
    let mut found: Option<(Vec<&[u8]>, Member<'_>)> = None;
    let size = |member: &Member<'_>| member.end.unwrap_or(text.len()).saturating_sub(member.start);
    let mut consider = |path: Vec<&'a [u8]>, member: Member<'a>| {
        let larger = found.as_ref().is_none_or(|(_, largest)| size(&member) > size(largest));
        if larger && holds_objects(text, &member) {
            found = Some((path, member));
        }
    };
    for member in top {
        consider(vec![member.key], *member);
        if text.get(member.start) == Some(&b'{') {
            for inner in members(text, member.start) {
                consider(vec![member.key, inner.key], inner);
            }
        }
    }
    found
}

/// Whether a value is an array of objects, or an empty one where such an array usually is.
fn holds_objects(text: &[u8], member: &Member<'_>) -> bool {
    let first = after_space(text, member.start + 1);
    text.get(member.start) == Some(&b'[')
        && match text.get(first) {
            Some(b'{') => true,
            Some(b']') => is_usual(member.key),
            _ => false,
        }
}

fn others_of(text: &[u8], top: &[Member<'_>], path: &[&[u8]]) -> Vec<String> {
    let name = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    let mut others = Vec::new();
    for member in top {
        match path {
            [first] if *first == member.key => {}
            [first, second] if *first == member.key => {
                let inner = members(text, member.start).into_iter().filter(|inner| inner.key != *second);
                others.extend(inner.map(|inner| format!("{}.{}", name(member.key), name(inner.key))));
            }
            _ => others.push(name(member.key)),
        }
    }
    others
}

fn is_usual(key: &[u8]) -> bool {
    USUAL_KEYS.iter().any(|usual| usual.as_bytes().eq_ignore_ascii_case(key))
}

fn is_time(member: &Member<'_>) -> bool {
    let mut names = WELL_KNOWN.iter().filter(|(fixed, _)| *fixed == Fixed::Ts).flat_map(|(_, names)| *names);
    names.any(|name| name.as_bytes() == member.key)
}

/// Whether the first element of an array has a time, or an object in it has.
fn elements_have_times(text: &[u8], array: usize) -> bool {
    let first = after_space(text, array + 1);
    text.get(first) == Some(&b'{')
        && members(text, first).iter().any(|member| {
            let nested = text.get(member.start) == Some(&b'{');
            is_time(member) || (nested && members(text, member.start).iter().any(is_time))
        })
}

/// Whether nothing follows an object.
fn is_alone(text: &[u8], object: usize) -> bool {
    match Extents::default().of(text, object) {
        Extent::Whole(end) => after_space(text, end) == text.len(),
        _ => true,
    }
}
