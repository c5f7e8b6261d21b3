//! Whether a text may hold a secret: a look at all its bytes that is fast, and may say yes too often.

use super::cards;
use super::rules::Rules;
use super::settings::Pattern;
use memchr::memchr;

/// Bytes that are looked at together, and those after them that are needed for it.
const BLOCK: usize = 64;
const BLOCK_AND_AHEAD: usize = 80;

/// The marks that are looked for besides those of JSON and tokens.
#[derive(Clone, Copy)]
struct Wanted {
    cards: bool,
    keys: bool,
}

pub(super) fn is_suspect(text: &[u8], rules: &Rules) -> bool {
    if !rules.is_enabled() {
        return false;
    }
    let wanted = Wanted { cards: rules.has(Pattern::Card), keys: rules.has(Pattern::PrivateKey) };
    text.len() > rules.value_bytes_max()
        || rules.has(Pattern::Ip)
        || (rules.has(Pattern::Email) && memchr(b'@', text).is_some())
        || has_mark(text, wanted)
}

/// Whether a text has one of the marks that [`has_mark_in`] knows.
fn has_mark(text: &[u8], wanted: Wanted) -> bool {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { has_mark_avx2(text, wanted) };
    }
    has_mark_portable(text, wanted)
}

/// The same code, compiled for wider vectors.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn has_mark_avx2(text: &[u8], wanted: Wanted) -> bool {
    has_mark_portable(text, wanted)
}

#[inline(always)]
fn has_mark_portable(text: &[u8], wanted: Wanted) -> bool {
    let mut rest = text;
    loop {
        let hit = match rest.first_chunk::<BLOCK_AND_AHEAD>() {
            Some(block) => may_have_mark(block),
            None => {
                let mut padded = [0; BLOCK_AND_AHEAD];
                for (byte, tail) in padded.iter_mut().zip(rest) {
                    *byte = *tail;
                }
                may_have_mark(&padded)
            }
        };
        if hit && has_mark_in(text, text.len().saturating_sub(rest.len()), wanted) {
            return true;
        }
        match rest.get(BLOCK..) {
            Some(after) => rest = after,
            None => return false,
        }
    }
}

/// Whether a block may have a mark. There are no branches in it, so that it compiles to vector instructions.
#[inline(always)]
fn may_have_mark(block: &[u8; BLOCK_AND_AHEAD]) -> bool {
    let at = |offset: usize| block.get(offset..).and_then(|rest| rest.first_chunk::<BLOCK>());
    let (Some(b0), Some(b1), Some(b2), Some(b3), Some(b4)) = (at(0), at(1), at(2), at(3), at(4)) else {
        return true;
    };
    let (Some(b5), Some(b6), Some(b9), Some(b11), Some(b13)) = (at(5), at(6), at(9), at(11), at(13)) else {
        return true;
    };
    let mut any = 0;
    let near = b0.iter().zip(b1).zip(b2).zip(b5);
    let far = b3.iter().zip(b4).zip(b6).zip(b9).zip(b11).zip(b13);
    for ((((b0, b1), b2), b5), (((((b3, b4), b6), b9), b11), b13)) in near.zip(far) {
        let (lower_0, lower_2) = (*b0 | 0x20, *b2 | 0x20);
        let escaped =
            (*b0 == b'\\') & (((*b1 == b'"') & (*b2 | 0x1A == b':')) | ((*b1 == b'u') & (lower_2 <= b'f')));
        let web_token = (*b1 == b'y') & (*b2 == b'J');
        let key = (*b0 == b'-') & (*b1 == b'B') & (*b2 == b'E');
        let bearer = (lower_0 == b'b') & (lower_2 == b'a') & (*b5 | 0x20 == b'r');
        let authorization = (lower_0 == b'r') & (lower_2 == b'z');
        // However a card is grouped, there are digits in these places after a byte that is none.
        let digit = |byte: &u8| byte ^ b'0';
        let most = digit(b2).max(digit(b3)).max(digit(b4)).max(digit(b6)).max(digit(b9)).max(digit(b11));
        let begins = (digit(b0) > 9) & (digit(b1).wrapping_sub(2) <= 4);
        let card = begins & (most.max(digit(b13)) <= 9);
        any |= u8::from(escaped | web_token | key | bearer | authorization | card);
    }
    any != 0
}

/// Whether a mark begins in the block at a place: a key of JSON in a string, an escape that need not be one, the
/// beginning of a JSON web token or a private key, `bearer `, `authorization`, or what is before a card.
#[inline(never)]
fn has_mark_in(text: &[u8], at: usize, wanted: Wanted) -> bool {
    let end = text.len().min(at.saturating_add(BLOCK));
    (at..end).any(|place| {
        let rest = text.get(place..).unwrap_or_default();
        let Some([first, second]) = rest.first_chunk() else { return false };
        let card = matches!(second, b'2'..=b'6') & !first.is_ascii_digit();
        if !card && !matches!(first, b'\\' | b'e' | b'-' | b'b' | b'B' | b'r' | b'R') {
            return false;
        }
        match rest {
            [b'\\', b'"', after @ ..] => {
                let spaces = after.iter().take(BLOCK).take_while(|byte| **byte == b' ').count();
                after.get(spaces) == Some(&b':')
            }
            [b'\\', b'u', b'0', b'0', high, low, ..] if is_needless_escape(*high, *low) => true,
            // The digits of an escape are not those of a card after it.
            [b'\\', b'u', _, _, _, _, after @ ..] => is_card(after, wanted),
            [b'e', b'y', b'J', ..] => true,
            [b'-', b'B', b'E', ..] if rest.starts_with(b"-BEGIN ") => wanted.keys,
            [b'b' | b'B', b'e' | b'E', ..] => {
                rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b"bearer "))
            }
            [b'r' | b'R', b'i' | b'I', b'z' | b'Z', ..] => {
                let word = text.get(place.saturating_sub(5)..).and_then(|word| word.get(..13));
                word.is_some_and(|word| word.eq_ignore_ascii_case(b"authorization"))
            }
            [before, after @ ..] => !before.is_ascii_digit() && is_card(after, wanted),
            [] => false,
        }
    })
}

/// Whether a card begins here, if it stands alone.
fn is_card(text: &[u8], wanted: Wanted) -> bool {
    wanted.cards && matches!(text, [b'2'..=b'6', ..]) && cards::length_at(text).is_some()
}

/// Whether `\u00XX` stands for a character that a pattern or a key may be made of.
fn is_needless_escape(high: u8, low: u8) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    match (digit(high), digit(low)) {
        (Some(high), Some(low)) => {
            let byte = u8::try_from(high * 16 + low).unwrap_or_default();
            byte.is_ascii_alphanumeric() || b" -\":@".contains(&byte)
        }
        _ => true,
    }
}
