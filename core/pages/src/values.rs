//! The values of a column chunk, without its nulls, page by page.

use super::bits::{self, Run, too_short, unpack, wrong};
use parquet::basic::Encoding;
use parquet::errors::Result;

/// Values of a physical type, as pages bring them.
pub trait Values: Default {
    /// Takes the dictionary of the pages to come.
    fn learn(&mut self, bytes: &[u8], count: usize) -> Result<()>;

    /// Adds the values of a page, so many.
    fn add(&mut self, encoding: Encoding, bytes: &[u8], count: usize) -> Result<()>;
}

/// A number of a fixed number of bytes.
pub trait Number: Copy + Default {
    const BYTES: usize;

    fn of_bytes(bytes: &[u8]) -> Self;

    /// The number that is stored as a whole one; none of a type that is not.
    fn of_whole(whole: i64) -> Option<Self>;
}

impl Number for i32 {
    const BYTES: usize = 4;

    fn of_bytes(bytes: &[u8]) -> i32 {
        i32::from_le_bytes(*bytes.first_chunk().unwrap_or(&[0; 4]))
    }

    fn of_whole(whole: i64) -> Option<i32> {
        Some(whole as i32)
    }
}

impl Number for i64 {
    const BYTES: usize = 8;

    fn of_bytes(bytes: &[u8]) -> i64 {
        i64::from_le_bytes(*bytes.first_chunk().unwrap_or(&[0; 8]))
    }

    fn of_whole(whole: i64) -> Option<i64> {
        Some(whole)
    }
}

impl Number for f64 {
    const BYTES: usize = 8;

    fn of_bytes(bytes: &[u8]) -> f64 {
        f64::from_le_bytes(*bytes.first_chunk().unwrap_or(&[0; 8]))
    }

    fn of_whole(_: i64) -> Option<f64> {
        None
    }
}

/// Numbers.
#[derive(Debug, Default)]
pub struct Numbers<T> {
    pub values: Vec<T>,
    dictionary: Vec<T>,
}

impl<T: Number> Values for Numbers<T> {
    fn learn(&mut self, bytes: &[u8], count: usize) -> Result<()> {
        self.dictionary.clear();
        plain(bytes, count, &mut self.dictionary)
    }

    fn add(&mut self, encoding: Encoding, bytes: &[u8], count: usize) -> Result<()> {
        match encoding {
            Encoding::PLAIN => plain(bytes, count, &mut self.values),
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                let Numbers { values, dictionary } = self;
                values.reserve(count);
                let each = |numbers: Stretch<'_>| match numbers {
                    Stretch::Same(number, times) => {
                        let value = *dictionary.get(number as usize).ok_or_else(unknown)?;
                        values.resize(values.len().saturating_add(times), value);
                        Ok(())
                    }
                    Stretch::Others(numbers) => {
                        let known = numbers.iter().map_while(|number| dictionary.get(*number as usize));
                        let before = values.len();
                        values.extend(known);
                        if values.len().saturating_sub(before) == numbers.len() {
                            Ok(())
                        } else {
                            Err(unknown())
                        }
                    }
                };
                numbers_of(bytes, count, each)
            }
            Encoding::DELTA_BINARY_PACKED if T::of_whole(0).is_some() => {
                let whole = differences(&mut bits::Bytes(bytes), count)?;
                self.values.extend(whole.into_iter().filter_map(T::of_whole));
                Ok(())
            }
            Encoding::BYTE_STREAM_SPLIT => {
                let split = bits::Bytes(bytes).take(count.saturating_mul(T::BYTES))?;
                let mut one = [0; 8];
                self.values.extend((0..count).map(|row| {
                    let bytes = split.iter().skip(row).step_by(count);
                    one.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                    T::of_bytes(&one)
                }));
                Ok(())
            }
            other => Err(unreadable(other)),
        }
    }
}

fn plain<T: Number>(bytes: &[u8], count: usize, values: &mut Vec<T>) -> Result<()> {
    let bytes = bits::Bytes(bytes).take(count.checked_mul(T::BYTES).ok_or_else(too_short)?)?;
    values.extend(bytes.chunks_exact(T::BYTES).map(T::of_bytes));
    Ok(())
}

/// Truth values.
#[derive(Debug, Default)]
pub struct Truths(pub Vec<bool>);

impl Values for Truths {
    fn learn(&mut self, _: &[u8], _: usize) -> Result<()> {
        Err(wrong("truth values have a dictionary"))
    }

    fn add(&mut self, encoding: Encoding, bytes: &[u8], count: usize) -> Result<()> {
        match encoding {
            Encoding::PLAIN => {
                let packed = bits::Bytes(bytes).take(count.div_ceil(8))?;
                unpack(packed, 1, count, |bit| self.0.push(bit == 1));
                Ok(())
            }
            Encoding::RLE => bits::Bytes(bits::Bytes(bytes).block()?).runs(1, count, |run| {
                match run {
                    Run::Same(bit, times) => self.0.resize(self.0.len().saturating_add(times), bit == 1),
                    Run::Packed(packed, times) => unpack(packed, 1, times, |bit| self.0.push(bit == 1)),
                }
                Ok(())
            }),
            other => Err(unreadable(other)),
        }
    }
}

/// Texts, one after the other, and where each ends; the first one ends at 0 and is none.
#[derive(Debug)]
pub struct Texts {
    pub bytes: Vec<u8>,
    pub ends: Vec<i32>,
    dictionary: Dictionary,
}

