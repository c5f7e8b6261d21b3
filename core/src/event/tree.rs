//! The tree of a file's rows: one hash for all of them in their order, under which a few others prove that a row is
//! among them.
//!
//! A leaf is the hash of a row. A node is the SHA-256 of `daybook node\n` and the two hashes below it. Of several rows,
//! the largest power of two that is less than their number is below the root's left side, and the others below its
//! right, and so on down; the root of one row is its hash. It is the tree of RFC 9162, with other marks.

use super::canonical::hash;
use super::digest::{Digest, Messages};

const NODE: &[u8] = b"daybook node\n";
/// So many rows are put together at once; a power of two.
const BLOCK_ROWS: usize = 256;

/// The tree of rows as they come, of which no more is kept than is needed for the root.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    rows: u64,
    /// Rows that are no whole block yet.
    pending: Vec<Digest>,
    /// Whole trees from left to right, each smaller than the one before.
    peaks: Vec<Peak>,
    /// The row whose path is wanted, and the hashes beside its way up so far.
    watched: Option<(u64, Vec<Digest>)>,
}

#[derive(Clone, Copy, Debug)]
struct Peak {
    level: u32,
    root: Digest,
    /// Whether the watched row is below it.
    is_watched: bool,
}

impl Tree {
    /// A tree that also finds the path of the row at a position.
    pub fn watching(position: u64) -> Tree {
        Tree { watched: Some((position, Vec::new())), ..Tree::default() }
    }

    /// Adds rows by their hashes.
    pub fn push(&mut self, rows: &[Digest]) {
        self.pending.extend_from_slice(rows);
        let pending = std::mem::take(&mut self.pending);
        let blocks = pending.chunks_exact(BLOCK_ROWS);
        let rest = blocks.remainder().to_vec();
        blocks.for_each(|block| self.add(block));
        self.pending = rest;
    }

    /// The root and the path of the watched row, from the bottom up; none without rows.
    pub fn finish(mut self) -> Option<(Digest, Vec<Digest>)> {
        let pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_slice();
        while !rest.is_empty() {
            let (whole, others) = rest.split_at(1 << rest.len().ilog2());
            self.add(whole);
            rest = others;
        }
        let mut all = self.peaks.pop()?;
        while let Some(left) = self.peaks.pop() {
            all = self.joined(left, all);
        }
        Some((all.root, self.watched.map(|(_, path)| path).unwrap_or_default()))
    }

    /// Adds a power of two of rows, all of which are below one node.
    fn add(&mut self, rows: &[Digest]) {
        let first = self.rows;
        self.rows = self.rows.saturating_add(rows.len() as u64);
        let position = self.watched.as_ref().and_then(|(position, _)| position.checked_sub(first));
        let mut at = position.and_then(|at| usize::try_from(at).ok()).filter(|at| *at < rows.len());
        let is_watched = at.is_some();
        let (mut level, mut messages, mut hashes) = (0, Messages::default(), rows.to_vec());
        while hashes.len() > 1 {
            if let (Some(place), Some((_, path))) = (at, &mut self.watched) {
                path.extend(hashes.get(place ^ 1));
                at = Some(place / 2);
            }
            for pair in hashes.as_chunks::<2>().0 {
                messages.push_with(|out| {
                    out.extend_from_slice(NODE);
                    out.extend_from_slice(pair.as_flattened());
                });
            }
            hashes.clear();
            messages.hash_into(&mut hashes);
            level += 1;
        }
        let Some(root) = hashes.pop() else { return };
        let mut peak = Peak { level, root, is_watched };
        while let Some(left) = self.peaks.pop_if(|left| left.level == peak.level) {
            peak = self.joined(left, peak);
        }
        self.peaks.push(peak);
    }

    fn joined(&mut self, left: Peak, right: Peak) -> Peak {
        if let Some((_, path)) = &mut self.watched {
            match (left.is_watched, right.is_watched) {
                (true, _) => path.push(right.root),
                (_, true) => path.push(left.root),
                _ => {}
            }
        }
        let is_watched = left.is_watched || right.is_watched;
        Peak { level: left.level + 1, root: node(&left.root, &right.root), is_watched }
    }
}

/// The root of so many rows of which the one at a position has this hash and this path; none if that cannot be.
pub fn root_of(row: Digest, position: u64, rows: u64, path: &[Digest]) -> Option<Digest> {
    let (mut at, mut last) = (position, rows.checked_sub(1).filter(|last| position <= *last)?);
    let mut root = row;
    for beside in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            root = node(beside, &root);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            root = node(&root, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(root)
}

fn node(left: &Digest, right: &Digest) -> Digest {
    hash(&[NODE, left, right].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: u64) -> Vec<Digest> {
        (0..count).map(|row| hash(&row.to_le_bytes())).collect()
    }

    /// As the definition says it.
    fn defined(rows: &[Digest]) -> Digest {
        match rows {
            [row] => *row,
            _ => {
                let half = rows.len().next_power_of_two() / 2;
                let (left, right) = rows.split_at(half);
                node(&defined(left), &defined(right))
            }
        }
    }

    #[test]
    fn the_root_is_as_defined_however_the_rows_come() {
        assert!(Tree::default().finish().is_none());
        for count in (1..40).chain([255, 256, 257, 511, 512, 700, 1024, 1025]) {
            let rows = rows(count);
            for size in [1, 7, 300, 2000] {
                let mut tree = Tree::default();
                rows.chunks(size).for_each(|some| tree.push(some));
                assert_eq!(tree.finish().unwrap().0, defined(&rows), "{count} by {size}");
            }
        }
    }

    #[test]
    fn the_path_of_each_row_leads_to_the_root_and_that_of_another_does_not() {
        for count in (1..20).chain([255, 256, 300, 777]) {
            let rows = rows(count);
            for (position, row) in (0..).zip(&rows) {
                let mut tree = Tree::watching(position);
                rows.chunks(100).for_each(|some| tree.push(some));
                let (root, path) = tree.finish().unwrap();
                assert_eq!(root, defined(&rows));
                assert_eq!(root_of(*row, position, count, &path), Some(root), "{position} of {count}");
                assert_ne!(root_of(hash(b"another"), position, count, &path), Some(root));
                assert_ne!(root_of(*row, position + 1, count, &path), Some(root));
                for wrong in 1..=path.len() {
                    assert_eq!(root_of(*row, position, count, &path[wrong..]), None);
                }
                assert_eq!(root_of(*row, position, count, &[&path[..], &[root]].concat()), None);
            }
        }
    }
}
