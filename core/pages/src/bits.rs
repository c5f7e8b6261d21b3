//! Numbers of a few bits each, as Parquet packs them. All that is read is checked against the bytes that are there.

use parquet::errors::{ParquetError, Result};

/// Bytes that are read from their beginning on.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

/// A stretch of a run-length encoding.
#[derive(Clone, Copy, Debug)]
pub enum Run<'a> {
    /// The same number, so often.
    Same(u32, usize),
    /// So many numbers, packed.
    Packed(&'a [u8], usize),
}

impl<'a> Bytes<'a> {
    /// The next bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(too_short)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next bytes, whose length stands before them.
    pub fn block(&mut self) -> Result<&'a [u8]> {
        let length = u32::from_le_bytes(*self.0.first_chunk().ok_or_else(too_short)?);
        self.take(4)?;
        self.take(length as usize)
    }

    fn varint(&mut self) -> Result<u64> {
        let mut number = 0_u64;
        for (at, byte) in self.0.iter().take(10).enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * at).min(63);
            if byte & 0x80 == 0 {
                self.take(at.saturating_add(1))?;
                return Ok(number);
            }
        }
        Err(too_short())
    }

    fn zigzag(&mut self) -> Result<i64> {
        let number = self.varint()?;
        Ok((number >> 1) as i64 ^ (number & 1).wrapping_neg() as i64)
    }

    /// So many numbers of so many bits as runs, in order.
    pub fn runs(
        mut self,
        width: u32,
        count: usize,
        mut each: impl FnMut(Run<'a>) -> Result<()>,
    ) -> Result<()> {
        if width > 32 {
            return Err(wrong("a number has more than 32 bits"));
        }
        let mut left = count;
        while left > 0 {
            let header = self.varint()?;
            let length = usize::try_from(header >> 1).map_err(|_| too_short())?;
            if header & 1 == 0 {
                let mut value = [0; 4];
                value
                    .iter_mut()
                    .zip(self.take(width.div_ceil(8) as usize)?)
                    .for_each(|(to, from)| *to = *from);
                let length = length.min(left);
                if length == 0 {
                    return Err(wrong("a run has no values"));
                }
                each(Run::Same(u32::from_le_bytes(value), length))?;
                left = left.saturating_sub(length);
            } else {
                let packed = self.take(length.checked_mul(width as usize).ok_or_else(too_short)?)?;
                let length = length.saturating_mul(8).min(left);
                if length == 0 {
                    return Err(wrong("a run has no values"));
                }
                each(Run::Packed(packed, length))?;
                left = left.saturating_sub(length);
            }
        }
        Ok(())
    }

    /// Numbers that are stored as their differences; at most so many. What comes after them is left.
    pub fn differences(&mut self, most: usize) -> Result<Vec<i64>> {
        let block = self.varint()?;
        let parts = self.varint()?;
        let total = usize::try_from(self.varint()?).map_err(|_| too_short())?;
        let mut value = self.zigzag()?;
        let size = block.checked_div(parts).and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
        let is_usual = parts <= 1 << 16 && size > 0 && size <= 1 << 20 && size.is_multiple_of(32);
        if total > most || !is_usual {
            return Err(wrong("differences are not as they should be"));
        }
        let mut values = Vec::with_capacity(total);
        if total > 0 {
            values.push(value);
        }
        while values.len() < total {
            let least = self.zigzag()?;
            for width in self.take(parts as usize)? {
                let length = size.min(total.saturating_sub(values.len()));
                if length == 0 {
                    break;
                }
                let width = u32::from(*width);
                if width > 64 {
                    return Err(wrong("a number has more than 64 bits"));
                }
                let packed = self.take(size.saturating_mul(width as usize) / 8)?;
                unpack(packed, width, length, |difference| {
                    value = value.wrapping_add(least).wrapping_add(difference as i64);
                    values.push(value);
                });
            }
        }
        Ok(values)
    }
}

/// Gives so many packed numbers of at most 64 bits, the lowest bits first; zeros where the bytes end.
#[inline]
pub fn unpack(packed: &[u8], width: u32, count: usize, mut each: impl FnMut(u64)) {
    let mask = u64::MAX.checked_shr(64_u32.wrapping_sub(width)).unwrap_or_default();
    let window = |at: usize| -> u64 {
        match packed.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => {
                let mut bytes = [0; 8];
                let rest = packed.get(at..).unwrap_or_default();
                bytes.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                u64::from_le_bytes(bytes)
            }
        }
    };
    let mut bit = 0_usize;
    for _ in 0..count {
        let (at, shift) = (bit >> 3, (bit & 7) as u32);
        let mut number = window(at) >> shift;
        if width.wrapping_add(shift) > 64 {
            let above = packed.get(at.wrapping_add(8)).copied().unwrap_or_default();
            number |= u64::from(above) << 64_u32.wrapping_sub(shift);
        }
        each(number & mask);
        bit = bit.wrapping_add(width as usize);
    }
}

pub fn too_short() -> ParquetError {
    ParquetError::EOF("a page ends before its values do".to_string())
}

pub fn wrong(what: &str) -> ParquetError {
    ParquetError::General(what.to_string())
}
