//! A temporary file that is filled block by block and mapped.
//!
//! A block is written once, before its bit is set, and never again; slices are given only of blocks
//! whose bit is set. What was not written takes no room on the disk, where the system allows that.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use memmap2::{MmapOptions, MmapRaw};

use crate::dump::fault::Registered;

/// The size of a block. A request of an object store takes longer than the transfer of one.
pub(super) const BLOCK: usize = 1 << 16;

/// The file; what it consists of is dropped in this order.
#[derive(Debug)]
pub(super) struct Sparse {
    map: MmapRaw,
    file: Mutex<File>,
    len: usize,
    /// A bit for each block that was written.
    written: Box<[AtomicU64]>,
    count: AtomicUsize,
    is_whole: AtomicBool,
    registered: Arc<Registered>,
}

impl Drop for Sparse {
    fn drop(&mut self) {
        // Something else may be mapped there next.
        self.registered.end();
    }
}

impl Sparse {
    /// Takes a file of this length that nothing else writes to.
    pub(super) fn new(file: File, len: usize) -> io::Result<Self> {
        let map = MmapOptions::new().len(len).map_raw_read_only(&file)?;
        let bytes = std::ptr::slice_from_raw_parts(map.as_ptr(), map.len());
        let words = len.div_ceil(BLOCK).div_ceil(64);
        Ok(Self {
            map,
            file: Mutex::new(file),
            len,
            written: (0..words).map(|_| AtomicU64::new(0)).collect(),
            count: AtomicUsize::new(0),
            is_whole: AtomicBool::new(false),
            registered: Arc::new(Registered::new(bytes)),
        })
    }

    /// The size of the file.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// How many blocks there are, written or not.
    pub(super) const fn blocks(&self) -> usize {
        self.len.div_ceil(BLOCK)
    }

    /// Whether the system could not give what was written.
    pub(super) fn is_damaged(&self) -> bool {
        self.registered.is_damaged()
    }

    /// Whether a block was written.
    pub(super) fn has(&self, block: usize) -> bool {
        let word = self.written.get(block / 64).map_or(0, |word| word.load(Ordering::Acquire));
        word >> (block % 64) & 1 == 1
    }

    /// The first of these blocks that was not written.
    pub(super) fn first_missing(&self, blocks: Range<usize>) -> Option<usize> {
        if self.is_whole.load(Ordering::Acquire) {
            return None;
        }
        let mut blocks = blocks;
        blocks.find(|block| !self.has(*block))
    }

    /// The bytes of a range, if all of its blocks were written.
    #[allow(unsafe_code, reason = "a slice of what is mapped and written")]
    pub(super) fn get(&self, range: Range<usize>) -> Option<&[u8]> {
        let len = range.end.checked_sub(range.start)?;
        if range.end > self.len {
            return None;
        }
        if len == 0 {
            return Some(&[]);
        }
        let blocks = range.start / BLOCK..range.end.div_ceil(BLOCK);
        if self.first_missing(blocks).is_some() {
            return None;
        }
        // SAFETY: the range is within the mapping, which lives as long as `self`. Its blocks were
        // written before their bits were set, which this thread has seen; `write` refuses blocks
        // whose bit is set, and nothing else has the file, whose name is gone.
        Some(unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(range.start), len) })
    }

    /// Writes blocks from a block on: whole ones, or up to the end of the file.
    pub(super) fn write(&self, first: usize, bytes: &[u8]) -> io::Result<()> {
        let end = first.saturating_add(bytes.len().div_ceil(BLOCK));
        let start = first.saturating_mul(BLOCK);
        let stop = start.saturating_add(bytes.len());
        if stop > self.len || !(stop == self.len || bytes.len().is_multiple_of(BLOCK)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if (first..end).any(|block| self.has(block)) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        file.seek(SeekFrom::Start(start as u64))?;
        file.write_all(bytes)?;
        for block in first..end {
            if let Some(word) = self.written.get(block / 64) {
                word.fetch_or(1 << (block % 64), Ordering::Release);
            }
        }
        let added = end.saturating_sub(first);
        let count = self.count.fetch_add(added, Ordering::Relaxed).saturating_add(added);
        self.is_whole.store(count == self.blocks(), Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::Spooling;

    #[test]
    fn only_what_was_written_is_given() {
        let full = |value: u8, len: usize| vec![value; len];
        let len = 3 * BLOCK + 100;
        let file = Spooling::default().sparse(len as u64).unwrap();
        let sparse = Sparse::new(file, len).unwrap();
        assert_eq!((sparse.blocks(), sparse.get(0..1), sparse.get(5..5)), (4, None, Some(&[][..])));
        sparse.write(1, &full(7, BLOCK)).unwrap();
        assert_eq!(sparse.get(BLOCK..BLOCK + 2), Some(&[7, 7][..]));
        assert_eq!((sparse.get(BLOCK - 1..BLOCK + 1), sparse.first_missing(0..4)), (None, Some(0)));
        // No block is written twice, none in part, none beyond the end.
        assert!(sparse.write(0, &full(8, 2 * BLOCK)).is_err());
        assert!(sparse.write(2, &[8; 5]).is_err());
        assert!(sparse.write(3, &full(8, BLOCK)).is_err());
        sparse.write(2, &full(9, BLOCK + 100)).unwrap();
        sparse.write(0, &full(1, BLOCK)).unwrap();
        assert_eq!(
            (sparse.first_missing(0..4), sparse.get(0..len).map(<[u8]>::len)),
            (None, Some(len))
        );
        assert_eq!(sparse.get(len - 1..len), Some(&[9][..]));
        let (start, end) = (2, 1);
        assert_eq!((sparse.get(len..len + 1), sparse.get(start..end)), (None, None));
    }
}
