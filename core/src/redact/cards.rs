//! Numbers of payment cards in text.

/// The groups that cards are printed in.
const GROUPS: [&[usize]; 3] = [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];

/// Calls with the places of all cards in a text.
pub(super) fn find(text: &[u8], mut found: impl FnMut(usize, usize)) {
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)) {
        let start = at.saturating_add(start);
        let rest = text.get(start..).unwrap_or_default();
        let end = start.saturating_add(digits_at(rest));
        at = end;
        let card = length_at(rest).map(|length| start.saturating_add(length));
        if let Some(card_end) = card.filter(|card_end| stands_alone(text, start, *card_end)) {
            found(start, card_end);
            at = card_end;
        }
    }
}

/// The length of the card that begins with the first digit of a run, wherever it stands.
pub(super) fn length_at(text: &[u8]) -> Option<usize> {
    let run = digits_at(text.get(..17).unwrap_or(text));
    match run {
        4 => GROUPS.iter().find_map(|groups| grouped(text, groups)),
        13..=16 => text.get(..run).is_some_and(is_valid).then_some(run),
        _ => None,
    }
}

fn digits_at(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

fn grouped(text: &[u8], groups: &[usize]) -> Option<usize> {
    let separator = *text.get(4)?;
    if !matches!(separator, b' ' | b'-') {
        return None;
    }
    let mut rest = text;
    for (place, group) in groups.iter().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix(&[separator])?;
        }
        let (digits, after) = rest.split_at_checked(*group)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        rest = after;
    }
    let length = text.len().checked_sub(rest.len())?;
    let ends = !rest.first().is_some_and(u8::is_ascii_digit);
    (ends && is_valid(text.get(..length)?)).then_some(length)
}

/// Whether neither neighbour makes the digits a part of something else.
fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let (before, after) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    let is_part = |neighbour: Option<&u8>, beyond: Option<&u8>| match neighbour {
        Some(b'.' | b'-') => beyond.is_some_and(u8::is_ascii_digit),
        Some(byte) => byte.is_ascii_alphanumeric() || *byte == b'_',
        None => false,
    };
    let mut backwards = before.iter().rev();
    // A hash may be of digits alone.
    !is_part(backwards.next(), backwards.next())
        && !is_part(after.first(), after.get(1))
        && !before.ends_with(b"[hmac ")
}

/// Whether the digits of a text have an issuer's prefix, its length, and the right check digit.
fn is_valid(text: &[u8]) -> bool {
    let digits = || text.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte & 0x0F));
    let first_four = digits().take(4).fold(0, |number, digit| number * 10 + digit);
    let count = digits().count();
    let issued = matches!(
        (count, first_four),
        (13 | 16, 4000..=4999)
            | (14, 3000..=3059 | 3600..=3699 | 3800..=3899)
            | (15, 3400..=3499 | 3700..=3799)
            | (16, 5100..=5599 | 2221..=2720 | 6011 | 6500..=6599 | 6440..=6499 | 3528..=3589)
    );
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let value = |(place, digit): (usize, u32)| match (count - place) % 2 {
        0 => doubled(digit),
        _ => digit,
    };
    issued && digits().enumerate().map(value).sum::<u32>().is_multiple_of(10)
}
