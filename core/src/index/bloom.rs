//! Split-block Bloom filters, as Parquet defines them: one block of 32 bytes says whether a value may be there.

use twox_hash::XxHash64;

/// The bytes of a block.
pub const BLOCK_BYTES: usize = 32;

/// So many bits a value: of values that are not there, one in 250 seems to be.
const BITS: usize = 12;

const SALT: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// A filter in the making.
#[derive(Debug)]
pub struct Bloom {
    blocks: Vec<[u32; 8]>,
}

/// The hash of a value.
pub fn hash(text: &str) -> u64 {
    XxHash64::oneshot(0, text.as_bytes())
}

/// The block that a value's bits are in, of so many.
pub fn block_of(hash: u64, blocks: u32) -> u32 {
    // The high half of the hash, scaled to the count of blocks, is below it.
    let scaled = (hash >> 32).wrapping_mul(u64::from(blocks)) >> 32;
    u32::try_from(scaled).unwrap_or(0)
}

/// Whether a value may be among those whose bits are in the block.
pub fn may_hold(block: &[u8], hash: u64) -> bool {
    let (words, _) = block.as_chunks::<4>();
    words.len() == SALT.len()
        && words.iter().zip(mask(hash)).all(|(word, bit)| u32::from_le_bytes(*word) & bit != 0)
}

impl Bloom {
    /// A filter of these hashes, which differ; without blocks if there are none.
    pub fn of(hashes: impl ExactSizeIterator<Item = u64>) -> Bloom {
        let count = hashes.len().saturating_mul(BITS).div_ceil(BLOCK_BYTES * 8);
        let mut bloom = Bloom { blocks: vec![[0; 8]; count.min(u32::MAX as usize)] };
        let blocks = bloom.block_count();
        for hash in hashes {
            if let Some(block) = bloom.blocks.get_mut(block_of(hash, blocks) as usize) {
                block.iter_mut().zip(mask(hash)).for_each(|(word, bit)| *word |= bit);
            }
        }
        bloom
    }

    /// How many blocks it has.
    pub fn block_count(&self) -> u32 {
        u32::try_from(self.blocks.len()).unwrap_or(u32::MAX)
    }

    /// Its bytes, block by block.
    pub fn bytes(&self) -> impl Iterator<Item = [u8; 4]> + '_ {
        self.blocks.iter().flatten().map(|word| word.to_le_bytes())
    }
}

/// The bit of each word of a block.
fn mask(hash: u64) -> [u32; 8] {
    // The low half of the hash; the other one chose the block.
    let low = hash as u32;
    SALT.map(|salt| 1 << (low.wrapping_mul(salt) >> 27))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_that_is_there_is_found_and_few_others() {
        for count in [0_usize, 1, 20, 21, 5_000] {
            let bloom =
                Bloom::of((0..count).map(|n| hash(&format!("id-{n}"))).collect::<Vec<_>>().into_iter());
            let bytes: Vec<u8> = bloom.bytes().flatten().collect();
            let found = |text: &str| {
                let hash = hash(text);
                let start = block_of(hash, bloom.block_count()) as usize * BLOCK_BYTES;
                bytes.get(start..start + BLOCK_BYTES).is_some_and(|block| may_hold(block, hash))
            };
            assert!((0..count).all(|n| found(&format!("id-{n}"))), "{count}");
            let wrong = (0..10_000).filter(|n| found(&format!("other-{n}"))).count();
            assert!(wrong <= 150, "{wrong} of 10,000 others seem to be among {count}");
        }
    }

    #[test]
    fn a_block_cut_short_holds_nothing() {
        assert!(!may_hold(&[0xff; 31], hash("x")));
        assert!(may_hold(&[0xff; 32], hash("x")));
    }
}