/// The texts of a dictionary.
#[derive(Debug, Default)]
struct Dictionary {
    /// Their bytes, and after them as many zeros as a short text may have.
    bytes: Vec<u8>,
    /// Where each begins, and its length.
    places: Vec<(usize, usize)>,
}

/// Texts of so many bytes are copied by as many at once, which takes no loop.
const SHORT: usize = 16;

impl Dictionary {
    #[inline]
    fn append(&self, (begin, length): (usize, usize), to: &mut Vec<u8>) {
        let rest = self.bytes.get(begin..).unwrap_or_default();
        match rest.first_chunk::<SHORT>() {
            Some(short) if length <= SHORT => {
                let end = to.len().saturating_add(length);
                to.extend_from_slice(short);
                to.truncate(end);
            }
            _ => to.extend_from_slice(rest.get(..length).unwrap_or_default()),
        }
    }
}

impl Default for Texts {
    fn default() -> Texts {
        Texts { bytes: Vec::new(), ends: vec![0], dictionary: Dictionary::default() }
    }
}

impl Texts {
    fn push(&mut self, text: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(text);
        self.ends.push(end_of(&self.bytes)?);
        Ok(())
    }

    /// Adds texts of the dictionary.
    fn known(&mut self, numbers: Stretch<'_>) -> Result<()> {
        let Texts { bytes, ends, dictionary } = self;
        let mut push = |number: u32| -> Result<()> {
            let place = dictionary.places.get(number as usize).ok_or_else(unknown)?;
            dictionary.append(*place, bytes);
            ends.push(end_of(bytes)?);
            Ok(())
        };
        match numbers {
            Stretch::Same(number, times) => (0..times).try_for_each(|_| push(number)),
            Stretch::Others(numbers) => numbers.iter().try_for_each(|number| push(*number)),
        }
    }
}

impl Values for Texts {
    fn learn(&mut self, bytes: &[u8], count: usize) -> Result<()> {
        let mut left = bits::Bytes(bytes);
        let mut places = Vec::with_capacity(count.min(bytes.len()));
        for _ in 0..count {
            let length = left.block()?.len();
            let end = bytes.len().saturating_sub(left.0.len());
            places.push((end.saturating_sub(length), length));
        }
        self.dictionary = Dictionary { bytes: [bytes, &[0; SHORT]].concat(), places };
        Ok(())
    }

    fn add(&mut self, encoding: Encoding, bytes: &[u8], count: usize) -> Result<()> {
        let mut left = bits::Bytes(bytes);
        match encoding {
            Encoding::PLAIN => (0..count).try_for_each(|_| self.push(left.block()?)),
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                self.ends.reserve(count);
                numbers_of(bytes, count, |numbers| self.known(numbers))
            }
            Encoding::DELTA_LENGTH_BYTE_ARRAY => {
                let lengths = differences(&mut left, count)?;
                lengths.into_iter().try_for_each(|length| self.push(left.take(size(length)?)?))
            }
            Encoding::DELTA_BYTE_ARRAY => {
                let prefixes = differences(&mut left, count)?;
                let suffixes = differences(&mut left, count)?;
                let mut last = 0_usize..0_usize;
                for (prefix, suffix) in prefixes.into_iter().zip(suffixes) {
                    let (prefix, suffix) = (size(prefix)?, left.take(size(suffix)?)?);
                    let begin = self.bytes.len();
                    let shared = last.start..last.start.saturating_add(prefix);
                    if prefix > last.len() {
                        return Err(wrong("a text shares more with the one before than that has"));
                    }
                    self.bytes.extend_from_within(shared);
                    self.push(suffix)?;
                    last = begin..self.bytes.len();
                }
                Ok(())
            }
            other => Err(unreadable(other)),
        }
    }
}

/// Numbers of a dictionary's values.
enum Stretch<'a> {
    /// The same one, so often.
    Same(u32, usize),
    Others(&'a [u32]),
}

/// The numbers of a dictionary's values, in order.
fn numbers_of(bytes: &[u8], count: usize, mut each: impl FnMut(Stretch<'_>) -> Result<()>) -> Result<()> {
    let (width, rest) = bytes.split_first().ok_or_else(too_short)?;
    let width = u32::from(*width);
    let mut numbers: Vec<u32> = Vec::new();
    bits::Bytes(rest).runs(width, count, |run| match run {
        Run::Same(number, times) => each(Stretch::Same(number, times)),
        Run::Packed(packed, times) => {
            numbers.clear();
            numbers.reserve(times);
            unpack(packed, width, times, |number| numbers.push(number as u32));
            each(Stretch::Others(&numbers))
        }
    })
}

/// Exactly so many numbers that are stored as their differences.
fn differences(bytes: &mut bits::Bytes<'_>, count: usize) -> Result<Vec<i64>> {
    let values = bytes.differences(count)?;
    if values.len() == count { Ok(values) } else { Err(too_short()) }
}

fn size(length: i64) -> Result<usize> {
    usize::try_from(length).map_err(|_| wrong("a text has a length below zero"))
}

/// Where texts end, which Arrow has as 32 bits.
fn end_of(texts: &[u8]) -> Result<i32> {
    i32::try_from(texts.len()).map_err(|_| wrong("the texts of a row group have more than 2 GiB"))
}

fn unknown() -> parquet::errors::ParquetError {
    wrong("a value is not in the dictionary")
}

fn unreadable(encoding: Encoding) -> parquet::errors::ParquetError {
    wrong(&format!("values are encoded as {encoding}, which their type is not"))
}
