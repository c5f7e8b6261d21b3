//! Dates in words, such as `Fri Jun 17 07:07:00 2005`: several pieces, one value.

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
const DAYS: [&[u8]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];

/// How many bytes a date has that the text begins with, if it begins with the name of a day or a month and numbers
/// follow.
pub fn length(text: &[u8]) -> Option<usize> {
    let (first, rest) = text.split_at_checked(3)?;
    let mut rest = rest;
    if is_one_of(first, &DAYS) {
        rest = spaces(rest.strip_prefix(b",").unwrap_or(rest))?;
        let (month, after) = rest.split_at_checked(3)?;
        if is_one_of(month, &MONTHS) {
            rest = after;
        } else {
            // A day of the month, and then its name.
            rest = spaces(number(rest)?)?;
            let (month, after) = rest.split_at_checked(3)?;
            rest = if is_one_of(month, &MONTHS) { after } else { return None };
        }
    } else if !is_one_of(first, &MONTHS) {
        return None;
    }
    let mut end = number(spaces(rest)?)?;
    // A time, the name of a zone, a year: as many of them as there are.
    for _ in 0..3 {
        let Some(after) = spaces(end) else { break };
        if let Some(next) = number(after) {
            end = next;
        } else if let Some(next) = zone(after) {
            end = next;
        } else {
            break;
        }
    }
    text.len().checked_sub(end.len())
}

fn is_one_of(word: &[u8], names: &[&[u8]]) -> bool {
    names.iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// What is after one or two spaces.
fn spaces(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b" ")?;
    Some(rest.strip_prefix(b" ").unwrap_or(rest))
}

/// What is after a number or a time of day.
fn number(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b':').count();
    let (number, rest) = text.split_at_checked(digits)?;
    let whole = number.first()?.is_ascii_digit() && number.last()?.is_ascii_digit() && number.len() <= 12;
    (whole && !rest.first().is_some_and(u8::is_ascii_alphabetic)).then_some(rest)
}

/// What is after the name of a time zone that a year follows.
fn zone(text: &[u8]) -> Option<&[u8]> {
    let letters = text.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let rest = text.get(letters..)?;
    ((2..=5).contains(&letters) && spaces(rest).and_then(number).is_some()).then_some(rest)
}
