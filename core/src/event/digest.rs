//! SHA-256 of many short messages. One message alone leaves half of what processors with instructions for it can
//! do unused, since each step waits for the one before; so that two are hashed side by side.

use sha2::block_api::compress256;

/// A SHA-256.
pub type Digest = [u8; 32];

type Block = [u8; 64];
type State = [u32; 8];

const START: State =
    [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19];

/// Messages that are to be hashed.
#[derive(Debug, Default)]
pub struct Messages {
    /// Each as whole blocks, with its end mark and length as SHA-256 wants them.
    bytes: Vec<u8>,
    /// After how many blocks each ends.
    ends: Vec<usize>,
}

impl Messages {
    /// Adds the message that `write` appends.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        let bits = (self.bytes.len().saturating_sub(start) as u64).wrapping_mul(8);
        self.bytes.push(0x80);
        let end = self.bytes.len().saturating_add(8).next_multiple_of(size_of::<Block>());
        self.bytes.resize(end.saturating_sub(8), 0);
        self.bytes.extend_from_slice(&bits.to_be_bytes());
        self.ends.push(end / size_of::<Block>());
    }

    /// How many bytes wait.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the hash of each message, in their order, and forgets them.
    pub fn hash_into(&mut self, digests: &mut Vec<Digest>) {
        let mut blocks = self.bytes.as_chunks::<64>().0;
        let mut states = vec![START; self.ends.len()];
        let mut start = 0;
        let jobs = states.iter_mut().zip(&self.ends).map(|(state, end)| {
            let (own, others) = blocks.split_at_checked(end.saturating_sub(start)).unwrap_or_default();
            (blocks, start) = (others, *end);
            (state, own)
        });
        compress_all(jobs);
        digests.extend(states.iter().map(digest_of));
        self.bytes.clear();
        self.ends.clear();
    }
}

fn digest_of(state: &State) -> Digest {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

/// Takes blocks into states, always two of them side by side as long as there are two.
fn compress_all<'a>(mut jobs: impl Iterator<Item = (&'a mut State, &'a [Block])>) {
    let (mut left, mut right) = (jobs.next(), jobs.next());
    while let (Some((a, of_a)), Some((b, of_b))) = (&mut left, &mut right) {
        let (now_a, later_a) = of_a.split_at(of_a.len().min(of_b.len()));
        let (now_b, later_b) = of_b.split_at(now_a.len());
        compress_pair(a, now_a, b, now_b);
        (*of_a, *of_b) = (later_a, later_b);
        if later_b.is_empty() {
            right = jobs.next();
        }
        if later_a.is_empty() {
            left = right.take();
            right = jobs.next();
        }
    }
    if let Some((state, blocks)) = left.or(right) {
        compress256(state, blocks);
    }
}

