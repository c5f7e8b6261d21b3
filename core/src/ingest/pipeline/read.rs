//! The first stage: opens inputs one after the other, and cuts them into blocks.

use super::{Ended, Item, Numbered, Source};
use crate::error::{Error, Result};
use crate::format::Format;
use crate::ingest::blocks::{Block, Blocks, Known, ReadAs};
use crate::ingest::columnar::ColumnarReader;
use crate::ingest::encoding::Encoding;
use crate::ingest::input::{Content, Input, Stream, each_stream};
use crate::wal::Clock;
use crossbeam_channel::Sender;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;

type Blocked = (Block, u64);

/// Sends all blocks of all inputs, until they end or nobody wants any more.
pub(super) fn read_all(
    inputs: Vec<Input>,
    read_as: &ReadAs,
    known: Known,
    clock: &Clock,
    sender: &Sender<Numbered<Blocked>>,
    is_over: &(dyn Fn() -> bool + Sync),
) {
    let mut reader = Reader { read_as, known, clock, sender, is_over, number: 0, is_gone: false };
    for input in inputs {
        let name = input.name();
        let result = each_stream(input, &mut |stream| reader.stream(stream));
        if let Err(error) = result {
            reader.send(Item::Failed { name, error });
        }
        if reader.is_done() {
            return;
        }
    }
}

struct Reader<'a> {
    read_as: &'a ReadAs,
    known: Known,
    clock: &'a Clock,
    sender: &'a Sender<Numbered<Blocked>>,
    is_over: &'a (dyn Fn() -> bool + Sync),
    number: u64,
    is_gone: bool,
}

impl Reader<'_> {
    fn send(&mut self, item: Item<Blocked>) {
        self.is_gone |= self.sender.send((self.number, item)).is_err();
        self.number += 1;
    }

    fn is_done(&self) -> bool {
        self.is_gone || (self.is_over)()
    }

    fn stream(&mut self, stream: Stream) {
        if self.is_done() {
            return;
        }
        let name = stream.name.clone();
        let known = std::mem::take(&mut self.known);
        let ended = match stream.content {
            Content::Bytes(_) => self.bytes(stream, &known),
            Content::Rows(format, _) => self.rows(stream, format),
        };
        self.known = known;
        match ended {
            Ok(ended) => {
                if ended.error.is_none() && ended.bytes > 0 {
                    self.known.add(ended.bytes, ended.hash);
                }
                self.send(Item::End(ended));
            }
            Err(error) => self.send(Item::Failed { name, error }),
        }
    }

    fn bytes(&mut self, stream: Stream, known: &Known) -> Result<Ended> {
        let Stream { name, content, time_us, read, total, .. } = stream;
        let Content::Bytes(bytes) = content else {
            return Ok(Ended { hash: [0; 32], bytes: 0, error: None });
        };
        let arrival_us = (self.clock)();
        let mut blocks = Blocks::open(bytes, &name, time_us.unwrap_or(arrival_us), self.read_as, known)?;
        let layout = blocks.layout().clone();
        let mut notes = layout.notes.clone();
        if blocks.encoding() != Encoding::Utf8 {
            notes.push(format!("the text is {}", blocks.encoding().name()));
        }
        let format = layout.format;
        let source = Arc::new(Source { name, layout, format, notes, arrival_us, total });
        self.send(Item::Begin(source.clone()));
        let mut error = None;
        while !self.is_done() {
            match blocks.next_block() {
                Ok(Some(block)) => {
                    self.send(Item::Block(source.clone(), (block, read.load(Ordering::Relaxed))));
                }
                Ok(None) => break,
                Err(failed) => error = Some(failed),
            }
        }
        Ok(Ended { hash: blocks.content_hash(), bytes: blocks.decompressed_bytes(), error })
    }

    /// Rows of columns, as JSON Lines. The file is hashed first, and known as a whole or not at all.
    fn rows(&mut self, stream: Stream, format: Format) -> Result<Ended> {
        let Stream { name, content, read, total, .. } = stream;
        let Content::Rows(_, file) = content else {
            return Ok(Ended { hash: [0; 32], bytes: 0, error: None });
        };
        let failed = |error| Error::io("read", &name, error);
        let (hash, bytes) = hash_of(&file).map_err(failed)?;
        let mut rows = ColumnarReader::open(file, format, &name)?;
        let layout = crate::format::lines::layout();
        let (notes, arrival_us) = (Vec::new(), (self.clock)());
        let source = Arc::new(Source { name, layout, format, notes, arrival_us, total });
        self.send(Item::Begin(source.clone()));
        let (mut error, mut offset) = (None, 0);
        while !self.is_done() {
            match rows.next_block() {
                Ok(Some(bytes)) => {
                    let length = bytes.len() as u64;
                    let block = Block { offset, bytes, ..Block::default() };
                    offset += length;
                    self.send(Item::Block(source.clone(), (block, read.load(Ordering::Relaxed))));
                }
                Ok(None) => break,
                Err(failed) => {
                    error = Some(failed);
                    break;
                }
            }
        }
        Ok(Ended { hash, bytes, error })
    }
}

fn hash_of(file: &File) -> std::io::Result<([u8; 32], u64)> {
    use sha2::{Digest, Sha256};
    use std::io::{Read, Seek};
    let mut file = file;
    file.rewind()?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(buffer.get(..count).unwrap_or_default());
        bytes += count as u64;
    }
    file.rewind()?;
    Ok((hash.finalize().into(), bytes))
}
