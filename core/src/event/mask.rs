//! Which bytes of JSON text end or interrupt a string, as bits: the lowest stands for the first byte.

type Sixteen = [u8; 16];

/// A bit for each of the first 64 bytes of a text that ends or interrupts a JSON string: a quote, a backslash or a
/// control character. What is past the end counts too.
#[inline]
pub fn specials_ahead(text: &[u8]) -> u64 {
    let mut padded = [0; 64];
    let block = text.first_chunk::<64>().unwrap_or_else(|| {
        padded.iter_mut().zip(text).for_each(|(byte, other)| *byte = *other);
        &padded
    });
    let sixteens = block.as_chunks::<16>().0.iter().rev();
    sixteens.fold(0, |bits, bytes| bits << 16 | u64::from(specials(bytes)))
}

/// A bit for each byte that ends or interrupts a JSON string: a quote, a backslash or a control character.
#[inline]
fn specials(bytes: &Sixteen) -> u32 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every such processor has SSE2.
    return unsafe { sse2::specials(bytes) };
    #[cfg(not(target_arch = "x86_64"))]
    bits(bytes, |byte| matches!(byte, b'"' | b'\\' | 0..0x20))
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn bits(bytes: &Sixteen, is_wanted: impl Fn(u8) -> bool) -> u32 {
    bytes.iter().rev().fold(0, |bits, byte| bits << 1 | u32::from(is_wanted(*byte)))
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use super::Sixteen;
    use std::arch::x86_64::*;

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn specials(bytes: &Sixteen) -> u32 {
        let bytes = vector(bytes);
        let last_control = _mm_set1_epi8(0x1F);
        let controls = _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control);
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(equal(bytes, b'"'), equal(bytes, b'\\')), controls))
            .cast_unsigned()
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn equal(bytes: __m128i, byte: u8) -> __m128i {
        _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn vector(bytes: &Sixteen) -> __m128i {
        let bytes = u128::from_le_bytes(*bytes);
        _mm_set_epi64x((bytes >> 64) as i64, bytes as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_its_bit() {
        for byte in 0..=255_u8 {
            for place in 0..16 {
                let mut bytes = *b"plain text, ok~\x7f";
                bytes[place] = byte;
                let special = |byte: u8| matches!(byte, b'"' | b'\\' | 0..0x20);
                assert_eq!(specials(&bytes), bits(&bytes, special), "{byte} at {place}");
            }
        }
        assert_eq!(specials_ahead(b""), u64::MAX);
        assert_eq!(specials_ahead(b"ab\\"), !0b11);
        let long = format!("{}\"{}\n", "a".repeat(20), "b".repeat(41));
        assert_eq!(specials_ahead(format!("{long}c").as_bytes()), 1 << 20 | 1 << 62);
    }
}
