//! The rows of data files and the hash of each: while some are hashed, on two cores, the next ones are read.

use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::Catalogue;
use crate::event::content::Contents;
use crate::event::digest::Digest;
use crate::ingest::batch::read_file;
use crate::ingest::parquet::in_parallel;
use crate::log::DataFile;
use crate::seal::Tables;
use arrow::array::RecordBatch;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// So many batches wait for those before them.
const AHEAD: usize = 1;
/// Of fewer rows, one thread has hashed as many while another begins.
const SPLIT_ROWS: usize = 512;

/// Gives all rows of some files, file after file: the number of the file, some of its rows, and their hashes; without a
/// catalogue no hashes.
pub fn each_batch(
    tables: &Tables,
    files: &[&DataFile],
    catalogue: Option<&Catalogue>,
    mut take: impl FnMut(usize, &RecordBatch, &[Digest]) -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        let (batches, received) = sync_channel(AHEAD);
        let reader = scope.spawn(move || read(tables, files, &batches));
        let taken = hash(&received, catalogue, &mut take);
        // A reader that nobody listens to ends.
        drop(received);
        let read = reader.join().map_err(|_| Error::new(ErrorKind::Internal, "a reading thread panicked"))?;
        taken.and(read)
    })
}

/// Sends the batches of files until nobody takes them any more.
fn read(tables: &Tables, files: &[&DataFile], batches: &SyncSender<(usize, RecordBatch)>) -> Result<()> {
    for (number, file) in files.iter().enumerate() {
        for batch in read_file(&tables.place_of("", file)?, 0)? {
            if batches.send((number, batch?)).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn hash(
    batches: &Receiver<(usize, RecordBatch)>,
    catalogue: Option<&Catalogue>,
    take: &mut impl FnMut(usize, &RecordBatch, &[Digest]) -> Result<()>,
) -> Result<()> {
    let mut current: Option<(usize, [Contents<'_>; 2])> = None;
    for (file, batch) in batches {
        let Some(catalogue) = catalogue else {
            take(file, &batch, &[])?;
            continue;
        };
        let contents = match &mut current {
            Some((same, contents)) if *same == file => contents,
            // What is known of a file's columns and shapes is good for all its batches.
            _ => {
                let [one, other] = [(); 2].map(|()| Contents::new(&batch.schema(), catalogue));
                &mut current.insert((file, [one, other])).1
            }
        };
        let hashes = hashes_of(&batch, contents)?;
        take(file, &batch, &hashes)?;
    }
    Ok(())
}

fn hashes_of(batch: &RecordBatch, [one, other]: &mut [Contents<'_>; 2]) -> Result<Vec<Digest>> {
    let rows = batch.num_rows();
    if rows < SPLIT_ROWS {
        return one.rows(batch);
    }
    let half = rows.div_ceil(2);
    let halves = vec![(0, one, batch.slice(0, half)), (1, other, batch.slice(half, rows - half))];
    let mut hashes = in_parallel(halves, 2, |(at, contents, rows)| Ok((at, contents.rows(&rows)?)))?;
    hashes.sort_unstable_by_key(|(at, _)| *at);
    Ok(hashes.into_iter().flat_map(|(_, hashes)| hashes).collect())
}
