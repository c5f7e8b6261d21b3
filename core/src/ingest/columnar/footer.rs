//! Looks at what a file says at its end before the readers do, which would trust sizes and depths there.

use arrow::error::ArrowError;
use arrow::ipc::Block;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Parquet's groups may be nested so deep: a list is two of them.
const GROUPS_MAX: usize = 130;
/// What is not the schema may be nested so deep.
pub(super) const SKIP_DEPTH_MAX: u8 = 32;

/// The last bytes of a file, before those at its very end; none if it is not so long.
fn before_end(file: &mut File, length: u64, end: u64) -> io::Result<Option<Vec<u8>>> {
    let size = file.seek(SeekFrom::End(0))?;
    let Some(start) = length.checked_add(end).and_then(|both| size.checked_sub(both)) else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Whether all parts that an Arrow file lists are in it.
pub(super) fn check_arrow(file: &mut File) -> Result<(), ArrowError> {
    let wrong = || ArrowError::ParseError("its footer is not what was written".to_string());
    let size = file.seek(SeekFrom::End(0))?;
    let end = before_end(file, 10, 0)?.and_then(|end| <[u8; 10]>::try_from(end).ok()).ok_or_else(wrong)?;
    let length = arrow::ipc::reader::read_footer_length(end)?;
    let footer = before_end(file, length as u64, 10)?.ok_or_else(wrong)?;
    let footer = arrow::ipc::root_as_footer(&footer).map_err(|_| wrong())?;
    let is_within = |block: &Block| {
        let parts = [block.offset(), block.metaDataLength().into(), block.bodyLength()];
        let end = parts.into_iter().try_fold(0_u64, |sum, part| sum.checked_add(u64::try_from(part).ok()?));
        end.is_some_and(|end| end <= size)
    };
    let blocks = [footer.recordBatches(), footer.dictionaries()];
    match blocks.into_iter().flatten().all(|blocks| blocks.iter().all(is_within)) {
        true => Ok(()),
        false => Err(wrong()),
    }
}

/// Whether a Parquet file's schema can be read without going too deep. What is wrong otherwise is for the reader to
/// tell.
pub(super) fn check_parquet(file: &mut File) -> Result<(), ArrowError> {
    let Some(end) = before_end(file, 8, 0)? else { return Ok(()) };
    let Some((length, b"PAR1")) = end.split_first_chunk::<4>() else { return Ok(()) };
    let Some(metadata) = before_end(file, u32::from_le_bytes(*length).into(), 8)? else { return Ok(()) };
    match (Thrift { rest: &metadata }).schema_depth() {
        None => Err(ArrowError::ParseError("its footer is not what was written".to_string())),
        Some(depth) if depth > GROUPS_MAX => {
            Err(ArrowError::SchemaError(format!("columns are nested more than {GROUPS_MAX} deep")))
        }
        Some(_) => Ok(()),
    }
}

/// Reads Thrift's compact protocol, as far as it takes to find the schema and the sizes of pages.
pub(super) struct Thrift<'a> {
    pub(super) rest: &'a [u8],
}

pub(super) const I32: u8 = 5;
const LIST: u8 = 9;
pub(super) const STRUCT: u8 = 12;

impl Thrift<'_> {
    /// How many bytes are not read yet.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn pass(&mut self, count: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    /// The next field of a struct, its number and its type; none inside at the end of the struct.
    pub(super) fn field(&mut self, last: &mut i64) -> Option<Option<(i64, u8)>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        *last = match head >> 4 {
            0 => self.zigzag().filter(|number| i16::try_from(*number).is_ok())?,
            step => last.checked_add(step.into())?,
        };
        Some(Some((*last, head & 0x0f)))
    }

    /// The length of a list and the type of what is in it.
    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        Some((count, head & 0x0f))
    }

    pub(super) fn skip(&mut self, kind: u8, depth: u8) -> Option<()> {
        let deeper = depth.checked_sub(1)?;
        match kind {
            1 | 2 => Some(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.pass(8),
            8 => {
                let length = self.varint()?;
                self.pass(length)
            }
            LIST | 10 => {
                let (count, kind) = self.list()?;
                (0..count).try_for_each(|_| self.skip_item(kind, deeper))
            }
            11 => {
                let count = self.varint()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                (0..count).try_for_each(|_| {
                    self.skip_item(kinds >> 4, deeper)?;
                    self.skip_item(kinds & 0x0f, deeper)
                })
            }
            STRUCT => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip(kind, deeper)?;
                }
                Some(())
            }
            13 => self.pass(16),
            _ => None,
        }
    }

    /// In lists and maps, truth values are bytes.
    fn skip_item(&mut self, kind: u8, depth: u8) -> Option<()> {
        if matches!(kind, 1 | 2) { self.pass(1) } else { self.skip(kind, depth) }
    }

    fn schema_depth(&mut self) -> Option<usize> {
        let (mut last, mut deepest) = (0, 0);
        while let Some((number, kind)) = self.field(&mut last)? {
            if number == 2 && kind == LIST {
                deepest = deepest.max(self.elements()?);
                if deepest > GROUPS_MAX {
                    break;
                }
            } else {
                self.skip(kind, SKIP_DEPTH_MAX)?;
            }
        }
        Some(deepest)
    }

    /// How deep the elements of a schema are nested; each says how many of those after it are its own.
    fn elements(&mut self) -> Option<usize> {
        let (count, kind) = self.list()?;
        let mut missing: Vec<i64> = Vec::new();
        let mut deepest = 0;
        for _ in 0..count {
            if kind != STRUCT {
                return None;
            }
            let (mut last, mut children) = (0, 0);
            while let Some((number, kind)) = self.field(&mut last)? {
                match (number, kind) {
                    (5, I32) => children = self.zigzag()?,
                    _ => self.skip(kind, SKIP_DEPTH_MAX)?,
                }
            }
            if let Some(siblings) = missing.last_mut() {
                *siblings = siblings.saturating_sub(1);
            }
            if children > 0 {
                missing.push(children);
                deepest = deepest.max(missing.len());
            } else {
                while missing.pop_if(|siblings| *siblings <= 0).is_some() {}
            }
            if deepest > GROUPS_MAX {
                break;
            }
        }
        Some(deepest)
    }
}
