//! The progress of a running query.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The progress of the scans of a running query. Shared between threads.
#[derive(Debug, Default)]
pub struct Progress {
    rows: AtomicUsize,
    searched: AtomicU64,
    to_search: AtomicU64,
}

impl Progress {
    /// Resets the progress.
    pub fn restart(&self) {
        self.rows.store(0, Ordering::Relaxed);
    }

    /// Counts rows that were read.
    pub fn add_rows(&self, rows: usize) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// How many rows were read.
    pub fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// How many bytes of memory were searched, and how many will be searched in total; `None` while
    /// there is no search.
    pub fn searched(&self) -> Option<(u64, u64)> {
        let all = self.to_search.load(Ordering::Relaxed);
        let done = self.searched.load(Ordering::Relaxed);
        (all != 0).then_some((done.min(all), all))
    }
}

/// A search through memory, which lasts until this value is dropped.
#[derive(Debug)]
pub struct Searching<'a> {
    progress: Option<&'a Progress>,
    done: u64,
    all: u64,
}

impl<'a> Searching<'a> {
    /// Begins a search through this many bytes.
    pub fn begin(progress: Option<&'a Progress>, bytes: u64) -> Self {
        if let Some(progress) = progress {
            progress.to_search.fetch_add(bytes, Ordering::Relaxed);
        }
        Self { progress, done: 0, all: bytes }
    }

    /// Reports that this many more bytes were searched.
    pub fn add(&mut self, bytes: u64) {
        let bytes = bytes.min(self.all - self.done);
        self.done += bytes;
        if let Some(progress) = self.progress {
            progress.searched.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Searching<'_> {
    fn drop(&mut self) {
        if let Some(progress) = self.progress {
            progress.to_search.fetch_sub(self.all, Ordering::Relaxed);
            progress.searched.fetch_sub(self.done, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_add_up_and_leave_nothing_behind() {
        let progress = Progress::default();
        assert_eq!(progress.searched(), None);
        {
            let mut one = Searching::begin(Some(&progress), 100);
            let mut two = Searching::begin(Some(&progress), 50);
            one.add(30);
            two.add(70);
            assert_eq!(progress.searched(), Some((80, 150)));
            drop(two);
            assert_eq!(progress.searched(), Some((30, 100)));
        }
        assert_eq!(progress.searched(), None);
    }
}
