//! A text without the secrets that patterns find in it, and texts cut to a limit.

use super::patterns::{self, Found};
use super::rules::Rules;
use super::settings::Action;
use super::{PASSES_MAX, Tally};

/// The text with the secrets that patterns find replaced; none where there are none.
pub(super) fn redact(
    text: &[u8],
    rules: &Rules,
    found: &mut Vec<Found>,
    tally: &mut Tally,
    without_cards: bool,
) -> Option<Vec<u8>> {
    let mut changed: Option<Vec<u8>> = None;
    for pass in 0..PASSES_MAX {
        let current = changed.as_deref().unwrap_or(text);
        let next = redact_once(current, rules, found, tally, without_cards, pass > 0);
        if next.is_none() {
            break;
        }
        changed = next;
    }
    changed
}

/// One pass of [`redact`]. What is dropped can bring others together; those are masked, so that it ends.
pub(super) fn redact_once(
    text: &[u8],
    rules: &Rules,
    found: &mut Vec<Found>,
    tally: &mut Tally,
    without_cards: bool,
    again: bool,
) -> Option<Vec<u8>> {
    patterns::find_all(text, rules, without_cards, found);
    if found.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut copied = 0;
    for secret in found.iter() {
        out.extend_from_slice(text.get(copied..secret.start).unwrap_or_default());
        let action = action_in(rules, secret.rule, again);
        rules.replace_into(
            secret.rule,
            action,
            text.get(secret.start..secret.end).unwrap_or_default(),
            &mut out,
        );
        tally.note(secret.rule);
        copied = secret.end;
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    Some(out)
}

/// A rule's action in this pass.
pub(super) fn action_in(rules: &Rules, rule: usize, again: bool) -> Action {
    match rules.action(rule) {
        Action::Drop if again => Action::Mask,
        action => action,
    }
}

/// A text that is longer than the limit, cut so that it is not.
pub(super) fn cut(text: &[u8], limit: usize) -> Option<Vec<u8>> {
    if text.len() <= limit {
        return None;
    }
    let note = format!("…[cut, {} bytes]", text.len());
    let mut keep = limit.saturating_sub(note.len());
    while keep > 0 && text.get(keep).is_some_and(|byte| byte & 0xC0 == 0x80) {
        keep = keep.saturating_sub(1);
    }
    let mut out = text.get(..keep).unwrap_or_default().to_vec();
    out.extend_from_slice(note.as_bytes());
    Some(out)
}