/// Takes as many blocks into one state as into another.
fn compress_pair(a: &mut State, of_a: &[Block], b: &mut State, of_b: &[Block]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sha") && std::arch::is_x86_feature_detected!("sse4.1") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { x86::compress_pair(a, of_a, b, of_b) };
    }
    compress256(a, of_a);
    compress256(b, of_b);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Block, State};
    use std::arch::x86_64::*;

    const ROUNDS: [[u32; 4]; 16] = [
        [0x428A_2F98, 0x7137_4491, 0xB5C0_FBCF, 0xE9B5_DBA5],
        [0x3956_C25B, 0x59F1_11F1, 0x923F_82A4, 0xAB1C_5ED5],
        [0xD807_AA98, 0x1283_5B01, 0x2431_85BE, 0x550C_7DC3],
        [0x72BE_5D74, 0x80DE_B1FE, 0x9BDC_06A7, 0xC19B_F174],
        [0xE49B_69C1, 0xEFBE_4786, 0x0FC1_9DC6, 0x240C_A1CC],
        [0x2DE9_2C6F, 0x4A74_84AA, 0x5CB0_A9DC, 0x76F9_88DA],
        [0x983E_5152, 0xA831_C66D, 0xB003_27C8, 0xBF59_7FC7],
        [0xC6E0_0BF3, 0xD5A7_9147, 0x06CA_6351, 0x1429_2967],
        [0x27B7_0A85, 0x2E1B_2138, 0x4D2C_6DFC, 0x5338_0D13],
        [0x650A_7354, 0x766A_0ABB, 0x81C2_C92E, 0x9272_2C85],
        [0xA2BF_E8A1, 0xA81A_664B, 0xC24B_8B70, 0xC76C_51A3],
        [0xD192_E819, 0xD699_0624, 0xF40E_3585, 0x106A_A070],
        [0x19A4_C116, 0x1E37_6C08, 0x2748_774C, 0x34B0_BCB5],
        [0x391C_0CB3, 0x4ED8_AA4A, 0x5B9C_CA4F, 0x682E_6FF3],
        [0x748F_82EE, 0x78A5_636F, 0x84C8_7814, 0x8CC7_0208],
        [0x90BE_FFFA, 0xA450_6CEB, 0xBEF9_A3F7, 0xC671_78F2],
    ];

    /// A state in the order that the instructions take, and the last four times four words.
    #[derive(Clone, Copy)]
    struct Lane {
        abef: __m128i,
        cdgh: __m128i,
        words: [__m128i; 4],
    }

    #[target_feature(enable = "sha,sse4.1")]
    pub(super) fn compress_pair(a: &mut State, of_a: &[Block], b: &mut State, of_b: &[Block]) {
        let mut lanes = [lane(a), lane(b)];
        for (block_a, block_b) in of_a.iter().zip(of_b) {
            let before = lanes;
            let [lane_a, lane_b] = &mut lanes;
            (lane_a.words, lane_b.words) = (words(block_a), words(block_b));
            let (given, made) = ROUNDS.split_at(4);
            for keys in given {
                four_rounds(&mut lanes, keys);
            }
            for keys in made {
                for lane in &mut lanes {
                    let [w0, w1, w2, w3] = lane.words;
                    let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
                    lane.words = [_mm_sha256msg2_epu32(sum, w3), w1, w2, w3];
                }
                four_rounds(&mut lanes, keys);
            }
            for (lane, before) in lanes.iter_mut().zip(before) {
                lane.abef = _mm_add_epi32(lane.abef, before.abef);
                lane.cdgh = _mm_add_epi32(lane.cdgh, before.cdgh);
            }
        }
        let [lane_a, lane_b] = lanes;
        (*a, *b) = (state(lane_a), state(lane_b));
    }

    /// Four rounds with the first four words, which go to the end.
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    fn four_rounds(lanes: &mut [Lane; 2], keys: &[u32; 4]) {
        let keys = vector(*keys);
        for lane in lanes {
            let [w0, w1, w2, w3] = lane.words;
            let sum = _mm_add_epi32(w0, keys);
            lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, sum);
            lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32::<0x0E>(sum));
            lane.words = [w1, w2, w3, w0];
        }
    }

    #[inline]
    #[target_feature(enable = "sse4.1")]
    fn vector([w0, w1, w2, w3]: [u32; 4]) -> __m128i {
        _mm_set_epi32(w3.cast_signed(), w2.cast_signed(), w1.cast_signed(), w0.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "sse4.1")]
    fn words(block: &Block) -> [__m128i; 4] {
        let order = _mm_set_epi64x(0x0C0D_0E0F_0809_0A0B, 0x0405_0607_0001_0203);
        let mut words = [order; 4];
        for (words, bytes) in words.iter_mut().zip(block.as_chunks::<16>().0) {
            let bytes = u128::from_le_bytes(*bytes);
            *words = _mm_shuffle_epi8(_mm_set_epi64x((bytes >> 64) as i64, bytes as i64), order);
        }
        words
    }

    #[inline]
    #[target_feature(enable = "sse4.1")]
    fn lane([a, b, c, d, e, f, g, h]: &State) -> Lane {
        let (abef, cdgh) = (vector([*f, *e, *b, *a]), vector([*h, *g, *d, *c]));
        Lane { abef, cdgh, words: [abef; 4] }
    }

    #[inline]
    #[target_feature(enable = "sse4.1")]
    fn state(lane: Lane) -> State {
        let words = |vector: __m128i| {
            [
                _mm_extract_epi32::<0>(vector).cast_unsigned(),
                _mm_extract_epi32::<1>(vector).cast_unsigned(),
                _mm_extract_epi32::<2>(vector).cast_unsigned(),
                _mm_extract_epi32::<3>(vector).cast_unsigned(),
            ]
        };
        let ([f, e, b, a], [h, g, d, c]) = (words(lane.abef), words(lane.cdgh));
        [a, b, c, d, e, f, g, h]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn messages_of_all_lengths_hash_as_each_alone() {
        let text: Vec<u8> = (0..1_000_u32).map(|number| (number * 31 % 251) as u8).collect();
        let mut messages = Messages::default();
        for lengths in [vec![], vec![0], vec![5, 900], vec![900, 5, 64, 63], (0..300).collect(), vec![1; 7]] {
            lengths
                .iter()
                .for_each(|length| messages.push_with(|out| out.extend_from_slice(&text[..*length])));
            let mut digests = Vec::new();
            messages.hash_into(&mut digests);
            let expected = lengths.iter().map(|length| Sha256::digest(&text[..*length]).into());
            assert_eq!(digests, expected.collect::<Vec<Digest>>(), "{lengths:?}");
            assert_eq!(messages.bytes(), 0);
        }
    }
}
