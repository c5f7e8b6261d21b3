//! What secrets look like in text.

use super::cards;
use super::rules::Rules;
use super::settings::Pattern;
use memchr::{memchr_iter, memchr2_iter, memmem};

/// A secret in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rule: usize,
}

/// The shortest token that is taken for one.
const TOKEN_LENGTH_MIN: usize = 8;

/// Fills `found` with all secrets of a text, in order and apart from each other.
pub(super) fn find_all(text: &[u8], rules: &Rules, without_cards: bool, found: &mut Vec<Found>) {
    found.clear();
    for pattern in Pattern::ALL {
        if !rules.has(pattern) || (without_cards && pattern == Pattern::Card) {
            continue;
        }
        let rule = rules.rule_of_pattern(pattern);
        let push = |start: usize, end: usize| found.push(Found { start, end, rule });
        match pattern {
            Pattern::Card => cards::find(text, push),
            Pattern::Bearer => find_tokens(text, push),
            Pattern::PrivateKey => find_private_keys(text, push),
            Pattern::Email => find_emails(text, push),
            Pattern::Ip => find_ips(text, push),
        }
    }
    found.sort_unstable_by_key(|secret| (secret.start, secret.end));
    // Of secrets that overlap, the first gives the name and all of them go.
    found.dedup_by(|next, previous| {
        let overlap = next.start < previous.end;
        if overlap {
            previous.end = previous.end.max(next.end);
        }
        overlap
    });
}

fn rest_at(text: &[u8], at: usize) -> &[u8] {
    text.get(at..).unwrap_or_default()
}

fn run(text: &[u8], is_in: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| !is_in(*byte)).unwrap_or(text.len())
}

fn has_prefix(text: &[u8], lower_case: &[u8]) -> bool {
    text.get(..lower_case.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(lower_case))
}

