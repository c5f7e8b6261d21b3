//! A fast hash of bytes for tables in memory. It is not stored anywhere.

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const MULTIPLIER: u64 = 0xd6e8_feb8_6659_fd93;

#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    (product as u64) ^ ((product >> 64) as u64)
}

/// The hash of some bytes.
#[inline]
pub fn of(bytes: &[u8]) -> u64 {
    let mut hash = SEED ^ bytes.len() as u64;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        hash = fold(hash ^ u64::from_le_bytes(*chunk), MULTIPLIER);
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    fold(hash ^ u64::from_le_bytes(last), SEED)
}

/// The hash of what is before a hole in a text and of what is after it.
pub fn around(before: &[u8], after: &[u8]) -> u64 {
    fold(of(before) ^ MULTIPLIER, of(after).rotate_left(17) | 1)
}
