//! The bytes of a file, which are there or have to be fetched first.

use std::fmt::Debug;
use std::ops::Range;

/// Bytes that are fetched when they are asked for.
pub trait Fetch: Debug + Send + Sync {
    /// The size of the file.
    fn size(&self) -> usize;

    /// The bytes of a range, which never change; `None` beyond the end of the file, and if they
    /// cannot be fetched.
    fn get(&self, range: Range<usize>) -> Option<&[u8]>;
}

/// The bytes of a file. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// All of them are there.
    Here(&'a [u8]),
    /// They have to be fetched; whoever asks for few of them waits for few.
    Elsewhere(&'a dyn Fetch),
}

impl<'a> View<'a> {
    /// The size of the file.
    #[inline]
    pub fn len(self) -> usize {
        match self {
            Self::Here(bytes) => bytes.len(),
            Self::Elsewhere(file) => file.size(),
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The bytes of a range; `None` unless all of them are there.
    #[inline]
    pub fn get(self, range: Range<usize>) -> Option<&'a [u8]> {
        match self {
            Self::Here(bytes) => bytes.get(range),
            Self::Elsewhere(file) => fetched(file, range),
        }
    }

    /// The `len` bytes at an offset that comes from a file.
    pub fn slice_at(self, offset: u64, len: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        self.get(start..start.checked_add(usize::try_from(len).ok()?)?)
    }

    /// The byte at an offset.
    pub fn byte(self, offset: usize) -> Option<u8> {
        self.get(offset..offset.checked_add(1)?)?.first().copied()
    }

    /// The bytes from an offset on, at most `most` of them; fewer at the end of the file.
    pub fn part(self, offset: usize, most: usize) -> &'a [u8] {
        let end = offset.saturating_add(most).min(self.len());
        self.get(offset.min(end)..end).unwrap_or_default()
    }

    /// The first bytes, at most `most` of them.
    pub fn head(self, most: usize) -> &'a [u8] {
        self.part(0, most)
    }
}

/// Apart, so that reading what is there costs no more than a comparison.
#[cold]
#[inline(never)]
fn fetched(file: &dyn Fetch, range: Range<usize>) -> Option<&[u8]> {
    file.get(range)
}

impl<'a> From<&'a [u8]> for View<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Here(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for View<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Here(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for View<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Here(bytes)
    }
}