fn find_tokens(text: &[u8], mut push: impl FnMut(usize, usize)) {
    let mut done = 0;
    for start in memchr2_iter(b'b', b'B', text).filter(|start| has_prefix(rest_at(text, *start), b"bearer "))
    {
        if start >= done {
            done = push_token(text, start.saturating_add(6), &mut push);
        }
    }
    for start in memchr2_iter(b'a', b'A', text) {
        const HEADER: &[u8] = b"authorization";
        if !has_prefix(rest_at(text, start), HEADER) {
            continue;
        }
        let value = start.saturating_add(HEADER.len());
        let after = rest_at(text, value);
        let between = run(after.get(..8).unwrap_or(after), |byte| b" :='\"\\".contains(&byte));
        if has_prefix(rest_at(after, between), b"basic ") {
            push_token(text, value.saturating_add(between).saturating_add(5), &mut push);
        }
    }
    let mut done = 0;
    for start in memmem::find_iter(text, b"eyJ") {
        if start < done {
            continue;
        }
        let length = run(rest_at(text, start), |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        done = start.saturating_add(length);
        let token = text.get(start..done).unwrap_or_default();
        if token.split(|byte| *byte == b'.').filter(|part| !part.is_empty()).count() >= 3 {
            let dots = token.iter().rev().take_while(|byte| **byte == b'.').count();
            push(start, done.saturating_sub(dots));
        }
    }
}

/// Finds the token after spaces, and says where to go on.
fn push_token(text: &[u8], at: usize, push: &mut impl FnMut(usize, usize)) -> usize {
    let start = at.saturating_add(run(rest_at(text, at), |byte| byte == b' '));
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let end = start.saturating_add(run(rest_at(text, start), in_token));
    if end.saturating_sub(start) < TOKEN_LENGTH_MIN {
        return start;
    }
    let end = end.saturating_add(run(rest_at(text, end), |byte| byte == b'='));
    push(start, end);
    end
}

fn find_private_keys(text: &[u8], mut push: impl FnMut(usize, usize)) {
    let in_label = |byte: u8| byte.is_ascii_uppercase() || byte == b' ';
    let mut done = 0;
    for start in memmem::find_iter(text, b"-----BEGIN ") {
        let after = rest_at(text, start.saturating_add(10));
        let label = run(after.get(..64).unwrap_or(after), in_label);
        let name = after.get(..label).unwrap_or_default();
        let is_key = name.ends_with(b" PRIVATE KEY") || name.ends_with(b" PRIVATE KEY BLOCK");
        if start < done || !is_key || !rest_at(after, label).starts_with(b"-----") {
            continue;
        }
        done = match memmem::find(after, b"-----END ") {
            None => text.len(),
            Some(end) => {
                let after_end = rest_at(after, end.saturating_add(8));
                let label = run(after_end, in_label);
                let dashes = run(rest_at(after_end, label), |byte| byte == b'-').min(5);
                text.len().saturating_sub(after_end.len()).saturating_add(label).saturating_add(dashes)
            }
        };
        push(start, done);
    }
}

fn find_emails(text: &[u8], mut push: impl FnMut(usize, usize)) {
    for at in memchr_iter(b'@', text) {
        let before = text.get(..at).unwrap_or_default();
        let in_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
        let name = before.iter().rev().take(64).take_while(in_name).count();
        let after = rest_at(text, at.saturating_add(1));
        let after = after.get(..256).unwrap_or(after);
        let domain = run(after, |byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        let domain = after.get(..domain).unwrap_or_default();
        let extra = domain.iter().rev().take_while(|byte| b".-".contains(byte)).count();
        let domain = domain.get(..domain.len().saturating_sub(extra)).unwrap_or_default();
        let mut labels = domain.rsplitn(2, |byte| *byte == b'.');
        let top = labels.next().unwrap_or_default();
        let is_top = top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic);
        if name > 0 && is_top && labels.next().is_some_and(|labels| !labels.is_empty()) {
            push(at.saturating_sub(name), at.saturating_add(1).saturating_add(domain.len()));
        }
    }
}

fn find_ips(text: &[u8], mut push: impl FnMut(usize, usize)) {
    let in_address = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut at = 0;
    while let Some(skipped) = rest_at(text, at).iter().position(|byte| in_address(*byte)) {
        let start = at.saturating_add(skipped);
        let end = start.saturating_add(run(rest_at(text, start), in_address));
        at = end;
        let before = text.get(..start).unwrap_or_default();
        if rest_at(text, end).first().is_some_and(in_word) {
            continue;
        }
        // An address may stand after `name:`, whose last letters may look like hexadecimal digits, and before a port.
        let address = text.get(start..end).unwrap_or_default();
        let whole = before.last().is_none_or(|byte| !in_word(byte));
        let parts = address.iter().rposition(|byte| *byte == b':').map_or(0, |colon| colon.saturating_add(1));
        let head = address.iter().position(|byte| *byte == b':').unwrap_or(address.len());
        let tries = [
            (0, address.len(), whole),
            (0, head, whole),
            (1, address.len(), address.first() == Some(&b':')),
            (1, address.len().saturating_sub(1), address.first() == Some(&b':')),
            (0, address.len().saturating_sub(1), whole),
            (parts, address.len(), parts > 0),
            (parts, address.len().saturating_sub(1), parts > 0),
        ];
        let hit = tries.iter().find_map(|(from, to, allowed)| {
            let part = address.get(*from..*to).filter(|part| *allowed && is_address(part))?;
            Some((start.saturating_add(*from), start.saturating_add(*from).saturating_add(part.len())))
        });
        if let Some((start, end)) = hit {
            push(start, end);
        }
    }
}

fn is_address(text: &[u8]) -> bool {
    const LENGTH_MAX: usize = 45;
    if text.len() > LENGTH_MAX || !text.iter().any(u8::is_ascii_hexdigit) {
        return false;
    }
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<core::net::IpAddr>().is_ok())
}
